"""Pictures of capability; they draw what a result holds and compute nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator

from pharmaq import _style
from pharmaq.spc.inference.plots import finish

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from pharmaq.spc.capability._result import Capability
    from pharmaq.spc.capability._sixpack import Sixpack
    from pharmaq.spc.capability._stages import StagedCapability

__all__ = ["plot_capability", "plot_sixpack", "plot_stages"]

_PERCENT = np.array([0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99])
# normal quantiles of the ticks
_SCORES = np.array([-2.3263, -1.6449, -0.8416, 0.0, 0.8416, 1.6449, 2.3263])
_SHORT, _LONG = _style.SECONDARY, _style.INK


def plot_capability(found: Capability, *, ax: Axes | None = None) -> Axes:
    """Draw the histogram of the values with specification, target and mean.

    Parameters
    ----------
    found : Capability
        What to draw.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(7.0, 3.8), layout="constrained")
    _draw_histogram(found, ax)
    ax.set_ylabel("number of values")
    _draw_specification(found, ax, mean=True)
    text = [
        f"{one.name.capitalize()} {one.value:.2f}"
        + ("" if one.lower is None else f" ({one.lower:.2f} to {one.upper:.2f})")
        for one in found.indices.values()
        if one.name in {"cp", "cpk", "pp", "ppk"}
    ]
    if not found.valid:
        text.append("not valid: " + ", ".join(one.rule for one in found.findings))
    color = _style.INK if found.valid else _style.ACTION
    ax.set_title("\n".join(text), loc="left", fontsize=9, color=color, pad=34)
    return ax


def plot_sixpack(found: Capability, shown: Sixpack, *, figure: Figure | None = None) -> Figure:
    """Draw charts, last values, histogram with fits, probability plot and summary.

    Parameters
    ----------
    found : Capability
        The study.
    shown : Sixpack
        What its pictures show.
    figure : matplotlib Figure, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Figure
        The six pictures.
    """
    if figure is None:
        figure = plt.figure(figsize=(12.5, 9.5), layout="constrained")
    grid = figure.subplots(3, 2, width_ratios=(1.15, 1))
    for ax, chart in zip(grid[:, 0], shown.charts, strict=False):
        chart.plot(ax=ax)
        ax.set_xlabel("")
    if not found.units:
        grid[0, 0].set_ylabel("value")
    if len(shown.charts) < 3:
        _draw_last(found, shown, grid[2, 0])
    _draw_fits(found, shown, grid[0, 1])
    _draw_probability(found, shown, grid[1, 1])
    _draw_summary(found, shown, grid[2, 1])
    verdict = f"no sign of instability, {found.distribution} fits"
    if not found.valid:
        verdict = "not valid: " + ", ".join(one.rule for one in found.findings)
    figure.suptitle(
        f"Capability six-pack, {found.n_values} values; {verdict}",
        x=0.01,
        ha="left",
        fontsize="large",
        color=_style.INK if found.valid else _style.ACTION,
    )
    return figure


