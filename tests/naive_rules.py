"""Slow twins of the compiled run rules: one plain function a pattern, over all windows."""

from __future__ import annotations

import numpy as np

from pharmaq.spc import Rule


def signals(z: np.ndarray, rule: Rule) -> list[int]:
    """Positions where a rule with the usual conventions signals, in one stretch."""
    find = {
        "beyond": beyond,
        "within": within,
        "outside": outside,
        "trend": trend,
        "alternating": alternating,
    }
    return find[rule.pattern](list(z), rule)


def windows(z: list[float], rule: Rule, *, part: bool) -> list[tuple[int, list[float]]]:
    """Last position and points of each window; with `part` those at the beginning too."""
    first = 0 if part else rule.window - 1
    return [(i, z[max(0, i - rule.window + 1) : i + 1]) for i in range(first, len(z))]


def beyond(z: list[float], rule: Rule) -> list[int]:
    found = []
    for i, points in windows(z, rule, part=True):
        above = [point > rule.zone for point in points]
        below = [point < -rule.zone for point in points]
        for side in (above, below):
            if sum(side) >= rule.count and side[-1] and i not in found:
                found.append(i)
    return found


def within(z: list[float], rule: Rule) -> list[int]:
    return [
        i
        for i, points in windows(z, rule, part=False)
        if all(abs(p) < rule.zone for p in points)
    ]


def outside(z: list[float], rule: Rule) -> list[int]:
    found = []
    for i, points in windows(z, rule, part=False):
        far = all(abs(p) > rule.zone for p in points)
        both = min(points) < 0 < max(points)
        if far and (both or rule.sides != "both"):
            found.append(i)
    return found


def trend(z: list[float], rule: Rule) -> list[int]:
    found = []
    for i, points in windows(z, rule, part=False):
        steps = np.diff(points)
        if (steps > 0).all() or (steps < 0).all():
            found.append(i)
    return found


def alternating(z: list[float], rule: Rule) -> list[int]:
    found = []
    for i, points in windows(z, rule, part=False):
        steps = np.sign(np.diff(points))
        if (steps[0] != 0) and (steps[1:] == -steps[:-1]).all():
            found.append(i)
    return found
