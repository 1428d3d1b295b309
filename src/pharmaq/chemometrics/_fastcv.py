"""Cross-validation of PLS1 without refitting: Golub-Kahan bidiagonalisation of all folds.

PLS1 is the bidiagonalisation of centred X started from X'y: its right vectors are the weights,
its left vectors the scores. Predictions with 1 to A components follow from one recurrence of
numbers per sample, and no coefficients are ever formed. Weights are kept orthogonal to all
earlier ones, which keeps the digits of a refit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg.blas import dsyrk

from pharmaq.chemometrics._pls import EXHAUSTED
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

# cross-products are given up where the length of a score is not known to this share
_LOST_DIGITS = 1e-11

# folds worked on together: enough for matrix products, few enough to stay small in memory
_TOGETHER = 32


def masked_path(
    X: Matrix,
    y: Matrix,
    folds: Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]],
    n_components: int,
    *,
    scale: bool,
) -> tuple[list[Matrix], NDArray[np.intp]]:
    """Predict the test samples of every fold with 1 to n components.

    Parameters
    ----------
    X, y : ndarray of shape (n_samples, n_points) and (n_samples,)
        Data as given.
    folds : sequence of (train, test)
        Row numbers.
    n_components : int
        Largest number of components.
    scale : bool
        Scale columns by their standard deviation in each fold.

    Returns
    -------
    predictions : list of ndarray of shape (n_components, n_test)
        One entry a fold.
    usable : ndarray of int
        Number of components each fold could carry; predictions stay as they are beyond it.
    """
    # centring once takes off the bulk, so that fold means are small corrections
    center, offset = X.mean(axis=0), y.mean()
    X, y = X - center, y - offset
    predictions: list[Matrix] = []
    usable: list[NDArray[np.intp]] = []
    for start in range(0, len(folds), _TOGETHER):
        block = folds[start : start + _TOGETHER]
        paths, counts = _block_path(X, y, block, n_components, scale=scale)
        predictions += [path + offset for path in paths]
        usable.append(counts)
    return predictions, np.concatenate(usable)


def gram_path(
    X: Matrix,
    y: Matrix,
    folds: Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]],
    n_components: int,
) -> list[Matrix] | None:
    """Predict the test samples of every fold from cross-products: for many samples.

    One pass over X gives the cross-product of each fold; what a fold trains on is the sum of
    the others. Folds have to share out the samples. None where cross-products, which square
    the condition of X, would lose more digits than `masked_path` does.
    """
    from pharmaq.chemometrics import _kernels

    center, offset = X.mean(axis=0), float(y.mean())
    X, y = X - center, y - offset
    grams = [dsyrk(1.0, X[test].T) for _, test in folds]
    total, share = np.sum(grams, axis=0), X.T @ y
    paths = []
    for (train, test), gram in zip(folds, grams, strict=True):
        left, response = X[test], y[test]
        # data are centred over all samples: sums over the others are minus those left out
        x_mean, y_mean = -left.sum(axis=0) / len(train), -response.sum() / len(train)
        upper = np.triu(total - gram)
        rest = upper + np.triu(upper, 1).T - np.outer(x_mean, x_mean) * len(train)
        start = share - left.T @ response - x_mean * y_mean * len(train)
        rotations, steps = np.zeros((n_components, X.shape[1])), np.zeros(n_components)
        if _kernels.gram_components(rest, start, rotations, steps) > _LOST_DIGITS:
            return None
        scores = (left - x_mean) @ rotations.T
        paths.append(np.cumsum(scores * steps, axis=1).T + y_mean + offset)
    return paths


def leave_one_out(
    X: Matrix, y: Matrix, n_components: int
) -> tuple[list[Matrix], NDArray[np.intp]]:
    """Predict every sample from all others, from one singular value decomposition.

    Parameters and results as in `masked_path`, one fold a sample in their order.
    """
    from pharmaq.chemometrics import _kernels

    mean = float(y.mean())
    left, singular, _ = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    rank = max(1, int(np.sum(singular > singular[0] * max(X.shape) * np.finfo(float).eps)))
    out = np.empty((n_components, len(X)))
    usable = _kernels.leave_one_out_path(
        np.ascontiguousarray(left[:, :rank]), singular[:rank], y - mean, mean, n_components, out
    )
    return list(out.T[:, :, None]), usable


def _block_path(
    X: Matrix,
    y: Matrix,
    folds: Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]],
    n_components: int,
    *,
    scale: bool,
) -> tuple[list[Matrix], NDArray[np.intp]]:
    n, p = X.shape
    F = len(folds)
    mask = np.zeros((n, F))
    for f, (train, _) in enumerate(folds):
        mask[train, f] = 1.0
    sizes = mask.sum(axis=0)
    x_mean, y_mean = X.T @ mask / sizes, y @ mask / sizes
    x_scale = _fold_scales(X, folds) if scale else None
    theta, V = _normalised(_right(X, mask * (y[:, None] - y_mean), x_mean, x_scale))
    basis = np.empty((F, n_components, p))
    U = np.zeros((n, F))
    held, q = np.zeros((n, F)), -np.ones(F)
    prediction = np.tile(y_mean, (n, 1))
    usable, largest = np.full(F, n_components), np.zeros(F)
    paths = [np.empty((n_components, len(test))) for _, test in folds]
    for a in range(n_components):
        basis[:, a] = V.T
        projected = _left(X, V, x_mean, x_scale)
        carried = theta if a else np.zeros(F)
        alpha, U = _normalised(projected * mask - carried * U)
        largest = np.maximum(largest, alpha)
        alive = (usable == n_components) & (theta > EXHAUSTED * largest * (a > 0))
        alive &= alpha > EXHAUSTED * largest
        usable = np.where(alive, usable, np.minimum(usable, a))
        # dead folds keep their last prediction: their steps are set to nothing
        held = np.where(alive, (projected - carried * held) / np.where(alive, alpha, 1.0), 0.0)
        q = np.where(alive, -theta * q / np.where(alive, alpha, 1.0), 0.0)
        prediction += held * q
        for f, (_, test) in enumerate(folds):
            paths[f][a] = prediction[test, f]
        if a + 1 < n_components:
            following = _right(X, U, x_mean, x_scale) - alpha * V
            theta, V = _normalised(_orthogonal(following, basis[:, : a + 1]))
    return paths, usable


def _left(X: Matrix, V: Matrix, x_mean: Matrix, x_scale: Matrix | None) -> Matrix:
    """Return centred (and scaled) X times V, fold by fold."""
    scaled = V if x_scale is None else V / x_scale
    return X @ scaled - np.einsum("pf,pf->f", x_mean, scaled)


def _right(X: Matrix, U: Matrix, x_mean: Matrix, x_scale: Matrix | None) -> Matrix:
    """Return the transpose of centred (and scaled) X times U, fold by fold."""
    product = X.T @ U - x_mean * U.sum(axis=0)
    return product if x_scale is None else product / x_scale


def _normalised(columns: Matrix) -> tuple[NDArray[np.float64], Matrix]:
    lengths = np.sqrt(np.einsum("ij,ij->j", columns, columns))
    return lengths, columns / np.where(lengths > 0, lengths, 1.0)


def _orthogonal(columns: Matrix, basis: Matrix) -> Matrix:
    """Make each fold's column orthogonal to that fold's basis."""
    stack = columns.T[:, :, None]
    for _ in range(2):
        before = np.einsum("fpi,fpi->f", stack, stack)
        stack = stack - basis.transpose(0, 2, 1) @ (basis @ stack)
        # once leaves errors of the size of what was taken off: where that was much, twice
        if (np.einsum("fpi,fpi->f", stack, stack) >= 0.5 * before).all():
            break
    return np.ascontiguousarray(stack[:, :, 0].T)


def _fold_scales(
    X: Matrix, folds: Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]]
) -> Matrix:
    for train, _ in folds:
        constant = np.flatnonzero(np.ptp(X[train], axis=0) == 0)
        if constant.size:
            msg = (
                f"column {constant[0]} of X is constant in the training samples of a fold and "
                f"cannot be scaled ({constant.size} such columns); remove it or set scale=False"
            )
            raise InputError(msg)
    return np.stack([X[train].std(axis=0, ddof=1) for train, _ in folds], axis=1)
