"""Straight lines of batches with common or own slopes and intercepts, and their variances."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["LineModel", "Lines", "fit_lines"]

LineModel = Literal["common", "common_slope", "separate"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Lines:
    """One line a batch, and how well each is known.

    Parameters
    ----------
    model : {"common", "common_slope", "separate"}
        What the batches share.
    intercept, slope : ndarray of shape (n_batches,)
        Of each batch; equal where shared.
    v00, v01, v11 : ndarray of shape (n_batches,)
        Variances of intercept and slope and their covariance, in units of the error variance.
    sse, dof : ndarray of shape (n_batches,)
        Sum of squares and degrees of freedom of the error variance that goes with each line.
    """

    model: LineModel
    intercept: NDArray[np.float64]
    slope: NDArray[np.float64]
    v00: NDArray[np.float64]
    v01: NDArray[np.float64]
    v11: NDArray[np.float64]
    sse: NDArray[np.float64]
    dof: NDArray[np.float64]

    @property
    def mse(self) -> NDArray[np.float64]:
        """Error variance of each line; NaN without degrees of freedom."""
        return np.divide(
            self.sse, self.dof, out=np.full_like(self.sse, np.nan), where=self.dof > 0
        )

    def mean(self, time: ArrayLike) -> NDArray[np.float64]:
        """Return the lines at times; shape (n_batches, n_times)."""
        t = np.atleast_1d(np.asarray(time, dtype=float))
        return self.intercept[:, None] + self.slope[:, None] * t

    def variance(self, time: ArrayLike) -> NDArray[np.float64]:
        """Return variances of the lines, in units of the error variance."""
        t = np.atleast_1d(np.asarray(time, dtype=float))
        return self.v00[:, None] + 2 * self.v01[:, None] * t + self.v11[:, None] * t**2


def fit_lines(
    batch: NDArray[np.intp],
    time: NDArray[np.float64],
    value: NDArray[np.float64],
    *,
    model: LineModel,
    pooled: bool = True,
) -> Lines:
    """Fit lines by least squares.

    Parameters
    ----------
    batch : ndarray of shape (n,)
        Number of the batch of each result, from 0, none left out.
    time, value : ndarray of shape (n,)
        The results.
    model : {"common", "common_slope", "separate"}
        What the batches share.
    pooled : bool, default True
        Whether separate lines share one error variance.

    Returns
    -------
    Lines
        A line a batch; a batch whose slope cannot be estimated has NaN.

    Examples
    --------
    >>> import numpy as np
    >>> batch, time = np.array([0, 0, 0]), np.array([0.0, 1.0, 2.0])
    >>> lines = fit_lines(batch, time, np.array([5.0, 4.0, 3.5]), model="common")
    >>> float(lines.slope[0]), float(lines.mse[0].round(4))
    (-0.75, 0.0417)
    """
    n = np.bincount(batch).astype(float)
    groups = len(n)
    if model == "common":
        mean_t, mean_y = np.full(groups, time.mean()), np.full(groups, value.mean())
        weight = np.full(groups, float(len(value)))
    else:
        mean_t, mean_y = np.bincount(batch, time) / n, np.bincount(batch, value) / n
        weight = n
    t, y = time - mean_t[batch], value - mean_y[batch]
    sxx, sxy = np.bincount(batch, t * t), np.bincount(batch, t * y)
    if model != "separate":
        sxx, sxy = np.full(groups, sxx.sum()), np.full(groups, sxy.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        slope, v11 = sxy / sxx, np.where(sxx > 0, 1 / sxx, np.nan)
    sse = np.bincount(batch, (y - slope[batch] * t) ** 2).astype(np.float64)
    dof = n - 2
    if model != "separate" or pooled:
        lost = {"common": 2, "common_slope": groups + 1, "separate": 2 * groups}[model]
        sse, dof = np.full(groups, sse.sum()), np.full(groups, float(len(value) - lost))
    return Lines(
        model=model,
        intercept=mean_y - slope * mean_t,
        slope=slope,
        v00=1 / weight + mean_t**2 * v11,
        v01=-mean_t * v11,
        v11=v11,
        sse=sse,
        dof=dof,
    )
