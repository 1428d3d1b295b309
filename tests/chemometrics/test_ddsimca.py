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
from scipy import stats
from sklearn.utils.estimator_checks import check_estimator

from pharmaq.chemometrics.ddsimca import DDSIMCA
from pharmaq.errors import AxisError, InputError
from pharmaq.spectra import as_spectra


@pytest.fixture(scope="module")
def reference(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "data" / "REFERENCE.json").read_text())


@pytest.fixture
def members() -> np.ndarray:
    rng = np.random.default_rng(5)
    return rng.normal(size=(40, 3)) @ rng.normal(size=(3, 8)) + 0.1 * rng.normal(size=(40, 8))


# R package mdatools 0.14.2, lim.type "ddmoments" and "ddrobust", printed to ten decimals: rows
# are extreme limit, outlier limit, centre and degrees of freedom
@pytest.mark.parametrize(
    ("moments", "key"), [("classical", "ddmoments"), ("robust", "ddrobust")]
)
@pytest.mark.parametrize("n_components", [1, 2, 3, 4, 5])
def test_limits_match_mdatools(
    people: pd.DataFrame,
    reference: dict[str, Any],
    moments: Any,
    key: str,
    n_components: int,
) -> None:
    case = reference[f"pca_people_autoscaled_{key}"]
    model = DDSIMCA(n_components, scale=True, moments=moments).fit(people)
    limits = model.acceptance_limits()
    frame = limits.to_frame()
    t2 = [*frame["t2"], limits.t2_center, limits.t2_dof]
    spe = [*frame["spe"], limits.spe_center, limits.spe_dof]
    column = n_components - 1
    assert t2 == pytest.approx(np.array(case["T2lim"])[:, column], abs=1e-9)
    assert spe == pytest.approx(np.array(case["Qlim"])[:, column], abs=1e-9)


# the same program: T2 and SPE of the 32 calibration samples with five components
def test_distances_match_mdatools(people: pd.DataFrame, reference: dict[str, Any]) -> None:
    case = reference["pca_people_autoscaled_ddmoments"]
    out = DDSIMCA(5, scale=True).fit(people).distances(people)
    np.testing.assert_allclose(out["t2"], case["T2_lastcomp"], atol=1e-9)
    np.testing.assert_allclose(out["spe"], case["Q_lastcomp"], atol=1e-9)
    full = 13 * out["t2"] / 4.84375 + 3 * out["spe"] / 0.38111636368
    np.testing.assert_allclose(out["distance"], full, rtol=1e-9)


# A. L. Pomerantsev, O. Ye. Rodionova, J. Chemom. 28 (2014) 429: extreme samples are binomial
def test_about_alpha_of_the_members_are_extreme() -> None:
    rng = np.random.default_rng(0)
    loadings = rng.normal(size=(3, 30))

    def draw(n: int) -> np.ndarray:
        return rng.normal(size=(n, 3)) @ loadings + 0.1 * rng.normal(size=(n, 30))

    model = DDSIMCA(3, alpha=0.05).fit(draw(400))
    share = np.mean(model.predict(draw(4000)) == -1)
    assert share == pytest.approx(0.05, abs=0.02)


def _slow(X: np.ndarray, new: np.ndarray, n_components: int) -> np.ndarray:
    """Full distance from the definitions, by eigenvectors, one sample at a time."""
    mean = X.mean(axis=0)
    _, vectors = np.linalg.eigh(np.cov(X.T))
    P = vectors[:, ::-1][:, :n_components]

    def pair(x: np.ndarray) -> tuple[float, float]:
        t = P.T @ (x - mean)
        h = t @ np.linalg.inv(np.cov(((X - mean) @ P).T).reshape(len(t), -1)) @ t
        return float(h), float(np.sum((x - mean - P @ t) ** 2))

    known = np.array([pair(x) for x in X])
    center = known.mean(axis=0)
    dof = np.round(2 * center**2 / known.var(axis=0, ddof=1))
    return np.array([np.sum(dof * np.array(pair(x)) / center) for x in new])


def test_full_distance_equals_its_slow_twin(members: np.ndarray) -> None:
    new = members + np.random.default_rng(1).normal(size=members.shape)
    model = DDSIMCA(3).fit(members)
    np.testing.assert_allclose(model.distances(new)[:, 2], _slow(members, new, 3), rtol=1e-8)
    assert model.extreme_limit_ == pytest.approx(
        stats.chi2.ppf(0.95, model.t2_dof_ + model.spe_dof_)
    )


@given(st.floats(0.01, 100), st.floats(-10, 10))
def test_statuses_follow_shift_and_scale(scale: float, shift: float) -> None:
    rng = np.random.default_rng(2)
    X, new = rng.normal(size=(20, 4)), 2 * rng.normal(size=(30, 4))
    expected = DDSIMCA().fit(X).distances(new)[:, 2]
    moved = DDSIMCA().fit(scale * X + shift).distances(scale * new + shift)[:, 2]
    np.testing.assert_allclose(moved, expected, rtol=1e-7)


def test_a_stricter_alpha_accepts_more(members: np.ndarray) -> None:
    new = members + 0.3 * np.random.default_rng(1).normal(size=members.shape)
    accepted = [
        int(np.sum(DDSIMCA(3, alpha=alpha).fit(members).predict(new) == 1))
        for alpha in (0.2, 0.05, 0.01)
    ]
    assert accepted == sorted(accepted)


def test_statuses_lie_between_the_two_limits(members: np.ndarray) -> None:
    model = DDSIMCA(3).fit(members)
    new = members.mean(axis=0) + np.linspace(0, 1, 2000)[:, None] * np.eye(8)[0]
    distance, status = model.distances(new)[:, 2], model.statuses(new)
    assert set(status) == {"regular", "extreme", "outlier"}
    between = (distance > model.extreme_limit_) & (distance <= model.outlier_limit_)
    assert ((status == "extreme") == between).all()
    assert ((status == "regular") == (model.predict(new) == 1)).all()


