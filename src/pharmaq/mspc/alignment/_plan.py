"""What an aligner keeps of one phase, and how it puts a part of a batch on its grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pharmaq.mspc.alignment._distance import Reference
from pharmaq.mspc.alignment._dtw import Warped, on_points, telling
from pharmaq.mspc.alignment._grid import OnGrid, indicator_progress, on_grid
from pharmaq.mspc.alignment._warp import Steps, warp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pharmaq.batches import Trace

    Array = NDArray[np.float64]


class Plan(NamedTuple):
    """One phase: positions of its points, their aligned times, and what the method learned.

    Positions are elapsed time for ``"resample"``, 0 to 1 for ``"maturity"`` and
    ``"indicator"``, the time of the reference for ``"dtw"``.
    """

    name: str
    grid: Array
    time: Array
    duration: float
    bounds: Array
    reference: Array
    scale: Array
    weights: Array

    @property
    def scaled_reference(self) -> Reference:
        """The reference as distances need it."""
        return Reference(self.reference / self.divisor, self.weights)

    @property
    def divisor(self) -> Array:
        """What values are divided by."""
        return np.where(self.scale > 0, self.scale, 1.0)


class Placed(NamedTuple):
    """A part of a batch on the grid of its phase, with counts."""

    values: Array
    time: Array
    interpolated: NDArray[np.bool_]
    filled: NDArray[np.intp]
    n_beyond: int
    n_repaired: int
    n_empty: int
    distance: float


class Settings(NamedTuple):
    """What the methods need to know of the aligner."""

    method: str
    phases: str
    indicator: str | None
    column: int
    repair: str
    max_gap: float | None
    steps: Steps


def place(part: Trace, plan: Plan, settings: Settings, batch: Any, *, ended: bool) -> Placed:
    """Put a part of a batch on a grid by positions."""
    position, rows, repaired = positions(part, plan, settings, batch, ended=ended)
    found: OnGrid = on_grid(
        position, part.time[rows], part.values[rows], plan.grid, settings.max_gap
    )
    slack = 1e-9 * (plan.grid[-1] - plan.grid[0])
    beyond = int((position > plan.grid[-1] + slack).sum())
    return Placed(*found, beyond, repaired, 0, np.nan)


def positions(
    part: Trace, plan: Plan, settings: Settings, batch: Any, *, ended: bool
) -> tuple[Array, NDArray[np.intp], int]:
    """Return how far each row has come, which rows these are, and how many were repaired."""
    if settings.method == "indicator":
        return indicator_progress(
            part.values[:, settings.column],
            part.time,
            plan.bounds,
            settings.repair,
            str(settings.indicator),
            batch,
        )
    rows = np.arange(len(part.time))
    if settings.method == "resample":
        zero = 0.0 if settings.phases == "whole" else part.time[0]
        return part.time - zero, rows, 0
    lasts = part.time[-1] - part.time[0] if ended else plan.duration
    return (part.time - part.time[0]) / lasts, rows, 0


def place_warped(
    parts: list[Trace], plan: Plan, settings: Settings, opened: list[bool]
) -> list[Placed | None]:
    """Warp parts of batches onto a reference; None where the slope allows no path."""
    reference, K = plan.scaled_reference, len(plan.grid)
    rows = [telling(part.values, plan.weights) for part in parts]
    known = [i for i, kept in enumerate(rows) if len(kept)]
    scaled = [_rows(parts[i].values, rows[i]) / plan.divisor for i in known]
    paths = warp(scaled, reference, settings.steps, opened=[opened[i] for i in known])
    found: list[Placed | None] = [None] * len(parts)
    for i, path in zip(known, paths, strict=True):
        if path is None:
            continue
        time, values = _rows(parts[i].time, rows[i]), _rows(parts[i].values, rows[i])
        warped: Warped = on_points(values, time, path, K)
        reached = int(path.points[-1]) + 1
        length = len(time) + reached if settings.steps.diagonal == 2 else 1.0
        none, empty = np.zeros(values.shape[1], dtype=np.intp), len(parts[i].time) - len(time)
        found[i] = Placed(*warped, none, 0, 0, empty, path.total / length)
    return found


def _rows(values: Array, rows: NDArray[np.intp]) -> Array:
    """Return rows, without a copy where these are all."""
    return values if len(rows) == len(values) else values[rows]
