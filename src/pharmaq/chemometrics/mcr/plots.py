"""Pictures of curve resolution: each draws what the result holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator

from pharmaq import _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from pharmaq.chemometrics.mcr._ambiguity import RotationalAmbiguity
    from pharmaq.chemometrics.mcr._initial import EvolvingFactors, PurestVariables
    from pharmaq.chemometrics.mcr._profiles import ResolvedProfiles

__all__ = [
    "plot_ambiguity",
    "plot_concentrations",
    "plot_evolving_factors",
    "plot_profiles",
    "plot_purity",
    "plot_resolved_spectra",
]

_AXIS_LABELS = {
    "wavelength": "wavelength / nm",
    "wavenumber": "wavenumber / cm⁻¹",
    "raman_shift": "Raman shift / cm⁻¹",
}

_COLORS = (
    _style.PRIMARY,
    _style.ALERT,
    _style.SECONDARY,
    _style.ACTION,
    _style.LIMIT,
    _style.MUTED,
)
# components are told apart in greyscale, too
_LINES = ("-", "--", "-.", ":")
_MARKS = ("o", "^", "s", "D", "v", "P")

# beyond this many samples, marks would hide the lines
_MOST_MARKS = 60


def plot_profiles(
    result: ResolvedProfiles, *, axes: tuple[Axes, Axes] | None = None
) -> tuple[Axes, Axes]:
    """Draw resolved spectra above resolved concentrations.

    Parameters
    ----------
    result : ResolvedProfiles
        From `MCRALS.profiles`.
    axes : pair of matplotlib Axes, optional
        Where to draw spectra and concentrations; a new figure by default.

    Returns
    -------
    tuple of two matplotlib Axes
        The pictures of spectra and of concentrations.
    """
    upper, lower = _pair(axes)
    plot_resolved_spectra(result, ax=upper)
    # one legend serves both
    _draw_concentrations(lower, result)
    status = "" if result.converged else ", not converged"
    upper.set_title(
        f"lack of fit {result.lack_of_fit:.3g} % after {result.n_iter} iterations{status}",
        loc="left",
        fontsize="medium",
        color=_style.INK if result.converged else _style.ACTION,
    )
    return upper, lower


def plot_resolved_spectra(result: ResolvedProfiles, *, ax: Axes | None = None) -> Axes:
    """Draw resolved spectra along their axis.

    Parameters
    ----------
    result : ResolvedProfiles
        From `MCRALS.profiles`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    ax = _one(ax)
    for j, (name, spectrum) in enumerate(zip(result.names(), result.spectra, strict=True)):
        ax.plot(result.axis, spectrum, label=_label(name, str(result.scaled_by[j])), **_line(j))
    _legend(ax)
    ax.set_xlim(result.axis[0], result.axis[-1])
    return _finish(ax, _AXIS_LABELS.get(result.axis_kind, result.axis_kind), "spectrum")


def plot_concentrations(result: ResolvedProfiles, *, ax: Axes | None = None) -> Axes:
    """Draw resolved concentrations over samples or time.

    Parameters
    ----------
    result : ResolvedProfiles
        From `MCRALS.profiles`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture; samples without numbers or times are drawn in their order.
    """
    ax = _draw_concentrations(_one(ax), result)
    _legend(ax)
    return ax


def plot_ambiguity(
    result: RotationalAmbiguity, *, axes: tuple[Axes, Axes] | None = None
) -> tuple[Axes, Axes]:
    """Draw the extreme profiles that fit equally well; between them is shaded.

    Parameters
    ----------
    result : RotationalAmbiguity
        From `rotational_ambiguity`.
    axes : pair of matplotlib Axes, optional
        Where to draw spectra and concentrations; a new figure by default.

    Returns
    -------
    tuple of two matplotlib Axes
        The pictures of spectra and of concentrations.
    """
    upper, lower = _pair(axes)
    places = _places(lower, result.labels)
    for j, (least, most) in enumerate(zip(result.lower, result.upper, strict=True)):
        label = f"component{j}: signal {least:.3f} to {most:.3f}"
        _band(upper, result.axis, result.lower_spectra[j], result.upper_spectra[j], j, label)
        amounts = result.lower_concentrations[:, j], result.upper_concentrations[:, j]
        _band(lower, places, *amounts, j, label)
    _legend(upper)
    upper.set_xlim(result.axis[0], result.axis[-1])
    _finish(upper, _AXIS_LABELS.get(result.axis_kind, result.axis_kind), "spectrum, largest 1")
    _finish(lower, result.label_name, "concentration")
    return upper, lower


