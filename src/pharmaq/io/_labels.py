"""Labels of the samples: their types, and which of them names the samples."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmaq.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike, NDArray

__all__ = ["in_nanoseconds", "name_samples", "read_cells", "read_texts"]

_SAMPLE_NAMES = {"sample", "sampleid", "samplename"}
# in a column of numbers these stand for a missing one; in a text column only "" does
_MISSING = {"", "na", "n/a", "nan", "#n/a"}
_FLAGS = {"True", "False", "TRUE", "FALSE"}
# leading zeros, more than 15 digits and a bare exponent ("24E01") are names, not numbers:
# as floats they would change or collide
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,14})")
_REAL = re.compile(
    r"[-+]?(?:(?:0|[1-9][0-9]*)\.[0-9]*(?:[eE][-+]?[0-9]+)?"
    r"|\.[0-9]+(?:[eE][-+]?[0-9]+)?|[1-9][eE][-+][0-9]+)"
)


def read_texts(texts: Sequence[str], decimal: str) -> NDArray[Any]:
    """Return a column of text as numbers, flags or text, whichever all of it is."""
    cells = [text.strip() for text in texts]
    words = [cell for cell in cells if cell.casefold() not in _MISSING]
    if words and all(_is_number(word, decimal) for word in words):
        return _label_array([_number_or_none(cell, decimal) for cell in cells])
    if set(cells) <= _FLAGS:
        return _label_array([cell.casefold() == "true" for cell in cells])
    return _label_array([cell or None for cell in cells])


def read_cells(cells: Sequence[Any]) -> NDArray[Any]:
    """Return a column of a workbook as an array of one type."""
    cells = [cell.strip() if isinstance(cell, str) else cell for cell in cells]
    words = [cell for cell in cells if str(cell or "").casefold() not in _MISSING]
    if {type(word) for word in words} <= {int, float}:
        return _label_array([None if isinstance(cell, str) else cell for cell in cells])
    return _label_array([None if cell == "" else cell for cell in cells])


def _label_array(cells: Sequence[Any]) -> NDArray[Any]:
    """Return cells, None where missing, as an array of one type; text as objects."""
    dtype = _label_dtype(cells)
    if dtype is object:
        cells = [None if cell is None else str(cell) for cell in cells]
    return in_nanoseconds(np.array(cells, dtype=dtype))


def in_nanoseconds(label: NDArray[Any]) -> NDArray[Any]:
    """Return dates in nanoseconds, or as they are where these do not reach that far."""
    if label.dtype.kind != "M":
        return label
    # the one unit that every xarray takes without a warning; numpy wraps beyond the year 2262
    nanoseconds = label.astype("datetime64[ns]")
    same = (nanoseconds.astype(label.dtype) == label) | np.isnat(label)
    return nanoseconds if same.all() else label


def _label_dtype(cells: Sequence[Any]) -> DTypeLike:
    kinds = {type(cell) for cell in cells}
    dtype: DTypeLike = object
    if kinds == {int} and max(map(abs, cells)) < 2**63:
        dtype = np.int64
    elif kinds == {bool}:
        dtype = np.bool_
    elif kinds <= {int, float, type(None)}:
        dtype = np.float64
    elif kinds <= {dt.datetime, type(None)}:
        dtype = "datetime64[us]"
    return dtype


def _is_number(text: str, decimal: str) -> bool:
    plain = _plain(text, decimal)
    return bool(_WHOLE.fullmatch(plain) or _REAL.fullmatch(plain))


def _number_or_none(text: str, decimal: str) -> float | None:
    if text.casefold() in _MISSING:
        return None
    plain = _plain(text, decimal)
    return int(plain) if _WHOLE.fullmatch(plain) else float(plain)


def _plain(text: str, decimal: str) -> str:
    # "1.5" in a file with decimal commas is no number: swap the two marks
    return text if decimal == "." else text.translate({ord(","): ".", ord("."): ","})


def name_samples(
    labels: dict[str, NDArray[Any]],
    *,
    sample: str | None,
    index: str | None,
    places: Sequence[str],
) -> dict[str, NDArray[Any]]:
    """Return the labels, the names of the samples, if there are any, as ``"sample"``."""
    if sample is not None:
        _check_names(sample, labels[sample], places)
        chosen: str | None = sample
    else:
        chosen = _recognise_names(labels, index)
    # an index without any value is the margin to the left of a table
    blank = index if index and pd.isna(labels[index]).all() else None
    rest = {name: labels[name] for name in labels if name not in {chosen, blank}}
    if "sample" in rest:
        if "sample_label" in rest:
            msg = "headers 'sample' and 'sample_label' collide; rename one of them"
            raise InputError(msg)
        rest["sample_label"] = rest.pop("sample")
    return rest if chosen is None else {"sample": labels[chosen], **rest}


def _recognise_names(labels: dict[str, NDArray[Any]], index: str | None) -> str | None:
    candidates = [
        name
        for name in labels
        if name.casefold().replace(" ", "").replace("_", "") in _SAMPLE_NAMES
    ]
    candidates += [index] if index else []
    return next((name for name in candidates if not _fault(labels[name])), None)


def _check_names(sample: str, names: NDArray[Any], places: Sequence[str]) -> None:
    fault = _fault(names)
    if fault:
        first, *others = (places[i] for i in fault)
        problem = f"the same name in {first} and {others[0]}" if others else f"none in {first}"
        msg = (
            f"sample names column {sample!r}, which holds {problem}; samples need names that "
            "differ: leave sample out, then rows are counted and the column is kept as a label"
        )
        raise InputError(msg)


def _fault(names: NDArray[Any]) -> list[int]:
    """Return the row of a missing name, or the two rows of a repeated one."""
    missing = np.flatnonzero(pd.isna(names))
    if missing.size:
        return [int(missing[0])]
    repeated = np.flatnonzero(pd.Index(names).duplicated())
    if not repeated.size:
        return []
    second = int(repeated[0])
    return [int(np.flatnonzero(names == names[second])[0]), second]
