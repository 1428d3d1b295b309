"""What simulated tablets consist of: batch levels, tablet to tablet variation, closure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pharmaq.datasets._bands import COMPONENTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Spread", "compose", "spread_factors"]

Spread = tuple[float, float]
"""Standard deviation of the logarithm between batches, and within a batch."""

CONTENT_SPREAD: Spread = (0.010, 0.020)
WATER, WATER_SPREAD = 3.0, (0.15, 0.03)
STEARATE, STEARATE_SPREAD = 1.0, (0.05, 0.05)
# of what API, water and stearate leave; the rest is cellulose
LACTOSE_SHARE, LACTOSE_SPREAD = 0.65, (0.015, 0.010)
FOREIGN_CONTENT = 8.0


def compose(
    nominal: Array,
    foreign: NDArray[np.bool_],
    content_stream: np.random.Generator,
    excipient_stream: np.random.Generator,
) -> tuple[Array, dict[str, Array]]:
    """Draw what each tablet holds.

    Parameters
    ----------
    nominal : ndarray, shape (n_batches, n_tablets)
        Nominal API content in % w/w.
    foreign : ndarray of bool, shape (n_batches, n_tablets)
        Tablets in which talc takes the place of some lactose.
    content_stream, excipient_stream : Generator
        Of the API, and of all else.

    Returns
    -------
    concentration : ndarray, shape (n_batches, n_tablets, n_components)
        In % w/w, in the order of `COMPONENTS`.
    levels : dict of str to ndarray, shape (n_batches, 1)
        The batch's own content factor, moisture (% w/w) and share of lactose.
    """
    shape = nominal.shape
    content_level, content = spread_factors(shape, CONTENT_SPREAD, content_stream)
    water_level, water = spread_factors(shape, WATER_SPREAD, excipient_stream)
    _, stearate = spread_factors(shape, STEARATE_SPREAD, excipient_stream)
    share_level, share = spread_factors(shape, LACTOSE_SPREAD, excipient_stream)
    amounts = {
        "api": nominal * content,
        "water": WATER * water,
        "magnesium_stearate": STEARATE * stearate,
        "talc": FOREIGN_CONTENT * foreign,
    }
    filler = 100.0 - amounts["api"] - amounts["water"] - amounts["magnesium_stearate"]
    amounts["cellulose"] = (1.0 - LACTOSE_SHARE * share) * filler
    amounts["lactose"] = filler - amounts["cellulose"] - amounts["talc"]
    levels = {
        "batch_content_factor": content_level,
        "batch_water": WATER * water_level,
        "batch_lactose_share": LACTOSE_SHARE * share_level,
    }
    return np.stack([amounts[name] for name in COMPONENTS], axis=-1), levels


def spread_factors(
    shape: tuple[int, ...], spread: Spread, stream: np.random.Generator
) -> tuple[Array, Array]:
    """Return log-normal factors of each batch, shape (n, 1), and of each tablet in it."""
    # the logarithm is what varies: no draw can make an amount negative
    between, within = spread
    batch = np.exp(between * stream.standard_normal((shape[0], 1)))
    return batch, batch * np.exp(within * stream.standard_normal(shape))
