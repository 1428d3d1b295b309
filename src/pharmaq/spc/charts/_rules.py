"""Run rules on the points of a control chart."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pharmaq.spc.rules import (
    RuleSet,
    Violations,
    applicable_rules,
    as_rule_set,
    find_violations,
)
from pharmaq.spc.rules._charts import is_control_limit
from pharmaq.spc.rules._violations import stretches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pharmaq.spc.charts._chart import ControlChart
    from pharmaq.spc.rules import Rule

__all__ = ["chart_violations"]

_NO_ZONES = "the chart has no standard deviation, and so no zones and no symmetric runs"
_ZERO = "the standard deviation of some points is 0, so that they have no zones"


class _Signals(NamedTuple):
    """Signals of some rules: number in the whole set, point, first point, side."""

    numbers: NDArray[np.intp]
    positions: NDArray[np.intp]
    first: NDArray[np.intp]
    sides: NDArray[np.str_]


def chart_violations(
    chart: ControlChart, rules: str | Rule | RuleSet | Sequence[Rule | str]
) -> Violations:
    """Return where rules signal on a chart, and which of them have no meaning there."""
    rule_set = as_rule_set(rules)
    z, reason = _standardised(chart)
    refused = applicable_rules(rule_set, kind=_kind(chart)).refused
    limits = [rule for rule in rule_set if is_control_limit(rule)]
    if z is None:
        refused |= {rule.name: reason for rule in rule_set if rule not in limits}
    others = [rule for rule in rule_set if rule not in limits and rule.name not in refused]
    found = [_beyond_limits(chart, rule, rule_set.rules.index(rule)) for rule in limits]

    # an excluded point is judged itself, but no run counts it or crosses it
    kept = np.ones(chart.n_points)
    kept[[e.position for e in chart.excluded]] = np.nan
    if z is not None:
        singles = [rule for rule in others if rule.window == 1]
        runs = [rule for rule in others if rule.window > 1]
        found += _by_zones(z, singles, rule_set, chart.stages)
        found += _by_zones(z * kept, runs, rule_set, chart.stages)
    numbers, positions, first, sides = _sorted(found)
    return Violations(
        rules=rule_set,
        rule_numbers=numbers,
        positions=positions,
        first=first,
        sides=sides,
        z=(np.full(chart.n_points, np.nan) if z is None else z)[positions],
        labels=chart.labels[positions],
        n_points=chart.n_points,
        n_gaps=len(chart.excluded),
        n_segments=len(stretches(kept, chart.stages)),
        by_limits=tuple(rule.name for rule in limits),
        not_applied={
            rule.name: refused[rule.name] for rule in rule_set if rule.name in refused
        },
    )


def _kind(chart: ControlChart) -> str:
    """Return the kind; times made nearly normal by a power are single values like others."""
    transformed = chart.kind == "t" and chart.parameters.get("limits") == "nelson"
    return "individuals" if transformed else chart.kind


def _standardised(chart: ControlChart) -> tuple[NDArray[np.float64] | None, str]:
    if chart.sigma is None:
        return None, _NO_ZONES
    sigma = np.broadcast_to(np.asarray(chart.sigma, dtype=np.float64), chart.n_points)
    if not np.all(sigma > 0):
        return None, _ZERO
    return (chart.statistic - chart.center) / sigma, ""


def _beyond_limits(chart: ControlChart, rule: Rule, number: int) -> _Signals:
    """Return points beyond the limits as they are drawn."""
    x, on = chart.statistic, rule.on_line == "counts"
    above = (x > chart.upper) | (on & (x == chart.upper))
    below = (x < chart.lower) | (on & (x == chart.lower))
    above, below = above & (rule.sides != "below"), below & (rule.sides != "above")
    positions = np.flatnonzero(above | below)
    sides = np.where(above, "above", "below")[positions]
    return _Signals(np.full(len(positions), number), positions, positions, sides)


def _by_zones(
    z: NDArray[np.float64],
    rules: list[Rule],
    rule_set: RuleSet,
    stages: NDArray | None,
) -> list[_Signals]:
    if not rules:
        return []
    found = find_violations(z, rules=rules, segments=stages)
    numbers = np.array([rule_set.rules.index(rule) for rule in rules])
    own = numbers[found.rule_numbers]
    return [_Signals(own, found.positions, found.first, found.sides)]


def _sorted(found: list[_Signals]) -> _Signals:
    """Join signals in order of points, and at one point in order of rules."""
    none = np.empty(0, np.intp)
    found = [_Signals(none, none, none, np.empty(0, np.str_)), *found]
    numbers = np.concatenate([part.numbers for part in found])
    positions = np.concatenate([part.positions for part in found])
    first = np.concatenate([part.first for part in found])
    sides = np.concatenate([part.sides for part in found])
    order = np.lexsort((numbers, positions))
    return _Signals(numbers[order], positions[order], first[order], sides[order])
