"""Pictures of batches: each draws what its result holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq import _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from pharmaq.mspc.batch.scores import BatchScores

__all__ = [
    "plot_batches",
    "plot_contributions",
    "plot_heat_map",
    "plot_scores",
    "plot_trajectory",
]

LABELS = {
    "t2": "T²",
    "spe": "SPE",
    "spe_cumulative": "cumulative SPE",
    "spe_hindsight": "SPE with final scores",
}
# names written beside points or on an axis; more would hide each other
_MOST_NAMES = 12
# beyond so many times the limit, the axis is logarithmic
_FAR = 10.0


def plot_trajectory(
    result: BatchScores, statistic: str, row: int | None, *, ax: Axes | None = None
) -> Axes:
    """Draw a statistic of all batches over time, with limits and one batch in focus.

    Parameters
    ----------
    result : BatchScores
        From `BatchMonitor.score`.
    statistic : str
        ``"t2"``, ``"spe"``, ``"spe_cumulative"`` or ``"spe_hindsight"``.
    row : int or None
        Position of the batch in focus.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    ax = _axes(ax)
    values, limits = getattr(result, statistic), getattr(result, f"{statistic}_limit")
    for i in range(len(values)):
        if i != row:
            ax.plot(result.time, values[i], color=_style.MUTED, linewidth=0.7, alpha=0.6)
    dashes = _style.LINE_STYLES[1:]
    for a, (alpha, limit) in enumerate(zip(result.limits.alphas, limits, strict=True)):
        label = f"{100 * (1 - alpha):g} % limit"
        dash = dashes[a % len(dashes)]
        ax.plot(result.time, limit, color=_style.LIMIT, linestyle=dash, label=label)
    if row is not None:
        _focus(ax, result, values[row], limits[-1], str(result.batch[row]))
    for name, span in list(result.phase_spans().items())[1:]:
        ax.axvline(result.time[span.start], color=_style.GRID, linewidth=1.0, zorder=0)
        ax.annotate(name, (result.time[span.start], 1), xycoords=("data", "axes fraction"))
    if np.nanmax(values / limits[-1]) > _FAR:
        # limits would vanish at the bottom
        ax.set_yscale("log")
    else:
        ax.set_ylim(bottom=0)
    _legend(ax)
    return _finish(ax, "time", LABELS[statistic])


def plot_scores(
    result: BatchScores, components: tuple[int, int], row: int | None, *, ax: Axes | None = None
) -> Axes:
    """Draw the last scores of all batches with the ellipse of the fitted ones.

    Parameters
    ----------
    result : BatchScores
        From `BatchMonitor.score`.
    components : tuple of int
        Which two components, from 1.
    row : int or None
        Position of a batch whose way to its last scores is drawn.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    ax = _axes(ax)
    columns = [c - 1 for c in components]
    for alpha, dash in zip(result.limits.alphas, _style.LINE_STYLES[1:], strict=False):
        x, y = result.ellipse(components, alpha=alpha).T
        label = f"{100 * (1 - alpha):g} % of good batches"
        ax.plot(x, y, color=_style.LIMIT, linestyle=dash, label=label)
    last = result.last_scores()[:, columns]
    ax.scatter(
        last[:, 0], last[:, 1], s=_style.MARK_SIZE, color=_style.PRIMARY, label="batches"
    )
    if row is not None:
        name = str(result.batch[row])
        way = result.scores[row][:, columns]
        ax.plot(*way.T, color=_style.ACTION, linewidth=_style.THIN_LINE, zorder=1)
        marks: Any = {"s": 1.6 * _style.MARK_SIZE, "marker": "s", "color": _style.ACTION}
        ax.scatter(last[row, 0], last[row, 1], label=name, **marks)
    if len(last) <= _MOST_NAMES:
        for name, point in zip(result.batch, last, strict=True):
            ax.annotate(
                str(name), point, xytext=(4, 4), textcoords="offset points", fontsize="small"
            )
    ax.axhline(0, color=_style.GRID, linewidth=0.8, zorder=0)
    ax.axvline(0, color=_style.GRID, linewidth=0.8, zorder=0)
    _legend(ax)
    return _finish(ax, f"score {components[0]}", f"score {components[1]}")


def plot_contributions(
    result: BatchScores, statistic: str, row: int, *, top: int = 15, ax: Axes | None = None
) -> Axes:
    """Draw what each variable contributes to T2 or SPE of one batch.

    Parameters
    ----------
    result : BatchScores
        From `BatchMonitor.score`.
    statistic : str
        ``"t2"`` or ``"spe"``.
    row : int
        Position of the batch.
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
    frame = result.contributions(result.batch[row], statistic=statistic)[:top][::-1]  # type: ignore[arg-type]
    ax.barh(frame["variable"], frame["contribution"], color=_style.PRIMARY)
    ax.axvline(0, color=_style.MUTED, linewidth=0.8)
    ax.set_title(f"batch {result.batch[row]}", loc="left", fontsize="medium", parse_math=False)
    return _finish(ax, f"part of {LABELS[statistic]}", "")


