"""Pictures of gage studies: each takes `ax`, draws what the result holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq import _style
from pharmaq.spc.inference.plots import finish, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from pharmaq.spc.measurement.agreement import AttributeAgreement
    from pharmaq.spc.measurement.gage import GageRR
    from pharmaq.spc.measurement.linearity import GageLinearity
    from pharmaq.spc.measurement.single import GageType1

__all__ = [
    "plot_agreement",
    "plot_by_operator",
    "plot_by_part",
    "plot_components",
    "plot_gage_chart",
    "plot_gage_panel",
    "plot_interaction",
    "plot_linearity",
    "plot_type1",
]

_OPERATOR_MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")
_OPERATOR_COLORS = (
    _style.PRIMARY,
    _style.ALERT,
    _style.SECONDARY,
    _style.LIMIT,
    _style.ACTION,
    _style.INK,
)
_DOTS: dict[str, Any] = {"edgecolors": _style.SURFACE, "linewidths": 0.4}
_LIMIT: dict[str, Any] = {"color": _style.LIMIT, "linestyle": "--", "linewidth": 1}


def plot_gage_panel(result: GageRR, *, figure: Figure | None = None) -> Figure:
    """Draw components, values by part and operator, interaction, means and ranges."""
    if figure is None:
        import matplotlib.pyplot as plt

        figure = plt.figure(figsize=(11, 9.5), layout="constrained")
    grid = figure.subplots(3, 2)
    plot_components(result, ax=grid[0, 0])
    plot_by_part(result, ax=grid[0, 1])
    plot_gage_chart(result, "range", ax=grid[1, 0])
    plot_by_operator(result, ax=grid[1, 1])
    plot_gage_chart(result, "mean", ax=grid[2, 0])
    plot_interaction(result, ax=grid[2, 1])
    return figure


def plot_components(result: GageRR, *, ax: Axes | None = None) -> Axes:
    """Draw contribution, study variation and tolerance as bars, in per cent."""
    ax = new_axes(ax)
    rows = result.components.set_index("source")
    names = ["gage_rr", "repeatability", "reproducibility", "part"]
    columns = {"contribution": "percent_contribution", "study variation": "percent_study"}
    if result.tolerance is not None:
        columns["tolerance"] = "percent_tolerance"
    colors = (_style.PRIMARY, _style.SECONDARY, _style.ALERT)
    width = 0.8 / len(columns)
    for i, (label, column) in enumerate(columns.items()):
        x = np.arange(len(names)) + (i - (len(columns) - 1) / 2) * width
        bars = ax.bar(x, rows.loc[names, column], width * 0.92, color=colors[i], label=label)
        ax.bar_label(bars, fmt="%.0f", fontsize="x-small", color=_style.INK, padding=1)
    ax.set_xticks(
        np.arange(len(names)), [name.replace("gage_rr", "gage R&R") for name in names]
    )
    ax.margins(y=0.22)
    ax.legend(frameon=False, fontsize="small", ncols=len(columns), loc="upper left")
    ax.set_title(f"ndc = {result.ndc}", fontsize="medium", loc="right")
    finish(ax, "", "per cent")
    ax.grid(visible=False, axis="x")
    return ax


def plot_by_part(result: GageRR, *, ax: Axes | None = None) -> Axes:
    """Draw every measurement over its part, and the means."""
    ax = new_axes(ax)
    if result.design == "nested":
        cells = result.cells.reset_index(drop=True)
        size = len(result.measurements) // len(cells)
        place = np.repeat(np.arange(len(cells)), size)
        labels, means = [str(part) for part in cells.part], cells["mean"]
    else:
        names = list(dict.fromkeys(result.cells.part))
        place = np.array([names.index(part) for part in result.measurements.part])
        labels = [str(name) for name in names]
        means = result.cells.groupby("part", sort=False)["mean"].mean()
    values = result.measurements.value
    ax.scatter(place, values, s=14, color=_style.PRIMARY, alpha=0.6, **_DOTS)
    ax.plot(np.arange(len(labels)), means, color=_style.INK, marker="D", markersize=4, lw=1)
    ax.set_xticks(np.arange(len(labels)), labels)
    return finish(ax, "part", "value")


def plot_by_operator(result: GageRR, *, ax: Axes | None = None) -> Axes:
    """Draw the measurements of each operator as a box with their mean."""
    ax = new_axes(ax)
    operators = list(dict.fromkeys(result.cells.operator))
    rows = result.measurements
    groups = [rows.value[(rows.operator == name).to_numpy()].to_numpy() for name in operators]
    boxes = ax.boxplot(
        groups,
        tick_labels=[str(name) for name in operators],
        widths=0.5,
        patch_artist=True,
        showmeans=True,
        medianprops={"color": _style.INK},
        meanprops={"marker": "D", "markerfacecolor": _style.INK, "markeredgecolor": _style.INK},
        flierprops={"marker": "o", "markersize": 3, "markeredgecolor": _style.MUTED},
    )
    for i, box in enumerate(boxes["boxes"]):
        box.set(facecolor=_color(i), alpha=0.35, edgecolor=_color(i))
    finish(ax, "operator", "value")
    ax.grid(visible=False, axis="x")
    return ax


def plot_interaction(result: GageRR, *, ax: Axes | None = None) -> Axes:
    """Draw the mean of each part by each operator; parallel lines mean no interaction."""
    ax = new_axes(ax)
    operators = list(dict.fromkeys(result.cells.operator))
    if result.design == "nested":
        ax.text(0.5, 0.5, "nested: no interaction to see", ha="center", transform=ax.transAxes)
        return finish(ax, "part", "mean")
    for i, name in enumerate(operators):
        cells = result.cells[(result.cells.operator == name).to_numpy()]
        ax.plot(
            np.arange(len(cells)),
            cells["mean"],
            color=_color(i),
            marker=_OPERATOR_MARKS[i % len(_OPERATOR_MARKS)],
            markersize=5,
            linewidth=1.2,
            label=str(name),
        )
    ax.set_xticks(np.arange(result.n_parts), [str(part) for part in cells.part])
    ax.legend(frameon=False, fontsize="small", title="operator", title_fontsize="small")
    return finish(ax, "part", "mean")


def plot_gage_chart(result: GageRR, kind: str, *, ax: Axes | None = None) -> Axes:
    """Draw the chart of means or of ranges, operator after operator."""
    ax = new_axes(ax)
    operators = list(dict.fromkeys(result.cells.operator))
    lower, center, upper = result.chart_limits[kind]
    start = 0
    for i, name in enumerate(operators):
        values = result.cells[kind][(result.cells.operator == name).to_numpy()].to_numpy()
        x = start + np.arange(len(values))
        mark = _OPERATOR_MARKS[i % len(_OPERATOR_MARKS)]
        ax.plot(x, values, color=_color(i), marker=mark, markersize=4, linewidth=1)
        outside = (values > upper) | (values < lower)
        # for means, points outside are what one hopes for: parts that the gage tells apart
        if kind == "range":
            ring: dict[str, Any] = {"facecolors": "none", "edgecolors": _style.ACTION, "s": 80}
            ax.scatter(x[outside], values[outside], **ring)
        ax.text(
            start + (len(values) - 1) / 2,
            1.0,
            str(name),
            transform=ax.get_xaxis_transform(),
            ha="center",
            va="bottom",
            fontsize="small",
            color=_color(i),
            parse_math=False,
        )
        start += len(values)
        if i + 1 < len(operators):
            ax.axvline(start - 0.5, color=_style.GRID, linewidth=1.5)
    ax.axhline(center, color=_style.INK, linewidth=1)
    for limit in (lower, upper):
        ax.axhline(limit, **_LIMIT)
    ax.set_xticks([])
    return finish(ax, "parts, by operator", "mean" if kind == "mean" else "range")


def plot_type1(result: GageType1, *, ax: Axes | None = None) -> Axes:
    """Draw the run of measurements with reference and allowed band."""
    ax = new_axes(ax)
    reference = result.bias.reference
    half = result.tolerance_share * result.tolerance / 2
    ax.axhspan(reference - half, reference + half, color=_style.SECONDARY, alpha=0.1, lw=0)
    for i, sign in enumerate((-1, 1)):
        label = f"reference ± {100 * result.tolerance_share / 2:g} % of tolerance"
        ax.axhline(reference + sign * half, label=None if i else label, **_LIMIT)
    ax.axhline(reference, color=_style.INK, linewidth=1, label=f"reference {reference:g}")
    mean: dict[str, Any] = {"color": _style.ALERT, "linewidth": 1, "linestyle": ":"}
    ax.axhline(result.bias.mean, label=f"mean {result.bias.mean:.4g}", **mean)
    x = np.arange(1, result.bias.n + 1)
    ax.plot(x, result.values, color=_style.PRIMARY, marker="o", markersize=3.5, linewidth=0.8)
    ax.set_title(f"Cg = {result.cg:.2f}, Cgk = {result.cgk:.2f}", fontsize="medium", loc="left")
    ax.legend(frameon=False, fontsize="small", ncols=3, loc="upper right")
    ax.margins(y=0.18)
    return finish(ax, "measurement", "value")


def plot_linearity(result: GageLinearity, *, ax: Axes | None = None) -> Axes:
    """Draw biases, their means, the line and its band against zero."""
    ax = new_axes(ax)
    ax.axhline(0, color=_style.MUTED, linewidth=1)
    rows, band, levels = result.measurements, result.band, result.levels
    ax.scatter(rows.reference, rows.bias, s=14, color=_style.PRIMARY, alpha=0.55, **_DOTS)
    level = f"{100 * result.confidence:g} % band of the mean"
    shade: dict[str, Any] = {"color": _style.SECONDARY, "alpha": 0.2, "linewidth": 0}
    ax.fill_between(band.reference, band.lower, band.upper, label=level, **shade)
    line = f"bias = {result.intercept:.3g} {result.slope:+.3g} · reference"
    ax.plot(band.reference, band.bias, color=_style.SECONDARY, label=line)
    ax.scatter(levels.reference, levels.bias, s=40, marker="D", color=_style.INK, label="mean")
    ax.legend(frameon=False, fontsize="small")
    return finish(ax, "reference", "bias")


def plot_agreement(result: AttributeAgreement, *, ax: Axes | None = None) -> Axes:
    """Draw the share of parts rated alike by each operator, with exact limits."""
    ax = new_axes(ax)
    sets = [(result.within, "with itself", _style.PRIMARY, "o", -0.1)]
    sets += [(result.versus_standard, "with the standard", _style.ALERT, "s", 0.1)]
    names: list[str] = []
    for table, label, color, marker, shift in sets:
        if not len(table):
            continue
        names = [str(name) for name in table.operator]
        share = 100 * table["share"].to_numpy()
        reach = np.vstack([share - 100 * table.lower, 100 * table.upper - share])
        x = np.arange(len(table)) + shift
        bars: dict[str, Any] = {
            "color": color,
            "marker": marker,
            "capsize": 4,
            "linestyle": "none",
        }
        ax.errorbar(x, share, reach, label=label, **bars)
    ax.set_xticks(np.arange(len(names)), names)
    ax.set_xlim(-0.6, max(len(names), 1) - 0.4)
    ax.set_ylim(top=102)
    if names:
        ax.legend(frameon=False, fontsize="small", title="all trials agree", loc="best")
    kappa = result.overall.kappa
    ax.set_title(f"Fleiss' kappa of all ratings {kappa:.2f}", fontsize="medium", loc="left")
    return finish(ax, "operator", "parts / %")


def _color(i: int) -> str:
    return _OPERATOR_COLORS[i % len(_OPERATOR_COLORS)]
