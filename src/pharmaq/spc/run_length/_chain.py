"""Time until a chain is absorbed: mean, standard deviation and quantiles."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)

# beyond this a run is as good as endless, and double precision cannot tell its length
LONGEST = 1e12

# the hazard changes less than this from one point to the next: the rest is geometric
_STEADY = 1e-9
_ROUNDING = 1e-14
_SHORTEST_DELAY = 50


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Chain:
    """States that a chart can be in without a signal.

    Parameters
    ----------
    moves : ndarray or sparse array of shape (n, n)
        Probability of going from one state to another, or the same for quadrature nodes.
    start : ndarray of shape (n,)
        Probability of each state when `moves` sets in.
    prefix : ndarray of shape (t,)
        P(run length > 0), P(run length > 1), ... before `moves` sets in.
    """

    moves: Any
    start: NDArray[np.float64]
    prefix: NDArray[np.float64] = dataclasses.field(default_factory=lambda: np.empty(0))

    def moments(self) -> tuple[float, float]:
        """Return mean and second factorial moment of the run length."""
        solve = _solver(self.moves)
        mean = solve(np.ones(len(self.start)))
        # E[T (T - 1)] = 2 (I - Q)^-1 Q (I - Q)^-1 1
        second = solve(2 * (mean - 1))
        before = len(self.prefix)
        arl = self._checked(mean)
        if math.isinf(arl):
            return arl, arl
        times = 2 * np.arange(before)
        factorial = times @ self.prefix + self.start @ (second + 2 * before * mean)
        return arl, float(factorial)

    def mean(self) -> float:
        """Return the mean alone."""
        return self._checked(_solver(self.moves)(np.ones(len(self.start))))

    def _checked(self, mean: NDArray[np.float64]) -> float:
        arl = float(self.prefix.sum() + self.start @ mean)
        return arl if 0 < arl < LONGEST else math.inf

    def survivals(self) -> Iterator[float]:
        """Yield P(run length > t) for t = 0, 1, 2, ..., without end."""
        yield from self.prefix.tolist()
        state = self.start
        turned = self.moves.T if isinstance(self.moves, np.ndarray) else self.moves.T.tocsr()
        while True:
            yield float(state.sum())
            state = turned @ state


def sdrl(mean: float, factorial: float) -> float:
    """Return the standard deviation from mean and second factorial moment."""
    return math.inf if math.isinf(mean) else math.sqrt(max(factorial + mean - mean**2, 0.0))


def quantiles(survivals: Iterator[float], *, n_states: int) -> NDArray[np.float64]:
    """Return the smallest run lengths t with P(run length <= t) at least each level."""
    found: list[float] = []
    before = next(survivals)
    hazard = math.inf
    # a rule of nine points may change nothing for eight, so one steady step proves nothing
    steady, delay = 0, max(n_states, _SHORTEST_DELAY)
    for time, survival in enumerate(survivals, start=1):
        while len(found) < len(LEVELS) and survival <= 1 - LEVELS[len(found)]:
            found.append(float(time))
        if len(found) == len(LEVELS):
            break
        last, hazard = hazard, 1 - survival / before
        before = survival
        steady = steady + 1 if abs(hazard - last) <= max(_STEADY * hazard, _ROUNDING) else 0
        if steady >= delay and hazard > 0:
            rest = LEVELS[len(found) :]
            log = math.log1p(-hazard)
            found += [time + math.ceil(math.log((1 - p) / survival) / log) for p in rest]
            break
    return np.array(found, dtype=float)


def _solver(moves: Any) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Return a function that solves (I - Q) x = b."""
    if isinstance(moves, np.ndarray):
        matrix = np.eye(len(moves)) - moves

        def solve(b: NDArray[np.float64]) -> NDArray[np.float64]:
            try:
                return np.asarray(np.linalg.solve(matrix, b), dtype=np.float64)
            except np.linalg.LinAlgError:
                # a state is never left, to all digits: as long as can be told apart, and more
                return np.full(len(b), 2 * LONGEST)

        return solve
    return splu(sparse.csc_array(sparse.eye_array(moves.shape[0]) - moves)).solve
