"""Run rules as the arrays that the compiled passes read."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np

from pharmaq.spc.rules._rule import LONGEST_HISTORY, OnLine, Pattern, Sides

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pharmaq.spc.rules._rule import Rule, RuleSet

_PATTERNS: tuple[str, ...] = get_args(Pattern)
_SIDES: tuple[str, ...] = get_args(Sides)
_ON_LINE: tuple[str, ...] = get_args(OnLine)

# points of a zone test are counted in four bits
_LONGEST_ZONE_TEST = 8


def rule_codes(rules: RuleSet) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return a row of whole numbers a rule, and the zones."""
    codes = [
        (
            _PATTERNS.index(rule.pattern),
            rule.count,
            rule.window,
            _SIDES.index(rule.sides),
            _ON_LINE.index(rule.on_line),
            _ON_LINE.index(rule.ties),
            int(rule.last_point),
            int(rule.restart),
        )
        for rule in rules
    ]
    return np.array(codes, dtype=np.int64), np.array([rule.zone for rule in rules])


def mark(
    z: NDArray[np.float64], stretches: NDArray[np.int64], rules: RuleSet
) -> NDArray[np.unsignedinteger]:
    """Return one word a point with bit r set where rule r signals."""
    from pharmaq.spc.rules._kernels import mark_eight, mark_signals

    slots = _slots(rules)
    bits = next(b for b in (8, 16, 32, 64) if len(rules) <= b)
    out = np.zeros(len(z), np.dtype(f"uint{bits}"))
    if slots is None:
        mark_signals(z, stretches, *rule_codes(rules), out)
    else:
        zones, windows, counts, either, words = _eight(rules, slots)
        mark_eight(z, stretches, zones, windows, counts, either, words, out)
    return out


def _slots(rules: RuleSet) -> list[int] | None:
    """Return a slot of the fast pass for each rule, or None if one does not fit."""
    taken: list[int] = []
    for rule in rules:
        free = [slot for slot in _fitting_slots(rule) if slot not in taken]
        if not free:
            return None
        taken.append(free[0])
    return taken


def _fitting_slots(rule: Rule) -> list[int]:
    usual = ("breaks", "breaks", True, False)
    two_sided = rule.sides == "either" or rule.pattern == "outside"
    if (rule.on_line, rule.ties, rule.last_point, rule.restart) != usual or not two_sided:
        return []
    beyond, window = rule.pattern == "beyond", rule.window
    whole = rule.count == window <= LONGEST_HISTORY
    fits = {
        0: beyond and window == 1,
        1: beyond and rule.zone == 0 and whole,
        2: rule.pattern == "trend" and whole,
        3: rule.pattern == "alternating" and whole and window > 2,
        4: beyond and window <= _LONGEST_ZONE_TEST,
        5: beyond and window <= _LONGEST_ZONE_TEST,
        6: rule.pattern == "within" and whole,
        7: rule.pattern == "outside" and whole,
    }
    return [slot for slot, fit in fits.items() if fit]


def _eight(
    rules: RuleSet, slots: list[int]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], bool, NDArray[np.uint8]]:
    """Return zones, windows, counts, sides and translation of words for the fast pass."""
    zones = np.zeros(8)
    windows, counts = np.ones(8, np.int64), np.ones(2, np.int64)
    either = False
    words = np.zeros(1 << 8, np.uint8)
    for number, (rule, slot) in enumerate(zip(rules, slots, strict=True)):
        zones[slot] = rule.zone
        # a trend of m points has m - 1 steps, alternation m - 2 turns
        windows[slot] = rule.window - {2: 1, 3: 2}.get(slot, 0)
        words |= ((np.arange(1 << 8) >> slot & 1) << number).astype(np.uint8)
        if slot in {4, 5}:
            counts[slot - 4] = rule.count
        if slot == 7:
            either = rule.sides != "both"
    return zones, windows, counts, either, words
