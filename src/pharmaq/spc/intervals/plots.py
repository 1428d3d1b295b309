"""Pictures of intervals; they draw what a result holds and compute nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pharmaq import _style
from pharmaq.spc.inference.plots import finish, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pharmaq.spc.intervals._batches import BatchInterval

__all__ = ["plot_batches"]

# beyond this many batches names run into each other
_NAMED = 24


def plot_batches(result: BatchInterval, *, ax: Axes | None = None) -> Axes:
    """Draw the values of each batch between the limits.

    Parameters
    ----------
    result : BatchInterval
        What to draw.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    ax = new_axes(ax)
    codes, names = pd.factorize(result.batches)
    ax.scatter(
        codes,
        result.values,
        s=_style.MARK_SIZE,
        color=_style.PRIMARY,
        edgecolors=_style.SURFACE,
        linewidths=0.5,
        zorder=3,
    )
    lines = (
        ("mean", result.mean, "-"),
        ("lower", result.lower, "--"),
        ("upper", result.upper, "--"),
    )
    for name, value, dash in lines:
        if value is None:
            continue
        color = _style.INK if name == "mean" else _style.LIMIT
        ax.axhline(value, color=color, linestyle=dash, linewidth=_style.LINE_WIDTH, zorder=1)
        ax.annotate(
            f"{name} {value:.5g}",
            (1, value),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize="small",
            color=color,
        )
    if len(names) <= _NAMED:
        ax.set_xticks(np.arange(len(names)), [str(name) for name in names])
    share = "" if result.coverage is None else f"{100 * result.coverage:g} % of all values, "
    ax.set_title(
        f"{share}{100 * result.confidence:g} % confidence, {result.method}",
        fontsize="medium",
        loc="left",
    )
    return finish(ax, "batch", result.units or "value")
