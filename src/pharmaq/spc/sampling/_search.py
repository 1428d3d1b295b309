"""The search for plans that keep both risks."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from pharmaq.errors import InputError
from pharmaq.spc.sampling._counts import Lot, accepted

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MOST_ACCEPTED", "RiskPoints", "double_plan", "single_plan", "smallest_sample"]

# acceptance numbers and sizes of samples beyond these are no plan for a plant
MOST_ACCEPTED = 60
_MOST_UNITS = 1_000_000
_MOST_DOUBLE = 24


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RiskPoints:
    """Both risk points, and the risks asked for.

    Parameters
    ----------
    aql, ltpd : float or None
        Fractions nonconforming.
    alpha, beta : float
        Producer's and consumer's risk.
    """

    aql: float | None
    ltpd: float | None
    alpha: float
    beta: float


def _chance(lot: Lot, n: tuple[int, ...], accept: tuple[int, ...], fraction: float) -> float:
    return accepted(lot, n, accept, (accept[-1] + 1,) * len(n), fraction)[0]


def smallest_sample(lot: Lot, points: RiskPoints, c: int) -> int:
    """Return the smallest n of a single plan of c that keeps the consumer's risk."""
    ltpd = points.ltpd or 0.0
    most = lot.size if lot.distribution == "hypergeometric" and lot.size else _MOST_UNITS

    def keeps(n: int) -> bool:
        return _chance(lot, (n,), (c,), ltpd) <= points.beta

    high = min(max(c + 1, 2), most)
    while not keeps(high):
        if high >= most:
            msg = (
                f"no sample of up to {most} units keeps beta={points.beta:g} at "
                f"ltpd={ltpd:g} with accept={c}"
            )
            raise InputError(msg)
        high = min(2 * high, most)
    return _bisect(keeps, c + 1, high)


def _bisect(keeps: Callable[[int], bool], low: int, high: int) -> int:
    """Return the smallest number from `low` on that keeps a rule which `high` keeps."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if keeps(middle) else (middle + 1, high)
    return high


def single_plan(lot: Lot, points: RiskPoints) -> tuple[int, int]:
    for c in range(MOST_ACCEPTED + 1):
        n = smallest_sample(lot, points, c)
        if _chance(lot, (n,), (c,), points.aql or 0.0) >= 1 - points.alpha:
            return n, c
    msg = f"no plan with up to {MOST_ACCEPTED} nonconforming units keeps both risks"
    raise InputError(msg)


def double_plan(lot: Lot, points: RiskPoints, n: int, c: int) -> tuple[int, int, int]:
    """Return size and acceptance numbers of the double plan that inspects least at the AQL."""
    aql, ltpd = points.aql or 0.0, points.ltpd or 0.0
    most = 2 * n
    if lot.size and lot.distribution == "hypergeometric":
        most = lot.size // 2
    best: tuple[float, tuple[int, int, int]] | None = None
    for second in range(1, min(2 * c + 4, _MOST_DOUBLE) + 1):
        for first in range(second):

            def keeps(size: int, first: int = first, second: int = second) -> bool:
                return _chance(lot, (size, size), (first, second), ltpd) <= points.beta

            if not keeps(most):
                continue
            size = _bisect(keeps, second + 1, most)
            plan = (lot, (size, size), (first, second), (second + 1, second + 1), aql)
            chance, inspected = accepted(*plan)
            if chance >= 1 - points.alpha and (best is None or inspected < best[0]):
                best = inspected, (size, first, second)
    if best is None:
        msg = "no double plan of equal samples keeps both risks; use stages='single'"
        raise InputError(msg)
    return best[1]
