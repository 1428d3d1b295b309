"""Compiled recursions of charts with a memory: arrays in, arrays out, nothing is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from numba import njit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@njit(cache=True, nogil=True)
def ewma(values: Array, lam: float, start: float, out: Array) -> None:
    """Exponentially weighted moving average, from the value before the first."""
    z = start
    rest = 1.0 - lam
    for i in range(values.size):
        # the product with the value does not wait for the average before
        z = rest * z + lam * values[i]
        out[i] = z


@njit(cache=True, nogil=True)
def cusum(
    values: Array,
    center: float,
    slack: float,
    start_upper: float,
    start_lower: float,
    upper: Array,
    lower: Array,
) -> None:
    """Both one-sided cumulative sums of deviations beyond the slack, never below zero."""
    high, low = start_upper, start_lower
    for i in range(values.size):
        deviation = values[i] - center
        high = max(0.0, high + (deviation - slack))
        low = max(0.0, low - (deviation + slack))
        upper[i] = high
        lower[i] = low
