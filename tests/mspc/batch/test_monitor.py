"""Whole batches against a fitted monitor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import naive_batches as naive
from naive_batches import dataset, simulate
from pharmaq.errors import InputError, InputTypeError, UnitsError
from pharmaq.mspc import BatchLimits, BatchMonitor

TRAINING = BatchLimits(values="training", spe="moments", window=0)


def monitor(**options: Any) -> BatchMonitor:
    return BatchMonitor(2, **({"limits": TRAINING} | options))


# Public nylon batches (Nomikos; Kassidas): numpy and process-improve 2.2.0 agree
def test_finished_nylon_batches_match_two_programs(
    nylon: xr.Dataset, golden: dict[str, Any]
) -> None:
    fitted = BatchMonitor(3, limits=TRAINING).fit(nylon)
    np.testing.assert_allclose(np.cumsum(fitted.explained_["whole"]), golden["R2X"], rtol=1e-9)
    result = fitted.score(nylon)
    frame = result.to_frame()
    np.testing.assert_allclose(frame["t2"][:5], golden["T2_first5"], rtol=1e-9)
    np.testing.assert_allclose(frame["spe"][:5], golden["Q_first5"], rtol=1e-9)
    at, largest = golden["T2_max"]
    assert (frame["batch"][frame["t2"].argmax()], frame["t2"].max()) == (
        at,
        pytest.approx(largest),
    )
    at, largest = golden["Q_max"]
    assert (frame["batch"][frame["spe"].argmax()], frame["spe"].max()) == (
        at,
        pytest.approx(largest),
    )
    box = golden["UCL_Q_box_moments_99"]
    assert result.spe_cumulative_limit[1, -1] == pytest.approx(box, rel=1e-9)
    assert frame["batch"][frame["spe"] > frame["spe_limit"]].tolist() == golden["flag_Q_box"]


@pytest.mark.parametrize(
    ("statistic", "method", "name"),
    [
        ("t2", "f", "UCL_T2_phase2_99"),
        ("t2", "beta", "UCL_T2_phase1_99"),
        ("spe", "box", "UCL_Q_box_moments_99"),
        ("spe", "jackson", "UCL_Q_JM_99"),
    ],
)
def test_limits_of_finished_nylon_batches_match(
    nylon: xr.Dataset, golden: dict[str, Any], statistic: Any, method: str, name: str
) -> None:
    limit = (
        BatchMonitor(3, limits=TRAINING)
        .fit(nylon)
        .end_limit(statistic, alpha=0.01, method=method)
    )
    assert limit == pytest.approx(golden[name], rel=1e-9)


@pytest.mark.parametrize("infill", ["zero", "current", "pmp", "tsr"])
def test_scores_of_running_nylon_batch_match(
    nylon: xr.Dataset, golden: dict[str, Any], infill: Any
) -> None:
    fitted = BatchMonitor(3, infill=infill, limits=TRAINING).fit(nylon)
    scores = fitted.score(nylon.isel(batch=[0])).scores[0]
    signs = np.sign(scores[-1] * golden["offline_scores_batch0"])
    for time, expected in golden["online_scores_batch0"][infill].items():
        np.testing.assert_allclose(scores[int(time) - 1] * signs, expected, atol=1e-9)


# the same source: 6 of 57 batches left out of the model are above Box' limit, 1 of 57 fitted
def test_batches_left_out_are_farther_away_than_fitted_ones(
    nylon: xr.Dataset, golden: dict[str, Any]
) -> None:
    left_out = BatchMonitor(3).fit(nylon)
    fitted = BatchMonitor(3, limits=TRAINING).fit(nylon)
    spe, own = (m.phases_[0].references["spe_cumulative"][:, -1] for m in (left_out, fitted))
    limit = golden["UCL_Q_box_moments_99"]
    assert int(np.sum(spe > limit)) == golden["SPE_LOO_exceed_box99"]
    assert int(np.sum(own > limit)) == golden["SPE_train_exceed_box99"]
    ratio = golden["SPE_LOO_over_train_median_ratio"]
    assert np.median(spe / own) == pytest.approx(ratio, rel=1e-9)


@pytest.mark.parametrize("infill", ["zero", "current", "pmp", "tsr"])
def test_trajectories_equal_rows_built_in_full(infill: Any) -> None:
    train, new = simulate(12, 6, 3), simulate(1, 6, 3, seed=5)[0]
    result = monitor(infill=infill).fit(dataset(train)).score(dataset(new[None]))
    for k, (scores, t2, rest) in enumerate(naive.live_scores(train, new, 2, infill)):
        np.testing.assert_allclose(np.abs(result.scores[0, k]), np.abs(scores), rtol=1e-7)
        assert result.t2[0, k] == pytest.approx(t2, rel=1e-6)
        assert result.spe[0, k] == pytest.approx(rest @ rest, rel=1e-7)


def test_conditional_mean_is_a_projection_drawn_towards_the_mean() -> None:
    train, new = simulate(30, 8, 3, noise=0.05), dataset(simulate(1, 8, 3, seed=5))
    plane = monitor(infill="pmp").fit(dataset(train)).score(new).scores[0]
    drawn = monitor(infill="conditional").fit(dataset(train)).score(new).scores[0]
    assert np.abs(drawn[0]).sum() < np.abs(plane[0]).sum()
    np.testing.assert_allclose(drawn[-1], plane[-1], rtol=0.02)


@pytest.mark.parametrize("infill", ["zero", "current", "pmp", "tsr", "conditional"])
@pytest.mark.parametrize("y", [None, np.linspace(0, 1, 12)])
def test_contributions_sum_to_statistics(infill: Any, y: Any) -> None:
    fitted = monitor(infill=infill).fit(dataset(simulate(12, 6, 3)), y)
    values = simulate(3, 6, 3, seed=5)
    values[1, 4:] = np.nan
    values[2, 2, 1] = np.nan
    result = fitted.score(dataset(values))
    frame = result.to_frame()
    np.testing.assert_allclose(result.t2_contributions.sum(axis=(1, 2)), frame["t2"], rtol=1e-9)
    spe = np.abs(result.spe_contributions[0]).sum()
    assert spe == pytest.approx(frame["spe"][0], rel=1e-9)
    assert result.spe_hindsight[0].sum() == pytest.approx(spe, rel=1e-9)
    by_variable = result.contributions("B00", statistic="t2")
    assert by_variable["contribution"].sum() == pytest.approx(frame["t2"][0])
    by_time = result.contributions("B00", by="time")["contribution"]
    np.testing.assert_allclose(by_time, result.spe_hindsight[0], rtol=1e-9)
    assert result.contributions("B00", by="both").shape == (6, 3)


def test_aborted_batch_is_judged_as_far_as_it_ran() -> None:
    fitted = monitor().fit(dataset(simulate(12, 6, 3)))
    values = simulate(2, 6, 3, seed=5)
    values[1] = values[0]
    values[1, 3:] = np.nan
    result = fitted.score(dataset(values))
    np.testing.assert_allclose(result.t2[1, :3], result.t2[0, :3], rtol=1e-6)
    np.testing.assert_allclose(result.spe[1, :3], result.spe[0, :3], rtol=1e-6)
    np.testing.assert_allclose(
        result.spe_cumulative[1, :3], result.spe_cumulative[0, :3], rtol=1e-6
    )
    assert np.isnan(result.t2[1, 3:]).all()
    row = result.to_frame().iloc[1]
    assert (row["last_time"], row["complete"], row["n_times"]) == (2.0, False, 3)
    early = [f for f in result.findings if f.rule == "ended_early"]
    assert [f.subject for f in early] == ["B01"]
    assert "3 times before" in early[0].message


def test_times_are_told_without_the_digits_of_binary_fractions() -> None:
    tenths = {"time": np.arange(6) * 0.1}
    values = simulate(1, 6, 3, seed=5)
    values[0, 4:] = np.nan
    fitted = BatchMonitor(2).fit(dataset(simulate(40, 6, 3)).assign_coords(tenths))
    found = fitted.score(dataset(values).assign_coords(tenths)).findings
    message = next(f.message for f in found if f.rule == "ended_early")
    assert "ends at time 0.3," in message


def test_lost_sensor_is_counted_and_does_not_alarm() -> None:
    fitted = BatchMonitor(2).fit(dataset(simulate(40, 10, 4)))
    values = simulate(20, 10, 4, seed=5)
    values[:, 3:, 1] = np.nan
    result = fitted.score(dataset(values))
    assert result.n_missing.tolist() == [7] * 20
    lost = [f for f in result.findings if f.rule == "missing_values"]
    assert {f.value for f in lost} == {7.0}
    assert np.mean(result.t2 > result.t2_limit[1]) < 0.06
    assert np.mean(result.spe > result.spe_limit[1]) < 0.06


@pytest.mark.parametrize("infill", ["zero", "pmp", "tsr", "conditional"])
def test_batch_without_values_for_a_while_has_no_statistics_then(infill: Any) -> None:
    values = simulate(1, 6, 3, seed=5)
    values[0, 2] = np.nan
    result = monitor(infill=infill).fit(dataset(simulate(12, 6, 3))).score(dataset(values))
    assert np.flatnonzero(np.isnan(result.spe[0])).tolist() == [2]
    assert np.flatnonzero(np.isnan(result.t2[0])).tolist() == [2]


def test_missing_values_in_fit_change_the_model_little() -> None:
    values = simulate(40, 10, 4, noise=0.1)
    holes = values.copy()
    holes[np.random.default_rng(0).random(holes.shape) < 0.03] = np.nan
    holes[7, 8:] = np.nan
    new = dataset(simulate(5, 10, 4, seed=5))
    whole, part = (monitor().fit(dataset(v)) for v in (values, holes))
    assert part.n_missing_ == int(np.isnan(holes).sum())
    ratio = part.score(new).to_frame()["t2"] / whole.score(new).to_frame()["t2"]
    assert np.abs(ratio - 1).max() < 0.1


def test_fault_is_found_and_its_variable_named() -> None:
    fitted = BatchMonitor(2).fit(dataset(simulate(40, 20, 5)))
    values = simulate(1, 20, 5, seed=5)
    values[0, 12:, 3] += 3.0
    result = fitted.score(dataset(values))
    found = {f.rule: f.severity for f in result.findings}
    assert found["spe"] == found["spe_cumulative"] == "action"
    assert result.contributions("B00")["variable"][0] == "v3"


def test_limits_from_batches_left_out_hold_for_new_batches() -> None:
    train, new = dataset(simulate(40, 20, 6)), dataset(simulate(400, 20, 6, seed=5))
    result = BatchMonitor(2).fit(train).score(new)
    for name in ("t2", "spe", "spe_cumulative", "spe_hindsight"):
        shares = np.mean(
            getattr(result, name) > getattr(result, f"{name}_limit")[:, None, :], axis=(1, 2)
        )
        assert shares[0] == pytest.approx(0.05, abs=0.02)
        assert shares[1] == pytest.approx(0.01, abs=0.008)


@pytest.mark.parametrize("t2", ["f", "beta", "simca", "chi2", "moments", "empirical"])
@pytest.mark.parametrize("spe", ["moments", "empirical"])
def test_wider_limits_come_last(t2: Any, spe: Any) -> None:
    limits = BatchLimits(t2=t2, spe=spe, alphas=(0.01, 0.05), values="training")
    assert limits.alphas == (0.05, 0.01)
    result = (
        monitor(limits=limits)
        .fit(dataset(simulate(12, 6, 3)))
        .score(dataset(simulate(2, 6, 3)))
    )
    assert (result.t2_limit[1] >= result.t2_limit[0]).all()
    assert (result.spe_limit[1] >= result.spe_limit[0]).all()


def test_false_alarms_are_counted_by_point_and_by_batch() -> None:
    frame = BatchMonitor(2).fit(dataset(simulate(40, 20, 5))).false_alarms().to_frame()
    spe = frame[frame["statistic"] == "spe"]
    np.testing.assert_allclose(spe["pointwise"], [0.05, 0.01], atol=0.002)
    assert (spe["whole_batch"] > spe["pointwise"]).all()
    assert (frame["lower"] <= frame["whole_batch"]).all()
    assert (frame["upper"] >= frame["whole_batch"]).all()


def test_each_phase_gets_a_model_of_its_own() -> None:
    phase = ("time", ["heat"] * 4 + ["hold"] * 6)
    values = simulate(20, 10, 3)
    values[3, 4:] = np.nan
    fitted = monitor(phases="each").fit(dataset(values, phase=phase))
    assert fitted.phase_names_ == ["heat", "hold"]
    assert fitted.n_left_out_ == {"heat": 0, "hold": 1}
    new = simulate(2, 10, 3, seed=5)
    new[1, 4:] = np.nan
    result = fitted.score(dataset(new))
    alone = monitor().fit(dataset(values[np.arange(20) != 3, 4:])).score(dataset(new[:1, 4:]))
    np.testing.assert_allclose(result.t2[0, 4:], alone.t2[0], rtol=1e-9)
    frame = result.to_frame()
    assert frame["phase"].tolist() == ["heat", "hold"] * 2
    assert np.isnan(frame["t2"].iloc[3])
    assert [f.rule for f in result.findings if f.subject == "B01"] == ["phase_not_started"]
    assert fitted.end_limit("t2", method="f", phase="hold") > 0
    with pytest.raises(InputError, match="phase must be one of"):
        fitted.end_limit("t2", method="f")


@pytest.mark.parametrize("scaling", ["column", "variable", "center"])
def test_scalings_weigh_as_they_say(scaling: Any) -> None:
    values = simulate(12, 6, 3)
    model = monitor(scaling=scaling).fit(dataset(values)).phases_[0].model
    spread = model.train.std(axis=0, ddof=1)
    if scaling == "column":
        np.testing.assert_allclose(spread, 1)
    elif scaling == "variable":
        np.testing.assert_allclose(np.mean(spread**2, axis=0), 1)
    else:
        np.testing.assert_allclose(model.train, values - values.mean(axis=0))


def test_column_that_does_not_vary_gets_the_scale_of_its_variable() -> None:
    values = simulate(12, 6, 3)
    values[:, 0, 1] = 5.0
    fitted = monitor().fit(dataset(values))
    assert fitted.n_pooled_scales_ == 1
    model = fitted.phases_[0].model
    spread = values[:, :, 1].std(axis=0, ddof=1)
    assert model.scale[0, 1] == pytest.approx(np.sqrt(np.mean(spread**2)))


@given(st.floats(0.1, 10), st.floats(-5, 5))
def test_units_of_a_variable_do_not_matter(factor: float, shift: float) -> None:
    train, new = simulate(12, 6, 3), simulate(2, 6, 3, seed=5)
    before = monitor().fit(dataset(train)).score(dataset(new))
    train[:, :, 1], new[:, :, 1] = (
        train[:, :, 1] * factor + shift,
        new[:, :, 1] * factor + shift,
    )
    after = monitor().fit(dataset(train)).score(dataset(new))
    np.testing.assert_allclose(after.t2, before.t2, rtol=1e-6)
    np.testing.assert_allclose(after.spe, before.spe, rtol=1e-6, atol=1e-9)


def test_order_of_variables_does_not_matter() -> None:
    fitted = monitor().fit(dataset(simulate(12, 6, 3)))
    new = dataset(simulate(2, 6, 3, seed=5))
    turned = fitted.score(new[["v2", "v0", "v1"]])
    np.testing.assert_array_equal(turned.t2, fitted.score(new).t2)


def test_result_is_frames_a_dataset_and_json() -> None:
    result = monitor().fit(dataset(simulate(12, 6, 3))).score(dataset(simulate(2, 6, 3)))
    assert result.trajectory_frame().shape[0] == 12
    assert result.trajectory_frame("B01")["batch"].unique().tolist() == ["B01"]
    labelled = result.to_dataset()
    assert labelled["t2_contributions"].dims == ("batch", "time", "variable")
    assert set(result.to_dict()) >= {"t2", "spe", "findings"}
    with pytest.raises(InputError, match="'x' is not in this result"):
        result.contributions("x")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.__setitem__((slice(None), slice(None), 1), 3.0), "'v1' is constant"),
        (
            lambda v: v.__setitem__((slice(None), slice(None), 1), np.nan),
            "'v1' has no observed",
        ),
        (lambda v: v.__setitem__(2, np.nan), "'B02' has no observed"),
        (lambda v: v.__setitem__((slice(2, None), 3, 1), np.nan), "fewer than 3 batches"),
        (
            lambda v: v.__setitem__((slice(None), slice(None), 1), np.arange(6.0)),
            "same trajectory",
        ),
    ],
)
def test_batches_that_cannot_be_modelled_are_errors(change: Any, message: str) -> None:
    values = simulate(12, 6, 3)
    change(values)
    with pytest.raises(InputError, match=message):
        monitor().fit(dataset(values))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_components": 0}, "n_components"),
        ({"n_components": 11}, "needs at least 13 batches"),
        ({"phases": "all"}, "phases"),
        ({"phases": "each"}, "coordinate 'phase'"),
        ({"scaling": "auto"}, "scaling"),
        ({"infill": "mean"}, "infill"),
        ({"limits": "f"}, "limits must be a BatchLimits"),
    ],
)
def test_wrong_options_are_errors(options: dict[str, Any], message: str) -> None:
    with pytest.raises((InputError, InputTypeError), match=message):
        monitor().set_params(**options).fit(dataset(simulate(12, 6, 3)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"t2": "box"}, "t2"),
        ({"spe": "f"}, "spe"),
        ({"values": "all"}, "values"),
        ({"window": -1}, "window"),
        ({"alphas": 0.05}, "alphas must be a tuple"),
        ({"alphas": (1.5,)}, "alphas"),
    ],
)
def test_wrong_limits_are_errors(options: dict[str, Any], message: str) -> None:
    with pytest.raises((InputError, InputTypeError), match=message):
        BatchLimits(**options)


def test_phases_have_to_be_runs() -> None:
    phase = ("time", ["a", "b", "a", "a", "b", "b"])
    with pytest.raises(InputError, match="one run of times"):
        monitor(phases="each").fit(dataset(simulate(12, 6, 3), phase=phase))


@pytest.mark.parametrize(
    ("y", "message"),
    [(np.ones(11), "shape"), (np.ones(12), "constant"), (np.full(12, np.nan), "finite")],
)
def test_wrong_quality_is_an_error(y: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        monitor().fit(dataset(simulate(12, 6, 3)), y)


def test_batches_that_are_not_like_the_fitted_ones_are_errors() -> None:
    new = dataset(simulate(2, 6, 3))
    with pytest.raises(InputError, match="not fitted"):
        monitor().score(new)
    fitted = monitor().fit(dataset(simulate(12, 6, 3)))
    with pytest.raises(InputError, match=r"lacks \['v1'\]"):
        fitted.score(new.drop_vars("v1"))
    with pytest.raises(InputError, match=r"also holds \['pH'\]"):
        fitted.score(new.assign(pH=new["v1"]))
    with pytest.raises(InputError, match="have 5 times"):
        fitted.score(new.isel(time=slice(0, 5)))
    with pytest.raises(InputError, match="fitted on 6 from"):
        fitted.score(new.assign_coords(time=np.arange(6.0) * 2))
    with pytest.raises(InputError, match="fitted on 6 from"):
        fitted.score(new.assign_coords(time=np.arange(6).astype("M8[s]")))
    new["v1"].attrs["units"] = "K"
    with pytest.raises(UnitsError, match=r"'K'.*'degC'"):
        fitted.score(new)


def test_times_may_be_dates() -> None:
    time = np.arange(6).astype("M8[h]").astype("M8[ns]")
    fitted = monitor().fit(dataset(simulate(12, 6, 3), time=time))
    assert fitted.score(dataset(simulate(2, 6, 3), time=time)).t2.shape == (2, 6)


def test_batches_of_one_time_are_a_plain_pca() -> None:
    result = monitor().fit(dataset(simulate(12, 1, 3))).score(dataset(simulate(2, 1, 3)))
    assert result.t2.shape == (2, 1)
    assert np.isfinite(result.t2).all()


@pytest.mark.parametrize("scaling", ["column", "variable", "center"])
@pytest.mark.parametrize("y", [None, np.linspace(0, 1, 12) ** 2, simulate(12, 1, 2)[:, 0]])
@pytest.mark.parametrize("infill", ["tsr", "current", "conditional"])
def test_batches_are_left_out_as_if_the_others_were_fitted(
    scaling: Any, y: Any, infill: Any
) -> None:
    values = simulate(12, 6, 3, seed=3)
    # one column that only one batch makes vary, and an incomplete batch
    values[:, 2, 1] = 5.0
    values[4, 2, 1] = 6.0
    values[7, 3:, 0] = np.nan
    options = {"scaling": scaling, "infill": infill}
    fitted = monitor(**options, limits=BatchLimits()).fit(dataset(values), y).phases_[0]
    for i in (0, 4, 7):
        others = np.arange(12) != i
        rest = fitted.model.raw[others]
        alone = monitor(**options).fit(dataset(rest), None if y is None else y[others])
        expected = alone.score(dataset(values[i : i + 1]))
        np.testing.assert_allclose(fitted.references["t2"][i], expected.t2[0], rtol=1e-6)
        # where a sensor is missing, what is expected of it comes from all batches
        share = slice(0, 3 if i == 7 else 6)
        for name in ("spe", "spe_cumulative"):
            found = fitted.references[name][i, share]
            np.testing.assert_allclose(found, getattr(expected, name)[0, share], rtol=1e-6)
