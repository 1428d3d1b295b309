"""Limits of T2 and SPE over the course of a batch, and how often good batches pass them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from pharmaq._checks import check_choice, check_integer, check_real
from pharmaq.chemometrics import t2_limit
from pharmaq.errors import InputError
from pharmaq.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["BatchLimits", "FalseAlarms"]

T2_METHODS = ("f", "beta", "simca", "chi2", "moments", "empirical")
SPE_METHODS = ("empirical", "moments")
VALUES = ("cross_validated", "training")


@dataclasses.dataclass(frozen=True, kw_only=True)
class BatchLimits:
    """How limits of T2 and SPE are set at each time of a batch.

    Parameters
    ----------
    t2 : {"f", "beta", "simca", "chi2", "moments", "empirical"}, default "f"
        The first four are limits of `pharmaq.chemometrics.t2_limit`, for as many components as
        scores vary in at that time; the others as for `spe`.
    spe : {"empirical", "moments"}, default "empirical"
        ``"empirical"``: the median of the reference values in a window of times, times the
        quantile of all values divided by the median of their window: the shape of the
        distribution comes from all times together, its size from each. ``"moments"``:
        g chi2(1 - alpha; h) with g = v / (2 m) and h = 2 m^2 / v from mean m and variance v in
        the window [1]_; one odd reference batch is enough to spoil it.
    values : {"cross_validated", "training"}, default "cross_validated"
        Reference values: those of each batch as a model sees it that was fitted without it, or
        those of the fitted batches. A model follows the batches it was fitted to: limits from
        training values are too narrow for new batches.
    window : int, default 5
        Times on each side whose values are pooled; 0 for none.
    alphas : tuple of float, default (0.05, 0.01)
        Shares of observations of good batches that may pass a limit; the smallest one judges.

    References
    ----------
    .. [1] P. Nomikos, J. F. MacGregor, Technometrics 37 (1995) 41-59.

    Examples
    --------
    >>> BatchLimits(spe="moments").window
    5
    """

    t2: Literal["f", "beta", "simca", "chi2", "moments", "empirical"] = "f"
    spe: Literal["empirical", "moments"] = "empirical"
    values: Literal["cross_validated", "training"] = "cross_validated"
    window: int = 5
    alphas: tuple[float, ...] = (0.05, 0.01)

    def __post_init__(self) -> None:
        check_choice("t2", self.t2, T2_METHODS)
        check_choice("spe", self.spe, SPE_METHODS)
        check_choice("values", self.values, VALUES)
        check_integer("window", self.window, least=0)
        if not isinstance(self.alphas, tuple) or not self.alphas:
            msg = f"alphas must be a tuple such as (0.05, 0.01), got {self.alphas!r}"
            raise InputError(msg)
        for alpha in self.alphas:
            check_real("alphas", alpha, above=0, below=1)
        object.__setattr__(self, "alphas", tuple(sorted(self.alphas, reverse=True)))


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class FalseAlarms(Result):
    """How often good batches pass the limits of a monitor.

    Parameters
    ----------
    statistic : tuple of str
        ``"t2"``, ``"spe"`` and ``"spe_cumulative"``, once for each alpha.
    alpha : tuple of float
        Share that the limit is made for.
    pointwise : ndarray of shape (n,)
        Share of all observations of reference batches above the limit.
    whole_batch : ndarray of shape (n,)
        Share of reference batches with at least one observation above it.
    lower, upper : ndarray of shape (n,)
        Bounds of the true whole-batch rate, 95 % confidence (Clopper and Pearson).
    n_batches : int
        Number of reference batches.
    values : str
        Whether they were left out of the model (``"cross_validated"``) or not.
    """

    statistic: tuple[str, ...]
    alpha: tuple[float, ...]
    pointwise: NDArray[np.float64]
    whole_batch: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    n_batches: int
    values: str

    def to_frame(self) -> pd.DataFrame:
        """Return one row a statistic and alpha."""
        names = ("statistic", "alpha", "pointwise", "whole_batch", "lower", "upper")
        return pd.DataFrame({name: getattr(self, name) for name in names})


def limit_over_time(values: Array, method: str, *, alpha: float, window: int) -> Array:
    """Return a limit at each time from reference values, shape (N, K), NaN not observed."""
    K = values.shape[1]
    near = [values[:, max(0, k - window) : k + window + 1] for k in range(K)]
    if method == "empirical":
        middle = np.array([np.nanmedian(part) for part in near])
        # nothing is left to judge where half of the batches fit without any residual
        ratio = values[:, middle > 0] / middle[middle > 0]
        return middle * float(np.nanquantile(ratio, 1 - alpha)) if ratio.size else middle
    mean = np.array([np.nanmean(part) for part in near])
    variance = np.array([np.nanvar(part, ddof=1) for part in near])
    return _scaled_chi2(mean, variance, alpha)


def t2_over_time(n_batches: int, rank: NDArray[np.intp], *, alpha: float, method: Any) -> Array:
    """Return the limit of T2 that theory gives for the rank of the scores at each time."""
    found = {
        int(r): t2_limit(n_batches, int(r), alpha=alpha, method=method) if r else np.nan
        for r in np.unique(rank)
    }
    return np.array([found[int(r)] for r in rank])


def count_alarms(
    references: dict[str, Array], limits: dict[str, Array], alphas: tuple[float, ...], kind: str
) -> FalseAlarms:
    """Count reference values above their limits, by observation and by batch."""
    rows = []
    for name, values in references.items():
        for alpha, limit in zip(alphas, limits[name], strict=True):
            observed = ~np.isnan(values)
            above = np.greater(values, limit, where=observed, out=np.zeros_like(observed))
            batches, n = int(above.any(axis=1).sum()), int(observed.any(axis=1).sum())
            share = float(above.sum() / observed.sum())
            rows.append((name, alpha, share, batches / n, *_share_bounds(batches, n)))
    columns = list(zip(*rows, strict=True))
    return FalseAlarms(
        statistic=columns[0],
        alpha=columns[1],
        pointwise=np.array(columns[2]),
        whole_batch=np.array(columns[3]),
        lower=np.array(columns[4]),
        upper=np.array(columns[5]),
        n_batches=len(next(iter(references.values()))),
        values=kind,
    )


def _share_bounds(count: int, n: int) -> tuple[float, float]:
    """Return the 95 % bounds of a share by Clopper and Pearson."""
    low = float(stats.beta.ppf(0.025, count, n - count + 1)) if count else 0.0
    high = float(stats.beta.ppf(0.975, count + 1, n - count)) if count < n else 1.0
    return low, high


def _scaled_chi2(mean: Array, variance: Array, alpha: float) -> Array:
    varies = variance > 0
    g = np.divide(variance, 2 * mean, out=np.zeros_like(mean), where=varies)
    h = np.divide(2 * mean**2, variance, out=np.ones_like(mean), where=varies)
    return np.where(varies, g * stats.chi2.isf(alpha, h), mean)
