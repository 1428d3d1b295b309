"""Pictures of spectra, calibrations and predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.ticker import FixedLocator, MaxNLocator

from pharmaq import _style
from pharmaq.chemometrics.plots import _canvas
from pharmaq.spectra import axis_kind, axis_values

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from pharmaq.chemometrics.crossval import CrossValidation
    from pharmaq.chemometrics.prediction import CalibrationPrediction

__all__ = [
    "plot_errors",
    "plot_predicted",
    "plot_rmsecv",
    "plot_spectra",
    "plot_t2_spe",
    "plot_values",
]

# beyond this many spectra the lines are drawn as an image
_MOST_LINES = 400


def plot_spectra(
    spectra: xr.DataArray,
    *,
    color_by: ArrayLike | None = None,
    color_label: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw spectra along their axis.

    Parameters
    ----------
    spectra : DataArray
        Labelled spectra, one line each; all of them are drawn.
    color_by : array-like of shape (n_samples,), optional
        Number that colours each line from low (blue) to high (red).
    color_label : str, default ""
        What the number is, with its units.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    ax = _canvas.new_axes(ax)
    positions, kind = axis_values(spectra), axis_kind(spectra)
    rows = spectra.to_numpy()
    colors = _line_colors(len(rows), color_by, ax, color_label)
    if len(rows) <= _MOST_LINES:
        # single lines are simplified to what the eye can see, collections are not
        for row, color in zip(rows, colors, strict=True):
            ax.plot(positions, row, color=color, linewidth=_style.THIN_LINE, alpha=0.8)
    else:
        segments = [np.column_stack([positions, row]) for row in rows]
        lines = LineCollection(segments, colors=colors, linewidths=_style.THIN_LINE, alpha=0.8)
        lines.set_rasterized(True)
        ax.add_collection(lines)
        ax.autoscale_view()
    quantity = spectra.attrs.get("quantity", "unknown")
    label = "signal" if quantity == "unknown" else quantity
    return _canvas.finish(ax, _canvas.AXIS_LABELS[kind], label, positions=positions)


def plot_rmsecv(
    result: CrossValidation, *, chosen: int | None = None, ax: Axes | None = None
) -> Axes:
    """Draw RMSECV over the number of components.

    Parameters
    ----------
    result : CrossValidation
        From `cross_validate`.
    chosen : int, optional
        Number of components to mark.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    ax = _canvas.new_axes(ax)
    frame = result.to_frame()
    counts = frame.pop("n_components").to_numpy()
    curves = frame.to_numpy(dtype=float)
    for number, (name, curve) in enumerate(zip(frame.columns, curves.T, strict=True)):
        marker, color = _style.GROUP_MARKS[number % len(_style.GROUP_MARKS)]
        ax.plot(
            counts,
            curve,
            marker=marker,
            markersize=4,
            color=color,
            linewidth=_style.LINE_WIDTH,
            label=str(name),
        )
    if chosen is not None:
        value = float(curves[chosen, 0])
        ax.plot(
            [chosen], [value], marker="o", markersize=11, fillstyle="none", color=_style.ACTION
        )
        # on the right of the picture there is room on the left
        right = chosen > len(counts) / 2
        ax.annotate(
            f"{chosen} components: {value:.4g}",
            (chosen, value),
            xytext=(-8 if right else 8, 14),
            ha="right" if right else "left",
            textcoords="offset points",
            color=_style.ACTION,
        )
    if curves.shape[1] > 1:
        ax.legend(frameon=False)
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return _canvas.finish(ax, "components", "RMSECV")


