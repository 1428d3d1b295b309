from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from sklearn import decomposition
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from pharmaq.chemometrics import PCA, cross_validate
from pharmaq.chemometrics.pcr import PCR
from pharmaq.errors import InputError
from pharmaq.spectra import as_spectra

seeds = st.integers(0, 10_000)


def simulated(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(25, 6)) @ rng.normal(size=(6, 12)) + 0.05 * rng.normal(size=(25, 12))
    return X, X[:, 0] - X[:, 3] + 0.1 * rng.normal(size=25)


# scikit-learn 1.9: PCA followed by least squares on the scores
@given(seeds, st.integers(1, 6))
def test_predictions_equal_least_squares_on_scores(seed: int, count: int) -> None:
    X, y = simulated(seed)
    peer = make_pipeline(decomposition.PCA(count, svd_solver="full"), LinearRegression()).fit(
        X, y
    )
    np.testing.assert_allclose(PCR(count).fit(X, y).predict(X), peer.predict(X), rtol=1e-8)


@given(seeds)
def test_all_components_are_ordinary_least_squares(seed: int) -> None:
    X, y = simulated(seed)
    model = PCR(12).fit(X, y)
    np.testing.assert_allclose(model.coef_[0], LinearRegression().fit(X, y).coef_, rtol=1e-6)


@given(seeds)
def test_distances_are_those_of_the_pca(seed: int) -> None:
    X, y = simulated(seed)
    model, pca = PCR(3).fit(X, y), PCA(3).fit(X)
    np.testing.assert_allclose(model.t2(X), pca.t2(X), rtol=1e-9)
    np.testing.assert_allclose(model.spe(X), pca.spe(X), rtol=1e-9, atol=1e-12)
    assert model.spe_limit() == pytest.approx(pca.spe_limit())


@pytest.mark.parametrize("scale", [False, True])
def test_cross_validation_equals_refitting(scale: bool) -> None:
    X, y = simulated(1)
    result = cross_validate(PCR(5, scale=scale), X, y, cv="venetian(5)")
    expected = np.empty((5, 25))
    for fold in range(5):
        test = np.arange(25) % 5 == fold
        for a in range(1, 6):
            model = PCR(a, scale=scale).fit(X[~test], y[~test])
            expected[a - 1, test] = model.predict(X[test])
    np.testing.assert_allclose(result.predictions.values, expected, rtol=1e-9)


def test_several_responses_and_labels_survive() -> None:
    X, y = simulated(2)
    spectra = as_spectra(X, axis=np.arange(1100.0, 1124.0, 2.0))
    predicted = PCR(3).fit(spectra, np.column_stack([y, X[:, 2]])).predict(spectra)
    assert isinstance(predicted, xr.DataArray)
    assert predicted.dims == ("sample", "response")


@pytest.mark.parametrize(
    ("count", "y", "message"),
    [
        (25, range(25), "n_components = 25 is too many"),
        (2, [1.0] * 25, "y is constant"),
        (0, range(25), "n_components must be at least 1"),
    ],
)
def test_bad_input_is_refused_by_name(count: int, y: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        PCR(count).fit(simulated(0)[0], y)
