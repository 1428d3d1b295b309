"""A table from rule to severity and review."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from pharmaq.errors import InputError, InputTypeError
from pharmaq.results import Finding
from pharmaq.spc import DEFAULT_ROUTES, SeverityTable, Specification, check_oos


def finding(rule: str, severity: Any = "alert") -> Finding:
    return Finding(rule=rule, severity=severity, subject="assay", message="m")


def test_findings_of_a_check_go_to_their_review() -> None:
    frame = pd.DataFrame({"test": ["x", "x", "y"], "value": [9.0, None, 1.0]})
    routed = SeverityTable().apply(check_oos(frame, Specification("x", "NMT 5")).findings)
    assert routed.table[["rule", "route"]].to_numpy().tolist() == [
        ["oos", "OOS investigation"],
        ["missing_result", "laboratory review"],
        ["no_specification", "quality review"],
    ]
    assert routed.findings[0].severity == "action"
    assert (routed.n_changed, routed.unknown) == (0, ())
    summary = routed.summary().set_index("route")
    assert summary.loc["OOS investigation", "action"] == 1
    assert len(routed.to_frame()) == 3


def test_a_table_of_your_own_changes_severity_and_order() -> None:
    table = SeverityTable({"trend": ("action", "CAPA board")}, default="area owner")
    routed = table.apply([finding("drift"), finding("trend"), finding("trend", "info")])
    assert routed.table["rule"].tolist() == ["trend", "drift", "trend"]
    assert routed.table["route"].tolist() == ["CAPA board", "area owner", "CAPA board"]
    # what was only worth knowing stays so
    assert routed.table["severity"].tolist() == ["action", "alert", "info"]
    assert (routed.n_changed, routed.unknown) == (1, ("drift",))


def test_a_table_survives_a_frame() -> None:
    table = SeverityTable({"trend": ("info", "none")})
    again = SeverityTable.from_frame(table.to_frame())
    assert again.rules == table.rules
    assert set(again.rules) == set(DEFAULT_ROUTES)
    assert SeverityTable().apply([]).table.empty


def test_what_lies_outside_acceptance_is_always_for_action() -> None:
    with pytest.raises(InputError, match="always 'action', got 'alert'"):
        SeverityTable({"oos": ("alert", "later")})
    with pytest.raises(InputError, match="severity of rule 'x'"):
        SeverityTable({"x": ("grave", "now")})  # type: ignore[dict-item]
    with pytest.raises(InputTypeError, match="pair"):
        SeverityTable({"x": "alert"})  # type: ignore[dict-item]
    with pytest.raises(InputError, match="column 'route'"):
        SeverityTable.from_frame(pd.DataFrame({"rule": ["x"], "severity": ["alert"]}))
    with pytest.raises(InputError, match="more than once"):
        SeverityTable.from_frame(
            pd.DataFrame({"rule": ["x", "x"], "severity": "alert", "route": "r"})
        )
