from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from pharmaq.chemometrics import PLS
from pharmaq.chemometrics.preprocessing import learns_from_samples
from pharmaq.chemometrics.preprocessing._osc import OSC
from pharmaq.errors import AxisError, InputError
from pharmaq.spectra import as_spectra

Data = tuple[np.ndarray, np.ndarray]

tables = arrays(np.float64, (8, 5), elements=st.floats(-9, 9, width=32)).filter(
    lambda X: bool(np.linalg.svd(X - X.mean(axis=0), compute_uv=False)[-1] > 0.5)
)
responses = arrays(np.float64, 8, elements=st.floats(-9, 9, width=32)).filter(
    lambda y: bool(np.std(y) > 0.5)
)


def slow_osc(X: np.ndarray, y: np.ndarray, count: int) -> np.ndarray:
    """One component after another, each from the eigenvectors of M X'X M, then deflation."""
    mean, Y = X.mean(axis=0), (y - y.mean())[:, None]
    E = X - mean
    for _ in range(count):
        r = E.T @ Y
        M = np.eye(X.shape[1]) - r @ r.T / float((r.T @ r)[0, 0])
        _, vectors = np.linalg.eigh(M @ E.T @ E @ M)
        w = vectors[:, -1:]
        t = E @ w
        E = E - t @ (t.T @ E) / float((t.T @ t)[0, 0])
    return E + mean


# by hand: X'y = (3, 0), so w = (0, 1), t = (1, -2, 1), p = (-1/2, 1)
def test_the_column_that_says_nothing_of_y_leaves_with_its_part_in_the_other() -> None:
    osc = OSC().fit([[-2.0, 1.0], [1.0, -2.0], [1.0, 1.0]], [-1.0, 0.0, 1.0])
    np.testing.assert_allclose(np.abs(osc.weights_), [[0, 1]], atol=1e-15)
    np.testing.assert_allclose(osc.loadings_, [[-0.5, 1]], atol=1e-15)
    np.testing.assert_allclose(osc.transform([[4.0, 2.0]]), [[5.0, 0.0]], atol=1e-14)


# chemotools 0.5.0, OrthogonalSignalCorrection(method="fearn"), fitted to rows 1-50
@pytest.mark.parametrize(
    ("count", "expected", "removed"),
    [
        (1, [-0.052000026686859685, -0.04659404952567637, 1.1693987352263957], 0.66660745454),
        (2, [-0.05008999557424579, -0.044931706139895514, 1.16812255149218], 0.75040295943),
    ],
)
def test_gasoline_agrees_with_another_program(
    count: int, expected: list[float], removed: float, gasoline: Data
) -> None:
    X, y = gasoline
    osc = OSC(count).fit(X[:50], y[:50])
    np.testing.assert_allclose(osc.transform(X[50:])[0, [0, 200, 400]], expected, atol=1e-12)
    assert osc.explained_.sum() == pytest.approx(removed, abs=1e-11)


@given(tables, responses, st.integers(1, 2))
def test_osc_equals_its_slow_twin(X: np.ndarray, y: np.ndarray, count: int) -> None:
    relation = (X - X.mean(axis=0)).T @ (y - y.mean())
    if np.linalg.norm(relation) < 1:
        return
    basis = relation / np.linalg.norm(relation)
    E = X - X.mean(axis=0)
    singular = np.linalg.svd(E - np.outer(E @ basis, basis), compute_uv=False)
    # directions of equal strength have no order of their own
    if -np.diff(singular[: count + 1]).max() < 1e-2:
        return
    out = OSC(count).fit_transform(X, y)
    np.testing.assert_allclose(out, slow_osc(X, y, count), atol=1e-6)


@given(tables, responses)
def test_scores_taken_off_are_uncorrelated_with_y(X: np.ndarray, y: np.ndarray) -> None:
    osc = OSC(2).fit(X, y)
    centered = y - y.mean()
    sizes = np.linalg.norm(osc.scores_, axis=0) * np.linalg.norm(centered)
    assert (np.abs(osc.scores_.T @ centered) <= 1e-10 * np.maximum(sizes, 1)).all()


