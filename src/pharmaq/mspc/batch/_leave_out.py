"""Each batch as a model sees it that was fitted on the others.

The model of the others follows from N x N products of batches. With z the batches scaled by the
model of all, the others have another mean, and other scales by a factor r: their products are
sums over columns of z z' / r^2, centred. Rotations and loadings are combinations of batches, so
the scaled batches are never built.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import eigh
from scipy.linalg.blas import dsyrk

from pharmaq.mspc.batch._infill import make_operators
from pharmaq.mspc.batch._model import STILL, PhaseModel, residual_variance
from pharmaq.mspc.batch._trajectory import Trajectories, trajectories

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# numbers worked on together: few enough to stay in the cache of a processor
_BLOCK = 2**16
# batches left out together: they share a read of all batches
_TOGETHER = 25


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutModel:
    """Model of all batches but one, as far as following that one needs it.

    `sliced` holds all batches by time, (K, N, J), scaled by the model of all; `shift` and
    `factor` turn them into batches scaled by this one.
    """

    mean: Array
    scale: Array
    rotations: Array
    loadings: Array
    scores: Array
    y_loadings: Array
    y_mean: Array
    y_scale: Array
    total: float
    left_out: int
    sliced: Array
    shift: Array
    factor: Array

    @property
    def variances(self) -> Array:
        """Variances of the scores (n - 1)."""
        return np.asarray(np.sum(self.scores**2, axis=0) / (len(self.scores) - 1))

    @property
    def n_batches(self) -> int:
        """Number of batches that are not left out."""
        return len(self.scores)

    @property
    def noise(self) -> float:
        """Variance of one residual."""
        return residual_variance(self.total, self.scores, self.loadings)

    def quality(self, scores: Array) -> Array:
        """Return the quality that scores of shape (..., A) stand for, shape (..., M)."""
        return np.asarray(self.y_mean + self.y_scale * (scores @ self.y_loadings.T))

    def products(self, base: Array) -> Array:
        """Return the scaled batches times `base` at each time, without the one left out."""
        part = base / self.factor[:, :, None]
        offset = np.einsum("kj,kja->ka", self.shift, part)
        found = self.sliced @ part - offset[:, None]
        return np.delete(found, self.left_out, axis=1)


def leave_one_out(
    model: PhaseModel,
    weights: Array,
    values: Array,
    quality: Array | None,
    options: dict[str, Any],
) -> tuple[Trajectories, Array]:
    """Follow each batch with a model fitted on the others; return forecast errors beside it.

    What was missing in these others keeps the values that the model of all batches filled in;
    the batch itself is followed with the values it has. Errors are root mean squares at each
    time, shape (K, M).
    """
    n, K, _ = values.shape
    found, errors = [], np.full((n, K, 0 if quality is None else quality.shape[1]), np.nan)
    sliced = np.ascontiguousarray(np.swapaxes(model.train, 0, 1))
    for start in range(0, n, _TOGETHER):
        folds = range(start, min(start + _TOGETHER, n))
        for part in _without(model, sliced, quality, folds, options):
            i = part.left_out
            operators = make_operators(part, options["infill"])
            own = trajectories(part, operators, weights, values[i : i + 1])
            found.append(own)
            if quality is not None:
                errors[i] = part.quality(own.scores[0]) - quality[i]
    joined = Trajectories(*(np.concatenate(arrays) for arrays in zip(*found, strict=True)))
    return joined, np.sqrt(np.nanmean(errors**2, axis=0))


def _without(
    model: PhaseModel,
    sliced: Array,
    quality: Array | None,
    folds: range,
    options: dict[str, Any],
) -> Iterator[LeftOutModel]:
    """Give the models without one batch after the other."""
    n, K, J = model.train.shape
    table, A = model.train.reshape(n, -1), options["n_components"]
    factors = _scale_factors(model, folds, options["scaling"])
    grams = _products_of_batches(table, factors.reshape(len(folds), -1), folds)
    scaled = [_scaled_quality(quality, i) for i in folds]
    parts = [_components(g, y[0], A) for g, y in zip(grams, scaled, strict=True)]
    # combinations of batches; their weights sum to zero, so that the mean does not matter
    combined = [np.insert(p[0], i, 0.0, axis=0) for p, i in zip(parts, folds, strict=True)]
    columns = (table.T @ np.hstack(combined)).reshape(K, J, len(folds), -1)
    for f, i in enumerate(folds):
        shift = -model.train[i] / (n - 1)
        own = columns[:, :, f] / factors[f][:, :, None]
        yield LeftOutModel(
            mean=model.mean + shift * model.scale,
            scale=model.scale * factors[f],
            rotations=own[:, :, :A],
            loadings=own[:, :, -A:],
            scores=parts[f][1],
            y_loadings=parts[f][2],
            y_mean=scaled[f][1],
            y_scale=scaled[f][2],
            total=float(np.trace(grams[f])),
            left_out=i,
            sliced=sliced,
            shift=shift,
            factor=factors[f],
        )


def _scale_factors(model: PhaseModel, folds: range, scaling: str) -> Array:
    """Return the scales of the batches without one, divided by those of all, for each."""
    n = len(model.train)
    own = model.train[folds.start : folds.stop]
    if scaling == "center":
        return np.ones_like(own)
    squares = np.einsum("nkj,nkj->kj", model.train, model.train)
    rest = np.maximum(squares - own**2 * n / (n - 1), 0.0) / (n - 2)
    pooled = np.mean(rest * model.scale**2, axis=1)[:, None]
    if scaling == "variable":
        return np.asarray(np.sqrt(pooled) / model.scale)
    still = rest * model.scale**2 <= STILL**2 * pooled
    return np.where(still, np.sqrt(pooled) / model.scale, np.sqrt(rest))


def _products_of_batches(table: Array, factors: Array, folds: range) -> list[Array]:
    """Return the centred products of all rows but one, columns divided by their factors."""
    n, p = table.shape
    grams = [np.zeros((n, n), order="F") for _ in folds]
    step = max(64, _BLOCK // n)
    for start in range(0, p, step):
        span = slice(start, start + step)
        block = np.ascontiguousarray(table[:, span])
        for f, gram in enumerate(grams):
            part = block / factors[f, span]
            grams[f] = dsyrk(1.0, part.T, trans=1, beta=1.0, c=gram, overwrite_c=1)
    centred = []
    for gram, i in zip(grams, folds, strict=True):
        whole = np.triu(gram) + np.triu(gram, 1).T
        others = np.delete(np.delete(whole, i, axis=0), i, axis=1)
        centre = others.mean(axis=0)
        centred.append(others - centre - centre[:, None] + centre.mean())
    return centred


def _components(gram: Array, y: Array | None, count: int) -> tuple[Array, Array, Array]:
    """Return combinations of batches, scores and loadings of y.

    Combinations are those for rotations, then those for loadings where they differ.
    """
    if y is None:
        n = len(gram)
        values, vectors = eigh(gram, subset_by_index=(n - count, n - 1), check_finite=False)
        size, left = np.sqrt(values[::-1]), vectors[:, ::-1]
        return left / size, left * size, np.empty((0, count))
    # PLS by products of samples: S. Rannar et al., J. Chemom. 8 (1994) 111-125
    T, U = np.empty((len(gram), count)), np.empty((len(gram), count))
    rest, y_rest = gram, y
    for a in range(count):
        q = np.linalg.eigh(y_rest.T @ rest @ y_rest)[1][:, -1]
        U[:, a] = y_rest @ q
        t = rest @ U[:, a]
        # orthogonal in theory
        t -= T[:, :a] @ (T[:, :a].T @ t)
        t /= np.linalg.norm(t)
        T[:, a] = t
        onto = rest @ t
        rest = rest - np.outer(t, onto) - np.outer(onto, t) + (t @ onto) * np.outer(t, t)
        y_rest = y_rest - np.outer(t, t @ y_rest)
    rotations = np.asarray(np.linalg.solve((T.T @ gram @ U).T, U.T).T)
    return np.hstack([rotations, T]), T, y.T @ T


def _scaled_quality(quality: Array | None, i: int) -> tuple[Array | None, Array, Array]:
    """Return the quality of the others, centred and scaled, with mean and scale."""
    if quality is None:
        return None, np.empty(0), np.empty(0)
    others = np.delete(quality, i, axis=0)
    mean, scale = others.mean(axis=0), others.std(axis=0, ddof=1)
    return (others - mean) / scale, mean, scale
