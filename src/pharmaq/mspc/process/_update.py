"""A model that follows a process that changes slowly: recursive PCA with forgetting."""

from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmaq.errors import InputError
from pharmaq.mspc.process.limits import WITHOUT_ROWS
from pharmaq.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Memory", "MonitorUpdate"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class MonitorUpdate(Result):
    """Rows that a monitor judged and learned from, one after the other.

    Parameters
    ----------
    label : ndarray of shape (n,)
        Time, name or number of each row.
    t2, spe : ndarray of shape (n,)
        Statistics of each row by the model before it; NaN where a value is missing.
    t2_limit, spe_limit : ndarray of shape (n,)
        Limits that each row was held against.
    learned : ndarray of bool, shape (n,)
        Which rows entered the model; the others exceed a limit or have a missing value.
    n_samples : float
        Effective number of rows of the model afterwards.
    """

    label: NDArray[Any]
    t2: Array
    spe: Array
    t2_limit: Array
    spe_limit: Array
    learned: NDArray[np.bool_]
    n_samples: float

    @property
    def alarms(self) -> NDArray[np.bool_]:
        """Whether T2 or SPE of a row was above its limit."""
        return (self.t2 > self.t2_limit) | (self.spe > self.spe_limit)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a row of data."""
        fields = self._fields()
        del fields["n_samples"]
        return pd.DataFrame(fields)

    def plot(self, *, ax: Any = None) -> Any:
        """Draw T2 and SPE, each over its limit, and the rows that were not learned.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.mspc.process import plots

        return plots.plot_update(self, ax=ax)


@dataclasses.dataclass(slots=True)
class Memory:
    """Weighted moments of the rows, about their mean."""

    weight: float
    squared: float
    mean: Array
    scatter: Array

    @property
    def n_effective(self) -> float:
        return self.weight**2 / self.squared

    @property
    def covariance(self) -> Array:
        """Unbiased for independent rows: divisor W - sum(w^2) / W."""
        return self.scatter / (self.weight - self.squared / self.weight)

    def add(self, row: Array, forgetting: float) -> None:
        old, self.weight = forgetting * self.weight, forgetting * self.weight + 1
        self.squared = forgetting**2 * self.squared + 1
        step = row - self.mean
        self.mean = self.mean + step / self.weight
        self.scatter *= forgetting
        self.scatter += old / self.weight * np.outer(step, step)


def update_monitor(monitor: Any, values: Array, label: NDArray[Any]) -> MonitorUpdate:
    """Judge rows in turn, and learn from the normal ones."""
    from pharmaq.mspc.process._fit import set_limits

    _check_methods(monitor)
    n = len(values)
    memory = monitor.memory_ = monitor.memory_ or _of_the_fit(monitor)
    out = np.full((4, n), np.nan)
    learned = np.zeros(n, dtype=bool)
    for i, row in enumerate(values):
        limits = monitor.weights_
        out[2:, i] = limits
        if np.isnan(row).any():
            continue
        one = monitor.score_one(row)
        out[:2, i] = one.t2, one.spe
        if one.alarm:
            continue
        learned[i] = True
        memory.add(row, monitor.forgetting)
        _refit(monitor, memory)
        set_limits(monitor)
    monitor.n_updates_ += int(learned.sum())
    return MonitorUpdate(
        label=label,
        t2=out[0],
        spe=out[1],
        t2_limit=out[2],
        spe_limit=out[3],
        learned=learned,
        n_samples=memory.n_effective,
    )


def _check_methods(monitor: Any) -> None:
    if monitor.covariance_ is None:
        msg = (
            "update needs a monitor with method='pca' that was fitted to rows without missing "
            "values and to at most 1000 columns; fit this one anew instead"
        )
        raise InputError(msg)
    for name in ("t2", "spe", "combined"):
        used = next(
            m.method for m in monitor.limits_ if (m.statistic, m.phase) == (name, "phase2")
        )
        if used not in WITHOUT_ROWS:
            msg = (
                f"update recomputes limits from eigenvalues, but that of {name} is by "
                f"{used!r}; fit with one of {', '.join(WITHOUT_ROWS)}"
            )
            raise InputError(msg)


def _of_the_fit(monitor: Any) -> Memory:
    """Return the moments of the rows of the fit."""
    n, mean = monitor.n_samples_, monitor.model_.x_mean_.copy()
    return Memory(weight=n, squared=n, mean=mean, scatter=(n - 1) * monitor.covariance_)


def _refit(monitor: Any, memory: Memory) -> None:
    """Give the monitor the model of these moments, with as many components as before."""
    model = copy.copy(monitor.model_)
    A, N = model.n_components_, memory.n_effective
    if A + 2 >= N:
        msg = (
            f"forgetting = {monitor.forgetting:g} leaves {N:.3g} rows to the model, too few "
            f"for {A} components; forget more slowly"
        )
        raise InputError(msg)
    covariance = memory.covariance
    scale = np.ones(len(covariance))
    if monitor.scaling == "autoscale":
        scale = np.sqrt(np.diag(covariance))
    values, vectors = np.linalg.eigh(covariance / np.outer(scale, scale))
    values, vectors = np.clip(values[::-1], 0.0, None), vectors[:, ::-1]
    P = vectors[:, :A]
    P = np.ascontiguousarray(P * np.where(P[np.abs(P).argmax(axis=0), range(A)] < 0, -1, 1))
    model.x_mean_, model.x_scale_ = memory.mean.copy(), scale
    model.x_loadings_ = model.x_rotations_ = P
    model.score_variances_ = model.eigenvalues_ = values[:A]
    model.residual_eigenvalues_ = values[A:]
    model.explained_variance_ratio_ = values[:A] / values.sum()
    if hasattr(model, "residual_factor_"):
        model.residual_factor_ = vectors[:, A:] * np.sqrt(values[A:])
    monitor.model_, monitor.n_samples_ = model, N
    monitor.statistics_ = monitor.statistics_._replace(
        n_samples=N,
        variances=values[:A],
        residual_eigenvalues=values[A:],
        fitted=None,
        left_out=None,
        whole_spe=None,
    )
