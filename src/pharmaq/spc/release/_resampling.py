"""f2 of many resamples at once: units are drawn, so that means are counts times units."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import special

from pharmaq.errors import InputError
from pharmaq.spc.release._profiles import enough_dissolved

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pharmaq.spc.release._profiles import Profiles

    Array = NDArray[np.float64]

__all__ = ["f2_of", "interval", "jackknifed_f2", "resampled_f2"]

_TIE = 1e-9


class _Moments(NamedTuple):
    """Mean and squared standard error of each time, a row a resample."""

    mean: Array
    error: Array


def f2_of(test: Array, reference: Array, estimator: str) -> float:
    """Return f2 of units by times; NaN where the bias outweighs the difference."""
    t, r = (_moments(_once(units), units) for units in (test, reference))
    return float(_f2(t, r, estimator, None)[0])


def resampled_f2(
    profiles: Profiles,
    estimator: str,
    n_resamples: int,
    rng: np.random.Generator,
    reselect: str | None,
) -> Array:
    """Return f2 of units drawn with replacement, at fixed points or those of each resample."""
    found = []
    for units in (profiles.test, profiles.reference):
        picked = units if reselect else units[:, profiles.used]
        found.append(_moments(_counts(len(units), n_resamples, rng), picked))
    if reselect is None:
        return _f2(found[0], found[1], estimator, None)
    ends = enough_dissolved(found[0].mean, found[1].mean, reselect)
    used = (np.arange(profiles.times.size) <= ends[:, None]) & (profiles.times > 0)
    return _f2(found[0], found[1], estimator, used)


def jackknifed_f2(test: Array, reference: Array, estimator: str) -> tuple[Array, Array]:
    """Return f2 without each unit of test, and without each unit of reference."""
    sides = []
    for left_out, whole, first in ((test, reference, True), (reference, test, False)):
        n = len(left_out)
        some = _moments(1.0 - np.eye(n), left_out)
        rest = _moments(_once(whole), whole)
        pair = (some, rest) if first else (rest, some)
        sides.append(_f2(*pair, estimator, None))
    return sides[0], sides[1]


def interval(
    values: Array,
    estimate: float,
    jackknifed: tuple[Array, Array],
    confidence: float,
    method: str,
) -> tuple[float, float]:
    """Return percentile limits, or those corrected for bias and skewness (Efron 1987)."""
    levels = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    if method == "bca":
        tied = np.abs(values - estimate) <= _TIE
        below = float(np.mean((values < estimate) & ~tied) + np.mean(tied) / 2)
        if not 0 < below < 1:
            msg = (
                "interval='bca' needs resamples on both sides of the estimate, and there are "
                "none on one; use interval='percentile'"
            )
            raise InputError(msg)
        shift = float(special.ndtri(below))
        z = shift + special.ndtri(levels)
        levels = special.ndtr(shift + z / (1 - _acceleration(jackknifed) * z))
    low, high = np.quantile(values, levels)
    return float(low), float(high)


def _acceleration(jackknifed: tuple[Array, Array]) -> float:
    """Return the acceleration of two samples (DiCiccio and Efron 1996)."""
    cubes = squares = 0.0
    for left in jackknifed:
        n = left.size
        influence = (n - 1) * (left.mean() - left) / n
        cubes += float(np.sum(influence**3))
        squares += float(np.sum(influence**2))
    return cubes / (6 * squares**1.5) if squares > 0 else 0.0


def _counts(n: int, n_resamples: int, rng: np.random.Generator) -> Array:
    drawn = rng.integers(0, n, size=(n_resamples, n))
    drawn += n * np.arange(n_resamples)[:, None]
    found = np.bincount(drawn.ravel(), minlength=n * n_resamples)
    return found.reshape(n_resamples, n).astype(np.float64)


def _once(units: Array) -> Array:
    return np.ones((1, len(units)))


def _moments(counts: Array, units: Array) -> _Moments:
    """Return moments of units drawn as often as `counts` says."""
    n = counts.sum(axis=1, keepdims=True)
    center = units.mean(axis=0)
    moved = units - center
    mean = counts @ moved / n
    squares = np.maximum(counts @ moved**2 - n * mean**2, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = squares / (n - 1) / n
    return _Moments(mean + center, error)


def _f2(
    test: _Moments, reference: _Moments, estimator: str, used: NDArray[np.bool_] | None
) -> Array:
    squares = (test.mean - reference.mean) ** 2
    if estimator != "plain":
        errors = test.error + reference.error
        squares = squares + errors if estimator == "expected" else squares - errors
    inside = 1 + (squares.mean(axis=1) if used is None else _mean_of(squares, used))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(inside > 0, 100 - 25 * np.log10(np.maximum(inside, 0)), np.nan)


def _mean_of(squares: Array, used: NDArray[np.bool_]) -> Array:
    return np.where(used, squares, 0).sum(axis=1) / used.sum(axis=1)
