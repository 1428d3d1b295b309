"""Rules that calibration programs are known to break: each test is named for its rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy import stats
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pharmaq import datasets
from pharmaq.chemometrics import (
    MSC,
    PCA,
    PLS,
    SNV,
    Calibration,
    SavitzkyGolay,
    cross_validate,
    diagnose,
    select_n_components,
    spe_limit,
)
from pharmaq.errors import AxisError, FormatError, InputError
from pharmaq.io import read_spectra


def simulated(seed: int = 0, *, n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4)) @ rng.normal(size=(4, 12)) + 0.1 * rng.normal(size=(n, 12))
    return X, X[:, 0] + 0.2 * rng.normal(size=n)


@pytest.fixture(scope="module")
def spectra() -> xr.DataArray:
    return datasets.tablets(n_batches=8, tablets_per_batch=5, random_state=3).spectra


# leverage is 1 / N + t' (T'T)^-1 t with the calibration scores T (ASTM E1655)
@pytest.mark.parametrize("size", [1, 2, 40])
def test_leverage_depends_on_the_calibration_only(size: int) -> None:
    X, y = simulated()
    model = PLS(3).fit(X, y)
    new = np.vstack([X[:1] + 0.5, 5 * simulated(1)[0]])[:size]
    t, T = (X[0] + 0.5 - model.x_mean_) @ model.x_rotations_, model.x_scores_
    expected = 1 / 40 + t @ np.linalg.inv(T.T @ T) @ t
    assert model.leverage(new)[0] == pytest.approx(expected, rel=1e-9)
    assert diagnose(model, new).leverage[0] == model.leverage(new[:1])[0]


@pytest.mark.parametrize("role", ["calibration", "new"])
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_residual_far_below_is_found_as_one_far_above(role: Any, sign: int) -> None:
    X, y = simulated()
    planted = y.copy()
    planted[5] += sign * 3.0
    model = PLS(3).fit(X, planted if role == "calibration" else y)
    result = diagnose(model, X, planted, role=role)
    found = [f for f in result.findings if f.rule.endswith("residual") and f.subject == "5"]
    # predicted minus reference: a reference too high gives a residual below zero
    assert np.sign(found[0].value) == -sign == np.sign(found[0].limit)


def test_the_limit_of_new_residuals_is_that_of_a_two_sided_t_test() -> None:
    X, y = simulated()
    limit = diagnose(PLS(3).fit(X, y), X[:2], y[:2], alpha=0.05).limit("residual")
    # t(0.975; 40 - 3 - 1) = 2.028 in tables
    assert limit == pytest.approx(2.028, abs=5e-4)


# columns of very different size: raw residuals would be ruled by the largest
def test_spe_has_the_units_of_the_scaled_model() -> None:
    X, y = simulated()
    sizes = np.geomspace(1, 1e4, 12)
    plain, stretched = (PLS(3, scale=True).fit(Z, y) for Z in (X, X * sizes))
    np.testing.assert_allclose(stretched.spe(X * sizes), plain.spe(X), rtol=1e-7)
    assert stretched.spe_limit() == pytest.approx(plain.spe_limit(), rel=1e-7)
    # autoscaled, all variables together have a sum of squares of 12 a sample
    assert stretched.spe_.mean() < 12


def test_t2_divides_by_variances_with_n_minus_one() -> None:
    X, _ = simulated()
    model = PCA(3).fit(X)
    T = model.x_scores_
    expected = np.einsum("ia,ab,ib->i", T, np.linalg.inv(np.cov(T.T)), T)
    np.testing.assert_allclose(model.t2(X), expected, rtol=1e-9)
    # the mean is A (N - 1) / N: with the divisor N it would be A
    assert model.t2(X).mean() == pytest.approx(3 * 39 / 40)


def test_cross_validation_scales_only_where_it_is_told_to() -> None:
    X, y = simulated()
    X = X * np.geomspace(1, 100, 12)
    plain, scaled = (
        cross_validate(PLS(3, scale=s), X, y, cv="venetian(5)").rmsecv for s in (False, True)
    )
    inside = cross_validate(make_pipeline(StandardScaler(), PLS(3)), X, y, cv="venetian(5)")
    assert scaled == pytest.approx(inside.rmsecv, rel=1e-9)
    assert abs(plain - scaled).min() > 1e-3
    # by hand: centred in each fold, and nothing else
    rows, errors = np.arange(40), np.empty((3, 40))
    for k in range(5):
        train, test = rows % 5 != k, rows % 5 == k
        errors[:, test] = PLS(3).fit(X[train], y[train]).predict_path(X[test]) - y[test]
    assert plain == pytest.approx(np.sqrt(np.mean(errors**2, axis=1)), rel=1e-9)


# noise and a step that learns y: fitted to all samples first it would seem to predict
class Leaky(StandardScaler):
    """Moves every column by its covariance with y."""

    def fit(self, X: Any, y: Any = None) -> Any:
        super().fit(X)
        self.best_ = np.argsort(-np.abs((X - X.mean(axis=0)).T @ (y - y.mean())))[:5]
        return self

    def transform(self, X: Any) -> Any:
        return np.asarray(X)[:, self.best_]


def test_what_learns_from_samples_is_fitted_inside_the_folds() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 500)), rng.normal(size=40)
    inside = cross_validate(make_pipeline(Leaky(), PLS(2)), X, y, cv="venetian(10)")
    outside = cross_validate(PLS(2), Leaky().fit(X, y).transform(X), y, cv="venetian(10)")
    assert outside.rmsecv[-1] < 0.85 * outside.rmsecv_null
    assert inside.rmsecv[-1] > 0.95 * inside.rmsecv_null


def test_the_reference_of_msc_is_that_of_the_training_samples(spectra: xr.DataArray) -> None:
    X, y = spectra.values, spectra.api.values
    result = cross_validate(make_pipeline(MSC(), PLS(2)), X, y, cv="contiguous(4)")
    expected = np.empty((2, 40))
    for k in range(4):
        test = np.arange(40) // 10 == k
        msc = MSC().fit(X[~test])
        model = PLS(2).fit(msc.transform(X[~test]), y[~test])
        expected[:, test] = model.predict_path(msc.transform(X[test]))
    np.testing.assert_allclose(result.predictions.values, expected, rtol=1e-8)


# the derivative of x^2 / 1000 is x / 500, whatever the distance of the points
@pytest.mark.parametrize("step", [0.5, 1.0, 4.0, -2.0])
def test_derivatives_respect_the_spacing_of_the_axis(step: float) -> None:
    axis = 1500 + step * np.arange(40)
    values = xr.DataArray(
        axis[None] ** 2 / 1000, dims=("sample", "wavelength"), coords={"wavelength": axis}
    )
    values.wavelength.attrs["units"] = "nm"
    out = SavitzkyGolay(7, 2, 1).fit_transform(values)
    np.testing.assert_allclose(out.values[0], axis / 500, rtol=1e-9)


@pytest.mark.parametrize("model", [PCA(2), PLS(2), SNV(), SavitzkyGolay(7, 2, 1)], ids=repr)
def test_a_reversed_or_shifted_axis_is_refused(model: Any, spectra: xr.DataArray) -> None:
    fitted = model.fit(spectra, spectra.api.values)
    with pytest.raises(AxisError, match="reverse order"):
        fitted.transform(spectra[:, ::-1])
    with pytest.raises(AxisError, match=r"mean shift \+2"):
        fitted.transform(spectra.assign_coords(wavelength=spectra.wavelength + 2))


def test_a_calibration_predicts_nothing_on_another_axis(spectra: xr.DataArray) -> None:
    calibration = Calibration("snv", n_components=2).fit(spectra, "api")
    shifted = spectra.assign_coords(wavelength=spectra.wavelength + 2)
    result = calibration.predict(shifted)
    assert np.isnan(result.value).all()
    assert {f.severity for f in result.findings} == {"action"}
    with pytest.raises(AxisError, match="mean shift"):
        diagnose(calibration, shifted)


@pytest.mark.parametrize(
    "content",
    [
        b"\x0a\x0a\xfe\xfe\x00\x00\x00\x00" + bytes(range(256)) * 8,
        b"Spectral Data File" + bytes(600),
        b"PK\x03\x04" + bytes(200),
    ],
    ids=["binary blocks", "binary header", "broken archive"],
)
def test_a_binary_file_is_refused_and_not_read_as_numbers(
    tmp_path: Path, content: bytes
) -> None:
    for name in ("spectrum.csv", "spectrum.txt"):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises((FormatError, InputError)):
            read_spectra(path)


def test_a_truncated_row_is_refused_and_not_filled(tmp_path: Path) -> None:
    path = tmp_path / "cut.csv"
    path.write_text("sample,1100,1102,1104\na,0.1,0.2,0.3\nb,0.1,0.2\n")
    with pytest.raises(InputError):
        read_spectra(path)


def test_the_quantity_of_spectra_is_never_guessed(tmp_path: Path) -> None:
    path = tmp_path / "transmittance.csv"
    path.write_text("sample,1100,1102,1104\na,0.91,0.92,0.93\nb,0.81,0.82,0.83\n")
    assert read_spectra(path).attrs["quantity"] == "unknown"


# Dyrby et al. (2002), tablets, SNV: 31 batches of ten, against every tenth tablet
def test_leaving_out_batches_is_the_harder_test_and_the_default(dyrby: Any) -> None:
    X, y = dyrby
    batches = np.arange(310) // 10
    pipeline = make_pipeline(SNV(), PLS(8))
    by_batch = cross_validate(pipeline, X, y, groups=batches)
    blinds = cross_validate(pipeline, X, y, cv="venetian(10)")
    assert (by_batch.rmsecv > blinds.rmsecv).all()
    assert by_batch.rmsecv[:4] == pytest.approx([0.6745, 0.3797, 0.3549, 0.3530], abs=5e-5)
    assert blinds.rmsecv[:4] == pytest.approx([0.6125, 0.3695, 0.3425, 0.3361], abs=1e-4)
    assert by_batch.cv == "batch"


def test_batches_that_spectra_carry_are_left_out_whole(spectra: xr.DataArray) -> None:
    result = cross_validate(PLS(2), spectra, spectra.api)
    assert result.cv == "batch"
    assert len(result.fold_mse) == 8


def test_no_component_at_all_can_be_chosen_and_is_explained() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 20)), rng.normal(size=40)
    choice = select_n_components(cross_validate(PLS(3), X, y, cv="venetian(10)"))
    assert choice.n_components == 0
    assert choice.reason == "smallest RMSECV of 0 to 3 components"
    assert len(choice.mse) == 4
    with pytest.raises(InputError, match="no number of components predicts better"):
        Calibration().fit(X, y)


# one large and many small residual variances: h0 is negative, and |h0| gives a limit near the
# median; simulated here with 200 000 samples
def test_spe_limits_hold_where_h0_is_negative() -> None:
    variances = np.array([4.0, *[0.05] * 60])
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(3000, 61)) * np.sqrt(variances)
    spe = rng.normal(size=(200_000, 61)) ** 2 @ variances
    for method, share in (("imhof", (0.008, 0.012)), ("jackson", (0.001, 0.012))):
        limit = spe_limit(rows, alpha=0.01, method=method)
        assert share[0] < np.mean(spe > limit) < share[1]


# Tracy, Young and Mason (1992): limits of the two phases differ most with few samples
def test_t2_limits_of_both_phases_have_their_own_degrees_of_freedom() -> None:
    X = np.random.default_rng(0).normal(size=(15, 2))
    first = diagnose(PCA(2).fit(X), X, role="calibration", alpha=0.01).limit("t2")
    second = diagnose(PCA(2).fit(X), X + 1, alpha=0.01).limit("t2")
    assert first == pytest.approx(14**2 / 15 * stats.beta.ppf(0.99, 1, 6))
    assert second == pytest.approx(2 * 14 * 16 / (15 * 13) * stats.f.ppf(0.99, 2, 13))
