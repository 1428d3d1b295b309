"""Retests: how many are needed, and what they say of the first result."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special, stats

from pharmaq._checks import check_integer, check_real, check_vector
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result, json_safe
from pharmaq.spc.acceptance import Specification, check_oos

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["RetestEvaluation", "RetestPlan", "evaluate_retests", "retest_plan"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class RetestPlan(Result):
    """How many retests tell a good batch from one at the limit.

    Parameters
    ----------
    n : int
        Retests needed.
    power : float
        Probability that so many show a batch at `expected` to be within the limit.
    sd : float
        Repeatability planned with.
    expected, limit : float
        True value of a good batch, and the limit.
    alpha, power_wanted : float
        Level of the one-sided bound, and the power asked for.
    curve : DataFrame
        ``n`` and ``power``, from two retests on.
    findings : tuple of Finding
        Whether the plan cannot reach the power.
    """

    n: int
    power: float
    sd: float
    expected: float
    limit: float
    alpha: float
    power_wanted: float
    curve: pd.DataFrame
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the power by number of retests."""
        return self.curve.copy()


def retest_plan(
    *,
    sd: float,
    expected: float,
    limit: float,
    alpha: float = 0.05,
    power: float = 0.95,
    most: int = 100,
) -> RetestPlan:
    """Find how many retests show a good batch to be within its limit.

    Parameters
    ----------
    sd : float
        Repeatability of the procedure, in the units of the result.
    expected : float
        True value of a batch without a fault, such as the mean of the history.
    limit : float
        The limit that the first result broke; the other side of `expected` is out.
    alpha : float, default 0.05
        Level: the one-sided 1 - alpha confidence bound of the mean has to clear the limit.
    power : float, default 0.95
        Probability with which it is to do so.
    most : int, default 100
        Largest number looked at.

    Returns
    -------
    RetestPlan
        The number, the power, and the curve behind it.

    Raises
    ------
    InputError
        If `expected` is the limit, or an option is out of range.

    Notes
    -----
    The bound is mean -+ t(1 - alpha, n - 1) s / sqrt(n) of n retests; it clears the limit with
    the probability that noncentral t with n - 1 degrees of freedom and noncentrality
    sqrt(n) abs(expected - limit) / sd exceeds t(1 - alpha, n - 1). The number is fixed before
    the first retest: testing until a result passes is testing into compliance [1]_.

    References
    ----------
    .. [1] FDA, Investigating Out-of-Specification (OOS) Test Results for Pharmaceutical
       Production, 2022, section IV.B.

    Examples
    --------
    >>> plan = retest_plan(sd=0.8, expected=99.5, limit=98.0)
    >>> plan.n, round(plan.power, 3)
    (5, 0.959)
    """
    sd = check_real("sd", sd, above=0)
    expected, limit = check_real("expected", expected), check_real("limit", limit)
    alpha = check_real("alpha", alpha, above=0, below=0.5)
    wanted = check_real("power", power, above=0, below=1)
    largest = check_integer("most", most, least=2)
    distance = abs(expected - limit) / sd
    if distance == 0:
        msg = f"expected must differ from limit, got {expected:g} for both"
        raise InputError(msg)
    n = np.arange(2, largest + 1)
    reached = stats.nct.sf(stats.t.isf(alpha, n - 1), n - 1, np.sqrt(n) * distance)
    # the noncentral distribution gives up far out, where the power is 1
    reached = np.where(np.isfinite(reached), reached, 1.0)
    enough = np.flatnonzero(reached >= wanted)
    at = int(enough[0]) if enough.size else n.size - 1
    findings: tuple[Finding, ...] = ()
    if not enough.size:
        message = (
            f"{largest} retests reach a power of {reached[at]:.3g} only: the procedure is too "
            "imprecise for the distance to the limit"
        )
        findings = (_finding("retest_plan", "alert", message, float(reached[at]), wanted),)
    return RetestPlan(
        n=int(n[at]),
        power=float(reached[at]),
        sd=sd,
        expected=expected,
        limit=limit,
        alpha=alpha,
        power_wanted=wanted,
        curve=pd.DataFrame({"n": n, "power": reached}),
        findings=findings,
    )


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class RetestEvaluation(Result):
    """What retests say of the first result and of the batch; the first result stands.

    Parameters
    ----------
    outcome : {"confirmed", "not confirmed", "undecided"}
        ``"confirmed"``: a retest is out of specification too. ``"not confirmed"``: all retests
        meet it, the bound of their mean does, and the first result lies outside what one more
        retest would give. ``"undecided"``: anything else.
    first : float
        The first result.
    retests : ndarray of shape (n,)
        The retests.
    mean, sd : float
        Of the retests.
    lower, upper : float
        Confidence limits of their mean.
    expected_lower, expected_upper : float
        Prediction limits of one more result.
    p_first : float
        Probability of a result so far from the mean of the retests, both sides.
    sd_upper, p_sd : float
        Upper confidence limit of the standard deviation, and probability of one so large with
        the repeatability of the procedure; NaN where that is not given.
    n_out : int
        Retests out of specification.
    specification : Specification
        What was to be met.
    confidence : float
        Of all limits.
    findings : tuple of Finding
        Confirmed failure, unusual spread, and the rule on averaging.
    """

    outcome: str
    first: float
    retests: NDArray[np.float64]
    mean: float
    sd: float
    lower: float
    upper: float
    expected_lower: float
    expected_upper: float
    p_first: float
    sd_upper: float
    p_sd: float
    n_out: int
    specification: Specification
    confidence: float
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the numbers as one row."""
        left_out = ("retests", "specification", "findings")
        return pd.DataFrame([{k: v for k, v in self._fields().items() if k not in left_out}])

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as plain Python, the specification as text."""
        fields = self._fields() | {"specification": str(self.specification)}
        return {name: json_safe(value) for name, value in fields.items()}


