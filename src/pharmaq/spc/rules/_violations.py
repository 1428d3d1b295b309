"""Search for patterns of points: which rule signals where."""

from __future__ import annotations

import dataclasses
import html
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmaq._checks import as_float, check_integer
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result
from pharmaq.spc.rules._engine import mark, rule_codes
from pharmaq.spc.rules._sets import as_rule_set

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from pharmaq.spc.rules._rule import Rule, RuleSet

__all__ = ["Violation", "Violations", "find_violations", "mark_violations", "stretches"]

_SIDES = ("none", "above", "below", "both", "none")
_BEYOND_LIMIT = "1 point beyond a control limit"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """One signal of one rule.

    Parameters
    ----------
    rule : Rule
        The rule.
    position : int
        Position of the point that completes the pattern, from 0.
    points : tuple of int
        Positions of all points in the window, the last one included.
    side : {"above", "below", "both", "none"}
        Side of the center line, or direction of a trend; ``"none"`` where a rule has no side.
    label : object
        Label of the point that completes the pattern.
    description : str
        What the rule says; for the limits of a chart, what these say.
    """

    rule: Rule
    position: int
    points: tuple[int, ...]
    side: str
    label: Any
    description: str

    @property
    def message(self) -> str:
        """One sentence: the rule, its side and its source's name."""
        side = "" if self.side in {"none", "both"} else f", {self._direction()}"
        return f"{self.description}{side} ({self.rule.name})"

    def _direction(self) -> str:
        if self.rule.pattern == "trend":
            return {"above": "rising", "below": "falling"}[self.side]
        return self.side


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class Violations(Result):
    """All signals of a set of run rules, in order of their points.

    Parameters
    ----------
    rules : RuleSet
        The rules looked for.
    rule_numbers : ndarray of int, shape (n_signals,)
        Number of the rule in `rules`, from 0.
    positions : ndarray of int, shape (n_signals,)
        Position of the point that completes the pattern, from 0.
    first : ndarray of int, shape (n_signals,)
        Position of the first point of its window.
    sides : ndarray of str, shape (n_signals,)
        ``"above"``, ``"below"``, ``"both"`` or ``"none"``.
    z : ndarray of shape (n_signals,)
        Standardised value of the point that completes the pattern.
    labels : ndarray of shape (n_signals,)
        Its label; its position where the values had no labels.
    n_points, n_gaps, n_segments : int
        Points given, NaN among them (they break every run), and stretches without a gap.
    by_limits : tuple of str
        Names of rules that were held against the control limits of a chart, not against z.
    not_applied : dict of str to str
        Name of each rule that has no meaning on the chart, and the reason.
    """

    rules: RuleSet
    rule_numbers: NDArray[np.intp]
    positions: NDArray[np.intp]
    first: NDArray[np.intp]
    sides: NDArray[np.str_]
    z: NDArray[np.float64]
    labels: NDArray[Any]
    n_points: int
    n_gaps: int
    n_segments: int
    by_limits: tuple[str, ...] = ()
    not_applied: dict[str, str] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, number: int) -> Violation:
        i = range(len(self))[number]
        rule = self.rules.rules[self.rule_numbers[i]]
        return Violation(
            rule=rule,
            position=int(self.positions[i]),
            points=tuple(range(int(self.first[i]), int(self.positions[i]) + 1)),
            side=str(self.sides[i]),
            label=self.labels[i],
            description=self.description(rule),
        )

    @property
    def signals(self) -> NDArray[np.intp]:
        """Positions of points where at least one rule signals."""
        return np.unique(self.positions)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """One finding a signal."""
        return tuple(self._finding(i) for i in range(len(self)))

    def of(self, name: str) -> NDArray[np.intp]:
        """Return the positions where the rule of that name signals.

        Raises
        ------
        InputError
            If the set has no such rule, or the rule was not applied.
        """
        number = self.rules.rules.index(self.rules[name])
        if name in self.not_applied:
            msg = f"name = {name!r} is a rule that was not applied: {self.not_applied[name]}"
            raise InputError(msg)
        return self.positions[self.rule_numbers == number]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a signal."""
        names = np.array([rule.name for rule in self.rules], dtype=object)
        texts = np.array([self.description(rule) for rule in self.rules], dtype=object)
        columns = {
            "label": self.labels,
            "position": self.positions,
            "rule": names[self.rule_numbers],
            "first": self.first,
            "side": self.sides.astype(object),
            "z": self.z,
            "description": texts[self.rule_numbers],
        }
        return pd.DataFrame(columns)

    def description(self, rule: Rule) -> str:
        """Return what a rule says, in terms of the chart's limits where it stands for them."""
        return _BEYOND_LIMIT if rule.name in self.by_limits else rule.description

    def __repr__(self) -> str:
        left = f", not_applied={list(self.not_applied)}" if self.not_applied else ""
        return (
            f"Violations(rules={self.rules.name!r}, n_points={self.n_points}, "
            f"n_signals={len(self)}, signals={self.signals.tolist()[:6]}{left})"
        )

    def _repr_html_(self) -> str:
        # a mixin of a slotted dataclass has no super() without names
        text = Result._repr_html_(self)
        for reason in dict.fromkeys(self.not_applied.values()):
            names = ", ".join(n for n, why in self.not_applied.items() if why == reason)
            text += f"<p>Not applied: {html.escape(f'{names}; {reason}')}.</p>"
        return text

    def _fields(self) -> dict[str, Any]:
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return fields | {"rules": dataclasses.asdict(self.rules)}

    def _finding(self, number: int) -> Finding:
        violation = self[number]
        label, z = violation.label, float(self.z[number])
        by_limits = violation.rule.name in self.by_limits
        return Finding(
            rule=violation.rule.name,
            severity=violation.rule.severity,
            subject=f"point {label}",
            message=violation.message,
            value=None if math.isnan(z) else z,
            limit=None if by_limits else violation.rule.zone or None,
            time=pd.Timestamp(label).to_pydatetime() if _is_time(label) else None,
        )


