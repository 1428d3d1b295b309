from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmaq.chemometrics import PLS
from pharmaq.chemometrics.opls import OPLS
from pharmaq.errors import InputError

seeds = st.integers(0, 10_000)


def simulated(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(25, 6)) @ rng.normal(size=(6, 14)) + 0.05 * rng.normal(size=(25, 14))
    return X, X[:, 0] - X[:, 3] + 0.1 * rng.normal(size=25)


# J. Trygg, S. Wold, J. Chemom. 16 (2002) 119: predictions are those of PLS with as many
# components; refitted here by PLS, whose numbers are published ones in their own tests
@given(seeds, st.integers(0, 4), st.booleans())
def test_predictions_equal_pls_with_one_component_more(
    seed: int, count: int, scale: bool
) -> None:
    X, y = simulated(seed)
    opls, pls = OPLS(count, scale=scale).fit(X, y), PLS(1 + count, scale=scale).fit(X, y)
    np.testing.assert_allclose(opls.predict(X), pls.predict(X), rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(opls.coef_, pls.coef_, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(opls.spe(X), pls.spe(X), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(opls.t2(X), pls.t2(X), rtol=1e-6)


# worked by hand: y is the first column, the second is orthogonal to it and mixed in
def test_variation_unrelated_to_y_is_taken_off() -> None:
    y = np.array([-1.0, 1.0, -1.0, 1.0])
    z = np.array([-1.0, -1.0, 1.0, 1.0])
    X = np.column_stack([y + 3 * z, 3 * z])
    model = OPLS(1).fit(X, y)
    np.testing.assert_allclose(model.predict(X), y, atol=1e-12)
    np.testing.assert_allclose(np.corrcoef(model.x_scores_[:, 1], z)[0, 1] ** 2, 1, atol=1e-12)
    filtered = model.filter(X)
    np.testing.assert_allclose(filtered @ [1, 0], y, atol=1e-12)
    np.testing.assert_allclose(filtered @ [0, 1], 0, atol=1e-12)


@given(seeds)
def test_orthogonal_scores_are_uncorrelated_with_y(seed: int) -> None:
    X, y = simulated(seed)
    model = OPLS(3).fit(X, y)
    T = model.x_scores_
    assert abs(T[:, 1:].T @ (y - y.mean())).max() < 1e-8 * np.linalg.norm(T) * np.linalg.norm(y)
    gram = T.T @ T
    assert abs(gram - np.diag(np.diag(gram))).max() < 1e-8 * gram.max()
    np.testing.assert_allclose(model.transform(X), T, atol=1e-8)


def test_coefficients_predict_too() -> None:
    X, y = simulated(1)
    model = OPLS(2, scale=True).fit(X, y)
    np.testing.assert_allclose(
        model.predict(X), X @ model.coef_[0] + model.intercept_[0], rtol=1e-9
    )


@given(seeds, st.integers(1, 9))
def test_a_sample_gets_the_same_bits_alone_and_among_others(seed: int, row: int) -> None:
    X, y = simulated(seed)
    model = OPLS(2).fit(X, y)
    assert model.predict(X)[row] == model.predict(X[row : row + 1])[0]
    assert model.filter(X)[row].tolist() == model.filter(X[row : row + 1])[0].tolist()


@pytest.mark.parametrize(
    ("count", "y", "message"),
    [
        (-1, range(25), "n_orthogonal must be at least 0"),
        (25, range(25), "n_components = 26 is too many"),
        (1, [2.0] * 25, "y is constant"),
        (1, np.arange(50.0).reshape(25, 2), "y must be one response, got 2"),
    ],
)
def test_bad_input_is_refused_by_name(count: int, y: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        OPLS(count).fit(simulated(0)[0], y)


def test_more_orthogonal_components_than_there_are_is_refused_with_the_number() -> None:
    y = np.array([-1.0, 1.0, -1.0, 1.0, 0.0, 0.0])
    z = np.array([-1.0, -1.0, 1.0, 1.0, 2.0, -2.0])
    X = np.column_stack([y + 3 * z, 3 * z, y - z])
    with pytest.raises(InputError, match="X holds 1 orthogonal components"):
        OPLS(2).fit(X, y)


def test_columns_that_share_nothing_with_y_are_refused() -> None:
    y = np.array([-1.0, 1.0, -1.0, 1.0])
    X = np.array([[-1.0, 0.0], [-1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    with pytest.raises(InputError, match="X and y share nothing"):
        OPLS(0).fit(X, y)
