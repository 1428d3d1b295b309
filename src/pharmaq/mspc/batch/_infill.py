"""Scores of a batch that still runs: what to assume about the times to come.

Every method is linear in what was observed: with z_l the scaled values at time l (zero where
missing), the scores at time k are sum_{l <= k} z_l B_l M_k, plus z_k C_k where the current
deviation is assumed to stay. So one update costs a few products of small matrices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pharmaq.mspc.batch._model import ScoreModel

    Array = NDArray[np.float64]

INFILLS = ("zero", "current", "pmp", "tsr", "conditional")
# projection to the model plane has no answer beyond this condition number
WORST_CONDITION = 1e8
# directions with less than this share of the variance carry nothing but rounding
LEAST_VARIANCE = 1e-10


class Operators(NamedTuple):
    """What turns observations into scores and T2 at each of K times."""

    method: str
    base: Array  # (K, J, A)
    maps: Array  # (K, A, A)
    ahead: Array | None  # (K, J, A)
    inverse: Array  # (K, A, A): of the covariance of the scores at each time
    rank: NDArray[np.intp]  # (K,): directions in which they vary
    noise: float  # variance of one residual, for "conditional"
    sums: Array  # (K, N, A): fitted batches times the base, over times so far
    gram: Array  # (K, A, A): loadings times the base, over times so far
    squares: Array  # (K, A, A): loadings times loadings, over times so far


def make_operators(model: ScoreModel, method: str) -> Operators:
    """Compute the operators of all times for batches without missing values."""
    base = model.loadings if method == "conditional" else model.rotations
    noise = model.noise if method == "conditional" else 0.0
    sums = np.cumsum(model.products(base), axis=0)
    P = np.swapaxes(model.loadings, 1, 2)
    gram = np.cumsum(P @ base, axis=0)
    squares = gram if base is model.loadings else np.cumsum(P @ model.loadings, axis=0)
    maps = score_maps(model, method, noise, sums, gram)
    ahead = _ahead(model) if method == "current" else None
    scores = sums @ maps
    if ahead is not None:
        scores = scores + model.products(ahead)
    inverse, rank = inverse_covariance(scores, model)
    return Operators(
        method=method,
        base=base,
        maps=np.ascontiguousarray(maps),
        ahead=ahead,
        inverse=np.ascontiguousarray(inverse),
        rank=rank,
        noise=noise,
        sums=sums,
        gram=gram,
        squares=squares,
    )


def score_maps(model: ScoreModel, method: str, noise: float, sums: Array, gram: Array) -> Array:
    """Return M_k from sums of the training batches and products of loadings so far.

    Leading axes are times; with a pattern of missing values both hold what was observed.
    """
    A = len(model.variances)
    if method in {"zero", "current"}:
        return np.broadcast_to(np.eye(A), gram.shape).copy()
    if method == "tsr":
        across = np.swapaxes(sums, -1, -2)
        return solve_bounded(across @ sums, across @ model.scores)
    if method == "conditional":
        return np.asarray(np.linalg.inv(gram + noise * np.diag(1 / model.variances)))
    condition: Array = np.asarray(np.linalg.cond(gram))
    determined = (condition <= WORST_CONDITION)[..., None, None]
    safe = np.where(determined, gram, np.eye(A))
    return np.where(determined, np.linalg.inv(safe), np.nan)


def inverse_covariance(scores: Array, model: ScoreModel) -> tuple[Array, NDArray[np.intp]]:
    """Return the inverse of the covariance of scores about zero, and its rank."""
    variances = model.variances
    scaled = scores / np.sqrt(variances)
    covariance = np.swapaxes(scaled, -1, -2) @ scaled / (model.n_batches - 1)
    inverse, rank = _bounded_inverse(covariance)
    return inverse / np.sqrt(np.outer(variances, variances)), rank


def pseudo_inverse(matrices: Array) -> Array:
    """Return the pseudo-inverse of symmetric matrices; NaN stays NaN."""
    finite: NDArray[np.bool_] = np.asarray(np.isfinite(matrices).all(axis=(-1, -2)))
    whole = finite[:, None, None]
    found = np.linalg.pinv(np.where(whole, matrices, 0.0), hermitian=True)
    return np.where(whole, found, np.nan)


def solve_bounded(gram: Array, right: Array) -> Array:
    """Solve normal equations where they hold more than rounding."""
    size = np.sqrt(np.einsum("...aa->...a", gram))
    size = np.where(size > 0, size, 1.0)
    inverse, _ = _bounded_inverse(gram / (size[..., :, None] * size[..., None, :]))
    return (inverse / size[..., :, None]) @ (right / size[..., :, None])


def _bounded_inverse(matrix: Array) -> tuple[Array, NDArray[np.intp]]:
    whole: NDArray[np.bool_] = np.asarray(np.isfinite(matrix).all(axis=(-1, -2)))
    values, vectors = np.linalg.eigh(np.where(whole[..., None, None], matrix, 0.0))
    kept = values > LEAST_VARIANCE
    inverse = np.where(kept, 1 / np.where(kept, values, 1.0), 0.0)
    result = (vectors * inverse[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    return np.where(whole[..., None, None], result, np.nan), kept.sum(axis=-1)


def _ahead(model: ScoreModel) -> Array:
    """Return the sum of rotations over the times still to come."""
    R = model.rotations
    return np.asarray(R.sum(axis=0) - np.cumsum(R, axis=0))
