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
    Short = np.uint16
    Shorts = NDArray[np.uint16]
    Word = np.uint64
    # a number of Python outside of compiled code, one of numpy inside
    Whole = Any
    Code = tuple[Whole, Whole, Whole, Whole, Whole, Whole, Whole, Whole]
    State = tuple[float, Whole, Whole, Word, Word]

_ONE = np.uint64(1)
_NONE = np.uint64(0)
# results of 16 bits stay so only if every step says it; then 16 or more fit into a register
_u16 = np.uint16


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
def row(codes: Codes, r: int) -> Code:
    """Return a row as a tuple, whose entries stay in registers."""
    c = codes[r]
    return c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]


@njit(cache=True, nogil=True)
def fresh() -> State:
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
def advance(value: float, code: Code, zone: float, state: State) -> tuple[Whole, State]:
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
        return fired, fresh()
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
        code, zone, bit = row(codes, r), zones[r], _ONE << np.uint64(r)
        for s in range(len(stretches)):
            state = fresh()
            for i in range(stretches[s, 0], stretches[s, 1]):
                fired, state = advance(z[i], code, zone, state)
                out[i] |= bit if fired != 0 else _NONE


@njit(cache=True, nogil=True)
def _flag(x: Array, before: Array, zones: Array, flags: Shorts) -> None:
    """Write one bit a comparison.

    Above 0, below 0, within, outside, -, -, rising, falling, -, zone a, zone b, beyond limit.
    """
    limit, zone_a, zone_b, near, far = zones[0], zones[4], zones[5], zones[6], zones[7]
    for i in range(len(x)):
        size = abs(x[i])
        word = _u16(x[i] > 0.0) | _u16(_u16(x[i] < 0.0) << _u16(1))
        word |= _u16(_u16(size < near) << _u16(2)) | _u16(_u16(size > far) << _u16(3))
        word |= _u16(_u16(x[i] > before[i]) << _u16(6))
        word |= _u16(_u16(x[i] < before[i]) << _u16(7))
        word |= _u16(_u16(size > zone_a) << _u16(9)) | _u16(_u16(size > zone_b) << _u16(10))
        flags[i] = word | _u16(_u16(size > limit) << _u16(11))


@njit(cache=True, nogil=True)
def _derive(flags: Shorts, before: Shorts, whole: Shorts) -> None:
    """Add what follows from the flags, and leave out those of zones and limit.

    Bits 4 and 5: outside above and below; bit 8: turning.
    """
    one = _u16(1)
    for i in range(len(flags)):
        now, last = flags[i], before[i]
        far, below = _u16(now >> _u16(3)), _u16(now >> one)
        turn = _u16(_u16(now >> _u16(6)) & _u16(last >> _u16(7)))
        turn |= _u16(_u16(now >> _u16(7)) & _u16(last >> _u16(6)))
        word = _u16(now & _u16(207)) | _u16(_u16(far & now & one) << _u16(4))
        word |= _u16(_u16(far & below & one) << _u16(5))
        whole[i] = word | _u16(_u16(turn & one) << _u16(8))


@njit(cache=True, nogil=True)
def _derive_zones(flags: Shorts, zoned: Shorts) -> None:
    """Write ones to be added up, four bits each: zone a above, below, zone b above, below."""
    one = _u16(1)
    for i in range(len(flags)):
        now = flags[i]
        below = _u16(now >> one)
        a, b = _u16(_u16(now >> _u16(9)) & one), _u16(_u16(now >> _u16(10)) & one)
        word = _u16(a & now) | _u16(_u16(a & below) << _u16(4))
        zoned[i] = word | _u16(_u16(b & now) << _u16(8)) | _u16(_u16(b & below) << _u16(12))


@njit(cache=True, nogil=True)
def _both(one: Shorts, other: Shorts, out: Shorts) -> None:
    for i in range(len(out)):
        out[i] = one[i] & other[i]


@njit(cache=True, nogil=True)
def _add(one: Shorts, out: Shorts) -> None:
    for i in range(len(out)):
        out[i] += one[i]


@njit(cache=True, nogil=True)
def _gather(flags: Shorts, side: Shorts, steady: Shorts, turns: Shorts) -> None:
    """Write slots 0 to 3: limit, run on one side, trend and alternation."""
    one = _u16(1)
    for i in range(len(flags)):
        word = _u16(_u16(flags[i] >> _u16(11)) & one)
        word |= _u16(_u16((side[i] | _u16(side[i] >> one)) & one) << one)
        word |= _u16(
            _u16((_u16(steady[i] >> _u16(6)) | _u16(steady[i] >> _u16(7))) & one) << _u16(2)
        )
        flags[i] = word | _u16(_u16(_u16(turns[i] >> _u16(8)) & one) << _u16(3))


@njit(cache=True, nogil=True)
def _gather_zone(
    sums: Shorts, zoned: Shorts, count: Short, place: Short, slot: Short, flags: Shorts
) -> None:
    """Add slot 4 or 5: enough points of the window beyond the zone, and the last one too."""
    one, four, other = _u16(1), _u16(15), _u16(place + _u16(4))
    for i in range(len(flags)):
        up = _u16(_u16(_u16(sums[i] >> place) & four) >= count) & _u16(zoned[i] >> place)
        down = _u16(_u16(_u16(sums[i] >> other) & four) >= count) & _u16(zoned[i] >> other)
        flags[i] |= _u16(_u16((up | down) & one) << slot)


