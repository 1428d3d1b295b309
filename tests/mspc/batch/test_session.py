"""Batches that run: one observation at a time, interrupted, incomplete, out of order."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from naive_batches import dataset, simulate
from pharmaq.errors import FormatError, InputError, InputTypeError
from pharmaq.mspc import BatchLimits, BatchMoment, BatchMonitor, BatchSession

INFILLS = ["zero", "current", "pmp", "tsr", "conditional"]
TRAINING = BatchLimits(values="training")
NAMES = ["v0", "v1", "v2"]


def monitor(**options: Any) -> BatchMonitor:
    fitted = BatchMonitor(2, **({"limits": TRAINING} | options))
    return fitted.fit(dataset(simulate(12, 8, 3)), np.linspace(0, 1, 12) ** 2)


def feed(session: BatchSession, values: np.ndarray, first: int = 0) -> list[BatchMoment]:
    """Send all rows of (K, J) in which something was measured."""
    return [
        session.update(float(first + k), dict(zip(NAMES, row, strict=True)))
        for k, row in enumerate(values)
        if not np.isnan(row).all()
    ]


def holes() -> np.ndarray:
    """A batch with a sensor lost for a while, a gap, and another sensor lost to the end."""
    values = simulate(1, 8, 3, seed=5)[0]
    values[2:4, 1] = np.nan
    values[5] = np.nan
    values[6:, 0] = np.nan
    return values


# Public nylon batches: numpy and process-improve 2.2.0 agree on these scores
@pytest.mark.parametrize("infill", ["zero", "current", "pmp", "tsr"])
def test_live_scores_of_nylon_batch_match(
    nylon: xr.Dataset, golden: dict[str, Any], infill: Any
) -> None:
    session = BatchMonitor(3, infill=infill, limits=TRAINING).fit(nylon).start("1")
    rows = nylon.isel(batch=0).to_dataframe()[list(nylon.data_vars)]
    moments = [session.update(time, row.to_dict()) for time, row in rows.iterrows()]
    signs = np.sign(moments[-1].scores * golden["offline_scores_batch0"])
    for time, expected in golden["online_scores_batch0"][infill].items():
        np.testing.assert_allclose(moments[int(time) - 1].scores * signs, expected, atol=1e-9)


@pytest.mark.parametrize("infill", INFILLS)
@pytest.mark.parametrize("values", [simulate(1, 8, 3, seed=5)[0], holes()])
@pytest.mark.parametrize("phases", ["whole", "each"])
def test_live_is_what_score_says_afterwards(
    infill: Any, values: np.ndarray, phases: Any
) -> None:
    phase = ("time", ["a"] * 3 + ["b"] * 5)
    fitted = BatchMonitor(2, infill=infill, phases=phases, limits=TRAINING)
    fitted.fit(dataset(simulate(12, 8, 3), phase=phase))
    session = fitted.start("B00")
    moments = feed(session, values)
    result = fitted.score(dataset(values[None]))
    for moment in moments:
        for name in ("t2", "spe", "spe_cumulative"):
            expected = getattr(result, name)[0, moment.position]
            assert getattr(moment, name) == pytest.approx(expected, rel=1e-7)
            limit = getattr(result, f"{name}_limit")[:, moment.position]
            np.testing.assert_array_equal(getattr(moment, f"{name}_limit"), limit)
    shares = result.contributions("B00", statistic="t2").set_index("variable")["contribution"]
    if phases == "whole":
        np.testing.assert_allclose(moments[-1].t2_contributions, shares[NAMES], rtol=1e-6)
    np.testing.assert_array_equal(session.result().t2, result.t2)


@pytest.mark.parametrize("infill", INFILLS)
def test_contributions_sum_to_statistics_of_the_moment(infill: Any) -> None:
    for moment in feed(monitor(infill=infill).start("x"), holes()):
        assert moment.t2_contributions.sum() == pytest.approx(moment.t2, rel=1e-9)
        assert np.abs(moment.spe_contributions).sum() == pytest.approx(moment.spe, rel=1e-9)
    assert moment.contributions()["variable"].tolist()[-1] in NAMES
    assert moment.to_frame()["statistic"].tolist() == ["t2", "spe", "spe_cumulative"]
    json.dumps(moment.to_dict())


CHILD = """
import json, sys, time
import numpy as np
from pharmaq.mspc import BatchMonitor

