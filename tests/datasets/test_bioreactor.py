import json
import time

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.signal import savgol_filter
from sklearn.cross_decomposition import PLSRegression

from naive_bioreactor import C_ACETATE, C_CELLS, C_GLUCOSE, minute_later
from pharmaq.datasets import BioreactorFault, bioreactor
from pharmaq.errors import InputError, InputTypeError

STATES = [
    "biomass",
    "glucose",
    "acetate",
    "product",
    "variants",
    "volume",
    "temperature",
    "ph",
    "contaminant",
    "probe",
    "feed_total",
    "base_total",
    "oxygen_total",
    "carbon_dioxide_total",
]
ACTUATORS = ["feed_rate", "base_rate", "transfer", "jacket_temperature"]

EVERY_KIND = [
    BioreactorFault(batch="B001", kind="feed_failure", start=20.0, duration=1.5),
    BioreactorFault(batch="B002", kind="contamination", start=11.0, size=0.05),
    BioreactorFault(batch="B003", kind="temperature_excursion", start=12.0, size=2.0),
    BioreactorFault(batch="B004", kind="aeration_failure", start=16.0, size=0.4),
    BioreactorFault(batch="B005", kind="sensor_drift", start=14.0, variable="ph", size=0.05),
    BioreactorFault(batch="B006", kind="sensor_bias", start=9.0, variable="do", size=8.0),
    BioreactorFault(batch="B007", kind="sensor_bias", start=5.0, variable="glucose", size=1.0),
]


@pytest.fixture(scope="module")
def normal():
    return bioreactor(n_batches=12, random_state=3)


@pytest.fixture(scope="module")
def faulty():
    return bioreactor(n_batches=12, faults=EVERY_KIND, random_state=3)


@pytest.fixture(scope="module")
def minutes():
    return bioreactor(
        n_batches=2, faults=EVERY_KIND[:2], interval=1, raman_interval=None, random_state=5
    )


def of(frame, batch):
    return frame[frame["batch"] == batch].reset_index(drop=True)


def differ_from(first, second, batch, columns):
    """Return the first time at which two data sets differ in a batch."""
    one, two = of(first, batch), of(second, batch)
    rows = min(len(one), len(two))
    unequal = (one.loc[: rows - 1, columns] != two.loc[: rows - 1, columns]).any(axis=1)
    return one["time"][unequal.idxmax()] if unequal.any() else None


def actuators_of(rows):
    induced = rows["phase"].isin(["production", "harvest"]).astype(float)
    return np.column_stack([rows[ACTUATORS].to_numpy(), induced])


def worst_step(states, level, rows):
    """Return the largest relative error of one simulated minute from each of `rows`."""
    values, acts = states[STATES].to_numpy(), actuators_of(states)
    scale = np.maximum(np.abs(values).max(axis=0), 1e-6)
    errors = [
        np.abs(values[row + 1] - minute_later(values[row], acts[row], level)) / scale
        for row in rows
    ]
    return np.max(errors)


# the right-hand sides are written a second time in naive_bioreactor, with the constants of
# Anane et al. 2017, and integrated by scipy
@pytest.mark.parametrize("batch", ["B001", "B002"])
def test_every_minute_agrees_with_scipy_at_a_tight_tolerance(minutes, batch):
    states = of(minutes.states, batch)
    # the moment of the contamination is not part of the equations
    rows = [row for row in range(0, len(states) - 1, 61) if abs(row - 660) > 1]
    assert worst_step(states, minutes.levels.loc[batch], rows) < 1e-7


