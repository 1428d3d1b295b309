from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import process_improve
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.pipeline import make_pipeline

from pharmaq import datasets
from pharmaq.chemometrics import (
    OPLS,
    PCA,
    PCR,
    PLS,
    SNV,
    Calibration,
    Diagnostics,
    diagnose,
)
from pharmaq.errors import AxisError, InputError, InputTypeError

seeds = st.integers(0, 10_000)


def simulated(seed: int, *, n: int = 40, m: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4)) @ rng.normal(size=(4, 12)) + 0.1 * rng.normal(size=(n, 12))
    Y = X[:, :m] + 0.2 * rng.normal(size=(n, m))
    return X, Y[:, 0] if m == 1 else Y


@pytest.fixture(scope="module")
def people_model(people: pd.DataFrame) -> PLS:
    return PLS(4, scale=True).fit(people.drop(columns="Shoesize"), people["Shoesize"])


# R package mdatools 0.14.2, people, autoscaled, 1 to 5 components, ten decimals: limits at 95 %
# in the first row, of the worst of 32 at 99 % in the second; "jm", "chisq" and data-driven
@pytest.mark.parametrize("n_components", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    ("kind", "method"),
    [
        ("jm", "jackson"),
        ("chisq", "chisq"),
        ("ddmoments", "ddmoments"),
        ("ddrobust", "ddrobust"),
    ],
)
def test_limits_of_people_match_mdatools(
    people: pd.DataFrame, shared: Path, kind: str, method: str, n_components: int
) -> None:
    published = json.loads((shared / "data" / "REFERENCE.json").read_text())
    case = published[f"pca_people_autoscaled_{kind}"]
    model = PCA(n_components, scale=True).fit(people)
    result = diagnose(model, people, role="calibration", convention="r", limits={"spe": method})
    for row, level in enumerate(("", ", outlier")):
        t2, spe = (np.array(case[name])[row, n_components - 1] for name in ("T2lim", "Qlim"))
        t2_method = method if method.startswith("dd") else "simca"
        assert result.limit("t2", t2_method + level) == pytest.approx(t2, rel=1e-9)
        assert result.limit("spe", method + level) == pytest.approx(spe, rel=1e-9)
    assert result.limit("spe") == result.limit("spe", method)
    if n_components == 5:
        np.testing.assert_allclose(result.t2, case["T2_lastcomp"], atol=1e-9)
        np.testing.assert_allclose(result.spe, case["Q_lastcomp"], atol=1e-9)


# PLS_Toolbox, people, shoe size, four components: VIP of the eleven variables (R of SIMPLS)
PEOPLE_VIP = [1.3935, 1.4077, 1.213, 0.46925, 0.54905, 1.0238, 0.43434, 1.3375, 1.3532]
PEOPLE_VIP += [0.41075, 0.24069]


def test_vip_of_people_matches_pls_toolbox(people: pd.DataFrame, people_model: PLS) -> None:
    X = people.drop(columns="Shoesize")
    result = diagnose(people_model, X, convention="pls_toolbox")
    assert result.vip == pytest.approx(PEOPLE_VIP, abs=5e-5)
    assert result.choices["vip"] == "from rotations"


# the same program has scores t ||p|| and loadings of length 1, and divides variances of PLS
# scores by N (eigenvector.com, FAQ on Q and T2 of PLS models)
def test_scores_of_people_have_the_scale_of_pls_toolbox(
    people: pd.DataFrame, people_model: PLS
) -> None:
    X = people.drop(columns="Shoesize")
    ours, theirs = (diagnose(people_model, X, convention=c) for c in ("pharmaq", "pls_toolbox"))
    np.testing.assert_allclose(np.linalg.norm(theirs.loadings, axis=0), 1.0)
    fitted = [result.scores @ result.loadings.T for result in (ours, theirs)]
    np.testing.assert_allclose(*fitted, atol=1e-12)
    T = people_model.x_scores_
    np.testing.assert_allclose(theirs.t2, np.sum((T / np.sqrt(np.mean(T**2, axis=0))) ** 2, 1))
    np.testing.assert_allclose(theirs.t2, ours.t2 * 32 / 31)
    np.testing.assert_allclose(theirs.leverage, ours.leverage - 1 / 32)


