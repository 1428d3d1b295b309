"""A monitor as content of a sealed model file, and back."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq.mspc.batch._infill import Operators
from pharmaq.mspc.batch._model import PhaseModel
from pharmaq.mspc.batch._phase import FittedPhase
from pharmaq.mspc.batch.limits import BatchLimits

if TYPE_CHECKING:
    from collections.abc import Iterator

KIND = "batch_monitor"
_PLAIN = ("n_components", "phases", "scaling", "infill")
_FITTED = ("variables_", "units_", "n_missing_", "n_left_out_", "n_pooled_scales_")


def monitor_content(monitor: Any) -> dict[str, Any]:
    """Return parameters and everything that was fitted."""
    return {
        "parameters": {name: getattr(monitor, name) for name in _PLAIN},
        "limits": dataclasses.asdict(monitor.limits_),
        "fitted": {name: getattr(monitor, name) for name in _FITTED},
        "time": monitor.time_,
        "batch": monitor.batch_,
        "explained": monitor.explained_,
        "phases": [_phase_content(phase) for phase in monitor.phases_],
    }


def restore_monitor(monitor: Any, content: dict[str, Any]) -> None:
    """Set the fitted attributes of a monitor from what was stored."""
    limits = content["limits"] | {"alphas": tuple(content["limits"]["alphas"])}
    monitor.set_params(**content["parameters"], limits=BatchLimits(**limits))
    monitor.limits_ = monitor.limits
    for name in _FITTED:
        setattr(monitor, name, content["fitted"][name])
    monitor.time_, monitor.batch_ = content["time"], content["batch"]
    monitor.explained_ = content["explained"]
    monitor.phases_ = [_restored(phase) for phase in content["phases"]]
    monitor.phase_names_ = [phase.name for phase in monitor.phases_]


def fingerprint(monitor: Any) -> str:
    """Return the SHA-256 of what the numbers of a session follow from."""
    digest = hashlib.sha256(repr((monitor.variables_, monitor.units_)).encode())
    for part in _parts(monitor):
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def _parts(monitor: Any) -> Iterator[np.ndarray]:
    yield monitor.time_
    for phase in monitor.phases_:
        model, operators = phase.model, phase.operators
        yield from (model.mean, model.scale, model.loadings, operators.base, operators.maps)
        yield from (operators.inverse, *(phase.limits[name] for name in sorted(phase.limits)))


def _phase_content(phase: FittedPhase) -> dict[str, Any]:
    # plain fields one by one: asdict would copy every array
    fields = {f.name: getattr(phase, f.name) for f in dataclasses.fields(phase)}
    model = {f.name: getattr(phase.model, f.name) for f in dataclasses.fields(phase.model)}
    return fields | {"model": model, "operators": phase.operators._asdict()}


def _restored(content: dict[str, Any]) -> FittedPhase:
    content = dict(content)
    model = PhaseModel(**content.pop("model"))
    operators = Operators(**content.pop("operators"))
    return FittedPhase(model=model, operators=operators, **content)
