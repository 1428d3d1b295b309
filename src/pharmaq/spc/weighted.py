"""Statistics with a memory: exponentially weighted averages and cumulative sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pharmaq._checks import check_real, check_vector
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["cusum", "ewma"]


def ewma(values: ArrayLike, *, lam: float, start: float) -> NDArray[np.float64]:
    """Return the exponentially weighted moving average of a series [1]_.

    Parameters
    ----------
    values : array-like, shape (n,)
        Values in time order, any unit; NaN raises.
    lam : float
        Weight of the latest value, in (0, 1].
    start : float
        The average before the first value, in the unit of `values`: the target or the mean.

    Returns
    -------
    ndarray of shape (n,)
        z_t = lam x_t + (1 - lam) z_(t-1).

    References
    ----------
    .. [1] S. W. Roberts, Technometrics 1 (1959) 239-250.

    Examples
    --------
    >>> ewma([52.0, 47.0], lam=0.3, start=50.0)
    array([50.6 , 49.52])
    """
    from pharmaq.spc import _kernels

    x = np.ascontiguousarray(check_vector("values", values))
    check_lambda(lam)
    out = np.empty_like(x)
    _kernels.ewma(x, float(lam), check_real("start", start), out)
    return out


def cusum(
    values: ArrayLike, *, k: float, center: float = 0.0, start: tuple[float, float] = (0.0, 0.0)
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both one-sided cumulative sums of a series [1]_.

    Parameters
    ----------
    values : array-like, shape (n,)
        Values in time order, any unit; NaN raises.
    k : float
        Slack (reference value), not negative, in the unit of `values`.
    center : float, default 0
        Where the process should be.
    start : tuple of float, default (0, 0)
        Upper and lower sum before the first value, not negative.

    Returns
    -------
    upper, lower : ndarray of shape (n,)
        C+_t = max(0, C+_(t-1) + x_t - center - k) and
        C-_t = max(0, C-_(t-1) + center - x_t - k); both are positive.

    References
    ----------
    .. [1] E. S. Page, Biometrika 41 (1954) 100-115.

    Examples
    --------
    >>> upper, lower = cusum([9.0, 12.0, 12.5], k=0.5, center=10.0)
    >>> upper
    array([0. , 1.5, 3.5])
    """
    from pharmaq.spc import _kernels

    x = np.ascontiguousarray(check_vector("values", values))
    if not check_real("k", k) >= 0:
        msg = f"k must not be negative, got {k!r}"
        raise InputError(msg)
    if min(start) < 0:
        msg = f"start must not be negative, got {start!r}"
        raise InputError(msg)
    upper, lower = np.empty_like(x), np.empty_like(x)
    high, low = (float(value) for value in start)
    _kernels.cusum(x, check_real("center", center), float(k), high, low, upper, lower)
    return upper, lower


def check_lambda(lam: float) -> float:
    """Return `lam` if it lies in (0, 1]."""
    if not 0 < check_real("lam", lam) <= 1:
        msg = f"lam must lie in (0, 1], got {lam!r}"
        raise InputError(msg)
    return float(lam)
