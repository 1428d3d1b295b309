"""What a study at several temperatures found, and what follows for others."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from pharmaq._checks import check_real
from pharmaq.errors import InputError
from pharmaq.results import Result
from pharmaq.spc.stability._scale import forward
from pharmaq.spc.stability.temperature import GAS_CONSTANT, kelvin

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["ArrheniusFit"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class ArrheniusFit(Result):
    """Rates by temperature, and what follows for other temperatures.

    Parameters
    ----------
    order : {"zero", "first"}
        Of the reaction; first order is a line of logarithms.
    method : {"one_step", "two_step"}
        How parameters were estimated.
    start : float
        Value at time 0 on the scale of the line.
    direction : float
        1 for growth, -1 for loss.
    log_rate : float
        Natural logarithm of the rate at the reference condition.
    activation_energy : float
        kJ/mol.
    humidity : float
        Change of the logarithm of the rate per per cent of relative humidity; 0 without.
    covariance : ndarray of shape (4, 4)
        Of start, log_rate, activation energy over the gas constant in 1000 K, humidity.
    sigma, dof : float
        Standard deviation about the model, and its degrees of freedom.
    reference : tuple of float
        Temperature in degC and relative humidity in % of the reference condition.
    rates : DataFrame
        A row a condition: temperature, humidity, n, rate and its standard error from a line
        of its own, and the rate of the model.
    curve : DataFrame
        Rate with confidence limits from 5 degC to the highest temperature, for pictures; empty
        with humidity.
    confidence : float
        Of all limits.
    """

    order: str
    method: str
    start: float
    direction: float
    log_rate: float
    activation_energy: float
    humidity: float
    covariance: Floats
    sigma: float
    dof: float
    reference: tuple[float, float]
    rates: pd.DataFrame
    curve: pd.DataFrame
    confidence: float

    @property
    def activation_energy_limits(self) -> tuple[float, float]:
        """Confidence limits of the activation energy, kJ/mol."""
        half = self._quantile() * math.sqrt(self.covariance[2, 2]) * 1000 * GAS_CONSTANT
        return self.activation_energy - half, self.activation_energy + half

    def rate(
        self, temperature: float, *, humidity: float | None = None
    ) -> tuple[float, float, float]:
        """Return rate, lower and upper confidence limit at a condition.

        Parameters
        ----------
        temperature : float
            degC.
        humidity : float, optional
            Per cent; the reference humidity by default.

        Returns
        -------
        tuple of float
            On the scale of the line per unit of time, positive.
        """
        g = self._gradient(temperature, humidity)
        log = self._log_rate(g)
        half = self._quantile() * math.sqrt(float(g @ self.covariance @ g))
        return math.exp(log), math.exp(log - half), math.exp(log + half)

    def life(
        self, temperature: float, *, limit: float, humidity: float | None = None
    ) -> tuple[float, float, float]:
        """Return the time until a limit is met, with confidence limits.

        Parameters
        ----------
        temperature : float
            degC.
        limit : float
            Specification, on the scale of the results.
        humidity : float, optional
            Per cent; the reference humidity by default.

        Returns
        -------
        tuple of float
            Time, lower and upper limit, in the unit of the data's times.

        Raises
        ------
        InputError
            If the value does not move towards the limit.

        Notes
        -----
        log time = log abs(limit - start) - log rate; its variance by the delta method. An
        extrapolation to lower temperatures is only as good as the law; it supports a shelf
        life and does not replace long-term data.
        """
        way = "log" if self.order == "first" else "none"
        target = float(forward(np.array([check_real("limit", limit)]), way, "limit")[0])
        distance = (target - self.start) * self.direction
        if distance <= 0:
            word = "rise" if self.direction > 0 else "fall"
            msg = f"limit {limit:g} is not ahead: values {word} from their start"
            raise InputError(msg)
        g = self._gradient(temperature, humidity)
        log = math.log(distance) - self._log_rate(g)
        g = -g
        g[0] = -self.direction / distance
        half = self._quantile() * math.sqrt(float(g @ self.covariance @ g))
        return math.exp(log), math.exp(log - half), math.exp(log + half)

    def to_frame(self) -> pd.DataFrame:
        """Return the rates."""
        return self.rates.copy()

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the logarithms of rates over reciprocal temperature.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.spc.stability import plots

        return plots.plot_arrhenius(self, ax=ax)

    def _quantile(self) -> float:
        return float(stats.t.isf((1 - self.confidence) / 2, self.dof))

    def _gradient(self, temperature: float, humidity: float | None) -> Floats:
        """Return derivatives of the logarithm of the rate."""
        value = check_real("temperature", temperature)
        x = 1000 / float(kelvin(np.array([value]), "degC")[0])
        middle = 1000 / (self.reference[0] + 273.15)
        moist = self.reference[1] if humidity is None else check_real("humidity", humidity)
        damp = 0.0 if math.isnan(moist) else moist - self.reference[1]
        return np.array([0.0, 1.0, -(x - middle), damp])

    def _log_rate(self, g: Floats) -> float:
        energy = self.activation_energy / GAS_CONSTANT / 1000
        return float(g @ np.array([0.0, self.log_rate, energy, self.humidity]))
