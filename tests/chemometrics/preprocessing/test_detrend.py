from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.signal import detrend
from sklearn.utils.estimator_checks import check_estimator

from pharmaq.chemometrics.preprocessing import learns_from_samples
from pharmaq.chemometrics.preprocessing._detrend import Detrend
from pharmaq.errors import AxisError, InputError, InputTypeError
from pharmaq.spectra import as_spectra

rows = arrays(
    np.float64,
    st.tuples(st.integers(1, 4), st.integers(6, 40)),
    elements=st.floats(-1e3, 1e3, width=32),
)


def naive_detrend(row: np.ndarray, axis: np.ndarray, degree: int) -> np.ndarray:
    """Subtract the least-squares polynomial of numpy."""
    return row - np.polynomial.Polynomial.fit(axis, row, degree)(axis)


# by hand: mean 3.5, slope 11 / 5, line 0.2 2.4 4.6 6.8
def test_a_line_is_taken_off_as_worked_by_hand() -> None:
    out = Detrend(1).fit_transform([[1.0, 2.0, 3.0, 8.0]])
    np.testing.assert_allclose(out, [[0.8, -0.4, -1.6, 1.2]], atol=1e-14)


def test_degree_1_equals_scipy() -> None:
    X = np.random.default_rng(0).normal(size=(5, 60)).cumsum(axis=1)
    out = Detrend(1).fit_transform(X)
    np.testing.assert_allclose(out, detrend(X, axis=1), atol=1e-12)


@given(rows, st.integers(0, 4))
def test_detrend_equals_its_slow_twin(X: np.ndarray, degree: int) -> None:
    axis = np.arange(X.shape[1], dtype=float)
    expected = np.array([naive_detrend(row, axis, degree) for row in X])
    np.testing.assert_allclose(Detrend(degree).fit_transform(X), expected, atol=1e-8)


@given(rows, st.floats(-10, 10), st.floats(-10, 10), st.floats(-10, 10))
def test_any_parabola_drops_out(X: np.ndarray, a: float, b: float, c: float) -> None:
    v = np.linspace(-1, 1, X.shape[1])
    moved = Detrend().fit_transform(X + a + b * v + c * v**2)
    np.testing.assert_allclose(moved, Detrend().fit_transform(X), atol=1e-9)


def test_an_uneven_axis_counts_with_its_positions() -> None:
    axis = np.array([1100.0, 1101, 1104, 1112, 1125, 1160])
    spectra = as_spectra((2 + 0.5 * axis - 0.001 * axis**2)[None], axis=axis)
    np.testing.assert_allclose(Detrend().fit_transform(spectra), 0.0, atol=1e-9)
    assert np.abs(Detrend().fit_transform(spectra.values)).max() > 1


def test_a_descending_axis_gives_the_same_values() -> None:
    X = np.random.default_rng(1).normal(size=(2, 30))
    axis = np.geomspace(1000, 2000, 30)
    up = Detrend().fit_transform(as_spectra(X, axis=axis, kind="wavelength"))
    down = Detrend().fit_transform(as_spectra(X[:, ::-1], axis=axis[::-1], kind="wavelength"))
    np.testing.assert_allclose(down.values[:, ::-1], up.values, atol=1e-12)


def test_a_constant_spectrum_becomes_zero() -> None:
    np.testing.assert_allclose(Detrend().fit_transform([[5.0] * 9]), 0.0, atol=1e-14)


def test_one_spectrum_gives_the_same_bits_alone_and_among_many() -> None:
    X = np.random.default_rng(2).normal(size=(50, 101)).cumsum(axis=1)
    step = Detrend().fit(X)
    np.testing.assert_array_equal(step.transform(X)[[31]], step.transform(X[[31]]))


def test_labels_and_quantity_survive() -> None:
    spectra = as_spectra(
        np.random.default_rng(3).normal(size=(3, 6)),
        axis=np.arange(1100.0, 1106.0),
        quantity="absorbance",
        coords={"batch": ["a", "b", "c"]},
    )
    out = Detrend().fit_transform(spectra)
    assert out.batch.values.tolist() == ["a", "b", "c"]
    assert out.attrs["quantity"] == "absorbance"
    frame = pd.DataFrame(spectra.values, columns=spectra.wavelength.values, index=list("abc"))
    np.testing.assert_array_equal(Detrend().fit_transform(frame), out.values)
    with pytest.raises(AxisError, match="mean shift"):
        Detrend().fit(spectra).transform(
            spectra.assign_coords(wavelength=spectra.wavelength + 1)
        )


def test_the_default_degree_fits_short_spectra_and_says_so() -> None:
    assert [Detrend().fit(np.eye(n)).degree_ for n in (2, 3, 4, 9)] == [0, 1, 2, 2]


def test_a_polynomial_through_all_points_is_refused() -> None:
    with pytest.raises(InputError, match="degree must be at most 3 for spectra of 5 points"):
        Detrend(4).fit(np.eye(5))


def test_a_degree_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="degree must be at least 0, got -1"):
        Detrend(-1).fit(np.eye(5))
    with pytest.raises(InputTypeError, match="degree must be a whole number"):
        Detrend(1.5).fit(np.eye(5))  # type: ignore[arg-type]


def test_missing_values_are_named_by_place() -> None:
    with pytest.raises(InputError, match=r"X\[0, 1\] is NaN"):
        Detrend().fit([[1.0, np.nan, 2.0, 3.0]])


def test_detrend_may_stand_before_cross_validation() -> None:
    assert not learns_from_samples(Detrend())


@pytest.mark.slow
def test_scikit_learn_accepts_the_estimator() -> None:
    check_estimator(Detrend(), on_skip=None)
