"""Indices of normal values with their limits by formulas."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

from pharmaq.spc.capability._limits import bissell, by_chi2, by_noncentral_t
from pharmaq.spc.capability._result import CapabilityIndex

if TYPE_CHECKING:
    from pharmaq.spc.capability._formulas import Specification

__all__ = ["Spread", "normal_indices"]


@dataclasses.dataclass(frozen=True, slots=True)
class Spread:
    """A standard deviation as indices need it.

    `root` is the same as a root of chi2 over its degrees of freedom, before it was made
    unbiased; `n` is the number of independent values that would give a mean as sure.
    """

    sigma: float
    root: float
    freedom: float
    n: float


def normal_indices(
    mean: float, short: Spread, overall: Spread, spec: Specification, risk: float | None
) -> list[CapabilityIndex]:
    """Return all indices that the specification allows; without limits where risk is None."""
    found = _family("cp", mean, short, spec, risk)
    found += _family("pp", mean, overall, spec, risk)
    if spec.target is not None and spec.lsl is not None and spec.usl is not None:
        sd = overall.sigma
        off = (mean - spec.target) / sd
        cpm = (spec.usl - spec.lsl) / (6 * sd * math.sqrt(1 + off**2))
        # Boyles' n (1 + a^2)^2 / (1 + 2 a^2) where both numbers are those of independent values
        f = (1 + off**2) ** 2 / (1 / (overall.freedom + 1) + 2 * off**2 / overall.n)
        found.append(_index("cpm", cpm, by_chi2(cpm, f, risk), f, "chi2 (Boyles 1991)"))
    return found


def _family(
    name: str, mean: float, spread: Spread, spec: Specification, risk: float | None
) -> list[CapabilityIndex]:
    """Return both one-sided indices, the smaller of them, and the potential."""
    found = []
    stem, bias = name[0] + "p", spread.sigma / spread.root
    sigma, n, nu = spread.sigma, spread.n, spread.freedom
    if spec.lsl is not None and spec.usl is not None:
        potential = (spec.usl - spec.lsl) / (6 * sigma)
        limits = by_chi2(potential * bias, nu, risk)
        found.append(_index(name, potential, limits, nu, "chi2"))
    sides = {}
    if spec.lsl is not None:
        sides[stem + "l"] = (mean - spec.lsl) / (3 * sigma)
    if spec.usl is not None:
        sides[stem + "u"] = (spec.usl - mean) / (3 * sigma)
    one_sided = [
        _index(key, value, by_noncentral_t(value * bias, n, nu, risk), nu, "noncentral t")
        for key, value in sides.items()
    ]
    worst = min(one_sided, key=lambda index: index.value)
    if len(one_sided) == 2:
        limits = bissell(worst.value, n, nu, risk)
        found.append(_index(stem + "k", worst.value, limits, nu, "Bissell 1990"))
    else:
        limits = (float(worst.lower or 0.0), float(worst.upper or 0.0))
        found.append(_index(stem + "k", worst.value, limits, nu, worst.method))
    return found + one_sided


def _index(
    name: str, value: float, limits: tuple[float, float], freedom: float, method: str
) -> CapabilityIndex:
    return CapabilityIndex(
        name=name,
        value=value,
        lower=limits[0],
        upper=limits[1],
        freedom=freedom,
        method=method,
    )
