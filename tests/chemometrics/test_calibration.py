from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from pharmaq import datasets, modelfile
from pharmaq.chemometrics import (
    PLS,
    SNV,
    Calibration,
    SavitzkyGolay,
    cross_validate,
    make_recipe,
)
from pharmaq.errors import FileAccessError, FormatError, InputError, PharmaqError
from pharmaq.results import findings_frame
from pharmaq.spectra import as_spectra, convert_axis

RECIPE = "snv, sg(15,2,1)"


@pytest.fixture(scope="module")
def spectra() -> xr.DataArray:
    return datasets.tablets(n_batches=12, tablets_per_batch=8, random_state=3).spectra


@pytest.fixture(scope="module")
def calibration(spectra: xr.DataArray) -> Calibration:
    return Calibration(RECIPE, units="% w/w").fit(spectra, "api")


# as test_crossval: refitting with scikit-learn and ikpls
def test_rmsecv_of_tablets_matches_refitting(dyrby: Any, chemometric_cases: Any) -> None:
    X, y = dyrby
    fitted = Calibration(RECIPE, n_components=8, cv="venetian(10)").fit(X, y)
    expected = chemometric_cases["dyrby_tablets_SNV_SG15_2_1_VB10"]
    assert fitted.rmsecv_ == pytest.approx(expected["rmsecv"], rel=1e-6)
    assert fitted.merit_["calibration"].rmsec == pytest.approx(expected["rmsec"][7], rel=1e-6)


def test_parts_are_the_same_as_by_hand(calibration: Calibration, spectra: xr.DataArray) -> None:
    y = spectra.api.values
    by_hand = cross_validate(PLS(15), make_recipe(RECIPE).fit_transform(spectra), y)
    assert calibration.rmsecv_ == pytest.approx(by_hand.rmsecv, rel=1e-9)
    X = SavitzkyGolay(15, 2, 1).fit_transform(SNV().fit_transform(spectra))
    model = PLS(calibration.n_components_).fit(X, y)
    result = calibration.predict(spectra)
    assert result.value == pytest.approx(model.predict(X).values, rel=1e-12)
    assert result.t2 == pytest.approx(model.t2(X).values, rel=1e-12)
    assert result.spe == pytest.approx(model.spe(X).values, rel=1e-9)
    assert result.t2_limit == pytest.approx(model.t2_limit(alpha=0.01, method="f"))
    assert result.spe_limit == pytest.approx(model.spe_limit(alpha=0.01, method="robust"))


def test_one_spectrum_predicts_the_same_alone_and_among_others(
    calibration: Calibration, spectra: xr.DataArray
) -> None:
    together = calibration.predict(spectra).to_frame()
    for i in (0, 17, 95):
        alone = calibration.predict(spectra[i : i + 1]).to_frame()
        pd.testing.assert_frame_equal(
            alone, together.iloc[i : i + 1].reset_index(drop=True), check_exact=True
        )
        bare = calibration.predict(spectra.values[i])
        assert bare.value[0] == together["value"][i]
        assert bare.leverage[0] == together["leverage"][i]


def test_the_short_way_gives_the_same_bits(
    calibration: Calibration, spectra: xr.DataArray
) -> None:
    full, short = calibration.predict(spectra), calibration.predict_arrays(spectra.values)
    for name in ("value", "t2", "spe", "leverage"):
        assert getattr(short, name).tolist() == getattr(full, name).tolist()
    alone = calibration.predict_arrays(spectra.values[9])
    assert alone.value[0] == full.value[9]
    with pytest.raises(InputError, match=r"spectra\[0, 2\] is NaN"):
        calibration.predict_arrays(np.where(np.arange(276) == 2, np.nan, 1.0))


def test_containers_predict_the_same_bits(
    calibration: Calibration, spectra: xr.DataArray
) -> None:
    expected = calibration.predict(spectra).value.tolist()
    frame = pd.DataFrame(
        spectra.values, columns=[f"{x:g} nm" for x in spectra.wavelength.values]
    )
    assert calibration.predict(frame).value.tolist() == expected
    assert calibration.predict(np.asfortranarray(spectra.values)).value.tolist() == expected


# ASTM E1655: standard error SEC sqrt(1 + h), Student t with n - A - 1 degrees of freedom
def test_interval_has_its_formula(calibration: Calibration, spectra: xr.DataArray) -> None:
    result = calibration.predict(spectra[:5])
    merit = calibration.merit_["calibration"]
    freedom = 96 - calibration.n_components_ - 1
    assert result.standard_error == pytest.approx(merit.sec * np.sqrt(1 + result.leverage))
    half = stats.t.ppf(0.975, freedom) * result.standard_error
    assert result.upper - result.value == pytest.approx(half)
    assert result.value - result.lower == pytest.approx(half)


