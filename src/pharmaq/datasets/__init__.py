"""Seeded simulators of a small medicines plant, each with the truth beside its data."""

from pharmaq.datasets._bioreactor import BioreactorFault, SimulatedBioreactor, bioreactor
from pharmaq.datasets._optics import Spectrometer
from pharmaq.datasets._tablets import SimulatedTablets, tablets

__all__ = [
    "BioreactorFault",
    "SimulatedBioreactor",
    "SimulatedTablets",
    "Spectrometer",
    "bioreactor",
    "tablets",
]
