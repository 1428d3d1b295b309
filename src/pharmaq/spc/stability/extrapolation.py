"""How far a shelf life may go beyond the data: the decision tree of ICH Q1E."""

from __future__ import annotations

import dataclasses
from typing import Literal, get_args

import pandas as pd

from pharmaq._checks import check_choice, check_real
from pharmaq.results import Result

__all__ = ["ExtrapolationLimit", "extrapolation_limit"]

Storage = Literal["room", "refrigerated", "frozen"]
Accelerated = Literal["none", "after_3_months", "within_3_months"]
Intermediate = Literal["none", "significant", "not_tested"]
Evidence = Literal["no_change", "statistical", "supporting"]

# months that may be added at most, and the factor on the period covered
_ROOM = {"no_change": (2.0, 12.0), "statistical": (2.0, 12.0), "supporting": (1.5, 6.0)}
_COLD = {"no_change": (1.5, 6.0), "statistical": (1.5, 6.0), "supporting": (1.0, 3.0)}


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class ExtrapolationLimit(Result):
    """The longest shelf life that may be proposed, and the way through the tree.

    Parameters
    ----------
    covered : float
        Months of long-term data, X.
    months : float
        The longest proposal, Y; equal to `covered` where no extrapolation is allowed.
    factor, added : float
        Y is the smaller of factor X and X + added; the factor is 1 where only `added` counts.
    steps : tuple of str
        Questions and answers on the way.
    """

    covered: float
    months: float
    factor: float
    added: float
    steps: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a step of the tree."""
        return pd.DataFrame({"step": range(1, len(self.steps) + 1), "answer": self.steps})


def extrapolation_limit(
    covered: float,
    *,
    storage: Storage = "room",
    accelerated: Accelerated = "none",
    intermediate: Intermediate = "not_tested",
    evidence: Evidence = "statistical",
) -> ExtrapolationLimit:
    """Return how long a shelf life may be proposed, by appendix A of ICH Q1E [1]_.

    Parameters
    ----------
    covered : float
        Months covered by long-term data, X.
    storage : {"room", "refrigerated", "frozen"}, default "room"
        Where the product is to be kept.
    accelerated : {"none", "after_3_months", "within_3_months"}, default "none"
        Whether, and when, there was significant change at the accelerated condition within 6
        months. See `significant_change`.
    intermediate : {"none", "significant", "not_tested"}, default "not_tested"
        The same at the intermediate condition, which counts at room temperature after
        significant change at the accelerated one; untested is taken as significant.
    evidence : {"no_change", "statistical", "supporting"}, default "statistical"
        ``"no_change"``: little or no change and variability in long-term and accelerated data,
        so that statistics are unnecessary. ``"statistical"``: backed by statistical analysis
        and supporting data. ``"supporting"``: not amenable to statistics, or not analysed, but
        backed by supporting data.

    Returns
    -------
    ExtrapolationLimit
        Months and the steps.

    Raises
    ------
    InputError
        If `covered` is not positive or a word is unknown.

    Notes
    -----
    =============================================  =====================  ==============
    room temperature                               no change, statistics  supporting
    =============================================  =====================  ==============
    no significant change at accelerated           2 X, X + 12            1.5 X, X + 6
    significant at accelerated, not intermediate   1.5 X, X + 6           X + 3
    significant at intermediate                    X                      X
    =============================================  =====================  ==============

    In the refrigerator the second row is what holds without significant change, and X with it;
    in the freezer it is X.

    References
    ----------
    .. [1] ICH Q1E, Evaluation of Stability Data, 2003, sec. 2.4, 2.5 and appendix A.

    Examples
    --------
    >>> limit = extrapolation_limit(12)
    >>> limit.months
    24.0
    >>> extrapolation_limit(18, storage="refrigerated").months
    24.0
    """
    covered = check_real("covered", covered, above=0)
    check_choice("storage", storage, get_args(Storage))
    check_choice("accelerated", accelerated, get_args(Accelerated))
    check_choice("intermediate", intermediate, get_args(Intermediate))
    check_choice("evidence", evidence, get_args(Evidence))
    steps = [f"storage: {storage}"]
    if storage == "frozen":
        steps.append("no extrapolation in the freezer")
        return _limit(covered, (1.0, 0.0), steps)
    change = "none" if accelerated == "none" else accelerated.replace("_", " ")
    steps.append(f"significant change at the accelerated condition: {change}")
    if accelerated != "none":
        return _after_change(covered, storage, accelerated, (intermediate, evidence), steps)
    steps.append(f"evidence: {evidence.replace('_', ' ')}")
    return _limit(covered, (_ROOM if storage == "room" else _COLD)[evidence], steps)


def _after_change(
    covered: float,
    storage: str,
    accelerated: str,
    answers: tuple[str, str],
    steps: list[str],
) -> ExtrapolationLimit:
    """Go on where there was significant change at the accelerated condition."""
    intermediate, evidence = answers
    if storage == "refrigerated":
        steps.append("no extrapolation after significant change")
        if accelerated == "within_3_months":
            steps.append("discuss short excursions, as in shipping and handling")
        return _limit(covered, (1.0, 0.0), steps)
    steps.append(f"significant change at the intermediate condition: {intermediate}")
    if intermediate != "none":
        steps.append("no extrapolation; less than the period covered may be called for")
        return _limit(covered, (1.0, 0.0), steps)
    steps.append(f"evidence: {evidence.replace('_', ' ')}")
    # change at 40 C is no little change
    return _limit(covered, _COLD["statistical" if evidence == "no_change" else evidence], steps)


def _limit(covered: float, rule: tuple[float, float], steps: list[str]) -> ExtrapolationLimit:
    factor, added = rule
    longest = min(factor * covered, covered + added) if factor > 1 else covered + added
    steps.append(f"up to {longest:g} months")
    return ExtrapolationLimit(
        covered=covered, months=longest, factor=factor, added=added, steps=tuple(steps)
    )
