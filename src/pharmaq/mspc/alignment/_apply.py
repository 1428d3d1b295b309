"""Batches onto the clock of a fitted aligner, with counts and findings."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from pharmaq.errors import InputError
from pharmaq.mspc.alignment._findings import alignment_findings
from pharmaq.mspc.alignment._plan import Placed, place, place_warped
from pharmaq.mspc.alignment._segments import cut
from pharmaq.mspc.alignment.result import Alignment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pharmaq.batches import Batches, Trace
    from pharmaq.mspc.alignment._plan import Plan, Settings
    from pharmaq.mspc.alignment.aligner import BatchAligner

    Array = NDArray[np.float64]

SUMS = ("filled", "beyond", "repaired", "empty", "outside")


class Room(NamedTuple):
    """Arrays that the parts of batches are written into, phase by phase."""

    values: Array
    warping: Array
    between: NDArray[np.bool_]
    filled: NDArray[np.intp]
    counts: dict[str, NDArray[np.intp]]
    distance: Array


def apply_plans(
    aligner: BatchAligner, data: Batches, settings: Settings, opened: Sequence[Any]
) -> Alignment:
    """Align batches with what was fitted."""
    traces = data.traces()
    names = [plan.name for plan in aligner.plans_]
    parts = {batch: cut(trace, names, batch) for batch, trace in traces.items()}
    shape = (len(traces), len(aligner.time_))
    room = Room(
        values=np.full((*shape, len(data.variables)), np.nan),
        warping=np.full(shape, np.nan),
        between=np.zeros(shape, dtype=bool),
        filled=np.zeros(len(data.variables), dtype=np.intp),
        counts={name: np.zeros(len(traces), dtype=int) for name in SUMS},
        distance=np.full(len(traces), np.nan),
    )
    start = 0
    for plan in aligner.plans_:
        placed = _placed(parts, plan, settings, opened)
        rows = slice(start, start + len(plan.time))
        for b, batch in enumerate(traces):
            found = placed.get(batch)
            if found is not None:
                _keep(room, b, rows, found)
        start = rows.stop
    table = _table(traces, parts, room)
    return Alignment(
        batches=_dataset(aligner, data, room),
        method=aligner.method,
        summary=table.reset_index(),
        raw=data,
        aligner=aligner,
        findings=(
            *aligner.findings_,
            *alignment_findings(aligner, table, parts, room.warping, room.filled, opened),
        ),
    )


def _keep(room: Room, b: int, rows: slice, found: Placed) -> None:
    room.values[b, rows], room.warping[b, rows] = found.values, found.time
    room.between[b, rows] = found.interpolated
    room.filled[:] += found.filled
    numbers = (found.filled.sum(), found.n_beyond, found.n_repaired, found.n_empty)
    for name, number in zip(SUMS, numbers, strict=False):
        room.counts[name][b] += number
    if not math.isnan(found.distance):
        before = float(room.distance[b])
        room.distance[b] = found.distance + (0.0 if math.isnan(before) else before)


def _table(
    traces: dict[Any, Trace], parts: dict[Any, dict[str, Trace]], room: Room
) -> pd.DataFrame:
    lengths = np.array([len(trace.time) for trace in traces.values()])
    used = [sum(len(part.time) for part in parts[batch].values()) for batch in traces]
    columns: dict[str, Any] = {
        "rows": lengths,
        "interpolated": room.between.sum(axis=1),
        "without_data": np.isnan(room.warping).sum(axis=1),
    }
    columns |= room.counts | {"outside": lengths - used, "distance": room.distance}
    return pd.DataFrame(columns, index=pd.Index(list(traces), name="batch"))


def _placed(
    parts: dict[Any, dict[str, Trace]], plan: Plan, settings: Settings, opened: Sequence[Any]
) -> dict[Any, Placed | None]:
    """Return the part of each batch in one phase on its grid; without those that have none."""
    there = {batch: found[plan.name] for batch, found in parts.items() if plan.name in found}
    if settings.method == "dtw":
        running = [batch in opened for batch in there]
        found = place_warped(list(there.values()), plan, settings, running)
        return dict(zip(there, found, strict=True))
    for batch, part in there.items():
        if settings.method == "maturity" and len(part.time) < 2 and batch not in opened:
            msg = (
                f"batch {batch!r} has a single row in {plan.name!r}, and no duration; name it "
                "in unfinished, or leave it out"
            )
            raise InputError(msg)
    return {
        batch: place(part, plan, settings, batch, ended=batch not in opened)
        for batch, part in there.items()
    }


def _dataset(aligner: BatchAligner, data: Batches, room: Room) -> xr.Dataset:
    dims = ("batch", "time")
    clock = {"units": aligner.batch_time_units_}
    variables: dict[str, Any] = {
        name: (dims, room.values[:, :, j], {"units": unit})
        for j, (name, unit) in enumerate(data.units.items())
    }
    coords: dict[str, Any] = {
        "batch": data.ids,
        "time": ("time", aligner.time_, {"units": aligner.time_units_}),
        "interpolated": (dims, room.between),
    }
    if aligner.phase_ is not None:
        coords["phase"] = ("time", aligner.phase_)
    (variables if aligner.add_warping else coords)["warping"] = (dims, room.warping, clock)
    return xr.Dataset(variables, coords=coords, attrs={"alignment": aligner.method})