# SIMCA, LDPE reactor (MacGregor et al. 1994), six components: T2 of 54 samples and its limits
def test_ldpe_matches_simca() -> None:
    folder = next(iter(process_improve.__path__)) + "/datasets/multivariate/LDPE/"
    data = pd.read_csv(folder + "LDPE.csv", index_col=0)
    published = pd.read_csv(folder + "Hotellings_T2_A6.csv", header=None).to_numpy().ravel()
    X, Y = data.iloc[:, :14], data.iloc[:, 14:]
    model = PLS(6, scale=True).fit(X, Y)
    for alpha, limit in ((0.05, 15.2017), (0.01, 21.2239)):
        result = diagnose(model, X, Y, role="calibration", convention="simca", alpha=alpha)
        np.testing.assert_allclose(result.t2, published, rtol=1e-4)
        assert result.limit("t2") == pytest.approx(limit, abs=1e-4)
        found = {f.subject for f in result.findings if f.rule == "calibration_t2"}
        assert found == {str(name) for name in X.index[published > limit]}


# Montgomery, Introduction to Statistical Quality Control, table 11.1, 20 individuals of two
# variables, and Tracy, Young and Mason (1992) with 15: limits of phases 1 and 2 at 0.5393 %
@pytest.mark.parametrize(
    ("n", "role", "limit"),
    [
        (20, "calibration", 8.28592787636626),
        (15, "calibration", 7.59483590446819),
        (15, "new", 18.4177171929513),
    ],
)
def test_limits_of_t2_follow_the_role(n: int, role: Any, limit: float) -> None:
    X = np.random.default_rng(0).normal(size=(n, 2))
    result = diagnose(PCA(2).fit(X), X, role=role, alpha=1 - 0.9946072899999999)
    assert result.limit("t2") == pytest.approx(limit, rel=1e-8)


# worked by hand: a rectangle with variances 16/3 and 4/3 and one component
def test_a_rectangle_worked_by_hand() -> None:
    rectangle = [[2.0, 1.0], [2.0, -1.0], [-2.0, 1.0], [-2.0, -1.0]]
    result = diagnose(PCA(1).fit(rectangle), [[4.0, 2.0]])
    # t = 4: 16 / (16/3); e = 2
    assert (result.t2[0], result.spe[0]) == pytest.approx((3.0, 4.0))
    # s0^2 = 4 / ((4 - 1 - 1) (2 - 1)), and 4 / s0^2 = 2
    assert result.dmodx[0] == pytest.approx(np.sqrt(2.0))
    assert result.leverage[0] == pytest.approx(1 / 4 + 3 / 3)
    # the nearest scores are 2, in units of sqrt(16/3); calibration samples coincide in pairs
    assert result.nearest_neighbor[0] == pytest.approx(2 / np.sqrt(16 / 3))
    assert result.limit("nearest_neighbor") == 0.0
    assert result.limit("leverage") == pytest.approx(3 * 2 / 4)
    # F(0.95; 1, 2) = 18.513
    assert result.limit("dmodx") == pytest.approx(np.sqrt(18.513), abs=1e-4)
    again = diagnose(PCA(1).fit(rectangle), rectangle, role="calibration")
    # sqrt(N / (N - A - 1)) = sqrt(2) on calibration samples, where SPE is 1
    assert again.dmodx == pytest.approx([np.sqrt(2 * 1 / 2)] * 4)


