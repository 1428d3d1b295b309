"""Published sets of run rules, and how to take and change some of their rules."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from pharmaq._checks import check_choice, check_integer
from pharmaq.errors import InputError, InputTypeError
from pharmaq.spc.rules._rule import OnLine, Rule, RuleSet, Sides

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "AIAG",
    "MINITAB",
    "MONTGOMERY",
    "NELSON",
    "WESTERN_ELECTRIC",
    "WESTGARD",
    "as_rule_set",
    "run_rules",
]

_PATTERNS: dict[str, dict[str, Any]] = {
    "limit": {"pattern": "beyond", "zone": 3.0, "severity": "action"},
    "side": {"pattern": "beyond"},
    "trend": {"pattern": "trend"},
    "alternating": {"pattern": "alternating"},
    "zone a": {"pattern": "beyond", "count": 2, "window": 3, "zone": 2.0},
    "zone b": {"pattern": "beyond", "count": 4, "window": 5, "zone": 1.0},
    "within": {"pattern": "within", "zone": 1.0},
    "mixture": {"pattern": "outside", "zone": 1.0, "sides": "both"},
}


def _rule_set(name: str, source: str, *rules: tuple[str, int] | tuple[str]) -> RuleSet:
    made = []
    for number, (key, *length) in enumerate(rules, start=1):
        options = dict(_PATTERNS[key])
        if length:
            options["count"] = options["window"] = length[0]
        made.append(Rule(name=f"{name} {number}", source=source, **options))
    return RuleSet(name=name, rules=tuple(made), source=source)


NELSON = _rule_set(
    "nelson",
    "L. S. Nelson, J. Qual. Technol. 16 (1984) 237-239",
    ("limit",),
    ("side", 9),
    ("trend", 6),
    ("alternating", 14),
    ("zone a",),
    ("zone b",),
    ("within", 15),
    ("mixture", 8),
)
"""The eight tests of Nelson (1984); the eighth needs points on both sides."""

WESTERN_ELECTRIC = _rule_set(
    "western electric",
    "Western Electric, Statistical Quality Control Handbook, 1956",
    ("limit",),
    ("zone a",),
    ("zone b",),
    ("side", 8),
)
"""The four tests for instability of the Western Electric handbook (1956)."""

AIAG = _rule_set(
    "aiag",
    "AIAG, Statistical Process Control, 2nd ed., 2005",
    ("limit",),
    ("side", 7),
    ("trend", 6),
    ("alternating", 14),
    ("zone a",),
    ("zone b",),
    ("within", 15),
    ("mixture", 8),
)
"""The criteria of the automotive industry's manual: Nelson's, with 7 points on one side."""

MONTGOMERY = _rule_set(
    "montgomery",
    "D. C. Montgomery, Introduction to Statistical Quality Control, 8th ed., Wiley",
    ("limit",),
    ("zone a",),
    ("zone b",),
    ("side", 8),
    ("trend", 6),
    ("within", 15),
    ("alternating", 14),
    ("mixture", 8),
)
"""The sensitizing rules of Montgomery's textbook that can be computed."""

_CLINICAL: dict[str, dict[str, Any]] = {
    "1-3s": {"pattern": "beyond", "zone": 3.0, "severity": "action"},
    "2-2s": {"pattern": "beyond", "count": 2, "zone": 2.0},
    "R-4s": {"pattern": "outside", "count": 2, "zone": 2.0, "sides": "both"},
    "4-1s": {"pattern": "beyond", "count": 4, "zone": 1.0},
    "10x": {"pattern": "beyond", "count": 10},
}
_WESTGARD = "J. O. Westgard, P. L. Barry, M. R. Hunt, T. Groth, Clin. Chem. 27 (1981) 493-501"

WESTGARD = RuleSet(
    name="westgard",
    source=_WESTGARD,
    rules=tuple(
        Rule(name=f"westgard {name}", source=_WESTGARD, **options)
        for name, options in _CLINICAL.items()
    ),
)
"""The multirule of clinical laboratories; R-4s on two results in a row, one on each side."""

MINITAB = RuleSet(
    name="minitab",
    source="Minitab, tests for special causes: Nelson's, the eighth on either side",
    rules=tuple(
        dataclasses.replace(
            rule,
            name=f"minitab {number}",
            source="Minitab, tests for special causes",
            sides="either",
        )
        for number, rule in enumerate(NELSON, start=1)
    ),
)
"""Nelson's tests as Minitab runs them: the eighth does not need points on both sides."""

_SETS = {s.name: s for s in (NELSON, WESTERN_ELECTRIC, AIAG, MONTGOMERY, WESTGARD, MINITAB)}


