"""Tolerance and prediction intervals of values that come in batches."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd
from scipy import optimize, special

from pharmaq._checks import check_choice, check_real, check_same_length, check_vector
from pharmaq.errors import InputError
from pharmaq.results import Result
from pharmaq.spc.inference import mls_limits
from pharmaq.spc.intervals._factors import exact_factor, normal_nodes

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["BatchInterval", "batch_prediction_interval", "batch_tolerance_interval"]

Sides = Literal["two", "lower", "upper"]
BatchMethod = Literal["mls", "generalized", "mee", "vangel"]

# confidence of the ratio of variances that goes with the confidence of the interval
_RATIO_CONFIDENCE = {0.90: 0.85, 0.95: 0.905, 0.99: 0.94}


class _Moments(NamedTuple):
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
        return self.of_means + (1 - self.part) * self.within


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class BatchInterval(Result):
    """Limits for values of batches that are still to come.

    Parameters
    ----------
    kind : {"tolerance", "prediction"}
        What the interval holds: a share of all values of all batches, or the next value.
    lower, upper : float or None
        Limits in the unit of the values; None on the open side.
    confidence : float
        Asked for.
    coverage : float or None
        Share of the population, of a tolerance interval.
    factor : float
        Half-width over `sd_total`, or that of the open side.
    mean : float
        Centre: the mean of batch means, for ``"vangel"`` of all values.
    sd_between, sd_within, sd_total : float
        Standard deviations between and within batches, at least 0, and of both together as the
        limits use it.
    n_values, n_batches : int
        Number of values and of batches.
    values, batches : ndarray of shape (n,)
        The data.
    sides, method, units : str
        As asked for.
    """

    kind: str
    lower: float | None
    upper: float | None
    confidence: float
    coverage: float | None
    factor: float
    mean: float
    sd_between: float
    sd_within: float
    sd_total: float
    n_values: int
    n_batches: int
    values: NDArray[np.float64]
    batches: NDArray[Any]
    sides: str
    method: str
    units: str = ""

    def to_frame(self) -> pd.DataFrame:
        """Return one row with a column per number."""
        fields = {k: v for k, v in self._fields().items() if k not in {"values", "batches"}}
        return pd.DataFrame([fields])

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the values of each batch between the limits.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.spc.intervals import plots

        return plots.plot_batches(self, ax=ax)


def batch_tolerance_interval(
    values: ArrayLike,
    batches: ArrayLike,
    *,
    coverage: float = 0.99,
    confidence: float = 0.95,
    sides: Sides = "two",
    method: BatchMethod = "mls",
    units: str = "",
) -> BatchInterval:
    """Return limits that hold a share of the values of all batches with stated confidence.

    Parameters
    ----------
    values : array-like, shape (n,)
        Normal values, whose batches differ by normal amounts; any unit, NaN raises.
    batches : array-like, shape (n,)
        Batch of each value, in any order; at least two batches, one of them with two values.
    coverage : float, default 0.99
        Share of the population between the limits, in (0, 1).
    confidence : float, default 0.95
        Probability with which they hold it, in (0.5, 1).
    sides : {"two", "lower", "upper"}, default "two"
        Both limits, or one.
    method : {"mls", "generalized", "mee", "vangel"}, default "mls"
        ``"mls"``: modified large-sample bound of the variance [1]_. ``"generalized"``:
        generalized confidence limit of a percentile [2]_, two limits by its margin [3]_.
        ``"mee"``: factor of independent values, as many as are worth the same [4]_ [5]_, for
        confidence 0.9, 0.95 or 0.99. ``"vangel"``: one limit, between the factors of all
        values and of batch means [6]_, as in the composite materials handbook.
    units : str, optional
        Unit of the values.

    Returns
    -------
    BatchInterval
        Limits and standard deviations between and within batches.

    Raises
    ------
    InputError
        If lengths differ, there are too few batches or values, nothing varies within batches,
        or `method` does not belong to `sides` or `confidence`.

    Notes
    -----
    With S^2 the variance of k batch means, s^2 the pooled variance within batches, and h the
    mean of 1 / n_i, the variance of a value is S^2 + (1 - h) s^2. Batches of different size
    are taken as if S^2 had k - 1 degrees of freedom (exact for equal ones). Two limits are
    mean -+ z sqrt(U), with z at (1 + coverage) / 2 and U an upper limit of the variance of a
    value plus that of the mean, (1 + 1 / k) S^2 + (1 - h) s^2. One limit of ``"mls"`` is mean
    + z T + sqrt(t^2 S^2 / k + z^2 (sqrt(U) - T)^2), T^2 and U the variance of a value and its
    upper limit.

    References
    ----------
    .. [1] K. Krishnamoorthy, X. Lian, J. Stat. Comput. Simul. 82 (2012) 547-563.
    .. [2] K. Krishnamoorthy, T. Mathew, Technometrics 46 (2004) 44-52.
    .. [3] C. T. Liao, T. Y. Lin, H. K. Iyer, Technometrics 47 (2005) 323-335.
    .. [4] R. W. Mee, D. B. Owen, J. Am. Stat. Assoc. 78 (1983) 901-905.
    .. [5] R. W. Mee, Technometrics 26 (1984) 251-254.
    .. [6] M. G. Vangel, Technometrics 34 (1992) 176-185.

    Examples
    --------
    >>> assay = [99.1, 99.4, 100.8, 100.5, 98.7, 99.0, 100.1, 99.9, 101.0, 100.6]
    >>> batch = ["a", "a", "b", "b", "c", "c", "d", "d", "e", "e"]
    >>> found = batch_tolerance_interval(assay, batch, coverage=0.95)
    >>> round(found.lower, 2), round(found.upper, 2)
    (95.56, 104.26)
    """
    check_choice("sides", sides, get_args(Sides))
    check_choice("method", method, get_args(BatchMethod))
    coverage = check_real("coverage", coverage, above=0, below=1)
    confidence = check_real("confidence", confidence, above=0.5, below=1)
    x, codes, names = _read(values, batches)
    moments = _moments(x, codes)
    if method == "vangel":
        mean, sd, half = _vangel(x, codes, coverage, confidence, sides)
    else:
        mean, sd = moments.mean, math.sqrt(moments.total)
        limit = _TWO[method] if sides == "two" else _ONE[method]
        half = limit(moments, coverage, confidence)
    return _interval(
        moments,
        (mean, sd, half),
        kind="tolerance",
        confidence=confidence,
        coverage=coverage,
        values=x,
        batches=names,
        sides=sides,
        method=method,
        units=units,
    )


def batch_prediction_interval(
    values: ArrayLike,
    batches: ArrayLike,
    *,
    confidence: float = 0.95,
    sides: Sides = "two",
    units: str = "",
) -> BatchInterval:
    """Return limits for one value of the next batch [1]_.

    Parameters
    ----------
    values : array-like, shape (n,)
        Normal values, whose batches differ by normal amounts; any unit, NaN raises.
    batches : array-like, shape (n,)
        Batch of each value, in any order; at least two batches, one of them with two values.
    confidence : float, default 0.95
        Probability that the limits hold the value, and the share of the population that they
        hold on average (beta-expectation).
    sides : {"two", "lower", "upper"}, default "two"
        Both limits, or one.
    units : str, optional
        Unit of the values.

    Returns
    -------
    BatchInterval
        Limits and standard deviations between and within batches.

    Raises
    ------
    InputError
        If lengths differ, there are too few batches or values, or nothing varies.

    Notes
    -----
    mean -+ t sqrt((1 + 1 / k) S^2 + (1 - h) s^2), in the letters of
    `batch_tolerance_interval`, with Satterthwaite's degrees of freedom.

    References
    ----------
    .. [1] R. W. Mee, Technometrics 26 (1984) 251-254.

    Examples
    --------
    >>> assay = [99.1, 99.4, 100.8, 100.5, 98.7, 99.0, 100.1, 99.9, 101.0, 100.6]
    >>> batch = ["a", "a", "b", "b", "c", "c", "d", "d", "e", "e"]
    >>> found = batch_prediction_interval(assay, batch)
    >>> round(found.lower, 2), round(found.upper, 2)
    (97.33, 102.49)
    """
    check_choice("sides", sides, get_args(Sides))
    confidence = check_real("confidence", confidence, above=0, below=1)
    x, codes, names = _read(values, batches)
    moments = _moments(x, codes)
    variance = _of_new_value(moments)
    freedom = _freedom((1 + 1 / moments.k) * moments.of_means, moments)
    level = (1 + confidence) / 2 if sides == "two" else confidence
    half = float(special.stdtrit(freedom, level)) * math.sqrt(variance)
    return _interval(
        moments,
        (moments.mean, math.sqrt(moments.total), half),
        kind="prediction",
        confidence=confidence,
        coverage=None,
        values=x,
        batches=names,
        sides=sides,
        method=f"t, {freedom:.4g} degrees of freedom (Satterthwaite)",
        units=units,
    )


def _read(
    values: ArrayLike, batches: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[Any]]:
    x = check_vector("values", values, least=3)
    names = np.asarray(batches)
    check_same_length(values=x, batches=names)
    codes, levels = pd.factorize(names)
    if (codes < 0).any():
        place = int(np.argmin(codes))
        msg = f"batches must name a batch for every value, but batches[{place}] is missing"
        raise InputError(msg)
    if len(levels) < 2:
        msg = f"batches must hold at least 2 batches, got {len(levels)}; use tolerance_interval"
        raise InputError(msg)
    if len(levels) == x.size:
        msg = (
            "values repeat no batch: there is nothing to separate within from between; use "
            "tolerance_interval"
        )
        raise InputError(msg)
    return x, codes, names


def _moments(x: NDArray[np.float64], codes: NDArray[np.intp]) -> _Moments:
    sizes = np.bincount(codes)
    means = np.bincount(codes, x) / sizes
    inside = float(np.sum((x - means[codes]) ** 2)) / (x.size - sizes.size)
    if not inside > 0:
        msg = "values do not vary within any batch; look at their resolution"
        raise InputError(msg)
    return _Moments(
        mean=float(means.mean()),
        of_means=float(means.var(ddof=1)),
        within=inside,
        k=sizes.size,
        n=x.size,
        part=float(np.mean(1 / sizes)),
    )


def _interval(
    moments: _Moments, found: tuple[float, float, float], *, sides: str, **words: Any
) -> BatchInterval:
    mean, sd, half = found
    between = max(moments.of_means - moments.part * moments.within, 0.0)
    return BatchInterval(
        lower=None if sides == "upper" else mean - half,
        upper=None if sides == "lower" else mean + half,
        factor=half / sd,
        mean=mean,
        sd_between=math.sqrt(between),
        sd_within=math.sqrt(moments.within),
        sd_total=sd,
        n_values=moments.n,
        n_batches=moments.k,
        sides=sides,
        **words,
    )


def _of_new_value(m: _Moments) -> float:
    """Return the variance of a value plus that of the mean."""
    return m.total + m.of_means / m.k


def _freedom(of_means: float, m: _Moments) -> float:
    rest = (1 - m.part) * m.within
    return (of_means + rest) ** 2 / (of_means**2 / (m.k - 1) + rest**2 / (m.n - m.k))


def _upper_variance(m: _Moments, weight: float, confidence: float) -> float:
    """Return the modified large-sample upper limit of weight S^2 + (1 - h) s^2."""
    squares, dof = [m.of_means, m.within], [m.k - 1, m.n - m.k]
    weights = [weight, 1 - m.part]
    return mls_limits(weights, squares, dof, confidence=2 * confidence - 1)[1]


def _mls_two(m: _Moments, coverage: float, confidence: float) -> float:
    z = float(special.ndtri((1 + coverage) / 2))
    return z * math.sqrt(_upper_variance(m, 1 + 1 / m.k, confidence))


def _mls_one(m: _Moments, coverage: float, confidence: float) -> float:
    z, t = float(special.ndtri(coverage)), float(special.stdtrit(m.k - 1, confidence))
    sd = math.sqrt(m.total)
    far = math.sqrt(_upper_variance(m, 1.0, confidence)) - sd
    return z * sd + math.hypot(t * math.sqrt(m.of_means / m.k), z * far)


def _pivots(
    m: _Moments,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return generalized pivotal variances of means and within, and their weights."""
    z, weights = normal_nodes()
    of_means = (m.k - 1) * m.of_means / _chi2(m.k - 1, z)
    within = (m.n - m.k) * m.within / _chi2(m.n - m.k, z)
    return of_means, within, np.concatenate([weights, weights]) / 2


