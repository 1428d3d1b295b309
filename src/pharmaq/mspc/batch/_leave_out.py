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
from scipy.linalg.blas import dsyrk

from pharmaq.mspc.batch._infill import make_operators
from pharmaq.mspc.batch._model import STILL, PhaseModel, residual_variance
from pharmaq.mspc.batch._trajectory import Trajectories, trajectories

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# numbers worked on together: few enough to stay in the cache of a processor
_BLOCK = 2**16


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
    sliced = np.ascontiguousarray(np.swapaxes(model.train, 0, 1))
    options = options | {"squares": np.einsum("nkj,nkj->kj", model.train, model.train)}
    folds, errors = [], np.full((n, K, 0 if quality is None else quality.shape[1]), np.nan)
    for i in range(n):
        y, y_mean, y_scale = _scaled_quality(quality, i)
        part = _without(model, sliced, y, i, options)
        operators = make_operators(part, options["infill"])
        found = trajectories(part, operators, weights, values[i : i + 1])
        folds.append(found)
        if quality is not None:
            forecast = y_mean + y_scale * (found.scores[0] @ part.y_loadings.T)
            errors[i] = forecast - quality[i]
    joined = Trajectories(*(np.concatenate(arrays) for arrays in zip(*folds, strict=True)))
    return joined, np.sqrt(np.nanmean(errors**2, axis=0))


def _without(
    model: PhaseModel, sliced: Array, y: Array | None, i: int, options: dict[str, Any]
) -> LeftOutModel:
    n, K, J = model.train.shape
    squares = options["squares"]
    shift = -model.train[i] / (n - 1)
    factor = _scale_factor(model, squares, i, options["scaling"])
    gram = _products_of_batches(model.train.reshape(n, -1), factor.ravel(), i)
    combined, scores, y_loadings = _components(gram, y, options["n_components"])
    # combinations of batches; their weights sum to zero, so that the mean does not matter
    combined = np.insert(combined, i, 0.0, axis=0)
    columns = (model.train.reshape(n, -1).T @ combined).reshape(K, J, -1) / factor[:, :, None]
    A = options["n_components"]
    return LeftOutModel(
        mean=model.mean + shift * model.scale,
        scale=model.scale * factor,
        rotations=columns[:, :, :A],
        loadings=columns[:, :, -A:],
        scores=scores,
        y_loadings=y_loadings,
        total=float(np.trace(gram)),
        left_out=i,
        sliced=sliced,
        shift=shift,
        factor=factor,
    )


def _scale_factor(model: PhaseModel, squares: Array, i: int, scaling: str) -> Array:
    """Return the scale of the batches without one, divided by that of all."""
    n = len(model.train)
    if scaling == "center":
        return np.ones_like(model.mean)
    rest = np.maximum(squares - model.train[i] ** 2 * n / (n - 1), 0.0) / (n - 2)
    pooled = np.mean(rest * model.scale**2, axis=0)
    if scaling == "variable":
        return np.asarray(np.sqrt(pooled) / model.scale)
    still = rest * model.scale**2 <= STILL**2 * pooled
    return np.where(still, np.sqrt(pooled) / model.scale, np.sqrt(rest))


def _products_of_batches(table: Array, factor: Array, i: int) -> Array:
    """Return the centred products of all rows but one, columns divided by `factor`."""
    n, p = table.shape
    gram = np.zeros((n, n), order="F")
    step = max(64, _BLOCK // n)
    for start in range(0, p, step):
        part = table[:, start : start + step] / factor[start : start + step]
        gram = dsyrk(1.0, part.T, trans=1, beta=1.0, c=gram, overwrite_c=1)
    gram = np.triu(gram) + np.triu(gram, 1).T
    others = np.delete(np.delete(gram, i, axis=0), i, axis=1)
    centre = others.mean(axis=0)
    return np.asarray(others - centre - centre[:, None] + centre.mean())


def _components(gram: Array, y: Array | None, count: int) -> tuple[Array, Array, Array]:
    """Return combinations of batches, scores and loadings of y.

    Combinations are those for rotations, then those for loadings where they differ.
    """
    if y is None:
        values, vectors = np.linalg.eigh(gram)
        size = np.sqrt(values[::-1][:count])
        left = vectors[:, ::-1][:, :count]
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
