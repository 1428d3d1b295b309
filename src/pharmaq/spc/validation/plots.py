"""Pictures of calibration lines: each takes `ax`, draws what the result holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq import _style
from pharmaq.spc.inference.plots import finish, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pharmaq.spc.validation.line import CalibrationLine

__all__ = ["plot_line"]

_DOTS: dict[str, Any] = {"edgecolors": _style.SURFACE, "linewidths": 0.5, "zorder": 3}


def plot_line(result: CalibrationLine, *, ax: Axes | None = None) -> Axes:
    """Draw points and line, with the limits of amounts."""
    ax = new_axes(ax)
    ends = np.array([min(0.0, float(result.amounts.min())), float(result.amounts.max())])
    label = f"{result.intercept:.4g} + {result.slope:.4g} x"
    ax.plot(ends, result.intercept + result.slope * ends, color=_style.INK, label=label)
    ax.scatter(
        result.amounts, result.responses, s=_style.MARK_SIZE, color=_style.PRIMARY, **_DOTS
    )
    for name, value, style in (
        ("decision", result.decision_limit, ":"),
        ("detection", result.detection_limit, "--"),
        ("quantification", result.quantification_limit, "-."),
    ):
        if np.isfinite(value):
            text = f"{name} limit {value:.3g}"
            ax.axvline(value, color=_style.LIMIT, linestyle=style, linewidth=1.2, label=text)
    title = f"s = {result.sigma:.3g}, r² = {result.r2:.5f}, n = {result.n}"
    ax.set_title(title, loc="left", fontsize="medium")
    ax.legend(frameon=False, fontsize="small")
    return finish(ax, "amount", "response")
