"""What the instruments of a simulated bioreactor say: units, noise, off-gas."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["SENSORS", "noise_free_readings", "sensor_noise"]

OXYGEN_IN, CARBON_DIOXIDE_IN = 0.2095, 0.0004
MOLAR_VOLUME = 22.414
"""Of a gas at 0 degC and 1 atm, L/mol: aeration is in normal litres."""


class Sensor(NamedTuple):
    """Unit, constant standard deviation, and one in proportion to the reading."""

    units: str
    noise: float
    relative: float = 0.0


SENSORS: dict[str, Sensor] = {
    "temperature": Sensor("degC", 0.03),
    "jacket_temperature": Sensor("degC", 0.15),
    "ph": Sensor("1", 0.008),
    "do": Sensor("%", 0.6),
    "stirrer": Sensor("1/min", 2.0),
    "aeration": Sensor("L/min", 0.04),
    "feed_rate": Sensor("L/h", 0.0015),
    "feed_total": Sensor("L", 0.002),
    "base_total": Sensor("L", 0.002),
    "volume": Sensor("L", 0.02),
    "o2_offgas": Sensor("%", 0.02),
    "co2_offgas": Sensor("%", 0.02),
    "glucose": Sensor("g/L", 0.04, 0.02),
    "biomass": Sensor("g/L", 0.05, 0.015),
}
"""The measured variables, in the order of the data."""


def noise_free_readings(truth: dict[str, Array]) -> Array:
    """Return what perfect sensors would say, shape (n_times, n_sensors).

    Parameters
    ----------
    truth : dict of str to ndarray, shape (n_times,)
        States and actuators of a culture.
    """
    # gas in and out in mol/h: what is taken up and evolved changes the flow as well
    flow = truth["aeration"] * 60.0 / MOLAR_VOLUME
    taken = truth["oxygen_uptake"] * truth["volume"]
    evolved = truth["carbon_dioxide_evolution"] * truth["volume"]
    out = flow - taken + evolved
    readings = {
        **truth,
        "do": truth["probe"],
        "o2_offgas": 100.0 * (OXYGEN_IN * flow - taken) / out,
        "co2_offgas": 100.0 * (CARBON_DIOXIDE_IN * flow + evolved) / out,
        # turbidity does not tell one organism from another
        "biomass": truth["biomass"] + truth["contaminant"],
    }
    return np.stack([readings[name] for name in SENSORS], axis=1)


def sensor_noise(readings: Array, stream: np.random.Generator) -> Array:
    """Draw the error of each reading."""
    constant = np.array([sensor.noise for sensor in SENSORS.values()])
    relative = np.array([sensor.relative for sensor in SENSORS.values()])
    spread = np.hypot(constant, relative * readings)
    return spread * stream.standard_normal(readings.shape)
