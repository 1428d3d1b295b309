"""What a batch is told about: limits passed over time and at the end, and what is missing."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq.results import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from pharmaq.mspc.batch.scores import BatchScores

NAMES = {"t2": "T2", "spe": "SPE", "spe_cumulative": "cumulative SPE"}
# so many times beyond a limit in a row are no longer a chance alarm
RUN = 3


def batch_findings(result: BatchScores, observed: NDArray[np.bool_]) -> tuple[Finding, ...]:
    """Return findings of all batches, batch by batch; `observed` has shape (n, K, J)."""
    return tuple(
        finding
        for i in range(len(result.batch))
        for name, span in result.phase_spans().items()
        for finding in _of_one(result, observed[i], i, name, span)
    )


def of_batch_level(findings: Iterable[Finding]) -> list[Finding]:
    """Return alarms of the model of unfolded scores, named as such."""
    return [
        dataclasses.replace(
            f, rule=f"batch_level_{f.rule}", message=f"batch level: {f.message}"
        )
        for f in findings
        if f.severity != "info"
    ]


def longest_run(flags: NDArray[np.bool_]) -> int:
    """Return the length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]])))
    return int(max(edges[1::2] - edges[::2], default=0))


def said(time: Any) -> str:
    """Return a time as text, a number without the digits that binary fractions leave."""
    return f"{time:.10g}" if isinstance(time, float) else str(time)


def _of_one(
    result: BatchScores, observed: NDArray[np.bool_], i: int, phase: str, span: slice
) -> Iterator[Finding]:
    subject = str(result.batch[i])
    place = "" if phase == "whole" else f" in phase {phase}"
    seen = observed[span].any(axis=1)
    if not seen.any():
        yield Finding(
            rule="phase_not_started",
            severity="info",
            subject=subject,
            message=f"batch {subject} has no value{place}: nothing is said about it",
        )
        return
    end = int(np.flatnonzero(seen)[-1])
    yield from _missing(result, observed[span], subject, place, end, span)
    for statistic in ("t2", "spe"):
        values = getattr(result, statistic)[i, span]
        limit = getattr(result, f"{statistic}_limit")[-1, span]
        yield from _over_time(result, statistic, values, limit, (subject, place, span))
    value = float(result.spe_cumulative[i, span][end])
    limit_end = float(result.spe_cumulative_limit[-1, span][end])
    if value > limit_end:
        yield Finding(
            rule="spe_cumulative",
            severity="action",
            subject=subject,
            message=f"SPE of all that was seen{place} of batch {subject} is {value:.4g}, above "
            f"its {_level(result)} limit {limit_end:.4g}",
            value=value,
            limit=limit_end,
        )


def _missing(
    result: BatchScores,
    observed: NDArray[np.bool_],
    subject: str,
    place: str,
    end: int,
    span: slice,
) -> Iterator[Finding]:
    if end < len(observed) - 1:
        yield Finding(
            rule="ended_early",
            severity="info",
            subject=subject,
            message=f"batch {subject} ends at time {said(result.time[span][end])}{place}, "
            f"{len(observed) - 1 - end} times before the fitted ones; judged as far as it ran",
        )
    lost = np.sum(~observed[: end + 1], axis=0)
    for j in np.flatnonzero(lost):
        yield Finding(
            rule="missing_values",
            severity="info",
            subject=subject,
            message=f"{result.variables[j]} is missing at {lost[j]} of {end + 1} "
            f"times{place} of batch {subject}",
            value=float(lost[j]),
        )


def _over_time(
    result: BatchScores,
    statistic: str,
    values: NDArray[np.float64],
    limit: NDArray[np.float64],
    where: tuple[str, str, slice],
) -> Iterator[Finding]:
    subject, place, span = where
    above = np.greater(values, limit, where=~np.isnan(values), out=np.zeros(len(values), bool))
    if not above.any():
        return
    run = longest_run(above)
    worst = int(np.nanargmax(np.where(above, values / limit, np.nan)))
    times = result.time[span]
    yield Finding(
        rule=statistic,
        severity="action" if run >= RUN else "alert",
        subject=subject,
        message=f"{NAMES[statistic]} of batch {subject}{place} is above its {_level(result)} "
        f"limit at {int(above.sum())} of {int(np.sum(~np.isnan(values)))} times, first at "
        f"{said(times[np.flatnonzero(above)[0]])}, longest run {run}, farthest at "
        f"{said(times[worst])}",
        value=float(values[worst]),
        limit=float(limit[worst]),
    )


def _level(result: BatchScores) -> str:
    return f"{100 * (1 - result.limits.alphas[-1]):g} %"
