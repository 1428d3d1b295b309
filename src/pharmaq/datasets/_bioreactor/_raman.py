"""Raman spectra of a simulated culture: plausible bands, fluorescence, counting noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["ANALYTES", "RAMAN_SHIFT", "noise_free_spectra", "pure_spectra", "shot_noise"]

RAMAN_SHIFT = np.arange(500.0, 1801.0, 4.0)
"""In 1/cm."""

ANALYTES = ("glucose", "acetate", "biomass", "product")
"""What has bands of its own and changes; water, the probe and fluorescence stay beside it."""


class Band(NamedTuple):
    """Position and full width at half height in 1/cm, counts of one exposure for 1 g/L."""

    position: float
    width: float
    height: float


BANDS: dict[str, tuple[Band, ...]] = {
    "glucose": (
        Band(518, 22, 90.0),
        Band(912, 20, 50.0),
        Band(1060, 30, 80.0),
        Band(1125, 26, 120.0),
        Band(1365, 36, 60.0),
        Band(1460, 30, 35.0),
    ),
    "acetate": (
        Band(650, 18, 20.0),
        Band(928, 14, 130.0),
        Band(1348, 30, 25.0),
        Band(1414, 24, 70.0),
    ),
    "biomass": (
        Band(782, 18, 14.0),
        Band(1003, 12, 24.0),
        Band(1245, 60, 12.0),
        Band(1335, 40, 14.0),
        Band(1450, 34, 22.0),
        Band(1660, 50, 24.0),
    ),
    # rich in tryptophan and tyrosine
    "product": (
        Band(757, 12, 40.0),
        Band(830, 14, 18.0),
        Band(852, 14, 22.0),
        Band(1012, 12, 26.0),
        Band(1360, 16, 24.0),
        Band(1552, 14, 38.0),
        Band(1668, 30, 34.0),
    ),
}

WATER = (Band(1640, 110, 2600.0),)
SAPPHIRE = (Band(578, 8, 400.0), Band(645, 8, 250.0), Band(750, 8, 300.0))
"""Of the window of the probe."""

FLUORESCENCE, FLUORESCENCE_OF_CELLS, FLUORESCENCE_DECAY = 6000.0, 250.0, 900.0
TURBIDITY, TURBIDITY_HALF = 0.5, 40.0
READ_NOISE = 12.0
ACCUMULATIONS = 6
"""Exposures that are added up to one spectrum."""


def pure_spectra() -> Array:
    """Return counts of 1 g/L of each analyte in one exposure, shape (n_analytes, n_points)."""
    return np.stack([_profile(BANDS[name]) for name in ANALYTES])


def noise_free_spectra(concentration: Array, power: Array) -> Array:
    """Return expected counts, shape (n_samples, n_points).

    Parameters
    ----------
    concentration : ndarray, shape (n_samples, n_analytes)
        In g/L, in the order of `ANALYTES`.
    power : ndarray, shape (n_samples,)
        Of the laser, relative.
    """
    cells = concentration[:, [ANALYTES.index("biomass")]]
    decay = np.exp(-(RAMAN_SHIFT - RAMAN_SHIFT[0]) / FLUORESCENCE_DECAY)
    light = (FLUORESCENCE + FLUORESCENCE_OF_CELLS * cells) * decay
    inside = concentration @ pure_spectra() + _profile(WATER) + light
    # turbid broth scatters light away, the window in front of it does not
    seen = 1.0 - TURBIDITY * cells / (cells + TURBIDITY_HALF)
    return ACCUMULATIONS * power[:, None] * (seen * inside + _profile(SAPPHIRE))


def shot_noise(counts: Array, stream: np.random.Generator) -> Array:
    """Draw the error of counting, by its normal limit, and of reading."""
    return np.sqrt(counts + ACCUMULATIONS * READ_NOISE**2) * stream.standard_normal(
        counts.shape
    )


def _profile(bands: tuple[Band, ...]) -> Array:
    """Return Lorentz bands on the axis."""
    total = np.zeros_like(RAMAN_SHIFT)
    for band in bands:
        total += band.height / (1.0 + (2.0 * (RAMAN_SHIFT - band.position) / band.width) ** 2)
    return total
