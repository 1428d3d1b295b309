"""Long tables of results: their columns, and the specification of every row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from pharmaq.errors import InputError, InputTypeError, UnitsError
from pharmaq.spc.acceptance._values import Parsed, parse_values, tidy_converted
from pharmaq.spc.acceptance.specification import Specification
from pharmaq.spc.acceptance.specifications import Specifications
from pharmaq.units import convert

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

__all__ = [
    "SpecColumns",
    "as_specifications",
    "in_spec_units",
    "match_specifications",
    "read_results",
    "times_of",
]

_ROLES = (
    "product",
    "batch",
    "sample",
    "test",
    "stage",
    "value",
    "units",
    "time",
    "uncertainty",
)


class SpecColumns(NamedTuple):
    """The specification of each row: -1 where there is none."""

    code: NDArray[np.intp]
    specs: tuple[Specification, ...]

    def take(self, name: str, *, of: str = "limits") -> NDArray[np.float64]:
        """Return a number of the specification for every row, NaN where there is none."""
        values = []
        for spec in self.specs:
            owner = spec if of == "spec" else getattr(spec, of)
            value = None if owner is None else getattr(owner, name)
            values.append(np.nan if value is None else float(value))
        return np.array([*values, np.nan])[self.code]


def as_specifications(
    specifications: Specifications | Specification | Iterable[Specification],
) -> Specifications:
    """Return a table of specifications, whatever form they came in."""
    if isinstance(specifications, Specifications):
        return specifications
    if isinstance(specifications, pd.DataFrame):
        msg = (
            "specifications must be a Specifications table; Specifications.from_frame makes one"
        )
        raise InputTypeError(msg)
    if isinstance(specifications, Specification):
        specifications = [specifications]
    return Specifications(specifications)


def read_results(
    results: pd.DataFrame, columns: Mapping[str, str] | None, needed: tuple[str, ...]
) -> pd.DataFrame:
    """Return the columns of a long table under their names here."""
    if not isinstance(results, pd.DataFrame):
        msg = f"results must be a pandas DataFrame, got {type(results).__name__}"
        raise InputTypeError(msg)
    names = dict(columns or {})
    unknown = sorted(set(names) - set(_ROLES))
    if unknown:
        msg = f"columns maps {unknown}, which results do not have; use {list(_ROLES)}"
        raise InputError(msg)
    taken, has = set(names.values()), list(map(str, results.columns))
    if len(taken) < len(names):
        msg = f"each role needs a column of its own, got columns={names}"
        raise InputError(msg)
    free = {role: role for role in _ROLES if role in results.columns and role not in taken}
    chosen = {role: (free | names)[role] for role in _ROLES if role in free | names}
    absent = [name for name in chosen.values() if name not in results.columns]
    absent += [role for role in needed if role not in chosen]
    if absent:
        msg = f"column {absent[0]!r} is not in results; it has {has}; name it with columns="
        raise InputError(msg)
    table = results[list(chosen.values())]
    if not table.columns.is_unique:
        msg = f"columns of results must have different names, got {has}"
        raise InputError(msg)
    table = table.set_axis(list(chosen), axis=1)
    if not len(table):
        msg = "results holds no rows"
        raise InputError(msg)
    return table


def match_specifications(table: pd.DataFrame, specifications: Specifications) -> SpecColumns:
    """Return which specification holds for each row."""
    if specifications.has_stages and "stage" not in table:
        msg = (
            "specifications hold for stages, but results have no column 'stage': say which "
            "stage each result belongs to"
        )
        raise InputError(msg)
    roles = [role for role in ("test", "product", "stage") if role in table]
    combined = np.zeros(len(table), dtype=np.int64)
    levels = []
    for role in roles:
        codes, level = pd.factorize(table[role])
        if role == "test" and np.any(codes < 0):
            row = table.index[int(np.flatnonzero(codes < 0)[0])]
            msg = f"column 'test' must name a test in every row, but row {row!r} is empty"
            raise InputError(msg)
        combined = combined * (len(level) + 1) + (codes + 1)
        levels.append(["", *map(str, level)])
    codes, unique = pd.factorize(combined)
    known: dict[int, int] = {}
    specs: list[Specification] = []
    found = np.full(len(unique), -1, dtype=np.intp)
    for i, key in enumerate(unique):
        spec = specifications.find(**_words(int(key), roles, levels))
        if spec is not None:
            found[i] = known.setdefault(id(spec), len(specs))
            if found[i] == len(specs):
                specs.append(spec)
    return SpecColumns(found[codes], tuple(specs))


def in_spec_units(
    table: pd.DataFrame, matched: SpecColumns
) -> tuple[Parsed, NDArray[np.float64] | None, int]:
    """Return results and uncertainties in the units of their specifications.

    The third item is the number of results that were converted.
    """
    parsed = parse_values(table["value"], "value")
    spread = None
    if "uncertainty" in table:
        spread = pd.to_numeric(table["uncertainty"]).to_numpy(np.float64, copy=True)
    if "units" not in table:
        return parsed, spread, 0
    codes, units = pd.factorize(table["units"])
    names = [" ".join(str(unit).split()) for unit in units]
    pairs, unique = pd.factorize((codes + 1) * (len(matched.specs) + 1) + matched.code + 1)
    converted = 0
    number = parsed.number.copy()
    for i, pair in enumerate(unique):
        unit, spec = divmod(int(pair), len(matched.specs) + 1)
        if not unit or not spec:
            continue
        wanted, given = matched.specs[spec - 1], names[unit - 1]
        if given in ("", wanted.units):
            continue
        here = np.flatnonzero(pairs == i)
        number[here] = _converted(number[here], given, wanted, table.index[here[0]])
        if spread is not None:
            zero = _converted(np.zeros(1), given, wanted, None)
            spread[here] = _converted(spread[here], given, wanted, None) - zero
        converted += here.size
    return Parsed(number, parsed.kind), spread, converted


def times_of(table: pd.DataFrame) -> list[Any]:
    """Return a time a row for findings, None where it is no time."""
    if "time" not in table or table["time"].dtype.kind != "M":
        return [None] * len(table)
    return [None if time is pd.NaT else time for time in table["time"]]


def _words(key: int, roles: list[str], levels: list[list[str]]) -> dict[str, Any]:
    words = {}
    for role, level in zip(reversed(roles), reversed(levels), strict=True):
        key, at = divmod(key, len(level))
        words[role] = level[at]
    return words


def _converted(
    x: NDArray[np.float64], given: str, spec: Specification, row: Any
) -> NDArray[np.float64]:
    if not spec.units:
        msg = (
            f"row {row!r} has the units {given!r}, but the specification of {spec.label} has "
            "none; give it units"
        )
        raise UnitsError(msg)
    try:
        return tidy_converted(convert(x, given, spec.units))
    except UnitsError as error:
        msg = f"row {row!r} of {spec.label} cannot be compared with its limits: {error}"
        raise UnitsError(msg) from None
