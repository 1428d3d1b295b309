"""Is there a trend? Mann and Kendall's test with Sen's slope."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from pharmaq._checks import check_choice, check_real, check_same_length, check_vector
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result
from pharmaq.spc._columns import check_varies

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["TrendTest", "mann_kendall"]

_ALTERNATIVES = ("two-sided", "increasing", "decreasing")
# up to here the exact distribution is used where no values are tied
_MOST_EXACT = 50


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class TrendTest(Result):
    """A test of monotonic trend and the slope that goes with it.

    Parameters
    ----------
    method : {"exact", "normal", "hamed_rao"}
        How p was found.
    alternative : {"two-sided", "increasing", "decreasing"}
        What was asked.
    s : int
        Pairs that rise minus pairs that fall.
    tau : float
        Kendall's tau-b of value and time.
    variance : float
        Of s without trend, corrected for ties and, if asked for, for autocorrelation.
    correction : float
        Factor of the variance by Hamed and Rao; 1 for the other methods.
    z, p : float
        Normal score with continuity correction, and probability.
    slope, intercept : float
        Sen's slope, median of all pairwise ones, per unit of time; median of value - slope
        time.
    slope_lower, slope_upper : float
        Confidence limits of the slope; infinite where there are too few values.
    n : int
        Number of values.
    n_ties : int
        Values that share their value with another.
    time, values : ndarray of shape (n,)
        The data.
    alpha, confidence : float
        Level of the finding, and of the limits.
    findings : tuple of Finding
        A trend.
    """

    method: str
    alternative: str
    s: int
    tau: float
    variance: float
    correction: float
    z: float
    p: float
    slope: float
    intercept: float
    slope_lower: float
    slope_upper: float
    n: int
    n_ties: int
    time: NDArray[np.float64]
    values: NDArray[np.float64]
    alpha: float
    confidence: float
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the numbers as one row."""
        left_out = ("time", "values", "findings")
        names = [f.name for f in dataclasses.fields(self) if f.name not in left_out]
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the values over time with Sen's line.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.spc.inference import plots

        return plots.plot_trend(self, ax=ax)


def mann_kendall(
    values: ArrayLike,
    *,
    time: ArrayLike | None = None,
    method: Literal["auto", "exact", "normal", "hamed_rao"] = "auto",
    alternative: Literal["two-sided", "increasing", "decreasing"] = "two-sided",
    alpha: float = 0.05,
    confidence: float = 0.95,
) -> TrendTest:
    """Test for a monotonic trend [1]_ and estimate its slope [2]_.

    Parameters
    ----------
    values : array-like, shape (n,)
        At least four values in order of time, not all equal; NaN raises.
    time : array-like, shape (n,), optional
        Strictly rising times in any unit; 0, 1, 2, ... by default. Only the slope needs it.
    method : {"auto", "exact", "normal", "hamed_rao"}, default "auto"
        ``"auto"`` is exact up to 50 values without ties, normal otherwise. ``"hamed_rao"``
        inflates the variance by the autocorrelation of the ranks [3]_: without it, correlated
        values show trends that are none.
    alternative : {"two-sided", "increasing", "decreasing"}, default "two-sided"
        What to look for.
    alpha : float, default 0.05
        Level of the finding.
    confidence : float, default 0.95
        Of the limits of the slope.

    Returns
    -------
    TrendTest
        S, tau, p, Sen's slope with limits.

    Raises
    ------
    InputError
        If there are too few values, all are equal, time does not rise, or ``"exact"`` meets
        ties.

    Notes
    -----
    S sums the signs of all differences later - earlier; without trend its variance is
    (n (n - 1) (2 n + 5) - sum t (t - 1) (2 t + 5)) / 18 for groups of t equal values, and
    z = (S - sign S) / sd. Limits of the slope are the ordered pairwise slopes of ranks
    (N - C) / 2 and (N + C) / 2 + 1, C = z sd, rounded outwards.

    References
    ----------
    .. [1] H. B. Mann, Econometrica 13 (1945) 245-259; M. G. Kendall, Rank Correlation Methods.
    .. [2] P. K. Sen, J. Am. Stat. Assoc. 63 (1968) 1379-1389.
    .. [3] K. H. Hamed, A. R. Rao, J. Hydrol. 204 (1998) 182-196.

    Examples
    --------
    >>> test = mann_kendall([1.26, 1.27, 1.12, 1.16, 1.03])
    >>> print(f"{test.s}, p = {test.p:.3f}, {test.slope:.5f}")
    -6, p = 0.233, -0.05625
    """
    y = check_vector("values", values, least=4)
    check_varies("values", y)
    t = _times(time, len(y))
    check_choice("method", method, ("auto", "exact", "normal", "hamed_rao"))
    check_choice("alternative", alternative, _ALTERNATIVES)
    alpha = check_real("alpha", alpha, above=0, below=1)
    confidence = check_real("confidence", confidence, above=0, below=1)
    n = len(y)
    ties = np.unique(y, return_counts=True)[1]
    tied = bool(np.any(ties > 1))
    if method == "exact" and tied:
        msg = 'method="exact" needs values without ties; use "normal", which corrects for them'
        raise InputError(msg)
    if method == "auto":
        method = "exact" if n <= _MOST_EXACT and not tied else "normal"
    slopes, s = _pairs(t, y)
    slope = float(np.median(slopes))
    factor = _autocorrelation_factor(y - slope * t) if method == "hamed_rao" else 1.0
    variance = factor * _variance(n, ties)
    z = (s - np.sign(s)) / math.sqrt(variance)
    p = _exact_p(s, n, alternative) if method == "exact" else _normal_p(z, s, alternative)
    low, high = _slope_limits(slopes, variance, confidence)
    pairs = n * (n - 1) / 2
    return TrendTest(
        method=method,
        alternative=alternative,
        s=s,
        tau=s / math.sqrt(pairs * (pairs - float(np.sum(ties * (ties - 1))) / 2)),
        variance=variance,
        correction=factor,
        z=float(z),
        p=p,
        slope=slope,
        intercept=float(np.median(y - slope * t)),
        slope_lower=low,
        slope_upper=high,
        n=n,
        n_ties=int(ties[ties > 1].sum()),
        time=t,
        values=y,
        alpha=alpha,
        confidence=confidence,
        findings=_findings(p, alpha, slope),
    )


