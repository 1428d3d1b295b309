"""Checks of arguments: each message names the argument, the value and the rule."""

from __future__ import annotations

import math
import numbers
from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq.errors import InputError, InputTypeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray


def check_real(
    name: str, value: Any, *, above: float | None = None, below: float | None = None
) -> float:
    """Return `value` as a finite float that lies strictly between `above` and `below`."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        msg = f"{name} must be a real number, got {value!r}"
        raise InputTypeError(msg)
    low = -math.inf if above is None else above
    high = math.inf if below is None else below
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not (math.isfinite(number) and low < number < high):
        bounded = above is not None or below is not None
        rule = f"lie in ({low:g}, {high:g})" if bounded else "be finite"
        msg = f"{name} must {rule}, got {value!r}"
        raise InputError(msg)
    return number


def check_integer(name: str, value: Any, *, least: int, most: int | None = None) -> int:
    """Return `value` as an int between `least` and `most`, both included."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
        msg = f"{name} must be a whole number, got {value!r}"
        raise InputTypeError(msg)
    if int(value) < least or (most is not None and int(value) > most):
        rule = f"at least {least}" if most is None else f"from {least} to {most}"
        msg = f"{name} must be {rule}, got {value!r}"
        raise InputError(msg)
    return int(value)


def check_choice(name: str, value: Any, choices: Iterable[str]) -> str:
    """Return `value` if it is one of `choices`."""
    allowed = list(choices)
    if not isinstance(value, str) or value not in allowed:
        msg = f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}"
        raise InputError(msg)
    return str(value)


def check_vector(name: str, values: ArrayLike, *, least: int = 1) -> NDArray[np.float64]:
    """Return `values` as a 1-D float array without NaN or infinity, `least` long or longer."""
    array = as_float(name, values)
    if array.ndim != 1:
        msg = f"{name} must be one-dimensional, got shape {array.shape}"
        raise InputError(msg)
    if array.size < least:
        msg = f"{name} must hold at least {least} values, got {array.size}"
        raise InputError(msg)
    check_finite(name, array)
    return array


def as_float(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return `values` as a float array, missing ones as NaN; what is no number is an error."""
    try:
        array = np.asarray(values)
        if isinstance(values, np.ma.MaskedArray):
            array = np.ma.filled(values.astype(object), np.nan)
        elif array.dtype.kind in "OSU":
            # straight from the container: pandas knows its own missing values
            array = np.asarray(values, dtype=np.float64)
        if array.dtype.kind not in "cmM":
            return array.astype(np.float64, copy=False)
        problem = f"got {array.dtype}"
    except (OverflowError, TypeError, ValueError) as error:
        problem = str(error)
    msg = f"{name} must hold numbers only: {problem}"
    raise InputError(msg)


def check_finite(name: str, array: NDArray[np.float64]) -> None:
    """Raise if `array` holds NaN or infinite values; the message gives the first place."""
    # a sum is finite only if every term is: one pass, no temporary array
    with np.errstate(all="ignore"):
        if math.isfinite(float(array.sum())):
            return
    bad = np.argwhere(~np.isfinite(array))
    if not len(bad):
        return
    place = tuple(int(i) for i in bad[0])
    index = f"[{', '.join(map(str, place))}]" if place else ""
    value = "NaN" if np.isnan(array[place]) else str(array[place])
    msg = (
        f"{name} must be finite, but {name}{index} is {value} ({len(bad)} of {array.size} "
        "values are NaN or infinity); remove or replace them first"
    )
    raise InputError(msg)


def check_same_length(**arrays: Sequence[Any] | NDArray[Any]) -> int:
    """Return the common length of named sequences."""
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        text = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        msg = f"lengths must agree, but {text}"
        raise InputError(msg)
    return next(iter(lengths.values()))
