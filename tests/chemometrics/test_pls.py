from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import process_improve
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.cross_decomposition import PLSRegression

import naive
from pharmaq.chemometrics import PCR, PLS, figures_of_merit, vip
from pharmaq.errors import InputError, InputTypeError
from pharmaq.spectra import as_spectra

seeds = st.integers(0, 10_000)
ALGORITHMS = ["nipals", "simpls", "kernel"]

# people data of PLS_Toolbox: shoe size from the eleven other properties, autoscaled
PEOPLE_RMSEC = [1.0273, 0.7404, 0.6668, 0.6198]
PEOPLE_R2 = [0.9283, 0.9627, 0.9698, 0.9739]
PEOPLE_COEF = [0.2078, 0.2647, 0.0073, 0.0722, -0.0016, 0.1829, 0.1420, -0.1984, 0.2153]
PEOPLE_COEF += [0.0151, -0.0405]


def simulated(seed: int, *, n: int = 25, p: int = 40, m: int = 1) -> Any:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 6)) @ rng.normal(size=(6, p)) + 0.05 * rng.normal(size=(n, p))
    Y = X[:, :m] - X[:, m : 2 * m] + 0.1 * rng.normal(size=(n, m))
    return X, Y[:, 0] if m == 1 else Y


def shoe_size(people: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    return people.drop(columns="Shoesize").to_numpy(), people["Shoesize"].to_numpy()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_people_match_pls_toolbox(people: pd.DataFrame, algorithm: Any) -> None:
    X, y = shoe_size(people)
    model = PLS(4, scale=True, algorithm=algorithm).fit(X, y)
    merits = [figures_of_merit(y, fitted) for fitted in model.predict_path(X)]
    assert [m.rmse for m in merits] == pytest.approx(PEOPLE_RMSEC, abs=5e-5)
    assert [m.r2_correlation for m in merits] == pytest.approx(PEOPLE_R2, abs=5e-5)
    scaled = model.coef_[0] * model.x_scale_ / model.y_scale_
    assert scaled == pytest.approx(PEOPLE_COEF, abs=5e-5)


# PLS_Toolbox people data, 4 components; MATLAB script with R of SIMPLS, first three variables
def test_vip_from_rotations_matches_pls_toolbox(people: pd.DataFrame) -> None:
    model = PLS(4, scale=True).fit(*shoe_size(people))
    assert vip(model, weights="rotations")[:3] == pytest.approx(
        [1.3935, 1.4077, 1.2130], abs=5e-5
    )


# the same with W of NIPALS
def test_vip_from_weights_matches_its_reference(people: pd.DataFrame) -> None:
    model = PLS(4, scale=True).fit(*shoe_size(people))
    assert vip(model)[:3] == pytest.approx([1.39137012, 1.40458048, 1.20793994], abs=5e-9)


# R package pls (Mevik and Wehrens, J. Stat. Softw. 18(2), 2007), gasoline, first 50 samples
def test_gasoline_matches_the_r_package_pls(gasoline: Any) -> None:
    X, y = gasoline
    model = PLS(4).fit(X[:50], y[:50])
    assert 100 * model.explained_x_ == pytest.approx(
        [78.1707683293, 7.4122245296, 7.8241556246, 2.6577772926], abs=1e-9
    )
    norms = np.linalg.norm(model.x_scores_, axis=0)
    assert norms == pytest.approx(
        [1.3358673218, 0.46049451709, 0.4620950264, 0.19856058166], rel=1e-9
    )
    coefficients = np.linalg.norm(model.coef_path_[:, 0], axis=1)
    assert coefficients == pytest.approx(
        [4.3450384291, 23.8682956954, 24.3136156434, 24.7388619429], rel=1e-9
    )
    test = [figures_of_merit(y[50:], z) for z in model.predict_path(X[50:])]
    assert [m.rmsep for m in test] == pytest.approx(
        [1.1695969714, 0.24448250151, 0.23410758003, 0.32868395833], abs=1e-9
    )
    assert [m.bias for m in test] == pytest.approx(
        [0.5704149352, -0.0772251756, -0.1053729071, 0.1750797212], abs=1e-9
    )
    assert [m.sep for m in test] == pytest.approx(
        [1.0763022486, 0.2445130439, 0.2203605870, 0.2932201215], abs=1e-9
    )


@pytest.fixture(scope="module")
def ldpe() -> dict[str, pd.DataFrame]:
    """LDPE tubular reactor (MacGregor et al. 1994) with SIMCA's matrices for 6 components."""
    folder = next(iter(process_improve.__path__)) + "/datasets/multivariate/LDPE/"
    data = pd.read_csv(folder + "LDPE.csv", index_col=0)
    tables = {k: pd.read_csv(f"{folder}{k}.csv", header=None) for k in "CPRTWU"}
    tables["T2"] = pd.read_csv(folder + "Hotellings_T2_A6.csv", header=None)
    tables["Yhat"] = pd.read_csv(folder + "Yhat_A6.csv", header=None)
    return {"X": data.iloc[:, :14], "Y": data.iloc[:, 14:], **tables}


def test_ldpe_matches_simca(ldpe: dict[str, pd.DataFrame]) -> None:
    X, Y = ldpe["X"].to_numpy(), ldpe["Y"].to_numpy()
    model = PLS(6, scale=True).fit(X, Y)
    for ours, name in (
        (model.x_scores_, "T"),
        (model.x_loadings_, "P"),
        (model.x_weights_, "W"),
        (model.x_rotations_, "R"),
        (model.y_loadings_, "C"),
    ):
        theirs = ldpe[name].to_numpy()
        # the sign of a component is free
        signs = np.sign(np.sum(ours * theirs, axis=0))
        np.testing.assert_allclose(ours * signs, theirs, atol=1e-4, err_msg=name)
    np.testing.assert_allclose(model.t2(X), ldpe["T2"].to_numpy().ravel(), rtol=1e-4)
    published = ldpe["Yhat"].to_numpy()
    # computed in single precision there: six significant digits, or five decimals
    np.testing.assert_allclose(model.predict(X), published, rtol=1e-6, atol=1e-5)


# SIMCA on the same data: standard deviations of scores, and T2 limits at 95 and 99 %
def test_ldpe_limits_match_simca(ldpe: dict[str, pd.DataFrame]) -> None:
    model = PLS(6, scale=True).fit(ldpe["X"].to_numpy(), ldpe["Y"].to_numpy())
    published = [1.872539, 1.440642, 1.216218, 1.141096, 1.059435, 0.9459715]
    assert np.sqrt(model.score_variances_) == pytest.approx(published, abs=1e-5)
    assert model.t2_limit(alpha=0.05, method="simca") == pytest.approx(15.2017, abs=5e-5)
    assert model.t2_limit(alpha=0.01, method="simca") == pytest.approx(21.2239, abs=1e-4)


@given(seeds, st.booleans())
def test_pls1_equals_extended_precision(seed: int, scale: bool) -> None:
    X, y = simulated(seed)
    path, _, _ = naive.pls1(X, y, 6, scale=scale)
    model = PLS(6, scale=scale).fit(X, y)
    np.testing.assert_allclose(model.coef_path_[:, 0], path.astype(float), rtol=1e-8, atol=1e-9)


@given(seeds)
def test_all_algorithms_are_one_for_one_response(seed: int) -> None:
    X, y = simulated(seed)
    one, *others = (PLS(5, algorithm=name).fit(X, y) for name in ALGORITHMS)
    for two in others:
        np.testing.assert_allclose(one.coef_path_, two.coef_path_, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(one.t2(X), two.t2(X), rtol=1e-8)
        np.testing.assert_allclose(one.spe(X), two.spe(X), rtol=1e-6, atol=1e-9)


@given(seeds)
def test_pls2_equals_scikit_learn(seed: int) -> None:
    X, Y = simulated(seed, m=3)
    peer = PLSRegression(3, scale=False, tol=1e-15, max_iter=100_000).fit(X, Y)
    model = PLS(3).fit(X, Y)
    np.testing.assert_allclose(model.coef_, peer.coef_, rtol=1e-5, atol=1e-6)


# S. de Jong, Chemom. Intell. Lab. Syst. 18 (1993) 251: scores of SIMPLS are orthogonal
def test_scores_of_simpls_are_orthogonal() -> None:
    X, Y = simulated(3, m=3)
    T = PLS(4, algorithm="simpls").fit(X, Y).x_scores_
    gram = T.T @ T
    assert abs(gram - np.diag(np.diag(gram))).max() < 1e-9 * gram.max()


@given(seeds, st.sampled_from(ALGORITHMS), st.booleans())
def test_predictions_come_from_coefficients_too(seed: int, algorithm: Any, scale: bool) -> None:
    X, Y = simulated(seed, m=2)
    model = PLS(3, algorithm=algorithm, scale=scale).fit(X, Y)
    expected = model.intercept_ + X @ model.coef_.T
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(model.predict_path(X)[-1], expected, rtol=1e-9, atol=1e-9)


@given(seeds, st.integers(1, 4))
def test_fewer_components_are_the_smaller_model(seed: int, count: int) -> None:
    X, y = simulated(seed)
    small, large = PLS(count).fit(X, y), PLS(5).fit(X, y)
    np.testing.assert_allclose(
        large.predict(X, n_components=count), small.predict(X), rtol=1e-9
    )


@given(seeds, st.floats(0.1, 10), st.floats(-100, 100))
def test_predictions_follow_the_units_of_y(seed: int, scale: float, offset: float) -> None:
    X, y = simulated(seed)
    plain, moved = PLS(3).fit(X, y), PLS(3).fit(X, scale * y + offset)
    np.testing.assert_allclose(moved.predict(X), scale * plain.predict(X) + offset, rtol=1e-8)


@given(seeds)
def test_the_largest_loading_is_positive(seed: int) -> None:
    X, y = simulated(seed)
    P = PLS(5).fit(-X, y).x_loadings_
    assert (P[abs(P).argmax(axis=0), range(5)] > 0).all()


@given(seeds, st.integers(1, 12))
def test_a_sample_gets_the_same_bits_alone_and_among_others(seed: int, size: int) -> None:
    X, y = simulated(seed, n=30, p=37)
    model = PLS(4).fit(X, y)
    for method in (model.predict, model.t2, model.spe, model.leverage):
        together = method(X)
        assert method(X[:size]).tolist() == together[:size].tolist()
        assert method(X[size : size + 1]).tolist() == together[size : size + 1].tolist()


def test_bits_do_not_depend_on_the_memory_layout() -> None:
    X, y = simulated(0)
    model = PLS(4).fit(X, y)
    assert model.spe(np.asfortranarray(X)).tolist() == model.spe(X).tolist()


# leverage sums to the number of components and one for the mean over the calibration samples
def test_leverage_of_the_calibration_sums_to_its_parameters() -> None:
    X, y = simulated(1)
    model = PLS(4).fit(X, y)
    assert model.leverage(X).sum() == pytest.approx(5.0)
    hat = np.column_stack([np.ones(len(X)), model.x_scores_])
    expected = np.diag(hat @ np.linalg.pinv(hat))
    np.testing.assert_allclose(model.leverage(X), expected, rtol=1e-9)


def test_spe_is_in_the_scaled_units_of_the_model() -> None:
    X, y = simulated(2)
    X = X * np.geomspace(1, 1e4, X.shape[1])
    model = PLS(4, scale=True).fit(X, y)
    Z = (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)
    expected = np.sum((Z - model.x_scores_ @ model.x_loadings_.T) ** 2, axis=1)
    np.testing.assert_allclose(model.spe(X), expected, rtol=1e-8)


def test_dataarrays_keep_their_samples() -> None:
    X, Y = simulated(0, m=2)
    axis = np.arange(1100.0, 1180.0, 2.0)
    spectra = as_spectra(
        X, axis=axis, coords={"batch": np.repeat(["a", "b", "c", "d", "e"], 5)}
    )
    model = PLS(2).fit(spectra, Y)
    predicted, scores = model.predict(spectra), model.transform(spectra)
    assert isinstance(predicted, xr.DataArray)
    assert predicted.dims == ("sample", "response")
    assert scores.dims == ("sample", "component")
    assert model.t2(spectra).batch.values.tolist() == spectra.batch.values.tolist()


def test_frames_give_series_and_frames() -> None:
    X, y = simulated(0)
    frame = pd.DataFrame(X, index=[f"s{i}" for i in range(25)]).add_prefix("tag")
    model = PLS(2).fit(frame, y)
    assert model.predict(frame).index.tolist() == frame.index.tolist()
    assert list(model.transform(frame).columns) == ["pls0", "pls1"]


@pytest.mark.parametrize(
    ("settings", "y", "message"),
    [
        (
            {"n_components": 5},
            range(5),
            r"n_components = 5 is too many: at most 4 .*n_samples = 5",
        ),
        ({"n_components": 0}, range(5), "n_components must be at least 1, got 0"),
        ({}, [2.0] * 5, "y is constant"),
        ({}, [1.0, 2.0, np.nan, 3.0, 4.0], r"y\[2\] is NaN"),
        ({}, [1.0, 2.0], r"y must have shape \(5,\).*got \(2,\)"),
        ({}, ["a", "b", "c", "d", "e"], "y must hold numbers only"),
        ({}, [[1.0, 5.0]] * 5, "column 0 of y is constant"),
        (
            {"algorithm": "svd"},
            range(5),
            "algorithm must be one of 'nipals', 'simpls', 'kernel'",
        ),
    ],
)
def test_bad_input_is_refused_by_name(settings: Any, y: Any, message: str) -> None:
    X = np.random.default_rng(0).normal(size=(5, 8))
    with pytest.raises(InputError, match=message):
        PLS(**settings).fit(X, y)


@pytest.mark.parametrize("level", [7.0, 0.1, 0.3])
def test_a_constant_column_cannot_be_scaled(level: float) -> None:
    X = np.random.default_rng(0).normal(size=(30, 3))
    X[:, 1] = level
    with pytest.raises(InputError, match=r"column 1 of X is constant.*scale=False"):
        PLS(1, scale=True).fit(X, np.arange(30.0))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_components_beyond_the_rank_are_refused_with_the_number(algorithm: Any) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 2)) @ rng.normal(size=(2, 10))
    with pytest.raises(InputError, match="use n_components <= 2"):
        PLS(4, algorithm=algorithm).fit(X, rng.normal(size=20))


