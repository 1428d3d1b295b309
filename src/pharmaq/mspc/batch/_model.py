"""The latent variable model of one phase: scaled batches, components, and what they leave."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pharmaq.chemometrics import PCA, PLS
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SCALINGS = ("column", "variable", "center")
# a column that varies less than this share of its variable does not vary: by its own scale,
# rounding would count as much as anything else
STILL = 1e-6


class ScoreModel(Protocol):
    """What following a batch needs of a model; `PhaseModel` says what it means."""

    @property
    def mean(self) -> Array: ...
    @property
    def scale(self) -> Array: ...
    @property
    def rotations(self) -> Array: ...
    @property
    def loadings(self) -> Array: ...
    @property
    def variances(self) -> Array: ...
    @property
    def scores(self) -> Array: ...
    @property
    def n_batches(self) -> int: ...
    @property
    def noise(self) -> float: ...

    def products(self, base: Array) -> Array: ...


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PhaseModel:
    """Components of N batches at K times of J variables, unfolded by batch.

    Parameters
    ----------
    mean, scale : ndarray of shape (K, J)
        Mean trajectory and what deviations from it are divided by.
    rotations, loadings : ndarray of shape (K, J, A)
        Scores are the sum over times and variables of scaled values times rotations; scores
        times loadings are what the model makes of the batch.
    variances : ndarray of shape (A,)
        Variances of the scores (n - 1).
    train : ndarray of shape (N, K, J)
        Scaled batches, with what was missing filled in.
    scores : ndarray of shape (N, A)
        Scores of these batches.
    y_loadings, y_mean, y_scale : ndarray of shape (M, A), (M,), (M,)
        Quality from scores; M is 0 without quality.
    n_filled : int
        Number of values that were filled in.
    n_pooled : int
        Columns that did not vary, which got the scale of their variable.
    """

    mean: Array
    scale: Array
    rotations: Array
    loadings: Array
    variances: Array
    train: Array
    scores: Array
    y_loadings: Array
    y_mean: Array
    y_scale: Array
    n_filled: int
    n_pooled: int

    @property
    def n_batches(self) -> int:
        """Number of fitted batches."""
        return len(self.train)

    @property
    def noise(self) -> float:
        """Variance of one residual."""
        total = float(np.vdot(self.train, self.train))
        return residual_variance(total, self.scores, self.loadings)

    @property
    def explained(self) -> Array:
        """Share of the variance that each component explains."""
        P = self.loadings.reshape(-1, len(self.variances))
        total = float(np.vdot(self.train, self.train))
        return np.asarray(np.sum(self.scores**2, axis=0) * np.sum(P**2, axis=0) / total)

    def products(self, base: Array) -> Array:
        """Return scaled batches times `base` at each time, shape (K, N, A)."""
        return np.asarray(np.swapaxes(self.train, 0, 1) @ base)

    def quality(self, scores: Array) -> Array:
        """Return the quality that scores of shape (..., A) stand for, shape (..., M)."""
        return self.y_mean + self.y_scale * (scores @ self.y_loadings.T)

    @property
    def raw(self) -> Array:
        """The batches as they were given, with what was missing filled in."""
        return self.train * self.scale + self.mean


def fit_phase(
    values: Array, n_components: int, scaling: str, quality: Array | None
) -> PhaseModel:
    """Centre, scale and decompose batches, shape (N, K, J); the checks were made before."""
    n, K, J = values.shape
    mean, scale, n_pooled = center_and_scale(values, scaling)
    train = (values - mean) / scale
    missing = np.isnan(train)
    if missing.any():
        train = _fill(train.reshape(n, -1), n_components).reshape(n, K, J)
        shift = train.mean(axis=0)
        train, mean = train - shift, mean + shift * scale
    parts = _decompose(train.reshape(n, -1), n_components, quality)
    A = n_components
    return PhaseModel(
        mean=mean,
        scale=scale,
        # in one order of memory: a stored model then gives the same bits
        rotations=np.ascontiguousarray(parts.x_rotations_).reshape(K, J, A),
        loadings=np.ascontiguousarray(parts.x_loadings_).reshape(K, J, A),
        variances=parts.score_variances_,
        train=np.ascontiguousarray(train),
        scores=parts.x_scores_,
        y_loadings=getattr(parts, "y_loadings_", np.empty((0, A))),
        y_mean=np.atleast_1d(getattr(parts, "y_mean_", np.empty(0))),
        y_scale=np.atleast_1d(getattr(parts, "y_scale_", np.empty(0))),
        n_filled=int(missing.sum()),
        n_pooled=n_pooled,
    )


def still_variables(values: Array) -> NDArray[np.intp]:
    """Return the variables that never change, in no batch and at no time."""
    low, high = np.nanmin(values, axis=(0, 1)), np.nanmax(values, axis=(0, 1))
    return np.flatnonzero(low == high)


def center_and_scale(values: Array, scaling: str) -> tuple[Array, Array, int]:
    """Return mean trajectory, scales, and how many columns got that of their variable."""
    # several times as fast where nothing is missing
    holes = np.isnan(values).any()
    average, deviation = (np.nanmean, np.nanstd) if holes else (np.mean, np.std)
    mean = average(values, axis=0)
    if scaling == "center":
        return mean, np.ones_like(mean), 0
    spread = deviation(values, axis=0, ddof=1)
    pooled = np.sqrt(np.nanmean(spread**2, axis=0))
    if (pooled == 0).any():
        j = int(np.flatnonzero(pooled == 0)[0])
        msg = (
            f"variable {j} (from 0) has the same trajectory in all batches and cannot be "
            "scaled; leave it out, or use scaling='center'"
        )
        raise InputError(msg)
    if scaling == "variable":
        return mean, np.broadcast_to(pooled, mean.shape).copy(), 0
    still = spread <= STILL * pooled
    return mean, np.where(still, pooled, spread), int(still.sum())


def residual_variance(total: float, scores: Array, loadings: Array) -> float:
    """Return the variance of one residual from the sum of squares of scaled batches."""
    n, A = scores.shape
    P = loadings.reshape(-1, A)
    modelled = float(np.einsum("ia,ib,ab->", scores, scores, P.T @ P))
    return max(total - modelled, 0.0) / ((n - 1) * max(len(P) - A, 1))


def _decompose(table: Array, n_components: int, quality: Array | None) -> Any:
    if quality is None:
        return PCA(n_components).fit(table)
    spread = quality.std(axis=0, ddof=1)
    model = PLS(n_components, algorithm="kernel").fit(table, quality / spread)
    # predictions in the units of quality: scaled here, so that responses weigh the same
    model.y_mean_, model.y_scale_ = model.y_mean_ * spread, spread
    return model


def _fill(table: Array, n_components: int) -> Array:
    """Fill in missing values by trimmed score regression, until they stay."""
    model = PCA(n_components, missing="tsr").fit(table)
    modelled = model.x_mean_ + model.x_scores_ @ model.x_loadings_.T
    return np.where(np.isnan(table), modelled, table)
