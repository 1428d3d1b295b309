"""Pictures of process scores: each draws what its result holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pharmaq import _style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from pharmaq.mspc.process._components import ComponentChoice
    from pharmaq.mspc.process._update import MonitorUpdate
    from pharmaq.mspc.process.scores import ProcessScores

__all__ = ["plot_choice", "plot_contributions", "plot_scores", "plot_update"]

_NAMES = {"t2": "T²", "spe": "SPE", "combined": "combined index"}


def plot_scores(
    result: ProcessScores, components: tuple[int, int], *, ax: Axes | None = None
) -> Axes:
    """Draw two scores of each row with the ellipse of the T2 limit of both.

    Parameters
    ----------
    result : ProcessScores
        From `ProcessMonitor.score`.
    components : tuple of int
        Numbers of two components, from 1.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    ax = _axes(ax)
    first, second = (number - 1 for number in components)
    x, y = result.scores[:, first], result.scores[:, second]
    above_t2, above_spe = result.outside("t2"), result.outside("spe")
    for rows, label, marker, color in (
        (~above_t2 & ~above_spe, "inside", "o", _style.PRIMARY),
        (above_t2 & ~above_spe, "T² outside", "^", _style.ALERT),
        (above_spe, "SPE outside", "s", _style.ACTION),
    ):
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
    angle = np.linspace(0, 2 * np.pi, 200)
    radius = np.sqrt(result.ellipse_limit * result.score_variances)
    ax.plot(
        radius[first] * np.cos(angle),
        radius[second] * np.sin(angle),
        color=_style.LIMIT,
        linestyle="--",
        linewidth=1.2,
        label=f"{100 * (1 - result.alpha):g} % of normal rows",
    )
    ax.axhline(0, color=_style.MUTED, linewidth=0.7)
    ax.axvline(0, color=_style.MUTED, linewidth=0.7)
    ax.legend(frameon=False, fontsize="small", ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return _finish(ax, f"score {components[0]}", f"score {components[1]}")


def plot_contributions(
    result: ProcessScores,
    row: int,
    statistic: str,
    table: pd.DataFrame,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw the largest contributions to one row as bars.

    Parameters
    ----------
    result : ProcessScores
        From `ProcessMonitor.score`.
    row : int
        Which row of the result.
    statistic : str
        ``"t2"``, ``"spe"`` or ``"combined"``.
    table : DataFrame
        From `ProcessScores.contributions`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    ax = _axes(ax)
    values = table["contribution"].to_numpy()
    place = np.arange(len(values))
    colors = [_style.PRIMARY if value >= 0 else _style.ALERT for value in values]
    ax.barh(place, values, color=colors, height=0.7)
    ax.set_yticks(place, list(table["variable"]), parse_math=False)
    ax.invert_yaxis()
    ax.axvline(0, color=_style.MUTED, linewidth=0.8)
    name, value = _NAMES[statistic], getattr(result, statistic)[row]
    limit = getattr(result, f"{statistic}_limit") * result.limit_factors[statistic][row]
    ax.set_title(
        f"{_label(result, row)}: {name} = {value:.4g}, limit {limit:.4g}",
        fontsize="medium",
        loc="left",
        parse_math=False,
    )
    left = len(result.variables) - len(values)
    others = f", {left} smaller ones not shown" if left else ""
    return _finish(ax, f"{result.contribution_method} contribution to {name}{others}", "")


def plot_choice(result: ComponentChoice, *, ax: Axes | None = None) -> Axes:
    """Draw the criterion over the number of components, and the number that was chosen.

    Parameters
    ----------
    result : ComponentChoice
        From `ProcessMonitor.component_choice_`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    ax = _axes(ax)
    numbers = np.arange(1, len(result.values) + 1)
    ax.plot(
        numbers,
        result.values,
        color=_style.PRIMARY,
        marker="o",
        markersize=3.5,
        linewidth=_style.LINE_WIDTH,
        label=result.criterion,
    )
    if np.isfinite(result.threshold).any():
        ax.plot(
            numbers, result.threshold, color=_style.LIMIT, linestyle="--", label="threshold"
        )
    ax.axvline(
        result.n_components,
        color=_style.MUTED,
        linewidth=_style.LINE_WIDTH,
        linestyle=":",
        label=f"chosen: {result.n_components}",
    )
    ax.legend(frameon=False, fontsize="small")
    ax.set_title(result.rule, loc="left", fontsize="medium")
    return _finish(ax, "number of components", result.criterion)


def plot_update(result: MonitorUpdate, *, ax: Axes | None = None) -> Axes:
    """Draw T2 and SPE, each over its limit, and the rows that were not learned.

    Parameters
    ----------
    result : MonitorUpdate
        From `ProcessMonitor.update`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    ax = _axes(ax)
    timed = result.label.dtype.kind == "M"
    x = result.label if timed else np.arange(1, len(result.label) + 1)
    for name, color, style in (("t2", _style.PRIMARY, "-"), ("spe", _style.SECONDARY, "--")):
        ratio = getattr(result, name) / getattr(result, f"{name}_limit")
        ax.plot(x, ratio, color=color, linestyle=style, linewidth=0.9, label=_NAMES[name])
        above = ratio > 1
        ax.scatter(
            x[above], ratio[above], s=_style.MARK_SIZE * 0.4, color=_style.ACTION, zorder=3
        )
    ax.axhline(1, color=_style.LIMIT, linewidth=1.2, label="limit")
    left = int((~result.learned).sum())
    ax.set_title(f"{left} of {len(x)} rows not learned", loc="left", fontsize="medium")
    ax.legend(frameon=False, fontsize="small", ncols=3)
    return _finish(ax, "" if timed else "row", "statistic / its limit")


def _label(result: ProcessScores, row: int) -> str:
    label = result.label[row]
    if isinstance(label, np.datetime64):
        return str(label.astype("datetime64[s]")).replace("T", " ")
    return f"row {label}" if isinstance(label, np.integer) else str(label)


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