def plot_stages(result: StagedCapability, *, ax: Axes | None = None) -> Axes:
    """Draw Cpk and Ppk of each stage with their limits; open marks are not valid.

    Parameters
    ----------
    result : StagedCapability
        What to draw.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(7.0, 4.0), layout="constrained")
    for name, color, mark, side in (
        ("cpk", _style.PRIMARY, "o", -0.12),
        ("ppk", _style.ALERT, "s", 0.12),
    ):
        label: str | None = name.capitalize()
        for place, one in enumerate(result.stages.values()):
            index = one.indices.get(name)
            if index is None:
                continue
            x = place + side
            if index.lower is not None and index.upper is not None:
                ax.vlines(x, index.lower, index.upper, color=color, linewidth=_style.LINE_WIDTH)
            ax.scatter(
                x,
                index.value,
                marker=mark,
                s=_style.MARK_SIZE * 1.6,
                edgecolors=color,
                facecolors=color if one.valid else _style.SURFACE,
                linewidths=1.3,
                label=label,
                zorder=3,
            )
            label = None
    ax.axhline(4 / 3, color=_style.MUTED, linestyle=":", linewidth=_style.LINE_WIDTH)
    ax.annotate(
        "1.33",
        (1, 4 / 3),
        xycoords=("axes fraction", "data"),
        xytext=(3, 0),
        textcoords="offset points",
        va="center",
        fontsize="small",
        color=_style.MUTED,
    )
    ax.set_xticks(np.arange(len(result.stages)), list(result.stages))
    ax.set_xlim(-0.5, len(result.stages) - 0.5)
    ax.legend(frameon=False, ncols=2, loc="lower left", bbox_to_anchor=(0, 1))
    if not result.valid:
        ax.set_title("open: not valid", loc="right", fontsize="medium", color=_style.ACTION)
    finish(ax, "stage", "index with limits")
    ax.grid(visible=False, axis="x")
    return ax


def _draw_histogram(found: Capability, ax: Axes, *, density: bool = False) -> None:
    ax.hist(
        found.values,
        bins="auto",
        density=density,
        color=_style.PRIMARY,
        alpha=0.55,
        edgecolor=_style.SURFACE,
    )
    ax.set_xlabel(found.units or "value")
    ax.margins(x=0.08)
    ax.spines[["top", "right"]].set_visible(False)


def _draw_specification(found: Capability, ax: Axes, *, mean: bool) -> None:
    lines = (
        ("LSL", found.lsl, _style.ACTION, "-"),
        ("USL", found.usl, _style.ACTION, "-"),
        ("target", found.target, _style.SECONDARY, "--"),
        ("mean", found.mean if mean else None, _style.INK, ":"),
    )
    for row, (name, value, color, dash) in enumerate(lines):
        if value is None:
            continue
        ax.axvline(value, color=color, linestyle=dash, linewidth=_style.LINE_WIDTH)
        # names of lines that may stand close together are at different heights
        ax.annotate(
            f"{name} {value:g}" if name != "mean" else f"mean {value:.4g}",
            (value, 1.02 + 0.07 * (row >= 2) + 0.07 * (row == 3)),
            xycoords=("data", "axes fraction"),
            ha="center",
            color=color,
            fontsize=9,
        )


def _draw_last(found: Capability, shown: Sixpack, ax: Axes) -> None:
    positions = shown.last_positions
    ax.scatter(
        positions,
        shown.last_values,
        s=_style.MARK_SIZE * 0.7,
        color=_style.PRIMARY,
        edgecolors=_style.SURFACE,
        linewidths=0.4,
        zorder=3,
    )
    ax.axhline(found.mean, color=_style.INK, linewidth=_style.THIN_LINE)
    count = int(positions[-1] - positions[0]) + 1
    what = "values" if found.subgroup_sizes is None else "subgroups"
    ax.set_title(f"Last {count} {what}", loc="left", fontsize="medium")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    finish(ax, what.rstrip("s"), found.units or "value")
    ax.grid(visible=False, axis="x")
    ax.tick_params(labelsize="small")


def _draw_fits(found: Capability, shown: Sixpack, ax: Axes) -> None:
    _draw_histogram(found, ax, density=True)
    width = _style.LINE_WIDTH
    name = found.variation.replace("_", "/")
    if shown.short_term is not None:
        ax.plot(shown.grid, shown.short_term, color=_SHORT, linewidth=width, label=name)
    ax.plot(
        shown.grid, shown.overall, color=_LONG, linestyle="--", linewidth=width, label="overall"
    )
    _draw_specification(found, ax, mean=False)
    ax.legend(frameon=False, fontsize="small")
    ax.set_yticks([])
    ax.tick_params(labelsize="small")


def _draw_probability(found: Capability, shown: Sixpack, ax: Axes) -> None:
    ax.fill_betweenx(
        shown.scores,
        shown.band_lower,
        shown.band_upper,
        color=_style.SECONDARY,
        alpha=0.16,
        linewidth=0,
    )
    ax.plot(shown.fitted, shown.scores, color=_style.INK, linewidth=1)
    ax.scatter(
        shown.ordered,
        shown.scores,
        s=_style.MARK_SIZE * 0.6,
        color=_style.PRIMARY,
        edgecolors=_style.SURFACE,
        linewidths=0.4,
        zorder=3,
    )
    reach = max(2.5, float(shown.scores[-1]) * 1.06)
    ax.set_ylim(-reach, reach)
    ax.set_yticks(_SCORES, [f"{100 * tick:g}" for tick in _PERCENT])
    text = f"Probability plot, {found.distribution}"
    if found.normality_a2 is not None and found.normality_p is not None:
        p = "p < 0.001" if found.normality_p < 0.001 else f"p = {found.normality_p:.3f}"
        means = found.between is not None and not found.between.truncated
        of = "A² of means" if means else "A²"
        text += f": {of} = {found.normality_a2:.3f}, {p}"
    ax.set_title(text, loc="left", fontsize="medium")
    finish(ax, found.units or "value", "per cent")
    ax.tick_params(labelsize="small")


def _draw_summary(found: Capability, shown: Sixpack, ax: Axes) -> None:
    """Draw what the process takes beside what the specification gives, and the indices."""
    rows: list[tuple[str, float, float, str]] = [
        (name, low, high, _LONG if name == "overall" else _SHORT)
        for name, low, high in shown.bars
    ]
    ends = [end for _, low, high, _ in rows for end in (low, high)]
    ends += [limit for limit in (found.lsl, found.usl) if limit is not None]
    low = -math.inf if found.lsl is None else found.lsl
    high = math.inf if found.usl is None else found.usl
    margin = 0.06 * (max(ends) - min(ends))
    left, right = min(ends) - margin, max(ends) + margin
    rows.append(("specification", low, high, _style.ACTION))
    for y, (_, start, stop, color) in enumerate(rows):
        inside = [max(start, left), min(stop, right)]
        ax.plot(inside, [-y, -y], color=color, linewidth=2.2, solid_capstyle="butt")
        real = [end for end in (start, stop) if math.isfinite(end)]
        ax.plot(real, [-y] * len(real), linestyle="", marker="|", markersize=11, color=color)
    ax.set_yticks([-y for y in range(len(rows))], [row[0] for row in rows])
    ax.set_xlim(left, right)
    ax.set_ylim(0.7 - len(rows), 2.9)
    ax.set_title("Capability", loc="left", fontsize="medium")
    finish(ax, found.units or "value", "")
    ax.grid(visible=False)
    ax.tick_params(labelsize="small")
    for place, lines in zip((0.02, 0.36, 0.7), _summary(found), strict=True):
        ax.text(
            place,
            0.97,
            "\n".join(lines),
            transform=ax.transAxes,
            va="top",
            fontsize="small",
            linespacing=1.35,
        )


def _summary(found: Capability) -> list[list[str]]:
    """Return three columns of text: short-term, overall, values out of specification."""
    short: list[str] = []
    if found.between is not None:
        both = found.between
        short = [f"s between {both.sigma_between:.4g}", f"s within {both.sigma_within:.4g}"]
    elif found.within is not None:
        short = [f"s within {found.within.value:.4g}"]
    overall = [f"s overall {found.sd:.4g}"]
    for index in found.indices.values():
        if index.name not in {"cp", "cpk", "pp", "ppk", "cpm"}:
            continue
        text = f"{index.name.capitalize()} {index.value:.2f}"
        if index.lower is not None:
            text += f" ({index.lower:.2f}, {index.upper:.2f})"
        (short if index.name in {"cp", "cpk"} else overall).append(text)
    ppm = ["out per million"]
    for name, one in found.ppm.items():
        total = one["total"]
        number = f"{total:,.0f}" if total >= 1000 else f"{total:.3g}"
        ppm.append(f"{name.replace('_', '/')} {number}")
    return [short, overall, ppm]
