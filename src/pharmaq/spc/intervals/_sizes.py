"""Sample sizes of tolerance and prediction intervals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, get_args

from scipy import special

from pharmaq._checks import check_choice, check_integer, check_real
from pharmaq.errors import InputError
from pharmaq.spc.intervals._factors import (
    content_confidence,
    exact_factor,
    expectation_factor,
    hanson_koopmans,
    order_confidence,
    prediction_factor,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["prediction_sample_size", "tolerance_sample_size"]

Sides = Literal["two", "one"]
SizeMethod = Literal[
    "nonparametric", "normal", "lognormal", "hanson_koopmans", "beta_expectation"
]
_LARGEST = 10_000_000


def tolerance_sample_size(
    *,
    coverage: float,
    confidence: float,
    sides: Sides = "two",
    method: SizeMethod = "nonparametric",
    excess: float | None = None,
    risk: float = 0.05,
    factor: float | None = None,
) -> int:
    """Return the smallest number of values that a tolerance interval needs.

    Parameters
    ----------
    coverage, confidence : float
        Of the interval, in (0, 1).
    sides : {"two", "one"}, default "two"
        Two limits or one.
    method : str, default "nonparametric"
        ``"nonparametric"``: from when on the extremes of the sample are tolerance limits
        [1]_. ``"normal"`` and ``"lognormal"``: from when on the exact interval is not wider
        than it should be: it holds more than coverage + excess with probability `risk` at most
        [2]_. ``"beta_expectation"``: from when on the interval, which holds `coverage` on
        average, holds coverage -+ excess with probability `confidence` [3]_.
        ``"hanson_koopmans"``: from when on its factor is `factor` at most.
    excess : float, optional
        In (0, 1 - coverage), and below coverage for ``"beta_expectation"``; by default half of
        the smaller.
    risk : float, default 0.05
        For ``"normal"`` and ``"lognormal"``, see above.
    factor : float, optional
        Largest factor k wanted; takes the place of the criterion with `excess`. Of limits mean
        -+ k s (of logarithms for ``"lognormal"``), or of the range for ``"hanson_koopmans"``,
        which needs it: at 1 the limits are the extremes.

    Returns
    -------
    int
        Number of values.

    Raises
    ------
    InputError
        If an argument is out of range or does not belong to `method`, no number of values
        reaches `factor`, or more than ten million values are needed.

    References
    ----------
    .. [1] S. S. Wilks, Ann. Math. Stat. 12 (1941) 91-96.
    .. [2] G. D. Faulkenberry, J. C. Daly, Technometrics 12 (1970) 813-821.
    .. [3] R. E. Odeh, Y.-M. Chou, D. B. Owen, Technometrics 31 (1989) 461-468.

    Examples
    --------
    >>> tolerance_sample_size(coverage=0.95, confidence=0.95)
    93
    >>> tolerance_sample_size(coverage=0.95, confidence=0.95, sides="one")
    59
    >>> tolerance_sample_size(coverage=0.95, confidence=0.95, method="normal", factor=3)
    15
    """
    coverage = check_real("coverage", coverage, above=0, below=1)
    confidence = check_real("confidence", confidence, above=0, below=1)
    check_choice("sides", sides, get_args(Sides))
    check_choice("method", method, get_args(SizeMethod))
    _check_belongs(method, excess, factor)
    if method == "nonparametric":
        ends = 2 if sides == "two" else 1
        return smallest(ends, lambda n: order_confidence(n, ends, coverage) >= confidence)
    if factor is not None:
        return _by_factor(factor, method, coverage, confidence, sides)
    if method == "beta_expectation":
        more = check_excess(excess, min(coverage, 1 - coverage))
        return smallest(2, lambda n: _within(n, coverage, more, sides) >= confidence)
    more = check_excess(excess, 1 - coverage)
    risk = check_real("risk", risk, above=0, below=1)

    def narrow(n: int) -> bool:
        k = exact_factor(sides, n, n - 1.0, coverage, confidence)
        return content_confidence(k, n, coverage + more, sides) <= risk

    return smallest(2, narrow)


def prediction_sample_size(
    *,
    margin: float | None = None,
    factor: float | None = None,
    m: int = 1,
    of: Literal["values", "mean"] = "values",
    confidence: float = 0.95,
    sides: Sides = "two",
) -> int:
    """Return the smallest number of values that a prediction interval needs.

    No number of values makes the interval narrower than what comes next scatters. The question
    is how far it still is from that [1]_.

    Parameters
    ----------
    margin : float, optional
        Largest excess of the expected half-width over that of infinitely many values, relative
        to the latter: 0.1 for a tenth.
    factor : float, optional
        Largest factor k of mean -+ k s, the half-width in standard deviations. Either `margin`
        or `factor` is needed.
    m : int, default 1
        Number of values to come.
    of : {"values", "mean"}, default "values"
        Limits for every one of the next m values, or for their mean.
    confidence : float, default 0.95
        Of the interval, in (0, 1); above 0.5 for one limit.
    sides : {"two", "one"}, default "two"
        Two limits or one.

    Returns
    -------
    int
        Number of values.

    Raises
    ------
    InputError
        If an argument is out of range, both or none of `margin` and `factor` are given, no
        number of values reaches `factor`, or more than ten million values are needed.

    Notes
    -----
    The expected half-width over the standard deviation is c4(n) k, k the factor of
    `prediction_interval`, E(s) = c4 sigma; with infinitely many values it is z, or z / sqrt(m)
    for the mean.

    References
    ----------
    .. [1] G. J. Hahn, W. Q. Meeker, Statistical Intervals, Wiley, 1991.

    Examples
    --------
    >>> prediction_sample_size(factor=3)
    6
    >>> prediction_sample_size(margin=0.05)
    31
    """
    m = check_integer("m", m, least=1)
    check_choice("of", of, ("values", "mean"))
    check_choice("sides", sides, get_args(Sides))
    least = 0.0 if sides == "two" else 0.5
    confidence = check_real("confidence", confidence, above=least, below=1)

    def k(n: float) -> float:
        return prediction_factor(n, m, confidence, of=of, sides=sides)

    if (margin is None) == (factor is None):
        msg = f"give either margin or factor, got margin={margin!r} and factor={factor!r}"
        raise InputError(msg)
    if factor is not None:
        wanted = _check_factor(factor, k(math.inf))
        return smallest(2, lambda n: k(n) <= wanted)
    widest = (1 + check_real("margin", margin, above=0)) * k(math.inf)
    return smallest(2, lambda n: _c4(n) * k(n) <= widest)


def check_excess(excess: float | None, room: float) -> float:
    """Return the content allowed beyond the coverage, half of the room by default."""
    if excess is None:
        return room / 2
    # what rounding adds to 1 - coverage must not let the whole room through
    return check_real("excess", excess, above=0, below=room * (1 - 1e-12))


def smallest(
    least: int,
    enough: Callable[[int], bool],
    *,
    most: int = _LARGEST,
    what: str = "values",
) -> int:
    """Return the smallest number from which on there is enough."""
    low, high = least - 1, least
    while not enough(high):
        low, high = high, 2 * high
        if high > most:
            msg = f"what is asked for needs more than {most:,} {what}; ask for less"
            raise InputError(msg)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _check_belongs(method: str, excess: float | None, factor: float | None) -> None:
    if excess is not None and factor is not None:
        msg = f"give either excess or factor, got excess={excess!r} and factor={factor!r}"
        raise InputError(msg)
    if method == "hanson_koopmans" and factor is None:
        msg = "factor must be given for method='hanson_koopmans', such as 1 for the extremes"
        raise InputError(msg)
    for name, value in (("excess", excess), ("factor", factor)):
        if method == "nonparametric" and value is not None:
            msg = (
                f"{name} does not belong to method='nonparametric', got {value!r}; leave it out"
            )
            raise InputError(msg)


def _by_factor(
    factor: float, method: str, coverage: float, confidence: float, sides: Sides
) -> int:
    if method == "hanson_koopmans":
        wanted = _check_factor(factor, 0.0)
        if sides == "two":
            coverage, confidence = (1 + coverage) / 2, (1 + confidence) / 2
        return smallest(2, lambda n: hanson_koopmans(n, coverage, confidence) <= wanted)
    wanted = _check_factor(factor, expectation_factor(math.inf, coverage, sides))
    if method == "beta_expectation":
        return smallest(2, lambda n: expectation_factor(n, coverage, sides) <= wanted)
    return smallest(
        2, lambda n: exact_factor(sides, n, n - 1.0, coverage, confidence) <= wanted
    )


def _check_factor(factor: float, least: float) -> float:
    wanted = check_real("factor", factor)
    if wanted <= least:
        msg = (
            f"factor must be above {least:.6g}, that of infinitely many values, got "
            f"{factor:g}; no number of values reaches it"
        )
        raise InputError(msg)
    return wanted


def _within(n: int, coverage: float, excess: float, sides: Sides) -> float:
    """Return the probability that an interval of that coverage on average is near it."""
    k = expectation_factor(n, coverage, sides)
    low, high = coverage - excess, coverage + excess
    return content_confidence(k, n, low, sides) - content_confidence(k, n, high, sides)


def _c4(n: int) -> float:
    return math.sqrt(2 / (n - 1)) * float(special.poch((n - 1) / 2, 0.5))
