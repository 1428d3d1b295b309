import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.signal import savgol_filter
from sklearn.cross_decomposition import PLSRegression

from pharmaq.datasets import Spectrometer, tablets
from pharmaq.errors import InputError, InputTypeError
from pharmaq.spectra import as_spectra

QUIET = Spectrometer(noise=0.0, wavelength_shift=0.0)

# the smallest axis there is: for tests of what does not depend on the spectra
TWO_POINTS = Spectrometer(wavelength=[1200.0, 1600.0])

# what each setting acts on; all else has to stay as it was
SETTINGS = [
    ({"spectrometer": Spectrometer(noise=0.01)}, {"spectra"}),
    ({"spectrometer": Spectrometer(wavelength_shift=3.0)}, {"spectra", "shift"}),
    ({"scatter": 0.5}, {"spectra", "scatter"}),
    ({"sel": 2.0}, {"reference"}),
    ({"strengths": [5.0]}, {"spectra", "reference", "concentration"}),
    ({"n_foreign": 3}, {"spectra", "concentration"}),
]


def draws(data):
    """Return the outcome of each random effect, to tell which of them changed."""
    truth = data.truth
    error = (
        data.spectra["api"].to_numpy() - truth["concentration"].sel(component="api").to_numpy()
    )
    return {
        "spectra": data.spectra.to_numpy(),
        "reference": data.spectra["api"].to_numpy(),
        "reference error": error,
        "concentration": truth["concentration"].to_numpy(),
        "content": truth["batch_content_factor"].to_numpy(),
        "water": truth["concentration"].sel(component="water").to_numpy(),
        "scatter": truth[["path_factor", "offset", "slope"]].to_array().to_numpy(),
        "shift": truth["wavelength_shift"].to_numpy(),
    }


def test_quiet_spectra_are_beer_lambert_mixtures_of_the_pure_spectra():
    data = tablets(spectrometer=QUIET, scatter=0.0, n_foreign=4)
    fractions = data.truth["concentration"].to_numpy() / 100.0
    expected = fractions @ data.truth["absorptivity"].to_numpy()
    np.testing.assert_allclose(data.spectra.to_numpy(), expected, rtol=0, atol=1e-12)


def test_scatter_scales_the_path_and_adds_an_offset_and_a_falling_slope():
    data = tablets(n_batches=2, spectrometer=QUIET, scatter=0.2)
    truth = data.truth
    for row in (0, 13):
        tablet = truth.isel(sample=row)
        mixture = tablet["concentration"].to_numpy() / 100.0 @ truth["absorptivity"].to_numpy()
        falling = (1100.0 / truth["wavelength"].to_numpy()) ** 2
        expected = (
            float(tablet["path_factor"]) * mixture
            + float(tablet["offset"])
            + float(tablet["slope"]) * falling
        )
        np.testing.assert_allclose(data.spectra.to_numpy()[row], expected, rtol=0, atol=1e-12)


def test_no_scatter_leaves_unit_path_and_flat_baseline():
    truth = tablets(scatter=0.0).truth
    assert (truth["path_factor"] == 1.0).all()
    assert not truth["offset"].any()
    assert not truth["slope"].any()


def test_log_path_factor_and_offset_spread_as_documented():
    data = tablets(n_batches=4000, tablets_per_batch=1, scatter=0.1, spectrometer=TWO_POINTS)
    assert float(np.log(data.truth["path_factor"]).std()) == pytest.approx(0.1, rel=0.05)
    assert float(data.truth["offset"].std()) == pytest.approx(0.025, rel=0.05)


def test_slope_spreads_about_twice_the_scatter():
    data = tablets(n_batches=4000, tablets_per_batch=1, scatter=0.1, spectrometer=TWO_POINTS)
    logarithm = np.log(data.truth["slope"] / 0.2)
    assert float(logarithm.mean()) == pytest.approx(0.0, abs=0.015)
    assert float(logarithm.std()) == pytest.approx(np.hypot(0.2, 0.1), rel=0.05)


def test_every_composition_closes_to_100_percent():
    data = tablets(n_batches=200, n_foreign=10, strengths=[1.0, 30.0, 59.0])
    total = data.truth["concentration"].sum("component")
    np.testing.assert_allclose(total, 100.0, rtol=0, atol=1e-10)


