"""Pictures of alignment: each takes `ax`, draws what the result holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq import _style
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from pharmaq.mspc.alignment.result import Alignment

__all__ = ["plot_alignment", "plot_warping"]

_OTHERS: dict[str, Any] = {"color": _style.MUTED, "alpha": 0.45, "linewidth": 0.8}
# share of the axis that the name of a phase takes
_ROOM = 0.03
_FOCUS: dict[str, Any] = {"color": _style.ACTION, "linewidth": 2.0, "zorder": 4}


def plot_alignment(
    result: Alignment,
    *,
    variable: str | None = None,
    batch: Any = None,
    ax: Sequence[Axes] | None = None,
) -> NDArray[Any]:
    """Draw a variable of all batches before and after alignment."""
    name = result.raw.variables[0] if variable is None else variable
    if name not in result.raw.variables:
        msg = f"variable must be one of {result.raw.variables}, got {variable!r}"
        raise InputError(msg)
    _check_batch(result, batch)
    axes = _two_axes(ax)
    column = result.raw.variables.index(name)
    for key, trace in result.raw.traces().items():
        _line(axes[0], trace.time, trace.values[:, column], key, batch)
    time = result.batches["time"].to_numpy()
    for key in result.batches["batch"].to_numpy():
        _line(axes[1], time, result.batches[name].sel(batch=key).to_numpy(), key, batch)
    _phase_lines(axes[1], result)
    units = result.raw.units[name]
    axes[0].set_title("before", loc="left", fontsize="medium")
    axes[1].set_title(f"after: {result.method}", loc="left", fontsize="medium")
    _finish(axes[0], _labelled("time", result.raw.time_units), _labelled(name, units))
    _finish(axes[1], _time_label(result), "")
    if batch is not None:
        axes[0].legend(frameon=False, fontsize="small")
    return axes


def plot_warping(result: Alignment, *, batch: Any = None, ax: Axes | None = None) -> Axes:
    """Draw the time of each batch over the aligned time."""
    _check_batch(result, batch)
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.subplots(figsize=(6, 4), layout="constrained")[1]
    time = result.batches["time"].to_numpy()
    for key in result.batches["batch"].to_numpy():
        _line(ax, time, result.warping.sel(batch=key).to_numpy(), key, batch)
    _phase_lines(ax, result)
    if batch is not None:
        ax.legend(frameon=False, fontsize="small")
    return _finish(
        ax, _time_label(result), _labelled("time of the batch", result.raw.time_units)
    )


def _two_axes(ax: Sequence[Axes] | None) -> NDArray[Any]:
    if ax is not None:
        axes = np.asarray(ax, dtype=object).ravel()
        if len(axes) != 2:
            msg = f"ax must hold two Axes, before and after, got {len(axes)}"
            raise InputError(msg)
        return axes
    import matplotlib.pyplot as plt

    axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")[1]
    return np.asarray(axes, dtype=object)


def _check_batch(result: Alignment, batch: Any) -> None:
    known = result.raw.ids
    if batch is not None and batch not in known:
        msg = f"batch must be one of {known[:10]!r}, got {batch!r}"
        raise InputError(msg)


def _line(ax: Axes, x: Any, y: Any, key: Any, focus: Any) -> None:
    inside = focus is not None and key == focus
    ax.plot(x, y, label=str(key) if inside else None, **(_FOCUS if inside else _OTHERS))


def _phase_lines(ax: Axes, result: Alignment) -> None:
    """Mark where phases begin, and name them."""
    if "phase" not in result.batches.coords:
        return
    phase, time = result.batches["phase"].to_numpy(), result.batches["time"].to_numpy()
    starts = np.flatnonzero(np.append(True, phase[1:] != phase[:-1]))
    widths = np.diff(time[starts], append=time[-1])
    for i, width in zip(starts, widths, strict=True):
        if i:
            ax.axvline(time[i], color=_style.LIMIT, linewidth=_style.THIN_LINE, linestyle=":")
        # a name needs room
        if width > _ROOM * (time[-1] - time[0]):
            ax.annotate(
                str(phase[i]),
                (time[i], 0.0),
                xycoords=("data", "axes fraction"),
                xytext=(3, 3),
                textcoords="offset points",
                rotation=90,
                fontsize="x-small",
                color=_style.LIMIT,
                parse_math=False,
            )


def _time_label(result: Alignment) -> str:
    units = result.batches["time"].attrs["units"]
    return "maturity" if units == "1" else _labelled("aligned time", units)


def _labelled(name: str, units: str) -> str:
    return f"{name} / {units}" if units else name


def _finish(ax: Axes, x: str, y: str) -> Axes:
    ax.set_xlabel(x, parse_math=False)
    ax.set_ylabel(y, parse_math=False)
    ax.grid(visible=True, color=_style.GRID, linewidth=0.6)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return ax
