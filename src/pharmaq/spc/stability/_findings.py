"""What the reader of a shelf life has to know."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pharmaq.results import Finding

if TYPE_CHECKING:
    from pharmaq.results import Severity

__all__ = ["shelf_life_findings"]

_LEAST_BATCHES = 3


def shelf_life_findings(result: dict[str, Any]) -> tuple[Finding, ...]:
    """Return findings, the gravest first."""
    return tuple(_out_of_specification(result) + _of_the_bound(result) + _of_the_data(result))


def _out_of_specification(result: dict[str, Any]) -> list[Finding]:
    found = []
    for name, sign in (("lsl", 1.0), ("usl", -1.0)):
        limit = result[name]
        if limit is None:
            continue
        data = result["data"]
        for row in data[sign * (data["value"] - limit) < 0].itertuples():
            side = "below the lsl" if sign > 0 else "above the usl"
            message = f"result {row.value:g} at {row.time:g} is {side} {limit:g}"
            found.append(
                _finding("specification", "action", str(row.batch), message, row.value, limit)
            )
    return found


def _of_the_bound(result: dict[str, Any]) -> list[Finding]:
    life, last = result["shelf_life"], float(result["data"]["time"].max())
    found = []
    if life == 0:
        message = "the confidence bound is beyond the limit at the start: no shelf life"
        found.append(_finding("no_shelf_life", "action", "study", message, 0.0, None))
    elif math.isinf(life):
        message = "the bound never meets the limit; the data alone set no end"
        found.append(_finding("unbounded", "info", "study", message, None, None))
    elif life < last:
        message = f"the shelf life ends before the data, which reach {last:g}"
        found.append(_finding("within_data", "alert", "study", message, life, last))
    if result["extrapolation"] is None and life > last:
        message = (
            f"the shelf life lies beyond the data, which reach {last:g}; "
            "see extrapolation_limit for how far that may be proposed"
        )
        found.append(_finding("extrapolated", "info", "study", message, life, last))
    if result["proposed"] < result["months"]:
        message = "the proposal is bounded by the extrapolation that is allowed"
        found.append(
            _finding("extrapolation", "info", "study", message, life, result["proposed"])
        )
    return found


def _of_the_data(result: dict[str, Any]) -> list[Finding]:
    found = []
    n = len(result["lines"])
    if n < _LEAST_BATCHES:
        message = f"{n} batch(es): ICH Q1E asks for three at least; this is an indication only"
        found.append(_finding("few_batches", "alert", "study", message, n, _LEAST_BATCHES))
    if result["n_replicated"]:
        message = (
            f"{result['n_replicated']} times of a batch hold several results, which count as "
            'independent; use replicates="mean" if they come from one run'
        )
        found.append(_finding("replicates", "info", "data", message, None, None))
    if result["n_censored"]:
        rule = result["conventions"]["censored"]
        message = f"{result['n_censored']} censored results entered by the rule {rule!r}"
        found.append(_finding("censored", "info", "data", message, None, None))
    if float(result["lines"]["rmse"].max()) == 0:
        message = "results lie on their lines exactly: there is no error to judge with"
        found.append(_finding("no_error", "alert", "data", message, None, None))
    return found


def _finding(
    rule: str,
    severity: Severity,
    subject: str,
    message: str,
    value: float | None,
    limit: float | None,
) -> Finding:
    return Finding(
        rule=rule, severity=severity, subject=subject, message=message, value=value, limit=limit
    )