def run_rules(
    name: str = "nelson",
    *,
    subset: Sequence[int] | None = None,
    lengths: Mapping[int, int] | None = None,
    sides: Mapping[int, Sides] | None = None,
    on_line: OnLine | None = None,
    ties: OnLine | None = None,
    last_point: bool | None = None,
    restart: bool | None = None,
) -> RuleSet:
    """Return a published set of run rules, or some of it with lengths and conventions changed.

    Parameters
    ----------
    name : {"nelson", "western electric", "aiag", "montgomery", "westgard", "minitab"}
        The set.
    subset : sequence of int, optional
        Numbers of the rules to keep, from 1, as the source counts them; all by default.
    lengths : mapping of int to int, optional
        Number of a rule to its own length: so many points in a row.
    sides : mapping of int to str, optional
        Number of a rule to its sides, as in `Rule`.
    on_line, ties, last_point, restart : optional
        Conventions for all rules that know them, as in `Rule`; ``on_line="skipped"`` holds for
        runs on one side of the center line.

    Returns
    -------
    RuleSet
        Rules that differ from the source say so in their name.

    Raises
    ------
    InputError
        If there is no such set or rule, or a length does not fit its rule.

    Examples
    --------
    >>> chosen = run_rules("nelson", subset=(1, 2, 5), lengths={2: 8})
    >>> [rule.name for rule in chosen]
    ['nelson 1', 'nelson 2 (changed)', 'nelson 5']
    >>> chosen.rules[1].description
    '8 points in a row on the same side of the center line'
    """
    published = _SETS[check_choice("name", name, _SETS)]
    kept = _numbers("subset", subset, published)
    changes: dict[int, dict[str, Any]] = {number: {} for number in kept}
    for number, length in _chosen("lengths", lengths, kept).items():
        changes[number] |= _length_change(published.rules[number - 1], length)
    for number, side in _chosen("sides", sides, kept).items():
        changes[number]["sides"] = side
    conventions = {"on_line": on_line, "ties": ties, "last_point": last_point}
    conventions["restart"] = restart
    given = {key: value for key, value in conventions.items() if value is not None}
    rules = []
    for number in kept:
        rule = published.rules[number - 1]
        rules.append(_changed(rule, changes[number] | _fitting(rule, given)))
    whole = tuple(rules) == published.rules
    return (
        published
        if whole
        else RuleSet(name=f"{name} (chosen)", rules=tuple(rules), source=published.source)
    )


def as_rule_set(rules: str | Rule | RuleSet | Sequence[Rule | str]) -> RuleSet:
    """Return rules named or given in any form as one `RuleSet`.

    Parameters
    ----------
    rules : str, Rule, RuleSet or sequence of Rule or str
        Name of a set as in `run_rules`, a rule, or several; a published rule may be given by
        its name, such as ``"nelson 2"``.

    Returns
    -------
    RuleSet
        The rules.

    Examples
    --------
    >>> as_rule_set("western electric").rules[3].description
    '8 points in a row on the same side of the center line'
    >>> as_rule_set(["nelson 1", "western electric 4"]).rules[1].window
    8
    """
    if isinstance(rules, RuleSet):
        return rules
    if isinstance(rules, str):
        return _SETS[check_choice("rules", rules, _SETS)]
    if isinstance(rules, Rule):
        return RuleSet(name=rules.name, rules=(rules,), source=rules.source)
    if not hasattr(rules, "__iter__"):
        msg = f"rules must be a name, a Rule, a RuleSet or a sequence of Rule, got {rules!r}"
        raise InputTypeError(msg)
    chosen = (_published(rule) if isinstance(rule, str) else rule for rule in rules)
    return RuleSet(name="own", rules=tuple(chosen))


def _published(name: str) -> Rule:
    every = {rule.name: rule for rule_set in _SETS.values() for rule in rule_set}
    return every[check_choice("rules", name, every)]


def _numbers(name: str, numbers: Sequence[int] | None, published: RuleSet) -> list[int]:
    if numbers is None:
        return list(range(1, len(published) + 1))
    kept = [check_integer(name, number, least=1, most=len(published)) for number in numbers]
    if not kept or len(set(kept)) < len(kept):
        msg = f"{name} must hold different numbers of rules, got {numbers!r}"
        raise InputError(msg)
    return kept


def _chosen(name: str, mapping: Mapping[int, Any] | None, kept: list[int]) -> dict[int, Any]:
    chosen = dict(mapping or {})
    strange = [number for number in chosen if number not in kept]
    if strange:
        msg = f"{name} must name rules of the set by their number ({kept}), got {strange}"
        raise InputError(msg)
    return chosen


def _length_change(rule: Rule, length: int) -> dict[str, int]:
    if rule.count < rule.window or rule.window == 1:
        msg = (
            f"lengths is for rules of points in a row, not for {rule.name!r} "
            f"({rule.description}); make a Rule of its own with count and window"
        )
        raise InputError(msg)
    return {"count": length, "window": length}


def _fitting(rule: Rule, given: dict[str, Any]) -> dict[str, Any]:
    """Return the conventions that have a meaning for the rule."""
    ordered = rule.pattern in {"trend", "alternating"}
    fits = {
        "on_line": not ordered and (given.get("on_line") != "skipped" or _is_side_run(rule)),
        "ties": rule.pattern == "trend"
        or (rule.pattern == "alternating" and given.get("ties") != "counts"),
        "last_point": rule.count < rule.window,
        "restart": True,
    }
    return {key: value for key, value in given.items() if fits[key]}


def _is_side_run(rule: Rule) -> bool:
    return rule.pattern == "beyond" and rule.zone == 0


def _changed(rule: Rule, changes: dict[str, Any]) -> Rule:
    changed = dataclasses.replace(rule, **changes)
    if changed == rule:
        return rule
    return dataclasses.replace(changed, name=f"{rule.name} (changed)")
