"""A process with known structure."""

from __future__ import annotations

import numpy as np


def process(n: int, seed: int = 0, *, memory: float = 0.0) -> np.ndarray:
    """Eight variables driven by two latent ones, with noise of their own."""
    loadings = np.random.default_rng(99).normal(size=(2, 8))
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(n, 2))
    for i in range(1, n):
        latent[i] = memory * latent[i - 1] + np.sqrt(1 - memory**2) * latent[i]
    return latent @ loadings + 0.4 * rng.normal(size=(n, 8)) + np.arange(8)
