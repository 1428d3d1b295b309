from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from pharmaq.chemometrics import PLS
from pharmaq.chemometrics.preprocessing import learns_from_samples
from pharmaq.chemometrics.preprocessing._orthogonal import EPO, GLSW, within_group_differences
from pharmaq.errors import AxisError, InputError, InputTypeError
from pharmaq.spectra import as_spectra

FILTERS = [EPO, GLSW]
Pair = tuple[np.ndarray, np.ndarray, np.ndarray]

tables = arrays(
    np.float64, st.tuples(st.integers(1, 5), st.just(6)), elements=st.floats(-9, 9, width=32)
).filter(lambda E: bool(np.linalg.norm(E) > 0.1))


@pytest.fixture(scope="module")
def corn_pair(shared: Path) -> Pair:
    """The same 80 corn samples on instruments m5 and mp5, and their moisture."""
    m5, mp5 = (pd.read_csv(shared / "data" / "nir" / f"corn_{n}.csv") for n in ("m5", "mp5"))
    return m5.iloc[:, 5:].to_numpy(), mp5.iloc[:, 5:].to_numpy(), m5["Moisture"].to_numpy()


def slow_epo(X: np.ndarray, E: np.ndarray, count: int) -> np.ndarray:
    """X (I - P P') with the eigenvectors of E'E."""
    _, vectors = np.linalg.eigh(E.T @ E)
    P = vectors[:, ::-1][:, :count]
    return X @ (np.eye(X.shape[1]) - P @ P.T)


def slow_glsw(X: np.ndarray, E: np.ndarray, alpha: float) -> np.ndarray:
    """X V D^-1 V' with all eigenvectors of the covariance."""
    squares, V = np.linalg.eigh(E.T @ E / len(E))
    D = np.sqrt(np.maximum(squares, 0) / alpha + 1)
    return X @ V @ np.diag(1 / D) @ V.T


# by hand: P = (1, 1, 0) / sqrt(2), so that (1, 0, 5) loses (0.5, 0.5, 0)
def test_epo_takes_off_the_part_along_a_difference() -> None:
    out = EPO(differences=[[2.0, 2.0, 0.0]]).fit_transform([[1.0, 0.0, 5.0]])
    np.testing.assert_allclose(out, [[0.5, -0.5, 5.0]], atol=1e-15)


# chemotools 0.5.0, ExternalParameterOrthogonalization(2) on the differences mp5 - m5 stacked on
# their negatives (its centring then does nothing), first spectrum minus the mean spectrum
def test_epo_of_corn_agrees_with_another_program(corn_pair: Pair) -> None:
    m5, mp5, _ = corn_pair
    out = EPO(2, differences=mp5 - m5).fit_transform(m5)
    expected = [0.0019833128307859965, -0.001392737790983034, 0.003454545638743589]
    np.testing.assert_allclose((out[0] - out.mean(axis=0))[[0, 350, 699]], expected, atol=1e-12)


# by hand: C = diag(4, 0), D = sqrt(4 / 0.5 + 1) = 3
def test_glsw_shrinks_along_a_difference() -> None:
    out = GLSW(0.5, differences=[[2.0, 0.0]]).fit_transform([[6.0, 7.0]])
    np.testing.assert_allclose(out, [[2.0, 7.0]], atol=1e-15)


@given(tables, st.integers(1, 3))
def test_epo_equals_its_slow_twin(E: np.ndarray, count: int) -> None:
    singular = np.linalg.svd(E, compute_uv=False)
    singular = np.append(singular, 0.0)
    # directions of equal strength have no order of their own
    if count >= singular.size or singular[count - 1] - singular[count] < 1e-2:
        return
    X = np.random.default_rng(0).normal(size=(4, 6))
    out = EPO(count, differences=E).fit_transform(X)
    np.testing.assert_allclose(out, slow_epo(X, E, count), atol=1e-6)


@given(tables, st.floats(1e-2, 1e2))
def test_glsw_equals_its_slow_twin(E: np.ndarray, alpha: float) -> None:
    X = np.random.default_rng(0).normal(size=(4, 6))
    out = GLSW(alpha, differences=E).fit_transform(X)
    np.testing.assert_allclose(out, slow_glsw(X, E, alpha), atol=1e-8)


