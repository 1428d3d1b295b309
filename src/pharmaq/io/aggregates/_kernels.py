"""Compiled loops over raw values of a historian: arrays in, arrays out, nothing is checked.

Times are whole nanoseconds in rising order. A state is 0 for good, 1 for uncertain and usable,
2 for what is not used: bad, or uncertain where that counts as bad. Bounds and regions follow
OPC 10000-13 v1.04, 3.1.5 to 3.1.9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    States = NDArray[np.uint8]
    Bound = tuple[float, int, bool]

GOOD, UNCERTAIN, UNUSED = 0, 1, 2


class History(NamedTuple):
    """Raw values in time order."""

    times: Integers
    values: Floats
    states: States


class Rules(NamedTuple):
    """Simple or interpolated bounds; steps or lines; whether the last line goes on.

    `end_counts`: an end that is uncertain makes the sloped region before it uncertain.
    """

    simple: bool
    stepped: bool
    sloped_extrapolation: bool
    end_counts: bool


class Bounds(NamedTuple):
    """Value, state and whether it is raw, at each edge."""

    value: Floats
    state: States
    raw: NDArray[np.bool_]


class Place(NamedTuple):
    """Where a time lies among the raw values, -1 or their number where there is none.

    The first value at or after it; the last usable one before it and the one before that; the
    first usable one at or after it.
    """

    at: int
    before: int
    second: int
    after: int


@njit(cache=True, nogil=True)
def read_states(
    values: Floats, quality: States, uncertain_unused: bool, states: States
) -> tuple[int, int]:
    """Write the state of each value; returns how many are not used, and how many are NaN."""
    unused = 0
    missing = 0
    for i in range(values.size):
        state = quality[i]
        if uncertain_unused and state == UNCERTAIN:
            state = UNUSED
        if state != UNUSED and not np.isfinite(values[i]):
            state = UNUSED
            missing += 1
        states[i] = state
        unused += state == UNUSED
    return unused, missing


@njit(cache=True, nogil=True)
def count_disorder(times: Integers) -> tuple[int, int]:
    """Count times that are earlier than the one before, and times that equal it."""
    back = 0
    same = 0
    for i in range(1, times.size):
        back += times[i] < times[i - 1]
        same += times[i] == times[i - 1]
    return back, same


@njit(cache=True, nogil=True)
def on_line(when: int, first: int, second: int, history: History) -> float:
    """Return the value at a time on the line through two raw values."""
    t0, t1 = history.times[first], history.times[second]
    v0, v1 = history.values[first], history.values[second]
    if t1 == t0:
        return v1
    return v0 + (v1 - v0) * ((when - t0) / (t1 - t0))


@njit(cache=True, nogil=True)
def interpolated_bound(when: int, place: Place, history: History, rules: Rules) -> Bound:
    """Return the bound from the nearest usable values, however far they are."""
    n = history.times.size
    before, after = place.before, place.after
    if after < n and history.times[after] == when:
        return history.values[after], history.states[after], True
    if before < 0:
        return np.nan, UNUSED, False
    value = history.values[before]
    doubt = history.states[before]
    if after == n:
        if rules.sloped_extrapolation and not rules.stepped and place.second >= 0:
            value = on_line(when, place.second, before, history)
        doubt = UNCERTAIN
    elif rules.stepped:
        doubt = max(doubt, UNCERTAIN * (before < place.at - 1))
    else:
        value = on_line(when, before, after, history)
        doubt = max(doubt, history.states[after], UNCERTAIN * (after > before + 1))
    return value, doubt, False


@njit(cache=True, nogil=True)
def simple_bound(when: int, at: int, history: History, rules: Rules) -> Bound:
    """Return the bound from the values right beside it."""
    n = history.times.size
    states = history.states
    if at < n and history.times[at] == when:
        value = history.values[at] if states[at] != UNUSED else np.nan
        return value, states[at], True
    before = at - 1
    # before the first value, after the last, or after one that is not used
    if before < 0 or at == n or states[before] == UNUSED:
        return np.nan, UNUSED, False
    if rules.stepped:
        return history.values[before], states[before], False
    if states[at] == UNUSED:
        value = history.values[before]
    else:
        value = on_line(when, before, at, history)
    return value, max(states[before], min(states[at], UNCERTAIN)), False


@njit(cache=True, nogil=True)
def usable_before(at: int, least: int, states: States) -> int:
    """Return the last usable value before `at` and not before `least`, or -1."""
    for i in range(at - 1, least - 1, -1):
        if states[i] != UNUSED:
            return i
    return -1


@njit(cache=True, nogil=True)
def bounds_at(
    whens: Integers, firsts: Integers, history: History, rules: Rules, out: Bounds
) -> None:
    """Write the bounds at times in rising order."""
    n = history.times.size
    start, after, before, second = 0, 0, -1, -1
    for k in range(whens.size):
        at = firsts[k]
        # what lies before the last time was looked at then
        nearest = usable_before(at, start, history.states)
        if nearest >= 0:
            further = usable_before(nearest, start, history.states)
            second, before = (further if further >= 0 else before), nearest
        start = at
        after = max(after, at)
        while after < n and history.states[after] == UNUSED:
            after += 1
        if rules.simple:
            bound = simple_bound(whens[k], at, history, rules)
        else:
            place = Place(at, before, second, after)
            bound = interpolated_bound(whens[k], place, history, rules)
        out.value[k], out.state[k], out.raw[k] = bound


@njit(cache=True, nogil=True)
def is_good(state: int, later_state: int, is_last: bool, rules: Rules) -> bool:
    """Tell whether a region is good, from the states at its start and its end."""
    if rules.stepped or state != GOOD:
        return state == GOOD
    return later_state == GOOD or (
        later_state == UNCERTAIN and is_last and not rules.end_counts
    )


@njit(cache=True, nogil=True)
def integrate_interval(
    k: int, edges: Integers, firsts: Integers, bounds: Bounds, history: History, rules: Rules
) -> tuple[float, int, int]:
    """Return the integral over one interval, and how long it is good and uncertain."""
    when, value, state = edges[k], bounds.value[k], bounds.state[k]
    stop = firsts[k + 1]
    # after the last value: unknown with simple bounds, extrapolated otherwise
    beyond = stop == history.times.size and history.times[stop - 1] < edges[k + 1]
    area = 0.0
    good = 0
    uncertain = 0
    for i in range(firsts[k], stop + 1 - (beyond and rules.simple)):
        is_last = i == stop
        if is_last:
            later, later_value = edges[k + 1], bounds.value[k + 1]
            later_state = bounds.state[k + 1]
            state = max(state, UNCERTAIN * beyond)
        else:
            later, later_value, later_state = (
                history.times[i],
                history.values[i],
                history.states[i],
            )
            if later_state == UNUSED and not rules.simple:
                # passed over: a step holds on, but with doubt; a line goes on to the next
                if not rules.stepped or state == UNUSED:
                    state = max(state, UNCERTAIN)
                    continue
                later_value, later_state = value, max(state, UNCERTAIN)
        if state != UNUSED:
            duration = later - when
            flat = rules.stepped or later_state == UNUSED
            area += duration * (value if flat else 0.5 * (value + later_value))
            if is_good(state, later_state, is_last, rules):
                good += duration
            else:
                uncertain += duration
        when, value, state = later, later_value, later_state
    return area, good, uncertain


@njit(cache=True, nogil=True)
def integrate(
    edges: Integers,
    firsts: Integers,
    bounds: Bounds,
    history: History,
    rules: Rules,
    area: Floats,
    lasting: Integers,
) -> None:
    """Integrate over every interval; `lasting` gets a row of good and one of uncertain."""
    for k in range(edges.size - 1):
        area[k], lasting[0, k], lasting[1, k] = integrate_interval(
            k, edges, firsts, bounds, history, rules
        )


@njit(cache=True, nogil=True)
def summarize(firsts: Integers, history: History, counts: Integers, numbers: Floats) -> None:
    """Describe the usable raw values of each interval.

    Rows of `counts`: usable, uncertain and all values, places of the first and last usable
    one, -1 where there is none. Rows of `numbers`: mean, sum of squared deviations from it,
    smallest, largest.
    """
    values, states = history.values, history.states
    for k in range(firsts.size - 1):
        span = range(firsts[k], firsts[k + 1])
        number = 0
        doubtful = 0
        total = 0.0
        least, most = np.inf, -np.inf
        first, last = -1, -1
        for i in span:
            if states[i] == UNUSED:
                continue
            value = values[i]
            total += value
            number += 1
            doubtful += states[i]
            least, most = min(least, value), max(most, value)
            first, last = (i if first < 0 else first), i
        mean = total / number if number else np.nan
        squares = 0.0
        for i in span:
            if states[i] != UNUSED:
                squares += (values[i] - mean) ** 2
        counts[0, k], counts[1, k], counts[2, k] = number, doubtful, len(span)
        counts[3, k], counts[4, k] = first, last
        numbers[0, k], numbers[1, k] = mean, squares
        numbers[2, k], numbers[3, k] = least, most
