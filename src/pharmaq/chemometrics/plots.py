"""Pictures of chemometric results: each takes `ax`, draws what the result holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.ticker import MaxNLocator

from pharmaq import _style
from pharmaq.spectra import axis_kind, axis_values

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from pharmaq.chemometrics.calibration import Calibration
    from pharmaq.chemometrics.crossval import CrossValidation
    from pharmaq.chemometrics.prediction import CalibrationPrediction

__all__ = [
    "plot_coefficients",
    "plot_predicted",
    "plot_rmsecv",
    "plot_spectra",
    "plot_t2_spe",
    "plot_vip",
]

# beyond this many spectra the lines are drawn as an image
_MOST_LINES = 400

_AXIS_LABELS = {
    "wavelength": "wavelength / nm",
    "wavenumber": "wavenumber / cm⁻¹",
    "raman_shift": "Raman shift / cm⁻¹",
}


def plot_spectra(
    spectra: xr.DataArray, *, color_by: ArrayLike | None = None, ax: Axes | None = None
) -> Axes:
    """Draw spectra along their axis.

    Parameters
    ----------
    spectra : DataArray
        Labelled spectra, one line each; all of them are drawn.
    color_by : array-like of shape (n_samples,), optional
        Number that colours each line from low (blue) to high (red).
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    ax = _axes(ax)
    positions, kind = axis_values(spectra), axis_kind(spectra)
    rows = spectra.to_numpy()
    colors = _line_colors(len(rows), color_by, ax)
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
    return _finish(ax, _AXIS_LABELS[kind], label, positions=positions)


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
    ax = _axes(ax)
    frame = result.to_frame()
    counts = frame.pop("n_components").to_numpy()
    curves = frame.to_numpy(dtype=float)
    for name, curve in zip(frame.columns, curves.T, strict=True):
        ax.plot(
            counts,
            curve,
            marker="o",
            markersize=4,
            color=_style.PRIMARY if curves.shape[1] == 1 else None,
            linewidth=_style.LINE_WIDTH,
            label=str(name),
        )
    if chosen is not None:
        value = float(curves[chosen, 0])
        ax.plot(
            [chosen], [value], marker="o", markersize=11, fillstyle="none", color=_style.ACTION
        )
        ax.annotate(
            f"{chosen} components: {value:.4g}",
            (chosen, value),
            xytext=(8, 14),
            textcoords="offset points",
            color=_style.ACTION,
        )
    if curves.shape[1] > 1:
        ax.legend(frameon=False)
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return _finish(ax, "PLS components", "RMSECV")


