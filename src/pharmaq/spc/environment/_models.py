"""Distributions of counts by maximum likelihood: Poisson, negative binomial, more zeros."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import optimize, special, stats

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["MODELS", "CountFit", "draws", "fit_counts", "goodness_of_fit", "pmf", "quantile"]

MODELS = ("poisson", "negative_binomial", "zero_inflated_poisson", "zero_inflated_nb")
# beyond this size a negative binomial is a Poisson
_MOST_SIZE = 1e5
# and below this one its zeros cannot be told from extra ones
_LEAST_SIZE = 0.02
_LEAST_EXPECTED = 5.0


class CountFit(NamedTuple):
    """A fitted distribution: mean and size of the counting part, share of extra zeros."""

    model: str
    mean: float
    size: float
    zeros: float
    log_likelihood: float

    @property
    def n_parameters(self) -> int:
        """Return the number of fitted parameters."""
        return MODELS.index(self.model) % 2 + 1 + (self.model.startswith("zero"))


def fit_counts(values: NDArray[np.int64]) -> dict[str, CountFit]:
    """Return all distributions that can be fitted; each is a maximum inside its range."""
    counts, times = np.unique(values, return_counts=True)
    k, w = counts.astype(np.float64), times.astype(np.float64)
    mean = float((k * w).sum() / w.sum())
    found = {"poisson": _fitted("poisson", (mean, math.inf, 0.0), k, w)}
    if mean == 0:
        return found
    size = _size(k, w, mean)
    if size is not None:
        found["negative_binomial"] = _fitted("negative_binomial", (mean, size, 0.0), k, w)
    zero = float(w[k == 0].sum() / w.sum())
    if 0 < zero < 1 and k.max() > 1:
        _add_inflated(found, k, w, zero)
    return found


def pmf(fit: CountFit, k: Array) -> Array:
    """Return chances of counts."""
    return np.asarray(np.exp(_log_pmf(k, fit.mean, fit.size, fit.zeros)))


def quantile(level: float, mean: Array, size: Array, zeros: Array) -> Array:
    """Return the smallest count that is not exceeded with a chance of `level`."""
    inner = np.clip((level - zeros) / (1 - zeros), 0, 1)
    poisson = stats.poisson.ppf(inner, mean)
    with np.errstate(invalid="ignore"):
        spread = stats.nbinom.ppf(inner, size, size / (size + mean))
    found = np.where(np.isinf(size), poisson, spread)
    return np.asarray(np.maximum(np.where(inner <= 0, 0, found), 0))


def draws(
    fit: CountFit, values: NDArray[np.int64], n: int, rng: np.random.Generator
) -> tuple[Array, Array, Array] | None:
    """Return parameters drawn from their asymptotic distribution, or None if there is none."""
    counts, times = np.unique(values, return_counts=True)
    k, w = counts.astype(np.float64), times.astype(np.float64)
    free = [fit.mean > 0, math.isfinite(fit.size), fit.zeros > 0]
    if not free[0]:
        return None
    at = np.array([math.log(fit.mean), math.log(fit.size) if free[1] else 0.0, 0.0])
    if free[2]:
        at[2] = math.log(fit.zeros / (1 - fit.zeros))

    def loss(moved: Array) -> float:
        point = at.copy()
        point[free] += moved
        size = math.exp(point[1]) if free[1] else math.inf
        zeros = float(special.expit(point[2])) if free[2] else 0.0
        return -float(w @ _log_pmf(k, math.exp(point[0]), size, zeros))

    information = _hessian(loss, sum(free))
    roots = np.linalg.eigvalsh(information)
    if not np.all(roots > 1e-8 * abs(roots[-1])):
        return None
    moved = rng.multivariate_normal(np.zeros(sum(free)), np.linalg.inv(information), n)
    points = np.tile(at, (n, 1))
    points[:, free] += moved
    size = np.exp(points[:, 1]) if free[1] else np.full(n, np.inf)
    zeros = special.expit(points[:, 2]) if free[2] else np.zeros(n)
    return np.exp(points[:, 0]), size, zeros


def goodness_of_fit(fit: CountFit, values: NDArray[np.int64]) -> float:
    """Return p of Pearson's chi-square, cells joined until each expects 5; NaN without any."""
    n, most = values.size, int(values.max())
    expected = n * pmf(fit, np.arange(most + 1.0))
    observed = np.bincount(values, minlength=most + 1).astype(np.float64)
    expected = np.append(expected, max(n - expected.sum(), 0.0))
    observed = np.append(observed, 0.0)
    cells: list[list[float]] = [[0.0, 0.0]]
    for o, e in zip(observed, expected, strict=True):
        if cells[-1][1] >= _LEAST_EXPECTED:
            cells.append([0.0, 0.0])
        cells[-1][0] += o
        cells[-1][1] += e
    if len(cells) > 1 and cells[-1][1] < _LEAST_EXPECTED:
        last = cells.pop()
        cells[-1] = [cells[-1][0] + last[0], cells[-1][1] + last[1]]
    freedom = len(cells) - 1 - fit.n_parameters
    if freedom < 1:
        return math.nan
    table = np.array(cells)
    statistic = float(np.sum((table[:, 0] - table[:, 1]) ** 2 / table[:, 1]))
    return float(special.chdtrc(freedom, statistic))


