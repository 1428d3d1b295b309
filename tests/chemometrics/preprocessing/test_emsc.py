from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.estimator_checks import check_estimator

from pharmaq.chemometrics import EMSC, MSC, DegenerateSpectrumWarning
from pharmaq.errors import AxisError, InputError
from pharmaq.spectra import as_spectra

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
