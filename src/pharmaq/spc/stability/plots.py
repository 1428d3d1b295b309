"""Pictures of stability studies; they draw what a result holds and compute nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np

from pharmaq import _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pharmaq.spc.stability._arrhenius import ArrheniusFit
    from pharmaq.spc.stability._result import ShelfLife
    from pharmaq.spc.stability.excursions import ExcursionReport

__all__ = ["plot_arrhenius", "plot_excursions", "plot_shelf_life"]


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


def plot_arrhenius(found: ArrheniusFit, *, ax: Axes | None = None) -> Axes:
    """Draw the rates of the conditions on a log scale over 1000 / T, with the model.

    Parameters
    ----------
    found : ArrheniusFit
        What to draw.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
    rates = found.rates
    x = 1000 / (rates["temperature"] + 273.15)
    good = rates["rate"] > 0
    ax.scatter(
        x[good], rates["rate"][good], color=_style.PRIMARY, s=30, label="line of its own"
    )
    ax.scatter(x, rates["fitted"], color=_style.SECONDARY, marker="_", s=120, label="model")
    if len(found.curve):
        grid = 1000 / (found.curve["temperature"] + 273.15)
        ax.plot(grid, found.curve["rate"], color=_style.SECONDARY, linewidth=_style.LINE_WIDTH)
        ax.fill_between(
            grid,
            found.curve["lower"],
            found.curve["upper"],
            color=_style.SECONDARY,
            alpha=0.15,
            label=f"{found.confidence:.0%} limits",
        )
    ax.set_yscale("log")
    ax.set_xlabel("1000 K / T")
    ax.set_ylabel("rate")
    top = ax.secondary_xaxis(
        "top", functions=(lambda v: 1000 / np.maximum(v, 1e-9) - 273.15, _reciprocal)
    )
    top.set_xlabel("temperature (°C)")
    low, high = found.activation_energy_limits
    ax.set_title(
        f"E = {found.activation_energy:.1f} kJ/mol ({low:.1f} to {high:.1f})",
        loc="left",
        fontsize=9,
    )
    ax.legend(frameon=False, fontsize="small")
    ax.spines["right"].set_visible(False)
    return ax


def plot_excursions(found: ExcursionReport, *, ax: Axes | None = None) -> Axes:
    """Draw readings with the ranges of the rule and the rolling mean kinetic temperature.

    Parameters
    ----------
    found : ExcursionReport
        What to draw.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(7.4, 3.8), layout="constrained")
    rule = found.rule
    ax.axhspan(rule.allowed_low, rule.allowed_high, color=_style.GRID, alpha=0.4, linewidth=0)
    ax.axhspan(rule.low, rule.high, color=_style.SECONDARY, alpha=0.12, linewidth=0)
    ax.plot(
        found.hours, found.temperature, color=_style.PRIMARY, linewidth=1.0, label="reading"
    )
    ax.plot(
        found.hours,
        found.rolling_mkt,
        color=_style.LIMIT,
        linewidth=_style.LINE_WIDTH,
        label=f"mean kinetic, {rule.mkt_hours:g} h",
    )
    ax.axhline(rule.mkt_limit, color=_style.LIMIT, linestyle="--", linewidth=_style.THIN_LINE)
    for start, end in found.excursions[["start", "end"]].to_numpy(float):
        ax.axvspan(start, end, color=_style.ALERT, alpha=0.15, linewidth=0)
    ax.set_xlabel("hours")
    ax.set_ylabel("temperature (°C)")
    verdict = "allowed" if found.allowed else "not allowed"
    n = len(found.excursions)
    ax.set_title(
        f"{rule.name}: {n} excursion{'s' if n != 1 else ''}, "
        f"highest mean kinetic temperature {found.mkt:.2f} °C, {verdict}",
        loc="left",
        fontsize=9,
    )
    ax.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.15),
        frameon=False,
        fontsize="small",
        ncols=3,
    )
    ax.margins(x=0.01)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _reciprocal(celsius: Any) -> Any:
    return 1000 / np.maximum(celsius + 273.15, 1e-9)


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