@pytest.mark.slow
def test_errors_of_integration_do_not_add_up(minutes):
    states, level = of(minutes.states, "B001"), minutes.levels.loc["B001"]
    acts = actuators_of(states)
    state = states[STATES].to_numpy()[0]
    for row in range(900):
        state = minute_later(state, acts[row], level)
    expected = states[STATES].to_numpy()[900]
    np.testing.assert_allclose(expected, state, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("batch", [f"B{number:03d}" for number in range(1, 8)])
def test_carbon_is_neither_made_nor_lost(faulty, batch):
    states, level = of(faulty.states, batch), faulty.levels.loc[batch]
    volume = states["volume"]
    cells = (states["biomass"] + states["contaminant"]) / C_CELLS
    held = volume * (states["glucose"] / C_GLUCOSE + states["acetate"] / C_ACETATE + cells)
    fed = states["feed_total"] * level["feed_glucose"] / C_GLUCOSE
    total = held + states["carbon_dioxide_total"] - fed
    if batch == "B002":
        # the cells that got in at 11 h
        total[states["time"] >= 11.0] -= 0.05 / C_CELLS * volume[states["time"] >= 11.0].iloc[0]
    np.testing.assert_allclose(total, total[0], rtol=1e-6)


@pytest.mark.parametrize("batch", ["B001", "B003", "B004"])
def test_electrons_of_the_substrate_end_in_cells_acetate_and_water(faulty, batch):
    states, level = of(faulty.states, batch), faulty.levels.loc[batch]
    sugar = 4 * states["glucose"] / C_GLUCOSE + 4 * states["acetate"] / C_ACETATE
    held = states["volume"] * (sugar + 4.2 * states["biomass"] / C_CELLS)
    fed = 4 * states["feed_total"] * level["feed_glucose"] / C_GLUCOSE
    total = held + 4 * states["oxygen_total"] - fed
    np.testing.assert_allclose(total, total[0], rtol=1e-6)


def test_volume_is_what_was_filled_in_and_pumped(normal):
    states = normal.states
    pumped = states["volume"] - states["feed_total"] - states["base_total"]
    np.testing.assert_allclose(pumped, 10.0, rtol=1e-12)


def test_every_amount_stays_positive(faulty):
    amounts = ["biomass", "glucose", "acetate", "product", "variants", "contaminant", "volume"]
    assert (faulty.states[amounts].to_numpy() >= 0).all()
    assert (faulty.states["probe"] > 0).all()
    assert (faulty.states["oxygen_uptake"] > 0).all()


def test_growth_yields_half_a_gram_of_cells_for_a_gram_of_glucose(normal):
    # 0.5 g/g is the textbook's value of Escherichia coli on glucose with air
    states = normal.states
    start = states.groupby("batch").first()
    end = states[states["phase"] == "batch"].groupby("batch").last()
    yielded = (end["biomass"] - start["biomass"]) / (start["glucose"] - end["glucose"])
    assert yielded.between(0.45, 0.55).all()


def test_off_gas_tells_uptake_back():
    quiet = bioreactor(n_batches=2, noise=0.0, variation=0.0)
    data, states = quiet.data, quiet.states
    flow = data["aeration"] * 60 / 22.414
    inert = 1 - 0.2095 - 0.0004
    out = flow * inert / (1 - data["o2_offgas"] / 100 - data["co2_offgas"] / 100)
    uptake = (0.2095 * flow - data["o2_offgas"] / 100 * out) / data["volume"]
    np.testing.assert_allclose(uptake, states["oxygen_uptake"], rtol=1e-9)
    evolved = (data["co2_offgas"] / 100 * out - 0.0004 * flow) / data["volume"]
    np.testing.assert_allclose(evolved, states["carbon_dioxide_evolution"], rtol=1e-9)


def test_controllers_hold_their_targets(normal):
    steady = normal.states[normal.states["phase"] == "fed_batch"]
    steady = steady[steady["time"] > 12.0]
    assert steady["temperature"].between(36.9, 37.1).all()
    assert steady["ph"].between(6.97, 7.03).all()
    assert steady["probe"].between(25.0, 45.0).all()
    cold = normal.states[normal.states["phase"] == "production"].groupby("batch").last()
    assert cold["temperature"].between(29.9, 30.1).all()


def test_phases_follow_each_other_in_every_batch(normal):
    for _, rows in normal.data.groupby("batch"):
        seen = rows["phase"].drop_duplicates().tolist()
        assert seen == ["batch", "fed_batch", "production", "harvest"]
        assert np.allclose(np.diff(rows["time"]), 0.1)


def test_batches_are_of_unequal_length(normal):
    assert normal.quality["duration"].nunique() > 6
    assert normal.quality["duration"].between(24.0, 34.0).all()


def test_same_seed_gives_the_same_bytes():
    first, second = bioreactor(n_batches=3), bioreactor(n_batches=3)
    pd.testing.assert_frame_equal(first.data, second.data, check_exact=True)
    pd.testing.assert_frame_equal(first.states, second.states, check_exact=True)
    pd.testing.assert_frame_equal(first.quality, second.quality, check_exact=True)
    assert first.spectra.identical(second.spectra)


def test_more_batches_leave_the_first_ones_alone(normal):
    fewer = bioreactor(n_batches=4, random_state=3)
    pd.testing.assert_frame_equal(
        fewer.data, normal.data.iloc[: len(fewer.data)], check_exact=True
    )
    pd.testing.assert_frame_equal(fewer.levels, normal.levels.iloc[:4], check_exact=True)


def test_generator_moves_on_and_the_global_one_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    generator = np.random.default_rng(7)
    first, second = (bioreactor(n_batches=1, random_state=generator) for _ in range(2))
    assert first.parameters["random_state"] == "Generator"
    pd.testing.assert_frame_equal(first.data, bioreactor(n_batches=1, random_state=7).data)
    assert not np.array_equal(first.levels, second.levels)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("fault", EVERY_KIND, ids=lambda fault: fault.batch)
def test_a_batch_is_the_same_to_the_bit_until_its_fault_starts(normal, faulty, fault):
    measured = list(normal.units)
    assert differ_from(normal.data, faulty.data, fault.batch, measured) == pytest.approx(
        # a drift starts at zero, and shows in the row after
        fault.start + (0.1 if fault.kind == "sensor_drift" else 0.0),
        abs=0.11,
    )


def test_batches_without_fault_are_the_same_to_the_bit(normal, faulty):
    for batch in ("B008", "B012"):
        pd.testing.assert_frame_equal(of(normal.data, batch), of(faulty.data, batch))


def test_feed_failure_stops_the_feed_for_as_long_as_it_lasts(faulty):
    rows = of(faulty.states, "B001")
    stopped = rows["time"][(rows["feed_rate"] == 0) & (rows["phase"] == "production")]
    assert (stopped.min(), stopped.max()) == pytest.approx((20.0, 21.4))


def test_contamination_takes_product_away(normal, faulty):
    assert faulty.levels.loc["B002", "titre"] < 0.8 * normal.levels.loc["B002", "titre"]
    assert faulty.levels.loc["B002", "purity"] < normal.levels.loc["B002", "purity"] - 1.0
    assert of(faulty.states, "B002")["contaminant"].max() > 1.0


def test_temperature_excursion_moves_the_culture_itself(faulty):
    rows = of(faulty.states, "B003")
    assert rows["temperature"][rows["time"].between(13.0, 15.0)].between(38.8, 39.2).all()


def test_a_drifting_sensor_on_target_takes_the_truth_along(faulty):
    data, states = of(faulty.data, "B005"), of(faulty.states, "B005")
    late = data["time"].between(24.0, 27.0)
    assert data["ph"][late].between(6.95, 7.05).all()
    drift = 0.05 * (data["time"][late] - 14.0)
    np.testing.assert_allclose(states["ph"][late], 7.0 - drift, atol=0.03)


def test_a_biased_sensor_without_controller_changes_nothing_but_its_reading(normal, faulty):
    before, after = of(normal.data, "B007"), of(faulty.data, "B007")
    difference = after["glucose"] - before["glucose"]
    # from the same draw: the reading is the same but for the bias
    np.testing.assert_allclose(difference, np.where(after["time"] >= 5.0, 1.0, 0.0), atol=1e-9)
    pd.testing.assert_frame_equal(of(normal.states, "B007"), of(faulty.states, "B007"))


def test_faults_are_listed_with_their_causes(faulty):
    faults = faulty.faults.set_index("batch")
    assert faults.loc["B001", "end"] == 21.5
    assert faults.loc["B001", "causes"] == "feed_rate, feed_total"
    assert faults.loc["B005", "causes"] == "ph, base_total"
    assert faults.loc["B007", "causes"] == "glucose"
    assert faults.loc["B005", "units"] == "1/h"
    assert faults["happened"].all()
    named = {name for text in faults["causes"] for name in text.split(", ")}
    assert named <= set(faulty.units)


def test_a_fault_after_the_end_did_not_happen():
    late = BioreactorFault(batch="B001", kind="feed_failure", start=50.0)
    plant = bioreactor(n_batches=1, faults=[late])
    assert plant.faults["happened"].tolist() == [False]
    pd.testing.assert_frame_equal(plant.data, bioreactor(n_batches=1).data)


def test_two_faults_of_a_batch_add_up():
    pair = [
        BioreactorFault(batch="B001", kind="feed_failure", start=12.0, size=0.5),
        BioreactorFault(batch="B001", kind="feed_failure", start=14.0, size=0.5),
    ]
    rows = bioreactor(n_batches=1, faults=pair, raman_interval=None).states
    alone = bioreactor(n_batches=1, raman_interval=None).states
    at = (rows["time"] - 13.0).abs().idxmin(), (rows["time"] - 15.0).abs().idxmin()
    ratio = rows["feed_rate"] / alone["feed_rate"].reindex(rows.index)
    assert ratio[list(at)].tolist() == pytest.approx([0.5, 0.25])


def test_a_culture_that_never_ends_is_given_up():
    cold = BioreactorFault(batch="B001", kind="temperature_excursion", start=0.0, size=-15.0)
    plant = bioreactor(n_batches=1, faults=[cold, cold])
    assert plant.quality["duration"].iloc[0] == pytest.approx(60.0, abs=0.02)
    assert plant.data["phase"].unique().tolist() == ["batch"]
    assert plant.quality["purity"].isna().all()


def test_sensors_scatter_as_stated():
    noisy, quiet = bioreactor(n_batches=8), bioreactor(n_batches=8, noise=0.0)
    error = noisy.data[list(noisy.units)] - quiet.data[list(quiet.units)]
    for name, expected in {"temperature": 0.03, "ph": 0.008, "do": 0.6, "volume": 0.02}.items():
        assert error[name].std() == pytest.approx(expected, rel=0.06)
        assert error[name].mean() == pytest.approx(0.0, abs=0.1 * expected)


def test_no_variation_makes_batches_alike():
    plant = bioreactor(n_batches=3, variation=0.0, noise=0.0)
    assert (plant.levels == plant.levels.iloc[0]).all(axis=None)
    pd.testing.assert_frame_equal(
        of(plant.data, "B001").drop(columns="batch"),
        of(plant.data, "B003").drop(columns="batch"),
    )


@pytest.mark.slow
def test_batches_differ_as_stated():
    levels = bioreactor(n_batches=200, interval=60, raman_interval=None).levels
    for name, spread in {"inoculum": 0.10, "feed_glucose": 0.015, "expression": 0.04}.items():
        assert np.log(levels[name]).std() == pytest.approx(spread, rel=0.2)


@pytest.mark.slow
def test_conditions_are_known_to_one_percent():
    plant = bioreactor(n_batches=200, interval=60, raman_interval=None)
    ratio = np.log(plant.conditions / plant.levels[plant.conditions.columns])
    assert ratio.to_numpy().std() == pytest.approx(0.01, rel=0.1)


def test_quality_is_the_truth_and_an_error_of_the_laboratory(normal):
    exact = bioreactor(n_batches=12, noise=0.0, random_state=3)
    columns = ["titre", "purity", "product_mass", "duration"]
    pd.testing.assert_frame_equal(exact.quality, exact.levels[columns])
    assert np.log(normal.quality["titre"] / normal.levels["titre"]).std() < 0.05


def test_quality_does_not_depend_on_how_often_is_recorded(normal):
    sparse = bioreactor(n_batches=12, interval=30, random_state=3)
    pd.testing.assert_frame_equal(sparse.quality, normal.quality)


def test_raman_spectra_carry_labels_and_laboratory_values(normal):
    spectra = normal.spectra
    assert spectra.dims == ("sample", "raman_shift")
    assert spectra["raman_shift"].attrs["units"] == "1/cm"
    assert spectra.attrs["quantity"] == "counts"
    assert spectra["sample"].to_numpy()[1] == "B001-01.00"
    assert spectra["time"].attrs["units"] == "h"
    assert len(np.unique(spectra["sample"])) == spectra.sizes["sample"]
    first = of(normal.states, "B001").iloc[::10]
    mine = spectra["glucose"][spectra["batch"] == "B001"]
    np.testing.assert_allclose(mine, first["glucose"], rtol=0.1, atol=0.2)


def test_raman_predicts_glucose_and_product_of_new_batches(normal):
    new = bioreactor(n_batches=6, random_state=9).spectra

    def treated(spectra):
        return savgol_filter(spectra.to_numpy(), 7, 2, deriv=1, axis=1)

    # of ranges of 11, 8.6 and 42 g/L
    for name, most in {"glucose": 0.3, "product": 0.6, "biomass": 1.5}.items():
        model = PLSRegression(5, scale=False).fit(treated(normal.spectra), normal.spectra[name])
        error = model.predict(treated(new)).ravel() - new[name].to_numpy()
        assert np.sqrt(np.mean(error**2)) < most


def test_spectra_can_be_left_out():
    assert bioreactor(n_batches=1, raman_interval=None).spectra is None


def test_result_becomes_frame_dict_and_text(faulty):
    assert faulty.to_frame() is faulty.data
    assert list(faulty.data.columns) == ["batch", "time", "phase", *faulty.units]
    text = json.dumps(faulty.to_dict())
    back = json.loads(text)
    assert back["quality"][0]["batch"] == "B001"
    xr.testing.assert_allclose(xr.DataArray.from_dict(back["spectra"]), faulty.spectra)
    assert "7 faults" in repr(faulty)
    assert "SimulatedBioreactor" in faulty._repr_html_()
    bare = bioreactor(n_batches=1, raman_interval=None)
    assert bare.to_dict()["spectra"] is None


@pytest.mark.parametrize(
    ("setting", "error", "match"),
    [
        ({"n_batches": 0}, InputError, "n_batches"),
        ({"n_batches": 2.5}, InputTypeError, "n_batches"),
        ({"variation": -0.1}, InputError, "variation"),
        ({"variation": np.nan}, InputError, "variation"),
        ({"noise": 200.0}, InputError, "noise"),
        ({"interval": 0}, InputError, "interval"),
        ({"interval": 7}, InputError, "raman_interval must be a multiple of interval, 7 min"),
        ({"raman_interval": 0}, InputError, "raman_interval"),
        ({"random_state": -1}, InputError, "random_state"),
        ({"faults": ["feed_failure"]}, InputTypeError, "BioreactorFault"),
        ({"faults": [EVERY_KIND[6]], "n_batches": 3}, InputError, "batches are B001 to B003"),
    ],
)
def test_bad_settings_are_named(setting, error, match):
    with pytest.raises(error, match=match):
        bioreactor(**{"n_batches": 1} | setting)


@pytest.mark.parametrize(
    ("setting", "match"),
    [
        ({"kind": "fire"}, "kind must be one of"),
        ({"start": -1.0}, "start"),
        ({"start": np.nan}, "start"),
        ({"duration": 0.0}, "duration"),
        ({"size": 0.0}, "size of a feed_failure must be above 0, at most 1, got 0.0"),
        ({"size": 1.5}, "at most 1"),
        ({"variable": "ph"}, "leave it out of 'feed_failure'"),
        ({"kind": "sensor_bias", "variable": "smell", "size": 1.0}, "variable must be one of"),
        ({"kind": "sensor_bias", "variable": "ph"}, "size of a sensor_bias is missing"),
        ({"kind": "sensor_drift", "variable": "ph", "size": 0.0}, "must be not zero"),
        ({"kind": "temperature_excursion", "size": 20.0}, "from -15 to 15"),
        ({"kind": "contamination", "duration": 2.0}, "contamination is one moment"),
    ],
)
def test_bad_faults_are_named(setting, match):
    with pytest.raises(InputError, match=match):
        BioreactorFault(**{"batch": "B001", "kind": "feed_failure", "start": 10.0} | setting)


@pytest.mark.slow
def test_a_hundred_batches_take_seconds():
    # compiled before the clock starts
    bioreactor(n_batches=1)
    start = time.process_time()
    bioreactor(n_batches=100)
    assert time.process_time() - start < 20.0
