"""Straight calibration lines: what a response says of an amount, and from which amount on."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import optimize, special

from pharmaq._checks import check_integer, check_real, check_same_length, check_vector
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["CalibrationLine", "InversePrediction", "calibration_line"]

_LEVEL = 0.05


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class InversePrediction(Result):
    """Amount that a response stands for.

    Parameters
    ----------
    amount : float
        Estimate.
    se : float
        Standard error.
    lower, upper : float
        Confidence limits.
    half_width : float
        Half their distance.
    response : float
        Mean response.
    replicates : int
        Measurements in that mean.
    confidence : float
        Of the limits.
    findings : tuple of Finding
        That the amount is outside the calibrated range.
    """

    amount: float
    se: float
    lower: float
    upper: float
    half_width: float
    response: float
    replicates: int
    confidence: float
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the numbers as one row."""
        names = [f.name for f in dataclasses.fields(self) if f.name != "findings"]
        return pd.DataFrame([{name: getattr(self, name) for name in names}])


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class CalibrationLine(Result):
    """Straight calibration line by least squares.

    Parameters
    ----------
    intercept, slope : float
        Coefficients.
    intercept_se, slope_se : float
        Their standard errors.
    sigma : float
        Residual standard deviation, n - 2 degrees of freedom.
    r2 : float
        Share of the variation explained.
    n, dof : int
        Points and degrees of freedom.
    decision_limit : float
        Amount whose response a blank exceeds with `alpha`.
    detection_limit : float
        Smallest amount missed with `beta` at most.
    quantification_limit : float
        Smallest amount whose confidence limits are at most amount / `k` away.
    ich_detection_limit, ich_quantification_limit : float
        3.3 sigma / slope and 10 sigma / slope (ICH Q2).
    alpha, beta, k : float
        Risks and factor of the limits.
    replicates : int
        Measurements of a sample that the limits are for.
    p_lack_of_fit : float
        F test of the means of replicates against the line; NaN without replicates.
    p_curvature : float
        F test of a quadratic term (Mandel).
    amounts, responses, residuals : ndarray
        Data, and responses less the line.
    findings : tuple of Finding
        Doubts that the line is straight.
    """

    intercept: float
    slope: float
    intercept_se: float
    slope_se: float
    sigma: float
    r2: float
    n: int
    dof: int
    decision_limit: float
    detection_limit: float
    quantification_limit: float
    ich_detection_limit: float
    ich_quantification_limit: float
    alpha: float
    beta: float
    k: float
    replicates: int
    p_lack_of_fit: float
    p_curvature: float
    amounts: NDArray[np.float64]
    responses: NDArray[np.float64]
    residuals: NDArray[np.float64]
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return data, line and residuals, a row a point."""
        fitted = self.responses - self.residuals
        return pd.DataFrame(
            {
                "amount": self.amounts,
                "response": self.responses,
                "fitted": fitted,
                "residual": self.residuals,
            }
        )

    def invert(self, responses: ArrayLike, *, confidence: float = 0.95) -> InversePrediction:
        """Return the amount that a response, or the mean of several of one sample, stands for.

        Parameters
        ----------
        responses : array-like
            One response, or replicates of one sample; NaN raises.
        confidence : float, default 0.95
            Two-sided confidence of the limits.

        Returns
        -------
        InversePrediction
            Amount with standard error and limits.

        Raises
        ------
        InputError
            If `confidence` is not between 0 and 1.

        Notes
        -----
        x = (y - a) / b with standard error (s / b) sqrt(1 / m + 1 / n + (x - mean x)^2 / Sxx).
        """
        y = check_vector("responses", np.atleast_1d(np.asarray(responses)))
        confidence = check_real("confidence", confidence, above=0, below=1)
        amount = (float(y.mean()) - self.intercept) / self.slope
        se = self._error(amount, y.size) / abs(self.slope)
        half = float(special.stdtrit(self.dof, (1 + confidence) / 2)) * se
        low, high = float(self.amounts.min()), float(self.amounts.max())
        return InversePrediction(
            amount=amount,
            se=se,
            lower=amount - half,
            upper=amount + half,
            half_width=half,
            response=float(y.mean()),
            replicates=y.size,
            confidence=confidence,
            findings=() if low <= amount <= high else (_outside(amount, low, high),),
        )

    def _error(self, amount: float, replicates: int) -> float:
        x = self.amounts
        spread = float(np.sum((x - x.mean()) ** 2))
        return _error(_Line(self.sigma, x.size, float(x.mean()), spread), amount, replicates)

    def plot(self, *, ax: Any = None) -> Any:
        """Draw points and line, with the limits of amounts.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.spc.validation import plots

        return plots.plot_line(self, ax=ax)


