"""Factors of tolerance and prediction intervals."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from scipy import optimize, special, stats

from pharmaq._checks import check_choice, check_integer, check_real
from pharmaq.errors import InputError
from pharmaq.spc.noncentral import noncentral_t

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["FactorMethod", "tolerance_factor"]

FactorMethod = Literal["exact", "howe", "guenther", "natrella"]

# a standard normal mean leaves +-9 with probability 2e-19
_REACH = 9.0
_LARGEST = 10_000_000


def tolerance_factor(
    n: int,
    *,
    coverage: float,
    confidence: float,
    sides: Literal["two", "one"] = "two",
    method: FactorMethod = "exact",
    freedom: float | None = None,
) -> float:
    """Return k of the normal tolerance limits mean -+ k s.

    Parameters
    ----------
    n : int
        Number of values behind the mean, at least 2.
    coverage : float
        Share of the population that the interval holds, in (0, 1).
    confidence : float
        Probability with which it does, in (0, 1).
    sides : {"two", "one"}, default "two"
        Two limits with `coverage` between them, or one limit.
    method : {"exact", "howe", "guenther", "natrella"}, default "exact"
        Two sides: ``"exact"`` by the integral of Odeh and Owen [1]_, ``"howe"`` [2]_ or
        ``"guenther"``, Howe's times Guenther's correction. One side: ``"exact"`` by the
        noncentral t, or ``"natrella"``, a closed approximation [3]_.
    freedom : float, optional
        Degrees of freedom of s, by default n - 1.

    Returns
    -------
    float
        The factor k.

    Raises
    ------
    InputError
        If an argument is out of range, or `method` does not belong to `sides`.

    Notes
    -----
    Exact two-sided k solves E[P(chi2_f > f r(z)^2 / k^2)] = confidence over z ~ N(0, 1 / n),
    where Phi(z + r) - Phi(z - r) = coverage. Exact one-sided k is the quantile of a
    noncentral t with noncentrality sqrt(n) z_coverage, over sqrt(n).

    References
    ----------
    .. [1] R. E. Odeh, D. B. Owen, Tables for Normal Tolerance Limits, Sampling Plans, and
       Screening, Dekker, 1980.
    .. [2] W. G. Howe, J. Am. Stat. Assoc. 64 (1969) 610-620.
    .. [3] M. G. Natrella, Experimental Statistics, NBS Handbook 91, 1963.

    Examples
    --------
    >>> tolerance_factor(10, coverage=0.95, confidence=0.95)
    3.393429...
    >>> tolerance_factor(43, coverage=0.9, confidence=0.99, sides="one")
    1.87395...
    """
    n = check_integer("n", n, least=2, most=_LARGEST)
    coverage = check_real("coverage", coverage, above=0, below=1)
    confidence = check_real("confidence", confidence, above=0, below=1)
    check_choice("sides", sides, ("two", "one"))
    check_choice("method", method, get_args(FactorMethod))
    nu = float(n - 1) if freedom is None else check_real("freedom", freedom, above=0)
    factor = _FACTORS.get((sides, method))
    if factor is None:
        ways = ", ".join(repr(way) for side, way in _FACTORS if side == sides)
        msg = f"method must be one of {ways} for sides={sides!r}, got {method!r}"
        raise InputError(msg)
    return factor(n, nu, coverage, confidence)


def exact_factor(
    sides: Literal["two", "one"], n: float, nu: float, coverage: float, confidence: float
) -> float:
    """Return the exact factor for a mean worth n values and a variance with nu freedom."""
    return _FACTORS[sides, "exact"](n, nu, coverage, confidence)


def order_confidence(n: int, removed: int, coverage: float) -> float:
    """Return the confidence of limits at order statistics, with `removed` blocks outside."""
    return float(stats.binom.cdf(n - removed, n, coverage))


def content_confidence(k: float, n: int, coverage: float, sides: str) -> float:
    """Return the probability that limits k s from the mean of n values hold `coverage`."""
    content = _two_confidence if sides == "two" else _one_confidence
    return content(k, n, n - 1.0, coverage)


def expectation_factor(n: float, coverage: float, sides: str) -> float:
    """Return k of the limits mean -+ k s that hold `coverage` on average."""
    return prediction_factor(n, 1, coverage, sides=sides)


def prediction_factor(
    n: float, m: int, confidence: float, *, of: str = "values", sides: str = "two"
) -> float:
    """Return k of the limits mean -+ k s for what comes next; n may be infinite."""
    count = m if of == "values" else 1
    risk = (1 - confidence) / (count * (2 if sides == "two" else 1))
    t = -float(special.ndtri(risk) if math.isinf(n) else special.stdtrit(n - 1, risk))
    return t * math.sqrt((1 if of == "values" else 1 / m) + 1 / n)


def hanson_koopmans(n: int, coverage: float, confidence: float) -> float:
    """Return k of the limit max - k (max - min) for any log-concave distribution function."""
    reach = -math.log1p(-coverage)
    # an exponential over n leaves 40 / n with probability 4e-18
    span = min(reach, 40 / n)
    # in the worst case values are logarithms of uniform ones: -ln of the largest is an
    # exponential over n, and the smallest lies the largest of n - 1 exponentials below it
    x, weights = np.polynomial.legendre.leggauss(80)
    largest = span / 2 * (x + 1)
    density = weights * span / 2 * n * np.exp(-n * largest)

    def excess(log_k: float) -> float:
        short = -np.expm1(-(reach - largest) * math.exp(-log_k))
        return 1 - float(density @ short ** (n - 1)) - confidence

    low, high = _bracket(excess, 0.0, 1.0)
    return math.exp(optimize.brentq(excess, low, high, xtol=1e-12))


def _exact_two(n: float, nu: float, coverage: float, confidence: float) -> float:
    guess = math.log(_howe(n, nu, coverage, confidence))
    radius, weights = half_widths(n, coverage)

    def excess(log_k: float) -> float:
        tail = special.gammaincc(nu / 2, nu * radius**2 / 2 * math.exp(-2 * log_k))
        return float(weights @ tail) - confidence

    low, high = _bracket(excess, guess, 0.1)
    return math.exp(optimize.brentq(excess, low, high, xtol=1e-12))


def _exact_one(n: float, nu: float, coverage: float, confidence: float) -> float:
    """Solve for k with the noncentral t written as an integral over chi."""

    def excess(k: float) -> float:
        return _one_confidence(k, n, nu, coverage) - confidence

    low, high = _bracket(excess, float(special.ndtri(coverage)), 0.5)
    return optimize.brentq(excess, low, high, xtol=1e-12)


def _two_confidence(k: float, n: float, nu: float, coverage: float) -> float:
    """Return the probability that mean -+ k s holds `coverage` or more."""
    radius, weights = half_widths(n, coverage)
    return float(weights @ special.gammaincc(nu / 2, nu * (radius / k) ** 2 / 2))


def _one_confidence(k: float, n: float, nu: float, coverage: float) -> float:
    """Return the probability that mean + k s lies above the quantile `coverage`."""
    noncentrality = math.sqrt(n) * float(special.ndtri(coverage))
    return noncentral_t(k * math.sqrt(n), nu, noncentrality)


def _bracket(
    excess: Callable[[float], float], guess: float, step: float
) -> tuple[float, float]:
    """Return two arguments of a rising function with its root between them."""
    low = high = guess
    down = up = step
    while excess(low) > 0:
        low, down = low - down, 2 * down
    while excess(high) < 0:
        high, up = high + up, 2 * up
    return low, high


def half_widths(n: float, coverage: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return half-widths that hold `coverage` about shifted centres, and their weights."""
    nodes, weights = normal_nodes()
    shift = nodes / math.sqrt(n)
    # start where one tail has all that is missing: Newton comes from above, without overshoot
    radius = shift + float(special.ndtri((1 + coverage) / 2))
    for _ in range(50):
        held = special.ndtr(shift + radius) - special.ndtr(shift - radius)
        slope = (
            np.exp(-0.5 * (shift + radius) ** 2) + np.exp(-0.5 * (shift - radius) ** 2)
        ) / math.sqrt(2 * math.pi)
        step = (held - coverage) / slope
        radius = radius - step
        if np.abs(step).max() < 1e-13 * (1 + radius.max()):
            break
    return radius, weights


