"""Rows against a fitted monitor: many at once, or one in a few microseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq.chemometrics import t2_limit
from pharmaq.errors import InputError
from pharmaq.mspc.process._decompose import decompose
from pharmaq.mspc.process._incomplete import limit_factors
from pharmaq.mspc.process._table import with_lags
from pharmaq.mspc.process.limits import combined_index
from pharmaq.mspc.process.scores import (
    STATISTICS,
    Observation,
    ProcessScores,
    make_findings,
    missing_finding,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pharmaq.mspc.process._table import Table

    Array = NDArray[np.float64]


def require_fitted(monitor: Any) -> None:
    """Raise if a monitor was not fitted."""
    if not hasattr(monitor, "limits_"):
        msg = "this ProcessMonitor is not fitted yet; call fit before using it"
        raise InputError(msg)


def refuse_missing(values: Array, variables: tuple[str, ...], missing: str) -> None:
    """Raise if values are missing and the monitor does not say what to do."""
    absent = np.isnan(values)
    if missing == "raise" and absent.any():
        i, k = (int(place) for place in np.argwhere(absent)[0])
        msg = (
            f"variable {variables[k]!r} is NaN in row {i} of X ({int(absent.sum())} values are "
            "missing); fit the monitor with missing='tsr' to score such rows"
        )
        raise InputError(msg)


def score_table(monitor: Any, table: Table, phase: str, kind: str) -> ProcessScores:
    """Judge rows of a table."""
    refuse_missing(table.values, table.variables, monitor.missing)
    values, rows = with_lags(table, monitor.lags)
    _refuse_empty(values, table.labels[rows])
    model, names = monitor.model_, monitor.model_variables_
    parts = decompose(model, values, monitor.weights_, kind)
    limits = {
        limit.statistic: (limit.value, limit.method)
        for limit in monitor.limits_
        if limit.phase == phase
    }
    found = {
        "t2": parts.t2,
        "spe": parts.spe,
        "combined": combined_index(parts.t2, parts.spe, *monitor.weights_),
    }
    shares = {"t2": parts.t2_contributions, "spe": parts.spe_contributions}
    label, n_missing = table.labels[rows], np.isnan(values).sum(axis=1)
    method = getattr(model, "score_method_", "")
    factors = _factors(monitor, values)
    findings = make_findings(label, found, limits, factors, shares, names)
    return ProcessScores(
        label=label,
        phase=phase,
        method=monitor.method,
        n_components=model.n_components_,
        n_samples=monitor.n_samples_,
        variables=names,
        scores=parts.scores,
        score_variances=np.asarray(model.score_variances_),
        t2=found["t2"],
        spe=found["spe"],
        combined=found["combined"],
        t2_limit=limits["t2"][0],
        spe_limit=limits["spe"][0],
        combined_limit=limits["combined"][0],
        limit_methods={name: how for name, (_, how) in limits.items()},
        alpha=monitor.alpha,
        ellipse_limit=_ellipse(monitor),
        medians=monitor.medians_,
        contribution_method=kind,
        t2_contributions=parts.t2_contributions,
        spe_contributions=parts.spe_contributions,
        combined_contributions=parts.combined_contributions,
        predicted=_predicted(model, parts.scores),
        n_missing=n_missing,
        limit_factors=factors,
        n_without_history=len(table.values) - len(rows),
        findings=missing_finding(n_missing, values, names, method) + findings,
    )


def _factors(monitor: Any, values: Array) -> dict[str, Array]:
    """Return what the limits of each row are multiplied with."""
    if not np.isnan(values).any():
        return {name: np.ones(len(values)) for name in STATISTICS}
    return limit_factors(monitor.model_, values, monitor.weights_, monitor.alpha)


def _refuse_empty(values: Array, label: NDArray[Any]) -> None:
    empty = np.flatnonzero(np.isnan(values).all(axis=1))
    if empty.size:
        msg = (
            f"row {label[empty[0]]} of X has no value at all ({empty.size} such rows); nothing "
            "can be said about it: remove it"
        )
        raise InputError(msg)


def prepare(monitor: Any) -> Callable[[Any], Observation]:
    """Give a monitor its fast way to judge one row, and return it."""
    from pharmaq.mspc.process._kernels import score_row

    require_fitted(monitor)
    # numba's types do not know what a kernel takes
    run: Any = score_row
    model = monitor.model_
    arrays: Any = tuple(
        np.ascontiguousarray(array, dtype=np.float64)
        for array in (
            model.x_mean_,
            model.x_scale_,
            model.x_rotations_,
            model.x_rotations_.T,
            model.x_loadings_.T,
            model.score_variances_,
        )
    )
    size = len(arrays[0])
    t2_weight, spe_weight = monitor.weights_
    limits = [
        next(m.value for m in monitor.limits_ if (m.statistic, m.phase) == (name, "phase2"))
        for name in ("t2", "spe")
    ]
    t2_most, spe_most = limits
    per_spe = 1 / spe_weight if spe_weight > 0 else 0.0

    def fast(values: Any) -> Observation:
        row = np.ascontiguousarray(values, dtype=np.float64)
        if row.shape != (size,):
            row = _one_row(monitor, row)
        shares = np.empty((2, size))
        t2, spe = run(row, *arrays, shares)
        # infinity or NaN makes the difference NaN
        if not t2 - t2 == spe - spe == 0:
            return _unusual(monitor, row)
        combined = t2 / t2_weight + spe * per_spe
        alarm = t2 > t2_most or spe > spe_most
        return Observation(t2, spe, combined, alarm, shares[0], shares[1])

    monitor.fast_ = fast
    return fast


def _one_row(monitor: Any, values: Array) -> Array:
    """Return lagged rows as the model sees them: the latest first."""
    K, lags = len(monitor.variables_), monitor.lags
    if lags and values.shape == (lags + 1, K):
        return np.ascontiguousarray(values[::-1].ravel())
    wanted = f"({lags + 1}, {K}), the latest row last" if lags else f"({K},)"
    msg = f"values must have shape {wanted}, got {values.shape}"
    raise InputError(msg)


def _unusual(monitor: Any, row: Array) -> Observation:
    """Judge a row with missing values; refuse infinite ones."""
    infinite = np.flatnonzero(np.isinf(row))
    if infinite.size or not np.isnan(row).any():
        k = int(infinite[0]) if infinite.size else int(np.argmax(np.abs(row)))
        msg = f"variable {monitor.model_variables_[k]!r} must be finite, got {row[k]:g}"
        raise InputError(msg)
    refuse_missing(row[None], monitor.model_variables_, monitor.missing)
    if np.isnan(row).all():
        msg = "values has no value at all; nothing can be said about this row"
        raise InputError(msg)
    parts = decompose(monitor.model_, row[None], monitor.weights_, "complete")
    t2, spe = float(parts.t2[0]), float(parts.spe[0])
    both = combined_index(parts.t2, parts.spe, *monitor.weights_)
    limits = {m.statistic: m.value for m in monitor.limits_ if m.phase == "phase2"}
    share = {name: factor[0] for name, factor in _factors(monitor, row[None]).items()}
    alarm = bool(t2 > limits["t2"] * share["t2"] or spe > limits["spe"] * share["spe"])
    shares: Any = (parts.t2_contributions, parts.spe_contributions)
    return Observation(t2, spe, float(both[0]), alarm, shares[0][0], shares[1][0])


def _ellipse(monitor: Any) -> float:
    n = int(monitor.n_samples_)
    return t2_limit(n, 2, alpha=monitor.alpha) if n > 2 else float("nan")


def _predicted(model: Any, scores: Array) -> Array | None:
    if not hasattr(model, "y_loadings_"):
        return None
    return np.asarray(model.y_mean_ + (scores @ model.y_loadings_.T) * model.y_scale_)
