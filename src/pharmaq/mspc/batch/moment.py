"""What a live session answers: the batch at this moment, and where it is heading."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmaq.results import Finding, Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BatchForecast", "BatchMoment"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class BatchMoment(Result):
    """A running batch at one moment.

    Parameters
    ----------
    batch : str
        Name of the batch.
    time : object
        Time of the update as given.
    status : {"used", "duplicate", "late", "before_start", "after_end", "empty"}
        What became of the update; statistics are NaN unless it was used.
    position : int
        Aligned time that it belongs to, from 0; -1 outside.
    phase : str
        Model of that time; empty outside.
    scores : ndarray of shape (A,)
        Scores with what is known by now.
    t2, spe, spe_cumulative : float
        T2, SPE of this time and of all times of the phase so far.
    alphas : tuple of float
        Shares of good observations that the limits let through.
    t2_limit, spe_limit, spe_cumulative_limit : ndarray of shape (n_alphas,)
        Limits of this time, the widest last.
    variables : tuple of str
        The J process variables.
    t2_contributions : ndarray of shape (J,)
        What each variable contributes to T2 by its values so far; they sum to it.
    spe_contributions : ndarray of shape (J,)
        Squared residuals of this time with their sign; their sizes sum to SPE.
    missing : tuple of str
        Variables without a usable value in this update.
    batch_level : BatchMoment or None
        Where observations are unfolded by variable, what the model of the scores of the whole
        batch says.
    findings : tuple of Finding
        ``"alert"`` above the widest limit, ``"action"`` for the third time in a row and later,
        ``"info"`` for what was missing or not used.
    """

    batch: str
    time: Any
    status: str
    position: int
    phase: str
    scores: NDArray[np.float64]
    t2: float
    spe: float
    spe_cumulative: float
    alphas: tuple[float, ...]
    t2_limit: NDArray[np.float64]
    spe_limit: NDArray[np.float64]
    spe_cumulative_limit: NDArray[np.float64]
    variables: tuple[str, ...]
    t2_contributions: NDArray[np.float64]
    spe_contributions: NDArray[np.float64]
    missing: tuple[str, ...]
    batch_level: BatchMoment | None
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a statistic: value and limits."""
        names = ("t2", "spe", "spe_cumulative")
        columns: dict[str, Any] = {
            "statistic": names,
            "value": [getattr(self, name) for name in names],
        }
        for a, alpha in enumerate(self.alphas):
            columns[f"limit_{alpha:g}"] = [getattr(self, f"{name}_limit")[a] for name in names]
        return pd.DataFrame(columns)

    def contributions(self) -> pd.DataFrame:
        """Return one row a variable, the largest part of SPE first."""
        frame = pd.DataFrame(
            {
                "variable": self.variables,
                "t2": self.t2_contributions,
                "spe": self.spe_contributions,
            }
        )
        order = np.argsort(-np.abs(self.spe_contributions), kind="stable")
        return frame.iloc[order].reset_index(drop=True)


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class BatchForecast(Result):
    """Where a running batch is heading.

    Parameters
    ----------
    batch : str
        Name of the batch.
    position : int
        Aligned time of the last update, from 0.
    quality : ndarray of shape (M,)
        Expected quality at the end; empty for a monitor fitted without quality.
    lower, upper : ndarray of shape (M,)
        Prediction interval.
    alpha : float
        Chance of quality outside the interval.
    rmsecv : ndarray of shape (M,)
        Error of forecasts at this time for fitted batches that were left out.
    time : ndarray of shape (K - k,)
        Aligned times of the phase still to come.
    variables : tuple of str
        The J process variables.
    trajectory : ndarray of shape (K - k, J)
        What they are expected to be, in their units.
    """

    batch: str
    position: int
    quality: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    alpha: float
    rmsecv: NDArray[np.float64]
    time: NDArray[Any]
    variables: tuple[str, ...]
    trajectory: NDArray[np.float64]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a response: expected value, interval and error of such forecasts."""
        return pd.DataFrame(
            {
                "response": np.arange(1, len(self.quality) + 1),
                "quality": self.quality,
                "lower": self.lower,
                "upper": self.upper,
                "rmsecv": self.rmsecv,
            }
        )

    def trajectory_frame(self) -> pd.DataFrame:
        """Return one row a time still to come and a column a variable."""
        index = pd.Index(self.time, name="time")
        return pd.DataFrame(self.trajectory, index=index, columns=list(self.variables))
