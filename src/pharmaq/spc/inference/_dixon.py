"""Distribution of Dixon's ratios for normal samples, by quadrature."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy import optimize, special

_NODES = 64
# the largest of three values and more lies in here, up to 1e-15; so does the range below 12
_LARGEST = (-5.0, 8.5)
_LONGEST = 12.0

# ratio: r_jk = (x_n - x_{n-j}) / (x_n - x_{k+1}); by sample size as Dixon chose
RATIOS = {"r10": (1, 0), "r11": (1, 1), "r21": (2, 1), "r22": (2, 2)}


def ratio_for(n: int) -> str:
    """Return the ratio that Dixon recommends for n values."""
    return "r10" if n <= 7 else "r11" if n <= 10 else "r21" if n <= 13 else "r22"


def tail_probability(ratio: str, n: int, above: float) -> float:
    """Return P(ratio > above) of n normal values, for one given end."""
    if above >= 1:
        return 0.0
    if above <= 0:
        return 1.0
    j, k = RATIOS[ratio]
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    r = above + (1 - above) / 2 * (nodes + 1)
    half = (_LARGEST[1] - _LARGEST[0]) / 2
    x, dx = _LARGEST[0] + half * (nodes + 1), half * weights
    # v = x_n - x_{k+1}: the joint density of three order statistics, with v as Jacobian
    v, dv = _LONGEST / 2 * (nodes + 1), _LONGEST / 2 * weights
    x, v, r = x[:, None, None], v[None, :, None], r[None, None, :]
    low, high = x - v, x - r * v
    below, middle, top = special.ndtr(low), special.ndtr(high), special.ndtr(x)
    density = np.exp(-(x**2 + low**2 + high**2) / 2) * v
    density *= below**k * (middle - below) ** (n - j - k - 2) * (top - middle) ** (j - 1)
    counts = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - j - k - 1)
    scale = math.exp(counts - math.lgamma(j)) / (2 * math.pi) ** 1.5
    total = np.einsum("ijk,i,j,k->", density, dx, dv, weights) * (1 - above) / 2
    return float(min(scale * total, 1.0))


@lru_cache(maxsize=256)
def critical_value(ratio: str, n: int, tail: float) -> float:
    """Return the ratio that is exceeded with probability tail at one given end."""
    return float(
        optimize.brentq(lambda q: tail_probability(ratio, n, q) - tail, 0.0, 1.0, xtol=1e-9)
    )
