"""Results of a stability study as checked arrays: batches, times, values, censored ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd

from pharmaq._checks import as_float, check_choice, check_same_length
from pharmaq.errors import InputError
from pharmaq.spc._columns import check_distinct, take_codes, take_values

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Censored", "Replicates", "StudyData", "study_data"]

Censored = Literal["raise", "limit", "half", "root_half", "zero"]
Replicates = Literal["independent", "mean"]

_FACTORS = {"limit": 1.0, "half": 0.5, "root_half": 0.5**0.5, "zero": 0.0}
_BELOW = re.compile(r"^\s*<\s*([0-9.]+(?:[eE][-+]?\d+)?)\s*$")
# not detected, below the limit of quantitation or detection
_WORDS = re.compile(r"^\s*(n\.?\s*d\.?|not detected|<?\s*lo[qd])\s*$", re.IGNORECASE)


class StudyData(NamedTuple):
    """Results in the order given; `batch` counts from 0 and `names` says what it counts."""

    batch: NDArray[np.intp]
    names: list[str]
    time: NDArray[np.float64]
    value: NDArray[np.float64]
    n_censored: int
    n_replicated: int

    def to_frame(self) -> pd.DataFrame:
        """Return a row a result: batch, time, value."""
        names = np.array(self.names, dtype=object)[self.batch]
        return pd.DataFrame({"batch": names, "time": self.time, "value": self.value})


def study_data(
    data: pd.DataFrame | ArrayLike,
    *,
    batch: str | ArrayLike | None,
    time: str | ArrayLike,
    value: str,
    censored: Censored,
    replicates: Replicates,
) -> StudyData:
    """Return the results of a study, checked; replicates averaged if asked for."""
    check_choice("censored", censored, get_args(Censored))
    check_choice("replicates", replicates, get_args(Replicates))
    frame = _as_frame(data, batch, time, value)
    numbers, n_censored = _uncensored(frame["value"], value, censored)
    frame = frame.assign(value=numbers)
    codes, levels = take_codes(frame, "batch")
    t, y = take_values(frame, "time"), take_values(frame, "value")
    if not len(y):
        msg = "data holds no results"
        raise InputError(msg)
    early = np.flatnonzero(t < 0)
    if early.size:
        i = int(early[0])
        msg = f"time must not be negative, but row {i} (label {frame.index[i]!r}) is {t[i]:g}"
        raise InputError(msg)
    groups = pd.DataFrame({"batch": codes, "time": t, "value": y}).groupby(["batch", "time"])
    n_replicated = int((groups.size() > 1).sum())
    if replicates == "mean":
        means = groups["value"].mean().reset_index()
        codes, t = means["batch"].to_numpy(np.intp), means["time"].to_numpy(np.float64)
        y = means["value"].to_numpy(np.float64)
    return StudyData(codes, [str(name) for name in levels], t, y, n_censored, n_replicated)


def _as_frame(data: Any, batch: Any, time: Any, value: str) -> pd.DataFrame:
    """Return columns batch, time and value, whatever form they came in."""
    if isinstance(data, pd.DataFrame):
        roles = {"time": time, "value": value} | ({} if batch is None else {"batch": batch})
        columns = {role: name for role, name in roles.items() if isinstance(name, str)}
        check_distinct(**columns)
        absent = [name for name in columns.values() if name not in data.columns]
        if absent:
            has = list(map(str, data.columns))
            msg = f"column {absent[0]!r} is not in the frame; it has {has}"
            raise InputError(msg)
        picked = {role: data[name] if role in columns else name for role, name in roles.items()}
        return _joined(picked, data.index)
    if isinstance(time, str):
        msg = "time must be an array of times where data is an array of results"
        raise InputError(msg)
    given = None if isinstance(batch, str) else batch
    roles = {"time": time, "value": data} | ({} if given is None else {"batch": given})
    index = data.index if isinstance(data, pd.Series) else None
    return _joined(roles, index)


def _joined(roles: dict[str, Any], index: Any) -> pd.DataFrame:
    columns = {role: list(np.asarray(column).ravel()) for role, column in roles.items()}
    n = check_same_length(**columns)
    columns.setdefault("batch", ["batch"] * n)
    return pd.DataFrame(columns, index=index)


def _uncensored(
    column: pd.Series, name: str, rule: Censored
) -> tuple[NDArray[np.float64], int]:
    """Return numbers; results such as ``<0.05`` by the rule, with their number."""
    if column.dtype.kind in "fiu":
        return column.to_numpy(np.float64), 0
    matches = [_BELOW.match(x) if isinstance(x, str) else None for x in column]
    hits = [i for i, match in enumerate(matches) if match]
    if hits and rule == "raise":
        i = hits[0]
        msg = (
            f"column {name!r} holds {len(hits)} censored results, the first in row {i} "
            f'({column.iloc[i]!r}); say with censored="limit", "half", "root_half" or "zero" '
            "what stands in for them"
        )
        raise InputError(msg)
    for i, x in enumerate(column):
        if isinstance(x, str) and _WORDS.match(x):
            msg = (
                f"column {name!r} names no limit in row {i} ({x!r}); write such results as "
                "'<' and the limit of detection, for example '<0.05'"
            )
            raise InputError(msg)
    numbers: list[Any] = list(column)
    for i in hits:
        match = matches[i]
        if match:
            numbers[i] = _FACTORS[rule] * float(match.group(1))
    return as_float(name, numbers), len(hits)
