"""Confidence limits of sums and ratios of variance components from mean squares."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize, stats

from pharmaq._checks import check_real, check_same_length, check_vector
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

__all__ = ["mls_limits", "mls_ratio_limits", "satterthwaite_limits", "wald_limits"]

# ratios beyond this are reported as infinite
_LARGEST_RATIO = 1e12


def mls_limits(
    coefficients: ArrayLike,
    mean_squares: ArrayLike,
    dof: ArrayLike,
    *,
    confidence: float = 0.95,
) -> tuple[float, float]:
    r"""Return modified large-sample limits of a linear combination of expected mean squares.

    Parameters
    ----------
    coefficients : array-like, shape (k,)
        c of the combination sum c E(MS); zero coefficients are left out.
    mean_squares : array-like, shape (k,)
        Independent mean squares, each dof MS / E(MS) a chi-square.
    dof : array-like, shape (k,)
        Their degrees of freedom.
    confidence : float, default 0.95
        Two-sided; each limit alone has 1 - (1 - confidence) / 2.

    Returns
    -------
    tuple of float
        Lower and upper limit, not cut at zero; unit of the mean squares.

    Raises
    ------
    InputError
        If lengths differ, a mean square is negative or all coefficients are zero.

    Notes
    -----
    With only positive coefficients [1]_, lower limit estimate - sqrt(sum G^2 c^2 MS^2), upper
    limit estimate + sqrt(sum H^2 c^2 MS^2), where G = 1 - dof / chi2(upper tail) and
    H = dof / chi2(lower tail) - 1. With differences, products of pairs are added, which make
    the limits exact where one of two components vanishes [2]_ [3]_.

    References
    ----------
    .. [1] F. A. Graybill, C. M. Wang, J. Am. Stat. Assoc. 75 (1980) 869-873.
    .. [2] N. Ting, R. K. Burdick, F. A. Graybill, S. Jeyaratnam, T.-F. C. Lu, J. Stat. Comput.
       Simul. 35 (1990) 135-143.
    .. [3] R. K. Burdick, C. M. Borror, D. C. Montgomery, J. Qual. Technol. 35 (2003) 342-354.

    Examples
    --------
    >>> mls_limits([1.0], [0.04], [60])
    (0.0288, 0.0593)
    """
    c, ms, n = _combination(coefficients, mean_squares, dof)
    tail = (1 - check_real("confidence", confidence, above=0, below=1)) / 2
    estimate = float(c @ ms)
    below, above = _mls_variances(c * ms, n, tail)
    return estimate - math.sqrt(max(below, 0.0)), estimate + math.sqrt(max(above, 0.0))


def mls_ratio_limits(
    numerator: ArrayLike,
    denominator: ArrayLike,
    mean_squares: ArrayLike,
    dof: ArrayLike,
    *,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Return limits of a ratio of two linear combinations of expected mean squares.

    Parameters
    ----------
    numerator, denominator : array-like, shape (k,)
        Coefficients of the two combinations of the same mean squares.
    mean_squares, dof : array-like, shape (k,)
        As in `mls_limits`.
    confidence : float, default 0.95
        Two-sided.

    Returns
    -------
    tuple of float
        Lower limit, at least 0, and upper limit, which may be infinite.

    Notes
    -----
    The limits are those ratios r for which a limit of numerator - r denominator by `mls_limits`
    is zero, the argument that Fieller made for means [1]_.

    References
    ----------
    .. [1] E. C. Fieller, J. R. Stat. Soc. B 16 (1954) 175-185.

    Examples
    --------
    >>> mls_ratio_limits([1.0, 0.0], [0.0, 1.0], [4.0, 1.0], [9, 20])
    (1.410, 14.668)
    """
    top = check_vector("numerator", numerator)
    bottom = check_vector("denominator", denominator)
    check_same_length(numerator=top, denominator=bottom)

    def limit(side: int, ratio: float) -> float:
        return mls_limits(top - ratio * bottom, mean_squares, dof, confidence=confidence)[side]

    return _ratio_where_zero(partial(limit, 0)), _ratio_where_zero(partial(limit, 1))


