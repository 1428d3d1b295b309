"""Fitted monitors as plain content for a model file, and back."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from pharmaq.chemometrics import PCA, PLS
from pharmaq.mspc.process._components import ComponentChoice
from pharmaq.mspc.process._update import Memory
from pharmaq.mspc.process.limits import MonitorLimit, Statistics
from pharmaq.provenance import Provenance
from pharmaq.results import Finding

_PLAIN = (
    "units_",
    "n_samples_",
    "n_updates_",
    "n_missing_",
    "medians_",
    "covariance_",
    "named_",
)


def monitor_content(monitor: Any) -> dict[str, Any]:
    """Return all that a fitted monitor needs to judge, to learn and to account for itself."""
    model = monitor.model_
    fitted = {name: value for name, value in vars(model).items() if name.endswith("_")}
    memory = monitor.memory_
    return {
        "params": monitor.get_params(),
        "model": {"params": model.get_params(), "fitted": fitted},
        "variables": list(monitor.variables_),
        "model_variables": list(monitor.model_variables_),
        "plain": {name: getattr(monitor, name) for name in _PLAIN},
        "weights": list(monitor.weights_),
        "limits": [limit._asdict() for limit in monitor.limits_],
        "statistics": monitor.statistics_._asdict(),
        "choice": _fields(monitor.component_choice_),
        "memory": None if memory is None else dataclasses.asdict(memory),
        "findings": [finding.to_dict() for finding in monitor.findings_],
        "provenance": monitor.provenance_.to_dict(),
    }


def restore(cls: Any, content: dict[str, Any]) -> Any:
    """Return the monitor of a file."""
    monitor = cls(**content["params"])
    build: Any = PCA if monitor.method == "pca" else PLS
    model = build(**content["model"]["params"])
    for name, value in content["model"]["fitted"].items():
        setattr(model, name, value)
    monitor.model_ = model
    monitor.variables_ = tuple(content["variables"])
    monitor.model_variables_ = tuple(content["model_variables"])
    for name in _PLAIN:
        setattr(monitor, name, content["plain"][name])
    weights = content["weights"]
    monitor.weights_ = (weights[0], weights[1])
    # JSON has no NaN
    monitor.limits_ = tuple(
        _limit({k: math.nan if v is None else v for k, v in limit.items()})
        for limit in content["limits"]
    )
    monitor.statistics_ = Statistics(**content["statistics"])
    monitor.component_choice_ = ComponentChoice(**content["choice"])
    memory = content["memory"]
    monitor.memory_ = None if memory is None else Memory(**memory)
    monitor.findings_ = tuple(Finding(**finding) for finding in content["findings"])
    monitor.provenance_ = Provenance(**content["provenance"])
    return monitor


def _limit(fields: dict[str, Any]) -> MonitorLimit:
    return MonitorLimit(**fields)


def _fields(choice: ComponentChoice) -> dict[str, Any]:
    return {field.name: getattr(choice, field.name) for field in dataclasses.fields(choice)}
