"""What the six pictures of a capability study show."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from pharmaq.spc.charts import (
    individuals_chart,
    nonnormal_chart,
    three_way_chart,
    xbar_r_chart,
    xbar_s_chart,
)
from pharmaq.spc.subgroups import Subgroups

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pharmaq.spc.capability._result import Capability
    from pharmaq.spc.charts import ControlChart

__all__ = ["Sixpack", "sixpack"]

# up to this size ranges tell nearly as much as standard deviations
_LARGEST_FOR_RANGES = 8
_LAST = 25
_BAND = 0.95


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Sixpack:
    """Charts, curves and points, computed and ready to be drawn.

    Parameters
    ----------
    charts : tuple of ControlChart
        Location and spread; between and within subgroups a third one.
    last_positions, last_values : ndarray
        Number of the unit and value of the last 25 values or subgroups.
    grid, short_term, overall : ndarray
        Values and the densities of both fits; `short_term` is None for other distributions.
    ordered, scores : ndarray of shape (n,)
        Sorted values and their normal scores.
    fitted, band_lower, band_upper : ndarray of shape (n,)
        Quantiles of the fit at these scores, and limits that hold each ordered value with 95 %.
    bars : tuple of (str, float, float)
        Name, lower and upper end of what the process takes, six standard deviations wide.
    """

    charts: tuple[ControlChart, ...]
    last_positions: NDArray[np.intp]
    last_values: NDArray[np.float64]
    grid: NDArray[np.float64]
    short_term: NDArray[np.float64] | None
    overall: NDArray[np.float64]
    ordered: NDArray[np.float64]
    scores: NDArray[np.float64]
    fitted: NDArray[np.float64]
    band_lower: NDArray[np.float64]
    band_upper: NDArray[np.float64]
    bars: tuple[tuple[str, float, float], ...]


def sixpack(found: Capability) -> Sixpack:
    """Compute what the pictures of a study show."""
    grouped = _grouped(found)
    positions, last = _last(found.values, grouped)
    sigma = _short_term(found)
    grid = _grid(found, sigma)
    ordered = np.sort(found.values)
    n = ordered.size
    rank = np.arange(1, n + 1)
    scores = special.ndtri((rank - 0.375) / (n + 0.25))
    tails = [
        special.betaincinv(rank, n + 1 - rank, p) for p in ((1 - _BAND) / 2, (1 + _BAND) / 2)
    ]
    lower, upper = (found.fit.at_score(special.ndtri(tail)) for tail in tails)
    return Sixpack(
        charts=_charts(found, grouped),
        last_positions=positions,
        last_values=last,
        grid=grid,
        short_term=None if sigma is None else _bell(grid, found.mean, sigma),
        overall=np.gradient(found.fit.cdf(grid), grid),
        ordered=ordered,
        scores=scores,
        fitted=found.fit.at_score(scores),
        band_lower=lower,
        band_upper=upper,
        bars=_bars(found, sigma),
    )


def _grouped(found: Capability) -> Subgroups | None:
    if found.subgroup_sizes is None or found.subgroup_labels is None:
        return None
    return Subgroups(
        values=found.values, sizes=found.subgroup_sizes, labels=found.subgroup_labels
    )


def _charts(found: Capability, grouped: Subgroups | None) -> tuple[ControlChart, ...]:
    options: dict[str, Any] = {"units": found.units}
    if grouped is None:
        how: Any = "mr_bar" if found.within is None else found.within.estimator
        chart = individuals_chart(found.values, estimator=how, **options)
        if found.within is None:
            fit: Any = found.distribution
            skewed = nonnormal_chart(
                found.values, method="quantile", distribution=fit, **options
            )
            chart = dataclasses.replace(skewed, companion=chart.companion)
    else:
        column = found.values
        options["subgroups"] = np.repeat(grouped.labels, grouped.sizes)
        small = int(np.median(grouped.sizes)) <= _LARGEST_FOR_RANGES
        if found.between is not None:
            chart = three_way_chart(column, spread="range" if small else "s", **options)
        else:
            chart = (xbar_r_chart if small else xbar_s_chart)(column, **options)
    chain = [chart]
    while chain[-1].companion is not None:
        chain.append(chain[-1].companion)
    return tuple(chain)


def _last(
    x: NDArray[np.float64], grouped: Subgroups | None
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    sizes = np.ones(x.size, dtype=np.intp) if grouped is None else grouped.sizes
    unit = np.repeat(np.arange(1, sizes.size + 1), sizes)
    late = unit > sizes.size - _LAST
    return unit[late], x[late]


def _short_term(found: Capability) -> float | None:
    if found.between is not None:
        return found.between.sigma_total
    return None if found.within is None else found.within.value


def _grid(found: Capability, sigma: float | None) -> NDArray[np.float64]:
    low, high = (float(v) for v in found.fit.at_score([-3.5, 3.5]))
    reach = 3.5 * (sigma or 0.0)
    low = min(low, found.mean - reach, float(found.values.min()))
    return np.linspace(low, max(high, found.mean + reach, float(found.values.max())), 400)


def _bell(grid: NDArray[np.float64], mean: float, sigma: float) -> NDArray[np.float64]:
    return np.exp(-(((grid - mean) / sigma) ** 2) / 2) / (sigma * math.sqrt(2 * math.pi))


def _bars(found: Capability, sigma: float | None) -> tuple[tuple[str, float, float], ...]:
    low, high = (float(v) for v in found.fit.at_score([-3.0, 3.0]))
    bars = [("overall", low, high)]
    if sigma is not None:
        name = found.variation.replace("_", "/")
        bars.insert(0, (name, found.mean - 3 * sigma, found.mean + 3 * sigma))
    return tuple(bars)
