from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import make_interp_spline
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from pharmaq.chemometrics import PLS, SNV, Resample
from pharmaq.errors import AxisError, InputError
from pharmaq.spectra import as_spectra

AXIS = np.arange(1100.0, 1200.0, 4.0)


def spectra_on(axis: np.ndarray, n: int = 3) -> Any:
    values = np.array([np.sin(axis / 17.0 + k) + k for k in range(n)])
    batch = [f"b{k}" for k in range(n)]
    return as_spectra(values, axis=axis, quantity="absorbance", coords={"batch": batch})


# by hand: half way between 1 and 3 lies 2, a quarter of the way between 3 and 7 lies 4
def test_straight_lines_are_those_worked_by_hand() -> None:
    spectra = as_spectra([[1.0, 3.0, 7.0]], axis=[1100.0, 1102.0, 1106.0])
    out = Resample([1101.0, 1103.0]).fit_transform(spectra)
    assert out.values.tolist() == [[2.0, 4.0]]
    assert out.wavelength.values.tolist() == [1101.0, 1103.0]


@given(st.integers(0, 100))
def test_cubic_equals_the_spline_of_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    axis = 1100 + np.cumsum(rng.uniform(1, 5, size=20))
    values = rng.normal(size=(2, 20))
    at = np.sort(rng.uniform(axis[0], axis[-1], size=15))
    out = Resample(at, method="cubic").fit_transform(as_spectra(values, axis=axis))
    expected = make_interp_spline(axis, values.T, k=3)(at).T
    np.testing.assert_allclose(out.values, expected, rtol=1e-8, atol=1e-8)


@given(st.tuples(*[st.floats(-3, 3)] * 4))
def test_cubics_are_reproduced_by_the_cubic_method(factors: tuple[float, ...]) -> None:
    def curve(axis: np.ndarray) -> np.ndarray:
        return np.polynomial.Polynomial(factors)((axis - 1150) / 50)

    at = np.linspace(AXIS[0], AXIS[-1], 37)
    spectra = as_spectra(curve(AXIS)[None], axis=AXIS)
    out = Resample(at, method="cubic").fit_transform(spectra)
    np.testing.assert_allclose(out.values[0], curve(at), atol=1e-11)


@pytest.mark.parametrize("method", ["linear", "cubic"])
def test_a_constant_spectrum_stays_constant(method: Any) -> None:
    spectra = as_spectra(np.full((1, AXIS.size), 0.1), axis=AXIS)
    out = Resample(AXIS[1:-1] + 1.3, method=method).fit_transform(spectra)
    np.testing.assert_array_equal(out.values, 0.1)


def test_linear_equals_numpy_on_a_descending_axis() -> None:
    spectra = spectra_on(AXIS)[:, ::-1]
    at = np.array([1190.0, 1150.5, 1101.0])
    out = Resample(at).fit_transform(spectra)
    expected = [np.interp(at, AXIS, row[::-1]) for row in spectra.values]
    np.testing.assert_allclose(out.values, expected, rtol=1e-12)


