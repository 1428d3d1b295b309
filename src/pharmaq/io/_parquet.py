"""Spectra from Parquet files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmaq.errors import FormatError
from pharmaq.io._labels import in_nanoseconds
from pharmaq.io._table import BadCell, Table, import_extra, quote

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from pharmaq.io._headers import Columns

__all__ = ["read_parquet"]

_UNNAMED_INDEX = re.compile(r"__index_level_\d+__")


def read_parquet(raw: bytes, assign: Callable[[Sequence[str]], Columns]) -> Table:
    """Read spectra from a Parquet file."""
    arrow = import_extra("pyarrow")
    parquet = import_extra("pyarrow.parquet")
    try:
        table = parquet.ParquetFile(arrow.BufferReader(raw)).read()
    except (arrow.ArrowException, OSError, ValueError):
        msg = "is no readable Parquet file: truncated or damaged; export or copy it again"
        raise FormatError(msg) from None
    table, header = _index_first(table)
    columns = assign(header)
    if columns.width < len(header):
        msg = f"column {columns.width + 1} has no name; name it, or remove the column"
        raise FormatError(msg)
    values, bad = _read_numbers(table.select(columns.axis), arrow.types)
    return Table(
        columns=columns,
        values=values,
        bad=bad,
        labels={n: _label(table.column(i), arrow) for n, i in columns.labels.items()},
        places=[f"row {i + 1}" for i in range(table.num_rows)],
        attrs={},
    )


def _index_first(table: Any) -> tuple[Any, list[str]]:
    """Return the table and its headers, with an index that pandas wrote in front."""
    names = list(table.column_names)
    unnamed = [i for i, name in enumerate(names) if _UNNAMED_INDEX.fullmatch(name)]
    if len(unnamed) != 1:
        return table, names
    order = unnamed + [i for i in range(len(names)) if i not in unnamed]
    return table.select(order), ["", *(names[i] for i in order[1:])]


def _read_numbers(table: Any, types: Any) -> tuple[NDArray[np.float64], BadCell | None]:
    values = np.full((table.num_rows, table.num_columns), np.nan)
    for i, column in enumerate(table.columns):
        kind = column.type
        if types.is_floating(kind) or types.is_integer(kind) or types.is_decimal(kind):
            values[:, i] = column.to_pandas().to_numpy(dtype=np.float64)
    wrong = np.argwhere(~np.isfinite(values))
    if not len(wrong):
        return values, None
    row, i = (int(index) for index in wrong[0])
    found = quote(table.column(i)[row].as_py())
    return values, BadCell(row=row, column=i, found=found, count=len(wrong))


def _label(column: Any, arrow: Any) -> NDArray[Any]:
    """Return a column with the type it has; what misses is NaN, NaT or None."""
    if arrow.types.is_decimal(column.type):
        column = column.cast(arrow.float64())
    label: NDArray[Any] = column.to_pandas().to_numpy()
    if label.dtype == object:
        label = label.copy()
        label[pd.isna(label)] = None
    return in_nanoseconds(label)
