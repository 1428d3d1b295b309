"""Pictures along the axis: what a model relies on, and which points were chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from pharmaq import _style
from pharmaq.chemometrics.plots import _canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from pharmaq.chemometrics.importance import JackknifeCoefficients
    from pharmaq.chemometrics.variables import IntervalSelection, VariableSelection

__all__ = [
    "plot_coefficients",
    "plot_intervals",
    "plot_jackknife",
    "plot_selectivity_ratio",
    "plot_variable_runs",
    "plot_vip",
]


def plot_coefficients(
    model: Any, *, n_components: int | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the regression coefficients along the axis, or as bars for named variables.

    Parameters
    ----------
    model : Calibration, PLS, PCR, OPLS or PLSDA
        A fitted model; of several responses each has a line.
    n_components : int, optional
        Coefficients with the first so many components; all by default.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture; coefficients of the preprocessed spectra.
    """
    ax = _canvas.new_axes(ax)
    model = getattr(model, "pls_", model)
    rows = model.coef_ if n_components is None else model.coef_path_[n_components - 1]
    classes = [str(label) for label in getattr(model, "classes_", [])][-len(rows) :]
    labels = classes or [f"y{i}" for i in range(len(rows))]
    ax.axhline(0, color=_style.MUTED, linewidth=0.8)
    return _columns(ax, model, list(rows), labels if len(rows) > 1 else [""], "coefficient")