def plot_heat_map(
    result: BatchScores, statistic: str, row: int, *, ax: Axes | None = None
) -> Axes:
    """Draw what each variable at each time contributes to T2 or SPE of one batch.

    Parameters
    ----------
    result : BatchScores
        From `BatchMonitor.score`.
    statistic : str
        ``"t2"`` or ``"spe"``, the latter with the sign of the residuals.
    row : int
        Position of the batch.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture; values that were not observed stay blank.
    """
    values = getattr(result, f"{statistic}_contributions")[row].T
    most = float(np.nanmax(np.abs(values), initial=1e-300))
    ax = _axes(ax)
    _mesh(ax, result.time, list(result.variables), values, (-most, most, "RdBu_r"))
    title = f"batch {result.batch[row]}: parts of {LABELS[statistic]}"
    ax.set_title(title, loc="left", fontsize="medium", parse_math=False)
    return _finish(ax, "time", "")


def plot_batches(result: BatchScores, statistic: str, *, ax: Axes | None = None) -> Axes:
    """Draw a statistic of all batches at all times, divided by its widest limit.

    Parameters
    ----------
    result : BatchScores
        From `BatchMonitor.score`.
    statistic : str
        As in `plot_trajectory`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture; dark is above the limit, blank was not observed.
    """
    values = getattr(result, statistic) / getattr(result, f"{statistic}_limit")[-1]
    ax = _axes(ax)
    names = [str(name) for name in result.batch]
    _mesh(ax, result.time, names, values, (0.0, 2.0, "RdBu_r"))
    level = f"{100 * (1 - result.limits.alphas[-1]):g} %"
    title = f"{LABELS[statistic]} / {level} limit; red above 1"
    ax.set_title(title, loc="left", fontsize="medium")
    return _finish(ax, "time", "batch")


def _focus(
    ax: Axes,
    result: BatchScores,
    values: NDArray[np.float64],
    limit: NDArray[np.float64],
    name: str,
) -> None:
    ax.plot(result.time, values, color=_style.PRIMARY, linewidth=1.8, label=f"batch {name}")
    above = np.flatnonzero(np.nan_to_num(values) > limit)
    if above.size:
        label = f"above, {above.size} times"
        marks: Any = {"s": _style.MARK_SIZE, "color": _style.ACTION, "marker": "s", "zorder": 3}
        ax.scatter(result.time[above], values[above], label=label, **marks)


def _mesh(
    ax: Axes,
    time: NDArray[Any],
    names: list[str],
    values: NDArray[np.float64],
    colors: tuple[float, float, str],
) -> None:
    low, high, cmap = colors
    rows = np.arange(len(names))
    mesh = ax.pcolormesh(
        time, rows, values, vmin=low, vmax=high, cmap=cmap, shading="nearest", rasterized=True
    )
    step = max(1, len(names) // 30)
    ax.set_yticks(rows[::step], names[::step])
    ax.invert_yaxis()
    ax.figure.colorbar(mesh, ax=ax)


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def _legend(ax: Axes) -> None:
    ax.legend(fontsize="small", frameon=False)


def _finish(ax: Axes, x: str, y: str) -> Axes:
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.spines[["top", "right"]].set_visible(False)
    return ax
