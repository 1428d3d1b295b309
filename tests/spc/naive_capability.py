"""Slow twin of the resampling behind capability: one draw at a time, in plain integers."""

from __future__ import annotations

import numpy as np

_MASK = 2**64 - 1


def splitmix(seed: int):
    """Numbers of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    state = seed
    while True:
        state = (state + 0x9E3779B97F4A7C15) & _MASK
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        yield z ^ (z >> 31)


def resampled_moments(x: np.ndarray, seed: int, n_resamples: int) -> np.ndarray:
    """Sum and sum of squares of resamples; two draws from each number."""
    numbers, n = splitmix(seed), len(x)
    found = []
    for _ in range(n_resamples):
        places = []
        for _ in range(n // 2):
            z = next(numbers)
            places += [((z % 2**32) * n) >> 32, ((z >> 32) * n) >> 32]
        if n % 2:
            places.append(((next(numbers) >> 32) * n) >> 32)
        found.append([x[places].sum(), (x[places] ** 2).sum()])
    return np.array(found)


def resampled_sums(units: np.ndarray, draws: int, seed: int, n_resamples: int) -> np.ndarray:
    """Sums of rows drawn one by one."""
    numbers = splitmix(seed)
    places = [
        [((next(numbers) >> 32) * len(units)) >> 32 for _ in range(draws)]
        for _ in range(n_resamples)
    ]
    return np.array([units[chosen].sum(axis=0) for chosen in places])
