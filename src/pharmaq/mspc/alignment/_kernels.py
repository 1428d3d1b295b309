"""Compiled recursions of dynamic time warping: arrays in, arrays out, nothing is checked.

`accumulate` takes eight batches side by side, one in each lane of a vector: the recursion along
a batch is a chain in which every cell waits for the one before, but lanes do not wait for each
other. `fill` knows any step pattern and can go on row by row, for batches that still run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Ints = NDArray[np.int64]

# a constant of the loops below, so that they become single instructions
LANES = 8


@njit(cache=True, nogil=True)
def accumulate(
    cost: Array,
    window: tuple[int, int, Ints, Ints, Ints],
    rows: tuple[Array, Array],
    diagonal: float,
    steps: NDArray[np.uint8],
    ends: Array,
) -> tuple[Array, Array]:
    """Go over some points of the reference, for all samples of eight batches.

    `cost` is (points, samples, lanes) from sample `first` on; `window` has the number of the
    first point, the first sample of `cost`, then by point and lane the first and last sample
    allowed, and the number of samples of each lane. `rows` are the sums above, (samples + 1,
    lanes), and room for the next. Steps: 0 diagonal, 1 next point, 2 next sample.
    """
    point, first, low, high, length = window
    above, row = rows
    for r in range(cost.shape[0]):
        k = point + r
        start, stop = low[k, 0], high[k, 0]
        for b in range(1, 8):
            start, stop = min(start, low[k, b]), max(stop, high[k, b])
        for b in range(8):
            row[start, b] = np.inf
        for i in range(start, stop + 1):
            for b in range(8):
                c = cost[r, i - first, b]
                # rounding may leave a distance of 0 slightly below it
                c = c if c > 0.0 else 0.0
                across = above[i, b] + diagonal * c
                down = above[i + 1, b] + c
                along = row[i, b] + c
                step = np.uint8(0) if across <= down else np.uint8(1)
                best = across if across <= down else down
                step = np.uint8(2) if along < best else step
                best = along if along < best else best
                inside = (i >= low[k, b]) & (i <= high[k, b])
                row[i + 1, b] = best if inside else np.inf
                steps[k, i, b] = step
        for b in range(8):
            last = length[b] - 1
            reached = low[k, b] <= last <= high[k, b]
            ends[k, b] = row[last + 1, b] if reached else np.inf
        above, row = row, above
    return above, row


@njit(cache=True, nogil=True)
def trace(steps: NDArray[np.uint8], lane: int, point: int, sample: int, path: Ints) -> int:
    """Go back from an end; write (point, sample) pairs into the end of `path`, return where."""
    k, i = point, sample
    at = path.shape[0] - 1
    path[at, 0], path[at, 1] = k, i
    while k > 0 or i > 0:
        step = steps[k, i, lane]
        if step != 2:
            k -= 1
        if step != 1:
            i -= 1
        at -= 1
        path[at, 0], path[at, 1] = k, i
    return at


@njit(cache=True, nogil=True)
def fill(
    cost: Array,
    total: Array,
    choice: NDArray[np.uint8],
    pattern: tuple[Ints, Array, Ints],
    place: tuple[int, Ints, Ints],
) -> None:
    """Go over rows of samples from `place[0]` on, with any step pattern.

    `cost`, `total` and `choice` are (samples, points); `total` is infinite where nothing stands
    yet. `pattern` has the cells of each production as (sample, point) offsets backwards, the
    last one its origin; the weights of the cells before the origin; and how many these are.
    `place` has the first row, and the first and last point of each row.
    """
    cells, weights, counts = pattern
    begin, low, high = place
    for i in range(begin, cost.shape[0]):
        for k in range(low[i], high[i] + 1):
            for p in range(counts.size):
                last = counts[p]
                oi, ok = i - cells[p, last, 0], k - cells[p, last, 1]
                if oi < 0 or ok < 0:
                    continue
                value = total[oi, ok]
                for c in range(last):
                    value += weights[p, c] * cost[i - cells[p, c, 0], k - cells[p, c, 1]]
                if value < total[i, k]:
                    total[i, k] = value
                    choice[i, k] = p


@njit(cache=True, nogil=True)
def trace_pattern(
    choice: NDArray[np.uint8],
    pattern: tuple[Ints, Ints],
    point: int,
    sample: int,
    path: Ints,
) -> int:
    """Go back from an end through the cells of each production; as `trace` otherwise."""
    cells, counts = pattern
    k, i = point, sample
    at = path.shape[0] - 1
    path[at, 0], path[at, 1] = k, i
    while k > 0 or i > 0:
        p = choice[i, k]
        for c in range(1, counts[p] + 1):
            at -= 1
            path[at, 0], path[at, 1] = k - cells[p, c, 1], i - cells[p, c, 0]
        k -= cells[p, counts[p], 1]
        i -= cells[p, counts[p], 0]
    return at
