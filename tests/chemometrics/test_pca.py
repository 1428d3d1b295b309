from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmaq.chemometrics import PCA
from pharmaq.errors import InputError

# R package mdatools 0.14.2, people data, autoscaled
EIGENVALUES = [6.4296918443, 2.2425507184, 1.6176990434, 0.99798797612, 0.31865997784]
JACKSON_MUDHOLKAR_95 = [13.9820837506, 8.9152378873, 4.8668212178, 1.8112566732, 0.98188719534]
T2_95 = [4.159615098, 6.8527143021, 9.4091303358, 12.0194785612, 14.7645330702]


def test_eigenvalues_of_people_match_mdatools(people: pd.DataFrame) -> None:
    model = PCA(5, scale=True).fit(people.to_numpy())
    assert model.eigenvalues_ == pytest.approx(EIGENVALUES, abs=5e-11)
    assert 100 * model.explained_variance_ratio_[:3] == pytest.approx(
        [53.5807653689, 18.6879226537, 13.4808253616], abs=5e-10
    )


def test_limits_of_people_match_mdatools(people: pd.DataFrame) -> None:
    for count, (spe, t2) in enumerate(zip(JACKSON_MUDHOLKAR_95, T2_95, strict=True), start=1):
        model = PCA(count, scale=True).fit(people.to_numpy())
        assert model.spe_limit(alpha=0.05, method="jackson") == pytest.approx(spe, rel=1e-10)
        assert model.t2_limit(alpha=0.05, method="simca") == pytest.approx(t2, rel=1e-10)


def test_distances_of_people_match_mdatools(people: pd.DataFrame, shared: Path) -> None:
    text = (shared / "data" / "REFERENCE.json").read_text()
    published = json.loads(text)["pca_people_autoscaled_jm"]
    model = PCA(5, scale=True).fit(people.to_numpy())
    assert model.t2(people.to_numpy()) == pytest.approx(published["T2_lastcomp"], abs=1e-9)
    assert model.spe(people.to_numpy()) == pytest.approx(published["Q_lastcomp"], abs=1e-9)


@given(st.integers(0, 10_000), st.integers(1, 5), st.booleans())
def test_scores_and_residuals_share_the_variance(seed: int, count: int, scale: bool) -> None:
    X = np.random.default_rng(seed).normal(size=(12, 7)).cumsum(axis=1)
    model = PCA(count, scale=scale).fit(X)
    Z = (X - model.x_mean_) / model.x_scale_
    parts = np.sum(model.transform(X) ** 2, axis=1) + model.spe(X)
    np.testing.assert_allclose(parts, np.sum(Z**2, axis=1), rtol=1e-9)
    np.testing.assert_allclose(model.transform(X), model.x_scores_, atol=1e-9)
    np.testing.assert_allclose(model.spe(X), model.spe_, atol=1e-9)


@given(st.integers(0, 10_000))
def test_mean_t2_of_the_calibration_is_its_expectation(seed: int) -> None:
    X = np.random.default_rng(seed).normal(size=(15, 6))
    model = PCA(3).fit(X)
    # sum of squared standardised scores: A (n - 1) over n samples
    assert model.t2(X).mean() == pytest.approx(3 * 14 / 15)


@given(st.integers(0, 10_000))
def test_order_of_samples_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(12, 6)) * [5, 4, 3, 2, 1, 0.5]
    order = rng.permutation(12)
    one, two = PCA(3).fit(X), PCA(3).fit(X[order])
    np.testing.assert_allclose(one.t2(X), two.t2(X), rtol=1e-8)


def test_the_largest_loading_is_positive() -> None:
    X = np.random.default_rng(0).normal(size=(30, 8))
    P = PCA(5).fit(X).x_loadings_
    assert (P[abs(P).argmax(axis=0), range(5)] > 0).all()


def test_components_beyond_the_rank_are_refused() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 2)) @ rng.normal(size=(2, 10))
    with pytest.raises(InputError, match="n_components = 3 exceeds the rank 2"):
        PCA(3).fit(X)


def test_a_constant_column_cannot_be_scaled() -> None:
    X = np.random.default_rng(0).normal(size=(5, 3))
    X[:, 2] = 1.0
    with pytest.raises(InputError, match="column 2 of X is constant"):
        PCA(1, scale=True).fit(X)


def test_too_many_components_name_both_sizes() -> None:
    with pytest.raises(InputError, match=r"at most 3 .*n_samples = 4 and n_features = 9"):
        PCA(4).fit(np.random.default_rng(0).normal(size=(4, 9)))
