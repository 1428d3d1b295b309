"""Pictures of control charts; they draw what a chart holds and compute nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np

from pharmaq import _style
from pharmaq.spc.charts._places import make_room, place_on_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

    from pharmaq.spc.charts._chart import ControlChart
    from pharmaq.spc.rules import Violations

__all__ = ["plot_chart"]

_WIDTH, _HEIGHT, _HEIGHT_BELOW = 8.0, 3.6, 2.4
# beyond this many points single marks run into each other
_MANY = 150
# beyond this many signals their labels do
_NAMED = 12
# characters of all names below the axis
_CHARACTERS = 90
_LABELS = {
    "t2": "T²",
    "scores_t2": "T²",
    "spe": "SPE",
    "combined": "combined index",
    "mewma": "MEWMA",
    "mcusum": "MCUSUM",
}


def plot_chart(
    chart: ControlChart,
    *,
    ax: Axes | None = None,
    zones: bool = False,
    violations: Sequence[Violations] | None = None,
) -> Axes:
    """Draw a control chart, and its companion below it unless `ax` is given.

    Parameters
    ----------
    chart : ControlChart
        What to draw.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.
    zones : bool, default False
        Draw lines at one and two standard deviations from the centre too.
    violations : sequence of Violations, optional
        Signals of run rules to mark with the numbers of the rules: those of the chart, of its
        companion, and so on.

    Returns
    -------
    matplotlib Axes
        The picture of the chart itself.
    """
    if ax is not None:
        return _draw(chart, ax, zones=zones, found=violations[0] if violations else None)
    chain = [chart]
    while chain[-1].companion is not None:
        chain.append(chain[-1].companion)
    below = len(chain) - 1
    _, axes = plt.subplots(
        len(chain),
        figsize=(_WIDTH, _HEIGHT + below * _HEIGHT_BELOW),
        height_ratios=(3, *(2,) * below),
        layout="constrained",
        squeeze=False,
    )
    every: Sequence[Violations | None] = violations or [None] * len(chain)
    for one, place, found in zip(chain, axes[:, 0], every, strict=True):
        _draw(one, place, zones=zones and one is chart, found=found)
        if one is not chain[-1]:
            place.set_xlabel("")
    return axes[0, 0]


def _draw(chart: ControlChart, ax: Axes, *, zones: bool, found: Violations | None) -> Axes:
    n = chart.n_points
    x = np.arange(n) + 1
    for name, color, style in (
        ("center", _style.INK, "-"),
        ("lower", _style.LIMIT, "--"),
        ("upper", _style.LIMIT, "--"),
    ):
        _draw_limit(chart, ax, x, name, color, style)
    if zones and chart.sigma is not None:
        _draw_zones(chart, ax, x)
    on_lines = _draw_specification(chart, ax)
    _draw_series(chart, ax, x)
    heads = _draw_borders(chart, ax)
    if found is None:
        marks = _draw_signals(chart, ax, x)
    else:
        marks = _draw_violations(chart, ax, x, found)
    _draw_exclusions(chart, ax, x)
    _finish(chart, ax, x)
    make_room(ax, x, chart.statistic, heads, marks)
    place_on_lines(ax, x, chart.statistic, on_lines)
    return ax


def _draw_limit(
    chart: ControlChart, ax: Axes, x: Any, name: str, color: str, style: str
) -> None:
    level = np.broadcast_to(np.asarray(getattr(chart, name), dtype=float), x.shape)
    if not np.isfinite(level).any():
        return
    edges = np.append(x - 0.5, x[-1] + 0.5)
    ax.stairs(
        level,
        edges,
        baseline=None,
        color=color,
        linestyle=style,
        linewidth=_style.THIN_LINE if name == "center" else _style.LINE_WIDTH * 0.8,
        zorder=1,
    )
    short = {"center": "CL", "lower": "LCL", "upper": "UCL"}[name]
    # what rounding leaves of a zero is written as one
    zero = abs(level[-1]) < 1e-12 * np.ptp(chart.statistic)
    ax.annotate(
        f"{short} {0.0 if zero else level[-1]:.5g}",
        (x[-1] + 0.5, level[-1]),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize="small",
        color=color,
        annotation_clip=False,
    )


def _draw_zones(chart: ControlChart, ax: Axes, x: Any) -> None:
    center = np.broadcast_to(chart.center, x.shape)
    sigma = np.broadcast_to(np.asarray(chart.sigma, dtype=float), x.shape)
    edges = np.append(x - 0.5, x[-1] + 0.5)
    for k in (-2, -1, 1, 2):
        ax.stairs(
            center + k * sigma,
            edges,
            baseline=None,
            color=_style.LIMIT,
            linestyle=":",
            linewidth=_style.THIN_LINE,
            alpha=0.7,
            zorder=1,
        )


def _draw_specification(chart: ControlChart, ax: Axes) -> list[Annotation]:
    labels = []
    lines = (("LSL", chart.lsl), ("Target", chart.target), ("USL", chart.usl))
    for name, value in lines:
        if value is not None:
            ax.axhline(
                value, color=_style.SECONDARY, linestyle="-.", linewidth=_style.THIN_LINE
            )
            label = ax.annotate(
                f"{name} {value:.5g}",
                (0, value),
                xycoords=("axes fraction", "data"),
                xytext=(3, 2),
                textcoords="offset points",
                fontsize="small",
                color=_style.SECONDARY,
            )
            labels.append(label)
    return labels


def _draw_series(chart: ControlChart, ax: Axes, x: Any) -> None:
    mark: dict[str, Any] = {"marker": "o", "markersize": 3.5} if x.size <= _MANY else {}
    if chart.kind != "cusum":
        ax.plot(
            x, chart.statistic, color=_style.PRIMARY, linewidth=_style.LINE_WIDTH * 0.8, **mark
        )
        return
    signs = {"cusum_lower": (-1.0, "v", "lower sum"), "cusum_upper": (1.0, "^", "upper sum")}
    for name, series in chart.components.items():
        sign, shape, label = signs[name]
        if mark:
            mark = {**mark, "marker": shape}
        ax.plot(
            x,
            sign * series,
            color=_style.PRIMARY if sign > 0 else _style.SECONDARY,
            linewidth=_style.LINE_WIDTH * 0.8,
            label=label,
            **mark,
        )
    ax.legend(
        loc="best", frameon=False, fontsize="small", title="CUSUM", title_fontsize="small"
    )


def _draw_borders(chart: ControlChart, ax: Axes) -> list[Annotation]:
    labels = []
    places: list[tuple[float, str]] = []
    if chart.stages is not None:
        names = chart.stages
        starts = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1)]
        places += [(float(i), str(names[i])) for i in starts]
    if chart.n_phase1 < chart.n_points:
        places.append((float(chart.n_phase1), "phase 2"))
    for place, name in places:
        if place > 0:
            ax.axvline(place + 0.5, color=_style.MUTED, linewidth=_style.THIN_LINE)
        label = ax.annotate(
            name,
            (place + 0.5, 1),
            xycoords=("data", "axes fraction"),
            xytext=(3, -3),
            textcoords="offset points",
            va="top",
            fontsize="small",
            color=_style.MUTED,
        )
        labels.append(label)
    return labels


def _draw_signals(chart: ControlChart, ax: Axes, x: Any) -> list[Annotation]:
    signals = chart.signals
    if signals.size:
        ax.scatter(
            x[signals],
            chart.statistic[signals],
            marker="s",
            s=_style.MARK_SIZE * (1.6 if x.size <= _MANY else 0.4),
            color=_style.ACTION,
            zorder=4,
        )
    if signals.size > _NAMED:
        return []
    return [
        _name_point(chart, ax, x, i, _short(chart.labels[i]), _style.ACTION) for i in signals
    ]


def _name_point(
    chart: ControlChart, ax: Axes, x: Any, i: int, name: str, color: str
) -> Annotation:
    """Write a name beside a point, away from the centre."""
    up = chart.statistic[i] > np.broadcast_to(chart.center, x.shape)[i]
    return ax.annotate(
        name,
        (x[i], chart.statistic[i]),
        xytext=(0, 6 if up else -6),
        textcoords="offset points",
        ha="center",
        va="bottom" if up else "top",
        fontsize="small",
        color=color,
        bbox={"facecolor": _style.SURFACE, "alpha": 0.75, "pad": 0.6, "linewidth": 0},
    )


def _draw_violations(
    chart: ControlChart, ax: Axes, x: Any, found: Violations
) -> list[Annotation]:
    """Mark limits by a square and runs by a diamond, and name the rules by their numbers."""
    by_limits = np.array([rule.name in found.by_limits for rule in found.rules])
    limit = by_limits[found.rule_numbers]
    beyond = np.unique(found.positions[limit])
    in_runs = np.setdiff1d(found.positions[~limit], beyond)
    for points, shape, color in (
        (beyond, "s", _style.ACTION),
        (in_runs, "D", _style.ALERT),
    ):
        ax.scatter(
            x[points],
            chart.statistic[points],
            marker=shape,
            s=_style.MARK_SIZE * 1.4,
            color=color,
            zorder=4,
        )
    _draw_key(ax, found)
    return [
        _name_point(
            chart,
            ax,
            x,
            i,
            ", ".join(marks),
            _style.ACTION if i in beyond else _style.ALERT,
        )
        for i, marks in _new_marks(found).items()
    ]


def _new_marks(found: Violations) -> dict[int, list[str]]:
    """Return marks of the rules that begin to signal at a point."""
    pairs = list(zip(found.positions.tolist(), found.rule_numbers.tolist(), strict=True))
    known = set(pairs)
    marks: dict[int, list[str]] = {}
    for i, number in pairs:
        if (i - 1, number) not in known:
            marks.setdefault(i, []).append(found.rules.marks[number])
    return marks


def _draw_key(ax: Axes, found: Violations) -> None:
    """Say below the picture what the numbers mean and which rules do not apply."""
    named = list(zip(found.rules.marks, found.rules, strict=True))
    lines = [
        f"{named[number][0]}: {found.description(named[number][1])}"
        for number in np.unique(found.rule_numbers)
    ]
    if not lines:
        lines = [f"no signal of the rules {found.rules.name}"]
    left = [mark for mark, rule in named if rule.name in found.not_applied]
    if left:
        lines.append(f"not applied: {', '.join(left)}")
    ax.annotate(
        "\n".join(lines),
        (1, 1),
        xycoords="axes fraction",
        xytext=(0, 4),
        textcoords="offset points",
        ha="right",
        va="bottom",
        multialignment="left",
        fontsize="x-small",
        color=_style.MUTED,
    )


def _draw_exclusions(chart: ControlChart, ax: Axes, x: Any) -> None:
    left_out = [e.position for e in chart.excluded]
    if left_out:
        ax.scatter(
            x[left_out],
            chart.statistic[left_out],
            marker="o",
            s=_style.MARK_SIZE * 3.2,
            facecolors="none",
            edgecolors=_style.MUTED,
            linewidths=1.2,
            zorder=5,
        )


def _finish(chart: ControlChart, ax: Axes, x: Any) -> None:
    ax.set_title(chart.title, loc="left", fontsize="medium")
    ax.set_ylabel(chart.units or _LABELS.get(chart.kind, chart.kind.replace("_", " ")))
    ax.set_xlim(0.5, x[-1] + 0.5)
    ax.margins(y=0.12)
    numbered = chart.labels.dtype.kind in "iu"
    ax.set_xlabel("point" if numbered else "")
    # as many names as fit beside each other
    longest = max(len(_short(chart.labels[i])) for i in (0, -1))
    count = min(x.size, 9, max(3, _CHARACTERS // longest))
    chosen = np.unique(np.linspace(0, x.size - 1, count).round().astype(int))
    ax.set_xticks(x[chosen], [_short(chart.labels[i]) for i in chosen])
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.tick_params(labelsize="small")


def _short(label: Any) -> str:
    """Return a time to the minute or second that it has, anything else as it is."""
    if not isinstance(label, np.datetime64) or np.isnat(label):
        return str(label)
    text = str(np.datetime_as_string(label, unit="s")).replace("T", " ")
    return text.removesuffix(":00").removesuffix(" 00:00")