def test_a_number_of_components_has_to_be_whole() -> None:
    with pytest.raises(InputTypeError, match=r"n_components must be a whole number, got 2\.5"):
        PLS(2.5).fit(np.eye(5), np.arange(5.0))


def test_predicting_with_more_components_than_fitted_is_refused() -> None:
    X, y = simulated(0)
    with pytest.raises(InputError, match="n_components must be from 1 to 2, got 3"):
        PLS(2).fit(X, y).predict(X, n_components=3)


def test_mean_of_squared_vip_is_one() -> None:
    X, y = simulated(0)
    for weights in ("weights", "rotations"):
        assert np.mean(vip(PLS(3).fit(X, y), weights=weights) ** 2) == pytest.approx(1.0)


# Dayal and MacGregor (1997): both forms give the components of NIPALS
@given(seeds, st.sampled_from([1, 3]), st.booleans())
def test_kernel_components_are_those_of_nipals(seed: int, m: int, scale: bool) -> None:
    tall, wide = {"n": 200, "p": 15}, {"n": 25, "p": 40}
    for shape, name in ((tall, "improved kernel 2"), (wide, "improved kernel 1")):
        X, Y = simulated(seed, m=m, **shape)
        one = PLS(4, scale=scale).fit(X, Y)
        two = PLS(4, scale=scale, algorithm="kernel").fit(X, Y)
        assert two.algorithm_ == name
        for attribute in (
            "x_scores_",
            "x_weights_",
            "x_loadings_",
            "x_rotations_",
            "coef_path_",
        ):
            expected = getattr(one, attribute)
            np.testing.assert_allclose(
                getattr(two, attribute), expected, atol=1e-8 * abs(expected).max()
            )


