"""Slow twins: charts of vectors point by point, and the Markov chain of Runger and Prabhu."""

from __future__ import annotations

import numpy as np
from scipy import stats


def mewma(x: np.ndarray, center: np.ndarray, S: np.ndarray, lam: float, exact: bool) -> list:
    z, out = np.zeros(len(center)), []
    for t, row in enumerate(x, start=1):
        z = lam * (row - center) + (1 - lam) * z
        Sz = sum((lam * (1 - lam) ** i) ** 2 * S for i in range(t if exact else 4000))
        out.append(float(z @ np.linalg.inv(Sz) @ z))
    return out


def crosier(x: np.ndarray, center: np.ndarray, S: np.ndarray, k: float) -> list:
    s, out, inverse = np.zeros(len(center)), [], np.linalg.inv(S)
    for row in x:
        s = s + row - center
        C = np.sqrt(s @ inverse @ s)
        s = s * max(0.0, 1 - k / C)
        out.append(float(np.sqrt(s @ inverse @ s)))
    return out


def pignatiello_runger(x: np.ndarray, center: np.ndarray, S: np.ndarray, k: float) -> list:
    out, inverse, n = [], np.linalg.inv(S), 0
    for t in range(1, len(x) + 1):
        n = n + 1 if out and out[-1] > 0 else 1
        C = (x[t - n : t] - center).sum(axis=0)
        out.append(max(0.0, float(np.sqrt(C @ inverse @ C)) - k * n))
    return out


def mewma_markov_arl(p: int, lam: float, limit: float, states: int) -> float:
    """In-control ARL by rings of equal width (Runger & Prabhu 1996)."""
    width = 2 * np.sqrt(limit * lam / (2 - lam)) / (2 * states + 1)
    j = np.arange(states + 1)
    noncentrality = ((1 - lam) * j * width / lam) ** 2
    edges = np.concatenate([[0.0], (j + 0.5) * width]) ** 2 / lam**2
    below = np.array(
        [stats.ncx2.cdf(edges, p, c) if c else stats.chi2.cdf(edges, p) for c in noncentrality]
    )
    return float(
        np.linalg.solve(np.eye(states + 1) - np.diff(below, axis=1), np.ones(states + 1))[0]
    )
