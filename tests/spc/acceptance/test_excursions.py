"""Excursions of time series: crossings, time and area, phases, gaps, levels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive_acceptance import time_and_area

from pharmaq.errors import InputError, InputTypeError
from pharmaq.spc import Specification, check_excursions

LIMIT = Specification("x", "NMT 25")


def series(values: Any, time: Any = None, **columns: Any) -> pd.DataFrame:
    time = np.arange(len(values), dtype=float) if time is None else time
    return pd.DataFrame({"time": time, "x": values, **columns})


# by geometry: a triangle of height 3 over a base of 15, a trapezoid
@pytest.mark.parametrize(
    ("values", "time", "start", "end", "area"),
    [
        ([20, 24, 28, 24, 20], [0, 10, 20, 30, 40], 12.5, 27.5, 22.5),
        ([30, 30, 20], [0, 4, 6], 0.0, 5.0, 22.5),
        ([20, 30], [0, 2], 1.0, 2.0, 2.5),
        ([20, 30, 30, 20], [0, 2, 5, 7], 1.0, 6.0, 20.0),
    ],
)
def test_lines_cross_where_geometry_says(values, time, start, end, area) -> None:
    row = check_excursions(series(values, np.array(time, float)), LIMIT).table.iloc[0]
    assert (row["start"], row["end"], row["area"]) == pytest.approx((start, end, area))
    assert row["duration"] == pytest.approx(end - start)


def test_values_that_hold_last_until_the_next() -> None:
    found = check_excursions(series([20, 28, 27, 20.0]), LIMIT, interpolation="hold")
    row = found.table.iloc[0]
    assert (row["start"], row["end"], row["area"], row["peak"]) == (1.0, 3.0, 5.0, 28.0)


# slow twin: the line between points, in ten thousand steps
@given(st.lists(st.integers(15, 35), min_size=2, max_size=12))
def test_time_and_area_equal_fine_steps(values: list[int]) -> None:
    found = check_excursions(series(np.array(values, float)), LIMIT).table
    time, area = time_and_area(np.array(values, float), 25.0)
    assert found["duration"].sum() == pytest.approx(time, abs=2e-3 * len(values))
    assert found["area"].sum() == pytest.approx(area, abs=2e-3 * len(values))


def test_date_times_give_durations_in_the_unit_asked_for() -> None:
    time = pd.date_range("2024-03-01 08:00", periods=5, freq="10min", tz="UTC")
    found = check_excursions(series([20, 24, 28, 24, 20], time), LIMIT, time_unit="h")
    row = found.table.iloc[0]
    assert row["duration"] == pytest.approx(0.25)
    assert row["start"] == pd.Timestamp("2024-03-01 08:12:30", tz="UTC")
    assert found.findings[0].time == row["start"]
    assert "above 25 (limits of acceptance) for 0.25 h, up to 28" in found.findings[0].message
    by_index = series([20, 24, 28, 24, 20]).drop(columns="time").set_index(time)
    assert check_excursions(by_index, LIMIT, time_unit="h").table.equals(found.table)


def test_each_phase_has_its_range() -> None:
    data = series(
        [20, 30, 30, 30, 38, 20.0], phase=["heat", "heat", "hold", "hold", "hold", "cool"]
    )
    specs = [
        Specification("x", "NMT 25", phase="heat"),
        Specification("x", "28-35", phase="hold"),
    ]
    found = check_excursions(data, specs)
    rows = found.table[["phase", "side", "start", "end"]].to_numpy().tolist()
    # the step between phases belongs to neither
    assert rows == [["heat", "upper", 0.5, 1.0], ["hold", "upper", 3.625, 4.0]]
    held = check_excursions(data, specs, interpolation="hold").table
    assert held[["phase", "start", "end"]].to_numpy().tolist() == [
        ["heat", 1.0, 2.0],
        ["hold", 4.0, 5.0],
    ]


def test_batches_are_kept_apart() -> None:
    data = series([30, 30, 30, 30.0], time=[0, 1, 0, 1], batch=["A", "A", "B", "B"])
    for how in ("linear", "hold"):
        table = check_excursions(data, LIMIT, interpolation=how).table  # type: ignore[arg-type]
        assert table["batch"].tolist() == ["A", "B"]
        assert table["duration"].tolist() == [1.0, 1.0]


def test_recipe_limits_are_weaker_findings() -> None:
    spec = Specification("x", "10-40", alert="18-32", action="15-35")
    found = check_excursions(series([25, 33, 36, 41, 12, 25.0]), spec)
    levels = {(f.rule, f.severity) for f in found.findings}
    assert levels == {
        ("excursion", "action"),
        ("excursion_action", "action"),
        ("excursion_alert", "alert"),
    }
    sides = found.table.query("level == 'alert'")["side"].tolist()
    assert sides == ["upper", "lower"]
    assert found.table.query("side == 'lower' and level == 'alert'")["peak"].tolist() == [12.0]


def test_short_excursions_are_listed_as_tolerated() -> None:
    found = check_excursions(series([20, 26, 20, 30, 30, 20.0]), LIMIT, min_duration=1.0)
    assert found.table["tolerated"].tolist() == [True, False]
    assert [f.severity for f in found.findings] == ["info", "action"]


def test_gaps_and_missing_values_interrupt_and_are_counted() -> None:
    found = check_excursions(series([30, np.nan, 30, 30.0]), LIMIT)
    assert found.table["duration"].tolist() == [0.0, 1.0]
    seen = found.watched.iloc[0]
    assert seen[["n_points", "n_missing", "n_gaps", "time_watched"]].tolist() == [3, 1, 2, 1.0]
    apart = check_excursions(series([30, 30, 30.0], time=[0, 1, 9]), LIMIT, max_gap=2.0)
    assert apart.table["duration"].tolist() == [1.0, 0.0]
    assert apart.watched.loc[0, "time_outside"] == 1.0


def test_open_ends_take_the_limit_itself_for_outside() -> None:
    assert len(check_excursions(series([20, 25, 25, 20.0]), LIMIT).table) == 0
    row = check_excursions(series([20, 25, 25, 20.0]), Specification("x", "< 25")).table.iloc[0]
    assert (row["start"], row["end"], row["area"]) == (1.0, 2.0, 0.0)


def test_what_is_not_recorded_is_named() -> None:
    found = check_excursions(series([20.0, 21]), [LIMIT, Specification("ph", "5-7")])
    assert found.unchecked == ("ph",)
    assert found.findings[0].rule == "not_recorded"
    assert len(found.to_frame()) == 0
    other = series([30.0, 30], product="B")
    assert check_excursions(other, Specification("x", "NMT 25", product="A")).table.empty


@pytest.mark.parametrize(
    ("data", "options", "match"),
    [
        (series([20, 21.0], time=[1, 0]), {}, "time must rise strictly"),
        (series([20, 21.0], time=[0, 0]), {}, "time must rise strictly"),
        (series([20, 21.0], time=[0, None]), {}, "time must be known"),
        (series([20, 21.0]).rename(columns={"x": "y"}), {}, "names a column"),
        (series([20, 21.0]), {"interpolation": "spline"}, "interpolation"),
        (series([20, 21.0]), {"time_unit": "week"}, "time_unit"),
        (series([20, 21.0]), {"max_gap": 0.0}, "max_gap"),
        (series(["a", "b"]), {}, "x must hold numbers"),
    ],
)
def test_bad_series_are_named(data: Any, options: Any, match: str) -> None:
    with pytest.raises(InputError, match=match):
        check_excursions(data, LIMIT, **options)
    with pytest.raises(InputTypeError, match="DataFrame"):
        check_excursions([1.0], LIMIT)  # type: ignore[arg-type]
