"""Slow twins of out-of-trend methods: one result at a time, by the plain formula."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from scipy import stats


def pooled(history: pd.DataFrame, time: float, alpha: float) -> tuple[float, float]:
    fitted = smf.ols("value ~ time", history).fit()
    row = fitted.get_prediction(pd.DataFrame({"time": [time]})).summary_frame(alpha=alpha)
    return row["obs_ci_lower"].iloc[0], row["obs_ci_upper"].iloc[0]


def own(batch: pd.DataFrame, time: float, alpha: float) -> tuple[float, float]:
    return pooled(batch[batch["time"] < time], time, alpha)


def parallel(
    history: pd.DataFrame, batch: pd.DataFrame, time: float, alpha: float
) -> tuple[float, float]:
    fitted = smf.ols("value ~ time + C(batch)", history).fit()
    earlier = batch[batch["time"] < time]
    slope, variance = fitted.params["time"], fitted.cov_params().loc["time", "time"]
    gap = time - earlier["time"].mean()
    center = earlier["value"].mean() + slope * gap
    error = math.sqrt(fitted.mse_resid * (1 + 1 / len(earlier)) + gap**2 * variance)
    half = stats.t.isf(alpha / 2, fitted.df_resid) * error
    return center - half, center + half


def random(history: pd.DataFrame, time: float) -> tuple[float, float]:
    """Centre and variance of a new result of a new batch."""
    at, own_part, squares, dof = [], [], 0.0, 0
    for _, rows in history.groupby("batch"):
        X = np.column_stack([np.ones(len(rows)), rows["time"]])
        beta, *_ = np.linalg.lstsq(X, rows["value"].to_numpy(), rcond=None)
        x = np.array([1.0, time])
        at.append(x @ beta)
        own_part.append(x @ np.linalg.inv(X.T @ X) @ x)
        squares += np.sum((rows["value"].to_numpy() - X @ beta) ** 2)
        dof += len(rows) - 2
    s2, k = squares / dof, len(at)
    between = np.var(at, ddof=1)
    batches = max(between - s2 * np.mean(own_part), 0.0)
    return float(np.mean(at)), batches + s2 + between / k


def slopes(rows: pd.DataFrame, time: float) -> dict[str, float]:
    until = rows[rows["time"] <= time]
    return {
        str(name): np.polyfit(batch["time"], batch["value"], 1)[0]
        for name, batch in until.groupby("batch")
    }


def ewma(scores: list[float], weight: float) -> list[float]:
    level, found = 0.0, []
    for score in scores:
        level = weight * score + (1 - weight) * level
        found.append(level)
    return found
