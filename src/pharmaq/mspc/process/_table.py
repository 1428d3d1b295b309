"""Process data as they come: names, units and times of variables, lagged rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from pharmaq._checks import as_float, check_finite
from pharmaq.errors import InputError, InputTypeError, UnitsError
from pharmaq.spc.charts import as_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# a step this much longer than the usual one is a gap in the record
_GAP = 1.5


class Table(NamedTuple):
    """Rows of process data.

    Parameters
    ----------
    values : ndarray of shape (n, K)
        NaN where a value is missing.
    variables : tuple of str
        Names, ``x1`` to ``xK`` where the data have none.
    named : bool
        Whether the data have names.
    units : dict of str to str
        Units of the variables that have one.
    labels : ndarray of shape (n,)
        Time, name or number of each row.
    times : DatetimeIndex or None
        Time of each row in UTC, where it has one.
    """

    values: Array
    variables: tuple[str, ...]
    named: bool
    units: dict[str, str]
    labels: NDArray[Any]
    times: pd.DatetimeIndex | None


def read_table(
    X: Any,
    *,
    units: Mapping[str, str] | None = None,
    variables: tuple[str, ...] | None = None,
    fitted_names: bool = True,
) -> Table:
    """Return process data, checked.

    Those of a fitted monitor come in the order of its `variables`: by name, unless it was
    fitted without names or `X` has none.
    """
    named = isinstance(X, pd.DataFrame)
    names = _names(X) if named else None
    if variables is not None and not fitted_names:
        names = None
    given = _units(X, units)
    if names is not None and variables is not None:
        X = X.set_axis(list(names), axis=1)[list(_in_order(names, variables))]
    values = as_float("X", X)
    if values.ndim != 2 or 0 in values.shape:
        msg = f"X must have shape (n_rows, n_variables), got {values.shape}"
        raise InputError(msg)
    check_finite("X", np.where(np.isnan(values), 0.0, values))
    if variables is not None and values.shape[1] != len(variables):
        msg = f"X has {values.shape[1]} variables, but {len(variables)} were fitted"
        raise InputError(msg)
    default = tuple(f"x{k}" for k in range(1, values.shape[1] + 1))
    known = variables or names or default
    _check_units(given, known)
    labels, times = _labels(X, len(values))
    return Table(np.ascontiguousarray(values), known, named, given, labels, times)


def check_same_units(found: dict[str, str], fitted: dict[str, str]) -> None:
    """Raise if data carry another unit than the one a monitor was fitted with."""
    for name, unit in found.items():
        if name in fitted and fitted[name] != unit:
            msg = (
                f"variable {name!r} is in {unit!r}, but the monitor was fitted in "
                f"{fitted[name]!r}; convert it with pharmaq.units.convert first"
            )
            raise UnitsError(msg)


def lagged_names(variables: tuple[str, ...], lags: int) -> tuple[str, ...]:
    """Return names of variables at t, t - 1, ..., t - lags."""
    late = [f"{name} (t-{lag})" for lag in range(1, lags + 1) for name in variables]
    return (*variables, *late)


def with_lags(table: Table, lags: int) -> tuple[Array, NDArray[np.intp]]:
    """Return rows beside the `lags` rows before them, and which rows have all of these.

    Rows after a gap in time have none; the usual step is the median of all.
    """
    n = len(table.values)
    if n <= lags:
        msg = f"X has {n} rows, but lags = {lags} needs at least {lags + 1}"
        raise InputError(msg)
    if not lags:
        return table.values, np.arange(n)
    shifted = [table.values[lags - lag : n - lag] for lag in range(lags + 1)]
    rows = np.arange(lags, n)
    whole = np.ones(len(rows), dtype=bool)
    if table.times is not None and n > 2:
        steps = np.diff(table.times.to_numpy()) / np.timedelta64(1, "s")
        gaps = np.concatenate([[0], np.cumsum(steps > _GAP * np.median(steps))])
        whole = gaps[rows] == gaps[rows - lags]
    if not whole.any():
        msg = f"X has no {lags + 1} rows without a gap in time; use fewer lags"
        raise InputError(msg)
    return np.ascontiguousarray(np.hstack(shifted)[whole]), rows[whole]


def _units(X: Any, units: Mapping[str, str] | None) -> dict[str, str]:
    """Return units as they were given, or as the data carry them."""
    found = getattr(X, "attrs", {}).get("units", {}) if units is None else units
    if not isinstance(found, Mapping):
        msg = f"units must be a dictionary of variable and unit, got {found!r}"
        raise InputTypeError(msg)
    return {str(name): unit for name, unit in found.items()}


def _names(X: pd.DataFrame) -> tuple[str, ...]:
    names = tuple(str(name) for name in X.columns)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        msg = f"variable {twice[0]!r} is in X more than once; names must differ"
        raise InputError(msg)
    return names


def _in_order(names: tuple[str, ...], variables: tuple[str, ...]) -> tuple[str, ...]:
    missing = [name for name in variables if name not in names]
    unknown = [name for name in names if name not in variables]
    if missing:
        msg = (
            f"variable {missing[0]!r} is missing in X ({len(missing)} in all); a monitor with "
            "missing='tsr' takes a column of NaN for it"
        )
        raise InputError(msg)
    if unknown:
        msg = (
            f"variable {unknown[0]!r} was not fitted ({len(unknown)} in all); choose the "
            "others with X[list(monitor.variables_)]"
        )
        raise InputError(msg)
    return variables


def _check_units(units: dict[str, str], variables: tuple[str, ...]) -> None:
    for name, unit in units.items():
        if name not in variables:
            msg = f"units name variable {name!r}, which is not in X"
            raise InputError(msg)
        if not isinstance(unit, str):
            msg = f"the unit of {name!r} must be text, got {unit!r}"
            raise InputTypeError(msg)


def _labels(X: Any, n: int) -> tuple[NDArray[Any], pd.DatetimeIndex | None]:
    index = getattr(X, "index", None)
    if not isinstance(index, pd.Index) or isinstance(index, pd.RangeIndex):
        return np.arange(1, n + 1), None
    if not isinstance(index, pd.DatetimeIndex):
        return as_labels(index), None
    times = index if index.tz is None else index.tz_convert("UTC").tz_localize(None)
    steps = np.diff(times.to_numpy())
    back = np.flatnonzero(~(steps > np.timedelta64(0)))
    if back.size:
        i = int(back[0])
        msg = (
            f"time must go forward, but row {i + 1} of X is at {index[i + 1]}, after "
            f"{index[i]}; sort X, and keep one row a time"
        )
        raise InputError(msg)
    return as_labels(times), times