def _times(time: ArrayLike | None, n: int) -> NDArray[np.float64]:
    if time is None:
        return np.arange(n, dtype=float)
    t = check_vector("time", time)
    check_same_length(time=t, values=range(n))
    falls = np.flatnonzero(np.diff(t) <= 0)
    if falls.size:
        i = int(falls[0]) + 1
        msg = f"time must rise strictly, but time[{i}] = {t[i]:g} follows {t[i - 1]:g}"
        raise InputError(msg)
    return t


def _pairs(t: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
    """Return the sorted slopes of all pairs, and the sum of their signs."""
    i, j = np.triu_indices(len(y), k=1)
    rise = y[j] - y[i]
    return np.sort(rise / (t[j] - t[i])), int(np.sign(rise).sum())


def _variance(n: int, ties: NDArray[np.intp]) -> float:
    tied = float(np.sum(ties * (ties - 1.0) * (2 * ties + 5)))
    return (n * (n - 1.0) * (2 * n + 5) - tied) / 18


def _autocorrelation_factor(residuals: NDArray[np.float64]) -> float:
    """Return n / n* of Hamed and Rao, from significant autocorrelations of the ranks."""
    n = len(residuals)
    ranks = stats.rankdata(residuals)
    ranks = ranks - ranks.mean()
    lags = np.arange(1, n)
    total = float(ranks @ ranks)
    if total == 0:
        return 1.0
    rho = np.array([ranks[lag:] @ ranks[:-lag] for lag in lags]) / total
    rho[np.abs(rho) <= stats.norm.isf(0.025) / math.sqrt(n)] = 0
    weights = (n - lags) * (n - lags - 1.0) * (n - lags - 2.0)
    factor = 1 + 2 / (n * (n - 1.0) * (n - 2.0)) * float(weights @ rho)
    # strong negative correlation can push the estimate below any variance there is
    return max(factor, 1 / n)


def _exact_p(s: int, n: int, alternative: str) -> float:
    """Return p from the number of permutations with so many inversions."""
    share = np.ones(1)
    for k in range(2, n + 1):
        share = np.convolve(share, np.full(k, 1 / k))
    rising = np.arange(len(share)) * 2 - n * (n - 1) // 2
    up, down = float(share[rising >= s].sum()), float(share[rising <= s].sum())
    if alternative == "two-sided":
        return min(1.0, 2 * min(up, down))
    return up if alternative == "increasing" else down


def _normal_p(z: float, s: int, alternative: str) -> float:
    if alternative == "two-sided":
        return min(1.0, float(2 * stats.norm.sf(abs(z))))
    rises = alternative == "increasing"
    # the continuity correction goes towards the side that was asked about
    return float(stats.norm.sf(z) if rises else stats.norm.cdf(z)) if s else 0.5


def _slope_limits(
    slopes: NDArray[np.float64], variance: float, confidence: float
) -> tuple[float, float]:
    N = len(slopes)
    C = float(stats.norm.isf((1 - confidence) / 2)) * math.sqrt(variance)
    first = math.floor((N - C) / 2)
    if first < 1:
        return -math.inf, math.inf
    return float(slopes[first - 1]), float(slopes[N - first])


def _findings(p: float, alpha: float, slope: float) -> tuple[Finding, ...]:
    if p >= alpha:
        return ()
    message = f"values {'rise' if slope > 0 else 'fall'} with time, by {abs(slope):.4g} a unit"
    return (
        Finding(
            rule="mann_kendall",
            severity="alert",
            subject="values",
            message=message,
            value=p,
            limit=alpha,
        ),
    )
