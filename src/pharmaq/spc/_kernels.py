"""Compiled recursions of charts with a memory: arrays in, arrays out, nothing is checked.

Two points are taken at a time: the second follows from the state before the first, so that the
chain of dependent operations is half as long. Both return the sum of what they read, which is
finite only if every value is: a check that costs no pass of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from numba import njit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@njit(cache=True, nogil=True)
def ewma(values: Array, lam: float, start: float, out: Array) -> float:
    """Exponentially weighted moving average, from the value before the first."""
    z, total = start, 0.0
    rest = 1.0 - lam
    rest2 = rest * rest
    even = values.size - values.size % 2
    for i in range(0, even, 2):
        first = lam * values[i]
        second = lam * values[i + 1] + rest * first
        total += values[i] + values[i + 1]
        out[i] = rest * z + first
        z = rest2 * z + second
        out[i + 1] = z
    for i in range(even, values.size):
        out[i] = rest * z + lam * values[i]
        total += values[i]
    return total


@njit(cache=True, nogil=True)
def cusum(
    values: Array, slack: float, start: tuple[float, float], upper: Array, lower: Array
) -> float:
    """Both one-sided cumulative sums of deviations beyond the slack, never below zero."""
    high, low = start
    total = 0.0
    even = values.size - values.size % 2
    for i in range(0, even, 2):
        x, y = values[i], values[i + 1]
        total += x + y
        up, down = x - slack, -x - slack
        # conditions are one instruction; max() asks for NaN first
        following = high + up
        upper[i] = following if following > 0.0 else 0.0
        following = low + down
        lower[i] = following if following > 0.0 else 0.0
        alone = y - slack
        both = high + (up + alone)
        alone = alone if alone > 0.0 else 0.0
        high = both if both > alone else alone
        alone = -y - slack
        both = low + (down + alone)
        alone = alone if alone > 0.0 else 0.0
        low = both if both > alone else alone
        upper[i + 1] = high
        lower[i + 1] = low
    for i in range(even, values.size):
        total += values[i]
        high += values[i] - slack
        low -= values[i] + slack
        upper[i] = high if high > 0.0 else 0.0
        lower[i] = low if low > 0.0 else 0.0
    return total
