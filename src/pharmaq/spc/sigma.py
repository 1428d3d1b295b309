"""Estimates of the short-term standard deviation, each with its degrees of freedom."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from pharmaq._checks import check_choice, check_integer, check_vector
from pharmaq.errors import InputError
from pharmaq.results import Result
from pharmaq.spc.constants import c4, d2, d3

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from pharmaq.spc.subgroups import Subgroups

__all__ = [
    "MovingRangeEstimator",
    "SigmaEstimate",
    "SubgroupEstimator",
    "moving_ranges",
    "sigma_of_individuals",
    "sigma_of_subgroups",
]

SubgroupEstimator = Literal["r_bar", "s_bar", "pooled"]
MovingRangeEstimator = Literal["mr_bar", "mr_median", "mssd", "overall"]

# the median of the range of two standard normal values: sqrt(2) times the upper quartile
_MEDIAN_RANGE_OF_TWO = 0.9538725524089398


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class SigmaEstimate(Result):
    """A standard deviation, how it was estimated and how well it is known.

    Parameters
    ----------
    value : float
        The estimate, in the unit of the measurements.
    estimator : str
        Its name, see `sigma_of_subgroups` and `sigma_of_individuals`.
    freedom : float
        Degrees of freedom: the chi2 approximation for which value^2 has the right relative
        variance; exact for ``pooled`` and ``overall``.
    n_values : int
        Number of measurements behind it.
    formula : str
        The formula in words and symbols.
    """

    value: float
    estimator: str
    freedom: float
    n_values: int
    formula: str

    def to_frame(self) -> pd.DataFrame:
        """Return one row: value, estimator, degrees of freedom, number of measurements."""
        names = ("value", "estimator", "freedom", "n_values", "formula")
        return pd.DataFrame([{name: getattr(self, name) for name in names}])


def sigma_of_subgroups(
    subgroups: Subgroups, *, estimator: SubgroupEstimator = "pooled"
) -> SigmaEstimate:
    """Estimate the standard deviation within subgroups.

    Parameters
    ----------
    subgroups : Subgroups
        At least two measurements each; see `as_subgroups`.
    estimator : {"r_bar", "s_bar", "pooled"}, default "pooled"
        ``"r_bar"``: ranges over d2; ``"s_bar"``: standard deviations over c4; both averaged
        with the weights of smallest variance where sizes differ [2]_, which for equal sizes
        is R-bar / d2 and S-bar / c4 [1]_. ``"pooled"``: root of the pooled variance over
        c4(f + 1), with f the sum of n_i - 1.

    Returns
    -------
    SigmaEstimate
        Unbiased for normal measurements, with its degrees of freedom.

    Raises
    ------
    InputError
        If nothing varies within any subgroup.

    Notes
    -----
    Degrees of freedom f follow from the relative variance of the estimate, 1 / (2 f) for a
    root of a chi2: sum of d2^2 / (2 d3^2) for ranges, sum of c4^2 / (2 (1 - c4^2)) for standard
    deviations, exactly sum of n_i - 1 for the pooled variance.

    References
    ----------
    .. [1] D. C. Montgomery, Introduction to Statistical Quality Control, 8th ed., Wiley.
    .. [2] I. W. Burr, J. Qual. Technol. 1 (1969) 163-167.

    Examples
    --------
    >>> from pharmaq.spc import as_subgroups
    >>> sigma_of_subgroups(as_subgroups([[1.0, 2.0], [4.0, 3.0]]), estimator="r_bar").value
    0.886226...
    """
    check_choice("estimator", estimator, get_args(SubgroupEstimator))
    sizes = subgroups.sizes
    if estimator == "pooled":
        value, freedom, formula = _pooled(subgroups)
    elif estimator == "r_bar":
        unbiased = subgroups.ranges / _each(d2, sizes)
        precision = (_each(d2, sizes) / _each(d3, sizes)) ** 2
        value, freedom = _weighted(unbiased, precision)
        formula = "weighted mean of R / d2(n)"
    else:
        factor = _each(c4, sizes)
        value, freedom = _weighted(subgroups.deviations / factor, factor**2 / (1 - factor**2))
        formula = "weighted mean of s / c4(n)"
    if not value > 0:
        msg = (
            "measurements do not vary within any subgroup, so that sigma is 0; look at the "
            "resolution of the instrument, or take subgroups over a longer time"
        )
        raise InputError(msg)
    return SigmaEstimate(
        value=value,
        estimator=estimator,
        freedom=freedom,
        n_values=int(sizes.sum()),
        formula=formula,
    )


def sigma_of_individuals(
    values: ArrayLike,
    *,
    estimator: MovingRangeEstimator = "mr_bar",
    span: int = 2,
    keep: NDArray[np.bool_] | None = None,
) -> SigmaEstimate:
    """Estimate the short-term standard deviation of single measurements.

    Parameters
    ----------
    values : array-like, shape (n,)
        Single measurements in time order; NaN raises.
    estimator : {"mr_bar", "mr_median", "mssd", "overall"}, default "mr_bar"
        ``"mr_bar"``: mean moving range over d2(span) [1]_. ``"mr_median"``: median moving
        range of two over 0.9539, which single jumps do not move. ``"mssd"``: root of half the
        mean squared successive difference [2]_. ``"overall"``: standard deviation of all
        values over c4(n), which takes every drift for noise.
    span : int, default 2
        Number of values in a moving range, for ``"mr_bar"``.
    keep : ndarray of bool, shape (n,), optional
        False for values that are left out: no moving range touches or bridges them.

    Returns
    -------
    SigmaEstimate
        With its degrees of freedom.

    Raises
    ------
    InputError
        If there are fewer than `span` values, or nothing varies.

    Notes
    -----
    Degrees of freedom of ``"mr_bar"`` with span 2 are exact to second moments: neighbouring
    ranges share a value and have covariance (4 / pi) (sqrt(3) / 2 + pi / 12) - 4 / pi, which
    leaves 0.605 n instead of n - 1 for large n. For ``"mssd"`` they are
    2 (n - 1)^2 / (3 n - 4), for ``"mr_median"`` the large-sample value 0.305 n, by simulation.
    For a longer span only windows without common values are counted, which is cautious.

    References
    ----------
    .. [1] D. C. Montgomery, Introduction to Statistical Quality Control, 8th ed., Wiley.
    .. [2] J. von Neumann, R. H. Kent, H. R. Bellinson, B. I. Hart, Ann. Math. Stat. 12 (1941)
       153-162.

    Examples
    --------
    >>> sigma_of_individuals([49.6, 47.6, 49.9, 51.3]).value
    1.683831...
    """
    check_choice("estimator", estimator, get_args(MovingRangeEstimator))
    span = check_integer("span", span, least=2)
    x = check_vector("values", values, least=2)
    kept = np.ones(x.size, dtype=bool) if keep is None else keep
    if estimator == "overall":
        value, freedom, formula = _overall(x[kept])
    else:
        ranges = moving_ranges(x, span if estimator == "mr_bar" else 2, kept)
        if not ranges.size:
            msg = f"values hold no {span} consecutive ones that could give a moving range"
            raise InputError(msg)
        value, freedom, formula = _OF_RANGES[estimator](ranges, span)
    if not value > 0:
        msg = f"values do not vary (sigma by {estimator} is 0); nothing can be monitored"
        raise InputError(msg)
    return SigmaEstimate(
        value=value,
        estimator=estimator,
        freedom=freedom,
        n_values=int(kept.sum()),
        formula=formula,
    )


def moving_ranges(
    values: NDArray[np.float64], span: int = 2, keep: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Return the range of each run of `span` consecutive values, all of them kept ones.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Values in time order.
    span : int, default 2
        Number of values in a range.
    keep : ndarray of bool, shape (n,), optional
        Runs with a value that is not kept are passed over.

    Returns
    -------
    ndarray
        At most n - span + 1 ranges.
    """
    if values.size < span:
        return np.empty(0)
    if span == 2:
        ranges = np.abs(np.diff(values))
    else:
        ranges = np.ptp(np.lib.stride_tricks.sliding_window_view(values, span), axis=1)
    if keep is None or keep.all():
        return ranges
    whole = np.lib.stride_tricks.sliding_window_view(keep, span).all(axis=1)
    return ranges[whole]


