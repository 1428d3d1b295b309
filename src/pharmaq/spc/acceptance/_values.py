"""Results as the laboratory wrote them: numbers, below or above a limit, not detected, none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd

from pharmaq.errors import InputError
from pharmaq.spc.acceptance._compare import Bounds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Codes = NDArray[np.int8]

__all__ = [
    "EXACT",
    "MISSING",
    "Censored",
    "Parsed",
    "bounds",
    "parse_values",
    "tidy_converted",
]

Censored = Literal["interval", "raise", "limit", "half", "root_half", "zero"]

EXACT, BELOW, UP_TO, ABOVE, FROM, NOT_DETECTED, MISSING = range(7)
BELOW_FACTORS = {"limit": 1.0, "half": 0.5, "root_half": 0.5**0.5, "zero": 0.0}

_SIGNS = {"<": BELOW, "<=": UP_TO, "≤": UP_TO, ">": ABOVE, ">=": FROM, "≥": FROM}
_SIGNED = re.compile(r"(<=|>=|<|>|≤|≥)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")
_WORDS = re.compile(
    r"n\.?\s?d\.?|not detected|none detected|bdl|bql|bloq|blq|(?:<|<=|≤|below)\s*"
    r"(?:lod|loq|lloq|ql|dl|rl|reporting limit|detection limit|quantitation limit)",
    re.IGNORECASE,
)
_NOTHING = frozenset({"", "-", "--", "n/a", "na", "nan", "none", "n.a.", "null", "not tested"})
# significant digits kept after a conversion: no laboratory has more
_KEPT = 12


class Parsed(NamedTuple):
    """A number a result, the bound of censored ones, and what kind it is."""

    number: Array
    kind: Codes


def parse_values(column: pd.Series, name: str) -> Parsed:
    """Return numbers and kinds; text that is no result is an error."""
    if column.dtype.kind in "fiu" and isinstance(column.dtype, np.dtype):
        number = column.to_numpy(np.float64)
        kind = np.where(np.isnan(number), MISSING, EXACT).astype(np.int8)
    elif column.dtype.kind in "bmMc":
        msg = f"column {name!r} must hold results, got {column.dtype}"
        raise InputError(msg)
    else:
        number = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        kind = np.full(len(number), EXACT, dtype=np.int8)
        odd = np.flatnonzero(np.isnan(number))
        if odd.size:
            number = number.copy()
            number[odd], kind[odd] = _read_texts(column.iloc[odd], name)
    _check_not_infinite(number, column, name)
    return Parsed(number, kind)


def bounds(parsed: Parsed, reporting_limit: Array, rule: str) -> Bounds:
    """Return where each result may lie, or the number that stands in for a censored one.

    A result below a positive limit lies from 0, for amounts are not negative.
    """
    number, kind = parsed
    limit = np.where(kind == NOT_DETECTED, reporting_limit, number)
    below = np.isin(kind, (BELOW, UP_TO, NOT_DETECTED))
    if rule in BELOW_FACTORS:
        number = np.where(below, BELOW_FACTORS[rule] * limit, limit)
        closed = np.ones(len(number), dtype=bool)
        return Bounds(number, number, closed, closed)
    above = np.isin(kind, (ABOVE, FROM))
    return Bounds(
        low=np.where(below, np.where(limit > 0, 0.0, -np.inf), limit),
        high=np.where(above, np.inf, limit),
        low_closed=kind != ABOVE,
        high_closed=~np.isin(kind, (BELOW, NOT_DETECTED)),
    )


def tidy_converted(x: Array) -> Array:
    """Return converted numbers without the last bits that a factor leaves."""
    with np.errstate(divide="ignore", invalid="ignore"):
        power = 10.0 ** (_KEPT - 1 - np.floor(np.log10(np.abs(x))))
        tidy = np.round(x * power) / power
    return np.where(np.isfinite(tidy), tidy, x)


def _read_texts(texts: pd.Series, name: str) -> tuple[Array, Codes]:
    """Read each different text once."""
    codes, unique = pd.factorize(texts)
    read = [_read_text(text) for text in unique]
    bad = [str(text) for text, found in zip(unique, read, strict=True) if found is None]
    if bad:
        row = next(i for i, text in texts.items() if str(text) == bad[0])
        msg = (
            f"column {name!r} holds {bad[0]!r} (row {row!r}; {len(bad)} such texts), which is "
            "no result; write numbers with a point, '<0.05', '>100' or 'ND', and units in a "
            "column of their own"
        )
        raise InputError(msg)
    # factorize gives missing ones -1: the row added last
    rows = [*(found for found in read if found is not None), (np.nan, MISSING)]
    table = np.array(rows, dtype=np.float64)
    return table[codes, 0], table[codes, 1].astype(np.int8)


def _read_text(text: object) -> tuple[float, int] | None:
    if not isinstance(text, str):
        return None
    clean = " ".join(text.split())
    if clean.lower() in _NOTHING:
        return np.nan, MISSING
    signed = _SIGNED.fullmatch(clean)
    if signed:
        return float(signed[2]), _SIGNS[signed[1]]
    return (np.nan, NOT_DETECTED) if _WORDS.fullmatch(clean) else None


def _check_not_infinite(number: Array, column: pd.Series, name: str) -> None:
    bad = np.flatnonzero(np.isinf(number))
    if bad.size:
        i = int(bad[0])
        msg = f"column {name!r} must be finite, but row {column.index[i]!r} is {number[i]}"
        raise InputError(msg)
