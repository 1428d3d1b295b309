"""Significant change at accelerated and intermediate conditions, by ICH Q1A(R2)."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from pharmaq._checks import check_choice, check_real
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result
from pharmaq.spc.stability._data import Censored, StudyData, study_data

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["SignificantChange", "significant_change"]

Rule = Literal["assay", "criterion", "water_loss"]

_CHANGE = 5.0
_EARLY, _LATE = 3.0, 6.0


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class SignificantChange(Result):
    """Whether, when and in which batch an attribute changed significantly.

    Parameters
    ----------
    rule : {"assay", "criterion", "water_loss"}
        What counts as significant.
    when : {"none", "after_3_months", "within_3_months"}
        The answer of all batches, in the words of `extrapolation_limit`.
    table : DataFrame
        A row a batch: ``batch``, ``initial``, ``first`` (time of the first significant change,
        NaN if none), ``value`` at that time, ``largest`` change from the initial value, and
        ``last``, the last time tested.
    months : float
        How long results count.
    findings : tuple of Finding
        One for each batch with significant change; studies that end too early.
    """

    rule: str
    when: Literal["none", "after_3_months", "within_3_months"]
    table: pd.DataFrame
    months: float
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the table."""
        return self.table.copy()


def significant_change(  # noqa: PLR0913 - columns and limits
    data: pd.DataFrame | ArrayLike,
    *,
    rule: Rule = "assay",
    lsl: float | None = None,
    usl: float | None = None,
    batch: str | ArrayLike | None = "batch",
    time: str | ArrayLike = "time",
    value: str = "value",
    months: float = _LATE,
    censored: Censored = "raise",
) -> SignificantChange:
    """Look for significant change in results of one attribute [1]_.

    Parameters
    ----------
    data : DataFrame or array-like of shape (n,)
        Results at the accelerated or intermediate condition as for `shelf_life`; several
        results of a batch at one time are averaged. NaN raises.
    rule : {"assay", "criterion", "water_loss"}, default "assay"
        ``"assay"``: 5 per cent of label claim or more from the initial value, or beyond `lsl`
        or `usl` if given. ``"criterion"``: beyond `lsl` or `usl` (degradation products, pH,
        dissolution of 12 units, appearance as a score). ``"water_loss"``: 5 per cent of the
        initial value or more lost (semi-permeable containers).
    lsl, usl : float, optional
        Acceptance criterion; at least one for ``"criterion"``.
    batch, time, value : str or array-like
        Columns, or values themselves; months.
    months : float, default 6
        How long results count: 6 at the accelerated condition, 12 at the intermediate one.
    censored : str, default "raise"
        As in `shelf_life`.

    Returns
    -------
    SignificantChange
        First times, and the answer for `extrapolation_limit`.

    Raises
    ------
    InputError
        If a batch has no initial result, or a criterion is missing.

    Notes
    -----
    Assay is in per cent of label claim, and its change in the same unit. The initial value is
    that at time 0. A change of exactly 5 counts.

    References
    ----------
    .. [1] ICH Q1A(R2), Stability Testing of New Drug Substances and Products, 2003, sec. 2.2.7.

    Examples
    --------
    >>> found = significant_change([100.1, 98.0, 94.9], time=[0, 3, 6], batch=None)
    >>> found.when
    'after_3_months'
    """
    check_choice("rule", rule, get_args(Rule))
    months = check_real("months", months, above=0)
    if rule == "criterion" and lsl is None and usl is None:
        msg = 'rule="criterion" needs lsl or usl'
        raise InputError(msg)
    low = -math.inf if lsl is None else check_real("lsl", lsl)
    high = math.inf if usl is None else check_real("usl", usl)
    study = study_data(
        data, batch=batch, time=time, value=value, censored=censored, replicates="mean"
    )
    rows = [_of_batch(study, i, rule, (low, high), months) for i in range(len(study.names))]
    table = pd.DataFrame(rows)
    first = float(table["first"].min())
    when: Literal["none", "after_3_months", "within_3_months"] = "none"
    if not math.isnan(first):
        when = "within_3_months" if first <= _EARLY else "after_3_months"
    return SignificantChange(
        rule=rule,
        when=when,
        table=table,
        months=months,
        findings=tuple(_findings(table, rule, months)),
    )


def _of_batch(
    study: StudyData, i: int, rule: str, limits: tuple[float, float], months: float
) -> dict[str, object]:
    mine = (study.batch == i) & (study.time <= months)
    order = np.argsort(study.time[mine], kind="stable")
    t, y = study.time[mine][order], study.value[mine][order]
    if not t.size or t[0] != 0:
        msg = f"batch {study.names[i]!r} has no result at time 0 to hold changes against"
        raise InputError(msg)
    change = y - y[0]
    beyond = (y < limits[0]) | (y > limits[1])
    # the last digits of a difference are rounding; 95.1 - 100.1 is a change of 5
    if rule == "assay":
        beyond |= np.abs(change) >= _CHANGE - 1e-9
    elif rule == "water_loss":
        beyond |= -100 * change / y[0] >= _CHANGE - 1e-9
    hits = np.flatnonzero(beyond)
    largest = int(np.argmax(np.abs(change)))
    return {
        "batch": study.names[i],
        "initial": float(y[0]),
        "first": float(t[hits[0]]) if hits.size else math.nan,
        "value": float(y[hits[0]]) if hits.size else math.nan,
        "largest": float(change[largest]),
        "last": float(t[-1]),
    }


def _findings(table: pd.DataFrame, rule: str, months: float) -> list[Finding]:
    found = []
    for name, first, value, last in zip(
        table["batch"], table["first"], table["value"], table["last"], strict=True
    ):
        if not math.isnan(first):
            found.append(
                Finding(
                    rule="significant_change",
                    severity="alert",
                    subject=str(name),
                    message=f"significant change at {first:g} months: {value:.4g} ({rule})",
                    value=float(value),
                )
            )
        elif last < months:
            found.append(
                Finding(
                    rule="short_study",
                    severity="info",
                    subject=str(name),
                    message=f"results end at {last:g} of {months:g} months",
                    value=float(last),
                    limit=months,
                )
            )
    return found