def _pooled(subgroups: Subgroups) -> tuple[float, float, str]:
    freedom = int(np.sum(subgroups.sizes - 1))
    variance = float(np.sum(subgroups.deviations**2 * (subgroups.sizes - 1))) / freedom
    return math.sqrt(variance) / c4(freedom + 1), float(freedom), "s_pooled / c4(f + 1)"


def _weighted(
    unbiased: NDArray[np.float64], precision: NDArray[np.float64]
) -> tuple[float, float]:
    """Return the mean with weights of smallest variance, and its degrees of freedom."""
    total = float(precision.sum())
    return float(unbiased @ precision) / total, total / 2


def _each(constant: object, sizes: NDArray[np.intp]) -> NDArray[np.float64]:
    found = {int(n): constant(int(n)) for n in np.unique(sizes)}  # type: ignore[operator]
    return np.array([found[int(n)] for n in sizes])


def _mean_moving_range(ranges: NDArray[np.float64], span: int) -> tuple[float, float, str]:
    value = float(ranges.mean()) / d2(span)
    return value, _freedom(ranges.size, span), f"mean moving range / d2({span})"


def _freedom(count: int, span: int) -> float:
    """Return the degrees of freedom of the mean of `count` moving ranges."""
    if span == 2:
        covariance = 4 / math.pi * (math.sqrt(3) / 2 + math.pi / 12 - 1)
        variance = (d3(2) ** 2 * count + 2 * covariance * (count - 1)) / count**2
        return d2(2) ** 2 / (2 * variance)
    independent = (count + span - 1) // span
    return independent * d2(span) ** 2 / (2 * d3(span) ** 2)


def _median_moving_range(ranges: NDArray[np.float64], _: int) -> tuple[float, float, str]:
    value = float(np.median(ranges)) / _MEDIAN_RANGE_OF_TWO
    return value, 0.305 * (ranges.size + 1), "median moving range / 0.9539"


def _successive_differences(ranges: NDArray[np.float64], _: int) -> tuple[float, float, str]:
    n = ranges.size + 1
    value = math.sqrt(float(np.mean(ranges**2)) / 2)
    return value, 2 * (n - 1) ** 2 / (3 * n - 4), "sqrt(mean squared difference / 2)"


def _overall(x: NDArray[np.float64]) -> tuple[float, float, str]:
    if x.size < 2:
        msg = f"values must hold at least 2 that are kept, got {x.size}"
        raise InputError(msg)
    return float(x.std(ddof=1)) / c4(x.size), float(x.size - 1), "s / c4(n)"


_OF_RANGES = {
    "mr_bar": _mean_moving_range,
    "mr_median": _median_moving_range,
    "mssd": _successive_differences,
}
