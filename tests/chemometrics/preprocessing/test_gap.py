from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.utils.estimator_checks import check_estimator

from pharmaq.chemometrics.preprocessing import learns_from_samples
from pharmaq.chemometrics.preprocessing._gap import NorrisWilliams
from pharmaq.errors import AxisError, InputError, InputTypeError
from pharmaq.spectra import as_spectra

rows = arrays(
    np.float64,
    st.tuples(st.integers(1, 4), st.integers(19, 40)),
    elements=st.floats(-1e3, 1e3, width=32),
)
settings = st.sampled_from(
    [(1, 1, 1), (3, 2, 1), (5, 5, 1), (7, 1, 1), (0, 1, 2), (2, 3, 2), (1, 5, 2)]
)


def naive_gap(row: np.ndarray, gap: int, segment: int, deriv: int) -> list[float]:
    """Average the segments around every point where they fit, and take their difference."""
    out = []
    h = gap + segment
    for start in range(len(row) - (deriv * h + segment) + 1):
        mean = [row[start + k * h : start + k * h + segment].mean() for k in range(deriv + 1)]
        if deriv == 1:
            out.append((mean[1] - mean[0]) / h)
        else:
            out.append((mean[0] - 2 * mean[1] + mean[2]) / h**2)
    return out


# prospectr (R), gapDer: m = 1, w = 3, s = 3 filters by -1 -1 -1 0 0 0 1 1 1 over 18, and
# m = 2, w = 1, s = 1 by 1 0 -2 0 1 over 4: segments and gaps, divided by sum(j^m f) / m!
@pytest.mark.parametrize(
    ("gap", "segment", "deriv", "weights"),
    [
        (3, 3, 1, np.array([-1, -1, -1, 0, 0, 0, 1, 1, 1]) / 18),
        (1, 1, 2, np.array([1, 0, -2, 0, 1]) / 4),
    ],
)
def test_weights_are_those_of_prospectr(
    gap: int, segment: int, deriv: int, weights: np.ndarray
) -> None:
    size = len(weights)
    out = NorrisWilliams(gap, segment, deriv).fit_transform(np.eye(size))
    np.testing.assert_allclose(out[:, 0], weights, rtol=1e-15)
    j = np.arange(size) - size // 2
    assert (j**deriv * out[:, 0]).sum() / math.factorial(deriv) == pytest.approx(1.0)


# by hand: means 1 and 7 of two segments, 4 points apart
def test_a_derivative_worked_by_hand() -> None:
    out = NorrisWilliams(gap=1, segment=3).fit_transform([[0.0, 1, 2, 9, 6, 7, 8]])
    assert out.tolist() == [[1.5]]


@given(rows, settings)
def test_gap_derivative_equals_its_slow_twin(
    X: np.ndarray, setting: tuple[int, int, int]
) -> None:
    expected = np.array([naive_gap(row, *setting) for row in X])
    out = NorrisWilliams(*setting).fit_transform(X)
    np.testing.assert_allclose(out, expected, atol=1e-9)


@given(settings, st.floats(-5, 5), st.floats(-5, 5), st.booleans())
def test_lines_and_parabolas_have_their_true_derivative(
    setting: tuple[int, int, int], slope: float, bend: float, descending: bool
) -> None:
    axis = np.arange(1100.0, 1180.0, 4.0)
    axis = axis[::-1].copy() if descending else axis
    v = axis - 1140.0
    deriv = setting[2]
    curve = slope * v if deriv == 1 else slope * v + bend * v**2
    out = NorrisWilliams(*setting).fit_transform(as_spectra(curve[None], axis=axis))
    np.testing.assert_allclose(out, slope if deriv == 1 else 2 * bend, atol=1e-9)


@given(rows, settings, st.floats(-1e3, 1e3))
def test_an_offset_drops_out(
    X: np.ndarray, setting: tuple[int, int, int], offset: float
) -> None:
    step = NorrisWilliams(*setting).fit(X)
    np.testing.assert_allclose(step.transform(X + offset), step.transform(X), atol=1e-9)


