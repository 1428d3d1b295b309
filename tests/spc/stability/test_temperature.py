"""Mean kinetic temperature, excursions and rates by Arrhenius."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from pharmaq.errors import InputError
from pharmaq.spc import (
    CONTROLLED_COLD,
    StorageRule,
    arrhenius,
    evaluate_excursions,
    mean_kinetic_temperature,
)

TEMPERATURES = st.lists(st.floats(-20, 60), min_size=1, max_size=30)


# example of the PostgreSQL aggregate zelti/mkt on GitHub: 6.25 degC
def test_mean_kinetic_temperature_matches_a_published_example() -> None:
    found = mean_kinetic_temperature([2, 2, 5, 8, 8, 8, 8])
    assert round(found.value, 2) == 6.25
    assert found.activation_energy / found.gas_constant == pytest.approx(10_000)


@given(TEMPERATURES)
def test_it_is_the_definition_and_lies_between_mean_and_highest(values: list[float]) -> None:
    found = mean_kinetic_temperature(values)
    rates = [math.exp(-10_000 / (t + 273.15)) for t in values]
    assert found.value == pytest.approx(10_000 / -math.log(np.mean(rates)) - 273.15, abs=1e-8)
    assert found.mean - 1e-9 <= found.value <= found.highest + 1e-9


def test_readings_count_by_the_time_they_stand_for() -> None:
    index = pd.to_datetime(["2025-01-01", "2025-01-02", "2025-01-04"])
    series = pd.Series([20.0, 30.0, 25.0], index=index)
    hold = mean_kinetic_temperature(series, weights="hold")
    assert hold.mean == pytest.approx((20 + 2 * 30) / 3)
    assert (hold.duration, hold.weights) == (72.0, "hold")
    linear = mean_kinetic_temperature(series)
    assert linear.mean == pytest.approx((25 * 1 + 27.5 * 2) / 3)
    again = mean_kinetic_temperature(series.to_numpy(), time=[0, 24, 72])
    assert again.value == pytest.approx(linear.value)
    equal = mean_kinetic_temperature(series.reset_index(drop=True))
    assert equal.weights == "equal"
    fahrenheit = mean_kinetic_temperature([68.0, 86.0], units="degF")
    assert fahrenheit.value == pytest.approx(mean_kinetic_temperature([20.0, 30.0]).value)
    one = mean_kinetic_temperature([21.0], time=[0.0])
    assert one.value == pytest.approx(21.0)
    assert one.to_frame()["n"].item() == 1


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ([20, math.nan], {}, "temperature"),
        ([-300], {}, "absolute zero"),
        ([20, 21], {"time": [1, 1]}, "time must rise"),
        ([20, 21], {"time": [1]}, "lengths"),
        ([20], {"activation_energy": 0}, "activation_energy"),
        ([20], {"weights": "none"}, "weights"),
    ],
)
def test_bad_records_are_named(values: list, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        mean_kinetic_temperature(values, **options)


def test_excursions_have_duration_extreme_and_area() -> None:
    report = evaluate_excursions(
        [22, 27, 29, 24, 18, 17, 22], time=[0, 1, 2, 3, 4, 5, 6], subject="logger 7"
    )
    table = report.excursions
    assert table["side"].tolist() == ["above", "below"]
    assert table["hours"].tolist() == [2.0, 2.0]
    assert table["extreme"].tolist() == [29.0, 17.0]
    assert table["degree_hours"].tolist() == [3.0 + 2.0, 2.5 + 1.5]
    assert report.allowed
    assert {f.subject for f in report.findings} == {"logger 7"}
    assert [f.rule for f in report.findings] == ["excursion", "excursion", "short_record"]


def test_spikes_cold_and_long_times_are_not_allowed() -> None:
    hours = np.arange(0, 40 * 24, 1.0)
    room = np.full(len(hours), 22.0)
    room[100:130] = 32.0
    found = evaluate_excursions(room, time=hours)
    assert [f.rule for f in found.findings if f.severity == "action"] == ["duration"]
    room[200] = 41.0
    room[300] = 14.0
    rules = {f.rule for f in evaluate_excursions(room, time=hours).findings}
    assert {"spike", "too_cold", "duration"} <= rules
    warm = evaluate_excursions(np.full(len(hours), 26.0), time=hours)
    assert not warm.allowed
    assert warm.mkt == pytest.approx(26.0)
    assert not warm.excursions["ended"].item()


def test_rolling_mean_kinetic_temperature_is_that_of_the_last_hours() -> None:
    rng = np.random.default_rng(4)
    hours = np.cumsum(rng.uniform(0.5, 2.0, 60))
    cold = 5 + rng.standard_normal(60)
    report = evaluate_excursions(cold, time=hours, rule=CONTROLLED_COLD)
    i = 40
    fine = np.linspace(hours[i] - 24, hours[i], 20_001)
    rate = np.interp(fine, hours, np.exp(-10_000 / (cold + 273.15)))
    expected = 10_000 / -math.log(np.trapezoid(rate, fine) / 24) - 273.15
    assert report.rolling_mkt[i] == pytest.approx(expected, abs=1e-6)
    assert report.mkt == report.rolling_mkt[hours - hours[0] >= 24].max()
    whole = mean_kinetic_temperature(cold[:10], time=hours[:10])
    assert report.rolling_mkt[9] == pytest.approx(whole.value)


def test_a_rule_of_ones_own_and_a_single_reading() -> None:
    rule = StorageRule(
        name="freezer",
        low=-25,
        high=-15,
        allowed_low=-30,
        allowed_high=-10,
        spike=-5,
        spike_hours=1,
        mkt_limit=-15,
        mkt_hours=24,
    )
    report = evaluate_excursions([-20.0], time=[0.0], rule=rule)
    assert report.allowed
    assert report.to_frame().empty
    with pytest.raises(InputError, match="time must be given"):
        evaluate_excursions([20.0, 21.0])
    assert report.to_dict()["rule"]["name"] == "freezer"
    warm = evaluate_excursions([22.0, 31.0, 22.0], time=[0, 1, 2])
    ax = warm.plot()
    assert ax.lines[0].get_ydata().tolist() == pytest.approx([22.0, 31.0, 22.0])
    assert "1 excursion," in ax.get_title(loc="left")
    assert len(warm.plot(ax=ax).figure.axes) == 1


def degradation(noise: float = 0.0, humidity: tuple[float, ...] = (math.nan,)) -> pd.DataFrame:
    rng = np.random.default_rng(8)
    rows = []
    for celsius in (40.0, 50.0, 60.0, 70.0):
        for damp in humidity:
            rate = 0.05 * math.exp(-12_000 * (1 / (celsius + 273.15) - 1 / 313.15))
            rate *= 1 if math.isnan(damp) else math.exp(0.03 * (damp - 50))
            for week in (0, 2, 4, 8, 12):
                value = 100 - rate * week + noise * rng.standard_normal()
                rows.append((celsius, damp, week, value))
    return pd.DataFrame(rows, columns=["temperature", "humidity", "time", "value"])


@pytest.mark.parametrize("method", ["one_step", "two_step"])
def test_exact_data_give_their_law_back(method: Any) -> None:
    fit = arrhenius(degradation(), method=method)
    assert fit.activation_energy == pytest.approx(12_000 * 8.314472e-3, rel=1e-9)
    assert fit.start == pytest.approx(100)
    rate = 0.05 * math.exp(-12_000 * (1 / 298.15 - 1 / 313.15))
    assert fit.rate(25)[0] == pytest.approx(rate, rel=1e-8)
    assert fit.life(25, limit=95)[0] == pytest.approx(5 / rate, rel=1e-8)
    assert fit.direction == -1


def test_humidity_adds_its_term() -> None:
    fit = arrhenius(degradation(humidity=(20.0, 50.0, 75.0)), humidity="humidity")
    assert fit.humidity == pytest.approx(0.03, rel=1e-8)
    assert fit.rate(40, humidity=50)[0] == pytest.approx(0.05, rel=1e-8)
    assert fit.rate(40)[0] == pytest.approx(0.05 * math.exp(0.03 * (145 / 3 - 50)), rel=1e-8)
    two = arrhenius(degradation(humidity=(20.0, 75.0)), humidity="humidity", method="two_step")
    assert two.humidity == pytest.approx(0.03, rel=1e-8)
    assert fit.plot().get_yscale() == "log"


def test_uncertainty_equals_that_of_curve_fit() -> None:
    frame = degradation(noise=0.1)
    fit = arrhenius(frame)
    x = 1000 / (frame["temperature"].to_numpy() + 273.15)
    middle = 1000 / (fit.reference[0] + 273.15)
    theta, cov = optimize.curve_fit(
        lambda t, a, b, e: a - np.exp(b - e * (x - middle)) * t,
        frame["time"].to_numpy(float),
        frame["value"].to_numpy(),
        p0=[100, -1, 12],
    )
    assert [fit.start, fit.log_rate] == pytest.approx(theta[:2], rel=1e-6)
    assert fit.activation_energy == pytest.approx(theta[2] * 8.314472, rel=1e-6)
    assert fit.covariance[:3, :3] == pytest.approx(cov, rel=1e-4, abs=1e-12)
    low, high = fit.activation_energy_limits
    assert low < 12_000 * 8.314472e-3 < high
    life = fit.life(25, limit=95)
    assert life[1] < life[0] < life[2]
    # delta method against brute force: the same time from the rate and the start
    assert life[0] == pytest.approx((fit.start - 95) / fit.rate(25)[0])


def test_first_order_takes_logarithms() -> None:
    frame = degradation()
    decay = frame.assign(value=100 * np.exp((frame["value"] - 100) / 100))
    fit = arrhenius(decay, order="first")
    assert fit.rate(40)[0] == pytest.approx(0.0005, rel=1e-8)
    assert fit.life(40, limit=90)[0] == pytest.approx(math.log(100 / 90) / 0.0005, rel=1e-8)


def test_growth_is_as_good_as_loss() -> None:
    frame = degradation()
    fit = arrhenius(frame.assign(value=100.5 - frame["value"]))
    assert (fit.direction, fit.start) == (1, pytest.approx(0.5))
    assert fit.life(40, limit=1.0)[0] == pytest.approx(10, rel=1e-6)
    ax = fit.plot()
    assert ax.get_title(loc="left").startswith("E = 99.8")
    assert len(fit.plot(ax=ax).figure.axes) == 1
    assert fit.to_frame()["temperature"].tolist() == [40, 50, 60, 70]


def test_what_cannot_be_fitted_says_why() -> None:
    frame = degradation()
    with pytest.raises(InputError, match="temperatures must differ"):
        arrhenius(frame[frame["temperature"] == 40])
    with pytest.raises(InputError, match="at one time only"):
        arrhenius(frame[(frame["temperature"] == 40) | (frame["time"] == 0)])
    with pytest.raises(InputError, match="too few for method"):
        arrhenius(frame[frame["temperature"] <= 50], method="two_step")
    with pytest.raises(InputError, match="is not ahead"):
        arrhenius(frame).life(25, limit=105)
    mixed = frame.assign(value=np.where(frame["temperature"] == 40, 100, frame["value"]))
    mixed.loc[mixed["temperature"] == 40, "value"] += 0.1 * mixed["time"]
    with pytest.raises(InputError, match="move the other way"):
        arrhenius(mixed, method="two_step")
    assert arrhenius(mixed).activation_energy > 0
    with pytest.raises(InputError, match="one direction"):
        arrhenius(mixed[mixed["temperature"].isin([40, 50])])
    tied = frame.assign(humidity=1e5 / (frame["temperature"] + 273.15) - 250)
    with pytest.raises(InputError, match="tell temperature and humidity apart"):
        arrhenius(tied, humidity="humidity")
    few = frame[frame["temperature"].isin([40, 70]) & frame["time"].isin([0, 12])]
    few = few.assign(humidity=[20, 20, 75, 75])
    with pytest.raises(InputError, match="tell temperature"):
        arrhenius(few, humidity="humidity")
