"""Compiled passes over standardised points: arrays in, arrays out, nothing is checked here.

A stretch is a half-open range of points without a gap; nothing is carried from one to the next.
A rule is a row of ``codes`` (pattern, count, window, sides, on_line, ties, last_point, restart)
and an entry of ``zones``; `pharmaq.spc.rules._engine` writes both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Codes = NDArray[np.int64]
    Bits = NDArray[np.unsignedinteger]
    Words = NDArray[np.uint64]
    Word = np.uint64
    # a number of Python outside of compiled code, one of numpy inside
    Whole = Any
    Code = tuple[Whole, Whole, Whole, Whole, Whole, Whole, Whole, Whole]
    State = tuple[float, Whole, Whole, Word, Word]

_ONE = np.uint64(1)
_NONE = np.uint64(0)


@njit(cache=True, nogil=True, inline="always")
def _popcount(word: np.uint64) -> np.uint64:
    """Count the ones of a word."""
    word = word - ((word >> _ONE) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + (
        (word >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


@njit(cache=True, nogil=True)
def _row(codes: Codes, r: int) -> Code:
    """Return a row as a tuple, whose entries stay in registers."""
    c = codes[r]
    return c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]


@njit(cache=True, nogil=True)
def _fresh() -> State:
    """Return the state before the first point: the point before, two runs, two histories."""
    return np.nan, np.int64(0), np.int64(0), _NONE, _NONE


@njit(cache=True, nogil=True)
def _classify(value: float, before: float, code: Code, zone: float) -> tuple[bool, bool, bool]:
    """Tell whether a point is up, down, or to be skipped; no point is before NaN."""
    pattern, sides, on_line, ties = code[0], code[3], code[4], code[5]
    skip = False
    if pattern >= 3:
        tie = value == before
        counts = tie & (ties == 1)
        up, down = (value > before) | counts, (value < before) | counts
        skip = tie & (ties == 2)
    elif pattern == 1:
        up = (abs(value) < zone) | ((on_line == 1) & (abs(value) == zone))
        down = False
    else:
        up = (value > zone) | ((on_line == 1) & (value == zone))
        down = (value < -zone) | ((on_line == 1) & (value == -zone))
        skip = (on_line == 2) & (value == 0.0)
    return up & (sides != 2), down & (sides != 1), skip


@njit(cache=True, nogil=True)
def _advance(value: float, code: Code, zone: float, state: State) -> tuple[Whole, State]:
    """Move the state of one rule on by one point.

    The first answer is 0 without a signal; otherwise 1 above, 2 below, 3 both sides, 4 for a
    rule without sides.
    """
    before, run, other, history, below = state
    up, down, skip = _classify(value, before, code, zone)
    if skip:
        return 0, state
    pattern, count, window = code[0], code[1], code[2]
    fired: Whole
    if pattern == 4:
        # the first run counts points, the other holds the direction of the last step
        direction = np.int64(up) - np.int64(down)
        turned = (direction != 0) & (direction == -other)
        run = run + 1 if turned else np.int64(1 if np.isnan(before) or direction == 0 else 2)
        other = direction
        fired = 4 * np.int64(run >= window)
    elif count == window and pattern != 2:
        # a trend of m points has m - 1 steps
        needed = window - 1 if pattern == 3 else window
        run = (run + 1) * np.int64(up)
        other = (other + 1) * np.int64(down)
        fired = np.int64(run >= needed) + 2 * np.int64(other >= needed)
        if pattern == 1:
            fired *= 4
    else:
        whole = ~_NONE >> (np.uint64(64) - np.uint64(window))
        history = ((history << _ONE) | np.uint64(up)) & whole
        below = ((below << _ONE) | np.uint64(down)) & whole
        fired = _windowed(up, down, code, history, below)
    if fired != 0 and code[7] == 1:
        return fired, _fresh()
    return fired, (value, run, other, history, below)


@njit(cache=True, nogil=True)
def _windowed(up: bool, down: bool, code: Code, history: Word, below: Word) -> Whole:
    """Count the points of a window that holds others too."""
    count, free = np.uint64(code[1]), code[6] == 0
    if code[0] == 2:
        sides = np.int64(history != _NONE) + 2 * np.int64(below != _NONE)
        enough = (_popcount(history | below) >= count) & (up | down | free)
        return sides * np.int64(enough & ((code[3] != 3) | (sides == 3)))
    fired = np.int64((up | free) & (_popcount(history) >= count))
    if code[0] == 1:
        return 4 * fired
    return fired + 2 * np.int64((down | free) & (_popcount(below) >= count))


@njit(cache=True, nogil=True)
def mark_signals(z: Array, stretches: Codes, codes: Codes, zones: Array, out: Bits) -> None:
    """Set bit r of ``out[i]`` where rule r signals at point i."""
    for r in range(len(zones)):
        code, zone, bit = _row(codes, r), zones[r], _ONE << np.uint64(r)
        for s in range(len(stretches)):
            state = _fresh()
            for i in range(stretches[s, 0], stretches[s, 1]):
                fired, state = _advance(z[i], code, zone, state)
                out[i] |= bit if fired != 0 else _NONE


@njit(cache=True, nogil=True)
def mark_eight(  # noqa: PLR0915 - one statement a slot
    z: Array,
    stretches: Codes,
    zones: Array,
    masks: Words,
    tables: Bits,
    words: Bits,
    out: Bits,
) -> None:
    """Do as `mark_signals` for at most one rule in each of eight slots, without branches.

    The slots are: a limit, a run on one side, a trend, alternation, two zone tests, a run
    within a zone, a run outside it. ``zones`` has an entry a slot; ``masks`` a window of ones
    where every point (trend: every step; alternation: every turn) has to comply; ``masks[0]``
    is one if the last slot needs no point on both sides. ``tables`` tell which histories of
    eight points make slots 4 and 5 signal. ``words`` translates slots into bits of the rules.
    """
    limit, zone_a, zone_b, near, far = zones[0], zones[4], zones[5], zones[6], zones[7]
    side, trend, turns, within, mixture = masks[1], masks[2], masks[3], masks[6], masks[7]
    either = masks[0] != _NONE
    table_a, table_b = tables[0], tables[1]
    eight = np.uint64(255)
    for s in range(len(stretches)):
        above = below = rising = falling = turning = inside = high = low = _NONE
        above_a = below_a = above_b = below_b = _NONE
        before = z[stretches[s, 0]]
        for i in range(stretches[s, 0], stretches[s, 1]):
            x = z[i]
            up, down = np.uint64(x > before), np.uint64(x < before)
            before = x
            turn = (up & falling) | (down & rising)
            turning = (turning << _ONE) | (turn & _ONE)
            rising, falling = (rising << _ONE) | up, (falling << _ONE) | down
            above = (above << _ONE) | np.uint64(x > 0.0)
            below = (below << _ONE) | np.uint64(x < 0.0)
            above_a = ((above_a << _ONE) | np.uint64(x > zone_a)) & eight
            below_a = ((below_a << _ONE) | np.uint64(x < -zone_a)) & eight
            above_b = ((above_b << _ONE) | np.uint64(x > zone_b)) & eight
            below_b = ((below_b << _ONE) | np.uint64(x < -zone_b)) & eight
            inside = (inside << _ONE) | np.uint64(abs(x) < near)
            high = (high << _ONE) | np.uint64(x > far)
            low = (low << _ONE) | np.uint64(x < -far)
            word = np.uint64(abs(x) > limit)
            run = ((above & side) == side) | ((below & side) == side)
            word |= np.uint64(run) << np.uint64(1)
            steady = ((rising & trend) == trend) | ((falling & trend) == trend)
            word |= np.uint64(steady) << np.uint64(2)
            word |= np.uint64((turning & turns) == turns) << np.uint64(3)
            word |= np.uint64(table_a[above_a] | table_a[below_a]) << np.uint64(4)
            word |= np.uint64(table_b[above_b] | table_b[below_b]) << np.uint64(5)
            word |= np.uint64((inside & within) == within) << np.uint64(6)
            mixed = (high | low) & mixture
            both = ((high & mixture) != _NONE) & ((low & mixture) != _NONE)
            word |= np.uint64((mixed == mixture) & (both | either)) << np.uint64(7)
            out[i] = words[word]


@njit(cache=True, nogil=True)
def describe_signals(
    z: Array, positions: Codes, begins: Codes, r: int, codes: Codes, zones: Array, out: Codes
) -> None:
    """Write first point and side of each signal of rule r into ``out``.

    ``begins`` are the first points that a window may hold: the start of the stretch.
    """
    code, zone = _row(codes, r), zones[r]
    begin = np.int64(0)
    for s in range(len(positions)):
        begin = max(begin, begins[s])
        first, left = positions[s] + 1, code[2]
        while left > 0 and first > begin:
            first -= 1
            tie = code[0] >= 3 and first > begin and z[first] == z[first - 1]
            skip = (tie and code[5] == 2) or (code[4] == 2 and z[first] == 0.0)
            left -= 0 if skip else 1
        state, fired = _fresh(), 0
        for i in range(first, positions[s] + 1):
            fired, state = _advance(z[i], code, zone, state)
        out[s, 0], out[s, 1] = first, fired
        if code[7] == 1:
            begin = positions[s] + 1


@njit(cache=True, nogil=True)
def simulate_run_lengths(
    generator: np.random.Generator,
    shift: float,
    scale: float,
    correlation: float,
    longest: int,
    codes: Codes,
    zones: Array,
    out: Codes,
) -> None:
    """Fill ``out`` with points until the first signal, ``longest`` if there is none.

    Points have lag-one autocorrelation, mean ``shift`` and standard deviation ``scale``.
    """
    rules = [(_row(codes, r), zones[r]) for r in range(len(zones))]
    noise = np.sqrt(1.0 - correlation**2)
    for k in range(len(out)):
        states = [_fresh() for _ in rules]
        out[k] = longest
        level = generator.standard_normal()
        for t in range(longest):
            value = shift + scale * level
            level = correlation * level + noise * generator.standard_normal()
            signal = False
            for r in range(len(rules)):
                fired, states[r] = _advance(value, rules[r][0], rules[r][1], states[r])
                signal |= fired != 0
            if signal:
                out[k] = t + 1
                break
