"""Half-widths of tolerance limits of values in batches, by method."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from scipy import optimize, special

from pharmaq.errors import InputError
from pharmaq.spc.inference import mls_limits
from pharmaq.spc.intervals._factors import exact_factor, normal_nodes

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ONE_LIMIT", "TWO_LIMITS", "Moments", "batch_moments", "vangel", "variance_of_new"]

# confidence of the ratio of variances that goes with the confidence of the interval
_RATIO_CONFIDENCE = {0.90: 0.85, 0.95: 0.905, 0.99: 0.94}


class Moments(NamedTuple):
    """What limits follow from: k batch means and n values, with their variances."""

    mean: float
    of_means: float
    within: float
    k: int
    n: int
    # mean of 1 / n_i: the part of the variance within batches that a batch mean has
    part: float

    @property
    def total(self) -> float:
        """Variance of a value."""
        return self.of_means + (1 - self.part) * self.within


def batch_moments(x: NDArray[np.float64], codes: NDArray[np.intp]) -> Moments:
    """Return what limits follow from; batches by their codes from 0."""
    sizes = np.bincount(codes)
    means = np.bincount(codes, x) / sizes
    inside = float(np.sum((x - means[codes]) ** 2)) / (x.size - sizes.size)
    if not inside > 0:
        msg = "values do not vary within any batch; look at their resolution"
        raise InputError(msg)
    return Moments(
        mean=float(means.mean()),
        of_means=float(means.var(ddof=1)),
        within=inside,
        k=sizes.size,
        n=x.size,
        part=float(np.mean(1 / sizes)),
    )


def variance_of_new(m: Moments) -> tuple[float, float]:
    """Return the variance of a value plus that of the mean, and its degrees of freedom."""
    of_means, rest = (1 + 1 / m.k) * m.of_means, (1 - m.part) * m.within
    total = of_means + rest
    return total, total**2 / (of_means**2 / (m.k - 1) + rest**2 / (m.n - m.k))


def _upper_variance(m: Moments, weight: float, confidence: float) -> float:
    """Return the modified large-sample upper limit of weight S^2 + (1 - h) s^2."""
    squares, dof = [m.of_means, m.within], [m.k - 1, m.n - m.k]
    weights = [weight, 1 - m.part]
    return mls_limits(weights, squares, dof, confidence=2 * confidence - 1)[1]


def _mls_two(m: Moments, coverage: float, confidence: float) -> float:
    z = float(special.ndtri((1 + coverage) / 2))
    return z * math.sqrt(_upper_variance(m, 1 + 1 / m.k, confidence))


def _mls_one(m: Moments, coverage: float, confidence: float) -> float:
    z, t = float(special.ndtri(coverage)), float(special.stdtrit(m.k - 1, confidence))
    sd = math.sqrt(m.total)
    far = math.sqrt(_upper_variance(m, 1.0, confidence)) - sd
    return z * sd + math.hypot(t * math.sqrt(m.of_means / m.k), z * far)


def _pivots(
    m: Moments,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return generalized pivotal variances of means and within, and their weights."""
    z, weights = normal_nodes()
    of_means = (m.k - 1) * m.of_means / chi2_at(m.k - 1, z)
    within = (m.n - m.k) * m.within / chi2_at(m.n - m.k, z)
    return of_means, within, np.concatenate([weights, weights]) / 2