def test_no_amount_is_negative():
    data = tablets(n_batches=500, n_foreign=10, strengths=[59.9], spectrometer=TWO_POINTS)
    assert (data.truth["concentration"] >= 0).all()


def test_content_spreads_about_the_nominal_strength_as_documented():
    data = tablets(n_batches=3000, tablets_per_batch=2, spectrometer=TWO_POINTS)
    relative = data.truth["concentration"].sel(component="api") / data.truth["strength"]
    pairs = np.log(relative.to_numpy()).reshape(-1, 2)
    # the variance of a difference within batches is twice that of a tablet
    assert np.std(pairs[:, 1] - pairs[:, 0]) / np.sqrt(2) == pytest.approx(0.02, rel=0.06)
    assert np.std(pairs) == pytest.approx(np.hypot(0.01, 0.02), rel=0.06)
    assert pairs.mean() == pytest.approx(0.0, abs=0.0015)


def test_moisture_differs_more_between_batches_than_within():
    data = tablets(n_batches=50, spectrometer=TWO_POINTS)
    water = data.truth["concentration"].sel(component="water").groupby("batch")
    assert water.mean().std() > 3 * water.std().mean()


def test_same_seed_gives_the_same_bytes():
    first, second = tablets(random_state=7), tablets(random_state=7)
    assert first.spectra.to_numpy().tobytes() == second.spectra.to_numpy().tobytes()
    assert first.spectra.identical(second.spectra)
    assert first.truth.identical(second.truth)


def test_another_seed_gives_other_tablets():
    first, second = draws(tablets(random_state=7)), draws(tablets(random_state=8))
    assert not any(np.array_equal(first[name], second[name]) for name in first)


def test_generator_starts_like_its_seed_and_moves_on():
    generator = np.random.default_rng(7)
    first, second = tablets(random_state=generator), tablets(random_state=generator)
    assert first.spectra.identical(tablets(random_state=7).spectra)
    assert not np.array_equal(first.spectra, second.spectra)


def test_simulation_leaves_the_global_generator_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    tablets(n_batches=1)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize(("change", "touched"), SETTINGS)
def test_changing_one_effect_leaves_the_draws_of_the_others_alone(change, touched):
    before, after = draws(tablets(random_state=3)), draws(tablets(random_state=3, **change))
    expected = touched | ({"reference error"} if "sel" in change else set())
    changed = {name for name in before if not np.allclose(before[name], after[name], atol=1e-9)}
    assert changed == expected


def test_another_spectrometer_measures_the_same_tablets():
    wide = Spectrometer(wavelength=np.arange(1000.0, 2500.0, 10.0), noise=0.0)
    first, second = tablets(), tablets(spectrometer=wide)
    xr.testing.assert_identical(first.truth["concentration"], second.truth["concentration"])
    xr.testing.assert_identical(first.spectra["api"], second.spectra["api"])


def test_reference_error_has_the_standard_deviation_sel():
    data = tablets(n_batches=400, sel=0.3, spectrometer=TWO_POINTS)
    error = data.spectra["api"] - data.truth["concentration"].sel(component="api")
    # four standard errors of a standard deviation, and of a mean, of n values
    n = error.size
    assert float(error.std()) == pytest.approx(0.3, abs=4 * 0.3 / np.sqrt(2 * n))
    assert float(error.mean()) == pytest.approx(0.0, abs=4 * 0.3 / np.sqrt(n))


def test_perfect_laboratory_reports_the_truth():
    data = tablets(sel=0.0)
    assert np.array_equal(data.spectra["api"], data.truth["concentration"].sel(component="api"))


def test_noise_grows_tenfold_with_each_unit_of_absorbance():
    data = tablets(n_batches=100, spectrometer=Spectrometer(noise=1e-3))
    error = data.spectra.to_numpy() - data.truth["noise_free"].to_numpy()
    level = data.truth["noise_free"].to_numpy()
    for low, high in ((0.0, 0.15), (0.3, 0.4), (0.5, 0.9)):
        here = (level > low) & (level < high)
        expected = np.sqrt(np.mean((1e-3 * 10.0 ** level[here]) ** 2))
        assert np.std(error[here]) == pytest.approx(expected, rel=0.03)


