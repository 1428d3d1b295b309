"""One phase of a fitted monitor: model, operators, reference values and limits."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq.mspc.batch._infill import Operators, make_operators, pseudo_inverse
from pharmaq.mspc.batch._leave_out import leave_one_out
from pharmaq.mspc.batch._model import PhaseModel, fit_phase
from pharmaq.mspc.batch._running import RunningPhase
from pharmaq.mspc.batch._trajectory import (
    Trajectories,
    residual_weights,
    trajectories,
)
from pharmaq.mspc.batch.limits import BatchLimits, limit_over_time, t2_over_time

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

STATISTICS = ("t2", "spe", "spe_cumulative", "spe_hindsight")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FittedPhase:
    """A phase from time `start` to `stop` (not included), fitted on the batches that have it.

    `references` holds statistics of these batches, shape (N, K); `limits` a limit for each
    alpha and time, shape (n_alphas, K); `weights` the expected square of each residual;
    `quality_errors` the root mean square error of quality forecast at each time for batches
    left out of the model, shape (K, M).
    """

    name: str
    start: int
    stop: int
    model: PhaseModel
    operators: Operators
    weights: Array
    references: dict[str, Array]
    limits: dict[str, Array]
    quality_errors: Array

    def running(self) -> RunningPhase:
        """Return the state of a batch that starts this phase."""
        return RunningPhase(self)

    @property
    def score_center(self) -> Array:
        """Scores of the mean trajectory at each time, shape (K, A)."""
        return np.zeros(self.operators.inverse.shape[:2])

    @property
    def score_covariance(self) -> Array:
        """Covariance of the scores of the fitted batches at each time, shape (K, A, A)."""
        return pseudo_inverse(self.operators.inverse)

    def modelled(self, scores: Array) -> Array:
        """Return the values that scores of shape (A,) stand for, shape (K, J)."""
        model = self.model
        return model.mean + model.scale * (model.loadings @ scores)

    def follow(self, values: Array) -> Trajectories:
        """Follow batches of shape (n, K, J), given from the start of this phase."""
        return trajectories(self.model, self.operators, self.weights, values)


def fit_one(
    values: Array,
    quality: Array | None,
    place: tuple[str, int, int],
    options: dict[str, Any],
    limits: BatchLimits,
) -> FittedPhase:
    """Fit one phase on batches of shape (N, K, J), and set its limits."""
    model = fit_phase(values, options["n_components"], options["scaling"], quality)
    operators = make_operators(model, options["infill"])
    weights = residual_weights(model, operators)
    found, errors = trajectories(model, operators, weights, values), np.empty((len(weights), 0))
    if limits.values == "cross_validated" or quality is not None:
        left_out, errors = leave_one_out(model, weights, values, quality, options)
        found = left_out if limits.values == "cross_validated" else found
    references = {name: getattr(found, name) for name in STATISTICS}
    return FittedPhase(
        name=place[0],
        start=place[1],
        stop=place[2],
        model=model,
        operators=operators,
        weights=weights,
        references=references,
        quality_errors=errors,
        limits={
            name: make_limits(references, operators.rank, limits, name) for name in STATISTICS
        },
    )


def make_limits(
    references: dict[str, Array], rank: NDArray[np.intp], limits: BatchLimits, statistic: str
) -> Array:
    """Return the limits of a statistic for each alpha, shape (n_alphas, K)."""
    values, window = references[statistic], limits.window
    theory = statistic == "t2" and limits.t2 not in {"moments", "empirical"}
    method = limits.t2 if statistic == "t2" else limits.spe
    rows = [
        t2_over_time(len(values), rank, alpha=alpha, method=method)
        if theory
        else limit_over_time(values, method, alpha=alpha, window=window)
        for alpha in limits.alphas
    ]
    return np.array(rows)
