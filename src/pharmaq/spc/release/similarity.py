"""Difference factor f1 and similarity factor f2 of dissolution profiles."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pharmaq._checks import check_choice, check_integer, check_real
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result
from pharmaq.spc.release._profiles import conditions, take_profiles, very_rapid
from pharmaq.spc.release._resampling import f2_of, interval, jackknifed_f2, resampled_f2

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from pharmaq.spc.release._profiles import Profiles

__all__ = ["BootstrapOptions", "SimilarityFactor", "f1", "f2"]

_ESTIMATORS = ("plain", "expected", "bias_corrected")
_INTERVALS = ("percentile", "bca")
_LIMITS = {"f1": 15.0, "f2": 50.0}


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class SimilarityFactor(Result):
    """f1 or f2 of two sets of dissolution profiles.

    Parameters
    ----------
    factor : {"f1", "f2"}
        Which factor.
    value : float
        The factor.
    similar : bool
        Whether the factor, or the lower limit if there is one, keeps `limit` **and** all
        conditions that are needed hold.
    limit : float
        15 at most for f1, 50 at least for f2.
    rule, estimator : str
        Which points were taken, and which estimator of f2.
    lower, upper : float or None
        Bootstrap limits.
    interval : {"percentile", "bca"} or None
        How they were found.
    confidence : float or None
        Two-sided confidence of the limits.
    n_resamples, n_undefined : int
        Resamples, and those in which the estimator does not exist; they count as the largest.
    points : {"fixed", "resampled"} or None
        Whether each resample had the points of the data or chose its own.
    conditions : pandas.DataFrame
        ``condition, value, limit, held, needed``.
    times : ndarray
        All times, counted from 1 if none were given.
    used : ndarray of bool
        Times that entered.
    test_mean, reference_mean, test_sd, reference_sd : ndarray
        Means and standard deviations by time; NaN if only means were given.
    findings : tuple of Finding
        Conditions that do not hold, dissimilarity, and what else has to be known.
    """

    factor: str
    value: float
    similar: bool
    limit: float
    rule: str
    estimator: str
    lower: float | None
    upper: float | None
    interval: str | None
    confidence: float | None
    n_resamples: int
    n_undefined: int
    points: str | None
    conditions: pd.DataFrame
    times: NDArray[np.float64]
    used: NDArray[np.bool_]
    test_mean: NDArray[np.float64]
    reference_mean: NDArray[np.float64]
    test_sd: NDArray[np.float64]
    reference_sd: NDArray[np.float64]
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the conditions, a row each."""
        return self.conditions.copy()

    def plot(self, *, ax: Any = None) -> Any:
        """Draw both mean profiles with one standard deviation, and the points that entered.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.spc.release import plots

        return plots.plot_similarity(self, ax=ax)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BootstrapOptions:
    """How f2 is resampled.

    Parameters
    ----------
    n_resamples : int, default 10000
        Resamples of whole units, within each product.
    confidence : float, default 0.9
        Two-sided: the lower limit has 95 % by itself.
    points : {"fixed", "resampled"}, default "fixed"
        Points of the data for all resamples, or those that the rule takes in each.
    random_state : int or numpy.random.Generator, optional
        Seed.
    """

    n_resamples: int = 10_000
    confidence: float = 0.9
    points: Literal["fixed", "resampled"] = "fixed"
    random_state: int | np.random.Generator | None = None

    def __post_init__(self) -> None:
        check_integer("n_resamples", self.n_resamples, least=100)
        check_real("confidence", self.confidence, above=0, below=1)
        check_choice("points", self.points, ("fixed", "resampled"))


def f1(
    test: ArrayLike,
    reference: ArrayLike,
    *,
    times: Sequence[float] | None = None,
    rule: Literal["ema", "fda", "who", "all"] = "ema",
) -> SimilarityFactor:
    """Return the difference factor f1 of two sets of profiles [1]_.

    Parameters
    ----------
    test, reference : array-like, shape (n_units, n_times) or (n_times,)
        Amounts dissolved, % of label claim; means alone leave the conditions open. Columns of
        frames that are numbers name the times. NaN raises.
    times : sequence of float, optional
        Times, in minutes for ``"fda"`` and ``"who"``; a point at 0 never enters.
    rule : {"ema", "fda", "who", "all"}, default "ema"
        Which points enter; see `f2`.

    Returns
    -------
    SimilarityFactor
        f1, at most 15 for similar profiles, with conditions.

    Raises
    ------
    InputError
        If shapes do not fit, times do not rise, or the reference does not dissolve.

    Notes
    -----
    f1 = 100 sum abs(R - T) / sum R, of mean profiles. It is not symmetric.

    References
    ----------
    .. [1] J. W. Moore, H. H. Flanner, Pharm. Technol. 20 (1996) 64-74.

    Examples
    --------
    >>> found = f1([25, 51, 74, 90], [27, 55, 78, 92], rule="all")
    >>> round(found.value, 2)
    4.76
    """
    profiles = take_profiles(test, reference, times, rule)
    t, r = (units.mean(axis=0) for units in profiles.chosen())
    if np.sum(r) <= 0:
        msg = "reference must dissolve at some time: the sum of its means is 0 or less"
        raise InputError(msg)
    value = float(100 * np.sum(np.abs(r - t)) / np.sum(r))
    return _result("f1", value, profiles, rule, {"estimator": "plain"})


def f2(
    test: ArrayLike,
    reference: ArrayLike,
    *,
    times: Sequence[float] | None = None,
    rule: Literal["ema", "fda", "who", "all"] = "ema",
    estimator: Literal["plain", "expected", "bias_corrected"] = "plain",
    interval: Literal["percentile", "bca"] | None = None,
    bootstrap: BootstrapOptions | None = None,
) -> SimilarityFactor:
    """Return the similarity factor f2 of two sets of profiles, with its conditions [1]_ [2]_.

    Parameters
    ----------
    test, reference : array-like, shape (n_units, n_times) or (n_times,)
        Amounts dissolved, % of label claim; means alone leave the conditions open. Columns of
        frames that are numbers name the times. NaN raises.
    times : sequence of float, optional
        Times, in minutes for ``"fda"`` and ``"who"``; a point at 0 never enters.
    rule : {"ema", "fda", "who", "all"}, default "ema"
        Points enter up to and with the first at which a mean is above 85 %: that of either
        product (EMA 2010), of both (FDA 1997 as written), of the reference (WHO 2017); all
        points. CV may be 20 % at the first point (EMA), to 15 (FDA) or 10 minutes (WHO), and
        10 % later.
    estimator : {"plain", "expected", "bias_corrected"}, default "plain"
        f2 of the means; its approximate expectation; f2 with the bias taken off [3]_.
    interval : {"percentile", "bca"}, optional
        Bootstrap limits of f2; conditions on CV are then not needed, the lower limit decides.
    bootstrap : BootstrapOptions, optional
        Number of resamples, confidence, points, seed.

    Returns
    -------
    SimilarityFactor
        f2, at least 50 for similar profiles, with conditions.

    Raises
    ------
    InputError
        If shapes do not fit, times do not rise, an interval is asked of means alone, or the
        bias outweighs the difference.

    Notes
    -----
    f2 = 100 - 25 log10(1 + D), where D is the mean over P times of (R - T)^2, and plus
    (``"expected"``) or minus (``"bias_corrected"``) (s_T^2 / n_T + s_R^2 / n_R). This is
    50 log10(100 / sqrt(1 + D)).

    References
    ----------
    .. [1] EMA, Guideline on the investigation of bioequivalence, 2010, appendix I.
    .. [2] FDA, Dissolution testing of immediate release solid oral dosage forms, 1997.
    .. [3] V. P. Shah, Y. Tsong, P. Sathe, J.-P. Liu, Pharm. Res. 15 (1998) 889-896.

    Examples
    --------
    >>> found = f2([25, 51, 74, 90], [27, 55, 78, 92], rule="all")
    >>> round(found.value, 1)
    73.9
    """
    check_choice("estimator", estimator, _ESTIMATORS)
    profiles = take_profiles(test, reference, times, rule)
    if profiles.means_only and (interval is not None or estimator != "plain"):
        msg = "units by time are needed for an interval or a corrected f2, got means alone"
        raise InputError(msg)
    value = f2_of(*profiles.chosen(), estimator)
    if np.isnan(value):
        msg = (
            "estimator='bias_corrected' does not exist here: the variance of the means is "
            "larger than their squared differences plus 1; use 'expected' or 'plain'"
        )
        raise InputError(msg)
    extra: dict[str, Any] = {"estimator": estimator}
    if interval is not None:
        check_choice("interval", interval, _INTERVALS)
        options = bootstrap if bootstrap is not None else BootstrapOptions()
        extra |= _limits(profiles, value, estimator, interval, options, rule)
    return _result("f2", value, profiles, rule, extra)


def _limits(
    profiles: Profiles,
    value: float,
    estimator: str,
    method: str,
    options: BootstrapOptions,
    rule: str,
) -> dict[str, Any]:
    rng = np.random.default_rng(options.random_state)
    reselect = rule if options.points == "resampled" else None
    values = resampled_f2(profiles, estimator, options.n_resamples, rng, reselect)
    undefined = np.isnan(values)
    values[undefined] = np.nanmax(values, initial=value)
    jackknifed = jackknifed_f2(*profiles.chosen(), estimator)
    low, high = interval(values, value, jackknifed, options.confidence, method)
    return {
        "estimator": estimator,
        "lower": low,
        "upper": high,
        "interval": method,
        "confidence": options.confidence,
        "n_resamples": options.n_resamples,
        "n_undefined": int(undefined.sum()),
        "points": options.points,
    }


def _result(
    factor: str, value: float, profiles: Profiles, rule: str, extra: dict[str, Any]
) -> SimilarityFactor:
    lower = extra.get("lower")
    table = conditions(profiles, rule, averaged=lower is None)
    limit = _LIMITS[factor]
    decides = value if lower is None else lower
    close = decides <= limit if factor == "f1" else decides >= limit
    valid = bool(table["held"][table["needed"]].all())
    missing = {"lower": None, "upper": None, "interval": None, "confidence": None}
    spread = (
        np.full(profiles.times.size, np.nan) if len(units) == 1 else units.std(axis=0, ddof=1)
        for units in (profiles.test, profiles.reference)
    )
    test_sd, reference_sd = spread
    return SimilarityFactor(
        **{**missing, "n_resamples": 0, "n_undefined": 0, "points": None, **extra},
        factor=factor,
        value=value,
        similar=bool(close) and valid,
        limit=limit,
        rule=rule,
        conditions=table,
        times=profiles.times,
        used=profiles.used,
        test_mean=profiles.test.mean(axis=0),
        reference_mean=profiles.reference.mean(axis=0),
        test_sd=test_sd,
        reference_sd=reference_sd,
        findings=_findings(factor, decides, bool(close), table, profiles, extra),
    )


def _findings(
    factor: str,
    decides: float,
    close: bool,
    table: pd.DataFrame,
    profiles: Profiles,
    extra: dict[str, Any],
) -> tuple[Finding, ...]:
    found = []
    what = factor if extra.get("lower") is None else f"lower limit of {factor}"
    if not close:
        word = "above" if factor == "f1" else "below"
        limit = _LIMITS[factor]
        message = (
            f"the profiles are not shown to be similar: {what} is {decides:.4g}, {word} "
            f"{limit:g}"
        )
        found.append(_finding(factor, "action", message, decides, limit))
    broken = table[~table["held"] & table["needed"]]
    for name, number, rule in zip(
        broken["condition"], broken["value"].astype(float), broken["limit"], strict=True
    ):
        state = "not known" if np.isnan(number) else f"{number:.4g}"
        message = f"{name}: {state}, has to be {rule} for {factor} to be used"
        found.append(_finding("conditions", "alert", message, number, None))
    if very_rapid(profiles):
        message = (
            "both products dissolve to more than 85 % in 15 minutes: they count as similar "
            f"without {factor}"
        )
        found.append(_finding("very_rapid", "info", message, None, None))
    if extra.get("n_undefined"):
        message = (
            f"{extra['n_undefined']} of {extra['n_resamples']} resamples have no "
            "bias-corrected f2; they count as the largest"
        )
        found.append(_finding("undefined", "alert", message, None, None))
    return tuple(found)


def _finding(
    rule: str,
    severity: Literal["info", "alert", "action"],
    message: str,
    value: float | None,
    limit: float | None,
) -> Finding:
    return Finding(
        rule=rule,
        severity=severity,
        subject="dissolution profiles",
        message=message,
        value=value,
        limit=limit,
    )
