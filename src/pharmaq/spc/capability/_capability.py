"""Capability of a process with one or two specification limits."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from scipy import special

from pharmaq._checks import check_choice, check_integer, check_real, check_vector
from pharmaq.errors import InputError
from pharmaq.spc.capability._bootstrap import (
    Moments,
    bootstrap_limits,
    overall_moments,
    within_moments,
)
from pharmaq.spc.capability._findings import count_signals, findings
from pharmaq.spc.capability._formulas import (
    Specification,
    formula,
    percentile_formula,
    specification,
)
from pharmaq.spc.capability._limits import (
    bissell,
    by_chi2,
    by_noncentral_t,
    unbiasing,
)
from pharmaq.spc.capability._result import Capability, CapabilityIndex
from pharmaq.spc.distributions import (
    DistributionName,
    FittedDistribution,
    fit_distribution,
    normal_scores,
)
from pharmaq.spc.sigma import (
    MovingRangeEstimator,
    SigmaEstimate,
    SubgroupEstimator,
    sigma_of_individuals,
    sigma_of_subgroups,
)
from pharmaq.spc.subgroups import Subgroups, as_subgroups

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["capability"]

Distribution = Literal["normal", "lognormal", "weibull", "gamma", "boxcox", "johnson", "best"]
Limits = Literal["analytic", "bootstrap", "bca"]

_LEAST_RESAMPLES = 100


def capability(  # noqa: PLR0913 - a specification is three of them
    values: ArrayLike,
    *,
    lsl: float | None = None,
    usl: float | None = None,
    target: float | None = None,
    subgroups: ArrayLike | int | None = None,
    estimator: SubgroupEstimator | MovingRangeEstimator | None = None,
    distribution: Distribution = "normal",
    confidence: float = 0.95,
    limits: Limits = "analytic",
    n_resamples: int = 10_000,
    random_state: int | np.random.Generator | None = None,
    units: str = "",
) -> Capability:
    """Judge how well a process meets its specification, with confidence limits.

    Parameters
    ----------
    values : array-like, shape (n,) or (m, n)
        Single values in time order, or a subgroup a row, any unit; NaN raises.
    lsl, usl : float, optional
        Specification limits, at least one of them.
    target : float, optional
        Target, for Cpm; between the limits.
    subgroups : array-like or int, optional
        For one column of values in subgroups, see `as_subgroups`.
    estimator : str, optional
        Of the short-term standard deviation: see `sigma_of_subgroups` (default ``"pooled"``)
        and `sigma_of_individuals` (default ``"mr_bar"``).
    distribution : str, default "normal"
        ``"lognormal"``, ``"weibull"``, ``"gamma"``, ``"boxcox"``, ``"johnson"``: Pp and Ppk
        by the percentiles 0.135 %, 50 % and 99.865 % of the distribution [3]_ that
        `fit_distribution` fits, without Cp and Cpk. ``"best"``: the one of all, normal
        included, with the smallest Anderson-Darling A^2; the others stand in `candidates`.
        Limits of ``"lognormal"`` are by resampling only, of others there are none.
    confidence : float, default 0.95
        Of the two-sided limits.
    limits : {"analytic", "bootstrap", "bca"}, default "analytic"
        ``"bootstrap"``: percentiles of resamples; ``"bca"``: those corrected for bias and
        skewness [4]_, which is the better one for fewer than 100 values. Single values are
        drawn one by one for overall indices, in blocks of neighbours for moving ranges;
        subgroups are drawn whole.
    n_resamples : int, default 10_000
        Number of resamples, at least 100.
    random_state : int or Generator, optional
        Seed of the resampling: give one where the numbers must repeat.
    units : str, optional
        Unit of the values.

    Returns
    -------
    Capability
        Indices, values out of specification per million, and findings: `valid` is False where
        a point or a spread lies beyond limits that a stable process keeps with 95 % for all
        points together, the distribution does not fit (Anderson-Darling, 5 %), or there are
        too few values to tell.

    Raises
    ------
    InputError
        If no limit is given, limits are in the wrong order, the target lies outside, or values
        do not vary.

    Notes
    -----
    Each index has the degrees of freedom of its own standard deviation: n - 1 for Pp and Ppk,
    those of the estimator for Cp and Cpk. Cp, Pp: chi2, exact for ``"pooled"`` and the overall
    standard deviation, for ranges by Patnaik's approximation. Cpl, Cpu, Ppl, Ppu: noncentral t.
    Cpk, Ppk: index -+ z sqrt(1 / (9 n) + index^2 / (2 f)) [1]_. Cpm, with a = (mean - target) /
    sd: chi2 with n (1 + a^2)^2 / (1 + 2 a^2) degrees of freedom [2]_.

    References
    ----------
    .. [1] A. F. Bissell, Appl. Stat. 39 (1990) 331-340.
    .. [2] R. A. Boyles, J. Qual. Technol. 23 (1991) 17-26.
    .. [3] ISO 22514-2, Process capability and performance of time-dependent process models.
    .. [4] B. Efron, J. Am. Stat. Assoc. 82 (1987) 171-185.

    Examples
    --------
    >>> assay = [99.6, 100.4, 99.9, 101.3, 99.8, 100.2, 100.6, 99.4, 100.9, 100.1]
    >>> found = capability(assay, lsl=95.0, usl=105.0)
    >>> round(found.ppk, 2), round(found.indices["ppk"].lower, 2), found.valid
    (2.69, 1.43, True)
    """
    check_choice("distribution", distribution, get_args(Distribution))
    confidence = check_real("confidence", confidence, above=0, below=1)
    spec = specification(lsl, usl, target)
    check_choice("limits", limits, get_args(Limits))
    risk = 1 - confidence
    grouped = _grouped(values, subgroups)
    x = check_vector("values", values, least=2) if grouped is None else grouped.values
    if np.ptp(x) == 0:
        msg = f"values must vary, but all {x.size} are {x[0]:g}; look at their resolution"
        raise InputError(msg)
    fit, candidates, not_fitted = _fitted(x, distribution)
    within: SigmaEstimate | None = None
    expected = {"overall": _expected_ppm(fit, spec)}
    if fit.name == "normal":
        within = _within(x, grouped, estimator)
        exact_risk = risk if limits == "analytic" else None
        indices = _normal_indices(x, within, spec, exact_risk)
        expected = {"within": _normal_ppm(x, within.value, spec)} | expected
    else:
        indices = _percentile_indices(fit, spec)
    if limits != "analytic":
        count = check_integer("n_resamples", n_resamples, least=_LEAST_RESAMPLES)
        _require_resamplable(fit)
        scaled = x if fit.name == "normal" else np.log(x)
        drawn = _draw(scaled, grouped, within, count, np.random.default_rng(random_state))
        indices = [_resampled(one, drawn, spec, risk, limits) for one in indices]
    n_signals = count_signals(x, grouped)
    return Capability(
        indices={index.name: index for index in indices},
        mean=float(x.mean()),
        sd=float(x.std(ddof=1)),
        within=within,
        ppm={"observed": _observed_ppm(x, spec), **expected},
        normality_a2=fit.a2,
        normality_p=fit.p,
        n_signals=n_signals,
        findings=findings(fit.p, n_signals, x.size, fit.name),
        values=x,
        lsl=spec.lsl,
        usl=spec.usl,
        target=spec.target,
        confidence=confidence,
        distribution=fit.name,
        fit=fit,
        candidates=candidates,
        not_fitted=not_fitted,
        units=units,
    )


def _grouped(values: Any, subgroups: ArrayLike | int | None) -> Subgroups | None:
    if subgroups is None and np.ndim(values) == 1:
        return None
    return as_subgroups(values, subgroups=subgroups)


def _within(x: NDArray[np.float64], grouped: Subgroups | None, how: Any) -> SigmaEstimate:
    if grouped is None:
        return sigma_of_individuals(x, estimator=how or "mr_bar")
    return sigma_of_subgroups(grouped, estimator=how or "pooled")


def _normal_indices(
    x: NDArray[np.float64], within: SigmaEstimate, spec: Specification, risk: float | None
) -> list[CapabilityIndex]:
    mean, sd = float(x.mean()), float(x.std(ddof=1))
    n, nu = x.size, within.freedom
    found = _family("cp", mean, within.value, within.value * unbiasing(nu), n, nu, spec, risk)
    found += _family("pp", mean, sd, sd, n, n - 1.0, spec, risk)
    if spec.target is not None and spec.lsl is not None and spec.usl is not None:
        off = (mean - spec.target) / sd
        cpm = (spec.usl - spec.lsl) / (6 * sd * math.sqrt(1 + off**2))
        f = n * (1 + off**2) ** 2 / (1 + 2 * off**2)
        found.append(_index("cpm", cpm, by_chi2(cpm, f, risk), f, "chi2 (Boyles 1991)"))
    return found


def _family(
    name: str,
    mean: float,
    sigma: float,
    root: float,
    n: int,
    nu: float,
    spec: Specification,
    risk: float | None,
) -> list[CapabilityIndex]:
    """Return both one-sided indices, the smaller of them, and the potential.

    `root` is the standard deviation as a root of chi2 over nu, before it was made unbiased.
    `risk` is None where limits are found elsewhere.
    """
    found = []
    stem, bias = name[0] + "p", sigma / root
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


def _draw(
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


def _resampled(
    index: CapabilityIndex,
    drawn: dict[str, Moments],
    spec: Specification,
    risk: float,
    limits: Any,
) -> CapabilityIndex:
    if "lognormal" in drawn:
        moments = drawn["lognormal"]
        rule = percentile_formula(index.name, spec, lambda m, s, z: np.exp(m + z * s))
    else:
        moments = drawn["p" if index.name == "cpm" else index.name[0]]
        rule = formula(index.name, spec)
    lower, upper = bootstrap_limits(rule, moments, risk, limits)
    word = "percentiles" if limits == "bootstrap" else "BCa"
    method = f"{word} of {moments.resampled[0].size} resamples of {moments.name}"
    return dataclasses.replace(index, lower=lower, upper=upper, method=method)


def _fitted(
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


def _require_resamplable(fit: FittedDistribution) -> None:
    if fit.name not in {"normal", "lognormal"}:
        msg = (
            f"limits by resampling are for 'normal' and 'lognormal', not for {fit.name!r}; "
            "use limits='analytic'"
        )
        raise InputError(msg)


def _percentile_indices(fit: FittedDistribution, spec: Specification) -> list[CapabilityIndex]:
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


def _expected_ppm(fit: FittedDistribution, spec: Specification) -> dict[str, float]:
    # both by scores: a probability near 1 has no digits left for its complement
    score = {
        name: float(normal_scores(fit.name, fit.parameters, np.array([limit]))[0])
        for name, limit in (("lsl", spec.lsl), ("usl", spec.usl))
        if limit is not None
    }
    below = float(special.ndtr(score["lsl"])) if "lsl" in score else 0.0
    above = float(special.ndtr(-score["usl"])) if "usl" in score else 0.0
    return _per_million(below, above)


def _normal_ppm(x: NDArray[np.float64], sigma: float, spec: Specification) -> dict[str, float]:
    mean = float(x.mean())
    below = 0.0 if spec.lsl is None else float(special.ndtr((spec.lsl - mean) / sigma))
    above = 0.0 if spec.usl is None else float(special.ndtr((mean - spec.usl) / sigma))
    return _per_million(below, above)


def _observed_ppm(x: NDArray[np.float64], spec: Specification) -> dict[str, float]:
    below = 0.0 if spec.lsl is None else float(np.mean(x < spec.lsl))
    above = 0.0 if spec.usl is None else float(np.mean(x > spec.usl))
    return _per_million(below, above)


def _per_million(below: float, above: float) -> dict[str, float]:
    return {"below": 1e6 * below, "above": 1e6 * above, "total": 1e6 * (below + above)}