def test_foreign_ingredients_are_spectral_outliers(calibration: Calibration) -> None:
    new = datasets.tablets(n_batches=2, n_foreign=3, random_state=11)
    result = calibration.predict(new.spectra)
    foreign = new.truth["foreign"].values > 0
    assert set(result.status[foreign]) == {"outlier_spe"}
    actions = [f.subject for f in result.findings if f.severity == "action"]
    assert set(new.spectra.sample.values[foreign]) <= set(actions)
    table = findings_frame(result.findings)
    assert (table["value"] > table["limit"]).loc[table["rule"] == "outlier_spe"].all()


def test_contents_far_away_are_t2_outliers_and_extrapolated(calibration: Calibration) -> None:
    strong = datasets.tablets(n_batches=1, strengths=(35.0,), random_state=5).spectra
    result = calibration.predict(strong)
    assert set(result.status) <= {"outlier_t2", "outlier_spe"}
    assert {"outlier_t2", "extrapolated"} <= {f.rule for f in result.findings}
    assert (result.value > result.value_range[1]).all()


def test_values_just_outside_the_range_are_extrapolated(spectra: xr.DataArray) -> None:
    inner = spectra[(spectra.api > 18) & (spectra.api < 22)]
    fitted = Calibration(RECIPE, n_components=3, alpha=1e-6).fit(inner, "api")
    result = fitted.predict(spectra)
    low, high = result.value_range
    outside = (result.value < low) | (result.value > high)
    assert outside.any()
    assert (result.status[outside & (result.t2 < result.t2_limit)] == "extrapolated").any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.assign_coords(wavelength=s.wavelength + 4), r"mean shift \+4"),
        (lambda s: s[:, ::-1], "reverse order"),
        (lambda s: s[:, :-1], "275 points"),
        (lambda s: convert_axis(s, "wavenumber"), "wavenumber in 1/cm instead of wavelength"),
        (lambda s: pd.DataFrame(s.values, columns=s.wavelength.values + 1), r"mean shift \+1"),
    ],
)
def test_another_axis_predicts_nothing_and_says_why(
    calibration: Calibration, spectra: xr.DataArray, change: Any, message: str
) -> None:
    result = calibration.predict(change(spectra[:3]))
    assert result.status.tolist() == ["wrong_axis"] * 3
    assert np.isnan(result.value).all()
    (finding,) = result.findings
    assert finding.severity == "action"
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(finding.message)


def test_components_are_chosen_with_a_reason(calibration: Calibration) -> None:
    assert calibration.n_components_ == calibration.choice_.n_components
    assert "within one standard error" in calibration.choice_.reason
    assert calibration.cross_validation_.cv == "batch"


def test_batches_can_be_given_or_overruled(spectra: xr.DataArray) -> None:
    plain = spectra.drop_vars("batch")
    y = spectra.api.values
    given = Calibration(RECIPE, n_components=3).fit(plain, y, groups=spectra.batch.values)
    known = Calibration(RECIPE, n_components=3).fit(spectra, "api")
    assert given.rmsecv_ == known.rmsecv_
    blinds = Calibration(RECIPE, n_components=3, cv="venetian(10)").fit(spectra, "api")
    assert blinds.cross_validation_.cv == "venetian(10)"


def test_a_planted_reference_error_is_found_among_few_samples(spectra: xr.DataArray) -> None:
    few = spectra[::6]
    y = few.api.values.copy()
    y[5] -= 8.0
    fitted = Calibration(RECIPE, n_components=3, cv="venetian(4)").fit(few, y)
    found = {f.subject for f in fitted.findings_ if f.rule == "calibration_residual"}
    assert found == {str(few.sample.values[5])}


def test_a_refit_forgets_the_axis_of_the_fit_before(spectra: xr.DataArray) -> None:
    renamed = spectra.rename(wavelength="raman_shift")
    renamed["raman_shift"].attrs["units"] = "1/cm"
    fitted = Calibration(n_components=3).fit(renamed, "api")
    assert fitted.axis_kind_ == "raman_shift"
    frame = pd.DataFrame(spectra.values, columns=spectra.wavelength.values)
    assert fitted.fit(frame, spectra.api.values).axis_kind_ == "wavelength"


def test_repeated_splits_say_what_their_figures_are(spectra: xr.DataArray) -> None:
    fitted = Calibration(RECIPE, n_components=3, cv="random(5,3)").fit(spectra, "api")
    assert "repeated_splits" in {f.rule for f in fitted.findings_}


