"""Stability of products: shelf life, extrapolation, kinetics, temperature."""

from pharmaq.spc.stability._result import ShelfLife
from pharmaq.spc.stability._shelf_life import shelf_life
from pharmaq.spc.stability.extrapolation import ExtrapolationLimit, extrapolation_limit
from pharmaq.spc.stability.lines import Lines, fit_lines

__all__ = [
    "ExtrapolationLimit",
    "Lines",
    "ShelfLife",
    "extrapolation_limit",
    "fit_lines",
    "shelf_life",
]