def _chi2(freedom: int, z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return quantiles of chi2 at normal scores -z and z, each from its own tail."""
    tail = special.ndtr(-z)
    low, high = special.gammaincinv(freedom / 2, tail), special.gammainccinv(freedom / 2, tail)
    return 2 * np.concatenate([low, high])


def _generalized_two(m: _Moments, coverage: float, confidence: float) -> float:
    _, within, weights = _pivots(m)

    def excess(log_variance: float) -> float:
        room = (math.exp(log_variance) - (1 - m.part) * within) / (1 + 1 / m.k)
        with np.errstate(divide="ignore"):
            chi2 = (m.k - 1) * m.of_means / np.maximum(room, 0.0)
        held = np.where(room > 0, special.chdtrc(m.k - 1, chi2), 0.0)
        return float(weights @ held) - confidence

    variance = math.exp(_root(excess, math.log(_of_new_value(m)), 1.0))
    return float(special.ndtri((1 + coverage) / 2)) * math.sqrt(variance)


def _generalized_one(m: _Moments, coverage: float, confidence: float) -> float:
    of_means, within, weights = _pivots(m)
    sd = np.sqrt(of_means[:, None] + (1 - m.part) * within)
    noise = np.sqrt(of_means / m.k)[:, None]
    z = float(special.ndtri(coverage))

    def excess(half: float) -> float:
        held = special.ndtr((half - z * sd) / noise)
        return float(weights @ held @ weights) - confidence

    return _root(excess, z * math.sqrt(m.total), math.sqrt(m.total))


def _mee(
    m: _Moments, coverage: float, confidence: float, sides: Literal["two", "one"]
) -> float:
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


def _mee_two(m: _Moments, coverage: float, confidence: float) -> float:
    return _mee(m, coverage, confidence, "two")


def _mee_one(m: _Moments, coverage: float, confidence: float) -> float:
    return _mee(m, coverage, confidence, "one")


def _vangel(
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


_TWO = {"mls": _mls_two, "generalized": _generalized_two, "mee": _mee_two}
_ONE = {"mls": _mls_one, "generalized": _generalized_one, "mee": _mee_one}
