"""Figures of merit of predictions against reference values."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from scipy import stats

from pharmaq._checks import check_choice, check_integer, check_same_length, check_vector
from pharmaq.errors import InputError
from pharmaq.results import Result

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["FiguresOfMerit", "Role", "figures_of_merit"]

Role = Literal["calibration", "cross_validation", "prediction"]

_RMSE_NAMES = {"calibration": "rmsec", "cross_validation": "rmsecv", "prediction": "rmsep"}

FORMULAS = {
    "n": "number of samples",
    "rmse": "sqrt(sum (predicted - reference)^2 / n)",
    "bias": "mean (predicted - reference)",
    "sep": "sqrt(sum (error - bias)^2 / (n - 1))",
    "sec": "sqrt(sum error^2 / (n - A - 1))",
    "bias_t": "|bias| sqrt(n) / SEP",
    "bias_p": "two-sided, Student t with n - 1 degrees of freedom",
    "slope": "least squares, predicted = intercept + slope * reference",
    "intercept": "least squares, predicted = intercept + slope * reference",
    "r2": "1 - sum error^2 / sum (reference - mean)^2",
    "r2_correlation": "squared correlation of predicted and reference",
    "rpd": "standard deviation of reference (n - 1) / SEP",
    "rer": "range of reference / SEP",
}


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class FiguresOfMerit(Result):
    """How well predictions agree with reference values; formulas in `to_frame`.

    Parameters
    ----------
    role : {"calibration", "cross_validation", "prediction"}
        Which samples were predicted; it names the error RMSEC, RMSECV or RMSEP.
    n : int
        Number of samples.
    rmse : float
        Root mean square error, divisor n; in units of the response.
    bias : float
        Mean of predicted - reference.
    sep : float
        Standard deviation of the errors, divisor n - 1.
    sec : float or None
        Standard error of calibration, divisor n - A - 1; calibration only.
    bias_t, bias_p : float
        t statistic of the bias and its two-sided probability.
    slope, intercept : float
        Of predicted on reference.
    r2, r2_correlation : float
        Coefficient of determination (can be negative), and squared correlation.
    rpd, rer : float
        Standard deviation and range of the reference values, divided by SEP.
    """

    role: str
    n: int
    rmse: float
    bias: float
    sep: float
    sec: float | None
    bias_t: float
    bias_p: float
    slope: float
    intercept: float
    r2: float
    r2_correlation: float
    rpd: float
    rer: float

    @property
    def rmsec(self) -> float | None:
        """`rmse` if these are the calibration samples, otherwise None."""
        return self.rmse if self.role == "calibration" else None

    @property
    def rmsecv(self) -> float | None:
        """`rmse` if these are cross-validated predictions, otherwise None."""
        return self.rmse if self.role == "cross_validation" else None

    @property
    def rmsep(self) -> float | None:
        """`rmse` if these are predictions of other samples, otherwise None."""
        return self.rmse if self.role == "prediction" else None

    @property
    def rmse_name(self) -> str:
        """``"rmsec"``, ``"rmsecv"`` or ``"rmsep"``."""
        return _RMSE_NAMES[self.role]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a figure: name, value, formula."""
        rows = [
            (self.rmse_name if name == "rmse" else name, getattr(self, name), formula)
            for name, formula in FORMULAS.items()
            if getattr(self, name) is not None
        ]
        return pd.DataFrame(rows, columns=["figure", "value", "formula"])


def figures_of_merit(
    reference: ArrayLike,
    predicted: ArrayLike,
    *,
    role: Role = "prediction",
    n_components: int | None = None,
) -> FiguresOfMerit:
    """Compare predictions with reference values.

    Parameters
    ----------
    reference : array-like, shape (n,)
        Reference values, at least three and not all equal; NaN raises.
    predicted : array-like, shape (n,)
        Predictions in the same units and order; NaN raises.
    role : {"calibration", "cross_validation", "prediction"}, default "prediction"
        Which samples these are.
    n_components : int, optional
        Number A of components of the model; needed for SEC of calibration samples.

    Returns
    -------
    FiguresOfMerit
        RMSE, SEP, bias with t-test, slope, intercept, R2, RPD, RER.

    Raises
    ------
    InputError
        If lengths differ, there are too few values, or the reference is constant.

    Notes
    -----
    bias = mean(predicted - reference); RMSE divides by n, SEP by n - 1 after the bias is taken
    off; t = abs(bias) sqrt(n) / SEP with n - 1 degrees of freedom. As in ASTM E1655 and USP
    <1039>; see `pharmaq.chemometrics.merit.FORMULAS`.

    Examples
    --------
    >>> merit = figures_of_merit([1.0, 2.0, 3.0, 4.0], [1.1, 1.9, 3.2, 4.0])
    >>> merit.rmsep, merit.bias
    (0.12247..., 0.05)
    """
    y = check_vector("reference", reference, least=3)
    z = check_vector("predicted", predicted, least=3)
    n = check_same_length(reference=y, predicted=z)
    check_choice("role", role, _RMSE_NAMES)
    if np.ptp(y) == 0:
        msg = f"reference is constant ({y[0]:g}); figures of merit need values that vary"
        raise InputError(msg)
    errors = z - y
    bias, sep = float(errors.mean()), float(errors.std(ddof=1))
    slope, intercept = _line(y, z)
    t = _ratio(abs(bias) * np.sqrt(n), sep)
    return FiguresOfMerit(
        role=role,
        n=n,
        rmse=float(np.sqrt(np.mean(errors**2))),
        bias=bias,
        sep=sep,
        sec=_sec(errors, role, n_components),
        bias_t=t,
        bias_p=float(2 * stats.t.sf(t, n - 1)),
        slope=slope,
        intercept=intercept,
        r2=float(1 - np.sum(errors**2) / np.sum((y - y.mean()) ** 2)),
        r2_correlation=float(np.corrcoef(y, z)[0, 1] ** 2) if np.ptp(z) > 0 else 0.0,
        rpd=_ratio(float(y.std(ddof=1)), sep),
        rer=_ratio(float(np.ptp(y)), sep),
    )


def _line(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    centered = x - x.mean()
    slope = float(centered @ (y - y.mean()) / (centered @ centered))
    return slope, float(y.mean() - slope * x.mean())


def _ratio(numerator: float, denominator: float) -> float:
    if denominator == 0:
        return 0.0 if numerator == 0 else float("inf")
    return float(numerator / denominator)


def _sec(errors: NDArray[np.float64], role: str, n_components: int | None) -> float | None:
    if role != "calibration" or n_components is None:
        return None
    freedom = len(errors) - check_integer("n_components", n_components, least=0) - 1
    if freedom < 1:
        msg = f"{len(errors)} samples leave no degree of freedom with {n_components} components"
        raise InputError(msg)
    return float(np.sqrt(np.sum(errors**2) / freedom))