def test_robust_moments_are_hardly_moved_by_outliers(members: np.ndarray) -> None:
    spoiled = members.copy()
    spoiled[:3] += 0.7 * np.random.default_rng(3).normal(size=(3, 8))
    change = {}
    for moments in ("classical", "robust"):
        clean = DDSIMCA(3, moments=moments).fit(members).spe_center_
        change[moments] = DDSIMCA(3, moments=moments).fit(spoiled).spe_center_ / clean
    assert change["classical"] > 5
    assert change["robust"] < 2


def test_a_sample_gets_the_same_bits_alone_and_among_others(members: np.ndarray) -> None:
    model = DDSIMCA(3).fit(members)
    together = model.distances(members)
    alone = np.vstack([model.distances(row[None]) for row in members])
    np.testing.assert_array_equal(together, alone)


def test_spe_does_not_count_where_the_components_span_all_columns() -> None:
    X = np.random.default_rng(0).normal(size=(30, 2))
    model = DDSIMCA(2).fit(X)
    out = model.distances(X)
    assert (model.spe_dof_, model.spe_center_) == (0, 0.0)
    assert out[:, 2] == pytest.approx(out[:, 0] * model.t2_dof_ / model.t2_center_)
    assert model.acceptance_limits().to_frame()["spe"].isna().all()


def test_limits_are_told_as_plain_python(members: np.ndarray) -> None:
    limits = DDSIMCA(3).fit(members).acceptance_limits().to_dict()
    assert (limits["n_samples"], limits["n_components"], limits["alpha"]) == (40, 3, 0.05)
    assert json.loads(json.dumps(limits)) == limits


def test_degrees_of_freedom_are_at_most_250() -> None:
    # a square: all four corners and their copies have one T2
    corners = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]] * 3) * [2.0, 1.0]
    assert DDSIMCA(2).fit(corners).t2_dof_ == 250


@pytest.mark.parametrize(
    ("spread", "dof"), [(0.01, 100), (3.0, 1)], ids=["hardly varies", "varies much"]
)
def test_robust_degrees_of_freedom_are_from_1_to_100(spread: float, dof: int) -> None:
    rng = np.random.default_rng(0)
    radius = np.exp(spread * rng.normal(size=(200, 1)))
    angle = rng.uniform(0, 2 * np.pi, size=200)
    X = radius * np.column_stack([np.cos(angle), np.sin(angle)])
    assert DDSIMCA(2, moments="robust").fit(X).t2_dof_ == dof


def test_labels_survive() -> None:
    axis = np.arange(1100.0, 1140.0, 5.0)
    values = np.random.default_rng(0).normal(size=(12, 8))
    spectra = as_spectra(values, axis=axis, coords={"batch": np.repeat(["a", "b"], 6)})
    model = DDSIMCA().fit(spectra)
    for out in (model.predict(spectra), model.statuses(spectra), model.distances(spectra)):
        assert isinstance(out, xr.DataArray)
        assert out.batch.values.tolist() == spectra.batch.values.tolist()
    frame = pd.DataFrame(values, index=list("abcdefghijkl"), columns=axis)
    assert list(model.predict(frame).index) == list("abcdefghijkl")
    with pytest.raises(AxisError, match="mean shift"):
        model.predict(spectra.assign_coords(wavelength=spectra.wavelength + 5.0))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"moments": "mean"}, "moments must be one of 'classical', 'robust'"),
        ({"alpha": 1.0}, r"alpha must lie in \(0, 1\)"),
        ({"gamma": 0.0}, r"gamma must lie in \(0, 1\)"),
        ({"alpha": 0.001, "gamma": 0.5}, "alpha = 0.001 must exceed .*; lower gamma"),
        ({"n_components": 0}, "n_components must be at least 1"),
        ({"n_components": 9}, "n_components = 9 is too many: at most 8"),
    ],
)
def test_bad_settings_are_refused(
    settings: dict[str, Any], message: str, members: np.ndarray
) -> None:
    with pytest.raises(InputError, match=message):
        DDSIMCA(**settings).fit(members)


def test_too_few_samples_are_refused(members: np.ndarray) -> None:
    with pytest.raises(InputError, match="n_samples = 4 is too few for n_components = 3"):
        DDSIMCA(3).fit(members[:4])
    with pytest.raises(InputError, match=r"X holds 1 sample\(s\)"):
        DDSIMCA(1).fit(members[:1])


def test_constant_data_are_refused() -> None:
    with pytest.raises(InputError, match="exceeds the rank 0"):
        DDSIMCA(1).fit(np.ones((6, 4)))


def test_samples_without_residuals_are_refused(members: np.ndarray) -> None:
    flat = np.column_stack([members[:, :2], members[:, 0] + members[:, 1]])
    with pytest.raises(InputError, match="reproduce the samples exactly"):
        DDSIMCA(2).fit(flat)


def test_robust_moments_need_a_middle_half_that_varies() -> None:
    corners = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]] * 3) * [2.0, 1.0]
    corners = corners - corners.mean(axis=0)
    with pytest.raises(InputError, match="T2 is the same for the middle half"):
        DDSIMCA(1, moments="robust").fit(corners)


@pytest.mark.slow
@pytest.mark.parametrize("estimator", [DDSIMCA(), DDSIMCA(moments="robust")], ids=repr)
def test_scikit_learn_accepts_the_estimator(estimator: DDSIMCA) -> None:
    check_estimator(estimator, on_skip=None)