def plot_vip(model: Any, values: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Draw the variable importance along the axis, or as bars for named variables.

    Parameters
    ----------
    model : Calibration or PLS
        A fitted model.
    values : array-like of shape (n_points,)
        From `vip`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture, with the mean level 1 marked.
    """
    ax = _canvas.new_axes(ax)
    ax.axhline(1, color=_style.LIMIT, linestyle="--", linewidth=1)
    model = getattr(model, "pls_", model)
    _columns(ax, model, [np.asarray(values, dtype=float)], [""], "VIP", color=_style.SECONDARY)
    ax.set_ylim(bottom=0)
    return ax


def plot_selectivity_ratio(model: Any, values: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Draw the selectivity ratio along the axis, or as bars for named variables.

    Parameters
    ----------
    model : Calibration or PLS
        A fitted model.
    values : array-like of shape (n_points,)
        From `selectivity_ratio`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture; points that are explained entirely, whose ratio is infinite, are left open.
    """
    ax = _canvas.new_axes(ax)
    ratios = np.asarray(values, dtype=float)
    ratios = np.where(np.isfinite(ratios), ratios, np.nan)
    model = getattr(model, "pls_", model)
    _columns(ax, model, [ratios], [""], "selectivity ratio", color=_style.SECONDARY)
    ax.set_ylim(bottom=0)
    return ax


def plot_jackknife(result: JackknifeCoefficients, *, ax: Axes | None = None) -> Axes:
    """Draw coefficients with two standard errors on each side.

    Parameters
    ----------
    result : JackknifeCoefficients
        From `jackknife`; of several responses the first.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    ax = _canvas.new_axes(ax)
    positions = np.asarray(result.axis, dtype=float)
    coefficients = np.atleast_2d(result.coefficients)[0]
    errors = np.atleast_2d(result.standard_errors)[0]
    ax.axhline(0, color=_style.MUTED, linewidth=0.8)
    x, low, high = _canvas.broken(
        positions, positions, coefficients - 2 * errors, coefficients + 2 * errors
    )
    ax.fill_between(
        x,
        low,
        high,
        color=_style.MUTED,
        alpha=0.35,
        linewidth=0,
        label="± 2 standard errors",
    )
    _canvas.draw_along(ax, positions, coefficients, _style.PRIMARY, label="coefficient")
    _canvas.legend_above(ax)
    label = _canvas.AXIS_LABELS.get(str(result.axis_kind), "point")
    return _canvas.finish(ax, label, "coefficient", positions=positions)


def plot_intervals(result: IntervalSelection, *, ax: Axes | None = None) -> Axes:
    """Draw the RMSECV of each interval in the first step, over the mean spectrum.

    Parameters
    ----------
    result : IntervalSelection
        From `interval_pls`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture. Bars: RMSECV of each interval alone (forward) or of all others (backward),
        the chosen ones darker and hatched; dashed: RMSECV of all points; dotted: of the
        chosen intervals together. The mean spectrum has a scale of its own.
    """
    ax = _canvas.new_axes(ax)
    for number, ((first, last), error) in enumerate(
        zip(result.intervals, result.rmsecv_first, strict=True)
    ):
        chosen = number in result.chosen
        ax.bar(
            (first + last) / 2,
            error,
            abs(last - first),
            facecolor=_style.PRIMARY if chosen else _style.GRID,
            edgecolor=_style.SURFACE,
            hatch="////" if chosen else "",
            linewidth=0.8,
            label=_bar_label(result, number),
        )
    for error, style, name in (
        (result.rmsecv_full, "--", "all points"),
        (result.rmsecv, ":", "chosen together"),
    ):
        ax.axhline(error, color=_style.LIMIT, ls=style, lw=1.4, label=f"{name}: {error:.3g}")
    shape = ax.twinx()
    halo = [withStroke(linewidth=3, foreground=_style.SURFACE)]
    shape.plot(result.axis, result.mean, color=_style.INK, linewidth=1.2, path_effects=halo)
    shape.set_yticks([])
    shape.set_ylabel("mean spectrum")
    for side in ("top", "left", "right"):
        shape.spines[side].set_visible(False)
    _canvas.legend_above(ax)
    label = _canvas.AXIS_LABELS.get(str(result.axis_kind), "point")
    return _canvas.finish(ax, label, "RMSECV", positions=np.asarray(result.axis))


def plot_variable_runs(result: VariableSelection, *, ax: Axes | None = None) -> Axes:
    """Draw RMSECV over the number of points that each run left.

    Parameters
    ----------
    result : VariableSelection
        From `cars`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture, with the chosen run and the RMSECV of all points marked.
    """
    ax = _canvas.new_axes(ax)
    ax.plot(
        result.n_variables,
        result.rmsecv,
        marker="o",
        markersize=4,
        color=_style.PRIMARY,
        linewidth=_style.LINE_WIDTH,
    )
    best = result.best_run
    ax.plot(
        [result.n_variables[best]],
        [result.rmsecv[best]],
        linestyle="",
        marker="o",
        markersize=11,
        fillstyle="none",
        color=_style.ACTION,
        label=f"{result.n_variables[best]} points: {result.rmsecv[best]:.3g}",
    )
    whole = result.rmsecv_full
    ax.axhline(whole, color=_style.LIMIT, ls="--", lw=1, label=f"all points: {whole:.3g}")
    ax.set_xscale("log")
    # runs go from many points to few
    ax.invert_xaxis()
    ax.set_ylim(bottom=0)
    _canvas.legend(ax)
    return _canvas.finish(ax, "points left", "RMSECV")


def _columns(
    ax: Axes,
    model: Any,
    columns: list[NDArray[np.float64]],
    labels: list[str],
    name: str,
    *,
    color: str = _style.PRIMARY,
) -> Axes:
    """Draw one value a point: lines along an axis, bars for named variables."""
    variables = _canvas.variable_names(model)
    if variables is not None:
        _canvas.draw_bars(ax, variables, columns, labels)
        _canvas.legend_above(ax)
        return _canvas.finish(ax, "", name)
    positions, label = _canvas.model_axis(model)
    for number, (values, text) in enumerate(zip(columns, labels, strict=True)):
        shade = color if len(columns) == 1 else _style.GROUP_MARKS[number % 6][1]
        style = _style.LINE_STYLES[number % 4]
        _canvas.draw_along(ax, positions, values, shade, linestyle=style, label=text)
    _canvas.legend_above(ax)
    if model.axis_ is None:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return _canvas.finish(ax, label, name, positions=positions)


def _bar_label(result: IntervalSelection, number: int) -> str:
    """Return the name of the first bar of each kind, for one entry in the legend."""
    chosen = number in result.chosen
    kind = [i for i in range(len(result.intervals)) if (i in result.chosen) == chosen]
    if number != kind[0]:
        return ""
    what = "alone" if result.direction == "forward" else "left out"
    return f"chosen, {what}" if chosen else f"other, {what}"
