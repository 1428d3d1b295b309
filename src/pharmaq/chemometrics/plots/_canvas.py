"""What every picture has in common: axes, labels, groups of points, lines along an axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgba
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.patheffects import withStroke
from matplotlib.ticker import LogLocator, NullLocator

from pharmaq import _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from numpy.typing import NDArray

AXIS_LABELS = {
    "wavelength": "wavelength / nm",
    "wavenumber": "wavenumber / cm⁻¹",
    "raman_shift": "Raman shift / cm⁻¹",
}
# more groups have their names beside the points instead of a legend
_MOST_IN_LEGEND = 6
# more groups or points are too many to be read
_MOST_NAMES = 12
_MOST_GROUP_NAMES = 30
# so many points need smaller marks
_CROWDED = 400

SEQUENCE = LinearSegmentedColormap.from_list("sequence", _style.SEQUENCE)
# dark to light, in greyscale too
SHADES = LinearSegmentedColormap.from_list("shades", _style.SHADES)


def new_axes(ax: Axes | None, *, size: tuple[float, float] = (7, 4)) -> Axes:
    """Return the axes given, or those of a new figure."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=size, layout="constrained")[1]


def finish(ax: Axes, x: str, y: str, *, positions: NDArray[Any] | None = None) -> Axes:
    """Write labels, draw the grid, and end the axis where the data end."""
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    if positions is not None and len(positions) > 1:
        ax.set_xlim(float(positions[0]), float(positions[-1]))
    ax.grid(visible=True, color=_style.GRID, linewidth=0.6)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return ax


def with_units(name: str, units: str) -> str:
    """Return the label of an axis."""
    return f"{name} / {units}" if units else name


def legend(ax: Axes, **options: Any) -> None:
    """Draw a legend without a frame, where something has a name."""
    if ax.get_legend_handles_labels()[1]:
        ax.legend(frameon=False, fontsize="small", **options)


def legend_above(ax: Axes, *, columns: int = 4) -> None:
    """Draw the legend above the picture, where no data can be."""
    legend(ax, loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.2)


def color_bar(ax: Axes, values: NDArray[Any], label: str) -> list[Any]:
    """Return a colour for each number or time, and draw the scale; grey where it is missing."""
    times = values.dtype.kind == "M"
    plain = date2num(values) if times else values  # type: ignore[no-untyped-call]
    numbers = np.asarray(plain, dtype=float)
    known = np.isfinite(numbers)
    ends = (numbers[known].min(), numbers[known].max()) if known.any() else (0.0, 1.0)
    scale = ScalarMappable(Normalize(*ends), SEQUENCE)
    bar = ax.figure.colorbar(scale, ax=ax, pad=0.02, fraction=0.05, label=label)
    bar.outline.set_visible(False)
    if times:
        locator = AutoDateLocator()  # type: ignore[no-untyped-call]
        bar.ax.yaxis.set_major_locator(locator)
        bar.ax.yaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    missing = to_rgba(_style.MUTED)
    return [
        tuple(color) if there else missing
        for color, there in zip(scale.to_rgba(numbers), known, strict=True)
    ]


def scatter(ax: Axes, x: Any, y: Any, *, marker: str, color: Any, label: str = "") -> None:
    """Draw points of one kind, each with an edge that sets it apart from its neighbours."""
    crowded = np.size(x) > _CROWDED
    ax.scatter(
        np.asarray(x),
        np.asarray(y),
        s=_style.MARK_SIZE / (2.5 if crowded else 1),
        marker=marker,
        c=color if isinstance(color, list) else None,
        facecolors=None if isinstance(color, list) else color,
        edgecolors=_style.SURFACE,
        linewidths=0.1 if crowded else 0.5,
        label=label,
    )


def scatter_groups(
    ax: Axes, x: NDArray[Any], y: NDArray[Any], groups: NDArray[Any] | None, label: str
) -> None:
    """Draw points coloured by a number, or coloured and shaped by the group they are in."""
    if groups is None:
        scatter(ax, x, y, marker="o", color=_style.PRIMARY)
    elif groups.dtype.kind in "fM" or _is_count(groups):
        scatter(ax, x, y, marker="o", color=color_bar(ax, groups, label))
    else:
        _scatter_named(ax, x, y, groups)


def _is_count(groups: NDArray[Any]) -> bool:
    """Tell whether whole numbers are too many to be names of groups."""
    return groups.dtype.kind in "iu" and len(np.unique(groups)) > _MOST_GROUP_NAMES


def _scatter_named(ax: Axes, x: NDArray[Any], y: NDArray[Any], groups: NDArray[Any]) -> None:
    names = np.unique(groups)
    middles = []
    few = len(names) <= _MOST_IN_LEGEND
    shades = SEQUENCE(np.linspace(0, 1, len(names)))
    for number, name in enumerate(names):
        marker, color = _style.GROUP_MARKS[number % len(_style.GROUP_MARKS)]
        rows = groups == name
        scatter(
            ax,
            x[rows],
            y[rows],
            marker=marker,
            color=color if few else [tuple(shades[number])] * int(rows.sum()),
            label=str(name) if few else "",
        )
        middles.append(((float(x[rows].mean()), float(y[rows].mean())), str(name)))
    if not few and len(names) <= _MOST_GROUP_NAMES:
        name_groups(ax, middles)


