from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

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


# the large forms against the decomposition they stand for
@pytest.mark.parametrize("shape", [(400, 30), (30, 400), (60, 60)])
@pytest.mark.parametrize("scale", [False, True])
def test_cross_products_equal_the_singular_value_decomposition(
    shape: tuple[int, int], scale: bool
) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(shape[0], 6)) @ rng.normal(size=(6, shape[1]))
    X += 5.0 + 0.1 * rng.normal(size=shape)
    gram, svd = (PCA(4, scale=scale, solver=s).fit(X) for s in ("gram", "svd"))
    assert (gram.solver_, svd.solver_) == ("gram", "svd")
    assert gram.eigenvalues_ == pytest.approx(svd.eigenvalues_, rel=1e-9)
    share = svd.explained_variance_ratio_
    assert gram.explained_variance_ratio_ == pytest.approx(share, rel=1e-9)
    assert gram.x_loadings_ == pytest.approx(svd.x_loadings_, abs=1e-9)
    assert gram.x_scores_ == pytest.approx(svd.x_scores_, abs=1e-9 * svd.x_scores_.max())
    assert gram.spe_ == pytest.approx(svd.spe_, rel=1e-9)
    assert gram.t2(X) == pytest.approx(svd.t2(X), rel=1e-8)
    assert (gram.x_mean_ == svd.x_mean_).all()
    assert gram.x_scale_ == pytest.approx(svd.x_scale_, rel=1e-14)
    for method in ("jackson", "box", "robust"):
        limits = [model.spe_limit(method=method) for model in (gram, svd)]
        assert limits[0] == pytest.approx(limits[1], rel=1e-9)


@pytest.mark.parametrize("shape", [(800, 400), (400, 800)])
def test_large_data_take_cross_products_unless_digits_would_be_lost(
    shape: tuple[int, int],
) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(shape[0], 5)) @ (rng.normal(size=(5, shape[1])) * 10)
    noisy = X + 0.1 * rng.normal(size=shape)
    assert PCA(3).fit(noisy).solver_ == "gram"
    assert PCA(3).fit(noisy[:50, :50]).solver_ == "svd"
    clean = X + 1e-5 * rng.normal(size=shape)
    assert PCA(5).fit(clean).solver_ == "svd"
    assert PCA(7).fit(clean).solver_ == "svd"
    with pytest.raises(InputError, match="solver = 'gram' loses digits here: component 7"):
        PCA(7, solver="gram").fit(clean)


# residuals that nearly vanish are not taken as the difference of two large numbers
def test_small_residuals_keep_their_digits() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3)) @ rng.normal(size=(3, 40)) + 3e-3 * rng.normal(size=(300, 40))
    gram, svd = (PCA(3, solver=s).fit(X) for s in ("gram", "svd"))
    assert gram.spe_ == pytest.approx(svd.spe_, rel=1e-9)


@pytest.mark.parametrize("solver", ["svd", "gram"])
def test_a_constant_column_is_refused_by_every_solver(solver: Any) -> None:
    X = np.random.default_rng(0).normal(size=(20, 5))
    X[:, 2] = 0.1
    with pytest.raises(InputError, match="column 2 of X is constant"):
        PCA(1, scale=True, solver=solver).fit(X)
    with pytest.raises(InputError, match="column 2 of X is constant"):
        PCA(1, scale=True, solver=solver).fit(X[:4])


@pytest.mark.parametrize("shape", [(4000, 100), (100, 4000)])
def test_cross_products_need_no_copy_of_the_data(shape: tuple[int, int]) -> None:
    X = np.random.default_rng(0).normal(size=shape).cumsum(axis=1)
    tracemalloc.start()
    model = PCA(3, scale=True).fit(X)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert model.solver_ == "gram"
    assert peak < X.nbytes


def test_an_unknown_solver_is_named() -> None:
    with pytest.raises(InputError, match=r"solver must be one of .*'eigen'"):
        PCA(1, solver="eigen").fit(np.eye(4))