def test_a_constant_spectrum_has_no_derivative() -> None:
    # equal numbers have sums that differ by rounding
    assert np.abs(NorrisWilliams().fit_transform([[0.1] * 20])).max() < 1e-15


def test_one_spectrum_gives_the_same_bits_alone_and_among_many() -> None:
    X = np.random.default_rng(2).normal(size=(50, 101)).cumsum(axis=1)
    step = NorrisWilliams().fit(X)
    np.testing.assert_array_equal(step.transform(X)[[31]], step.transform(X[[31]]))


def test_ends_are_dropped_with_their_labels() -> None:
    spectra = as_spectra(
        np.random.default_rng(0).normal(size=(2, 12)),
        axis=np.arange(1100.0, 1112.0),
        quantity="absorbance",
        coords={"batch": ["a", "b"]},
    )
    step = NorrisWilliams(gap=1, segment=3).fit(spectra)
    out = step.transform(spectra)
    assert step.support_.tolist() == [3, 4, 5, 6, 7, 8]
    assert out.wavelength.values.tolist() == [1103, 1104, 1105, 1106, 1107, 1108]
    assert out.batch.values.tolist() == ["a", "b"]
    assert out.attrs["quantity"] == "unknown"
    frame = pd.DataFrame(spectra.values, columns=spectra.wavelength.values, index=list("xy"))
    part = step.fit(frame).transform(frame)
    assert list(part.columns) == [1103, 1104, 1105, 1106, 1107, 1108]
    assert list(part.index) == ["x", "y"]
    assert step.get_feature_names_out().tolist() == ["x3", "x4", "x5", "x6", "x7", "x8"]


@pytest.mark.parametrize(
    ("n_points", "deriv", "sizes"),
    [
        (2, 1, (0, 1)),
        (3, 1, (1, 1)),
        (9, 1, (3, 3)),
        (15, 1, (5, 5)),
        (3, 2, (0, 1)),
        (5, 2, (1, 1)),
        (25, 2, (5, 5)),
    ],
)
def test_default_sizes_fit_short_spectra_and_say_so(
    n_points: int, deriv: int, sizes: tuple[int, int]
) -> None:
    step = NorrisWilliams(deriv=deriv).fit(np.ones((1, n_points)))
    assert (step.gap_, step.segment_) == sizes


def test_two_points_leave_their_difference() -> None:
    assert NorrisWilliams().fit_transform([[1.0, 4.0]]).tolist() == [[3.0]]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ((2, 3, 1), "gap must be odd for deriv = 1, got 2"),
        ((2, 2, 2), "segment must be odd for deriv = 2, got 2"),
        ((-1, 1, 1), "gap must be at least 0, got -1"),
        ((1, 0, 1), "segment must be at least 1, got 0"),
        ((1, 1, 3), "deriv must be from 1 to 2, got 3"),
        ((9, 5, 1), "at least 19 points, got n_features = 12"),
    ],
)
def test_impossible_settings_are_refused(setting: tuple[int, int, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        NorrisWilliams(*setting).fit(np.ones((2, 12)))


def test_a_gap_that_is_no_whole_number_is_refused() -> None:
    with pytest.raises(InputTypeError, match="gap must be a whole number"):
        NorrisWilliams(1.5).fit(np.ones((2, 12)))  # type: ignore[arg-type]


def test_an_uneven_or_shifted_axis_is_refused() -> None:
    spectra = as_spectra(np.ones((2, 4)), axis=[1100.0, 1104, 1108, 1120])
    with pytest.raises(AxisError, match="12 at 1108; resample"):
        NorrisWilliams(1, 1).fit(spectra)
    even = as_spectra(np.ones((2, 4)), axis=[1100.0, 1104, 1108, 1112])
    with pytest.raises(AxisError, match="mean shift"):
        NorrisWilliams(1, 1).fit(even).transform(
            even.assign_coords(wavelength=even.wavelength + 4)
        )


def test_gap_derivatives_may_stand_before_cross_validation() -> None:
    assert not learns_from_samples(NorrisWilliams())


@pytest.mark.slow
def test_scikit_learn_accepts_the_estimator() -> None:
    check_estimator(NorrisWilliams(), on_skip=None)
