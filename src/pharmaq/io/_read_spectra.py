"""`read_spectra`: a table of spectra in a file becomes labelled spectra."""

from __future__ import annotations

import hashlib
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pandas as pd

from pharmaq._checks import check_choice
from pharmaq.errors import FormatError, InputError
from pharmaq.io._delimited import read_delimited
from pharmaq.io._encoding import opened, unzip
from pharmaq.io._headers import assign_columns
from pharmaq.io._labels import name_samples
from pharmaq.io._parquet import read_parquet
from pharmaq.io._workbook import read_workbook
from pharmaq.spectra import AXIS_UNITS, as_spectra

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    import xarray as xr
    from numpy.typing import NDArray

    from pharmaq.io._headers import Columns
    from pharmaq.io._table import BadCell, Table
    from pharmaq.spectra import AxisKind, Quantity

__all__ = ["read_spectra"]

_TEXT_ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
# no letter, digit, quotation mark, sign or decimal point
_DELIMITER = re.compile(r"[\t !#$%&'()*,/:;<=>?@\[\\\]^_`{|}~]")
_ENDINGS = (*_TEXT_ENDINGS, ".parquet", ".xlsx")


def read_spectra(
    path: str | Path,
    *,
    kind: AxisKind | None = None,
    quantity: Quantity | None = None,
    metadata: Sequence[str] | None = None,
    sample: str | None = None,
    delimiter: str | None = None,
    decimal: Literal[".", ","] | None = None,
    sheet: str | None = None,
) -> xr.DataArray:
    r"""Read a table of spectra, one a row, from CSV, Parquet or Excel.

    Parameters
    ----------
    path : str or Path
        A ``.csv``, ``.tsv`` or ``.txt`` file, also with ``.gz``, or a ``.parquet`` or ``.xlsx``
        file. The first row holds the headers: an axis position over each spectral column, such
        as ``1100``, ``1100,5`` or ``7398.3 cm-1``, and a name over each other column.
    kind : {"wavelength", "wavenumber", "raman_shift"}, optional
        nm, 1/cm and 1/cm. If absent it is recognised as `pharmaq.spectra.recognise_axis` does.
    quantity : {"absorbance", "reflectance", "transmittance", "counts", "unknown"}, optional
        What the values are; never guessed. The default is "unknown".
    metadata : sequence of str, optional
        Headers of exactly those columns that are no spectra; every other header has to be an
        axis position. By default all columns whose header is no number are metadata, unless
        they stand between spectral ones.
    sample : str, optional
        Header of the column that names the samples, each differently. By default a column
        ``sample``, ``sample id`` or ``sample name``, in any spelling, if its values differ and
        none is missing, else a column without header that pandas wrote for its index.
    delimiter : str, optional
        Of a text file; by default the one of comma, semicolon, tab and ``|`` that suits the
        header best.
    decimal : {".", ","}, optional
        Decimal mark of a text file. By default a comma if the delimiter is another character
        and the first spectral number with a mark has a comma.
    sheet : str, optional
        Name of the sheet of a workbook; needed if more than one holds data.

    Returns
    -------
    xarray.DataArray
        Shape (n_samples, n_points), dimensions ``("sample", kind)``, as `as_spectra` makes it.
        ``sample`` holds the names of the samples or, without any, the number of the row counted
        from 1; every other metadata column is a coordinate along ``sample``. Attributes:
        ``file``, ``sha256`` and ``rows``; for text files ``encoding`` (UTF-8 and UTF-16 are
        recognised, Windows-1252 is assumed for anything else), ``delimiter``, ``decimal`` and
        ``ends_with_newline`` (if not, the last number may be cut off); for workbooks ``sheet``.

    Raises
    ------
    FileAccessError
        If the file cannot be read.
    FormatError
        If the file is empty, truncated or damaged, or of another format; or if a spectral cell
        is empty or no finite number (words such as NaN and NA count as no number).
    AxisError
        If a header is wrong, or the axis is missing, duplicated or not in order.
    InputError
        If an argument does not fit the file.
    MissingExtraError
        If the file needs pyarrow or openpyxl and it is not installed.

    Notes
    -----
    Nothing is imputed, sorted or left out, blank lines at the end apart. A metadata column of
    numbers becomes int64 or float64, one of True and False becomes bool, any other text without
    the blanks around it. Numbers with leading zeros, of more than 15 digits, or like ``24E01``
    stay text, for they are names. Missing metadata are NaN among numbers, where NA, N/A and NaN
    also stand for missing, and NaN or None among text: `pandas.isna` finds both. Parquet keeps
    its own types. A column called ``sample`` that does not name the samples is kept as
    ``sample_label``.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "tablets.csv"
    ...     size = path.write_text("Sample ID;1100;1102\nT1;0,41;0,42\nT2;0,43;0,45\n")
    ...     spectra = read_spectra(path, quantity="absorbance")
    >>> spectra.sel(sample="T2").values
    array([0.43, 0.45])
    >>> spectra.delimiter, spectra.decimal, spectra.rows
    (';', ',', 2)
    """
    path = Path(path)
    if isinstance(metadata, str):
        metadata = [metadata]
    with opened(path) as stream:
        ending = _ending(path)
        _check_options(kind, delimiter, decimal, sheet, ending)
        raw = stream.read()
    assign = partial(assign_columns, metadata=metadata, sample=sample)
    try:
        table = _read_table(raw, ending, assign, delimiter, decimal, sheet)
        spectra = _to_spectra(table, sample, kind, quantity)
    except InputError as error:
        msg = f"{path.name}: {error}"
        raise type(error)(msg) from None
    facts = {"file": path.name, "sha256": hashlib.sha256(raw).hexdigest(), "rows": len(spectra)}
    return spectra.assign_attrs(facts | table.attrs)