# extended precision on nearly noise-free spectra, where shortcuts lose their digits
@pytest.mark.parametrize("n", [30, 300])
def test_kernel_keeps_the_digits_of_nearly_noise_free_spectra(n: int) -> None:
    rng = np.random.default_rng(0)
    bands = np.exp(-(((np.arange(25)[:, None] - np.linspace(2, 22, 7)) / 3) ** 2))
    content = rng.uniform(size=(n, 7))
    X = content @ bands.T + 1e-6 * rng.normal(size=(n, 25))
    y = content[:, 0] + 1e-4 * rng.normal(size=n)
    path, x_mean, y_mean = naive.pls1(X, y, 8)
    model = PLS(8, algorithm="kernel").fit(X, y)
    expected = path @ (X - x_mean).T + y_mean
    # cross-products would keep five digits here, and are given up
    assert model.algorithm_ == "improved kernel 1"
    assert np.abs(model.predict_path(X) - expected).max() < 1e-9 * y.std()


# by hand: weights 1, 2, 1 on x = 0, 1, 2 and y = 0, 1, 4: means 1 and 1.5, slope 4 / 2
def test_a_weighted_line_is_the_one_worked_by_hand() -> None:
    X, y = np.array([[0.0], [1.0], [2.0]]), [0.0, 1.0, 4.0]
    model = PLS(1, scale=True).fit(X, y, sample_weight=[1, 2, 1])
    assert (model.x_mean_[0], model.y_mean_[0]) == (1.0, 1.5)
    # sums of squares 2 and 11, divisor 4 - 1
    assert model.x_scale_[0] == pytest.approx(np.sqrt(2 / 3))
    assert model.y_scale_[0] == pytest.approx(np.sqrt(9 / 3))
    assert model.coef_[0, 0] == pytest.approx(2.0)
    assert model.predict([[3.0]])[0] == pytest.approx(5.5)


