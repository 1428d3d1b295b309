"""Fitting of an aligner: grids, bounds of indicators, references."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pharmaq._checks import check_integer
from pharmaq.errors import InputError
from pharmaq.mspc.alignment._dtw import learn, without_gaps
from pharmaq.mspc.alignment._plan import Plan, Settings
from pharmaq.mspc.alignment._segments import WHOLE, cut
from pharmaq.results import Finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pharmaq.batches import Batches, Trace
    from pharmaq.mspc.alignment._dtw import DTW

    Array = NDArray[np.float64]

# share of the weights above which the other variables do not count
_ALONE = 0.9


class Fitted(NamedTuple):
    """Plans in order, findings, and the weights of each round by phase."""

    plans: list[Plan]
    findings: list[Finding]
    history: dict[str, Array]
    reference: Any
    scale: Array


def fit_plans(
    batches: Batches,
    names: list[str],
    settings: Settings,
    options: DTW,
    n_points: int | Mapping[str, int] | None,
) -> Fitted:
    """Return what an aligner keeps of each phase."""
    parts = _parts(batches, names)
    spans = {name: _median_duration(found) for name, found in parts.items()}
    counts = _points(n_points, parts, spans)
    chosen = _reference_batch(parts, options) if settings.method == "dtw" else None
    fitted = Fitted([], [], {}, chosen, _mean_ranges(batches))
    for name in names:
        empty = np.empty(0)
        plan = Plan(name, empty, empty, spans[name], empty, np.empty((0, 0)), empty, empty)
        if settings.method == "dtw":
            plan = _warping_plan(
                plan, parts[name], counts[name], batches.variables, options, fitted
            )
        else:
            plan = _plan(plan, parts[name], counts[name], settings)
        fitted.plans.append(plan)
    fitted.plans[:] = _one_after_another(fitted.plans, settings, _typical_step(parts))
    return fitted


def _parts(batches: Batches, names: list[str]) -> dict[str, dict[Any, Trace]]:
    """Return the parts of batches by phase, of two rows and more."""
    parts: dict[str, dict[Any, Trace]] = {name: {} for name in names}
    for batch, trace in batches.traces().items():
        for name, part in cut(trace, names, batch).items():
            if len(part.time) > 1:
                parts[name][batch] = part
    for name, found in parts.items():
        if not found:
            what = "no batch" if name == WHOLE else f"no batch has phase {name!r}"
            msg = f"there is nothing to align by: {what} with two rows or more"
            raise InputError(msg)
    return parts


def _typical_step(parts: dict[str, dict[Any, Trace]]) -> float:
    every = [part for found in parts.values() for part in found.values()]
    return float(np.median([np.median(np.diff(part.time)) for part in every]))


def _one_after_another(plans: list[Plan], settings: Settings, step: float) -> list[Plan]:
    """Return the plans with aligned times that go on from phase to phase."""
    mature = settings.method in {"maturity", "indicator"}
    placed, start = [], 0.0
    for plan in plans:
        local = plan.grid * plan.duration if mature else plan.grid
        placed.append(plan._replace(time=start + local))
        start = float(placed[-1].time[-1]) + step
    total = placed[-1].time[-1] if mature else 1.0
    return [plan._replace(time=plan.time / total) for plan in placed]


def _median_duration(parts: dict[Any, Trace]) -> float:
    return float(np.median([part.time[-1] - part.time[0] for part in parts.values()]))


def _points(
    n_points: int | Mapping[str, int] | None,
    parts: dict[str, dict[Any, Trace]],
    spans: dict[str, float],
) -> dict[str, int | None]:
    """Return the number of points of each phase, None for as many as the reference has."""
    if n_points is None:
        return dict.fromkeys(parts)
    if isinstance(n_points, Mapping):
        if set(n_points) != set(parts):
            msg = f"n_points must name each of {list(parts)}, got {list(n_points)}"
            raise InputError(msg)
        return {
            name: check_integer(f"n_points of {name}", n_points[name], least=2)
            for name in parts
        }
    total = check_integer("n_points", n_points, least=2 * len(parts))
    share = total / sum(spans.values())
    found: dict[str, int | None] = {n: max(2, round(span * share)) for n, span in spans.items()}
    longest = max(spans, key=lambda name: spans[name])
    rest = total - sum(int(count or 0) for count in found.values())
    # rounding is made up for where it weighs least
    found[longest] = max(2, int(found[longest] or 0) + rest)
    return found


def _reference_batch(parts: dict[str, dict[Any, Trace]], options: DTW) -> Any:
    """Return the batch that others are warped onto; it has all phases."""
    whole = [b for b in next(iter(parts.values())) if all(b in f for f in parts.values())]
    if not whole:
        msg = "no batch has all phases, and none can be the reference; leave a phase out"
        raise InputError(msg)
    if options.reference is not None:
        if options.reference not in whole:
            msg = f"reference must be a batch with all phases, got {options.reference!r}"
            raise InputError(msg)
        return options.reference
    rows = np.array([sum(len(f[b].time) for f in parts.values()) for b in whole])
    return whole[int(np.argmin(np.abs(rows - rows.mean())))]


def _plan(plan: Plan, parts: dict[Any, Trace], count: int | None, settings: Settings) -> Plan:
    """Return a plan with a grid of positions."""
    count = count or max(2, round(np.median([len(part.time) for part in parts.values()])))
    if settings.method == "resample":
        whole = settings.phases == "whole"
        starts = [part.time[0] if whole else 0.0 for part in parts.values()]
        ends = [part.time[-1] - (0.0 if whole else part.time[0]) for part in parts.values()]
        return plan._replace(grid=np.linspace(np.median(starts), np.median(ends), count))
    if settings.method == "indicator":
        plan = plan._replace(bounds=_bounds(parts, settings))
    return plan._replace(grid=np.linspace(0.0, 1.0, count))


def _bounds(parts: dict[Any, Trace], settings: Settings) -> Array:
    """Return the median values of the indicator at the start and at the end."""
    ends = []
    for part in parts.values():
        values = part.values[:, settings.column]
        seen = values[~np.isnan(values)]
        if seen.size > 1:
            ends.append((seen[0], seen[-1]))
    bounds = np.median(np.array(ends), axis=0) if ends else np.zeros(2)
    if bounds[0] == bounds[1]:
        msg = (
            f"indicator {settings.indicator!r} ends where it starts ({bounds[0]:g}): it cannot "
            "tell how far a batch has come"
        )
        raise InputError(msg)
    return bounds


def _warping_plan(
    plan: Plan,
    parts: dict[Any, Trace],
    count: int | None,
    variables: list[str],
    options: DTW,
    fitted: Fitted,
) -> Plan:
    chosen = parts[fitted.reference]
    points, n_filled = without_gaps(chosen.values)
    if n_filled:
        fitted.findings.append(
            Finding(
                rule="reference_filled",
                severity="info",
                subject=str(fitted.reference),
                value=float(n_filled),
                message=(
                    f"{n_filled} missing values of the reference batch {fitted.reference} were "
                    "bridged by lines; batches are not"
                ),
            )
        )
    time = chosen.time - chosen.time[0]
    if count is not None:
        grid = np.linspace(0.0, time[-1], count)
        points = np.column_stack([np.interp(grid, time, column) for column in points.T])
        time = grid
    scale = fitted.scale
    if not scale.any():
        msg = "no variable changes within batches; there is nothing to warp by"
        raise InputError(msg)
    samples = [part.values for part in parts.values()]
    learned = learn(samples, points, scale, variables, options)
    fitted.history[plan.name] = learned.history
    fitted.findings.extend(_steering(plan.name, variables, learned.weights))
    return plan._replace(
        grid=time, reference=learned.points, scale=scale, weights=learned.weights
    )


def _steering(phase: str, variables: list[str], weights: Array) -> list[Finding]:
    """Say so where a single variable steers."""
    share = weights.max() / weights.sum()
    name = variables[int(np.argmax(weights))]
    if len(weights) < 2 or share < _ALONE:
        return []
    message = f"{name} has {100 * share:.0f} % of the weight in {phase}: it steers alone"
    return [
        Finding(
            rule="one_variable_steers",
            severity="alert",
            subject=name,
            value=float(share),
            limit=_ALONE,
            message=message,
        )
    ]


def _mean_ranges(batches: Batches) -> Array:
    """Return the mean over batches of the range of each variable, of what was observed."""
    ranges = np.array([_ranges(trace.values) for trace in batches.traces().values()])
    known = ~np.isnan(ranges)
    total = np.where(known, ranges, 0.0).sum(axis=0)
    return np.asarray(total / np.maximum(known.sum(axis=0), 1))


def _ranges(values: Array) -> Array:
    seen = ~np.isnan(values)
    top = np.where(seen, values, -np.inf).max(axis=0)
    bottom = np.where(seen, values, np.inf).min(axis=0)
    return np.where(seen.any(axis=0), top - bottom, np.nan)
