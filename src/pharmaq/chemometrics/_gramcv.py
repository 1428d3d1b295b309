"""Cross-validation of PLS1 from cross-products: of the points, or of the samples.

Cross-products are formed once; what each fold trains on follows from them. They square the
condition of X, so that every component tells how many digits its length has lost: where that is
too much, no result is given and `masked_path`, which keeps all digits, has to be used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pharmaq.chemometrics._pls import EXHAUSTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]
    Folds = Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]]

# cross-products are given up where the length of a score is not known to this share
_LOST_DIGITS = 1e-11


def point_products_path(
    X: Matrix, y: Matrix, folds: Folds, n_components: int
) -> list[Matrix] | None:
    """Predict the test samples of every fold from X'X: for many samples.

    Folds have to share out the samples: X'X of the samples a fold trains on is that of all
    samples less that of those left out. None where digits were lost.

    Returns
    -------
    list of ndarray of shape (n_components, n_test)
        One entry a fold.
    """
    from pharmaq.chemometrics import _kernels

    n, p = X.shape
    center, offset = X.mean(axis=0), float(y.mean())
    # sorted by fold, so that the samples of each are a slice and nothing is copied again
    order = np.concatenate([test for _, test in folds])
    X, y = X[order], y[order] - offset
    X -= center
    ends = np.cumsum([len(test) for _, test in folds])
    parts = [slice(end - len(test), end) for end, (_, test) in zip(ends, folds, strict=True)]
    # together no larger than X, or else each is formed again when its turn comes
    kept = [X[part].T @ X[part] for part in parts] if len(parts) * p <= n else []
    total = sum(kept[1:], start=kept[0].copy()) if kept else X.T @ X
    share = X.T @ y
    rotations, steps = np.zeros((n_components, p)), np.zeros(n_components)
    paths = []
    for part in parts:
        left, response = X[part], y[part]
        rest = kept.pop(0) if kept else left.T @ left
        np.subtract(total, rest, out=rest)
        count = n - len(left)
        # data are centred over all samples: sums over the others are minus those left out
        x_mean, y_mean = -left.sum(axis=0) / count, -response.sum() / count
        start = share - left.T @ response - x_mean * (y_mean * count)
        lost = _kernels.gram_components(rest, x_mean, count, start, rotations, steps)
        if lost > _LOST_DIGITS:
            return None
        scores = left @ rotations.T - rotations @ x_mean
        paths.append(np.cumsum(scores * steps, axis=1).T + (y_mean + offset))
    return paths


def sample_products_path(
    X: Matrix, y: Matrix, folds: Folds, n_components: int, together: int
) -> list[Matrix] | None:
    """Predict the test samples of every fold from XX': for many points.

    The recurrence of `masked_path` with weights written as sums of spectra, v = X'd, so that
    X v is one product with XX'. Scores are kept orthogonal in place of weights. None where
    digits were lost. Any folds will do; so many are worked on together.
    """
    center, offset = X.mean(axis=0), float(y.mean())
    X = X - center
    K, y = X @ X.T, y - offset
    del X
    paths: list[Matrix] = []
    for start in range(0, len(folds), together):
        block = _sample_block(K, y, folds[start : start + together], n_components)
        if block is None:
            return None
        paths += [path + offset for path in block]
    return paths


def _sample_block(K: Matrix, y: Matrix, folds: Folds, n_components: int) -> list[Matrix] | None:
    n, F = len(K), len(folds)
    mask = np.zeros((n, F))
    for f, (train, _) in enumerate(folds):
        mask[train, f] = 1.0
    sizes = mask.sum(axis=0)
    y_mean = y @ mask / sizes
    # the relative rounding error of a length is this times |d|^2 over its square
    rounding = np.finfo(float).eps * float(np.linalg.norm(K)) / _LOST_DIGITS
    d = mask * (y[:, None] - y_mean)
    basis = np.empty((F, n_components, n))
    u, held, q, largest = np.zeros((n, F)), np.zeros((n, F)), -np.ones(F), np.zeros(F)
    prediction = np.tile(y_mean, (n, 1))
    paths = [np.empty((n_components, len(test))) for _, test in folds]
    for a in range(n_components):
        along = K @ d
        # centred by the samples each fold trains on; d itself sums to zero over them
        along -= _dots(mask, along) / sizes
        square = _dots(d, along)
        if not (rounding * _dots(d, d) <= square).all():
            return None
        theta = np.sqrt(square)
        along /= theta
        carried = theta if a else np.zeros(F)
        u = orthogonal(along * mask - carried * u, basis[:, :a])
        alpha = np.sqrt(_dots(u, u))
        largest = np.maximum(largest, alpha)
        # a fold that carries fewer components is for the form that counts them
        if (alpha <= EXHAUSTED * largest).any():
            return None
        u /= alpha
        basis[:, a] = u.T
        held = (along - carried * held) / alpha
        q = -theta * q / alpha
        prediction += held * q
        for f, (_, test) in enumerate(folds):
            paths[f][a] = prediction[test, f]
        d = u - (alpha / theta) * d
    return paths


def _dots(one: Matrix, other: Matrix) -> NDArray[np.float64]:
    """Return the scalar products of columns."""
    return np.einsum("nf,nf->f", one, other)


def orthogonal(columns: Matrix, basis: Matrix) -> Matrix:
    """Make each fold's column orthogonal to that fold's basis."""
    stack = columns.T[:, :, None]
    for _ in range(2):
        before = np.einsum("fpi,fpi->f", stack, stack)
        stack = stack - basis.transpose(0, 2, 1) @ (basis @ stack)
        # once leaves errors of the size of what was taken off: where that was much, twice
        if (np.einsum("fpi,fpi->f", stack, stack) >= 0.5 * before).all():
            break
    return np.ascontiguousarray(stack[:, :, 0].T)