def test_noiseless_spectrometer_measures_the_noise_free_spectra():
    data = tablets(spectrometer=Spectrometer(noise=0.0))
    assert np.array_equal(data.spectra, data.truth["noise_free"])


def test_positive_shift_moves_a_band_maximum_to_longer_wavelength():
    axis = np.arange(1880.0, 2000.0, 0.25)
    settings = {"n_batches": 6, "scatter": 0.0}
    still = tablets(
        spectrometer=Spectrometer(wavelength=axis, noise=0.0, wavelength_shift=0.0), **settings
    )
    moved = tablets(
        spectrometer=Spectrometer(wavelength=axis, noise=0.0, wavelength_shift=6.0), **settings
    )
    distance = (
        axis[moved.spectra.to_numpy().argmax(1)] - axis[still.spectra.to_numpy().argmax(1)]
    )
    shift = moved.truth["wavelength_shift"].to_numpy()
    assert shift.min() < -1 < 1 < shift.max()
    np.testing.assert_allclose(distance, shift, rtol=0, atol=0.25)


def test_wavelength_scale_is_one_for_a_batch():
    shift = tablets(spectrometer=Spectrometer(wavelength_shift=1.0)).truth["wavelength_shift"]
    assert (shift.groupby("batch").std() < 1e-12).all()
    assert len(np.unique(shift)) == 12


def test_foreign_tablets_are_flagged_and_spread_over_the_last_batch():
    truth = tablets(n_batches=3, tablets_per_batch=9, n_foreign=3).truth
    flagged = truth["sample"].to_numpy()[truth["foreign"].to_numpy()]
    assert flagged.tolist() == ["B03-T01", "B03-T04", "B03-T07"]


def test_foreign_ingredient_takes_the_place_of_lactose():
    settings = {"n_batches": 2, "tablets_per_batch": 4}
    pure, mixed = tablets(**settings), tablets(**settings, n_foreign=2)
    change = (mixed.truth["concentration"] - pure.truth["concentration"]).isel(sample=4)
    expected = {"talc": 8.0, "lactose": -8.0}
    for component, difference in zip(
        change["component"].to_numpy(), change.to_numpy(), strict=True
    ):
        assert difference == pytest.approx(expected.get(component, 0.0), abs=1e-10)


def test_only_foreign_tablets_lie_outside_the_span_of_the_regular_ingredients():
    data = tablets(spectrometer=QUIET, scatter=0.0, n_foreign=4)
    regular = data.truth["absorptivity"].drop_sel(component="talc").to_numpy().T
    fitted = regular @ np.linalg.lstsq(regular, data.spectra.to_numpy().T)[0]
    outside = np.linalg.norm(data.spectra.to_numpy() - fitted.T, axis=1)
    foreign = data.truth["foreign"].to_numpy()
    assert outside[~foreign].max() < 1e-10
    assert outside[foreign].min() > 0.01


# the O-H combination of water and the overtone of the hydroxyl of talc, as any textbook of
# near-infrared spectroscopy gives them
@pytest.mark.parametrize(("component", "expected"), [("water", 1940.0), ("talc", 1391.0)])
def test_well_known_bands_stand_where_they_belong(component, expected):
    axis = np.arange(1300.0, 2100.0)
    truth = tablets(n_batches=1, spectrometer=Spectrometer(wavelength=axis)).truth
    pure = truth["absorptivity"].sel(component=component)
    assert float(pure["wavelength"][pure.argmax("wavelength")]) == pytest.approx(
        expected, abs=2.0
    )


def test_few_components_do_after_snv_and_derivative_but_not_for_raw_spectra():
    train, test = tablets(random_state=1), tablets(random_state=2)

    def treated(spectra):
        centred = spectra.to_numpy() - spectra.to_numpy().mean(1, keepdims=True)
        snv = centred / centred.std(1, ddof=1, keepdims=True)
        return savgol_filter(snv, 15, 2, deriv=1, axis=1)

    def rmsep(matrix):
        model = PLSRegression(4, scale=False).fit(matrix(train.spectra), train.spectra["api"])
        error = model.predict(matrix(test.spectra)).ravel() - test.spectra["api"].to_numpy()
        return np.sqrt(np.mean(error**2))

    # 1.25 % to 2.5 % of a label claim of 20 % w/w
    assert 0.25 < rmsep(treated) < 0.5
    assert rmsep(lambda spectra: spectra.to_numpy()) > 2 * rmsep(treated)


