"""Statistics with a memory: exponentially weighted averages and cumulative sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pharmaq._checks import as_float, check_finite, check_real
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["cusum", "ewma"]


def ewma(
    values: ArrayLike, *, lam: float, start: float, out: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return the exponentially weighted moving average of a series [1]_.

    Parameters
    ----------
    values : array-like, shape (n,)
        Values in time order, any unit; NaN raises.
    lam : float
        Weight of the latest value, in (0, 1].
    start : float
        The average before the first value, in the unit of `values`: the target or the mean.
    out : ndarray of shape (n,), optional
        Where to write; a new array by default, which costs as much time again for long series.

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

    x = _series(values)
    check_lambda(lam)
    z = _result(out, x.shape)
    total = _kernels.ewma(x, float(lam), check_real("start", start), z)
    _require_finite(x, total)
    return z


def cusum(
    values: ArrayLike,
    *,
    k: float,
    start: tuple[float, float] = (0.0, 0.0),
    out: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both one-sided cumulative sums of a series [1]_.

    Parameters
    ----------
    values : array-like, shape (n,)
        Deviations from where the process should be, in time order, any unit; NaN raises.
    k : float
        Slack (reference value), not negative, in the unit of `values`.
    start : tuple of float, default (0, 0)
        Upper and lower sum before the first value, not negative.
    out : ndarray of shape (2, n), optional
        Where to write both sums; a new array by default.

    Returns
    -------
    upper, lower : ndarray of shape (n,)
        C+_t = max(0, C+_(t-1) + x_t - k) and C-_t = max(0, C-_(t-1) - x_t - k); both are
        positive.

    References
    ----------
    .. [1] E. S. Page, Biometrika 41 (1954) 100-115.

    Examples
    --------
    >>> upper, lower = cusum([-1.0, 2.0, 2.5], k=0.5)
    >>> upper
    array([0. , 1.5, 3.5])
    """
    from pharmaq.spc import _kernels

    x = _series(values)
    if not check_real("k", k) >= 0:
        msg = f"k must not be negative, got {k!r}"
        raise InputError(msg)
    if min(start) < 0:
        msg = f"start must not be negative, got {start!r}"
        raise InputError(msg)
    upper, lower = _result(out, (2, x.size))
    high, low = (float(value) for value in start)
    total = _kernels.cusum(x, float(k), (high, low), upper, lower)
    _require_finite(x, total)
    return upper, lower


def _series(values: ArrayLike) -> NDArray[np.float64]:
    x = np.ascontiguousarray(as_float("values", values))
    if x.ndim != 1 or not x.size:
        msg = f"values must be one-dimensional and not empty, got shape {x.shape}"
        raise InputError(msg)
    return x


def _result(out: NDArray[np.float64] | None, shape: tuple[int, ...]) -> NDArray[np.float64]:
    if out is None:
        return np.empty(shape)
    if out.shape != shape or out.dtype != np.float64 or not out.flags.c_contiguous:
        msg = (
            f"out must be a C-ordered float64 array of shape {shape}, got {out.dtype} "
            f"{out.shape}"
        )
        raise InputError(msg)
    return out


def _require_finite(x: NDArray[np.float64], total: float) -> None:
    """Raise if a value is NaN or infinite; the total tells whether a look is needed."""
    if not np.isfinite(total):
        check_finite("values", x)


def check_lambda(lam: float) -> float:
    """Return `lam` if it lies in (0, 1]."""
    if not 0 < check_real("lam", lam) <= 1:
        msg = f"lam must lie in (0, 1], got {lam!r}"
        raise InputError(msg)
    return float(lam)
