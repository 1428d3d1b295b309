"""What is expected of each result of a tested batch: one function a method, arrays only."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pharmaq.spc.stability.lines import fit_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "REASONS",
    "Expected",
    "Rows",
    "by_time_point",
    "from_own_line",
    "from_parallel_lines",
    "from_pooled_line",
    "from_random_lines",
    "of_slopes",
    "unjudged",
]

REASONS = (
    "",
    "first results of the batch",
    "too little history",
    "too little history at this time",
)
_JUDGED, _FIRST, _HISTORY, _AT_TIME = range(4)

# a standard deviation below this share of the values is rounding
_ROUNDING = 1e-13


class Rows(NamedTuple):
    """Results of one attribute; `batch` counts from 0."""

    batch: NDArray[np.intp]
    time: Floats
    value: Floats


class Expected(NamedTuple):
    """Centre, standard error and degrees of freedom of each tested result.

    `n` is the number of values a tolerance factor counts with, `reason` why a result cannot
    be judged, by its place in `REASONS`.
    """

    statistic: Floats
    center: Floats
    sd: Floats
    error: Floats
    dof: Floats
    n: Floats
    reason: NDArray[np.intp]


def unjudged(value: Floats, reason: int) -> Expected:
    """Return expectations of results that cannot be judged."""
    empty = np.full(len(value), np.nan)
    codes = np.full(len(value), reason, dtype=np.intp)
    return Expected(value, empty, empty, empty, empty, empty, codes)


def from_pooled_line(history: Rows, tested: Rows) -> Expected:
    """Return the line of all results of the history: no batch differs from another."""
    n, times = len(history.time), np.unique(history.time)
    if n < 3 or times.size < 2:
        return unjudged(tested.value, _HISTORY)
    first = np.zeros(n, dtype=np.intp)
    line = fit_lines(first, history.time, history.value, model="common")
    center, v = line.mean(tested.time)[0], line.variance(tested.time)[0]
    return _known(tested, center, float(line.mse[0]), v, np.full(len(v), line.dof[0]))


def from_parallel_lines(history: Rows, tested: Rows) -> Expected:
    """Return slope and error of the history with the level of the batch's earlier results."""
    batches = int(history.batch.max()) + 1 if len(history.batch) else 0
    if len(history.time) < batches + 2:
        return unjudged(tested.value, _HISTORY)
    line = fit_lines(history.batch, history.time, history.value, model="common_slope")
    if not np.isfinite(line.slope[0]):
        return unjudged(tested.value, _HISTORY)
    t = tested.time
    counts, mean_t = _earlier(tested, t)
    mean_y = _earlier(tested, tested.value)[1]
    center = mean_y + line.slope[0] * (t - mean_t)
    with np.errstate(divide="ignore", invalid="ignore"):
        v = 1 / counts + (t - mean_t) ** 2 * line.v11[0]
    found = _known(tested, center, float(line.mse[0]), v, np.full(len(t), line.dof[0]))
    return _first_left_out(found, counts < 1)