def plot_predicted(
    reference: ArrayLike,
    predicted: ArrayLike,
    *,
    rmse: float | None = None,
    label: str = "",
    other: tuple[ArrayLike, ArrayLike, str] | None = None,
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
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture.
    """
    ax = _axes(ax)
    sets = [(reference, predicted, label, "o", _style.PRIMARY)]
    if other is not None:
        sets.append((*other, "^", _style.ALERT))
    for x, y, name, marker, color in sets:
        ax.scatter(
            np.asarray(x),
            np.asarray(y),
            s=_style.MARK_SIZE,
            marker=marker,
            facecolors=color,
            edgecolors=_style.SURFACE,
            linewidths=0.5,
            label=name,
        )
    values = np.concatenate([np.asarray(v, dtype=float) for s in sets for v in s[:2]])
    ends = np.array([values.min(), values.max()])
    ends = ends + np.array([-0.04, 0.04]) * np.ptp(ends)
    ax.plot(ends, ends, color=_style.INK, linewidth=1.0, label="identity")
    if rmse is not None:
        for sign, limit_label in ((-1, "identity ± 2 RMSE"), (1, None)):
            shifted = ends + sign * 2 * rmse
            ax.plot(ends, shifted, color=_style.LIMIT, ls="--", lw=1, label=limit_label)
    ax.legend(frameon=False, fontsize="small")
    return _finish(ax, "reference", "predicted")


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
    ax = _axes(ax)
    t2, spe = prediction.t2 / prediction.t2_limit, prediction.spe / prediction.spe_limit
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
            if status != "ok":
                _name_points(ax, t2[rows], spe[rows], prediction.sample[rows])
    level = f"limit, {100 * (1 - prediction.alpha):g} %"
    ax.axvline(1, color=_style.LIMIT, linestyle="--", linewidth=1, label=level)
    ax.axhline(1, color=_style.LIMIT, linestyle="--", linewidth=1)
    if max(np.nanmax(t2, initial=0), np.nanmax(spe, initial=0)) > 5:
        ax.set_xscale("log")
        ax.set_yscale("log")
    ax.legend(frameon=False, fontsize="small")
    return _finish(ax, "T² / limit", "SPE / limit")


def plot_coefficients(calibration: Calibration, *, ax: Axes | None = None) -> Axes:
    """Draw the regression coefficients along the axis.

    Parameters
    ----------
    calibration : Calibration
        A fitted calibration.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture; coefficients of the preprocessed spectra.
    """
    ax = _axes(ax)
    positions, label = _model_axis(calibration)
    ax.axhline(0, color=_style.MUTED, linewidth=0.8)
    _draw_along(ax, positions, calibration.pls_.coef_[0], _style.PRIMARY)
    return _finish(ax, label, "coefficient", positions=positions)


def plot_vip(
    calibration: Calibration, values: NDArray[np.float64], *, ax: Axes | None = None
) -> Axes:
    """Draw the variable importance along the axis.

    Parameters
    ----------
    calibration : Calibration
        A fitted calibration.
    values : ndarray of shape (n_points,)
        From `vip`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        The picture, with the mean level 1 marked.
    """
    ax = _axes(ax)
    positions, label = _model_axis(calibration)
    ax.axhline(1, color=_style.LIMIT, linestyle="--", linewidth=1)
    _draw_along(ax, positions, values, _style.SECONDARY)
    ax.set_ylim(bottom=0)
    return _finish(ax, label, "VIP", positions=positions)


def _line_colors(n: int, color_by: ArrayLike | None, ax: Axes) -> list[Any]:
    """Return a colour for each line, and draw the scale that explains them."""
    if color_by is None:
        return [_style.PRIMARY] * n
    numbers = np.asarray(color_by, dtype=float)
    scale = ScalarMappable(
        Normalize(numbers.min(), numbers.max()),
        LinearSegmentedColormap.from_list("sequence", _style.SEQUENCE),
    )
    bar = ax.figure.colorbar(scale, ax=ax, pad=0.02, fraction=0.05)
    bar.outline.set_visible(False)
    return list(scale.to_rgba(numbers))


def _model_axis(calibration: Calibration) -> tuple[NDArray[np.float64], str]:
    """Return the axis that the model works on, after any choice of ranges."""
    axis, kind = calibration.pls_.axis_, calibration.pls_.axis_kind_
    if axis is None:
        return np.arange(calibration.pls_.n_features_in_, dtype=float), "point"
    return np.asarray(axis), _AXIS_LABELS[str(kind)]


def _draw_along(
    ax: Axes, positions: NDArray[np.float64], values: NDArray[np.float64], color: str
) -> None:
    """Draw a line along the axis, broken where points were left out."""
    steps = np.abs(np.diff(positions))
    gaps = np.flatnonzero(steps > 3 * np.median(steps)) + 1 if steps.size else np.arange(0)
    x = np.insert(positions.astype(float), gaps, np.nan)
    y = np.insert(values.astype(float), gaps, np.nan)
    ax.plot(x, y, color=color, linewidth=_style.LINE_WIDTH)


def _name_points(
    ax: Axes, x: NDArray[np.float64], y: NDArray[np.float64], names: NDArray[Any]
) -> None:
    """Write names beside points; only the farthest where there are many."""
    farthest = np.argsort(np.hypot(x, y))[::-1][:12]
    for i in farthest:
        ax.annotate(
            str(names[i]),
            (x[i], y[i]),
            xytext=(5, 3),
            textcoords="offset points",
            fontsize="x-small",
            color=_style.INK,
            # a dollar sign in a name is no formula
            parse_math=False,
        )


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(7, 4), layout="constrained")[1]


def _finish(ax: Axes, x: str, y: str, *, positions: NDArray[np.float64] | None = None) -> Axes:
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    if positions is not None and len(positions) > 1:
        ax.set_xlim(positions[0], positions[-1])
    ax.grid(visible=True, color=_style.GRID, linewidth=0.6)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return ax
