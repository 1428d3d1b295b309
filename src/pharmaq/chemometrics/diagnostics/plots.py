"""Pictures of diagnostics and contributions: each draws what its result holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq import _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from pharmaq.chemometrics.diagnostics._contributions import Contributions
    from pharmaq.chemometrics.diagnostics._result import Diagnostics

__all__ = ["plot_contributions", "plot_distances", "plot_residuals"]

_AXIS_LABELS = {
    "wavelength": "wavelength / nm",
    "wavenumber": "wavenumber / cm⁻¹",
    "raman_shift": "Raman shift / cm⁻¹",
    "point": "point",
}
_NAMES = {"t2": "T²", "spe": "SPE", "dmodx": "DModX"}
# names written beside points; more would hide each other
_MOST_NAMES = 12


def plot_distances(result: Diagnostics, *, ax: Axes | None = None) -> Axes:
    """Draw SPE (or DModX) over T2, each divided by its limit.

    Parameters
    ----------
    result : Diagnostics
        From `diagnose`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture; logarithmic where a sample lies beyond five times a limit.
    """
    ax = _axes(ax)
    beside = "dmodx" if result.convention == "simca" else "spe"
    x = result.t2 / result.limit("t2")
    y = getattr(result, beside) / result.limit(beside)
    out_x, out_y = result.outside("t2"), result.outside(beside)
    groups = (
        (~out_x & ~out_y, "inside", "o", _style.PRIMARY),
        (out_x & ~out_y, "T² outside", "^", _style.ALERT),
        (out_y, f"{_NAMES[beside]} outside", "s", _style.ACTION),
    )
    _draw_groups(ax, x, y, groups)
    for line, statistic in ((ax.axvline, "t2"), (ax.axhline, beside)):
        method = result.choices[f"{statistic} limit"]
        label = f"{_NAMES[statistic]} limit, {100 * (1 - result.alpha):g} %, {method}"
        dash = "--" if statistic == "t2" else ":"
        line(1, color=_style.LIMIT, linestyle=dash, linewidth=1.2, label=label)
    if max(np.nanmax(x, initial=0), np.nanmax(y, initial=0)) > 5:
        for scale, axis in ((ax.set_xscale, ax.xaxis), (ax.set_yscale, ax.yaxis)):
            scale("log")
            axis.set_major_formatter("{x:g}")
    else:
        ax.set_xlim(left=0)
        ax.set_ylim(bottom=0)
    _name_points(ax, x, y, result.sample, out_x | out_y)
    _legend(ax)
    return _finish(ax, "T² / limit", f"{_NAMES[beside]} / limit")


def plot_residuals(result: Diagnostics, *, ax: Axes | None = None) -> Axes:
    """Draw studentised residuals over leverage, with both limits.

    Parameters
    ----------
    result : Diagnostics
        From `diagnose` with `y`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture; of several responses the residual farthest from zero.
    """
    ax = _axes(ax)
    residual = np.asarray(result.residual)
    if residual.ndim == 2:
        residual = residual[np.arange(len(residual)), np.abs(residual).argmax(axis=1)]
    limit, most = result.limit("residual"), result.limit("leverage")
    out_y, out_x = np.abs(residual) > limit, result.leverage > most
    groups = (
        (~out_x & ~out_y, "inside", "o", _style.PRIMARY),
        (out_x & ~out_y, "leverage outside", "^", _style.ALERT),
        (out_y, "residual outside", "s", _style.ACTION),
    )
    _draw_groups(ax, result.leverage, residual, groups)
    ax.axhline(0, color=_style.MUTED, linewidth=0.8)
    label = f"residual limits, {100 * (1 - result.alpha):g} %, two-sided"
    ax.axhline(limit, color=_style.LIMIT, linestyle=":", linewidth=1.2, label=label)
    ax.axhline(-limit, color=_style.LIMIT, linestyle=":", linewidth=1.2)
    label = "leverage 3 (A + 1) / N"
    ax.axvline(most, color=_style.LIMIT, linestyle="--", linewidth=1.2, label=label)
    ax.set_xlim(left=0)
    _name_points(ax, result.leverage, residual, result.sample, out_x | out_y)
    _legend(ax)
    return _finish(ax, "leverage", "studentised residual")


def plot_contributions(
    result: Contributions, row: int, *, top: int = 15, ax: Axes | None = None
) -> Axes:
    """Draw the contributions of one sample: along the axis, or as bars for named variables.

    Parameters
    ----------
    result : Contributions
        From `contributions`.
    row : int
        Which row of the result.
    top : int, default 15
        Largest number of bars, those of the largest contributions.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    ax = _axes(ax)
    values = result.values[row]
    of = {"t2": "T²", "spe": "SPE", "scores": f"score {result.component}"}[result.statistic]
    title = f"{result.sample[row]}: {of} = {result.total[row]:.4g}, from the {result.origin}"
    ax.set_title(title, fontsize="medium", loc="left", parse_math=False)
    if result.variable_kind == "name":
        return _bars(ax, result.variable, values, top, of)
    positions = np.asarray(result.variable, dtype=float)
    ax.axhline(0, color=_style.MUTED, linewidth=0.8)
    for above, color in ((True, _style.PRIMARY), (False, _style.ALERT)):
        part = np.where((values >= 0) == above, values, 0.0)
        ax.fill_between(positions, part, color=color, alpha=0.25, linewidth=0)
    ax.plot(positions, values, color=_style.INK, linewidth=_style.THIN_LINE)
    if len(positions) > 1:
        ax.set_xlim(positions[0], positions[-1])
    ax.ticklabel_format(axis="y", scilimits=(-3, 4))
    return _finish(ax, _AXIS_LABELS[result.variable_kind], f"contribution to {of}")


