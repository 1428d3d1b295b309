"""Indices by the percentiles of a fitted distribution (ISO 22514-2)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from pharmaq.errors import InputError
from pharmaq.spc.capability._formulas import Specification, percentile_formula
from pharmaq.spc.capability._result import CapabilityIndex
from pharmaq.spc.distributions import DistributionName, FittedDistribution, fit_distribution

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["fitted", "percentile_indices"]


def fitted(
    x: NDArray[np.float64], name: Any
) -> tuple[FittedDistribution, tuple[FittedDistribution, ...], dict[str, str]]:
    """Return the distribution, all that were tried by A^2, and why others were not."""
    if name != "best":
        fit = fit_distribution(x, name)
        return fit, (fit,), {}
    candidates, not_fitted = [], {}
    for candidate in get_args(DistributionName):
        try:
            fit = fit_distribution(x, candidate)
        except InputError as error:
            not_fitted[candidate] = str(error)
            continue
        if np.isfinite(fit.at_score([-3.0, 3.0])).all():
            candidates.append(fit)
        else:
            not_fitted[candidate] = "a percentile is infinite"
    if candidates[0].a2 is None:
        msg = f"values must hold at least 8 to choose a distribution, got {x.size}"
        raise InputError(msg)
    ranked = sorted(candidates, key=lambda fit: math.inf if fit.a2 is None else fit.a2)
    return ranked[0], tuple(ranked), not_fitted


def percentile_indices(fit: FittedDistribution, spec: Specification) -> list[CapabilityIndex]:
    """Return the indices that the specification allows, without limits."""
    low, _, high = fit.at_score([-3.0, 0.0, 3.0])
    if not (np.isfinite(low) and np.isfinite(high)):
        msg = f"distribution {fit.name!r} has an infinite percentile here; use another one"
        raise InputError(msg)
    both = spec.lsl is not None and spec.usl is not None
    sides = {"ppl": spec.lsl, "ppu": spec.usl}
    names = ["pp"] * both + [name for name, limit in sides.items() if limit is not None]
    unused = np.zeros(1)

    def value(name: str) -> float:
        rule = percentile_formula(name, spec, lambda _, __, z: fit.at_score([z]))
        return float(rule(unused, unused)[0])

    return [
        CapabilityIndex(
            name=name,
            value=value(name),
            lower=None,
            upper=None,
            freedom=fit.n_values - 1.0,
            method="percentiles of ISO 22514-2, no limits",
        )
        for name in [*names, "ppk"]
    ]
