"""How a delimited text is written: its header, its delimiter, its decimal mark."""

from __future__ import annotations

import contextlib
import csv
import io
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pharmaq.errors import FormatError
from pharmaq.spectra import header_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pharmaq.io._headers import Columns

__all__ = ["Source", "find_header", "recognise_decimal", "text_number"]

_DELIMITERS = (",", ";", "\t", "|")
_NUMBERS = {
    mark: re.compile(
        rf"\s*[-+]?(?:[0-9]+(?:[{mark}][0-9]*)?|[{mark}][0-9]+)(?:[eE][-+]?[0-9]+)?\s*"
    )
    for mark in ".,"
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A text in UTF-8, of which the first `start` lines precede the first spectrum."""

    body: bytes
    header: list[str]
    start: int
    delimiter: str

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield each record below the header, after the number of its first line."""
        reader = _reader(self.body, self.delimiter)
        line = 1
        try:
            for fields in reader:
                if line > self.start:
                    yield line, fields
                line = reader.line_num + 1
        except csv.Error as error:
            msg = (
                f"line {line}: {error}; a quotation mark is misplaced or not closed, or the "
                "file is truncated: correct that line, or export the file again"
            )
            raise FormatError(msg) from None


def find_header(body: bytes, delimiter: str | None) -> Source:
    """Read the first line that is not blank; the delimiter is the one that suits it best."""
    if not body or body.isspace():
        msg = "the file is empty; export it again"
        raise FormatError(msg)
    candidates = _DELIMITERS if delimiter is None else (delimiter,)
    sources = [_read_header(body, candidate) for candidate in candidates]
    best = max(sources, key=_score)
    if not best.header:
        msg = "the first line, the header, has a quotation mark that is misplaced or not closed"
        raise FormatError(msg)
    return best


def _read_header(body: bytes, delimiter: str) -> Source:
    reader = _reader(body, delimiter)
    header: list[str] = []
    # a delimiter that is not the one used may well break the quotation marks
    with contextlib.suppress(csv.Error):
        header = next((f for f in reader if any(text.strip() for text in f)), [])
    return Source(body=body, header=header, start=reader.line_num, delimiter=delimiter)


def _score(source: Source) -> tuple[int, int]:
    # "1100,5;1101,5" has as many commas as semicolons: what counts is axis positions
    positions = sum(header_number(text) is not None for text in source.header)
    return positions, len(source.header)


def _reader(body: bytes, delimiter: str) -> Any:
    return csv.reader(
        (line.decode() for line in io.BytesIO(body)),
        delimiter=delimiter,
        skipinitialspace=delimiter != " ",
        strict=True,
    )


def recognise_decimal(source: Source, columns: Columns) -> str:
    """Return the decimal mark of the spectra or, if those are whole numbers, of the labels."""
    if source.delimiter == "," or b"," not in source.body:
        return "."
    labels: list[str] = []
    for _, fields in source.records():
        spectrum = "".join(fields[i] for i in columns.axis if i < len(fields))
        if "." in spectrum or "," in spectrum:
            # a mark for thousands beside it is left to be refused as no number
            return "." if "." in spectrum else ","
        labels += [fields[i] for i in columns.labels.values() if i < len(fields)]
    marked = [text for text in labels if "," in text and "." not in text]
    return "," if any(math.isfinite(text_number(text, ",")) for text in marked) else "."


def text_number(text: str, decimal: str) -> float:
    """Return the number that a text is, or NaN."""
    if not _NUMBERS[decimal].fullmatch(text):
        return math.nan
    return float(text.replace(",", "."))
