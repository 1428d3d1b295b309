"""Phases of a data set, and the model of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq.errors import InputError
from pharmaq.mspc.batch._demands import check_columns
from pharmaq.mspc.batch._evolution import EvolutionPhase, fit_evolution
from pharmaq.mspc.batch._phase import FittedPhase, fit_one

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pharmaq.mspc.batch._data import Batches
    from pharmaq.mspc.batch.limits import BatchLimits

    Place = tuple[str, int, int]


def find_places(data: Batches, phases: str) -> list[Place]:
    """Return name, start and stop of each phase that gets a model."""
    if phases == "whole":
        return [("whole", 0, len(data.time))]
    if data.phase is None:
        msg = "phases='each' needs a coordinate 'phase' along 'time' in batches"
        raise InputError(msg)
    cuts = np.flatnonzero(data.phase[1:] != data.phase[:-1]) + 1
    edges = [0, *cuts.tolist(), len(data.time)]
    names = [str(data.phase[start]) for start in edges[:-1]]
    if len(set(names)) < len(names):
        msg = f"a phase must be one run of times, but phases follow as {names}"
        raise InputError(msg)
    return list(zip(names, edges[:-1], edges[1:], strict=True))


def with_values(data: Batches, place: Place) -> NDArray[np.bool_]:
    """Return which batches have any value in a phase."""
    values = data.values[:, place[1] : place[2]]
    return np.asarray(~np.isnan(values).all(axis=(1, 2)))


def fit_place(
    data: Batches,
    quality: NDArray[np.float64] | None,
    place: Place,
    options: dict[str, Any],
    limits: BatchLimits,
) -> FittedPhase | EvolutionPhase:
    """Fit a phase on the batches that have it."""
    name, start, stop = place
    used = with_values(data, place)
    values = data.values[used, start:stop]
    check_columns(values, data, place)
    least = options["n_components"] + 2 + (limits.values == "cross_validated")
    if used.sum() < least:
        msg = (
            f"n_components = {options['n_components']} needs at least {least} batches "
            f"with values in phase {name!r}, got {used.sum()}; use fewer components or "
            "more batches"
        )
        raise InputError(msg)
    if options["unfolding"] == "variable":
        time = (data.time[start:stop] - data.time[start]).astype(np.float64)
        # from 0 to 1; one time alone is refused there
        time = time / max(time[-1], 1.0)
        return fit_evolution(values, time, place, options["n_components"], limits)
    y = None if quality is None else quality[used]
    return fit_one(values, y, place, options, limits)
