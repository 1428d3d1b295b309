"""Fitted procedures as sealed files: canonical JSON and arrays in a zip, never pickle.

A model file holds ``model.json``, one ``.npy`` member an array, and ``seal.json`` with the
SHA-256 of each of them. Its last 64 bytes, the comment of the zip, are the SHA-256 of all bytes
before them, so that no change of any byte goes unnoticed. Members are stored, not compressed:
equal models are equal files on every platform, and no member can be larger than its file.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from pharmaq.errors import FileAccessError, FormatError, InputError, InputTypeError
from pharmaq.results import json_safe

__all__ = ["load", "save", "write_atomically"]

_FORMAT = "pharmaq-model"
_VERSION = 1
_ARRAY = "$array"
# zip members need a date and a system; fixed ones keep equal models equal to the byte
_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_DIGEST = 64

# what the standard library and numpy raise on bytes that are no model file
_DAMAGE = (
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
)


def save(path: str | Path, kind: str, content: dict[str, Any]) -> str:
    """Write a fitted procedure to a sealed file.

    Parameters
    ----------
    path : str or Path
        The file, by custom with the ending ``.pqm``; replaced in one step if it exists.
    kind : str
        What is stored, for example ``"calibration"``.
    content : dict
        Nested dictionaries and lists of numbers, text and numeric or text arrays. Arrays come
        back as they are; elsewhere tuples become lists, keys text, NaN and infinity None.

    Returns
    -------
    str
        The seal: the SHA-256 over the hashes of all members.

    Raises
    ------
    InputError
        If `content` holds something that has no plain form, such as an array of Python objects
        other than text, or a masked one.
    FileAccessError
        If the file cannot be written.
    """
    arrays: dict[str, np.ndarray] = {}
    body = {"format": _FORMAT, "version": _VERSION, "kind": kind}
    try:
        body["content"] = _detach(content, arrays)
        members = {"model.json": _canonical(body)}
        members |= {f"{name}.npy": _array_bytes(array) for name, array in arrays.items()}
    except (TypeError, ValueError) as error:
        msg = f"content cannot be stored: {error}"
        raise InputError(msg) from None
    sealed = _seal_of(members)
    write_atomically(path, _zip_bytes(members | {"seal.json": _canonical(sealed)}))
    return sealed["seal"]


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
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror}"
        raise FileAccessError(msg) from None
    try:
        members, seal = _unsealed(raw)
        body = json.loads(members["model.json"])
        _check_body(path, body, kind)
        return _attach(body["content"], members), seal
    except FormatError:
        raise
    except _DAMAGE:
        msg = (
            f"{path} is not a pharmaq model file, or it was truncated or changed after it was "
            "sealed; restore the original file"
        )
        raise FormatError(msg) from None


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
        If the folder is missing or cannot be written to; an older file stays as it was.
    """
    path = Path(path)
    if not path.parent.is_dir():
        msg = f"cannot write {path}: there is no folder {path.parent}; make it first"
        raise FileAccessError(msg)
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
        return _detach_dict(value, arrays)
    if isinstance(value, list | tuple):
        return [_detach(item, arrays) for item in value]
    return json_safe(value)


def _detach_dict(value: dict[Any, Any], arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    by_text = {str(key): item for key, item in value.items()}
    if len(by_text) < len(value) or _ARRAY in by_text:
        msg = f"keys must differ as text, and none be {_ARRAY!r}, got {list(value)!r}"
        raise InputError(msg)
    # in order of the keys, so that equal content has equal names of arrays
    return {key: _detach(by_text[key], arrays) for key in sorted(by_text)}


def _attach(value: Any, members: dict[str, bytes]) -> Any:
    """Put the arrays back where `_detach` took them from."""
    if isinstance(value, dict):
        if set(value) == {_ARRAY}:
            stream = io.BytesIO(members[f"{value[_ARRAY]}.npy"])
            return np.lib.format.read_array(stream, allow_pickle=False)
        return {key: _attach(item, members) for key, item in value.items()}
    if isinstance(value, list):
        return [_attach(item, members) for item in value]
    return value


def _array_bytes(array: np.ndarray) -> bytes:
    if np.ma.is_masked(array):
        msg = "a masked array has no plain form; fill it first"
        raise InputTypeError(msg)
    if array.dtype.kind in "OT":
        strange = [item for item in array.flat if not isinstance(item, str)]
        if strange:
            msg = f"an array of objects may hold text only, got {strange[0]!r}"
            raise InputTypeError(msg)
        array = array.astype(object).astype(str)
    stream = io.BytesIO()
    little = array.dtype.newbyteorder("<")
    np.save(stream, np.ascontiguousarray(array, dtype=little), allow_pickle=False)
    return stream.getvalue()


def _canonical(value: Any) -> bytes:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode()


def _seal_of(members: dict[str, bytes]) -> dict[str, Any]:
    """Return the hash of each member, and one over all of these."""
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
    return {"members": hashes, "seal": hashlib.sha256(_canonical(hashes)).hexdigest()}


def _zip_bytes(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = _UNIX
            archive.writestr(info, members[name])
        archive.comment = bytes(_DIGEST)
    return _with_digest(stream.getvalue()[:-_DIGEST])


def _with_digest(raw: bytes) -> bytes:
    return raw + hashlib.sha256(raw).hexdigest().encode()


def _unsealed(raw: bytes) -> tuple[dict[str, bytes], str]:
    """Return the members of a model file and its seal; any change is a ValueError."""
    _require(raw == _with_digest(raw[:-_DIGEST]))
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        infos = archive.infolist()
        # a compressed member, or several in one place, could unfold to any size
        _require(all(info.compress_type == zipfile.ZIP_STORED for info in infos))
        _require(sum(info.file_size for info in infos) <= len(raw))
        members = {info.filename: archive.read(info) for info in infos}
    sealed = json.loads(members.pop("seal.json"))
    _require(sealed == _seal_of(members))
    return members, sealed["seal"]


def _require(intact: bool) -> None:
    if not intact:
        raise ValueError


def _check_body(path: str | Path, body: dict[str, Any], kind: str) -> None:
    if body.get("format") != _FORMAT or body.get("version") != _VERSION:
        msg = (
            f"{path} has format {body.get('format')!r} version {body.get('version')!r}; this "
            f"pharmaq reads {_FORMAT!r} version {_VERSION}: use the pharmaq that wrote it"
        )
        raise FormatError(msg)
    if body.get("kind") != kind:
        msg = f"{path} holds a {body.get('kind')!r}, not a {kind!r}"
        raise FormatError(msg)
