"""Compiled resampling: sums over units drawn with replacement; nothing is checked.

Random numbers are those of SplitMix64, each a function of its place in the sequence alone, so
that a processor works at several of them at a time. One number of 64 bits gives two draws.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_LOW = np.uint64(0xFFFFFFFF)
_32, _30, _27, _31 = np.uint64(32), np.uint64(30), np.uint64(27), np.uint64(31)


@njit(inline="always")
def _scrambled(state: np.uint64) -> np.uint64:
    z = (state ^ (state >> _30)) * _FIRST
    z = (z ^ (z >> _27)) * _SECOND
    return z ^ (z >> _31)


@njit(cache=True, nogil=True)
def moments(values: Array, seed: np.uint64, out: Array) -> None:
    """Draw as many values as there are; sum and sum of squares, a row a resample."""
    n = values.size
    count = np.uint64(n)
    state = seed
    for b in range(out.shape[0]):
        first = 0.0
        second = 0.0
        first2 = 0.0
        second2 = 0.0
        for _ in range(n // 2):
            state += _STEP
            z = _scrambled(state)
            x = values[((z & _LOW) * count) >> _32]
            y = values[((z >> _32) * count) >> _32]
            first += x
            second += y
            first2 += x * x
            second2 += y * y
        if n % 2:
            state += _STEP
            x = values[((_scrambled(state) >> _32) * count) >> _32]
            first += x
            first2 += x * x
        out[b, 0] = first + second
        out[b, 1] = first2 + second2


@njit(cache=True, nogil=True)
def sums(units: Array, draws: int, seed: np.uint64, out: Array) -> None:
    """Add up the columns of `draws` rows drawn with replacement, a row a resample."""
    count = np.uint64(units.shape[0])
    state = seed
    for b in range(out.shape[0]):
        out[b] = 0.0
        for _ in range(draws):
            state += _STEP
            row = ((_scrambled(state) >> _32) * count) >> _32
            for k in range(units.shape[1]):
                out[b, k] += units[row, k]
