"""What every kind of running phase answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


class Now(NamedTuple):
    """Statistics of one moment."""

    scores: Array
    t2: float
    spe: float
    spe_cumulative: float
    t2_contributions: Array
    spe_contributions: Array
