"""Acceptance tables as data: margins about a limit, and how many units may pass them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pharmaq.spc.release._criteria import Criterion, as_reported, tidy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = [
    "STAGE_SIZES",
    "Limits",
    "Table",
    "acid_table",
    "lower_table",
    "pooled_table",
    "range_table",
]

STAGE_SIZES = (6, 12, 24)
_POOL_WEIGHTS = np.array([6.0, 6.0, 12.0])


class Limits(NamedTuple):
    """Limits of each test time, and the word for them."""

    name: str
    lower: Array
    upper: Array
    times: Array

    def excess(self, results: Array) -> Array:
        """Return how far results lie outside, negative inside, a column a time."""
        below = np.where(np.isnan(self.lower), -np.inf, self.lower - results)
        above = np.where(np.isnan(self.upper), -np.inf, results - self.upper)
        return tidy(np.maximum(below, above))


class Stage(NamedTuple):
    """Margin of the mean, and pairs of a margin of units and the number allowed beyond it."""

    mean: float | None
    units: tuple[tuple[float, int], ...]


class Table(NamedTuple):
    """The stages of an acceptance table."""

    names: tuple[str, str, str]
    stages: tuple[Stage, Stage, Stage]
    pooled: bool = False

    def check(
        self, i: int, results: Array, limits: Limits, digits: int | None
    ) -> list[Criterion]:
        """Return the conditions of stage `i`, held against all units up to it."""
        stage = self.stages[i]
        n = i + 1 if self.pooled else STAGE_SIZES[i]
        units = results[:n].reshape(n, -1)
        weights = _POOL_WEIGHTS[:n] if self.pooled else np.ones(n)
        means = np.average(units, axis=0, weights=weights)
        rows = []
        for at, mean in enumerate(as_reported(means, digits)):
            here = _at(limits, at)
            time = float(limits.times[at]) if limits.times.size else np.nan
            if stage.mean is not None:
                text = f"mean of {STAGE_SIZES[i]} units"
                held = bool(here.excess(np.array([mean]))[0] <= stage.mean)
                rows.append(
                    Criterion(self.names[i], text, time, mean, _mean_text(here, stage), held)
                )
            beyond = here.excess(as_reported(units[:, at], digits))
            for margin, allowed in stage.units:
                count = int(np.sum(beyond > margin))
                limit = f"<= {allowed}" if allowed else "0"
                rows.append(
                    Criterion(
                        self.names[i],
                        _units_text(here, margin),
                        time,
                        float(count),
                        limit,
                        count <= allowed,
                    )
                )
        return rows

    def lost(self, results: Array, limits: Limits, digits: int | None) -> str | None:
        """Return why the last stage cannot be met any more, or None if it can."""
        units = as_reported(results.reshape(len(results), -1), digits)
        for at in range(units.shape[1]):
            here = _at(limits, at)
            beyond = here.excess(units[:, at])
            for margin, allowed in self.stages[-1].units:
                count = int(np.sum(beyond > margin))
                if count > allowed:
                    return f"{_units_text(here, margin)}: {count}, at the end {allowed} allowed"
        return None


def lower_table(letter: str) -> Table:
    """Return USP tables 1 and 4: S1 to S3, B1 to B3."""
    stages = (
        Stage(None, ((-5.0, 0),)),
        Stage(0.0, ((15.0, 0),)),
        Stage(0.0, ((15.0, 2), (25.0, 0))),
    )
    return Table((f"{letter}1", f"{letter}2", f"{letter}3"), stages)


def pooled_table() -> Table:
    """Return the table of pooled samples."""
    return Table(("S1", "S2", "S3"), (Stage(-10.0, ()), Stage(-5.0, ()), Stage(0.0, ())), True)


def range_table() -> Table:
    """Return USP table 2: L1 to L3."""
    stages = (
        Stage(None, ((0.0, 0),)),
        Stage(0.0, ((10.0, 0),)),
        Stage(0.0, ((10.0, 2), (20.0, 0))),
    )
    return Table(("L1", "L2", "L3"), stages)


def acid_table(margin: float) -> Table:
    """Return USP table 3: A1 to A3."""
    later = Stage(0.0, ((margin, 0),))
    return Table(("A1", "A2", "A3"), (Stage(None, ((0.0, 0),)), later, later))


def _at(limits: Limits, at: int) -> Limits:
    return Limits(
        limits.name, limits.lower[at : at + 1], limits.upper[at : at + 1], limits.times
    )


def _mean_text(limits: Limits, stage: Stage) -> str:
    low, high = float(limits.lower[0]), float(limits.upper[0])
    margin = stage.mean or 0.0
    if np.isnan(high):
        return f">= {low - margin:g}"
    return f"<= {high + margin:g}" if np.isnan(low) else f"{low:g} to {high:g}"


def _units_text(limits: Limits, margin: float) -> str:
    """Say which units are counted."""
    low, high = float(limits.lower[0]) - margin, float(limits.upper[0]) + margin
    if np.isnan(low):
        return f"units above {high:g}"
    if not np.isnan(high):
        return f"units outside {low:g} to {high:g}"
    sign = "-" if margin > 0 else "+"
    rule = f"{limits.name} {sign} {abs(margin):g} = " if limits.name else ""
    return f"units below {rule}{low:g}"