@functools.cache
def normal_nodes() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Gauss-Legendre nodes over half the normal distribution, and their weights.

    Weights add up to one.
    """
    x, w = np.polynomial.legendre.leggauss(80)
    z = _REACH / 2 * (x + 1)
    return z, w * _REACH * np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)


def _howe(n: float, nu: float, coverage: float, confidence: float) -> float:
    z = float(special.ndtri((1 + coverage) / 2))
    return z * math.sqrt(nu * (1 + 1 / n) / float(special.chdtri(nu, confidence)))


def _guenther(n: float, nu: float, coverage: float, confidence: float) -> float:
    chi2 = float(special.chdtri(nu, confidence))
    correction = math.sqrt(1 + (n - 3 - chi2) / (2 * (n + 1) ** 2))
    return _howe(n, nu, coverage, confidence) * correction


def _natrella(n: float, nu: float, coverage: float, confidence: float) -> float:
    z, z_confidence = float(special.ndtri(coverage)), float(special.ndtri(confidence))
    a = 1 - z_confidence**2 / (2 * nu)
    b = z**2 - z_confidence**2 / n
    if a <= 0 or z**2 < a * b:
        msg = f"method='natrella' has no factor for n={n} at this confidence; use 'exact'"
        raise InputError(msg)
    return (z + math.sqrt(z**2 - a * b)) / a


_FACTORS: dict[tuple[str, str], Callable[[float, float, float, float], float]] = {
    ("two", "exact"): _exact_two,
    ("two", "howe"): _howe,
    ("two", "guenther"): _guenther,
    ("one", "exact"): _exact_one,
    ("one", "natrella"): _natrella,
}
