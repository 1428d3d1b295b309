"""Warping of batches onto a reference: windows, groups of eight, paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pharmaq.mspc.alignment._distance import (
    local_distances,
    point_features,
    sample_features,
)
from pharmaq.mspc.alignment._patterns import step_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pharmaq.mspc.alignment._distance import Reference

    Array = NDArray[np.float64]

# points of the reference whose distances are held at a time: they fit the cache
_BLOCK = 32


class Steps(NamedTuple):
    """What a path may do: weight of a diagonal step, slope, and half width of the band."""

    diagonal: float
    slope: float | None
    band: float | None


class Path(NamedTuple):
    """Pairs of points and samples in order, and the sum of weighted distances along them."""

    points: NDArray[np.int64]
    samples: NDArray[np.int64]
    total: float


def warp(
    batches: Sequence[Array], reference: Reference, steps: Steps, *, opened: Sequence[bool]
) -> list[Path | None]:
    """Return the path of each batch; None where the steps allow none.

    The end of a batch that is `opened` may lie anywhere on the reference.
    """
    if steps.slope is not None:
        pairs = zip(batches, opened, strict=True)
        return [_warp_pattern(batch, reference, steps, opened=o) for batch, o in pairs]
    order = sorted(range(len(batches)), key=lambda i: len(batches[i]))
    found: list[Path | None] = [None] * len(batches)
    for at in range(0, len(order), 8):
        group = order[at : at + 8]
        paths = _warp_lanes(
            [batches[i] for i in group], reference, steps, [opened[i] for i in group]
        )
        for i, path in zip(group, paths, strict=True):
            found[i] = path
    return found


def window(n: int, K: int, band: float | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first and last sample that may meet each point: a band about the diagonal.

    The band is a share of the length, on either side; neighbouring points always keep a way
    between them.
    """
    if band is None:
        return np.zeros(K, dtype=np.int64), np.full(K, n - 1)
    middle = np.arange(K) * ((n - 1) / max(K - 1, 1))
    reach = max(band * (n - 1), 0.5 * (n - 1) / max(K - 1, 1), 0.5)
    low = np.ceil(middle - reach - 1e-9).clip(0, n - 1).astype(np.int64)
    high = np.floor(middle + reach + 1e-9).clip(0, n - 1).astype(np.int64)
    return low, high


class Lanes(NamedTuple):
    """Eight batches side by side: samples (n, lanes, variables), windows, lengths."""

    samples: Array
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    length: NDArray[np.int64]


def _side_by_side(
    batches: list[Array], K: int, band: float | None, opened: list[bool], lanes: int
) -> Lanes:
    # lanes without a batch repeat the last one; shorter batches end before the longest
    order = [*range(len(batches)), *[len(batches) - 1] * (lanes - len(batches))]
    length = np.array([len(batches[b]) for b in order])
    samples = np.zeros((length.max(), lanes, batches[0].shape[1]))
    low, high = np.empty((K, lanes), dtype=np.int64), np.empty((K, lanes), dtype=np.int64)
    for lane, b in enumerate(order):
        samples[: length[lane], lane] = batches[b]
        # where a batch that still runs will end is not known
        low[:, lane], high[:, lane] = window(length[lane], K, None if opened[b] else band)
    return Lanes(samples, low, high, length)


def _warp_lanes(
    batches: list[Array], reference: Reference, steps: Steps, opened: list[bool]
) -> list[Path | None]:
    from pharmaq.mspc.alignment._kernels import LANES, accumulate

    K = len(reference.points)
    samples, low, high, length = _side_by_side(batches, K, steps.band, opened, LANES)
    n = len(samples)
    complete = not np.isnan(samples).any()
    left = point_features(reference, complete=complete)
    right = sample_features(samples, reference, complete=complete).reshape(left.shape[1], -1)
    taken = np.empty((K, n, LANES), dtype=np.uint8)
    ends = np.empty((K, LANES))
    rows = np.full((n + 1, LANES), np.inf), np.full((n + 1, LANES), np.inf)
    rows[0][0] = 0.0
    room = np.empty((min(_BLOCK, K), n * LANES))
    for k in range(0, K, _BLOCK):
        stop = min(k + _BLOCK, K)
        first, last = int(low[k:stop].min()), int(high[k:stop].max()) + 1
        part = room[: stop - k, : (last - first) * LANES]
        np.matmul(left[k:stop], right[:, first * LANES : last * LANES], out=part)
        cost = part.reshape(stop - k, last - first, LANES)
        place = (k, first, low, high, length)
        rows = accumulate(cost, place, rows, steps.diagonal, taken, ends)
    return [
        _lane_path(taken, lane, len(batch), ends[:, lane], steps, opened=opened[lane])
        for lane, batch in enumerate(batches)
    ]


def _lane_path(
    taken: NDArray[np.uint8], lane: int, n: int, ends: Array, steps: Steps, *, opened: bool
) -> Path | None:
    from pharmaq.mspc.alignment._kernels import trace

    end = _end(ends, n, steps, opened=opened)
    if not np.isfinite(ends[end]):
        return None
    room = np.empty((len(ends) + n, 2), dtype=np.int64)
    pairs = room[trace(taken, lane, end, n - 1, room) :]
    return Path(pairs[:, 0], pairs[:, 1], float(ends[end]))


def _end(totals: Array, n: int, steps: Steps, *, opened: bool) -> int:
    """Return the point at which a path ends."""
    return best_end(totals, n, steps.diagonal) if opened else len(totals) - 1


def best_end(totals: Array, n: int, diagonal: float) -> int:
    """Return the point with the least sum, by length of path where steps are weighted so."""
    length = n + np.arange(1, len(totals) + 1) if diagonal == 2 else 1.0
    return int(np.argmin(totals / length))


def _warp_pattern(
    samples: Array, reference: Reference, steps: Steps, *, opened: bool
) -> Path | None:
    from pharmaq.mspc.alignment._kernels import fill, trace_pattern

    cost = local_distances(samples, reference)
    n, K = cost.shape
    pattern = step_pattern(steps.slope, steps.diagonal)
    low, high = window(K, n, None if opened else steps.band)
    total = np.full_like(cost, np.inf)
    total[0, 0] = steps.diagonal * cost[0, 0]
    low[0] = 1
    choice = np.zeros(cost.shape, dtype=np.uint8)
    fill(cost, total, choice, pattern.arrays, (0, low, high))
    end = _end(total[-1], n, steps, opened=opened)
    if not np.isfinite(total[-1, end]):
        return None
    room = np.empty((n + K, 2), dtype=np.int64)
    start = trace_pattern(choice, (pattern.cells, pattern.counts), end, n - 1, room)
    pairs = room[start:]
    return Path(pairs[:, 0], pairs[:, 1], float(total[-1, end]))
