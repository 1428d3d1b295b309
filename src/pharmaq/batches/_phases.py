"""Phases of batches from rules on variables, or from recorded events."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from pharmaq._checks import as_float, check_choice, check_real
from pharmaq.batches._conditions import Condition
from pharmaq.batches._frame import Batches
from pharmaq.errors import InputError, InputTypeError
from pharmaq.results import Finding
from pharmaq.units import convert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["PhaseRule", "phases_from_events", "phases_from_rules"]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PhaseRule:
    """When a phase starts; it lasts until the next one does.

    Parameters
    ----------
    name : str
        Name of the phase.
    starts : str, optional
        Condition such as ``"spray_rate > 0 and temperature >= 45"``: variables, ``time``,
        numbers, ``+ - * /``, comparisons, ``and``, ``or``, ``not``; names that are no words in
        backticks. It does not hold where one of its variables is missing. Without a condition
        the phase starts with the batch.
    holds : float, default 0.0
        How long the condition must hold without a break, in units of time; the phase starts
        where it began to hold.
    after : float, default 0.0
        How long the phase before lasts at least, in units of time.
    """

    name: str
    starts: str | None = None
    holds: float = 0.0
    after: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            msg = f"name must be the name of a phase, got {self.name!r}"
            raise InputError(msg)
        for name in ("holds", "after"):
            if check_real(name, getattr(self, name)) < 0:
                msg = f"{name} must not be negative, got {getattr(self, name)!r}"
                raise InputError(msg)
        if self.starts is not None:
            Condition(self.starts)


def phases_from_rules(
    batches: Batches,
    rules: Sequence[PhaseRule],
    *,
    missing: Literal["raise", "finding"] = "raise",
) -> Batches:
    """Find the phases of batches by rules on their variables.

    Parameters
    ----------
    batches : Batches
        As from `as_batches`; phases that it has are replaced.
    rules : sequence of PhaseRule
        In order of the phases. A phase starts at the first time at which its condition holds,
        not before the one in front of it.
    missing : {"raise", "finding"}, default "raise"
        A phase that never starts in a batch is an error, or a finding; then the phase before
        it lasts until the next one starts.

    Returns
    -------
    Batches
        With the phase of each row; empty text for rows before the first phase.

    Raises
    ------
    InputError
        If a condition names a variable that is not there, two phases have one name, or a phase
        never starts; the message names the batches.

    Examples
    --------
    >>> import pandas as pd
    >>> from pharmaq.batches import as_batches
    >>> frame = pd.DataFrame(
    ...     {"batch": "A", "time": range(6), "spray": [0.0, 0.0, 2.0, 2.0, 0.0, 0.0]}
    ... )
    >>> rules = [
    ...     PhaseRule(name="heating"),
    ...     PhaseRule(name="spraying", starts="spray > 0"),
    ...     PhaseRule(name="drying", starts="spray == 0"),
    ... ]
    >>> phases_from_rules(as_batches(frame), rules).phase_table()[["phase", "start", "rows"]]
          phase  start  rows
    0   heating    0.0     2
    1  spraying    2.0     2
    2    drying    4.0     2
    """
    _check_batches(batches)
    check_choice("missing", missing, ("raise", "finding"))
    rules = list(rules)
    names = [rule.name for rule in rules]
    if not names or len(set(names)) < len(names):
        msg = f"rules must name one phase or more, each once, got {names!r}"
        raise InputError(msg)
    conditions = [None if rule.starts is None else Condition(rule.starts) for rule in rules]
    phase = np.full(len(batches.frame), "", dtype=object)
    never: dict[str, list[Any]] = {}
    offset = 0
    for batch, trace in batches.traces().items():
        columns = dict(zip(batches.variables, trace.values.T, strict=True))
        first, current = 0, -np.inf
        for rule, condition in zip(rules, conditions, strict=True):
            holds = np.ones(len(trace.time), dtype=bool)
            if condition is not None:
                holds = condition.evaluate(columns | {"time": trace.time})
            start = _start(trace.time, holds, rule, first, current)
            if start is None:
                never.setdefault(rule.name, []).append(batch)
                continue
            phase[offset + start : offset + len(trace.time)] = rule.name
            first, current = start + 1, trace.time[start]
        offset += len(trace.time)
    return _with_phases(batches, phase, _never_started(never, missing))


def _start(
    time: NDArray[np.float64],
    holds: NDArray[np.bool_],
    rule: PhaseRule,
    first: int,
    current: float,
) -> int | None:
    """Return the row at which a phase starts, None if it does not."""
    allowed = holds & (time >= current + rule.after)
    allowed[:first] = False
    edges = np.flatnonzero(np.diff(np.concatenate([[False], allowed, [False]]).astype(int)))
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        # it held at least until its last row
        if time[stop - 1] - time[start] >= rule.holds:
            return int(start)
    return None


def phases_from_events(
    batches: Batches,
    events: pd.DataFrame,
    *,
    missing: Literal["raise", "finding"] = "raise",
) -> Batches:
    """Take the phases of batches from recorded events.

    Parameters
    ----------
    batches : Batches
        As from `as_batches`; phases that it has are replaced.
    events : DataFrame
        Columns ``batch, phase, start`` and, if wanted, ``end``: a phase lasts from its start to
        its end, which is no more part of it, or to the next start. Times are elapsed ones, or
        times with a time zone where the batches had such.
    missing : {"raise", "finding"}, default "raise"
        A batch without events, or with a phase that has no row, is an error or a finding.

    Returns
    -------
    Batches
        With the phase of each row; empty text for rows outside all phases.

    Raises
    ------
    InputError
        If a column is missing, an end is before its start, events of a batch overlap, or name
        a batch that is not there.
    """
    _check_batches(batches)
    check_choice("missing", missing, ("raise", "finding"))
    table = _event_table(batches, events)
    phase = np.full(len(batches.frame), "", dtype=object)
    never: dict[str, list[Any]] = {}
    offset = 0
    names = list(dict.fromkeys(table["phase"]))
    for batch, trace in batches.traces().items():
        rows = table[table["batch"] == batch]
        for name, start, end in zip(rows["phase"], rows["start"], rows["end"], strict=True):
            inside = (trace.time >= start) & (trace.time < end)
            phase[offset : offset + len(inside)][inside] = name
        there = set(phase[offset : offset + len(trace.time)])
        for name in names:
            if name not in there:
                never.setdefault(name, []).append(batch)
        offset += len(trace.time)
    return _with_phases(batches, phase, _never_started(never, missing))


def _event_table(batches: Batches, events: pd.DataFrame) -> pd.DataFrame:
    """Return events in elapsed time, sorted, with an end each."""
    lacking = [c for c in ("batch", "phase", "start") if c not in events]
    if lacking:
        msg = f"events lack the columns {lacking!r}; they need batch, phase, start, maybe end"
        raise InputError(msg)
    unknown = set(events["batch"]) - set(batches.ids)
    if unknown:
        msg = f"events name batches that are not there: {sorted(map(str, unknown))[:5]!r}"
        raise InputError(msg)
    table = pd.DataFrame({"batch": events["batch"], "phase": events["phase"].astype(str)})
    table["start"] = _elapsed(batches, events, "start")
    has_end = "end" in events
    table["end"] = _elapsed(batches, events, "end") if has_end else np.nan
    table = table.sort_values(["batch", "start"], kind="stable")
    following = table.groupby("batch")["start"].shift(-1).fillna(np.inf)
    table["end"] = table["end"].fillna(following)
    wrong = (
        (table["end"] <= table["start"]) | (table["end"] > following) | table["start"].isna()
    )
    if wrong.any():
        row = table[wrong].iloc[0]
        msg = (
            f"events of batch {row['batch']!r}: {row['phase']} from {row['start']:g} to "
            f"{row['end']:g} has no start, ends before it starts, or overlaps the next one"
        )
        raise InputError(msg)
    return table


def _elapsed(batches: Batches, events: pd.DataFrame, column: str) -> NDArray[np.float64]:
    times = events[column]
    if not isinstance(times.dtype, pd.DatetimeTZDtype):
        return as_float(f"events column {column!r}", times)
    if batches.starts.empty:
        msg = (
            f"events column {column!r} holds times, but the batches have elapsed time only; "
            "give elapsed times"
        )
        raise InputError(msg)
    zero = events["batch"].map(batches.starts)
    seconds = (times.dt.tz_convert("UTC") - zero).dt.total_seconds().to_numpy()
    return convert(seconds, "s", batches.time_units)


def _check_batches(batches: Any) -> None:
    if not isinstance(batches, Batches):
        msg = f"batches must come from as_batches, got {type(batches).__name__}"
        raise InputTypeError(msg)


def _never_started(never: dict[str, list[Any]], missing: str) -> list[Finding]:
    """Return a finding for each batch in which a phase never starts, or raise."""
    if never and missing == "raise":
        name, where = next(iter(never.items()))
        msg = (
            f"phase {name!r} never starts in {len(where)} batches: {where[:5]!r}; correct the "
            "rule or the events, or give missing='finding'"
        )
        raise InputError(msg)
    return [
        Finding(
            rule="phase_never_starts",
            severity="alert",
            subject=str(batch),
            message=f"phase {name} never starts in batch {batch}",
        )
        for name, where in never.items()
        for batch in where
    ]


def _with_phases(batches: Batches, phase: NDArray[Any], findings: list[Finding]) -> Batches:
    frame = batches.frame.drop(columns="phase", errors="ignore")
    frame.insert(2, "phase", phase)
    outside = int((phase == "").sum())
    if outside:
        findings.append(
            Finding(
                rule="outside_phases",
                severity="info",
                subject="phase",
                value=float(outside),
                message=f"{outside} of {len(phase)} rows are in no phase",
            )
        )
    return dataclasses.replace(batches, frame=frame, findings=(*batches.findings, *findings))
