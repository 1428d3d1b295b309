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
    names: list[str], known: frozenset[str], values: Any, quality: Any
) -> tuple[NDArray[np.float64], dict[str, int]]:
    """Return values in the fitted order, NaN where there is none to use, and counts."""
    # a dict is told at once; asking any mapping takes as long as the numbers do
    if not isinstance(values, dict | Mapping):
        msg = f"values must be a mapping from variable to value, got {type(values).__name__}"
        raise InputTypeError(msg)
    grades = _grades(names, quality)
    unknown = [name for name in (*values, *grades) if name not in known]
    if unknown:
        msg = f"{unknown} were not fitted; the monitor knows {names}"
        raise InputError(msg)
    row = np.array([_number(name, values.get(name)) for name in names])
    counts = {"missing_values": 0, "bad_values": 0, "uncertain_values": 0}
    if not grades and np.isfinite(row).all():
        return row, counts
    for j, name in enumerate(names):
        grade = grades.get(name, "good")
        if math.isnan(row[j]):
            counts["missing_values"] += 1
        elif grade == "bad" or math.isinf(row[j]):
            counts["bad_values"] += 1
            row[j] = np.nan
        else:
            counts["uncertain_values"] += grade == "uncertain"
    return row, counts


def _grades(names: list[str], quality: Any) -> Mapping[str, str]:
    """Return the quality of each variable that is not good."""
    if quality == "good":
        return {}
    if isinstance(quality, Mapping):
        for grade in quality.values():
            check_choice("quality", grade, QUALITIES)
        return quality
    return dict.fromkeys(names, check_choice("quality", quality, QUALITIES))


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