def _bars(
    ax: Axes, names: NDArray[Any], values: NDArray[np.float64], top: int, of: str
) -> Axes:
    """Draw the largest contributions as bars, the largest on top."""
    order = np.argsort(-np.abs(values), kind="stable")[:top]
    colors = [_style.PRIMARY if values[k] >= 0 else _style.ALERT for k in order]
    ax.barh(np.arange(len(order)), values[order], color=colors, height=0.7)
    ax.set_yticks(np.arange(len(order)), [str(names[k]) for k in order], parse_math=False)
    ax.invert_yaxis()
    ax.axvline(0, color=_style.MUTED, linewidth=0.8)
    left = len(values) - len(order)
    others = f", {left} smaller ones not shown" if left else ""
    return _finish(ax, f"contribution to {of}{others}", "")


def _draw_groups(
    ax: Axes,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    groups: tuple[tuple[NDArray[np.bool_], str, str, str], ...],
) -> None:
    for rows, label, marker, color in groups:
        if rows.any():
            ax.scatter(
                x[rows],
                y[rows],
                s=_style.MARK_SIZE,
                marker=marker,
                facecolors=color,
                edgecolors=_style.SURFACE,
                linewidths=0.5,
                label=f"{label} ({int(rows.sum())})",
                zorder=3,
            )


def _name_points(
    ax: Axes,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    names: NDArray[Any],
    which: NDArray[np.bool_],
) -> None:
    """Write names beside the points outside: the farthest, and none on top of another."""
    rows = np.flatnonzero(which)
    places = ax.transData.transform(np.column_stack([x, y]))
    named: list[int] = []
    for i in rows[np.argsort(-np.hypot(x[rows], y[rows]))]:
        gaps = np.abs(places[named] - places[i])
        if len(named) == _MOST_NAMES or np.any((gaps[:, 0] < 55) & (gaps[:, 1] < 11)):
            continue
        named.append(int(i))
        ax.annotate(
            str(names[i]),
            (x[i], y[i]),
            xytext=(5, 3),
            textcoords="offset points",
            fontsize="x-small",
            color=_style.INK,
            # a dollar sign in a name is no formula
            parse_math=False,
        )


def _legend(ax: Axes) -> None:
    """Put the legend above the picture, where it hides no sample."""
    ax.legend(
        frameon=False,
        fontsize="small",
        ncols=3,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        borderaxespad=0.2,
        columnspacing=1.2,
    )


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(7, 4.5), layout="constrained")[1]


def _finish(ax: Axes, x: str, y: str) -> Axes:
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.grid(visible=True, color=_style.GRID, linewidth=0.6)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return ax
