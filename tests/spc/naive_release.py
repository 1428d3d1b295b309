"""Slow twins of the release tests: the formulas as they are written."""

from __future__ import annotations

import math

import numpy as np


def f2(test: np.ndarray, reference: np.ndarray, estimator: str = "plain") -> float:
    """Similarity factor of units by times, term by term."""
    n_times = test.shape[1]
    total = 0.0
    for j in range(n_times):
        t, r = test[:, j], reference[:, j]
        total += (sum(t) / len(t) - sum(r) / len(r)) ** 2
        if estimator != "plain":
            errors = np.var(t, ddof=1) / len(t) + np.var(r, ddof=1) / len(r)
            total += errors if estimator == "expected" else -errors
    return 50 * math.log10(100 / math.sqrt(1 + total / n_times))


def distance(test: np.ndarray, reference: np.ndarray, margin: float) -> tuple[float, float]:
    """Mahalanobis distance of the means, and of a difference of the margin, by inversion."""
    n, m = len(test), len(reference)
    pooled = (n - 1) * np.cov(test.T) + (m - 1) * np.cov(reference.T)
    inverse = np.linalg.inv(np.atleast_2d(pooled / (n + m - 2)))
    d = test.mean(axis=0) - reference.mean(axis=0)
    g = np.full(test.shape[1], margin)
    return math.sqrt(d @ inverse @ d), math.sqrt(g @ inverse @ g)
