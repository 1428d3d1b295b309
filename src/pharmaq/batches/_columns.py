"""Columns of a long frame of batches, checked: each message names the column and the row."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmaq._checks import as_float
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_WITH_UNIT = re.compile(r"(?P<name>.*\S)\s*\[(?P<unit>[^\[\]]*)\]\s*")
_RESERVED = {"batch", "time", "phase"}


def check_roles(frame: pd.DataFrame, batch: str, time: str, phase: str | None) -> str | None:
    """Return the column of phases, after a check that every role has a column of its own."""
    if phase is None and "phase" in frame.columns and "phase" not in {batch, time}:
        phase = "phase"
    roles = {"batch": batch, "time": time} | ({} if phase is None else {"phase": phase})
    for role, name in roles.items():
        count = list(frame.columns).count(name)
        if count != 1:
            what = f"is in data {count} times" if count else "is not in data"
            columns = ", ".join(map(repr, list(frame.columns)[:12]))
            msg = f"{role} column {name!r} {what}, which has {columns}; name it by {role}="
            raise InputError(msg)
    if len(set(roles.values())) < len(roles):
        msg = f"batch, time and phase need a column each, got {roles}"
        raise InputError(msg)
    if not len(frame):
        msg = "data hold no row"
        raise InputError(msg)
    return phase


def value_columns(
    frame: pd.DataFrame, variables: Sequence[str] | None, taken: set[Any]
) -> dict[str, NDArray[np.float64]]:
    """Return the variables as arrays of floats; NaN stays, infinity is an error."""
    if isinstance(variables, str):
        variables = [variables]
    names = [c for c in frame.columns if c not in taken] if variables is None else [*variables]
    if not names or len({*names}) < len(names):
        msg = f"variables must name one column or more, each once, got {names!r}"
        raise InputError(msg)
    found = {}
    for name in names:
        if name not in frame.columns or name in taken:
            msg = f"variable {name!r} is no column of data, or is its batch, time or phase"
            raise InputError(msg)
        values = as_float(f"variable {name!r}", frame[name])
        if np.isinf(values).any():
            row = frame.index[np.flatnonzero(np.isinf(values))[0]]
            msg = f"variable {name!r} is infinite in row {row!r}; a value not measured is NaN"
            raise InputError(msg)
        if np.isnan(values).all():
            msg = f"variable {name!r} has no value in any batch; leave it out by variables="
            raise InputError(msg)
        found[name] = values
    return found


def column_units(columns: Mapping[str, Any], units: Mapping[str, str] | None) -> dict[str, str]:
    """Return the unit of each variable by its name without the unit."""
    given = dict(units or {})
    known: dict[str, str] = {}
    for column in columns:
        match = _WITH_UNIT.fullmatch(str(column))
        name = match["name"] if match else str(column)
        written = match["unit"].strip() if match else ""
        unit = given.pop(name, given.pop(column, written))
        if written and unit != written:
            msg = f"units says {name!r} is in {unit!r}, its column says {written!r}"
            raise InputError(msg)
        if name in known or name in _RESERVED:
            msg = f"column {column!r} cannot be a variable named {name!r}; rename it"
            raise InputError(msg)
        known[name] = str(unit)
    if given:
        msg = f"units names {list(given)!r}, which are no variables; these are {list(known)!r}"
        raise InputError(msg)
    return known


def batch_codes(frame: pd.DataFrame, column: str) -> tuple[NDArray[np.intp], list[Any]]:
    """Return the batch of each row as a code, and the names in order of appearance."""
    codes, names = pd.factorize(frame[column])
    missing = np.flatnonzero(codes < 0)
    if missing.size:
        row = frame.index[missing[0]]
        msg = (
            f"column {column!r} must name the batch of every row, but row {row!r} has none "
            f"({missing.size} of {len(frame)} rows)"
        )
        raise InputError(msg)
    if len({str(name) for name in names}) < len(names):
        msg = f"column {column!r} has batches with the same name as text; make them differ"
        raise InputError(msg)
    return codes, list(names)


def phase_labels(frame: pd.DataFrame, column: str) -> NDArray[Any]:
    """Return the phase of each row as text; rows without a phase have empty text."""
    labels = frame[column]
    return np.where(labels.isna(), "", labels.astype(str)).astype(object)
