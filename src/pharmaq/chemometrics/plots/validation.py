"""Pictures of validation: choice of components and recipe, double cross-validation, tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.ticker import MaxNLocator, NullLocator

from pharmaq import _style
from pharmaq.chemometrics.plots import _canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pharmaq.chemometrics.double_cv import DoubleCrossValidation, PermutationTest
    from pharmaq.chemometrics.sampling import SampleSelection
    from pharmaq.chemometrics.search import RecipeSearch
    from pharmaq.chemometrics.selection import ComponentChoice

__all__ = [
    "plot_component_choice",
    "plot_component_counts",
    "plot_double_cv",
    "plot_permutation_test",
    "plot_recipe_search",
    "plot_sample_selection",
]


def plot_component_choice(result: ComponentChoice, *, ax: Axes | None = None) -> Axes:
    """Draw the error over the number of components with what the rule accepts.

    Parameters
    ----------
    result : ComponentChoice
        From `select_n_components`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    ax = _canvas.new_axes(ax)
    chosen, mse = result.n_components, result.mse
    ax.plot(
        np.arange(len(mse)),
        mse,
        marker="o",
        markersize=4,
        color=_style.PRIMARY,
        linewidth=_style.LINE_WIDTH,
    )
    ax.axhline(
        result.threshold,
        color=_style.LIMIT,
        linestyle="--",
        linewidth=1,
        label=f"accepted up to {result.threshold:.3g} ({result.rule})",
    )
    ax.plot(
        [chosen],
        [mse[chosen]],
        linestyle="",
        marker="o",
        markersize=11,
        fillstyle="none",
        color=_style.ACTION,
        label=f"chosen: {chosen}",
    )
    ax.set_yscale("log")
    _canvas.plain_log(ax.yaxis)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    _canvas.legend(ax)
    return _canvas.finish(ax, "components", "mean squared error of cross-validation")


def plot_recipe_search(result: RecipeSearch, *, ax: Axes | None = None) -> Axes:
    """Draw RMSECV of every recipe and number of components as shades.

    Parameters
    ----------
    result : RecipeSearch
        From `search_recipes`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture, the best recipe on top. Dots: models as good as the best within one
        standard error; ring: the chosen one; white: more components than the folds carry.
    """
    texts = result.table["recipe"].to_numpy()
    with np.errstate(invalid="ignore"):
        order = np.argsort(np.nanmin(result.rmsecv, axis=1), kind="stable")
    errors = result.rmsecv[order]
    ax = _canvas.new_axes(ax, size=(8, 1.6 + 0.24 * len(texts)))
    mesh = ax.imshow(
        errors,
        aspect="auto",
        cmap=_canvas.SHADES,
        norm=LogNorm(np.nanmin(errors), np.nanmax(errors)),
        interpolation="nearest",
    )
    bar = ax.figure.colorbar(mesh, ax=ax, pad=0.02, fraction=0.05, label="RMSECV")
    bar.outline.set_visible(False)
    ticks = np.geomspace(np.nanmin(errors), np.nanmax(errors), 5)
    bar.set_ticks(ticks.tolist(), labels=[f"{tick:.3g}" for tick in ticks])
    bar.ax.yaxis.set_minor_locator(NullLocator())
    rows, counts = np.nonzero(errors <= result.threshold)
    ax.plot(
        counts,
        rows,
        linestyle="",
        marker="o",
        markersize=4.5,
        color=_style.SURFACE,
        markeredgecolor=_style.INK,
        label="as good as the best",
    )
    ax.plot(
        [result.n_components],
        [texts[order].tolist().index(result.recipe)],
        linestyle="",
        marker="o",
        markersize=10,
        markeredgewidth=2,
        fillstyle="none",
        color=_style.HIGHLIGHT,
        label=f"chosen: {result.recipe}; {result.n_components} components",
    )
    ax.set_yticks(np.arange(len(texts)), texts[order].tolist())
    ax.tick_params(length=0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    _canvas.legend_above(ax)
    _canvas.finish(ax, "components", "")
    ax.grid(visible=False)
    return ax


def plot_double_cv(result: DoubleCrossValidation, *, ax: Axes | None = None) -> Axes:
    """Draw how RMSEP differs from repeat to repeat.

    Parameters
    ----------
    result : DoubleCrossValidation
        From `repeated_double_cv`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture: a histogram, a mark for each repeat, and a line at the median.
    """
    ax = _canvas.new_axes(ax)
    ax.hist(result.rmsep, color=_style.PRIMARY, edgecolor=_style.SURFACE, alpha=0.85)
    ax.plot(
        result.rmsep,
        np.zeros(len(result.rmsep)),
        linestyle="",
        marker="|",
        markersize=9,
        color=_style.INK,
        label="repeat",
    )
    middle = float(np.median(result.rmsep))
    ax.axvline(middle, color=_style.LIMIT, ls="--", lw=1.4, label=f"median {middle:.3g}")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    _canvas.legend_above(ax)
    return _canvas.finish(ax, "RMSEP", "number of repeats")


def plot_component_counts(result: DoubleCrossValidation, *, ax: Axes | None = None) -> Axes:
    """Draw how often each number of components was chosen.

    Parameters
    ----------
    result : DoubleCrossValidation
        From `repeated_double_cv`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture, with the most frequent number hatched.
    """
    ax = _canvas.new_axes(ax)
    counts, times = np.unique(result.n_components, return_counts=True)
    for count, often in zip(counts.tolist(), times.tolist(), strict=True):
        most = count == result.most_frequent
        ax.bar(
            count,
            often,
            0.8,
            facecolor=_style.PRIMARY if most else _style.MUTED,
            edgecolor=_style.SURFACE,
            hatch="////" if most else "",
            label=f"most frequent: {count}" if most else "",
        )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    _canvas.legend_above(ax)
    return _canvas.finish(ax, "components chosen", "number of outer segments")


def plot_permutation_test(result: PermutationTest, *, ax: Axes | None = None) -> Axes:
    """Draw Q2 with shuffled reference values beside Q2 with the real ones.

    Parameters
    ----------
    result : PermutationTest
        From `permutation_test`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    ax = _canvas.new_axes(ax)
    ax.hist(
        result.q2_shuffled,
        bins="auto",
        color=_style.MUTED,
        edgecolor=_style.SURFACE,
        label=f"{len(result.q2_shuffled)} shuffles",
    )
    ax.axvline(
        result.q2,
        color=_style.ACTION,
        linewidth=2,
        label=f"real order: {result.q2:.3f} (p = {result.p:.3g})",
    )
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    _canvas.legend_above(ax)
    return _canvas.finish(ax, "Q² of cross-validation", "number of shuffles")


def plot_sample_selection(result: SampleSelection, *, ax: Axes | None = None) -> Axes:
    """Draw how far each sample was from those selected before it.

    Parameters
    ----------
    result : SampleSelection
        From `kennard_stone` or `spxy`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture; where it is flat, more samples add little.
    """
    ax = _canvas.new_axes(ax)
    order = np.arange(1, len(result.selected) + 1)
    ax.plot(
        order,
        result.distance,
        marker="o",
        markersize=4,
        color=_style.PRIMARY,
        linewidth=_style.LINE_WIDTH,
    )
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return _canvas.finish(ax, "samples selected", f"{result.metric} distance to the nearest")