def from_own_line(history: Rows, tested: Rows) -> Expected:
    """Return the line through the earlier results of the batch itself."""
    del history
    t, y = tested.time - tested.time.mean(), tested.value - tested.value.mean()
    n, mean_t = _earlier(tested, t)
    mean_y = _earlier(tested, y)[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        sxx = n * (_earlier(tested, t * t)[1] - mean_t**2)
        sxy = n * (_earlier(tested, t * y)[1] - mean_t * mean_y)
        syy = n * (_earlier(tested, y * y)[1] - mean_y**2)
        slope = sxy / sxx
        mse = np.maximum(syy - slope * sxy, 0.0) / (n - 2)
        v = 1 / n + (t - mean_t) ** 2 / sxx
    few = (n < 3) | ~(sxx > _ROUNDING * (n * mean_t**2 + 1))
    center = mean_y + slope * (t - mean_t) + tested.value.mean()
    return _first_left_out(_known(tested, center, mse, v, n - 2), few)


def from_random_lines(history: Rows, tested: Rows) -> Expected:
    """Return the mean line of batches whose levels and slopes vary from batch to batch.

    The line of each batch is estimated by itself; their covariance S, less what their own
    errors bring, is that between batches (Gumpertz and Pantula 1989, by moments).
    """
    batches = int(history.batch.max()) + 1 if len(history.batch) else 0
    if batches < 3 or len(history.time) <= 2 * batches:
        return unjudged(tested.value, _HISTORY)
    lines = fit_lines(history.batch, history.time, history.value, model="separate")
    if not np.isfinite(lines.slope).all():
        return unjudged(tested.value, _HISTORY)
    t, s2, dof = tested.time, float(lines.mse[0]), float(lines.dof[0])
    at = lines.mean(t)
    center, between = at.mean(axis=0), at.var(axis=0, ddof=1)
    own = lines.variance(t).mean(axis=0)
    # of a mean of lines, of what a batch adds, and of a result about its own line
    lines_part = between * (1 + 1 / batches)
    rest = s2 * (1 - own)
    total = np.maximum(lines_part + rest, between / batches + s2)
    freedom = total**2 / (lines_part**2 / (batches - 1) + rest**2 / dof)
    freedom = np.clip(freedom, 1.0, batches - 1 + dof)
    return _known(tested, center, 1.0, total - 1, freedom)._replace(
        n=np.full(len(t), float(batches)), sd=np.sqrt(total)
    )


def by_time_point(history: Rows, tested: Rows) -> Expected:
    """Return mean and standard deviation of the history at the same time."""
    times, place = np.unique(history.time, return_inverse=True)
    n = np.bincount(place, minlength=len(times)).astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.bincount(place, history.value, len(times)) / n
        squares = np.bincount(place, (history.value - mean[place]) ** 2, len(times))
        sd = np.sqrt(squares / (n - 1))
    return _of_groups(tested.value, tested.time, times, (n, mean, sd))


def of_slopes(history: Rows, tested: Rows) -> Expected:
    """Return slopes up to each time against those of the history up to the same time."""
    n, center, sd = (np.full(len(tested.time), np.nan) for _ in range(3))
    statistic = np.full(len(tested.time), np.nan)
    n[:] = 0.0
    for time in np.unique(tested.time):
        here = tested.time == time
        statistic[here] = _slopes_until(tested, float(time))[tested.batch[here]]
        slopes = _slopes_until(history, float(time))
        slopes = slopes[np.isfinite(slopes)]
        n[here] = len(slopes)
        if len(slopes) >= 2:
            center[here], sd[here] = slopes.mean(), slopes.std(ddof=1)
    reason = np.where(np.isfinite(statistic), np.where(n >= 2, _JUDGED, _AT_TIME), _FIRST)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = sd * np.sqrt(1 + 1 / n)
    return Expected(statistic, center, sd, error, n - 1, n, reason.astype(np.intp))


def _slopes_until(rows: Rows, time: float) -> Floats:
    """Return the slope of each batch from its results up to a time; NaN with one time."""
    until = rows.time <= time
    batch, t, y = rows.batch[until], rows.time[until], rows.value[until]
    size = int(rows.batch.max()) + 1 if len(rows.batch) else 0
    n = np.bincount(batch, minlength=size).astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        dt = t - (np.bincount(batch, t, size) / n)[batch]
        dy = y - (np.bincount(batch, y, size) / n)[batch]
        sxx = np.bincount(batch, dt * dt, size)
        return np.where(sxx > 0, np.bincount(batch, dt * dy, size) / sxx, np.nan)


def _earlier(rows: Rows, values: Floats) -> tuple[Floats, Floats]:
    """Return number and mean of the values of the same batch at strictly earlier times."""
    order = np.lexsort((rows.time, rows.batch))
    b, t, v = rows.batch[order], rows.time[order], values[order]
    position = np.arange(len(b))
    new_batch = np.r_[True, b[1:] != b[:-1]]
    new_time = new_batch | np.r_[True, t[1:] != t[:-1]]
    start = np.maximum.accumulate(np.where(new_batch, position, 0))
    block = np.maximum.accumulate(np.where(new_time, position, 0))
    # about their mean, so that sums keep their digits
    middle = v.mean()
    sums = np.r_[0.0, np.cumsum(v - middle)]
    count = (block - start).astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = middle + (sums[block] - sums[start]) / count
    n_back, mean_back = np.empty(len(b)), np.empty(len(b))
    n_back[order], mean_back[order] = count, mean
    return n_back, mean_back


def _known(
    tested: Rows, center: Floats, mse: Floats | float, v: Floats, dof: Floats
) -> Expected:
    with np.errstate(invalid="ignore"):
        sd = np.broadcast_to(np.sqrt(mse), center.shape)
        error = np.sqrt(mse * (1 + v))
        n = 1 / v
    reason = np.zeros(len(center), dtype=np.intp)
    return Expected(tested.value, center, sd, error, dof, n, reason)


def _first_left_out(found: Expected, first: NDArray[np.bool_]) -> Expected:
    reason = np.where(first, _FIRST, found.reason).astype(np.intp)
    return found._replace(
        center=np.where(first, np.nan, found.center),
        sd=np.where(first, np.nan, found.sd),
        error=np.where(first, np.nan, found.error),
        dof=np.where(first, np.nan, found.dof),
        n=np.where(first, np.nan, found.n),
        reason=reason,
    )


def _of_groups(
    value: Floats, keys: Floats, known: Floats, stats: tuple[Floats, Floats, Floats]
) -> Expected:
    """Return mean and spread of the group of each value."""
    n, mean, sd = stats
    place = np.clip(np.searchsorted(known, keys), 0, max(len(known) - 1, 0))
    found = (known[place] == keys) & (n[place] >= 2)
    n, mean, sd = (np.where(found, part[place], np.nan) for part in (n, mean, sd))
    reason = np.where(found, _JUDGED, _AT_TIME).astype(np.intp)
    return Expected(value, mean, sd, sd * np.sqrt(1 + 1 / n), n - 1, n, reason)
