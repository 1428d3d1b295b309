"""Dynamic time warping written as its definition says, cell by cell."""

from __future__ import annotations

import numpy as np

# (samples, points) of each step from the origin to the cell, by slope constraint
PRODUCTIONS: dict[float | None, list[list[tuple[int, int]]]] = {
    None: [[(1, 1)], [(1, 0)], [(0, 1)]],
    0.5: [
        [(1, 1)],
        [(1, 1), (0, 1)],
        [(1, 1), (0, 1), (0, 1)],
        [(1, 1), (1, 0)],
        [(1, 1), (1, 0), (1, 0)],
    ],
    1.0: [[(1, 1)], [(1, 1), (0, 1)], [(1, 1), (1, 0)]],
    2.0: [[(1, 1)], [(1, 1), (1, 1), (0, 1)], [(1, 1), (1, 1), (1, 0)]],
}


def distances(samples: np.ndarray, points: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted squared distances over observed variables, scaled up to all of them."""
    out = np.zeros((len(samples), len(points)))
    for i, x in enumerate(samples):
        seen = ~np.isnan(x)
        for k, r in enumerate(points):
            if seen.any():
                part = np.sum(weights[seen] * (x[seen] - r[seen]) ** 2)
                out[i, k] = part * weights.sum() / weights[seen].sum()
    return out


def in_band(i: int, k: int, n: int, K: int, band: float | None) -> bool:
    """Tell whether sample i may meet point k."""
    step = (n - 1) / max(K - 1, 1)
    reach = np.inf if band is None else max(band * (n - 1), 0.5 * step, 0.5)
    return abs(i - k * step) <= reach + 1e-9


def warp(
    cost: np.ndarray,
    *,
    slope: float | None = None,
    diagonal: float = 2,
    band: float | None = None,
) -> tuple[np.ndarray, dict[tuple[int, int], list[tuple[int, int]]]]:
    """Return the sums at all cells, (samples, points), and the best path to each."""
    n, K = cost.shape
    total = np.full((n, K), np.inf)
    total[0, 0] = diagonal * cost[0, 0]
    paths: dict[tuple[int, int], list[tuple[int, int]]] = {(0, 0): [(0, 0)]}
    for i, k in np.ndindex(n, K):
        if not in_band(i, k, n, K, band):
            continue
        for steps in PRODUCTIONS[slope]:
            cells = [(i, k)]
            value = 0.0
            for di, dk in reversed(steps):
                at = cells[-1]
                value += cost[at] * (diagonal if di and dk else 1.0)
                cells.append((at[0] - di, at[1] - dk))
            origin = cells[-1]
            if origin in paths and total[origin] + value < total[i, k]:
                total[i, k] = total[origin] + value
                paths[i, k] = paths[origin] + cells[-2::-1]
    return total, paths
