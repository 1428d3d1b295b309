"""Pictures of release tests: each takes `ax`, draws what the result holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from pharmaq import _style
from pharmaq.spc.inference.plots import finish, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pharmaq.spc.release.dissolution import DissolutionStage
    from pharmaq.spc.release.distance import DistanceEquivalence
    from pharmaq.spc.release.passing import AcceptanceLimits, PassingBound
    from pharmaq.spc.release.similarity import SimilarityFactor
    from pharmaq.spc.release.staged import PassProbability
    from pharmaq.spc.release.uniformity import ContentUniformity

__all__ = [
    "plot_acceptance_limits",
    "plot_dissolution",
    "plot_distance",
    "plot_pass_probability",
    "plot_passing_bound",
    "plot_similarity",
    "plot_uniformity",
]

_DOTS: dict[str, Any] = {"edgecolors": _style.SURFACE, "linewidths": 0.5, "zorder": 3}
_LIMIT: dict[str, Any] = {"color": _style.LIMIT, "linestyle": "--", "linewidth": 1.2}
_COLORS = {"pass": _style.SECONDARY, "continue": _style.ALERT, "fail": _style.ACTION}
_WORDS = {"pass": "passes", "continue": "go on", "fail": "fails"}


def plot_uniformity(result: ContentUniformity, *, ax: Axes | None = None) -> Axes:
    """Draw units in the order tested, M with AV's reach, and the limits of single units."""
    ax = new_axes(ax)
    x = result.values
    position = np.arange(1, len(x) + 1)
    outside = (x < result.unit_lower) | (x > result.unit_upper)
    ax.scatter(
        position[~outside], x[~outside], s=_style.MARK_SIZE, color=_style.PRIMARY, **_DOTS
    )
    if outside.any():
        marks: dict[str, Any] = {"color": _style.ACTION, "marker": "s", "s": _style.MARK_SIZE}
        ax.scatter(position[outside], x[outside], **marks, **_DOTS, label="outside L2")
    ax.axhline(result.reference_value, color=_style.INK, linewidth=1, label="M")
    ax.axhline(result.mean, color=_style.MUTED, linewidth=1, linestyle=":", label="mean")
    ax.axhline(result.unit_lower, label=f"M ± {result.l2:g} %", **_LIMIT)
    ax.axhline(result.unit_upper, **_LIMIT)
    if len(x) > 10:
        ax.axvline(10.5, color=_style.MUTED, linewidth=0.8)
    _title(
        ax,
        f"AV = {result.acceptance_value:g} (L1 = {result.l1:g}), stage {result.stage}",
        result.outcome,
    )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.margins(y=0.18)
    ax.legend(frameon=False, fontsize="small", ncols=3, loc="upper right")
    return finish(ax, "unit", "content / % of label claim")


def plot_dissolution(result: DissolutionStage, *, ax: Axes | None = None) -> Axes:
    """Draw units in the order tested, or their profiles over time, with the limits."""
    ax = new_axes(ax)
    if result.values.ndim == 2:
        _draw_profiles(ax, result)
        label = "time"
    else:
        _draw_units(ax, result)
        label = "pool" if result.release == "pooled" else "unit"
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    _title(ax, f"{result.release} release, stage {result.stage}", result.outcome)
    ax.legend(frameon=False, fontsize="small")
    return finish(ax, label, "dissolved / % of label claim")


def plot_similarity(result: SimilarityFactor, *, ax: Axes | None = None) -> Axes:
    """Draw both mean profiles with one standard deviation; points that entered are filled."""
    ax = new_axes(ax)
    for name, mean, sd, color, marker in (
        ("reference", result.reference_mean, result.reference_sd, _style.PRIMARY, "o"),
        ("test", result.test_mean, result.test_sd, _style.ALERT, "s"),
    ):
        ax.errorbar(
            result.times,
            mean,
            None if np.isnan(sd).any() else sd,
            color=color,
            marker=marker,
            markerfacecolor=_style.SURFACE,
            capsize=3,
            linewidth=_style.LINE_WIDTH,
        )
        ax.plot(
            result.times[result.used],
            mean[result.used],
            marker,
            color=color,
            label=name,
            zorder=4,
        )
    ax.axhline(85, **_LIMIT, label="85 %")
    limits = ""
    if result.lower is not None:
        limits = (
            f" ({100 * (result.confidence or 0):g} %: {result.lower:.1f} to {result.upper:.1f})"
        )
    word = "similar" if result.similar else "not shown to be similar"
    ax.set_title(
        f"{result.factor} = {result.value:.1f}{limits}: {word}",
        loc="left",
        fontsize="medium",
        color=_style.SECONDARY if result.similar else _style.ACTION,
    )
    ax.legend(frameon=False, fontsize="small")
    return finish(ax, "time (open marks did not enter)", "dissolved / % of label claim")


def plot_distance(result: DistanceEquivalence, *, ax: Axes | None = None) -> Axes:
    """Draw the distance and its limits against the margin."""
    ax = new_axes(ax, height=2.2)
    color = _style.SECONDARY if result.equivalent else _style.ACTION
    ax.axvspan(0, result.distance_margin, color=_style.SECONDARY, alpha=0.16, linewidth=0)
    ax.axvline(result.distance_margin, **_LIMIT)
    ax.plot([result.lower, result.upper], [0, 0], color=color, linewidth=3)
    ax.scatter([result.distance], [0], s=60, color=color, marker="D", **_DOTS)
    word = "equivalent" if result.equivalent else "not shown to be equivalent"
    ax.set_title(f"{word} ({result.method}): p = {result.p:.2g}", loc="left", fontsize="medium")
    ax.set_ylim(-1, 1)
    ax.set_yticks([])
    return finish(ax, f"distance; margin = {result.margin:g} % at every time", "")