def plot_predicted(
    reference: ArrayLike,
    predicted: ArrayLike,
    *,
    rmse: float | None = None,
    label: str = "",
    other: tuple[ArrayLike, ArrayLike, str] | None = None,
    units: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw predicted over reference values with the line of identity.

    Parameters
    ----------
    reference, predicted : array-like of shape (n,)
        The two values of each sample.
    rmse : float, optional
        Draws limits at two of these on each side of identity.
    label : str, default ""
        Name of these samples.
    other : tuple of (reference, predicted, label), optional
        A second set of samples, with another mark.
    units : str, default ""
        Units of both.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    ax = _canvas.new_axes(ax, size=(5.4, 4.8))
    sets = [(reference, predicted, label, "o", _style.PRIMARY)]
    if other is not None:
        sets.append((*other, "^", _style.ALERT))
    for x, y, name, marker, color in sets:
        _canvas.scatter(ax, x, y, marker=marker, color=color, label=name)
    values = np.concatenate([np.asarray(v, dtype=float) for s in sets for v in s[:2]])
    ends = np.array([values.min(), values.max()])
    ends = ends + np.array([-0.04, 0.04]) * np.ptp(ends)
    ax.plot(ends, ends, color=_style.INK, linewidth=1.0, label="identity")
    if rmse is not None:
        for sign, limit_label in ((-1, "identity ± 2 RMSE"), (1, None)):
            shifted = ends + sign * 2 * rmse
            ax.plot(ends, shifted, color=_style.LIMIT, ls="--", lw=1, label=limit_label)
    ax.legend(frameon=False, fontsize="small")
    return _canvas.finish(
        ax, _canvas.with_units("reference", units), _canvas.with_units("predicted", units)
    )


def plot_t2_spe(prediction: CalibrationPrediction, *, ax: Axes | None = None) -> Axes:
    """Draw SPE over T2 with both limits, one mark a spectrum, shaped by its status.

    Parameters
    ----------
    prediction : CalibrationPrediction
        From `Calibration.predict`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture; logarithmic where a spectrum lies beyond five times a limit.
    """
    ax = _canvas.new_axes(ax)
    t2, spe = prediction.t2 / prediction.t2_limit, prediction.spe / prediction.spe_limit
    if max(np.nanmax(t2, initial=0), np.nanmax(spe, initial=0)) > 5:
        ax.set_xscale("log")
        ax.set_yscale("log")
    for status, (marker, color) in _style.STATUS_MARKS.items():
        rows = np.flatnonzero((prediction.status == status) & np.isfinite(t2))
        if rows.size:
            ax.scatter(
                t2[rows],
                spe[rows],
                s=_style.MARK_SIZE,
                marker=marker,
                color=color,
                label=f"{status} ({rows.size})",
            )
    level = f"limit, {100 * (1 - prediction.alpha):g} %"
    ax.axvline(1, color=_style.LIMIT, linestyle="--", linewidth=1, label=level)
    ax.axhline(1, color=_style.LIMIT, linestyle="--", linewidth=1)
    # names stand where the points are once all of them are drawn
    odd = np.flatnonzero((prediction.status != "ok") & np.isfinite(t2))
    _canvas.name_points(ax, t2[odd], spe[odd], prediction.sample[odd])
    ax.legend(frameon=False, fontsize="small")
    return _canvas.finish(ax, "T² / limit", "SPE / limit")


def plot_values(
    prediction: CalibrationPrediction,
    *,
    at: ArrayLike | None = None,
    label: str = "spectrum",
    reference: tuple[ArrayLike, ArrayLike] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw predicted values with their intervals in order, or over time.

    Parameters
    ----------
    prediction : CalibrationPrediction
        From `Calibration.predict`.
    at : array-like of shape (n_samples,), optional
        Where each value stands: a time, say; its number by default.
    label : str, default "spectrum"
        What `at` is, with its units.
    reference : tuple of (array-like, array-like), optional
        Places and values of laboratory results to compare with.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture; marks as in `plot_t2_spe`.
    """
    ax = _canvas.new_axes(ax)
    places = np.arange(len(prediction.value)) if at is None else np.asarray(at)
    order = np.argsort(places, kind="stable")
    ax.fill_between(
        places[order],
        prediction.lower[order],
        prediction.upper[order],
        step="mid",
        color=_style.MUTED,
        alpha=0.25,
        linewidth=0,
        label=f"interval, {100 * prediction.confidence:g} %",
    )
    for status, (marker, color) in _style.STATUS_MARKS.items():
        rows = np.flatnonzero((prediction.status == status) & np.isfinite(prediction.value))
        if rows.size:
            name = f"{status} ({rows.size})"
            y = prediction.value[rows]
            # an edge would hide the inside of marks as small as these
            ax.plot(
                places[rows], y, ls="", marker=marker, ms=3.5, mew=0.8, color=color, label=name
            )
    if reference is not None:
        ax.plot(
            *reference,
            linestyle="",
            marker="o",
            markersize=7,
            markerfacecolor=_style.SURFACE,
            markeredgecolor=_style.INK,
            markeredgewidth=1.2,
            label="reference",
        )
    _canvas.legend_above(ax)
    return _canvas.finish(ax, label, _canvas.with_units(prediction.response, prediction.units))


def plot_errors(
    errors: ArrayLike,
    *,
    at: ArrayLike | None = None,
    batch: ArrayLike | None = None,
    label: str = "reference",
    units: str = "",
    rmse: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw errors of prediction over the reference value, or batch by batch.

    Parameters
    ----------
    errors : array-like of shape (n_samples,)
        Predicted minus reference.
    at : array-like of shape (n_samples,), optional
        Where each error stands: the reference value, a time; its number by default.
    batch : array-like of shape (n_samples,), optional
        Batch of each sample, in place of `at`; batches stand in the order in which they come.
    label : str, default "reference"
        What `at` is.
    units : str, default ""
        Units of the errors, and of the reference values.
    rmse : float, optional
        Draws lines at two of these on each side of zero.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture; with batches, a bar marks the mean of each.
    """
    ax = _canvas.new_axes(ax)
    values = np.asarray(errors, dtype=float)
    ax.axhline(0, color=_style.INK, linewidth=1)
    if rmse is not None:
        for sign, name in ((-1, "± 2 RMSE"), (1, None)):
            ax.axhline(sign * 2 * rmse, color=_style.LIMIT, ls="--", lw=1, label=name)
    if batch is None:
        places = np.arange(len(values)) if at is None else np.asarray(at)
        _canvas.scatter(ax, places, values, marker="o", color=_style.PRIMARY)
        text = _canvas.with_units(label, units if label == "reference" else "")
    else:
        _strip(ax, values, np.asarray(batch))
        text = "batch"
    _canvas.legend_above(ax)
    return _canvas.finish(ax, text, _canvas.with_units("predicted - reference", units))


def _strip(ax: Axes, values: NDArray[np.float64], batch: NDArray[Any]) -> None:
    names = list(dict.fromkeys(batch.tolist()))
    for place, name in enumerate(names):
        part = values[batch == name]
        _canvas.scatter(ax, np.full(len(part), place), part, marker="o", color=_style.PRIMARY)
    means = [values[batch == name].mean() for name in names]
    places = np.arange(len(names))
    ax.plot(places, means, ls="", marker="_", ms=14, mew=2, color=_style.ALERT, label="mean")
    ax.set_xticks(places, [str(name) for name in names])
    ax.xaxis.set_major_locator(FixedLocator(places[:: 1 + len(names) // 40].tolist()))
    if len(names) > 8:
        ax.tick_params(axis="x", rotation=90)


def _line_colors(n: int, color_by: ArrayLike | None, ax: Axes, label: str) -> list[Any]:
    """Return a colour for each line, and draw the scale that explains them."""
    if color_by is None:
        return [_style.PRIMARY] * n
    return _canvas.color_bar(ax, np.asarray(color_by, dtype=float), label)
