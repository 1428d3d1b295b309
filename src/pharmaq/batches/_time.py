"""Time within a batch: elapsed, in one unit, rising."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from pharmaq._checks import as_float, check_choice
from pharmaq.errors import InputError
from pharmaq.units import convert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Repair = Literal["sort", "mean", "last"]


class Clock(NamedTuple):
    """Elapsed time of each row, its unit, and when time 0 was in each batch."""

    elapsed: NDArray[np.float64]
    units: str
    starts: pd.Series


class Repaired(NamedTuple):
    """A frame with rising times, and how many rows were touched."""

    frame: pd.DataFrame
    n_sorted: int
    n_merged: int
    kept: str


def elapsed_time(
    column: pd.Series, codes: NDArray[np.intp], names: list[Any], units: str | None
) -> Clock:
    """Return numbers as they are, durations in units, times since the first of the batch."""
    none = pd.Series(dtype="datetime64[ns, UTC]", name="start")
    column = _parsed(column)
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        _check_present(column, column.isna().to_numpy())
        moments = column.dt.tz_convert("UTC").reset_index(drop=True)
        starts = moments.groupby(codes).transform("first")
        seconds = (moments - starts).dt.total_seconds().to_numpy()
        first = moments.groupby(codes).first()
        first.index = pd.Index([names[i] for i in first.index])
        return Clock(*_in_units(seconds, units), first.rename("start"))
    if column.dtype.kind == "m":
        _check_present(column, column.isna().to_numpy())
        return Clock(*_in_units(column.dt.total_seconds().to_numpy(), units), none)
    if column.dtype.kind == "M":
        msg = (
            f"column {column.name!r} holds times without a time zone; say where the clock "
            "stood: column.dt.tz_localize('Europe/Berlin')"
        )
        raise InputError(msg)
    elapsed = as_float(f"column {column.name!r}", column)
    _check_present(column, ~np.isfinite(elapsed))
    if units is not None:
        convert(0.0, units, "s")
    return Clock(elapsed, units or "", none)


def _parsed(column: pd.Series) -> pd.Series:
    """Return times and durations held as Python objects in pandas' own types."""
    if column.dtype.kind != "O" or not len(column):
        return column
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind == "datetime":
        return pd.to_datetime(column)
    return pd.to_timedelta(column) if kind == "timedelta" else column


def _in_units(
    seconds: NDArray[np.float64], units: str | None
) -> tuple[NDArray[np.float64], str]:
    target = units or "h"
    return convert(seconds, "s", target), target


def _check_present(column: pd.Series, missing: NDArray[np.bool_]) -> None:
    if missing.any():
        row = column.index[np.flatnonzero(missing)[0]]
        msg = (
            f"column {column.name!r} must hold a time in every row, but row {row!r} has none "
            f"({int(missing.sum())} of {len(column)} rows)"
        )
        raise InputError(msg)


def check_repairs(repair: str | Sequence[str]) -> tuple[str, ...]:
    """Return the names of repairs."""
    names = (repair,) if isinstance(repair, str) else tuple(repair)
    for name in names:
        check_choice("repair", name, ("sort", "mean", "last"))
    if {"mean", "last"} <= set(names):
        msg = "repair names both 'mean' and 'last'; of rows at one time only one can be kept"
        raise InputError(msg)
    return names


def repair_times(frame: pd.DataFrame, repairs: tuple[str, ...]) -> Repaired:
    """Return the frame with times that rise within each batch; what is not allowed raises."""
    frame, n_sorted = _in_order(frame, sort="sort" in repairs)
    kept = next((name for name in repairs if name != "sort"), "")
    frame, n_merged = _merged(frame, kept)
    return Repaired(frame, n_sorted, n_merged, kept)


def _in_order(frame: pd.DataFrame, *, sort: bool) -> tuple[pd.DataFrame, int]:
    batch, time = frame["batch"].to_numpy(), frame["time"].to_numpy()
    back = np.flatnonzero((batch[1:] == batch[:-1]) & (np.diff(time) < 0))
    if not back.size:
        return frame, 0
    if not sort:
        i = int(back[0])
        where = list(frame["batch"].iloc[back].unique())
        msg = (
            f"time goes backwards in batch {batch[i]!r}: {time[i + 1]:g} follows {time[i]:g} "
            f"({back.size} rows, batches {where[:5]!r}); correct the clock, or give "
            "repair='sort' if the rows are only out of order"
        )
        raise InputError(msg)
    # rows of a batch stand together: their place is the order of batches
    order = np.lexsort((time, pd.factorize(batch)[0]))
    return frame.iloc[order].reset_index(drop=True), int(back.size)


def _merged(frame: pd.DataFrame, kept: str) -> tuple[pd.DataFrame, int]:
    """Return the frame with one row for each batch and time, and how many were merged."""
    double = frame.duplicated(["batch", "time"], keep="first")
    count = int(double.sum())
    if not count:
        return frame, 0
    if not kept:
        row = frame[double].iloc[0]
        msg = (
            f"batch {row['batch']!r} has several rows at time {row['time']:g} ({count} rows "
            "too many in all); give repair='mean' or repair='last' to keep one of each"
        )
        raise InputError(msg)
    if kept == "last":
        last = frame[~frame.duplicated(["batch", "time"], keep="last")]
        return last.reset_index(drop=True), count
    how = {c: "last" if c == "phase" else "mean" for c in frame.columns[2:]}
    merged = frame.groupby(["batch", "time"], sort=False).agg(how)
    return merged.reset_index()[list(frame.columns)], count
