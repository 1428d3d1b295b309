"""Did an improvement or a CAPA help? Before against after, in level and in spread."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

from pharmaq._checks import check_real, check_vector
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["BeforeAfter", "compare_before_after"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class BeforeAfter(Result):
    """Two periods compared.

    Parameters
    ----------
    n_before, n_after : int
        Numbers of values.
    mean_before, mean_after, sd_before, sd_after : float
        Means and standard deviations (n - 1).
    difference, difference_lower, difference_upper : float
        After - before, with Welch's limits.
    t, dof, p : float
        Welch's t-test, two-sided.
    effect, effect_lower, effect_upper : float
        Hedges' g: difference in pooled standard deviations, without its small-sample bias;
        limits from the noncentral t.
    rank_p : float
        Mann-Whitney test, two-sided.
    shift, shift_lower, shift_upper : float
        Hodges-Lehmann median of all differences, with its limits.
    sd_ratio, sd_ratio_lower, sd_ratio_upper : float
        After / before, with the limits that F gives for normal values.
    spread_p : float
        Brown-Forsythe test of equal spread, two-sided.
    before, after : ndarray
        The data.
    alpha, confidence : float
        Level of the findings, and of all limits.
    findings : tuple of Finding
        What changed.
    """

    n_before: int
    n_after: int
    mean_before: float
    mean_after: float
    sd_before: float
    sd_after: float
    difference: float
    difference_lower: float
    difference_upper: float
    t: float
    dof: float
    p: float
    effect: float
    effect_lower: float
    effect_upper: float
    rank_p: float
    shift: float
    shift_lower: float
    shift_upper: float
    sd_ratio: float
    sd_ratio_lower: float
    sd_ratio_upper: float
    spread_p: float
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    alpha: float
    confidence: float
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a question: estimate, limits, p, method."""
        nan = math.nan
        rows = [
            ("difference", self.difference, self.difference_lower, self.difference_upper),
            ("effect", self.effect, self.effect_lower, self.effect_upper),
            ("shift", self.shift, self.shift_lower, self.shift_upper),
            ("sd_ratio", self.sd_ratio, self.sd_ratio_lower, self.sd_ratio_upper),
        ]
        frame = pd.DataFrame(rows, columns=["figure", "estimate", "lower", "upper"])
        methods = ["Welch", "Hedges g", "Hodges-Lehmann, Mann-Whitney", "F, Brown-Forsythe"]
        return frame.assign(p=[self.p, nan, self.rank_p, self.spread_p], method=methods)

    def plot(self, *, ax: Any = None) -> Any:
        """Draw both periods with their means.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.spc.inference import plots

        return plots.plot_before_after(self, ax=ax)


def compare_before_after(
    before: ArrayLike, after: ArrayLike, *, alpha: float = 0.05, confidence: float = 0.95
) -> BeforeAfter:
    """Compare level and spread of two independent periods.

    Parameters
    ----------
    before, after : array-like
        At least two values each, that vary; NaN raises.
    alpha : float, default 0.05
        Level of the findings.
    confidence : float, default 0.95
        Of all limits.

    Returns
    -------
    BeforeAfter
        Welch's test [1]_, Hedges' g [2]_, rank test with shift, ratio of spreads.

    Raises
    ------
    InputError
        If there are too few values, or one period does not vary.

    Notes
    -----
    Take the periods as the plan of the CAPA fixed them: a period that ends where the values
    look good makes every p meaningless. Values of one batch are not independent; compare means
    of batches. "No difference found" is no proof of equality: use `equivalence` for that.

    Hedges' g is d J(m), d the difference in pooled standard deviations, m = n1 + n2 - 2,
    J(m) = Gamma(m / 2) / (sqrt(m / 2) Gamma((m - 1) / 2)).

    References
    ----------
    .. [1] B. L. Welch, Biometrika 34 (1947) 28-35.
    .. [2] L. V. Hedges, J. Educ. Stat. 6 (1981) 107-128.

    Examples
    --------
    >>> found = compare_before_after([5.1, 5.4, 4.9, 5.3, 5.2], [4.7, 4.8, 4.6, 4.9, 4.5])
    >>> print(f"{found.difference:.2f}, p = {found.p:.4f}, g = {found.effect:.2f}")
    -0.48, p = 0.0028, g = -2.46
    """
    x, y = _period("before", before), _period("after", after)
    alpha = check_real("alpha", alpha, above=0, below=1)
    confidence = check_real("confidence", confidence, above=0, below=1)
    welch = stats.ttest_ind(y, x, equal_var=False)
    limits = welch.confidence_interval(confidence)
    effect = _hedges(x, y, confidence)
    shift = _shift(x, y, confidence)
    n1, n2 = len(x), len(y)
    ratio = float(y.std(ddof=1) / x.std(ddof=1))
    tail = (1 - confidence) / 2
    high, low = (float(stats.f.isf(q, n2 - 1, n1 - 1)) for q in (tail, 1 - tail))
    rank_p = float(stats.mannwhitneyu(y, x).pvalue)
    spread_p = float(stats.levene(x, y, center="median").pvalue)
    return BeforeAfter(
        n_before=n1,
        n_after=n2,
        mean_before=float(x.mean()),
        mean_after=float(y.mean()),
        sd_before=float(x.std(ddof=1)),
        sd_after=float(y.std(ddof=1)),
        difference=float(y.mean() - x.mean()),
        difference_lower=float(limits.low),
        difference_upper=float(limits.high),
        t=float(welch.statistic),
        dof=float(welch.df),
        p=float(welch.pvalue),
        effect=effect[0],
        effect_lower=effect[1],
        effect_upper=effect[2],
        rank_p=rank_p,
        shift=shift[0],
        shift_lower=shift[1],
        shift_upper=shift[2],
        sd_ratio=ratio,
        sd_ratio_lower=ratio / math.sqrt(high),
        sd_ratio_upper=ratio / math.sqrt(low),
        spread_p=spread_p,
        before=x,
        after=y,
        alpha=alpha,
        confidence=confidence,
        findings=_findings(
            {"level_changed": float(welch.pvalue), "spread_changed": spread_p},
            {"level_changed": float(y.mean() - x.mean()), "spread_changed": ratio - 1},
            alpha,
        ),
    )


def _period(name: str, values: ArrayLike) -> NDArray[np.float64]:
    x = check_vector(name, values, least=2)
    if np.ptp(x) == 0:
        msg = f"{name} holds {x.size} equal values ({x[0]:g}): without spread there is no test"
        raise InputError(msg)
    return x


def _hedges(
    x: NDArray[np.float64], y: NDArray[np.float64], confidence: float
) -> tuple[float, float, float]:
    n1, n2 = len(x), len(y)
    m = n1 + n2 - 2
    pooled = math.sqrt(((n1 - 1) * x.var(ddof=1) + (n2 - 1) * y.var(ddof=1)) / m)
    d = float(y.mean() - x.mean()) / pooled
    root = math.sqrt(n1 * n2 / (n1 + n2))
    correction = math.exp(special.gammaln(m / 2) - special.gammaln((m - 1) / 2))
    correction /= math.sqrt(m / 2)
    tail = (1 - confidence) / 2
    low = _noncentrality(d * root, m, 1 - tail) / root
    high = _noncentrality(d * root, m, tail) / root
    return correction * d, correction * low, correction * high


def _noncentrality(t: float, m: int, probability: float) -> float:
    """Return the noncentrality at which P(T <= t) has the probability given."""

    def miss(delta: float) -> float:
        below = float(special.nctdtr(m, delta, t))
        # the function underflows to NaN far out, where it is 0 or 1 to all digits
        return (float(delta < t) if math.isnan(below) else below) - probability

    width = math.sqrt(1 + t**2 / (2 * m))
    low, high = t - width, t + width
    while miss(low) < 0:
        low -= width
    while miss(high) > 0:
        high += width
    return float(optimize.brentq(miss, low, high, xtol=1e-10))


def _shift(
    x: NDArray[np.float64], y: NDArray[np.float64], confidence: float
) -> tuple[float, float, float]:
    """Return the Hodges-Lehmann shift with limits, ranks rounded outwards."""
    n1, n2 = len(x), len(y)
    differences = np.sort((y[:, None] - x[None, :]).ravel())
    spread = math.sqrt(n1 * n2 * (n1 + n2 + 1) / 12)
    z = float(stats.norm.isf((1 - confidence) / 2))
    first = math.floor(n1 * n2 / 2 - z * spread)
    median = float(np.median(differences))
    if first < 1:
        return median, -math.inf, math.inf
    return median, float(differences[first - 1]), float(differences[-first])


def _findings(
    probabilities: dict[str, float], changes: dict[str, float], alpha: float
) -> tuple[Finding, ...]:
    words = {"level_changed": ("rose", "fell"), "spread_changed": ("grew", "shrank")}
    return tuple(
        Finding(
            rule=rule,
            severity="info",
            subject=rule.partition("_")[0],
            message=f"the {rule.partition('_')[0]} {words[rule][int(changes[rule] < 0)]}",
            value=p,
            limit=alpha,
        )
        for rule, p in probabilities.items()
        if p < alpha
    )
