"""Slow twins of acceptance: one number at a time, in decimal arithmetic."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import numpy as np

ENDS = {
    "NLT 95.0": [(">=", "95.0")],
    "< 104": [("<", "104")],
    "95.0-105.0": [(">=", "95.0"), ("<=", "105.0")],
    "(95.5, 104.5]": [(">", "95.5"), ("<=", "104.5")],
}


def outcome_of(value: float, limits: str) -> str:
    held = []
    for sign, text in ENDS[limits]:
        limit = Decimal(text)
        rounded = Decimal(repr(value)).quantize(limit, rounding=ROUND_HALF_UP)
        meets = {
            ">=": rounded >= limit,
            "<=": rounded <= limit,
            ">": rounded > limit,
            "<": rounded < limit,
        }
        held.append(meets[sign])
    return "pass" if all(held) else "oos"


def time_and_area(values: np.ndarray, limit: float) -> tuple[float, float]:
    """Time and area above a limit of a line through points one apart, in fine steps."""
    fine = np.linspace(0, len(values) - 1, 2000 * (len(values) - 1) + 1)
    middle = (fine[1:] + fine[:-1]) / 2
    above = np.interp(middle, np.arange(len(values)), values) - limit
    step = fine[1] - fine[0]
    return float(step * (above > 0).sum()), float(step * above[above > 0].sum())
