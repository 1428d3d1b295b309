"""Capability of a process with one or two specification limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from pharmaq._checks import check_choice, check_integer, check_real, check_vector
from pharmaq.errors import InputError
from pharmaq.spc.capability._between import BetweenWithin, between_within
from pharmaq.spc.capability._formulas import specification
from pharmaq.spc.capability._limits import unbiasing
from pharmaq.spc.capability._normal import Spread, normal_indices
from pharmaq.spc.capability._percentiles import fitted, percentile_indices
from pharmaq.spc.capability._ppm import expected_ppm, normal_ppm, observed_ppm
from pharmaq.spc.capability._resample import draw, require_resamplable, resampled
from pharmaq.spc.capability._result import Capability
from pharmaq.spc.capability._stability import judge
from pharmaq.spc.sigma import (
    MovingRangeEstimator,
    SigmaEstimate,
    SubgroupEstimator,
    sigma_of_individuals,
    sigma_of_subgroups,
)
from pharmaq.spc.subgroups import Subgroups, as_subgroups, holds_rows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["capability"]

Distribution = Literal["normal", "lognormal", "weibull", "gamma", "boxcox", "johnson", "best"]
Limits = Literal["analytic", "bootstrap", "bca", "expanded"]
Variation = Literal["within", "between_within"]

_LEAST_RESAMPLES = 100


def capability(  # noqa: PLR0913 - a specification is three of them
    values: ArrayLike,
    *,
    lsl: float | None = None,
    usl: float | None = None,
    target: float | None = None,
    subgroups: ArrayLike | int | None = None,
    estimator: SubgroupEstimator | MovingRangeEstimator | None = None,
    variation: Variation = "within",
    between_estimator: MovingRangeEstimator = "mr_bar",
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
    variation : {"within", "between_within"}, default "within"
        What Cp and Cpk take for the variation that cannot be helped: that within subgroups, or
        that between subgroups too, as where a machine is set up anew for each [5]_.
    between_estimator : str, default "mr_bar"
        For ``"between_within"``: how the standard deviation of means of subgroups is
        estimated from one to the next, see `sigma_of_individuals`.
    distribution : str, default "normal"
        ``"lognormal"``, ``"weibull"``, ``"gamma"``, ``"boxcox"``, ``"johnson"``: Pp and Ppk
        by the percentiles 0.135 %, 50 % and 99.865 % of the distribution [3]_ that
        `fit_distribution` fits, without Cp and Cpk. ``"best"``: the one of all, normal
        included, with the smallest Anderson-Darling A^2; the others stand in `candidates`.
        Limits of ``"lognormal"`` are by resampling only, of others there are none.
    confidence : float, default 0.95
        Of the two-sided limits.
    limits : {"analytic", "bootstrap", "bca", "expanded"}, default "analytic"
        ``"bootstrap"``: percentiles of resamples; ``"bca"``: those corrected for bias and
        skewness [4]_; ``"expanded"``: the same with levels for the number of units [8]_, the
        best of the three for few. They do not need normal values, but many: of 20 to 50 values
        or ten subgroups 95 % limits hold 85 to 93 %, expanded ones 91 to 96 %. Single values
        are drawn one by one for overall indices, in blocks of neighbours for moving ranges;
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
        a point or a spread lies beyond limits that a stable process keeps with 97.5 % for all
        points together, the mean changes for good (largest t of all splits, 2.5 %; from six
        values or subgroups on), the distribution does not fit (Anderson-Darling, 5 %), or
        there are too few values to tell.

    Raises
    ------
    InputError
        If no limit is given, limits are in the wrong order, the target lies outside, values
        do not vary, or ``"between_within"`` is asked of single values, of a distribution that
        is not normal, or with limits by resampling.

    Notes
    -----
    Each index has the degrees of freedom of its own standard deviation: n - 1 for Pp and Ppk,
    those of the estimator for Cp and Cpk. Cp, Pp: chi2, exact for ``"pooled"`` and the overall
    standard deviation, for ranges by Patnaik's approximation. Cpl, Cpu, Ppl, Ppu: noncentral t.
    Cpk, Ppk: index -+ z sqrt(1 / (9 n) + index^2 / (2 f)) [1]_. Cpm, with a = (mean - target) /
    sd: chi2 with n (1 + a^2)^2 / (1 + 2 a^2) degrees of freedom [2]_.

    ``"between_within"``: sigma_between^2 = sigma_means^2 - sigma_within^2 mean(1 / n_i), at
    least 0, and Cp, Cpk by the root of sigma_between^2 + sigma_within^2, as in Minitab for
    subgroups of one size. Its degrees of freedom, and those of Pp, Ppk and Cpm, are then
    Satterthwaite's, and the mean is as sure as `between.n_effective` independent values make
    it. That means differ is then no sign of an unstable process as long as they follow their
    own moving ranges, and normality is tested of the means, which are independent.

    Change of the mean: the largest abs(t) of all splits in two [6]_, with its probability by
    [7]_, from the means of subgroups where there are any.

    References
    ----------
    .. [1] A. F. Bissell, Appl. Stat. 39 (1990) 331-340.
    .. [2] R. A. Boyles, J. Qual. Technol. 23 (1991) 17-26.
    .. [3] ISO 22514-2, Process capability and performance of time-dependent process models.
    .. [4] B. Efron, J. Am. Stat. Assoc. 82 (1987) 171-185.
    .. [5] Minitab, Methods and formulas for between/within capability analysis.
    .. [6] K. J. Worsley, J. Am. Stat. Assoc. 74 (1979) 365-367.
    .. [7] B. James, K. L. James, D. Siegmund, Biometrika 74 (1987) 71-83.
    .. [8] T. C. Hesterberg, Am. Stat. 69 (2015) 371-386.

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
    x, grouped = _read(values, subgroups)
    fit, candidates, not_fitted = fitted(x, distribution)
    within: SigmaEstimate | None = None
    both: BetweenWithin | None = None
    expected = {"overall": expected_ppm(fit, spec)}
    _check_variation(variation, grouped, fit.name, limits)
    if fit.name == "normal":
        within = _within(x, grouped, estimator)
        if grouped is not None and variation == "between_within":
            both = between_within(grouped, within, between_estimator)
        short, overall = _spreads(x, within, both)
        mean, known = float(x.mean()), risk if limits == "analytic" else None
        indices = normal_indices(mean, short, overall, spec, known)
        expected = {variation: normal_ppm(mean, short.sigma, spec)} | expected
    else:
        indices = percentile_indices(fit, spec)
    if limits != "analytic":
        count = check_integer("n_resamples", n_resamples, least=_LEAST_RESAMPLES)
        require_resamplable(fit)
        scaled = x if fit.name == "normal" else np.log(x)
        drawn = draw(scaled, grouped, within, count, np.random.default_rng(random_state))
        indices = [resampled(one, drawn, spec, risk, limits) for one in indices]
    verdict = judge(x, grouped, both, fit)
    return Capability(
        indices={index.name: index for index in indices},
        mean=float(x.mean()),
        sd=float(x.std(ddof=1)),
        within=within,
        between=both,
        variation=variation,
        ppm={"observed": observed_ppm(x, spec), **expected},
        normality_a2=verdict.a2,
        normality_p=verdict.p,
        n_signals=verdict.n_signals,
        shift=verdict.shift,
        findings=verdict.findings,
        values=x,
        subgroup_sizes=None if grouped is None else grouped.sizes,
        subgroup_labels=None if grouped is None else grouped.labels,
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


def _check_variation(variation: Any, grouped: Subgroups | None, name: str, limits: str) -> None:
    check_choice("variation", variation, get_args(Variation))
    if variation == "within":
        return
    reason = None
    if grouped is None:
        reason = "subgroups, but values are single ones"
    elif name != "normal":
        reason = f"normal values, but distribution is {name!r}"
    elif limits != "analytic":
        reason = f"limits by formulas, but limits is {limits!r}"
    if reason is not None:
        msg = f"variation='between_within' needs {reason}; use variation='within'"
        raise InputError(msg)


def _read(
    values: Any, subgroups: ArrayLike | int | None
) -> tuple[NDArray[np.float64], Subgroups | None]:
    grouped = None
    if subgroups is not None or holds_rows(values):
        grouped = as_subgroups(values, subgroups=subgroups)
    x = check_vector("values", values, least=2) if grouped is None else grouped.values
    if np.ptp(x) == 0:
        msg = f"values must vary, but all {x.size} are {x[0]:g}; look at their resolution"
        raise InputError(msg)
    return x, grouped


def _within(x: NDArray[np.float64], grouped: Subgroups | None, how: Any) -> SigmaEstimate:
    if grouped is None:
        return sigma_of_individuals(x, estimator=how or "mr_bar")
    return sigma_of_subgroups(grouped, estimator=how or "pooled")


def _spreads(
    x: NDArray[np.float64], within: SigmaEstimate, both: BetweenWithin | None
) -> tuple[Spread, Spread]:
    """Return the short-term and the overall standard deviation."""
    sd = float(x.std(ddof=1))
    if both is None:
        root = within.value * unbiasing(within.freedom)
        short = Spread(within.value, root, within.freedom, x.size)
        return short, Spread(sd, sd, x.size - 1.0, x.size)
    total, n = both.sigma_total, both.n_effective
    return Spread(total, total, both.freedom, n), Spread(sd, sd, both.freedom_overall, n)
