"""What the fit of a calibration gives reason to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from pharmaq.chemometrics.limits import t2_limit
from pharmaq.results import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pharmaq.chemometrics.crossval import CrossValidation


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
    merit = calibration.merit_["cross_validation"]
    if merit.bias_p < calibration.alpha:
        message = f"the cross-validated bias {merit.bias:.4g} differs from zero (t-test)"
        findings.append(_on_model("bias", "alert", message, merit.bias_p, calibration.alpha))
    findings.extend(_outliers(calibration, y))
    return findings


def _outliers(calibration: Any, y: NDArray[np.float64]) -> Iterator[Finding]:
    """Yield samples that stand out even as the worst of so many (alpha / n, Bonferroni)."""
    shown = calibration.diagnostics_
    share = calibration.alpha / len(y)
    N, A = calibration.n_samples_, calibration.n_components_
    inside = np.clip(1 - shown.leverage, np.finfo(float).eps, None)
    # two-sided: a sample can be far too low as well as far too high
    residual = np.abs(shown.value - y) / (calibration.sec_ * np.sqrt(inside))
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
            calibration.pls_.spe_limit(alpha=share, method="robust"),
            "has features that the other samples do not have",
        ),
        (
            "calibration_residual",
            residual,
            float(stats.t.isf(share / 2, N - A - 1)),
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
