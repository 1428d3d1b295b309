"""PCA and PLS with missing values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import process_improve.multivariate.methods as peer
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from process_improve.multivariate._projection import operator_for_pattern
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import check_estimator

import naive_missing as naive
from pharmaq.chemometrics import PCA, PLS, cross_validate
from pharmaq.errors import InputError
from pharmaq.spectra import as_spectra

seeds = st.integers(0, 10_000)
METHODS = ["nipals", "tsr"]


def simulated(seed: int, *, share: float = 0.1, n: int = 30, p: int = 12) -> Any:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(n, 3)) * [4.0, 2.0, 1.0]
    X = scores @ np.linalg.qr(rng.normal(size=(p, 3)))[0].T + 0.1 * rng.normal(size=(n, p))
    X[rng.random(X.shape) < share] = np.nan
    X[0, 0] = np.nan
    return X, scores @ [1.0, -0.5, 0.3] + 0.1 * rng.normal(size=n)


# R package mixOmics 6.34.0, nipals() of the Linnerud data with missing values, 3 components
def test_nipals_matches_mixomics(shared: Path) -> None:
    folder = shared / "cases" / "spc_mspc" / "data" / "mixomics_nipals"
    X = pd.read_csv(folder / "linnerud_centered_with_nan.csv").to_numpy()[:, -6:]
    loadings = pd.read_csv(folder / "reference_loadings.csv", index_col=0).to_numpy()
    scores = pd.read_csv(folder / "reference_scores.csv").to_numpy()
    lengths = json.loads((folder / "reference_metadata.json").read_text())["eigenvalues"]
    model = PCA(3, missing="nipals").fit(X)
    signs = np.sign(np.sum(model.x_loadings_ * loadings, axis=0))
    np.testing.assert_allclose(model.x_loadings_ * signs, loadings, atol=1e-5)
    found = np.linalg.norm(model.x_scores_, axis=0)
    assert found == pytest.approx(lengths, abs=5e-4)
    np.testing.assert_allclose(model.x_scores_ * signs / found, scores, atol=1e-5)
    assert model.n_missing_ == np.isnan(X).sum()


@pytest.fixture
def food(shared: Path) -> np.ndarray:
    """Consumption of 20 foods in 16 countries, 3 values missing."""
    table = pd.read_csv(shared / "data" / "multivariate" / "food_consumption.csv", index_col=0)
    return table.to_numpy(dtype=float)


# process-improve 2.2, which leaves centring and scaling to its user
@pytest.mark.parametrize(("method", "tol"), [("nipals", 1e-13), ("tsr", 1e-15)])
def test_food_consumption_agrees_with_process_improve(
    food: np.ndarray, method: Any, tol: float
) -> None:
    scale = np.nanstd(food, axis=0, ddof=1)
    Z = pd.DataFrame((food - np.nanmean(food, axis=0)) / scale)
    other = peer.PCA(n_components=3, algorithm=method, tol=tol, max_iter=5000).fit(Z)
    model = PCA(3, scale=True, missing=method).fit(food)
    P = np.asarray(other.loadings_)
    signs = np.sign(np.sum(model.x_loadings_ * P, axis=0))
    np.testing.assert_allclose(model.x_loadings_ * signs, P, atol=1e-6)
    assert model.n_missing_ == model.n_missing_per_column_.sum() == 3


@settings(max_examples=20)
@given(seeds, st.sampled_from([0.02, 0.1, 0.25]))
def test_nipals_of_pca_equals_its_slow_twin(seed: int, share: float) -> None:
    X, _ = simulated(seed, share=share)
    model = PCA(3, missing="nipals").fit(X)
    T, P = naive.nipals_pca(X, 3)
    signs = np.sign(np.sum(model.x_loadings_ * P, axis=0))
    np.testing.assert_allclose(model.x_loadings_ * signs, P, atol=1e-7)
    np.testing.assert_allclose(model.x_scores_ * signs, T, atol=1e-6)


@given(seeds, st.integers(1, 2))
def test_nipals_of_pls_equals_its_slow_twin(seed: int, n_responses: int) -> None:
    X, y = simulated(seed)
    Y = np.column_stack([y, np.nan_to_num(X[:, 1])])[:, :n_responses]
    model = PLS(2, missing="nipals").fit(X, Y)
    W, T, P, Q = naive.nipals_pls(X, Y, 2)
    signs = np.sign(np.sum(model.x_loadings_ * P, axis=0))
    for ours, other in [
        (model.x_weights_, W),
        (model.x_scores_, T),
        (model.x_loadings_, P),
        (model.y_loadings_, Q),
    ]:
        np.testing.assert_allclose(ours * signs, other, atol=1e-7)


@settings(max_examples=6)
@given(seeds, st.sampled_from([0.02, 0.1, 0.2]))
def test_trimmed_score_regression_equals_its_slow_twin(seed: int, share: float) -> None:
    X, _ = simulated(seed, share=share)
    model = PCA(3, missing="tsr").fit(X)
    filled = naive.filled_by_trimmed_scores(X, 3)
    np.testing.assert_allclose(model.x_mean_, filled.mean(axis=0), atol=1e-7)
    plain = PCA(3).fit(filled)
    np.testing.assert_allclose(model.x_loadings_, plain.x_loadings_, atol=1e-6)
    np.testing.assert_allclose(model.eigenvalues_, plain.eigenvalues_, rtol=1e-6)
    np.testing.assert_allclose(model.x_scores_, plain.x_scores_, atol=1e-5)


@pytest.mark.parametrize(
    ("model", "method"),
    [(PCA, "scp"), (PCA, "pmp"), (PCA, "tsr"), (PLS, "scp"), (PLS, "tsr")],
)
def test_scores_agree_with_process_improve(model: Any, method: str) -> None:
    X, y = simulated(3)
    fitted = model(3, missing="tsr", score_method=method).fit(X, y)
    row = simulated(4)[0][1]
    row[[2, 5, 6]] = np.nan
    seen = ~np.isnan(row)
    P = fitted.x_loadings_
    residuals = fitted.residual_factor_.T if method == "tsr" else None
    operator = operator_for_pattern(
        P,
        fitted.x_rotations_,
        fitted.score_variances_,
        seen,
        method=method,
        x_weights=getattr(fitted, "x_weights_", P),
        # theirs divides by the rows less one
        x_residuals=None if residuals is None else residuals * np.sqrt(len(residuals) - 1),
    )
    expected = operator.matrix @ ((row - fitted.x_mean_) / fitted.x_scale_)[seen]
    np.testing.assert_allclose(fitted.transform(row[None])[0], expected, rtol=1e-9)


@given(seeds, st.sampled_from([PCA, PLS]), st.booleans())
def test_projection_to_the_plane_agrees_with_what_it_fills_in(
    seed: int, model: Any, scale: bool
) -> None:
    X, y = simulated(seed)
    fitted = model(2, scale=scale, missing="tsr", score_method="pmp").fit(X, y)
    scores = fitted.transform(X)
    rebuilt = scores @ fitted.x_loadings_.T * fitted.x_scale_ + fitted.x_mean_
    np.testing.assert_allclose(
        fitted.transform(np.where(np.isnan(X), rebuilt, X)), scores, atol=1e-8
    )


@given(seeds, st.sampled_from(METHODS), st.sampled_from([PCA, PLS]), st.booleans())
def test_calibration_samples_get_the_scores_they_had(
    seed: int, method: Any, model: Any, scale: bool
) -> None:
    X, y = simulated(seed)
    fitted = model(3, scale=scale, missing=method).fit(X, y)
    np.testing.assert_allclose(fitted.transform(X), fitted.x_scores_, atol=1e-7)
    np.testing.assert_allclose(fitted.spe(X), fitted.spe_, atol=1e-7)
    np.testing.assert_allclose(fitted.score_variances_, np.sum(fitted.x_scores_**2, 0) / 29)


@given(seeds, st.sampled_from(METHODS), st.booleans())
def test_complete_data_give_the_plain_models(seed: int, method: Any, scale: bool) -> None:
    X = np.random.default_rng(seed).normal(size=(12, 7)).cumsum(axis=1)
    y = X[:, 1] - X[:, 4]
    for plain in (PCA(3, scale=scale), PLS(3, scale=scale)):
        one = clone(plain).fit(X, y)
        two = clone(plain).set_params(missing=method).fit(X, y)
        for name in ("x_loadings_", "x_scores_", "spe_", "residual_eigenvalues_", "x_mean_"):
            np.testing.assert_allclose(getattr(two, name), getattr(one, name), atol=1e-9)
        assert two.n_missing_ == 0
        assert two.spe_limit(method="box") == pytest.approx(one.spe_limit(method="box"))


# one cell of 1200 taken out: the iterations themselves come close to the plain fit
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("model", [PCA(3), PLS(3)], ids=repr)
def test_one_missing_value_changes_little(model: Any, method: Any) -> None:
    X = np.nan_to_num(simulated(5, n=100)[0])
    y = X @ np.arange(12.0)
    plain = clone(model).fit(X, y)
    X[7, 3] = np.nan
    fitted = clone(model).set_params(missing=method).fit(X, y)
    np.testing.assert_allclose(fitted.x_loadings_, plain.x_loadings_, atol=0.02)
    np.testing.assert_allclose(fitted.score_variances_, plain.score_variances_, rtol=0.02)


@given(seeds, st.integers(1, 4))
def test_trimmed_scores_predict_best(seed: int, count: int) -> None:
    # for what the calibration has seen, regression is the best of all linear rules
    X = np.nan_to_num(simulated(seed)[0])
    model = PCA(3, missing="tsr").fit(X)
    seen = np.ones(12, dtype=bool)
    seen[:count] = False
    trimmed = np.where(seen, X, np.nan)
    errors = {}
    for method in ("scp", "pmp", "tsr"):
        model = PCA(3, missing="tsr", score_method=method).fit(X)
        errors[method] = np.sum((model.transform(trimmed) - model.x_scores_) ** 2, axis=0)
    assert (errors["tsr"] <= errors["pmp"] * (1 + 1e-9)).all()
    assert (errors["tsr"] <= errors["scp"] * (1 + 1e-9)).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("model", [PCA(2), PLS(2)], ids=repr)
def test_a_sample_gets_the_same_bits_alone_and_among_others(model: Any, method: Any) -> None:
    X, y = simulated(1)
    fitted = clone(model).set_params(missing=method).fit(X, y)
    for name in ("transform", "t2", "spe"):
        whole = getattr(fitted, name)(X)
        single = [getattr(fitted, name)(X[i : i + 1])[0] for i in range(len(X))]
        assert np.asarray(single).tolist() == whole.tolist()


@pytest.mark.parametrize("method", METHODS)
def test_predictions_of_incomplete_samples_come_from_their_scores(method: Any) -> None:
    X, y = simulated(2)
    model = PLS(3, missing=method).fit(X, y)
    expected = model.transform(X) @ model.y_loadings_[0] + y.mean()
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-12)
    whole = ~np.isnan(X).any(axis=1)
    np.testing.assert_allclose(
        model.predict(X)[whole], X[whole] @ model.coef_[0] + model.intercept_[0], rtol=1e-9
    )
    assert model.score(X, y) > 0.9
    assert model.explained_x_.sum() < 1
    assert model.explained_y_.sum() <= 1 + 1e-9


@pytest.mark.parametrize("algorithm", ["simpls", "kernel"])
def test_every_algorithm_goes_with_trimmed_scores(algorithm: Any) -> None:
    X, y = simulated(2)
    one = PLS(3, algorithm=algorithm, missing="tsr").fit(X, y)
    two = PLS(3, missing="tsr").fit(X, y)
    np.testing.assert_allclose(one.predict(X), two.predict(X), rtol=1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_missing_values_are_counted(method: Any) -> None:
    X, _ = simulated(0)
    model = PCA(2, missing=method).fit(X)
    assert model.n_missing_per_column_.tolist() == np.isnan(X).sum(axis=0).tolist()
    np.testing.assert_allclose(model.observed_share_, 1 - np.isnan(X).mean(axis=1))
    assert model.convergence_[-1, 1] <= 1e-10
    assert model.score_method_ == {"nipals": "scp", "tsr": "tsr"}[method]


@pytest.mark.parametrize("limit", ["jackson", "box", "robust"])
def test_limits_of_spe_are_those_of_complete_samples(limit: Any) -> None:
    X = np.nan_to_num(simulated(6, n=400, share=0.0)[0])
    whole = PCA(3).fit(X).spe_limit(method=limit)
    X[np.random.default_rng(0).random(X.shape) < 0.2] = np.nan
    X[np.isnan(X).all(axis=1)] = 0.0
    found = PCA(3, missing="tsr").fit(X).spe_limit(method=limit)
    assert found == pytest.approx(whole, rel=0.2)
    # single component projection leaves more of an incomplete sample unexplained
    assert PCA(3, missing="nipals").fit(X).spe_limit(method=limit) > found


def test_labels_survive_and_a_shared_axis_is_kept() -> None:
    X, y = simulated(0)
    spectra = as_spectra(np.nan_to_num(X), axis=np.arange(1100.0, 1160.0, 5.0))
    spectra = spectra.copy(data=X)
    model = PLS(2, missing="tsr").fit(spectra, y)
    scores = model.transform(spectra)
    assert isinstance(scores, xr.DataArray)
    np.testing.assert_array_equal(scores, PLS(2, missing="tsr").fit(X, y).transform(X))
    frame = pd.DataFrame(X, index=[f"s{i}" for i in range(30)])
    assert list(model.__class__(2, missing="nipals").fit(frame, y).t2(frame).index) == list(
        frame.index
    )


@pytest.mark.parametrize("method", METHODS)
def test_cross_validation_takes_missing_values(method: Any) -> None:
    X, y = simulated(3)
    result = cross_validate(PLS(3, missing=method), X, y, cv=5)
    assert result.algorithm == "refit in every fold"
    assert result.rmsecv[-1] < 0.5 * result.rmsecv_null
    with pytest.raises(InputError, match="is NaN"):
        cross_validate(PLS(3), X, y, cv=5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("model", [PCA(2), PLS(2)], ids=repr)
def test_rows_and_columns_with_nothing_observed_are_refused(model: Any, method: Any) -> None:
    X, y = simulated(0)
    fitted = clone(model).set_params(missing=method).fit(X, y)
    X[4] = np.nan
    with pytest.raises(InputError, match=r"row 4 of X has no observed value \(1 such rows\)"):
        clone(fitted).fit(X, y)
    with pytest.raises(InputError, match=r"row 4 of X has no observed value"):
        fitted.transform(X)
    X, y = simulated(0)
    X[:, 5] = np.nan
    with pytest.raises(InputError, match="column 5 of X has no observed value"):
        clone(fitted).fit(X, y)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"missing": "drop"}, "missing must be one of 'raise', 'nipals', 'tsr', got 'drop'"),
        ({"missing": "tsr", "score_method": "cmr"}, "score_method must be one of"),
        ({"missing": "nipals", "algorithm": "simpls"}, 'missing = "nipals" needs algorithm'),
        (
            {"missing": "tsr", "algorithm": "simpls", "score_method": "scp"},
            'score_method = "scp" needs the weights of NIPALS',
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: Any, message: str) -> None:
    X, y = simulated(0)
    with pytest.raises(InputError, match=message):
        PLS(2, **options).fit(X, y)


@pytest.mark.parametrize("method", METHODS)
def test_infinity_and_missing_references_are_refused(method: Any) -> None:
    X, y = simulated(0)
    with pytest.raises(InputError, match=r"y\[3\] is NaN"):
        PLS(2, missing=method).fit(X, np.where(np.arange(30) == 3, np.nan, y))
    X[2, 2] = np.inf
    with pytest.raises(InputError, match=r"X\[2, 2\] is inf"):
        PCA(2, missing=method).fit(X)


@pytest.mark.parametrize("method", METHODS)
def test_weights_of_samples_need_complete_data(method: Any) -> None:
    X, y = simulated(0)
    weights = np.r_[2.0, np.ones(29)]
    with pytest.raises(InputError, match="sample_weight cannot go with missing values in X"):
        PLS(2, missing=method).fit(X, y, weights)
    X = np.nan_to_num(X)
    one, two = PLS(2, missing=method).fit(X, y, weights), PLS(2).fit(X, y, weights)
    np.testing.assert_allclose(one.coef_, two.coef_, rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_a_column_constant_where_observed_cannot_be_scaled(method: Any) -> None:
    X, _ = simulated(0)
    X[:, 2] = np.where(np.isnan(X[:, 2]), np.nan, 4.0)
    X[0, 2] = np.nan
    with pytest.raises(InputError, match="column 2 of X is constant where it is observed"):
        PCA(2, scale=True, missing=method).fit(X)


@pytest.mark.parametrize("method", METHODS)
def test_components_beyond_the_rank_are_refused(method: Any) -> None:
    X = np.outer(np.arange(-4.0, 5.0), [1.0, 2.0, -1.0])
    X[4, 1] = np.nan
    with pytest.raises(InputError, match="n_components = 2 exceeds the rank 1"):
        PCA(2, missing=method).fit(X)


def test_too_few_points_for_the_plane_are_refused_and_trimmed_scores_shrink() -> None:
    X, _ = simulated(0)
    row = np.full((1, 12), np.nan)
    row[0, 3] = 5.0
    plane = PCA(3, missing="tsr", score_method="pmp").fit(X)
    with pytest.raises(InputError, match=r"row 0 of X has too few observed points .*: 1 of 12"):
        plane.transform(row)
    trimmed = PCA(3, missing="tsr").fit(X)
    # one point: the regression of each score on it
    S = trimmed.x_loadings_ * trimmed.eigenvalues_ @ trimmed.x_loadings_.T
    S += trimmed.residual_factor_ @ trimmed.residual_factor_.T
    slope = trimmed.eigenvalues_ * trimmed.x_loadings_[3] / S[3, 3]
    expected = slope * (5.0 - trimmed.x_mean_[3])
    np.testing.assert_allclose(trimmed.transform(row)[0], expected, rtol=1e-9)


def test_an_iteration_that_does_not_come_to_rest_warns(monkeypatch: Any) -> None:
    monkeypatch.setattr("pharmaq.chemometrics._missing_fit.MOST_STEPS", 2)
    X, y = simulated(0, share=0.3)
    for model in (PCA(2, missing="nipals"), PCA(2, missing="tsr")):
        with pytest.warns(ConvergenceWarning, match="has not converged after 2 steps"):
            model.fit(X)
    with pytest.warns(ConvergenceWarning, match="component 1 of NIPALS"):
        PLS(1, missing="nipals").fit(X, np.column_stack([y, y**2]))


@pytest.mark.slow
@pytest.mark.parametrize(
    "estimator",
    [
        PCA(missing="nipals"),
        PCA(missing="tsr", scale=True),
        # some checks leave one point of three, which is too few for two components
        PCA(1, missing="tsr", score_method="pmp"),
        PLS(missing="nipals"),
        PLS(missing="tsr"),
        PLS(missing="tsr", algorithm="simpls"),
    ],
    ids=repr,
)
def test_scikit_learn_accepts_the_estimator(estimator: Any) -> None:
    assert estimator.__sklearn_tags__().input_tags.allow_nan
    check_estimator(estimator, on_skip=None)
