"""What differs from batch to batch: inoculum, raw materials, vessel, and what wanders."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.signal import lfilter

from pharmaq.datasets._bioreactor._culture import CULTURE, RECIPE, START

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["LEVELS", "SPREADS", "BatchLevels", "batch_levels", "draw_levels", "oxygen_wander"]

SPREADS = {
    "inoculum": 0.10,
    "initial_glucose": 0.03,
    "feed_glucose": 0.015,
    "medium": 0.02,
    "expression": 0.04,
    "buffer": 0.05,
    "pump": 0.01,
    "transfer": 0.05,
}
"""Standard deviations of the logarithm between batches."""

LEVELS = {
    "inoculum": ("g/L", START["biomass"]),
    "initial_glucose": ("g/L", START["glucose"]),
    "feed_glucose": ("g/L", CULTURE["feed_glucose"]),
    "medium": ("1", 1.0),
    "expression": ("1", 1.0),
    "buffer": ("mol/L", CULTURE["buffer"]),
    "pump": ("1", 1.0),
    "transfer": ("1/h", RECIPE["transfer"]),
}
"""Unit and median; ``medium`` is a factor of glucose uptake, ``expression`` of product."""

WANDER_SPREAD, WANDER_HOURS = 0.015, 0.5


class BatchLevels(NamedTuple):
    """What the kernel needs to know of one batch."""

    start: dict[str, float]
    culture: dict[str, float]
    recipe: dict[str, float]


def draw_levels(n_batches: int, variation: float, stream: np.random.Generator) -> Array:
    """Return the level of each of `LEVELS` in each batch, shape (n_batches, n_levels)."""
    # row by row: more batches leave the first ones as they were
    z = stream.standard_normal((n_batches, len(SPREADS)))
    median = np.array([level for _, level in LEVELS.values()])
    return median * np.exp(variation * np.array(list(SPREADS.values())) * z)


def batch_levels(row: Array) -> BatchLevels:
    """Return the constants that one row of `draw_levels` changes."""
    level = dict(zip(LEVELS, row.tolist(), strict=True))
    return BatchLevels(
        start={"biomass": level["inoculum"], "glucose": level["initial_glucose"]},
        culture={
            "uptake": CULTURE["uptake"] * level["medium"],
            "product_growth": CULTURE["product_growth"] * level["expression"],
            "product_steady": CULTURE["product_steady"] * level["expression"],
            "feed_glucose": level["feed_glucose"],
            "buffer": level["buffer"],
        },
        recipe={"pump": level["pump"], "transfer": level["transfer"]},
    )


def oxygen_wander(n_minutes: int, variation: float, stream: np.random.Generator) -> Array:
    """Draw the factor of oxygen transfer over time, a stationary first-order process."""
    keep = np.exp(-1.0 / (60.0 * WANDER_HOURS))
    shocks = stream.standard_normal(n_minutes)
    shocks[1:] *= np.sqrt(1.0 - keep**2)
    return np.exp(variation * WANDER_SPREAD * lfilter([1.0], [1.0, -keep], shocks))
