"""Pictures of classification: acceptance by SIMCA and DD-SIMCA, membership by PLS-DA."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FixedLocator

from pharmaq import _style
from pharmaq.chemometrics.plots import _canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from pharmaq.chemometrics.ddsimca import AcceptanceLimits

__all__ = ["plot_acceptance", "plot_class_distances", "plot_confusion", "plot_memberships"]

_ACCEPTANCE_MARKS = {
    "regular": ("o", _style.PRIMARY),
    "extreme": ("^", _style.ALERT),
    "outlier": ("s", _style.ACTION),
}
# distances beyond this many times a limit ask for a scale that shortens them
_FAR = 5


def plot_acceptance(
    limits: AcceptanceLimits,
    t2: ArrayLike,
    spe: ArrayLike,
    status: ArrayLike,
    *,
    names: ArrayLike | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw SPE over T2 with the limits of DD-SIMCA.

    Parameters
    ----------
    limits : AcceptanceLimits
        From `DDSIMCA.acceptance_limits`.
    t2, spe : array-like of shape (n_samples,)
        From `DDSIMCA.distances`.
    status : array-like of shape (n_samples,)
        From `DDSIMCA.statuses`.
    names : array-like of shape (n_samples,), optional
        Names of samples; those that are not regular are written.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture, each axis in units of its scale h0 and v0; where samples lie far out both
        axes go as ln(1 + value).
    """
    ax = _canvas.new_axes(ax, size=(6.4, 5))
    x = np.asarray(t2, dtype=float) / limits.t2_center
    y = np.asarray(spe, dtype=float) / (limits.spe_center or 1.0)
    given = np.asarray(status)
    for distance, style, name in (
        (limits.extreme, "--", f"acceptance, {100 * (1 - limits.alpha):g} %"),
        (limits.outlier, ":", f"outlier, gamma {limits.gamma:g}"),
    ):
        along = np.linspace(0, distance / limits.t2_dof, 200)
        line: dict[str, Any] = {
            "color": _style.LIMIT,
            "linestyle": style,
            "linewidth": 1.4,
            "label": name,
        }
        if limits.spe_dof:
            ax.plot(along, (distance - limits.t2_dof * along) / limits.spe_dof, **line)
        else:
            ax.axvline(along[-1], **line)
    for name, (marker, color) in _ACCEPTANCE_MARKS.items():
        rows = np.flatnonzero(given == name)
        if rows.size:
            text = f"{name} ({rows.size})"
            _canvas.scatter(ax, x[rows], y[rows], marker=marker, color=color, label=text)
    if max(x.max() * limits.t2_dof, y.max() * limits.spe_dof) > _FAR * limits.outlier:
        _shorten(ax, max(x.max(), y.max()))
    ax.set_xlim(left=0)
    ax.set_ylim(bottom=0)
    if names is not None:
        out = np.flatnonzero(given != "regular")
        _canvas.name_points(ax, x[out], y[out], np.asarray(names)[out])
    _canvas.legend_above(ax, columns=3)
    return _canvas.finish(ax, "T² / h0", "SPE / v0" if limits.spe_dof else "SPE does not count")