def evaluate_retests(
    first: float,
    retests: ArrayLike,
    specification: Specification,
    *,
    repeatability: float | None = None,
    confidence: float = 0.95,
) -> RetestEvaluation:
    """Compare retests with the first result and with the specification [1]_.

    Parameters
    ----------
    first : float
        The result out of specification.
    retests : array-like, shape (n,)
        At least two, in the same units, all that were planned; NaN raises.
    specification : Specification
        Limits and rounding.
    repeatability : float, optional
        Standard deviation of the procedure as validated.
    confidence : float, default 0.95
        Of limits and tests.

    Returns
    -------
    RetestEvaluation
        Outcome, numbers and findings. The first result is never averaged with the retests.

    Raises
    ------
    InputError
        If there are fewer than two retests or all are equal.

    Notes
    -----
    One more result lies in mean -+ t(n - 1) s sqrt(1 + 1 / n). The mean of the retests lies in
    mean -+ t(n - 1) s / sqrt(n), two-sided. The spread is tested by (n - 1) s^2 / sigma^2,
    chi2 with n - 1 degrees of freedom.

    References
    ----------
    .. [1] FDA, Investigating Out-of-Specification (OOS) Test Results for Pharmaceutical
       Production, 2022.

    Examples
    --------
    >>> assay = Specification("assay", "98.0-102.0 %")
    >>> found = evaluate_retests(96.1, [99.4, 99.9, 99.6, 99.8, 99.5], assay)
    >>> found.outcome, round(found.expected_lower, 2), round(found.expected_upper, 2)
    ('not confirmed', 99.01, 100.27)
    """
    x = check_vector("retests", retests, least=2)
    first = check_real("first", first)
    confidence = check_real("confidence", confidence, above=0, below=1)
    if np.ptp(x) == 0:
        msg = f"retests must vary, but all {x.size} are {x[0]:g}; give more digits"
        raise InputError(msg)
    n, mean, sd = x.size, float(x.mean()), float(x.std(ddof=1))
    t = float(stats.t.isf((1 - confidence) / 2, n - 1))
    wide, narrow = t * sd * math.sqrt(1 + 1 / n), t * sd / math.sqrt(n)
    p_first = 2 * float(stats.t.sf(t * abs(first - mean) / wide, n - 1))
    met = _meets([*x, mean - narrow, mean + narrow], specification)
    n_out = int((~met[:n]).sum())
    outcome = "undecided"
    if n_out:
        outcome = "confirmed"
    elif met[n:].all() and p_first < 1 - confidence:
        outcome = "not confirmed"
    p_sd = _spread_p(sd, n, repeatability)
    return RetestEvaluation(
        outcome=outcome,
        first=first,
        retests=x,
        mean=mean,
        sd=sd,
        lower=mean - narrow,
        upper=mean + narrow,
        expected_lower=mean - wide,
        expected_upper=mean + wide,
        p_first=p_first,
        sd_upper=sd * math.sqrt((n - 1) / special.chdtri(n - 1, confidence)),
        p_sd=p_sd,
        n_out=n_out,
        specification=specification,
        confidence=confidence,
        findings=_evaluated(outcome, (n_out, n), p_sd, 1 - confidence),
    )


def _meets(values: list[float], specification: Specification) -> NDArray[np.bool_]:
    plain = dataclasses.replace(specification, product="", stage="", phase="")
    frame = pd.DataFrame({"test": plain.test, "value": values})
    outcome = check_oos(frame, plain).table["outcome"]
    return outcome.isin(["pass", "alert", "action"]).to_numpy()


def _spread_p(sd: float, n: int, repeatability: float | None) -> float:
    if repeatability is None:
        return math.nan
    sigma = check_real("repeatability", repeatability, above=0)
    return float(special.chdtrc(n - 1, (n - 1) * sd**2 / sigma**2))


def _evaluated(
    outcome: str, counts: tuple[int, int], p_sd: float, alpha: float
) -> tuple[Finding, ...]:
    n_out, n = counts
    found = []
    if outcome == "confirmed":
        message = (
            f"{n_out} of {n} retests are out of specification too: the result is confirmed"
        )
        found.append(_finding("retest", "action", message, float(n_out), 0.0))
    elif outcome == "undecided":
        message = (
            f"{n} retests do not tell: the limits of their mean reach beyond the "
            "specification, or the first result is one that they make likely"
        )
        found.append(_finding("retest", "action", message, float(n), None))
    if p_sd < alpha:
        message = f"retests vary more than the procedure should (p = {p_sd:.2g})"
        found.append(_finding("retest_variance", "alert", message, p_sd, alpha))
    message = (
        "the first result stands in the record and is not averaged with retests; without an "
        "assignable cause the quality unit decides on all results together (FDA 2022)"
    )
    found.append(_finding("no_averaging", "info", message, None, None))
    return tuple(found)


def _finding(
    rule: str, severity: Any, message: str, value: float | None, limit: float | None
) -> Finding:
    return Finding(
        rule=rule,
        severity=severity,
        subject="retests",
        message=message,
        value=value,
        limit=limit,
    )
