"""Confidence limits of capability indices, and the test of normality before them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize, special

from pharmaq.spc.noncentral import noncentral_t

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["anderson_darling", "bissell", "by_chi2", "by_noncentral_t", "unbiasing"]


def by_chi2(index: float, nu: float, risk: float) -> tuple[float, float]:
    """Return limits of an index whose square falls as chi2 of nu degrees of freedom grows."""
    low, high = special.chdtri(nu, np.array([1 - risk / 2, risk / 2])) / nu
    return index * math.sqrt(float(low)), index * math.sqrt(float(high))


def bissell(index: float, n: int, nu: float, risk: float) -> tuple[float, float]:
    """Return limits of the smaller of two indices by Bissell's variance."""
    z = float(special.ndtri(1 - risk / 2))
    half = z * math.sqrt(1 / (9 * n) + index**2 / (2 * nu))
    return index - half, index + half


def by_noncentral_t(index: float, n: int, nu: float, risk: float) -> tuple[float, float]:
    """Return limits of a one-sided index: 3 sqrt(n) times it is a noncentral t."""
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


def anderson_darling(x: NDArray[np.float64]) -> tuple[float, float]:
    """Return A2 for normal values with estimated moments, and its p value (Stephens 1986)."""
    n = x.size
    z = np.sort((x - x.mean()) / x.std(ddof=1))
    terms = (2 * np.arange(1, n + 1) - 1) * (special.log_ndtr(z) + special.log_ndtr(-z[::-1]))
    a2 = -n - float(terms.mean())
    a = a2 * (1 + 0.75 / n + 2.25 / n**2)
    # D'Agostino and Stephens, Goodness-of-Fit Techniques, table 4.9
    if a < 0.2:
        p = -math.expm1(-13.436 + 101.14 * a - 223.73 * a**2)
    elif a < 0.34:
        p = -math.expm1(-8.318 + 42.796 * a - 59.938 * a**2)
    elif a < 0.6:
        p = math.exp(0.9177 - 4.279 * a - 1.38 * a**2)
    else:
        # the polynomial turns upwards beyond 153
        a = min(a, 153.0)
        p = math.exp(1.2937 - 5.709 * a + 0.0186 * a**2)
    return a2, p
