"""Slow twins of stability evaluation: regression by statsmodels, roots by search."""

from __future__ import annotations

import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy import optimize

FORMULAS = {
    "common": "value ~ time",
    "common_slope": "value ~ time + C(batch)",
    "separate": "value ~ time * C(batch)",
}


def fit(frame: pd.DataFrame, model: str):
    return smf.ols(FORMULAS[model], frame).fit()


def bound(fitted, batch: str, time: float, *, alpha: float = 0.1) -> tuple[float, float]:
    """Limits of the mean; each alone has alpha / 2."""
    new = pd.DataFrame({"batch": [batch], "time": [time]})
    row = fitted.get_prediction(new).summary_frame(alpha=alpha).iloc[0]
    return row["mean_ci_lower"], row["mean_ci_upper"]


def crossing(frame: pd.DataFrame, model: str, batch: str, lsl: float) -> float:
    fitted = fit(frame, model)
    step, t = 0.5, 0.0
    while bound(fitted, batch, t)[0] > lsl:
        t += step
    return optimize.brentq(lambda x: bound(fitted, batch, x)[0] - lsl, t - step, t)


def anova(frame: pd.DataFrame) -> pd.DataFrame:
    """Sequential sums of squares: time, batch, batch x time."""
    return sm.stats.anova_lm(fit(frame, "separate").model.fit(), typ=1)
