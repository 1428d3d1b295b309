"""A monitor as content of a sealed model file, and back."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from pharmaq.mspc.alignment import BatchAligner
from pharmaq.mspc.batch._evolution import EvolutionModel, EvolutionPhase
from pharmaq.mspc.batch._infill import Operators
from pharmaq.mspc.batch._model import PhaseModel
from pharmaq.mspc.batch._phase import FittedPhase
from pharmaq.mspc.batch.limits import BatchLimits

if TYPE_CHECKING:
    from collections.abc import Iterator

KIND = "batch_monitor"
_PLAIN = ("n_components", "unfolding", "phases", "scaling", "infill")
_FITTED = ("variables_", "units_", "n_missing_", "n_left_out_", "n_pooled_scales_")


def monitor_content(monitor: Any) -> dict[str, Any]:
    """Return parameters and everything that was fitted."""
    level = monitor.batch_level_
    return {
        "parameters": {name: getattr(monitor, name) for name in _PLAIN},
        "limits": dataclasses.asdict(monitor.limits_),
        "fitted": {name: getattr(monitor, name) for name in _FITTED},
        "time": monitor.time_,
        "batch": monitor.batch_,
        "explained": monitor.explained_,
        "phases": [_phase_content(phase) for phase in monitor.phases_],
        "aligner": None if monitor.aligner_ is None else monitor.aligner_.to_state(),
        "batch_level": level if level is None else monitor_content(level),
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
    monitor.aligner_ = None
    if content["aligner"] is not None:
        monitor.aligner_ = BatchAligner.from_state(content["aligner"])
        monitor.set_params(alignment=clone(monitor.aligner_))
    monitor.batch_level_ = None
    if content["batch_level"] is not None:
        monitor.batch_level_ = clone(monitor).set_params(alignment=None)
        restore_monitor(monitor.batch_level_, content["batch_level"])


def fingerprint(monitor: Any) -> str:
    """Return the SHA-256 of what the numbers of a session follow from."""
    digest = hashlib.sha256(repr((monitor.variables_, monitor.units_)).encode())
    for part in _parts(monitor):
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def _parts(monitor: Any) -> Iterator[np.ndarray]:
    yield monitor.time_
    if monitor.aligner_ is not None:
        yield np.frombuffer(monitor.aligner_.method.encode(), dtype=np.uint8)
        for plan in monitor.aligner_.plans_:
            yield from (np.asarray(plan.grid), np.asarray(plan.reference))
    for phase in monitor.phases_:
        model = phase.model
        yield from (model.mean, model.scale, model.rotations, model.loadings)
        if isinstance(phase, FittedPhase):
            yield from (phase.operators.maps, phase.operators.inverse)
        yield from (phase.limits[name] for name in sorted(phase.limits))
    if monitor.batch_level_ is not None:
        yield from _parts(monitor.batch_level_)


def _phase_content(phase: FittedPhase | EvolutionPhase) -> dict[str, Any]:
    # plain fields one by one: asdict would copy every array
    content = _fields(phase) | {"model": _fields(phase.model)}
    if isinstance(phase, FittedPhase):
        content["operators"] = phase.operators._asdict()
    return content


def _fields(thing: Any) -> dict[str, Any]:
    return {field.name: getattr(thing, field.name) for field in dataclasses.fields(thing)}


def _restored(content: dict[str, Any]) -> FittedPhase | EvolutionPhase:
    content = dict(content)
    model = content.pop("model")
    if "operators" not in content:
        return EvolutionPhase(model=EvolutionModel(**model), **content)
    operators = Operators(**content.pop("operators"))
    return FittedPhase(model=PhaseModel(**model), operators=operators, **content)
