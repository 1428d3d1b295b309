"""Every estimator is a scikit-learn estimator."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from pharmaq.chemometrics import (
    MSC,
    OPLS,
    PCA,
    PCR,
    PLS,
    SNV,
    DegenerateSpectrumWarning,
    LocallyWeightedPLS,
    SavitzkyGolay,
    SelectRange,
)
from pharmaq.errors import AxisError, InputError, PharmaqError
from pharmaq.spectra import as_spectra

ESTIMATORS = [
    SNV(),
    MSC(),
    MSC(reference="median"),
    SavitzkyGolay(),
    SelectRange(),
    PCA(),
    PCA(scale=True),
    PCR(),
    OPLS(),
    OPLS(scale=True),
    LocallyWeightedPLS(),
    PLS(),
    # one component: scaled, the data of a check of weights carry no second
    PLS(1, scale=True, algorithm="simpls"),
    PLS(algorithm="kernel"),
]
TRANSFORMERS = [SNV(), MSC(), SavitzkyGolay(5, 2, 1), SelectRange(ranges=[(1110, 1150)])]


@pytest.mark.slow
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_scikit_learn_accepts_the_estimator(estimator: Any) -> None:
    with warnings.catch_warnings():
        # the data of some checks hold constant rows, which scatter corrections report
        warnings.simplefilter("ignore", DegenerateSpectrumWarning)
        check_estimator(estimator, on_skip=None)


@pytest.fixture
def spectra() -> xr.DataArray:
    values = np.random.default_rng(1).normal(size=(12, 20)).cumsum(axis=1)
    axis = np.arange(1100.0, 1200.0, 5.0)
    batch = np.repeat(["a", "b", "c"], 4)
    return as_spectra(values, axis=axis, quantity="absorbance", coords={"batch": batch})


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)
def test_labels_survive_a_transformer(transformer: Any, spectra: xr.DataArray) -> None:
    out = clone(transformer).fit(spectra).transform(spectra)
    assert isinstance(out, xr.DataArray)
    assert out.dims == ("sample", "wavelength")
    assert out.batch.values.tolist() == spectra.batch.values.tolist()
    assert out.wavelength.attrs["units"] == "nm"
    assert set(out.wavelength.values) <= set(spectra.wavelength.values)


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)
def test_a_frame_gives_a_frame(transformer: Any, spectra: xr.DataArray) -> None:
    frame = pd.DataFrame(
        spectra.values, columns=spectra.wavelength.values, index=list("abcdefghijkl")
    )
    out = clone(transformer).fit(frame).transform(frame)
    assert isinstance(out, pd.DataFrame)
    assert list(out.index) == list(frame.index)
    expected = clone(transformer).fit(spectra).transform(spectra)
    np.testing.assert_array_equal(out.to_numpy(), expected.values)
    assert list(out.columns) == expected.wavelength.values.tolist()


@pytest.mark.parametrize("estimator", [*TRANSFORMERS, PCA(2), PLS(2)], ids=repr)
def test_a_shifted_axis_is_refused(estimator: Any, spectra: xr.DataArray) -> None:
    fitted = clone(estimator).fit(spectra, np.arange(12.0))
    shifted = spectra.assign_coords(wavelength=spectra.wavelength + 5.0)
    with pytest.raises(AxisError, match="mean shift \\+5"):
        fitted.transform(shifted)


@pytest.mark.parametrize("estimator", [*TRANSFORMERS, PCA(2), PLS(2)], ids=repr)
def test_a_reversed_axis_is_refused(estimator: Any, spectra: xr.DataArray) -> None:
    fitted = clone(estimator).fit(spectra, np.arange(12.0))
    with pytest.raises(AxisError, match="reverse order"):
        fitted.transform(spectra[:, ::-1])


def test_another_kind_of_axis_is_refused(spectra: xr.DataArray) -> None:
    fitted = SNV().fit(spectra)
    other = spectra.rename(wavelength="wavenumber")
    with pytest.raises(AxisError, match="convert_axis"):
        fitted.transform(other)


@pytest.mark.parametrize("estimator", [*TRANSFORMERS, PCA(2), PLS(2)], ids=repr)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_missing_values_are_named_by_place(
    estimator: Any, bad: float, spectra: xr.DataArray
) -> None:
    spectra[3, 7] = bad
    with pytest.raises(InputError, match=r"X\[3, 7\] is (NaN|inf).*remove or replace"):
        clone(estimator).fit(spectra, np.arange(12.0))


@pytest.mark.parametrize("estimator", [PCA(1), PLS(1)], ids=repr)
def test_one_sample_is_refused(estimator: Any) -> None:
    with pytest.raises(InputError, match=r"X holds 1 sample\(s\), but .* needs at least 2"):
        clone(estimator).fit(np.ones((1, 4)), [1.0])


def test_an_unfitted_estimator_says_so() -> None:
    with pytest.raises(PharmaqError, match="not fitted"):
        SNV().transform(np.eye(3))


def test_a_frame_that_mixes_metadata_with_spectra_is_refused() -> None:
    frame = pd.DataFrame(np.eye(4), columns=["api", 1100, 1102, 1104])
    with pytest.raises(InputError, match=r"mixes spectral columns with others \(api\)"):
        SNV().fit(frame)


def test_a_set_output_of_frames_names_scores() -> None:
    frame = (
        PCA(2)
        .set_output(transform="pandas")
        .fit_transform(np.random.default_rng(0).normal(size=(6, 4)))
    )
    assert list(frame.columns) == ["pca0", "pca1"]
