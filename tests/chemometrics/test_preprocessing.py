from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.signal import savgol_filter

import naive
from pharmaq.chemometrics import (
    MSC,
    PLS,
    SNV,
    DegenerateSpectrumWarning,
    SavitzkyGolay,
    SelectRange,
)
from pharmaq.chemometrics.preprocessing import learns_from_samples
from pharmaq.errors import AxisError, InputError, InputTypeError
from pharmaq.spectra import as_spectra

Data = tuple[np.ndarray, np.ndarray]

rows = arrays(
    np.float64,
    st.tuples(st.integers(1, 4), st.integers(9, 40)),
    elements=st.floats(-1e3, 1e3, width=32),
).filter(lambda X: bool((X.std(axis=1) > 1e-3).all()))


# R. J. Barnes et al., Appl. Spectrosc. 43 (1989) 772: mean 0, standard deviation 1 (n - 1)
def test_snv_of_1_2_3_is_minus_1_0_1() -> None:
    assert SNV().fit_transform([[1.0, 2.0, 3.0]]).tolist() == [[-1.0, 0.0, 1.0]]


@given(rows)
def test_snv_equals_its_slow_twin(X: np.ndarray) -> None:
    expected = np.array([naive.snv(row) for row in X])
    np.testing.assert_allclose(SNV().fit_transform(X), expected, rtol=0, atol=1e-9)


@given(rows, st.floats(0.1, 10), st.floats(-5, 5))
def test_snv_takes_off_scale_and_offset(X: np.ndarray, scale: float, offset: float) -> None:
    moved = SNV().fit_transform(X * scale + offset)
    np.testing.assert_allclose(moved, SNV().fit_transform(X), atol=1e-6)


@pytest.mark.parametrize("step", [SNV(), MSC(reference=[1.0, 2.0, 4.0])], ids=["snv", "msc"])
def test_a_flat_spectrum_is_named_and_only_centred(step: SNV | MSC) -> None:
    step.fit([[1.0, 2.0, 4.0]])
    with pytest.warns(DegenerateSpectrumWarning, match=r"spectrum 1 .*1 of 2 spectra"):
        out = step.transform([[1.0, 2.0, 4.0], [5.0, 5.0, 5.0]])
    assert out[1].tolist() == [0.0, 0.0, 0.0]


# the mean of equal numbers is not exact: 276 times 0.1 has a deviation of 1e-17, not 0
@pytest.mark.parametrize("level", [0.1, 0.3, 1.2345, 1e6 / 3])
@pytest.mark.parametrize("step", [SNV(), MSC(reference=np.sin(np.arange(276.0)))], ids=repr)
def test_a_flat_spectrum_is_found_in_spite_of_rounding(step: SNV | MSC, level: float) -> None:
    with pytest.warns(DegenerateSpectrumWarning):
        out = step.fit_transform(np.full((1, 276), level))
    assert (out == 0).all()


# P. Geladi et al., Appl. Spectrosc. 39 (1985) 491: offset 1 and slope 2 are taken off exactly
def test_msc_recovers_the_reference_from_an_affine_image() -> None:
    reference = np.array([0.1, 0.4, 0.9, 0.3])
    out = MSC(reference=reference).fit_transform((2 * reference + 1)[None])
    np.testing.assert_allclose(out[0], reference, atol=1e-15)


@given(rows)
def test_msc_equals_its_slow_twin(X: np.ndarray) -> None:
    reference = np.sin(np.arange(X.shape[1]) / 3.0) + np.arange(X.shape[1]) / 10
    slopes = [np.polyfit(reference, row, 1)[0] for row in X]
    if min(map(abs, slopes)) < 1e-3:
        return
    expected = np.array([naive.msc(row, reference) for row in X])
    out = MSC(reference=reference).fit_transform(X)
    np.testing.assert_allclose(out, expected, rtol=1e-7, atol=1e-6)


