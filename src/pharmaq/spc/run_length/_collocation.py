"""Integral equations whose solution has kinks, by collocation on pieces between them."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING

import numpy as np

from pharmaq.spc.run_length._ewma import gauss_legendre

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# polynomials of this many terms on each piece, and nodes for their integrals
_TERMS, _NODES = 16, 40
# narrower pieces than these make no difference: nothing signals where steps are so small
_MOST = 80


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Pieces:
    """Intervals of the state of a chart, with collocation points on each.

    Parameters
    ----------
    edges : ndarray of shape (n_pieces + 1,)
        Ends of the intervals, ascending.
    root : {-1, 0, 1}, default 0
        End of each piece, left or right, near which the solution is a smooth function of the
        root of the distance only; the noise is at its largest there. 0: smooth throughout.
    """

    edges: Array
    root: int = 0

    @property
    def points(self) -> Array:
        """Collocation points: images of the Gauss-Legendre nodes on each piece."""
        share = (gauss_legendre(_TERMS)[0] + 1) / 2
        if self.root:
            share = share**2
        left, width = self.edges[:-1, None], np.diff(self.edges)[:, None]
        return (left + width * (1 - share if self.root > 0 else share)).ravel()

    def integrals(
        self,
        to_noise: Callable[[float], Array],
        to_state: Callable[[Array], Array],
        density: Callable[[Array], Array],
    ) -> Array:
        """Return the integral of each basis polynomial over the noise, from each origin.

        Parameters
        ----------
        to_noise : callable
            Noise that leads from each origin, shape (n, 1), to a state, kept within its range.
        to_state : callable
            State that noise of shape (n, n_nodes) leads to.
        density : callable
            Density of the noise.

        Returns
        -------
        ndarray of shape (n, n_points)
            What a function's values at `points` are multiplied with to give its integral.
        """
        nodes, weights = gauss_legendre(_NODES)
        share, weights = (nodes + 1) / 2, weights / 2
        if self.root:
            share, weights = 1 - share**2, 2 * share * weights
        blocks = []
        for left, right in itertools.pairwise(self.edges):
            ends = to_noise(left), to_noise(right)
            low, width = np.minimum(*ends), abs(ends[1] - ends[0])
            noise = low + width * share
            mass = width * weights * density(noise)
            place = (to_state(noise) - left) / (right - left)
            if self.root:
                place = np.sqrt(np.clip(1 - place if self.root > 0 else place, 0.0, 1.0))
            blocks.append(np.einsum("ij,ijk->ik", mass, _basis(2 * place - 1)))
        return np.concatenate(blocks, axis=1)


def pieces(low: float, high: float, kinks: Array, widest: float, *, root: int = 0) -> Pieces:
    """Return pieces from low to high that break at the kinks and are not too wide."""
    inner = np.unique(kinks[(kinks > low) & (kinks < high)])
    ends = np.concatenate([[low], inner, [high]])
    # kinks that rounding alone tells apart
    ends = ends[np.concatenate([[True], np.diff(ends) > 1e-10 * (high - low)])]
    ends[-1] = high
    widest = max(widest, (high - low) / _MOST)
    parts = [
        np.linspace(left, right, int(np.ceil((right - left) / widest)) + 1)[:-1]
        for left, right in itertools.pairwise(ends)
    ]
    return Pieces(edges=np.append(np.concatenate(parts), high), root=root)


def _basis(place: Array) -> Array:
    """Return polynomials that are 1 at one collocation point and 0 at the others."""
    nodes, weights = gauss_legendre(_TERMS)
    order = np.arange(_TERMS)
    # discrete orthogonality of Legendre polynomials on their Gauss nodes
    table = np.polynomial.legendre.legvander(nodes, _TERMS - 1)
    coefficients = (2 * order[:, None] + 1) / 2 * (table * weights[:, None]).T
    return np.polynomial.legendre.legvander(place, _TERMS - 1) @ coefficients
