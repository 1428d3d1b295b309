"""Tested results and their history as arrays, group by group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from pharmaq.errors import InputError
from pharmaq.spc._columns import take_codes, take_values
from pharmaq.spc.oot._core import Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "Columns",
    "check_apart",
    "distinct_batches",
    "group_codes",
    "named_columns",
    "places_of",
    "rows_of",
    "take_rows",
]


class Columns(NamedTuple):
    """Names of columns."""

    by: tuple[str, ...]
    batch: str
    time: str
    value: str


def group_codes(
    results: pd.DataFrame, history: pd.DataFrame, by: Sequence[str]
) -> tuple[NDArray[np.intp], NDArray[np.intp], int]:
    """Return the group of each row of both frames, from 0, and their number."""
    n = len(results)
    codes = np.zeros(n + len(history), dtype=np.intp)
    for column in by:
        both = pd.concat([_column(results, column), _column(history, column)])
        one, levels = take_codes(pd.DataFrame({column: both}), column)
        codes = codes * len(levels) + one
    if len(by) > 1:
        codes = pd.factorize(codes)[0].astype(np.intp)
    return codes[:n], codes[n:], int(codes.max(initial=-1)) + 1


def rows_of(frame: pd.DataFrame, columns: Columns) -> tuple[Rows, list[Any]]:
    """Return batch, time and value of every row, and the names of batches."""
    batch, names = take_codes(frame, columns.batch)
    time, value = take_values(frame, columns.time), take_values(frame, columns.value)
    early = np.flatnonzero(time < 0)
    if early.size:
        i = int(early[0])
        msg = (
            f"column {columns.time!r} must not be negative, but row {i} "
            f"(label {frame.index[i]!r}) is {time[i]:g}"
        )
        raise InputError(msg)
    return Rows(batch, time, value), names


def check_apart(
    tested: Rows, names: list[Any], history: Rows, others: list[Any], groups: Any
) -> None:
    """Raise if a batch is tested against a history that it is part of."""
    if not set(names) & set(others):
        return
    pairs = [
        {(g, n[b]) for g, b in zip(group.tolist(), rows.batch.tolist(), strict=True)}
        for rows, n, group in ((tested, names, groups[0]), (history, others, groups[1]))
    ]
    shared = sorted(str(name) for _, name in pairs[0] & pairs[1])
    if shared:
        msg = (
            f"batch {shared[0]!r} is in results and history ({len(shared)} such); a tested "
            'batch must stay out of its history, or use history="others"'
        )
        raise InputError(msg)


def named_columns(
    frame: pd.DataFrame, columns: Columns, *, optional_time: bool
) -> pd.DataFrame:
    """Return the columns of a frame under our names."""
    picked = {column: frame[column] for column in columns.by}
    if columns.batch in frame.columns:
        picked["batch"] = frame[columns.batch]
    else:
        picked["batch"] = pd.Series(frame.index, index=frame.index)
    if not optional_time:
        picked["time"] = frame[columns.time].astype(float)
    elif columns.time in frame.columns:
        picked["time"] = frame[columns.time]
    picked["value"] = frame[columns.value].astype(float)
    return pd.DataFrame(picked, index=frame.index)


def places_of(group: NDArray[np.intp], n: int) -> list[NDArray[np.intp]]:
    """Return the rows of each group, in their order."""
    order = np.argsort(group, kind="stable")
    ends = np.cumsum(np.bincount(group, minlength=n))
    return np.split(order, ends[:-1]) if n else []


def take_rows(rows: Rows, places: NDArray[np.intp]) -> Rows:
    """Return some rows, with batches counted from 0 anew."""
    batch = np.unique(rows.batch[places], return_inverse=True)[1]
    return Rows(batch, rows.time[places], rows.value[places])


def distinct_batches(group: NDArray[np.intp], batch: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return numbers of batches; those of different groups are different batches."""
    if not len(batch):
        return batch
    pairs = group * (int(batch.max()) + 1) + batch
    return pd.factorize(pairs)[0].astype(np.intp)


def _column(frame: pd.DataFrame, column: str) -> pd.Series:
    if column not in frame.columns:
        msg = f"column {column!r} is not in the frame; it has {list(map(str, frame.columns))}"
        raise InputError(msg)
    return frame[column]
