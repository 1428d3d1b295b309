"""What a session keeps of a running phase: a few sums, from which all statistics follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pharmaq.mspc.batch._infill import inverse_covariance, score_maps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pharmaq.mspc.batch._phase import FittedPhase

    Array = NDArray[np.float64]


class Now(NamedTuple):
    """Statistics of one moment."""

    scores: Array
    t2: float
    spe: float
    spe_cumulative: float
    t2_contributions: Array
    spe_contributions: Array


class RunningPhase:
    """A phase of a batch that runs, fed one aligned time after the other.

    The numbers are those of `FittedPhase.follow` on all values so far.
    """

    def __init__(self, phase: FittedPhase) -> None:
        model = phase.model
        (n, _, J), A = model.train.shape, len(model.variances)
        self._phase = phase
        self._next = 0
        self._whole = True
        # by variable: sums of scaled values times the rows of the base, and of the loadings
        self._weighted, self._onto = np.zeros((J, A)), np.zeros(A)
        self._squares = 0.0
        # the fitted batches and products of loadings, with what was observed here
        self._train_sums, self._gram = np.zeros((n, A)), np.zeros((A, A))
        self._square_gram = np.zeros((A, A))
        self._expected = np.zeros(2)
        self._deviation = np.zeros(J)

    @property
    def scores(self) -> Array:
        """Scores of this moment."""
        return self._scores

    def take(self, position: int, values: Array) -> Now:
        """Take the values of one time, NaN where a sensor is missing; times may be skipped."""
        for skipped in range(self._next, position):
            self._add(skipped, np.full(len(values), np.nan))
        model = self._phase.model
        scaled = (values - model.mean[position]) / model.scale[position]
        self._add(position, scaled)
        self._next = position + 1
        seen = ~np.isnan(scaled)
        observed = np.where(seen, scaled, 0.0)
        maps, inverse = self._operators(position)
        scores = self._score(position, maps)
        effect = inverse @ scores
        rest = (observed - model.loadings[position] @ scores) * seen
        weights = self._phase.weights[position]
        complete = seen.all()
        now = 1.0 if complete else _ratio(weights.sum(), weights[seen].sum())
        so_far = 1.0 if self._whole else _ratio(self._expected[0], self._expected[1])
        cumulative = (
            self._squares - 2 * scores @ self._onto + scores @ self._square_gram @ scores
        )
        return Now(
            scores=scores,
            t2=float(effect @ scores),
            spe=float(rest @ rest) * now,
            spe_cumulative=max(float(cumulative), 0.0) * so_far,
            t2_contributions=self._t2_shares(position, maps @ effect, effect),
            spe_contributions=np.sign(rest) * rest**2 * now,
        )

    def _add(self, k: int, scaled: Array) -> None:
        """Add one time to all sums; NaN is not observed."""
        model, operators = self._phase.model, self._phase.operators
        seen = ~np.isnan(scaled)
        whole = bool(seen.all())
        self._whole = self._whole and whole
        if operators.method == "current":
            self._deviation = np.where(seen, scaled, self._deviation)
        observed = scaled if whole else np.where(seen, scaled, 0.0)
        base, P = operators.base[k], model.loadings[k]
        carried = self._deviation if operators.method == "current" else observed
        if not whole:
            base_seen, P = base * seen[:, None], P * seen[:, None]
        else:
            base_seen = base
        self._weighted += carried[:, None] * base
        self._onto += observed @ P
        self._squares += float(observed @ observed)
        self._square_gram += P.T @ P
        self._gram += model.loadings[k].T @ base_seen
        self._train_sums += model.train[:, k] @ base_seen
        weights = self._phase.weights[k]
        self._expected += (weights.sum(), weights[seen].sum())

    def _operators(self, k: int) -> tuple[Array, Array]:
        operators, model = self._phase.operators, self._phase.model
        if self._whole or operators.method == "current":
            return operators.maps[k], operators.inverse[k]
        maps = score_maps(
            model, operators.method, operators.noise, self._train_sums[None], self._gram[None]
        )
        inverse, _ = inverse_covariance(self._train_sums[None] @ maps, model)
        return maps[0], inverse[0]

    def _score(self, k: int, maps: Array) -> Array:
        scores = self._weighted.sum(axis=0) @ maps
        ahead = self._phase.operators.ahead
        if ahead is not None:
            scores = scores + self._deviation @ ahead[k]
        self._scores = scores
        return scores

    def _t2_shares(self, k: int, mapped: Array, effect: Array) -> Array:
        shares = self._weighted @ mapped
        ahead = self._phase.operators.ahead
        if ahead is not None:
            shares = shares + self._deviation * (ahead[k] @ effect)
        return shares


def _ratio(whole: float, part: float) -> float:
    return whole / part if part > 0 else float("nan")
