"""Which finding goes to whom: a table from rule to severity and review."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, get_args

import pandas as pd

from pharmaq._checks import check_choice
from pharmaq.errors import InputError, InputTypeError
from pharmaq.results import Finding, Result, Severity, findings_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["DEFAULT_ROUTES", "RoutedFindings", "SeverityTable"]

DEFAULT_ROUTES: dict[str, tuple[Severity, str]] = {
    "oos": ("action", "OOS investigation"),
    "undecided": ("action", "OOS investigation"),
    "excursion": ("action", "deviation"),
    "weighing": ("action", "deviation"),
    "action_limit": ("action", "quality review"),
    "excursion_action": ("action", "quality review"),
    "alert_limit": ("alert", "laboratory review"),
    "ooe": ("alert", "laboratory review"),
    "replicates": ("alert", "laboratory review"),
    "excursion_alert": ("alert", "process review"),
    "mass_gain": ("alert", "process review"),
    "missing_result": ("alert", "laboratory review"),
    "no_specification": ("alert", "quality review"),
    "not_recorded": ("alert", "process review"),
    "trend": ("alert", "process review"),
    "capability": ("alert", "process review"),
}
# a result outside its acceptance limit is always for action
_ALWAYS_ACTION = frozenset({"oos", "excursion"})
_ORDER: tuple[str, ...] = get_args(Severity)


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class RoutedFindings(Result):
    """Findings with the severity of the table and the review that they go to.

    Parameters
    ----------
    table : DataFrame
        A row a finding, the most severe first: ``rule, severity, route, subject, message,
        value, limit, time``, and ``given``, the severity that it had before.
    n_changed : int
        Findings whose severity the table changed.
    unknown : tuple of str
        Rules that the table does not hold: they kept their severity and went to `default`.
    default : str
        Review of those.
    findings : tuple of Finding
        With the severity of the table.
    """

    table: pd.DataFrame
    n_changed: int
    unknown: tuple[str, ...]
    default: str
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return a row a finding, the most severe first."""
        return self.table.copy()

    def summary(self) -> pd.DataFrame:
        """Return a row a review: findings of each severity."""
        crossed = pd.crosstab(self.table["route"], self.table["severity"])
        crossed = crossed.reindex(columns=list(_ORDER[::-1]), fill_value=0)
        crossed.columns.name = None
        return crossed.reset_index()


class SeverityTable:
    """A table from rule to severity and review, for findings of any kind.

    Parameters
    ----------
    rules : mapping of str to (severity, route), optional
        What differs from `DEFAULT_ROUTES`, or is not in it.
    default : str, default "quality review"
        Review of findings whose rule is not in the table.

    Raises
    ------
    InputError
        If a severity is none, or ``oos`` or ``excursion`` would be less than ``action``.

    Examples
    --------
    >>> from pharmaq.results import Finding
    >>> found = [Finding(rule="trend", severity="alert", subject="assay", message="falls")]
    >>> table = SeverityTable({"trend": ("action", "CAPA board")})
    >>> table.apply(found).table[["rule", "severity", "route", "given"]]
        rule severity       route  given
    0  trend   action  CAPA board  alert
    """

    __slots__ = ("default", "rules")

    def __init__(
        self,
        rules: Mapping[str, tuple[Severity, str]] | None = None,
        *,
        default: str = "quality review",
    ) -> None:
        self.rules = DEFAULT_ROUTES | dict(rules or {})
        self.default = default
        for rule, entry in self.rules.items():
            if not isinstance(entry, tuple) or len(entry) != 2:
                msg = f"rule {rule!r} needs a pair (severity, route), got {entry!r}"
                raise InputTypeError(msg)
            check_choice(f"severity of rule {rule!r}", entry[0], _ORDER)
            if rule in _ALWAYS_ACTION and entry[0] != "action":
                msg = (
                    f"rule {rule!r} means a result outside its limits of acceptance: its "
                    f"severity is always 'action', got {entry[0]!r}"
                )
                raise InputError(msg)

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, *, default: str = "quality review"
    ) -> SeverityTable:
        """Read a table with the columns ``rule``, ``severity`` and ``route``.

        Parameters
        ----------
        frame : DataFrame
            A row a rule.
        default : str, default "quality review"
            Review of findings whose rule is not in the table.

        Returns
        -------
        SeverityTable
            The rows on top of `DEFAULT_ROUTES`.

        Raises
        ------
        InputError
            If a column is missing or a rule stands twice.
        """
        needed = ["rule", "severity", "route"]
        absent = [name for name in needed if name not in frame.columns]
        if absent:
            msg = f"column {absent[0]!r} is not in frame; it needs {needed}"
            raise InputError(msg)
        twice = frame["rule"][frame["rule"].duplicated()]
        if len(twice):
            msg = f"rule {twice.iloc[0]!r} stands in frame more than once"
            raise InputError(msg)
        rows = frame[needed].itertuples(index=False)
        return cls({str(row[0]): (row[1], str(row[2])) for row in rows}, default=default)

    def apply(self, findings: Iterable[Finding]) -> RoutedFindings:
        """Give each finding the severity of its rule and the review that it goes to.

        Parameters
        ----------
        findings : iterable of Finding
            From any number of checks. Tolerated excursions and other findings of severity
            ``info`` stay ``info``.

        Returns
        -------
        RoutedFindings
            The findings, the most severe first.
        """
        given = tuple(findings)
        routed, routes = [], []
        for finding in given:
            severity, route = self.rules.get(finding.rule, (finding.severity, self.default))
            if finding.severity == "info":
                severity = "info"
            routed.append(dataclasses.replace(finding, severity=severity))
            routes.append(route)
        table = findings_frame(routed)
        table.insert(2, "route", routes)
        table["given"] = [finding.severity for finding in given]
        rank = table["severity"].map({word: -i for i, word in enumerate(_ORDER)})
        order = rank.argsort(kind="stable").to_numpy()
        changed = sum(a.severity != b.severity for a, b in zip(given, routed, strict=True))
        unknown = {f.rule: None for f in given if f.rule not in self.rules}
        return RoutedFindings(
            table=table.iloc[order].reset_index(drop=True),
            n_changed=changed,
            unknown=tuple(unknown),
            default=self.default,
            findings=tuple(routed[i] for i in order),
        )

    def to_frame(self) -> pd.DataFrame:
        """Return a row a rule."""
        rows: list[dict[str, Any]] = [
            {"rule": rule, "severity": severity, "route": route}
            for rule, (severity, route) in self.rules.items()
        ]
        return pd.DataFrame(rows)
