"""Slow twins of curve resolution: the definitions, tried out one by one."""

from __future__ import annotations

from itertools import chain, combinations

import numpy as np
from scipy.optimize import nnls
from sklearn.isotonic import isotonic_regression


def constrained_row(
    A: np.ndarray,
    b: np.ndarray,
    *,
    nonnegative: np.ndarray,
    known: np.ndarray,
    closed: np.ndarray,
    total: float,
) -> np.ndarray:
    """Solve for every set of components that could be zero; keep the best that is allowed."""
    free = [j for j in range(A.shape[1]) if np.isnan(known[j])]
    bounded = [j for j in free if nonnegative[j]]
    sets = chain.from_iterable(combinations(bounded, r) for r in range(len(bounded) + 1))
    best, least = np.full(A.shape[1], np.nan), np.inf
    for zeros in sets:
        x = np.where(np.isnan(known), 0.0, known)
        members = [j for j in free if j not in zeros]
        left = total - np.sum(x[closed])
        solved = _with_sum(A[:, members], b - A @ x, closed[members], left)
        if solved is None:
            continue
        x[members] = solved
        error = float(np.sum((b - A @ x) ** 2))
        if (x[bounded] >= -1e-12).all() and error < least:
            best, least = x, error
    return best


def _with_sum(
    A: np.ndarray, b: np.ndarray, closed: np.ndarray, left: float
) -> np.ndarray | None:
    """Least squares with a sum to keep, by its conditions of Karush, Kuhn and Tucker."""
    if np.isnan(left) or not closed.any():
        if left > 1e-12:
            return None
        return np.linalg.lstsq(A, b, rcond=None)[0] if A.shape[1] else np.empty(0)
    weights = closed[:, None].astype(float)
    matrix = np.block([[A.T @ A, weights], [weights.T, np.zeros((1, 1))]])
    return np.linalg.solve(matrix, np.append(A.T @ b, left))[:-1]


def unimodal(values: np.ndarray, *, nonnegative: bool) -> np.ndarray:
    """Try every place of the peak."""
    floor = 0.0 if nonnegative else -np.inf
    fits = [
        np.concatenate(
            [
                isotonic_regression(values[: m + 1], y_min=floor),
                isotonic_regression(values[m + 1 :], y_min=floor, increasing=False)
                if m + 1 < len(values)
                else [],
            ]
        )
        for m in range(len(values))
    ]
    return min(fits, key=lambda fit: float(np.sum((values - fit) ** 2)))


def simplisma(X: np.ndarray, n_components: int, noise: float) -> tuple[list[int], np.ndarray]:
    """Purity by determinants, as it is printed."""
    mean, spread = X.mean(axis=0), X.std(axis=0)
    offset = noise * mean.max()
    scaled = X / np.sqrt(mean**2 + (spread + offset) ** 2)
    C = scaled.T @ scaled / len(X)
    found: list[int] = []
    purity = np.empty((n_components, X.shape[1]))
    for a in range(n_components):
        for j in range(X.shape[1]):
            chosen = [*found, j]
            weight = np.linalg.det(C[np.ix_(chosen, chosen)])
            purity[a, j] = weight * spread[j] / (mean[j] + offset)
        found.append(int(np.argmax(purity[a])))
    return found, purity


def alternate(
    X: np.ndarray, spectra: np.ndarray, n_iter: int
) -> tuple[np.ndarray, np.ndarray, list[float]]:
    """Alternating non-negative least squares, one row and one column at a time."""
    history = []
    C = np.array([nnls(spectra.T, row)[0] for row in X])
    for _ in range(n_iter):
        spectra = np.array([nnls(C, column)[0] for column in X.T]).T
        spectra = spectra / spectra.max(axis=1, keepdims=True)
        C = np.array([nnls(spectra.T, row)[0] for row in X])
        history.append(100 * np.sqrt(np.sum((X - C @ spectra) ** 2) / np.sum(X**2)))
    return C, spectra, history