def test_a_planted_reference_error_is_found(spectra: xr.DataArray) -> None:
    y = spectra.api.values.copy()
    y[40] -= 5.0
    fitted = Calibration(RECIPE).fit(spectra, y)
    found = {f.subject for f in fitted.findings_ if f.rule == "calibration_residual"}
    assert found == {str(spectra.sample.values[40])}


# the peers test one side only: a sample far too low passes there
@pytest.mark.parametrize("error", [-5.0, 5.0])
def test_residuals_are_tested_on_both_sides(spectra: xr.DataArray, error: float) -> None:
    y = spectra.api.values.copy()
    y[7] += error
    rules = [f.rule for f in Calibration(RECIPE, n_components=3).fit(spectra, y).findings_]
    assert rules.count("calibration_residual") == 1


@pytest.mark.parametrize("count", [1, 3])
def test_planted_spectral_outliers_are_found(count: int) -> None:
    simulated = datasets.tablets(n_batches=12, n_foreign=count, random_state=2)
    fitted = Calibration(RECIPE, n_components=3).fit(simulated.spectra, "api")
    foreign = simulated.spectra.sample.values[simulated.truth["foreign"].values > 0]
    # several of a kind draw a component towards them: then T2 shows them, not SPE
    rules = {"calibration_spe", "calibration_t2"}
    assert {f.subject for f in fitted.findings_ if f.rule in rules} == set(foreign)


def test_a_limit_of_tried_components_is_noted(spectra: xr.DataArray) -> None:
    fitted = Calibration(RECIPE, max_components=1).fit(spectra, "api")
    assert "components_at_limit" in {f.rule for f in fitted.findings_}


def test_few_samples_trim_the_search_and_say_so(spectra: xr.DataArray) -> None:
    fitted = Calibration(RECIPE, cv="venetian(4)").fit(spectra[::8], "api")
    assert len(fitted.rmsecv_) == 8
    assert "components_trimmed" in {f.rule for f in fitted.findings_}


def test_a_stored_model_predicts_the_same_bits(
    calibration: Calibration, spectra: xr.DataArray, tmp_path: Path
) -> None:
    seal = calibration.save(tmp_path / "model.pqm")
    loaded = Calibration.load(tmp_path / "model.pqm")
    pd.testing.assert_frame_equal(
        loaded.predict(spectra).to_frame(),
        calibration.predict(spectra).to_frame(),
        check_exact=True,
    )
    assert loaded.seal_ == seal
    assert loaded.units == "% w/w"
    assert loaded.rmsecv_ == calibration.rmsecv_
    assert loaded.merit_["cross_validation"].to_dict() == (
        calibration.merit_["cross_validation"].to_dict()
    )
    assert loaded.findings_ == calibration.findings_
    assert loaded.provenance_.to_dict() == calibration.provenance_.to_dict()
    assert str(loaded.recipe_) == RECIPE
    loaded.save(tmp_path / "again.pqm")
    assert (tmp_path / "again.pqm").read_bytes() == (tmp_path / "model.pqm").read_bytes()


@pytest.mark.parametrize(
    "recipe",
    [
        "none",
        "msc(median)",
        "range(1200-1800), snv",
        [SNV(), SavitzkyGolay(7, 2)],
        "emsc(1), sg(15,2,1)",
        "detrend, normalize(l2), auto",
        "despike(9), nw(5,3), osc(1)",
    ],
)
def test_every_recipe_survives_storage(
    spectra: xr.DataArray, tmp_path: Path, recipe: Any
) -> None:
    fitted = Calibration(recipe, n_components=3).fit(spectra, "api")
    fitted.save(tmp_path / "m.pqm")
    loaded = Calibration.load(tmp_path / "m.pqm")
    assert loaded.predict(spectra).value.tolist() == fitted.predict(spectra).value.tolist()


def test_a_model_that_does_not_repeat_itself_is_refused(
    calibration: Calibration, tmp_path: Path
) -> None:
    path = tmp_path / "m.pqm"
    calibration.save(path)
    content, _ = modelfile.load(path, "calibration")
    content["golden_values"] = content["golden_values"] + 1e-3
    modelfile.save(path, "calibration", content)
    with pytest.raises(
        FormatError, match=r"does not repeat its own predictions.*do not use it"
    ):
        Calibration.load(path)


