"""Slow twins of chart statistics: the plain recursion, one value at a time."""

from __future__ import annotations

import numpy as np


def ewma(values: np.ndarray, lam: float, start: float) -> np.ndarray:
    """Every average from the whole history: a weighted sum of all values and the start."""
    n = len(values)
    out = np.empty(n)
    for t in range(n):
        weights = lam * (1 - lam) ** np.arange(t, -1, -1)
        out[t] = weights @ values[: t + 1] + (1 - lam) ** (t + 1) * start
    return out


def cusum(values: np.ndarray, k: float) -> tuple[np.ndarray, np.ndarray]:
    """The largest sum of latest deviations beyond the slack, or nothing."""
    n = len(values)
    upper, lower = np.zeros(n), np.zeros(n)
    for t in range(n):
        for first in range(t + 1):
            part = values[first : t + 1]
            upper[t] = max(upper[t], np.sum(part - k))
            lower[t] = max(lower[t], np.sum(-part - k))
    return upper, lower


def moving_ranges(values: list[float], span: int) -> list[float]:
    """The range of each window."""
    windows = [values[i : i + span] for i in range(len(values) - span + 1)]
    return [max(w) - min(w) for w in windows]