@njit(cache=True, nogil=True)
def _gather_runs(within: Shorts, mixture: Shorts, one_side: Short, flags: Shorts) -> None:
    """Add slots 6 and 7: runs within and outside a zone; ``one_side`` forbids one side."""
    one = _u16(1)
    for i in range(len(flags)):
        word = _u16(_u16(_u16(within[i] >> _u16(2)) & one) << _u16(6))
        same = _u16(_u16(mixture[i] >> _u16(4)) | _u16(mixture[i] >> _u16(5))) & one_side
        mixed = _u16(_u16(mixture[i] >> _u16(3)) & _u16(~same) & one)
        flags[i] |= word | _u16(mixed << _u16(7))


@njit(cache=True, nogil=True)
def _find_runs(doubled: Shorts, windows: Codes, ahead: int, end: int, runs: Shorts) -> None:
    """Write flags that all points of a window have, for slots 1, 2, 3, 6 and 7.

    A window of m is covered by two of p, the largest power of 2 up to m; those are doubled from
    the flags in the first row of ``doubled``.
    """
    slots = (1, 2, 3, 6, 7)
    level, width, longest = 0, 1, 1
    for slot in slots:
        longest = max(longest, windows[slot])
    while 2 * width <= longest:
        old = doubled[level]
        _both(old[width:end], old[: end - width], doubled[level + 1, width:end])
        level, width = level + 1, 2 * width
    for k in range(len(slots)):
        window = windows[slots[k]]
        level, width = 0, 1
        while 2 * width <= window:
            level, width = level + 1, 2 * width
        flags, back = doubled[level], window - width
        _both(flags[ahead:end], flags[ahead - back : end - back], runs[k, : end - ahead])


@njit(cache=True, nogil=True)
def mark_eight(  # noqa: PLR0915 - one statement a buffer
    z: Array,
    stretches: Codes,
    zones: Array,
    windows: Codes,
    counts: Codes,
    either: bool,
    words: Bits,
    out: Bits,
) -> None:
    """Do as `mark_signals` for at most one rule in each of eight slots, many points at a time.

    The slots are: a limit, a run on one side, a trend, alternation, zone a, zone b, a run
    within a zone, a run outside it. ``zones`` and ``windows`` have an entry a slot; a trend's
    window counts steps, that of alternation turns. ``counts`` are the points of zone a and b.
    ``either``: the last slot needs no point on both sides. ``words`` translates slots into bits
    of the rules. Windows hold up to 64 points, those of zone a and b up to 8.

    Points are worked on in blocks behind the 64 points before them; every loop is the same for
    all points, so that it runs in wide registers.
    """
    ahead, block = 64, 2048
    flags = np.zeros(ahead + block, np.uint16)
    zoned = np.zeros(ahead + block, np.uint16)
    doubled = np.zeros((7, ahead + block), np.uint16)
    runs = np.zeros((5, block), np.uint16)
    sums = np.zeros((2, block), np.uint16)
    before = np.empty(block)
    straight = np.all(words == np.arange(len(words)))  # slots are the bits already
    for s in range(len(stretches)):
        flags[:ahead] = 0
        zoned[:ahead] = 0
        doubled[0, :ahead] = 0
        for begin in range(stretches[s, 0], stretches[s, 1], block):
            n = min(block, stretches[s, 1] - begin)
            end = ahead + n
            before[0] = z[max(begin - 1, stretches[s, 0])]
            before[1:n] = z[begin : begin + n - 1]
            _flag(z[begin : begin + n], before[:n], zones, flags[ahead:end])
            _derive(flags[ahead:end], flags[ahead - 1 : end - 1], doubled[0, ahead:end])
            _derive_zones(flags[ahead:end], zoned[ahead:end])
            _find_runs(doubled, windows, ahead, end, runs)
            for k in range(2):
                sums[k, :n] = zoned[ahead:end]
                for back in range(1, windows[4 + k]):
                    _add(zoned[ahead - back : end - back], sums[k, :n])
            # the next block wants the flags of the points before it
            kept = flags[n:end].copy()
            now = flags[ahead:end]
            _gather(now, runs[0, :n], runs[1, :n], runs[2, :n])
            _gather_runs(runs[3, :n], runs[4, :n], _u16(not either), now)
            for k in range(2):
                count, place, slot = _u16(counts[k]), _u16(8 * k), _u16(4 + k)
                _gather_zone(sums[k, :n], zoned[ahead:end], count, place, slot, now)
            if straight:
                out[begin : begin + n] = now
            else:
                for i in range(n):
                    out[begin + i] = words[now[i]]
            flags[:ahead] = kept
            zoned[:ahead] = zoned[n:end].copy()
            doubled[0, :ahead] = doubled[0, n:end].copy()


@njit(cache=True, nogil=True)
def describe_signals(
    z: Array, positions: Codes, begins: Codes, r: int, codes: Codes, zones: Array, out: Codes
) -> None:
    """Write first point and side of each signal of rule r into ``out``.

    ``begins`` are the first points that a window may hold: the start of the stretch.
    """
    code, zone = row(codes, r), zones[r]
    begin = np.int64(0)
    for s in range(len(positions)):
        begin = max(begin, begins[s])
        first, left = positions[s] + 1, code[2]
        while left > 0 and first > begin:
            first -= 1
            tie = code[0] >= 3 and first > begin and z[first] == z[first - 1]
            skip = (tie and code[5] == 2) or (code[4] == 2 and z[first] == 0.0)
            left -= 0 if skip else 1
        state, fired = fresh(), 0
        for i in range(first, positions[s] + 1):
            fired, state = advance(z[i], code, zone, state)
        out[s, 0], out[s, 1] = first, fired
        if code[7] == 1:
            begin = positions[s] + 1
