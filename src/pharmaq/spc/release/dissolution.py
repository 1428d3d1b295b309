"""Dissolution: the acceptance tables of immediate, extended and delayed release."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

from pharmaq._checks import check_choice, check_integer, check_real
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result
from pharmaq.spc.release._acceptance import (
    STAGE_SIZES,
    Limits,
    acid_table,
    lower_table,
    pooled_table,
    range_table,
)
from pharmaq.spc.release._criteria import criteria_frame, decide, no_hope, not_met, surplus
from pharmaq.spc.release._units import (
    one_sided,
    pooled_results,
    stated_ranges,
    units_of_a_stage,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from pharmaq.spc.release._acceptance import Table

__all__ = ["DissolutionStage", "dissolution_stage"]

_RELEASES = ("immediate", "pooled", "extended", "delayed")
_TEST = "dissolution"
_ASKED = (6, 6, 12)


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class DissolutionStage(Result):
    """Decision of a dissolution test.

    Parameters
    ----------
    outcome : {"pass", "continue", "fail"}
        Decision; ``"continue"`` asks for `n_more` units.
    stage : str
        Stage that decided: S1 to S3, L1 to L3, or A1/B1 to A3/B3.
    release : {"immediate", "pooled", "extended", "delayed"}
        Acceptance table that was applied.
    criteria : pandas.DataFrame
        Every condition of every stage: ``stage, criterion, [time,] value, limit, held``.
    values : ndarray, shape (n_units,) or (n_units, n_times)
        Results, % of label claim.
    acid : ndarray or None
        Results of the acid stage.
    times : ndarray
        Test times, counted from 1 if none were given; empty with one time.
    lower, upper : ndarray
        Limits of each time: Q, or the stated ranges; NaN is none.
    digits : int or None
        Decimals to which results and means were rounded.
    n_units, n_more : int
        Units that decided, and units that the next stage asks for.
    findings : tuple of Finding
        What is not met, and what else has to be known.
    """

    outcome: Literal["pass", "continue", "fail"]
    stage: str
    release: str
    criteria: pd.DataFrame
    values: NDArray[np.float64]
    acid: NDArray[np.float64] | None
    times: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    digits: int | None
    n_units: int
    n_more: int
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return every condition, a row each."""
        return self.criteria.copy()

    def plot(self, *, ax: Any = None) -> Any:
        """Draw single units with the limits.

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

        return plots.plot_dissolution(self, ax=ax)


def dissolution_stage(
    values: ArrayLike,
    *,
    release: Literal["immediate", "pooled", "extended", "delayed"] = "immediate",
    q: float | None = None,
    ranges: Sequence[tuple[float | None, float | None]] | None = None,
    times: Sequence[float] | None = None,
    acid: ArrayLike | None = None,
    acid_limits: tuple[float, float] = (10.0, 25.0),
    digits: int | None = None,
) -> DissolutionStage:
    """Decide a dissolution test by the acceptance table of its dosage form [1]_ [2]_.

    Parameters
    ----------
    values : array-like
        Amounts dissolved, % of label claim, in the order tested: the 6, 12 or 24 units tested
        so far. Shape (n_units,); (n_units, n_times) for ``"extended"``; one result a pool,
        1 to 3 of them, for ``"pooled"``; the buffer stage (both amounts together) for
        ``"delayed"``. NaN raises.
    release : {"immediate", "pooled", "extended", "delayed"}
        Acceptance table: USP table 1 (S1 to S3), that of pooled samples, table 2 (L1 to L3),
        tables 3 and 4 (A1 to A3 with B1 to B3).
    q : float
        Q, % of label claim; for all but ``"extended"``.
    ranges : sequence of (lower, upper)
        Stated range of each test time, None where there is no limit, such as
        ``[(20, 40), (45, 65), (80, None)]``; for ``"extended"``.
    times : sequence of float, optional
        Test times of ``"extended"``, to name them.
    acid : array-like, shape (n_units,)
        Amounts dissolved in acid, of the same units; for ``"delayed"``.
    acid_limits : tuple of float, default (10, 25)
        Largest amount in acid of every unit at A1 and of the mean later; of every unit later.
    digits : int or None
        Decimals to which results and means are rounded, half up, before they are compared;
        by default they are compared as given.

    Returns
    -------
    DissolutionStage
        Decision with every condition.

    Raises
    ------
    InputError
        If the number of units belongs to no stage, an argument that the table needs is
        missing, or one that it does not know is given.

    Notes
    -----
    Stages accumulate, and 5, 15 and 25 are % of label claim, not of Q.

    ===== ===== ===========================================================================
    stage units conditions
    ===== ===== ===========================================================================
    S1/B1 6     each unit >= Q + 5
    S2/B2 12    mean >= Q; no unit < Q - 15
    S3/B3 24    mean >= Q; at most 2 units < Q - 15; no unit < Q - 25
    pool  6-24  mean >= Q + 10 of 6 units, Q + 5 of 12, Q of 24
    L1    6     no unit outside a range
    L2    12    mean within each range; no unit more than 10 outside
    L3    24    mean within each range; at most 2 units more than 10 outside, none more than 20
    A1    6     no unit > 10
    A2/A3 12/24 mean <= 10; no unit > 25
    ===== ===== ===========================================================================

    The two units of L3 are counted at each test time. Acid and buffer must conform at the same
    level. The first stage that conforms decides; units beyond it are named in a finding. So are
    units that no later stage could forgive.

    References
    ----------
    .. [1] USP general chapter <711> Dissolution, acceptance tables 1 to 4.
    .. [2] Ph. Eur. 2.9.3 Dissolution test for solid dosage forms.

    Examples
    --------
    >>> found = dissolution_stage([86.0, 84.0, 88.0, 90.0, 85.0, 87.0], q=80)
    >>> print(found.outcome, found.n_more)
    continue 6
    >>> print(found.findings[0].message)
    stage S1 is not met yet: test the next stage (units below Q + 5 = 85: 1, limit 0)
    """
    check_choice("release", release, _RELEASES)
    if digits is not None:
        digits = check_integer("digits", digits, least=0, most=6)
    _check_arguments(release, q=q, ranges=ranges, times=times, acid=acid)
    tables: list[tuple[NDArray[np.float64], Limits, Table]]
    if release == "extended":
        x, limits = stated_ranges(values, ranges or (), times)
        tables = [(x, limits, range_table())]
    elif release == "pooled":
        x, limits = pooled_results(values), one_sided("Q", q, None)
        tables = [(x, limits, pooled_table())]
    else:
        x, limits = units_of_a_stage("values", values), one_sided("Q", q, None)
        tables = [(x, limits, lower_table("B" if release == "delayed" else "S"))]
    y = None if acid is None else units_of_a_stage("acid", acid)
    if y is not None:
        tables.insert(0, (y, *_acid(y, x, acid_limits)))
    return _result(release, tables, digits, x, y)


def _check_arguments(release: str, **given: Any) -> None:
    wanted = {
        "immediate": {"q"},
        "pooled": {"q"},
        "extended": {"ranges"},
        "delayed": {"q", "acid"},
    }[release]
    for name in sorted(wanted):
        if given[name] is None:
            msg = f"{name} is needed for release={release!r}"
            raise InputError(msg)
    known = wanted | ({"times"} if release == "extended" else set())
    for name, value in given.items():
        if value is not None and name not in known:
            msg = f"{name} has no meaning for release={release!r}; leave it out"
            raise InputError(msg)


def _acid(
    acid: NDArray[np.float64], buffer: NDArray[np.float64], limits: tuple[float, float]
) -> tuple[Limits, Table]:
    if acid.size != buffer.size:
        msg = f"acid and values must be of the same units, got {acid.size} and {buffer.size}"
        raise InputError(msg)
    mean, unit = (
        check_real(f"acid_limits[{i}]", limits[i], above=0, below=200) for i in (0, 1)
    )
    if unit < mean:
        msg = f"acid_limits must rise, got {limits!r}"
        raise InputError(msg)
    return one_sided("the limit in acid", None, mean), acid_table(unit - mean)


def _result(
    release: str,
    tables: list[tuple[NDArray[np.float64], Limits, Table]],
    digits: int | None,
    x: NDArray[np.float64],
    acid: NDArray[np.float64] | None,
) -> DissolutionStage:
    n_stages = len(x) if release == "pooled" else 1 + STAGE_SIZES.index(len(x))
    rows = [
        [table.check(i, results, limits, digits) for i in range(n_stages)]
        for results, limits, table in tables
    ]
    held = [all(row.held for part in rows for row in part[i]) for i in range(n_stages)]
    at, outcome = decide(held, len(_ASKED))
    names = ["/".join(table.names[i] for *_, table in tables) for i in range(n_stages)]
    criteria = criteria_frame(row for i in range(n_stages) for part in rows for row in part[i])
    used, given = sum(_ASKED[: at + 1]), sum(_ASKED[:n_stages])
    found = []
    if outcome != "pass":
        failed = [row for part in rows for row in part[at] if not row.held]
        found.append(not_met(_TEST, names[at], outcome, criteria_frame(failed)))
    elif given > used:
        found.append(surplus(_TEST, names[at], used, given))
    if outcome == "continue":
        lost = [why for r, limits, table in tables if (why := table.lost(r, limits, digits))]
        found.extend(no_hope(_TEST, names[at], why) for why in lost)
    limits = tables[-1][1]
    return DissolutionStage(
        outcome=outcome,  # type: ignore[arg-type]
        stage=names[at],
        release=release,
        criteria=criteria,
        values=x,
        acid=acid,
        times=limits.times,
        lower=limits.lower,
        upper=limits.upper,
        digits=digits,
        n_units=used,
        n_more=_ASKED[at + 1] if outcome == "continue" else 0,
        findings=tuple(found),
    )
