"""Recipes: preprocessing steps written as one line of text."""

from __future__ import annotations

import dataclasses
import re
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from pharmaq.chemometrics._recipe_order import warn_of_order
from pharmaq.chemometrics.preprocessing import (
    EMSC,
    MSC,
    OSC,
    SNV,
    Baseline,
    Convert,
    Despike,
    Detrend,
    Normalize,
    NorrisWilliams,
    SavitzkyGolay,
    Scale,
    SelectRange,
)
from pharmaq.chemometrics.preprocessing._one_pass import in_one_pass
from pharmaq.errors import InputError, InputTypeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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

    def transform(self, X: Any, **params: Any) -> Any:
        """Apply all steps.

        Parameters
        ----------
        X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
            Spectra on the fitted axis.
        **params : dict
            As in scikit-learn's `Pipeline`.

        Returns
        -------
        array, DataFrame or DataArray
            Treated spectra, in the container of `X`.

        Notes
        -----
        SNV and a Savitzky-Golay filter after it are done in one pass over the spectra, with the
        same bits as one after the other.
        """
        if params:
            return super().transform(X, **params)
        for step in in_one_pass([step for _, step in self.steps]):
            if step is not None and step != "passthrough":
                X = step.transform(X)
        return X


def make_recipe(recipe: str | Sequence[Any] | Pipeline | BaseEstimator | None) -> Recipe:
    """Build a pipeline of preprocessing steps.

    Parameters
    ----------
    recipe : str, sequence of transformers, Pipeline, transformer or None
        Text such as ``"snv, sg(15,2,1)"``. The words, with their arguments in order:

        ``none``; ``snv``; ``msc(mean or median)``; ``emsc(degree)``; ``detrend(degree)``;
        ``sg(window, polyorder, deriv)``; ``nw(gap, segment, deriv)``;
        ``normalize(area, max, l2, range or pqn)``; ``despike(threshold)``;
        ``asls(lam,p)``; ``arpls(lam)``; ``airpls(lam)``; ``poly(degree)``;
        ``convert(from, to)``; ``osc(components)``; ``center``; ``auto``; ``pareto``;
        ``range(low-high)``, also several ranges ``range(1100-1300, 1500-1700)`` in axis units.

        Arguments may be left out from the right, apart from the first two of ``sg``, ``nw`` and
        ``convert``.

    Returns
    -------
    Recipe
        An unfitted pipeline; its `str` gives the text back.

    Raises
    ------
    InputError
        If a step is unknown or its arguments make no sense.

    Warns
    -----
    RecipeOrderWarning
        If steps stand in an order that makes no sense, such as a baseline after SNV, a
        conversion after a step that leaves no absorbance or reflectance, the removal of spikes
        after a filter, or scaling of points before anything that treats spectra.

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
    # a Recipe was judged when it was made
    if not isinstance(recipe, Recipe):
        warn_of_order(steps, [step_text(step) for step in steps])
    return recipe_of(steps)


def recipe_of(steps: Sequence[Any]) -> Recipe:
    """Return a recipe of transformers that were checked already."""
    return Recipe(_named(list(steps) or ["passthrough"]))


def step_text(step: Any) -> str:
    """Return the text of one step; its repr where the recipe language has no word for it."""
    if step is None or step == "passthrough":
        return "none"
    if type(step) is SelectRange:
        return _write_range(step)
    for name, word in _WORDS.items():
        text = word.write(name, step)
        if text is not None:
            return text
    return repr(step)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Word:
    """A word of the recipe language: a class, and how its parameters stand in brackets."""

    make: Any
    takes: str
    readers: Mapping[str, Callable[[str], Any]] = dataclasses.field(default_factory=dict)
    least: int = 0
    fixed: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    sensible: Callable[[dict[str, Any]], bool] = lambda _: True

    def read(self, name: str, arguments: str) -> Any:
        parts = [part.strip() for part in arguments.split(",")] if arguments else []
        _require(name, self.least <= len(parts) <= len(self.readers), arguments, self.takes)
        found: dict[str, Any] = {}
        for (parameter, reader), part in zip(self.readers.items(), parts, strict=False):
            try:
                found[parameter] = reader(part)
            except ValueError:
                _require(name, False, arguments, self.takes)
        _require(name, self.sensible(found), arguments, self.takes)
        return self.make(**self.fixed, **found)

    def write(self, name: str, step: Any) -> str | None:
        """Return the step as text; None if this word cannot say all of it."""
        if type(step) is not self.make:
            return None
        defaults = {k: p.default for k, p in signature(self.make).parameters.items()}
        values = step.get_params(deep=False)
        said = {**defaults, **self.fixed}
        if any(not _equal(values[k], said[k]) for k in values if k not in self.readers):
            return None
        shown = [values[parameter] for parameter in self.readers]
        plain = [defaults[parameter] for parameter in self.readers]
        while len(shown) > self.least and _equal(shown[-1], plain[len(shown) - 1]):
            shown.pop()
        if any(value is None for value in shown):
            return None
        return f"{name}({','.join(map(_plain_text, shown))})" if shown else name


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
        steps.append(_read_step(match["name"].lower(), (match["arguments"] or "").strip()))
        position = match.end()
    return [step for step in steps if step != "passthrough"]


def _read_step(name: str, arguments: str) -> Any:
    if name == "none":
        _require("none", arguments == "", arguments, "no arguments")
        return "passthrough"
    if name == "range":
        return _read_range(arguments)
    if name not in _WORDS:
        known = ", ".join(("none", *_WORDS, "range"))
        msg = f"recipe step {name!r} is unknown; known steps: {known}"
        raise InputError(msg)
    return _WORDS[name].read(name, arguments)


def _read_range(arguments: str) -> SelectRange:
    matches = [_RANGE.fullmatch(part) for part in arguments.split(",")]
    found = [(float(m[1]), float(m[2])) for m in matches if m]
    _require("range", len(found) == len(matches), arguments, "ends, as in range(1100-2200)")
    return SelectRange(ranges=found)


def _write_range(step: SelectRange) -> str:
    ranges = step.ranges or ()
    text = ", ".join(f"{low:.10g}-{high:.10g}" for low, high in ranges)
    return f"range({text})" if ranges else "none"


def _require(name: str, good: bool, arguments: str, rule: str) -> None:
    if not good:
        msg = f"recipe step {name}({arguments}) is wrong: {name} takes {rule}"
        raise InputError(msg)


def _equal(one: Any, two: Any) -> bool:
    """Compare parameters; an array is equal to nothing that a recipe could say."""
    plain = (str, int, float, type(None))
    return isinstance(one, plain) and isinstance(two, plain) and one == two


def _plain_text(value: Any) -> str:
    if isinstance(value, float):
        # the shortest text that gives the number back; 100000.0 is written as 1e5
        plain = np.format_float_positional(value, trim="-")
        digits, power = np.format_float_scientific(value, trim="-").split("e")
        usual = value == 0 or 1e-3 <= abs(value) < 1e5
        return plain if usual else min(plain, f"{digits}e{int(power)}", key=len)
    return str(value) if isinstance(value, int | str) else "given"


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        return words[words.index(text.lower())]

    return read


def _named(steps: list[Any]) -> list[tuple[str, Any]]:
    """Give each step the name of its kind, numbered where one comes twice."""
    names = [re.split(r"\W", step_text(step).lower())[0] for step in steps]
    counts = {name: names.count(name) for name in names}
    return [
        (f"{name}{names[: i + 1].count(name)}" if counts[name] > 1 else name, step)
        for i, (name, step) in enumerate(zip(names, steps, strict=True))
    ]


def _sensible_filter(found: dict[str, Any]) -> bool:
    window, order = found["window_length"], found["polyorder"]
    return window % 2 == 1 and 0 <= found.get("deriv", 0) <= order < window


_QUANTITIES = _one_of("absorbance", "transmittance", "reflectance", "kubelka_munk")
_WORDS: dict[str, _Word] = {
    "snv": _Word(make=SNV, takes="no arguments"),
    "msc": _Word(
        make=MSC, takes="mean or median", readers={"reference": _one_of("mean", "median")}
    ),
    "emsc": _Word(make=EMSC, takes="a degree, as in emsc(2)", readers={"degree": int}),
    "detrend": _Word(make=Detrend, takes="a degree, as in detrend(2)", readers={"degree": int}),
    "sg": _Word(
        make=SavitzkyGolay,
        takes="an odd window, polyorder below it and deriv not above polyorder, as in "
        "sg(15,2,1)",
        readers={"window_length": int, "polyorder": int, "deriv": int},
        least=2,
        sensible=_sensible_filter,
    ),
    "nw": _Word(
        make=NorrisWilliams,
        takes="gap, segment and deriv, as in nw(5,3,1)",
        readers={"gap": int, "segment": int, "deriv": int},
        least=2,
    ),
    "normalize": _Word(
        make=Normalize,
        takes="area, max, l2, range or pqn",
        readers={"method": _one_of("area", "max", "l2", "range", "pqn")},
    ),
    "despike": _Word(
        make=Despike, takes="a threshold, as in despike(7)", readers={"threshold": float}
    ),
    "convert": _Word(
        make=Convert,
        takes="two of absorbance, transmittance, reflectance and kubelka_munk, as in "
        "convert(reflectance, absorbance)",
        readers={"source": _QUANTITIES, "to": _QUANTITIES},
        least=2,
    ),
    "asls": _Word(
        make=Baseline,
        takes="lam above 0 and p between 0 and 1, as in asls(1e6,0.01)",
        readers={"lam": float, "p": float},
        fixed={"method": "asls"},
        sensible=lambda found: found.get("lam", 1) > 0 and 0 < found.get("p", 0.5) < 1,
    ),
    "arpls": _Word(
        make=Baseline,
        takes="lam above 0, as in arpls(1e5)",
        readers={"lam": float},
        fixed={"method": "arpls"},
        sensible=lambda found: found.get("lam", 1) > 0,
    ),
    "airpls": _Word(
        make=Baseline,
        takes="lam above 0, as in airpls(1e6)",
        readers={"lam": float},
        fixed={"method": "airpls"},
        sensible=lambda found: found.get("lam", 1) > 0,
    ),
    "poly": _Word(
        make=Baseline,
        takes="a degree, as in poly(3)",
        readers={"degree": int},
        fixed={"method": "modpoly"},
    ),
    "osc": _Word(
        make=OSC, takes="a number of components, as in osc(1)", readers={"n_components": int}
    ),
    "center": _Word(make=Scale, takes="no arguments", fixed={"method": "center"}),
    "auto": _Word(make=Scale, takes="no arguments", fixed={"method": "auto"}),
    "pareto": _Word(make=Scale, takes="no arguments", fixed={"method": "pareto"}),
}
