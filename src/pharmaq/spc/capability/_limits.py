"""Confidence limits of capability indices; NaN where no risk is given."""

from __future__ import annotations

import math

import numpy as np
from scipy import optimize, special

from pharmaq.spc.noncentral import noncentral_t

__all__ = ["bissell", "by_chi2", "by_noncentral_t", "unbiasing"]

_NONE = (math.nan, math.nan)


def by_chi2(index: float, nu: float, risk: float | None) -> tuple[float, float]:
    """Return limits of an index whose square falls as chi2 of nu degrees of freedom grows."""
    if risk is None:
        return _NONE
    low, high = special.chdtri(nu, np.array([1 - risk / 2, risk / 2])) / nu
    return index * math.sqrt(float(low)), index * math.sqrt(float(high))


def bissell(index: float, n: float, nu: float, risk: float | None) -> tuple[float, float]:
    """Return limits of the smaller of two indices by Bissell's variance."""
    if risk is None:
        return _NONE
    z = float(special.ndtri(1 - risk / 2))
    half = z * math.sqrt(1 / (9 * n) + index**2 / (2 * nu))
    return index - half, index + half


def by_noncentral_t(
    index: float, n: float, nu: float, risk: float | None
) -> tuple[float, float]:
    """Return limits of a one-sided index: 3 sqrt(n) times it is a noncentral t."""
    if risk is None:
        return _NONE
    scale = 3 * math.sqrt(n)
    t = scale * index

    def solve(probability: float) -> float:
        def excess(noncentrality: float) -> float:
            return probability - noncentral_t(t, nu, noncentrality)

        # a generous start; the distribution function falls in the noncentrality
        reach = 6 * math.sqrt(1 + t * t / (2 * nu))
        low, high = t - reach, t + reach
        while excess(low) > 0:
            low -= reach
        while excess(high) < 0:
            high += reach
        return float(optimize.brentq(excess, low, high, xtol=1e-10))

    return solve(1 - risk / 2) / scale, solve(risk / 2) / scale


def unbiasing(nu: float) -> float:
    """Return the mean of a root of chi2 / nu, c4(nu + 1), where nu need not be whole."""
    log_ratio = special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2)
    return math.sqrt(2 / nu) * math.exp(float(log_ratio))
