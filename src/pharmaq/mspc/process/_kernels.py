"""Compiled loops of process monitoring: arrays in, arrays out, nothing checked."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]


@njit(cache=True, nogil=True)
def score_row(
    values: Array,
    mean: Array,
    scale: Array,
    columns: Array,
    rotations: Array,
    loadings: Array,
    variances: Array,
    contributions: Array,
) -> tuple[float, float]:
    """Return T2 and SPE of one row, and write what each variable contributes to both.

    `columns` holds the rotations with one variable a row; `rotations` and `loadings` hold one
    component a row. NaN in `values` makes both statistics NaN.
    """
    p, A = columns.shape
    scores = np.zeros(A)
    z, weight = np.empty(p), np.zeros(p)
    for k in range(p):
        z[k] = (values[k] - mean[k]) / scale[k]
        for a in range(A):
            scores[a] += z[k] * columns[k, a]
    residual = z.copy()
    for a in range(A):
        score = scores[a]
        share = score / variances[a]
        for k in range(p):
            residual[k] -= score * loadings[a, k]
            weight[k] += share * rotations[a, k]
    t2 = 0.0
    for a in range(A):
        t2 += scores[a] * scores[a] / variances[a]
    spe = 0.0
    for k in range(p):
        square = residual[k] * residual[k]
        spe += square
        contributions[0, k] = z[k] * weight[k]
        contributions[1, k] = square if residual[k] >= 0 else -square
    return t2, spe


@njit(cache=True, nogil=True)
def complete_rows(
    values: Array,
    moments: Array,
    scores: Array,
    rotations: Array,
    loadings: Array,
    variances: Array,
    weights: Array,
    out: Array,
) -> None:
    """Write contributions to T2, SPE and combined index of rows, given their scores.

    `moments` are mean and scale; `rotations` and `loadings` hold one component a row; T2 and
    SPE are multiplied with `weights` in the combined index.
    """
    n, p = values.shape
    weight, residual = np.empty(p), np.empty(p)
    for i in range(n):
        for k in range(p):
            residual[k] = (values[i, k] - moments[0, k]) / moments[1, k]
            weight[k] = 0.0
        for a in range(len(rotations)):
            score = scores[i, a]
            share = score / variances[a]
            for k in range(p):
                residual[k] -= score * loadings[a, k]
                weight[k] += share * rotations[a, k]
        for k in range(p):
            square = residual[k] * residual[k]
            t2 = (values[i, k] - moments[0, k]) / moments[1, k] * weight[k]
            out[0, i, k] = t2
            out[1, i, k] = square if residual[k] >= 0 else -square
            out[2, i, k] = t2 * weights[0] + square * weights[1]
