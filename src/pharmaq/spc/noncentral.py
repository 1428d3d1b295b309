"""Distribution function of the noncentral t, by quadrature that never fails in its tails."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["noncentral_t"]

# a standard normal variable leaves +-9 with probability 2e-19
_REACH = 9.0


def noncentral_t(t: float, freedom: float, noncentrality: float) -> float:
    """Return the probability that a noncentral t is `t` or less.

    Parameters
    ----------
    t : float
        Argument.
    freedom : float
        Degrees of freedom, above 0; need not be whole.
    noncentrality : float
        Mean of the normal variable above the root of chi2 over its degrees of freedom.

    Returns
    -------
    float
        Probability, with an absolute error below 1e-9.

    Examples
    --------
    >>> round(noncentral_t(0.0, 5.0, 0.0), 12)
    0.5
    """
    if t < 0:
        return 1 - noncentral_t(-t, freedom, -noncentrality)
    # integrate over the wider of both distributions, so that the other one is no step
    if t * t > 2 * freedom:
        return _over_normal(t, freedom, noncentrality)
    root, weights = _chi_nodes(freedom)
    return float(weights @ special.ndtr(t * root - noncentrality))


def _over_normal(t: float, freedom: float, noncentrality: float) -> float:
    """Integrate the upper tail of chi over the normal variable above it."""
    start = max(-noncentrality, -_REACH)
    if start >= _REACH:
        return 1.0
    x, w = _legendre()
    u = (x + 1) / 2
    # crowded at the start, where chi comes from 0 with a fractional power
    z = start + (_REACH - start) * u**4
    step = (_REACH - start) * 2 * u**3 * w
    tail = special.gammaincc(freedom / 2, freedom / 2 * ((z + noncentrality) / t) ** 2)
    inner = float((step * np.exp(-0.5 * z**2)) @ tail) / math.sqrt(2 * math.pi)
    return float(special.ndtr(-noncentrality)) + inner


@functools.lru_cache(maxsize=64)
def _chi_nodes(freedom: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return nodes of a root of chi2 over its degrees of freedom, and their weights."""
    # in the logarithm: smooth for every number of degrees of freedom
    ends = special.chdtri(freedom, np.array([1 - 1e-15, 1e-17])) / freedom
    low, high = (0.5 * math.log(float(end)) for end in ends)
    x, w = _legendre()
    middle, half = (low + high) / 2, (high - low) / 2
    root = np.exp(middle + half * x)
    log_density = freedom * np.log(root) - freedom * (root**2 - 1) / 2
    weights = w * np.exp(log_density - log_density.max())
    return root, weights / weights.sum()


@functools.cache
def _legendre() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.polynomial.legendre.leggauss(160)
