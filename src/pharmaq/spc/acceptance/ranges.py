"""Limits of acceptance as a specification writes them: ends, digits, units."""

from __future__ import annotations

import dataclasses
import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from pharmaq._checks import check_integer
from pharmaq.errors import InputError, InputTypeError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["AcceptanceRange", "parse_range"]

_NUMBER = r"[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?"
_LOWER = r"NLT|not less than|no less than|at least|min\.?|minimum|>=|≥"
_UPPER = r"NMT|not more than|no more than|at most|max\.?|maximum|<=|≤"
_ABOVE, _BELOW = r"more than|greater than|>", r"less than|<"
_ONE = re.compile(
    rf"(?:(?P<lower>{_LOWER})|(?P<upper>{_UPPER})|(?P<above>{_ABOVE})|(?P<below>{_BELOW}))"
    rf"\s*(?P<number>{_NUMBER})\s*(?P<units>.*)",
    re.IGNORECASE,
)
_TWO = re.compile(
    rf"(?:between\s+|from\s+)?(?P<low>{_NUMBER})\s*(?P<first>[^\d\s,;-][^\d,;-]*?)??"
    rf"\s*(?:-|to|and|\.\.\.?)\s*(?P<high>{_NUMBER})\s*(?P<units>.*)",
    re.IGNORECASE,
)
_BRACKETS = re.compile(
    rf"(?P<open>[\[(])\s*(?P<low>{_NUMBER})\s*[,;]\s*(?P<high>{_NUMBER})\s*(?P<close>[\])])"
    r"\s*(?P<units>.*)"
)
_ABOUT = re.compile(
    rf"(?P<middle>{_NUMBER})\s*(?P<first>[^\d±+]*?)\s*(?:±|\+/-|\+-)\s*(?P<reach>{_NUMBER})"
    r"\s*(?P<units>.*)"
)
_BOTH = re.compile(r"\s+and\s+|\s*[;,]\s*", re.IGNORECASE)
_COMMA = re.compile(r"\d,\d")
# en dash, em dash and minus sign
_DASHES = dict.fromkeys((0x2013, 0x2014, 0x2212), "-")
_HOW = "write it as 'NLT 95.0', 'NMT 0.10 %', '95.0-105.0 %', '> 5', '[0, 10)' or '100 ± 5 mg'"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AcceptanceRange:
    """Where a result is accepted: one end or two, each with its own number of decimals.

    Parameters
    ----------
    lsl, usl : float, optional
        Lower and upper limit; at least one.
    lsl_digits, usl_digits : int, optional
        Decimals of each, to which results are rounded before they are held against it; None
        takes results as they are.
    lsl_included, usl_included : bool, default True
        Whether the limit itself is accepted.

    Raises
    ------
    InputError
        If there is no limit, a limit is not finite, or nothing lies between them.

    Examples
    --------
    >>> print(AcceptanceRange(lsl=95.0, usl=105.0, lsl_digits=1, usl_digits=1))
    95.0 to 105.0
    """

    lsl: float | None = None
    usl: float | None = None
    lsl_digits: int | None = None
    usl_digits: int | None = None
    lsl_included: bool = True
    usl_included: bool = True

    def __post_init__(self) -> None:
        if self.lsl is None and self.usl is None:
            msg = "a range needs lsl, usl or both, got neither"
            raise InputError(msg)
        for name in ("lsl", "usl"):
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                msg = f"{name} must be finite, got {value!r}; leave out a limit that is none"
                raise InputError(msg)
            digits = getattr(self, f"{name}_digits")
            if digits is not None:
                check_integer(f"{name}_digits", digits, least=-22, most=22)
        low, high = self.lsl, self.usl
        if low is None or high is None:
            return
        both = self.lsl_included and self.usl_included
        if low > high or (low == high and not both):
            msg = f"nothing lies within {self}: lsl must be below usl"
            raise InputError(msg)

    @property
    def digits(self) -> int | None:
        """The larger number of decimals of both limits, None if neither has one."""
        known = [n for n in (self.lsl_digits, self.usl_digits) if n is not None]
        return max(known, default=None)

    def with_digits(self, digits: int | None) -> AcceptanceRange:
        """Return the same limits with other decimals."""
        return dataclasses.replace(self, lsl_digits=digits, usl_digits=digits)

    def __str__(self) -> str:
        """Return the limits as they are written, with all their digits."""
        low = None if self.lsl is None else _written(self.lsl, self.lsl_digits)
        high = None if self.usl is None else _written(self.usl, self.usl_digits)
        if low is None or high is None:
            return (
                f">{'=' * self.lsl_included} {low}"
                if low
                else f"<{'=' * self.usl_included} {high}"
            )
        if self.lsl_included and self.usl_included:
            return f"{low} to {high}"
        return f"{'(['[self.lsl_included]}{low}, {high}{')]'[self.usl_included]}"


