"""Pictures of capability; they draw what a result holds and compute nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt

from pharmaq import _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pharmaq.spc.capability._result import Capability

__all__ = ["plot_capability"]


def plot_capability(found: Capability, *, ax: Axes | None = None) -> Axes:
    """Draw the histogram of the values with specification, target and mean.

    Parameters
    ----------
    found : Capability
        What to draw.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(7.0, 3.8), layout="constrained")
    ax.hist(
        found.values, bins="auto", color=_style.PRIMARY, alpha=0.55, edgecolor=_style.SURFACE
    )
    lines = (
        ("LSL", found.lsl, _style.ACTION, "-"),
        ("USL", found.usl, _style.ACTION, "-"),
        ("target", found.target, _style.SECONDARY, "--"),
        ("mean", found.mean, _style.INK, ":"),
    )
    for row, (name, value, color, dash) in enumerate(lines):
        if value is None:
            continue
        ax.axvline(value, color=color, linestyle=dash, linewidth=_style.LINE_WIDTH)
        # names of lines that may stand close together are at different heights
        ax.annotate(
            f"{name} {value:g}" if name != "mean" else f"mean {value:.4g}",
            (value, 1.02 + 0.07 * (row >= 2) + 0.07 * (row == 3)),
            xycoords=("data", "axes fraction"),
            ha="center",
            color=color,
            fontsize=9,
        )
    ax.set_xlabel(found.units or "value")
    ax.set_ylabel("number of values")
    text = [
        f"{one.name.capitalize()} {one.value:.2f}"
        + ("" if one.lower is None else f" ({one.lower:.2f} to {one.upper:.2f})")
        for one in found.indices.values()
        if one.name in {"cp", "cpk", "pp", "ppk"}
    ]
    if not found.valid:
        text.append("not valid: " + ", ".join(one.rule for one in found.findings))
    color = _style.INK if found.valid else _style.ACTION
    ax.set_title("\n".join(text), loc="left", fontsize=9, color=color, pad=34)
    ax.margins(x=0.08)
    ax.spines[["top", "right"]].set_visible(False)
    return ax
