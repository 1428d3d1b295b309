"""Uniformity of dosage units by content: acceptance value and both stages."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pharmaq._checks import check_integer, check_real, check_vector
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result
from pharmaq.spc.release._criteria import (
    Criterion,
    as_reported,
    criteria_frame,
    decide,
    no_hope,
    not_met,
    surplus,
    tidy,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

__all__ = ["ContentUniformity", "acceptance_value", "content_uniformity"]

# acceptability constant of each stage, by the number of units
_CONSTANTS = {10: 2.4, 30: 2.0}
_LOW, _HIGH = 98.5, 101.5
_TEST = "content_uniformity"


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class ContentUniformity(Result):
    """Uniformity of dosage units by content.

    Parameters
    ----------
    outcome : {"pass", "continue", "fail"}
        Decision; ``"continue"`` asks for 20 more units.
    stage : str
        Stage that decided, ``"1"`` or ``"2"``.
    acceptance_value : float
        AV of that stage, rounded to `digits`.
    reference_value : float
        M of that stage.
    mean, sd : float
        Mean and standard deviation (n - 1) of its units.
    constant : float
        k, 2.4 of 10 units and 2.0 of 30.
    unit_lower, unit_upper : float
        Limits of every single unit, which apply at stage 2.
    target, l1, l2 : float
        T, L1 and L2.
    digits : int or None
        Decimals to which AV was rounded.
    values : ndarray
        All units as given, % of label claim.
    criteria : pandas.DataFrame
        Every condition of every stage: ``stage, criterion, value, limit, held``.
    n_units, n_more : int
        Units that decided, and units that the next stage asks for.
    findings : tuple of Finding
        What is not met, and what else has to be known.
    """

    outcome: Literal["pass", "continue", "fail"]
    stage: str
    acceptance_value: float
    reference_value: float
    mean: float
    sd: float
    constant: float
    unit_lower: float
    unit_upper: float
    target: float
    l1: float
    l2: float
    digits: int | None
    values: NDArray[np.float64]
    criteria: pd.DataFrame
    n_units: int
    n_more: int
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return every condition, a row each."""
        return self.criteria.copy()

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the units with M, and the limits of single units.

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

        return plots.plot_uniformity(self, ax=ax)


def acceptance_value(
    mean: float, sd: float, n: int, *, target: float = 100.0
) -> tuple[float, float]:
    """Return the acceptance value AV = abs(M - mean) + k sd, and M [1]_.

    Parameters
    ----------
    mean, sd : float
        Mean and standard deviation (n - 1) of the units, % of label claim.
    n : {10, 30}
        Number of units: k is 2.4 of 10 and 2.0 of 30.
    target : float, default 100
        T, % of label claim.

    Returns
    -------
    tuple of float
        AV, not rounded, and the reference value M.

    Raises
    ------
    InputError
        If `n` is neither 10 nor 30, or `sd` is negative.

    Notes
    -----
    M is the mean, drawn to 98.5 below and to the larger of 101.5 and T above.

    References
    ----------
    .. [1] USP general chapter <905>, table 2; Ph. Eur. 2.9.40, table 2.9.40.-2.

    Examples
    --------
    >>> av, reference = acceptance_value(105.9, 5.0, 10)
    >>> print(f"AV {av:.1f}, M {reference}")
    AV 16.4, M 101.5
    """
    mean, sd = check_real("mean", mean), check_real("sd", sd)
    target = check_real("target", target, above=0)
    if n not in _CONSTANTS:
        msg = f"n must be 10 (stage 1) or 30 (stage 2), got {n!r}"
        raise InputError(msg)
    if sd < 0:
        msg = f"sd must not be negative, got {sd:g}"
        raise InputError(msg)
    reference = min(max(mean, _LOW), max(target, _HIGH))
    return abs(reference - mean) + _CONSTANTS[n] * sd, reference


