"""Batch monitoring written out step by step, and simulated batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr


def dataset(values: np.ndarray, *, names: list[str] | None = None, **coords: Any) -> xr.Dataset:
    """Make batches of an array of shape (n, K, J)."""
    n, K, J = values.shape
    names = names or [f"v{j}" for j in range(J)]
    labels = {"batch": [f"B{i:02}" for i in range(n)], "time": np.arange(float(K))} | coords
    variables = {
        name: (("batch", "time"), values[:, :, j], {"units": "degC"})
        for j, name in enumerate(names)
    }
    return xr.Dataset(variables, coords=labels)


def simulate(n: int, K: int, J: int, seed: int = 0, noise: float = 0.3) -> np.ndarray:
    """Two smooth components and noise about a mean trajectory."""
    rng = np.random.default_rng(seed)
    u = np.linspace(0, 1, K)
    shapes = np.stack([np.sin(3 * u), np.cos(5 * u)])
    mixing = np.random.default_rng(99).normal(size=(2, J))
    scores = rng.normal(size=(n, 2)) * [2.0, 1.0]
    values = np.einsum("na,ak,aj->nkj", scores, shapes, mixing)
    return 10 + u[None, :, None] + values + noise * rng.normal(size=(n, K, J))


def live_scores(
    train: np.ndarray, batch: np.ndarray, n_components: int, infill: str
) -> list[tuple[np.ndarray, float, np.ndarray]]:
    """Scores, T2 and residuals of one batch at each time, by building each row in full.

    Rows are (n, K, J); `batch` is (K, J) without missing values.
    """
    n, K, J = train.shape
    mean, scale = train.mean(axis=0), train.std(axis=0, ddof=1)
    Z = ((train - mean) / scale).reshape(n, -1)
    z = ((batch - mean) / scale).ravel()
    P = np.linalg.svd(Z, full_matrices=False)[2][:n_components].T
    found = []
    for k in range(1, K + 1):
        known = k * J

        def scores(row: np.ndarray, known: int = known) -> np.ndarray:
            left = P[:known]
            if infill == "zero":
                return np.concatenate([row[:known], np.zeros(K * J - known)]) @ P
            if infill == "current":
                rest = np.tile(row[known - J : known], K - known // J)
                return np.concatenate([row[:known], rest]) @ P
            if infill == "pmp":
                return np.linalg.lstsq(left, row[:known], rcond=None)[0]
            # trimmed score regression, by the formula of Arteaga and Ferrer
            S = Z[:, :known].T @ Z[:, :known] / (n - 1)
            theta = np.diag(np.var(Z @ P, axis=0, ddof=1))
            inner = np.linalg.pinv(left.T @ S @ left)
            return theta @ left.T @ left @ inner @ left.T @ row[:known]

        own, others = scores(z), np.array([scores(row) for row in Z])
        covariance = others.T @ others / (n - 1)
        t2 = float(own @ np.linalg.pinv(covariance, rcond=1e-9) @ own)
        rest = z[known - J : known] - P[known - J : known] @ own
        found.append((own, t2, rest))
    return found