# R. D. Cook, S. Weisberg, Residuals and Influence in Regression (1982): internally studentised
# residuals, against least squares on the scores with every sample left out in turn
@given(seeds)
def test_residuals_of_calibration_samples_equal_leaving_them_out(seed: int) -> None:
    X, y = simulated(seed, n=15)
    model = PLS(2).fit(X, y)
    result = diagnose(model, X, y, role="calibration")
    T = np.column_stack([np.ones(15), model.x_scores_])
    for i in range(15):
        rest = np.arange(15) != i
        b, rss, *_ = np.linalg.lstsq(T[rest], y[rest])
        spread = np.sqrt(rss[0] / (14 - 3))
        extra = T[i] @ np.linalg.solve(T[rest].T @ T[rest], T[i])
        deleted = (T[i] @ b - y[i]) / (spread * np.sqrt(1 + extra))
        f = 15 - 3
        internal = deleted * np.sqrt(f / (f - 1 + deleted**2))
        assert result.residual[i] == pytest.approx(internal, rel=1e-6, abs=1e-9)


# with fixed scores residuals of new samples follow Student's t, those of the fit have a share
# alpha beyond the limit: 20 000 regressions on two orthogonal scores
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_limits_of_residuals_hold_their_error_rate(alpha: float) -> None:
    rng = np.random.default_rng(1)
    X, y = simulated(3, n=12)
    model = PLS(2).fit(X, y)
    T = np.column_stack([np.ones(12), model.x_scores_])
    hat = T @ np.linalg.pinv(T)
    noise = rng.normal(size=(20_000, 12))
    errors = noise - noise @ hat
    sec = np.sqrt(np.sum(errors**2, axis=1) / (12 - 3))
    inner = errors / (sec[:, None] * np.sqrt(1 - np.diag(hat)))
    limit = diagnose(model, X, y, role="calibration", alpha=alpha).limit("residual")
    assert np.mean(np.abs(inner) > limit) == pytest.approx(alpha, rel=0.05)
    outer = rng.normal(size=20_000) * np.sqrt(1.3) / (sec * np.sqrt(1.3))
    limit = diagnose(model, X[:2], y[:2], alpha=alpha).limit("residual")
    assert np.mean(np.abs(outer) > limit) == pytest.approx(alpha, rel=0.15)


@given(seeds, st.sampled_from(["pharmaq", "simca", "pls_toolbox", "r"]))
def test_distances_equal_their_slow_twins(seed: int, convention: Any) -> None:
    X, y = simulated(seed)
    model = PLS(3, scale=True).fit(X, y)
    Z = (X[:5] + 0.3 - X.mean(0)) / X.std(0, ddof=1)
    result = diagnose(model, X[:5] + 0.3, convention=convention)
    T, P = model.x_scores_, model.x_loadings_
    s = T.std(axis=0, ddof=1)
    E = (X - X.mean(0)) / X.std(0, ddof=1) - T @ P.T
    s0 = np.sum(E**2) / ((40 - 3 - 1) * (12 - 3))
    for i, z in enumerate(Z):
        t = model.x_rotations_.T @ z
        e = z - P @ t
        assert result.dmodx[i] == pytest.approx(np.sqrt(e @ e / (12 - 3) / s0), rel=1e-7)
        nearest = min(np.sqrt(np.sum(((t - u) / s) ** 2)) for u in T)
        assert result.nearest_neighbor[i] == pytest.approx(nearest, rel=1e-7)
        mean = 1 / 40 if convention in {"pharmaq", "r"} else 0
        expected = mean + np.sum((t / s) ** 2) / 39
        assert result.leverage[i] == pytest.approx(expected, rel=1e-7)


@given(seeds)
def test_neighbours_of_calibration_samples_are_other_ones(seed: int) -> None:
    X, _ = simulated(seed, n=20)
    model = PCA(3).fit(X)
    result = diagnose(model, X, role="calibration")
    scaled = model.x_scores_ / model.x_scores_.std(axis=0, ddof=1)
    gaps = np.linalg.norm(scaled[:, None] - scaled[None], axis=2)
    expected = np.min(gaps + np.diag(np.full(20, np.inf)), axis=1)
    np.testing.assert_allclose(result.nearest_neighbor, expected, rtol=1e-6)
    assert result.limit("nearest_neighbor") == pytest.approx(expected.max())
    assert not result.outside("nearest_neighbor").any()