class _Line(NamedTuple):
    """What the error of a prediction needs."""

    sigma: float
    n: int
    center: float
    spread: float


def calibration_line(
    amounts: ArrayLike,
    responses: ArrayLike,
    *,
    alpha: float = 0.05,
    beta: float | None = None,
    k: float = 3.0,
    replicates: int = 1,
) -> CalibrationLine:
    """Fit a straight calibration line, with limits of decision, detection and quantification.

    Parameters
    ----------
    amounts, responses : array-like, shape (n,)
        Known amounts and measured responses, at least 4 points and 3 amounts; NaN raises.
    alpha : float, default 0.05
        Risk of finding something in a blank, one-sided; also 1 - confidence of quantification.
    beta : float, optional
        Risk of missing the detection limit; `alpha` by default.
    k : float, default 3
        Amount over half width of its confidence limits at the quantification limit.
    replicates : int, default 1
        Measurements of a sample that the limits are for.

    Returns
    -------
    CalibrationLine
        Coefficients, limits, tests of straightness.

    Raises
    ------
    InputError
        If there are too few points or amounts, the points lie on a line, or the slope is 0.

    Notes
    -----
    With s(x) = s sqrt(1 / m + 1 / n + (x - mean x)^2 / Sxx), the decision limit is
    t(1 - alpha) s(0) / b, the detection limit solves
    b x = t(1 - alpha) s(0) + t(1 - beta) s(x), and the quantification limit
    b x = k t(1 - alpha / 2) s(x) [1]_ [2]_. They are for amounts near 0: calibrate there, with
    equal spread.

    References
    ----------
    .. [1] DIN 32645 (1994); ISO 11843-2.
    .. [2] D. L. Massart et al., Handbook of Chemometrics and Qualimetrics A, Elsevier, 1997,
       ch. 8 and 13; ICH Q2.

    Examples
    --------
    >>> line = calibration_line([0, 10, 20, 30, 40, 50], [4, 21.2, 44.6, 61.8, 78, 105.2])
    >>> found = line.invert(90)
    >>> print(f"{found.amount:.1f} +- {found.half_width:.1f}")
    43.9 +- 4.9
    """
    x, y = check_vector("amounts", amounts, least=4), check_vector("responses", responses)
    check_same_length(amounts=x, responses=y)
    levels = np.unique(x)
    if levels.size < 3:
        msg = f"amounts must hold at least 3 different ones, got {levels.tolist()}"
        raise InputError(msg)
    alpha = check_real("alpha", alpha, above=0, below=0.5)
    beta = alpha if beta is None else check_real("beta", beta, above=0, below=0.5)
    k = check_real("k", k, above=1)
    m = check_integer("replicates", replicates, least=1)
    center, n = float(x.mean()), x.size
    spread = float(np.sum((x - center) ** 2))
    slope = float((x - center) @ (y - y.mean())) / spread
    intercept = float(y.mean()) - slope * center
    residuals = y - intercept - slope * x
    total = float(np.sum((y - y.mean()) ** 2))
    rest = float(residuals @ residuals)
    if rest <= 1e-24 * max(total, 1e-300) or slope == 0:
        what = "the slope is 0" if slope == 0 else "the points lie on a line exactly"
        msg = f"{what}: there is nothing to calibrate by"
        raise InputError(msg)
    line = _Line(math.sqrt(rest / (n - 2)), n, center, spread)
    limits = _limits(line, slope, (alpha, beta, k), m)
    straight = _straightness(x, y, rest)
    return CalibrationLine(
        intercept=intercept,
        slope=slope,
        intercept_se=line.sigma * math.sqrt(1 / n + center**2 / spread),
        slope_se=line.sigma / math.sqrt(spread),
        sigma=line.sigma,
        r2=1 - rest / total,
        n=n,
        dof=n - 2,
        **limits,
        ich_detection_limit=3.3 * line.sigma / abs(slope),
        ich_quantification_limit=10 * line.sigma / abs(slope),
        alpha=alpha,
        beta=beta,
        k=k,
        replicates=m,
        **straight,
        amounts=x,
        responses=y,
        residuals=residuals,
        findings=_findings(straight),
    )


