"""Slow twin of the exact test: every table, in fractions."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb, prod


def freeman_halton(failed: list[int], sizes: list[int]) -> tuple[float, float]:
    """Probability of all tables no more likely than this one, and the smallest possible."""
    total = comb(sum(sizes), sum(failed))
    shares = [
        Fraction(prod(map(comb, sizes, table)), total)
        for table in product(*(range(size + 1) for size in sizes))
        if sum(table) == sum(failed)
    ]
    here = Fraction(prod(map(comb, sizes, failed)), total)
    least = min(shares)
    return float(sum(s for s in shares if s <= here)), float(
        sum(s for s in shares if s == least)
    )
