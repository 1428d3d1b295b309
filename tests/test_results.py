"""Results speak JSON, show themselves shortly, and findings are one frame."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmaq.errors import InputError, InputTypeError
from pharmaq.results import Finding, Result, findings_frame, json_safe, worst_severity

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class Mean(Result):
    """A result of the kind that pharmaq returns."""

    mean: float
    residuals: Any = None
    labels: Any = ()

    def to_frame(self) -> pd.DataFrame:
        return pd.DataFrame({"<mean>": [self.mean]})


def finding(severity: Any = "alert", **fields: Any) -> Finding:
    return Finding(rule="spe_limit", severity=severity, subject="T1", message="SPE", **fields)


@given(plain)
def test_what_json_can_write_stays_as_it_is(value: Any) -> None:
    assert json_safe(value) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float64(0.5), 0.5),
        (np.float32(0.5), 0.5),
        (np.int8(3), 3),
        (np.bool_(1), True),
        (np.array(2.5), 2.5),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.array(["a", "b"]), ["a", "b"]),
        (pd.Series(["a", None]), ["a", None]),
        ((1, [np.float64(2.0)]), [1, [2.0]]),
        ({1: np.int64(2)}, {"1": 2}),
        (Path("a") / "b", str(Path("a") / "b")),
    ],
)
def test_numpy_pandas_and_paths_become_plain_python(value: Any, expected: Any) -> None:
    out = json_safe(value)
    assert out == expected
    assert type(out) is type(expected)


@pytest.mark.parametrize(
    "missing",
    [
        math.nan,
        math.inf,
        -math.inf,
        np.float32("nan"),
        pd.NA,
        pd.NaT,
        np.datetime64("NaT"),
        np.timedelta64("NaT", "s"),
        np.array(math.nan),
    ],
)
def test_what_json_has_no_word_for_becomes_none(missing: Any) -> None:
    assert json_safe(missing) is None
    assert json_safe([missing, {"a": missing}]) == [None, {"a": None}]


def test_missing_values_in_arrays_become_none() -> None:
    times = np.array(["2026-01-02T03:04:05", "NaT"], dtype="datetime64[s]")
    waits = np.array([[90, "NaT"]], dtype="timedelta64[s]")
    assert json_safe(np.array([1.0, math.nan, math.inf])) == [1.0, None, None]
    assert json_safe(times) == ["2026-01-02T03:04:05", None]
    assert json_safe(waits) == [["P0DT0H1M30S", None]]
    assert json_safe(pd.array([1, None], dtype="Int64")) == [1, None]


# ISO 8601
@pytest.mark.parametrize(
    ("time", "text"),
    [
        (dt.date(2026, 1, 2), "2026-01-02"),
        (dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC), "2026-01-02T03:04:00+00:00"),
        (pd.Timestamp("2026-01-02 03:04", tz="UTC"), "2026-01-02T03:04:00+00:00"),
        (np.datetime64("2026-01-02T03:04"), "2026-01-02T03:04"),
        (dt.time(3, 4), "03:04:00"),
        (dt.timedelta(days=1, seconds=5), "P1DT0H0M5S"),
        (pd.Timedelta("90min"), "P0DT1H30M0S"),
        (np.timedelta64(5, "s"), "P0DT0H0M5S"),
    ],
)
def test_times_and_durations_become_iso_text(time: Any, text: str) -> None:
    assert json_safe(time) == text


@pytest.mark.parametrize("value", [object(), {1}, b"a", 1j, np.complex64(2j), [pd, 1]])
def test_what_has_no_plain_form_is_a_type_error(value: Any) -> None:
    with pytest.raises(InputTypeError, match="has no JSON form"):
        json_safe(value)


def test_two_keys_that_are_the_same_as_text_are_refused() -> None:
    with pytest.raises(InputError, match=r"keys must differ as text, got \[1, '1'\]"):
        json_safe({"nested": {1: "a", "1": "b"}})


def test_a_result_is_a_dictionary_that_json_can_write() -> None:
    inner = Mean(mean=math.nan)
    result = Mean(mean=np.float64(1.5), residuals=np.array([0.5, -0.5]), labels=[inner])
    text = json.dumps(result.to_dict(), allow_nan=False)
    assert json.loads(text) == {
        "mean": 1.5,
        "residuals": [0.5, -0.5],
        "labels": [{"mean": None, "residuals": None, "labels": []}],
    }


def test_a_result_shows_the_shape_of_what_is_long() -> None:
    frame = pd.DataFrame({"a": range(9), "b": range(9)})
    result = Mean(mean=1.5, residuals=np.zeros((3, 4)), labels=frame)
    assert repr(result) == "Mean(mean=1.5, residuals=<array 3 x 4>, labels=<frame 9 x 2>)"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (list(range(6)), "[0, 1, 2, 3, 4, 5]"),
        (list(range(7)), "<7 items>"),
        ({str(i): i for i in range(7)}, "<7 items>"),
        ("a long text", "'a long text'"),
    ],
)
def test_a_result_shows_what_is_short_in_full(value: Any, text: str) -> None:
    assert f"labels={text})" in repr(Mean(mean=1.0, labels=value))


def test_a_frame_becomes_a_list_of_rows() -> None:
    frame = pd.DataFrame({"source": ["part", "gage"], "variance": [1.5, np.nan]})
    rows = [{"source": "part", "variance": 1.5}, {"source": "gage", "variance": None}]
    assert json_safe({"table": frame}) == {"table": rows}


def test_a_result_shows_its_frame_in_a_notebook() -> None:
    page = Mean(mean=1.5)._repr_html_()
    assert page.startswith("<p><b>Mean</b></p><table")
    assert "&lt;mean&gt;" in page


def test_a_result_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Mean(mean=1.0).mean = 2.0  # type: ignore[misc]


def test_a_result_needs_a_frame() -> None:
    class Bare(Result):
        pass

    with pytest.raises(TypeError, match="to_frame"):
        Bare()  # type: ignore[abstract]


def test_a_finding_is_a_dictionary_that_json_can_write() -> None:
    time = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    found = finding("action", value=np.float64(3.5), limit=math.inf, time=time)
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False)) == {
        "rule": "spe_limit",
        "severity": "action",
        "subject": "T1",
        "message": "SPE",
        "value": 3.5,
        "limit": None,
        "time": "2026-01-02T00:00:00+00:00",
    }


@pytest.mark.parametrize("severity", ["warning", "Action", "", None, 3])
def test_a_severity_that_does_not_exist_is_refused(severity: Any) -> None:
    with pytest.raises(InputError, match="severity must be one of 'info', 'alert', 'action'"):
        finding(severity)


def test_findings_are_one_frame_in_the_order_given() -> None:
    frame = findings_frame([finding("action", value=3.0), finding("info")])
    assert frame["severity"].tolist() == ["action", "info"]
    assert frame["value"].iloc[0] == 3.0


def test_the_frame_of_no_findings_has_all_columns() -> None:
    frame = findings_frame(iter(()))
    assert frame.shape == (0, 7)
    assert frame.columns.tolist() == [
        "rule", "severity", "subject", "message", "value", "limit", "time",
    ]  # fmt: skip


@given(st.lists(st.sampled_from(["info", "alert", "action"])))
def test_the_worst_severity_is_the_highest(severities: list[str]) -> None:
    order = {"info": 1, "alert": 2, "action": 3}
    worst = worst_severity(finding(severity) for severity in severities)
    assert worst == (sorted(severities, key=order.__getitem__)[-1] if severities else None)