def plot_class_distances(
    t2: ArrayLike,
    spe: ArrayLike,
    *,
    label: Any,
    rule: str,
    alpha: float,
    color_by: ArrayLike | None = None,
    names: ArrayLike | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw SPE over T2 of samples for one class of SIMCA, with its region of acceptance.

    Parameters
    ----------
    t2, spe : array-like of shape (n_samples,)
        In units of the limits of the class, from `SIMCA.ratios`.
    label : object
        The class.
    rule : {"both", "combined"}
        Region of acceptance: a rectangle, or a quarter of a circle.
    alpha : float
        Error rate of the limits.
    color_by : array-like of shape (n_samples,), optional
        Known class of each sample.
    names : array-like of shape (n_samples,), optional
        Names of samples; those outside the region are written, if no classes are known.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture; where samples lie far out both axes go as ln(1 + value).
    """
    ax = _canvas.new_axes(ax, size=(6.4, 5))
    x, y = np.asarray(t2, dtype=float), np.asarray(spe, dtype=float)
    border = np.array([[1, 0], [1, 1], [0, 1]], dtype=float)
    if rule == "combined":
        angles = np.linspace(0, np.pi / 2, 100)
        border = np.sqrt(2) * np.column_stack([np.cos(angles), np.sin(angles)])
    # straight edges stay straight on the other scale only as many short ones
    steps = np.linspace(0, len(border) - 1, 400)
    edge = [np.interp(steps, np.arange(len(border)), column) for column in border.T]
    ax.plot(*edge, color=_style.LIMIT, ls="--", lw=1.4, label=_region(label, rule, alpha))
    groups = None if color_by is None else np.asarray(color_by).astype(str)
    _canvas.scatter_groups(ax, x, y, groups, "")
    if max(x.max(), y.max()) > _FAR:
        _shorten(ax, max(x.max(), y.max()))
    ax.set_xlim(left=0)
    ax.set_ylim(bottom=0)
    if names is not None and groups is None:
        out = np.flatnonzero(
            np.hypot(x, y) > np.sqrt(2) if rule == "combined" else (x > 1) | (y > 1)
        )
        _canvas.name_points(ax, x[out], y[out], np.asarray(names)[out])
    _canvas.legend_above(ax, columns=3)
    return _canvas.finish(ax, "T² / limit", "SPE / limit")


def plot_memberships(
    memberships: ArrayLike,
    known: ArrayLike,
    *,
    label: Any,
    threshold: float,
    ax: Axes | None = None,
) -> Axes:
    """Draw predicted membership of one class by known class, with its threshold.

    Parameters
    ----------
    memberships : array-like of shape (n_samples,)
        From `PLSDA.memberships`, one class.
    known : array-like of shape (n_samples,)
        Known class of each sample.
    label : object
        The class that membership is of.
    threshold : float
        From `PLSDA.thresholds_`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture; samples stand side by side within their class, in the order given.
    """
    ax = _canvas.new_axes(ax)
    values, groups = np.asarray(memberships, dtype=float), np.asarray(known)
    names = np.unique(groups)
    for place, name in enumerate(names):
        part = values[groups == name]
        marker, color = _style.GROUP_MARKS[place % len(_style.GROUP_MARKS)]
        spread = np.linspace(-0.35, 0.35, len(part)) if len(part) > 1 else np.zeros(1)
        _canvas.scatter(ax, place + spread, part, marker=marker, color=color)
    for level in (0, 1):
        ax.axhline(level, color=_style.MUTED, linewidth=0.8)
    if np.isfinite(threshold):
        ax.axhline(
            threshold, color=_style.LIMIT, ls="--", lw=1.4, label=f"threshold {threshold:.3g}"
        )
    ax.set_xticks(np.arange(len(names)), [str(name) for name in names])
    _canvas.legend_above(ax)
    _canvas.finish(ax, "known class", f"predicted membership of {label}")
    ax.grid(visible=False, axis="x")
    return ax


def plot_confusion(counts: ArrayLike, labels: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Draw how many samples of each class were predicted to be in each.

    Parameters
    ----------
    counts : array-like of int, shape (n_classes, n_classes)
        Rows are known classes, columns predicted ones.
    labels : array-like of shape (n_classes,)
        Names of the classes.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture: numbers, shaded by their share of the row.
    """
    table = np.asarray(counts, dtype=int)
    names = [str(label) for label in np.asarray(labels)]
    side = 2.2 + 0.75 * len(names)
    ax = _canvas.new_axes(ax, size=(side, side))
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    ax.imshow(share, cmap=_canvas.SHADES.reversed(), vmin=0, vmax=1)
    for (row, column), number in np.ndenumerate(table):
        dark = share[row, column] > 0.5
        color = _style.SURFACE if dark else _style.INK
        ax.text(column, row, str(number), ha="center", va="center", color=color)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(FixedLocator(np.arange(len(names)).tolist()))
    ax.set_xticklabels(names, rotation=90 if max(map(len, names)) > 6 else 0)
    ax.set_yticklabels(names)
    ax.tick_params(length=0)
    _canvas.finish(ax, "predicted class", "known class")
    ax.grid(visible=False)
    return ax


def _region(label: Any, rule: str, alpha: float) -> str:
    level = f"{100 * (1 - alpha):g} %"
    return f"member of {label} ({'each limit' if rule == 'both' else 'combined'}, {level})"


def _shorten(ax: Axes, farthest: float) -> None:
    """Let both axes go as ln(1 + value), with ticks that can be read."""
    steps = [0, 1, 2, 5, *(b * 10.0**k for k in range(1, 12) for b in (1, 3))]
    ticks = [step for step in steps if step <= 1.5 * farthest]
    for axis, scale in ((ax.xaxis, ax.set_xscale), (ax.yaxis, ax.set_yscale)):
        scale("function", functions=(np.log1p, np.expm1))
        axis.set_major_locator(FixedLocator(ticks))
        axis.set_major_formatter(lambda value, _: f"{value:g}")