def _ending(path: Path) -> str:
    name = path.name.lower()
    for ending in _ENDINGS:
        if name.endswith(ending):
            return ending
    msg = (
        f"{path.name}: files that end in {path.suffix!r} are not read, only "
        f"{', '.join(_ENDINGS)}; export the spectra as one of these"
    )
    raise FormatError(msg)


def _check_options(
    kind: str | None,
    delimiter: str | None,
    decimal: str | None,
    sheet: str | None,
    ending: str,
) -> None:
    if kind is not None:
        check_choice("kind", kind, AXIS_UNITS)
    if decimal is not None:
        check_choice("decimal", decimal, ".,")
    if delimiter is not None and not _DELIMITER.fullmatch(delimiter):
        msg = f"delimiter must be one mark such as ';' or a tab, got {delimiter!r}"
        raise InputError(msg)
    if ending not in _TEXT_ENDINGS and (delimiter or decimal):
        msg = f"delimiter and decimal are for text files, not for {ending}; leave them out"
        raise InputError(msg)
    if ending != ".xlsx" and sheet is not None:
        msg = f"sheet is for workbooks, not for {ending}; leave it out"
        raise InputError(msg)


def _read_table(
    raw: bytes,
    ending: str,
    assign: Callable[[Sequence[str]], Columns],
    delimiter: str | None,
    decimal: str | None,
    sheet: str | None,
) -> Table:
    if not raw:
        msg = "the file is empty; export it again"
        raise FormatError(msg)
    if ending == ".parquet":
        table = read_parquet(raw, assign)
    elif ending == ".xlsx":
        table = read_workbook(raw, assign, sheet=sheet)
    else:
        text = unzip(raw) if ending.endswith(".gz") else raw
        table = read_delimited(text, assign, delimiter=delimiter, decimal=decimal)
    if not len(table.places):
        msg = "the file holds a header, but no spectra below it; export it again"
        raise FormatError(msg)
    return table


def _to_spectra(
    table: Table, sample: str | None, kind: AxisKind | None, quantity: Quantity | None
) -> xr.DataArray:
    columns = table.columns
    labels = name_samples(table.labels, sample=sample, index=columns.index, places=table.places)
    if table.bad is not None:
        raise FormatError(_describe(table.bad, table, labels.get("sample")))
    rows = pd.RangeIndex(1, len(table.places) + 1)
    frame = pd.DataFrame(table.values, index=rows, columns=columns.headers)
    return as_spectra(frame, kind=kind, quantity=quantity, coords=labels)


def _describe(bad: BadCell, table: Table, names: NDArray[Any] | None) -> str:
    who = "" if names is None else f" (sample {str(names[bad.row])!r})"
    total = "no other such cell" if bad.count == 1 else f"{bad.count} such cells in all"
    return (
        f"{table.places[bad.row]}{who}, column {table.columns.headers[bad.column]!r} "
        f"{bad.found}{bad.hint}; {total}; correct or remove these spectra, nothing is imputed"
    )
