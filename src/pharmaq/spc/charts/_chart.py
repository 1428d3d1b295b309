"""The one `ControlChart`: a statistic with its limits, frozen after phase 1."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from pharmaq import modelfile
from pharmaq.errors import FormatError, InputError
from pharmaq.results import Finding, Result
from pharmaq.spc.charts._procedures import Points, evaluate, same
from pharmaq.spc.charts._rules import chart_violations

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

    from pharmaq.spc.rules import Rule, RuleSet, Violations

    Rules = str | Rule | RuleSet | Sequence[Rule | str]

    Limit = float | NDArray[np.float64]

__all__ = ["ControlChart", "Exclusion", "as_labels"]

_LIMITS = ("center", "lower", "upper")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Exclusion:
    """A point that was left out of the estimation of limits, and why.

    Parameters
    ----------
    position : int
        Position of the point, from 0.
    reason : str
        What was found out about it.
    """

    position: int
    reason: str


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class ControlChart(Result):
    """A statistic over time with its centre line and control limits.

    Charts are made by functions such as `individuals_chart`; they estimate limits from the
    measurements of phase 1. `extend` monitors later ones against the same, frozen limits.

    Parameters
    ----------
    kind : str
        What is plotted, for example ``"individuals"``, ``"xbar"``, ``"ewma"``.
    title : str
        The same for people.
    statistic : ndarray of shape (n,)
        One value a point.
    center, lower, upper : float or ndarray of shape (n,)
        Centre line and control limits; a float where they are the same for all points.
        Infinite where a chart has no limit on that side.
    sigma : float or ndarray of shape (n,), optional
        Standard deviation of the statistic, for zones and run rules; None where zones have no
        meaning.
    n_phase1 : int
        Number of points that belong to phase 1; later ones were monitored.
    labels : ndarray of shape (n,)
        Time, batch or number of each point.
    stages : ndarray of shape (n,), optional
        Period of each point, where limits differ by period.
    excluded : tuple of Exclusion
        Points left out of the estimation; they are drawn and judged all the same.
    parameters : dict
        Everything the limits follow from; frozen.
    method : str
        Estimator, formula of the limits and convention in words.
    source : str
        Where the formula stands.
    units : str
        Unit of the statistic.
    companion : ControlChart, optional
        The chart of spread that belongs to a chart of location.
    components : dict of str to ndarray
        Further series that make up the statistic: both sides of a CUSUM.
    state : dict
        What a statistic with a memory carries on to the next point.
    target, lsl, usl : float, optional
        Target and specification limits, to be drawn; they play no part in control limits.
    """

    kind: str
    title: str
    statistic: NDArray[np.float64]
    center: Limit
    lower: Limit
    upper: Limit
    sigma: Limit | None
    n_phase1: int
    labels: NDArray[Any]
    parameters: dict[str, Any]
    method: str
    source: str
    stages: NDArray[Any] | None = None
    excluded: tuple[Exclusion, ...] = ()
    units: str = ""
    companion: ControlChart | None = None
    components: dict[str, NDArray[np.float64]] = dataclasses.field(default_factory=dict)
    state: dict[str, Any] = dataclasses.field(default_factory=dict)
    target: float | None = None
    lsl: float | None = None
    usl: float | None = None

    @property
    def n_points(self) -> int:
        """Number of points."""
        return len(self.statistic)

    @property
    def signals(self) -> NDArray[np.intp]:
        """Positions, from 0, of all points beyond a control limit; on it is within it."""
        beyond = (self.statistic > self.upper) | (self.statistic < self.lower)
        return np.flatnonzero(beyond)

    @property
    def new_signals(self) -> NDArray[np.intp]:
        """Those of `signals` that belong to phase 2."""
        return self.signals[self.signals >= self.n_phase1]

    @property
    def in_control(self) -> bool:
        """Whether no point, of this chart or of its companion, is beyond a limit."""
        return not self.signals.size and (self.companion is None or self.companion.in_control)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """One finding of severity ``"alert"`` for each signal, here and in the companion."""
        own = tuple(self._finding(int(i)) for i in self.signals)
        return own if self.companion is None else own + self.companion.findings

    def violations(self, rules: Rules = "nelson") -> Violations:
        """Find where run rules signal, on points of both phases.

        Parameters
        ----------
        rules : str, Rule, RuleSet or sequence of Rule or str, default "nelson"
            Name of a published set, rules as from `run_rules`, or names of rules.

        Returns
        -------
        Violations
            Rule, points, side and label of each signal. ``not_applied`` names the rules that
            have no meaning on this chart, and why. A companion has violations of its own.

        Notes
        -----
        Zones are counted in ``(statistic - center) / sigma`` of each point. The rule of one
        point beyond 3 sigma stands for the control limits of the chart, wherever they are: its
        points are `signals`. No run crosses from one stage to the next, or a point that was
        excluded; that point is held against the limits all the same. Runs go on from phase 1
        into phase 2. On charts of moving ranges, ranges, standard deviations, rare events,
        EWMA and CUSUM only single points are judged: see `applicable_rules`.

        Examples
        --------
        >>> from pharmaq.spc import individuals_chart
        >>> x = [0.4, 1.1, 0.2, 0.9, 1.3, 0.6, 0.1, 0.8, 0.3, -3.2]
        >>> found = individuals_chart(x, center=0, sigma=1).violations()
        >>> found.to_frame()[["label", "rule", "first", "side"]]
           label      rule  first   side
        0      9  nelson 2      0  above
        1     10  nelson 1      9  below
        """
        return chart_violations(self, rules)

    def extend(
        self,
        values: Any,
        *,
        sizes: ArrayLike | None = None,
        subgroups: ArrayLike | None = None,
        parts: ArrayLike | None = None,
        labels: ArrayLike | None = None,
    ) -> ControlChart:
        """Monitor later measurements against the limits of phase 1.

        Parameters
        ----------
        values : array-like
            New measurements in the form the chart was made from: single values, subgroups
            (one a row), or counts. NaN raises.
        sizes : array-like of shape (n,) or int, optional
            For charts of proportions and rates: what was inspected.
        subgroups : array-like of shape (n,) or int, optional
            For charts of subgroups whose measurements are given in one column.
        parts : array-like of shape (n,), optional
            For charts of short runs: the product of each value.
        labels : array-like of shape (n,), optional
            Names of the new points; numbers go on by default.

        Returns
        -------
        ControlChart
            All points, old and new; limits, and what they were estimated from, are those of
            this chart. Statistics with a memory go on where they stood.

        Raises
        ------
        InputError
            If the new measurements do not have the form of the old ones.
        """
        beside = {"sizes": sizes, "subgroups": subgroups, "parts": parts}
        new = evaluate(self, values, beside)
        names = self._new_labels(labels, len(new.statistic))
        companion = None
        if self.companion is not None:
            companion = self.companion.extend(values, **beside, labels=names[self.n_points :])
        return self._joined(new, names, companion)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a point: label, statistic, limits, phase, stage, signal."""
        n = self.n_points
        frame = pd.DataFrame(
            {
                "label": self.labels,
                "statistic": self.statistic,
                "center": np.broadcast_to(self.center, n),
                "lower": np.broadcast_to(self.lower, n),
                "upper": np.broadcast_to(self.upper, n),
                "phase": np.where(np.arange(n) < self.n_phase1, 1, 2),
                "signal": np.isin(np.arange(n), self.signals),
                "excluded": np.isin(np.arange(n), [e.position for e in self.excluded]),
                **{name: self.components[name] for name in sorted(self.components)},
            }
        )
        if self.stages is not None:
            frame.insert(1, "stage", self.stages)
        return frame

    def save(self, path: str | Path) -> str:
        """Write the chart with its frozen limits to a sealed file.

        Parameters
        ----------
        path : str or Path
            By custom with the ending ``.pqm``; replaced in one step if it exists.

        Returns
        -------
        str
            The seal, a SHA-256.
        """
        return modelfile.save(path, "control_chart", _content(self))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a chart back and check its seal.

        Parameters
        ----------
        path : str or Path
            A file that `save` wrote.

        Returns
        -------
        ControlChart
            Ready to `extend`.

        Raises
        ------
        FormatError
            If the file is damaged or changed.
        """
        content, _ = modelfile.load(path, "control_chart")
        try:
            return _restored(cls, content)
        except (KeyError, TypeError) as error:
            msg = f"{path} does not hold a control chart of this version: {error}"
            raise FormatError(msg) from None

    def _fields(self) -> dict[str, Any]:
        # a mixin of a slotted dataclass has no super() without names
        fields = Result._fields(self)
        return fields | {"excluded": [dataclasses.asdict(e) for e in self.excluded]}

    def __repr__(self) -> str:
        limits = ", ".join(f"{name}={_brief(getattr(self, name))}" for name in _LIMITS)
        return (
            f"ControlChart(kind={self.kind!r}, n_points={self.n_points}, "
            f"n_phase1={self.n_phase1}, {limits}, signals={self.signals.tolist()[:6]})"
        )

    def plot(self, *, ax: Any = None, zones: bool = False, rules: Rules | None = None) -> Any:
        """Draw the statistic with centre line, limits and marked signals.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default, with the companion chart below.
        zones : bool, default False
            Draw lines at one and two standard deviations too.
        rules : str, Rule, RuleSet or sequence of Rule or str, optional
            Mark the `violations` of these rules with the rules' numbers; by default points
            beyond the limits only.

        Returns
        -------
        matplotlib Axes
            The picture of this chart.
        """
        from pharmaq.spc.charts import plots

        chain = [self]
        while chain[-1].companion is not None:
            chain.append(chain[-1].companion)
        found = None if rules is None else [chart.violations(rules) for chart in chain]
        return plots.plot_chart(self, ax=ax, zones=zones, violations=found)

    def _new_labels(self, labels: ArrayLike | None, n: int) -> NDArray[Any]:
        """Return labels of all points, old and new."""
        if labels is not None:
            given = as_labels(labels)
            if given.shape != (n,):
                msg = f"labels has shape {given.shape}, but there are {n} new points"
                raise InputError(msg)
        elif self.labels.dtype.kind in "iu":
            given = np.arange(1, n + 1) + self.labels[-1]
        else:
            msg = (
                "labels must be given, for the points of this chart are named: one a new point"
            )
            raise InputError(msg)
        return np.concatenate([self.labels, given])

    def _joined(
        self, new: Points, labels: NDArray[Any], companion: ControlChart | None
    ) -> ControlChart:
        n_old, n_new = self.n_points, len(new.statistic)
        stages = self.stages
        if stages is not None:
            stages = np.concatenate([stages, np.repeat(stages[-1:], n_new)])
        return dataclasses.replace(
            self,
            statistic=np.concatenate([self.statistic, new.statistic]),
            center=_joined_limit(self.center, new.center, n_old, n_new),
            lower=_joined_limit(self.lower, new.lower, n_old, n_new),
            upper=_joined_limit(self.upper, new.upper, n_old, n_new),
            sigma=None
            if self.sigma is None or new.sigma is None
            else _joined_limit(self.sigma, new.sigma, n_old, n_new),
            labels=labels,
            stages=stages,
            companion=companion,
            components={
                name: np.concatenate([series, new.components[name]])
                for name, series in self.components.items()
            },
            state=new.state,
        )

    def _finding(self, i: int) -> Finding:
        value = float(self.statistic[i])
        upper = float(np.broadcast_to(self.upper, self.n_points)[i])
        lower = float(np.broadcast_to(self.lower, self.n_points)[i])
        above = value > upper
        side, limit = ("above the upper", upper) if above else ("below the lower", lower)
        return Finding(
            rule="control_limit",
            severity="alert",
            subject=str(self.labels[i]),
            message=f"{self.title}: {value:.6g} is {side} control limit {limit:.6g}",
            value=value,
            limit=limit,
            time=_time_of(self.labels[i]),
        )


def _time_of(label: Any) -> dt.datetime | None:
    """Return the time that names a point, in UTC; None where points have other names."""
    if not isinstance(label, np.datetime64):
        return None
    return pd.Timestamp(label).tz_localize("UTC").to_pydatetime()


def as_labels(labels: ArrayLike) -> NDArray[Any]:
    """Return labels as numbers, times (UTC) or text, which a model file can hold."""
    if isinstance(labels, pd.DatetimeIndex) and labels.tz is not None:
        labels = labels.tz_convert("UTC").tz_localize(None)
    array = np.asarray(labels)
    if array.dtype == object:
        times = [isinstance(label, dt.datetime) for label in array]
        if array.size and all(times):
            return as_labels(pd.DatetimeIndex(array))
        return array.astype(str)
    return array


def _brief(limit: Limit) -> str:
    level = np.atleast_1d(limit)
    low, high = level.min(), level.max()
    return f"{low:.6g}" if low == high else f"{low:.6g}..{high:.6g}"


def _joined_limit(old: Limit, new: Limit, n_old: int, n_new: int) -> Limit:
    if np.ndim(old) == 0 and np.ndim(new) == 0 and float(old) == float(new):
        return float(old)
    return np.concatenate([np.broadcast_to(old, n_old), np.broadcast_to(new, n_new)])


def _content(chart: ControlChart) -> dict[str, Any]:
    fields = {f.name: getattr(chart, f.name) for f in dataclasses.fields(chart)}
    # JSON has no infinity, an array has
    n = chart.n_points
    limits = {name: np.broadcast_to(fields[name], n).copy() for name in _LIMITS}
    fields["excluded"] = [dataclasses.asdict(e) for e in chart.excluded]
    fields["companion"] = None if chart.companion is None else _content(chart.companion)
    return fields | limits


def _restored(cls: Any, content: dict[str, Any]) -> Any:
    content = dict(content)
    companion = content.pop("companion")
    excluded = tuple(Exclusion(**e) for e in content.pop("excluded"))
    limits = {name: same(content.pop(name)) for name in _LIMITS}
    return cls(
        companion=None if companion is None else _restored(cls, companion),
        excluded=excluded,
        **limits,
        **content,
    )