@given(seeds, st.sampled_from([*ALGORITHMS, "pcr"]), st.booleans(), st.sampled_from([1, 2]))
def test_a_whole_weight_is_as_good_as_repeating_a_sample(
    seed: int, algorithm: Any, scale: bool, m: int
) -> None:
    X, Y = simulated(seed, m=m)
    counts = np.random.default_rng(seed).integers(0, 4, size=len(X))
    make = (
        PCR(3, scale=scale) if algorithm == "pcr" else PLS(3, scale=scale, algorithm=algorithm)
    )
    weighted = clone(make).fit(X, Y, sample_weight=counts)
    rows = np.repeat(np.arange(len(X)), counts)
    repeated = clone(make).fit(X[rows], Y[rows])
    for name in ("x_mean_", "x_scale_", "y_mean_", "y_scale_", "score_variances_", "sec_"):
        np.testing.assert_allclose(getattr(weighted, name), getattr(repeated, name), rtol=1e-8)
    np.testing.assert_allclose(weighted.coef_path_, repeated.coef_path_, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(weighted.t2(X), repeated.t2(X), rtol=1e-6)
    np.testing.assert_allclose(weighted.leverage(X), repeated.leverage(X), rtol=1e-6)
    lambdas = repeated.residual_eigenvalues_
    np.testing.assert_allclose(
        weighted.residual_eigenvalues_[:5], lambdas[:5], rtol=1e-6, atol=1e-12
    )
    assert weighted.n_samples_ == np.sum(counts > 0)
    assert weighted.weight_sum_ == counts.sum()


@given(seeds, st.sampled_from(ALGORITHMS))
def test_a_weight_of_zero_is_as_good_as_leaving_out(seed: int, algorithm: Any) -> None:
    X, y = simulated(seed)
    weights = np.random.default_rng(seed).uniform(0.2, 3, size=len(X))
    weights[[3, 8]] = 0
    model = PLS(3, algorithm=algorithm, scale=True).fit(X, y, sample_weight=weights)
    left = weights > 0
    other = PLS(3, algorithm=algorithm, scale=True).fit(X[left], y[left], weights[left])
    assert model.coef_.tolist() == other.coef_.tolist()
    np.testing.assert_allclose(model.transform(X[left]), model.x_scores_, atol=1e-9)
    np.testing.assert_allclose(model.spe(X[left]), model.spe_, atol=1e-9)


@given(seeds, st.floats(0.1, 10))
def test_predictions_do_not_depend_on_the_unit_of_weights(seed: int, unit: float) -> None:
    X, y = simulated(seed)
    weights = np.random.default_rng(seed).uniform(0.5, 3, size=len(X))
    one, two = (PLS(3, scale=True).fit(X, y, w) for w in (weights, unit * weights))
    np.testing.assert_allclose(two.predict(X), one.predict(X), rtol=1e-7)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, 1, -0.5, 1, 1], r"must not be negative, but sample_weight\[2\] is -0\.5"),
        ([1, np.nan, 1, 1, 1], r"sample_weight\[1\] is NaN"),
        ([1, 1], r"sample_weight must have shape \(5,\), got \(2,\)"),
        ([0.1] * 5, r"sum to more than 1.*their sum is 0\.5; multiply them by a constant"),
        ([5, 0, 0, 0, 0], "at least two samples .* 1 are above zero"),
        ([1, 1, 0, 0, 0], r"at most 1 can be fitted to n_samples = 2"),
    ],
)
def test_bad_weights_are_named(weights: Any, message: str) -> None:
    X = np.random.default_rng(0).normal(size=(5, 8))
    with pytest.raises(InputError, match=message):
        PLS(2).fit(X, np.arange(5.0), sample_weight=weights)


# the standard error of calibration as ASTM E1655 defines it
@given(seeds, st.booleans())
def test_the_standard_error_of_calibration_has_its_degrees_of_freedom(
    seed: int, scale: bool
) -> None:
    X, y = simulated(seed)
    model = PLS(4, scale=scale).fit(X, y)
    expected = np.sqrt(np.sum((model.predict(X) - y) ** 2) / (25 - 4 - 1))
    assert model.sec_[0] == pytest.approx(expected, rel=1e-8)
