"""Cross-validation of PLS1 without refitting: Golub-Kahan bidiagonalisation of all folds.

PLS1 is the bidiagonalisation of centred X started from X'y: its right vectors are the weights,
its left vectors the scores. Predictions with 1 to A components follow from one recurrence of
numbers per sample, and no coefficients are ever formed. Weights are kept orthogonal to all
earlier ones, which keeps the digits of a refit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg.lapack import dgeqrf, dgeqrf_lwork

from pharmaq.chemometrics._bidiagonal import bidiagonal
from pharmaq.chemometrics._gramcv import orthogonal
from pharmaq.chemometrics._pls import EXHAUSTED
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

# folds worked on together: enough for matrix products
_TOGETHER = 32

# from so many times as many rows as columns on, a triangle is bidiagonalised with less work
_MUCH_TALLER = 5 / 3

# numbers that weights or scores of folds may take where X itself holds fewer: 8 MB
_SMALL = 2**20


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
    n, p = X.shape
    together = folds_together(n, p, n_components * p)
    for start in range(0, len(folds), together):
        block = folds[start : start + together]
        paths, counts = _block_path(X, y, block, n_components, scale=scale)
        predictions += [path + offset for path in paths]
        usable.append(counts)
    return predictions, np.concatenate(usable)


def folds_together(n_samples: int, n_points: int, numbers: int) -> int:
    """Return how many folds, of so many numbers each, together take no more room than X."""
    room = max(n_samples * n_points, _SMALL)
    return max(1, min(_TOGETHER, room // (numbers + 6 * n_samples)))


def leave_one_out(
    X: Matrix, y: Matrix, n_components: int
) -> tuple[list[Matrix], NDArray[np.intp], str]:
    """Predict every sample from all others, from one decomposition of X.

    Parameters and results as in `masked_path`, one fold a sample in their order, and the name
    of the decomposition.
    """
    from pharmaq.chemometrics import _kernels

    mean = float(y.mean())
    if len(X) > X.shape[1]:
        name = "singular value decomposition"
        left, diagonal = _left_vectors(X)
        rank = np.sum(diagonal > diagonal[0] * max(X.shape) * np.finfo(float).eps)
        rank = max(1, int(rank))
        left, diagonal = np.ascontiguousarray(left[:, :rank]), diagonal[:rank]
        beside = np.empty(0)
    else:
        name = "bidiagonalisation"
        left, diagonal, beside = _bidiagonal(X)
    out = np.empty((len(X), n_components))
    usable = _kernels.leave_one_out_path(left, diagonal, beside, y - mean, mean, out)
    return list(out[:, :, None]), usable, f"leave-one-out from one {name}"


def _bidiagonal(X: Matrix) -> tuple[Matrix, NDArray[np.float64], NDArray[np.float64]]:
    """Return U and the two diagonals of B of centred X = U B V', for no more rows than columns.

    B has its second diagonal below the first. Columns of U are centred, which B does not see:
    centred X has no mean for them to carry, and what is left of U has the length of a centred
    sample.
    """
    centred = (X - X.mean(axis=0)).T
    if len(centred) > _MUCH_TALLER * len(X):
        centred = np.asfortranarray(_triangle(centred))
    left, diagonal, beside = bidiagonal(centred)
    return left.T - left.mean(axis=1), diagonal, beside


def _left_vectors(X: Matrix) -> tuple[Matrix, NDArray[np.float64]]:
    """Return left singular vectors and singular values of centred X, by way of its triangle."""
    mean = X.mean(axis=0)
    triangle = _triangle(np.subtract(X, mean, out=np.empty(X.shape, order="F")))
    singular, right = np.linalg.svd(triangle)[1:]
    del triangle
    # columns of the size of rounding are cut off by who asked
    right /= np.where(singular > 0, singular, 1.0)[:, None]
    left = np.empty(X.shape)
    for start in range(0, len(X), 256):
        rows = slice(start, start + 256)
        np.matmul(X[rows] - mean, right.T, out=left[rows])
    return left, singular


def _triangle(X: Matrix) -> Matrix:
    """Return R of X = QR for X in Fortran order, which is overwritten."""
    size, _ = dgeqrf_lwork(*X.shape)
    factors, *_ = dgeqrf(X, lwork=int(size), overwrite_a=True)
    return np.triu(factors[: X.shape[1]])


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
            theta, V = _normalised(orthogonal(following, basis[:, : a + 1]))
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
