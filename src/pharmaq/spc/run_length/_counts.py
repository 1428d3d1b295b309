"""Run length of charts of proportions and counts: exact binomial and Poisson probabilities."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from scipy import stats

from pharmaq._checks import check_choice, check_integer, check_real
from pharmaq.errors import InputError
from pharmaq.spc.run_length._chain import LEVELS
from pharmaq.spc.run_length._result import RunLength, from_answers

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["CountChart", "count_run_length"]

CountChart = Literal["p", "np", "c", "u"]

# limits are compared with counts; a limit this near to a count is meant to be on it
_ON_LIMIT = 1e-9


def count_run_length(
    chart: CountChart,
    *,
    center: float,
    n: float = 1,
    value: ArrayLike | None = None,
    limit: float = 3.0,
    lower: float | None = None,
    upper: float | None = None,
) -> RunLength:
    """Return the exact run length of a p, np, c or u chart.

    Parameters
    ----------
    chart : {"p", "np", "c", "u"}
        Proportion, number nonconforming, count, count a unit.
    center : float
        Proportion or mean count in control; for ``"np"`` the proportion too, for ``"u"`` a
        unit.
    n : int or float, default 1
        Sample size, or for ``"u"`` number of units; not for ``"c"``.
    value : float or array-like of shape (n_values,), optional
        True proportion or mean count, as `center`; `center` by default.
    limit : float, default 3
        Distance of limits from the center line in standard deviations, where `lower` and
        `upper` are not given.
    lower, upper : float, optional
        Limits of the plotted statistic; a point on a limit is no signal.

    Returns
    -------
    RunLength
        ``method="exact"``; infinite where no count is beyond a limit. ``shift`` holds the
        values.

    Raises
    ------
    InputError
        If a parameter is out of its range.

    Notes
    -----
    P(signal) = 1 - P(lower <= D <= upper) with D binomial or Poisson; runs are geometric.
    D. C. Montgomery, Introduction to Statistical Quality Control, 8th ed., Wiley.

    Examples
    --------
    >>> count_run_length("p", n=50, center=0.2, value=[0.2, 0.3]).arl.round(2)
    array([369.84,   7.11])
    """
    check_choice("chart", chart, get_args(CountChart))
    binomial = chart in {"p", "np"}
    size = check_integer("n", n, least=1) if binomial else check_real("n", n, above=0)
    if chart == "c" and size != 1:
        msg = f'n is for the other charts, got n = {n!r} for chart = "c"; "u" counts by unit'
        raise InputError(msg)
    _check_value("center", center, binomial=binomial)
    unit = size if chart in {"p", "u"} else 1.0
    # everything in counts from here on
    check_real("limit", limit, above=0)
    low, high = _limits(center * size, center if binomial else 0.0, limit)
    low = low if lower is None else check_real("lower", lower) * unit
    high = high if upper is None else check_real("upper", upper) * unit
    if not low < high:
        msg = f"lower must be below upper, got {lower!r} and {upper!r}"
        raise InputError(msg)

    def answer(true: float) -> tuple[float, float, float, NDArray[np.float64]]:
        _check_value("value", true, binomial=binomial)
        law = stats.binom(size, true) if binomial else stats.poisson(size * true)
        below = law.cdf(math.ceil(low - _ON_LIMIT) - 1)
        return _geometric(float(below + law.sf(math.floor(high + _ON_LIMIT))))

    return from_answers(
        answer,
        center if value is None else value,
        chart=chart,
        method="exact",
        size=int(size),
        parameters={
            "center": center,
            "n": n,
            "lower": low / unit,
            "upper": high / unit,
        },
        source="D. C. Montgomery, Introduction to Statistical Quality Control, 8th ed., Wiley",
    )


def _limits(mean: float, share: float, limit: float) -> tuple[float, float]:
    half = limit * math.sqrt(mean * (1 - share))
    return max(mean - half, 0.0), mean + half


def _geometric(p: float) -> tuple[float, float, float, NDArray[np.float64]]:
    """Return mean, standard deviation, no error, and quantiles of a geometric run length."""
    if p == 0:
        return math.inf, math.inf, 0.0, np.full(len(LEVELS), math.inf)
    if p == 1:
        return 1.0, 0.0, 0.0, np.ones(len(LEVELS))
    points = np.ceil(np.log1p(-np.array(LEVELS)) / math.log1p(-p))
    return 1 / p, math.sqrt(1 - p) / p, 0.0, np.maximum(points, 1.0)


def _check_value(name: str, value: float, *, binomial: bool) -> None:
    check_real(name, value, above=0, below=1 if binomial else None)