def test_batches_cycle_through_the_strengths():
    data = tablets(n_batches=3, tablets_per_batch=2, strengths=[10.0, 20.0])
    assert data.spectra["strength"].to_numpy().tolist() == [10, 10, 20, 20, 10, 10]


def test_labels_name_batch_and_tablet_and_sort():
    data = tablets(n_batches=2, tablets_per_batch=100, spectrometer=TWO_POINTS)
    samples = data.spectra["sample"].to_numpy().tolist()
    assert (samples[0], samples[-1]) == ("B01-T001", "B02-T100")
    assert samples == sorted(samples)
    assert np.unique(data.spectra["batch"]).tolist() == ["B01", "B02"]


def test_spectra_are_absorbance_from_1100_to_2200_nm():
    spectra = tablets().spectra
    assert spectra.attrs["quantity"] == "absorbance"
    assert spectra["wavelength"].attrs["units"] == "nm"
    assert spectra["wavelength"].to_numpy()[[0, 1, -1]].tolist() == [1100.0, 1104.0, 2200.0]
    assert spectra["api"].attrs["units"] == "%w/w"


def test_every_variable_of_the_truth_has_units():
    truth = tablets(n_batches=1).truth
    units = {name: variable.attrs["units"] for name, variable in truth.data_vars.items()}
    assert {name for name, unit in units.items() if unit == "%w/w"} == {
        "concentration",
        "batch_water",
    }
    assert {name for name, unit in units.items() if unit == "nm"} == {"wavelength_shift"}


def test_truth_and_spectra_share_their_labels():
    data = tablets(n_batches=2, n_foreign=1)
    for name in ("sample", "batch", "strength", "wavelength"):
        xr.testing.assert_equal(data.truth[name].variable, data.spectra[name].variable)


def test_descending_axis_reverses_the_spectra():
    axis = np.arange(1200.0, 1300.0, 5.0)
    up = tablets(spectrometer=Spectrometer(wavelength=axis, noise=0.0))
    down = tablets(spectrometer=Spectrometer(wavelength=axis[::-1], noise=0.0))
    np.testing.assert_array_equal(up.spectra.to_numpy()[:, ::-1], down.spectra.to_numpy())


def test_spectrometer_keeps_its_own_axis():
    axis = np.array([1200.0, 1300.0])
    spectrometer = Spectrometer(wavelength=axis)
    axis[0] = 1250.0
    assert spectrometer.wavelength.tolist() == [1200.0, 1300.0]
    with pytest.raises(ValueError, match="read-only"):
        spectrometer.wavelength[0] = 1250.0


def test_frame_holds_labels_first_and_then_the_wavelengths():
    data = tablets(n_batches=1, tablets_per_batch=2, spectrometer=TWO_POINTS)
    frame = data.to_frame()
    assert list(frame.columns) == ["sample", "batch", "strength", "api", 1200.0, 1600.0]
    assert frame["sample"].tolist() == ["B01-T01", "B01-T02"]
    assert np.array_equal(frame[[1200.0, 1600.0]], data.spectra)


def test_frame_survives_a_csv_file(tmp_path):
    data = tablets(n_batches=2)
    path = tmp_path / "tablets.csv"
    data.to_frame().to_csv(path, index=False)
    read = as_spectra(pd.read_csv(path), quantity="absorbance")
    np.testing.assert_allclose(read, data.spectra, rtol=1e-14)
    assert read["batch"].to_numpy().tolist() == data.spectra["batch"].to_numpy().tolist()
    np.testing.assert_allclose(read["api"], data.spectra["api"], rtol=1e-14)


