from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline
from sklearn.utils.estimator_checks import check_estimator

from pharmaq.chemometrics import DegenerateSpectrumWarning
from pharmaq.chemometrics.preprocessing import learns_from_samples
from pharmaq.chemometrics.preprocessing._shift import ShiftCorrection, ShiftLimitWarning
from pharmaq.errors import AxisError, InputError, InputTypeError
from pharmaq.spectra import as_spectra

AXIS = np.arange(1100.0, 1500.0, 2.0)


def spectrum(shift: float = 0.0, axis: np.ndarray = AXIS) -> np.ndarray:
    """Four bands, known at every wavelength, moved by `shift` nm."""
    bands = ((1160, 12, 0.4), (1210, 20, 1.0), (1350, 15, 0.7), (1420, 25, 1.2))
    return sum(h * np.exp(-0.5 * ((axis - shift - c) / w) ** 2) for c, w, h in bands)


def slow_shift(row: np.ndarray, reference: np.ndarray, axis: np.ndarray, reach: float) -> float:
    """The best of very many shifts."""
    spline = CubicSpline(axis, reference)
    inside = (axis >= axis[0] + reach) & (axis <= axis[-1] - reach)
    trials = np.linspace(-reach, reach, 2001)
    found = [np.corrcoef(row[inside], spline(axis[inside] - d))[0, 1] for d in trials]
    return float(trials[int(np.argmax(found))])


# by symmetry a band correlates best with itself moved by as much as it was moved: 0.7
def test_a_moved_band_has_the_shift_it_was_moved_by() -> None:
    points = np.arange(21.0)
    band, moved = np.exp(-((points - 10) ** 2) / 8), np.exp(-((points - 10.7) ** 2) / 8)
    found = ShiftCorrection(reference=band).fit([moved]).shifts([3 * moved + 1])
    assert found[0] == pytest.approx(0.7, abs=1e-3)


@given(st.floats(-3.9, 3.9), st.floats(0.1, 10), st.floats(-5, 5))
def test_shifts_are_found_whatever_offset_and_scale(
    shift: float, scale: float, offset: float
) -> None:
    step = ShiftCorrection(reference=spectrum(), max_shift=4.0).fit(
        as_spectra([spectrum()], axis=AXIS)
    )
    found = step.shifts([scale * spectrum(shift) + offset])
    assert found[0] == pytest.approx(shift, abs=1e-4)


def test_shifts_equal_the_slow_twin_on_noisy_spectra() -> None:
    rng = np.random.default_rng(0)
    X = np.array([spectrum(d) for d in (-3.3, 0.1, 2.7)]) + rng.normal(0, 0.02, (3, 200))
    step = ShiftCorrection(reference=spectrum(), max_shift=5.0)
    found = step.fit(as_spectra(X, axis=AXIS)).shifts(X)
    expected = [slow_shift(row, spectrum(), AXIS, 5.0) for row in X]
    # half a step of the twin
    np.testing.assert_allclose(found, expected, atol=0.0026)


def test_corrected_spectra_lie_on_the_reference() -> None:
    X = np.array([spectrum(d) for d in (-2.5, -0.4, 0.0, 1.3, 3.9)])
    step = ShiftCorrection(reference=spectrum(), max_shift=4.0)
    out = step.fit(as_spectra(X, axis=AXIS)).transform(X)
    assert np.abs(X - spectrum()).max() > 0.1
    np.testing.assert_allclose(out[:, 2:-2], np.tile(spectrum()[2:-2], (5, 1)), atol=1e-4)


def test_ends_take_the_value_of_the_outermost_point() -> None:
    X = spectrum(3.0)[None]
    step = ShiftCorrection(reference=spectrum(), max_shift=4.0)
    out = step.fit(as_spectra(X, axis=AXIS)).transform(X)
    assert out[0, -1] == out[0, -2] == pytest.approx(X[0, -1], abs=1e-12)


@pytest.mark.parametrize("axis", [AXIS[::-1], AXIS + 0.002 * (AXIS - 1100) ** 1.2])
def test_descending_and_uneven_axes_give_the_same_shifts(axis: np.ndarray) -> None:
    X = as_spectra([spectrum(1.7, axis)], axis=axis)
    step = ShiftCorrection(reference=spectrum(0.0, axis), max_shift=4.0).fit(X)
    assert step.shifts(X).item() == pytest.approx(1.7, abs=1e-4)
    np.testing.assert_allclose(
        step.transform(X).values[0, 2:-2], spectrum(0.0, axis)[2:-2], atol=1e-4
    )


