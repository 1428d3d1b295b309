"""Batches cut into phases, with a message for those that cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq.batches import Trace
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from pharmaq.batches import Batches

WHOLE = "whole"


def phase_order(batches: Batches) -> list[str]:
    """Return the phases in the order in which they run on average."""
    table = batches.phase_table()
    table = table[table["phase"] != ""]
    if table.empty:
        msg = (
            "phases='each' needs batches with phases; name their column in as_batches, or use "
            "phases_from_rules or phases_from_events"
        )
        raise InputError(msg)
    rank = table.groupby("batch")["start"].rank()
    return list(rank.groupby(table["phase"]).mean().sort_values(kind="stable").index)


def cut(trace: Trace, names: list[str], batch: Any) -> dict[str, Trace]:
    """Return the part of a batch in each phase that it has; phases run once, in order."""
    if names == [WHOLE]:
        return {WHOLE: trace}
    if trace.phase is None:
        msg = "batches have no phases, but the aligner was fitted on phases; name them"
        raise InputError(msg)
    parts: dict[str, Trace] = {}
    last = -1
    for name in names:
        rows = np.flatnonzero(trace.phase == name)
        if not rows.size:
            continue
        if rows[-1] - rows[0] >= rows.size:
            msg = f"phase {name!r} of batch {batch!r} is interrupted; give its parts own names"
            raise InputError(msg)
        if rows[0] < last:
            msg = (
                f"phase {name!r} of batch {batch!r} runs before the one that should precede it"
            )
            raise InputError(msg)
        last = int(rows[-1])
        parts[name] = Trace(trace.time[rows], trace.values[rows], trace.phase[rows])
    return parts