def test_msc_keeps_the_reference_of_the_fit() -> None:
    X = np.random.default_rng(0).normal(size=(5, 8)).cumsum(axis=1)
    assert MSC().fit(X).reference_ == pytest.approx(X.mean(axis=0))
    assert MSC(reference="median").fit(X).reference_ == pytest.approx(np.median(X, axis=0))


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("middle", "reference must be one of 'mean', 'median'"),
        ([1.0, 2.0], r"reference has shape \(2,\)"),
        ([1.0, np.nan, 2.0], r"reference\[1\] is NaN"),
        ([1.0, 1.0, 1.0], "the same at all points"),
        (["a", "b", "c"], "reference must hold numbers"),
    ],
)
def test_a_bad_reference_is_refused(reference: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        MSC(reference=reference).fit([[1.0, 2.0, 3.0]])


# A. Savitzky, M. J. E. Golay, Anal. Chem. 36 (1964) 1627, table I: quadratic, five points
def test_smoothing_weights_match_the_published_table() -> None:
    impulse = np.zeros((1, 11))
    impulse[0, 5] = 1.0
    out = SavitzkyGolay(5, 2).fit_transform(impulse)
    np.testing.assert_allclose(out[0, 3:8] * 35, [-3, 12, 17, 12, -3], atol=1e-12)


# NIR of 310 tablets, data of M. Dyrby et al., Appl. Spectrosc. 56 (2002) 579: SNV with divisor
# n - 1, then PLS by R's package pls
def test_snv_and_pls_on_measured_tablets_match_r(dyrby: Data, shared: Path) -> None:
    text = (shared / "data" / "REFERENCE.json").read_text()
    published = json.loads(text)["pls_tablets_active_snv"]
    X, y = dyrby
    Z = SNV().fit_transform(X)
    model = PLS(8).fit(Z, y)
    norms = np.linalg.norm(model.x_scores_, axis=0)
    variances = (norms * np.linalg.norm(model.x_loadings_, axis=0)) ** 2
    total = ((Z - Z.mean(axis=0)) ** 2).sum()
    errors = [np.sqrt(np.mean((path - y) ** 2)) for path in model.predict_path(Z)]
    coefficients = [np.linalg.norm(PLS(a).fit(Z, y).coef_) for a in range(1, 9)]
    assert errors == pytest.approx(published["rmsec"], rel=1e-9)
    assert norms == pytest.approx(published["score_norms"], rel=1e-9)
    assert 100 * variances / total == pytest.approx(published["Xvar_percent"], rel=1e-9)
    assert coefficients == pytest.approx(published["coef_norm"], rel=1e-9)


# the same, table III: first derivative, quadratic, five points
def test_derivative_weights_match_the_published_table() -> None:
    impulse = np.zeros((1, 11))
    impulse[0, 5] = 1.0
    out = SavitzkyGolay(5, 2, 1).fit_transform(impulse)
    np.testing.assert_allclose(out[0, 3:8] * 10, [2, 1, 0, -1, -2], atol=1e-12)


@given(rows, st.sampled_from([(3, 1, 0), (5, 2, 1), (7, 3, 2), (9, 4, 0), (1, 0, 0)]))
def test_filter_equals_its_slow_twin(X: np.ndarray, settings: tuple[int, int, int]) -> None:
    out = SavitzkyGolay(*settings, delta=2.0).fit_transform(X)
    expected = [naive.savitzky_golay(row, *settings, 2.0) for row in X]
    np.testing.assert_allclose(out, np.array(expected), atol=1e-7)


def test_filter_equals_scipy_everywhere() -> None:
    X = np.random.default_rng(0).normal(size=(20, 200)).cumsum(axis=1)
    out = SavitzkyGolay(15, 2, 1).fit_transform(X)
    np.testing.assert_allclose(out, savgol_filter(X, 15, 2, deriv=1), atol=1e-11)


def test_derivative_uses_the_spacing_of_the_axis() -> None:
    axis = np.arange(1100.0, 1200.0, 4.0)
    spectra = as_spectra((3.0 * axis)[None], axis=axis, kind="wavelength")
    out = SavitzkyGolay(5, 2, 1).fit_transform(spectra)
    np.testing.assert_allclose(out.values, 3.0, atol=1e-9)


def test_derivative_has_the_sign_of_a_descending_axis() -> None:
    axis = np.arange(1200.0, 1100.0, -4.0)
    spectra = as_spectra((3.0 * axis)[None], axis=axis, kind="wavelength")
    out = SavitzkyGolay(5, 2, 1).fit_transform(spectra)
    np.testing.assert_allclose(out.values, 3.0, atol=1e-9)


def test_an_uneven_axis_is_refused_with_its_worst_place() -> None:
    axis = np.array([1100, 1104, 1108, 1112, 1120, 1124, 1128.0])
    spectra = as_spectra(np.ones((2, 7)), axis=axis)
    with pytest.raises(AxisError, match="8 at 1112; resample"):
        SavitzkyGolay(5, 2, 1).fit(spectra)


def test_a_given_delta_overrules_the_axis() -> None:
    axis = np.array([1100, 1104, 1108, 1112, 1120, 1124, 1128.0])
    spectra = as_spectra(np.arange(7.0)[None], axis=axis)
    out = SavitzkyGolay(5, 2, 1, delta=2.0).fit_transform(spectra)
    np.testing.assert_allclose(out.values, 0.5, atol=1e-12)


def test_the_default_window_fits_short_spectra_and_says_so() -> None:
    step = SavitzkyGolay().fit(np.ones((2, 6)))
    assert (step.window_length_, step.polyorder_) == (5, 2)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((4, 2, 0), "window_length must be odd, got 4"),
        ((5, 5, 0), "polyorder must be below window_length = 5, got 5"),
        ((5, 2, 3), "deriv must be at most polyorder = 2, got 3"),
        ((0, 0, 0), "window_length must be at least 1"),
        ((15, 2, 0), "at least 15 points, got n_features = 10"),
    ],
)
def test_impossible_filters_are_refused(settings: tuple[int, int, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SavitzkyGolay(*settings).fit(np.ones((2, 10)))


def test_a_window_that_is_no_whole_number_is_refused() -> None:
    with pytest.raises(InputTypeError, match="window_length must be a whole number"):
        SavitzkyGolay(5.5).fit(np.ones((2, 10)))


def test_several_ranges_are_kept_in_axis_order() -> None:
    spectra = as_spectra([[1.0, 2, 3, 4, 5]], axis=[1100, 1110, 1120, 1130, 1140])
    out = SelectRange(ranges=[(1140, 1125), (1100, 1105)]).fit_transform(spectra)
    assert out.wavelength.values.tolist() == [1100, 1130, 1140]
    assert out.values.tolist() == [[1, 4, 5]]


def test_ranges_need_an_axis() -> None:
    with pytest.raises(AxisError, match="no axis to select ranges on"):
        SelectRange(ranges=[(1, 2)]).fit(np.ones((2, 3)))


def test_an_empty_range_is_refused() -> None:
    spectra = as_spectra([[1.0, 2.0]], axis=[1100, 1110])
    with pytest.raises(AxisError, match="range 1500 to 1600 holds no point"):
        SelectRange(ranges=[(1500, 1600)]).fit(spectra)


def test_names_of_the_points_kept() -> None:
    step = SelectRange().fit(np.ones((2, 3)))
    assert step.get_feature_names_out().tolist() == ["x0", "x1", "x2"]


def test_only_row_wise_steps_may_stand_before_cross_validation() -> None:
    assert [learns_from_samples(s) for s in (SNV(), SavitzkyGolay(), SelectRange())] == [
        False
    ] * 3
    assert learns_from_samples(MSC())
    assert not learns_from_samples("passthrough")
