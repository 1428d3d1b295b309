"""Alignment by time, maturity and indicator; phases; running batches; states; bad input."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from pharmaq import modelfile
from pharmaq.batches import Batches, as_batches
from pharmaq.errors import InputError, UnitsError
from pharmaq.mspc import BatchMonitor
from pharmaq.mspc.alignment import DTW, BatchAligner, align


def nylon() -> Batches:
    text = resources.files("process_improve") / "datasets" / "batch" / "nylon.csv"
    data = pd.read_csv(str(text))
    data["time"] = data.groupby("batch_id").cumcount()
    return as_batches(data, batch="batch_id")


def growth(lengths: tuple[int, ...] = (40, 50, 60), *, phases: bool = False) -> Batches:
    """Batches that go through the same course at other speeds."""
    parts = []
    for number, n in enumerate(lengths):
        share = np.linspace(0, 1, n)
        table = pd.DataFrame(
            {
                "batch": f"b{n}" + "+" * lengths[:number].count(n),
                "time": np.arange(n) * 0.5,
                "mass": share**2 * 10,
                "air": np.sin(3 * share),
            }
        )
        if phases:
            table["phase"] = np.where(share < 0.4, "lag", "growth")
        parts.append(table)
    return as_batches(pd.concat(parts, ignore_index=True), units={"mass": "g"}, time_units="h")


def changed(batches: Batches, **columns: Any) -> Batches:
    return as_batches(batches.to_frame().assign(**columns), units={"mass": "g"}, time_units="h")


# the nylon batches resampled to 100 points, made with numpy and with process-improve 2.2.0
def test_maturity_resamples_nylon(mspc_data: Path) -> None:
    expected = np.load(mspc_data / "nylon_resampled.npz")
    aligned = align(nylon(), method="maturity", n_points=100).batches
    np.testing.assert_array_equal(aligned["batch"], expected["ids"])
    values = aligned.to_dataarray().transpose("batch", "time", "variable")
    np.testing.assert_allclose(values, expected["X"], rtol=1e-12, atol=1e-9)


def test_time_stays_time_and_ends_stay_empty() -> None:
    result = align(growth(), method="resample", n_points=50)
    aligned = result.batches
    np.testing.assert_allclose(aligned["time"], np.arange(50) * 0.5)
    assert aligned["time"].attrs["units"] == "h"
    assert aligned["mass"].attrs["units"] == "g"
    np.testing.assert_allclose(aligned["warping"].sel(batch="b60"), aligned["time"])
    assert np.isnan(aligned["mass"].sel(batch="b40")[40:]).all()
    assert not aligned["interpolated"].any()
    rules = {(f.rule, f.subject, f.value) for f in result.findings}
    assert rules == {("ends_early", "b40", 10), ("beyond_grid", "b60", 10)}


@pytest.mark.parametrize("method", ["maturity", "indicator"])
def test_batches_of_one_course_meet(method: Any) -> None:
    result = align(growth(), method=method, indicator="mass", n_points=21)
    assert result.batches["time"].to_numpy() == pytest.approx(np.linspace(0, 1, 21))
    assert result.batches["time"].attrs["units"] == "1"
    # lines between samples are off by the curvature only
    spread = result.batches["air"].max("batch") - result.batches["air"].min("batch")
    assert float(spread.max()) < 0.02
    assert result.findings == ()


def test_interpolated_points_are_marked() -> None:
    aligned = align(growth((41, 41)), method="maturity", n_points=21).batches
    assert not aligned["interpolated"].any()
    aligned = align(growth((41, 41)), method="maturity", n_points=31).batches
    # every third point is a sample
    assert aligned["interpolated"].to_numpy().reshape(2, -1)[0, :30].reshape(-1, 3).sum() == 20


def test_missing_values_stay_missing_unless_a_gap_may_be_bridged() -> None:
    data = growth((41, 41))
    mass = data.frame["mass"].to_numpy().copy()
    mass[[10, 20, 21, 22, 40]] = np.nan
    frame = data.to_frame().assign(batch=np.repeat(["a", "b"], 41), mass=mass)
    batches = as_batches(frame, units={"mass": "g"}, time_units="h")
    plain = align(batches, method="resample", n_points=41)
    assert np.flatnonzero(np.isnan(plain.batches["mass"][0])).tolist() == [10, 20, 21, 22, 40]
    bridged = align(batches, method="resample", n_points=41, max_gap=1.0)
    assert np.flatnonzero(np.isnan(bridged.batches["mass"][0])).tolist() == [20, 21, 22, 40]
    assert float(bridged.batches["mass"][0, 10]) == pytest.approx((mass[9] + mass[11]) / 2)
    assert ("values_filled", "mass", 1) in {
        (f.rule, f.subject, f.value) for f in bridged.findings
    }
    assert bridged.summary["filled"].tolist() == [1, 0]


def test_a_late_start_leaves_the_beginning_empty() -> None:
    frame = growth().to_frame()
    late = frame[~((frame["batch"] == "b50") & (frame["time"] < 5))]
    result = align(late, method="resample", n_points=50)
    assert np.isnan(result.batches["mass"].sel(batch="b50")[:10]).all()
    assert "starts_late" in {f.rule for f in result.findings if f.subject == "b50"}


def test_an_indicator_that_turns_back_is_refused_or_repaired() -> None:
    data = growth()
    mass = data.frame["mass"].to_numpy().copy()
    mass[20:22] = mass[22], mass[19]
    batches = changed(data, mass=mass)
    with pytest.raises(InputError, match=r"'mass' turns back in batch 'b40' at time 10\.5"):
        align(batches, method="indicator", indicator="mass")
    for repair, rows in (("running", 1), ("isotonic", 2)):
        result = align(batches, method="indicator", indicator="mass", repair=repair)
        assert ("indicator_repaired", "b40", rows) in {
            (f.rule, f.subject, f.value) for f in result.findings
        }
        assert np.all(np.diff(result.warping.sel(batch="b40")) > 0)


def test_a_falling_indicator_and_missing_values_of_it_are_fine() -> None:
    data = growth()
    falling = 20 - data.frame["mass"].to_numpy()
    falling[5] = np.nan
    aligned = align(changed(data, mass=falling), method="indicator", indicator="mass").batches
    rising = align(data, method="indicator", indicator="mass").batches
    np.testing.assert_allclose(aligned["warping"][1:], rising["warping"][1:], atol=1e-9)


@pytest.mark.parametrize("method", ["resample", "maturity", "indicator", "dtw"])
def test_phases_follow_one_another(method: Any) -> None:
    dtw = DTW(weights="equal", reference="b50")
    options: dict[str, Any] = {"phases": "each", "indicator": "mass", "dtw": dtw}
    result = align(growth(phases=True), method=method, **options)
    aligned = result.batches
    assert list(dict.fromkeys(aligned["phase"].to_numpy())) == ["lag", "growth"]
    assert np.all(np.diff(aligned["time"]) > 0)
    lag = aligned["warping"].where(aligned["phase"] == "lag", drop=True)
    if method in {"maturity", "dtw"}:
        # the phase ends at 0.4 of each batch
        np.testing.assert_allclose(lag[:, -1], [7.5, 9.5, 11.5])


def test_points_are_shared_out_among_phases() -> None:
    batches = growth(phases=True)
    shared = BatchAligner("maturity", phases="each", n_points=50).fit(batches)
    assert [len(plan.time) for plan in shared.plans_] == [20, 30]
    named = BatchAligner("maturity", phases="each", n_points={"lag": 5, "growth": 7})
    assert [len(plan.time) for plan in named.fit(batches).plans_] == [5, 7]
    with pytest.raises(InputError, match="n_points must name each"):
        BatchAligner("maturity", phases="each", n_points={"lag": 5}).fit(batches)


def test_a_phase_that_is_not_there_stays_empty_and_is_told() -> None:
    batches = growth(phases=True)
    aligner = BatchAligner(phases="each", dtw=DTW(reference="b50", weights="equal")).fit(
        batches
    )
    frame = batches.to_frame()
    kept = frame[(frame["batch"] != "b40") | (frame["phase"] == "lag")]
    frame.loc[0, "phase"] = np.nan
    result = aligner.align(as_batches(kept, units={"mass": "g"}, time_units="h"))
    assert ("phase_missing", "b40") in {(f.rule, f.subject) for f in result.findings}
    assert np.isnan(result.batches["air"].sel(batch="b40")[-10:]).all()
    outside = aligner.align(as_batches(frame, units={"mass": "g"}, time_units="h"))
    assert ("outside_phases", "b40", 1) in {
        (f.rule, f.subject, f.value) for f in outside.findings
    }


@pytest.mark.parametrize(
    ("phase", "match"),
    [
        (["a", "b", "a"], "interrupted"),
        (["b", "a", "a"], "runs before"),
        ([None, None, None], "with phases"),
    ],
)
def test_phases_that_cannot_be_aligned_are_named(phase: list[Any], match: str) -> None:
    frame = pd.DataFrame(
        {
            "batch": np.repeat(["p", "q", "r"], 6),
            "time": np.tile(np.arange(6), 3),
            "phase": np.concatenate([np.repeat(phase, 2), np.tile(list("aaabbb"), 2)])
            if phase[0]
            else None,
            "x": np.arange(18.0),
        }
    )
    with pytest.raises(InputError, match=match):
        align(frame, method="maturity", phases="each")


def test_an_aborted_batch_is_stretched_and_told_or_named_unfinished() -> None:
    frame = growth().to_frame()
    short = frame[(frame["batch"] != "b40") | (frame["time"] < 5)]
    batches = as_batches(short)
    for method in ("maturity", "dtw"):
        result = align(batches, method=method, dtw=DTW(weights="equal", reference="b50"))
        assert ("stretched", "b40") in {(f.rule, f.subject) for f in result.findings}
        result = align(batches, method=method, unfinished=["b40"], dtw=DTW(weights="equal"))
        assert [f.rule for f in result.findings] == ["ends_early"]
        assert np.isnan(result.batches["air"].sel(batch="b40")[-20:]).all()
    assert result.aligner.reference_ == "b50"


def test_a_batch_with_one_row_has_no_duration_but_can_be_unfinished() -> None:
    frame = growth().to_frame()
    single = frame[(frame["batch"] != "b40") | (frame["time"] == 0)]
    with pytest.raises(InputError, match="'b40' has a single row"):
        align(single, method="maturity")
    for method in ("maturity", "dtw", "resample"):
        result = align(single, method=method, unfinished=["b40"])
        assert np.isfinite(result.batches["air"].sel(batch="b40")).sum() == 1
    with pytest.raises(InputError, match="nothing to align by"):
        align(single[single["batch"] == "b40"], method="dtw")


@pytest.mark.parametrize("method", ["resample", "maturity", "indicator"])
def test_a_running_batch_stands_where_it_is_found_afterwards(method: Any) -> None:
    batches = growth()
    aligner = BatchAligner(method, indicator="mass").fit(batches)
    session = aligner.start("b50")
    found = aligner.transform(batches.select(["b50"]), unfinished="all")
    trace = batches.traces()["b50"]
    reached = [
        session.update(t, dict(zip(batches.variables, x, strict=True)))
        for t, x in zip(trace.time, trace.values, strict=True)
    ]
    # the aligned time reached by each row is where its own time stands
    back = np.interp(trace.time, found["warping"][0], found["time"])
    # lines between points of the grid are not those between rows
    np.testing.assert_allclose(reached, back, atol=0.005 if method == "indicator" else 1e-9)
    assert (session.n_updates, session.n_missing, session.n_held) == (50, 0, 0)
    assert session.index == len(aligner.time_) - 1


@pytest.mark.parametrize("slope", [None, 1.0])
def test_a_running_batch_is_warped_as_an_unfinished_one(slope: float | None) -> None:
    batches = growth()
    dtw = DTW(weights="equal", reference="b50", slope=slope)
    aligner = BatchAligner(dtw=dtw).fit(batches.select(["b40", "b50"]))
    trace = batches.traces()["b60"]
    session = aligner.start("b60")
    for row, (t, x) in enumerate(zip(trace.time, trace.values, strict=True), start=1):
        reached = session.update(t, dict(zip(batches.variables, x, strict=True)))
        if row in {5, 30, 45, 60}:
            part = batches.frame[batches.frame["batch"] == "b60"].iloc[:row]
            begun = as_batches(part, units={"mass": "g"}, time_units="h")
            known = aligner.transform(begun, unfinished="all")["warping"][0]
            assert reached == aligner.time_[int(np.isfinite(known).sum()) - 1]
    assert session.n_at_end >= 1


@pytest.mark.parametrize("method", ["resample", "maturity", "indicator", "dtw"])
def test_a_session_goes_on_after_a_restart(method: Any) -> None:
    batches = growth(phases=True)
    options: dict[str, Any] = {"phases": "each", "indicator": "mass"}
    aligner = BatchAligner(method, **options).fit(batches)
    frame = batches.frame[batches.frame["batch"] == "b50"]
    rows = [(r.time, {"mass": r.mass, "air": r.air}, r.phase) for r in frame.itertuples()]
    through, session = aligner.start("b50"), aligner.start("b50")
    for number, (t, x, phase) in enumerate(rows):
        if number in {0, 7, 30}:
            state = json.loads(json.dumps(session.to_state()))
            session = BatchAligner.from_state(aligner.to_state()).resume(state)
        assert through.update(t, x, phase=phase) == session.update(t, x, phase=phase)
    assert session.to_state() == through.to_state()


def test_running_batches_with_missing_values_are_held_and_counted() -> None:
    batches = growth()
    aligner = BatchAligner(dtw=DTW(weights="equal", reference="b50")).fit(batches)
    session = aligner.start("new")
    assert np.isnan(session.position)
    session.update(0.0, {"mass": 0.0, "air": 0.0})
    session.update(0.5, {"mass": 5.0, "air": None})  # type: ignore[dict-item]
    there = session.position
    assert session.update(1.0, {}) == there
    assert session.update(1.5, {"mass": 0.0, "air": 0.0}) == there
    assert (session.n_missing, session.n_held, session.n_updates) == (3, 1, 4)


def test_an_indicator_that_steps_back_while_running_is_held() -> None:
    aligner = BatchAligner("indicator", indicator="mass").fit(growth())
    session = aligner.start("new")
    positions = [session.update(t, {"mass": m}) for t, m in enumerate([0.0, 5.0, 4.0, np.nan])]
    assert positions[1] == positions[2] == positions[3] == pytest.approx(0.5)
    assert session.n_held == 1


@pytest.mark.parametrize(
    ("time", "values", "options", "match"),
    [
        (0.0, {"mass": 1.0}, {}, "time must go on"),
        (2.0, {"weight": 1.0}, {}, "values name"),
        (2.0, {"mass": np.inf}, {}, "finite or missing"),
        (2.0, {"mass": 1.0}, {"phase": "end"}, "phase must be one of"),
        (2.0, {"mass": 1.0}, {"phase": "lag"}, "not come back"),
    ],
)
def test_bad_updates_are_named(
    time: float, values: dict[str, float], options: dict[str, Any], match: str
) -> None:
    aligner = BatchAligner("maturity", phases="each").fit(growth(phases=True))
    session = aligner.start("new")
    session.update(1.0, {"mass": 1.0}, phase="growth")
    with pytest.raises(InputError, match=match):
        session.update(time, values, **options)


def test_a_fitted_aligner_survives_a_model_file(tmp_path: Path) -> None:
    batches = growth(phases=True)
    for aligner in (
        BatchAligner(phases="each", dtw=DTW(weights={"mass": 1.0, "air": 2.0})),
        BatchAligner("maturity", phases="each", n_points={"lag": 5, "growth": 9}),
        BatchAligner("indicator", indicator="mass", n_points=9, add_warping=True),
    ):
        aligner.fit(batches)
        modelfile.save(tmp_path / "a.pqm", "aligner", aligner.to_state())
        back = BatchAligner.from_state(modelfile.load(tmp_path / "a.pqm", "aligner")[0])
        assert back.transform(batches).identical(aligner.transform(batches))
        assert back.time_units_ == aligner.time_units_


def test_aligned_batches_can_be_monitored() -> None:
    batches = nylon()
    aligned = align(batches, dtw=DTW(weights="ramaker"), add_warping=True).batches
    assert "warping" in aligned.data_vars
    scores = BatchMonitor(n_components=2).fit(aligned).score(aligned)
    assert len(scores.t2) == 57


@given(st.integers(2, 40), st.integers(2, 40), st.floats(0.1, 100.0))
def test_units_of_time_do_not_matter_for_maturity(n: int, points: int, scale: float) -> None:
    x = np.cumsum(np.random.default_rng(n).normal(size=n))
    frame = pd.DataFrame({"batch": "a", "time": np.arange(n) * 1.0, "x": x})
    one = align(frame, method="maturity", n_points=points).batches["x"]
    other = align(
        frame.assign(time=frame["time"] * scale), method="maturity", n_points=points
    ).batches["x"]
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)
    assert (one[0, 0], one[0, -1]) == (x[0], x[-1])


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"method": "cow"}, "method must be one of"),
        ({"method": "maturity", "phases": "both"}, "phases must be one of"),
        ({"method": "indicator"}, "indicator must be one of"),
        ({"method": "indicator", "indicator": "z"}, "indicator must be one of"),
        ({"method": "maturity", "repair": "smooth"}, "repair must be one of"),
        ({"method": "maturity", "max_gap": -1.0}, "max_gap must lie in"),
        ({"method": "maturity", "n_points": 1}, "n_points must be at least 2"),
        ({"method": "maturity", "unfinished": ["z"]}, "unfinished must name"),
        ({"method": "maturity", "unfinished": "some"}, "unfinished must name"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        align(growth(), **options)


def test_indicators_that_tell_nothing_are_named() -> None:
    data = growth()
    with pytest.raises(InputError, match="ends where it starts"):
        align(changed(data, mass=3.0), method="indicator", indicator="mass")
    mass = data.frame["mass"].where(data.frame["batch"] != "b40")
    with pytest.raises(InputError, match="'b40' has no value of the indicator"):
        align(changed(data, mass=mass), method="indicator", indicator="mass")


def test_other_variables_and_units_are_refused() -> None:
    batches = growth()
    aligner = BatchAligner("maturity").fit(batches)
    frame = batches.to_frame()
    with pytest.raises(InputError, match=r"lack \['air'\]"):
        aligner.transform(as_batches(frame.drop(columns="air"), time_units="h"))
    with pytest.raises(UnitsError, match="mass is in 'kg'"):
        aligner.transform(as_batches(frame, units={"mass": "kg"}, time_units="h"))
    with pytest.raises(UnitsError, match="time is in 'min'"):
        aligner.transform(as_batches(frame, units={"mass": "g"}, time_units="min"))
    turned = as_batches(
        frame[["time", "batch", "air", "mass"]], units={"mass": "g"}, time_units="h"
    )
    assert aligner.transform(turned).identical(aligner.transform(batches))
    with pytest.raises(InputError, match="batches have no phases"):
        BatchAligner("maturity", phases="each").fit(growth(phases=True)).transform(batches)


def test_an_aligner_is_an_estimator() -> None:
    aligner = BatchAligner("maturity", n_points=7)
    assert clone(aligner).get_params() == aligner.get_params()
    with pytest.raises(NotFittedError):
        aligner.transform(growth())


def test_a_result_is_a_frame_and_a_dictionary() -> None:
    result = align(growth(), method="maturity")
    assert list(result.to_frame()["rows"]) == [40, 50, 60]
    assert json.loads(json.dumps(result.to_dict()))["method"] == "maturity"
    assert "Alignment(" in repr(result)


def test_pictures_show_batches_before_and_after() -> None:
    result = align(growth(phases=True), method="maturity", phases="each")
    axes = result.plot(variable="air", batch="b40")
    assert [ax.get_title(loc="left") for ax in axes] == ["before", "after: maturity"]
    assert axes[0].get_ylabel() == "air"
    assert axes[0].get_xlabel() == "time / h"
    assert axes[1].get_xlabel() == "maturity"
    drawn = axes[1].lines[1].get_ydata()
    np.testing.assert_array_equal(drawn, result.batches["air"].sel(batch="b50"))
    assert {text.get_text() for text in axes[1].texts} == {"lag", "growth"}
    again = result.plot(ax=axes)
    assert again[0].get_ylabel() == "mass / g"
    ax = result.plot_warping(batch="b60")
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), result.warping[0])
    assert result.plot_warping(ax=ax) is ax
    with pytest.raises(InputError, match="variable must be one of"):
        result.plot(variable="z")
    with pytest.raises(InputError, match="batch must be one of"):
        result.plot_warping(batch="z")
    with pytest.raises(InputError, match="two Axes"):
        result.plot(ax=[ax])
    plt.close("all")
