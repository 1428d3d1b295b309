"""The run rule and the set of run rules: declarations, nothing is computed here."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal, get_args

import pandas as pd

from pharmaq._checks import check_choice, check_integer, check_real
from pharmaq.errors import InputError, InputTypeError
from pharmaq.results import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["OnLine", "Pattern", "Rule", "RuleSet", "Sides"]

Pattern = Literal["beyond", "within", "outside", "trend", "alternating"]
Sides = Literal["either", "above", "below", "both"]
OnLine = Literal["breaks", "counts", "skipped"]

# histories of points are kept in the bits of one word
LONGEST_HISTORY = 64


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One run rule: a pattern of points that a process in control rarely shows.

    Parameters
    ----------
    name : str
        Set and number, for example ``"nelson 2"``.
    pattern : {"beyond", "within", "outside", "trend", "alternating"}
        ``"beyond"``: `count` of `window` points in a row beyond `zone`, all on one side; with
        zone 0 this is a run on one side of the center line. ``"within"``: nearer to the center
        line than `zone`. ``"outside"``: farther than `zone`, on whichever side. ``"trend"``:
        `window` points steadily rising or falling. ``"alternating"``: `window` points going up
        and down in turn.
    count : int, default 1
        Points needed.
    window : int, optional
        Among so many points in a row; `count` by default. A trend of 6 points has 5 rises.
    zone : float, default 0
        Distance of the line from the center line in standard deviations of the statistic.
    sides : {"either", "above", "below", "both"}, default "either"
        Which side signals; rising counts as above. ``"both"``, for ``"outside"`` only: the
        window must hold points on both sides.
    on_line : {"breaks", "counts", "skipped"}, default "breaks"
        What a point exactly on the line does. ``"skipped"``, for the center line only: it
        neither breaks nor lengthens a run.
    ties : {"breaks", "counts", "skipped"}, default "breaks"
        What a point equal to the one before does to a trend or to alternating points;
        ``"counts"`` for trends only.
    last_point : bool, default True
        Whether the last point of the window must itself be one of the `count`.
    restart : bool, default False
        Whether counting starts anew after a signal.
    severity : {"info", "alert", "action"}, default "alert"
        Severity of the finding.
    source : str
        Where the rule stands.

    Raises
    ------
    InputError
        If the numbers or conventions do not fit the pattern.

    Examples
    --------
    >>> Rule(
    ...     name="ours", pattern="beyond", count=3, window=4, zone=1.5, source="SOP 12"
    ... ).description
    '3 of 4 points in a row beyond 1.5 sigma on the same side'
    """

    name: str
    pattern: Pattern
    count: int = 1
    window: int = 0
    zone: float = 0.0
    sides: Sides = "either"
    on_line: OnLine = "breaks"
    ties: OnLine = "breaks"
    last_point: bool = True
    restart: bool = False
    severity: Severity = "alert"
    source: str = ""

    def __post_init__(self) -> None:
        if self.window == 0:
            object.__setattr__(self, "window", self.count)
        _check_words(self)
        _check_numbers(self)
        _check_conventions(self)

    @property
    def description(self) -> str:
        """What the rule says, from its own numbers."""
        texts: dict[str, Callable[[], str]] = {
            "beyond": self._describe_beyond,
            "within": lambda: f"{self._points()} within {self.zone:g} sigma",
            "outside": self._describe_outside,
            "trend": lambda: f"{self._points()} steadily {self._direction()}",
            "alternating": lambda: f"{self._points()} alternating up and down",
        }
        return texts[self.pattern]()

    def _describe_beyond(self) -> str:
        side = {"above": "above", "below": "below"}.get(self.sides, "beyond")
        if self.zone == 0:
            if side == "beyond":
                return f"{self._points()} on the same side of the center line"
            return f"{self._points()} {side} the center line"
        if self.window == 1:
            return f"1 point {side} {self.zone:g} sigma"
        same = " on the same side" if side == "beyond" else ""
        return f"{self._points()} {side} {self.zone:g} sigma{same}"

    def _describe_outside(self) -> str:
        where = ", on both sides" if self.sides == "both" else " on either side"
        return f"{self._points()} outside {self.zone:g} sigma{where}"

    def _direction(self) -> str:
        return {"above": "rising", "below": "falling"}.get(self.sides, "rising or falling")

    def _points(self) -> str:
        if self.pattern in {"trend", "alternating"} or self.count == self.window:
            return f"{self.window} points in a row"
        return f"{self.count} of {self.window} points in a row"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class RuleSet:
    """Rules that are used together, with a name and a source.

    Parameters
    ----------
    name : str
        Name of the set.
    rules : tuple of Rule
        At least one, with names of their own.
    source : str
        Where the set stands.

    Examples
    --------
    >>> from pharmaq.spc import NELSON
    >>> len(NELSON), NELSON["nelson 2"].description
    (8, '9 points in a row on the same side of the center line')
    """

    name: str
    rules: tuple[Rule, ...]
    source: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "rules", tuple(self.rules))
        for rule in self.rules:
            if not isinstance(rule, Rule):
                msg = f"rules must hold Rule objects, got {type(rule).__name__}"
                raise InputTypeError(msg)
        names = [rule.name for rule in self.rules]
        if not names or len(set(names)) < len(names):
            msg = f"rules must be at least one, with names of their own, got {names}"
            raise InputError(msg)
        if len(names) > LONGEST_HISTORY:
            msg = f"rules must be at most {LONGEST_HISTORY}, got {len(names)}"
            raise InputError(msg)

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def __len__(self) -> int:
        return len(self.rules)

    def __getitem__(self, name: str) -> Rule:
        names = [rule.name for rule in self.rules]
        return self.rules[names.index(check_choice("name", name, names))]

    @property
    def marks(self) -> tuple[str, ...]:
        """What each rule is called in pictures: the last word of its name, or its number."""
        words = tuple(rule.name.removesuffix(" (changed)").split()[-1] for rule in self)
        if len(set(words)) == len(words):
            return words
        return tuple(str(number) for number in range(1, len(self) + 1))

    def to_frame(self) -> pd.DataFrame:
        """Return one row a rule, with every number and convention."""
        rows = [{"description": rule.description, **dataclasses.asdict(rule)} for rule in self]
        return pd.DataFrame(rows).set_index("name")


