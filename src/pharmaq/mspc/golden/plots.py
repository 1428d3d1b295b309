"""Pictures of golden batches: each takes `ax`, draws what the result holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq import _style
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pharmaq.mspc.golden._compare import GroupComparison
    from pharmaq.mspc.golden.envelope import GoldenBatch
    from pharmaq.mspc.golden.similarity import Similarity

__all__ = ["plot_envelope", "plot_groups", "plot_similarity"]


def plot_envelope(
    golden: GoldenBatch, *, variable: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw centre and envelope of one variable."""
    j = _column(golden.variables_, variable, 0)
    ax = _new_axes(ax)
    share = f"{100 * golden.coverage:g} %"
    ax.fill_between(
        golden.time_,
        golden.lower_[:, j],
        golden.upper_[:, j],
        color=_style.SECONDARY,
        alpha=0.18,
        linewidth=0,
        label=f"{share} of good batches",
    )
    center = "median" if golden.method == "quantile" else "mean"
    ax.plot(
        golden.time_,
        golden.center_[:, j],
        color=_style.SECONDARY,
        linewidth=_style.LINE_WIDTH,
        label=f"{center} of {len(golden.batch_)} batches",
    )
    ax.legend(frameon=False, fontsize="small")
    units = golden.units_[j]
    return _finish(ax, golden.time_units_, golden.variables_[j], units)


def plot_similarity(
    result: Similarity,
    *,
    batch: Any = None,
    variable: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the envelope of a variable with a batch in focus, and mark what lies outside."""
    names = list(result.batch)
    if batch is not None and batch not in names:
        msg = f"batch must be one of {names[:10]!r}, got {batch!r}"
        raise InputError(msg)
    farthest = int(np.argmax(np.nan_to_num(result.distance)))
    b = farthest if batch is None else names.index(batch)
    golden = result.golden
    worst = int(np.argmax(np.nan_to_num(result.distance_by_variable[b])))
    j = _column(golden.variables_, variable, worst)
    ax = plot_envelope(golden, variable=golden.variables_[j], ax=ax)
    values = result.values[b, :, j]
    ax.plot(
        golden.time_,
        values,
        color=_style.PRIMARY,
        linewidth=2,
        label=f"batch {names[b]}",
        zorder=3,
    )
    outside = (values < golden.lower_[:, j]) | (values > golden.upper_[:, j])
    ax.scatter(
        golden.time_[outside],
        values[outside],
        s=_style.MARK_SIZE / 4,
        marker="s",
        color=_style.ACTION,
        label=f"outside: {int(outside.sum())} points",
        zorder=4,
    )
    ax.legend(frameon=False, fontsize="small")
    return ax


def plot_groups(
    result: GroupComparison, *, variable: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the mean trajectories of the groups."""
    names = result.table["variable"].tolist()
    largest = int(np.argmax(result.table["percent_between"].to_numpy()))
    j = _column(names, variable, largest)
    ax = _new_axes(ax)
    for number, group in enumerate(result.groups):
        ax.plot(
            result.time,
            result.means[number, :, j],
            color=_style.GROUP_MARKS[number % len(_style.GROUP_MARKS)][1],
            linestyle=_style.LINE_STYLES[number % len(_style.LINE_STYLES)],
            linewidth=2,
            label=f"{group}, {result.sizes[group]} batches",
        )
    share = result.table["percent_between"][j]
    ax.set_title(f"{share:.0f} % of the variance between groups", loc="left", fontsize="medium")
    ax.legend(frameon=False, fontsize="small")
    return _finish(ax, result.time_units, names[j], result.table["units"][j])


def _column(names: list[str], variable: str | None, default: int) -> int:
    if variable is None:
        return default
    if variable not in names:
        msg = f"variable must be one of {names}, got {variable!r}"
        raise InputError(msg)
    return names.index(variable)


def _new_axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(7, 4), layout="constrained")[1]


def _finish(ax: Axes, time_units: str, name: str, units: str) -> Axes:
    clock = "maturity" if time_units == "1" else f"aligned time / {time_units}"
    ax.set_xlabel(clock if time_units else "aligned time", parse_math=False)
    ax.set_ylabel(f"{name} / {units}" if units else name, parse_math=False)
    ax.grid(visible=True, color=_style.GRID, linewidth=0.6)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return ax
