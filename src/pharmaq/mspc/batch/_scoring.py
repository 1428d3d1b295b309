"""Whole batches through a fitted monitor: trajectories, contributions and findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq.mspc.batch._evolution import EvolutionPhase, contributions
from pharmaq.mspc.batch._findings import batch_findings, of_batch_level
from pharmaq.mspc.batch._phase import STATISTICS, FittedPhase
from pharmaq.mspc.batch._trajectory import spe_contributions, t2_contributions
from pharmaq.mspc.batch.scores import BatchScores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pharmaq.mspc.batch._data import Batches

    Array = NDArray[np.float64]


def score_batches(monitor: Any, data: Batches) -> BatchScores:
    """Judge batches that were checked against the monitor."""
    parts = [_score_phase(phase, data.values) for phase in monitor.phases_]
    level = monitor.batch_level_
    if level is not None:
        scores = np.concatenate([part["scores"] for part in parts], axis=1)
        level = level.score(monitor.batch_level_data(scores, data.batch))
    arrays = {name: np.concatenate([part[name] for part in parts], axis=1) for name in parts[0]}
    limits = {
        f"{name}_limit": np.concatenate([p.limits[name] for p in monitor.phases_], axis=1)
        for name in STATISTICS
    }
    names = np.repeat(monitor.phase_names_, [p.stop - p.start for p in monitor.phases_])
    observed = ~np.isnan(data.values)
    result = BatchScores(
        batch=data.batch,
        time=monitor.time_,
        variables=tuple(monitor.variables_),
        units=tuple(monitor.units_),
        phase=names,
        score_center=np.concatenate([p.score_center for p in monitor.phases_]),
        score_covariance=np.concatenate([p.score_covariance for p in monitor.phases_]),
        n_reference=len(monitor.batch_),
        infill=monitor.infill,
        limits=monitor.limits_,
        n_missing=np.sum(~observed, axis=(1, 2)),
        findings=(),
        batch_level=level,
        **arrays,
        **limits,
    )
    findings = batch_findings(result, observed)
    if level is not None:
        findings += tuple(of_batch_level(level.findings))
    return result.with_findings(findings)


def _score_phase(phase: FittedPhase | EvolutionPhase, values: Array) -> dict[str, Array]:
    part = values[:, phase.start : phase.stop]
    if isinstance(phase, EvolutionPhase):
        return _score_evolution(phase, part)
    found = phase.follow(part)
    shares = {"t2": np.full(part.shape, np.nan), "spe": np.full(part.shape, np.nan)}
    for i in np.flatnonzero(~np.isnan(part).all(axis=(1, 2))):
        scores = found.scores[i]
        shares["t2"][i] = t2_contributions(phase.model, phase.operators, scores, part[i])
        shares["spe"][i] = spe_contributions(phase.model, scores, part[i])
    return found._asdict() | {
        "maturity": np.empty((len(part), 0)),
        "quality": phase.model.quality(found.scores),
        "t2_contributions": shares["t2"],
        "spe_contributions": shares["spe"],
    }


def _score_evolution(phase: EvolutionPhase, part: Array) -> dict[str, Array]:
    found = phase.follow(part)
    shares = np.array([contributions(phase.model, values) for values in part])
    return found._asdict() | {
        "maturity": phase.maturity(found.scores),
        "quality": np.empty((*part.shape[:2], 0)),
        "t2_contributions": shares[:, 0],
        "spe_contributions": shares[:, 1],
    }
