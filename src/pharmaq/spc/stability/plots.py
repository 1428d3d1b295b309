"""Pictures of stability studies; they draw what a result holds and compute nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt

from pharmaq import _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pharmaq.spc.stability._result import ShelfLife

__all__ = ["plot_shelf_life"]


def plot_shelf_life(found: ShelfLife, *, ax: Axes | None = None) -> Axes:
    """Draw results, lines, bounds, specification and shelf life.

    Parameters
    ----------
    found : ShelfLife
        What to draw.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(7.4, 4.4), layout="constrained")
    marks = {
        name: _style.GROUP_MARKS[i % len(_style.GROUP_MARKS)]
        for i, name in enumerate(found.lines["batch"])
    }
    for name, rows in found.data.groupby("batch", sort=False):
        shape, color = marks[str(name)]
        ax.scatter(
            rows["time"],
            rows["value"],
            marker=shape,
            color=color,
            s=_style.MARK_SIZE,
            label=str(name),
            zorder=3,
        )
    _draw_curves(found, ax, {name: color for name, (_, color) in marks.items()})
    _draw_limits(found, ax)
    ax.set_xlabel("time (months)")
    ax.set_ylabel(found.units or "result")
    ax.set_title(_title(found), loc="left", fontsize=9)
    ax.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.12),
        frameon=False,
        fontsize="small",
        ncols=6,
    )
    ax.margins(x=0.02)
    ax.set_xlim(left=-0.02 * float(found.curves["time"].max()))
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _draw_curves(found: ShelfLife, ax: Axes, colors: dict[str, str]) -> None:
    label = f"{found.confidence:.0%} bound, {found.conventions['sides']}-sided"
    for name, rows in found.curves.groupby("batch", sort=False):
        color = colors.get(str(name), _style.INK)
        worst = str(name) in {found.worst_batch, ""}
        ax.plot(rows["time"], rows["estimate"], color=color, linewidth=_style.LINE_WIDTH)
        for side, limit in (("lower", found.lsl), ("upper", found.usl)):
            if limit is None:
                continue
            ax.plot(
                rows["time"],
                rows[side],
                color=color,
                linestyle="--",
                linewidth=_style.LINE_WIDTH if worst else _style.THIN_LINE,
                label=label if worst else "",
            )
            label = "" if worst else label


def _draw_limits(found: ShelfLife, ax: Axes) -> None:
    for name, limit in (("LSL", found.lsl), ("USL", found.usl)):
        if limit is not None:
            ax.axhline(limit, color=_style.ACTION, linewidth=_style.LINE_WIDTH)
            ax.annotate(
                f"{name} {limit:g}",
                (1.0, limit),
                xycoords=("axes fraction", "data"),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                annotation_clip=False,
                fontsize="small",
                color=_style.ACTION,
            )
    last = float(found.data["time"].max())
    ax.axvline(last, color=_style.MUTED, linestyle=":", linewidth=_style.THIN_LINE)
    _name_line(ax, last, "end of data", _style.MUTED)
    if math.isfinite(found.shelf_life) and found.shelf_life > 0:
        ax.axvline(found.shelf_life, color=_style.LIMIT, linewidth=_style.LINE_WIDTH)
        _name_line(ax, found.shelf_life, f"{found.shelf_life:.4g}", _style.LIMIT)
    if found.proposed < found.months:
        ax.axvline(found.proposed, color=_style.SECONDARY, linewidth=_style.LINE_WIDTH)
        _name_line(ax, found.proposed, f"proposed {found.proposed:g}", _style.SECONDARY)


def _name_line(ax: Axes, place: float, text: str, color: str) -> None:
    ax.annotate(
        text,
        (place, 0.0),
        xycoords=("data", "axes fraction"),
        xytext=(3, 4),
        textcoords="offset points",
        fontsize="small",
        rotation=90,
        color=color,
    )


def _title(found: ShelfLife) -> str:
    words = {
        "common": "one line for all batches",
        "common_slope": "common slope, separate intercepts",
        "separate": f"separate lines, {found.conventions['mse']} error",
    }
    worst = f", batch {found.worst_batch} decides" if found.worst_batch else ""
    life = f"{found.shelf_life:.4g}" if math.isfinite(found.shelf_life) else "unbounded"
    return f"shelf life {life}, proposed {found.proposed:g}: {words[found.model]}{worst}"
