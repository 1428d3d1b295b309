from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from pharmaq.chemometrics import PLS
from pharmaq.chemometrics.local_pls import LocallyWeightedPLS
from pharmaq.errors import InputError
from pharmaq.spectra import as_spectra

seeds = st.integers(0, 10_000)


def simulated(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(25, 4)) @ rng.normal(size=(4, 9)) + 0.05 * rng.normal(size=(25, 9))
    return X, X[:, 0] - X[:, 3] + 0.1 * rng.normal(size=25)


# worked by hand, one variable: weighted least squares through the weighted means
def test_one_variable_is_weighted_least_squares() -> None:
    x, y = np.array([0.0, 1.0, 2.0, 4.0]), np.array([0.0, 1.0, 4.0, 16.0])
    new = 1.0
    d = np.abs(x - new)
    w = np.exp(-2.0 * d / np.std(d, ddof=1))
    x_mean, y_mean = np.sum(w * x) / w.sum(), np.sum(w * y) / w.sum()
    slope = np.sum(w * (x - x_mean) * (y - y_mean)) / np.sum(w * (x - x_mean) ** 2)
    model = LocallyWeightedPLS(1, localization=2.0).fit(x[:, None], y)
    assert model.predict([[new]])[0] == pytest.approx(y_mean + slope * (new - x_mean))
    assert model.weights([[new]])[0] == pytest.approx(w)


@given(seeds, st.integers(1, 4), st.booleans())
def test_no_localization_is_pls(seed: int, count: int, scale: bool) -> None:
    X, y = simulated(seed)
    model = LocallyWeightedPLS(count, localization=0.0, scale=scale).fit(X, y)
    pls = PLS(count, scale=scale).fit(X, y)
    np.testing.assert_allclose(model.predict(X), pls.predict(X), rtol=1e-7, atol=1e-8)


def test_a_curved_relation_is_followed_better_than_by_pls() -> None:
    rng = np.random.default_rng(0)
    t = rng.uniform(-1, 1, size=80)
    X = np.column_stack([t, t**2, rng.normal(size=80) * 0.05])
    y = np.sin(3 * t)
    model = LocallyWeightedPLS(1, localization=4.0).fit(X[:60], y[:60])
    error = np.sqrt(np.mean((model.predict(X[60:]) - y[60:]) ** 2))
    pls = PLS(1).fit(X[:60], y[:60])
    assert error < 0.5 * np.sqrt(np.mean((pls.predict(X[60:]) - y[60:]) ** 2))


@given(seeds, st.integers(0, 24))
def test_a_sample_gets_the_same_bits_alone_and_among_others(seed: int, row: int) -> None:
    X, y = simulated(seed)
    model = LocallyWeightedPLS(2).fit(X, y)
    assert model.predict(X)[row] == model.predict(X[row : row + 1])[0]


@given(seeds, st.floats(-5, 5))
def test_predictions_follow_an_offset_of_y(seed: int, offset: float) -> None:
    X, y = simulated(seed)
    plain, moved = (LocallyWeightedPLS(2).fit(X, v).predict(X[:3]) for v in (y, y + offset))
    np.testing.assert_allclose(moved, plain + offset, atol=1e-9)


def test_labels_survive() -> None:
    X, y = simulated(0)
    spectra = as_spectra(X, axis=np.arange(1100.0, 1118.0, 2.0), coords={"batch": ["a"] * 25})
    predicted = LocallyWeightedPLS(2).fit(spectra, y).predict(spectra[:3])
    assert isinstance(predicted, xr.DataArray)
    assert predicted.batch.values.tolist() == ["a"] * 3


@pytest.mark.parametrize(
    ("settings", "y", "message"),
    [
        ({"n_components": 25}, range(25), "n_components = 25 is too many"),
        ({"localization": -1.0}, range(25), "localization must"),
        ({}, [2.0] * 25, "y is constant"),
        ({}, np.arange(50.0).reshape(25, 2), "y must be one response, got 2"),
    ],
)
def test_bad_input_is_refused_by_name(settings: Any, y: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        LocallyWeightedPLS(**settings).fit(simulated(0)[0], y)


def test_too_narrow_a_neighbourhood_names_the_spectrum() -> None:
    X, y = simulated(0)
    model = LocallyWeightedPLS(3, localization=1e4).fit(X, y)
    with pytest.raises(
        InputError, match=r"no local model for spectrum 0.*smaller localization"
    ):
        model.predict(X[:2])
