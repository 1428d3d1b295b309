from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.model_selection import GroupKFold, KFold, LeaveOneOut, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import naive
from pharmaq.chemometrics import (
    MSC,
    PLS,
    SNV,
    VenetianBlinds,
    cross_validate,
    make_recipe,
    make_splitter,
)
from pharmaq.chemometrics._bidiagonal import bidiagonal
from pharmaq.errors import InputError, InputTypeError
from pharmaq.spectra import as_spectra

seeds = st.integers(0, 10_000)


def simulated(seed: int, *, n: int = 24, p: int = 30) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 8)) @ rng.normal(size=(8, p)) + 0.05 * rng.normal(size=(n, p))
    return X, X[:, 0] - X[:, 8] + 0.1 * rng.normal(size=n)


# PLS_Toolbox, people: scaling is refitted in every fold
def test_people_match_pls_toolbox(people: pd.DataFrame) -> None:
    X, y = people.drop(columns="Shoesize").to_numpy(), people["Shoesize"].to_numpy()
    result = cross_validate(PLS(4, scale=True), X, y, cv="venetian(10)")
    assert result.rmsecv == pytest.approx([1.1044, 0.8673, 0.8627, 0.8186], abs=5e-5)


@pytest.mark.parametrize("cv", ["loo", "venetian(5)", "contiguous(4)", "random(5,3)"])
@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("shape", [(24, 30), (24, 9), (12, 60), (60, 10)])
def test_fast_forms_equal_refitting_in_extended_precision(
    cv: str, scale: bool, shape: tuple[int, int]
) -> None:
    X, y = simulated(3, n=shape[0], p=shape[1])
    folds = list(make_splitter(cv).split(X))
    result = cross_validate(PLS(7, scale=scale), X, y, cv=cv)
    squares = [
        (naive.cross_validated(X, y, 7, [fold], scale=scale)[:, fold[1]] - y[fold[1]]) ** 2
        for fold in folds
    ]
    expected = np.sqrt(np.concatenate(squares, axis=1).mean(axis=1))
    assert result.rmsecv == pytest.approx(expected, rel=1e-9)


# nearly noise-free spectra: the hard case for shortcuts, against extended precision
@pytest.mark.parametrize("cv", ["loo", "venetian(6)"])
def test_digits_survive_nearly_noise_free_spectra(cv: str) -> None:
    rng = np.random.default_rng(0)
    bands = np.exp(-(((np.arange(80)[:, None] - np.linspace(5, 75, 9)) / 9) ** 2))
    content = rng.uniform(size=(30, 9))
    X = content @ bands.T + 1e-6 * rng.normal(size=(30, 80))
    y = content[:, 0] + 1e-4 * rng.normal(size=30)
    expected = naive.cross_validated(X, y, 8, list(make_splitter(cv).split(X)))
    result = cross_validate(PLS(8), X, y, cv=cv)
    worst = np.abs(result.predictions.values - expected).max()
    assert worst < 1e-8 * y.std()


def test_the_form_is_chosen_by_shape_and_named() -> None:
    X, y = simulated(0, n=60, p=10)
    names = {
        (cv, scale): cross_validate(PLS(3, scale=scale), X, y, cv=cv).algorithm
        for cv in ("loo", "venetian(5)")
        for scale in (False, True)
    }
    assert names["loo", False] == "leave-one-out from one singular value decomposition"
    assert names["venetian(5)", False] == "cross-products of the folds"
    assert names["venetian(5)", True] == "bidiagonalisation of all folds together"
    wide = cross_validate(PLS(3), *simulated(0), cv="venetian(5)")
    assert wide.algorithm == "cross-products of the samples"
    wide = cross_validate(PLS(3), *simulated(0), cv="loo")
    assert wide.algorithm == "leave-one-out from one bidiagonalisation"
    square = cross_validate(PLS(3), *simulated(0, n=60, p=40), cv="venetian(5)")
    assert square.algorithm == "bidiagonalisation of all folds together"