def find_violations(
    z: ArrayLike | pd.Series,
    *,
    rules: str | Rule | RuleSet | Sequence[Rule] = "nelson",
    segments: ArrayLike | None = None,
) -> Violations:
    """Find the points where run rules signal.

    Parameters
    ----------
    z : array-like or Series, shape (n,)
        Standardised points in time order: (statistic - center) / standard deviation of the
        statistic. NaN stands for a gap or an excluded point: no run crosses it, and it is
        counted in the result. The labels of a Series name the points.
    rules : str, Rule, RuleSet or sequence of Rule, default "nelson"
        A published set, see `run_rules`, or rules of your own.
    segments : array-like of shape (n,), optional
        Stage or period of each point; no run crosses from one to the next.

    Returns
    -------
    Violations
        One entry a signal: a run that goes on signals at every further point, unless the rule
        restarts.

    Raises
    ------
    InputError
        If a value is infinite, or `segments` has another length.

    Notes
    -----
    Every rule is looked for in one compiled pass. A point that two rules mark has two entries.

    References
    ----------
    .. [1] L. S. Nelson, J. Qual. Technol. 16 (1984) 237-239.

    Examples
    --------
    >>> found = find_violations([0.2, 3.4, -0.1, 2.2, 0.3, 2.5], rules="western electric")
    >>> found.to_frame()[["position", "rule", "first", "side"]]
       position                rule  first   side
    0         1  western electric 1      1  above
    1         3  western electric 2      1  above
    2         5  western electric 2      3  above
    """
    from pharmaq.spc.rules._kernels import describe_signals

    rule_set = as_rule_set(rules)
    values = _points(z)
    whole = stretches(values, segments)
    words = mark(values, whole, rule_set)
    codes, zones = rule_codes(rule_set)
    found = []
    for number in range(len(rule_set)):
        positions = np.flatnonzero(words >> np.array(number, words.dtype) & 1)
        begins = whole[np.searchsorted(whole[:, 0], positions, side="right") - 1, 0]
        details = np.empty((len(positions), 2), np.int64)
        describe_signals(values, positions, begins, number, codes, zones, details)
        found.append(np.column_stack([np.full(len(positions), number), positions, details]))
    table = np.concatenate(found)
    table = table[np.lexsort((table[:, 0], table[:, 1]))]
    labels = z.index.to_numpy() if isinstance(z, pd.Series) else np.arange(len(values))
    return Violations(
        rules=rule_set,
        rule_numbers=table[:, 0],
        positions=table[:, 1],
        first=table[:, 2],
        sides=np.array(_SIDES)[table[:, 3]],
        z=values[table[:, 1]],
        labels=labels[table[:, 1]],
        n_points=len(values),
        n_gaps=len(values) - int(np.sum(whole[:, 1] - whole[:, 0])),
        n_segments=len(whole),
    )


def mark_violations(
    z: ArrayLike,
    *,
    rules: str | Rule | RuleSet | Sequence[Rule] = "nelson",
    segments: ArrayLike | None = None,
) -> NDArray[np.unsignedinteger]:
    """Return one word a point whose bits tell which run rules signal there.

    Parameters
    ----------
    z, rules, segments
        As for `find_violations`.

    Returns
    -------
    ndarray of unsigned int, shape (n,)
        Bit r, from 0, is set where rule r of the set signals; 0 at gaps. The shortest word that
        has a bit a rule.

    Examples
    --------
    >>> mark_violations([0.2, 3.4, -0.1, 2.2], rules="western electric")
    array([0, 1, 0, 2], dtype=uint8)
    """
    values = _points(z)
    return mark(values, stretches(values, segments), as_rule_set(rules))


def _points(z: ArrayLike | pd.Series) -> NDArray[np.float64]:
    values = np.ascontiguousarray(as_float("z", z))
    if values.ndim != 1:
        msg = f"z must be one-dimensional, got shape {values.shape}"
        raise InputError(msg)
    check_integer("number of points", len(values), least=1)
    # a sum is finite only if every term is
    infinite = [] if np.isfinite(values.sum()) else np.flatnonzero(np.isinf(values)).tolist()
    if infinite:
        msg = (
            f"z must be finite or NaN for a gap, but z[{infinite[0]}] is infinite: "
            "a standard deviation of zero has no z"
        )
        raise InputError(msg)
    return values


def stretches(z: NDArray[np.float64], segments: ArrayLike | None) -> NDArray[np.int64]:
    """Return first and end of each range of points without a gap or a change of segment."""
    if segments is None and np.isfinite(z.sum()):
        return np.array([[0, len(z)]], np.int64)
    good = ~np.isnan(z)
    breaks = np.zeros(len(z) + 1, bool)
    breaks[0] = True
    if segments is not None:
        names = np.asarray(segments)
        if names.shape != z.shape:
            msg = f"segments must have one entry a point, shape {z.shape}, got {names.shape}"
            raise InputError(msg)
        breaks[1:-1] = names[1:] != names[:-1]
    before = np.concatenate([[False], good[:-1]])
    starts = np.flatnonzero(good & (breaks[:-1] | ~before))
    after = np.concatenate([good[1:], [False]])
    breaks[-1] = True
    ends = np.flatnonzero(good & (breaks[1:] | ~after)) + 1
    return np.column_stack([starts, ends]).astype(np.int64)


def _is_time(label: Any) -> bool:
    return isinstance(label, np.datetime64 | pd.Timestamp)
