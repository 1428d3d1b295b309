"""Recipes: preprocessing steps written as one line of text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from pharmaq.chemometrics.preprocessing import MSC, SNV, SavitzkyGolay, SelectRange
from pharmaq.errors import InputError, InputTypeError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Recipe", "make_recipe"]

_NUMBER = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_STEP = re.compile(r"\s*(?P<name>[A-Za-z_]+)\s*(?:\((?P<arguments>[^()]*)\))?\s*(?:,|$)")
_RANGE = re.compile(rf"\s*({_NUMBER})\s*-\s*({_NUMBER})\s*")


class Recipe(Pipeline):
    """A pipeline of preprocessing steps whose text form is the recipe itself.

    Parameters
    ----------
    steps : list of (str, transformer)
        As in scikit-learn's `Pipeline`; made by `make_recipe`.

    Examples
    --------
    >>> str(make_recipe("snv, sg(15, 2, 1), range(1100 - 2200)"))
    'snv, sg(15,2,1), range(1100-2200)'
    """

    def __str__(self) -> str:
        return ", ".join(step_text(step) for _, step in self.steps)


def make_recipe(recipe: str | Sequence[Any] | Pipeline | BaseEstimator | None) -> Recipe:
    """Build a pipeline of preprocessing steps.

    Parameters
    ----------
    recipe : str, sequence of transformers, Pipeline, transformer or None
        Text such as ``"snv, sg(15,2,1)"``. Steps: ``none``; ``snv``; ``msc`` or
        ``msc(median)``; ``sg(window, polyorder)`` or ``sg(window, polyorder, deriv)``;
        ``range(low-high)``, also several ranges ``range(1100-1300, 1500-1700)`` in axis units.

    Returns
    -------
    Recipe
        An unfitted pipeline; its `str` gives the text back.

    Raises
    ------
    InputError
        If a step is unknown or its numbers make no sense.

    Examples
    --------
    >>> make_recipe("msc, sg(11,2)").named_steps["sg"]
    SavitzkyGolay(polyorder=2, window_length=11)
    """
    if recipe is None:
        steps: list[Any] = []
    elif isinstance(recipe, str):
        steps = _parse(recipe)
    elif isinstance(recipe, Pipeline):
        steps = [step for _, step in recipe.steps]
    elif isinstance(recipe, BaseEstimator):
        steps = [recipe]
    else:
        steps = list(recipe)
    for step in steps:
        if step != "passthrough" and not hasattr(step, "transform"):
            msg = f"recipe must hold transformers, got {step!r}"
            raise InputTypeError(msg)
    return Recipe(_named(steps or ["passthrough"]))


def step_text(step: Any) -> str:
    """Return the text of one step; its repr where the recipe language has no word for it."""
    if step is None or step == "passthrough":
        return "none"
    writer = _WRITERS.get(type(step))
    return writer(step) if writer else repr(step)


def _parse(text: str) -> list[Any]:
    steps, position = [], 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            msg = (
                f"recipe {text!r} cannot be read at {text[position:]!r}; write steps as "
                "'snv, sg(15,2,1), range(1100-2200)'"
            )
            raise InputError(msg)
        name = match["name"].lower()
        if name not in _READERS:
            msg = f"recipe step {name!r} is unknown; known steps: {', '.join(_READERS)}"
            raise InputError(msg)
        steps.append(_READERS[name]((match["arguments"] or "").strip()))
        position = match.end()
    return [step for step in steps if step != "passthrough"]


def _read_none(arguments: str) -> str:
    _require("none", arguments == "", arguments, "no arguments")
    return "passthrough"


def _read_snv(arguments: str) -> SNV:
    _require("snv", arguments == "", arguments, "no arguments")
    return SNV()


def _read_msc(arguments: str) -> MSC:
    _require("msc", arguments in {"", "mean", "median"}, arguments, "mean or median")
    return MSC(reference="median" if arguments == "median" else "mean")


def _read_sg(arguments: str) -> SavitzkyGolay:
    parts = [part.strip() for part in arguments.split(",")]
    whole = all(re.fullmatch(r"\d+", part) for part in parts) and len(parts) in (2, 3)
    _require("sg", whole, arguments, "window, polyorder and deriv, as in sg(15,2,1)")
    window, order, deriv = (*map(int, parts), 0)[:3]
    _require(
        "sg",
        window % 2 == 1 and deriv <= order < window,
        arguments,
        "an odd window, polyorder below it and deriv not above polyorder",
    )
    return SavitzkyGolay(window, order, deriv)


def _read_range(arguments: str) -> SelectRange:
    matches = [_RANGE.fullmatch(part) for part in arguments.split(",")]
    found = [(float(m[1]), float(m[2])) for m in matches if m]
    _require("range", len(found) == len(matches), arguments, "ends, as in range(1100-2200)")
    return SelectRange(ranges=found)


def _require(name: str, good: bool, arguments: str, rule: str) -> None:
    if not good:
        msg = f"recipe step {name}({arguments}) is wrong: {name} takes {rule}"
        raise InputError(msg)


def _write_msc(step: MSC) -> str:
    if not isinstance(step.reference, str):
        return "msc(given)"
    return "msc" if step.reference == "mean" else f"msc({step.reference})"


def _write_sg(step: SavitzkyGolay) -> str:
    window, order = step.window_length, step.polyorder
    return f"sg({window},{order},{step.deriv})" if step.deriv else f"sg({window},{order})"


def _write_range(step: SelectRange) -> str:
    ranges = step.ranges or ()
    text = ", ".join(f"{low:.10g}-{high:.10g}" for low, high in ranges)
    return f"range({text})" if ranges else "none"


def _named(steps: list[Any]) -> list[tuple[str, Any]]:
    """Give each step the name of its kind, numbered where one comes twice."""
    names = [re.split(r"\W", step_text(step).lower())[0] for step in steps]
    counts = {name: names.count(name) for name in names}
    return [
        (f"{name}{names[: i + 1].count(name)}" if counts[name] > 1 else name, step)
        for i, (name, step) in enumerate(zip(names, steps, strict=True))
    ]


_READERS: dict[str, Callable[[str], Any]] = {
    "none": _read_none,
    "snv": _read_snv,
    "msc": _read_msc,
    "sg": _read_sg,
    "range": _read_range,
}
_WRITERS: dict[type, Callable[[Any], str]] = {
    SNV: lambda _: "snv",
    MSC: _write_msc,
    SavitzkyGolay: _write_sg,
    SelectRange: _write_range,
}
