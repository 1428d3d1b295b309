"""Bootstrap limits of capability indices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from scipy import special

from pharmaq.errors import InputError
from pharmaq.spc.capability._limits import unbiasing
from pharmaq.spc.constants import c4, d2, d3
from pharmaq.spc.sigma import moving_ranges

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pharmaq.spc.sigma import SigmaEstimate
    from pharmaq.spc.subgroups import Subgroups

    Vector = NDArray[np.float64]

__all__ = ["Moments", "bootstrap_limits", "overall_moments", "within_moments"]

_LEAST_UNITS = 5


class Moments(NamedTuple):
    """Mean and standard deviation: as estimated, of each resample, with each unit left out."""

    estimate: tuple[float, float]
    resampled: tuple[Vector, Vector]
    jackknifed: tuple[Vector, Vector]
    name: str

    def scaled(self, factor: float) -> Moments:
        """Return the same means with standard deviations times a factor."""
        estimate, resampled, jackknifed, name = self
        return Moments(
            (estimate[0], estimate[1] * factor),
            (resampled[0], resampled[1] * factor),
            (jackknifed[0], jackknifed[1] * factor),
            name,
        )


def overall_moments(
    x: Vector, grouped: Subgroups | None, n_resamples: int, rng: np.random.Generator
) -> Moments:
    """Resample values, or whole subgroups, for their mean and standard deviation (n - 1)."""
    center = float(x.mean())
    moved = x - center

    def moments(sums: Vector, count: Vector | float) -> tuple[Vector, Vector]:
        squares = np.maximum(sums[:, 1] - sums[:, 0] ** 2 / count, 0.0)
        return center + sums[:, 0] / count, np.sqrt(squares / (count - 1))

    estimate = (center, float(x.std(ddof=1)))
    if grouped is not None:
        units = _of_subgroups(grouped, np.column_stack([moved, moved**2, np.ones(x.size)]))
        _require_units(len(units), "subgroups")
        found = _sums(units, len(units), n_resamples, rng)
        left = units.sum(axis=0) - units
        return Moments(
            estimate, moments(found, found[:, 2]), moments(left, left[:, 2]), "subgroups"
        )
    from pharmaq.spc.capability import _kernels

    _require_units(x.size, "values")
    found = np.empty((n_resamples, 2))
    _kernels.moments(np.ascontiguousarray(moved), _seed(rng), found)
    units = np.column_stack([moved, moved**2])
    left = units.sum(axis=0) - units
    return Moments(estimate, moments(found, x.size), moments(left, x.size - 1.0), "values")


def within_moments(
    x: Vector,
    grouped: Subgroups | None,
    sigma: SigmaEstimate,
    n_resamples: int,
    rng: np.random.Generator,
) -> Moments:
    """Resample whole subgroups, or blocks of neighbours, for mean and short-term sigma."""
    center = float(x.mean())
    if grouped is not None:
        numerator, weight = _spread_of_subgroups(grouped, sigma.estimator)
        moved = _of_subgroups(grouped, np.column_stack([x - center, np.ones(x.size)]))
        units, draws = np.column_stack([moved, numerator, weight]), len(numerator)
        apart, name = units, "subgroups"
        _require_units(len(units), "subgroups")
    else:
        units, draws, apart = _blocks(x, sigma.estimator)
        name = "blocks of neighbours"
    root = sigma.estimator in {"pooled", "mssd"}

    def moments(sums: Vector) -> tuple[Vector, Vector]:
        spread = sums[:, 2] / sums[:, 3]
        if root:
            spread = np.sqrt(spread)
        if sigma.estimator == "pooled":
            known = {nu: unbiasing(nu) for nu in np.unique(sums[:, 3])}
            spread = spread / np.array([known[nu] for nu in sums[:, 3]])
        return center + sums[:, 0] / sums[:, 1], spread

    found = _sums(units, draws, n_resamples, rng)
    left = apart.sum(axis=0) - apart
    return Moments((center, sigma.value), moments(found), moments(left), name)


def bootstrap_limits(
    index: Callable[[Vector, Vector], Vector],
    moments: Moments,
    risk: float,
    method: Literal["bootstrap", "bca", "expanded"],
) -> tuple[float, float]:
    """Return percentile limits of an index, or those corrected for bias and skewness."""
    # all values of a resample may be the same one: no spread, and infinite room or none
    with np.errstate(divide="ignore", invalid="ignore"):
        found = index(*moments.resampled)
    found = np.where(np.isnan(found), 0.0, found)
    if method == "bootstrap":
        levels = np.array([risk / 2, 1 - risk / 2])
    else:
        upper = -float(special.ndtri(risk / 2))
        if method == "expanded":
            # resamples vary by the divisor n, and n units know their spread as a t does
            n = moments.jackknifed[0].size
            upper = -float(special.stdtrit(n - 1, risk / 2)) * math.sqrt(n / (n - 1))
        levels = _corrected(index, moments, found, np.array([-upper, upper]), method)
    # between two infinite ones numpy finds no number
    with np.errstate(invalid="ignore"):
        low, high = np.quantile(found, levels)
    return _or_infinite(low), _or_infinite(high)


def _or_infinite(limit: float) -> float:
    return math.inf if math.isnan(limit) else float(limit)


def _corrected(
    index: Callable[[Vector, Vector], Vector],
    moments: Moments,
    found: Vector,
    scores: Vector,
    method: str,
) -> Vector:
    """Return levels corrected for the bias of resamples and for skewness (Efron 1987)."""
    estimate = float(index(*(np.array([m]) for m in moments.estimate))[0])
    below = (np.sum(found < estimate) + np.sum(found == estimate) / 2) / found.size
    if not 0 < below < 1:
        msg = (
            f"limits={method!r} needs resamples on both sides of the estimate, and there are "
            "none on one; raise n_resamples or use limits='bootstrap'"
        )
        raise InputError(msg)
    shift = float(special.ndtri(below))
    left = index(*moments.jackknifed)
    off = left.mean() - left
    skew = float(np.sum(off**3) / (6 * np.sum(off**2) ** 1.5))
    z = shift + scores
    return special.ndtr(shift + z / (1 - skew * z))


def _sums(
    units: Vector, draws: int, n_resamples: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    from pharmaq.spc.capability import _kernels

    found = np.empty((n_resamples, units.shape[1]))
    _kernels.sums(np.ascontiguousarray(units), draws, _seed(rng), found)
    return found


def _seed(rng: np.random.Generator) -> np.uint64:
    return rng.integers(0, 2**64 - 1, dtype=np.uint64, endpoint=True)


def _of_subgroups(grouped: Subgroups, columns: Vector) -> Vector:
    return np.asarray(np.add.reduceat(columns, grouped.starts, axis=0))


def _spread_of_subgroups(grouped: Subgroups, estimator: str) -> tuple[Vector, Vector]:
    """Return numerator and denominator of sigma, or of its square, that each subgroup adds."""
    sizes = grouped.sizes
    if estimator == "pooled":
        weight = (sizes - 1).astype(np.float64)
        return grouped.deviations**2 * weight, weight
    if estimator == "r_bar":
        mean, sd = (np.array([constant(int(n)) for n in sizes]) for constant in (d2, d3))
        weight = (mean / sd) ** 2
        return grouped.ranges / mean * weight, weight
    factor = np.array([c4(int(n)) for n in sizes])
    weight = factor**2 / (1 - factor**2)
    return grouped.deviations / factor * weight, weight


def _blocks(x: Vector, estimator: str) -> tuple[Vector, int, Vector]:
    """Return sums of all runs of neighbours, how many to draw, and of runs set end to end."""
    if estimator == "mr_median":
        msg = (
            "limits of a median moving range cannot be resampled by sums; use "
            "estimator='mr_bar' or limits='analytic'"
        )
        raise InputError(msg)
    ranges = moving_ranges(x)
    spread = ranges / d2(2) if estimator == "mr_bar" else ranges**2 / 2
    later = x[1:] - x[1:].mean()
    ones = np.ones(ranges.size)
    points = np.column_stack([later, ones, spread, ones])
    # neighbouring ranges share a value: runs keep what they have in common
    length = max(2, math.ceil(ranges.size ** (1 / 3)))
    _require_units(ranges.size // length, "blocks of neighbours")
    cumulated = np.vstack([np.zeros(4), np.cumsum(points, axis=0)])
    runs = cumulated[length:] - cumulated[:-length]
    return runs, round(ranges.size / length), runs[::length]


def _require_units(count: int, name: str) -> None:
    if count < _LEAST_UNITS:
        msg = f"values must hold at least {_LEAST_UNITS} {name} to resample, got {count}"
        raise InputError(msg)
