"""Run rules as finite automata over the zones of a chart (Champ and Woodall 1987)."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse, special

from pharmaq.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pharmaq.spc.rules import Rule

    State = tuple[int, ...]
    # one row a rule, one column a zone
    Sides = tuple[tuple[int, ...], ...]

# histories of more points have too many states: 3 to the power of this
_LONGEST_WINDOW = 10

# a point on the center line where that counts for both sides, or is skipped
BOTH, SKIPPED = 2, 3


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Automaton:
    """What a set of rules remembers, and where a point in each zone leads.

    Parameters
    ----------
    following : ndarray of int, shape (n_states, n_zones)
        State after a point in each zone; the first state is that before any point.
    signals : ndarray of bool, shape (n_states, n_zones)
        Whether that point is a signal.
    """

    following: NDArray[np.int64]
    signals: NDArray[np.bool_]

    def moves(self, p: NDArray[np.float64]) -> sparse.csr_array:
        """Return the probabilities of going from state to state without a signal."""
        quiet = ~self.signals
        rows, zones = np.nonzero(quiet)
        values = p[zones]
        n = len(self.following)
        triple = (values, (rows, self.following[quiet]))
        return sparse.coo_array(triple, shape=(n, n)).tocsr()

    def signal_rate(self, p: NDArray[np.float64]) -> float:
        """Return the share of points that signal in the long run, counts going on."""
        n, zones = self.following.shape
        rows = np.repeat(np.arange(n), zones)
        triple = (np.tile(p, n), (rows, self.following.ravel()))
        turned = sparse.coo_array(triple, shape=(n, n)).T.tocsr()
        state = np.full(n, 1.0 / n)
        for _ in range(100_000):
            new = turned @ state
            if np.abs(new - state).sum() < 1e-15:
                break
            state = new
        return float(state @ (self.signals @ p))


def is_exact(rule: Rule) -> bool:
    """Tell whether a rule depends on zones alone, and on few enough points."""
    if rule.pattern in {"trend", "alternating"}:
        return False
    return rule.count == rule.window or rule.window <= _LONGEST_WINDOW


def lines_between(rules: tuple[Rule, ...]) -> NDArray[np.float64]:
    """Return the lines between the zones of all rules, ascending, in standard deviations."""
    zones = {rule.zone for rule in rules}
    return np.unique(np.array(sorted(zones | {-zone for zone in zones})) + 0.0)


def zone_probabilities(
    lines: NDArray[np.float64], shift: float, scale: float
) -> NDArray[np.float64]:
    """Return the probability of each zone for a normal point."""
    edges = (np.concatenate([[-np.inf], lines, [np.inf]]) - shift) / scale
    # from the side where it is small, so that tails keep their digits
    upper = edges[:-1] > 0
    below = special.ndtr(edges[1:]) - special.ndtr(edges[:-1])
    above = special.ndtr(-edges[:-1]) - special.ndtr(-edges[1:])
    return np.where(upper, above, below)


def side_of(rule: Rule, value: float) -> int:
    """Return 1 for a point up, -1 for one down, 0 for neither, or `BOTH`, or `SKIPPED`."""
    counts = rule.on_line == "counts"
    if rule.pattern == "within":
        return int(abs(value) < rule.zone or (counts and abs(value) == rule.zone))
    if rule.on_line == "skipped" and value == 0:
        return SKIPPED
    up = value > rule.zone or (counts and value == rule.zone)
    down = value < -rule.zone or (counts and value == -rule.zone)
    up, down = up and rule.sides != "below", down and rule.sides != "above"
    return BOTH if up and down else int(up) - int(down)


def automaton(rules: tuple[Rule, ...], *, stops: bool) -> Automaton:
    """Return the smallest automaton of all rules together, over the zones between their lines.

    With `stops` the first signal ends the run; otherwise counts go on, or restart where a rule
    says so.
    """
    sides = sides_between(rules, lines_between(rules))
    return automaton_of_sides(rules, sides, stops=stops)


def sides_between(rules: tuple[Rule, ...], lines: NDArray[np.float64]) -> Sides:
    """Return the side that each rule sees in each zone between the lines."""
    middles = np.concatenate([[lines[0] - 1], (lines[1:] + lines[:-1]) / 2, [lines[-1] + 1]])
    return tuple(tuple(side_of(rule, float(z)) for z in middles) for rule in rules)


@lru_cache(maxsize=64)
def automaton_of_sides(rules: tuple[Rule, ...], sides: Sides, *, stops: bool) -> Automaton:
    """Return the smallest automaton over zones on which each rule sees these sides."""
    strange = [rule.name for rule in rules if not is_exact(rule)]
    if strange:
        msg = (
            f"rules {strange} depend on more than zones, and have no finite automaton: leave "
            f"them out, as by run_rules(..., subset=...)"
        )
        raise InputError(msg)
    following, signals = _transducer(rules[0], sides[0], stops=stops)
    for rule, own in zip(rules[1:], sides[1:], strict=True):
        other = _transducer(rule, own, stops=stops)
        following, signals = _smallest(*_product((following, signals), other, stops=stops))
    return Automaton(following=following, signals=signals)


def _transducer(
    rule: Rule, sides: tuple[int, ...], *, stops: bool
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return states and signals of one rule alone."""
    step, first = _stepper(rule)
    states: dict[State, int] = {first: 0}
    queue = [first]
    following, signals = [], []
    for state in queue:
        answers = [step(state, side) for side in sides]
        fires = [fired for _, fired in answers]
        resets = [fired and (stops or rule.restart) for fired in fires]
        nexts = [first if r else s for r, (s, _) in zip(resets, answers, strict=True)]
        for new in nexts:
            if new not in states:
                states[new] = len(states)
                queue.append(new)
        following.append([states[new] for new in nexts])
        signals.append(fires)
    return np.array(following, dtype=np.int64), np.array(signals, dtype=bool)