def chi2_at(freedom: int, z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return quantiles of chi2 at normal scores -z and z, each from its own tail."""
    tail = special.ndtr(-z)
    low, high = special.gammaincinv(freedom / 2, tail), special.gammainccinv(freedom / 2, tail)
    return 2 * np.concatenate([low, high])


def _generalized_two(m: Moments, coverage: float, confidence: float) -> float:
    _, within, weights = _pivots(m)

    def excess(log_variance: float) -> float:
        room = (math.exp(log_variance) - (1 - m.part) * within) / (1 + 1 / m.k)
        with np.errstate(divide="ignore"):
            chi2 = (m.k - 1) * m.of_means / np.maximum(room, 0.0)
        held = np.where(room > 0, special.chdtrc(m.k - 1, chi2), 0.0)
        return float(weights @ held) - confidence

    variance = math.exp(_root(excess, math.log(variance_of_new(m)[0]), 1.0))
    return float(special.ndtri((1 + coverage) / 2)) * math.sqrt(variance)


def _generalized_one(m: Moments, coverage: float, confidence: float) -> float:
    of_means, within, weights = _pivots(m)
    sd = np.sqrt(of_means[:, None] + (1 - m.part) * within)
    noise = np.sqrt(of_means / m.k)[:, None]
    z = float(special.ndtri(coverage))

    def excess(half: float) -> float:
        held = special.ndtr((half - z * sd) / noise)
        return float(weights @ held @ weights) - confidence

    return _root(excess, z * math.sqrt(m.total), math.sqrt(m.total))


def _mee(m: Moments, coverage: float, confidence: float, sides: Literal["two", "one"]) -> float:
    level = _RATIO_CONFIDENCE.get(confidence)
    if level is None:
        msg = f"confidence must be 0.9, 0.95 or 0.99 for method='mee', got {confidence:g}"
        raise InputError(msg)
    f = float(special.fdtri(m.n - m.k, m.k - 1, level))
    ratio = max(m.of_means / m.within * f - m.part, 0.0)
    worth = m.k * (ratio + 1) / (ratio + m.part)
    spread = (ratio + m.part) ** 2 / (m.k - 1) + (1 - m.part) ** 2 / (m.n - m.k)
    factor = exact_factor(sides, worth, (ratio + 1) ** 2 / spread, coverage, confidence)
    return factor * math.sqrt(m.total)


def _mee_two(m: Moments, coverage: float, confidence: float) -> float:
    return _mee(m, coverage, confidence, "two")


def _mee_one(m: Moments, coverage: float, confidence: float) -> float:
    return _mee(m, coverage, confidence, "one")


def vangel(
    x: NDArray[np.float64],
    codes: NDArray[np.intp],
    coverage: float,
    confidence: float,
    sides: str,
) -> tuple[float, float, float]:
    """Return mean, standard deviation and half-width of one limit."""
    if sides == "two":
        msg = "method must be one of 'mls', 'generalized', 'mee' for sides='two', got 'vangel'"
        raise InputError(msg)
    sizes = np.bincount(codes)
    n, k = x.size, sizes.size
    means = np.bincount(codes, x) / sizes
    within = float(np.sum((x - means[codes]) ** 2)) / (n - k)
    between = float(sizes @ (means - x.mean()) ** 2) / (k - 1)
    size = (n - float(np.sum(sizes**2)) / n) / (k - 1)
    sd = math.sqrt(between / size + (size - 1) / size * within)
    ratio = max(between / within, 1.0)
    weight = math.sqrt(ratio / (ratio + size - 1))
    all_values = exact_factor("one", n, n - 1.0, coverage, confidence)
    of_means = exact_factor("one", k, k - 1.0, coverage, confidence)
    root = 1 / math.sqrt(size)
    factor = (all_values - of_means * root + (of_means - all_values) * weight) / (1 - root)
    return float(x.mean()), sd, factor * sd


def _root(excess: Any, guess: float, step: float) -> float:
    low = high = guess
    while excess(low) > 0:
        low -= step
    while excess(high) < 0:
        high += step
        step *= 2
    return float(optimize.brentq(excess, low, high, xtol=1e-12 * max(1.0, abs(guess))))


TWO_LIMITS = {"mls": _mls_two, "generalized": _generalized_two, "mee": _mee_two}
ONE_LIMIT = {"mls": _mls_one, "generalized": _generalized_one, "mee": _mee_one}
