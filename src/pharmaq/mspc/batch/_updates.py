"""One update of a running batch: its values, their quality, and the time they belong to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq._checks import check_choice
from pharmaq.errors import InputError, InputTypeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUALITIES = ("good", "uncertain", "bad")


def read_row(
    names: list[str], values: Any, quality: Any
) -> tuple[NDArray[np.float64], dict[str, int]]:
    """Return values in the fitted order, NaN where there is none to use, and counts."""
    if not isinstance(values, Mapping):
        msg = f"values must be a mapping from variable to value, got {type(values).__name__}"
        raise InputTypeError(msg)
    grades = quality if isinstance(quality, Mapping) else dict.fromkeys(names, quality)
    unknown = [name for name in (*values, *grades) if name not in names]
    if unknown:
        msg = f"{unknown} were not fitted; the monitor knows {names}"
        raise InputError(msg)
    row = np.full(len(names), np.nan)
    counts = {"missing_values": 0, "bad_values": 0, "uncertain_values": 0}
    for j, name in enumerate(names):
        grade = check_choice("quality", grades.get(name, "good"), QUALITIES)
        value = _number(name, values.get(name))
        if math.isnan(value):
            counts["missing_values"] += 1
        elif grade == "bad" or math.isinf(value):
            counts["bad_values"] += 1
        else:
            row[j] = value
            counts["uncertain_values"] += grade == "uncertain"
    return row, counts


def nearest(times: NDArray[Any], time: Any) -> int:
    """Return the position of the nearest aligned time; -1 before the first, K after the last.

    A time is outside if it is farther than half a step from the first or the last one.
    """
    try:
        at = np.asarray(time, dtype=times.dtype if times.dtype.kind in "mM" else np.float64)
        right = int(np.searchsorted(times, at))
        undefined = bool(np.isnat(at)) if at.dtype.kind in "mM" else bool(np.isnan(at))
    except (TypeError, ValueError):
        undefined = True
    if undefined or at.ndim:
        msg = f"time must be like the aligned times ({times.dtype}), got {time!r}"
        raise InputTypeError(msg)
    K = len(times)
    if right == 0:
        step = times[1] - times[0] if K > 1 else times[0] - times[0]
        return 0 if 2 * (times[0] - at) <= step else -1
    if right == K:
        step = times[-1] - times[-2] if K > 1 else times[0] - times[0]
        return K - 1 if 2 * (at - times[-1]) <= step else K
    return right if times[right] - at < at - times[right - 1] else right - 1


def _number(name: str, value: Any) -> float:
    if value is None:
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError):
        msg = f"the value of {name!r} must be a number, got {value!r}"
        raise InputTypeError(msg) from None
