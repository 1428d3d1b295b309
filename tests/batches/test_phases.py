"""Phases from rules on variables and from events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pharmaq.batches import (
    Batches,
    PhaseRule,
    as_batches,
    phases_from_events,
    phases_from_rules,
)
from pharmaq.errors import InputError, InputTypeError


def batches(**columns: Any) -> Batches:
    base = {"batch": "a", "time": np.arange(8.0), "x": [0.0, 0, 1, 0, 2, 2, 0, 0]}
    return as_batches(pd.DataFrame(base | columns))


def starts(found: Batches) -> dict[str, float]:
    table = found.phase_table()
    return dict(zip(table["phase"], table["start"], strict=True))


def rule(name: str, starts: str | None = None, **options: float) -> PhaseRule:
    return PhaseRule(name=name, starts=starts, **options)


# phases as the operators recorded them
def test_rules_find_the_spraying_of_the_film_coating(shared: Path) -> None:
    data = pd.read_csv(shared / "data" / "batch" / "film_coating.csv")
    given = as_batches(data, batch="BATCH NUMBER", time="Time (min)", phase="PHASE")
    found = phases_from_rules(given, [rule("before"), rule("spray", "SPRAY_RATE > 0")])
    recorded, ours = given.phase_table(), found.phase_table()
    recorded = recorded[recorded["phase"] == "SPRAYING"].set_index("batch")["start"]
    ours = ours[ours["phase"] == "spray"].set_index("batch")["start"]
    # the pump starts within a minute of the phase
    assert (ours - recorded).abs().median() < 1.0


def test_a_phase_starts_where_its_condition_holds_long_enough() -> None:
    short = phases_from_rules(batches(), [rule("p"), rule("q", "x > 0")])
    lasting = phases_from_rules(batches(), [rule("p"), rule("q", "x > 0", holds=1.0)])
    assert (starts(short)["q"], starts(lasting)["q"]) == (2, 4)


def test_a_phase_waits_for_the_one_before() -> None:
    found = phases_from_rules(
        batches(), [rule("p"), rule("q", "x > 0"), rule("r", "x == 0", after=3.0)]
    )
    assert starts(found) == {"p": 0, "q": 2, "r": 6}


def test_rows_before_the_first_phase_are_in_none_and_counted() -> None:
    found = phases_from_rules(batches(), [rule("q", "x > 0")])
    assert list(found.frame["phase"]) == ["", ""] + ["q"] * 6
    assert [f.value for f in found.findings if f.rule == "outside_phases"] == [2]


def test_a_condition_does_not_hold_where_a_variable_is_missing() -> None:
    data = batches(x=[0.0, np.nan, np.nan, 1, 1, 1, 0, 0])
    found = phases_from_rules(data, [rule("p"), rule("q", "not x == 0")])
    assert starts(found)["q"] == 3


@pytest.mark.parametrize(
    ("condition", "start"),
    [
        ("x > 1", 4),
        ("x + x >= 4 and time > 4", 5),
        ("(x - 1) * 2 == 2 or time / 2 == 1.5", 3),
        ("not x < 2", 4),
        ("0 < x < 2", 2),
        ("-x <= -1", 2),
        ("+x != 0", 2),
        ("`flow rate` > 3", 4),
    ],
)
def test_conditions_say_what_they_seem_to_say(condition: str, start: float) -> None:
    data = batches(**{"flow rate": np.arange(8.0)})
    found = phases_from_rules(data, [rule("p"), rule("q", condition)])
    assert starts(found)["q"] == start


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "x >",
        "1 > 2",
        "x = 1",
        "f(x) > 1",
        "x.real > 0",
        "x[0] > 0",
        "x > 'a'",
        "x > True",
        "__import__('os')",
        "x ** 9 > 1",
        "x in (1, 2)",
        "(x > 1) + 1 > 1",
        "~x > 1",
        "lambda: 1",
        "x > 1 if x else 2",
        "",
    ],
)
def test_a_condition_runs_no_code(text: str) -> None:
    with pytest.raises(InputError, match="condition"):
        rule("p", text)


def test_a_phase_that_never_starts_names_the_batches_or_is_a_finding() -> None:
    data = as_batches(
        pd.DataFrame({"batch": list("aabb"), "time": [0, 1, 0, 1], "x": [0.0, 1, 0, 0]})
    )
    phases = [rule("p"), rule("q", "x > 0")]
    with pytest.raises(InputError, match=r"'q' never starts in 1 batches: \['b'\]"):
        phases_from_rules(data, phases)
    found = phases_from_rules(data, phases, missing="finding")
    assert list(found.frame["phase"]) == ["p", "q", "p", "p"]
    assert ("phase_never_starts", "b") in {(f.rule, f.subject) for f in found.findings}


def test_events_in_elapsed_time_set_phases() -> None:
    events = pd.DataFrame(
        {"batch": "a", "phase": ["q", "p"], "start": [3.0, 1.0], "end": [6.0, np.nan]}
    )
    found = phases_from_events(batches(), events)
    assert list(found.frame["phase"]) == ["", "p", "p", "q", "q", "q", "", ""]
    without_end = phases_from_events(batches(), events.drop(columns="end"))
    assert list(without_end.frame["phase"])[3:] == ["q"] * 5


def test_events_with_times_are_held_against_the_start_of_the_batch() -> None:
    times = pd.date_range("2026-03-01T08:00", periods=8, freq="h", tz="Europe/Berlin")
    events = pd.DataFrame({"batch": "a", "phase": ["p", "q"], "start": times[[0, 4]]})
    found = phases_from_events(batches(time=times), events)
    assert starts(found) == {"p": 0, "q": 4}
    with pytest.raises(InputError, match="elapsed time only"):
        phases_from_events(batches(), events)


def test_a_phase_without_rows_is_an_error_or_a_finding() -> None:
    events = pd.DataFrame(
        {"batch": "a", "phase": ["p", "q"], "start": [0.0, 50.0], "end": [4.0, 60.0]}
    )
    with pytest.raises(InputError, match="'q' never starts"):
        phases_from_events(batches(), events)
    found = phases_from_events(batches(), events, missing="finding")
    assert [f.rule for f in found.findings] == ["phase_never_starts", "outside_phases"]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"batch": "z"}, "not there"),
        ({"start": [2.0, np.nan]}, "has no start"),
        ({"end": [5.0, 6.0]}, "overlaps"),
        ({"end": [0.5, 6.0]}, "ends before"),
    ],
)
def test_bad_events_are_named(change: dict[str, Any], match: str) -> None:
    good = {"batch": "a", "phase": ["p", "q"], "start": [1.0, 3.0], "end": [3.0, 6.0]}
    with pytest.raises(InputError, match=match):
        phases_from_events(batches(), pd.DataFrame(good | change))


def test_other_bad_input_is_named() -> None:
    with pytest.raises(InputError, match="lack the columns"):
        phases_from_events(batches(), pd.DataFrame({"batch": ["a"]}))
    with pytest.raises(InputTypeError, match="as_batches"):
        phases_from_rules(pd.DataFrame(), [rule("p")])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="each once"):
        phases_from_rules(batches(), [rule("p"), rule("p")])
    with pytest.raises(InputError, match="names"):
        phases_from_rules(batches(), [rule("p", "y > 1")])
    with pytest.raises(InputError, match="name of a phase"):
        rule("")
    with pytest.raises(InputError, match="holds must not be negative"):
        rule("p", holds=-1.0)
    with pytest.raises(InputTypeError, match="must be text"):
        rule("p", 5)  # type: ignore[arg-type]


def test_without_phases_the_table_is_empty() -> None:
    assert batches().phase_table().empty
