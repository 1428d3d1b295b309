"""Pictures of investigations: each takes `ax`, draws what the result holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from pharmaq import _style
from pharmaq.spc.inference.plots import finish, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pharmaq.spc.investigation.causes import CauseSearch
    from pharmaq.spc.investigation.outliers import OutlierInvestigation

__all__ = ["plot_causes", "plot_investigation"]


def plot_causes(result: CauseSearch, *, ax: Axes | None = None) -> Axes:
    """Draw adjusted p of each factor and the smallest it could have, the strongest on top."""
    ax = new_axes(ax)
    table = result.table[result.table["p"].notna()].iloc[::-1]
    y = np.arange(len(table))
    p = table["p_adjusted"].to_numpy(float)
    colors = np.where(p < result.alpha, _style.ACTION, _style.PRIMARY)
    ax.scatter(p, y, c=list(colors), s=_style.MARK_SIZE, zorder=3)
    ax.scatter([], [], color=_style.PRIMARY, s=_style.MARK_SIZE, label="adjusted p")
    smallest: dict[str, Any] = {"marker": "|", "color": _style.MUTED, "s": 60.0}
    ax.scatter(table["p_smallest"], y, label="smallest p possible", **smallest)
    ax.axvline(
        result.alpha,
        color=_style.LIMIT,
        linestyle="--",
        linewidth=1.2,
        label=f"level {result.alpha:g}",
    )
    ax.set_xscale("log")
    ax.set_yticks(y, [str(name) for name in table["factor"]])
    ax.legend(frameon=False, fontsize="small")
    title = f"{result.n_failed} of {result.n_batches} batches failed"
    ax.set_title(title, loc="left", fontsize="medium")
    return finish(ax, f"p ({result.adjustment})", "")


def plot_investigation(result: OutlierInvestigation, *, ax: Axes | None = None) -> Axes:
    """Draw values in order with their mean, suspects marked by how many tests name them."""
    ax = new_axes(ax)
    x = result.values
    position = np.arange(x.size)
    calm = ~np.isin(position, result.suspects)
    dots: dict[str, Any] = {"edgecolors": _style.SURFACE, "linewidths": 0.5, "zorder": 3}
    ax.scatter(position[calm], x[calm], color=_style.PRIMARY, s=_style.MARK_SIZE, **dots)
    for k, i in enumerate(result.suspects):
        n = sum(i in test.outliers for test in result.tests.values())
        marks: dict[str, Any] = {"color": _style.ACTION, "marker": "s", "s": _style.MARK_SIZE}
        ax.scatter(i, x[i], label="suspect" if k == 0 else None, **marks, **dots)
        words = f"{n} of {len(result.tests)} tests"
        ax.annotate(
            words,
            (float(i), float(x[i])),
            xytext=(6, 4),
            textcoords="offset points",
            fontsize="small",
        )
    ax.axhline(result.with_all["mean"], color=_style.INK, linewidth=1, label="mean of all")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.margins(x=0.12, y=0.18)
    ax.legend(frameon=False, fontsize="small")
    ax.set_title("no value is left out by a test alone", loc="left", fontsize="medium")
    return finish(ax, "position", "result")
