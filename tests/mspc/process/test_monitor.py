"""ProcessMonitor: fit, statistics, contributions, bad input."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive_monitor import Naive
from simulated_process import process
from sklearn.base import clone

from pharmaq import modelfile
from pharmaq.chemometrics.limits import spe_limit_from_eigenvalues
from pharmaq.errors import FormatError, InputError, UnitsError
from pharmaq.mspc import ProcessMonitor

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ["flow", "power", "pH", "DO", "feed", "level", "T1", "T2"]


def frame(n: int = 200, seed: int = 0) -> pd.DataFrame:
    times = pd.date_range("2026-01-01", periods=n, freq="1min", tz="UTC")
    return pd.DataFrame(process(n, seed), columns=NAMES, index=times)


# SIMCA, LDPE case study (54 rows, 14 variables, 5 responses), 6 components
def test_t2_of_a_pls_monitor_matches_simca(mspc_data: Path, mspc_cases: dict[str, Any]) -> None:
    data = pd.read_csv(mspc_data / "ldpe" / "LDPE.csv", index_col=0)
    expected = mspc_cases["H08"]["expected"]
    y = data.iloc[:, 14:].to_numpy()
    y = (y - y.mean(axis=0)) / y.std(axis=0, ddof=1)
    for alpha, name in ((0.05, "T2_lim95"), (0.01, "T2_lim99")):
        monitor = ProcessMonitor(6, method="pls", t2_limit="simca", alpha=alpha)
        result = monitor.fit(data.iloc[:, :14], y).score(data.iloc[:, :14], phase="phase1")
        # the last digit that SIMCA prints is cut off
        assert result.t2_limit == pytest.approx(expected[name], abs=1e-4)
        printed = np.loadtxt(mspc_data / "ldpe" / "Hotellings_T2_A6.csv")
        np.testing.assert_allclose(result.t2, printed, atol=5e-4)
        spread = result.scores.std(axis=0, ddof=1)
        np.testing.assert_allclose(spread, expected["sdT"], atol=1e-5)
    scores = np.loadtxt(mspc_data / "ldpe" / "T.csv", delimiter=",")
    sign = np.sign(np.sum(scores * result.scores, axis=0))
    np.testing.assert_allclose(result.scores * sign, scores, atol=1e-4)
    assert result.predicted is not None
    assert result.predicted.shape == (54, 5)


# R, mixOmics 6.34: nipals() on the Linnerud data with holes
def test_a_monitor_with_holes_matches_mixomics(mspc_data: Path) -> None:
    folder = mspc_data / "mixomics_nipals"
    X = pd.read_csv(folder / "linnerud_centered_with_nan.csv")
    loadings = pd.read_csv(folder / "reference_loadings.csv", index_col=0).to_numpy()
    monitor = ProcessMonitor(3, scaling="center", missing="nipals", cv=None).fit(X)
    found = monitor.model_.x_loadings_
    found = found * np.sign(np.sum(found * loadings, axis=0))
    np.testing.assert_allclose(found, loadings, atol=1e-4)
    assert monitor.n_missing_ == int(X.isna().sum().sum())


# Jackson & Mudholkar (1979), Box (1954), beside the quantiles of four million simulated values
def test_limits_of_spe_match_simulation_on_both_sides_of_h0(mspc_cases: dict[str, Any]) -> None:
    expected = mspc_cases["H10"]["expected"]
    spectra = [1.5, 0.8, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02], [4.0] + 60 * [0.05]
    names = ("JM1", "Box1", "MC1"), ("JM2_sign_aware", "Box2", "MC2")
    for values, (jackson, box, simulated) in zip(spectra, names, strict=True):
        limits = [
            spe_limit_from_eigenvalues(values, alpha=0.01, method=method)
            for method in ("jackson", "box_eigenvalues", "imhof")
        ]
        assert limits[:2] == pytest.approx([expected[jackson], expected[box]], rel=1e-9)
        # standard error of the simulated quantile: 0.02
        assert limits[2] == pytest.approx(expected[simulated], abs=0.08)


@pytest.mark.parametrize("kind", ["complete", "reconstruction"])
def test_statistics_and_contributions_equal_the_naive_ones(kind: Any) -> None:
    X, new = process(100), process(5, seed=1)
    monitor = ProcessMonitor(2).fit(X)
    result = monitor.score(new, contributions=kind)
    naive = Naive(X, 2, (result.t2_limit, result.spe_limit))
    for i, x in enumerate(new):
        for name in ("t2", "spe", "combined"):
            assert getattr(result, name)[i] == pytest.approx(naive.index(x, name))
            found = getattr(result, f"{name}_contributions")[i]
            if kind == "reconstruction":
                assert found == pytest.approx(naive.reconstructed(x, name))
            else:
                assert np.abs(found).sum() >= abs(getattr(result, name)[i]) * (1 - 1e-12)


@given(st.integers(0, 200), st.integers(1, 7))
def test_complete_contributions_sum_to_the_statistic(seed: int, n_components: int) -> None:
    monitor = ProcessMonitor(n_components, cv=None).fit(process(60))
    result = monitor.score(process(4, seed))
    np.testing.assert_allclose(result.t2_contributions.sum(axis=1), result.t2)
    np.testing.assert_allclose(np.abs(result.spe_contributions).sum(axis=1), result.spe)
    np.testing.assert_allclose(result.combined_contributions.sum(axis=1), result.combined)


@given(st.integers(0, 200), st.floats(0.01, 100), st.floats(-10, 10))
def test_autoscaling_makes_units_irrelevant(seed: int, scale: float, shift: float) -> None:
    X, new = process(60), process(3, seed)
    change = np.array([scale, 1, 1, 1, 1, 1, 1, 1])
    one = ProcessMonitor(2, cv=None).fit(X).score(new)
    other = ProcessMonitor(2, cv=None).fit(X * change + shift).score(new * change + shift)
    np.testing.assert_allclose(other.t2, one.t2, rtol=1e-6)
    np.testing.assert_allclose(other.spe, one.spe, rtol=1e-6)


# C. F. Alcala & S. J. Qin (2009): a fault of one variable has its largest reconstruction-based
# contribution there, whatever its size
@pytest.mark.parametrize("k", range(8))
def test_reconstruction_finds_a_fault_of_one_variable(k: int) -> None:
    X = process(300)
    monitor = ProcessMonitor(2).fit(X)
    faulty = np.tile(X.mean(axis=0), (1, 1))
    faulty[0, k] += 6 * X[:, k].std()
    result = monitor.score(faulty, contributions="reconstruction")
    for name in ("spe", "combined"):
        assert result.contributions(statistic=name)["variable"].iloc[0] == f"x{k + 1}"


# the index is a parabola in each variable: how far it falls follows from three of its points
@pytest.mark.parametrize("kind", ["pls", "missing"])
def test_reconstruction_is_what_the_index_can_fall_by(kind: str) -> None:
    X, x = process(100), process(1, seed=9)
    if kind == "pls":
        monitor = ProcessMonitor(3, method="pls", cv=None).fit(X, X[:, 0] + X[:, 5])
    else:
        monitor = ProcessMonitor(3, missing="tsr", cv=None).fit(X)
        x[0, 2] = np.nan
    scale = monitor.model_.x_scale_
    found = monitor.score(x, contributions="reconstruction")
    for k in np.flatnonzero(~np.isnan(x[0])):
        moved = [monitor.score(x + step * scale[k] * np.eye(8)[k]) for step in (-1, 0, 1)]
        for name in ("t2", "spe", "combined"):
            low, middle, high = (float(getattr(one, name)[0]) for one in moved)
            bend, slope = (low + high) / 2 - middle, (high - low) / 2
            fall = slope**2 / (4 * bend)
            shares = getattr(found, f"{name}_contributions")
            assert shares[0, k] == pytest.approx(fall, rel=1e-6, abs=1e-9)


def test_one_row_gives_what_many_rows_give() -> None:
    X, new = process(100), process(20, seed=3)
    new[7, 2] += 20
    monitor = ProcessMonitor(2).fit(X)
    result = monitor.score(new)
    for i, row in enumerate(new):
        one = monitor.score_one(row)
        assert (one.t2, one.spe) == pytest.approx((result.t2[i], result.spe[i]), rel=1e-12)
        assert one.combined == pytest.approx(result.combined[i])
        assert one.alarm == result.alarms[i]
        np.testing.assert_allclose(one.t2_contributions, result.t2_contributions[i], atol=1e-12)
        np.testing.assert_allclose(
            one.spe_contributions, result.spe_contributions[i], atol=1e-12
        )
    assert monitor.score_one(new[7]).alarm


def test_pls_monitor_predicts_and_scores() -> None:
    X = process(100)
    y = X[:, 0] * 2 + 1
    monitor = ProcessMonitor("cross-validation", method="pls").fit(X, y)
    result = monitor.score(X[:10])
    assert result.predicted is not None
    np.testing.assert_allclose(result.predicted.ravel(), y[:10], atol=0.5)
    np.testing.assert_allclose(result.t2_contributions.sum(axis=1), result.t2)
    table = monitor.component_choice_.to_frame()
    assert table["chosen"].sum() == 1


# --- number of components


@pytest.mark.parametrize("rule", ["parallel analysis", "cross-validation"])
def test_rules_find_the_number_of_latent_variables(rule: Any) -> None:
    monitor = ProcessMonitor(rule).fit(process(200))
    assert monitor.component_choice_.n_components == 2
    assert monitor.component_choice_.rule == rule


# L. H. Chiang, E. L. Russell, R. D. Braatz (2000): parallel analysis gives 11 components
def test_parallel_analysis_gives_eleven_components_of_tennessee(tennessee: Any) -> None:
    monitor = ProcessMonitor(cv=None).fit(tennessee("d00"))
    assert monitor.component_choice_.n_components == 11


def test_share_of_variance_chooses_components() -> None:
    monitor = ProcessMonitor("explained variance", explained=0.99, cv=None).fit(process(100))
    table = monitor.component_choice_.to_frame()
    chosen = table[table["chosen"]]
    assert chosen["explained"].item() >= 0.99
    assert (table["explained"][: chosen.index[0]] < 0.99).all()


def test_too_few_rows_or_variables_give_no_choice() -> None:
    with pytest.raises(InputError, match="too few rows or variables to choose"):
        ProcessMonitor("cross-validation").fit(frame()[["flow"]])
    with pytest.raises(InputError, match="explained must"):
        ProcessMonitor("explained variance", explained=2.0).fit(frame())


# spectra have more points than there are rows
def test_more_variables_than_rows_are_fine() -> None:
    rng = np.random.default_rng(0)
    loadings = rng.normal(size=(3, 400))
    X = rng.normal(size=(60, 3)) @ loadings + 0.3 * rng.normal(size=(60, 400))
    monitor = ProcessMonitor().fit(X)
    assert monitor.component_choice_.n_components == 3
    new = rng.normal(size=(5, 3)) @ loadings + 0.3 * rng.normal(size=(5, 400))
    new[4, 17] += 20
    result = monitor.score(new)
    assert result.alarms[4]
    assert result.contributions(5, top=1)["variable"].item() == "x18"


def test_parallel_analysis_refuses_independent_variables() -> None:
    X = np.random.default_rng(0).normal(size=(200, 5))
    with pytest.raises(InputError, match="do not move together"):
        ProcessMonitor().fit(X)


# --- missing values


@pytest.mark.parametrize("missing", ["nipals", "tsr"])
def test_missing_values_are_scored_and_counted(missing: Any) -> None:
    X = frame()
    X.iloc[5, 2] = np.nan
    monitor = ProcessMonitor(2, missing=missing).fit(X)
    assert monitor.n_missing_ == 1
    assert "1 values in 1 of 200 rows are missing" in monitor.findings_[0].message
    new = frame(20, seed=4)
    complete = monitor.score(new)
    new.iloc[3, 1] = np.nan
    result = monitor.score(new)
    assert result.n_missing[3] == 1
    assert result.findings[0].rule == "missing_values"
    assert "power (1)" in result.findings[0].message
    assert np.isnan(result.t2_contributions[3, 1])
    assert np.nansum(result.t2_contributions[3]) == pytest.approx(result.t2[3])
    assert np.nansum(np.abs(result.spe_contributions[3])) == pytest.approx(result.spe[3])
    # seven of eight variables tell nearly the same
    np.testing.assert_allclose(result.scores[3], complete.scores[3], atol=0.6)
    np.testing.assert_allclose(np.delete(result.t2, 3), np.delete(complete.t2, 3))
    # rows beside incomplete ones, and those of a complete table, which are compiled
    for name in ("t2", "spe", "combined"):
        beside, alone = (getattr(one, f"{name}_contributions") for one in (result, complete))
        np.testing.assert_allclose(beside[:3], alone[:3], atol=1e-12)
    one = monitor.score_one(new.iloc[3])
    assert (one.t2, one.spe) == pytest.approx((result.t2[3], result.spe[3]))


def test_a_variable_that_is_missing_altogether_is_counted() -> None:
    monitor = ProcessMonitor(2, missing="tsr").fit(frame())
    new = frame(10, seed=2)
    new["DO"] = np.nan
    result = monitor.score(new)
    assert result.n_missing.tolist() == [1] * 10
    assert "DO (10)" in result.findings[0].message
    assert np.isfinite(result.t2).all()


# 5 % of normal rows, whatever is missing; the chi2 of an incomplete row is an approximation
@pytest.mark.slow
@pytest.mark.parametrize("missing", ["tsr", "nipals"])
@pytest.mark.parametrize("absent", [[0], [0, 3, 5], [0, 1, 2, 3]])
def test_limits_hold_for_incomplete_rows(missing: Any, absent: list[int]) -> None:
    limits: Any = {"spe_limit": "imhof", "combined_limit": "imhof", "t2_limit": "chi2"}
    monitor = ProcessMonitor(2, missing=missing, alpha=0.05, cv=None, **limits)
    monitor.fit(process(5000))
    new = process(20000, seed=1)
    new[:, absent] = np.nan
    result = monitor.score(new, contributions="none")
    shares = [result.outside(name).mean() for name in ("t2", "spe", "combined")]
    np.testing.assert_allclose(shares, 0.05, atol=0.008)
    assert (result.limit_factors["spe"] < 1).all()
    one = monitor.score_one(new[0])
    assert one.alarm == result.alarms[0]


def test_rows_without_any_value_are_refused() -> None:
    monitor = ProcessMonitor(2, missing="tsr").fit(frame())
    new = frame(5)
    new.iloc[3] = np.nan
    with pytest.raises(InputError, match=r"row 2026-01-01T00:03.* has no value at all"):
        monitor.score(new)


# --- dynamic PCA


def test_lags_put_rows_side_by_side() -> None:
    X = process(150, memory=0.8)
    monitor = ProcessMonitor(4, lags=1).fit(X)
    new = process(20, seed=5, memory=0.8)
    result = monitor.score(new)
    assert result.n_without_history == 1
    assert result.label.tolist() == list(range(2, 21))
    assert result.variables[8] == "x1 (t-1)"
    side_by_side = ProcessMonitor(4).fit(np.hstack([X[1:], X[:-1]]))
    expected = side_by_side.score(np.hstack([new[1:], new[:-1]]))
    np.testing.assert_allclose(result.t2, expected.t2)
    one = monitor.score_one(new[4:6])
    assert (one.t2, one.spe) == pytest.approx((result.t2[4], result.spe[4]))


def test_rows_after_a_gap_have_no_history() -> None:
    X = frame(100).drop(frame(100).index[50:60])
    monitor = ProcessMonitor(4, lags=2).fit(X)
    result = monitor.score(X)
    assert result.n_without_history == 4
    assert np.datetime64("2026-01-01T01:00") not in result.label
    assert np.datetime64("2026-01-01T01:02") in result.label


def test_a_record_of_gaps_alone_has_no_lags() -> None:
    steps = pd.to_timedelta(np.cumsum([1, 1, 9] * 10), unit="min")
    X = frame(30).set_axis(pd.Timestamp("2026-01-01") + steps, axis=0)
    with pytest.raises(InputError, match="without a gap in time"):
        ProcessMonitor(2, lags=3).fit(X)


# --- names, units, times


def test_names_units_and_times_are_kept() -> None:
    X = frame()
    X.attrs["units"] = {"flow": "kg/h"}
    monitor = ProcessMonitor(2).fit(X)
    assert monitor.variables_ == tuple(NAMES)
    assert monitor.units_ == {"flow": "kg/h"}
    one, turned = monitor.score(X), monitor.score(X[NAMES[::-1]])
    np.testing.assert_array_equal(turned.t2, one.t2)
    X.iloc[60, 3] += 30
    result = monitor.score(X)
    finding = next(f for f in result.findings if f.rule == "spe_limit" and f.value > 100)
    assert finding.severity == "alert"
    assert finding.time == pd.Timestamp("2026-01-01T01:00", tz="UTC")
    assert "largest contributions: DO" in finding.message
    assert result.contributions("2026-01-01T01:00", top=1)["variable"].item() == "DO"
    stamp = pd.Timestamp("2026-01-01T02:00", tz="Europe/Berlin")
    assert result.contributions(stamp, top=1)["variable"].item() == "DO"


def test_rows_may_have_names() -> None:
    lots = [f"lot {i}" for i in range(200)]
    X = frame().set_axis(lots, axis=0)
    result = ProcessMonitor(2).fit(X).score(X)
    assert result.label[3] == "lot 3"
    assert len(result.contributions("lot 3", top=2)) == 2


def test_names_may_be_numbers_or_absent() -> None:
    X = frame().set_axis(range(8), axis=1)
    expected = ProcessMonitor(2).fit(frame()).score(frame()).t2
    numbered = ProcessMonitor(2).fit(X)
    np.testing.assert_array_equal(numbered.score(X[[7, 1, 2, 3, 4, 5, 6, 0]]).t2, expected)
    np.testing.assert_array_equal(numbered.score(X.to_numpy()).t2, expected)
    nameless = ProcessMonitor(2).fit(X.to_numpy())
    np.testing.assert_array_equal(nameless.score(frame()).t2, expected)


def test_other_units_are_refused() -> None:
    X = frame()
    monitor = ProcessMonitor(2).fit(X, units={"T1": "degC"})
    X.attrs["units"] = {"T1": "kelvin"}
    with pytest.raises(UnitsError, match=r"'T1' is in 'kelvin'.*fitted in 'degC'"):
        monitor.score(X)
    with pytest.raises(InputError, match="units name variable 'T9'"):
        ProcessMonitor(2).fit(X, units={"T9": "degC"})
    with pytest.raises(TypeError, match="unit of 'T1' must be text"):
        ProcessMonitor(2).fit(X, units={"T1": 3})
    with pytest.raises(TypeError, match="units must be a dictionary"):
        ProcessMonitor(2).fit(X, units="degC")


def test_fitted_monitors_can_be_copied_and_saved(tmp_path: Path) -> None:
    monitor = ProcessMonitor(2, missing="tsr").fit(frame(), units={"pH": "1"})
    new = frame(20, seed=8)
    new.iloc[2, 4] = np.nan
    expected = monitor.score(new)
    monitor.save(tmp_path / "monitor.pqm")
    back = ProcessMonitor.load(tmp_path / "monitor.pqm")
    for other in (back, copy.deepcopy(monitor), pickle.loads(pickle.dumps(monitor))):
        np.testing.assert_array_equal(other.score(new).spe, expected.spe)
        assert other.score_one(new.iloc[0]).t2 == monitor.score_one(new.iloc[0]).t2
    assert back.limits_ == monitor.limits_
    assert back.units_ == {"pH": "1"}
    pd.testing.assert_frame_equal(back.compare_limits(), monitor.compare_limits())
    assert back.provenance_.inputs == monitor.provenance_.inputs
    assert clone(monitor).get_params() == monitor.get_params()
    raw = (tmp_path / "monitor.pqm").read_bytes()
    (tmp_path / "monitor.pqm").write_bytes(raw[:-5] + b"12345")
    with pytest.raises(FormatError, match="changed"):
        ProcessMonitor.load(tmp_path / "monitor.pqm")


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    modelfile.save(tmp_path / "old.pqm", "process_monitor", {"params": {"n_components": 2}})
    with pytest.raises(FormatError, match="does not hold a process monitor"):
        ProcessMonitor.load(tmp_path / "old.pqm")


def test_result_becomes_a_frame_and_json() -> None:
    monitor = ProcessMonitor(2).fit(frame())
    new = frame(10, seed=1)
    new.iloc[4] += 10
    result = monitor.score(new)
    table = result.to_frame()
    assert table["outside"].iloc[4] == "t2, spe, combined"
    assert len(result.to_dict()["spe"]) == 10
    limits = result.limits_frame().set_index("statistic")
    assert limits.loc["spe", "n_above"] == int(np.sum(result.spe > result.spe_limit))
    assert limits.loc["spe", "n_expected"] == pytest.approx(0.1)


def bad(change: Any) -> pd.DataFrame:
    X = frame()
    change(X)
    return X


@pytest.mark.parametrize(
    ("X", "options", "message"),
    [
        (bad(lambda X: X.__setitem__("pH", 7.0)), {}, "'pH' is constant in X at 7"),
        (bad(lambda X: X.__setitem__("pH", np.nan)), {}, "'pH' has no value"),
        (bad(lambda X: X.__setitem__("pH", X["pH"].where(X["pH"] > 2))), {}, "'pH' is NaN"),
        (bad(lambda X: X.__setitem__("pH", np.inf)), {}, "must be finite"),
        (frame()[::-1], {}, "time must go forward"),
        (frame().iloc[[0, 1, 1, 2]], {}, "time must go forward"),
        (frame(1), {}, "constant|too many|at least"),
        (frame(2), {"cv": None}, "too many"),
        (frame(10), {"n_components": 8}, "too few rows to leave out"),
        (np.arange(5.0), {}, "X must have shape"),
        (pd.concat([frame(), frame()], axis=1), {}, "more than once"),
        (frame(), {"n_components": 9}, "too many"),
        (frame(), {"n_components": "most"}, "must be a number or one of"),
        (frame(), {"method": "ica"}, "method must"),
        (frame(), {"method": "pls"}, "needs y"),
        (frame(), {"scaling": "pareto"}, "scaling must"),
        (frame(), {"alpha": 1.0}, "alpha must"),
        (frame(), {"lags": -1}, "lags must"),
        (frame(), {"lags": 200}, "needs at least 201"),
        (frame(), {"cv": 1}, "cv must"),
        (frame(), {"t2_limit": "jackson"}, "t2_limit must"),
        (frame(), {"spe_limit": "f"}, "spe_limit must"),
        (frame(), {"forgetting": 1.5}, "forgetting must"),
        (
            frame(50),
            {"spe_limit": "cross-validated"},
            "at least 99 rows at alpha = 0.01, got 50",
        ),
        (frame(), {"spe_limit": "cross-validated", "cv": None}, "needs a number of blocks"),
    ],
)
def test_bad_input_says_what_is_wrong(X: Any, options: Any, message: str) -> None:
    options = {"n_components": 2} | options
    with pytest.raises(InputError, match=message):
        ProcessMonitor(**options).fit(X)


def test_a_variable_that_varies_in_one_block_only_is_named() -> None:
    X = frame()
    X["pH"] = np.where(np.arange(200) < 5, 1.0, 0.0)
    with pytest.raises(InputError, match="'pH' varies within one block"):
        ProcessMonitor(2).fit(X)
    ProcessMonitor(2, cv=None).fit(X)


def test_use_before_fit_and_bad_rows_are_refused() -> None:
    monitor = ProcessMonitor(2)
    for call in (monitor.score, monitor.score_one, monitor.update):
        with pytest.raises(InputError, match="not fitted yet"):
            call(frame())
    monitor.fit(frame())
    with pytest.raises(InputError, match="'T2' is missing in X"):
        monitor.score(frame()[NAMES[:-1]])
    with pytest.raises(InputError, match="'extra' was not fitted"):
        monitor.score(frame().assign(extra=1.0))
    with pytest.raises(InputError, match="X has 3 variables, but 8 were fitted"):
        monitor.score(np.ones((2, 3)))
    with pytest.raises(InputError, match="'flow' is NaN in row 0"):
        monitor.score(frame() * np.nan)
    with pytest.raises(InputError, match=r"values must have shape \(8,\)"):
        monitor.score_one(np.ones(3))
    with pytest.raises(InputError, match="'pH' is NaN"):
        monitor.score_one([1, 1, np.nan, 1, 1, 1, 1, 1])
    with pytest.raises(InputError, match="'pH' must be finite, got inf"):
        monitor.score_one([1, 1, np.inf, 1, 1, 1, 1, 1])
    with pytest.raises(InputError, match="takes no y"):
        monitor.fit(frame(), np.ones(200))
    with pytest.raises(InputError, match="y must have one row"):
        ProcessMonitor(2, method="pls").fit(frame(), np.ones(3))
    with pytest.raises(InputError, match="with 'pls' use"):
        ProcessMonitor(method="pls").fit(frame(), frame()["pH"])
    holes = ProcessMonitor(2, missing="tsr").fit(frame())
    with pytest.raises(InputError, match="no value at all"):
        holes.score_one(np.full(8, np.nan))
    gaps = frame()
    gaps.iloc[0, 0] = np.nan
    with pytest.raises(InputError, match="needs complete data"):
        ProcessMonitor(missing="tsr").fit(gaps)
    result = monitor.score(frame(), contributions="none")
    with pytest.raises(InputError, match="without contributions"):
        result.contributions()
    with pytest.raises(InputError, match="is not in this result"):
        monitor.score(frame()).contributions("2020-01-01")