# A'A = P B'B P': checked from P' and the two diagonals alone, and by the singular values of B
@pytest.mark.parametrize(("m", "n"), [(1, 1), (2, 2), (7, 4), (150, 150), (200, 130)])
def test_two_diagonals_and_an_orthogonal_factor_hold_the_matrix(m: int, n: int) -> None:
    A = np.random.default_rng(n).normal(size=(m, n))
    p, diagonal, beside = bidiagonal(np.array(A, order="F"))
    B = np.diag(diagonal) + np.diag(beside[:-1], 1)
    assert beside[-1] == 0.0
    np.testing.assert_allclose(p @ p.T, np.eye(n), atol=1e-13)
    np.testing.assert_allclose(p.T @ B.T @ B @ p, A.T @ A, atol=1e-12 * m)
    np.testing.assert_allclose(
        np.linalg.svd(B, compute_uv=False), np.linalg.svd(A, compute_uv=False), rtol=1e-9
    )


# small singular values of the spectra keep their digits: in wide data to 1e-9 of the response
def test_late_components_of_wide_spectra_keep_their_digits() -> None:
    rng = np.random.default_rng(5)
    bands = np.exp(-(((np.arange(80)[:, None] - np.linspace(0, 80, 9)) / 8) ** 2))
    content = rng.uniform(size=(30, 9))
    X = content @ bands.T + 1e-8 * rng.normal(size=(30, 80))
    y = content[:, 2] + 1e-3 * rng.normal(size=30)
    expected = naive.cross_validated(X, y, 12, list(make_splitter("loo").split(X)))
    result = cross_validate(PLS(12), X, y, cv="loo")
    assert np.abs(result.predictions.values - expected).max() < 1e-9 * y.std()


# samples that repeat each other, a constant column and few factors: ranks below the sizes
@pytest.mark.parametrize("shape", [(20, 50), (50, 20)])
@pytest.mark.parametrize("factors", [3, 50])
def test_leaving_one_out_of_samples_that_depend_on_each_other(
    shape: tuple[int, int], factors: int
) -> None:
    rng = np.random.default_rng(1)
    n, p = shape
    X = rng.normal(size=(n, factors)) @ rng.normal(size=(factors, p))
    X[:, 7], X[5], X[11] = 3.0, X[6], X[10]
    y = X[:, 0] + rng.normal(size=n)
    A = min(factors, 14)
    expected = naive.cross_validated(X, y, A, list(make_splitter("loo").split(X)))
    result = cross_validate(PLS(A), X, y, cv="loo")
    assert np.abs(result.predictions.values - expected).max() < 1e-8 * y.std()


# cross-products square the condition: here they would keep few digits and are given up
@pytest.mark.parametrize("shape", [(60, 12), (40, 60)])
def test_lost_digits_are_noticed(shape: tuple[int, int]) -> None:
    n, p = shape
    rng = np.random.default_rng(0)
    centers, width = np.linspace(1, p - 1, 8), p / 4
    bands = np.exp(-(((np.arange(p)[:, None] - centers) / width) ** 2))
    content = rng.uniform(size=(n, 8))
    X = content @ bands.T + 1e-7 * rng.normal(size=(n, p))
    y = content[:, 0] + 1e-4 * rng.normal(size=n)
    result = cross_validate(PLS(8), X, y, cv="venetian(6)")
    assert result.algorithm == "bidiagonalisation of all folds together"
    expected = naive.cross_validated(X, y, 8, list(make_splitter("venetian(6)").split(X)))
    assert np.abs(result.predictions.values - expected).max() < 1e-6 * y.std()


# whatever form is taken, with more or less noise: against extended precision
@pytest.mark.parametrize("noise", [1e-2, 1e-4, 1e-6])
@pytest.mark.parametrize("shape", [(90, 20), (30, 60), (40, 30)])
@pytest.mark.parametrize("cv", ["loo", "venetian(4)", "random(3,2)"])
def test_digits_are_kept_at_every_noise(noise: float, shape: tuple[int, int], cv: str) -> None:
    n, p = shape
    rng = np.random.default_rng(1)
    bands = np.exp(-(((np.arange(p)[:, None] - np.linspace(0, p, 6)) / (p / 8)) ** 2))
    content = rng.uniform(size=(n, 6))
    X = content @ bands.T + noise * rng.normal(size=(n, p))
    y = content[:, 2] + 1e-3 * rng.normal(size=n)
    folds = list(make_splitter(cv).split(X))
    expected = np.zeros((9, n))
    for fold in folds:
        expected[:, fold[1]] += naive.cross_validated(X, y, 9, [fold])[:, fold[1]]
    expected /= sum(len(test) for _, test in folds) / n
    result = cross_validate(PLS(9), X, y, cv=cv)
    assert np.abs(result.predictions.values - expected).max() < 1e-8 * y.std()


