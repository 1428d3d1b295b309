"""Slow twin of a monitor: PCA by numpy, one row after the other."""

from __future__ import annotations

import numpy as np


class Naive:
    def __init__(self, X: np.ndarray, A: int, weights: tuple[float, float] = (1, 1)) -> None:
        self.mean, self.scale = X.mean(axis=0), X.std(axis=0, ddof=1)
        Z = (X - self.mean) / self.scale
        values, vectors = np.linalg.eigh(np.cov(Z.T))
        P, variances = vectors[:, ::-1][:, :A], values[::-1][:A]
        K = len(self.mean)
        self.t2 = P @ np.diag(1 / variances) @ P.T
        self.spe = np.eye(K) - P @ P.T
        self.combined = self.t2 / weights[0] + self.spe / weights[1]

    def index(self, x: np.ndarray, name: str) -> float:
        z = (x - self.mean) / self.scale
        return float(z @ getattr(self, name) @ z)

    def reconstructed(self, x: np.ndarray, name: str) -> list[float]:
        """How much the index falls when each variable takes its best value."""
        z, M = (x - self.mean) / self.scale, getattr(self, name)
        out = []
        for k in range(len(z)):
            other = z.copy()
            other[k] -= (M[k] @ z) / M[k, k]
            out.append(float(z @ M @ z - other @ M @ other))
        return out
