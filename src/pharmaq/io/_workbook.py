"""Spectra from a sheet of an Excel workbook."""

from __future__ import annotations

import contextlib
import io
import math
import zipfile
import zlib
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

from pharmaq.errors import FormatError, InputError
from pharmaq.io._labels import read_cells
from pharmaq.io._table import Table, gather_numbers, import_extra, refuse_unnamed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pharmaq.io._headers import Columns

__all__ = ["read_workbook"]

Row = list[Any]

# whatever openpyxl lets through when the zip, its members or their XML are damaged
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    OSError,
    EOFError,
    KeyError,
    IndexError,
    ValueError,
    TypeError,
    AttributeError,
    NotImplementedError,
)


def read_workbook(
    raw: bytes, assign: Callable[[Sequence[str]], Columns], *, sheet: str | None
) -> Table:
    """Read spectra from one sheet of an .xlsx file."""
    openpyxl = import_extra("openpyxl")
    try:
        sheets = _read_sheets(openpyxl, raw, sheet)
    except _DAMAGE as error:
        msg = (
            f"is no readable Excel workbook ({type(error).__name__}): truncated, damaged or "
            "protected; save it again as .xlsx"
        )
        raise FormatError(msg) from None
    title = _choose_sheet(sheets, sheet)
    return _read_table(sheets[title], assign, title)


def _read_sheets(openpyxl: Any, raw: bytes, sheet: str | None) -> dict[str, list[Row]]:
    """Return the rows of each sheet by its name; of the wanted one only, if one is."""
    book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
    with contextlib.closing(book):
        sheets: dict[str, list[Row]] = {}
        for page in book.worksheets:
            # some programs write a wrong extent, and cells outside of it would be lost
            page.reset_dimensions()
            wanted = sheet is None or page.title == sheet
            sheets[page.title] = _rows(page.values) if wanted else []
    return sheets


def _rows(values: Iterable[Sequence[Any]]) -> list[Row]:
    rows = [list(row) for row in values]
    while rows and _is_blank(rows[-1]):
        rows.pop()
    return rows


def _is_blank(row: Row) -> bool:
    return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in row)


def _choose_sheet(sheets: dict[str, list[Row]], sheet: str | None) -> str:
    names = ", ".join(map(repr, sheets))
    filled = [title for title, rows in sheets.items() if rows]
    if sheet is not None and sheet not in sheets:
        msg = f"sheet is {sheet!r}, but the workbook has {names}"
        raise InputError(msg)
    if sheet is None and len(filled) > 1:
        msg = f"sheet is missing, and more than one holds data: give one of {names}"
        raise InputError(msg)
    if not filled:
        msg = "the sheet is empty" if sheet else "the workbook is empty"
        raise FormatError(msg)
    return sheet or filled[0]


def _read_table(
    rows: list[Row], assign: Callable[[Sequence[str]], Columns], title: str
) -> Table:
    top = next(i for i, row in enumerate(rows) if not _is_blank(row))
    columns = assign(["" if cell is None else str(cell) for cell in rows[top]])
    rows, places = _below_header(rows, top, title, columns.width)
    spectra = [[row[i] for i in columns.axis] for row in rows]
    values, bad = gather_numbers(spectra, to_number=_cell_number, hint=_cell_hint)
    return Table(
        columns=columns,
        values=values,
        bad=bad,
        labels={n: read_cells([row[i] for row in rows]) for n, i in columns.labels.items()},
        places=places,
        attrs={"sheet": title},
    )


def _below_header(
    rows: list[Row], top: int, title: str, width: int
) -> tuple[list[Row], list[str]]:
    """Return the rows of spectra, each `width` long, and their places."""
    padded, places = [], []
    for number, row in enumerate(rows[top + 1 :], start=top + 2):
        places.append(f"row {number} of sheet {title!r}")
        if _is_blank(row):
            msg = f"{places[-1]} is blank, but the table goes on below it; remove that row"
            raise FormatError(msg)
        refuse_unnamed(places[-1], row, width)
        padded.append(row + [None] * (width - len(row)))
    return padded, places


def _cell_number(cell: Any) -> float:
    # type, not isinstance: a flag is an int to Python
    return float(cell) if type(cell) in {int, float} else math.nan


def _cell_hint(cell: Any) -> str:
    return " (a formula that was never computed counts as empty)" if cell is None else ""
