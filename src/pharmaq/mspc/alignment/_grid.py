"""Batches on a grid of positions: elapsed time, maturity, or an indicator variable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn.isotonic import IsotonicRegression

from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# a share of the step between samples: nearer points count as met
_MET = 1e-9


class OnGrid(NamedTuple):
    """Values at positions, when that was, what lies between samples, what bridges gaps."""

    values: Array
    time: Array
    interpolated: NDArray[np.bool_]
    filled: NDArray[np.intp]


class Progress(NamedTuple):
    """Rising positions of rows, which rows they are, and how many had to be repaired."""

    position: Array
    rows: NDArray[np.intp]
    n_repaired: int


def on_grid(
    position: Array, time: Array, values: Array, grid: Array, max_gap: float | None
) -> OnGrid:
    """Interpolate between neighbouring rows; NaN outside them.

    A value that is missing in a neighbour is missing between them, unless `max_gap` allows to
    bridge it by a line between those that were observed.
    """
    low, share = _neighbours(position, grid)
    inside = low >= 0
    out = np.full((len(grid), values.shape[1]), np.nan)
    out[inside] = _between(values, low[inside], share[inside])
    when = np.full(len(grid), np.nan)
    when[inside] = _between(time[:, None], low[inside], share[inside])[:, 0]
    filled = np.zeros(values.shape[1], dtype=np.intp)
    if max_gap is not None:
        for j in np.flatnonzero(np.isnan(values).any(axis=0)):
            filled[j] = _bridge(position, time, values[:, j], grid, max_gap, out[:, j])
    return OnGrid(out, when, inside & (share > 0), filled)


def _neighbours(position: Array, grid: Array) -> tuple[NDArray[np.intp], Array]:
    """Return the row before each point (-1 outside), and the share of the way to the next."""
    near = _MET * max(float(position[-1] - position[0]), 1e-300) / max(len(position) - 1, 1)
    low = np.searchsorted(position, grid + near, side="right") - 1
    outside = (low < 0) | (grid > position[-1] + near)
    after = np.minimum(low + 1, len(position) - 1)
    width = position[after] - position[low]
    share = np.divide(grid - position[low], width, out=np.zeros(len(grid)), where=width > 0)
    share[share < _MET] = 0.0
    return np.where(outside, -1, low), share


def _between(values: Array, low: NDArray[np.intp], share: Array) -> Array:
    before = values[low]
    after = values[np.minimum(low + 1, len(values) - 1)]
    way = share[:, None]
    return np.where(way > 0, before + way * (after - before), before)


def _bridge(
    position: Array, time: Array, values: Array, grid: Array, max_gap: float, out: Array
) -> int:
    """Fill gaps of one variable that are short enough in place, return how many points."""
    seen = np.flatnonzero(~np.isnan(values))
    if len(seen) < 2:
        return 0
    low, share = _neighbours(position[seen], grid)
    after = np.minimum(low + 1, len(seen) - 1)
    short = (low >= 0) & (time[seen[after]] - time[seen[low]] <= max_gap)
    fill = short & np.isnan(out)
    out[fill] = _between(values[seen][:, None], low[fill], share[fill])[:, 0]
    return int(fill.sum())


def indicator_progress(
    values: Array, time: Array, bounds: Array, repair: str, name: str, batch: Any
) -> Progress:
    """Return how far an indicator variable has come, 0 at its start and 1 at its end.

    Rows without a value of it, and rows at which it stands still, have no own position.
    """
    rows = np.flatnonzero(~np.isnan(values))
    if len(rows) < 1:
        msg = f"batch {batch!r} has no value of the indicator {name!r}; leave it out"
        raise InputError(msg)
    raw = (values[rows] - bounds[0]) / (bounds[1] - bounds[0])
    back = np.flatnonzero(np.diff(raw) < 0)
    position = raw
    if back.size and repair == "raise":
        i = rows[back[0] + 1]
        msg = (
            f"indicator {name!r} turns back in batch {batch!r} at time {time[i]:g} "
            f"({back.size} rows): it cannot tell how far a batch has come; smooth it, give "
            "repair='running' or 'isotonic', or use another method"
        )
        raise InputError(msg)
    if back.size:
        isotonic = repair == "isotonic"
        position = _isotonic(raw) if isotonic else np.maximum.accumulate(raw)
    rising = np.flatnonzero(np.diff(position, prepend=-np.inf) > 0)
    return Progress(position[rising], rows[rising], int((position != raw).sum()))


def _isotonic(raw: Array) -> Array:
    return np.asarray(IsotonicRegression().fit_transform(np.arange(len(raw)), raw))
