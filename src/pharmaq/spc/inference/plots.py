"""Pictures of tests and estimates: each takes `ax`, draws what the result holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator, PercentFormatter

from pharmaq import _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pharmaq.spc.inference.autocorrelation import Autocorrelation
    from pharmaq.spc.inference.change import ChangePoint
    from pharmaq.spc.inference.compare import BeforeAfter
    from pharmaq.spc.inference.components import VarianceComponents
    from pharmaq.spc.inference.equivalence import EquivalenceTest
    from pharmaq.spc.inference.normality import NormalityTest
    from pharmaq.spc.inference.outliers import OutlierTest
    from pharmaq.spc.inference.pareto import Pareto
    from pharmaq.spc.inference.trend import TrendTest

__all__ = [
    "finish",
    "new_axes",
    "plot_autocorrelation",
    "plot_before_after",
    "plot_change_point",
    "plot_equivalence",
    "plot_outliers",
    "plot_pareto",
    "plot_probability",
    "plot_trend",
    "plot_variance_components",
]

_TICKS = np.array([0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99])
# normal quantiles of the ticks
_TICK_SCORES = np.array([-2.3263, -1.6449, -0.8416, 0.0, 0.8416, 1.6449, 2.3263])
_DOTS: dict[str, Any] = {"edgecolors": _style.SURFACE, "linewidths": 0.5, "zorder": 3}
_BAND: dict[str, Any] = {"color": _style.SECONDARY, "alpha": 0.16, "linewidth": 0}


def plot_autocorrelation(result: Autocorrelation, *, ax: Axes | None = None) -> Axes:
    """Draw coefficients by lag, with the limits of independent values."""
    ax = new_axes(ax)
    lags = np.arange(1, len(result.coefficients) + 1)
    ax.vlines(lags, 0, result.coefficients, color=_style.PRIMARY, linewidth=3)
    ax.axhline(0, color=_style.INK, linewidth=_style.THIN_LINE)
    for limit in (-result.limit, result.limit):
        ax.axhline(limit, color=_style.LIMIT, linestyle="--", linewidth=_style.LINE_WIDTH)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_title(f"Ljung-Box p = {result.p:.2g}", loc="left", fontsize="medium")
    return finish(ax, "lag", "autocorrelation")


def plot_probability(result: NormalityTest, *, ax: Axes | None = None) -> Axes:
    """Draw sorted values over their normal scores, with the line of mean and sd."""
    ax = new_axes(ax)
    ax.plot(
        result.mean + result.sd * result.scores,
        result.scores,
        color=_style.INK,
        linewidth=1,
        label=f"normal, mean {result.mean:.4g}, sd {result.sd:.3g}",
    )
    ax.scatter(result.values, result.scores, s=_style.MARK_SIZE, color=_style.PRIMARY, **_DOTS)
    reach = max(2.5, float(result.scores.max()) * 1.06)
    ax.set_ylim(-reach, reach)
    ax.set_yticks(_TICK_SCORES, [f"{100 * tick:g}" for tick in _TICKS])
    name = "A²" if result.method == "anderson_darling" else "W"
    value = result.adjusted if name == "A²" else result.statistic
    p = "p < 0.001" if result.p < 0.001 else f"p = {result.p:.3f}"
    ax.set_title(f"{name} = {value:.3f}, {p}, n = {result.n}", fontsize="medium", loc="left")
    ax.legend(frameon=False, fontsize="small")
    return finish(ax, "value", "cumulative probability / %")


def plot_outliers(result: OutlierTest, *, ax: Axes | None = None) -> Axes:
    """Draw values in the order given, outliers as marked squares with their position."""
    ax = new_axes(ax)
    position = np.arange(len(result.values))
    good = ~np.isin(position, result.outliers)
    dots: dict[str, Any] = {"s": _style.MARK_SIZE, **_DOTS}
    ax.scatter(position[good], result.values[good], color=_style.PRIMARY, **dots)
    if not good.all():
        label = f"outlier ({int((~good).sum())})"
        bad = position[~good]
        ax.scatter(
            bad, result.values[bad], color=_style.ACTION, marker="s", label=label, **dots
        )
        for i in bad:
            ax.annotate(str(i), (i, result.values[i]), xytext=(5, 3), **_NOTE)
    if np.isfinite(result.lower):
        line: dict[str, Any] = {"color": _style.LIMIT, "linestyle": "--", "linewidth": 1}
        ax.axhline(result.lower, label=f"median ± {result.settings['k']:g} scales", **line)
        ax.axhline(result.upper, **line)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(frameon=False, fontsize="small")
    level = "" if result.alpha is None else f", alpha {result.alpha:g}"
    title = f"{result.method.replace('_', ' ')}, side: {result.side}{level}"
    ax.set_title(title, fontsize="medium", loc="left")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return finish(ax, "position", "value")


_NOTE: dict[str, Any] = {
    "textcoords": "offset points",
    "fontsize": "x-small",
    "color": _style.INK,
    "parse_math": False,
}


def plot_trend(result: TrendTest, *, ax: Axes | None = None) -> Axes:
    """Draw values over time with Sen's line, and the lines of the limits of its slope."""
    ax = new_axes(ax)
    ax.scatter(result.time, result.values, s=_style.MARK_SIZE, color=_style.PRIMARY, **_DOTS)
    center = float(np.median(result.time))
    middle = result.intercept + result.slope * center
    ends = result.time[[0, -1]] - center
    label = f"Sen's slope {result.slope:.4g}"
    ax.plot(ends + center, middle + result.slope * ends, color=_style.INK, label=label)
    for slope, name in (
        (result.slope_lower, f"{100 * result.confidence:g} % limits of the slope"),
        (result.slope_upper, None),
    ):
        if np.isfinite(slope):
            line: dict[str, Any] = {"color": _style.LIMIT, "linestyle": "--", "linewidth": 1}
            ax.plot(ends + center, middle + slope * ends, label=name, **line)
    p = "p < 0.001" if result.p < 0.001 else f"p = {result.p:.3f}"
    title = f"Mann-Kendall ({result.method.replace('_', '-')}): τ = {result.tau:.2f}, {p}"
    ax.set_title(title, fontsize="medium", loc="left")
    ax.legend(frameon=False, fontsize="small")
    return finish(ax, "time", "value")


