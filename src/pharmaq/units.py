"""Units of measurement through one pint registry, made on first use."""

from __future__ import annotations

import re
import tokenize
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq._checks import as_float
from pharmaq.errors import InputTypeError, UnitsError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["convert", "registry"]

_PERCENTAGE = re.compile(r"%\s*\(?(?P<kind>w/w|v/v|w/v)\)?")

# what pint's parser raises where a text is no unit, besides its own errors
_PARSER_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    RecursionError,
    TypeError,
    ValueError,
    tokenize.TokenError,
)


@cache
def registry() -> Any:
    """Return the unit registry that all of pharmaq shares.

    It is pint's default registry with the percentages of the pharmacopoeias added: ``%w/w``
    and ``%v/v`` are percent, ``%w/v`` is g in 100 mL.

    Returns
    -------
    pint.UnitRegistry
        The one registry; quantities of two registries cannot be mixed.
    """
    import pint

    units: Any = pint.UnitRegistry()
    units.define("percent_weight_in_volume = 10 * gram / liter")
    # first of all, for pint itself replaces every "%"
    units.preprocessors.insert(0, _pharmacopoeial)
    return units


def convert(values: ArrayLike, source: str, target: str) -> NDArray[np.float64]:
    """Convert values from one unit into another.

    Parameters
    ----------
    values : array-like
        Numbers in `source` units; NaN stays NaN.
    source, target : str
        Unit names as pint reads them, for example ``"mg"``, ``"degC"``, ``"1/cm"``, ``"%w/v"``.
        ``"degC"`` is a temperature; a difference of temperatures is ``"delta_degC"``.

    Returns
    -------
    ndarray
        The numbers in `target` units, a new array of the same shape as `values`.

    Raises
    ------
    InputError
        If `values` are no numbers.
    InputTypeError
        If a unit is not text.
    UnitsError
        If a unit is unknown, or the two measure different things.

    Examples
    --------
    >>> convert([25.0, 100.0], "degC", "kelvin")
    array([298.15, 373.15])
    """
    import pint

    numbers = as_float("values", values)
    old, new = _unit("source", source), _unit("target", target)
    try:
        converted = registry().Quantity(numbers, old).to(new).magnitude
    except pint.PintError:
        msg = (
            f"source {source!r} cannot be converted into target {target!r}: they measure "
            "different things"
        )
        raise UnitsError(msg) from None
    return np.array(converted, dtype=np.float64)


def _unit(name: str, text: Any) -> Any:
    """Return the unit that a text names."""
    import pint

    if not isinstance(text, str):
        msg = f"{name} must be the name of a unit, such as 'mg', got {text!r}"
        raise InputTypeError(msg)
    try:
        return registry().parse_units(text)
    except (pint.PintError, *_PARSER_ERRORS):
        msg = f"{name} {text!r} is no unit; use a name that pint knows, such as 'mg' or '1/cm'"
        raise UnitsError(msg) from None


def _pharmacopoeial(text: str) -> str:
    """Read `%w/v` as g in 100 mL, `%w/w` and `%v/v` as percent."""
    return _PERCENTAGE.sub(
        lambda found: "percent_weight_in_volume" if found["kind"] == "w/v" else "percent", text
    )
