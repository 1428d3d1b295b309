"""Pictures of sampling plans: each takes `ax`, draws what the result holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.ticker import PercentFormatter

from pharmaq import _style
from pharmaq.spc.inference.plots import finish, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pharmaq.spc.sampling.attributes import AttributePlan
    from pharmaq.spc.sampling.variables import VariablesPlan

__all__ = ["plot_attribute_plan", "plot_variables_plan"]

_DOTS: dict[str, Any] = {"edgecolors": _style.SURFACE, "linewidths": 0.5, "zorder": 4, "s": 46}


def plot_attribute_plan(result: AttributePlan, *, ax: Axes | None = None) -> Axes:
    """Draw the operating characteristic with both risk points."""
    sizes = ", ".join(
        f"n {n}, accept {c}" for n, c in zip(result.n, result.accept, strict=True)
    )
    ax = _draw_curve(result, ax)
    ax.set_title(f"{sizes} ({result.distribution})", loc="left", fontsize="medium")
    label = "fraction nonconforming"
    if result.distribution == "poisson":
        label = "nonconformities a unit"
    else:
        ax.xaxis.set_major_formatter(PercentFormatter(1.0))
    return finish(ax, label, "chance of acceptance")


def plot_variables_plan(result: VariablesPlan, *, ax: Axes | None = None) -> Axes:
    """Draw the operating characteristic with both risk points."""
    ax = _draw_curve(result, ax)
    title = f"n {result.n}, k {result.k:.4g} ({result.sigma} sigma)"
    ax.set_title(title, loc="left", fontsize="medium")
    ax.xaxis.set_major_formatter(PercentFormatter(1.0))
    return finish(ax, "fraction nonconforming", "chance of acceptance")


def _draw_curve(result: AttributePlan | VariablesPlan, ax: Axes | None) -> Axes:
    ax = new_axes(ax)
    ax.plot(result.fractions, result.acceptance, color=_style.PRIMARY, linewidth=2)
    points = (
        ("AQL", result.aql, result.producer_risk, result.alpha, "o", _style.SECONDARY),
        ("LTPD", result.ltpd, result.consumer_risk, result.beta, "s", _style.ALERT),
    )
    for name, at, risk, asked, marker, color in points:
        if at is None or risk is None or asked is None:
            continue
        chance = 1 - risk if name == "AQL" else risk
        word = "producer's" if name == "AQL" else "consumer's"
        text = f"{name} {at:g}: {word} risk {risk:.3g} (asked {asked:g})"
        ax.scatter([at], [chance], color=color, marker=marker, label=text, **_DOTS)
    ax.set_ylim(-0.03, 1.03)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(frameon=False, fontsize="small")
    return ax