def plot_pass_probability(result: PassProbability, *, ax: Axes | None = None) -> Axes:
    """Draw the probability over the standard deviation, a line a mean."""
    ax = new_axes(ax)
    mean, sd, share = (np.ravel(x) for x in (result.mean, result.sd, result.probability))
    for i, value in enumerate(np.unique(mean)):
        picked = np.flatnonzero(mean == value)
        picked = picked[np.argsort(sd[picked])]
        marker, color = _style.GROUP_MARKS[i % len(_style.GROUP_MARKS)]
        ax.plot(sd[picked], share[picked], marker=marker, color=color, label=f"{value:g}")
    ax.set_ylim(-0.03, 1.03)
    word = "lower bound" if result.method == "bound" else "simulated"
    ax.set_title(f"chance of passing, {word}", loc="left", fontsize="medium")
    ax.legend(frameon=False, fontsize="small", title="mean")
    return finish(ax, "standard deviation / % of label claim", "probability")


def plot_acceptance_limits(result: AcceptanceLimits, *, ax: Axes | None = None) -> Axes:
    """Draw the limits of the sample, and those of known parameters."""
    ax = new_axes(ax)
    _draw_parameters(ax, result)
    ax.plot(result.means, result.sd_limit, color=_style.PRIMARY, label=f"sample of {result.n}")
    ax.fill_between(result.means, 0, result.sd_limit, color=_style.PRIMARY, alpha=0.12, lw=0)
    level = f"{100 * result.confidence:g} % / {100 * result.probability:g} %"
    ax.set_title(f"acceptance limits, {level}", loc="left", fontsize="medium")
    return _finish_limits(ax)


def plot_passing_bound(
    result: PassingBound, limits: AcceptanceLimits | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draw the confidence region with the sample and where the bound is smallest."""
    ax = new_axes(ax)
    if limits is not None:
        _draw_parameters(ax, limits)
    right = result.mean_upper if np.isfinite(result.mean_upper) else result.mean
    corners = np.array(
        [[result.mean, 0], [result.mean_lower, result.sd_upper], [right, result.sd_upper]]
    )
    ax.fill(*corners.T, color=_style.PRIMARY, alpha=0.16, label="confidence region")
    ax.plot(*np.vstack([corners, corners[:1]]).T, color=_style.PRIMARY, linewidth=1)
    ax.scatter([result.mean], [result.sd], color=_style.INK, label="sample", **_DOTS)
    color = _style.SECONDARY if result.demonstrated else _style.ACTION
    marks: dict[str, Any] = {"marker": "D", "color": color, "label": "worst case"}
    ax.scatter([result.worst_mean], [result.worst_sd], **marks, **_DOTS)
    ax.set_title(
        f"passes with at least {result.lower_bound:.3g} "
        f"({100 * result.confidence:g} % confidence, n = {result.n})",
        loc="left",
        fontsize="medium",
        color=color,
    )
    return _finish_limits(ax)


def _draw_parameters(ax: Axes, limits: AcceptanceLimits) -> None:
    label = f"known parameters, {100 * limits.probability:g} %"
    ax.plot(limits.means, limits.sd_parameter, label=label, **_LIMIT)


def _finish_limits(ax: Axes) -> Axes:
    ax.set_ylim(bottom=0)
    ax.legend(frameon=False, fontsize="small")
    return finish(ax, "mean / % of label claim", "standard deviation / % of label claim")


def _draw_units(ax: Axes, result: DissolutionStage) -> None:
    position = np.arange(1, len(result.values) + 1)
    q = float(result.lower[0])
    dots: dict[str, Any] = {"s": _style.MARK_SIZE, **_DOTS}
    if result.acid is not None:
        ax.scatter(position, result.acid, color=_style.ALERT, marker="^", label="acid", **dots)
    ax.scatter(position, result.values, color=_style.PRIMARY, label="dissolved", **dots)
    ax.axhline(q, color=_style.INK, linewidth=1, label=f"Q = {q:g}")
    if result.release != "pooled":
        for i, (margin, style) in enumerate(((-5, ":"), (15, "--"), (25, "-."))):
            name = ("Q + 5", "Q - 15", "Q - 25")[i]
            ax.axhline(q - margin, **(_LIMIT | {"linestyle": style}), label=name)
    for edge in (6.5, 12.5):
        if result.release != "pooled" and len(position) > edge:
            ax.axvline(edge, color=_style.MUTED, linewidth=0.8)


def _draw_profiles(ax: Axes, result: DissolutionStage) -> None:
    for i, profile in enumerate(result.values):
        label = "units" if i == 0 else None
        ax.plot(
            result.times, profile, color=_style.PRIMARY, linewidth=0.8, alpha=0.7, label=label
        )
    ax.plot(
        result.times, result.values.mean(axis=0), color=_style.INK, linewidth=2, label="mean"
    )
    for side, marker in ((result.lower, "^"), (result.upper, "v")):
        known = ~np.isnan(side)
        label = "lower limit" if marker == "^" else "upper limit"
        if known.any():
            ax.scatter(
                result.times[known],
                side[known],
                marker=marker,
                color=_style.LIMIT,
                s=60,
                zorder=4,
                label=label,
            )


def _title(ax: Axes, text: str, outcome: str) -> None:
    ax.set_title(
        f"{text}: {_WORDS[outcome]}", loc="left", fontsize="medium", color=_COLORS[outcome]
    )
