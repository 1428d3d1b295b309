"""Tolerance intervals of a population, prediction intervals of what comes next."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from pharmaq._checks import check_choice, check_integer, check_real, check_vector
from pharmaq.errors import InputError
from pharmaq.results import Result
from pharmaq.spc.intervals._factors import (
    content_confidence,
    expectation_factor,
    hanson_koopmans,
    order_confidence,
    prediction_factor,
    tolerance_factor,
)
from pharmaq.spc.intervals._sizes import tolerance_sample_size

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["StatisticalInterval", "prediction_interval", "tolerance_interval"]

Sides = Literal["two", "lower", "upper"]
ToleranceMethod = Literal[
    "normal", "lognormal", "nonparametric", "hanson_koopmans", "beta_expectation"
]
PredictionContent = Literal["values", "mean"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class StatisticalInterval(Result):
    """Limits, what they promise and how they were found.

    Parameters
    ----------
    kind : {"tolerance", "prediction"}
        What the interval holds: a share of the population, or what comes next.
    lower, upper : float or None
        Limits in the unit of the values; None on the open side.
    confidence : float
        Asked for.
    achieved_confidence : float
        What the limits reach: more than asked for where order statistics are the limits;
        for ``"beta_expectation"`` what they reach of normal values.
    coverage : float or None
        Share of the population, of a tolerance interval.
    factor : float or None
        k of mean -+ k s, on the scale of `method`, or of the range for Hanson and Koopmans;
        None for order statistics.
    mean, sd : float
        Of the values, or of their logarithms for ``"lognormal"``; divisor n - 1.
    n_values : int
        Number of values.
    sides, method, units : str
        As asked for.
    """

    kind: str
    lower: float | None
    upper: float | None
    confidence: float
    achieved_confidence: float
    coverage: float | None
    factor: float | None
    mean: float
    sd: float
    n_values: int
    sides: str
    method: str
    units: str = ""

    def to_frame(self) -> pd.DataFrame:
        """Return one row with a column per field."""
        return pd.DataFrame([self._fields()])


def tolerance_interval(
    values: ArrayLike,
    *,
    coverage: float = 0.99,
    confidence: float = 0.95,
    sides: Sides = "two",
    method: ToleranceMethod = "normal",
    units: str = "",
) -> StatisticalInterval:
    """Return limits that hold a share of the population with stated confidence [1]_.

    Parameters
    ----------
    values : array-like, shape (n,)
        Independent values of one population, any unit; NaN raises. Values that come in batches
        are not independent: see `batch_tolerance_interval`.
    coverage : float, default 0.99
        Share of the population between the limits, in (0, 1).
    confidence : float, default 0.95
        Probability with which they hold it, in (0, 1). ``"beta_expectation"`` does not use it.
    sides : {"two", "lower", "upper"}, default "two"
        Both limits, or one.
    method : str, default "normal"
        ``"normal"``: mean -+ k s with the exact factor of `tolerance_factor`; ``"lognormal"``:
        the same of logarithms; ``"nonparametric"``: the innermost order statistics that do,
        the same number from each end, for any continuous distribution [2]_.
        ``"hanson_koopmans"``: beyond the extremes by a multiple of the range, for few values
        of a distribution with log-concave tails [3]_. ``"beta_expectation"``: limits that hold
        `coverage` on average, mean -+ t s sqrt(1 + 1/n); they hold it with some 50 %.
    units : str, optional
        Unit of the values.

    Returns
    -------
    StatisticalInterval
        Limits, factor and the confidence achieved.

    Raises
    ------
    InputError
        If values do not vary, are not positive for ``"lognormal"``, or are too few for
        ``"nonparametric"``.

    Notes
    -----
    Hanson and Koopmans: max - k (max - min) below and min + k (max - min) above. Both tails of
    normal, exponential, Weibull and gamma values of shape 1 or more are log-concave; the upper
    tail of lognormal values is not. Two limits share risk and what is outside.

    References
    ----------
    .. [1] ISO 16269-6, Determination of statistical tolerance intervals.
    .. [2] S. S. Wilks, Ann. Math. Stat. 12 (1941) 91-96.
    .. [3] D. L. Hanson, L. H. Koopmans, Ann. Math. Stat. 35 (1964) 561-570.

    Examples
    --------
    >>> found = tolerance_interval([99.1, 100.2, 99.8, 100.9, 100.0], coverage=0.95)
    >>> round(found.lower, 3), round(found.upper, 3)
    (96.69, 103.31)
    """
    x = check_vector("values", values, least=2)
    check_choice("sides", sides, get_args(Sides))
    check_choice("method", method, get_args(ToleranceMethod))
    coverage = check_real("coverage", coverage, above=0, below=1)
    confidence = check_real("confidence", confidence, above=0, below=1)
    if method == "nonparametric":
        limits, achieved = _order_limits(x, coverage, confidence, sides)
        k, mean, sd = None, *_moments(x)
    elif method == "hanson_koopmans":
        mean, sd = _moments(x)
        limits, k = _beyond_extremes(x, coverage, confidence, sides)
        achieved = confidence
    elif method == "beta_expectation":
        mean, sd = _moments(x)
        k = expectation_factor(x.size, coverage, sides)
        limits = (mean - k * sd, mean + k * sd)
        achieved = content_confidence(k, x.size, coverage, sides)
    else:
        scaled = _logarithms(x) if method == "lognormal" else x
        k = tolerance_factor(
            x.size,
            coverage=coverage,
            confidence=confidence,
            sides="two" if sides == "two" else "one",
        )
        mean, sd = _moments(scaled)
        limits, achieved = (mean - k * sd, mean + k * sd), confidence
        if method == "lognormal":
            limits = (math.exp(limits[0]), math.exp(limits[1]))
    return StatisticalInterval(
        kind="tolerance",
        lower=None if sides == "upper" else limits[0],
        upper=None if sides == "lower" else limits[1],
        confidence=confidence,
        achieved_confidence=achieved,
        coverage=coverage,
        factor=k,
        mean=mean,
        sd=sd,
        n_values=x.size,
        sides=sides,
        method=method,
        units=units,
    )


def prediction_interval(
    values: ArrayLike,
    *,
    m: int = 1,
    of: PredictionContent = "values",
    confidence: float = 0.95,
    sides: Sides = "two",
    units: str = "",
) -> StatisticalInterval:
    """Return limits for the next values of a normal population, or for their mean [1]_.

    Parameters
    ----------
    values : array-like, shape (n,)
        Independent normal values, any unit; NaN raises.
    m : int, default 1
        Number of values to come.
    of : {"values", "mean"}, default "values"
        Limits for every one of the next m values, or for their mean.
    confidence : float, default 0.95
        Probability that the limits hold them. For m = 1 the interval is the one that holds
        this share of the population on average (beta-expectation).
    sides : {"two", "lower", "upper"}, default "two"
        Both limits, or one.
    units : str, optional
        Unit of the values.

    Returns
    -------
    StatisticalInterval
        Limits mean -+ k s.

    Raises
    ------
    InputError
        If values do not vary or an argument is out of range.

    Notes
    -----
    k is t sqrt(1 + 1/n) for values and t sqrt(1/m + 1/n) for the mean, with n - 1 degrees of
    freedom. For several values the risk is divided by m (Bonferroni), which is cautious: they
    are then held with at least the confidence asked for.

    References
    ----------
    .. [1] G. J. Hahn, W. Q. Meeker, Statistical Intervals, Wiley, 1991.

    Examples
    --------
    >>> found = prediction_interval([99.1, 100.2, 99.8, 100.9, 100.0])
    >>> round(found.lower, 3), round(found.upper, 3)
    (98.017, 101.983)
    """
    x = check_vector("values", values, least=2)
    m = check_integer("m", m, least=1)
    check_choice("of", of, get_args(PredictionContent))
    check_choice("sides", sides, get_args(Sides))
    confidence = check_real("confidence", confidence, above=0, below=1)
    mean, sd = _moments(x)
    count = m if of == "values" else 1
    k = prediction_factor(x.size, m, confidence, of=of, sides=sides)
    return StatisticalInterval(
        kind="prediction",
        lower=None if sides == "upper" else mean - k * sd,
        upper=None if sides == "lower" else mean + k * sd,
        confidence=confidence,
        achieved_confidence=confidence,
        coverage=None,
        factor=k,
        mean=mean,
        sd=sd,
        n_values=x.size,
        sides=sides,
        method=f"next {m}, {'Bonferroni' if count > 1 else 'exact t'}, {of}",
        units=units,
    )


def _moments(x: NDArray[np.float64]) -> tuple[float, float]:
    sd = float(x.std(ddof=1))
    if np.ptp(x) == 0:
        msg = f"values must vary, but all {x.size} are {x[0]:g}; look at their resolution"
        raise InputError(msg)
    return float(x.mean()), sd


def _logarithms(x: NDArray[np.float64]) -> NDArray[np.float64]:
    bad = np.flatnonzero(x <= 0)
    if bad.size:
        i = int(bad[0])
        msg = f"values must be above 0 for method='lognormal', but values[{i}] is {x[i]:g}"
        raise InputError(msg)
    return np.log(x)


def _beyond_extremes(
    x: NDArray[np.float64], coverage: float, confidence: float, sides: Sides
) -> tuple[tuple[float, float], float]:
    if sides == "two":
        coverage, confidence = (1 + coverage) / 2, (1 + confidence) / 2
    k = hanson_koopmans(x.size, coverage, confidence)
    least, most = float(x.min()), float(x.max())
    return (most - k * (most - least), least + k * (most - least)), k


def _order_limits(
    x: NDArray[np.float64], coverage: float, confidence: float, sides: Sides
) -> tuple[tuple[float, float], float]:
    ends = 2 if sides == "two" else 1
    n = x.size
    if order_confidence(n, ends, coverage) < confidence:
        side: Literal["two", "one"] = "two" if ends == 2 else "one"
        need = tolerance_sample_size(coverage=coverage, confidence=confidence, sides=side)
        msg = (
            f"values must hold at least {need} for a nonparametric interval with coverage "
            f"{coverage:g} and confidence {confidence:g}, got {n}; take more, or lower "
            "one of them"
        )
        raise InputError(msg)
    low, high = 1, n // ends + 1
    while high - low > 1:
        middle = (low + high) // 2
        if order_confidence(n, ends * middle, coverage) >= confidence:
            low = middle
        else:
            high = middle
    ordered = np.sort(x)
    achieved = order_confidence(n, ends * low, coverage)
    return (float(ordered[low - 1]), float(ordered[n - low])), achieved
