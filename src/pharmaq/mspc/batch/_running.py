"""What a session keeps of a running phase: a few sums, from which all statistics follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pharmaq.mspc.batch._infill import inverse_covariance, score_maps
from pharmaq.mspc.batch._now import Now

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pharmaq.mspc.batch._phase import FittedPhase

    Array = NDArray[np.float64]


class RunningPhase:
    """A phase of a batch that runs, fed one aligned time after the other.

    The numbers are those of `FittedPhase.follow` on all values so far.
    """

    def __init__(self, phase: FittedPhase) -> None:
        J, A = phase.model.loadings.shape[1:]
        self._phase = phase
        self._next = 0
        # by variable: sums of scaled values times the rows of the base; times the loadings
        self._weighted, self._onto = np.zeros((J, A)), np.zeros(A)
        self._squares = 0.0
        self._deviation = np.zeros(J)
        self._incomplete: _Incomplete | None = None

    def take(self, position: int, values: Array) -> Now:
        """Take the values of one time, NaN where a sensor is missing; times may be skipped."""
        for skipped in range(self._next, position):
            self._add(skipped, np.full(len(values), np.nan))
        phase = self._phase
        model = phase.model
        scaled = (values - model.mean[position]) / model.scale[position]
        observed, seen = self._add(position, scaled)
        self._next = position + 1
        maps, inverse, squares = self._operators(position)
        scores = self._weighted.sum(axis=0) @ maps
        ahead = phase.operators.ahead
        if ahead is not None:
            scores = scores + self._deviation @ ahead[position]
        effect = inverse @ scores
        shares = self._weighted @ (maps @ effect)
        if ahead is not None:
            shares = shares + self._deviation * (ahead[position] @ effect)
        rest = observed - model.loadings[position] @ scores
        now = so_far = 1.0
        if seen is not None:
            rest = rest * seen
            weights = phase.weights[position]
            now = float(weights.sum() / weights[seen].sum())
        if self._incomplete is not None:
            so_far = self._incomplete.share(position)
        cumulative = self._squares - 2 * (scores @ self._onto) + scores @ squares @ scores
        parts = rest * np.abs(rest) * now
        return Now(
            scores=scores,
            t2=float(effect @ scores),
            spe=float(rest @ rest) * now,
            spe_cumulative=max(float(cumulative), 0.0) * so_far,
            t2_contributions=shares,
            spe_contributions=parts,
        )

    def _add(self, k: int, scaled: Array) -> tuple[Array, NDArray[np.bool_] | None]:
        """Add one time to all sums; return what was observed, and where unless everywhere."""
        model, operators = self._phase.model, self._phase.operators
        missing = np.isnan(scaled)
        whole = not missing.any()
        seen = None if whole else ~missing
        observed = scaled if seen is None else np.where(seen, scaled, 0.0)
        if operators.method == "current":
            self._deviation = (
                scaled if seen is None else np.where(seen, scaled, self._deviation)
            )
        carried = self._deviation if operators.method == "current" else observed
        self._weighted += carried[:, None] * operators.base[k]
        self._onto += observed @ model.loadings[k]
        self._squares += float(observed @ observed)
        if seen is not None and self._incomplete is None:
            self._incomplete = _Incomplete(self._phase, k)
        if self._incomplete is not None:
            self._incomplete.add(k, seen)
        return observed, seen

    def _operators(self, k: int) -> tuple[Array, Array, Array]:
        operators = self._phase.operators
        if self._incomplete is None:
            return operators.maps[k], operators.inverse[k], operators.squares[k]
        if operators.method == "current":
            return operators.maps[k], operators.inverse[k], self._incomplete.squares
        return (*self._incomplete.operators(), self._incomplete.squares)


class _Incomplete:
    """Sums over what was observed, once something was not, from time `start` on."""

    def __init__(self, phase: FittedPhase, start: int) -> None:
        self._phase = phase
        operators = phase.operators
        before = (operators.sums, operators.gram, operators.squares)
        parts = [p[start - 1].copy() if start else np.zeros(p.shape[1:]) for p in before]
        self._sums, self._gram, self.squares = parts
        self._expected = float(phase.weights[:start].sum())

    def add(self, k: int, seen: NDArray[np.bool_] | None) -> None:
        """Add one time, with all variables where `seen` is None."""
        model, base = self._phase.model, self._phase.operators.base[k]
        P, weights = model.loadings[k], self._phase.weights[k]
        if seen is not None:
            base, P, weights = base * seen[:, None], P * seen[:, None], weights[seen]
        self._sums += model.train[:, k] @ base
        self._gram += model.loadings[k].T @ base
        self.squares += P.T @ P
        self._expected += float(weights.sum())

    def operators(self) -> tuple[Array, Array]:
        """Return the map to scores and the inverse of their covariance."""
        operators, model = self._phase.operators, self._phase.model
        sums, gram = self._sums[None], self._gram[None]
        maps = score_maps(model, operators.method, operators.noise, sums, gram)
        inverse, _ = inverse_covariance(sums @ maps, model)
        return maps[0], inverse[0]

    def share(self, k: int) -> float:
        """Return what SPE so far has to be multiplied by; nothing observed yet is NaN."""
        whole = float(self._phase.weights[: k + 1].sum())
        return whole / self._expected if self._expected > 0 else float("nan")
