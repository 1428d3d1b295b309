"""May batches be pooled? The analysis of covariance of ICH Q1E."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from pharmaq.spc.stability.lines import LineModel, fit_lines

if TYPE_CHECKING:
    from pharmaq.spc.stability._data import StudyData

__all__ = ["FDenominator", "Poolability", "poolability"]

FDenominator = Literal["full", "nested"]

# sums of squares below this share of the squares of the values are rounding
_ROUNDING = 1e-24


class Poolability(NamedTuple):
    """The F table, the model it leads to, and the steps from one to the other."""

    table: pd.DataFrame
    model: LineModel
    steps: tuple[str, ...]


def poolability(data: StudyData, *, alpha: float, denominator: FDenominator) -> Poolability:
    """Test equality of slopes, then of intercepts."""
    table = _table(data, denominator)
    if len(data.names) == 1:
        return Poolability(table, "common", ("one batch: nothing to pool",))
    _, intercepts, slopes, _ = table["p"].to_numpy(np.float64).tolist()
    steps = [_step("slopes", slopes, alpha)]
    if slopes < alpha:
        steps.append("separate lines; the worst batch decides")
        return Poolability(table, "separate", tuple(steps))
    steps.append(_step("intercepts", intercepts, alpha))
    if intercepts < alpha:
        steps.append("common slope, separate intercepts; the worst batch decides")
        return Poolability(table, "common_slope", tuple(steps))
    steps.append("one line for all batches")
    return Poolability(table, "common", tuple(steps))


def _table(data: StudyData, denominator: FDenominator) -> pd.DataFrame:
    b, t, y = data.batch, data.time, data.value
    fits = {
        model: fit_lines(b, t, y, model=model)
        for model in ("common", "common_slope", "separate")
    }
    sse = {model: float(fit.sse[0]) for model, fit in fits.items()}
    dof = {model: float(fit.dof[0]) for model, fit in fits.items()}
    k = len(data.names) - 1
    total = float(np.sum((y - y.mean()) ** 2))
    ss = np.array(
        [
            total - sse["common"],
            sse["common"] - sse["common_slope"],
            sse["common_slope"] - sse["separate"],
            sse["separate"],
        ]
    )
    freedom = np.array([1.0, k, k, dof["separate"]])
    smallest = _ROUNDING * float(np.sum(y**2))
    # the time's own F is always held against the full model
    full = (sse["separate"], dof["separate"])
    nested = (sse["common_slope"], dof["common_slope"])
    below = [full, nested if denominator == "nested" else full, full]
    tests = [
        _f(ss[i], freedom[i], *below[i], smallest) if freedom[i] > 0 else (np.nan, np.nan)
        for i in range(3)
    ]
    return pd.DataFrame(
        {
            "df": freedom,
            "ss": ss,
            "ms": np.divide(ss, freedom, out=np.full(4, np.nan), where=freedom > 0),
            "f": [f for f, _ in tests] + [np.nan],
            "p": [p for _, p in tests] + [np.nan],
        },
        index=pd.Index(["time", "batch", "batch x time", "error"], name="source"),
    )


def _f(ss: float, df: float, sse: float, dof: float, smallest: float) -> tuple[float, float]:
    """Return F and p; without any error p is 0 for a real difference and 1 for none."""
    if sse <= smallest:
        return (np.inf, 0.0) if ss > smallest else (np.nan, 1.0)
    f = max(ss, 0.0) / df / (sse / dof)
    return f, float(stats.f.sf(f, df, dof))


def _step(what: str, p: float, alpha: float) -> str:
    verdict = "differ" if p < alpha else "are not shown to differ"
    sign = "<" if p < alpha else ">="
    return f"{what} {verdict}: p = {p:.4g} {sign} {alpha:g}"