class ParsedRange(NamedTuple):
    """A range and the units that stood behind it."""

    range: AcceptanceRange
    units: str


def parse_range(text: str) -> ParsedRange:
    """Read limits from text, with their decimals and units.

    Parameters
    ----------
    text : str
        ``"NLT 95.0"``, ``"not more than 0.10 %"``, ``">= 95.0 and < 105.0"``,
        ``"95.0-105.0 %"``, ``"95.0 to 105.0"``, ``"[0, 10)"``, ``"100 ± 5 mg"``,
        ``"250 mg ± 5 %"`` (5 % of 250 mg). Decimals by a point.

    Returns
    -------
    ParsedRange
        ``range`` and ``units``, empty where there are none.

    Raises
    ------
    InputTypeError
        If `text` is no text.
    InputError
        If the text cannot be read in one way only.

    Examples
    --------
    >>> found = parse_range("NLT 95.0 % and NMT 105.0 %")
    >>> print(found.range, found.units)
    95.0 to 105.0 %
    """
    if not isinstance(text, str):
        msg = f"limits must be text, got {text!r}"
        raise InputTypeError(msg)
    clean = " ".join(text.translate(_DASHES).split())
    if _COMMA.search(clean) and not clean.startswith(("[", "(")):
        msg = f"limits {text!r} have a comma within a number; write decimals with a point"
        raise InputError(msg)
    for pattern, read in ((_BRACKETS, _in_brackets), (_ABOUT, _about), (_TWO, _two)):
        match = pattern.fullmatch(clean)
        if match:
            return read(match, text)
    return _one_sided(clean, text)


def _in_brackets(match: re.Match[str], _text: str) -> ParsedRange:
    ends = {"lsl_included": match["open"] == "[", "usl_included": match["close"] == "]"}
    return ParsedRange(_range(match["low"], match["high"], **ends), match["units"])


def _two(match: re.Match[str], text: str) -> ParsedRange:
    units = _one_unit((match["first"] or "", match["units"]), text)
    return ParsedRange(_range(match["low"], match["high"]), units)


def _about(match: re.Match[str], text: str) -> ParsedRange:
    middle, reach = Decimal(match["middle"]), Decimal(match["reach"])
    first, last = match["first"].strip(), match["units"].strip()
    if last == "%" and first not in ("", "%"):
        # a share of the middle
        reach, last = abs(middle) * reach / 100, first
    units = _one_unit((first, last), text)
    places = max(_decimals(match["middle"]), -int(_exponent_of(reach.normalize())))
    low, high = (f"{number:.{max(places, 0)}f}" for number in (middle - reach, middle + reach))
    return ParsedRange(_range(low, high), units)


def _one_sided(clean: str, text: str) -> ParsedRange:
    parts = [_ONE.fullmatch(part) for part in _BOTH.split(clean)]
    ends: dict[str, Any] = {}
    units = []
    for match in parts:
        if match is None:
            msg = f"limits {text!r} cannot be read; {_HOW}"
            raise InputError(msg)
        side = "lsl" if match["lower"] or match["above"] else "usl"
        if side in ends:
            msg = f"limits {text!r} name two {'lower' if side == 'lsl' else 'upper'} limits"
            raise InputError(msg)
        ends[side] = match["number"]
        ends[f"{side}_included"] = bool(match["lower"] or match["upper"])
        units.append(match["units"])
    low, high = ends.pop("lsl", None), ends.pop("usl", None)
    return ParsedRange(_range(low, high, **ends), _one_unit(units, text))


def _range(low: str | None, high: str | None, **ends: bool) -> AcceptanceRange:
    return AcceptanceRange(
        lsl=None if low is None else float(low),
        usl=None if high is None else float(high),
        lsl_digits=None if low is None else _decimals(low),
        usl_digits=None if high is None else _decimals(high),
        **ends,
    )


def _one_unit(units: Iterable[str], text: str) -> str:
    known = {unit.strip() for unit in units} - {""}
    if len(known) > 1:
        msg = f"limits {text!r} have different units {sorted(known)}; give both in one unit"
        raise InputError(msg)
    return known.pop() if known else ""


def _decimals(number: str) -> int:
    # an exponent is a way to write, not a claim of few digits
    return max(0, -int(_exponent_of(Decimal(number))))


def _exponent_of(number: Decimal) -> int:
    return int(number.as_tuple().exponent)


def _written(value: float, digits: int | None) -> str:
    return f"{value:g}" if digits is None else f"{value:.{max(digits, 0)}f}"
