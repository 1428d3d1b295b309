"""Spectra from delimited text.

Regular files are read by pandas, after the fields in each line were counted; all others, and
all that hold a mistake, are read by the csv module, which can say where the mistake is.
"""

from __future__ import annotations

import contextlib
import io
import math
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from pharmaq.errors import FormatError
from pharmaq.io._dialect import Source, find_header, recognise_decimal, text_number
from pharmaq.io._encoding import to_utf8
from pharmaq.io._labels import read_texts
from pharmaq.io._table import BadCell, Table, gather_numbers, refuse_unnamed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from pharmaq.io._headers import Columns

__all__ = ["read_delimited"]

# from 3.1 on, pandas reads every number exactly and deprecates to be told so
_EXACT: dict[str, Any] = (
    {}
    if tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1)
    else {"float_precision": "round_trip"}
)


class _Rows(NamedTuple):
    values: NDArray[np.float64]
    bad: BadCell | None
    labels: Sequence[Sequence[str]]
    places: list[str]


def read_delimited(
    raw: bytes,
    assign: Callable[[Sequence[str]], Columns],
    *,
    delimiter: str | None,
    decimal: str | None,
) -> Table:
    """Read spectra from CSV and its relatives."""
    body, encoding = to_utf8(raw)
    source = find_header(body, delimiter)
    columns = assign(source.header)
    decimal = decimal or recognise_decimal(source, columns)
    rows = _read_regular(source, columns, decimal) or _read_any(source, columns, decimal)
    attrs = {
        "encoding": encoding,
        "delimiter": source.delimiter,
        "decimal": decimal,
        "ends_with_newline": body.endswith(b"\n"),
    }
    return Table(
        columns=columns,
        values=rows.values,
        bad=rows.bad,
        labels={
            name: read_texts(texts, decimal)
            for name, texts in zip(columns.labels, rows.labels, strict=True)
        },
        places=rows.places,
        attrs=attrs,
    )


def _read_regular(source: Source, columns: Columns, decimal: str) -> _Rows | None:
    """Read a file by pandas, or return None if anything in it is out of the ordinary."""
    n_rows = _count_regular_lines(source)
    frame = _read_frame(source, columns, decimal, n_rows) if n_rows else None
    if frame is None or not _is_clean(frame, columns, n_rows):
        return None
    values = frame.iloc[:, columns.axis].to_numpy(dtype=np.float64)
    if not np.isfinite(values).all():
        return None
    labels = [frame[i].tolist() for i in columns.labels.values()]
    places = [f"line {source.start + i + 1}" for i in range(n_rows)]
    return _Rows(values, None, labels, places)


def _count_regular_lines(source: Source) -> int:
    """Count the lines of spectra; 0 if one has not as many fields as the header."""
    delimiter = source.delimiter.encode()
    n_fields, n_rows, ended = len(source.header), 0, False
    for line in islice(io.BytesIO(source.body), source.start, None):
        if not line.strip(delimiter + b" \t\n"):
            ended = True
        elif ended or _count_fields(line.rstrip(b"\n"), delimiter) != n_fields:
            return 0
        else:
            n_rows += 1
    return n_rows


def _count_fields(line: bytes, delimiter: bytes) -> int | None:
    """Count the fields of a line; None if its quotation marks need a closer look."""
    if b'"' not in line:
        return line.count(delimiter) + 1
    parts = line.split(b'"')
    # each quoted text becomes one mark, which has to be a field of its own
    fields = b'"'.join(parts[::2]).split(delimiter)
    regular = len(parts) % 2 == 1 and fields.count(b'"') == len(parts) // 2
    return len(fields) if regular else None


def _read_frame(
    source: Source, columns: Columns, decimal: str, n_rows: int
) -> pd.DataFrame | None:
    n_fields = len(source.header)
    texts = {*range(n_fields)}.difference(columns.axis)
    with contextlib.suppress(ValueError):
        return pd.read_csv(
            io.BytesIO(source.body),
            sep=source.delimiter,
            decimal=decimal,
            header=None,
            names=range(n_fields),
            index_col=False,
            skiprows=source.start,
            nrows=n_rows,
            dtype=dict.fromkeys(texts, object),
            na_filter=False,
            skipinitialspace=source.delimiter != " ",
            low_memory=False,
            **_EXACT,
        )
    return None


def _is_clean(frame: pd.DataFrame, columns: Columns, n_rows: int) -> bool:
    unnamed = [frame[i] for i in range(columns.width, frame.shape[1])]
    # a column of kind "b" holds True and False, which must not pass for 1 and 0
    kinds = {dtype.kind for dtype in frame.dtypes.iloc[columns.axis]}
    return len(frame) == n_rows and kinds <= set("iuf") and all(map(_is_blank, unnamed))


def _read_any(source: Source, columns: Columns, decimal: str) -> _Rows:
    """Read a file record by record; raise, or mark the first bad cell, where it is wrong."""
    records = list(_spectrum_records(source, columns.width))
    places = [f"line {line}" for line, _ in records]
    spectra = [[fields[i] for i in columns.axis] for _, fields in records]
    labels = [[fields[i] for _, fields in records] for i in columns.labels.values()]
    values, bad = gather_numbers(
        spectra,
        to_number=lambda text: text_number(text, decimal),
        hint=lambda text: _decimal_hint(text, decimal),
    )
    return _Rows(values, bad, labels, places)


def _spectrum_records(source: Source, width: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the records that hold spectra; raise on one of another length than the header."""
    blank = None
    records = source.records()
    for line, fields in records:
        if _is_blank(fields):
            blank = blank or line
            continue
        if blank:
            msg = f"line {blank} is blank, but the table goes on below it; remove that line"
            raise FormatError(msg)
        if len(fields) != len(source.header):
            raise FormatError(_wrong_count(line, len(fields), len(source.header), records))
        refuse_unnamed(f"line {line}", fields, width)
        yield line, fields


def _is_blank(fields: Iterable[str]) -> bool:
    return not any(text.strip() for text in fields)


def _wrong_count(
    line: int, count: int, expected: int, rest: Iterator[tuple[int, list[str]]]
) -> str:
    msg = f"line {line} has {count} fields, but the header has {expected}"
    # what is wrong further down is no news now
    with contextlib.suppress(FormatError):
        if count < expected and all(_is_blank(fields) for _, fields in rest):
            return f"{msg}, and it is the last line: the file looks truncated; export it again"
    return f"{msg}: that line is damaged; correct it, or export the file again"


def _decimal_hint(text: str, decimal: str) -> str:
    other = "," if decimal == "." else "."
    if math.isnan(text_number(text, other)):
        return ""
    return f" with {decimal!r} as decimal mark: give decimal={other!r} if that is the mark"
