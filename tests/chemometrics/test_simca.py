from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.estimator_checks import check_estimator

from pharmaq.chemometrics.limits import spe_limit, t2_limit
from pharmaq.chemometrics.simca import SIMCA
from pharmaq.errors import AxisError, InputError
from pharmaq.spectra import as_spectra

Oils = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def olive_oils(shared: Path) -> Oils:
    """FTIR of 60 olive oils of four countries, twice each (Quadram Institute)."""
    frame = pd.read_csv(shared / "data" / "nir" / "olive_oil_ftir.csv")
    return frame.iloc[:, 3:].to_numpy(), frame["Provenance"].to_numpy()


@pytest.fixture
def two_classes() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    a = rng.normal(size=(15, 2)) @ rng.normal(size=(2, 6)) + 0.1 * rng.normal(size=(15, 6))
    b = rng.normal(size=(20, 1)) @ rng.normal(size=(1, 6)) + 0.1 * rng.normal(size=(20, 6)) + 3
    return np.vstack([a, b]), np.repeat(["a", "b"], [15, 20])


# R package mdatools 0.14.2, lim.type "jm": limit of SPE of one class, autoscaled
@pytest.mark.parametrize("n_components", [1, 2, 3, 4, 5])
def test_spe_limits_match_mdatools(
    shared: Path, people: pd.DataFrame, n_components: int
) -> None:
    cases = json.loads((shared / "data" / "REFERENCE.json").read_text())
    case = cases["pca_people_autoscaled_jm"]
    model = SIMCA(n_components, scale=True).fit(people, ["all"] * 32)
    assert model.spe_limits_[0] == pytest.approx(case["Qlim"][0][n_components - 1], abs=1e-9)


# by hand: variances 16/3 and 4/3, F(0.95; 1, 3) = 10.128, z(0.95) = 1.6449; the eigenvalue left
# has h0 = 1/3, so that the limit of SPE is 4/3 (1 + 1.6449 sqrt(2)/3 - 2/9)^3
def test_ratios_of_a_class_worked_by_hand() -> None:
    rectangle = [[2, 1], [2, -1], [-2, 1], [-2, -1]]
    model = SIMCA(1).fit(rectangle, ["a"] * 4)
    assert model.t2_limits_[0] == pytest.approx(15 / 12 * 10.128, abs=1e-3)
    assert model.spe_limits_[0] == pytest.approx(4.9958, abs=1e-3)
    t2, spe = model.ratios([[4.0, 2.0]])
    assert t2[0, 0] == pytest.approx(3 / 12.66, abs=1e-4)
    assert spe[0, 0] == pytest.approx(4 / 4.9958, abs=1e-4)
    assert model.distances([[4.0, 2.0]])[0, 0] == pytest.approx(0.8350, abs=1e-4)


def test_the_provenance_of_olive_oils_is_told(olive_oils: Oils) -> None:
    X, y = olive_oils
    model = SIMCA(6).fit(X, y)
    assert model.score(X, y) > 0.85
    own = model.memberships(X)[np.arange(len(y)), np.searchsorted(model.classes_, y)]
    assert 0.8 < own.mean() < 1


def _slow(X: np.ndarray, new: np.ndarray, n_components: int) -> tuple[np.ndarray, np.ndarray]:
    """T2 and SPE ratios of one class, by eigenvectors and one sample at a time."""
    mean = X.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(X.T))
    P, variances = vectors[:, ::-1][:, :n_components], values[::-1][:n_components]
    residuals = X - mean - (X - mean) @ P @ P.T
    t2, spe = [], []
    for x in new:
        t = P.T @ (x - mean)
        t2.append(np.sum(t**2 / variances) / t2_limit(len(X), n_components))
        spe.append(np.sum((x - mean - P @ t) ** 2) / spe_limit(residuals))
    return np.array(t2), np.array(spe)


def test_ratios_equal_their_slow_twin(two_classes: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = two_classes
    t2, spe = SIMCA({"a": 2, "b": 1}).fit(X, y).ratios(X)
    for k, (label, count) in enumerate([("a", 2), ("b", 1)]):
        expected = _slow(X[y == label], X, count)
        np.testing.assert_allclose(t2[:, k], expected[0], rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(spe[:, k], expected[1], rtol=1e-8, atol=1e-9)


@given(st.floats(0.01, 100), st.floats(-10, 10))
def test_ratios_follow_shift_and_scale(scale: float, shift: float) -> None:
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(20, 4)), np.repeat([0, 1], 10)
    expected = SIMCA().fit(X, y).ratios(X)
    moved = SIMCA().fit(scale * X + shift, y).ratios(scale * X + shift)
    np.testing.assert_allclose(moved, expected, rtol=1e-6, atol=1e-9)


def test_a_sample_may_belong_to_no_class_or_to_several() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=(20, 3)) * [3.0, 1.0, 0.1]
    b = rng.normal(size=(20, 3)) * [3.0, 1.0, 0.1]
    model = SIMCA(2).fit(np.vstack([a, b]), np.repeat(["a", "b"], 20))
    inside = model.memberships([[0.0, 0.0, 0.0], [0.0, 0.0, 9.0]])
    assert inside.tolist() == [[True, True], [False, False]]
    assert model.predict([[0.0, 0.0, 9.0]])[0] in {"a", "b"}


