from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import normalize
from sklearn.utils.estimator_checks import check_estimator

from pharmaq.chemometrics import DegenerateSpectrumWarning
from pharmaq.chemometrics.preprocessing import learns_from_samples
from pharmaq.chemometrics.preprocessing._normalize import Normalize
from pharmaq.errors import AxisError, InputError
from pharmaq.spectra import as_spectra

METHODS = ("area", "max", "l2", "range", "pqn")

rows = arrays(
    np.float64,
    st.tuples(st.integers(1, 4), st.integers(4, 30)),
    elements=st.floats(0.125, 1e3, width=32),
)


# by hand: |x| = 1 3 2 at 1100, 1110, 1130 nm has the area 20 + 50
def test_area_is_that_of_trapezoids_over_the_axis() -> None:
    spectra = as_spectra([[1.0, -3.0, 2.0]], axis=[1100, 1110, 1130])
    np.testing.assert_allclose(
        Normalize("area").fit_transform(spectra).values, np.array([[1, -3, 2]]) / 70
    )
    np.testing.assert_allclose(
        Normalize().fit_transform([[1.0, -3.0, 2.0]]), np.array([[1, -3, 2]]) / 4.5
    )


def test_a_descending_axis_has_the_same_area() -> None:
    spectra = as_spectra([[1.0, -3.0, 2.0]], axis=[1130, 1120, 1100])
    np.testing.assert_allclose(
        Normalize("area").fit_transform(spectra).values, np.array([[1, -3, 2]]) / 70
    )


# by hand
@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("max", [0.75, -1.0, 0.0]),
        ("l2", [0.6, -0.8, 0.0]),
        ("range", [1.0, 0.0, 4 / 7]),
    ],
)
def test_sizes_worked_by_hand(method: Any, expected: list[float]) -> None:
    out = Normalize(method).fit_transform([[3.0, -4.0, 0.0]])
    np.testing.assert_allclose(out, [expected], rtol=1e-15)


def test_band_is_the_mean_over_its_points() -> None:
    spectra = as_spectra([[8.0, 1.0, 3.0, 5.0]], axis=[1100, 1110, 1120, 1130])
    step = Normalize("band", band=(1125, 1105)).fit(spectra)
    assert step.band_points_.tolist() == [1, 2]
    assert step.transform(spectra).values.tolist() == [[4.0, 0.5, 1.5, 2.5]]
    assert step.transform(-spectra).values.tolist() == [[-4.0, -0.5, -1.5, -2.5]]


# by hand after F. Dieterle et al., Anal. Chem. 78 (2006) 4281: reference 2 4 6 8; the last
# spectrum is diluted by 2, but for the one metabolite that differs: quotients .5 .5 .5 8
def test_pqn_finds_the_dilution_in_spite_of_a_large_signal() -> None:
    X = [[2.0, 4.0, 6.0, 8.0], [2.0, 4.0, 6.0, 8.0], [1.0, 2.0, 3.0, 64.0]]
    step = Normalize("pqn").fit(X)
    assert step.reference_.tolist() == [2.0, 4.0, 6.0, 8.0]
    assert step.transform(X)[2].tolist() == [2.0, 4.0, 6.0, 128.0]


def test_pqn_after_area_is_the_whole_procedure_of_its_source() -> None:
    X = np.random.default_rng(0).uniform(1, 2, size=(7, 20)) * np.arange(1, 8)[:, None]
    out = make_pipeline(Normalize("area"), Normalize("pqn")).fit_transform(X)
    scaled = np.array([row / np.trapezoid(row) for row in X])
    reference = np.median(scaled, axis=0)
    expected = [row / np.median(row / reference) for row in scaled]
    np.testing.assert_allclose(out, expected, rtol=1e-13)


def test_pqn_leaves_out_points_without_reference() -> None:
    step = Normalize("pqn").fit([[0.0, 2.0, 4.0]])
    assert step.transform([[9.0, 4.0, 8.0]]).tolist() == [[4.5, 2.0, 4.0]]


@pytest.mark.parametrize("norm", ["max", "l2"])
def test_norms_equal_scikit_learn(norm: Any) -> None:
    X = np.random.default_rng(1).normal(size=(6, 33))
    np.testing.assert_allclose(
        Normalize(norm).fit_transform(X), normalize(X, norm=norm), rtol=1e-14
    )


