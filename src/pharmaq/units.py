"""Units of measurement through one pint registry, made on first use."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq._checks import as_float
from pharmaq.errors import UnitsError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["convert", "registry"]


@cache
def registry() -> Any:
    """Return the unit registry that all of pharmaq shares.

    It is pint's default registry with the percentages of the pharmacopoeias added: ``%``,
    ``%w/w``, ``%w/v`` and ``%v/v`` are read by `convert`.

    Returns
    -------
    pint.UnitRegistry
        The one registry; quantities of two registries cannot be mixed.
    """
    import pint

    return pint.UnitRegistry(preprocessors=[_pharmacopoeial])


def convert(values: ArrayLike, source: str, target: str) -> NDArray[np.float64]:
    """Convert values from one unit into another.

    Parameters
    ----------
    values : array-like
        Numbers in `source` units; NaN stays NaN.
    source, target : str
        Unit names as pint reads them, for example ``"mg"``, ``"degC"``, ``"1/cm"``.

    Returns
    -------
    ndarray
        The numbers in `target` units, same shape as `values`.

    Raises
    ------
    UnitsError
        If a unit is unknown, or the two measure different things.

    Examples
    --------
    >>> convert([25.0, 100.0], "degC", "kelvin")
    array([298.15, 373.15])
    """
    import pint

    numbers = as_float("values", values)
    units = registry()
    try:
        quantity = units.Quantity(numbers, units.parse_units(source))
        return np.asarray(quantity.to(units.parse_units(target)).magnitude, dtype=np.float64)
    except pint.UndefinedUnitError as error:
        msg = f"unknown unit in {source!r} -> {target!r}: {error}; use a name that pint knows"
        raise UnitsError(msg) from None
    except pint.DimensionalityError:
        msg = f"{source!r} cannot be converted into {target!r}: they measure different things"
        raise UnitsError(msg) from None


def _pharmacopoeial(text: str) -> str:
    """Read `%w/v` as g per 100 mL, and `%`, `%w/w` and `%v/v` as percent."""
    text = text.replace("%w/v", "(g/(100 mL))").replace("%w/w", "percent")
    return text.replace("%v/v", "percent").replace("%", "percent")
