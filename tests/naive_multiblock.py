"""Slow twin of multi-block PLS: block by block, as its authors write it."""

from __future__ import annotations

from typing import Any

import numpy as np


def super_score_mbpls(
    blocks: list[np.ndarray], Y: np.ndarray, n_components: int, steps: int = 20_000
) -> dict[str, Any]:
    """Westerhuis, Kourti and MacGregor (1998), deflation by super scores, of centred data.

    Every block is divided by the root of its number of columns.
    """
    parts = [block / np.sqrt(block.shape[1]) for block in blocks]
    found: dict[str, list[Any]] = {name: [] for name in ("wb", "tb", "ws", "ts", "pb", "q")}
    for _ in range(n_components):
        u = Y[:, 0]
        for _ in range(steps):
            wb = [part.T @ u / (u @ u) for part in parts]
            wb = [w / np.linalg.norm(w) for w in wb]
            tb = np.column_stack([part @ w for part, w in zip(parts, wb, strict=True)])
            ws = tb.T @ u / (u @ u)
            ws /= np.linalg.norm(ws)
            ts = tb @ ws
            q = Y.T @ ts / (ts @ ts)
            new = Y @ q / (q @ q)
            done = np.linalg.norm(new - u) < 1e-13 * np.linalg.norm(new)
            u = new
            if done:
                break
        pb = [part.T @ ts / (ts @ ts) for part in parts]
        parts = [part - np.outer(ts, p) for part, p in zip(parts, pb, strict=True)]
        Y = Y - np.outer(ts, q)
        row = {"wb": np.concatenate(wb), "tb": tb, "ws": ws, "ts": ts}
        row |= {"pb": np.concatenate(pb), "q": q}
        for name, value in row.items():
            found[name].append(value)
    return {name: np.stack(values, axis=-1) for name, values in found.items()} | {"rest": parts}
