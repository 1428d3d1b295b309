"""Rounding of reportable results as the pharmacopoeias have it: half up, in decimal digits."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import numpy as np

from pharmaq._checks import as_float, check_integer

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["round_half_up", "round_significant"]

# decimal digits that survive in a double; what follows them is no part of a result
_DIGITS_OF_A_DOUBLE = 15
# powers of ten are exact doubles up to here
_MOST_DIGITS = 22


def round_half_up(values: ArrayLike, digits: int) -> NDArray[np.float64]:
    """Round to decimal places, a 5 after the last one kept goes up [1]_.

    Parameters
    ----------
    values : array-like
        Numbers; NaN and infinity stay.
    digits : int
        Decimal places, from -22 to 22; -2 rounds to hundreds.

    Returns
    -------
    ndarray
        The doubles nearest to the rounded decimals, so that they equal limits read from text.

    Raises
    ------
    InputError
        If `values` hold no numbers or `digits` is out of range.

    Notes
    -----
    A number counts as the decimal of its first 15 significant digits, all that a double is
    sure to hold: 0.145 is a tie, though its double is a little less. Negative numbers round by
    their size.

    References
    ----------
    .. [1] USP General Notices 7.20, Rounding Rules.

    Examples
    --------
    >>> round_half_up([97.95, 101.55, 0.25], 1).tolist()
    [98.0, 101.6, 0.3]
    """
    x = as_float("values", values)
    digits = check_integer("digits", digits, least=-_MOST_DIGITS, most=_MOST_DIGITS)
    power = 10.0 ** abs(digits)
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.abs(x) * power if digits >= 0 else np.abs(x) / power
        whole = np.floor(scaled + 0.5)
        # doubles near a tie, where the last bits would decide
        near = np.abs(scaled - np.floor(scaled) - 0.5) <= 1e-14 * np.maximum(scaled, 1)
        # from here on every double is whole
        kept = ~(scaled < 2.0**52)
        rounded = whole / power if digits >= 0 else whole * power
    result = np.where(kept, x, np.copysign(rounded, x))
    ties = near & ~kept
    if np.any(ties):
        unique, back = np.unique(x[ties], return_inverse=True)
        result[ties] = np.array([_exactly(number, digits) for number in unique])[back]
    return result


def round_significant(values: ArrayLike, figures: int) -> NDArray[np.float64]:
    """Round to significant figures, half up, as the text of Ph. Eur. reads [1]_.

    Parameters
    ----------
    values : array-like
        Numbers; NaN, infinity and zero stay.
    figures : int
        Significant figures, 1 to 15.

    Returns
    -------
    ndarray
        The rounded numbers.

    Raises
    ------
    InputError
        If `values` hold no numbers or `figures` is out of range.

    References
    ----------
    .. [1] Ph. Eur. General Notices 1.4, limits.

    Examples
    --------
    >>> round_significant([98.28568, 101.2345], 4)
    array([ 98.29, 101.2 ])
    """
    x = as_float("values", values)
    figures = check_integer("figures", figures, least=1, most=_DIGITS_OF_A_DOUBLE)
    known = np.isfinite(x) & (x != 0)
    result = x.copy()
    places = np.zeros(x.shape, dtype=np.intp)
    places[known] = figures - 1 - _exponent(x[known])
    for digits in np.unique(places[known]):
        here = known & (places == digits)
        result[here] = round_half_up(x[here], int(digits))
    return result


def _exponent(x: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the power of ten of the first digit."""
    power = np.floor(np.log10(np.abs(x))).astype(np.intp)
    # a logarithm may miss by one next to a power of ten
    power += np.abs(x) >= 10.0 ** (power + 1.0)
    power -= np.abs(x) < 10.0**power
    return power


def _exactly(number: float, digits: int) -> float:
    decimal = Decimal(f"{number:.{_DIGITS_OF_A_DOUBLE}g}")
    return float(decimal.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP))