@pytest.mark.parametrize(
    ("shape", "cv", "algorithm"),
    [
        ((2000, 400), "venetian(10)", "cross-products of the folds"),
        ((400, 2000), "venetian(10)", "cross-products of the samples"),
        ((1000, 600), "venetian(10)", "bidiagonalisation of all folds together"),
        ((1200, 500), "loo", "leave-one-out from one singular value decomposition"),
        ((700, 600), "loo", "leave-one-out from one singular value decomposition"),
        ((500, 1200), "loo", "leave-one-out from one bidiagonalisation"),
    ],
)
def test_memory_stays_below_three_times_the_spectra(
    shape: tuple[int, int], cv: str, algorithm: str
) -> None:
    X = np.random.default_rng(0).normal(size=shape)
    y = X[:, 0] + X[:, 1]
    cross_validate(PLS(2), X[:60], y[:60], cv=cv)
    tracemalloc.start()
    result = cross_validate(PLS(5), X, y, cv=cv)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.algorithm == algorithm
    assert peak < 3 * X.nbytes


@given(seeds)
def test_an_offset_of_x_and_y_changes_nothing(seed: int) -> None:
    X, y = simulated(seed)
    plain = cross_validate(PLS(4), X, y, cv="venetian(5)")
    moved = cross_validate(PLS(4), X + 7.0, y + 100.0, cv="venetian(5)")
    assert moved.rmsecv == pytest.approx(plain.rmsecv, rel=1e-8)


@given(seeds)
def test_fewer_components_are_the_beginning_of_more(seed: int) -> None:
    X, y = simulated(seed)
    few, many = (cross_validate(PLS(a), X, y, cv="loo") for a in (3, 6))
    assert few.rmsecv == pytest.approx(many.rmsecv[:3], rel=1e-12)


def test_zero_components_predict_the_mean_of_the_others() -> None:
    X, y = simulated(0)
    result = cross_validate(PLS(2), X, y, cv="loo")
    others = (y.sum() - y) / (len(y) - 1)
    assert result.predictions_null == pytest.approx(others)
    assert float(result.rmsecv_null) == pytest.approx(np.sqrt(np.mean((others - y) ** 2)))


