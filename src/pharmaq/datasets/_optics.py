"""How simulated tablets look to a spectrometer: absorption, scatter, instrument errors."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import numpy as np

from pharmaq._checks import check_real, check_vector
from pharmaq.datasets._bands import absorptivity
from pharmaq.datasets._composition import spread_factors
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = [
    "Spectrometer",
    "absorbance",
    "check_spread",
    "detector_noise",
    "scatter_effects",
]

WAVELENGTH_RANGE = (1000.0, 2500.0)

# absorbance per unit of `scatter`
OFFSET_SPREAD = 0.25
SLOPE_MEDIAN, SLOPE_SPREAD = 2.0, (0.20, 0.10)
SLOPE_ORIGIN, SLOPE_EXPONENT = 1100.0, -2.0


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Spectrometer:
    """The instrument of `tablets`: its axis, and the errors it adds to the spectra.

    Parameters
    ----------
    wavelength : array-like, shape (n_points,), optional
        Axis in nm, strictly monotonic, within 1000 to 2500 nm, which the simulated bands
        cover. The default is 1100 to 2200 nm in steps of 4 nm.
    noise : float, default 8e-4
        Standard deviation of the detector noise in absorbance units where the absorbance is
        zero; it grows with the absorbance A as 10^A.
    wavelength_shift : float, default 0.2
        Standard deviation in nm of the error of the wavelength scale, one draw a batch: the
        scale drifts between runs, not between tablets.

    Raises
    ------
    InputError
        If the axis is not finite, in order and in range, `noise` is not from 0 to below 0.1,
        or `wavelength_shift` not from 0 to below 50.
    InputTypeError
        If a standard deviation is no number.
    """

    wavelength: ArrayLike | None = None
    noise: float = 8e-4
    wavelength_shift: float = 0.2

    def __post_init__(self) -> None:
        check_spread("noise", self.noise, below=0.1)
        check_spread("wavelength_shift", self.wavelength_shift, below=50.0)
        given = np.arange(1100.0, 2201.0, 4.0) if self.wavelength is None else self.wavelength
        object.__setattr__(self, "wavelength", _check_axis(given))


def scatter_effects(
    shape: tuple[int, ...], scatter: float, stream: np.random.Generator
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Draw path factor, offset and slope of each tablet, and the levels of its batch."""
    path_level, path = _half_and_half(shape, stream)
    offset_level, offset = _half_and_half(shape, stream)
    slope_level, slope = spread_factors(shape, SLOPE_SPREAD, stream)
    effects = {
        "path_factor": np.exp(scatter * path),
        "offset": OFFSET_SPREAD * scatter * offset,
        "slope": SLOPE_MEDIAN * scatter * slope,
    }
    levels = {
        "batch_path_factor": np.exp(scatter * path_level),
        "batch_offset": OFFSET_SPREAD * scatter * offset_level,
        "batch_slope": SLOPE_MEDIAN * scatter * slope_level,
    }
    return effects, levels


def absorbance(wavelength: Array, concentration: Array, effects: dict[str, Array]) -> Array:
    """Return noise-free spectra by the Beer-Lambert law with additive scatter.

    Parameters
    ----------
    wavelength : ndarray, shape (n_batches, n_points)
        The wavelengths in nm at which the tablets of a batch were truly measured.
    concentration : ndarray, shape (n_batches, n_tablets, n_components)
        In % w/w.
    effects : dict of str to ndarray, shape (n_batches, n_tablets)
        ``path_factor``, ``offset`` and ``slope``.

    Returns
    -------
    ndarray, shape (n_batches, n_tablets, n_points)
        Absorbance.
    """
    columns = {name: effect[..., None] for name, effect in effects.items()}
    mixed = concentration / 100.0 @ absorptivity(wavelength)
    falling = (wavelength[:, None, :] / SLOPE_ORIGIN) ** SLOPE_EXPONENT
    return columns["path_factor"] * mixed + columns["offset"] + columns["slope"] * falling


def detector_noise(noise: float, noise_free: Array, stream: np.random.Generator) -> Array:
    """Draw the error in absorbance that a constant error of the intensity makes."""
    # first order in noise * 10**A: the exact form has no logarithm where noise drowns light
    return noise * 10.0**noise_free * stream.standard_normal(noise_free.shape)


def check_spread(name: str, value: float, *, below: float = math.inf) -> None:
    """Raise unless `value` is a number from zero to less than `below`."""
    if check_real(name, value, below=below) < 0:
        msg = f"{name} must not be negative, got {value!r}"
        raise InputError(msg)


def _check_axis(wavelength: ArrayLike) -> Array:
    # a copy: what the caller later does to his array must not change the instrument
    axis = check_vector("wavelength", wavelength, least=2).copy()
    low, high = WAVELENGTH_RANGE
    if axis.min() < low or axis.max() > high:
        msg = (
            f"wavelength must lie within {low:g} to {high:g} nm, where the simulated bands "
            f"are, got {axis.min():g} to {axis.max():g}"
        )
        raise InputError(msg)
    steps = np.diff(axis)
    if not ((steps > 0).all() or (steps < 0).all()):
        msg = "wavelength must be strictly monotonic; sort it and keep each point once"
        raise InputError(msg)
    axis.flags.writeable = False
    return axis


def _half_and_half(shape: tuple[int, ...], stream: np.random.Generator) -> tuple[Array, Array]:
    """Return standard normal draws, half of whose variance a batch has in common."""
    batch = stream.standard_normal((shape[0], 1)) * np.sqrt(0.5)
    return batch, batch + stream.standard_normal(shape) * np.sqrt(0.5)
