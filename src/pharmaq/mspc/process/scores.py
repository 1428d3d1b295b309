"""Rows of process data against a monitor: statistics, limits, contributions, findings."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from pharmaq._checks import check_choice, check_integer
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result
from pharmaq.spc.charts import ControlChart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Observation", "ProcessScores"]

Statistic = Literal["t2", "spe", "combined"]

STATISTICS: tuple[Statistic, ...] = ("t2", "spe", "combined")
NAMES = {"t2": "T²", "spe": "SPE", "combined": "combined index"}
_SOURCES = {
    "t2": "N. D. Tracy, J. C. Young, R. L. Mason, J. Qual. Technol. 24 (1992) 88-95",
    "spe": "J. E. Jackson, G. S. Mudholkar, Technometrics 21 (1979) 341-349",
    "combined": "H. H. Yue, S. J. Qin, Ind. Eng. Chem. Res. 40 (2001) 4403-4414",
}
# variables that a finding names
_NAMED = 3


class Observation(NamedTuple):
    """One row against a monitor, as `ProcessMonitor.score_one` gives it.

    Parameters
    ----------
    t2, spe, combined : float
        The statistics.
    alarm : bool
        Whether T2 or SPE is above its limit.
    t2_contributions, spe_contributions : ndarray of shape (K,)
        What each variable contributes, by complete decomposition.
    """

    t2: float
    spe: float
    combined: float
    alarm: bool
    t2_contributions: Array
    spe_contributions: Array


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class ProcessScores(Result):
    """Rows of process data, judged by a `ProcessMonitor`.

    Parameters
    ----------
    label : ndarray of shape (n,)
        Time, name or number of each row.
    phase : str
        ``"phase1"``: rows that the monitor was fitted to; ``"phase2"``: others.
    method : str
        ``"pca"`` or ``"pls"``.
    n_components : int
        Number of components.
    n_samples : float
        Number of rows that the model stands for; less than were seen where it forgets.
    variables : tuple of str
        Variables of the model; with lags ``"name (t-1)"`` and so on.
    scores : ndarray of shape (n, A)
        Scores.
    score_variances : ndarray of shape (A,)
        Their variances in normal operation.
    t2, spe, combined : ndarray of shape (n,)
        Hotelling's T2, squared prediction error, and T2 / its limit + SPE / its limit.
    t2_limit, spe_limit, combined_limit : float
        Limits of this phase, for complete rows.
    limit_factors : dict of str to ndarray of shape (n,)
        What the limit of each statistic is multiplied with in each row: 1, and less where
        values are missing.
    limit_methods : dict of str to str
        How each of them was found.
    alpha : float
        Share of normal rows that was to lie above each limit.
    ellipse_limit : float
        T2 limit of two components, for the picture of scores.
    medians : dict of str to float
        Median of each statistic over the rows of the fit: centre lines of charts.
    contribution_method : str
        ``"complete"``, ``"reconstruction"`` or ``"none"``.
    t2_contributions, spe_contributions, combined_contributions : ndarray of shape (n, K)
        What each variable contributes; NaN where its value is missing. Complete ones of T2 sum
        to it, those of SPE are signed squares whose sizes sum to it. None for ``"none"``.
    predicted : ndarray of shape (n, M) or None
        Predicted responses of a monitor with PLS.
    n_missing : ndarray of shape (n,)
        Number of missing values in each row.
    n_without_history : int
        Rows that have no statistics, for the rows before them are not there: the first ones of
        a monitor with lags, and those after a gap in time.
    findings : tuple of Finding
        ``"alert"`` for each limit that a row exceeds, ``"info"`` for what was missing.
    """

    label: NDArray[Any]
    phase: str
    method: str
    n_components: int
    n_samples: float
    variables: tuple[str, ...]
    scores: Array
    score_variances: Array
    t2: Array
    spe: Array
    combined: Array
    t2_limit: float
    spe_limit: float
    combined_limit: float
    limit_factors: dict[str, Array]
    limit_methods: dict[str, str]
    alpha: float
    ellipse_limit: float
    medians: dict[str, float]
    contribution_method: str
    t2_contributions: Array | None
    spe_contributions: Array | None
    combined_contributions: Array | None
    predicted: Array | None
    n_missing: NDArray[np.intp]
    n_without_history: int
    findings: tuple[Finding, ...] = ()

    @property
    def alarms(self) -> NDArray[np.bool_]:
        """Whether T2 or SPE of a row is above its limit."""
        return self.outside("t2") | self.outside("spe")

    def outside(self, statistic: Statistic) -> NDArray[np.bool_]:
        """Return which rows are above their limit.

        Parameters
        ----------
        statistic : {"t2", "spe", "combined"}
            Which limit.

        Returns
        -------
        ndarray of bool, shape (n,)
            Incomplete rows have limits of their own.
        """
        return np.asarray(getattr(self, statistic) > self._limits(statistic))

    def to_frame(self) -> pd.DataFrame:
        """Return one row a row of data: statistics, which limits it exceeds, missing values."""
        outside = [""] * len(self.label)
        for name in STATISTICS:
            for i in np.flatnonzero(self.outside(name)):
                outside[i] += f", {name}" if outside[i] else name
        statistics: dict[str, Any] = {name: getattr(self, name) for name in STATISTICS}
        columns = {"label": self.label, **statistics, "outside": outside}
        return pd.DataFrame(columns | {"n_missing": self.n_missing})

    def limits_frame(self) -> pd.DataFrame:
        """Return one row a statistic: limit, method, rows above it and how many to expect."""
        n = len(self.label)
        rows = []
        for name in STATISTICS:
            limit = getattr(self, f"{name}_limit")
            above = int(self.outside(name).sum())
            rows.append([name, self.limit_methods[name], limit, above, self.alpha * n])
        columns = ["statistic", "method", "limit", "n_above", "n_expected"]
        return pd.DataFrame(rows, columns=columns)

    def contributions(
        self, label: Any = None, *, statistic: Statistic = "spe", top: int = 10
    ) -> pd.DataFrame:
        """Return the largest contributions to one row.

        Parameters
        ----------
        label : object, optional
            Time, name or number of the row; by default the one with the largest statistic.
        statistic : {"t2", "spe", "combined"}, default "spe"
            What is split.
        top : int, default 10
            How many variables.

        Returns
        -------
        pandas.DataFrame
            Columns ``variable, contribution``, the largest size first.
        """
        check_integer("top", top, least=1)
        values = self._contributions(statistic)[self._row(label, statistic)]
        # missing ones last
        order = np.argsort(-np.nan_to_num(np.abs(values), nan=-1.0), kind="stable")[:top]
        names = np.asarray(self.variables, dtype=object)[order]
        return pd.DataFrame({"variable": names, "contribution": values[order]})

    def t2_chart(self) -> ControlChart:
        """Return T2 over time as a control chart; `extend` takes later values of T2."""
        return self._chart("t2")

    def spe_chart(self) -> ControlChart:
        """Return SPE over time as a control chart; `extend` takes later values of SPE."""
        return self._chart("spe")

    def combined_chart(self) -> ControlChart:
        """Return the combined index over time as a control chart."""
        return self._chart("combined")

    def plot(self, *, ax: Any = None) -> Any:
        """Draw T2 over time, and SPE below it unless `ax` is given.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw T2 alone; a new figure with both by default.

        Returns
        -------
        matplotlib Axes
            The picture of T2.
        """
        chart = dataclasses.replace(self.t2_chart(), companion=self.spe_chart())
        return chart.plot(ax=ax)

    def plot_scores(self, *, components: tuple[int, int] = (1, 2), ax: Any = None) -> Any:
        """Draw two scores of each row with the ellipse of the T2 limit of both.

        Parameters
        ----------
        components : tuple of int, default (1, 2)
            Numbers of two components, from 1.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.mspc.process import plots

        numbers = [
            check_integer("components", one, least=1, most=self.n_components)
            for one in components
        ]
        if len(set(numbers)) != 2:
            msg = f"components must be two different numbers, got {components!r}"
            raise InputError(msg)
        return plots.plot_scores(self, (numbers[0], numbers[1]), ax=ax)

    def plot_contributions(
        self,
        label: Any = None,
        *,
        statistic: Statistic = "spe",
        top: int = 15,
        ax: Any = None,
    ) -> Any:
        """Draw the largest contributions to one row as bars.

        Parameters
        ----------
        label, statistic, top
            As in `contributions`.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.mspc.process import plots

        row = self._row(label, statistic)
        table = self.contributions(self.label[row], statistic=statistic, top=top)
        return plots.plot_contributions(self, row, statistic, table, ax=ax)

    def _limits(self, statistic: str) -> Array:
        check_choice("statistic", statistic, STATISTICS)
        limit: float = getattr(self, f"{statistic}_limit")
        return limit * self.limit_factors[statistic]

    def _row(self, label: Any, statistic: str) -> int:
        check_choice("statistic", statistic, STATISTICS)
        if label is None:
            return int(np.argmax(getattr(self, statistic)))
        if isinstance(label, pd.Timestamp) or (
            self.label.dtype.kind == "M" and isinstance(label, str)
        ):
            stamp = pd.Timestamp(label)
            label = stamp.tz_convert("UTC").tz_localize(None) if stamp.tz else stamp
            label = label.to_datetime64()
        rows = np.flatnonzero(self.label == label)
        if not rows.size:
            known = ", ".join(map(str, self.label[:3]))
            msg = f"label = {label!r} is not in this result, which starts with {known}"
            raise InputError(msg)
        return int(rows[0])

    def _contributions(self, statistic: str) -> Array:
        check_choice("statistic", statistic, STATISTICS)
        values = getattr(self, f"{statistic}_contributions")
        if values is None:
            msg = (
                "this result was made without contributions; score with "
                "contributions='complete'"
            )
            raise InputError(msg)
        return np.asarray(values)

    def _chart(self, name: str) -> ControlChart:
        n = len(self.label)
        center, upper = self.medians[name], getattr(self, f"{name}_limit")
        by_row = self._limits(name)
        method = self.limit_methods[name]
        return ControlChart(
            kind={"t2": "scores_t2"}.get(name, name),
            title=f"{NAMES[name]}, {self.n_components} components",
            statistic=getattr(self, name),
            center=center,
            lower=-np.inf,
            upper=by_row if self.n_missing.any() else upper,
            sigma=None,
            n_phase1=n if self.phase == "phase1" else 0,
            labels=self.label,
            parameters={"center": center, "upper": upper, "alpha": self.alpha},
            method=f"{self.method.upper()}, limit by {method} at alpha = {self.alpha:g}",
            source=_SOURCES[name],
        )


def make_findings(
    label: NDArray[Any],
    found: dict[str, Array],
    limits: dict[str, tuple[float, str]],
    factors: dict[str, Array],
    contributions: dict[str, Array | None],
    variables: tuple[str, ...],
) -> tuple[Finding, ...]:
    """Return one finding for each limit that a row exceeds, in order of rows."""
    findings = []
    own = {name: limits[name][0] * factors[name] for name in ("t2", "spe")}
    above = {name: found[name] > own[name] for name in ("t2", "spe")}
    for i in np.flatnonzero(above["t2"] | above["spe"]):
        for name in ("t2", "spe"):
            if above[name][i]:
                values = contributions[name]
                blame = None if values is None else values[i]
                point = (label[i], float(found[name][i]))
                limit = (float(own[name][i]), limits[name][1])
                findings.append(_finding(name, point, limit, blame, variables))
    return tuple(findings)


def _finding(
    name: str,
    point: tuple[Any, float],
    limit: tuple[float, str],
    blame: Array | None,
    variables: tuple[str, ...],
) -> Finding:
    label, value = point
    text = f"{NAMES[name]} {value:.4g} is above its limit {limit[0]:.4g} ({limit[1]})"
    if blame is not None:
        order = np.argsort(-np.nan_to_num(np.abs(blame), nan=-1.0))[:_NAMED]
        text += f"; largest contributions: {', '.join(variables[k] for k in order)}"
    time = None
    if isinstance(label, np.datetime64):
        time = pd.Timestamp(label).tz_localize("UTC").to_pydatetime()
    return Finding(
        rule=f"{name}_limit",
        severity="alert",
        subject=str(label),
        message=text,
        value=value,
        limit=limit[0],
        time=time,
    )


def missing_finding(
    n_missing: NDArray[np.intp], values: Array, variables: tuple[str, ...], method: str
) -> tuple[Finding, ...]:
    """Return one finding that counts what was missing, and where."""
    if not n_missing.any():
        return ()
    by_variable = np.isnan(values).sum(axis=0)
    order = np.argsort(-by_variable, kind="stable")
    named = [f"{variables[k]} ({by_variable[k]})" for k in order[:_NAMED] if by_variable[k]]
    return (
        Finding(
            rule="missing_values",
            severity="info",
            subject="X",
            message=(
                f"{int(n_missing.sum())} values in {int((n_missing > 0).sum())} of "
                f"{len(n_missing)} rows are missing, most of {', '.join(named)}; scores by "
                f"{method}"
            ),
            value=float(n_missing.sum()),
        ),
    )