def test_the_rules_differ_where_one_limit_is_exceeded_a_little() -> None:
    rectangle = [[2, 1], [2, -1], [-2, 1], [-2, -1]]
    # SPE is 1.1 of its limit of 4.9958, T2 is 0
    sample = [[0.0, np.sqrt(1.1 * 4.9958)]]
    answers = [
        SIMCA(1, rule=rule).fit(rectangle, ["a"] * 4).memberships(sample).item()
        for rule in ("both", "combined")
    ]
    assert answers == [False, True]


def test_prediction_is_the_nearest_class(two_classes: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = two_classes
    model = SIMCA(1).fit(X, y)
    nearest = model.classes_[model.distances(X).argmin(axis=1)]
    assert model.predict(X).tolist() == nearest.tolist()
    assert model.predict(X).tolist() == y.tolist()


def test_a_sample_gets_the_same_bits_alone_and_among_others(
    two_classes: tuple[np.ndarray, np.ndarray],
) -> None:
    X, y = two_classes
    model = SIMCA(2).fit(X, y)
    alone = np.vstack([model.distances(row[None]) for row in X])
    np.testing.assert_array_equal(model.distances(X), alone)


def test_spe_does_not_count_where_the_components_span_all_columns() -> None:
    X = np.random.default_rng(0).normal(size=(20, 2))
    model = SIMCA(2).fit(X, np.repeat([0, 1], 10))
    assert np.isinf(model.spe_limits_).all()
    assert (model.ratios(X)[1] == 0).all()


def test_labels_survive() -> None:
    axis = np.arange(1100.0, 1140.0, 5.0)
    values = np.random.default_rng(0).normal(size=(12, 8))
    spectra = as_spectra(values, axis=axis, coords={"batch": np.repeat(["u", "v"], 6)})
    model = SIMCA().fit(spectra, spectra.batch)
    for out in (model.predict(spectra), model.memberships(spectra), model.distances(spectra)):
        assert isinstance(out, xr.DataArray)
        assert out.batch.values.tolist() == spectra.batch.values.tolist()
    assert model.memberships(spectra)["class"].values.tolist() == ["u", "v"]
    frame = pd.DataFrame(values, index=list("abcdefghijkl"), columns=axis)
    assert list(model.memberships(frame).columns) == ["u", "v"]
    assert list(model.predict(frame).index) == list("abcdefghijkl")
    with pytest.raises(AxisError, match="mean shift"):
        model.predict(spectra.assign_coords(wavelength=spectra.wavelength + 5.0))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alpha": 0.0}, r"alpha must lie in \(0, 1\)"),
        ({"spe_method": "jm"}, "spe_method must be one of 'jackson', 'box', 'robust'"),
        ({"rule": "any"}, "rule must be one of 'both', 'combined'"),
        ({"n_components": {"a": 1}}, "n_components has no entry for class 'b'"),
        ({"n_components": 0}, "n_components must be at least 1"),
        ({"n_components": 14}, "class 'a' has 15 members, too few for n_components = 14"),
        ({"n_components": 7}, "class 'a' cannot be modelled: n_components = 7 is too many"),
    ],
)
def test_bad_settings_are_refused(
    settings: dict[str, Any], message: str, two_classes: tuple[np.ndarray, np.ndarray]
) -> None:
    with pytest.raises(InputError, match=message):
        SIMCA(**settings).fit(*two_classes)


def test_a_class_with_one_member_is_named(
    two_classes: tuple[np.ndarray, np.ndarray],
) -> None:
    X, y = two_classes
    y = np.where(np.arange(35) == 3, "c", y)
    with pytest.raises(InputError, match="class 'c' has one member, too few"):
        SIMCA(1).fit(X, y)


def test_constant_data_are_refused_with_their_class() -> None:
    X = np.vstack([np.random.default_rng(0).normal(size=(6, 3)), np.ones((6, 3))])
    with pytest.raises(InputError, match=r"class 1 cannot be modelled: .* rank 0"):
        SIMCA(1).fit(X, [0] * 6 + [1] * 6)


def test_a_class_without_residuals_is_refused() -> None:
    X = np.random.default_rng(0).normal(size=(6, 2))
    X = np.column_stack([X, X.sum(axis=1)])
    with pytest.raises(InputError, match=r"class 'a' cannot .* reproduce it exactly"):
        SIMCA(2).fit(X, ["a"] * 6)


@pytest.mark.slow
@pytest.mark.parametrize(
    "estimator", [SIMCA(), SIMCA(spe_method="box"), SIMCA(rule="combined")], ids=repr
)
def test_scikit_learn_accepts_the_estimator(estimator: SIMCA) -> None:
    check_estimator(estimator, on_skip=None)