def test_a_sample_in_a_gap_has_no_neighbour_though_t2_is_small() -> None:
    rng = np.random.default_rng(0)
    X = np.repeat([[-5.0, 0, 0], [5.0, 0, 0]], 20, axis=0) + 0.3 * rng.normal(size=(40, 3))
    result = diagnose(PCA(1).fit(X), [[0.0, 0.0, 0.0]])
    assert [f.rule for f in result.findings] == ["outlier_nearest_neighbor"]
    assert not result.outside("t2").any()


@given(seeds, st.integers(1, 10))
def test_a_sample_is_judged_the_same_alone_and_among_others(seed: int, size: int) -> None:
    X, y = simulated(seed)
    model = PLS(3).fit(X[:30], y[:30])
    whole, part = diagnose(model, X[30:], y[30:]), diagnose(model, X[30:][:size], y[30:][:size])
    for name in ("t2", "spe", "dmodx", "leverage", "nearest_neighbor", "residual"):
        assert getattr(part, name).tolist() == getattr(whole, name)[:size].tolist()


# share of false alarms on fresh normal samples with a large calibration set
def test_judged_limits_hold_their_error_rate_for_normal_data() -> None:
    rng = np.random.default_rng(4)
    loadings = np.linalg.qr(rng.normal(size=(10, 10)))[0] * np.geomspace(5, 0.3, 10)

    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        X = rng.normal(size=(n, 10)) @ loadings.T
        return X, X[:, 0] + rng.normal(size=n)

    model = PLS(3).fit(*draw(2000))
    result = diagnose(model, *draw(20_000))
    frame = result.limits_frame().query("judged").set_index("statistic")
    for statistic in ("t2", "spe", "residual"):
        share = frame.loc[statistic, "n_outside"] / 20_000
        assert share == pytest.approx(0.05, abs=0.008)
    assert (frame.loc[["t2", "spe"], "n_expected"] == 1000).all()


@given(seeds, st.floats(0.01, 100), st.floats(-10, 10))
def test_diagnostics_follow_the_units(seed: int, scale: float, shift: float) -> None:
    X, y = simulated(seed)
    plain = diagnose(PLS(3).fit(X, y), X, y, role="calibration")
    moved = diagnose(PLS(3).fit(scale * X + shift, y), scale * X + shift, y, role="calibration")
    np.testing.assert_allclose(moved.t2, plain.t2, rtol=1e-6)
    np.testing.assert_allclose(moved.spe, scale**2 * plain.spe, rtol=1e-6, atol=1e-9 * scale**2)
    np.testing.assert_allclose(moved.dmodx, plain.dmodx, rtol=1e-5)
    np.testing.assert_allclose(moved.residual, plain.residual, rtol=1e-6, atol=1e-8)
    assert moved.limit("spe") == pytest.approx(scale**2 * plain.limit("spe"), rel=1e-6)


def test_every_limit_is_in_the_result_by_name() -> None:
    X, y = simulated(0)
    result = diagnose(PLS(3).fit(X, y), X, y, role="calibration")
    frame = result.limits_frame()
    named = set(frame["statistic"] + ": " + frame["method"])
    for method in ("f", "beta", "simca", "chi2", "ddmoments", "ddrobust"):
        assert f"t2: {method}" in named
    for method in ("jackson", "box", "robust", "imhof", "box_eigenvalues", "chisq"):
        assert f"spe: {method}" in named
    judged = frame.query("judged")
    assert set(judged["statistic"] + ": " + judged["method"]) == {
        "t2: beta",
        "spe: imhof",
        "residual: t",
        "nearest_neighbor: largest",
    }
    assert result.limit("spe", "box") == PLS(3).fit(X, y).spe_limit(method="box")
    with pytest.raises(InputError, match=r"no limit of 'spe' by method = 'f'.*jackson, box"):
        result.limit("spe", "f")


