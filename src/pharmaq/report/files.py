"""The folder of a calibration: report, model, numbers and predictions as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pharmaq.modelfile import write_atomically
from pharmaq.report.calibration import calibration_report
from pharmaq.results import findings_frame

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from pharmaq.chemometrics.calibration import Calibration
    from pharmaq.chemometrics.prediction import CalibrationPrediction

__all__ = ["write_calibration"]

_FORMAT = "pharmaq-calibration"
_VERSION = 1


def write_calibration(
    calibration: Calibration,
    spectra: Any,
    folder: str | Path,
    *,
    validation: tuple[CalibrationPrediction, ArrayLike] | None = None,
    predictions: CalibrationPrediction | None = None,
    title: str | None = None,
) -> Path:
    """Write everything that a calibration leaves behind into a folder.

    Parameters
    ----------
    calibration : Calibration
        Fitted in this session.
    spectra : DataFrame or DataArray, shape (n_samples, n_points)
        The calibration spectra.
    folder : str or Path
        An existing folder; files of the same name are replaced, each in one step.
    validation, predictions, title
        As in `calibration_report`.

    Returns
    -------
    Path
        The report.

    Raises
    ------
    FileAccessError
        If a file cannot be written.

    Notes
    -----
    ``model.pqm`` is the sealed procedure, ``calibration.json`` holds merit, choice, limits,
    findings and provenance, ``predictions.csv`` the diagnostics of each calibration sample with
    its reference and cross-validated value, ``findings.csv`` the findings, ``report.html`` all
    of it for people. The report is written last: where it stands, the others are complete.
    """
    folder = Path(folder)
    # sealed first, so that the other files can show the seal
    calibration.save(folder / "model.pqm")
    numbers = json.dumps(_numbers(calibration), indent=1, ensure_ascii=False)
    write_atomically(folder / "calibration.json", numbers + "\n")
    table = _sample_table(calibration)
    write_atomically(folder / "predictions.csv", table.to_csv(index=False))
    findings = [*calibration.findings_, *(predictions.findings if predictions else ())]
    write_atomically(folder / "findings.csv", findings_frame(findings).to_csv(index=False))
    text = calibration_report(
        calibration, spectra, validation=validation, predictions=predictions, title=title
    )
    write_atomically(folder / "report.html", text)
    return folder / "report.html"


def _numbers(calibration: Calibration) -> dict[str, Any]:
    choice = calibration.choice_
    return {
        "format": _FORMAT,
        "version": _VERSION,
        "response": calibration.response_,
        "units": calibration.units,
        "recipe": str(calibration.recipe_),
        "n_components": calibration.n_components_,
        "choice": None if choice is None else {"rule": choice.rule, "reason": choice.reason},
        "cv": calibration.cross_validation_.cv,
        "rmsecv": calibration.rmsecv_,
        "merit": {role: merit.to_dict() for role, merit in calibration.merit_.items()},
        "limits": {"t2": calibration.t2_limit_, "spe": calibration.spe_limit_},
        "alpha": calibration.alpha,
        "value_range": list(calibration.value_range_),
        "findings": [finding.to_dict() for finding in calibration.findings_],
        "provenance": calibration.provenance_.to_dict(),
        "seal": calibration.seal_,
    }


def _sample_table(calibration: Calibration) -> Any:
    frame = calibration.diagnostics_.to_frame()
    frame.insert(1, "reference", calibration.reference_)
    chosen = calibration.n_components_ - 1
    left_out = calibration.cross_validation_.predictions.to_numpy()[chosen]
    frame.insert(2, "cross_validated", left_out)
    return frame
