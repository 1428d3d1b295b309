from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.estimator_checks import check_estimator

from pharmaq.chemometrics import EMSC, MSC, DegenerateSpectrumWarning
from pharmaq.errors import AxisError, InputError
from pharmaq.spectra import as_spectra

Data = tuple[np.ndarray, np.ndarray]

seeds = st.integers(0, 10_000)
points = np.linspace(-1, 1, 60)
REFERENCE = np.exp(-(((points - 0.2) / 0.15) ** 2)) + 0.5 * np.exp(
    -(((points + 0.5) / 0.1) ** 2)
)
WATER = np.exp(-(((points + 0.1) / 0.3) ** 2))


def disturbed(seed: int, n: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Images of the reference with slope, baseline and an interferent; and the slopes."""
    rng = np.random.default_rng(seed)
    b = rng.uniform(0.5, 2, size=(n, 1))
    base = rng.normal(size=(n, 3)) @ np.vstack([np.ones(60), points, points**2])
    return b * REFERENCE + base + rng.normal(size=(n, 1)) * WATER, b[:, 0]


# chemotools 0.5.0, ExtendedMultiplicativeScatterCorrection(order=2), and with order=3,
# method="median" and the difference of tablets 5 and 200 as interferent
def test_emsc_of_tablets_equals_chemotools(dyrby: Data) -> None:
    X = dyrby[0]
    out = EMSC(degree=2).fit_transform(X)
    assert out[0, :3] == pytest.approx([1.68839761, 1.62179814, 1.55708714], abs=1e-8)
    assert out[309, [0, 200, 403]] == pytest.approx(
        [1.72728328, 0.11011266, 0.1533358], abs=1e-8
    )
    step = EMSC(reference="median", degree=3, interferents=X[5] - X[200])
    out = step.fit_transform(X)
    assert out[7, [0, 200, 403]] == pytest.approx(
        [1.90946357, 0.19878129, 0.24566121], abs=1e-8
    )


# H. Martens, E. Stark, J. Pharm. Biomed. Anal. 9 (1991) 625: the model x = b ref + baseline +
# interferent is inverted exactly where it holds
@given(seeds)
def test_what_the_model_describes_is_taken_off_exactly(seed: int) -> None:
    X, b = disturbed(seed)
    step = EMSC(reference=REFERENCE, degree=2, interferents=WATER[None])
    np.testing.assert_allclose(step.fit_transform(X), np.tile(REFERENCE, (6, 1)), atol=1e-8)
    coefficients = step.coefficients(X)
    np.testing.assert_allclose(coefficients[:, 0], b, atol=1e-8)
    assert step.term_names_.tolist() == [
        "reference", "power 0", "power 1", "power 2", "interferent 0",
    ]  # fmt: skip


def naive(row: np.ndarray, terms: np.ndarray) -> np.ndarray:
    """Least squares on all terms by numpy, one spectrum at a time."""
    c = np.linalg.lstsq(terms.T, row, rcond=None)[0]
    return (row - c[1:] @ terms[1:]) / c[0]


@given(seeds, st.integers(0, 3))
def test_emsc_equals_its_slow_twin(seed: int, degree: int) -> None:
    X = disturbed(seed)[0] + 0.05 * np.random.default_rng(seed).normal(size=(6, 60))
    terms = np.vstack([REFERENCE, *(points**k for k in range(degree + 1))])
    expected = np.array([naive(row, terms) for row in X])
    out = EMSC(reference=REFERENCE, degree=degree).fit_transform(X)
    np.testing.assert_allclose(out, expected, rtol=1e-7, atol=1e-7)


@given(seeds)
def test_degree_zero_is_msc(seed: int) -> None:
    X = disturbed(seed)[0]
    one, two = EMSC(degree=0).fit_transform(X), MSC().fit_transform(X)
    np.testing.assert_allclose(one, two, rtol=1e-8, atol=1e-8)


def test_directions_in_which_replicates_differ_are_taken_off() -> None:
    rng = np.random.default_rng(0)
    sample = np.repeat(np.arange(8), 4)
    content = rng.normal(size=8)[sample]
    analyte = np.exp(-(((points - 0.6) / 0.08) ** 2))
    X = 5 * REFERENCE + content[:, None] * analyte + rng.normal(size=(32, 1)) * WATER
    X += 1e-4 * rng.normal(size=X.shape)
    plain = EMSC(degree=1).fit_transform(X)
    step = EMSC(degree=1, replicates=sample)
    out = step.fit_transform(X)

    def spread(Z: np.ndarray) -> float:
        return float(np.mean([Z[sample == s].std(axis=0).max() for s in range(8)]))

    assert spread(out) < 0.02 * spread(plain)
    # the first direction is the interferent, apart from what baseline and reference hold of it
    others = step.design_[:-1]
    left = WATER - np.linalg.lstsq(others.T, WATER, rcond=None)[0] @ others
    direction = step.design_[-1]
    cosine = abs(direction @ left) / np.linalg.norm(direction) / np.linalg.norm(left)
    assert cosine > 0.99


def test_replicates_can_be_named_by_a_coordinate() -> None:
    X = disturbed(1, n=8)[0] + 0.01 * np.random.default_rng(0).normal(size=(8, 60))
    tablet = np.repeat([1, 2, 3, 4], 2)
    axis = np.linspace(1100, 1700, 60)
    spectra = as_spectra(X, axis=axis, coords={"tablet": tablet})
    named = EMSC(replicates="tablet").fit_transform(spectra)
    given_labels = EMSC(replicates=tablet).fit_transform(spectra)
    np.testing.assert_array_equal(named.values, given_labels.values)
    assert named.dims == ("sample", "wavelength")


def test_a_flat_spectrum_is_named() -> None:
    step = EMSC(reference=REFERENCE).fit(np.tile(REFERENCE, (2, 1)))
    with pytest.warns(DegenerateSpectrumWarning, match=r"spectrum 1 .*1 of 2 spectra"):
        out = step.transform(np.vstack([REFERENCE, np.full(60, 0.3)]))
    np.testing.assert_allclose(out[1], 0, atol=1e-12)


def test_a_faint_spectrum_is_corrected_all_the_same() -> None:
    step = EMSC(reference=REFERENCE).fit(REFERENCE[None])
    out = step.transform([1e-6 * REFERENCE + 1.0])
    np.testing.assert_allclose(out[0], REFERENCE, atol=1e-8)


def test_an_uneven_axis_counts_with_its_positions() -> None:
    axis = np.geomspace(1000.0, 2000.0, 60)
    bent = 2 * REFERENCE + 1e-3 * axis - 1e-6 * axis**2
    out = EMSC(reference=REFERENCE).fit_transform(as_spectra(bent[None], axis=axis))
    np.testing.assert_allclose(out.values[0], REFERENCE, atol=1e-10)
    plain = EMSC(reference=REFERENCE).fit_transform(bent[None])
    assert np.abs(plain[0] - REFERENCE).max() > 1e-4


def test_labels_and_quantity_survive() -> None:
    axis = np.linspace(1100, 1700, 60)
    tablet = [1, 2, 3, 4, 5, 6]
    spectra = as_spectra(
        disturbed(3)[0], axis=axis, quantity="absorbance", coords={"tablet": tablet}
    )
    step = EMSC().fit(spectra)
    out = step.transform(spectra)
    assert out.attrs["quantity"] == "absorbance"
    assert out.tablet.values.tolist() == tablet
    assert step.coefficients(spectra).tablet.values.tolist() == tablet
    frame = pd.DataFrame(spectra.values, columns=axis)
    table = EMSC().fit(frame).transform(frame)
    np.testing.assert_array_equal(table, out.values)
    assert list(table.columns) == axis.tolist()
    with pytest.raises(AxisError, match="mean shift"):
        step.transform(spectra.assign_coords(wavelength=axis + 5))


def test_the_default_degree_fits_short_spectra_and_says_so() -> None:
    X = np.random.default_rng(0).normal(size=(4, 9))
    assert [EMSC().fit(X[:, :n]).degree_ for n in (2, 3, 4, 5, 9)] == [0, 0, 1, 2, 2]


def test_one_spectrum_gives_the_same_bits_alone_and_among_many() -> None:
    X = disturbed(2, n=40)[0]
    step = EMSC().fit(X)
    np.testing.assert_array_equal(step.transform(X)[[31]], step.transform(X[[31]]))


def test_an_interferent_on_another_axis_is_refused() -> None:
    axis = np.linspace(1100, 1700, 60)
    spectra = as_spectra(disturbed(0)[0], axis=axis)
    water = as_spectra(WATER[None], axis=axis + 5)
    with pytest.raises(AxisError, match=r"interferents has another axis than X.*resample"):
        EMSC(interferents=water).fit(spectra)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"reference": "middle"}, "reference must be one of 'mean', 'median'"),
        ({"reference": [1.0, 2.0]}, "reference has shape"),
        ({"degree": -1}, "degree must be at least 0"),
        ({"interferents": [[1.0] * 60]}, "depend on each other"),
        ({"interferents": [[np.nan] * 60]}, "interferents.* is NaN"),
        ({"replicates": [1, 2]}, "one label for each of the 6 spectra"),
        ({"replicates": "tablet"}, "no sample coordinate 'tablet'"),
        ({"replicates": [1, 2, 3, 4, 5, 6]}, "replicates differ in 0 direction"),
    ],
)
def test_bad_settings_are_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        EMSC(**settings).fit(disturbed(0)[0])


@pytest.mark.slow
def test_scikit_learn_accepts_the_estimator() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DegenerateSpectrumWarning)
        check_estimator(EMSC(), on_skip=None)