def test_limits_can_be_chosen() -> None:
    X, y = simulated(0)
    chosen = {"t2": "chi2", "spe": "box", "nearest_neighbor": "quantile"}
    result = diagnose(PLS(3).fit(X, y), X, limits=chosen)
    assert result.limit("t2") == pytest.approx(stats.chi2.isf(0.05, 3))
    assert result.choices["spe limit"] == "box"
    own = diagnose(PLS(3).fit(X, y), X, role="calibration").nearest_neighbor
    assert result.limit("nearest_neighbor") == pytest.approx(np.quantile(own, 0.95))


def test_data_driven_limits_judge_the_full_distance(people: pd.DataFrame) -> None:
    from pharmaq.chemometrics import DDSIMCA

    model = PCA(3, scale=True).fit(people)
    result = diagnose(model, people, role="calibration", convention="r")
    simca = DDSIMCA(3, scale=True).fit(people)
    np.testing.assert_allclose(result.distance, simca.distances(people)["distance"])
    outside = [f.subject for f in result.findings if f.rule == "calibration_distance"]
    assert outside == [str(i) for i in np.flatnonzero(simca.predict(people) == -1)]


def test_severities_follow_the_role() -> None:
    X, y = simulated(0)
    model = PLS(4).fit(X, y)
    far, strange, wrong = X[0] + 20 * (X[0] - X.mean(0)), X[1].copy(), X[2]
    strange[3] += 10
    result = diagnose(model, [far, strange, wrong], [y[0], y[1], y[2] + 9])
    found = {(f.rule, f.severity, f.subject) for f in result.findings}
    assert ("outlier_t2", "alert", "0") in found
    assert ("outlier_spe", "action", "1") in found
    assert ("outlier_residual", "alert", "2") in found
    X[5, 3] += 10
    again = diagnose(PLS(4).fit(X, y), X, y, role="calibration")
    assert {(f.rule, f.severity) for f in again.findings if f.subject == "5"} >= {
        ("calibration_spe", "alert")
    }


def test_the_frame_names_what_is_outside() -> None:
    X, y = simulated(0)
    model = PLS(4).fit(X, y)
    strange = X[:3].copy()
    strange[1, 3] += 10
    frame = diagnose(model, pd.DataFrame(strange, index=["a", "b", "c"]), y[:3]).to_frame()
    assert list(frame["sample"]) == ["a", "b", "c"]
    assert "spe" in frame["outside"][1].split(", ")
    assert list(frame.columns) == [
        "sample",
        "t2",
        "spe",
        "dmodx",
        "leverage",
        "nearest_neighbor",
        "residual",
        "outside",
    ]


def test_several_responses_have_a_residual_each() -> None:
    X, Y = simulated(0, m=2)
    result = diagnose(PLS(3).fit(X, Y), X, Y, role="calibration")
    assert result.residual.shape == (40, 2)
    assert {"residual_y0", "residual_y1"} <= set(result.to_frame().columns)
    one = diagnose(PLS(3).fit(X, Y[:, 0]), X[:3], [Y[0, 0] + 50, Y[1, 0], Y[2, 0]])
    assert "outlier_residual" in {f.rule for f in one.findings}


@pytest.fixture(scope="module")
def tablets() -> xr.DataArray:
    return datasets.tablets(n_batches=10, tablets_per_batch=6, random_state=3).spectra


def test_a_calibration_is_judged_by_its_own_limits(tablets: xr.DataArray) -> None:
    calibration = Calibration("snv, sg(15,2,1)", n_components=3).fit(tablets, "api")
    new = datasets.tablets(n_batches=2, n_foreign=2, random_state=9).spectra
    result = diagnose(calibration, new, "api", alpha=0.01)
    predicted = calibration.predict(new)
    for name in ("t2", "spe", "leverage"):
        assert getattr(result, name).tolist() == getattr(predicted, name).tolist()
    assert result.limit("t2") == predicted.t2_limit
    assert result.limit("spe") == predicted.spe_limit
    errors = (predicted.value - new.api.values) / predicted.standard_error
    np.testing.assert_allclose(result.residual, errors, rtol=1e-7, atol=1e-9)
    foreign = {f.subject for f in predicted.findings if f.rule == "outlier_spe"}
    assert {f.subject for f in result.findings if f.rule == "outlier_spe"} == foreign
    assert result.sample.tolist() == new["sample"].values.tolist()