def test_a_changed_file_is_refused(calibration: Calibration, tmp_path: Path) -> None:
    path = tmp_path / "m.pqm"
    calibration.save(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(FormatError):
        Calibration.load(path)
    with pytest.raises(FileAccessError):
        Calibration.load(tmp_path / "absent.pqm")


def test_steps_without_a_stored_form_are_refused_when_saving(
    spectra: xr.DataArray, tmp_path: Path
) -> None:
    fitted = Calibration([StandardScaler()], n_components=3).fit(spectra, "api")
    with pytest.raises(InputError, match="a StandardScaler cannot be stored"):
        fitted.save(tmp_path / "m.pqm")
    assert list(tmp_path.iterdir()) == []


def test_the_result_is_a_frame_and_json(
    calibration: Calibration, spectra: xr.DataArray
) -> None:
    result = calibration.predict(spectra[:4])
    diagnostics = ["standard_error", "lower", "upper", "t2", "spe", "leverage"]
    columns = ["sample", "value", *diagnostics, "status"]
    assert list(result.to_frame().columns) == columns
    assert json.loads(json.dumps(result.to_dict()))["status"] == result.status.tolist()
    assert "CalibrationPrediction" in result._repr_html_()
    assert "value=<array 4>" in repr(result)


def test_provenance_names_inputs_and_settings(calibration: Calibration) -> None:
    record = calibration.provenance_
    assert record.parameters["recipe"] == RECIPE
    assert record.parameters["cv"] == "batch"
    assert len(record.inputs["spectra"]["sha256"]) == 64
    assert record.inputs["y"]["shape"] == [96]


def test_the_estimator_can_be_cloned_and_shown(calibration: Calibration) -> None:
    assert repr(clone(calibration)) == repr(Calibration(RECIPE, units="% w/w"))


@pytest.mark.parametrize(
    ("settings", "y", "message"),
    [
        ({}, "assay", "y = 'assay' is no sample coordinate of the spectra; there are .*'api'"),
        ({}, [1.0, 2.0], r"y must have shape \(96,\)"),
        ({"alpha": 1.5}, "api", r"alpha must lie in \(0, 1\), got 1\.5"),
        ({"recipe": "smooth"}, "api", "recipe step 'smooth' is unknown"),
        ({"n_components": 95}, "api", "n_components = 95 is too many"),
        ({"cv": "tenfold"}, "api", "cv 'tenfold' is unknown"),
        ({"rule": "akaike"}, "api", "rule must be one of"),
        ({"recipe": "range(3000-4000)"}, "api", "range 3000 to 4000 holds no point"),
    ],
)
def test_bad_arguments_are_named(
    spectra: xr.DataArray, settings: Any, y: Any, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        Calibration(**settings).fit(spectra, y)


def test_noise_without_signal_is_refused_with_both_errors() -> None:
    rng = np.random.default_rng(4)
    X, y = rng.normal(size=(40, 60)), rng.normal(size=40)
    with pytest.raises(InputError, match=r"predicts better than the mean \(RMSECV .* against"):
        Calibration(cv="loo").fit(X, y)


def test_several_responses_are_refused(spectra: xr.DataArray) -> None:
    Y = np.column_stack([spectra.api.values, spectra.strength.values])
    with pytest.raises(InputError, match=r"y must be one response.*got \(96, 2\)"):
        Calibration(RECIPE).fit(spectra, Y)


def test_predicting_before_fitting_is_refused(spectra: xr.DataArray) -> None:
    with pytest.raises(PharmaqError, match="not fitted"):
        Calibration(RECIPE).predict(spectra)
    with pytest.raises(PharmaqError, match="not fitted"):
        Calibration(RECIPE).save("model.pqm")


def test_missing_values_in_new_spectra_are_refused(
    calibration: Calibration, spectra: xr.DataArray
) -> None:
    bad = spectra[:2].copy(deep=True)
    bad[1, 5] = np.nan
    with pytest.raises(InputError, match=r"\[1, 5\] is NaN"):
        calibration.predict(bad)


def test_a_plain_array_of_another_length_is_refused(calibration: Calibration) -> None:
    with pytest.raises(InputError, match=r"spectra must have 276 points.*got shape \(1, 3\)"):
        calibration.predict([[1.0, 2.0, 3.0]])


def test_a_raman_calibration_accepts_frames_without_units() -> None:
    rng = np.random.default_rng(0)
    axis = np.arange(400.0, 1200.0, 20.0)
    y = rng.uniform(1, 2, size=30)
    X = y[:, None] * np.exp(-(((axis - 800) / 60) ** 2)) + 0.01 * rng.normal(size=(30, 40))
    fitted = Calibration(n_components=1).fit(as_spectra(X, axis=axis, kind="raman_shift"), y)
    result = fitted.predict(pd.DataFrame(X, columns=axis))
    assert np.isfinite(result.value).all()
    assert "wrong_axis" not in result.status
