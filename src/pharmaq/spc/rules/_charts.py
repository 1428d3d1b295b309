"""Which rules have a meaning on which chart."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

from pharmaq._checks import check_choice
from pharmaq.spc.rules._sets import as_rule_set

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pharmaq.spc.rules._rule import Rule, RuleSet

__all__ = ["ApplicableRules", "applicable_rules", "is_control_limit", "is_limit"]

# what the sources call the limit, whatever multiple a chart draws it at
_LIMIT_ZONE = 3.0

_INDEPENDENT = ("individuals", "xbar", "short run", "residual", "transformed")
_COUNTS = ("p", "np", "c", "u", "laney p", "laney u")
_REASONS = {
    ("moving range", "mr", "transformed range"): (
        "neighbouring moving ranges share a measurement, so that runs are no surprise"
    ),
    ("range", "short run range", "r", "s"): (
        "the statistic is skewed: runs about its center line and zones do not have the "
        "probabilities that the rule counts on"
    ),
    ("quantile",): (
        "the values are skewed, with limits at quantiles: zones in standard deviations do not "
        "have the probabilities that the rule counts on; chart transformed values"
    ),
    ("g", "t"): (
        "the time between rare events is far from symmetric: neither zones nor runs have the "
        "probabilities that the rule counts on"
    ),
    ("ewma", "cusum"): (
        "every point holds those before it, so that runs and trends are no surprise"
    ),
    (
        "t2",
        "scores t2",
        "spe",
        "combined",
        "mewma",
        "mcusum",
    ): "the statistic has one limit, and no zones about a center",
}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ApplicableRules:
    """Rules that a chart allows, and why it does not allow the others.

    Parameters
    ----------
    kind : str
        The chart.
    rules : tuple of Rule
        Rules that have a meaning there.
    refused : dict of str to str
        Name of each other rule, and the reason.
    """

    kind: str
    rules: tuple[Rule, ...]
    refused: dict[str, str]


def applicable_rules(
    rules: str | Rule | RuleSet | Sequence[Rule], *, kind: str
) -> ApplicableRules:
    """Return the rules that have a meaning on a kind of chart, and name the others.

    Parameters
    ----------
    rules : str, Rule, RuleSet or sequence of Rule
        As for `find_violations`.
    kind : str
        As `ControlChart.kind`. All rules: ``"individuals"``, ``"xbar"``, ``"short_run"``,
        ``"residual"``, ``"transformed"``, ``"p"``, ``"np"``, ``"c"``, ``"u"``, ``"laney_p"``,
        ``"laney_u"``. Single points beyond a limit only: ``"moving_range"`` (``"mr"``),
        ``"range"`` (``"r"``), ``"s"``, ``"short_run_range"``, ``"transformed_range"``,
        ``"quantile"``, ``"g"``, ``"t"``, ``"ewma"``, ``"cusum"``, ``"t2"``, ``"scores_t2"``,
        ``"spe"``, ``"combined"``, ``"mewma"``, ``"mcusum"``.

    Returns
    -------
    ApplicableRules
        The rules allowed, and a reason for each of the others.

    Notes
    -----
    Runs rules count on independent points whose median is the center line [1]_. Counts are
    discrete and skewed where they are few; there the probabilities are approximate.

    References
    ----------
    .. [1] L. S. Nelson, J. Qual. Technol. 16 (1984) 237-239.

    Examples
    --------
    >>> answer = applicable_rules("western electric", kind="moving range")
    >>> [rule.name for rule in answer.rules]
    ['western electric 1']
    >>> answer.refused["western electric 4"]
    'neighbouring moving ranges share a measurement, so that runs are no surprise'
    """
    name = kind.lower().replace("_", " ") if isinstance(kind, str) else kind
    reasons = {key: reason for keys, reason in _REASONS.items() for key in keys}
    check_choice("kind", name, (*_INDEPENDENT, *_COUNTS, *reasons))
    rule_set = as_rule_set(rules)
    if name not in reasons:
        return ApplicableRules(kind=name, rules=rule_set.rules, refused={})
    allowed = tuple(rule for rule in rule_set if is_limit(rule))
    refused = {rule.name: reasons[name] for rule in rule_set if not is_limit(rule)}
    return ApplicableRules(kind=name, rules=allowed, refused=refused)


def is_limit(rule: Rule) -> bool:
    """Tell whether a rule looks at single points beyond a limit."""
    return rule.pattern == "beyond" and rule.window == 1 and rule.zone > 0


def is_control_limit(rule: Rule) -> bool:
    """Tell whether a rule stands for the limits that a chart draws, whatever their distance."""
    return is_limit(rule) and math.isclose(rule.zone, _LIMIT_ZONE, rel_tol=0, abs_tol=1e-12)
