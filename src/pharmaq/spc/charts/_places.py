"""Places of the labels of a chart, where they cover neither each other nor the series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.text import Annotation, Text

__all__ = ["make_room", "place_on_lines"]

# room kept between labels, in pixels: a layout still moves them a little
_PAD = 3.0
# where along its line a label may stand: fraction of the axis, alignment, offset in points
_ALONG = (
    (0.0, "left", 3.0),
    (1.0, "right", -3.0),
    (0.5, "center", 0.0),
    (0.25, "center", 0.0),
    (0.75, "center", 0.0),
)
_PLACES = tuple((along, side) for along in _ALONG for side in (("bottom", 1.0), ("top", -2.0)))
_SAMPLES = 30
# the top goes up to this many times the height of what is drawn
_MOST = 2.0


def make_room(
    ax: Axes, x: Any, series: Any, heads: Sequence[Annotation], marks: Sequence[Annotation]
) -> None:
    """Raise the upper end of the axis until what is drawn stays below the labels at the top."""
    if not heads:
        return
    low, high = ax.get_ylim()
    floor = ax.bbox.y0
    pixels = ax.transData.transform(np.column_stack([x, series]))
    points = [(float(ax.transData.transform(mark.xy)[1]), _box(mark)) for mark in marks]
    scale = 1.0
    for head in heads:
        left, bottom, right, _ = _box(head)
        tops = [(at, box[3]) for at, box in points if box[0] < right and box[2] > left]
        drawn = _drawn(pixels, left, right)
        tops += [(height, height + _PAD) for height in drawn[drawn > bottom - _PAD]]
        for anchor, top in tops:
            if top > bottom:
                # the anchor moves with the scale, the label keeps its distance from it
                wanted = max(anchor - floor - (top - bottom), 1.0)
                scale = max(scale, (anchor - floor) / wanted)
    if scale > 1:
        ax.set_ylim(low, low + min(scale, _MOST) * (high - low), auto=None)


def place_on_lines(ax: Axes, x: Any, series: Any, labels: Sequence[Annotation]) -> None:
    """Move each label along its line to where it covers least."""
    if not labels:
        return
    pixels = ax.transData.transform(np.column_stack([x, series]))
    others = [_box(text) for text in ax.texts if text not in labels and text.get_text()]
    for label in labels:
        level = label.xy[1]
        best, least = _PLACES[0], np.inf
        for place in _PLACES:
            _move(label, level, *place)
            cost = _cost(ax, pixels, _box(label), others)
            if cost < least:
                best, least = place, cost
            if cost == 0:
                break
        _move(label, level, *best)
        others.append(_box(label))


def _move(
    label: Annotation, level: float, along: tuple[float, str, float], side: tuple[str, float]
) -> None:
    label.xy = (along[0], level)
    label.xyann = (along[2], side[1])
    label.set(ha=along[1], va=side[0])


def _cost(
    ax: Axes, pixels: Any, box: tuple[float, ...], others: Sequence[tuple[float, ...]]
) -> float:
    left, bottom, right, top = box
    meets = sum(
        left < other[2] and right > other[0] and bottom < other[3] and top > other[1]
        for other in others
    )
    outside = bottom < ax.bbox.y0 or top > ax.bbox.y1
    drawn = _drawn(pixels, left, right)
    covered = float(np.mean((drawn > bottom) & (drawn < top))) if drawn.size else 0.0
    return 10.0 * (meets + outside) + covered


def _drawn(pixels: Any, left: float, right: float) -> Any:
    """Return pixel heights of the series between two sides."""
    at = np.linspace(left, right, _SAMPLES)
    at = at[(at >= pixels[0, 0] - _PAD) & (at <= pixels[-1, 0] + _PAD)]
    return np.interp(at, pixels[:, 0], pixels[:, 1])


def _box(text: Text) -> tuple[float, float, float, float]:
    """Return left, bottom, right and top in pixels, with some room."""
    extent = text.get_window_extent()
    return extent.x0 - _PAD, extent.y0 - _PAD / 3, extent.x1 + _PAD, extent.y1 + _PAD / 3
