"""Control chart constants: moments of range and standard deviation of normal samples."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import special

from pharmaq._checks import check_integer

__all__ = ["c4", "d2", "d3"]

# a range of n standard normal values beyond this has a probability below 1e-30
_LARGEST_RANGE = 17.0
_NODES = 400


def c4(n: int) -> float:
    """Return the mean of the standard deviation of n standard normal values.

    Parameters
    ----------
    n : int
        Sample size, at least 2.

    Returns
    -------
    float
        sqrt(2 / (n - 1)) Gamma(n / 2) / Gamma((n - 1) / 2), exact [1]_.

    References
    ----------
    .. [1] D. C. Montgomery, Introduction to Statistical Quality Control, 8th ed., Wiley.

    Examples
    --------
    >>> c4(5)
    0.939985...
    """
    n = check_integer("n", n, least=2)
    ratio = special.gammaln(n / 2) - special.gammaln((n - 1) / 2)
    return float(np.sqrt(2 / (n - 1)) * np.exp(ratio))


def d2(n: int) -> float:
    """Return the mean of the range of n standard normal values.

    Parameters
    ----------
    n : int
        Sample size, at least 2.

    Returns
    -------
    float
        Integral of 1 - P(range <= w) over w, by quadrature to 11 digits [1]_; not the three
        decimals of printed tables.

    References
    ----------
    .. [1] L. H. C. Tippett, Biometrika 17 (1925) 364-387.

    Examples
    --------
    >>> d2(5)
    2.325928947...
    """
    return _range_moments(check_integer("n", n, least=2))[0]


def d3(n: int) -> float:
    """Return the standard deviation of the range of n standard normal values.

    Parameters
    ----------
    n : int
        Sample size, at least 2.

    Returns
    -------
    float
        By quadrature to 11 digits, as `d2`.

    Examples
    --------
    >>> d3(5)
    0.864081...
    """
    return _range_moments(check_integer("n", n, least=2))[1]


@cache
def _range_moments(n: int) -> tuple[float, float]:
    """Return mean and standard deviation of the range, from its distribution function."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    w, dw = _LARGEST_RANGE / 2 * (nodes + 1), _LARGEST_RANGE / 2 * weights
    # P(range <= w) = n integral phi(x) [Phi(x + w) - Phi(x)]^(n - 1) dx
    x, dx = 9.0 * nodes, 9.0 * weights
    density = n * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi) * dx
    inside = special.ndtr(x[None, :] + w[:, None]) - special.ndtr(x)[None, :]
    above = 1 - inside ** (n - 1) @ density
    mean = float(np.sum(above * dw))
    square = float(np.sum(2 * w * above * dw))
    return mean, float(np.sqrt(square - mean**2))
