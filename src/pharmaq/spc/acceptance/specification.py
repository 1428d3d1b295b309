"""Specifications: what is tested, within which limits, and a table of them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal, get_args

import pandas as pd

from pharmaq._checks import check_choice, check_integer, check_real
from pharmaq.errors import InputError, InputTypeError
from pharmaq.spc.acceptance.ranges import AcceptanceRange, parse_range

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from os import PathLike

__all__ = ["Limits", "Rounding", "Specification", "Specifications"]

Rounding = Literal["decimals", "significant", "none"]
Limits = AcceptanceRange | str | tuple[float | str | None, float | str | None]

_KEYS = ("product", "test", "stage", "phase")
_FIELDS = (
    "test", "limits", "lsl", "usl", "units", "product", "stage", "phase", "alert", "action",
    "target", "digits", "rounding", "reporting_limit",
)  # fmt: skip


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


class Specifications:
    """A table of specifications, found by product, test, stage and phase.

    Parameters
    ----------
    specifications : iterable of Specification
        No two for the same product, test, stage and phase.

    Raises
    ------
    InputError
        If there is none, or two hold for the same thing.

    Examples
    --------
    >>> table = Specifications(
    ...     [Specification("assay", "95.0-105.0 %"), Specification("water", "NMT 0.50 %")]
    ... )
    >>> len(table), str(table.find("water"))
    (2, 'water: <= 0.50 %')
    """

    __slots__ = ("_by_key",)

    def __init__(self, specifications: Iterable[Specification]) -> None:
        self._by_key: dict[tuple[str, str, str, str], Specification] = {}
        for spec in specifications:
            if not isinstance(spec, Specification):
                msg = f"specifications must hold Specification objects, got {spec!r}"
                raise InputTypeError(msg)
            if spec.key in self._by_key:
                msg = f"there are two specifications of {spec.label}; keep one"
                raise InputError(msg)
            self._by_key[spec.key] = spec
        if not self._by_key:
            msg = "specifications must hold at least one, got none"
            raise InputError(msg)

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, *, columns: Mapping[str, str] | None = None
    ) -> Specifications:
        """Read specifications from a frame, a row each.

        Parameters
        ----------
        frame : DataFrame
            Columns ``test`` and ``limits`` (text), or ``lsl`` and ``usl``; and any of
            ``units, product, stage, phase, alert, action, target, digits, rounding,
            reporting_limit``. Empty cells mean none. Other columns are left alone.
        columns : mapping of str to str, optional
            Name here -> name in the frame, where they differ.

        Returns
        -------
        Specifications
            The table.

        Raises
        ------
        InputError
            If a column is missing or a row cannot be read; the message names the row.
        """
        table = _renamed(frame, columns)
        sides = {"lsl", "usl"} & set(table.columns)
        if "test" not in table or ("limits" not in table and not sides):
            msg = (
                "a table of specifications needs the columns 'test' and 'limits' (or 'lsl', "
                f"'usl'), got {list(map(str, frame.columns))}; name others with columns="
            )
            raise InputError(msg)
        specs = []
        for label, row in zip(table.index, table.to_dict("records"), strict=True):
            try:
                specs.append(_from_row(row))
            except (InputError, InputTypeError) as error:
                msg = f"specification in row {label!r}: {error}"
                raise InputError(msg) from None
        return cls(specs)

    @classmethod
    def read_csv(
        cls, path: str | PathLike[str], *, columns: Mapping[str, str] | None = None
    ) -> Specifications:
        """Read specifications from a CSV file, limits as the text that stands there.

        Parameters
        ----------
        path : str or path
            File with a header line, separated by commas, see `from_frame`.
        columns : mapping of str to str, optional
            Name here -> name in the file, where they differ.

        Returns
        -------
        Specifications
            The table; 95.0 keeps its digit.
        """
        # text, or 95.0 would lose its digit
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True)
        return cls.from_frame(frame, columns=columns)

    def find(
        self, test: str, *, product: str = "", stage: str = "", phase: str = ""
    ) -> Specification | None:
        """Return the specification that holds, the most special one first, or None.

        Parameters
        ----------
        test : str
            Name of the test.
        product, stage, phase : str, optional
            What the result belongs to. One that names the product goes before one that names
            the stage, and that before one that names the phase.

        Returns
        -------
        Specification or None
            None if there is none.
        """
        for p in dict.fromkeys((product, "")):
            for s in dict.fromkeys((stage, "")):
                for h in dict.fromkeys((phase, "")):
                    spec = self._by_key.get((p, test, s, h))
                    if spec is not None:
                        return spec
        return None

    def to_frame(self) -> pd.DataFrame:
        """Return a row a specification; `from_frame` reads it back."""
        rows = []
        for spec in self:
            row = {name: getattr(spec, name) for name in _FIELDS if hasattr(spec, name)}
            ranges = ("limits", "alert", "action")
            row |= {name: "" if row[name] is None else str(row[name]) for name in ranges}
            rows.append(row)
        return pd.DataFrame(rows)

    def __iter__(self) -> Iterator[Specification]:
        return iter(self._by_key.values())

    def __len__(self) -> int:
        return len(self._by_key)

    def __repr__(self) -> str:
        return f"Specifications({', '.join(map(str, self))})"

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False))

    @property
    def has_stages(self) -> bool:
        """Whether any of them holds for one stage only."""
        return any(spec.stage for spec in self)


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


def _renamed(frame: pd.DataFrame, columns: Mapping[str, str] | None) -> pd.DataFrame:
    if not isinstance(frame, pd.DataFrame):
        msg = f"frame must be a pandas DataFrame, got {type(frame).__name__}"
        raise InputTypeError(msg)
    names = dict(columns or {})
    unknown = sorted(set(names) - set(_FIELDS))
    if unknown:
        msg = f"columns maps {unknown}, which no specification has; it has {list(_FIELDS)}"
        raise InputError(msg)
    absent = [name for name in names.values() if name not in frame.columns]
    if absent:
        msg = (
            f"column {absent[0]!r} is not in the frame; it has {list(map(str, frame.columns))}"
        )
        raise InputError(msg)
    return frame.rename(columns={theirs: ours for ours, theirs in names.items()})


def _from_row(row: Mapping[Any, Any]) -> Specification:
    cells = {name: row[name] for name in _FIELDS if name in row and not _empty(row[name])}
    low, high = cells.pop("lsl", None), cells.pop("usl", None)
    if "limits" not in cells:
        cells["limits"] = (_plain(low), _plain(high))
    for name in ("target", "reporting_limit"):
        if name in cells:
            cells[name] = float(cells[name])
    if "digits" in cells:
        cells["digits"] = int(float(cells["digits"]))
    for name in ("test", "product", "stage", "phase", "units"):
        if name in cells:
            cells[name] = str(cells[name])
    if "test" not in cells:
        msg = "column 'test' is empty"
        raise InputError(msg)
    return Specification(cells.pop("test"), cells.pop("limits"), **cells)


def _empty(cell: Any) -> bool:
    return cell is None or cell == "" or (not isinstance(cell, tuple) and bool(pd.isna(cell)))


def _plain(cell: Any) -> Any:
    return cell.item() if hasattr(cell, "item") else cell