@given(rows, st.sampled_from(METHODS), st.floats(0.01, 100))
def test_a_factor_drops_out(X: np.ndarray, method: Any, factor: float) -> None:
    step = Normalize(method).fit(X)
    with warnings.catch_warnings():
        # the range of a flat spectrum is 0
        warnings.simplefilter("ignore", DegenerateSpectrumWarning)
        np.testing.assert_allclose(step.transform(X * factor), step.transform(X), rtol=1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_one_spectrum_gives_the_same_bits_alone_and_among_many(method: Any) -> None:
    X = np.random.default_rng(2).uniform(1, 2, size=(50, 101))
    step = Normalize(method).fit(X)
    np.testing.assert_array_equal(step.transform(X)[[31]], step.transform(X[[31]]))


@pytest.mark.parametrize("method", METHODS)
def test_an_empty_spectrum_is_named_and_stays_as_it_is(method: Any) -> None:
    step = Normalize(method).fit([[1.0, 2.0, 4.0]])
    match = rf"spectrum 1 has no {method} to divide by.*\(1 of 2 spectra\)"
    with pytest.warns(DegenerateSpectrumWarning, match=match):
        out = step.transform([[1.0, 2.0, 4.0], [0.0, 0.0, 0.0]])
    assert out[1].tolist() == [0.0, 0.0, 0.0]


def test_a_spectrum_against_the_reference_has_no_quotient() -> None:
    step = Normalize("pqn").fit([[1.0, 2.0, 4.0]])
    with pytest.warns(DegenerateSpectrumWarning, match="spectrum 0 has no pqn"):
        assert step.transform([[-1.0, -2.0, -4.0]]).tolist() == [[-1.0, -2.0, -4.0]]


@pytest.mark.parametrize("method", [*METHODS, "band"])
def test_labels_survive(method: Any) -> None:
    spectra = as_spectra(
        np.random.default_rng(3).uniform(1, 2, size=(2, 4)),
        axis=[1100, 1110, 1120, 1130],
        quantity="counts",
        coords={"batch": ["a", "b"]},
    )
    step = Normalize(method, band=(1105, 1125) if method == "band" else None)
    out = step.fit(spectra).transform(spectra)
    assert out.batch.values.tolist() == ["a", "b"]
    assert out.wavelength.values.tolist() == [1100, 1110, 1120, 1130]
    assert out.attrs["quantity"] == ("counts" if method == "pqn" else "unknown")
    frame = pd.DataFrame(spectra.values, columns=spectra.wavelength.values, index=["x", "y"])
    table = clone(step).fit(frame).transform(frame)
    np.testing.assert_array_equal(table, out.values)
    assert list(table.index) == ["x", "y"]
    with pytest.raises(AxisError, match="reverse order"):
        step.transform(spectra[:, ::-1])


def test_only_pqn_learns_from_samples() -> None:
    assert [learns_from_samples(Normalize(m)) for m in METHODS] == [False] * 4 + [True]
    assert not learns_from_samples(Normalize("band", band=(1, 2)))


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(InputError, match=r"method must be one of 'area', 'max'.*got 'sum'"):
        Normalize("sum").fit([[1.0, 2.0]])  # type: ignore[arg-type]


@pytest.mark.parametrize(("method", "band"), [("band", None), ("max", (1100, 1110))])
def test_band_and_its_method_go_together(method: Any, band: Any) -> None:
    with pytest.raises(InputError, match="band goes with method 'band' and only there"):
        Normalize(method, band=band).fit([[1.0, 2.0]])


def test_a_band_needs_an_axis_with_points_in_it() -> None:
    with pytest.raises(AxisError, match="no axis to find a band on"):
        Normalize("band", band=(1, 2)).fit([[1.0, 2.0]])
    spectra = as_spectra([[1.0, 2.0]], axis=[1100, 1110])
    with pytest.raises(AxisError, match="range 1200 to 1300 holds no point"):
        Normalize("band", band=(1200, 1300)).fit(spectra)


def test_a_reference_of_zeros_is_refused() -> None:
    with pytest.raises(InputError, match="the median of the fitted spectra is 0"):
        Normalize("pqn").fit([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]])


def test_missing_values_are_named_by_place() -> None:
    with pytest.raises(InputError, match=r"X\[0, 1\] is NaN"):
        Normalize().fit([[1.0, np.nan, 2.0]])


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_scikit_learn_accepts_the_estimator(method: Any) -> None:
    with warnings.catch_warnings():
        # the data of some checks are constant or negative
        warnings.simplefilter("ignore", DegenerateSpectrumWarning)
        check_estimator(Normalize(method), on_skip=None)
