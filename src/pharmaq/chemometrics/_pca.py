"""Principal components by singular value decomposition, or from cross-products in one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from scipy.linalg.blas import dsyrk

from pharmaq.chemometrics.latent import center_and_scale, refuse_constant
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

Solver = Literal["auto", "svd", "gram"]
SOLVERS = ("auto", "svd", "gram")

# an eigenvalue of a cross-product is known to about 1e-15 of the largest: what is asked for
# has to be this share of it, which leaves nine digits
_SMALLEST_SHARE = 1e-6

# below so many values a singular value decomposition takes no time to speak of
_WORTH_IT = 250_000

# a difference of sums of squares below this share of them has lost more than four digits
_CANCELLED = 1e-4

# numbers worked on together: few enough to stay in the cache of a processor
_BLOCK = 2**16


class Decomposition(NamedTuple):
    """Components of centred (and scaled) data, signs as they come."""

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    scores: Matrix
    loadings: Matrix
    variances: NDArray[np.float64]
    spe: NDArray[np.float64]
    solver: Literal["svd", "gram"]


def decompose(
    X: Matrix, n_components: int, *, scale: bool, solver: Solver = "auto"
) -> Decomposition:
    """Find principal components, the variances of all, and the residuals of each sample.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_points)
        Data as given; never changed.
    n_components : int
        Number of components wanted.
    scale : bool
        Divide columns by their standard deviation (n - 1).
    solver : {"auto", "svd", "gram"}
        As in `PCA`.

    Returns
    -------
    Decomposition
        Variances divide by n - 1 and hold those of the components left out.
    """
    if solver == "svd" or (solver == "auto" and X.size < _WORTH_IT):
        return _by_svd(X, n_components, scale=scale)
    tall = len(X) > X.shape[1]
    parts = (_from_points if tall else _from_samples)(X, n_components, scale=scale)
    if parts is None and solver == "gram":
        msg = (
            f"solver = 'gram' loses digits here: component {n_components} or what is left "
            f"after it has less than {_SMALLEST_SHARE:g} of the largest variance; use "
            "solver='auto' or 'svd'"
        )
        raise InputError(msg)
    return _by_svd(X, n_components, scale=scale) if parts is None else parts


def principal_components(
    centered: Matrix, n_components: int
) -> tuple[Matrix, Matrix, NDArray[np.float64]]:
    """Return scores and loadings of so many components, and the variances of all (n - 1)."""
    left, singular, right = np.linalg.svd(centered, full_matrices=False)
    # the usual bound for the numerical rank, as in numpy.linalg.matrix_rank
    smallest = singular[0] * max(centered.shape) * np.finfo(float).eps
    rank = int(np.sum(singular > smallest))
    if n_components > rank:
        msg = f"n_components = {n_components} exceeds the rank {rank} of the centred X"
        raise InputError(msg)
    scores = left[:, :n_components] * singular[:n_components]
    return scores, right[:n_components].T, singular**2 / (len(centered) - 1)


def _by_svd(X: Matrix, n_components: int, *, scale: bool) -> Decomposition:
    centered, mean, spread = center_and_scale(X, scale=scale, name="X")
    scores, loadings, variances = principal_components(centered, n_components)
    residuals = centered - scores @ loadings.T
    spe = np.einsum("ij,ij->i", residuals, residuals)
    return Decomposition(mean, spread, scores, loadings, variances, spe, "svd")


def _from_points(X: Matrix, n_components: int, *, scale: bool) -> Decomposition | None:
    """Decompose X'X: for more samples than points. None where digits would be lost."""
    n, p = X.shape
    mean, ones = X.mean(axis=0), np.ones(p)
    gram = np.zeros((p, p), order="F")
    for rows, part, _ in _parts(n, p):
        np.subtract(X[rows], mean, out=part)
        gram = dsyrk(1.0, part.T, beta=1.0, c=gram, overwrite_c=1)
    spread = _spread(X, gram.diagonal()) if scale else ones
    # the upper triangle is the one that was written
    values, vectors = np.linalg.eigh(gram / np.outer(spread, spread), UPLO="U")
    if not _holds_digits(values[::-1], n_components):
        return None
    loadings = np.ascontiguousarray(vectors[:, ::-1][:, :n_components])
    scores, spe = np.empty((n, n_components)), np.empty(n)
    across = np.ascontiguousarray(loadings.T)
    for rows, part, modelled in _parts(n, p):
        np.subtract(X[rows], mean, out=part)
        if scale:
            np.divide(part, spread, out=part)
        np.matmul(part, loadings, out=scores[rows])
        whole = np.einsum("ij,ij->i", part, part)
        np.subtract(whole, np.einsum("ij,ij->i", scores[rows], scores[rows]), out=spe[rows])
        # what is left of nearly nothing is taken from the residuals themselves
        if (spe[rows] < _CANCELLED * whole).any():
            np.subtract(part, np.matmul(scores[rows], across, out=modelled), out=part)
            np.einsum("ij,ij->i", part, part, out=spe[rows])
    variances = np.maximum(values[::-1], 0.0) / (n - 1)
    return Decomposition(mean, spread, scores, loadings, variances, spe, "gram")