def plot_change_point(result: ChangePoint, *, ax: Axes | None = None) -> Axes:
    """Draw values, the levels before and after, and where the change may have been."""
    ax = new_axes(ax)
    n, k = len(result.values), result.position
    for i, member in enumerate(result.confidence_set):
        label = f"{100 * result.confidence:g} % confidence set" if i == 0 else None
        ax.axvspan(member - 1, member, label=label, **_BAND)
    ax.plot(np.arange(n), result.values, color=_style.MUTED, linewidth=_style.THIN_LINE)
    ax.scatter(np.arange(n), result.values, s=14, color=_style.PRIMARY, **_DOTS)
    word = "mean" if result.method == "normal" else "median"
    ax.plot([-0.5, k - 0.5], [result.mean_before] * 2, color=_style.INK, lw=2, label=word)
    ax.plot([k - 0.5, n - 0.5], [result.mean_after] * 2, color=_style.INK, lw=2)
    ax.axvline(k - 0.5, color=_style.ACTION, linestyle="--", linewidth=1)
    p = "p < 0.001" if result.p < 0.001 else f"p = {result.p:.3f}"
    ax.set_title(f"change after {k} values, {p}", fontsize="medium", loc="left")
    ax.legend(frameon=False, fontsize="small")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return finish(ax, "position", "value")


def plot_before_after(result: BeforeAfter, *, ax: Axes | None = None) -> Axes:
    """Draw all values of both periods, with their means and one standard deviation."""
    ax = new_axes(ax)
    for x, values, mean, sd, color in (
        (0, result.before, result.mean_before, result.sd_before, _style.PRIMARY),
        (1, result.after, result.mean_after, result.sd_after, _style.SECONDARY),
    ):
        ax.scatter(_spread(values) + x, values, s=14, color=color, alpha=0.8, **_DOTS)
        ax.errorbar(
            x + 0.36,
            mean,
            sd,
            color=_style.INK,
            marker="D",
            markersize=5,
            capsize=4,
            linewidth=1,
        )
    names = [f"before (n = {result.n_before})", f"after (n = {result.n_after})"]
    ax.set_xticks([0, 1], names)
    ax.set_xlim(-0.5, 1.6)
    low, high = result.difference_lower, result.difference_upper
    level = f"{100 * result.confidence:g} %"
    title = f"difference {result.difference:.4g} ({level}: {low:.4g} to {high:.4g})"
    ax.set_title(f"{title}, g = {result.effect:.2f}", fontsize="medium", loc="left")
    ax.text(0.99, 0.98, "◆ mean ± sd", transform=ax.transAxes, ha="right", va="top", **_SMALL)
    return finish(ax, "", "value")


_SMALL: dict[str, Any] = {"fontsize": "small", "color": _style.MUTED}