def plot_evolving_factors(result: EvolvingFactors, *, ax: Axes | None = None) -> Axes:
    """Draw eigenvalues of the first samples (solid) and of the last ones (dashed).

    Parameters
    ----------
    result : EvolvingFactors
        From `evolving_factor_analysis`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture, on a logarithmic scale; eigenvalues of 0 are left out.
    """
    ax = _one(ax)
    places = _places(ax, result.labels)
    for curves, line, name in (
        (result.forward, "-", "forward"),
        (result.backward, "--", "backward"),
    ):
        for j, curve in enumerate(curves.T):
            ax.plot(
                places,
                np.where(curve > 0, curve, np.nan),
                color=_COLORS[j % len(_COLORS)],
                linestyle=line,
                linewidth=_style.LINE_WIDTH,
                label=name if j == 0 else None,
            )
    ax.set_yscale("log")
    _legend(ax)
    return _finish(ax, result.label_name, "eigenvalue")


def plot_purity(result: PurestVariables, *, ax: Axes | None = None) -> Axes:
    """Draw the purity of all points before each selection, relative to the first maximum.

    Parameters
    ----------
    result : PurestVariables
        From `simplisma`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture; a mark stands at each variable selected.
    """
    ax = _one(ax)
    chosen = zip(result.purity, result.variables, result.positions, strict=True)
    for j, (purity, variable, position) in enumerate(chosen):
        ax.plot(result.axis, purity, label=f"{j + 1}: {position:g}", **_line(j))
        ax.plot(
            [position],
            [purity[variable]],
            marker=_MARKS[j % len(_MARKS)],
            color=_COLORS[j % len(_COLORS)],
            markeredgecolor=_style.SURFACE,
            linestyle="none",
        )
    _legend(ax)
    ax.set_xlim(result.axis[0], result.axis[-1])
    ax.set_ylim(bottom=0)
    return _finish(ax, _AXIS_LABELS.get(result.axis_kind, result.axis_kind), "purity")


def _draw_concentrations(ax: Axes, result: ResolvedProfiles) -> Axes:
    places = _places(ax, result.labels)
    profiles = zip(result.names(), result.concentrations.T, strict=True)
    for j, (name, amounts) in enumerate(profiles):
        ax.plot(places, amounts, label=name, **_line(j), **_mark(j, len(places)))
    return _finish(ax, result.label_name, "concentration")


def _band(
    ax: Axes,
    places: NDArray[Any],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    component: int,
    label: str,
) -> None:
    style = _line(component) | {"linewidth": _style.THIN_LINE}
    ax.plot(places, first, label=label, **style)
    ax.plot(places, second, **style)
    ax.fill_between(places, first, second, color=style["color"], alpha=0.2, linewidth=0)


def _label(name: str, scaled_by: str) -> str:
    """Name a component, and what sets its scale where that is no convention."""
    known = scaled_by == "closure" or scaled_by.startswith("known")
    return f"{name} ({scaled_by})" if known else name


def _places(ax: Axes, labels: NDArray[Any]) -> NDArray[Any]:
    """Return where samples stand: at their numbers or times, or in their order."""
    if labels.dtype.kind in "iufM":
        if labels.dtype.kind in "iu":
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        return labels
    places = np.arange(len(labels))
    step = -(-len(labels) // 20)
    ax.set_xticks(places[::step], [str(label) for label in labels[::step]])
    if max(len(str(label)) for label in labels) * len(labels[::step]) > 70:
        ax.tick_params(axis="x", rotation=90)
    return places


def _line(component: int) -> dict[str, Any]:
    return {
        "color": _COLORS[component % len(_COLORS)],
        "linestyle": _LINES[component % len(_LINES)],
        "linewidth": _style.LINE_WIDTH,
    }


def _mark(component: int, count: int) -> dict[str, Any]:
    if count > _MOST_MARKS:
        return {}
    return {"marker": _MARKS[component % len(_MARKS)], "markersize": 4}


def _one(ax: Axes | None) -> Axes:
    return plt.subplots(figsize=(7, 4), layout="constrained")[1] if ax is None else ax


def _pair(axes: tuple[Axes, Axes] | None) -> tuple[Axes, Axes]:
    if axes is None:
        upper, lower = plt.subplots(2, 1, figsize=(7, 6), layout="constrained")[1]
        return upper, lower
    return axes


def _legend(ax: Axes) -> None:
    ax.legend(frameon=False, fontsize="small")


def _finish(ax: Axes, x: str, y: str) -> Axes:
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.grid(visible=True, color=_style.GRID, linewidth=0.6)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return ax
