"""Bias of a gage over its range, and whether it changes there."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from pharmaq._checks import check_real
from pharmaq.results import Finding, Result
from pharmaq.spc._columns import check_distinct, check_levels, check_varies, take_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["GageLinearity", "gage_linearity"]

_BAND_POINTS = 61


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class GageLinearity(Result):
    """Bias against reference value, as a line with its band.

    Parameters
    ----------
    slope, intercept : float
        Least squares bias = intercept + slope reference.
    slope_error, intercept_error : float
        Their standard errors.
    slope_t, slope_p, intercept_t, intercept_p : float
        Two-sided t-tests of zero with n - 2 degrees of freedom.
    residual_sd, r2 : float
        Standard deviation about the line (n - 2), and squared correlation.
    lack_of_fit_f, lack_of_fit_p : float
        Whether mean biases leave the line by more than replicates scatter; NaN without
        replicates or with two references.
    percent_linearity : float
        100 abs(slope): change of bias in per cent of a change of the reference.
    levels : DataFrame
        A row a reference: ``reference, n, bias, lower, upper, p``, each tested by itself.
    band : DataFrame
        ``reference, bias, lower, upper`` of the line and the confidence band of the mean.
    measurements : DataFrame
        ``reference, bias``.
    n : int
        Number of measurements.
    confidence : float
        Of band, limits and tests.
    findings : tuple of Finding
        Slope, band that leaves zero, lack of fit.
    """

    slope: float
    intercept: float
    slope_error: float
    intercept_error: float
    slope_t: float
    slope_p: float
    intercept_t: float
    intercept_p: float
    residual_sd: float
    r2: float
    lack_of_fit_f: float
    lack_of_fit_p: float
    percent_linearity: float
    levels: pd.DataFrame
    band: pd.DataFrame
    measurements: pd.DataFrame
    n: int
    confidence: float
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the bias at each reference."""
        return self.levels.copy()

    def plot(self, *, ax: Any = None) -> Any:
        """Draw biases, their means, the line and its band.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.spc.measurement import plots

        return plots.plot_linearity(self, ax=ax)


def gage_linearity(
    frame: pd.DataFrame,
    *,
    reference: str = "reference",
    value: str = "value",
    confidence: float = 0.95,
) -> GageLinearity:
    """Fit the bias of a gage over the reference values [1]_.

    Parameters
    ----------
    frame : DataFrame
        One row a measurement; at least two references and three rows. NaN raises.
    reference, value : str
        Names of the columns, both in the same unit.
    confidence : float, default 0.95
        Of the band and of all tests.

    Returns
    -------
    GageLinearity
        Line, tests, lack of fit, bias at each reference.

    Raises
    ------
    InputError
        If a column is missing, a value is NaN, or there are too few references or rows.

    Notes
    -----
    The linearity is good where the line of zero bias lies within the band over the whole
    range, and neither slope nor intercept differs from zero.

    References
    ----------
    .. [1] AIAG, Measurement Systems Analysis, Reference Manual, 4th ed., chapter III-B.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"reference": [2, 2, 6, 6, 10, 10.0]})
    >>> frame["value"] = [2.5, 2.4, 6.0, 6.1, 9.4, 9.5]
    >>> result = gage_linearity(frame)
    >>> print(f"{result.slope:.4f}, p = {result.slope_p:.5f}")
    -0.1250, p = 0.00029
    """
    confidence = check_real("confidence", confidence, above=0, below=1)
    check_distinct(reference=reference, value=value)
    x, y = take_values(frame, reference), take_values(frame, value)
    known = np.unique(x)
    check_levels(f"column {reference!r}", list(known), least=2, why="a line needs two points")
    check_levels(f"column {value!r}", list(y), least=3, why="a line leaves n - 2 for its error")
    bias = y - x
    check_varies("the bias (value - reference)", bias)
    line = _Line.fit(x, bias)
    fit_f, fit_p = _lack_of_fit(x, bias, line)
    levels = _levels(x, bias, known, confidence)
    band = line.band(np.linspace(known[0], known[-1], _BAND_POINTS), confidence)
    slope_t = _ratio(line.slope, line.slope_error)
    intercept_t = _ratio(line.intercept, line.intercept_error)
    slope_p = float(2 * stats.t.sf(abs(slope_t), line.dof))
    found = _findings(slope_p, line.slope, band, fit_p, 1 - confidence)
    return GageLinearity(
        slope=line.slope,
        intercept=line.intercept,
        slope_error=line.slope_error,
        intercept_error=line.intercept_error,
        slope_t=slope_t,
        slope_p=slope_p,
        intercept_t=intercept_t,
        intercept_p=float(2 * stats.t.sf(abs(intercept_t), line.dof)),
        residual_sd=line.sd,
        r2=1 - line.residual / float(np.sum((bias - bias.mean()) ** 2)),
        lack_of_fit_f=fit_f,
        lack_of_fit_p=fit_p,
        percent_linearity=100 * abs(line.slope),
        levels=levels,
        band=band,
        measurements=pd.DataFrame({"reference": x, "bias": bias}),
        n=len(x),
        confidence=confidence,
        findings=tuple(found),
    )


@dataclasses.dataclass(frozen=True)
class _Line:
    n: int
    center: float
    spread: float
    slope: float
    intercept: float
    residual: float

    @classmethod
    def fit(cls, x: NDArray[np.float64], y: NDArray[np.float64]) -> _Line:
        center, deviations = float(x.mean()), x - x.mean()
        spread = float(deviations @ deviations)
        slope = float(deviations @ (y - y.mean()) / spread)
        residuals = y - y.mean() - slope * deviations
        intercept = float(y.mean() - slope * center)
        return cls(len(x), center, spread, slope, intercept, float(residuals @ residuals))

    @property
    def dof(self) -> int:
        return self.n - 2

    @property
    def sd(self) -> float:
        return math.sqrt(self.residual / self.dof)

    @property
    def slope_error(self) -> float:
        return self.sd / math.sqrt(self.spread)

    @property
    def intercept_error(self) -> float:
        return self.sd * math.sqrt(1 / self.n + self.center**2 / self.spread)

    def band(self, at: NDArray[np.float64], confidence: float) -> pd.DataFrame:
        """Return the confidence band of the mean, point by point."""
        middle = self.intercept + self.slope * at
        error = self.sd * np.sqrt(1 / self.n + (at - self.center) ** 2 / self.spread)
        half = float(stats.t.isf((1 - confidence) / 2, self.dof)) * error
        columns = {"reference": at, "bias": middle, "lower": middle - half}
        return pd.DataFrame(columns | {"upper": middle + half})


def _lack_of_fit(
    x: NDArray[np.float64], bias: NDArray[np.float64], line: _Line
) -> tuple[float, float]:
    groups = [bias[x == level] for level in np.unique(x)]
    pure = float(sum(np.sum((group - group.mean()) ** 2) for group in groups))
    between, within = len(groups) - 2, len(x) - len(groups)
    if between < 1 or within < 1 or pure == 0:
        return math.nan, math.nan
    f = max(line.residual - pure, 0.0) / between / (pure / within)
    return f, float(stats.f.sf(f, between, within))


def _levels(
    x: NDArray[np.float64],
    bias: NDArray[np.float64],
    known: NDArray[np.float64],
    confidence: float,
) -> pd.DataFrame:
    rows = []
    for level in known:
        group = bias[x == level]
        n, mean = len(group), float(group.mean())
        error = float(group.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan
        half = float(stats.t.isf((1 - confidence) / 2, n - 1)) * error if n > 1 else math.nan
        p = float(2 * stats.t.sf(abs(_ratio(mean, error)), n - 1)) if n > 1 else math.nan
        rows.append((level, n, mean, mean - half, mean + half, p))
    return pd.DataFrame(rows, columns=["reference", "n", "bias", "lower", "upper", "p"])


def _ratio(value: float, error: float) -> float:
    if error == 0:
        return math.copysign(math.inf, value) if value else 0.0
    return value / error


def _findings(
    slope_p: float, slope: float, band: pd.DataFrame, fit_p: float, alpha: float
) -> Iterator[Finding]:
    checks = [
        ("gage_linearity", slope_p, f"the bias changes along the range, by {slope:.4g} a unit"),
        ("gage_lack_of_fit", fit_p, "a line does not describe the bias: look at the plot"),
    ]
    for rule, p, message in checks:
        if p < alpha:
            yield Finding(
                rule=rule,
                severity="alert",
                subject="gage",
                message=message,
                value=p,
                limit=alpha,
            )
    outside = band[(band.lower > 0) | (band.upper < 0)]
    if len(outside):
        low, high = outside.reference.min(), outside.reference.max()
        yield Finding(
            rule="gage_band",
            severity="alert",
            subject="gage",
            message=f"zero bias lies outside the band from {low:.4g} to {high:.4g}",
        )