def _check_words(rule: Rule) -> None:
    if not isinstance(rule.name, str) or not rule.name:
        msg = f"name must be a text that names the rule, got {rule.name!r}"
        raise InputError(msg)
    words: dict[str, Any] = {"pattern": Pattern, "sides": Sides, "on_line": OnLine}
    words |= {"ties": OnLine, "severity": Severity}
    for field, choices in words.items():
        check_choice(field, getattr(rule, field), get_args(choices))
    for field in ("last_point", "restart"):
        if not isinstance(getattr(rule, field), bool):
            msg = f"{field} must be True or False, got {getattr(rule, field)!r}"
            raise InputTypeError(msg)


def _check_numbers(rule: Rule) -> None:
    ordered = rule.pattern in {"trend", "alternating"}
    check_integer("window", rule.window, least=2 if ordered else 1)
    if ordered:
        object.__setattr__(rule, "count", rule.window)
    check_integer("count", rule.count, least=1, most=rule.window)
    check_real("zone", rule.zone)
    if rule.zone < 0 or (rule.pattern == "within" and rule.zone == 0):
        bound = "above" if rule.pattern == "within" else "at least"
        msg = f"zone must be {bound} 0, got {rule.zone}"
        raise InputError(msg)
    counted = rule.count < rule.window or rule.pattern == "outside"
    if counted and rule.window > LONGEST_HISTORY:
        msg = (
            f"window must be at most {LONGEST_HISTORY} where not every point of it is on one "
            f"side, got {rule.window}"
        )
        raise InputError(msg)


def _check_conventions(rule: Rule) -> None:
    problem = None
    if rule.sides == "both" and rule.pattern != "outside":
        problem = 'sides = "both" is for the pattern "outside"'
    elif rule.sides in {"above", "below"} and rule.pattern not in {"beyond", "trend"}:
        problem = f"sides = {rule.sides!r} is for the patterns 'beyond' and 'trend'"
    elif rule.on_line == "skipped" and (rule.pattern != "beyond" or rule.zone > 0):
        problem = 'on_line = "skipped" is for runs on one side of the center line (zone 0)'
    elif rule.ties == "counts" and rule.pattern == "alternating":
        problem = 'ties = "counts" is for trends: equal points do not alternate'
    if problem:
        msg = f"{problem}, got pattern {rule.pattern!r}"
        raise InputError(msg)
