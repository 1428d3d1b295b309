"""Batch data in one form: checks, time, units, findings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmaq.batches import as_batches
from pharmaq.errors import InputError, InputTypeError, UnitsError


def frame(**columns: Any) -> pd.DataFrame:
    base = {"batch": list("aaabb"), "time": [0.0, 1, 2, 0, 1], "x": [1.0, 2, 3, 4, 5]}
    return pd.DataFrame(base | columns)


def rules(batches: Any) -> list[tuple[str, str]]:
    return [(finding.rule, finding.subject) for finding in batches.findings]


# the README of the data: 40 batches, 8245 rows, 10 variables
def test_saccharomyces_keeps_all_batches_and_rows(shared: Path) -> None:
    data = pd.read_csv(shared / "data" / "batch" / "saccharomyces_A.csv.gz")
    with pytest.raises(InputError, match="backwards in batch 'NOC Batch #31'"):
        as_batches(data)
    batches = as_batches(data, time_units="h", repair=("sort", "mean"))
    assert (len(batches.ids), len(batches.variables)) == (40, 10)
    # the clock of five batches goes backwards at their start, and some rows share a time
    counts = {f.rule: int(f.value or 0) for f in batches.findings[:2]}
    assert list(counts) == ["sorted_times", "repeated_times"]
    assert counts["sorted_times"] == 44
    assert len(batches.frame) + counts["repeated_times"] == 8245


def test_film_coating_has_five_phases(shared: Path) -> None:
    data = pd.read_csv(shared / "data" / "batch" / "film_coating.csv")
    batches = as_batches(data, batch="BATCH NUMBER", time="Time (min)", phase="PHASE")
    assert batches.phases == ["STARTUP", "HEATING", "SPRAYING", "DRYING", "DISCHARGING"]
    table = batches.phase_table()
    first = table[table["batch"] == "B211"]
    assert list(first["rows"]) == [5, 30, 188, 66, 72]


def test_columns_are_in_one_order_and_units_are_read_from_names() -> None:
    data = frame(**{"T [degC]": 20.0, "phase": "p"})[
        ["T [degC]", "x", "phase", "time", "batch"]
    ]
    batches = as_batches(data, units={"x": "bar"}, time_units="min")
    assert list(batches.to_frame()) == ["batch", "time", "phase", "T", "x"]
    assert batches.units == {"T": "degC", "x": "bar"}
    assert (batches.time_units, batches.phases) == ("min", ["p"])


def test_the_frame_given_does_not_change() -> None:
    data = frame()
    before = data.copy()
    as_batches(data)
    pd.testing.assert_frame_equal(data, before)


def test_mixed_rows_of_batches_are_brought_together() -> None:
    data = frame().iloc[[0, 3, 1, 4, 2]]
    assert list(as_batches(data).frame["x"]) == [1, 2, 3, 4, 5]


def test_batches_are_returned_as_they_are() -> None:
    batches = as_batches(frame())
    assert as_batches(batches) is batches


@pytest.mark.parametrize(("units", "last"), [(None, 1.5), ("min", 90.0)])
def test_times_with_a_zone_become_elapsed_time(units: str | None, last: float) -> None:
    # over the change from summer time: an hour and a half on any clock
    times = pd.to_datetime(
        ["2026-10-25T00:00Z", "2026-10-25T01:00Z", "2026-10-25T01:30Z"]
    ).tz_convert("Europe/Berlin")
    data = pd.DataFrame({"batch": 7, "time": times, "x": [1.0, 2, 3]})
    batches = as_batches(data, time_units=units)
    assert batches.frame["time"].iloc[-1] == pytest.approx(last)
    assert batches.starts[7] == times[0]
    assert batches.time_units == (units or "h")


def test_durations_become_numbers() -> None:
    data = frame(time=pd.to_timedelta([0, 1, 2, 0, 1], unit="min"))
    assert list(as_batches(data, time_units="s").frame["time"]) == [0, 60, 120, 0, 60]


def test_times_as_objects_are_read() -> None:
    times = pd.Series(pd.to_datetime(["2026-01-01", "2026-01-02"], utc=True), dtype=object)
    durations = pd.Series(pd.to_timedelta(["0h", "5h"]), dtype=object)
    data = pd.DataFrame({"batch": "a", "time": times, "x": [1.0, 2]})
    assert list(as_batches(data).frame["time"]) == [0, 24]
    assert list(as_batches(data.assign(time=durations)).frame["time"]) == [0, 5]


def test_times_without_a_zone_are_refused() -> None:
    data = frame(time=pd.to_datetime(["2026-01-01"] * 5))
    with pytest.raises(InputError, match="without a time zone"):
        as_batches(data)


@pytest.mark.parametrize("time", [pd.NaT, None])
def test_a_missing_time_is_refused(time: Any) -> None:
    stamps = pd.Series(pd.date_range("2026-01-01", periods=5, tz="UTC"))
    stamps[3] = time
    with pytest.raises(InputError, match="row 3 has none"):
        as_batches(frame(time=stamps))
    with pytest.raises(InputError, match="row 3 has none"):
        as_batches(frame(time=stamps - stamps[0]))
    with pytest.raises(InputError, match="row 1 has none"):
        as_batches(frame(time=[0, np.nan, 2, 0, 1]))


def test_time_going_backwards_names_the_batch() -> None:
    with pytest.raises(InputError, match="backwards in batch 'a': 1 follows 2"):
        as_batches(frame(time=[0, 2, 1, 0, 1]))


def test_repeated_times_are_refused_or_merged_and_counted() -> None:
    data = frame(time=[0, 1, 1, 0, 1], phase=list("pqrpq"))
    with pytest.raises(InputError, match="batch 'a' has several rows at time 1"):
        as_batches(data)
    mean = as_batches(data, repair="mean")
    last = as_batches(data, repair="last")
    assert (list(mean.frame["x"]), list(last.frame["x"])) == ([1, 2.5, 4, 5], [1, 3, 4, 5])
    assert list(mean.frame["phase"]) == list(last.frame["phase"]) == list("prpq")
    assert [f.value for f in mean.findings if f.rule == "repeated_times"] == [1]


def test_missing_constant_short_and_late_are_findings() -> None:
    data = pd.DataFrame(
        {
            "batch": np.repeat(["a", "b", "c", "d", "e"], [10, 10, 10, 3, 1]),
            "time": [*range(10), *range(10), *range(5, 15), *range(3), 0],
            "x": [np.nan] * 10 + [1.0] * 24,
            "y": np.arange(34.0),
        }
    )
    assert rules(as_batches(data)) == [
        ("missing_values", "x"),
        ("no_values", "a"),
        ("constant", "x"),
        ("late_start", "c"),
        ("short_batch", "d"),
        ("single_row", "e"),
    ]


def test_select_keeps_rows_and_findings_of_some_batches() -> None:
    batches = as_batches(frame(batch=list("aaaab"), time=[0, 1, 2, 3, 0]))
    assert rules(batches) == [("single_row", "b")]
    some = batches.select(["a"])
    assert (some.ids, len(some.frame), some.findings) == (["a"], 4, ())
    with pytest.raises(InputError, match="ids must name batches"):
        batches.select(["z"])


def test_dataset_and_frame_turn_into_each_other() -> None:
    batches = as_batches(frame(phase=list("ppqpp")), units={"x": "g"}, time_units="h")
    dataset = batches.to_dataset()
    assert dict(dataset.sizes) == {"batch": 2, "time": 3}
    assert np.isnan(dataset["x"].sel(batch="b", time=2))
    assert dataset["phase"].sel(batch="b", time=2) == ""
    back = as_batches(dataset)
    pd.testing.assert_frame_equal(back.frame, batches.frame)
    assert (back.units, back.time_units) == (batches.units, "h")


def test_a_dataset_may_have_one_phase_for_all_and_no_other_dimensions() -> None:
    dataset = as_batches(frame()).to_dataset()
    shared_phase = dataset.assign_coords(phase=("time", list("ppq")), extra=("batch", [1, 2]))
    assert as_batches(shared_phase).phases == ["p", "q"]
    with pytest.raises(InputError, match="dimensions 'batch' and 'time'"):
        as_batches(dataset.expand_dims("site"))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"batch": "lot"}, "batch column 'lot' is not in data"),
        ({"time": "batch"}, "need a column each"),
        ({"variables": []}, "variables must name one"),
        ({"variables": ["x", "x"]}, "variables must name one"),
        ({"variables": "y"}, "variable 'y' is no column"),
        ({"units": {"y": "g"}}, "units names"),
        ({"repair": "first"}, "repair must be one of"),
        ({"repair": ("mean", "last")}, "only one can be kept"),
    ],
)
def test_bad_options_are_named(change: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        as_batches(frame(), **change)


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        ({"x": list("abcde")}, "variable 'x' must hold numbers"),
        ({"x": [1, np.inf, 2, 3, 4]}, "infinite in row 1"),
        ({"x": np.nan}, "no value in any batch"),
        ({"batch": ["a", None, "a", "b", "b"]}, "row 1 has none"),
        ({"batch": [1, 1, 1, "1", "1"]}, "same name as text"),
        ({"x [g]": 1.0}, "rename it"),
        ({"time": list("abcde")}, "column 'time' must hold numbers"),
    ],
)
def test_bad_columns_are_named(columns: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        as_batches(frame(**columns))


def test_other_bad_input_is_named() -> None:
    with pytest.raises(InputTypeError, match="long DataFrame"):
        as_batches([1, 2, 3])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="hold no row"):
        as_batches(frame().iloc[:0])
    with pytest.raises(UnitsError, match="kg"):
        as_batches(frame(), time_units="kg")
    with pytest.raises(InputError, match="its column says 'g'"):
        as_batches(frame().rename(columns={"x": "x [g]"}), units={"x": "kg"})
    doubled = pd.concat([frame(), frame()["x"]], axis=1)
    with pytest.raises(InputError, match="x"):
        as_batches(doubled)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.randoms())
def test_the_order_of_rows_of_different_batches_does_not_matter(
    lengths: list[int], random: Any
) -> None:
    parts = [
        pd.DataFrame({"batch": f"b{i}", "time": np.arange(n), "x": np.arange(n) * (i + 1.0)})
        for i, n in enumerate(lengths)
    ]
    data = pd.concat(parts, ignore_index=True)
    turns = [i for i, n in enumerate(lengths) for _ in range(n)]
    random.shuffle(turns)
    rows = {i: iter(np.flatnonzero(data["batch"] == f"b{i}")) for i in range(len(lengths))}
    mixed = data.iloc[[next(rows[i]) for i in turns]]
    found = as_batches(mixed)
    expected = as_batches(data)
    for name, trace in expected.traces().items():
        np.testing.assert_array_equal(found.traces()[name].values, trace.values)
