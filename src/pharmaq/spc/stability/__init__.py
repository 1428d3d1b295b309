"""Stability of products: shelf life, extrapolation, kinetics, temperature."""

from pharmaq.spc.stability._result import ShelfLife
from pharmaq.spc.stability._shelf_life import shelf_life
from pharmaq.spc.stability.extrapolation import ExtrapolationLimit, extrapolation_limit
from pharmaq.spc.stability.kinetics import ArrheniusFit, arrhenius
from pharmaq.spc.stability.lines import Lines, fit_lines
from pharmaq.spc.stability.temperature import (
    CONTROLLED_COLD,
    CONTROLLED_ROOM,
    ExcursionReport,
    MeanKineticTemperature,
    StorageRule,
    evaluate_excursions,
    mean_kinetic_temperature,
)

__all__ = [
    "CONTROLLED_COLD",
    "CONTROLLED_ROOM",
    "ArrheniusFit",
    "ExcursionReport",
    "ExtrapolationLimit",
    "Lines",
    "MeanKineticTemperature",
    "ShelfLife",
    "StorageRule",
    "arrhenius",
    "evaluate_excursions",
    "extrapolation_limit",
    "fit_lines",
    "mean_kinetic_temperature",
    "shelf_life",
]
