"""Tolerance and prediction intervals of values that come in batches."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd
from scipy import special

from pharmaq._checks import check_choice, check_real, check_same_length, check_vector
from pharmaq.errors import InputError
from pharmaq.results import Result
from pharmaq.spc.intervals._batch_limits import (
    ONE_LIMIT,
    TWO_LIMITS,
    Moments,
    batch_moments,
    vangel,
    variance_of_new,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["BatchInterval", "batch_prediction_interval", "batch_tolerance_interval"]

Sides = Literal["two", "lower", "upper"]
BatchMethod = Literal["mls", "generalized", "mee", "vangel"]


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
    moments = batch_moments(x, codes)
    if method == "vangel":
        mean, sd, half = vangel(x, codes, coverage, confidence, sides)
    else:
        mean, sd = moments.mean, math.sqrt(moments.total)
        limit = TWO_LIMITS[method] if sides == "two" else ONE_LIMIT[method]
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
    moments = batch_moments(x, codes)
    variance, freedom = variance_of_new(moments)
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


def _interval(
    moments: Moments, found: tuple[float, float, float], *, sides: str, **words: Any
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
