"""What the fit of a calibration gives reason to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import stats

from pharmaq.chemometrics.limits import t2_limit
from pharmaq.errors import InputError
from pharmaq.results import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pharmaq.chemometrics.crossval import CrossValidation
    from pharmaq.chemometrics.pls import PLS


def fit_findings(
    calibration: Any, y: NDArray[np.float64], validation: CrossValidation
) -> list[Finding]:
    """Return findings on the model, then on single calibration samples."""
    findings = list(validation.findings)
    source = calibration.provenance_.parameters.get("spectra axis_source", "")
    if source.startswith("recognised"):
        message = f"the kind of the axis was not given; {source}"
        findings.append(_on_model("axis_recognised", "info", message, None, None))
    chosen = calibration.n_components_
    if calibration.choice_ is not None and chosen == len(calibration.rmsecv_):
        message = "the largest number of components tried was chosen; raise max_components"
        findings.append(_on_model("components_at_limit", "info", message, chosen, None))
    if calibration.spe_method_ == "box":
        message = "quartiles of SPE fit no scaled chi2: its limit is from mean and variance"
        findings.append(_on_model("spe_limit_by_moments", "info", message, None, None))
    if validation.n_predictions.max() > 1:
        message = "figures of merit are of the mean prediction of each sample; RMSECV pools all"
        findings.append(_on_model("repeated_splits", "info", message, None, None))
    merit = calibration.merit_["cross_validation"]
    if merit.bias_p < calibration.alpha:
        message = f"the cross-validated bias {merit.bias:.4g} differs from zero (t-test)"
        findings.append(_on_model("bias", "alert", message, merit.bias_p, calibration.alpha))
    findings.extend(_outliers(calibration, y))
    return findings


def robust_or_box(model: PLS) -> Literal["robust", "box"]:
    """Return the method for the limit of SPE: moments where quartiles fit no chi2."""
    try:
        model.spe_limit(method="robust")
    except InputError:
        return "box"
    return "robust"


def _outliers(calibration: Any, y: NDArray[np.float64]) -> Iterator[Finding]:
    """Yield samples that stand out even as the worst of so many (alpha / n, Bonferroni)."""
    shown = calibration.diagnostics_
    share = calibration.alpha / len(y)
    N, A = calibration.n_samples_, calibration.n_components_
    inside = np.clip(1 - shown.leverage, np.finfo(float).eps, None)
    residual = _deleted(
        np.abs(shown.value - y) / (calibration.sec_ * np.sqrt(inside)), N - A - 1
    )
    checks = [
        (
            "calibration_t2",
            shown.t2,
            t2_limit(N, A, alpha=share, method="beta"),
            "has undue weight on the model",
        ),
        (
            "calibration_spe",
            shown.spe,
            calibration.pls_.spe_limit(alpha=share, method=calibration.spe_method_),
            "has features that the other samples do not have",
        ),
        (
            "calibration_residual",
            residual,
            # two-sided: a sample can be far too low as well as far too high
            float(stats.t.isf(share / 2, max(N - A - 2, 1))),
            "does not fit its reference value",
        ),
    ]
    for rule, values, limit, text in checks:
        for i in np.flatnonzero(values > limit):
            subject = str(shown.sample[i])
            yield Finding(
                rule=rule,
                severity="alert",
                subject=subject,
                message=f"the calibration sample {text}",
                value=float(values[i]),
                limit=float(limit),
            )


def _deleted(studentised: NDArray[np.float64], freedom: int) -> NDArray[np.float64]:
    """Return residuals studentised without the sample itself, which hides less in few samples.

    R. D. Cook, S. Weisberg, Residuals and Influence in Regression, Chapman and Hall, 1982.
    """
    left = freedom - studentised**2
    with np.errstate(divide="ignore", invalid="ignore"):
        deleted = studentised * np.sqrt((freedom - 1) / left)
    # nothing but this sample deviates: what is left is rounding
    return np.where(left > 0, deleted, np.inf)


def _on_model(
    rule: str, severity: Any, message: str, value: float | None, limit: float | None
) -> Finding:
    return Finding(
        rule=rule,
        severity=severity,
        subject="calibration",
        message=message,
        value=None if value is None else float(value),
        limit=limit,
    )
