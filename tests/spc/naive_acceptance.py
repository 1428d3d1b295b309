"""Slow twins of acceptance: one number at a time, in decimal arithmetic."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

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