def name_points(
    ax: Axes, x: NDArray[np.float64], y: NDArray[np.float64], names: NDArray[Any]
) -> None:
    """Write names beside points; only the farthest where there are many."""
    farthest = np.argsort(np.hypot(x, y))[::-1][:_MOST_NAMES]
    # on the left of the picture names stand on the left, where there is room
    beside = [(-5, 3), (-5, -9), (5, 3)], [(5, 3), (5, -9), (-5, 3)]
    _write(ax, [((x[i], y[i]), str(names[i]), beside[int(x[i] >= 0)]) for i in farthest])


def name_ends(
    ax: Axes, x: NDArray[np.float64], y: NDArray[np.float64], names: NDArray[Any]
) -> None:
    """Write a name at the end of each arrow, away from the origin; all of them."""
    up = np.where(y >= 0, 1, -1)
    right = np.where(x >= 0, 1, -1)
    steps = (4, 14, 24, 34, 44, 54)
    _write(
        ax,
        [
            ((x[i], y[i]), str(names[i]), [(4 * right[i], step * up[i]) for step in steps])
            for i in range(len(names))
        ],
    )


def name_groups(ax: Axes, places: list[tuple[tuple[float, float], str]]) -> None:
    """Write the name of each group in its middle."""
    _write(ax, [(place, name, [(0, 0), (0, 9), (0, -9)]) for place, name in places], bold=True)


def _write(
    ax: Axes,
    names: list[tuple[tuple[float, float], str, list[tuple[int, int]]]],
    *,
    bold: bool = False,
) -> None:
    """Write names at the first of their shifts that is free; leave out what has no room."""
    points = ax.figure.dpi_scale_trans.transform((1 / 72, 0))[0]
    taken: list[tuple[float, float, float]] = []
    for place, name, shifts in names:
        x, y = ax.transData.transform(place)
        width = 5.0 * len(name) * points
        for right, up in shifts:
            middle = x + (right + np.sign(right) * width / 2 / points) * points
            here = (middle, y + up * points, width)
            if all(_apart(here, other, 9 * points) for other in taken):
                taken.append(here)
                _annotate(ax, name, place, (right, up), bold=bold)
                break


def _apart(
    one: tuple[float, float, float], other: tuple[float, float, float], height: float
) -> bool:
    beside = abs(one[0] - other[0]) > (one[2] + other[2]) / 2
    return beside or abs(one[1] - other[1]) > height


def _annotate(
    ax: Axes, name: str, place: tuple[float, float], shift: tuple[int, int], *, bold: bool
) -> None:
    ax.annotate(
        name,
        place,
        xytext=shift,
        textcoords="offset points",
        ha={-1: "right", 0: "center", 1: "left"}[int(np.sign(shift[0]))],
        fontsize="x-small",
        fontweight="bold" if bold else "normal",
        color=_style.INK,
        path_effects=[withStroke(linewidth=2, foreground=_style.SURFACE)],
        # a dollar sign in a name is no formula
        parse_math=False,
    )


def plain_log(axis: Axis) -> None:
    """Let a logarithmic axis show numbers as people write them."""
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_locator(NullLocator())


def model_axis(model: Any) -> tuple[NDArray[Any], str]:
    """Return the axis that a fitted model works on and its label.

    These are the numbers of the points where it knows no axis.
    """
    if model.axis_ is None:
        return np.arange(model.n_features_in_, dtype=float), "point"
    return np.asarray(model.axis_), AXIS_LABELS[str(model.axis_kind_)]


def variable_names(model: Any) -> list[str] | None:
    """Return the names of variables that are no points of an axis, or None."""
    names = getattr(model, "feature_names_in_", None)
    return None if model.axis_ is not None or names is None else [str(name) for name in names]


def draw_along(
    ax: Axes, positions: NDArray[Any], values: NDArray[np.float64], color: Any, **line: Any
) -> None:
    """Draw a line along the axis, broken where points were left out."""
    x, y = broken(positions, positions, values)
    ax.plot(x, y, color=color, **({"linewidth": _style.LINE_WIDTH} | line))


def broken(positions: NDArray[Any], *columns: NDArray[Any]) -> list[NDArray[np.float64]]:
    """Return columns with NaN where points were left out of the axis."""
    steps = np.abs(np.diff(positions))
    gaps = np.flatnonzero(steps > 3 * np.median(steps)) + 1 if steps.size else np.arange(0)
    return [np.insert(column.astype(float), gaps, np.nan) for column in columns]


def draw_bars(
    ax: Axes, names: list[str], columns: list[NDArray[np.float64]], labels: list[str]
) -> None:
    """Draw bars for named variables, side by side for several columns."""
    width = 0.8 / len(columns)
    for number, (values, label) in enumerate(zip(columns, labels, strict=True)):
        _, color = _style.GROUP_MARKS[number % len(_style.GROUP_MARKS)]
        places = np.arange(len(names)) + (number - (len(columns) - 1) / 2) * width
        # filled, hatched, dotted: columns differ without colour too
        hatch = ("", "////", "....", "xxxx")[number % 4]
        ax.bar(
            places,
            values,
            width,
            facecolor=color,
            edgecolor=_style.SURFACE,
            hatch=hatch,
            label=label,
        )
    ax.set_xticks(np.arange(len(names)), names)
    if len(names) > 6 or max(map(len, names)) > 8:
        ax.tick_params(axis="x", rotation=90)
