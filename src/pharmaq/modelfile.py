"""Fitted procedures as sealed files: canonical JSON and arrays in a zip, never pickle.

A model file holds ``model.json``, one ``.npy`` member an array, and ``seal.json`` with the
SHA-256 of each of them. `load` reads nothing that the seal does not vouch for.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from pharmaq.errors import FileAccessError, FormatError, InputError
from pharmaq.results import json_safe

__all__ = ["load", "save", "write_atomically"]

_FORMAT = "pharmaq-model"
_VERSION = 1
_ARRAY = "$array"
# zip members need a date; a fixed one keeps equal models equal to the byte
_EPOCH = (1980, 1, 1, 0, 0, 0)


def save(path: str | Path, kind: str, content: dict[str, Any]) -> str:
    """Write a fitted procedure to a sealed file.

    Parameters
    ----------
    path : str or Path
        The file, by custom with the ending ``.pqm``; replaced in one step if it exists.
    kind : str
        What is stored, for example ``"calibration"``.
    content : dict
        Nested dictionaries and lists of numbers, text and numeric or text arrays.

    Returns
    -------
    str
        The seal: the SHA-256 over the hashes of all members.

    Raises
    ------
    InputError
        If `content` holds something that has no plain form.
    FileAccessError
        If the file cannot be written.
    """
    arrays: dict[str, np.ndarray] = {}
    body = {"format": _FORMAT, "version": _VERSION, "kind": kind}
    try:
        body["content"] = _detach(content, arrays)
        members = {"model.json": _canonical(body)}
    except TypeError as error:
        msg = f"content cannot be stored: {error}"
        raise InputError(msg) from None
    members |= {f"{name}.npy": _array_bytes(array) for name, array in arrays.items()}
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
    seal = hashlib.sha256(_canonical(hashes)).hexdigest()
    members["seal.json"] = _canonical({"members": hashes, "seal": seal})
    write_atomically(path, _zip_bytes(members))
    return seal


def load(path: str | Path, kind: str) -> tuple[dict[str, Any], str]:
    """Read a fitted procedure and check its seal.

    Parameters
    ----------
    path : str or Path
        A file that `save` wrote.
    kind : str
        The kind that is expected.

    Returns
    -------
    content : dict
        What was saved.
    seal : str
        The seal of the file.

    Raises
    ------
    FormatError
        If the file is no model file, is truncated or changed, or holds another kind.
    FileAccessError
        If the file cannot be read.
    """
    members = _read_members(Path(path))
    try:
        sealed = json.loads(members.pop("seal.json"))
        hashes = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
        intact = sealed == {
            "members": hashes,
            "seal": hashlib.sha256(_canonical(hashes)).hexdigest(),
        }
        body = json.loads(members["model.json"])
    except (KeyError, ValueError):
        msg = f"{path} is not a pharmaq model file"
        raise FormatError(msg) from None
    if not intact:
        msg = f"{path} was changed after it was sealed; restore the original file"
        raise FormatError(msg)
    _check_body(path, body, kind)
    return _attach(body["content"], members), sealed["seal"]


def write_atomically(path: str | Path, data: bytes | str) -> None:
    """Write a file in one step: after a crash it is either the old one or the new one.

    Parameters
    ----------
    path : str or Path
        Where to write; the folder must exist.
    data : bytes or str
        The content; text is written as UTF-8.

    Raises
    ------
    FileAccessError
        If the folder is missing or cannot be written to.
    """
    path = Path(path)
    raw = data.encode() if isinstance(data, str) else data
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        msg = f"cannot write {path}: {error.strerror}"
        raise FileAccessError(msg) from None
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(raw)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        msg = f"cannot write {path}: {error.strerror}"
        raise FileAccessError(msg) from None


def _detach(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Replace arrays in nested content by references and collect them."""
    if isinstance(value, np.ndarray) and value.ndim:
        name = f"a{len(arrays)}"
        arrays[name] = value
        return {_ARRAY: name}
    if isinstance(value, dict):
        return {str(key): _detach(item, arrays) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_detach(item, arrays) for item in value]
    return json_safe(value)


def _attach(value: Any, members: dict[str, bytes]) -> Any:
    """Put the arrays back where `_detach` took them from."""
    if isinstance(value, dict):
        if set(value) == {_ARRAY}:
            stream = io.BytesIO(members[f"{value[_ARRAY]}.npy"])
            return np.load(stream, allow_pickle=False)
        return {key: _attach(item, members) for key, item in value.items()}
    if isinstance(value, list):
        return [_attach(item, members) for item in value]
    return value


def _array_bytes(array: np.ndarray) -> bytes:
    if array.dtype.kind == "O":
        array = array.astype(str)
    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(array), allow_pickle=False)
    return stream.getvalue()


def _canonical(value: Any) -> bytes:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode()


def _zip_bytes(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, _EPOCH)
            archive.writestr(info, members[name], zipfile.ZIP_DEFLATED, compresslevel=6)
    return stream.getvalue()


def _read_members(path: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror}"
        raise FileAccessError(msg) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError):
        msg = f"{path} is not a pharmaq model file, or it is truncated"
        raise FormatError(msg) from None


def _check_body(path: str | Path, body: dict[str, Any], kind: str) -> None:
    if body.get("format") != _FORMAT or body.get("version") != _VERSION:
        msg = (
            f"{path} has format {body.get('format')!r} version {body.get('version')!r}; this "
            f"pharmaq reads {_FORMAT!r} version {_VERSION}"
        )
        raise FormatError(msg)
    if body.get("kind") != kind:
        msg = f"{path} holds a {body.get('kind')!r}, not a {kind!r}"
        raise FormatError(msg)