def leaky(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    return cross_validate(PLS(3), MSC().fit_transform(X), y, cv="venetian(4)").rmsecv


def test_steps_that_learn_are_refitted_in_every_fold() -> None:
    X, y = simulated(5)
    X = 5.0 + np.abs(X)
    result = cross_validate(make_pipeline(MSC(), PLS(3)), X, y, cv="venetian(4)")
    predictions = np.empty((3, len(y)))
    for train, test in VenetianBlinds(4).split(X):
        step = MSC().fit(X[train])
        model = PLS(3).fit(step.transform(X[train]), y[train])
        predictions[:, test] = model.predict_path(step.transform(X[test]))
    np.testing.assert_allclose(result.predictions.values, predictions, rtol=1e-10)
    assert not np.allclose(result.rmsecv, leaky(X, y), rtol=1e-6)


def test_row_wise_steps_before_and_after_learning_ones_are_allowed() -> None:
    X, y = simulated(5)
    pipeline = make_pipeline(make_recipe("snv, msc, sg(5,2)"), PLS(3))
    result = cross_validate(pipeline, 5.0 + np.abs(X), y, cv=4)
    assert result.algorithm == "refit in every fold"
    assert np.isfinite(result.rmsecv).all()


def test_any_scikit_learn_transformer_is_refitted() -> None:
    X, y = simulated(6)
    piped = cross_validate(make_pipeline(StandardScaler(), PLS(3)), X, y, cv="loo")
    assert piped.rmsecv == pytest.approx(
        cross_validate(PLS(3, scale=True), X, y, cv="loo").rmsecv, rel=1e-9
    )


def test_the_estimator_is_left_as_it_was() -> None:
    X, y = simulated(0)
    pipeline = make_pipeline(MSC(), PLS(3))
    cross_validate(pipeline, 5.0 + np.abs(X), y, cv=4)
    assert not hasattr(pipeline[-1], "coef_")


def test_batches_are_left_out_where_they_are_known() -> None:
    X, y = simulated(0)
    batch = np.repeat(["a", "b", "c", "d"], 6)
    spectra = as_spectra(X, axis=np.arange(1100.0, 1160.0, 2.0), coords={"batch": batch})
    assert cross_validate(PLS(2), spectra, y).cv == "batch"
    assert cross_validate(PLS(2), X, y).cv == "venetian(10)"
    given_groups = cross_validate(PLS(2), X, y, groups=batch)
    assert given_groups.rmsecv.tolist() == cross_validate(PLS(2), spectra, y).rmsecv.tolist()


def test_several_responses_have_an_error_each() -> None:
    X, y = simulated(0)
    Y = np.column_stack([y, X[:, 3]])
    result = cross_validate(PLS(3), X, Y, cv="venetian(4)")
    assert result.rmsecv.shape == (3, 2)
    assert result.predictions.dims == ("n_components", "sample", "response")
    assert list(result.to_frame().columns) == ["n_components", "y0", "y1"]


def test_repeats_are_pooled_and_predictions_averaged() -> None:
    X, y = simulated(0)
    result = cross_validate(PLS(2), X, y, cv="random(4,5)")
    assert result.n_predictions.tolist() == [5] * len(y)
    assert result.fold_mse.shape == (20, 2)
    assert result.rmsecv**2 == pytest.approx(result.fold_mse.mean(axis=0))


def test_samples_never_left_out_are_counted() -> None:
    X, y = simulated(0)
    result = cross_validate(PLS(2), X, y, cv=ShuffleSplit(1, test_size=5, random_state=0))
    assert int((result.n_predictions == 0).sum()) == 19
    assert int(np.isnan(result.predictions.values[0]).sum()) == 19
    assert [f.rule for f in result.findings] == ["never_left_out"]


def test_training_rows_that_overlap_the_test_rows_are_taken_as_they_are() -> None:
    X, y = simulated(0, n=20)
    rows = np.arange(20)

    class Resubstitution:
        def split(self, *_: Any) -> Any:
            return ((np.sort(np.delete(rows, (i + 1) % 20)), rows[i : i + 1]) for i in rows)

    result = cross_validate(PLS(2), X, y, cv=Resubstitution())
    assert not result.algorithm.startswith("leave-one-out")
    expected = naive.cross_validated(X, y, 2, list(Resubstitution().split()))
    np.testing.assert_allclose(result.predictions.values, expected, rtol=1e-9)
    nulls = [np.delete(y, (i + 1) % 20).mean() for i in rows]
    assert result.predictions_null == pytest.approx(nulls)


def test_folds_in_any_order_are_put_back() -> None:
    X, y = simulated(0)
    order = list(LeaveOneOut().split(X))[::-1]

    class Backwards:
        def split(self, *_: Any) -> Any:
            return iter(order)

    forwards = cross_validate(PLS(3), X, y, cv="loo")
    backwards = cross_validate(PLS(3), X, y, cv=Backwards())
    np.testing.assert_allclose(backwards.predictions.values, forwards.predictions.values)


def test_scikit_learn_splitters_get_the_groups_they_ask_for() -> None:
    X, y = simulated(0)
    batch = np.repeat(["a", "b", "c", "d"], 6)
    grouped = cross_validate(PLS(2), X, y, cv=GroupKFold(4), groups=batch)
    ours = cross_validate(PLS(2), X, y, cv="batch", groups=batch)
    assert grouped.rmsecv == pytest.approx(ours.rmsecv)
    assert cross_validate(PLS(2), X, y, cv="loo", groups=batch).cv == "loo"


def test_a_scikit_learn_splitter_is_accepted() -> None:
    X, y = simulated(0)
    result = cross_validate(PLS(2), X, y, cv=KFold(4, shuffle=True, random_state=1))
    assert result.cv.startswith("KFold(")


@pytest.mark.parametrize("cv", ["loo", "venetian(4)"])
def test_exhausted_folds_are_counted_and_keep_their_prediction(cv: str) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(16, 2)) @ rng.normal(size=(2, 10))
    y = X[:, 0] + rng.normal(size=16)
    result = cross_validate(PLS(5), X, y, cv=cv)
    assert [f.rule for f in result.findings] == ["components_exhausted"]
    assert "the poorest 2" in result.findings[0].message
    assert result.rmsecv[2:] == pytest.approx(result.rmsecv[1])
    assert result.rmsecv[:2] == pytest.approx(cross_validate(PLS(2), X, y, cv=cv).rmsecv)


