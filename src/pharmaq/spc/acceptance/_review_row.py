"""One row of a review: the results of one test of one product, in order of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pharmaq.spc.capability import Capability, capability
from pharmaq.spc.inference import TrendTest, autocorrelation, mann_kendall

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Study", "blank_row", "study_group"]

_COUNTS = ("n", "n_censored", "n_missing", "n_oos", "n_undecided")
_NUMBERS = (
    "lsl", "usl", "mean", "sd", "minimum", "maximum", "cp", "cpk", "pp", "ppk", "ppk_lower",
    "ppk_upper", "tau", "trend_p", "slope", "shift_after", "shift_p", "autocorrelation",
)  # fmt: skip


class Study(NamedTuple):
    """The cells of a row, and the results behind them."""

    row: dict[str, Any]
    capability: Capability | None = None
    trend: TrendTest | None = None


def blank_row() -> dict[str, Any]:
    """Return the cells of a row in their order, empty."""
    cells: dict[str, Any] = dict.fromkeys(_COUNTS, 0) | dict.fromkeys(_NUMBERS, np.nan)
    order = [*_COUNTS, *_NUMBERS[:12], "valid", *_NUMBERS[12:], "why_not"]
    return {name: cells.get(name) for name in order} | {"valid": False, "why_not": ""}


def study_group(
    checked: pd.DataFrame, numbers: pd.DataFrame, least: int, confidence: float
) -> Study:
    """Study the results of one test of one product."""
    outcome = checked["outcome"]
    row: dict[str, Any] = {
        "n": len(checked),
        "n_censored": int(((checked["reported"].isna()) & (outcome != "missing")).sum()),
        "n_missing": int((outcome == "missing").sum()),
        "n_oos": int((outcome == "oos").sum()),
        "n_undecided": int((outcome == "undecided").sum()),
    }
    x = numbers["number"].to_numpy(np.float64)
    x = x[np.isfinite(x)]
    if x.size:
        row |= {"mean": x.mean(), "minimum": x.min(), "maximum": x.max()}
    if x.size > 1:
        row["sd"] = x.std(ddof=1)
    lsl, usl = (float(numbers[name].iloc[0]) for name in ("lsl", "usl"))
    row |= {"lsl": lsl, "usl": usl}
    why = _why_not(x, lsl, usl, least)
    if why:
        return Study(row | {"why_not": why})
    return _studied(row, x, lsl, usl, confidence)


def _why_not(x: NDArray[np.float64], lsl: float, usl: float, least: int) -> str:
    if np.isnan(lsl) and np.isnan(usl):
        return "it has no specification"
    if x.size < least:
        return f"{x.size} results are fewer than {least}"
    if np.ptp(x) == 0:
        return f"all {x.size} results are {x[0]:g}"
    return ""


def _studied(
    row: dict[str, Any], x: NDArray[np.float64], lsl: float, usl: float, confidence: float
) -> Study:
    low, high = (None if np.isnan(limit) else limit for limit in (lsl, usl))
    study = capability(x, lsl=low, usl=high, confidence=confidence)
    trend = mann_kendall(x)
    ppk = study.indices["ppk"]
    row |= {name: getattr(study, name) for name in ("cp", "cpk", "pp", "ppk", "valid")}
    row |= {"ppk_lower": ppk.lower, "ppk_upper": ppk.upper}
    row |= {"tau": trend.tau, "trend_p": trend.p, "slope": trend.slope}
    if study.shift is not None:
        row |= {"shift_after": study.shift.after, "shift_p": study.shift.p}
    row["autocorrelation"] = float(autocorrelation(x, n_lags=1).coefficients[0])
    return Study(row, study, trend)