def test_a_shifted_instrument_is_brought_onto_the_axis_of_the_calibration() -> None:
    fine = np.arange(1090.0, 1210.0, 1.0)
    pipeline = make_pipeline(Resample(method="cubic"), SNV(), PLS(1))
    pipeline.fit(spectra_on(AXIS, 6), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    direct = pipeline.predict(spectra_on(AXIS, 6))
    other = pipeline.predict(spectra_on(fine, 6))
    np.testing.assert_allclose(other.values, direct.values, atol=1e-3)


def test_labels_and_quantity_survive() -> None:
    out = Resample(AXIS[3:9]).fit_transform(spectra_on(AXIS))
    assert out.batch.values.tolist() == ["b0", "b1", "b2"]
    assert out.attrs["quantity"] == "absorbance"
    assert out.wavelength.attrs["units"] == "nm"
    np.testing.assert_array_equal(out.values, spectra_on(AXIS).values[:, 3:9])


def test_a_frame_gets_new_headers() -> None:
    frame = pd.DataFrame(spectra_on(AXIS).values, columns=[f"{x:g} nm" for x in AXIS])
    out = Resample([1102.0, 1110.0]).fit_transform(frame)
    assert list(out.columns) == ["1102 nm", "1110 nm"]


def test_a_frame_without_units_gets_plain_positions() -> None:
    frame = pd.DataFrame(spectra_on(AXIS).values, columns=AXIS, index=list("abc"))
    out = Resample([1100.0, 1108.0]).fit_transform(frame)
    assert list(out.columns) == [1100.0, 1108.0]
    assert list(out.index) == ["a", "b", "c"]
    np.testing.assert_array_equal(out, frame.iloc[:, [0, 2]])


def test_an_array_is_taken_to_lie_on_the_fitted_axis() -> None:
    spectra = spectra_on(AXIS)
    step = Resample(AXIS[2:5] + 1).fit(spectra)
    np.testing.assert_array_equal(step.transform(spectra.values), step.transform(spectra))
    with pytest.raises(InputError, match="24 features"):
        step.transform(spectra.values[:, 1:])


def test_ends_that_a_file_rounded_count_as_covered() -> None:
    step = Resample().fit(spectra_on(AXIS))
    rounded = AXIS.copy()
    rounded[[0, -1]] += [0.01, -0.01]
    out = step.transform(spectra_on(AXIS).assign_coords(wavelength=rounded))
    np.testing.assert_array_equal(out.values, spectra_on(AXIS).values)


def test_data_without_an_axis_stay_as_they_are() -> None:
    X = np.random.default_rng(0).normal(size=(3, 5))
    np.testing.assert_array_equal(Resample().fit_transform(X), X)


def test_names_are_the_new_positions() -> None:
    step = Resample([1102.0, 1110.0]).fit(spectra_on(AXIS))
    assert step.get_feature_names_out().tolist() == ["1102", "1110"]
    assert Resample().fit(spectra_on(AXIS)).get_feature_names_out().tolist()[:2] == ["x0", "x1"]


def test_one_spectrum_gives_the_same_bits_alone_and_among_many() -> None:
    spectra = spectra_on(AXIS, 30)
    for method in ("linear", "cubic"):
        step = Resample(AXIS[1:-1] + 1.3, method=method).fit(spectra)
        alone = step.transform(spectra[17:18])
        np.testing.assert_array_equal(step.transform(spectra).values[[17]], alone.values)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"axis": [1000.0, 1150.0]}, AxisError, r"1100 to 1196 and do not cover.*extrapolated"),
        ({"axis": [1150.0, 1140.0, 1145.0]}, AxisError, "not in order"),
        ({"axis": [1150.0, 1150.0]}, AxisError, "1150 is duplicated"),
        ({"axis": [1150.0, np.nan]}, AxisError, r"axis\[1\] is nan"),
        ({"axis": []}, AxisError, "not empty"),
        ({"kind": "wavenumber"}, AxisError, "kind is 'wavenumber', but X has a 'wavelength'"),
        ({"method": "nearest"}, InputError, "method must be one of 'linear', 'cubic'"),
    ],
)
def test_bad_settings_are_named(settings: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        Resample(**settings).fit(spectra_on(AXIS))


def test_an_axis_cannot_be_had_from_data_without_one() -> None:
    with pytest.raises(AxisError, match="X has no axis to resample from"):
        Resample([1.0, 2.0]).fit(np.ones((2, 5)))


def test_spectra_that_do_not_cover_the_axis_or_have_another_kind_are_refused() -> None:
    step = Resample().fit(spectra_on(AXIS))
    with pytest.raises(AxisError, match="do not cover the axis"):
        step.transform(spectra_on(AXIS[2:]))
    renamed = spectra_on(AXIS).rename(wavelength="wavenumber")
    renamed["wavenumber"].attrs["units"] = "1/cm"
    with pytest.raises(AxisError, match="another kind of axis"):
        step.transform(renamed)


@pytest.mark.slow
def test_scikit_learn_accepts_the_estimator() -> None:
    check_estimator(Resample(), on_skip=None)