@given(tables, st.floats(-20, 20))
def test_the_influence_no_longer_shows_after_epo(E: np.ndarray, size: float) -> None:
    rank = int(np.linalg.matrix_rank(E, tol=1e-6))
    epo = EPO(max(rank, 1), differences=E)
    x = np.arange(6.0)[None]
    moved = epo.fit_transform(x + size * E[:1])
    np.testing.assert_allclose(moved, epo.fit_transform(x), atol=1e-3)


def test_glsw_does_not_depend_on_how_often_a_difference_is_given() -> None:
    E = np.random.default_rng(1).normal(size=(3, 8))
    once, thrice = GLSW(differences=E), GLSW(differences=np.tile(E, (3, 1)))
    X = np.random.default_rng(2).normal(size=(2, 8))
    np.testing.assert_allclose(once.fit_transform(X), thrice.fit_transform(X), atol=1e-12)


def test_glsw_with_a_tiny_alpha_is_epo_with_all_directions() -> None:
    rng = np.random.default_rng(3)
    E, X = rng.normal(size=(2, 9)), rng.normal(size=(4, 9))
    out = GLSW(1e-16, differences=E).fit_transform(X)
    np.testing.assert_allclose(out, EPO(2, differences=E).fit_transform(X), atol=1e-6)


# moisture of 72 corn samples on mp5 by a model of 10 components from m5: 1.46 % as measured
@pytest.mark.parametrize("step", [EPO(2), GLSW(1e-5)], ids=["epo", "glsw"])
def test_filters_carry_a_calibration_to_another_instrument(
    step: EPO | GLSW, corn_pair: Pair
) -> None:
    m5, mp5, y = corn_pair
    standards = np.arange(0, 80, 10)
    others = np.setdiff1d(np.arange(80), standards)
    step = clone(step).set_params(differences=(mp5 - m5)[standards]).fit(m5)
    model = PLS(10).fit(step.transform(m5), y)
    error = model.predict(step.transform(mp5)) - y
    plain = PLS(10).fit(m5, y).predict(mp5) - y
    assert np.sqrt(np.mean(plain[others] ** 2)) > 1.4
    assert np.sqrt(np.mean(error[others] ** 2)) < 0.25


def test_directions_are_orthonormal_and_point_up() -> None:
    E = np.random.default_rng(4).normal(size=(5, 7))
    epo = EPO(3, differences=E).fit(np.ones((2, 7)))
    np.testing.assert_allclose(epo.directions_ @ epo.directions_.T, np.eye(3), atol=1e-12)
    assert (epo.directions_.max(axis=1) == np.abs(epo.directions_).max(axis=1)).all()
    shares = np.linalg.svd(E, compute_uv=False) ** 2
    np.testing.assert_allclose(epo.explained_, shares[:3] / shares.sum(), rtol=1e-12)


@pytest.mark.parametrize("cls", FILTERS)
def test_without_differences_nothing_changes(cls: type) -> None:
    X = np.random.default_rng(5).normal(size=(3, 4))
    assert np.array_equal(cls().fit_transform(X), X)


@pytest.mark.parametrize("step", [EPO(3), GLSW()], ids=["epo", "glsw"])
def test_a_spectrum_gets_the_same_bits_alone_and_among_others(step: EPO | GLSW) -> None:
    rng = np.random.default_rng(6)
    X = rng.normal(size=(300, 257))
    step = clone(step).set_params(differences=rng.normal(size=(12, 257))).fit(X)
    together = step.transform(X)
    alone = np.concatenate([step.transform(row[None]) for row in X])
    assert np.array_equal(together, alone)


