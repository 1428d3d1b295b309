"""One phase of a monitor that unfolds by variable: observations against maturity.

Rows are single observations of all batches. PLS finds what changes with maturity; an
observation is then held against the scores that batches had at the same maturity.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq.chemometrics import PLS
from pharmaq.errors import InputError
from pharmaq.mspc.batch._infill import pseudo_inverse, solve_bounded
from pharmaq.mspc.batch._now import Now
from pharmaq.mspc.batch._phase import STATISTICS, make_limits
from pharmaq.mspc.batch._trajectory import Trajectories

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pharmaq.mspc.batch.limits import BatchLimits

    Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EvolutionModel:
    """PLS of single observations on maturity, and where batches are at each time.

    Parameters
    ----------
    mean, scale : ndarray of shape (J,)
        Of each variable over all observations.
    rotations, loadings : ndarray of shape (J, A)
        As in PLS.
    to_maturity : ndarray of shape (A + 1,)
        Intercept, and loadings of maturity.
    covariance : ndarray of shape (J, J)
        Of scaled observations, for scores where sensors are missing.
    middle : ndarray of shape (K, J)
        Mean trajectory, scaled.
    inverse : ndarray of shape (K, A, A)
        Of the covariance of scores about those of the mean trajectory, over batches.
    weights : ndarray of shape (K, J)
        Mean square of each residual.
    explained : ndarray of shape (A,)
        Share of the variance of the observations.
    n_batches : int
        Number of fitted batches.
    """

    mean: Array
    scale: Array
    rotations: Array
    loadings: Array
    to_maturity: Array
    covariance: Array
    middle: Array
    inverse: Array
    weights: Array
    explained: Array
    n_batches: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EvolutionPhase:
    """A phase from time `start` to `stop` (not included), as `FittedPhase`."""

    name: str
    start: int
    stop: int
    model: EvolutionModel
    references: dict[str, Array]
    limits: dict[str, Array]

    def follow(self, values: Array) -> Trajectories:
        """Follow batches of shape (n, K, J), given from the start of this phase."""
        return follow(self.model, values)

    def running(self) -> RunningEvolution:
        """Return the state of a batch that starts this phase."""
        return RunningEvolution(self.model)

    @property
    def score_center(self) -> Array:
        """Scores of the mean trajectory at each time, shape (K, A)."""
        return self.model.middle @ self.model.rotations

    @property
    def score_covariance(self) -> Array:
        """Covariance of the scores of the fitted batches at each time, shape (K, A, A)."""
        return pseudo_inverse(self.model.inverse)

    def maturity(self, scores: Array) -> Array:
        """Return the maturity that scores of shape (..., A) stand for, 0 to 1 in this phase."""
        return self.model.to_maturity[0] + scores @ self.model.to_maturity[1:]

    def modelled(self, scores: Array) -> Array:
        """Return the values that scores of shape (..., A) stand for, shape (..., J)."""
        model = self.model
        return model.mean + model.scale * (scores @ model.loadings.T)


class RunningEvolution:
    """A batch that runs, one aligned time after the other; only cumulative SPE has a memory."""

    def __init__(self, model: EvolutionModel) -> None:
        self._model = model
        self._cumulative = 0.0

    def take(self, position: int, values: Array) -> Now:
        """Take the values of one time, NaN where a sensor is missing."""
        scores, t2, rest, shares, factor = _judge(self._model, position, values[None])
        squares = float(rest[0] @ rest[0] * factor[0])
        self._cumulative += squares
        return Now(
            scores=scores[0],
            t2=float(t2[0]),
            spe=squares,
            spe_cumulative=self._cumulative,
            t2_contributions=shares[0],
            spe_contributions=np.sign(rest[0]) * rest[0] ** 2 * factor[0],
        )


def fit_evolution(
    values: Array,
    time: Array,
    place: tuple[str, int, int],
    n_components: int,
    limits: BatchLimits,
) -> EvolutionPhase:
    """Fit one phase on batches of shape (N, K, J); `time` runs from 0 to 1."""
    if len(time) < 2:
        msg = f"unfolding='variable' needs two times or more in phase {place[0]!r}, got 1"
        raise InputError(msg)
    model = fit_model(values, time, n_components)
    if limits.values == "training":
        found = follow(model, values)
    else:
        found = _leave_one_out(values, time, n_components)
    references = {name: getattr(found, name) for name in STATISTICS}
    rank = np.full(len(time), n_components)
    return EvolutionPhase(
        name=place[0],
        start=place[1],
        stop=place[2],
        model=model,
        references=references,
        limits={name: make_limits(references, rank, limits, name) for name in STATISTICS},
    )


def fit_model(values: Array, time: Array, n_components: int) -> EvolutionModel:
    """Fit PLS on all observations, and the middle and spread of scores at each time."""
    n, K, J = values.shape
    rows = values.reshape(-1, J)
    seen = ~np.isnan(rows).all(axis=1)
    X, y = rows[seen], np.tile(time, n)[seen]
    mean = np.nanmean(X, axis=0)
    scale = np.nanstd(X, axis=0, ddof=1)
    X = (X - mean) / scale
    missing: Any = "tsr" if np.isnan(X).any() else "raise"
    parts = PLS(n_components, algorithm="kernel", missing=missing).fit(X, y)
    filled = np.where(np.isnan(X), parts.x_mean_ + parts.x_scores_ @ parts.x_loadings_.T, X)
    # the mean of what was filled in moves that of the model
    mean, filled = mean + scale * parts.x_mean_, filled - parts.x_mean_
    table = np.full(rows.shape, np.nan)
    table[seen] = filled
    cube = table.reshape(n, K, J)
    middle = np.nanmean(cube, axis=0)
    deviations = np.nan_to_num(cube - middle) @ parts.x_rotations_
    across = np.einsum("nka,nkb->kab", deviations, deviations)
    count = np.sum(~np.isnan(cube[:, :, 0]), axis=0) - 1
    rest = cube - cube @ parts.x_rotations_ @ parts.x_loadings_.T
    return EvolutionModel(
        mean=mean,
        scale=scale,
        rotations=np.ascontiguousarray(parts.x_rotations_),
        loadings=np.ascontiguousarray(parts.x_loadings_),
        to_maturity=np.concatenate([np.ravel(parts.y_mean_), parts.y_loadings_.ravel()]),
        covariance=filled.T @ filled / (len(filled) - 1),
        middle=middle,
        inverse=np.linalg.pinv(across / count[:, None, None], hermitian=True),
        weights=np.nanmean(rest**2, axis=0),
        explained=parts.explained_x_,
        n_batches=n,
    )


def follow(model: EvolutionModel, values: Array) -> Trajectories:
    """Hold each observation of batches of shape (n, K, J) against its time."""
    n, K, _ = values.shape
    scores = np.full((n, K, model.rotations.shape[1]), np.nan)
    t2, spe = np.full((n, K), np.nan), np.full((n, K), np.nan)
    for k in range(K):
        some = ~np.isnan(values[:, k]).all(axis=1)
        found, square, rest, _, factor = _judge(model, k, values[some, k])
        scores[some, k], t2[some, k] = found, square
        spe[some, k] = np.sum(rest**2, axis=1) * factor
    summed = np.where(np.isnan(spe), np.nan, np.cumsum(np.nan_to_num(spe), axis=1))
    return Trajectories(scores, t2, spe, summed, spe.copy())


def contributions(model: EvolutionModel, values: Array) -> tuple[Array, Array]:
    """Split T2 and SPE of one batch by time and variable, both of shape (K, J)."""
    shares = np.full((2, *values.shape), np.nan)
    for k in np.flatnonzero(~np.isnan(values).all(axis=1)):
        _, _, rest, parts, factor = _judge(model, int(k), values[k : k + 1])
        shares[0, k], shares[1, k] = parts[0], np.sign(rest[0]) * rest[0] ** 2 * factor[0]
    return shares[0], shares[1]


def _judge(
    model: EvolutionModel, k: int, rows: Array
) -> tuple[Array, Array, Array, Array, Array]:
    """Return scores, T2, residuals, parts of T2 and the factor of SPE of rows of one time."""
    scaled = (rows - model.mean) / model.scale
    seen = ~np.isnan(scaled)
    observed = np.where(seen, scaled, 0.0)
    middle = model.middle[k]
    scores = observed @ model.rotations
    deviations = np.where(seen, scaled - middle, 0.0)
    apart = deviations @ model.rotations
    parts = deviations * (apart @ model.inverse[k] @ model.rotations.T)
    for i in np.flatnonzero(~seen.all(axis=1)):
        # what is missing follows the mean trajectory, and regression on what is not
        map_ = _regression(model, seen[i])
        apart[i] = apart[i] @ map_
        scores[i] = middle @ model.rotations + apart[i]
        effect = map_ @ model.inverse[k] @ apart[i]
        parts[i] = deviations[i] * (model.rotations @ effect)
    t2 = np.einsum("na,ab,nb->n", apart, model.inverse[k], apart)
    rest = np.where(seen, scaled - scores @ model.loadings.T, 0.0)
    weights = model.weights[k]
    factor = weights.sum() / np.sum(weights * seen, axis=1)
    return scores, t2, rest, parts, factor


def _regression(model: EvolutionModel, seen: NDArray[np.bool_]) -> Array:
    """Return the matrix that turns scores of what is observed into scores of all of it."""
    R, C = model.rotations, model.covariance
    part = R[seen]
    return solve_bounded(part.T @ C[np.ix_(seen, seen)] @ part, part.T @ C[seen] @ R)


def _leave_one_out(values: Array, time: Array, n_components: int) -> Trajectories:
    """Follow each batch with a model of the others."""
    folds = []
    for i in range(len(values)):
        model = fit_model(np.delete(values, i, axis=0), time, n_components)
        folds.append(follow(model, values[i : i + 1]))
    return Trajectories(*(np.concatenate(arrays) for arrays in zip(*folds, strict=True)))