def _from_samples(X: Matrix, n_components: int, *, scale: bool) -> Decomposition | None:
    """Decompose XX': for more points than samples. None where digits would be lost."""
    n, p = X.shape
    mean, spread = X.mean(axis=0), np.ones(p)
    gram = np.zeros((n, n), order="F")
    for columns in _column_parts(n, p):
        part = X[:, columns] - mean[columns]
        if scale:
            spread[columns] = _spread(X[:, columns], np.einsum("ij,ij->j", part, part))
            part /= spread[columns]
        gram = dsyrk(1.0, part.T, trans=1, beta=1.0, c=gram, overwrite_c=1)
    values, vectors = np.linalg.eigh(gram, UPLO="U")
    if not _holds_digits(values[::-1], n_components):
        return None
    left = np.ascontiguousarray(vectors[:, ::-1][:, :n_components])
    singular = np.sqrt(values[::-1][:n_components])
    scores, loadings, spe = left * singular, np.empty((p, n_components)), np.zeros(n)
    for columns in _column_parts(n, p):
        part = X[:, columns] - mean[columns]
        part /= spread[columns]
        np.matmul(part.T, left / singular, out=loadings[columns])
        part -= scores @ loadings[columns].T
        spe += np.einsum("ij,ij->i", part, part)
    variances = np.maximum(values[::-1], 0.0) / (n - 1)
    return Decomposition(mean, spread, scores, loadings, variances, spe, "gram")


def _parts(n: int, p: int) -> Iterator[tuple[slice, Matrix, Matrix]]:
    """Cut rows into slices that stay in the cache, with room for two matrices of that size."""
    step = max(64, _BLOCK // p)
    room = np.empty((2, min(step, n), p))
    for start in range(0, n, step):
        stop = min(start + step, n)
        yield slice(start, stop), room[0, : stop - start], room[1, : stop - start]


def _column_parts(n: int, p: int) -> Iterator[slice]:
    """Cut columns in the same way."""
    step = max(64, _BLOCK // n)
    return (slice(start, min(start + step, p)) for start in range(0, p, step))


def _spread(X: Matrix, squares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return standard deviations (n - 1) from sums of squares about the mean."""
    refuse_constant(X, name="X")
    return np.sqrt(squares / (len(X) - 1))


def _holds_digits(values: NDArray[np.float64], n_components: int) -> bool:
    """Tell whether components asked for and what they leave stand clear of rounding."""
    smallest = _SMALLEST_SHARE * values[0]
    rest = values[n_components:]
    return bool(
        values[n_components - 1] > smallest and (rest.sum() > smallest or not rest.size)
    )
