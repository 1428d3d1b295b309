"""Slow twins of tests of data: the plain formula, one value at a time."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats


def anderson_darling(values: list[float]) -> float:
    """A^2 of a normal with mean and standard deviation from the data."""
    x = sorted(values)
    n, mean, sd = len(x), np.mean(x), np.std(x, ddof=1)
    total = 0.0
    for i in range(1, n + 1):
        low = stats.norm.logcdf((x[i - 1] - mean) / sd)
        high = stats.norm.logsf((x[n - i] - mean) / sd)
        total += (2 * i - 1) * (low + high)
    return -n - total / n


def largest_t(values: list[float]) -> tuple[int, float]:
    """Split with the largest two-sample t of equal spread, and that t."""
    best = (0, 0.0)
    for k in range(1, len(values)):
        before, after = values[:k], values[k:]
        within = sum((v - np.mean(part)) ** 2 for part in (before, after) for v in part)
        error = math.sqrt(within / (len(values) - 2) * (1 / k + 1 / len(after)))
        t = abs(np.mean(before) - np.mean(after)) / error
        best = max(best, (k, t), key=lambda pair: pair[1])
    return best


def pettitt(values: list[float]) -> tuple[int, float]:
    """Split with the largest Mann-Whitney sum of signs, and that sum."""
    best = (0, 0.0)
    for k in range(1, len(values)):
        u = abs(sum(np.sign(a - b) for a in values[:k] for b in values[k:]))
        best = max(best, (k, u), key=lambda pair: pair[1])
    return best


def dixon(values: list[float], j: int, k: int) -> float:
    """r_jk of the largest value."""
    x = sorted(values)
    return (x[-1] - x[-1 - j]) / (x[-1] - x[k])


def hamed_rao(values: list[float], slope: float) -> float:
    """Factor of the variance of S, from significant autocorrelations of the ranks."""
    n = len(values)
    ranks = stats.rankdata([v - slope * i for i, v in enumerate(values)])
    center, total = np.mean(ranks), 0.0
    variance = sum((r - center) ** 2 for r in ranks)
    for lag in range(1, n):
        rho = sum((ranks[i] - center) * (ranks[i + lag] - center) for i in range(n - lag))
        rho /= variance
        if abs(rho) > 1.959963984540054 / math.sqrt(n):
            total += (n - lag) * (n - lag - 1) * (n - lag - 2) * rho
    return 1 + 2 * total / (n * (n - 1) * (n - 2))


def mean_square_coefficients(groups: list[list[int]]) -> np.ndarray:
    """Expected sums of squares by projections: tr(Z' (P_i - P_i-1) Z) of each component."""
    n = len(groups[0])
    columns = [np.zeros(n, dtype=int), *map(np.asarray, groups), np.arange(n)]
    Z = [(c[:, None] == np.unique(c)[None, :]).astype(float) for c in columns]
    P = [z @ np.diag(1 / z.sum(axis=0)) @ z.T for z in Z]
    size = len(columns) - 1
    out = np.zeros((size, size))
    for i in range(size):
        for j in range(size):
            out[i, j] = np.trace(Z[j + 1].T @ (P[i + 1] - P[i]) @ Z[j + 1])
    return out