def _fitted(model: str, parameters: tuple[float, float, float], k: Array, w: Array) -> CountFit:
    return CountFit(model, *parameters, float(w @ _log_pmf(k, *parameters)))


def _log_pmf(k: Array, mean: float, size: float, zeros: float) -> Array:
    if math.isinf(size):
        logs = special.xlogy(k, mean) - mean - special.gammaln(k + 1)
    else:
        logs = special.gammaln(k + size) - special.gammaln(size) - special.gammaln(k + 1)
        logs += size * math.log(size / (size + mean)) + special.xlogy(k, mean / (size + mean))
    if zeros == 0:
        return np.asarray(logs)
    inside = math.log1p(-zeros) + logs
    return np.where(k == 0, np.logaddexp(math.log(zeros), inside), inside)


def _size(k: Array, w: Array, mean: float) -> float | None:
    """Return the size of a negative binomial, None if counts vary no more than Poisson ones."""
    n = w.sum()
    if float(w @ (k - mean) ** 2) / n <= mean:
        return None

    def slope(log_size: float) -> float:
        r = math.exp(log_size)
        gained = float(w @ (special.digamma(k + r) - special.digamma(r))) / n
        return gained - math.log1p(mean / r)

    low, high = math.log(1e-4), math.log(_MOST_SIZE)
    if slope(high) >= 0:
        return None
    return math.exp(float(optimize.brentq(slope, low, high, xtol=1e-12)))


def _add_inflated(found: dict[str, CountFit], k: Array, w: Array, zero: float) -> None:
    """Add distributions with extra zeros: the positive counts fit the counting part alone."""
    positive, weight = k[k > 0], w[k > 0]
    over = float(positive @ weight / weight.sum())
    # mean of counts without zeros: rate / (1 - exp(-rate))
    rate = float(optimize.brentq(lambda x: x / -math.expm1(-x) - over, 1e-9, over, xtol=1e-13))
    share = (zero - math.exp(-rate)) / -math.expm1(-rate)
    if share > 0:
        name = "zero_inflated_poisson"
        found[name] = _fitted(name, (rate, math.inf, share), k, w)
    if "negative_binomial" not in found:
        return

    def loss(log_size: float) -> float:
        size = math.exp(log_size)
        mean = _mean_of_positive(over, size)
        none = size * math.log(size / (size + mean))
        logs = _log_pmf(positive, mean, size, 0.0)
        return -float(weight @ (logs - math.log(-math.expm1(none))))

    ends = (math.log(_LEAST_SIZE), math.log(_MOST_SIZE))
    at = float(optimize.fminbound(loss, *ends, xtol=1e-9))
    size = math.exp(at)
    mean = _mean_of_positive(over, size)
    none = size * math.log(size / (size + mean))
    share = (zero - math.exp(none)) / -math.expm1(none)
    # at an end of the range there is no maximum: one of the simpler models is it
    if share > 0 and ends[0] + _EDGE < at < ends[1] - _EDGE:
        name = "zero_inflated_nb"
        found[name] = _fitted(name, (mean, size, share), k, w)


def _mean_of_positive(over: float, size: float) -> float:
    """Return the mean of a negative binomial whose counts above zero have mean `over`."""

    def excess(mean: float) -> float:
        return mean / -math.expm1(-size * math.log1p(mean / size)) - over

    return float(optimize.brentq(excess, 1e-12, over, xtol=1e-13))


_EDGE = 0.05


def _hessian(loss: Callable[[Array], float], n: int, step: float = 1e-4) -> Array:
    """Return second derivatives at zero, by central differences."""
    unit = np.eye(n) * step
    found = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            corners = (
                loss(unit[i] + unit[j])
                - loss(unit[i] - unit[j])
                - loss(unit[j] - unit[i])
                + loss(-unit[i] - unit[j])
            )
            found[i, j] = corners / (4 * step**2)
    return (found + found.T) / 2
