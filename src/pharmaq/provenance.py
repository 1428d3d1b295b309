"""Who computed what, from what: versions, parameters, hashes of inputs, time."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import pharmaq
from pharmaq.errors import FileAccessError, InputError
from pharmaq.results import Result, json_safe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

__all__ = ["Provenance", "hash_array", "hash_file", "record_provenance"]

_PACKAGES = ("numpy", "scipy", "scikit-learn", "pandas", "xarray", "numba", "statsmodels")


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class Provenance(Result):
    """Where a result comes from.

    Parameters
    ----------
    created : str
        Time of the computation, ISO 8601, UTC.
    versions : dict
        Versions of pharmaq, Python, the platform and the numeric packages.
    parameters : dict
        Every setting that the result depends on.
    inputs : dict
        Name of each input -> ``{"sha256": ..., "shape": ..., ...}``.
    """

    created: str
    versions: dict[str, str]
    parameters: dict[str, Any]
    inputs: dict[str, dict[str, Any]]

    def to_frame(self) -> pd.DataFrame:
        """Return the record as rows of ``section, name, value``."""
        rows = [("created", "time (UTC)", self.created)]
        rows += [("version", name, value) for name, value in self.versions.items()]
        rows += [("parameter", name, str(value)) for name, value in self.parameters.items()]
        for name, facts in self.inputs.items():
            rows += [("input", f"{name}: {key}", str(fact)) for key, fact in facts.items()]
        return pd.DataFrame(rows, columns=["section", "name", "value"])


def record_provenance(
    *,
    parameters: Mapping[str, Any] | None = None,
    arrays: Mapping[str, ArrayLike] | None = None,
    files: Mapping[str, str | Path] | None = None,
) -> Provenance:
    """Record versions, parameters and hashes of inputs at this moment.

    Parameters
    ----------
    parameters : mapping, optional
        Settings of the computation; made JSON-safe.
    arrays : mapping of str to array-like, optional
        Input arrays by name; each is hashed by `hash_array`.
    files : mapping of str to path, optional
        Input files by name; each is hashed by `hash_file`.

    Returns
    -------
    Provenance
        The record.

    Raises
    ------
    FileAccessError
        If a file cannot be read.
    InputError
        If an array and a file have the same name.
    InputTypeError
        If a parameter has no plain form.
    """
    twice = sorted(set(arrays or {}) & set(files or {}))
    if twice:
        msg = f"arrays and files must have different names, but both hold {twice[0]!r}"
        raise InputError(msg)
    inputs: dict[str, dict[str, Any]] = {}
    for name, array in (arrays or {}).items():
        values = np.asarray(array)
        inputs[name] = {
            "sha256": hash_array(values),
            "shape": list(values.shape),
            "dtype": str(values.dtype),
        }
    for name, path in (files or {}).items():
        facts = {"file": Path(path).name, "sha256": hash_file(path)}
        inputs[name] = facts | {"bytes": Path(path).stat().st_size}
    return Provenance(
        created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        versions=_versions(),
        parameters=json_safe(dict(parameters or {})),
        inputs=inputs,
    )


def hash_array(values: ArrayLike) -> str:
    """Return the SHA-256 of an array: its type, its shape and its values in C order.

    Parameters
    ----------
    values : array-like
        Numbers or text; byte order and memory layout do not change the hash. Python objects
        are hashed as their text.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    array = np.asarray(values)
    if array.dtype.kind in "OT":
        array = array.astype(object).astype(str)
    array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    digest = hashlib.sha256(f"{array.dtype.str} {array.shape}".encode())
    digest.update(array.tobytes())
    return digest.hexdigest()


def hash_file(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes.

    Parameters
    ----------
    path : str or Path
        An existing file.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    FileAccessError
        If the file cannot be read.
    """
    try:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror}"
        raise FileAccessError(msg) from None


def _versions() -> dict[str, str]:
    found = {"pharmaq": pharmaq.__version__, "python": platform.python_version()}
    found["platform"] = f"{sys.platform} {platform.machine()}"
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
