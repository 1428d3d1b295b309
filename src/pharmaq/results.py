"""What every outcome of pharmaq has in common, and the one `Finding`."""

from __future__ import annotations

import dataclasses
import datetime as dt
import html
import math
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd

from pharmaq._checks import check_choice
from pharmaq.errors import InputError, InputTypeError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Finding", "Result", "Severity", "findings_frame", "json_safe", "worst_severity"]

Severity = Literal["info", "alert", "action"]

_SEVERITIES: tuple[str, ...] = get_args(Severity)


class Result(ABC):
    """Mixin of every result dataclass: a frame, a dictionary and a face in notebooks."""

    __slots__ = ()

    @abstractmethod
    def to_frame(self) -> pd.DataFrame:
        """Return the result as a data frame."""

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain Python that `json` can write.

        Returns
        -------
        dict
            A key per field; arrays become lists, NaN and infinity become None.
        """
        return {name: json_safe(value) for name, value in self._fields().items()}

    def _fields(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}  # type: ignore[arg-type]

    def __repr__(self) -> str:
        parts = (f"{name}={_brief(value)}" for name, value in self._fields().items())
        return f"{type(self).__name__}({', '.join(parts)})"

    def _repr_html_(self) -> str:
        return f"<p><b>{html.escape(type(self).__name__)}</b></p>{self.to_frame().to_html()}"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that a monitor, a rule or a test found.

    Parameters
    ----------
    rule : str
        Short name of the rule that fired, for example ``"spe_limit"``.
    severity : {"info", "alert", "action"}
        A result outside its acceptance limit is always ``"action"``.
    subject : str
        What the finding is about: a sample, a batch, a tag, a model.
    message : str
        One sentence for the person who has to act on it.
    value, limit : float, optional
        The number found and the limit it was held against.
    time : datetime, optional
        When it happened, as far as that is known.
    """

    rule: str
    severity: Severity
    subject: str
    message: str
    value: float | None = None
    limit: float | None = None
    time: dt.datetime | None = None

    def __post_init__(self) -> None:
        check_choice("severity", self.severity, _SEVERITIES)

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as plain Python that `json` can write."""
        return {key: json_safe(value) for key, value in dataclasses.asdict(self).items()}


def findings_frame(findings: Iterable[Finding]) -> pd.DataFrame:
    """Return findings as one frame, in the order given.

    Parameters
    ----------
    findings : iterable of Finding
        From any number of monitors, rules and tests.

    Returns
    -------
    pandas.DataFrame
        Columns ``rule, severity, subject, message, value, limit, time``; empty if none.
    """
    columns = [field.name for field in dataclasses.fields(Finding)]
    return pd.DataFrame([dataclasses.asdict(f) for f in findings], columns=columns)


def worst_severity(findings: Iterable[Finding]) -> Severity | None:
    """Return the highest severity among findings, or None if there is none."""
    return max((finding.severity for finding in findings), key=_SEVERITIES.index, default=None)


def json_safe(value: Any) -> Any:
    """Return `value` as plain Python that `json` can write.

    Parameters
    ----------
    value : object
        Numbers, text, times, paths, arrays, frames, results, and lists and dictionaries of
        them.

    Returns
    -------
    object
        Arrays become lists, frames lists of rows, times and durations ISO 8601 text; NaN, NaT,
        NA and infinity become None, for JSON has no word for them.

    Raises
    ------
    InputTypeError
        For an object that has no plain form.
    InputError
        If two keys of a dictionary are the same as text.
    """
    if value is None or value is pd.NA or value is pd.NaT:
        safe: Any = None
    elif isinstance(value, str | bool | int):
        safe = value
    elif isinstance(value, float | np.floating):
        safe = float(value) if math.isfinite(value) else None
    elif isinstance(value, dict):
        safe = _plain_dict(value)
    elif isinstance(value, pd.DataFrame):
        safe = json_safe(value.to_dict("records"))
    elif isinstance(value, list | tuple):
        safe = [json_safe(item) for item in value]
    else:
        safe = json_safe(_plain(value))
    return safe


def _plain_dict(value: dict[Any, Any]) -> dict[str, Any]:
    safe = {str(key): json_safe(item) for key, item in value.items()}
    if len(safe) < len(value):
        msg = f"keys must differ as text, got {list(value)!r}"
        raise InputError(msg)
    return safe


def _plain(value: Any) -> Any:
    """Return an array, time, path or result in terms of simpler Python."""
    if isinstance(value, dt.timedelta):
        value = pd.Timedelta(value)
    if isinstance(value, dt.date | dt.time | pd.Timedelta):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Result | Finding):
        return value.to_dict()
    if hasattr(value, "__array__"):
        return _plain_array(np.asarray(value))
    msg = f"{type(value).__name__} has no JSON form: {value!r}"
    raise InputTypeError(msg)


def _plain_array(array: np.ndarray) -> Any:
    if array.dtype.kind == "M":
        missing, text = np.isnat(array), np.datetime_as_string(array)
        array = np.asarray(text, dtype=object)
        array[missing] = None
    elif array.dtype.kind == "m":
        duration: Any = array[()]
        return list(array) if array.ndim else pd.Timedelta(duration)
    return array.tolist()


def _brief(value: Any) -> str:
    """Return a short form of a field for `repr`."""
    if isinstance(value, pd.DataFrame):
        return f"<frame {value.shape[0]} x {value.shape[1]}>"
    shape = getattr(value, "shape", None)
    if shape:
        return f"<array {' x '.join(map(str, shape))}>"
    if isinstance(value, list | tuple | dict) and len(value) > 6:
        return f"<{len(value)} items>"
    return repr(value)
