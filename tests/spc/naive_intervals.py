"""Slow twin of generalized tolerance limits of values in batches: by simulation."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats


def generalized_limit(
    batches: list[list[float]], coverage: float, confidence: float, sides: str, *, draws: int
) -> tuple[float, float]:
    """Lower limit of Krishnamoorthy and Mathew, or of Liao, Lin and Iyer, and its noise."""
    rng = np.random.default_rng(2)
    k, n = len(batches), sum(map(len, batches))
    means = np.array([np.mean(one) for one in batches])
    part = np.mean([1 / len(one) for one in batches])
    ss_means = float(np.sum((means - means.mean()) ** 2))
    ss_within = sum(float(np.sum((np.array(one) - np.mean(one)) ** 2)) for one in batches)
    of_means = ss_means / rng.chisquare(k - 1, draws)
    within = ss_within / rng.chisquare(n - k, draws)
    if sides == "two":
        variance = of_means * (1 + 1 / k) + (1 - part) * within
        pivot = stats.norm.ppf((1 + coverage) / 2) * np.sqrt(variance)
    else:
        error = rng.standard_normal(draws) * np.sqrt(of_means / k)
        pivot = stats.norm.ppf(coverage) * np.sqrt(of_means + (1 - part) * within) - error
    half = float(np.quantile(pivot, confidence))
    # standard error of a quantile: that of the share below it over the density there
    step = 0.005
    slope = np.diff(np.quantile(pivot, [confidence - step, confidence + step]))[0] / (2 * step)
    return means.mean() - half, slope * math.sqrt(confidence * (1 - confidence) / draws)
