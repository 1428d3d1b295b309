"""What a calibration says about each spectrum."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from pharmaq.results import Finding, Result

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["STATUSES", "CalibrationPrediction", "PredictedArrays"]

# from harmless to serious: a spectrum gets the last one that applies
STATUSES = ("ok", "extrapolated", "outlier_t2", "outlier_spe", "wrong_axis")


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class CalibrationPrediction(Result):
    """Predicted values with the diagnostics that say whether to trust them.

    Parameters
    ----------
    sample : ndarray of shape (n_samples,)
        Label of each spectrum.
    value : ndarray of shape (n_samples,)
        Predicted value, in `units`; NaN where the axis is wrong.
    standard_error : ndarray of shape (n_samples,)
        SEC sqrt(1 + leverage), as in ASTM E1655.
    lower, upper : ndarray of shape (n_samples,)
        Interval value -+ t standard_error at `confidence`, n - A - 1 degrees of freedom.
    t2, spe, leverage : ndarray of shape (n_samples,)
        Hotelling's T2, squared prediction error, leverage; against the calibration only.
    status : ndarray of str
        ``"ok"``, ``"extrapolated"`` (value outside the range of the reference values),
        ``"outlier_t2"``, ``"outlier_spe"``, ``"wrong_axis"``: the most serious that applies.
    t2_limit, spe_limit : float
        Limits at `alpha`: T2 for new samples by F, SPE by a scaled chi2 with robust
        moments.
    value_range : tuple of float
        Smallest and largest reference value of the calibration.
    alpha, confidence : float
        Error rate of the limits, and level of the interval.
    response, units : str
        What is predicted.
    findings : tuple of Finding
        One for each status that applies to a spectrum.
    """

    sample: NDArray[Any]
    value: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    t2: NDArray[np.float64]
    spe: NDArray[np.float64]
    leverage: NDArray[np.float64]
    status: NDArray[np.str_]
    t2_limit: float
    spe_limit: float
    value_range: tuple[float, float]
    alpha: float
    confidence: float
    response: str
    units: str
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a spectrum: value, interval, T2, SPE, leverage, status."""
        names = ("value", "standard_error", "lower", "upper", "t2", "spe", "leverage", "status")
        columns = {name: getattr(self, name) for name in ("sample", *names)}
        return pd.DataFrame(columns)

    def plot(self, *, ax: Any = None) -> Any:
        """Draw SPE over T2 with both limits.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.chemometrics import plots

        return plots.plot_t2_spe(self, ax=ax)

    def plot_values(
        self,
        *,
        at: ArrayLike | None = None,
        label: str = "spectrum",
        reference: tuple[ArrayLike, ArrayLike] | None = None,
        ax: Any = None,
    ) -> Any:
        """Draw values with their intervals in order, or over time.

        Parameters
        ----------
        at : array-like of shape (n_samples,), optional
            Where each value stands: a time, say; its number by default.
        label : str, default "spectrum"
            What `at` is, with its units.
        reference : tuple of (array-like, array-like), optional
            Places and values of laboratory results to compare with.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture; marks tell the status.
        """
        from pharmaq.chemometrics import plots

        return plots.plot_values(self, at=at, label=label, reference=reference, ax=ax)


class PredictedArrays(NamedTuple):
    """What `Calibration.predict_arrays` returns, one entry a spectrum.

    Parameters
    ----------
    value : ndarray of shape (n_samples,)
        Predicted value.
    t2, spe, leverage : ndarray of shape (n_samples,)
        Hotelling's T2, squared prediction error, leverage.
    """

    value: NDArray[np.float64]
    t2: NDArray[np.float64]
    spe: NDArray[np.float64]
    leverage: NDArray[np.float64]


def judged(prediction: CalibrationPrediction) -> CalibrationPrediction:
    """Return the prediction with the status of each spectrum and all findings filled in."""
    value, t2, spe = prediction.value, prediction.t2, prediction.spe
    low, high = prediction.value_range
    t2_limit, spe_limit = prediction.t2_limit, prediction.spe_limit
    status = prediction.status.copy()
    status[(value < low) | (value > high)] = "extrapolated"
    status[t2 > t2_limit] = "outlier_t2"
    status[spe > spe_limit] = "outlier_spe"
    findings: list[Finding] = []
    for i in np.flatnonzero(status != "ok"):
        subject = str(prediction.sample[i])
        if spe[i] > spe_limit:
            text = "the spectrum has features that the calibration does not know"
            findings.append(_finding("outlier_spe", "action", subject, spe[i], spe_limit, text))
        if t2[i] > t2_limit:
            text = "the composition lies far from the centre of the calibration"
            findings.append(_finding("outlier_t2", "alert", subject, t2[i], t2_limit, text))
        if not low <= value[i] <= high:
            text = f"the value lies outside the calibrated range {low:.6g} to {high:.6g}"
            edge = low if value[i] < low else high
            findings.append(_finding("extrapolated", "alert", subject, value[i], edge, text))
    return dataclasses.replace(prediction, status=status, findings=tuple(findings))


def _finding(
    rule: str, severity: Any, subject: str, value: float, limit: float, text: str
) -> Finding:
    return Finding(
        rule=rule,
        severity=severity,
        subject=subject,
        message=text,
        value=float(value),
        limit=float(limit),
    )