@pytest.mark.parametrize("columns", [1, 2])
def test_a_column_that_is_constant_in_a_fold_cannot_be_scaled(columns: int) -> None:
    X, y = simulated(0)
    X[:, 4] = 0.1
    X[3, 4] = 0.2
    Y = np.column_stack([y, X[:, 0]])[:, :columns]
    with pytest.raises(InputError, match=r"column 4 of X is constant.*scale=False"):
        cross_validate(PLS(2, scale=True), X, Y if columns == 2 else Y[:, 0], cv="loo")


def test_too_many_components_are_refused_or_trimmed() -> None:
    X, y = simulated(0)
    with pytest.raises(
        InputError, match=r"n_components = 20 .*has 12 samples .*which allow 11"
    ):
        cross_validate(PLS(20), X, y, cv="venetian(2)")
    result = cross_validate(PLS(20), X, y, cv="venetian(2)", excess="trim")
    assert len(result.rmsecv) == 11
    assert [f.rule for f in result.findings] == ["components_trimmed"]


def test_residuals_are_predicted_minus_reference() -> None:
    X, y = simulated(0)
    result = cross_validate(PLS(2), X, y, cv="loo")
    np.testing.assert_allclose(result.residuals.values, result.predictions.values - y)
    assert result.q2 == pytest.approx(1 - result.rmsecv**2 / result.rmsecv_null**2)
    assert result.to_frame()["rmsecv"].tolist() == [result.rmsecv_null, *result.rmsecv]
    assert len(result.to_dict()["rmsecv"]) == 2


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"cv": 1}, InputError, "cv must be at least 2, got 1"),
        ({"cv": 3.5}, InputTypeError, r"cv must be a splitter.*got 3\.5"),
        ({"cv": "batch"}, InputError, "groups is missing"),
        ({"groups": [1, 2]}, InputError, "X has 24, groups has 2"),
        ({"excess": "ignore"}, InputError, "excess must be one of 'raise', 'trim'"),
        ({"y": [1.0] * 24}, InputError, "y is constant"),
        ({"y": [1.0, 2.0]}, InputError, "X has 24, y has 2"),
        ({"estimator": SNV()}, InputTypeError, "a pipeline that ends in one"),
        ({"estimator": PLS(0)}, InputError, "n_components must be at least 1"),
    ],
)
def test_bad_arguments_are_named(arguments: Any, error: Any, message: str) -> None:
    X, y = simulated(0)
    settings = {"estimator": PLS(2), "X": X, "y": y} | arguments
    with pytest.raises(error, match=message):
        cross_validate(**settings)


def test_weights_that_were_asked_for_are_refused() -> None:
    X, y = simulated(0)
    with config_context(enable_metadata_routing=True):
        asking = PLS(2).set_fit_request(sample_weight=True)
        declining = PLS(2).set_fit_request(sample_weight=False)
    with pytest.raises(InputError, match="asks for sample_weight in fit"):
        cross_validate(make_pipeline(SNV(), asking), X, y)
    expected = cross_validate(PLS(2), X, y).rmsecv
    assert cross_validate(declining, X, y).rmsecv.tolist() == expected.tolist()
