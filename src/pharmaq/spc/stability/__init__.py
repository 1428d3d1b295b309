"""Stability of products: shelf life, extrapolation, kinetics, temperature."""

from pharmaq.spc.stability._arrhenius import ArrheniusFit
from pharmaq.spc.stability._result import ShelfLife
from pharmaq.spc.stability._shelf_life import shelf_life
from pharmaq.spc.stability.excursions import (
    CONTROLLED_COLD,
    CONTROLLED_ROOM,
    ExcursionReport,
    StorageRule,
    evaluate_excursions,
)
from pharmaq.spc.stability.extrapolation import ExtrapolationLimit, extrapolation_limit
from pharmaq.spc.stability.kinetics import arrhenius
from pharmaq.spc.stability.lines import Lines, fit_lines
from pharmaq.spc.stability.random import RandomBatchShelfLife, random_batch_shelf_life
from pharmaq.spc.stability.release import ReleaseLimit, release_limit
from pharmaq.spc.stability.significant import SignificantChange, significant_change
from pharmaq.spc.stability.temperature import (
    MeanKineticTemperature,
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
    "RandomBatchShelfLife",
    "ReleaseLimit",
    "ShelfLife",
    "SignificantChange",
    "StorageRule",
    "arrhenius",
    "evaluate_excursions",
    "extrapolation_limit",
    "fit_lines",
    "mean_kinetic_temperature",
    "random_batch_shelf_life",
    "release_limit",
    "shelf_life",
    "significant_change",
]
