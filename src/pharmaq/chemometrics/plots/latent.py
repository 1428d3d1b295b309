"""Pictures of latent variables: scores, loadings, and both together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq import _style
from pharmaq.chemometrics.plots import _canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

__all__ = ["plot_biplot", "plot_loadings", "plot_scores"]

# more variables are points of an axis: a line with a few names says more than their arrows
_MOST_ARROWS = 30
_NAMES_ALONG = 12


def plot_scores(
    scores: ArrayLike,
    *,
    half_axes: ArrayLike | None = None,
    limit_label: str = "",
    axis_labels: tuple[str, str] = ("t1", "t2"),
    color_by: ArrayLike | None = None,
    color_label: str = "",
    names: ArrayLike | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the scores of samples on two components, with their limit.

    Parameters
    ----------
    scores : array-like of shape (n_samples, 2)
        From `transform`, the two components of interest.
    half_axes : array-like of shape (2,), optional
        Half-axes of the Hotelling ellipse, from `score_limits`.
    limit_label : str, default ""
        What the ellipse is.
    axis_labels : tuple of str, default ("t1", "t2")
        What the components are.
    color_by : array-like of shape (n_samples,), optional
        Decimal numbers and times colour samples from low to high, and a missing one grey; text
        and up to 30 whole numbers by group.
    color_label : str, default ""
        What the number is, with its units.
    names : array-like of shape (n_samples,), optional
        Names of samples; those outside the ellipse are written.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    ax = _canvas.new_axes(ax, size=(6.4, 5))
    x, y = np.asarray(scores, dtype=float).T
    for draw in (ax.axhline, ax.axvline):
        draw(0, color=_style.MUTED, linewidth=0.8)
    if half_axes is not None:
        a, b = np.asarray(half_axes, dtype=float)
        around = np.linspace(0, 2 * np.pi, 200)
        ellipse = a * np.cos(around), b * np.sin(around)
        ax.plot(*ellipse, color=_style.LIMIT, linestyle="--", label=limit_label)
    groups = None if color_by is None else np.asarray(color_by)
    _canvas.scatter_groups(ax, x, y, groups, color_label)
    if half_axes is not None and names is not None:
        outside = np.flatnonzero((x / a) ** 2 + (y / b) ** 2 > 1)
        _canvas.name_points(ax, x[outside], y[outside], np.asarray(names)[outside])
    _canvas.legend_above(ax)
    return _canvas.finish(ax, *axis_labels)


def plot_loadings(
    model: Any, *, components: tuple[int, ...] = (1, 2), ax: Axes | None = None
) -> Axes:
    """Draw loadings along the axis, or as bars for named variables.

    Parameters
    ----------
    model : PCA, PLS, PCR, OPLS, PLSDA or DDSIMCA
        A fitted model.
    components : tuple of int, default (1, 2)
        Numbers of the components, from 1.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    ax = _canvas.new_axes(ax)
    ax.axhline(0, color=_style.MUTED, linewidth=0.8)
    columns = [model.x_loadings_[:, number - 1] for number in components]
    labels = [f"p{number}" for number in components]
    variables = _canvas.variable_names(model)
    if variables is not None:
        _canvas.draw_bars(ax, variables, columns, labels)
        _canvas.legend_above(ax)
        return _canvas.finish(ax, "", "loading")
    positions, label = _canvas.model_axis(model)
    for number, (values, text) in enumerate(zip(columns, labels, strict=True)):
        _, color = _style.GROUP_MARKS[number % len(_style.GROUP_MARKS)]
        style = _style.LINE_STYLES[number % len(_style.LINE_STYLES)]
        _canvas.draw_along(ax, positions, values, color, linestyle=style, label=text)
    _canvas.legend_above(ax)
    return _canvas.finish(ax, label, "loading", positions=positions)


def plot_biplot(
    scores: ArrayLike,
    loadings: ArrayLike,
    names: ArrayLike,
    *,
    axis_labels: tuple[str, str] = ("t1", "t2"),
    color_by: ArrayLike | None = None,
    color_label: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw scores as points and loadings as arrows, or a line, on two components.

    Parameters
    ----------
    scores : array-like of shape (n_samples, 2)
        Scores on the two components.
    loadings : array-like of shape (n_variables, 2)
        Loadings on them.
    names : array-like of shape (n_variables,)
        Names of the variables.
    axis_labels, color_by, color_label
        As in `plot_scores`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture. Loadings are stretched by one factor, so that they reach as far as the
        scores. More than 30 variables are drawn as a line in their order, with a few names.
    """
    ax = _canvas.new_axes(ax, size=(6.4, 5))
    points, arrows = np.asarray(scores, dtype=float), np.asarray(loadings, dtype=float)
    for draw in (ax.axhline, ax.axvline):
        draw(0, color=_style.MUTED, linewidth=0.8)
    groups = None if color_by is None else np.asarray(color_by)
    _canvas.scatter_groups(ax, points[:, 0], points[:, 1], groups, color_label)
    ends = arrows * (np.abs(points).max(axis=0) / np.abs(arrows).max(axis=0)).min()
    text = np.asarray(names)
    ax.update_datalim(ends)
    ax.autoscale_view()
    if len(ends) > _MOST_ARROWS:
        ax.plot(*ends.T, color=_style.ACTION, linewidth=1, label="loadings, stretched")
        few = np.linspace(0, len(ends) - 1, _NAMES_ALONG).round().astype(int)
        _canvas.name_points(ax, ends[few, 0], ends[few, 1], text[few])
    else:
        for end in ends:
            line = {"arrowstyle": "->", "color": _style.ACTION, "linewidth": 1}
            ax.annotate("", tuple(end), xytext=(0, 0), arrowprops=line)
        _canvas.name_ends(ax, ends[:, 0], ends[:, 1], text)
    _canvas.legend_above(ax)
    return _canvas.finish(ax, *axis_labels)
