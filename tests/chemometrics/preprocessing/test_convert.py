from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.utils.estimator_checks import check_estimator

from pharmaq.chemometrics.preprocessing import learns_from_samples
from pharmaq.chemometrics.preprocessing._convert import Convert
from pharmaq.errors import AxisError, InputError
from pharmaq.spectra import as_spectra

PAIRS = [
    ("absorbance", "transmittance"),
    ("absorbance", "reflectance"),
    ("transmittance", "absorbance"),
    ("reflectance", "absorbance"),
    ("reflectance", "kubelka_munk"),
    ("kubelka_munk", "reflectance"),
]

fractions = arrays(np.float64, (3, 4), elements=st.floats(1e-4, 1.0))


def slow_value(value: float, source: str, to: str) -> float:
    if source == "absorbance":
        return 1 / 10**value
    if to == "absorbance":
        return float(np.log(1 / value) / np.log(10))
    if to == "kubelka_munk":
        return (1 - value) * (1 - value) / value / 2
    return 1 + value - float(np.sqrt(value * value + 2 * value))


# by hand: log10(1/T) of 1, 1/2, 1/10, 1/1000
def test_absorbance_of_common_transmittances() -> None:
    out = Convert(source="transmittance", to="absorbance").fit_transform(
        [[1.0, 0.5, 0.1, 0.001]]
    )
    np.testing.assert_allclose(out, [[0, 0.30102999566398120, 1, 3]], atol=1e-15)


# P. Kubelka, F. Munk, Z. Tech. Phys. 12 (1931) 593: (1 - R)^2 / 2R, worked by hand
def test_kubelka_munk_of_common_reflectances() -> None:
    step = Convert(source="reflectance", to="kubelka_munk")
    out = step.fit_transform([[1.0, 0.5, 0.2, 0.1, 0.8]])
    np.testing.assert_allclose(out, [[0, 0.25, 1.6, 4.05, 0.025]], atol=1e-15)


@pytest.mark.parametrize(("source", "to"), PAIRS)
@given(X=fractions)
def test_each_formula_equals_its_slow_twin(source: str, to: str, X: np.ndarray) -> None:
    expected = [[slow_value(float(x), source, to) for x in row] for row in X]
    out = Convert(source=source, to=to).fit_transform(X)
    np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("source", "to"), PAIRS)
@given(X=fractions)
def test_the_way_back_gives_the_same_spectra(source: str, to: str, X: np.ndarray) -> None:
    there = Convert(source=source, to=to).fit_transform(X)
    back = Convert(source=to, to=source).fit_transform(there)
    # near R = 1 the square in F leaves half the digits
    np.testing.assert_allclose(back, X, atol=1e-7)


def test_a_large_kubelka_munk_value_keeps_its_digits() -> None:
    out = Convert(source="kubelka_munk", to="reflectance").fit_transform([[5e9]])
    assert out[0, 0] == pytest.approx(1e-10, rel=1e-9)


def test_the_label_of_the_quantity_changes() -> None:
    spectra = as_spectra([[0.5, 0.1]], axis=[1100, 1110], quantity="reflectance")
    out = Convert(source="reflectance", to="absorbance").fit_transform(spectra)
    assert (out.attrs["quantity"], out.attrs["units"]) == ("absorbance", "1")
    assert out.wavelength.values.tolist() == [1100, 1110]
    assert spectra.attrs["quantity"] == "reflectance"
    remission = Convert(source="reflectance", to="kubelka_munk").fit_transform(spectra)
    assert remission.attrs["quantity"] == "unknown"


def test_a_frame_gives_a_frame() -> None:
    frame = pd.DataFrame([[0.1, 1.0]], columns=[1100, 1110], index=["lot 7"])
    out = Convert(source="transmittance", to="absorbance").fit_transform(frame)
    assert out.loc["lot 7"].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("quantity", ["absorbance", "transmittance", "counts"])
def test_spectra_labelled_otherwise_are_refused(quantity: Any) -> None:
    spectra = as_spectra([[0.5, 0.1]], axis=[1100, 1110], quantity=quantity)
    step = Convert(source="reflectance", to="absorbance")
    with pytest.raises(InputError, match=f"X holds {quantity}, but source is 'reflectance'"):
        step.fit(spectra)
    step.fit(spectra.values)
    with pytest.raises(InputError, match=f"X holds {quantity}"):
        step.transform(spectra)


def test_spectra_labelled_percent_are_refused() -> None:
    spectra = as_spectra([[0.5, 0.1]], axis=[1100, 1110], quantity="reflectance")
    with pytest.raises(InputError, match="in percent; divide it by 100"):
        Convert(source="reflectance", to="absorbance").fit(spectra.assign_attrs(units="%"))


@pytest.mark.parametrize(
    ("source", "to", "value", "message"),
    [
        ("transmittance", "absorbance", 54.0, "is above 1.5: divide the spectra by 100"),
        ("transmittance", "absorbance", 0.0, "must be above 0"),
        ("reflectance", "absorbance", -0.1, "must be above 0"),
        ("reflectance", "kubelka_munk", 1.01, "must not exceed 1 for Kubelka-Munk"),
        ("kubelka_munk", "reflectance", -0.1, "must not be negative"),
        ("absorbance", "transmittance", -400.0, "is too large a number"),
    ],
)
def test_a_value_that_cannot_be_converted_is_named(
    source: str, to: str, value: float, message: str
) -> None:
    X = np.full((3, 4), 0.5)
    X[1, 2] = X[2, 3] = value
    spectra = as_spectra(X, axis=[1100, 1110, 1120, 1130])
    step = Convert(source=source, to=to)
    place = rf"{source} {value:g} of spectrum 1 at point 2"
    with pytest.raises(InputError, match=rf"{place} \(1120 nm\) {message}.*2 of 12 values"):
        step.fit_transform(spectra)
    with pytest.raises(InputError, match=f"{place} {message}"):
        step.fit_transform(X)


@pytest.mark.parametrize(
    ("source", "to", "message"),
    [
        ("extinction", "absorbance", "source must be one of 'absorbance', 'transmittance'"),
        ("transmittance", "reflectance", "to, for source 'transmittance', must be one of"),
        ("absorbance", "absorbance", "must be one of 'transmittance', 'reflectance'"),
    ],
)
def test_conversions_that_do_not_exist_are_refused(source: str, to: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Convert(source=source, to=to).fit([[0.5]])


def test_nan_and_a_shifted_axis_are_refused() -> None:
    with pytest.raises(InputError, match=r"X\[0, 1\] is NaN"):
        Convert().fit([[0.1, np.nan]])
    spectra = as_spectra([[0.5, 0.1]], axis=[1100, 1110])
    shifted = spectra.assign_coords(wavelength=spectra.wavelength + 5.0)
    with pytest.raises(AxisError, match="mean shift"):
        Convert().fit(spectra).transform(shifted)


@pytest.mark.parametrize(("source", "to"), PAIRS)
def test_a_spectrum_gets_the_same_bits_alone_and_among_others(source: str, to: str) -> None:
    X = np.random.default_rng(0).uniform(0.01, 1.0, size=(60, 77))
    step = Convert(source=source, to=to).fit(X)
    alone = np.concatenate([step.transform(row[None]) for row in X])
    assert np.array_equal(step.transform(X), alone)


def test_a_conversion_does_not_learn_from_samples() -> None:
    assert not learns_from_samples(Convert())


@pytest.mark.slow
def test_scikit_learn_accepts_the_conversion() -> None:
    check_estimator(Convert(), on_skip=None)
