"""Scales on which change over time is linear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Transform", "back", "forward"]

Transform = Literal["none", "log", "sqrt"]


def forward(values: NDArray[np.float64], transform: str, name: str) -> NDArray[np.float64]:
    """Return values on the scale of the fit; raise where that has none."""
    if transform == "none":
        return values
    bad = values <= 0 if transform == "log" else values < 0
    if bad.any():
        rule = "positive" if transform == "log" else "not negative"
        msg = f"{name} must be {rule} for transform={transform!r}, got {values[bad][0]:g}"
        raise InputError(msg)
    return np.log(values) if transform == "log" else np.sqrt(values)


def back(values: NDArray[np.float64], transform: str) -> NDArray[np.float64]:
    """Return values of the scale of the fit on that of the results."""
    if transform == "none":
        return values
    # below 0 the root scale has no counterpart; its bound is 0 there
    return np.exp(values) if transform == "log" else np.maximum(values, 0.0) ** 2
