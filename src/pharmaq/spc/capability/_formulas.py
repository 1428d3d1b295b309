"""Indices as functions of mean and standard deviation, for one or for many at once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pharmaq._checks import check_real
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Vector = NDArray[np.float64]
    Formula = Callable[[Vector, Vector], Vector]

__all__ = ["Specification", "formula", "percentile_formula", "specification"]


class Specification(NamedTuple):
    """Limits and target, checked."""

    lsl: float | None
    usl: float | None
    target: float | None


def specification(lsl: float | None, usl: float | None, target: float | None) -> Specification:
    """Return limits and target after a check of their order."""
    named = {"lsl": lsl, "usl": usl, "target": target}
    low, high, aim = (None if v is None else check_real(k, v) for k, v in named.items())
    if low is None and high is None:
        msg = "lsl or usl must be given; there is no capability without a specification"
        raise InputError(msg)
    if low is not None and high is not None and not low < high:
        msg = f"lsl must lie below usl, got lsl = {low:g} and usl = {high:g}"
        raise InputError(msg)
    outside = aim is not None and (
        (low is not None and aim < low) or (high is not None and aim > high)
    )
    if outside:
        msg = f"target must lie within the specification, got {aim:g}"
        raise InputError(msg)
    return Specification(low, high, aim)


def formula(name: str, spec: Specification) -> Formula:
    """Return the index of a normal distribution called `name`, ``"cpk"`` or the like."""
    low = -math.inf if spec.lsl is None else spec.lsl
    high = math.inf if spec.usl is None else spec.usl
    if name == "cpm":
        target = math.nan if spec.target is None else spec.target
        return lambda m, s: (high - low) / (6 * np.sqrt(s**2 + (m - target) ** 2))
    return {
        "p": lambda _, s: (high - low) / (6 * s),
        "l": lambda m, s: (m - low) / (3 * s),
        "u": lambda m, s: (high - m) / (3 * s),
        "k": lambda m, s: np.minimum(m - low, high - m) / (3 * s),
    }[name[-1]]


def percentile_formula(
    name: str, spec: Specification, quantile: Callable[[Vector, Vector, float], Vector]
) -> Formula:
    """Return the index by percentiles (ISO 22514-2) of a distribution with two parameters."""
    low = -math.inf if spec.lsl is None else spec.lsl
    high = math.inf if spec.usl is None else spec.usl

    def index(a: Vector, b: Vector) -> Vector:
        bottom, middle, top = (quantile(a, b, z) for z in (-3.0, 0.0, 3.0))
        sides = {"l": (middle - low) / (middle - bottom), "u": (high - middle) / (top - middle)}
        if name[-1] == "p":
            return (high - low) / (top - bottom)
        return np.minimum(sides["l"], sides["u"]) if name[-1] == "k" else sides[name[-1]]

    return index
