"""Limits of indices by resampling in place of formulas."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq.errors import InputError
from pharmaq.spc.capability._bootstrap import (
    Moments,
    bootstrap_limits,
    overall_moments,
    within_moments,
)
from pharmaq.spc.capability._formulas import Specification, formula, percentile_formula
from pharmaq.spc.capability._limits import unbiasing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pharmaq.spc.capability._result import CapabilityIndex
    from pharmaq.spc.distributions import FittedDistribution
    from pharmaq.spc.sigma import SigmaEstimate
    from pharmaq.spc.subgroups import Subgroups

__all__ = ["draw", "require_resamplable", "resampled"]

_WORDS = {"bootstrap": "percentiles", "bca": "BCa", "expanded": "expanded BCa"}


def draw(
    x: NDArray[np.float64],
    grouped: Subgroups | None,
    within: SigmaEstimate | None,
    n_resamples: int,
    rng: np.random.Generator,
) -> dict[str, Moments]:
    """Return resampled moments for overall and, of normal values, short-term indices."""
    if grouped is not None:
        grouped = dataclasses.replace(grouped, values=x)
    overall = overall_moments(x, grouped, n_resamples, rng)
    if within is None:
        return {"lognormal": overall}
    if within.estimator != "overall":
        return {"p": overall, "c": within_moments(x, grouped, within, n_resamples, rng)}
    return {"p": overall, "c": overall.scaled(1 / unbiasing(x.size - 1))}


def resampled(
    index: CapabilityIndex,
    drawn: dict[str, Moments],
    spec: Specification,
    risk: float,
    limits: Any,
) -> CapabilityIndex:
    """Return an index with limits from resampled moments."""
    if "lognormal" in drawn:
        moments = drawn["lognormal"]
        rule = percentile_formula(index.name, spec, lambda m, s, z: np.exp(m + z * s))
    else:
        moments = drawn["p" if index.name == "cpm" else index.name[0]]
        rule = formula(index.name, spec)
    lower, upper = bootstrap_limits(rule, moments, risk, limits)
    method = f"{_WORDS[limits]} of {moments.resampled[0].size} resamples of {moments.name}"
    return dataclasses.replace(index, lower=lower, upper=upper, method=method)


def require_resamplable(fit: FittedDistribution) -> None:
    """Raise for a distribution whose indices are no formula of two moments."""
    if fit.name not in {"normal", "lognormal"}:
        msg = (
            f"limits by resampling are for 'normal' and 'lognormal', not for {fit.name!r}; "
            "use limits='analytic'"
        )
        raise InputError(msg)
