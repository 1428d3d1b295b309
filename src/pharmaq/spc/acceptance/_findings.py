"""What results outside their limits say to the one who has to act."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq.results import Finding, Severity
from pharmaq.spc.acceptance._table import times_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from pharmaq.spc.acceptance._table import SpecColumns
    from pharmaq.spc.acceptance.specification import Specification

__all__ = ["name_result", "result_findings"]

_PASS, _ALERT, _ACTION, _NO_LIMIT, _MISSING, _UNDECIDED, _OOS = range(7)
_RULES: dict[int, tuple[str, Severity]] = {
    _ALERT: ("alert_limit", "alert"),
    _ACTION: ("action_limit", "action"),
    _MISSING: ("missing_result", "alert"),
    _UNDECIDED: ("undecided", "action"),
    _OOS: ("oos", "action"),
}


def result_findings(
    table: pd.DataFrame, matched: SpecColumns, outcome: NDArray[np.int8]
) -> tuple[Finding, ...]:
    """Return a finding a result that does not pass, and one a test without limits."""
    rows = np.flatnonzero((outcome != _PASS) & (outcome != _NO_LIMIT))
    picked = table.iloc[rows]
    times = times_of(picked)
    found = []
    for i, record in enumerate(_records(picked)):
        code = int(outcome[rows[i]])
        spec_code = int(matched.code[rows[i]])
        spec = matched.specs[spec_code] if spec_code >= 0 else None
        rule, severity = _RULES[code]
        value, limit = _numbers(record, code, spec)
        subject = name_result(record)
        found.append(
            Finding(
                rule=rule,
                severity=severity,
                subject=subject,
                message=_message(record, code, subject, spec),
                value=value,
                limit=limit,
                time=times[i],
            )
        )
    return (*found, *_without_limits(table[outcome == _NO_LIMIT]))


def name_result(record: dict[str, Any]) -> str:
    """Return the words that name a result: test, product, batch, sample."""
    words = [str(record["test"])]
    known = [name for name in ("product", "batch", "sample") if _is_known(record.get(name))]
    if known:
        words.append("of " + ", ".join(f"{name} {record[name]}" for name in known))
    return " ".join(words)


def _records(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    names = list(table.columns)
    columns = [table[name].tolist() for name in names]
    for row in zip(*columns, strict=True):
        yield dict(zip(names, row, strict=True))


def _numbers(
    record: dict[str, Any], code: int, spec: Specification | None
) -> tuple[float | None, float | None]:
    if code == _MISSING or spec is None:
        return None, None
    shown = record["reported"]
    value = float(record["number"] if np.isnan(shown) else shown)
    owner = {_ALERT: spec.alert, _ACTION: spec.action}.get(code) or spec.limits
    low, high = owner.lsl, owner.usl
    if low is None or high is None:
        limit = high if low is None else low
    else:
        limit = low if abs(value - low) < abs(value - high) else high
    return (None if np.isnan(value) else value), limit


def _message(
    record: dict[str, Any], code: int, subject: str, spec: Specification | None
) -> str:
    if code == _MISSING or spec is None:
        return f"{subject} has no result"
    units = f" {spec.units}" if spec.units else ""
    shown = _shown(record, spec)
    if code == _OOS:
        return f"{subject}: {shown}{units} is out of specification ({spec.limits}{units})"
    if code == _UNDECIDED:
        why = f"{shown}{units} may lie on either side of {spec.limits}{units}"
        return f"{subject} cannot be decided: {why}"
    name, inner = ("alert", spec.alert) if code == _ALERT else ("action", spec.action)
    within = f"within specification ({spec.limits}{units})"
    return f"{subject}: {shown}{units} is beyond the {name} limits ({inner}), {within}"


def _shown(record: dict[str, Any], spec: Specification) -> str:
    """Return a result with the digits of its limits, or as it was written."""
    if np.isnan(record["reported"]):
        return str(record["value"])
    digits = spec.limits.digits
    if digits is None or spec.rounding != "decimals":
        return f"{record['reported']:.10g}"
    return f"{record['reported']:.{max(digits, 0)}f}"


def _without_limits(table: pd.DataFrame) -> list[Finding]:
    keys = [name for name in ("product", "test", "stage") if name in table]
    counts: Any = table.groupby(keys, sort=False, dropna=False).size() if len(table) else {}
    found = []
    for key, n in counts.items():
        words = key if isinstance(key, tuple) else (key,)
        subject = " / ".join(str(word) for word in words if _is_known(word))
        found.append(
            Finding(
                rule="no_specification",
                severity="alert",
                subject=subject,
                message=f"{n} results of {subject} have no specification: nothing is decided",
                value=float(n),
            )
        )
    return found


def _is_known(word: Any) -> bool:
    return word is not None and word == word and word != ""
