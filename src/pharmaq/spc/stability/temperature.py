"""The constant temperature with the same effect as a history: mean kinetic temperature."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from pharmaq._checks import check_choice, check_real, check_same_length, check_vector
from pharmaq.errors import InputError
from pharmaq.results import Result
from pharmaq.units import convert

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "ACTIVATION_ENERGY",
    "GAS_CONSTANT",
    "ZERO",
    "MeanKineticTemperature",
    "kelvin",
    "mean_kinetic_temperature",
    "mean_of_rates",
    "rates",
    "read_record",
]

# kJ / (mol K); with 83.14472 kJ/mol the quotient is 10000 K, as in USP <1079.2>
GAS_CONSTANT = 8.314472e-3
ACTIVATION_ENERGY = 83.14472
ZERO = 273.15


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class MeanKineticTemperature(Result):
    """The constant temperature with the same effect as a history of temperatures.

    Parameters
    ----------
    value : float
        Mean kinetic temperature, degC.
    mean, lowest, highest : float
        Arithmetic mean with the same weights, and extremes, degC.
    activation_energy, gas_constant : float
        kJ/mol and kJ/(mol K).
    weights : {"equal", "hold", "trapezoid"}
        How readings count.
    duration : float
        Hours from the first reading to the last; NaN without times.
    n : int
        Number of readings.
    """

    value: float
    mean: float
    lowest: float
    highest: float
    activation_energy: float
    gas_constant: float
    weights: str
    duration: float
    n: int

    def to_frame(self) -> pd.DataFrame:
        """Return one row."""
        return pd.DataFrame([self._fields()])


def mean_kinetic_temperature(
    temperature: ArrayLike,
    *,
    time: ArrayLike | None = None,
    weights: Literal["hold", "trapezoid"] = "trapezoid",
    activation_energy: float = ACTIVATION_ENERGY,
    units: str = "degC",
) -> MeanKineticTemperature:
    """Return the mean kinetic temperature of a record [1]_ [2]_.

    Parameters
    ----------
    temperature : array-like, shape (n,)
        Readings; NaN raises. A Series with an index of times brings its times along.
    time : array-like, shape (n,), optional
        Times of the readings, rising: hours or timestamps. Without times readings count
        equally.
    weights : {"hold", "trapezoid"}, default "trapezoid"
        With times: a reading holds until the next, or rates change linearly in between.
    activation_energy : float, default 83.14472
        kJ/mol; that of the pharmacopoeia makes the quotient with the gas constant 10000 K.
    units : str, default "degC"
        Of the readings.

    Returns
    -------
    MeanKineticTemperature
        In degC, with the arithmetic mean for comparison.

    Raises
    ------
    InputError
        If a reading is NaN or below absolute zero, or times do not rise.

    Notes
    -----
    T = (E / R) / -ln(mean of exp(-E / (R T_i))), temperatures in kelvin. It is at least the
    arithmetic mean. For frozen products it says nothing.

    References
    ----------
    .. [1] J. D. Haynes, J. Pharm. Sci. 60 (1971) 927-929.
    .. [2] USP <1079.2>, Mean Kinetic Temperature in the Evaluation of Temperature Excursions.

    Examples
    --------
    >>> found = mean_kinetic_temperature([2, 2, 5, 8, 8, 8, 8])
    >>> print(f"{found.value:.2f} degC, arithmetic {found.mean:.2f} degC")
    6.25 degC, arithmetic 5.86 degC
    """
    check_choice("weights", weights, ("hold", "trapezoid"))
    energy = check_real("activation_energy", activation_energy, above=0)
    T, hours = read_record(temperature, time, units)
    if hours is None:
        share, way = np.full(len(T), 1 / len(T)), "equal"
    elif len(T) == 1:
        share, way = np.ones(1), weights
    else:
        step = np.diff(hours)
        share = np.zeros(len(T))
        share[:-1] += step * (1.0 if weights == "hold" else 0.5)
        share[1:] += step * (0.0 if weights == "hold" else 0.5)
        share, way = share / share.sum(), weights
    return MeanKineticTemperature(
        value=mean_of_rates(float(share @ rates(T, energy)), energy),
        mean=float(share @ T) - ZERO,
        lowest=float(T.min()) - ZERO,
        highest=float(T.max()) - ZERO,
        activation_energy=energy,
        gas_constant=GAS_CONSTANT,
        weights=way,
        duration=math.nan if hours is None else float(hours[-1] - hours[0]),
        n=len(T),
    )


def kelvin(temperature: Floats, units: str) -> Floats:
    """Return temperatures in kelvin; raise below absolute zero."""
    T = temperature + ZERO if units == "degC" else convert(temperature, units, "kelvin")
    T = np.asarray(T, dtype=np.float64)
    if np.any(T <= 0):
        msg = (
            f"temperature must lie above absolute zero, got {temperature[T <= 0][0]:g} {units}"
        )
        raise InputError(msg)
    return T


def read_record(temperature: Any, time: Any, units: str) -> tuple[Floats, Floats | None]:
    """Return kelvin and hours."""
    if time is None and isinstance(temperature, pd.Series):
        index = temperature.index
        time = index if isinstance(index, pd.DatetimeIndex | pd.TimedeltaIndex) else None
    values = check_vector("temperature", temperature)
    T = kelvin(values, units)
    if time is None:
        return T, None
    hours = _hours(time)
    check_same_length(temperature=values, time=hours)
    falls = np.flatnonzero(np.diff(hours) <= 0)
    if falls.size:
        i = int(falls[0]) + 1
        msg = f"time must rise strictly, but reading {i} does not follow the one before"
        raise InputError(msg)
    return T, hours


def _hours(time: Any) -> Floats:
    index = pd.Index(time)
    if isinstance(index, pd.DatetimeIndex):
        index = index - index[0]
    if isinstance(index, pd.TimedeltaIndex):
        return index.total_seconds().to_numpy(np.float64) / 3600
    return check_vector("time", time)


def rates(T: Floats, energy: float) -> Floats:
    """Return rates relative to that at 25 degC, which keeps them near one."""
    return np.exp(energy / GAS_CONSTANT * (1 / (ZERO + 25) - 1 / T))


def mean_of_rates(rate: float, energy: float) -> float:
    """Return the temperature in degC at which the rate is the mean of others."""
    return 1 / (1 / (ZERO + 25) - math.log(rate) * GAS_CONSTANT / energy) - ZERO
