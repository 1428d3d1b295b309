"""Fitted estimators as plain content for a model file, and back."""

from __future__ import annotations

from typing import Any

from pharmaq.chemometrics import preprocessing
from pharmaq.chemometrics.merit import FiguresOfMerit
from pharmaq.chemometrics.pls import PLS
from pharmaq.chemometrics.recipe import Recipe, recipe_of
from pharmaq.errors import FormatError, InputError
from pharmaq.provenance import Provenance
from pharmaq.results import Finding

_STEPS = (
    preprocessing.EMSC,
    preprocessing.EPO,
    preprocessing.GLSW,
    preprocessing.MSC,
    preprocessing.OSC,
    preprocessing.SNV,
    preprocessing.Baseline,
    preprocessing.Convert,
    preprocessing.Despike,
    preprocessing.Detrend,
    preprocessing.Normalize,
    preprocessing.NorrisWilliams,
    preprocessing.Resample,
    preprocessing.SavitzkyGolay,
    preprocessing.Scale,
    preprocessing.SelectRange,
    preprocessing.ShiftCorrection,
)
_STORED: dict[str, Any] = {cls.__name__: cls for cls in (*_STEPS, PLS)}


def calibration_content(calibration: Any) -> dict[str, Any]:
    """Return all that a fitted calibration needs to predict and to account for itself."""
    steps = [step for _, step in calibration.recipe_.steps if step != "passthrough"]
    return {
        "settings": {
            "recipe": str(calibration.recipe_),
            "n_components": calibration.n_components_,
            "scale": calibration.scale,
            "alpha": calibration.alpha,
            "units": calibration.units,
        },
        "recipe": [_described(step) for step in steps],
        "pls": _described(calibration.pls_),
        "response": calibration.response_,
        "axis": calibration.axis_,
        "axis_kind": calibration.axis_kind_,
        "t2_limit": calibration.t2_limit_,
        "spe_limit": calibration.spe_limit_,
        "spe_method": calibration.spe_method_,
        "value_range": list(calibration.value_range_),
        "rmsecv": calibration.rmsecv_,
        "golden_spectra": calibration.golden_spectra_,
        "golden_values": calibration.golden_values_,
        "merit": {role: merit.to_dict() for role, merit in calibration.merit_.items()},
        "findings": [finding.to_dict() for finding in calibration.findings_],
        "provenance": calibration.provenance_.to_dict(),
    }


def restored_model(content: dict[str, Any]) -> tuple[Recipe, PLS]:
    """Return the fitted recipe and model from the content of a file."""
    recipe = recipe_of([_restored(step) for step in content["recipe"]])
    return recipe, _restored(content["pls"])


def restored_attributes(content: dict[str, Any]) -> dict[str, Any]:
    """Return the other fitted attributes of a calibration from the content of a file."""
    plain = (
        "response",
        "axis",
        "axis_kind",
        "t2_limit",
        "spe_limit",
        "spe_method",
        "rmsecv",
        "golden_spectra",
        "golden_values",
    )
    merit = {role: FiguresOfMerit(**figures) for role, figures in content["merit"].items()}
    return {f"{name}_": content[name] for name in plain} | {
        "value_range_": tuple(content["value_range"]),
        "merit_": merit,
        "findings_": tuple(Finding(**finding) for finding in content["findings"]),
        "provenance_": Provenance(**content["provenance"]),
    }


def _described(estimator: Any) -> dict[str, Any]:
    """Return class, parameters and fitted attributes of an estimator."""
    name = type(estimator).__name__
    if _STORED.get(name) is not type(estimator):
        msg = f"a {name} cannot be stored in a model file; it can hold {', '.join(_STORED)}"
        raise InputError(msg)
    fitted = {k: v for k, v in vars(estimator).items() if k.endswith("_")}
    return {"class": name, "params": estimator.get_params(deep=False), "fitted": fitted}


def _restored(content: dict[str, Any]) -> Any:
    """Return the fitted estimator that `_described` described."""
    cls = _STORED.get(content.get("class", ""))
    if cls is None:
        msg = f"the model file holds an unknown step {content.get('class')!r}"
        raise FormatError(msg)
    estimator = cls(**content["params"])
    for name, value in content["fitted"].items():
        setattr(estimator, name, value)
    return estimator