def _stepper(rule: Rule) -> tuple[Callable[[State, int], tuple[State, bool]], State]:
    """Return how a rule's state goes on, and the state before any point."""
    window = rule.window
    if rule.count < window:
        return _history_stepper(rule), (0,) * (window - 1)
    if rule.pattern == "outside":

        def outside(state: State, side: int) -> tuple[State, bool]:
            run, same, last = state
            if side == 0:
                return (0, 0, 0), False
            run = min(run + 1, window)
            same = min(same + 1, window) if side == last else 1
            return (run, same, side), run == window and (rule.sides != "both" or same < window)

        return outside, (0, 0, 0)

    def run(state: State, side: int) -> tuple[State, bool]:
        if side == SKIPPED:
            return state, False
        up = min(state[0] + 1, window) if side in {1, BOTH} else 0
        down = min(state[1] + 1, window) if side in {-1, BOTH} else 0
        return (up, down), window in {up, down}

    return run, (0, 0)


def _history_stepper(rule: Rule) -> Callable[[State, int], tuple[State, bool]]:
    def step(state: State, side: int) -> tuple[State, bool]:
        if side == SKIPPED:
            return state, False
        points = (*state, side)
        if rule.pattern == "outside":
            enough = sum(point != 0 for point in points) >= rule.count
            both = rule.sides != "both" or {1, -1} <= set(points)
            fired = enough and both and (side != 0 or not rule.last_point)
        else:
            counted = [c for c in (1, -1) if side in {c, BOTH} or not rule.last_point]
            fired = any(sum(p in {c, BOTH} for p in points) >= rule.count for c in counted)
        return points[1:], fired

    return step


def _product(
    one: tuple[NDArray, NDArray], other: tuple[NDArray, NDArray], *, stops: bool
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return both automata side by side, as far as they are reached from the first state."""
    (next_a, fire_a), (next_b, fire_b) = one, other
    width = len(next_b)
    index = np.full(len(next_a) * width, -1, np.int64)
    index[0] = 0
    known = [np.zeros(1, np.int64)]
    count = 1
    while len(known[-1]):
        a, b = np.divmod(known[-1], width)
        new = next_a[a] * width + next_b[b]
        if stops:
            new = new[~(fire_a[a] | fire_b[b])]
        new = np.unique(new)
        new = new[index[new] < 0]
        index[new] = np.arange(count, count + len(new))
        count += len(new)
        known.append(new)
    a, b = np.divmod(np.concatenate(known), width)
    signals = fire_a[a] | fire_b[b]
    following = index[next_a[a] * width + next_b[b]]
    if stops:
        following[signals] = 0
    return following, signals


def _smallest(
    following: NDArray[np.int64], signals: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Merge states that no sequence of points can tell apart (Moore's algorithm)."""
    classes = np.unique(signals, axis=0, return_inverse=True)[1].ravel()
    while True:
        # what follows a signal matters too where counts go on
        signature = np.column_stack([classes, classes[following]])
        _, first, new = np.unique(signature, axis=0, return_index=True, return_inverse=True)
        new = new.ravel()
        if len(first) == classes.max() + 1:
            break
        classes = new
    return _ordered(new, first, following, signals)


def _ordered(
    classes: NDArray[np.int64],
    first: NDArray[np.int64],
    following: NDArray[np.int64],
    signals: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return one state a class, with the class of the first state as number 0."""
    start = int(classes[0])
    rename = np.arange(len(first))
    rename[0], rename[start] = start, 0
    keep = first[rename]
    return rename[classes[following[keep]]], signals[keep]