@pytest.mark.parametrize("random_state", [1, np.random.default_rng(1)])
def test_dictionary_survives_json(random_state):
    data = tablets(n_batches=1, spectrometer=TWO_POINTS, random_state=random_state)
    read = json.loads(json.dumps(data.to_dict()))
    xr.testing.assert_allclose(xr.DataArray.from_dict(read["spectra"]), data.spectra)
    xr.testing.assert_allclose(xr.Dataset.from_dict(read["truth"]), data.truth)
    assert read["parameters"] == data.parameters


def test_parameters_hold_the_settings():
    spectrometer = Spectrometer(noise=1e-3, wavelength_shift=0.5)
    data = tablets(n_batches=2, strengths=(5, 6), spectrometer=spectrometer, random_state=9)
    assert data.parameters == {
        "n_batches": 2,
        "tablets_per_batch": 10,
        "strengths": [5.0, 6.0],
        "scatter": 0.08,
        "sel": 0.25,
        "n_foreign": 0,
        "noise": 1e-3,
        "wavelength_shift": 0.5,
        "random_state": 9,
    }


def test_faces_are_short():
    data = tablets(n_batches=20)
    assert repr(data).startswith("SimulatedTablets(200 spectra of 276 points, n_batches=20")
    assert len(data._repr_html_()) < 20_000


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_batches": 0}, "n_batches must be at least 1, got 0"),
        ({"tablets_per_batch": 0}, "tablets_per_batch must be at least 1, got 0"),
        ({"strengths": []}, "strengths must hold at least 1"),
        ({"strengths": [20.0, np.nan]}, r"strengths\[1\] is NaN"),
        ({"strengths": [0.0]}, r"strengths must lie in \(0, 60\)"),
        ({"strengths": [20.0, 60.0]}, r"strengths must lie in \(0, 60\)"),
        ({"strengths": "low"}, "strengths must hold numbers only"),
        ({"scatter": -0.1}, "scatter must not be negative, got -0.1"),
        ({"scatter": 1.0}, "scatter must lie in"),
        ({"sel": -0.1}, "sel must not be negative, got -0.1"),
        ({"sel": np.nan}, "sel must lie in"),
        ({"n_foreign": -1}, "n_foreign must be from 0 to 10, got -1"),
        ({"n_foreign": 11}, "n_foreign must be from 0 to 10, got 11"),
        ({"random_state": -1}, "random_state must be at least 0, got -1"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        tablets(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_batches": 2.5}, "n_batches must be a whole number"),
        ({"tablets_per_batch": True}, "tablets_per_batch must be a whole number"),
        ({"scatter": "high"}, "scatter must be a real number"),
        ({"sel": None}, "sel must be a real number"),
        ({"n_foreign": 1.0}, "n_foreign must be a whole number"),
        ({"spectrometer": 5}, "spectrometer must be a pharmaq.datasets.Spectrometer, got 5"),
        ({"random_state": None}, "random_state must be a whole number, got None"),
    ],
)
def test_settings_of_the_wrong_type_are_refused(settings, message):
    with pytest.raises(InputTypeError, match=message):
        tablets(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"noise": -1e-3}, "noise must not be negative, got -0.001"),
        ({"noise": 0.1}, "noise must lie in"),
        ({"wavelength_shift": -1.0}, "wavelength_shift must not be negative, got -1"),
        ({"wavelength_shift": 50.0}, "wavelength_shift must lie in"),
        ({"wavelength": [1200.0]}, "wavelength must hold at least 2"),
        ({"wavelength": [[1200.0, 1300.0]]}, "wavelength must be one-dimensional"),
        ({"wavelength": [1200.0, np.inf]}, r"wavelength\[1\] is inf"),
        ({"wavelength": [900.0, 1300.0]}, "wavelength must lie within 1000 to 2500 nm"),
        ({"wavelength": [1200.0, 2600.0]}, "wavelength must lie within 1000 to 2500 nm"),
        ({"wavelength": [1200.0, 1300.0, 1250.0]}, "wavelength must be strictly monotonic"),
        ({"wavelength": [1200.0, 1200.0]}, "wavelength must be strictly monotonic"),
    ],
)
def test_bad_spectrometer_is_refused(settings, message):
    with pytest.raises(InputError, match=message):
        Spectrometer(**settings)
