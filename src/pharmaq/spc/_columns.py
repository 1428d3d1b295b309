"""Columns of a long frame, checked: each message names the column and the row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmaq._checks import as_float
from pharmaq.errors import InputError, InputTypeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def take_values(frame: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Return a column of finite numbers."""
    values = as_float(column, _column(frame, column))
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        first = int(bad[0])
        msg = (
            f"column {column!r} must be finite, but row {first} (label "
            f"{frame.index[first]!r}) is {values[first]} ({bad.size} of {values.size} rows); "
            "remove or replace them first"
        )
        raise InputError(msg)
    return values


def take_codes(frame: pd.DataFrame, column: str) -> tuple[NDArray[np.intp], list[Any]]:
    """Return a column of labels as codes from 0, and the labels in order of appearance."""
    codes, levels = pd.factorize(_column(frame, column))
    missing = np.flatnonzero(codes < 0)
    if missing.size:
        first = int(missing[0])
        msg = (
            f"column {column!r} must name a level in every row, but row {first} (label "
            f"{frame.index[first]!r}) is missing ({missing.size} of {codes.size} rows)"
        )
        raise InputError(msg)
    return codes, list(levels)


def check_distinct(**columns: str) -> None:
    """Raise if two roles name the same column."""
    if len(set(columns.values())) < len(columns):
        text = ", ".join(f"{role}={name!r}" for role, name in columns.items())
        msg = f"each role needs a column of its own, got {text}"
        raise InputError(msg)


def check_levels(role: str, levels: Sequence[Any], *, least: int, why: str) -> None:
    """Raise if a factor has too few levels."""
    if len(levels) < least:
        msg = f"{role} must have at least {least} levels, got {list(levels)!r}: {why}"
        raise InputError(msg)


def check_varies(name: str, values: NDArray[np.float64]) -> None:
    """Raise if all values are equal."""
    if np.ptp(values) == 0:
        msg = f"{name} holds {values.size} equal values ({values[0]:g}); there is no variation"
        raise InputError(msg)


def _column(frame: pd.DataFrame, column: str) -> pd.Series:
    if not isinstance(frame, pd.DataFrame):
        msg = f"frame must be a pandas DataFrame, got {type(frame).__name__}"
        raise InputTypeError(msg)
    if column not in frame.columns:
        msg = f"column {column!r} is not in the frame; it has {list(map(str, frame.columns))}"
        raise InputError(msg)
    picked = frame[column]
    if isinstance(picked, pd.DataFrame):
        msg = f"column {column!r} is in the frame {picked.shape[1]} times; rename all but one"
        raise InputError(msg)
    return picked