def content_uniformity(
    values: ArrayLike,
    *,
    target: float = 100.0,
    l1: float = 15.0,
    l2: float = 25.0,
    digits: int | None = 1,
) -> ContentUniformity:
    """Test uniformity of dosage units by content, both stages [1]_ [2]_.

    Parameters
    ----------
    values : array-like, shape (10,) or (30,)
        Contents of single units, % of label claim, in the order tested: stage 1 takes the
        first 10, stage 2 all 30. NaN raises.
    target : float, default 100
        T: the mean of the potency limits of the monograph, or 100 if that is 100 or less.
    l1 : float, default 15.0
        Largest acceptance value, at both stages.
    l2 : float, default 25.0
        Largest deviation of a single unit from M, in % of M, at stage 2.
    digits : int or None, default 1
        Decimals to which AV is rounded, half up, before it is held against L1 (USP General
        Notices 7.20); None compares as computed. Single units are compared as given.

    Returns
    -------
    ContentUniformity
        Decision with every condition.

    Raises
    ------
    InputError
        If there are neither 10 nor 30 units, or a value is not finite or below zero.

    Notes
    -----
    Stage 1 passes if AV of 10 units is at most L1. Else stage 2 takes 20 more units and passes
    if AV of all 30 is at most L1 **and** every unit lies from (1 - 0.01 L2) M to
    (1 + 0.01 L2) M, M of the 30 units. AV is that of `acceptance_value`. Units beyond those
    that a passing stage needs are named in a finding.

    References
    ----------
    .. [1] USP general chapter <905> Uniformity of Dosage Units.
    .. [2] Ph. Eur. 2.9.40 Uniformity of dosage units.

    Examples
    --------
    >>> found = content_uniformity(
    ...     [98.2, 101.4, 99.7, 103.0, 96.9, 100.8, 102.2, 97.5, 99.1, 100.6]
    ... )
    >>> print(found.outcome, found.acceptance_value)
    pass 4.9
    """
    x = check_vector("values", values)
    if x.size not in _CONSTANTS:
        msg = f"values must hold 10 units (stage 1) or 30 (stage 2), got {x.size}"
        raise InputError(msg)
    if np.any(x < 0):
        msg = f"values must be contents of zero or more, got {x.min():g}"
        raise InputError(msg)
    target, l1 = check_real("target", target, above=0), check_real("l1", l1, above=0)
    l2 = check_real("l2", l2, above=0, below=100)
    if digits is not None:
        digits = check_integer("digits", digits, least=0, most=6)
    stages = [_stage(x[:n], target, l1, l2, digits) for n in _CONSTANTS if n <= x.size]
    at, outcome = decide([stage["held"] for stage in stages], len(_CONSTANTS))
    chosen, criteria = stages[at], criteria_frame(row for s in stages for row in s["rows"])
    chosen = {key: value for key, value in chosen.items() if key not in {"rows", "held"}}
    return ContentUniformity(
        **chosen,
        outcome=outcome,  # type: ignore[arg-type]
        target=target,
        l1=l1,
        l2=l2,
        digits=digits,
        values=x,
        criteria=criteria,
        n_more=20 if outcome == "continue" else 0,
        findings=_findings(x, criteria, chosen, outcome, (target, l2)),
    )


def _stage(
    x: NDArray[np.float64], target: float, l1: float, l2: float, digits: int | None
) -> dict[str, Any]:
    n, name = x.size, "1" if x.size == min(_CONSTANTS) else "2"
    mean, sd = float(x.mean()), float(x.std(ddof=1))
    raw, reference = acceptance_value(mean, sd, n, target=target)
    value = float(as_reported(raw, digits))
    low, high = (1 - 0.01 * l2) * reference, (1 + 0.01 * l2) * reference
    rows = [Criterion(name, "acceptance value", np.nan, value, f"<= {l1:g}", value <= l1)]
    if name == "2":
        beyond = int(np.sum((tidy(x - low) < 0) | (tidy(x - high) > 0)))
        text = f"units outside {low:.7g} to {high:.7g}"
        rows.append(Criterion(name, text, np.nan, beyond, "0", beyond == 0))
    return {
        "rows": rows,
        "held": all(row.held for row in rows),
        "stage": name,
        "acceptance_value": value,
        "reference_value": reference,
        "mean": mean,
        "sd": sd,
        "constant": _CONSTANTS[n],
        "unit_lower": low,
        "unit_upper": high,
        "n_units": n,
    }


def _findings(
    x: NDArray[np.float64],
    criteria: pd.DataFrame,
    chosen: dict[str, Any],
    outcome: str,
    limits: tuple[float, float],
) -> tuple[Finding, ...]:
    found = []
    stage = chosen["stage"]
    if outcome != "pass":
        failed = criteria[(criteria["stage"] == stage) & ~criteria["held"]]
        found.append(not_met(_TEST, stage, outcome, failed))
    elif x.size > chosen["n_units"]:
        found.append(surplus(_TEST, stage, chosen["n_units"], x.size))
    if outcome == "continue":
        target, l2 = limits
        low, high = (1 - 0.01 * l2) * _LOW, (1 + 0.01 * l2) * max(target, _HIGH)
        bad = np.flatnonzero((tidy(x - low) < 0) | (tidy(x - high) > 0))
        if bad.size:
            i = int(bad[0])
            reason = (
                f"unit {i} with {x[i]:g} lies outside {low:.7g} to {high:.7g}, whatever M is"
            )
            found.append(no_hope(_TEST, stage, reason))
    return tuple(found)