def test_scores_are_those_that_transform_takes_off(gasoline: Data) -> None:
    X, y = gasoline
    osc = OSC(2).fit(X, y)
    lost = X - osc.transform(X)
    np.testing.assert_allclose(lost, osc.scores_ @ osc.loadings_, atol=1e-12)
    share = np.linalg.norm(lost) ** 2 / np.linalg.norm(X - X.mean(axis=0)) ** 2
    assert osc.explained_.sum() == pytest.approx(share, rel=1e-10)


def test_several_responses_are_all_kept() -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(12, 6)), rng.normal(size=(12, 2))
    scores = OSC(2).fit(X, Y).scores_
    np.testing.assert_allclose(scores.T @ (Y - Y.mean(axis=0)), 0, atol=1e-12)


def test_a_column_of_y_gives_the_same_as_a_vector(gasoline: Data) -> None:
    X, y = gasoline
    assert np.array_equal(OSC().fit_transform(X, y), OSC().fit_transform(X, y[:, None]))


def test_a_spectrum_gets_the_same_bits_alone_and_among_others(gasoline: Data) -> None:
    X, y = gasoline
    osc = OSC(2).fit(X, y)
    alone = np.concatenate([osc.transform(row[None]) for row in X])
    assert np.array_equal(osc.transform(X), alone)


def test_labels_survive_osc() -> None:
    values = np.random.default_rng(1).normal(size=(6, 4))
    axis = np.arange(1100.0, 1140.0, 10.0)
    spectra = as_spectra(values, axis=axis, quantity="absorbance")
    y = np.arange(6.0)
    out = OSC().fit_transform(spectra, y)
    assert isinstance(out, xr.DataArray)
    assert out.attrs["quantity"] == "unknown"
    frame = pd.DataFrame(values, columns=axis, index=list("uvwxyz"))
    framed = OSC().fit_transform(frame, y)
    assert list(framed.index) == list("uvwxyz")
    np.testing.assert_array_equal(framed.to_numpy(), out.values)
    shifted = spectra.assign_coords(wavelength=spectra.wavelength + 5.0)
    with pytest.raises(AxisError, match="mean shift"):
        OSC().fit(spectra, y).transform(shifted)


def test_osc_is_refitted_in_every_fold() -> None:
    # spectra without any relation to y: corrected once with all samples they seem to have one
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(30, 60)), rng.normal(size=30)
    corrected = OSC(20).fit_transform(X, y)
    inside = cross_val_predict(make_pipeline(OSC(20), PLS(1)), X, y, cv=10) - y
    outside = cross_val_predict(PLS(1), corrected, y, cv=10) - y
    assert learns_from_samples(OSC())
    assert np.std(inside) > 0.9 * np.std(y)
    assert np.std(outside) < 0.5 * np.std(y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "y is missing"),
        ([1.0, 1.0, 1.0], r"y is constant \(1\)"),
        ([1.0, 2.0], r"y must have shape \(3,\)"),
        ([1.0, np.nan, 2.0], r"y\[1\] is NaN"),
    ],
)
def test_a_bad_response_is_refused(y: list[float] | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        OSC().fit(np.random.default_rng(0).normal(size=(3, 4)), y)


def test_more_components_than_x_has_beside_y_are_refused() -> None:
    X = np.random.default_rng(0).normal(size=(5, 3))
    with pytest.raises(InputError, match=r"n_components = 3 is too many.*have 2 components"):
        OSC(3).fit(X, np.arange(5.0))


def test_constant_spectra_have_nothing_to_take_off() -> None:
    with pytest.raises(InputError, match="have 0 components orthogonal to y"):
        OSC().fit(np.ones((4, 3)), np.arange(4.0))


def test_one_sample_is_refused() -> None:
    with pytest.raises(InputError, match="OSC needs at least 2"):
        OSC().fit([[1.0, 2.0]], [1.0])


@pytest.mark.slow
def test_scikit_learn_accepts_osc() -> None:
    check_estimator(OSC(), on_skip=None)
