"""Slow twins of models with missing values: one cell and one sample at a time."""

from __future__ import annotations

import numpy as np

Matrix = np.ndarray


def nipals_pca(X: Matrix, n_components: int, steps: int = 20_000) -> tuple[Matrix, Matrix]:
    """Wold's NIPALS with sums over observed cells; scores and loadings of length 1."""
    E = X - np.nanmean(X, axis=0)
    T, P = [], []
    for _ in range(n_components):
        t = np.where(np.isnan(E), 0.0, E)[:, np.nanargmax(np.nanvar(E, axis=0))]
        for _ in range(steps):
            p = np.array([_slope(E[:, j], t) for j in range(X.shape[1])])
            p /= np.linalg.norm(p)
            new = np.array([_slope(row, p) for row in E])
            done = np.linalg.norm(new - t) < 1e-12 * np.linalg.norm(new)
            t = new
            if done:
                break
        T.append(t)
        P.append(p)
        E = E - np.outer(t, p)
    return np.array(T).T, np.array(P).T


def nipals_pls(
    X: Matrix, Y: Matrix, n_components: int, steps: int = 5000
) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    """NIPALS PLS with sums over observed cells of X: W, T, P, Q of centred data."""
    E, F = X - np.nanmean(X, axis=0), Y - Y.mean(axis=0)
    found = []
    for _ in range(n_components):
        u = F[:, 0]
        for _ in range(steps):
            w = np.array([_slope(column, u) for column in E.T])
            w /= np.linalg.norm(w)
            t = np.array([_slope(row, w) for row in E])
            q = F.T @ t / (t @ t)
            new = F @ q / (q @ q)
            done = np.linalg.norm(new - u) < 1e-13 * np.linalg.norm(new)
            u = new
            if done or F.shape[1] == 1:
                break
        p = np.array([_slope(column, t) for column in E.T])
        E, F = E - np.outer(t, p), F - np.outer(t, q)
        found.append((w, t, p, q))
    W, T, P, Q = (np.array(part).T for part in zip(*found, strict=True))
    return W, T, P, Q


def filled_by_trimmed_scores(X: Matrix, n_components: int, steps: int = 5000) -> Matrix:
    """Fill in missing values as Folch-Fortuny, Arteaga and Ferrer (2015) write it for PCA."""
    holes = np.isnan(X)
    filled = np.where(holes, np.nanmean(X, axis=0), X)
    for _ in range(steps):
        mean, S = filled.mean(axis=0), np.cov(filled, rowvar=False)
        V = np.linalg.svd(filled - mean, full_matrices=False)[2][:n_components].T
        before = filled[holes]
        for i in np.flatnonzero(holes.any(axis=1)):
            m, o = holes[i], ~holes[i]
            L = V[o]
            inner = np.linalg.pinv(L.T @ S[np.ix_(o, o)] @ L)
            filled[i, m] = mean[m] + S[np.ix_(m, o)] @ L @ inner @ L.T @ (
                filled[i, o] - mean[o]
            )
        if np.sqrt(np.mean((filled[holes] - before) ** 2)) < 1e-13:
            break
    return filled


def single_components(row: Matrix, W: Matrix, P: Matrix) -> Matrix:
    """Scores of one centred sample, one component after the other."""
    scores = []
    for w, p in zip(W.T, P.T, strict=True):
        scores.append(_slope(row, w))
        row = row - scores[-1] * p
    return np.array(scores)


def _slope(values: Matrix, on: Matrix) -> float:
    seen = ~np.isnan(values)
    return values[seen] @ on[seen] / (on[seen] @ on[seen])
