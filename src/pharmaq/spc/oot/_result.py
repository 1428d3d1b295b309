"""What a search for results out of trend found."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq.errors import InputError
from pharmaq.results import Finding, Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["OOTCheck"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class OOTCheck(Result):
    """Each tested result with what was expected of it.

    Parameters
    ----------
    method, title : str
        Method, and the same for people.
    table : DataFrame
        A row a tested result, in the order and with the index given: columns of the groups,
        ``batch``, ``time``, ``value``, then ``statistic``, ``center``, ``lower``, ``upper``,
        ``signal`` and ``reason``. The statistic is the value itself but for slopes, EWMA and
        T2. `reason` says why a result was not judged; it is empty where it was.
    history : DataFrame
        What the expectation came from, with the same columns; empty where batches were held
        against each other.
    by : tuple of str
        Columns that form groups.
    conventions : dict of str to str
        Words that were chosen: basis, interval, side, per.
    alpha, alpha_result : float
        Risk of a false alarm as asked for, and that of one result which follows from it; NaN
        where limits do not come from a risk.
    n_judged, n_unjudged : int
        Results with and without limits.
    expected_false_alarms : float
        Number of signals that results without any trend would give; NaN as above.
    contributions : DataFrame or None
        Share of each test in T2, for several tests together.
    units : str
        Of the results.
    """

    method: str
    title: str
    table: pd.DataFrame
    history: pd.DataFrame
    by: tuple[str, ...]
    conventions: dict[str, str]
    alpha: float
    alpha_result: float
    n_judged: int
    n_unjudged: int
    expected_false_alarms: float
    contributions: pd.DataFrame | None = None
    units: str = ""

    @property
    def signals(self) -> pd.DataFrame:
        """Rows of the table that are out of trend."""
        return self.table[self.table["signal"]]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """One finding of severity ``"alert"`` for each result out of trend."""
        rows = self.signals
        columns = [*self.by, "batch"]
        subjects = [" ".join(map(str, key)) for key in rows[columns].to_numpy().tolist()]
        return tuple(
            self._finding(subject, row)
            for subject, row in zip(subjects, rows.itertuples(), strict=True)
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the table."""
        return self.table.copy()

    def plot(self, *, group: Any = None, ax: Any = None) -> Any:
        """Draw tested results with their limits on the history.

        Parameters
        ----------
        group : object, optional
            Which group: a value of the column that forms groups, or a tuple of several. Needed
            only where there is more than one.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.

        Raises
        ------
        InputError
            If `group` is missing or unknown.
        """
        from pharmaq.spc.oot import plots

        rows, history = self.table, self.history
        if self.by:
            key = self._key(group)
            rows = rows[_matches(rows, self.by, key)]
            history = history[_matches(history, self.by, key)] if len(history) else history
        return plots.plot_oot(self, rows, history, ax=ax)

    def _key(self, group: Any) -> tuple[Any, ...]:
        known = list(
            dict.fromkeys(self.table[list(self.by)].itertuples(index=False, name=None))
        )
        if group is None and len(known) == 1:
            return known[0]
        key = group if isinstance(group, tuple) else (group,)
        if key not in known:
            some = ", ".join(repr(k if len(k) > 1 else k[0]) for k in known[:6])
            msg = (
                f"group must be one of {some}{', ...' if len(known) > 6 else ''}; got {group!r}"
            )
            raise InputError(msg)
        return key

    def _finding(self, subject: str, row: Any) -> Finding:
        above = row.statistic > row.upper
        side, limit = ("above", row.upper) if above else ("below", row.lower)
        when = f" at {row.time:g}" if isinstance(getattr(row, "time", None), float) else ""
        what = {"slope": "slope", "ewma": "EWMA", "t2": "T2"}.get(self.method, "result")
        return Finding(
            rule=f"oot_{self.method}",
            severity="alert",
            subject=subject,
            message=(
                f"{what} {row.statistic:.5g}{when} is {side} the limit {limit:.5g} "
                f"({self.title})"
            ),
            value=float(row.statistic),
            limit=float(limit),
        )


def _matches(frame: pd.DataFrame, by: Sequence[str], key: tuple[Any, ...]) -> Any:
    hit = np.ones(len(frame), dtype=bool)
    for column, value in zip(by, key, strict=True):
        hit &= (frame[column] == value).to_numpy()
    return hit
