"""Bytes of a file, and of text files the same text in one encoding."""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from pharmaq.errors import FileAccessError, FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["opened", "to_utf8", "unzip"]

_NOT_TEXT = "is not a text table; export it as CSV, encoded as UTF-8"
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file to read its bytes."""
    try:
        with path.open("rb") as stream:
            yield stream
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror}; give the path of an existing file"
        raise FileAccessError(msg) from None


def unzip(raw: bytes) -> bytes:
    """Return the content of a gzip file."""
    try:
        return gzip.decompress(raw)
    except (EOFError, OSError, zlib.error):
        msg = "is no complete gzip file: truncated or damaged; export or copy it again"
        raise FormatError(msg) from None


def to_utf8(raw: bytes) -> tuple[bytes, str]:
    r"""Return text as UTF-8 with ``\n`` between lines, and the encoding it had."""
    encoding = "utf-8" if raw.isascii() else _recognise(raw)
    try:
        body = raw if encoding == "utf-8" else raw.decode(encoding).encode()
    except UnicodeDecodeError:
        raise FormatError(_NOT_TEXT) from None
    # the start gives binary files away; NUL is looked for everywhere since it costs nothing
    if b"\0" in body or _CONTROLS.search(body, 0, 4096):
        raise FormatError(_NOT_TEXT)
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return body, encoding


def _recognise(raw: bytes) -> str:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if raw.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        _refuse_cut_character(raw, error)
        return "cp1252"
    return "utf-8"


def _refuse_cut_character(raw: bytes, error: UnicodeDecodeError) -> None:
    # valid UTF-8 but for its last bytes: cut off there, not written in another encoding
    if error.reason == "unexpected end of data" and not raw[: error.start].isascii():
        msg = "the file ends within a character: it looks truncated; export it again"
        raise FormatError(msg)
