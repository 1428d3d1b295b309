"""Slow twins of optimised code: the plain formula, one sample at a time."""

from __future__ import annotations

import numpy as np
from scipy import integrate


def snv(row: np.ndarray) -> np.ndarray:
    """One spectrum, centred and scaled by its own standard deviation (n - 1)."""
    return (row - np.mean(row)) / np.std(row, ddof=1)


def msc(row: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """One spectrum, brought to the reference by the least-squares line."""
    slope, offset = np.polyfit(reference, row, 1)
    return (row - offset) / slope


def savitzky_golay(
    row: np.ndarray, window: int, order: int, deriv: int, delta: float
) -> np.ndarray:
    """Fit a polynomial around every point; at the ends that of the first or last window."""
    half = window // 2
    out = np.empty(len(row))
    for j in range(len(row)):
        center = min(max(j, half), len(row) - 1 - half)
        x = (np.arange(center - half, center + half + 1) - j) * delta
        fit = np.polynomial.Polynomial.fit(x, row[center - half : center + half + 1], order)
        out[j] = fit.deriv(deriv)(0.0) if deriv else fit(0.0)
    return out


def pls1(
    X: np.ndarray, y: np.ndarray, n_components: int, *, scale: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """NIPALS PLS1 in extended precision: coefficients for 1..A, means of X, mean of y."""
    X, y = X.astype(np.longdouble), y.astype(np.longdouble)
    x_mean, y_mean = X.mean(axis=0), y.mean()
    x_scale = X.std(axis=0, ddof=1) if scale else np.ones(X.shape[1], dtype=np.longdouble)
    E, f = (X - x_mean) / x_scale, y - y_mean
    W, P, q = [], [], []
    path = []
    for _ in range(n_components):
        w = E.T @ f
        w = w / np.sqrt(w @ w)
        t = E @ w
        p = E.T @ t / (t @ t)
        q.append(f @ t / (t @ t))
        W.append(w)
        P.append(p)
        E = E - np.outer(t, p)
        f = f - t * q[-1]
        path.append(_coefficients(np.array(W), np.array(P), np.array(q)) / x_scale)
    return np.array(path), x_mean, np.array(y_mean)


def _coefficients(W: np.ndarray, P: np.ndarray, q: np.ndarray) -> np.ndarray:
    """W (P'W)^-1 q by back substitution, for numpy cannot solve in extended precision."""
    M = P @ W.T
    z = np.zeros(len(q), dtype=np.longdouble)
    for i in range(len(q) - 1, -1, -1):
        z[i] = (q[i] - M[i, i + 1 :] @ z[i + 1 :]) / M[i, i]
    return z @ W


def cross_validated(
    X: np.ndarray,
    y: np.ndarray,
    n_components: int,
    folds: list[tuple[np.ndarray, np.ndarray]],
    *,
    scale: bool = False,
) -> np.ndarray:
    """Predictions of left-out samples by refitting in every fold, shape (A, n)."""
    out = np.full((n_components, len(y)), np.nan)
    for train, test in folds:
        path, x_mean, y_mean = pls1(X[train], y[train], n_components, scale=scale)
        out[:, test] = path @ (X[test] - x_mean).T + y_mean
    return out


def imhof(eigenvalues: np.ndarray, value: float) -> float:
    """Chance that a weighted sum of squared normal values exceeds one: Imhof's own integral."""

    def integrand(u: float) -> float:
        theta = (np.sum(np.arctan(eigenvalues * u)) - value * u) / 2
        return float(np.sin(theta) / (u * np.prod((1 + (eigenvalues * u) ** 2) ** 0.25)))

    area = integrate.quad(integrand, 0, np.inf, limit=2000, epsabs=1e-10)[0]
    return 0.5 + area / np.pi
