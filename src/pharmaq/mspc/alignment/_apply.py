"""Batches onto the clock of a fitted aligner, with counts and findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


def apply_plans(
    aligner: BatchAligner, data: Batches, settings: Settings, opened: Sequence[Any]
) -> Alignment:
    """Align batches with what was fitted."""
    traces = data.traces()
    names = [plan.name for plan in aligner.plans_]
    parts = {batch: cut(trace, names, batch) for batch, trace in traces.items()}
    K, J = len(aligner.time_), len(data.variables)
    values = np.full((len(traces), K, J), np.nan)
    warping = np.full((len(traces), K), np.nan)
    between = np.zeros((len(traces), K), dtype=bool)
    table = pd.DataFrame(0, index=pd.Index(list(traces), name="batch"), columns=list(SUMS))
    table["distance"] = np.nan
    filled = np.zeros(J, dtype=np.intp)
    start = 0
    for plan in aligner.plans_:
        rows = slice(start, start + len(plan.time))
        placed = _placed(parts, plan, settings, opened)
        for b, batch in enumerate(traces):
            found = placed.get(batch)
            if found is None:
                continue
            values[b, rows], warping[b, rows] = found.values, found.time
            between[b, rows] = found.interpolated
            filled += found.filled
            _count(table, batch, found)
        start = rows.stop
    for batch, trace in traces.items():
        table.loc[batch, "outside"] = len(trace.time) - sum(
            len(part.time) for part in parts[batch].values()
        )
    table.insert(0, "rows", [len(trace.time) for trace in traces.values()])
    table.insert(1, "interpolated", between.sum(axis=1))
    table.insert(2, "without_data", np.isnan(warping).sum(axis=1))
    dataset = _dataset(aligner, data, values, warping, between)
    return Alignment(
        batches=dataset,
        method=aligner.method,
        summary=table.reset_index(),
        raw=data,
        aligner=aligner,
        findings=(
            *aligner.findings_,
            *alignment_findings(aligner, table, parts, warping, filled, opened),
        ),
    )


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


def _count(table: pd.DataFrame, batch: Any, found: Placed) -> None:
    table.loc[batch, "filled"] += int(found.filled.sum())
    table.loc[batch, "beyond"] += found.n_beyond
    table.loc[batch, "repaired"] += found.n_repaired
    table.loc[batch, "empty"] += found.n_empty
    before = table.loc[batch, "distance"]
    total = found.distance if np.isnan(before) else before + found.distance
    table.loc[batch, "distance"] = total


def _dataset(
    aligner: BatchAligner,
    data: Batches,
    values: Array,
    warping: Array,
    between: NDArray[np.bool_],
) -> xr.Dataset:
    dims = ("batch", "time")
    clock = {"units": aligner.batch_time_units_}
    variables: dict[str, Any] = {
        name: (dims, values[:, :, j], {"units": unit})
        for j, (name, unit) in enumerate(data.units.items())
    }
    coords: dict[str, Any] = {
        "batch": data.ids,
        "time": ("time", aligner.time_, {"units": aligner.time_units_}),
        "interpolated": (dims, between),
    }
    if aligner.phase_ is not None:
        coords["phase"] = ("time", aligner.phase_)
    (variables if aligner.add_warping else coords)["warping"] = (dims, warping, clock)
    return xr.Dataset(variables, coords=coords, attrs={"alignment": aligner.method})
