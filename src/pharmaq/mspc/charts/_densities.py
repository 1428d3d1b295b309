"""Densities of normal vectors by their length, and nodes to integrate them over."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import special

from pharmaq.spc.run_length import gauss_legendre

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# below this product of lengths the Bessel function is its first term
_SMALL = 1e-8


class HalfDisc(NamedTuple):
    """Quadrature nodes on a half disc: the part along a shift, and the length of the rest."""

    along: Array
    rest: Array
    weights: Array


def length_density(length: Array, mean: Array, dimension: int) -> Array:
    """Return the density of the length of a normal vector with unit covariance.

    Parameters
    ----------
    length, mean : ndarray
        Length of the vector, and of its mean; broadcast against each other.
    dimension : int
        Number of variables.

    Returns
    -------
    ndarray
        The noncentral chi density, r (r / m)^(d / 2 - 1) exp(-(r^2 + m^2) / 2)
        I_(d / 2 - 1)(r m).
    """
    order = dimension / 2 - 1
    product = length * mean
    central = length ** (dimension - 1) * np.exp(-0.5 * (length**2 + mean**2))
    central /= 2**order * special.gamma(dimension / 2)
    far = product > _SMALL
    safe = np.where(far, product, 1.0)
    ratio = np.where(far, length / np.where(mean > 0, mean, 1.0), 1.0)
    shifted = length * ratio**order * np.exp(-0.5 * (length - mean) ** 2)
    return np.where(far, shifted * special.ive(order, safe), central)


def interval(n: int, end: float) -> tuple[Array, Array]:
    """Return Gauss-Legendre nodes and weights on (0, end)."""
    nodes, weights = gauss_legendre(n)
    return end * (nodes + 1) / 2, end * weights / 2


def half_disc(n: int, radius: float) -> HalfDisc:
    """Return nodes on a half disc in polar angles: smooth up to where the rest ends.

    n is even; lengths of the rest come in pairs, those of n / 2 angles first.
    """
    angle, w_angle = interval(n, np.pi)
    share, w_share = interval(n, 1.0)
    # the same length on both sides of the middle, to the last bit
    half = radius * np.sin(angle[: n // 2])
    height = np.concatenate([half, half[::-1]])
    along = np.repeat(radius * np.cos(angle), n)
    rest = (height[:, None] * share).ravel()
    weights = ((w_angle * height**2)[:, None] * w_share).ravel()
    return HalfDisc(along, rest, weights)


def rest_density(rest: Array, mean: Array, dimension: int) -> Array:
    """Return `length_density` from each mean to each length, equal ones computed once.

    Parameters
    ----------
    rest : ndarray of shape (n,)
        Lengths that are reached.
    mean : ndarray of shape (m,)
        Lengths of the mean.
    dimension : int
        Number of variables.

    Returns
    -------
    ndarray of shape (m, n)
        The density.
    """
    lengths, place = np.unique(rest, return_inverse=True)
    means, origin = np.unique(mean, return_inverse=True)
    table = length_density(lengths, means[:, None], dimension)
    return table[np.ix_(origin, place)]
