"""What every control chart can do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from pharmaq.errors import FormatError, InputError
from pharmaq.spc import (
    ControlChart,
    c_chart,
    cusum_chart,
    ewma_chart,
    individuals_chart,
    p_chart,
    xbar_r_chart,
    xbar_s_chart,
)

if TYPE_CHECKING:
    from pathlib import Path

X = np.random.default_rng(5).normal(10, 1, 24)
CHARTS = {
    "individuals": lambda: individuals_chart(X, labels=[f"B{i}" for i in range(24)], usl=14),
    "xbar_r": lambda: xbar_r_chart(X, subgroups=4, exclude={1: "spill"}),
    "xbar_s": lambda: xbar_s_chart([X[:3], X[3:8], X[8:10]]),
    "p": lambda: p_chart([3, 4, 30, 2], [50, 60, 55, 40]),
    "c": lambda: c_chart([3, 4, 5], stages=[1, 1, 1]),
    "ewma": lambda: ewma_chart(X, lam=0.1),
    "cusum": lambda: cusum_chart(X, side="upper"),
}


@pytest.fixture(params=CHARTS)
def chart(request: pytest.FixtureRequest) -> ControlChart:
    return CHARTS[request.param]()


def test_a_saved_chart_comes_back_whole(chart: ControlChart, tmp_path: Path) -> None:
    chart.save(tmp_path / "chart.pqm")
    again = ControlChart.load(tmp_path / "chart.pqm")
    pd.testing.assert_frame_equal(again.to_frame(), chart.to_frame())
    assert again.to_dict() == chart.to_dict()
    assert type(again.upper) is type(chart.upper)


def test_a_saved_chart_goes_on_monitoring(tmp_path: Path) -> None:
    chart = ewma_chart(X, lam=0.1)
    chart.save(tmp_path / "chart.pqm")
    new = [10.5, 11.0]
    ours = ControlChart.load(tmp_path / "chart.pqm").extend(new)
    np.testing.assert_array_equal(ours.statistic, chart.extend(new).statistic)


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "chart.pqm"
    individuals_chart(X).save(path)
    path.write_bytes(path.read_bytes().replace(b"individuals", b"individualz"))
    with pytest.raises(FormatError, match="truncated or changed"):
        ControlChart.load(path)


def test_the_result_is_a_frame_and_json(chart: ControlChart) -> None:
    frame = chart.to_frame()
    assert len(frame) == chart.n_points
    assert frame["signal"].sum() == len(chart.signals)
    json.dumps(chart.to_dict(), allow_nan=False)
    assert "<table" in chart._repr_html_()
    assert len(repr(chart)) < 400


def test_a_finding_names_point_value_and_limit() -> None:
    chart = individuals_chart([10.0, 10.2, 9.9], center=10, sigma=0.1, labels=["a", "b", "c"])
    chart = chart.extend([11.0], labels=["d"])
    (finding,) = (f for f in chart.findings if "Individuals" in f.message)
    assert (finding.subject, finding.severity, finding.value) == ("d", "alert", 11.0)
    assert finding.limit == pytest.approx(10.3)
    assert "above the upper control limit" in finding.message
    assert not chart.in_control


def test_a_point_on_the_limit_is_within() -> None:
    chart = individuals_chart([10.0, 13.0, 7.0], center=10, sigma=1)
    assert chart.signals.size == 0
    assert chart.extend([np.nextafter(13, 14)]).signals.tolist() == [3]


def test_labels_go_on_or_are_asked_for() -> None:
    assert individuals_chart(X).extend([1.0]).labels[-1] == 25
    with pytest.raises(InputError, match="labels must be given"):
        individuals_chart(X, labels=[f"B{i}" for i in range(24)]).extend([1.0])
    with pytest.raises(InputError, match="labels has shape"):
        individuals_chart(X).extend([1.0], labels=["a", "b"])


def test_times_are_kept_as_utc() -> None:
    times = pd.date_range("2026-01-01", periods=24, freq="D", tz="Europe/Zurich")
    chart = individuals_chart(X, labels=times)
    assert chart.labels.dtype.kind == "M"
    assert chart.labels[0] == np.datetime64("2025-12-31T23:00")
    found = individuals_chart(X, labels=times, center=0.0, sigma=1.0).findings[0]
    assert str(found.time) == "2025-12-31 23:00:00+00:00"
    other = individuals_chart(X, labels=list(times))
    np.testing.assert_array_equal(other.labels, chart.labels)


def test_the_index_of_a_series_names_the_points() -> None:
    days = pd.date_range("2026-03-01", periods=24, freq="D")
    series = pd.Series(X, index=days)
    for chart in (individuals_chart(series), ewma_chart(series), cusum_chart(series)):
        np.testing.assert_array_equal(chart.labels, days.to_numpy())
    counts = pd.Series([3, 4, 5], index=["A", "B", "C"])
    assert c_chart(counts).labels.tolist() == ["A", "B", "C"]
    assert p_chart(counts, 50).labels.tolist() == ["A", "B", "C"]
    # an index that only counts is no name
    assert individuals_chart(pd.Series(X)).labels.tolist() == list(range(1, 25))
    assert individuals_chart(series, labels=range(24)).labels[0] == 0


def test_new_data_of_another_form_are_refused() -> None:
    with pytest.raises(InputError, match="subgroups has no meaning"):
        individuals_chart(X).extend([1.0, 2.0], subgroups=2)
    with pytest.raises(InputError, match="subgroup a row"):
        xbar_r_chart(X, subgroups=4).extend([1.0, 2.0])


def drawn_labels(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_limits_are_drawn_and_named() -> None:
    chart = individuals_chart([10.0, 10.2, 9.9], center=10, sigma=0.1, usl=12, target=10.5)
    ax = chart.extend([11.0]).plot()
    names = drawn_labels(ax)
    assert {"CL 10", "LCL 9.7", "UCL 10.3", "USL 12", "Target 10.5", "phase 2"} <= set(names)
    below = ax.figure.axes[1]
    assert any(name.startswith("UCL") for name in drawn_labels(below))


def test_signals_and_exclusions_are_marked() -> None:
    chart = individuals_chart([10.0, 10.2, 9.9, 12.0], center=10, sigma=0.1, exclude={0: "x"})
    ax = chart.plot()
    signals, left_out = (c.get_offsets().tolist() for c in ax.collections)
    assert signals == [[4.0, 12.0]]
    assert left_out == [[1.0, 10.0]]


def test_a_center_that_rounding_moved_from_zero_is_named_zero() -> None:
    import matplotlib.pyplot as plt

    ax = individuals_chart(X, center=7e-17, sigma=1).plot()
    assert "CL 0" in [text.get_text() for text in ax.texts]
    small = individuals_chart(np.array(X) * 1e-15).plot()
    assert "CL 0" not in [text.get_text() for text in small.texts]
    plt.close("all")


def test_given_axes_are_drawn_on_alone() -> None:
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    assert individuals_chart(X).plot(ax=ax, zones=True) is ax
    assert len(ax.figure.axes) == 1
    plt.close("all")


def test_every_kind_is_drawn(chart: ControlChart) -> None:
    import matplotlib.pyplot as plt

    ax = chart.plot(zones=True)
    assert ax.get_title(loc="left") == chart.title
    plt.close("all")


def test_many_points_are_drawn_as_a_line() -> None:
    import matplotlib.pyplot as plt

    ax = individuals_chart(np.random.default_rng(0).normal(size=400)).plot()
    assert ax.lines[0].get_marker() in ("None", "")
    plt.close("all")
