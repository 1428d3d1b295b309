"""Alert and action levels of environmental and bioburden counts."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy import special, stats

from pharmaq._checks import check_choice, check_real, check_vector
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result
from pharmaq.spc.environment._models import (
    MODELS,
    CountFit,
    draws,
    fit_counts,
    goodness_of_fit,
    pmf,
    quantile,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["CountLevels", "alert_action_levels"]

_CRITERIA = ("aic", "bic")
_DRAWS = 2000
_FEW = 50
_LEVEL = 0.05


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class CountLevels(Result):
    """Alert and action level of counts.

    Parameters
    ----------
    alert_level, action_level : int
        Largest counts that are not exceeded with a chance of `alert` and `action`; a count
        **above** is an excursion.
    alert_lower, alert_upper, action_lower, action_upper : float
        Confidence limits of both levels; NaN or infinite where the data do not give them.
    alert, action : float
        Chances of staying at or below the levels.
    model : str
        Distribution that the levels come from, or ``"quantile"``.
    chosen_by : str
        ``"user"``, or the criterion that picked the model.
    mean, size, zeros : float
        Its parameters: mean and size of the counting part (size is infinite for Poisson), and
        share of extra zeros; NaN for ``"quantile"``.
    fits : pandas.DataFrame
        All models that could be fitted: ``model, mean, size, zeros, log_likelihood,
        n_parameters, aic, bic, p_fit, alert_level, action_level``.
    dispersion, p_dispersion : float
        Variance over mean, and one-sided p against Poisson.
    p_zeros : float
        p of the score test for more zeros than Poisson counts have.
    recovery_rate, recovery_lower, recovery_upper : float
        Share of samples with growth, and its exact confidence limits.
    confidence : float
        Of all limits.
    counts : ndarray
        The counts.
    expected : ndarray
        Expected numbers of 0, 1, ... by the model; empty for ``"quantile"``.
    findings : tuple of Finding
        Doubts about the model, and counts above the levels.
    """

    alert_level: int
    action_level: int
    alert_lower: float
    alert_upper: float
    action_lower: float
    action_upper: float
    alert: float
    action: float
    model: str
    chosen_by: str
    mean: float
    size: float
    zeros: float
    fits: pd.DataFrame
    dispersion: float
    p_dispersion: float
    p_zeros: float
    recovery_rate: float
    recovery_lower: float
    recovery_upper: float
    confidence: float
    counts: NDArray[np.int64]
    expected: NDArray[np.float64]
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return all models with their levels, a row each."""
        return self.fits.copy()

    def plot(self, *, ax: Any = None) -> Any:
        """Draw how often each count was found and is expected, with both levels.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.spc.environment import plots

        return plots.plot_levels(self, ax=ax)


def alert_action_levels(
    counts: ArrayLike,
    *,
    alert: float = 0.95,
    action: float = 0.99,
    model: str = "best",
    criterion: Literal["aic", "bic"] = "bic",
    confidence: float = 0.95,
    random_state: int | np.random.Generator | None = 0,
) -> CountLevels:
    """Derive alert and action levels from counts of a stable period [1]_ [2]_.

    Parameters
    ----------
    counts : array-like, shape (n,)
        Colony-forming units, or other counts, of samples of one size; whole numbers from 0 on.
        The index of a Series names them in findings. NaN raises.
    alert, action : float, default 0.95 and 0.99
        Chances with which a count stays at or below the levels.
    model : str, default "best"
        ``"poisson"``, ``"negative_binomial"``, ``"zero_inflated_poisson"``,
        ``"zero_inflated_nb"``, ``"quantile"`` for none at all, or ``"best"``: the distribution
        with the smallest `criterion`.
    criterion : {"aic", "bic"}, default "bic"
        How the best one is found.
    confidence : float, default 0.95
        Of the limits of levels and of the recovery rate.
    random_state : int or numpy.random.Generator, default 0
        Seed of the limits of levels from a distribution.

    Returns
    -------
    CountLevels
        Levels with limits, all fits, tests, findings.

    Raises
    ------
    InputError
        If counts are not whole or negative, fewer than 5, or the model cannot be fitted.

    Notes
    -----
    Levels are quantiles: the smallest count k with P(X <= k) >= `alert`. Distributions are
    fitted by maximum likelihood; a negative binomial has variance mean + mean^2 / size, and
    with extra zeros P(0) = zeros + (1 - zeros) p(0). Limits of levels are quantiles over
    parameters drawn from their asymptotic distribution, or order statistics for ``"quantile"``.
    Levels are not limits of safety: those of the regulation stay as they are.

    References
    ----------
    .. [1] H. Yang, W. Zhao, T. O'Day, W. Fleming, PDA J. Pharm. Sci. Technol. 67 (2013) 2-8.
    .. [2] PDA Technical Report 13; USP <1116>.

    Examples
    --------
    >>> counts = [0] * 70 + [1] * 38 + [2] * 17 + [3] * 10 + [4] * 9 + [5] * 3 + [6] * 2 + [7]
    >>> found = alert_action_levels(counts)
    >>> print(found.model, found.alert_level, found.action_level)
    negative_binomial 4 7
    """
    x, labels = _whole(counts)
    alert, action = (
        check_real(name, value, above=0, below=1)
        for name, value in (("alert", alert), ("action", action))
    )
    if alert >= action:
        msg = f"action must be larger than alert, got {action:g} and {alert:g}"
        raise InputError(msg)
    check_choice("model", model, ("best", "quantile", *MODELS))
    check_choice("criterion", criterion, _CRITERIA)
    confidence = check_real("confidence", confidence, above=0, below=1)
    fits = fit_counts(x)
    table = _table(fits, x, (alert, action))
    best = str(table["model"].iloc[int(np.argmin(table[criterion]))])
    name = best if model == "best" else model
    if name != "quantile" and name not in fits:
        msg = (
            f"model={name!r} cannot be fitted: the counts vary too little, or have too few "
            f"zeros, for it; these can: {', '.join(fits)}"
        )
        raise InputError(msg)
    fit = fits.get(name)
    rng = np.random.default_rng(random_state)
    levels = [_level(x, fit, chance, confidence, rng) for chance in (alert, action)]
    tests = _tests(x)
    return CountLevels(
        alert_level=int(levels[0][0]),
        action_level=int(levels[1][0]),
        alert_lower=levels[0][1],
        alert_upper=levels[0][2],
        action_lower=levels[1][1],
        action_upper=levels[1][2],
        alert=alert,
        action=action,
        model=name,
        chosen_by=criterion if model == "best" else "user",
        mean=math.nan if fit is None else fit.mean,
        size=math.nan if fit is None else fit.size,
        zeros=math.nan if fit is None else fit.zeros,
        fits=table,
        **tests,
        **_recovery(x, confidence),
        confidence=confidence,
        counts=x,
        expected=np.empty(0) if fit is None else x.size * pmf(fit, np.arange(x.max() + 1.0)),
        findings=_findings(x, labels, name, table, tests, [int(level[0]) for level in levels]),
    )


def _whole(counts: ArrayLike) -> tuple[NDArray[np.int64], list[str]]:
    x = check_vector("counts", counts, least=5)
    bad = np.flatnonzero((x < 0) | (x != np.round(x)))
    if bad.size:
        i = int(bad[0])
        msg = (
            f"counts must be whole numbers from 0 on, but counts[{i}] is {x[i]:g}: give counts "
            "of samples as found, not rates"
        )
        raise InputError(msg)
    index = counts.index if isinstance(counts, pd.Series) else range(x.size)
    return x.astype(np.int64), [str(label) for label in index]


def _table(
    fits: dict[str, CountFit], x: NDArray[np.int64], chances: tuple[float, float]
) -> pd.DataFrame:
    rows = []
    for fit in fits.values():
        numbers = (np.array(v) for v in (fit.mean, fit.size, fit.zeros))
        mean, size, zeros = numbers
        levels = [int(quantile(chance, mean, size, zeros)) for chance in chances]
        rows.append(
            {
                **fit._asdict(),
                "n_parameters": fit.n_parameters,
                "aic": 2 * fit.n_parameters - 2 * fit.log_likelihood,
                "bic": math.log(x.size) * fit.n_parameters - 2 * fit.log_likelihood,
                "p_fit": goodness_of_fit(fit, x),
                "alert_level": levels[0],
                "action_level": levels[1],
            }
        )
    return pd.DataFrame(rows)


def _level(
    x: NDArray[np.int64],
    fit: CountFit | None,
    chance: float,
    confidence: float,
    rng: np.random.Generator,
) -> tuple[float, float, float]:
    """Return a level and its confidence limits."""
    tails = ((1 - confidence) / 2, (1 + confidence) / 2)
    if fit is None:
        return _order_statistics(x, chance, tails)
    value = float(quantile(chance, *(np.array(v) for v in (fit.mean, fit.size, fit.zeros))))
    drawn = draws(fit, x, _DRAWS, rng)
    if drawn is None:
        if fit.mean > 0:
            return value, math.nan, math.nan
        # no growth at all: the upper limit of a Poisson mean is -log(tail) / n
        upper = quantile(chance, np.array(-math.log(tails[0]) / x.size), *_POISSON)
        return value, 0.0, float(upper)
    low, high = np.quantile(quantile(chance, *drawn), tails, method="inverted_cdf")
    return value, float(low), float(high)


_POISSON = (np.array(np.inf), np.array(0.0))


def _order_statistics(
    x: NDArray[np.int64], chance: float, tails: tuple[float, float]
) -> tuple[float, float, float]:
    """Return a quantile and its limits by the binomial distribution of ranks."""
    ranked = np.sort(x).astype(np.float64)
    low, high = (int(stats.binom.ppf(tail, x.size, chance)) for tail in tails)
    value = float(np.quantile(ranked, chance, method="inverted_cdf"))
    upper = ranked[high] if high < x.size else math.inf
    return value, float(ranked[max(low - 1, 0)]), float(upper)


def _tests(x: NDArray[np.int64]) -> dict[str, float]:
    """Return the index of dispersion and the score test of zeros (van den Broek 1995)."""
    n, mean = x.size, float(x.mean())
    if mean == 0:
        return {"dispersion": math.nan, "p_dispersion": math.nan, "p_zeros": math.nan}
    dispersion = float(x.var(ddof=1)) / mean
    none = math.exp(-mean)
    excess = float(np.sum(x == 0)) - n * none
    variance = n * none * (1 - none - mean * none)
    score = excess / math.sqrt(variance)
    return {
        "dispersion": dispersion,
        "p_dispersion": float(special.chdtrc(n - 1, (n - 1) * dispersion)),
        "p_zeros": float(special.ndtr(-score)),
    }


def _recovery(x: NDArray[np.int64], confidence: float) -> dict[str, float]:
    n, grown = x.size, int(np.sum(x > 0))
    tail = (1 - confidence) / 2
    low = 0.0 if grown == 0 else float(special.betaincinv(grown, n - grown + 1, tail))
    high = 1.0 if grown == n else float(special.betaincinv(grown + 1, n - grown, 1 - tail))
    return {"recovery_rate": grown / n, "recovery_lower": low, "recovery_upper": high}


def _findings(
    x: NDArray[np.int64],
    labels: list[str],
    name: str,
    table: pd.DataFrame,
    tests: dict[str, float],
    levels: list[int],
) -> tuple[Finding, ...]:
    found = _doubts(x, name, table, tests)
    for i in np.flatnonzero(x > levels[0]):
        severe = bool(x[i] > levels[1])
        word, limit = ("action", levels[1]) if severe else ("alert", levels[0])
        found.append(
            Finding(
                rule=f"{word}_level",
                severity="action" if severe else "alert",
                subject=labels[int(i)],
                message=f"count {x[i]} is above the {word} level of {limit}",
                value=float(x[i]),
                limit=float(limit),
            )
        )
    return tuple(found)


def _doubts(
    x: NDArray[np.int64], name: str, table: pd.DataFrame, tests: dict[str, float]
) -> list[Finding]:
    doubts: list[tuple[str, str, float, float]] = []
    if x.size < _FEW:
        message = f"{x.size} counts are few for levels that one in a hundred exceeds"
        doubts.append(("sample_size", message, float(x.size), float(_FEW)))
    if not x.any():
        doubts.append(
            ("no_growth", "no sample shows growth: levels rest on no count", 0.0, 0.0)
        )
    if name == "poisson" and tests["p_dispersion"] < _LEVEL:
        message = (
            f"counts vary {tests['dispersion']:.2g} times as much as Poisson counts "
            f"(p = {tests['p_dispersion']:.2g}): its levels are too low"
        )
        doubts.append(("dispersion", message, tests["p_dispersion"], _LEVEL))
    p_fit = table.loc[table["model"] == name, "p_fit"]
    if len(p_fit) and float(p_fit.iloc[0]) < _LEVEL:
        message = (
            f"the counts are not {name.replace('_', ' ')} (p = {float(p_fit.iloc[0]):.2g})"
        )
        doubts.append(("distribution", message, float(p_fit.iloc[0]), _LEVEL))
    return [
        Finding(
            rule=rule,
            severity="alert",
            subject="counts",
            message=message,
            value=value,
            limit=limit,
        )
        for rule, message, value, limit in doubts
    ]
