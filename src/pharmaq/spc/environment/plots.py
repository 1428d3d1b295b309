"""Pictures of counts: each takes `ax`, draws what the result holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from pharmaq import _style
from pharmaq.spc.inference.plots import finish, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pharmaq.spc.environment.levels import CountLevels

__all__ = ["plot_levels"]


def plot_levels(result: CountLevels, *, ax: Axes | None = None) -> Axes:
    """Draw how often each count was found and is expected, with both levels."""
    ax = new_axes(ax)
    observed = np.bincount(result.counts)
    k = np.arange(observed.size)
    ax.bar(k, observed, color=_style.PRIMARY, alpha=0.75, width=0.8, label="found")
    if result.expected.size:
        name = result.model.replace("_", " ")
        ax.plot(
            k, result.expected, "o-", color=_style.INK, markersize=4, linewidth=1, label=name
        )
    for word, level, color, dash in (
        ("alert", result.alert_level, _style.ALERT, "--"),
        ("action", result.action_level, _style.ACTION, "-."),
    ):
        ax.axvline(level + 0.5, color=color, linestyle=dash, label=f"{word}: above {level}")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    low, high = 100 * result.recovery_lower, 100 * result.recovery_upper
    rate = f"growth in {100 * result.recovery_rate:.1f} % ({low:.1f} to {high:.1f})"
    ax.set_title(f"n = {result.counts.size}, {rate}", loc="left", fontsize="medium")
    ax.legend(frameon=False, fontsize="small")
    return finish(ax, "count", "samples")