def satterthwaite_limits(
    coefficients: ArrayLike,
    mean_squares: ArrayLike,
    dof: ArrayLike,
    *,
    confidence: float = 0.95,
) -> tuple[float, float, float]:
    """Return Satterthwaite limits of a combination of mean squares, and its degrees of freedom.

    Parameters
    ----------
    coefficients, mean_squares, dof : array-like, shape (k,)
        As in `mls_limits`.
    confidence : float, default 0.95
        Two-sided.

    Returns
    -------
    tuple of float
        Lower limit, upper limit, degrees of freedom; the limits of a combination that is
        estimated as zero or below are 0 and NaN, those of a difference so near to zero that
        its lower limit would be above it 0 and infinity.

    Notes
    -----
    dof = estimate^2 / sum((c MS)^2 / dof); limits estimate dof / chi2 [1]_. Good for sums; for
    small differences of mean squares the coverage is poor, and `mls_limits` is the choice.

    References
    ----------
    .. [1] F. E. Satterthwaite, Biometrics Bull. 2 (1946) 110-114.

    Examples
    --------
    >>> satterthwaite_limits([1.0], [0.04], [60])
    (0.0288, 0.0593, 60.0)
    """
    c, ms, n = _combination(coefficients, mean_squares, dof)
    tail = (1 - check_real("confidence", confidence, above=0, below=1)) / 2
    estimate, squares = float(c @ ms), float(np.sum((c * ms) ** 2 / n))
    if estimate <= 0:
        return 0.0, math.nan, math.nan
    freedom = estimate**2 / squares
    low, high = (float(stats.chi2.ppf(q, freedom)) for q in (tail, 1 - tail))
    upper = estimate * freedom / low if low > 0 else math.inf
    # below 0.01 degrees of freedom chi2 is all but zero, and its quantile below its mean
    lower = estimate * freedom / high if high > freedom else 0.0
    return lower, upper, freedom


def wald_limits(
    coefficients: ArrayLike,
    mean_squares: ArrayLike,
    dof: ArrayLike,
    *,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Return normal limits of a combination of mean squares, not cut at zero.

    Parameters
    ----------
    coefficients, mean_squares, dof : array-like, shape (k,)
        As in `mls_limits`.
    confidence : float, default 0.95
        Two-sided.

    Returns
    -------
    tuple of float
        Estimate -+ z sqrt(2 sum((c MS)^2 / dof)); for comparison with programs that print it.

    Examples
    --------
    >>> wald_limits([1.0], [0.04], [60])
    (0.0257, 0.0543)
    """
    c, ms, n = _combination(coefficients, mean_squares, dof)
    confidence = check_real("confidence", confidence, above=0, below=1)
    spread = stats.norm.ppf((1 + confidence) / 2) * math.sqrt(2 * np.sum((c * ms) ** 2 / n))
    return float(c @ ms - spread), float(c @ ms + spread)


def _combination(
    coefficients: ArrayLike, mean_squares: ArrayLike, dof: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    c = check_vector("coefficients", coefficients)
    ms = check_vector("mean_squares", mean_squares)
    n = check_vector("dof", dof)
    check_same_length(coefficients=c, mean_squares=ms, dof=n)
    if np.any(ms < 0) or np.any(n <= 0):
        msg = f"mean_squares and dof must be positive, got {ms.tolist()} and {n.tolist()}"
        raise InputError(msg)
    used = c != 0
    if not used.any():
        msg = "coefficients must not all be zero"
        raise InputError(msg)
    return c[used], ms[used], n[used]


def _mls_variances(
    terms: NDArray[np.float64], n: NDArray[np.float64], tail: float
) -> tuple[float, float]:
    """Return V_L and V_U of eqs. (2)-(5) in Ting et al.; terms are c MS with their signs."""
    high, low = n / stats.chi2.isf(tail, n), n / stats.chi2.ppf(tail, n)
    G, H = 1 - high, low - 1
    plus, minus = np.flatnonzero(terms >= 0), np.flatnonzero(terms < 0)
    below = np.sum((G[plus] * terms[plus]) ** 2) + np.sum((H[minus] * terms[minus]) ** 2)
    above = np.sum((H[plus] * terms[plus]) ** 2) + np.sum((G[minus] * terms[minus]) ** 2)
    for q in plus:
        for r in minus:
            product = abs(terms[q] * terms[r])
            F = stats.f.isf(tail, n[q], n[r])
            below += product * ((F - 1) ** 2 - (G[q] * F) ** 2 - H[r] ** 2) / F
            F = stats.f.ppf(tail, n[q], n[r])
            above += product * ((1 - F) ** 2 - (H[q] * F) ** 2 - G[r] ** 2) / F
    if plus.size and minus.size:
        below += _same_sign(terms[plus], n[plus], G[plus], tail)
        above += _same_sign(terms[minus], n[minus], G[minus], tail)
    return float(below), float(above)


def _same_sign(
    terms: NDArray[np.float64], n: NDArray[np.float64], G: NDArray[np.float64], tail: float
) -> float:
    """Return the products of terms that are added, or taken away, together."""
    total = 0.0
    for i in range(len(terms)):
        for j in range(i + 1, len(terms)):
            both = n[i] + n[j]
            joint = (1 - both / stats.chi2.isf(tail, both)) ** 2 * both**2 / (n[i] * n[j])
            weight = joint - G[i] ** 2 * n[i] / n[j] - G[j] ** 2 * n[j] / n[i]
            total += weight / (len(terms) - 1) * terms[i] * terms[j]
    return total


def _ratio_where_zero(limit: Callable[[float], float]) -> float:
    """Return where a limit, which falls with the ratio, crosses zero; at least 0."""
    if limit(0.0) <= 0:
        return 0.0
    high = 1.0
    while limit(high) > 0:
        high *= 4
        if high > _LARGEST_RATIO:
            return math.inf
    return float(optimize.brentq(limit, 0.0, high, xtol=1e-12, rtol=1e-12))