@pytest.mark.parametrize("cls", FILTERS)
def test_labels_survive_a_filter(cls: type) -> None:
    values = np.random.default_rng(7).normal(size=(3, 5))
    axis = np.arange(1100.0, 1150.0, 10.0)
    spectra = as_spectra(
        values, axis=axis, quantity="absorbance", coords={"batch": list("aab")}
    )
    out = cls(differences=spectra[:2].T).fit_transform(spectra)
    assert isinstance(out, xr.DataArray)
    assert out.batch.values.tolist() == list("aab")
    assert out.attrs["quantity"] == "unknown"
    np.testing.assert_array_equal(out.values, cls(differences=values[:2]).fit_transform(values))
    frame = pd.DataFrame(values, columns=axis, index=list("xyz"))
    framed = cls(differences=frame[:2]).fit_transform(frame)
    assert list(framed.index) == list("xyz")
    np.testing.assert_array_equal(framed.to_numpy(), out.values)


@pytest.mark.parametrize("cls", FILTERS)
def test_differences_on_another_axis_are_refused(cls: type) -> None:
    spectra = as_spectra(np.eye(3), axis=[1100, 1110, 1120])
    shifted = spectra.assign_coords(wavelength=spectra.wavelength + 5.0)
    with pytest.raises(AxisError, match=r"differences have another axis than X.*shift"):
        cls(differences=shifted).fit(spectra)


@pytest.mark.parametrize("cls", FILTERS)
@pytest.mark.parametrize(
    ("differences", "message"),
    [
        ([[1.0, 2.0]], "differences have 2 points, but the spectra have 3"),
        ([1.0, 2.0, 3.0], r"differences must have shape \(n, n_points\)"),
        (np.empty((0, 3)), "not be empty"),
        ([[1.0, np.nan, 3.0]], r"differences\[0, 1\] is NaN"),
        (np.zeros((2, 3)), "differences are all zero"),
        ([["a", "b", "c"]], "differences must hold numbers"),
    ],
)
def test_bad_differences_are_refused(cls: type, differences: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        cls(differences=differences).fit(np.ones((2, 3)))


def test_more_components_than_differences_carry_are_refused() -> None:
    E = [[1.0, 0.0, 0.0], [2.0, 0.0, 0.0]]
    with pytest.raises(InputError, match=r"n_components = 2 is too many.*have rank 1"):
        EPO(2, differences=E).fit(np.ones((2, 3)))


def test_bad_settings_are_refused() -> None:
    with pytest.raises(InputError, match="n_components must be at least 1, got 0"):
        EPO(0).fit(np.ones((2, 3)))
    with pytest.raises(InputError, match=r"alpha must lie in \(0, inf\), got 0"):
        GLSW(0).fit(np.ones((2, 3)))
    with pytest.raises(InputTypeError, match="alpha must be a real number"):
        GLSW("0.1").fit(np.ones((2, 3)))


# by hand: means of the two groups are 2 and 7
def test_differences_within_groups_are_taken_from_their_means() -> None:
    X = [[1.0], [6.0], [3.0], [8.0]]
    out = within_group_differences(X, ["a", "b", "a", "b"])
    assert out.tolist() == [[-1.0], [-1.0], [1.0], [1.0]]


def test_differences_within_groups_keep_their_axis() -> None:
    spectra = as_spectra(np.arange(8.0).reshape(4, 2), axis=[1100, 1110])
    out = within_group_differences(spectra, [1, 1, 2, 2])
    assert out.wavelength.values.tolist() == [1100, 1110]
    assert out.values.tolist() == [[-1, -1], [1, 1], [-1, -1], [1, 1]]
    EPO(differences=out).fit(spectra)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (["a", "a"], "one label a spectrum, got 2 for 3"),
        (["a", "a", "b"], "group 'b' holds one spectrum"),
        (["a", "a", None], "missing labels"),
    ],
)
def test_bad_groups_are_refused(groups: list[str | None], message: str) -> None:
    with pytest.raises(InputError, match=message):
        within_group_differences(np.ones((3, 2)), groups)


def test_filters_do_not_learn_from_samples() -> None:
    assert not learns_from_samples(EPO())
    assert not learns_from_samples(GLSW())


@pytest.mark.slow
@pytest.mark.parametrize("cls", FILTERS)
def test_scikit_learn_accepts_the_filter(cls: type) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_estimator(cls(), on_skip=None)
