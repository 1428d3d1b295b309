"""What alignment could not do, or did to the data, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq.results import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from pharmaq.batches import Trace
    from pharmaq.mspc.alignment.aligner import BatchAligner

# of the median duration: shorter parts are stretched much if they are taken as complete
_SHORT = 0.5


def alignment_findings(
    aligner: BatchAligner,
    table: pd.DataFrame,
    parts: dict[Any, dict[str, Trace]],
    warping: NDArray[np.float64],
    filled: NDArray[np.intp],
    opened: Sequence[Any],
) -> Iterator[Finding]:
    """Yield what is worth knowing of each batch, then of variables."""
    columns = {str(name): table[name].tolist() for name in table}
    for b, batch in enumerate(table.index):
        counts = {name: column[b] for name, column in columns.items()}
        yield from _counted(str(batch), counts)
        yield from _ends(str(batch), warping[b], aligner.time_)
        yield from _phases(aligner, batch, parts[batch], stretched=batch not in opened)
    for name, count in zip(aligner.variables_, filled, strict=True):
        if count:
            message = f"{count} points of {name} bridge gaps no longer than {aligner.max_gap:g}"
            yield _finding("values_filled", "info", name, message, count)


def _counted(batch: str, counts: dict[str, Any]) -> Iterator[Finding]:
    if counts["beyond"]:
        message = f"{int(counts['beyond'])} rows of batch {batch} lie after the end of the grid"
        yield _finding("beyond_grid", "alert", batch, message, counts["beyond"])
    if counts["repaired"]:
        message = (
            f"the indicator of batch {batch} was repaired in {int(counts['repaired'])} rows"
        )
        yield _finding("indicator_repaired", "alert", batch, message, counts["repaired"])
    if counts["empty"]:
        message = f"{int(counts['empty'])} rows of batch {batch} have no value to warp by"
        yield _finding("empty_rows", "info", batch, message, counts["empty"])
    if counts["outside"]:
        message = (
            f"{int(counts['outside'])} rows of batch {batch} are in no phase that is aligned"
        )
        yield _finding("outside_phases", "info", batch, message, counts["outside"])


def _ends(
    batch: str, warping: NDArray[np.float64], time: NDArray[np.float64]
) -> Iterator[Finding]:
    known = np.flatnonzero(~np.isnan(warping))
    if not known.size:
        message = f"batch {batch} has no place on the grid: no path within the slope, or no row"
        yield _finding("not_aligned", "action", batch, message, len(time))
        return
    if known[0] > 0:
        message = f"batch {batch} has no data in the first {known[0]} of {len(time)} points"
        yield _finding("starts_late", "alert", batch, message, known[0])
    rest = len(time) - 1 - int(known[-1])
    if rest:
        message = f"batch {batch} has no data in the last {rest} of {len(time)} points"
        yield _finding("ends_early", "alert", batch, message, rest)


def _phases(
    aligner: BatchAligner, batch: Any, parts: dict[str, Trace], *, stretched: bool
) -> Iterator[Finding]:
    for plan in aligner.plans_:
        part = parts.get(plan.name)
        if part is None:
            message = f"batch {batch} has no row in phase {plan.name}"
            yield _finding("phase_missing", "alert", str(batch), message, 0)
            continue
        lasts = float(part.time[-1] - part.time[0])
        if (
            stretched
            and aligner.method in {"maturity", "dtw"}
            and lasts < _SHORT * plan.duration
        ):
            message = (
                f"batch {batch} lasts {lasts:g} in {plan.name}, less than half of the usual "
                f"{plan.duration:g}, and was stretched; if it did not end there, name it in "
                "unfinished"
            )
            yield _finding("stretched", "alert", str(batch), message, lasts)


def _finding(rule: str, severity: Any, subject: str, message: str, value: Any) -> Finding:
    return Finding(
        rule=rule, severity=severity, subject=subject, message=message, value=float(value)
    )
