"""A specification: what is tested, within which limits, rounded how."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, get_args

from pharmaq._checks import check_choice, check_integer, check_real
from pharmaq.errors import InputError, InputTypeError
from pharmaq.spc.acceptance.ranges import AcceptanceRange, parse_range

__all__ = ["Limits", "Rounding", "Specification"]

Rounding = Literal["decimals", "significant", "none"]
Limits = AcceptanceRange | str | tuple[float | str | None, float | str | None]


@dataclasses.dataclass(frozen=True, slots=True, init=False)
class Specification:
    """What a test has to meet.

    Parameters
    ----------
    test : str
        Name of the test, or of the variable of a process.
    limits : str, AcceptanceRange or pair of limits
        Of acceptance, see `parse_range`: ``"95.0-105.0 %"``, ``"NMT 0.10"``, or ``(95, 105)``
        with None for an open side.
    units : str, optional
        Units of the limits; those behind the limits by default.
    product, stage, phase : str, optional
        Restrict it: to a product, a stage (``"release"``, ``"shelf life"``, ``"S1"``), a phase
        of the recipe. Empty holds for all.
    alert, action : as `limits`, optional
        Internal limits, in the same units.
    target : float, optional
        Target, for Cpm and pictures.
    digits : int, optional
        Decimals of all limits, for limits given as numbers: 95.0 as a number does not say how
        many it has.
    rounding : {"decimals", "significant", "none"}, default "decimals"
        How a reportable result is rounded before it is held against a limit, half up: to the
        decimals of the limit (USP General Notices 7.20), to its significant figures (Ph. Eur.
        General Notices as they read), or not at all.
    reporting_limit : float, optional
        Number below which the laboratory writes ``ND`` or ``<LOQ``.

    Attributes
    ----------
    lsl, usl : float or None
        The limits of acceptance as numbers.

    Raises
    ------
    InputError
        If limits cannot be read, digits are unknown, units differ, internal limits lie outside
        the limits of acceptance, or the target does.

    Examples
    --------
    >>> assay = Specification("assay", "95.0-105.0 %", alert="97.0-103.0")
    >>> print(assay)
    assay: 95.0 to 105.0 %
    >>> assay.lsl, assay.usl, assay.limits.digits
    (95.0, 105.0, 1)
    """

    test: str
    limits: AcceptanceRange
    units: str
    product: str
    stage: str
    phase: str
    alert: AcceptanceRange | None
    action: AcceptanceRange | None
    target: float | None
    rounding: Rounding
    reporting_limit: float | None

    def __init__(  # noqa: PLR0913 - a row of a table of specifications has so many cells
        self,
        test: str,
        limits: Limits,
        *,
        units: str = "",
        product: str = "",
        stage: str = "",
        phase: str = "",
        alert: Limits | None = None,
        action: Limits | None = None,
        target: float | None = None,
        digits: int | None = None,
        rounding: Rounding = "decimals",
        reporting_limit: float | None = None,
    ) -> None:
        check_choice("rounding", rounding, get_args(Rounding))
        words = {"test": test, "product": product, "stage": stage, "phase": phase}
        for name, word in words.items():
            _set(self, name, _text(name, word))
        if not self.test:
            msg = "test must name a test, got ''"
            raise InputError(msg)
        ranges = {"limits": limits, "alert": alert, "action": action}
        known = _text("units", units)
        for name, given in ranges.items():
            found = None
            if given is not None:
                found, known = _read(f"{name} of {self.test!r}", given, known, digits, rounding)
            _set(self, name, found)
        _set(self, "units", known)
        _set(self, "rounding", rounding)
        _set(self, "target", None if target is None else check_real("target", target))
        limit = reporting_limit
        _set(
            self,
            "reporting_limit",
            None if limit is None else check_real("reporting_limit", limit, above=0),
        )
        self._check()

    @property
    def lsl(self) -> float | None:
        """Lower limit of acceptance."""
        return self.limits.lsl

    @property
    def usl(self) -> float | None:
        """Upper limit of acceptance."""
        return self.limits.usl

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Product, test, stage and phase."""
        return (self.product, self.test, self.stage, self.phase)

    def __str__(self) -> str:
        """Return the test with its limits and units."""
        return f"{self.label}: {self.limits} {self.units}".rstrip()

    @property
    def label(self) -> str:
        """The words that name it, product first."""
        product, test, stage, phase = self.key
        return " / ".join(word for word in (product, test, stage, phase) if word)

    def _check(self) -> None:
        for name in ("alert", "action"):
            inner = getattr(self, name)
            if inner is not None and _reaches_beyond(inner, self.limits):
                msg = (
                    f"{name} limits of {self.test!r} must lie within the limits of acceptance "
                    f"{self.limits}, got {inner}"
                )
                raise InputError(msg)
        low, high = self.lsl, self.usl
        if self.target is None:
            return
        if (low is not None and self.target < low) or (high is not None and self.target > high):
            msg = f"target of {self.test!r} must lie within {self.limits}, got {self.target:g}"
            raise InputError(msg)


def _set(spec: Specification, name: str, value: Any) -> None:
    object.__setattr__(spec, name, value)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        msg = f"{name} must be text, got {value!r}"
        raise InputTypeError(msg)
    return value.strip()


def _read(
    name: str, given: Limits, units: str, digits: int | None, rounding: Rounding
) -> tuple[AcceptanceRange, str]:
    """Return the limits with their digits, and their units."""
    found = ""
    if isinstance(given, AcceptanceRange):
        limits = given
    elif isinstance(given, str):
        limits, found = parse_range(given)
    else:
        limits = _pair(name, given)
    if units and found and found != units:
        msg = f"{name} have the units {found!r}, but units is {units!r}; give one of them"
        raise InputError(msg)
    if digits is not None:
        limits = limits.with_digits(check_integer("digits", digits, least=-22, most=22))
    sides = ((limits.lsl, limits.lsl_digits), (limits.usl, limits.usl_digits))
    if rounding != "none" and any(value is not None and n is None for value, n in sides):
        msg = (
            f"{name} {limits} are numbers that do not say how many decimals they have; give "
            "digits=, text such as '95.0', or rounding='none'"
        )
        raise InputError(msg)
    return limits, units or found


def _pair(name: str, given: Any) -> AcceptanceRange:
    if not isinstance(given, tuple | list) or len(given) != 2:
        msg = f"{name} must be text or a pair of limits, got {given!r}"
        raise InputTypeError(msg)
    ends: dict[str, Any] = {}
    for side, limit in zip(("lsl", "usl"), given, strict=True):
        if isinstance(limit, str):
            # a plain number as text keeps its digits
            one = parse_range(f">= {limit}").range
            ends |= {side: one.lsl, f"{side}_digits": one.lsl_digits}
        elif limit is not None:
            ends[side] = check_real(f"{side} in {name}", limit)
            whole = isinstance(limit, int)
            ends |= {f"{side}_digits": 0} if whole else {}
    return AcceptanceRange(**ends)


def _reaches_beyond(inner: AcceptanceRange, outer: AcceptanceRange) -> bool:
    below = outer.lsl is not None and inner.lsl is not None and inner.lsl < outer.lsl
    above = outer.usl is not None and inner.usl is not None and inner.usl > outer.usl
    return below or above