session = BatchMonitor.load(sys.argv[1]).start("B7")
names = ["v0", "v1", "v2"]
for k, row in enumerate(json.loads(sys.argv[2])):
    session.update(float(k), dict(zip(names, row)))
    session.update(float(k), dict(zip(names, row)))
    print(json.dumps(session.to_dict()), flush=True)
    if k == 4:
        time.sleep(60)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs a process that can be killed")
def test_session_killed_in_mid_batch_goes_on_with_the_same_numbers(tmp_path: Path) -> None:
    fitted = monitor()
    fitted.save(tmp_path / "monitor.pqm")
    values = holes()
    rows = [[None if np.isnan(v) else float(v) for v in row] for row in values]
    command = [sys.executable, "-c", CHILD, str(tmp_path / "monitor.pqm"), json.dumps(rows)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        states = [child.stdout.readline() for _ in range(5)]
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
    session = BatchMonitor.load(tmp_path / "monitor.pqm").resume(json.loads(states[-1]))
    assert session.counts["duplicate"] == 5
    resumed = feed(session, values[5:], first=5)
    through = feed(fitted.start("B7"), values)[-len(resumed) :]
    for one, other in zip(resumed, through, strict=True):
        assert one.to_dict() == other.to_dict()
    assert session.forecast().to_dict()["quality"] == pytest.approx(
        session.forecast().quality.tolist()
    )


def test_state_is_json_and_knows_its_monitor() -> None:
    fitted = monitor()
    session = fitted.start("x")
    feed(session, simulate(1, 8, 3, seed=5)[0][:3])
    state = json.loads(json.dumps(session.to_dict()))
    again = fitted.resume(state)
    assert (again.position, again.counts, again.batch) == (2, session.counts, "x")
    with pytest.raises(InputError, match="belongs to another monitor"):
        monitor(infill="zero").resume(state)
    with pytest.raises(InputError, match="what BatchSession"):
        fitted.resume({"version": 1})


@pytest.mark.parametrize("infill", INFILLS)
def test_saved_monitor_gives_the_same_bits(infill: Any, tmp_path: Path) -> None:
    fitted, values = monitor(infill=infill), holes()
    assert fitted.save(tmp_path / "monitor.pqm") == fitted.save(tmp_path / "again.pqm")
    loaded = BatchMonitor.load(tmp_path / "monitor.pqm")
    assert loaded.fingerprint() == fitted.fingerprint()
    for one, other in zip(
        feed(loaded.start("x"), values), feed(fitted.start("x"), values), strict=True
    ):
        assert one.to_dict() == other.to_dict()
    before, after = (m.score(dataset(values[None])) for m in (fitted, loaded))
    assert before.to_dict() == after.to_dict()
    assert loaded.get_params()["limits"] == TRAINING


def test_file_that_is_no_monitor_is_an_error(tmp_path: Path) -> None:
    from pharmaq import modelfile

    modelfile.save(tmp_path / "other.pqm", "batch_monitor", {"limits": {"alphas": []}})
    with pytest.raises(FormatError, match="not hold a batch monitor"):
        BatchMonitor.load(tmp_path / "other.pqm")


def test_updates_that_come_twice_late_or_outside_are_counted_and_not_used() -> None:
    session = monitor().start("x")
    rows = simulate(1, 8, 3, seed=5)[0]
    row = dict(zip(NAMES, rows[0], strict=True))
    assert session.update(-0.6, row).status == "before_start"
    assert session.update(-0.4, row).position == 0
    assert session.update(3.4, row).position == 3
    before = session.to_dict()["updates"]
    duplicate = session.update(2.6, row)
    assert (duplicate.status, duplicate.phase) == ("duplicate", "whole")
    assert np.isnan(duplicate.t2)
    assert [f.rule for f in duplicate.findings] == ["duplicate"]
    assert "first ones stay" in duplicate.findings[0].message
    assert session.update(1.0, row).status == "late"
    assert session.update(7.6, row).status == "after_end"
    assert session.update(5.0, {}).status == "empty"
    assert session.to_dict()["updates"] == before
    counted = {name: n for name, n in session.counts.items() if n}
    assert counted == {
        "used": 2,
        "duplicate": 1,
        "late": 1,
        "before_start": 1,
        "after_end": 1,
        "empty": 1,
        "skipped_times": 2,
        "missing_values": 3,
    }
    assert session.update(5.0, row).status == "used"


def test_bad_values_are_not_used_and_uncertain_ones_are() -> None:
    session = monitor().start("x")
    rows = [dict(zip(NAMES, row, strict=True)) for row in simulate(12, 8, 3)[0]]
    moment = session.update(0.0, rows[0], quality={"v1": "bad", "v2": "uncertain"})
    assert moment.missing == ("v1",)
    assert [f.rule for f in moment.findings] == ["missing_values"]
    assert session.update(1.0, rows[1] | {"v1": float("inf")}).missing == ("v1",)
    # a sensor that stays away is reported once
    assert session.update(2.0, rows[2] | {"v1": None}).findings == ()
    assert session.update(3.0, rows[3], quality="bad").status == "empty"
    names = ("bad_values", "uncertain_values", "missing_values")
    assert [session.counts[name] for name in names] == [5, 1, 1]


def test_alarm_becomes_an_action_when_it_lasts() -> None:
    values = simulate(1, 8, 3, seed=5)[0]
    values[4:, 2] += 8.0
    moments = feed(BatchMonitor(2).fit(dataset(simulate(60, 8, 3))).start("x"), values)
    rules = [{f.rule: f.severity for f in m.findings}.get("spe") for m in moments]
    assert rules[:4] == [None] * 4
    assert rules[4:7] == ["alert", "alert", "action"]
    assert moments[4].contributions()["variable"][0] == "v2"
    # the sum of what was keeps an odd time for long
    summed = [{f.rule: f.severity for f in m.findings}.get("spe_cumulative") for m in moments]
    assert summed[-3:] == ["alert"] * 3


def test_quality_forecast_narrows_to_the_truth() -> None:
    train, new = simulate(60, 20, 4, noise=0.1), simulate(40, 20, 4, seed=5, noise=0.1)
    truth = [values[:, :, [0, 2]].mean(axis=1) @ [2.0, 3.0] for values in (train, new)]
    fitted = BatchMonitor(2).fit(dataset(train), np.column_stack([truth[0], -truth[0]]))
    inside, widths = 0, []
    for i in range(40):
        session = fitted.start("x")
        for k in range(20):
            session.update(float(k), {f"v{j}": new[i, k, j] for j in range(4)})
            if k in (1, 19):
                forecast = session.forecast(alpha=0.1)
                widths.append(float(forecast.upper[0] - forecast.lower[0]))
                inside += int(forecast.lower[0] <= truth[1][i] <= forecast.upper[0])
        np.testing.assert_allclose(forecast.quality[1], -forecast.quality[0], rtol=1e-9)
        assert forecast.trajectory.shape == (0, 4)
    assert np.mean(widths[1::2]) < np.mean(widths[::2])
    assert inside / 80 == pytest.approx(0.9, abs=0.08)
    assert forecast.to_frame()["response"].tolist() == [1, 2]
    result = fitted.score(dataset(new))
    assert np.corrcoef(result.quality[:, -1, 0], truth[1])[0, 1] > 0.99


def test_rest_of_the_trajectory_is_forecast() -> None:
    train, new = simulate(60, 20, 4, noise=0.02), simulate(1, 20, 4, seed=5, noise=0.02)[0]
    session = BatchMonitor(2, limits=TRAINING).fit(dataset(train)).start("x")
    for k in range(10):
        session.update(float(k), {f"v{j}": new[k, j] for j in range(4)})
    forecast = session.forecast()
    frame = forecast.trajectory_frame()
    assert frame.index.tolist() == list(np.arange(10.0, 20.0))
    assert np.abs(frame.to_numpy() - new[10:]).max() < 0.3
    assert forecast.quality.shape == (0,)
    assert forecast.to_frame().empty


def test_forecast_needs_a_value() -> None:
    with pytest.raises(InputError, match="no values yet"):
        monitor().start("x").forecast()


def test_plane_projection_says_nothing_while_it_is_undetermined() -> None:
    fitted = BatchMonitor(2, infill="pmp", limits=TRAINING).fit(dataset(simulate(12, 8, 1)))
    session = fitted.start("x")
    assert np.isnan(session.update(0.0, {"v0": 10.0}).t2)
    assert np.isfinite(session.update(1.0, {"v0": 10.0}).t2)


def test_phase_that_never_starts_is_reported() -> None:
    phase = ("time", ["a"] * 3 + ["b"] * 5)
    fitted = BatchMonitor(1, phases="each", limits=TRAINING)
    session = fitted.fit(dataset(simulate(12, 8, 3), phase=phase)).start("x")
    feed(session, simulate(1, 8, 3, seed=5)[0][:3])
    assert "phase_not_started" in [f.rule for f in session.result().findings]


def test_first_update_may_come_late() -> None:
    values = simulate(1, 8, 3, seed=5)[0]
    values[:4] = np.nan
    session = monitor().start("x")
    moments = feed(session, values)
    assert session.counts["skipped_times"] == 4
    assert np.isfinite([m.t2 for m in moments]).all()


@pytest.mark.parametrize(
    ("time", "values", "quality", "message"),
    [
        (0.0, {"pH": 7.0}, "good", r"\['pH'\] were not fitted"),
        (0.0, {"v0": 7.0}, "doubtful", "quality must be one of"),
        (0.0, {"v0": 7.0}, {"pH": "bad"}, r"\['pH'\] were not fitted"),
        (0.0, {"v0": "high"}, "good", "'v0' must be a number"),
        (0.0, [1.0, 2.0, 3.0], "good", "mapping"),
        ("noon", {"v0": 7.0}, "good", "time must be like"),
        (float("nan"), {"v0": 7.0}, "good", "time must be like"),
        ([0.0, 1.0], {"v0": 7.0}, "good", "time must be like"),
    ],
)
def test_wrong_updates_are_errors(time: Any, values: Any, quality: Any, message: str) -> None:
    session = monitor().start("x")
    with pytest.raises((InputError, InputTypeError), match=message):
        session.update(time, values, quality=quality)
    assert sum(session.counts.values()) == 0


def test_times_may_be_dates_and_one_is_enough() -> None:
    start = np.datetime64("2026-01-01T00:00", "ns")
    hours = start + np.arange(8).astype("m8[h]")
    fitted = BatchMonitor(1, limits=TRAINING).fit(dataset(simulate(12, 8, 3), time=hours))
    row = {"v0": 10.0, "v1": 10.0, "v2": 10.0}
    session = fitted.start("x")
    assert session.update(np.datetime64("2026-01-01T02:20"), row).position == 2
    with pytest.raises(InputTypeError, match="time must be like"):
        session.update(np.datetime64("NaT"), row)
    single = BatchMonitor(1, limits=TRAINING).fit(dataset(simulate(12, 1, 3)))
    assert single.start("x").update(0.0, row).status == "used"
    assert single.start("x").update(0.1, row).status == "after_end"
    assert single.start("x").update(-0.1, row).status == "before_start"
