"""Capability of a process with one or two specification limits."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from scipy import special

from pharmaq._checks import check_choice, check_integer, check_real, check_vector
from pharmaq.errors import InputError
from pharmaq.results import Finding
from pharmaq.spc.capability._bootstrap import (
    Moments,
    bootstrap_limits,
    overall_moments,
    within_moments,
)
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
from pharmaq.spc.inference import anderson_darling
from pharmaq.spc.sigma import (
    MovingRangeEstimator,
    SigmaEstimate,
    SubgroupEstimator,
    moving_ranges,
    sigma_of_individuals,
    sigma_of_subgroups,
)
from pharmaq.spc.subgroups import Subgroups, as_subgroups

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["capability"]

Distribution = Literal["normal", "lognormal"]
Limits = Literal["analytic", "bootstrap", "bca"]

_LEVEL = 0.05
_LEAST_FOR_NORMALITY = 8
_LEAST_RESAMPLES = 100
# probability of a normal distribution within three standard deviations
_THREE_SIGMA = 3.0


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
    distribution : {"normal", "lognormal"}, default "normal"
        ``"lognormal"``: Pp and Ppk by the percentiles 0.135 %, 50 % and 99.865 % of the fitted
        distribution [3]_, without Cp and Cpk, and with limits by resampling only.
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
    within: SigmaEstimate | None = None
    if distribution == "normal":
        within = _within(x, grouped, estimator)
        exact_risk = risk if limits == "analytic" else None
        indices = _normal_indices(x, within, spec, exact_risk)
        expected = {
            "within": _normal_ppm(x, within.value, spec),
            "overall": _normal_ppm(x, float(x.std(ddof=1)), spec),
        }
        scaled = x
    else:
        scaled = _logarithms(x)
        indices = _percentile_indices(scaled, spec)
        expected = {"overall": _lognormal_ppm(scaled, spec)}
    if limits != "analytic":
        count = check_integer("n_resamples", n_resamples, least=_LEAST_RESAMPLES)
        drawn = _draw(scaled, grouped, within, count, np.random.default_rng(random_state))
        indices = [_resampled(one, drawn, spec, risk, limits) for one in indices]
    tested = anderson_darling(scaled) if x.size >= _LEAST_FOR_NORMALITY else None
    p = None if tested is None else tested.p
    n_signals = _count_signals(x, grouped)
    return Capability(
        indices={index.name: index for index in indices},
        mean=float(x.mean()),
        sd=float(x.std(ddof=1)),
        within=within,
        ppm={"observed": _observed_ppm(x, spec), **expected},
        normality_a2=None if tested is None else tested.statistic,
        normality_p=p,
        n_signals=n_signals,
        findings=_findings(p, n_signals, x.size, distribution),
        values=x,
        lsl=spec.lsl,
        usl=spec.usl,
        target=spec.target,
        confidence=confidence,
        distribution=distribution,
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


def _percentile_indices(
    logs: NDArray[np.float64], spec: Specification
) -> list[CapabilityIndex]:
    mean, sd = float(logs.mean()), float(logs.std(ddof=1))
    low, middle, high = (math.exp(mean + z * sd) for z in (-_THREE_SIGMA, 0, _THREE_SIGMA))
    found = {}
    if spec.lsl is not None and spec.usl is not None:
        found["pp"] = (spec.usl - spec.lsl) / (high - low)
    if spec.lsl is not None:
        found["ppl"] = (middle - spec.lsl) / (middle - low)
    if spec.usl is not None:
        found["ppu"] = (spec.usl - middle) / (high - middle)
    found["ppk"] = min(found[name] for name in ("ppl", "ppu") if name in found)
    return [
        CapabilityIndex(
            name=name,
            value=value,
            lower=None,
            upper=None,
            freedom=logs.size - 1.0,
            method="percentiles of ISO 22514-2, no limits",
        )
        for name, value in found.items()
    ]


def _logarithms(x: NDArray[np.float64]) -> NDArray[np.float64]:
    bad = np.flatnonzero(x <= 0)
    if bad.size:
        i = int(bad[0])
        msg = f"values must be above 0 for 'lognormal', but values[{i}] is {x[i]:g}"
        raise InputError(msg)
    return np.log(x)


def _normal_ppm(x: NDArray[np.float64], sigma: float, spec: Specification) -> dict[str, float]:
    mean = float(x.mean())
    below = 0.0 if spec.lsl is None else float(special.ndtr((spec.lsl - mean) / sigma))
    above = 0.0 if spec.usl is None else float(special.ndtr((mean - spec.usl) / sigma))
    return _per_million(below, above)


def _lognormal_ppm(logs: NDArray[np.float64], spec: Specification) -> dict[str, float]:
    low, high = (None if v is None or v <= 0 else math.log(v) for v in (spec.lsl, spec.usl))
    found = _normal_ppm(logs, float(logs.std(ddof=1)), Specification(low, high, None))
    if spec.usl is not None and spec.usl <= 0:
        found = _per_million(found["below"] / 1e6, 1.0)
    return found


def _observed_ppm(x: NDArray[np.float64], spec: Specification) -> dict[str, float]:
    below = 0.0 if spec.lsl is None else float(np.mean(x < spec.lsl))
    above = 0.0 if spec.usl is None else float(np.mean(x > spec.usl))
    return _per_million(below, above)


def _per_million(below: float, above: float) -> dict[str, float]:
    return {"below": 1e6 * below, "above": 1e6 * above, "total": 1e6 * (below + above)}


def _count_signals(x: NDArray[np.float64], grouped: Subgroups | None) -> int:
    """Count points beyond limits that all points of a stable process keep with 95 %."""
    if grouped is None:
        sigma = sigma_of_individuals(x).value
        location = np.abs(x - x.mean()) / sigma
        # a moving range is the size of a normal variable with twice the variance
        jumps = moving_ranges(x) / (math.sqrt(2) * sigma)
        spread = 2 * special.ndtr(-jumps)
    else:
        sigma = sigma_of_subgroups(grouped).value
        root = np.sqrt(grouped.sizes)
        location = np.abs(grouped.means - x.mean()) * root / sigma
        freedom = grouped.sizes.astype(np.float64) - 1
        spread = special.chdtrc(freedom, freedom * (grouped.deviations / sigma) ** 2)
    # half the risk for location, half for spread, shared by all points of each
    per_point = [-math.expm1(math.log1p(-_LEVEL / 2) / p.size) for p in (location, spread)]
    far = 2 * special.ndtr(-location) < per_point[0]
    return int(far.sum() + np.sum(spread < per_point[1]))


def _findings(p: float | None, n_signals: int, n: int, name: str) -> tuple[Finding, ...]:
    found = []
    if n_signals:
        message = (
            f"{n_signals} points or spreads are beyond the limits of a stable process: it is "
            "not shown to be stable, and its indices say nothing of what comes next"
        )
        found.append(_alert("stability", message, float(n_signals), 0.0))
    if p is None:
        message = f"{n} values are too few to see whether the distribution is {name}"
        found.append(_alert("sample_size", message, float(n), float(_LEAST_FOR_NORMALITY)))
    elif p < _LEVEL:
        message = f"the values are not {name} (Anderson-Darling, p = {p:.2g})"
        found.append(_alert("distribution", message, p, _LEVEL))
    return tuple(found)


def _alert(rule: str, message: str, value: float, limit: float) -> Finding:
    return Finding(
        rule=rule,
        severity="alert",
        subject="capability",
        message=message,
        value=value,
        limit=limit,
    )
