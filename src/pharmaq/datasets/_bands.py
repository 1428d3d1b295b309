"""Near-infrared bands of tablet ingredients: plausible numbers, not measured ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BANDS", "COMPONENTS", "absorptivity"]

LORENTZ_SHARE = 0.3
"""Share of the Lorentz profile in every band; solids lie between Gauss and Lorentz."""


class Band(NamedTuple):
    """One absorption band: centre and full width at half height in nm, height, assignment."""

    position: float
    width: float
    height: float
    group: str


BANDS: dict[str, tuple[Band, ...]] = {
    # an aromatic amide, in the manner of paracetamol
    "api": (
        Band(1130, 30, 0.10, "aromatic C-H, second overtone"),
        Band(1205, 45, 0.05, "methyl C-H, second overtone"),
        Band(1410, 60, 0.10, "phenol O-H and C-H combination"),
        Band(1500, 60, 0.22, "N-H, first overtone"),
        Band(1668, 32, 0.28, "aromatic C-H, first overtone"),
        Band(1722, 55, 0.10, "methyl C-H, first overtone"),
        Band(1915, 60, 0.12, "C=O, second overtone"),
        Band(2005, 65, 0.32, "N-H combination"),
        Band(2062, 55, 0.20, "amide N-H combination"),
        Band(2150, 55, 0.28, "aromatic C-H and C=C combination"),
        Band(2270, 65, 0.35, "C-H and C=O combination"),
        Band(2335, 60, 0.30, "C-H combination"),
        Band(2460, 70, 0.35, "aromatic C-H combination"),
    ),
    # as the monohydrate: its bound water shows at 1930 nm
    "lactose": (
        Band(1200, 70, 0.06, "C-H, second overtone"),
        Band(1360, 65, 0.08, "C-H combination"),
        Band(1450, 95, 0.22, "O-H, first overtone"),
        Band(1535, 65, 0.25, "O-H with hydrogen bond, first overtone"),
        Band(1690, 85, 0.16, "C-H, first overtone"),
        Band(1760, 75, 0.10, "C-H, first overtone"),
        Band(1930, 50, 0.30, "bound water, O-H combination"),
        Band(2020, 80, 0.18, "O-H combination"),
        Band(2100, 120, 0.55, "O-H and C-O combination"),
        Band(2260, 85, 0.40, "O-H and C-H combination"),
        Band(2320, 75, 0.45, "C-H combination"),
        Band(2480, 90, 0.45, "C-H and C-C combination"),
    ),
    "cellulose": (
        Band(1215, 75, 0.05, "C-H, second overtone"),
        Band(1365, 75, 0.10, "C-H combination"),
        Band(1430, 85, 0.16, "O-H in amorphous regions, first overtone"),
        Band(1490, 110, 0.28, "O-H in crystalline regions, first overtone"),
        Band(1585, 85, 0.15, "O-H with strong hydrogen bond, first overtone"),
        Band(1705, 95, 0.14, "C-H, first overtone"),
        Band(1780, 85, 0.10, "C-H, first overtone"),
        Band(1925, 80, 0.20, "bound water, O-H combination"),
        Band(2100, 140, 0.60, "O-H and C-O combination"),
        Band(2275, 90, 0.42, "O-H and C-C combination"),
        Band(2335, 85, 0.45, "C-H combination"),
        Band(2485, 95, 0.45, "C-H and C-C combination"),
    ),
    "magnesium_stearate": (
        Band(1210, 38, 0.45, "methylene C-H, second overtone"),
        Band(1392, 45, 0.22, "methylene C-H combination"),
        Band(1415, 45, 0.20, "methylene C-H combination"),
        Band(1725, 30, 0.95, "methylene C-H, first overtone, asymmetric"),
        Band(1760, 30, 0.75, "methylene C-H, first overtone, symmetric"),
        Band(2305, 32, 1.60, "methylene C-H combination"),
        Band(2345, 30, 1.40, "methylene C-H combination"),
    ),
    "water": (
        Band(1190, 70, 0.15, "O-H combination, second overtone region"),
        Band(1450, 110, 1.60, "O-H, first overtone"),
        Band(1790, 110, 0.20, "O-H combination"),
        Band(1940, 80, 3.40, "O-H combination"),
        Band(2500, 200, 2.50, "O-H combination"),
    ),
    # the foreign ingredient: nothing else in the tablet has a band as sharp
    "talc": (
        Band(1391, 10, 0.90, "Mg-O-H, first overtone"),
        Band(2080, 60, 0.20, "O-H combination"),
        Band(2290, 18, 0.50, "Mg-O-H combination"),
        Band(2312, 16, 1.20, "Mg-O-H combination"),
    ),
}

COMPONENTS: tuple[str, ...] = tuple(BANDS)


def absorptivity(wavelength: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what each pure component absorbs at `wavelength` (nm) over a unit path.

    Parameters
    ----------
    wavelength : ndarray, shape (..., n_points)
        In nm.

    Returns
    -------
    ndarray, shape (..., n_components, n_points)
        Absorbance of the pure component, in the order of `COMPONENTS`.
    """
    *outer, n_points = wavelength.shape
    spectra = np.zeros((*outer, len(COMPONENTS), n_points))
    for row, bands in enumerate(BANDS.values()):
        for band in bands:
            distance = (wavelength - band.position) / band.width
            spectra[..., row, :] += band.height * _pseudo_voigt(distance)
    return spectra


def _pseudo_voigt(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the profile of height 1 at a `distance` counted in full widths at half height."""
    square = 4.0 * distance**2
    return LORENTZ_SHARE / (1.0 + square) + (1.0 - LORENTZ_SHARE) * np.exp(
        -math.log(2.0) * square
    )
