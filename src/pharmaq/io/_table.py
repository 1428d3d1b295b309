"""What every reader of a spectra table hands over, whatever the format of the file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from pharmaq.errors import FormatError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from pharmaq.io._headers import Columns

__all__ = ["BadCell", "Table", "gather_numbers", "import_extra", "quote", "refuse_unnamed"]

Cell = TypeVar("Cell")


@dataclass(frozen=True, kw_only=True, slots=True)
class BadCell:
    """The first spectral cell that holds no finite number, and how many there are."""

    row: int
    column: int
    found: str
    count: int
    hint: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """Spectra and labels as read; `places` says where in the file each row stands."""

    columns: Columns
    values: NDArray[np.float64]
    labels: dict[str, NDArray[Any]]
    places: Sequence[str]
    bad: BadCell | None
    attrs: dict[str, Any]


def gather_numbers(
    rows: Sequence[Sequence[Cell]],
    to_number: Callable[[Cell], float],
    hint: Callable[[Cell], str] = lambda _: "",
) -> tuple[NDArray[np.float64], BadCell | None]:
    """Return cells as numbers, and the first that is none; `to_number` gives NaN for those."""
    numbers = [np.fromiter(map(to_number, row), dtype=np.float64) for row in rows]
    values = np.array(numbers, dtype=np.float64)
    wrong = np.argwhere(~np.isfinite(values))
    if not len(wrong):
        return values, None
    row, column = (int(index) for index in wrong[0])
    cell = rows[row][column]
    found = quote(cell)
    return values, BadCell(
        row=row, column=column, found=found, count=len(wrong), hint=hint(cell)
    )


def quote(cell: object) -> str:
    """Return what a cell holds as part of a message."""
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return "is empty"
    if isinstance(cell, float) and not math.isfinite(cell):
        return f"holds {cell}, which is not a finite number"
    text = repr(cell)
    return f"holds {text if len(text) <= 40 else text[:36] + ' ...'}, which is not a number"


def refuse_unnamed(place: str, cells: Sequence[object], width: int) -> None:
    """Raise if a row holds something to the right of the last header."""
    for column, cell in enumerate(cells[width:], start=width + 1):
        if cell is not None and str(cell).strip():
            msg = (
                f"{place}: column {column} holds {cell!r}, but has no header; name or clear it"
            )
            raise FormatError(msg)


def import_extra(module: str) -> Any:
    """Return a module of an optional package, or say how to install it."""
    try:
        return import_module(module)
    except ImportError:
        raise MissingExtraError(module.partition(".")[0], "files") from None