def _error(line: _Line, amount: float, replicates: int) -> float:
    """Return the standard error of a mean response about the line."""
    away = (amount - line.center) ** 2 / line.spread
    return line.sigma * math.sqrt(1 / replicates + 1 / line.n + away)


def _limits(
    line: _Line, slope: float, risks: tuple[float, float, float], m: int
) -> dict[str, float]:
    alpha, beta, k = risks
    one, miss, two = (
        float(special.stdtrit(line.n - 2, 1 - tail)) for tail in (alpha, beta, alpha / 2)
    )
    b = abs(slope)
    critical = one * _error(line, 0.0, m)

    def missed(x: float) -> float:
        return b * x - critical - miss * _error(line, x, m)

    def uncertain(x: float) -> float:
        return b * x - k * two * _error(line, x, m)

    return {
        "decision_limit": critical / b,
        "detection_limit": _first_root(missed, critical / b),
        "quantification_limit": _first_root(uncertain, critical / b),
    }


def _first_root(function: Any, step: float) -> float:
    """Return the first amount at which a rule holds; infinite if it never does."""
    low, high = 0.0, step
    for _ in range(60):
        if function(high) >= 0:
            return float(optimize.brentq(function, low, high, xtol=1e-14 * high))
        low, high = high, 1.5 * high
    return math.inf


def _straightness(
    x: NDArray[np.float64], y: NDArray[np.float64], rest: float
) -> dict[str, float]:
    """Return p of the F tests of lack of fit and of a quadratic term."""
    n = x.size
    levels, at = np.unique(x, return_inverse=True)
    found = {"p_lack_of_fit": math.nan, "p_curvature": math.nan}
    means = np.bincount(at, weights=y) / np.bincount(at)
    pure, freedom = float(np.sum((y - means[at]) ** 2)), n - levels.size
    if freedom > 0 and pure > 0:
        ratio = ((rest - pure) / (levels.size - 2)) / (pure / freedom)
        found["p_lack_of_fit"] = float(special.fdtrc(levels.size - 2, freedom, max(ratio, 0)))
    z = (x - x.mean()) / np.ptp(x)
    design = np.column_stack([np.ones(n), z, z**2])
    curved = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    # points on a parabola leave nothing, and a p of 0
    left = max(float(curved @ curved), 1e-30 * rest)
    ratio = (rest - left) / (left / (n - 3))
    found["p_curvature"] = float(special.fdtrc(1, n - 3, max(ratio, 0)))
    return found


def _findings(tests: dict[str, float]) -> tuple[Finding, ...]:
    words = {
        "p_lack_of_fit": "means of replicates lie off the line by more than replicates vary",
        "p_curvature": "a quadratic term is significant",
    }
    return tuple(
        Finding(
            rule=rule.removeprefix("p_"),
            severity="alert",
            subject="calibration line",
            message=f"the line is not straight: {words[rule]} (p = {p:.2g})",
            value=p,
            limit=_LEVEL,
        )
        for rule, p in tests.items()
        if p < _LEVEL
    )


def _outside(amount: float, low: float, high: float) -> Finding:
    return Finding(
        rule="extrapolation",
        severity="alert",
        subject="calibration line",
        message=f"amount {amount:.4g} is outside the calibrated range {low:g} to {high:g}",
        value=amount,
        limit=low if amount < low else high,
    )
