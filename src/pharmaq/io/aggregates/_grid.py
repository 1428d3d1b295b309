"""The intervals that values are aggregated over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from pharmaq._checks import check_real
from pharmaq.errors import InputError
from pharmaq.io.aggregates._series import NANOSECONDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pharmaq.io.aggregates._series import RawSeries

__all__ = ["Grid", "read_grid"]

_MOST = 100_000_000


class Grid(NamedTuple):
    """Edges of half-open intervals, and whether the last one was cut short."""

    edges: NDArray[np.int64]
    is_partial: bool


def read_grid(series: RawSeries, interval: Any, start: Any, end: Any, zone: str | None) -> Grid:
    """Return the intervals: of one length, or with the edges that are given."""
    if interval is not None and not np.isscalar(interval) and np.ndim(interval) == 1:
        return _given_edges(series, interval, (start, end), zone)
    width = None if interval is None else _width(interval)
    begin = _instant(series, "start", start, zone)
    stop = _instant(series, "end", end, zone)
    first, last = int(series.times[0]), int(series.times[-1])
    if begin is None:
        begin = first if width is None else first - first % width
    if stop is None:
        # the interval that holds the last value, whole
        stop = last if width is None else begin + (max(last - begin, 0) // width + 1) * width
    if not begin < stop:
        msg = f"start must be before end, got {start!r} and {end!r}"
        raise InputError(msg)
    if width is None:
        return Grid(np.array([begin, stop]), is_partial=False)
    count = -(-(stop - begin) // width)
    if count > _MOST:
        msg = f"interval {interval!r} makes {count} intervals, most are {_MOST}; take longer"
        raise InputError(msg)
    edges = begin + width * np.arange(count + 1)
    is_partial = bool(edges[-1] > stop)
    edges[-1] = min(edges[-1], stop)
    return Grid(edges, is_partial)


def _given_edges(
    series: RawSeries, interval: Any, bounds: tuple[Any, Any], zone: str | None
) -> Grid:
    if bounds != (None, None):
        msg = "start and end are not needed where interval holds all edges; leave them out"
        raise InputError(msg)
    edges = np.ascontiguousarray(series.clock.nanoseconds("interval", interval, zone=zone))
    if edges.size < 2 or (np.diff(edges) <= 0).any():
        msg = "interval must hold two or more edges in rising order"
        raise InputError(msg)
    return Grid(edges, is_partial=False)


def _width(interval: Any) -> int:
    """Return the length of an interval in nanoseconds."""
    if isinstance(interval, str | pd.Timedelta | np.timedelta64):
        try:
            width = int(pd.Timedelta(interval).as_unit("ns").value)
        except ValueError:
            msg = f"interval must be a length such as '10min' or 600 seconds, got {interval!r}"
            raise InputError(msg) from None
    elif hasattr(interval, "total_seconds"):
        width = round(interval.total_seconds() * NANOSECONDS)
    else:
        width = round(check_real("interval", interval, above=0) * NANOSECONDS)
    if width <= 0:
        msg = f"interval must be longer than zero, got {interval!r}"
        raise InputError(msg)
    return width


def _instant(series: RawSeries, name: str, when: Any, zone: str | None) -> int | None:
    if when is None:
        return None
    return int(series.clock.nanoseconds(name, when, zone=zone)[0])
