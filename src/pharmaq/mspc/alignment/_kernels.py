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
        start, stop = low[k].min(), high[k].max() + 1
        # from `inner` to `outer` all lanes are within their windows
        inner = max(start, min(low[k].max(), stop))
        outer = max(inner, min(high[k].min() + 1, stop))
        for b in range(8):
            row[start, b] = np.inf
        _cells(cost[r], above, row, steps[k], (start, inner, first, diagonal, low[k], high[k]))
        for i in range(inner, outer):
            for b in range(8):
                best, step = _cell(
                    cost[r, i - first, b], above[i, b], above[i + 1, b], row[i, b], diagonal
                )
                row[i + 1, b] = best
                steps[k, i, b] = step
        _cells(cost[r], above, row, steps[k], (outer, stop, first, diagonal, low[k], high[k]))
        for b in range(8):
            last = length[b] - 1
            reached = low[k, b] <= last <= high[k, b]
            ends[k, b] = row[last + 1, b] if reached else np.inf
        above, row = row, above
    return above, row


@njit(cache=True, nogil=True)
def _cells(
    cost: Array,
    above: Array,
    row: Array,
    steps: NDArray[np.uint8],
    place: tuple[int, int, int, float, Ints, Ints],
) -> None:
    """Go over samples that are outside the windows of some lanes."""
    start, stop, first, diagonal, low, high = place
    for i in range(start, stop):
        for b in range(8):
            best, step = _cell(
                cost[i - first, b], above[i, b], above[i + 1, b], row[i, b], diagonal
            )
            inside = (i >= low[b]) & (i <= high[b])
            row[i + 1, b] = best if inside else np.inf
            steps[i, b] = step


@njit(cache=True, nogil=True)
def _cell(
    distance: float, across: float, down: float, along: float, diagonal: float
) -> tuple[float, np.uint8]:
    """Return the least sum, and the step that leads to it."""
    # rounding may leave a distance of 0 slightly below it
    c = distance if distance > 0.0 else 0.0
    across, down, along = across + diagonal * c, down + c, along + c
    step = np.uint8(0) if across <= down else np.uint8(1)
    best = across if across <= down else down
    step = np.uint8(2) if along < best else step
    best = along if along < best else best
    return best, step


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


@njit(cache=True, nogil=True)
def means(values: Array, points: Ints, samples: Ints, out: Array) -> None:
    """Mean of the samples that meet each point, of values that are not NaN, into `out`."""
    at = 0
    number = np.empty(values.shape[1])
    while at < points.size:
        k = points[at]
        out[k] = 0.0
        number[:] = 0.0
        while at < points.size and points[at] == k:
            for j in range(values.shape[1]):
                v = values[samples[at], j]
                seen = v == v
                out[k, j] += v if seen else 0.0
                number[j] += 1.0 if seen else 0.0
            at += 1
        for j in range(values.shape[1]):
            out[k, j] = out[k, j] / number[j] if number[j] > 0 else np.nan
