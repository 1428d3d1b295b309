"""Results of dissolution, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq._checks import as_float, check_finite, check_real, check_vector
from pharmaq.errors import InputError
from pharmaq.spc.release._acceptance import STAGE_SIZES, Limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["one_sided", "pooled_results", "stated_ranges", "units_of_a_stage"]

_NO_TIMES = np.empty(0)


def one_sided(name: str, lower: float | None, upper: float | None) -> Limits:
    """Return one limit, on one side."""
    low = np.nan if lower is None else check_real("q", lower, above=0, below=200)
    high = np.nan if upper is None else upper
    return Limits(name, np.array([low]), np.array([high]), _NO_TIMES)


def units_of_a_stage(name: str, values: ArrayLike) -> Array:
    """Return 6, 12 or 24 results."""
    x = check_vector(name, values)
    _check_size(name, len(x))
    _check_sign(name, x)
    return x


def pooled_results(values: ArrayLike) -> Array:
    """Return the results of one to three pools."""
    x = check_vector("values", values)
    if len(x) > len(STAGE_SIZES):
        msg = f"values must hold one result a pool (of 6, 6 and 12 units), got {len(x)}"
        raise InputError(msg)
    _check_sign("values", x)
    return x


def stated_ranges(
    values: ArrayLike,
    ranges: Sequence[tuple[float | None, float | None]],
    times: Sequence[float] | None,
) -> tuple[Array, Limits]:
    """Return results by unit and time, and the range of each time."""
    x = as_float("values", values)
    if x.ndim != 2:
        msg = f"values must have a row a unit and a column a test time, got shape {x.shape}"
        raise InputError(msg)
    check_finite("values", x)
    _check_size("values", len(x))
    _check_sign("values", x)
    if len(ranges) != x.shape[1]:
        msg = f"ranges must name one range a test time ({x.shape[1]}), got {len(ranges)}"
        raise InputError(msg)
    pairs = [_range(i, pair) for i, pair in enumerate(ranges)]
    lower, upper = (np.array(side) for side in zip(*pairs, strict=True))
    return x, Limits("", lower, upper, _test_times(times, x.shape[1]))


def _test_times(times: Sequence[float] | None, n: int) -> Array:
    if times is None:
        return np.arange(1.0, n + 1)
    found = check_vector("times", times)
    if len(found) != n or np.any(np.diff(found) <= 0):
        msg = f"times must rise, one a column of values ({n}), got {list(found)}"
        raise InputError(msg)
    return found


def _range(i: int, pair: Any) -> tuple[float, float]:
    try:
        low, high = (np.nan if end is None else check_real(f"ranges[{i}]", end) for end in pair)
    except ValueError as error:
        msg = f"ranges[{i}] must be a pair of lower and upper limit, got {pair!r}"
        raise InputError(msg) from error
    if np.isnan(low) and np.isnan(high):
        msg = f"ranges[{i}] must have a lower or an upper limit, got {pair!r}"
        raise InputError(msg)
    if low >= high:
        msg = f"ranges[{i}] must rise, got {pair!r}"
        raise InputError(msg)
    return float(low), float(high)


def _check_size(name: str, n: int) -> None:
    if n not in STAGE_SIZES:
        msg = f"{name} must hold the 6, 12 or 24 units tested so far, got {n}"
        raise InputError(msg)


def _check_sign(name: str, x: Array) -> None:
    if np.any(x < 0):
        msg = f"{name} must be amounts of zero or more, got {x.min():g}"
        raise InputError(msg)