def test_the_reference_is_that_of_the_fit() -> None:
    X = np.array([spectrum(d) for d in (-1.0, 0.0, 0.5)])
    assert ShiftCorrection().fit(X).reference_ == pytest.approx(X.mean(axis=0))
    median = ShiftCorrection(reference="median").fit(X)
    assert median.reference_ == pytest.approx(np.median(X, axis=0))
    assert learns_from_samples(median)


@pytest.mark.parametrize(("n_points", "expected"), [(30, 6.0), (8, 3.0), (5, 0.0), (3, 0.0)])
def test_the_default_reach_fits_short_spectra(n_points: int, expected: float) -> None:
    X = as_spectra([np.arange(n_points) ** 2.0], axis=AXIS[:n_points])
    assert ShiftCorrection().fit(X).max_shift_ == expected


def test_spectra_too_short_to_be_compared_stay_as_they_are() -> None:
    X = np.random.default_rng(1).normal(size=(4, 5))
    assert np.array_equal(ShiftCorrection().fit_transform(X), X)


def test_a_shift_beyond_the_limit_is_named() -> None:
    step = ShiftCorrection(reference=spectrum(), max_shift=2.0)
    X = as_spectra([spectrum(1.0), spectrum(5.0)], axis=AXIS)
    step.fit(X)
    with pytest.warns(ShiftLimitWarning, match=r"spectrum 1 fits best at .* 2; .*1 of 2"):
        found = step.shifts(X)
    assert np.abs(found.values).max() <= 2.0


def test_a_flat_spectrum_is_named_and_stays_as_it_is() -> None:
    step = ShiftCorrection(reference=spectrum()).fit([spectrum()])
    flat = np.full((1, AXIS.size), 0.3)
    with pytest.warns(DegenerateSpectrumWarning, match="spectrum 0 does not vary"):
        out = step.transform(flat)
    assert np.array_equal(out, flat)


def test_a_spectrum_gets_the_same_bits_alone_and_among_others() -> None:
    rng = np.random.default_rng(2)
    X = np.array([spectrum(d) for d in rng.uniform(-2, 2, 25)]) + rng.normal(0, 0.01, (25, 200))
    step = ShiftCorrection().fit(X)
    alone = np.concatenate([step.transform(row[None]) for row in X])
    assert np.array_equal(step.transform(X), alone)


def test_labels_survive_the_correction() -> None:
    X = np.array([spectrum(d) for d in (-1.0, 0.0, 1.0)])
    spectra = as_spectra(X, axis=AXIS, quantity="absorbance", coords={"batch": list("abc")})
    step = ShiftCorrection().fit(spectra)
    out = step.transform(spectra)
    assert isinstance(out, xr.DataArray)
    assert out.attrs["quantity"] == "absorbance"
    assert out.wavelength.values.tolist() == AXIS.tolist()
    assert step.shifts(spectra).batch.values.tolist() == list("abc")
    frame = pd.DataFrame(X, columns=AXIS, index=list("xyz"))
    framed = ShiftCorrection().fit(frame)
    assert list(framed.shifts(frame).index) == list("xyz")
    np.testing.assert_array_equal(framed.transform(frame).to_numpy(), out.values)


def test_an_axis_shifted_by_name_is_refused() -> None:
    spectra = as_spectra([spectrum()], axis=AXIS)
    shifted = spectra.assign_coords(wavelength=spectra.wavelength + 5.0)
    with pytest.raises(AxisError, match="mean shift"):
        ShiftCorrection().fit(spectra).transform(shifted)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"reference": "middle"}, "reference must be one of 'mean', 'median'"),
        ({"reference": [1.0, 2.0]}, r"reference has shape \(2,\)"),
        ({"reference": [np.nan] + [1.0] * 199}, r"reference\[0\] is NaN"),
        ({"reference": [1.0] * 200}, "the reference does not vary"),
        ({"max_shift": 0.0}, r"max_shift must lie in \(0, inf\), got 0.0"),
        ({"max_shift": 98.0}, "max_shift = 98 leaves 4 points between the ends"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        ShiftCorrection(**settings).fit([spectrum()])


def test_a_max_shift_that_is_no_number_is_refused() -> None:
    with pytest.raises(InputTypeError, match="max_shift must be a real number"):
        ShiftCorrection(max_shift="2 nm").fit([spectrum()])


def test_nan_is_named_by_place() -> None:
    X = spectrum()[None].copy()
    X[0, 7] = np.nan
    with pytest.raises(InputError, match=r"X\[0, 7\] is NaN"):
        ShiftCorrection().fit(X)


@pytest.mark.slow
def test_scikit_learn_accepts_the_correction() -> None:
    with warnings.catch_warnings():
        # random data have no shift to be found, and constant rows none at all
        warnings.simplefilter("ignore", DegenerateSpectrumWarning)
        warnings.simplefilter("ignore", ShiftLimitWarning)
        check_estimator(ShiftCorrection(), on_skip=None)
