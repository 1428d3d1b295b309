"""Aggregates over raw values, against OPC 10000-13 and hand-worked numbers."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from naive_aggregates import time_average
from pharmaq.errors import InputError
from pharmaq.io import aggregate

QUALITY = {"G": "good", "U": "uncertain", "B": "bad"}
ORIGIN = {"raw": "R", "interpolated": "I", "calculated": "C", "none": "R"}

# columns of the sample data of the OPC Foundation, in order; its Total is the sum
COLUMNS = (
    "Interpolative",
    "Interpolative",
    "StartBound",
    "EndBound",
    "Average",
    "TimeAverage",
    "TimeAverage2",
    "Count",
    "Sum",
)


@pytest.fixture(scope="module")
def part13(shared: Path) -> Path:
    return shared / "cases" / "oee" / "opcua_part13"


def history(folder: Path, number: int) -> dict[str, Any]:
    raw = json.loads((folder / "raw.json").read_text())[f"Historian{number}"]
    return {
        "times": np.array(raw["t"], dtype=float),
        "values": [np.nan if v is None else v for v in raw["v"]],
        "quality": [QUALITY[q] for q in raw["q"]],
        "stepped": raw["stepped"],
    }


# OPC Foundation, Historian1ExpectedData.csv to Historian3ExpectedData.csv
@pytest.mark.parametrize("column", range(len(COLUMNS)))
@pytest.mark.parametrize("number", [1, 2, 3])
def test_every_interval_of_the_sample_data_has_its_value_and_status(part13, number, column):
    # the second column of Interpolative treats uncertain values the other way round
    usable = (number == 1) != (column == 1)
    found = aggregate(
        **history(part13, number),
        aggregate=COLUMNS[column],
        interval=5,
        start=0,
        end=100,
        uncertain="usable" if usable else "bad",
        sloped_extrapolation=True,
        raw_status="time",
    )
    with (part13 / f"Historian{number}ExpectedData.csv").open() as file:
        rows = list(csv.reader(file))[1:21]
    expected = [(float(row[1 + 2 * column]), row[2 + 2 * column]) for row in rows]
    if (number, COLUMNS[column]) == (1, "Sum"):
        # the only raw value from 40 s on is bad: certain of 0 there, uncertain in Historian 2
        assert expected[8] == (0.0, "GC")
        expected[8] = (0.0, "UC")
    assert np.nan_to_num(found.value) == pytest.approx([v for v, _ in expected], abs=1e-8)
    codes = [s[0].upper() + ORIGIN[o] for s, o in zip(found.status, found.origin, strict=True)]
    # BD: bad where a bad raw value stands
    assert codes == [code.replace("BD", "BR") for _, code in expected]


# OPC 10000-13 v1.04, A.4 and A.5: the text holds the last value
def test_stepped_extrapolation_agrees_with_the_text_of_the_standard(part13):
    raw = json.loads((part13 / "raw.json").read_text())
    for name, key in (
        ("TimeAverage", "spec_v1.04_A4_Historian1_TimeAverage"),
        ("TimeAverage2", "spec_v1.04_A5_Historian1_TimeAverage2"),
    ):
        found = aggregate(
            **history(part13, 1),
            aggregate=name,
            interval=5,
            start=0,
            end=100,
            uncertain="usable",
        )
        expected = [np.nan if v is None else v for v in raw[key]]
        assert found.value == pytest.approx(expected, nan_ok=True)


# OPC 10000-13 v1.04, A.28 and A.29 (node-opcua quotes them), less the tick at the last value
def test_durations_of_good_and_bad_agree_with_the_standard(part13):
    good = aggregate(
        **history(part13, 1),
        aggregate="DurationGood",
        interval=16,
        start=0,
        end=100,
        uncertain="usable",
    )
    assert good.value == pytest.approx([6, 16, 0, 14, 0, 10, np.nan], nan_ok=True)
    assert list(good.status) == ["good"] * 6 + ["bad"]
    assert good.is_partial
    bad = aggregate(
        **history(part13, 2), aggregate="DurationBad", interval=16, start=0, end=100
    )
    assert bad.value == pytest.approx([2, 0, 6, 0, 3, 3, np.nan], nan_ok=True)


# OPC 10000-13 v1.04, 3.1.5 and 3.1.6, tables of interpolated and extrapolated values
@pytest.mark.parametrize(
    ("stepped", "expected"), [(False, [15, 18, 25, 35, 37]), (True, [10, 10, 20, 30, 30])]
)
def test_interpolation_and_extrapolation_agree_with_the_standard(stepped, expected):
    times, values = [0.0, 10.0, 20.0], [10.0, 20.0, 30.0]
    found = aggregate(
        times,
        values,
        aggregate="Interpolative",
        interval=[5.0, 8.0, 15.0, 25.0, 27.0, 28.0],
        stepped=stepped,
        sloped_extrapolation=True,
    )
    assert found.value == pytest.approx(expected)
    assert list(found.status) == ["good"] * 3 + ["uncertain"] * 2


# TimescaleDB toolkit, issue 208
def test_a_value_before_the_interval_counts_to_its_start():
    minutes = np.array([0.0, 45.0, 60.0, 90.0, 120.0])
    found = aggregate(60 * minutes, [1, 2, 1, 2, 3], interval=3600, end=7200, stepped=True)
    assert found.value == pytest.approx([1.25, 1.5])


# AVEVA Historian, time-weighted average
@pytest.mark.parametrize(("stepped", "expected"), [(False, 15.0833), (True, 15.8333)])
def test_whole_range_agrees_with_aveva(stepped, expected):
    found = aggregate([0, 10, 30, 60], [10, 20, 15, 12], stepped=stepped)
    assert found.value == pytest.approx([expected], abs=5e-5)


# influxdb, issue 23929: an engine returns 6
def test_a_bounded_value_has_a_bounded_average():
    hours = pd.to_datetime(
        ["2026-01-01 11:00", "2026-01-01 12:00", "2026-01-01 13:00"], utc=True
    )
    found = aggregate(hours, [1, 0, 1], interval="1D", uncertain="usable")
    assert 0 <= found.value[0] <= 1


def test_statistics_of_raw_values_are_those_of_the_usable_ones():
    times, values = np.arange(6.0), [4.0, 1.0, 100.0, 7.0, 2.0, 3.0]
    quality = ["good", "good", "bad", "good", "good", "good"]

    def of(name):
        return float(aggregate(times, values, quality, aggregate=name, interval=6).value[0])

    assert of("Average") == pytest.approx(17 / 5)
    assert (of("Minimum"), of("Maximum"), of("Range"), of("Delta")) == (1, 7, 6, -1)
    assert (of("Start"), of("End"), of("Count"), of("Sum")) == (4, 3, 5, 17)
    spread = np.array([4, 1, 7, 2, 3])
    assert of("StandardDeviationSample") == pytest.approx(np.std(spread, ddof=1))
    assert of("StandardDeviationPopulation") == pytest.approx(np.std(spread))


def test_total_is_the_average_times_the_length():
    average = aggregate([0.0, 10.0], [2.0, 6.0], interval=5, end=10)
    total = aggregate([0.0, 10.0], [2.0, 6.0], aggregate="Total", interval=5, end=10)
    assert total.value == pytest.approx(average.value * 5)


def test_status_follows_the_shares_that_are_asked_for():
    times, values = [0.0, 2.0, 8.0, 10.0], [1.0, 1.0, 1.0, 1.0]
    quality = ["good", "bad", "good", "good"]
    kept = {"aggregate": "TimeAverage2", "interval": 10, "end": 10, "stepped": True}
    assert list(aggregate(times, values, quality, **kept).status) == ["uncertain"]
    assert list(aggregate(times, values, quality, **kept, percent_good=40).status) == ["good"]
    assert list(aggregate(times, values, quality, **kept, percent_bad=60).status) == ["bad"]


series = st.lists(
    st.tuples(st.integers(0, 60), st.floats(-100, 100), st.booleans()), min_size=1, max_size=12
)


@given(series, st.booleans())
def test_time_average_equals_naive(rows, stepped):
    rows = sorted({t: (t, v, ok) for t, v, ok in rows}.values())
    times, values = [float(r[0]) for r in rows], [r[1] for r in rows]
    usable = [r[2] for r in rows]
    quality = np.where(usable, 0, 2).astype(np.uint8)
    found = aggregate(times, values, quality, interval=7, start=0, end=63, stepped=stepped)
    expected = [
        time_average(a, a + 7, times, values, usable, stepped=stepped) for a in range(0, 63, 7)
    ]
    assert found.value == pytest.approx(expected, abs=1e-9, nan_ok=True)


@given(series, st.booleans())
def test_intervals_add_up_to_the_whole(rows, stepped):
    rows = sorted({t: (t, v, True) for t, v, _ in rows}.values())
    times, values = [float(r[0]) for r in rows], [r[1] for r in rows]
    first = times[0]
    parts = aggregate(
        times,
        values,
        aggregate="Total",
        interval=5,
        start=first,
        end=first + 65,
        stepped=stepped,
    )
    whole = aggregate(
        times, values, aggregate="Total", start=first, end=first + 65, stepped=stepped
    )
    assert parts.value.sum() == pytest.approx(whole.value[0], abs=1e-7)


@given(st.permutations(range(8)))
def test_the_order_of_arrival_does_not_matter(order):
    times, values = np.arange(8.0), np.arange(8.0) ** 2
    plain = aggregate(times, values, interval=3)
    mixed = aggregate(times[list(order)], values[list(order)], interval=3)
    assert mixed.value == pytest.approx(plain.value)
    assert (mixed.n_sorted > 0) == (list(order) != sorted(order))


def test_times_come_back_in_their_zone_and_days_may_have_23_hours():
    days = pd.date_range("2026-03-28", periods=4, freq="D", tz="Europe/Berlin")
    hours = pd.date_range("2026-03-28", "2026-03-31", freq="h", tz="Europe/Berlin")
    found = aggregate(hours, np.ones(len(hours)), aggregate="Count", interval=days)
    assert list(found.value) == [24, 23, 24]
    assert list(found.start) == list(days[:-1])
    assert list(found.to_frame().columns) == [
        "start",
        "end",
        "value",
        "status",
        "origin",
        "percent_good",
    ]


def test_what_is_not_used_is_counted():
    found = aggregate(
        [0.0, 2.0, 1.0, 2.0], [1.0, np.nan, 2.0, 3.0], ["good", "good", "uncertain", "good"]
    )
    assert (found.n_values, found.n_unused, found.n_missing) == (4, 2, 1)
    assert (found.n_sorted, found.n_same_time) == (1, 1)


def test_codes_and_words_of_quality_are_the_same():
    words = aggregate([0, 1, 2], [1, 2, 3], ["good", "bad", "good"], interval=2)
    codes = aggregate([0, 1, 2], [1, 2, 3], np.array([0, 2, 0], np.uint8), interval=2)
    assert words.value == pytest.approx(codes.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"aggregate": "Mean"}, "aggregate"),
        ({"values": [1.0]}, "lengths must agree"),
        ({"values": [[1.0, 2.0]]}, "one-dimensional"),
        ({"times": [], "values": []}, "nothing to aggregate"),
        ({"times": ["2026-01-01", "2026-01-02"]}, "no time zone"),
        ({"times": pd.DatetimeIndex(["2026-01-01", None], tz="UTC")}, r"times\[1\] is missing"),
        ({"times": ["noon", "night"]}, "numbers .* or instants"),
        ({"times": [0.0, 1e12]}, "within"),
        ({"tz": "UTC"}, "tz is for instants"),
        ({"quality": ["good", "fine"]}, "'fine'"),
        ({"quality": np.array([0, 3], np.uint8)}, "codes"),
        ({"interval": "soon"}, "interval must be a length"),
        ({"interval": "0s"}, "longer than zero"),
        ({"interval": -1}, "interval"),
        ({"interval": 1e-9, "end": 5.0}, "intervals"),
        ({"interval": [1.0, 0.0]}, "rising"),
        ({"interval": [0.0, 1.0], "start": 0.0}, "not needed"),
        ({"start": 5.0, "end": 5.0}, "before end"),
        ({"percent_bad": 101.0}, "percent_bad"),
        ({"raw_status": "both"}, "raw_status"),
        ({"uncertain": "good"}, "uncertain"),
    ],
)
def test_bad_input_says_what_to_do(change, message):
    given_ = {"times": [0.0, 1.0], "values": [1.0, 2.0]} | change
    with pytest.raises(InputError, match=message):
        aggregate(**given_)


def test_clock_times_that_do_not_exist_are_refused():
    with pytest.raises(InputError, match="Europe/Berlin"):
        aggregate(["2026-03-29 02:30", "2026-03-29 04:00"], [1, 2], tz="Europe/Berlin")
    found = aggregate(["2026-03-29 01:30", "2026-03-29 04:00"], [1, 2], tz="Europe/Berlin")
    assert str(found.start.tz) == "Europe/Berlin"


def test_lengths_of_intervals_may_be_written_in_several_ways():
    times, values = [0.0, 60.0, 120.0], [1.0, 2.0, 3.0]
    for length in (60, "1min", pd.Timedelta("1min"), dt.timedelta(minutes=1)):
        found = aggregate(times, values, interval=length, end=120)
        assert found.value == pytest.approx([1.5, 2.5])


def test_nothing_after_the_last_value_is_claimed_with_simple_bounds():
    found = aggregate([0.0, 1.0], [5.0, 5.0], aggregate="TimeAverage2", interval=1, end=3)
    assert found.value == pytest.approx([5, 5, np.nan], nan_ok=True)
    assert list(found.status) == ["good", "uncertain", "bad"]
    assert list(found.origin) == ["calculated", "calculated", "none"]


def test_values_at_one_time_are_a_step_on_a_line():
    found = aggregate([0.0, 5.0, 5.0, 10.0], [0.0, 0.0, 4.0, 4.0], interval=5, end=10)
    assert found.value[0] == pytest.approx(0.0)
    late = aggregate([0.0, 5.0, 5.0, 10.0], [0.0, 0.0, 4.0, 4.0], start=4.0, end=6.0)
    assert late.value == pytest.approx([2.0])