def test_a_pipeline_is_judged_by_its_last_step(tablets: xr.DataArray) -> None:
    pipeline = make_pipeline(SNV(), PCA(3)).fit(tablets)
    result = diagnose(pipeline, tablets, role="calibration")
    plain = diagnose(pipeline[-1], SNV().fit_transform(tablets), role="calibration")
    assert result.spe.tolist() == plain.spe.tolist()


def test_a_shifted_axis_is_refused(tablets: xr.DataArray) -> None:
    for model in (PCA(2).fit(tablets), make_pipeline(SNV(), PCA(2)).fit(tablets)):
        with pytest.raises(AxisError, match="mean shift"):
            diagnose(model, tablets.assign_coords(wavelength=tablets.wavelength + 4))


@pytest.mark.parametrize("model", [PCA(2), PCR(2), OPLS(1), PLS(2, scale=True)], ids=repr)
def test_every_latent_variable_model_is_judged(model: Any) -> None:
    X, y = simulated(0)
    result = diagnose(model.fit(X, y), X, role="calibration")
    assert isinstance(result, Diagnostics)
    assert result.to_dict()["role"] == "calibration"


def test_calibration_samples_given_as_new_are_noticed() -> None:
    X, y = simulated(0)
    rules = [f.rule for f in diagnose(PLS(2).fit(X, y), X).findings]
    assert rules[-1] == "calibration_as_new"


def test_components_that_span_all_variables_leave_no_limit_of_the_residual() -> None:
    X = np.random.default_rng(0).normal(size=(20, 3))
    result = diagnose(PCA(3).fit(X), X, convention="simca", role="calibration")
    assert np.isnan(result.dmodx).all()
    assert "no_limit_dmodx" in {f.rule for f in result.findings}
    assert diagnose(PCA(3).fit(X), X, role="calibration").limit("dmodx") != 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"role": "calibration"}, "row 0 are not those of the fit; use role='new'"),
        ({"role": "old"}, "role must be one of 'calibration', 'new', got 'old'"),
        ({"convention": "unscrambler"}, "convention must be one of 'pharmaq'"),
        ({"alpha": 0}, r"alpha must lie in \(0, 1\), got 0"),
        ({"gamma": 2}, r"gamma must lie in \(0, 1\), got 2"),
        ({"limits": {"spe": "f"}}, r"limits\['spe'\] must be one of 'jackson'.*got 'f'"),
        ({"limits": {"q": "f"}}, "limits must be one of 't2', 'spe'.*got 'q'"),
        ({"y": [1.0, 2.0]}, r"y must have shape \(40, 1\) or \(40,\), got \(2,\)"),
        ({"y": [np.nan] * 40}, r"y\[0\] is NaN"),
        ({"y": "api"}, "y = 'api' is no sample coordinate"),
    ],
)
def test_bad_arguments_are_named(change: Any, message: str) -> None:
    X, y = simulated(0)
    model = PLS(2).fit(X, y)
    with pytest.raises(InputError, match=message):
        diagnose(model, X[::-1], **change)


def test_bad_samples_and_models_are_named() -> None:
    X, y = simulated(0)
    model = PLS(2).fit(X, y)
    with pytest.raises(InputError, match="X holds 3 samples, the model was fitted to 40"):
        diagnose(model, X[:3], role="calibration")
    bad = X.copy()
    bad[2, 3] = np.nan
    with pytest.raises(InputError, match=r"X\[2, 3\] is NaN"):
        diagnose(model, bad)
    with pytest.raises(InputTypeError, match="model must be a PCA, PLS, PCR"):
        diagnose(SNV().fit(X), X)
    with pytest.raises(InputError, match="residuals of y need a PLS or PCR, got PCA"):
        diagnose(PCA(2).fit(X), X, y)
    with pytest.raises(InputError, match=r"cannot be studentised.*use fewer components"):
        diagnose(PLS(4).fit(X[:5], y[:5]), X, y)
