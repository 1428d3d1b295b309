"""The cells, the vessel and the procedure of the simulated fed-batch: every number named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["ACTUATORS", "CULTURE", "RECIPE", "START", "STATES", "culture_array", "recipe_array"]

STATES = {
    "biomass": "g/L",
    "glucose": "g/L",
    "acetate": "g/L",
    "product": "g/L",
    "variants": "g/L",
    "volume": "L",
    "temperature": "degC",
    "ph": "1",
    "contaminant": "g/L",
    "probe": "%",
    "feed_total": "L",
    "base_total": "L",
    "oxygen_total": "mol",
    "carbon_dioxide_total": "mol",
}
"""The states of the culture and their units, in the order of the kernel."""

ACTUATORS = {
    "feed_rate": "L/h",
    "base_rate": "L/h",
    "transfer": "1/h",
    "jacket_temperature": "degC",
    "stirrer": "1/min",
    "aeration": "L/min",
    "oxygen_uptake": "mol/(L h)",
    "carbon_dioxide_evolution": "mol/(L h)",
}
"""What is recorded beside the states, in the order of the kernel."""

START = {
    "biomass": 0.4,
    "glucose": 10.0,
    "acetate": 0.01,
    "volume": 10.0,
    "temperature": 37.0,
    "ph": 7.0,
    "probe": 100.0,
}
"""The nominal state at inoculation; what is not named is zero."""

CULTURE = {
    # cardinal temperatures of growth in degC; culture_array fills in the level at 37 degC
    "temperature_low": 4.9,
    "temperature_best": 41.3,
    "temperature_high": 47.5,
    "warmth_at_37": 1.0,
    "ph_low": 4.4,
    "ph_best": 7.0,
    "ph_high": 9.6,
    # Anane et al. 2017: qSmax, Kia, Ks, pAmax, Kap, Yas, qAmax, Kis, Ksa, qm, Yem, Yxa, Yxsof
    "uptake": 0.6356,
    "acetate_inhibition": 1.2399,
    "glucose_half": 0.0370,
    "overflow": 0.2268,
    "overflow_half": 0.5052,
    "acetate_yield": 0.9097,
    "acetate_uptake": 0.1148,
    "glucose_inhibition": 2.1231,
    "acetate_half": 0.0134,
    "maintenance": 0.0129,
    "yield_glucose": 0.5333,
    "yield_acetate": 0.5718,
    "yield_overflow": 0.2268,
    # the contaminant: maximum growth per h, half-saturation g/L, yield and acetate in g/g
    "foreign_growth": 0.75,
    "foreign_half": 0.015,
    "foreign_yield": 0.45,
    "foreign_acetate": 0.25,
    # oxygen: mol/L in water at 37 degC under air, and the share of it that halves metabolism
    "oxygen_saturation": 2.1e-4,
    "oxygen_half": 0.005,
    # product: g/g of growth, g/g and h, acetate that halves it in g/L; loss to variants per h
    "product_growth": 0.20,
    "product_steady": 0.012,
    "product_acetate": 2.0,
    "spoilage": 0.006,
    "spoilage_warmth": 0.12,
    "spoilage_at": 30.0,
    # feed in g/L, heat of oxygen uptake in K L/mol, of the jacket per h, base in mol/L, buffer
    # in mol/L and unit of pH, lag of the oxygen probe in h
    "feed_glucose": 400.0,
    "oxygen_heat": 460.0 / 4.18,
    "jacket": 8.0,
    "base_strength": 6.0,
    "buffer": 0.03,
    "probe_lag": 20.0 / 3600.0,
}
"""Constants of cells and vessel, in the order of the kernel."""

RECIPE = {
    "stirrer_low": 300.0,
    "glucose_depleted": 0.05,
    "biomass_induction": 18.0,
    "fed_batch_longest": 14.0,
    "feed_volume": 2.4,
    "production_longest": 11.0,
    "harvest": 0.5,
    "feed_start": 0.040,
    "feed_growth": 0.16,
    "feed_production": 0.16,
    "pump": 1.0,
    "oxygen_target": 30.0,
    "stirrer_gain": 0.003,
    "stirrer_reset": 0.05,
    "stirrer_high": 1200.0,
    "aeration": 10.0,
    "transfer": 220.0,
    "temperature_growth": 37.0,
    "temperature_production": 30.0,
    "temperature_harvest": 15.0,
    "jacket_gain": 5.0,
    "jacket_low": 4.0,
    "jacket_high": 60.0,
    "jacket_reset": 0.25,
    "ph_target": 7.0,
    "base_gain": 0.5,
    "base_reset": 0.1,
    "base_high": 0.3,
    # 2 s: with the uptake of glucose at its fastest, a step stays far inside of stability
    "steps": 30.0,
}
"""Constants of the procedure and its controllers, in the order of the kernel."""


def culture_array(**changes: float) -> Array:
    """Return the constants of `CULTURE` as an array, some of them changed."""
    from pharmaq.datasets._bioreactor._kernels import warmth

    constants = CULTURE | changes
    low, best, high = (constants[f"temperature_{name}"] for name in ("low", "best", "high"))
    constants["warmth_at_37"] = warmth(37.0, low, best, high)
    return np.array(list(constants.values()))


def recipe_array(**changes: float) -> Array:
    """Return the constants of `RECIPE` as an array, some of them changed."""
    return np.array(list((RECIPE | changes).values()))
