"""Step patterns of dynamic time warping by Sakoe and Chiba."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Pattern(NamedTuple):
    """Productions: cells backwards (the last is the origin), weights of the others, counts."""

    cells: NDArray[np.int64]
    weights: NDArray[np.float64]
    counts: NDArray[np.int64]

    @property
    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
        """The same as a plain tuple, as the kernel wants it."""
        return self.cells, self.weights, self.counts


# of one half, the others are mirrored; a cell is (samples back, points back)
_HALVES: dict[float | None, list[list[tuple[int, int]]]] = {
    None: [[(0, 0), (0, 1)]],
    0.5: [[(0, 0), (0, 1), (1, 2)], [(0, 0), (0, 1), (0, 2), (1, 3)]],
    1.0: [[(0, 0), (0, 1), (1, 2)]],
    2.0: [[(0, 0), (0, 1), (1, 2), (2, 3)]],
}
SLOPES = (0.5, 1.0, 2.0)


@cache
def step_pattern(slope: float | None, diagonal: float) -> Pattern:
    """Return the productions that a slope allows.

    A step in one direction weighs 1 and one in both `diagonal`; the weight of a step stands at
    the cell that it leads to.
    """
    half = _HALVES[slope]
    mirrored = [[(k, i) for i, k in cells] for cells in half]
    productions = [[(0, 0), (1, 1)], *half, *mirrored]
    counts = np.array([len(cells) - 1 for cells in productions])
    cells = np.zeros((len(productions), counts.max() + 1, 2), dtype=np.int64)
    weights = np.zeros((len(productions), counts.max()))
    for p, steps in enumerate(productions):
        cells[p, : len(steps)] = steps
        moves = np.diff(np.array(steps), axis=0)
        weights[p, : counts[p]] = np.where(moves.min(axis=1) > 0, diagonal, 1.0)
    return Pattern(cells, weights, counts)


def steepest(slope: float | None) -> float:
    """Return how many times faster or slower than the reference a slope lets a batch run."""
    return np.inf if slope is None else 1.0 + 1.0 / slope