def plot_equivalence(result: EquivalenceTest, *, ax: Axes | None = None) -> Axes:
    """Draw the interval of the difference or ratio against the margins."""
    ax = new_axes(ax, height=2.2)
    color = _style.SECONDARY if result.equivalent else _style.ACTION
    ax.axvspan(result.margin_lower, result.margin_upper, **_BAND)
    for margin in (result.margin_lower, result.margin_upper):
        ax.axvline(margin, color=_style.LIMIT, linestyle="--", linewidth=1)
    ax.axvline(1.0 if result.scale == "ratio" else 0.0, color=_style.MUTED, linewidth=0.8)
    ax.plot([result.lower, result.upper], [0, 0], color=color, linewidth=3)
    ax.scatter([result.estimate], [0], s=60, color=color, marker="D", **_DOTS)
    decision = "equivalent" if result.equivalent else "not shown to be equivalent"
    level = f"{100 * (1 - 2 * result.alpha):g} % limits"
    ax.set_title(f"{decision}: p = {result.p:.2g}, {level}", fontsize="medium", loc="left")
    ax.set_ylim(-1, 1)
    ax.set_yticks([])
    name = (
        "ratio test / reference" if result.scale == "ratio" else "difference test - reference"
    )
    return finish(ax, name, "")


def plot_pareto(result: Pareto, *, ax: Axes | None = None) -> Axes:
    """Draw bars in order, and the cumulative share on an axis of its own."""
    ax = new_axes(ax)
    x = np.arange(len(result.causes))
    colors = [_style.PRIMARY if i < result.vital else _style.MUTED for i in x]
    ax.bar(x, result.weight, color=colors, width=0.8)
    ax.set_xticks(x, [str(cause) for cause in result.causes])
    if max((len(str(cause)) for cause in result.causes), default=0) * len(x) > 60:
        ax.tick_params(axis="x", labelrotation=30)
        for label in ax.get_xticklabels():
            label.set_horizontalalignment("right")
            label.set_rotation_mode("anchor")
    ax.set_ylim(0, result.total)
    share = ax.secondary_yaxis("right", functions=_share_functions(result.total))
    share.yaxis.set_major_formatter(PercentFormatter(1.0))
    share.set_ylabel("cumulative share")
    share.spines["right"].set_visible(False)
    ax.plot(
        x, result.cumulative * result.total, color=_style.SECONDARY, marker="o", markersize=4
    )
    ax.axhline(result.level * result.total, color=_style.LIMIT, linestyle="--", linewidth=1)
    finish(ax, "", "weight")
    ax.grid(visible=False, axis="x")
    return ax


def _share_functions(total: float) -> tuple[Any, Any]:
    return (lambda weight: weight / total), (lambda share: share * total)


def plot_variance_components(result: VarianceComponents, *, ax: Axes | None = None) -> Axes:
    """Draw the standard deviation of every component with its limits."""
    ax = new_axes(ax)
    table = result.table
    y = np.arange(len(table))
    sd = table.sd.to_numpy()
    low, high = np.sqrt(table.lower.to_numpy()), np.sqrt(table.upper.to_numpy())
    reach = np.nan_to_num(np.vstack([sd - low, high - sd]))
    ax.barh(y, sd, color=_style.PRIMARY, height=0.55)
    ax.errorbar(sd, y, xerr=np.clip(reach, 0, None), fmt="none", ecolor=_style.INK, capsize=4)
    for i, percent in enumerate(table.percent):
        ax.annotate(f"{percent:.0f} %", (0, i), xytext=(5, 0), va="center", **(_NOTE | _ON_BAR))
    ax.set_yticks(y, list(table.source))
    ax.invert_yaxis()
    level = f"{100 * result.confidence:g} % limits ({result.intervals})"
    ax.set_title(f"per cent of the total variance; {level}", fontsize="medium", loc="left")
    return finish(ax, "standard deviation", "")


_ON_BAR: dict[str, Any] = {"color": _style.SURFACE, "fontsize": "small"}


def _spread(values: np.ndarray) -> np.ndarray:
    """Return sideways places that keep dots of like values apart, the same every time."""
    places = (np.arange(len(values)) * 0.618034) % 1
    return (places - 0.5) * 0.5


def new_axes(ax: Axes | None, *, height: float = 4.0) -> Axes:
    """Return `ax`, or those of a new figure."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(7, height), layout="constrained")[1]


def finish(ax: Axes, x: str, y: str) -> Axes:
    """Label the axes and draw the grid."""
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.grid(visible=True, color=_style.GRID, linewidth=0.6)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return ax
