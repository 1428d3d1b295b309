"""Fit of a monitor: model, statistics of rows seen and left out, limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq._checks import as_float, check_choice, check_finite, check_integer, check_real
from pharmaq.chemometrics import PCA, PLS
from pharmaq.errors import InputError
from pharmaq.mspc.process._components import choose_components
from pharmaq.mspc.process._left_out import left_out_statistics
from pharmaq.mspc.process._score import prepare
from pharmaq.mspc.process._table import lagged_names, with_lags
from pharmaq.mspc.process.limits import MonitorLimit, Statistics, combined_index, make_limits
from pharmaq.mspc.process.scores import NAMES, missing_finding
from pharmaq.provenance import record_provenance
from pharmaq.results import Finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pharmaq.mspc.process._table import Table

    Array = NDArray[np.float64]


# beyond this many columns their covariance is not kept
_MOST_TO_UPDATE = 1000


def fit_monitor(monitor: Any, table: Table, y: Any) -> None:
    """Fit a monitor to rows of normal operation."""
    _check_parameters(monitor, y)
    scaled = monitor.scaling == "autoscale"
    _refuse_useless(table, scaled=scaled, missing=monitor.missing)
    values, rows = with_lags(table, monitor.lags)
    response = None if y is None else _response(y, len(table.values))[rows]
    monitor.variables_, monitor.units_ = table.variables, table.units
    monitor.named_ = table.named
    monitor.model_variables_ = lagged_names(table.variables, monitor.lags)
    monitor.component_choice_ = choose_components(
        monitor.n_components,
        _scaled(values, scaled=scaled),
        response,
        explained=monitor.explained,
        cv=monitor.cv or 10,
        random_state=monitor.random_state,
    )
    count = monitor.component_choice_.n_components
    model = _fitted(_new_model(monitor, count), values, response)
    monitor.model_, monitor.n_samples_ = model, float(len(values))
    monitor.n_updates_, monitor.n_missing_ = 0, int(np.isnan(table.values).sum())
    monitor.covariance_, monitor.memory_ = _covariance(monitor, values), None
    monitor.statistics_ = _statistics(monitor, values, response)
    set_limits(monitor)
    n_missing = np.isnan(table.values).sum(axis=1)
    monitor.findings_ = (
        *missing_finding(n_missing, table.values, table.variables, monitor.missing),
        *_false_alarm_findings(monitor.limits_),
    )
    monitor.provenance_ = record_provenance(
        parameters=monitor.get_params(), arrays={"X": table.values}
    )


def set_limits(monitor: Any) -> None:
    """Set limits, weights of the combined index and medians from the statistics."""
    methods = {name: getattr(monitor, f"{name}_limit") for name in ("t2", "spe", "combined")}
    monitor.limits_ = make_limits(monitor.statistics_, methods, monitor.alpha)
    later = {
        limit.statistic: limit.value for limit in monitor.limits_ if limit.phase == "phase2"
    }
    monitor.weights_ = (later["t2"], later["spe"])
    seen = monitor.statistics_.fitted
    if seen is not None:
        both = combined_index(seen["t2"], seen["spe"], *monitor.weights_)
        monitor.medians_ = {
            "t2": float(np.median(seen["t2"])),
            "spe": float(np.median(seen["spe"])),
            "combined": float(np.median(both)),
        }
    prepare(monitor)


def _check_parameters(monitor: Any, y: Any) -> None:
    check_choice("method", monitor.method, ("pca", "pls"))
    check_choice("scaling", monitor.scaling, ("autoscale", "center"))
    check_integer("lags", monitor.lags, least=0)
    check_choice("missing", monitor.missing, ("raise", "nipals", "tsr"))
    check_real("alpha", monitor.alpha, above=0, below=1)
    if monitor.cv is not None:
        check_integer("cv", monitor.cv, least=2)
    if check_real("forgetting", monitor.forgetting, above=0) > 1:
        msg = f"forgetting must lie in (0, 1], got {monitor.forgetting!r}"
        raise InputError(msg)
    if (y is None) == (monitor.method == "pls"):
        needed = "needs y" if y is None else "takes no y; method='pls' does"
        msg = f"method = {monitor.method!r} {needed}"
        raise InputError(msg)


def _refuse_useless(table: Table, *, scaled: bool, missing: str) -> None:
    """Raise for variables that cannot be modelled, by name."""
    values = table.values
    absent = np.isnan(values)
    empty = np.flatnonzero(absent.all(axis=0))
    if empty.size:
        msg = (
            f"variable {table.variables[empty[0]]!r} has no value in X ({empty.size} such "
            "variables); leave it out"
        )
        raise InputError(msg)
    if missing == "raise" and absent.any():
        i, k = (int(place) for place in np.argwhere(absent)[0])
        msg = (
            f"variable {table.variables[k]!r} is NaN in row {i} of X ({int(absent.sum())} "
            "values are missing); remove the rows, or set missing='tsr'"
        )
        raise InputError(msg)
    still = np.flatnonzero(np.nanmax(values, axis=0) == np.nanmin(values, axis=0))
    if scaled and still.size:
        k = int(still[0])
        msg = (
            f"variable {table.variables[k]!r} is constant in X at "
            f"{np.nanmax(values[:, k]):g} ({still.size} such variables); leave it out, for it "
            "has no scale"
        )
        raise InputError(msg)


def _response(y: Any, n: int) -> Array:
    response = as_float("y", y)
    if response.ndim not in (1, 2) or len(response) != n:
        msg = f"y must have one row a row of X, {n}, got shape {response.shape}"
        raise InputError(msg)
    check_finite("y", response)
    return response


def _scaled(values: Array, *, scaled: bool) -> Array:
    centered = values - np.nanmean(values, axis=0)
    return centered / np.nanstd(values, axis=0, ddof=1) if scaled else centered


def _new_model(monitor: Any, n_components: int) -> Any:
    build: Any = PCA if monitor.method == "pca" else PLS
    scale = monitor.scaling == "autoscale"
    # trimmed score regression, and the residual covariance it keeps for incomplete rows
    score_method = "auto" if monitor.missing == "raise" else "tsr"
    return build(n_components, scale=scale, missing=monitor.missing, score_method=score_method)


def _fitted(model: Any, values: Array, response: Array | None) -> Any:
    return model.fit(values) if response is None else model.fit(values, response)


def _covariance(monitor: Any, values: Array) -> Array | None:
    """Return what `update` starts from."""
    wide = values.shape[1] > _MOST_TO_UPDATE
    if monitor.method == "pls" or wide or np.isnan(values).any():
        return None
    return np.cov(values, rowvar=False).reshape(values.shape[1], -1)


def _statistics(monitor: Any, values: Array, response: Array | None) -> Statistics:
    """Return T2 and SPE of the rows, seen and left out."""
    model = monitor.model_
    scores, spe = model.project_array(values)
    fitted = {"t2": model.t2_of_scores(scores), "spe": spe}
    share = 1 - np.isnan(values).mean(axis=1)
    left_out = None
    if monitor.cv is not None:
        left_out = dict(
            zip(
                ("t2", "spe"),
                left_out_statistics(
                    values,
                    response,
                    lambda: _new_model(monitor, model.n_components_),
                    monitor.cv,
                    monitor.model_variables_,
                ),
                strict=True,
            )
        )
    return Statistics(
        n_samples=len(values),
        variances=np.asarray(model.score_variances_),
        residual_eigenvalues=np.asarray(model.residual_eigenvalues_),
        fitted=fitted,
        left_out=left_out,
        whole_spe=spe / share,
    )


def _false_alarm_findings(limits: tuple[MonitorLimit, ...]) -> tuple[Finding, ...]:
    """Return one finding for each limit that left-out rows exceed too often or too rarely."""
    findings = []
    for limit in limits:
        if limit.phase == "phase1" or not (limit.low > limit.alpha or limit.high < limit.alpha):
            continue
        often = limit.low > limit.alpha
        way = "; use the method 'cross-validated'" if often else ""
        findings.append(
            Finding(
                rule="false_alarms",
                severity="alert" if often else "info",
                subject=f"limit of {NAMES[limit.statistic]}",
                message=(
                    f"{100 * limit.false_alarms:.2g} % of normal rows that were left out lie "
                    f"above the limit by {limit.method}, not {100 * limit.alpha:g} %{way}"
                ),
                value=limit.false_alarms,
                limit=limit.alpha,
            )
        )
    return tuple(findings)
