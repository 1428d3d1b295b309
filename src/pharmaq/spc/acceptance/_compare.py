"""Where results lie with regard to limits, after rounding, for every row at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pharmaq.spc.acceptance.rounding import round_half_up, round_significant

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pharmaq.spc.acceptance._table import SpecColumns
    from pharmaq.spc.acceptance.specification import Specification

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = ["Bounds", "Verdict", "compare", "reported"]


class Bounds(NamedTuple):
    """Where each result may lie; both ends are equal and closed for an exact one."""

    low: Array
    high: Array
    low_closed: Mask
    high_closed: Mask

    @property
    def exact(self) -> Mask:
        """Results that are one number."""
        return self.low == self.high


class Verdict(NamedTuple):
    """Whether every result meets or breaks each end, whatever it is within its bounds."""

    low_met: Mask
    low_broken: Mask
    high_met: Mask
    high_broken: Mask

    @property
    def met(self) -> Mask:
        """Both ends hold."""
        return self.low_met & self.high_met

    @property
    def broken(self) -> Mask:
        """One end does not hold."""
        return self.low_broken | self.high_broken


def compare(
    bounds: Bounds, matched: SpecColumns, *, of: str = "limits", guard: Array | None = None
) -> Verdict:
    """Hold results against one kind of limits; a side without a limit is met.

    Exact results are rounded to the digits of the limit first. With a guard band limits move
    inwards by it, and results are taken as they are: they have an uncertainty, not digits.
    """
    lsl, usl = matched.take("lsl", of=of), matched.take("usl", of=of)
    low_in = matched.take("lsl_included", of=of) == 1
    high_in = matched.take("usl_included", of=of) == 1
    if guard is None:
        low = _rounded(bounds, matched, of, "lsl")
        high = _rounded(bounds, matched, of, "usl")
    else:
        low = high = bounds
        lsl, usl = lsl + guard, usl - guard
    return Verdict(
        low_met=np.isnan(lsl)
        | (low.low > lsl)
        | ((low.low == lsl) & (low_in | ~low.low_closed)),
        low_broken=(low.high < lsl) | ((low.high == lsl) & ~(low_in & low.high_closed)),
        high_met=np.isnan(usl)
        | (high.high < usl)
        | ((high.high == usl) & (high_in | ~high.high_closed)),
        high_broken=(high.low > usl) | ((high.low == usl) & ~(high_in & high.low_closed)),
    )


def reported(bounds: Bounds, matched: SpecColumns, verdict: Verdict) -> Array:
    """Return results rounded to the limit they break, otherwise to the one of more digits."""
    low = _rounded(bounds, matched, "limits", "lsl").low
    high = _rounded(bounds, matched, "limits", "usl").high
    few, many = matched.take("lsl_digits"), matched.take("usl_digits")
    lower = np.isnan(matched.take("usl")) | (few > many)
    lower = (lower | verdict.low_broken) & ~verdict.high_broken
    return np.where(bounds.exact, np.where(lower, low, high), np.nan)


def _rounded(bounds: Bounds, matched: SpecColumns, of: str, side: str) -> Bounds:
    """Return exact results rounded to the digits of a limit, the others as they are."""
    ways = [_way(spec, of, side) for spec in matched.specs]
    different = list(dict.fromkeys([None, *ways]))
    way = np.array([*map(different.index, ways), 0])[matched.code]
    way[~bounds.exact] = 0
    low, high = bounds.low.copy(), bounds.high.copy()
    for code, found in enumerate(different):
        if found is None:
            continue
        rounding, digits = found
        here = np.flatnonzero(way == code)
        function = round_half_up if rounding == "decimals" else round_significant
        low[here] = high[here] = function(bounds.low[here], digits)
    return bounds._replace(low=low, high=high)


def _way(spec: Specification, of: str, side: str) -> tuple[str, int] | None:
    """Return how results are rounded for a limit: to which digits, in which sense."""
    owner = getattr(spec, of)
    digits = None if owner is None else getattr(owner, f"{side}_digits")
    if digits is None or spec.rounding == "none":
        return None
    if spec.rounding == "decimals":
        return "decimals", digits
    return "significant", _figures(getattr(owner, side), digits)


def _figures(limit: float, digits: int) -> int:
    """Return the significant figures of a limit: 100.0 has four, 0.10 two."""
    first = int(np.floor(np.log10(abs(limit)))) if limit else 0
    return int(np.clip(first + 1 + digits, 1, 15))
