"""Aggregates of raw values over intervals, by OPC 10000-13."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np

from pharmaq._checks import check_choice, check_real
from pharmaq.errors import InputError
from pharmaq.io.aggregates._grid import read_grid
from pharmaq.io.aggregates._result import Aggregates
from pharmaq.io.aggregates._series import NANOSECONDS, QUALITIES, RawSeries, read_series

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from pharmaq.io.aggregates._grid import Grid

    Floats = NDArray[np.float64]
    Codes = NDArray[np.uint8]

__all__ = ["Aggregate", "aggregate"]

Aggregate = Literal[
    "Interpolative",
    "StartBound",
    "EndBound",
    "DeltaBounds",
    "TimeAverage",
    "TimeAverage2",
    "Total",
    "Average",
    "Sum",
    "Count",
    "Minimum",
    "Maximum",
    "Range",
    "StandardDeviationSample",
    "StandardDeviationPopulation",
    "Start",
    "End",
    "Delta",
    "DurationGood",
    "DurationBad",
    "PercentGood",
    "PercentBad",
]

_GOOD, _UNCERTAIN, _BAD = range(3)
_ORIGINS = np.array(["none", "raw", "interpolated", "calculated"])
_NONE, _RAW, _INTERPOLATED, _CALCULATED = range(4)
_BOUNDS = ("Interpolative", "StartBound", "EndBound", "DeltaBounds")
_INTEGRALS = ("TimeAverage", "TimeAverage2", "Total")
_DURATIONS = ("DurationGood", "DurationBad", "PercentGood", "PercentBad")


class _Job(NamedTuple):
    """What to compute over which intervals."""

    series: RawSeries
    grid: Grid
    # first raw value at or after each edge
    firsts: NDArray[np.int64]
    stepped: bool
    uncertain_unused: bool
    sloped_extrapolation: bool
    raw_status_by_time: bool
    percent_bad: float
    percent_good: float

    @property
    def lengths(self) -> Floats:
        """Length of each interval in nanoseconds."""
        return np.diff(self.grid.edges).astype(np.float64)


class _Answer(NamedTuple):
    """Value, status and origin of each interval, and its share of good."""

    value: Floats
    status: Codes
    origin: Codes
    percent_good: Floats


def aggregate(  # noqa: PLR0913 - each setting of the standard has its word
    times: Any,
    values: ArrayLike,
    quality: Any = None,
    *,
    aggregate: Aggregate = "TimeAverage",
    interval: Any = None,
    start: Any = None,
    end: Any = None,
    stepped: bool = False,
    uncertain: Literal["bad", "usable"] = "bad",
    sloped_extrapolation: bool = False,
    percent_bad: float = 100.0,
    percent_good: float = 100.0,
    raw_status: Literal["values", "time"] = "values",
    tz: str | None = None,
) -> Aggregates:
    """Aggregate the raw values of a tag over intervals, as OPC UA Part 13 has it [1]_.

    Parameters
    ----------
    times : DatetimeIndex, array of instants or array of numbers, shape (n,)
        When each value was recorded: instants with a time zone (or `tz`), or seconds. Values
        out of order are sorted in and counted.
    values : array-like, shape (n,)
        Raw values, any unit. NaN is a value that is not used, and counted.
    quality : array-like, shape (n,), optional
        ``"good"``, ``"uncertain"`` or ``"bad"``, or uint8 codes 0, 1, 2 of these; all good by
        default.
    aggregate : str, default "TimeAverage"
        What to compute, see Notes.
    interval : length, or array of edges, optional
        ``"10min"``, a Timedelta or seconds, or all edges, as for days of a time zone with
        daylight saving. By default one interval from `start` to `end`.
    start, end : instant or number, optional
        The start belongs to the first interval, the end to none; the last interval is cut short
        by it. By default whole intervals that hold all values.
    stepped : bool, default False
        A value holds until the next one, as of a set point; otherwise values lie on a line.
    uncertain : {"bad", "usable"}, default "bad"
        What uncertain values count as (TreatUncertainAsBad).
    sloped_extrapolation : bool, default False
        After the last value: the line through the last two goes on, or the last one holds.
    percent_bad, percent_good : float, default 100
        From this share of the interval on its status is bad, or else good; uncertain between.
    raw_status : {"values", "time"}, default "values"
        Where the status of aggregates of raw values comes from: shares of the values, as the
        standard says, or of time, as in the sample data of the OPC Foundation, where an
        interval that is bad in part is uncertain.
    tz : str, optional
        Zone of instants that carry none, such as ``"UTC"``; they are refused without it.

    Returns
    -------
    Aggregates
        Value, status and origin of each interval, and what was not used.

    Raises
    ------
    InputError
        If lengths differ, instants have no zone, or intervals are empty.

    Notes
    -----
    A bounding value is the raw value at that time, or else lies between others. Interpolated
    bounds look for usable values as far as it takes; simple bounds take the values right
    beside, hold the one before if the one after is not usable, and are bad if the one before
    is not.

    ===========================  =============================================================
    Interpolative                interpolated bound at the start
    StartBound, EndBound         simple bounds; DeltaBounds is their difference
    TimeAverage                  integral with interpolated bounds, across gaps, by its duration
    TimeAverage2                 integral with simple bounds over its usable part, by that part
    Total                        TimeAverage times the length in seconds
    Average, Count, Sum          mean, number and sum of usable raw values
    Minimum, Maximum, Range      of usable raw values
    StandardDeviationSample      of usable raw values, divisor n - 1 (Population: n)
    Start, End                   first and last raw value
    Delta                        last usable raw value less the first
    DurationGood, DurationBad    seconds of regions that start good, or with what is not used
    PercentGood, PercentBad      these in percent of the interval
    ===========================  =============================================================

    The status of integrals comes from durations, of aggregates of raw values from their number;
    what is extrapolated is uncertain. Sum is what drafts of the standard called Total.

    References
    ----------
    .. [1] OPC 10000-13, OPC Unified Architecture, Part 13: Aggregates, v1.04.

    Examples
    --------
    A plain average of values that are recorded when they change is wrong:

    >>> from pharmaq.io import aggregate
    >>> minutes = [0, 45, 60, 90, 120]
    >>> seconds = [60 * m for m in minutes]
    >>> state = [1, 2, 1, 2, 3]
    >>> hours = aggregate(seconds, state, interval=3600, end=7200, stepped=True)
    >>> hours.value
    array([1.25, 1.5 ])
    """
    check_choice("aggregate", aggregate, get_args(Aggregate))
    check_choice("uncertain", uncertain, ("bad", "usable"))
    check_choice("raw_status", raw_status, ("values", "time"))
    limits = tuple(
        _percent(name, value)
        for name, value in (("percent_bad", percent_bad), ("percent_good", percent_good))
    )
    series = read_series(times, values, quality, zone=tz, uncertain_unused=uncertain == "bad")
    grid = read_grid(series, interval, start, end, tz)
    firsts = np.searchsorted(series.times, grid.edges).astype(np.int64, copy=False)
    rules = (stepped, uncertain == "bad", sloped_extrapolation, raw_status == "time")
    job = _Job(series, grid, firsts, *rules, *limits)
    answer = _compute(job, aggregate)
    return Aggregates(
        aggregate=aggregate,
        start=series.clock.back(grid.edges[:-1]),
        end=series.clock.back(grid.edges[1:]),
        value=np.where(answer.status == _BAD, np.nan, answer.value),
        status=np.array(QUALITIES)[answer.status],
        origin=_ORIGINS[np.where(answer.status == _BAD, _NONE, answer.origin)],
        percent_good=answer.percent_good,
        is_partial=grid.is_partial,
        options={
            "stepped": bool(stepped),
            "uncertain": uncertain,
            "sloped_extrapolation": bool(sloped_extrapolation),
            "percent_bad": limits[0],
            "percent_good": limits[1],
            "raw_status": raw_status,
        },
        n_values=series.values.size,
        n_unused=series.n_unused,
        n_missing=series.n_missing,
        n_sorted=series.n_sorted,
        n_same_time=series.n_same_time,
    )


def _percent(name: str, value: float) -> float:
    value = check_real(name, value, above=0)
    if value > 100:
        msg = f"{name} must be at most 100, got {value:g}"
        raise InputError(msg)
    return value


def _compute(job: _Job, name: str) -> _Answer:
    if name in _BOUNDS:
        return _of_bounds(job, name)
    if name in _INTEGRALS:
        return _of_integral(job, name)
    return _of_duration(job, name) if name in _DURATIONS else _of_raw(job, name)


def _bounds(job: _Job, *, simple: bool) -> Any:
    """Return value, state and rawness at every edge."""
    from pharmaq.io.aggregates import _kernels

    n = job.grid.edges.size
    out = _kernels.Bounds(np.empty(n), np.empty(n, np.uint8), np.empty(n, np.bool_))
    rules = _rules(job, simple=simple)
    _kernels.bounds_at(job.grid.edges, job.firsts, _history(job), rules, out)
    return out


def _history(job: _Job) -> Any:
    from pharmaq.io.aggregates import _kernels

    return _kernels.History(job.series.times, job.series.values, job.series.states)


def _rules(job: _Job, *, simple: bool) -> Any:
    from pharmaq.io.aggregates import _kernels

    sloped = bool(job.sloped_extrapolation)
    return _kernels.Rules(simple, bool(job.stepped), sloped, job.uncertain_unused)


def _of_bounds(job: _Job, name: str) -> _Answer:
    value, state, raw = _bounds(job, simple=name != "Interpolative")
    begin, stop = slice(None, -1), slice(1, None)
    good = np.where(state[begin] == _GOOD, 100.0, 0.0)
    if name == "DeltaBounds":
        worst = np.maximum(state[begin], state[stop])
        return _Answer(np.diff(value), worst, np.full(worst.size, _CALCULATED, np.uint8), good)
    side = stop if name == "EndBound" else begin
    origin = np.where(raw[side], _RAW, _INTERPOLATED).astype(np.uint8)
    return _Answer(value[side], state[side], origin, np.where(state[side] == _GOOD, 100.0, 0.0))


def _of_integral(job: _Job, name: str) -> _Answer:
    simple = name == "TimeAverage2"
    area, good, uncertain = _integrate(job, simple=simple, stepped=job.stepped)
    known, lengths = good + uncertain, job.lengths
    with np.errstate(invalid="ignore", divide="ignore"):
        value = area / known
    good_share = 100.0 * good / lengths
    bad_share = 100.0 * (lengths - known) / lengths if simple else np.zeros(lengths.size)
    status = _status(job, good_share, bad_share, known > 0)
    if simple:
        # a last value of which nothing is known but its instant
        raw = _summary(job)
        instant = (known == 0) & (raw.n_usable > 0)
        value[instant] = job.series.values[raw.last[instant]]
        status[instant] = _UNCERTAIN
    if name == "Total":
        value = value * lengths / NANOSECONDS
    return _Answer(value, status, np.full(value.size, _CALCULATED, np.uint8), good_share)


def _integrate(job: _Job, *, simple: bool, stepped: bool) -> tuple[Floats, Floats, Floats]:
    """Return area, good and uncertain duration of each interval; of values, in nanoseconds."""
    from pharmaq.io.aggregates import _kernels

    bounds = _bounds(job, simple=simple)
    n = job.grid.edges.size - 1
    area, lasting = np.empty(n), np.empty((2, n), np.int64)
    rules = _rules(job, simple=simple)._replace(stepped=bool(stepped))
    _kernels.integrate(job.grid.edges, job.firsts, bounds, _history(job), rules, area, lasting)
    return area, lasting[0].astype(np.float64), lasting[1].astype(np.float64)


def _of_duration(job: _Job, name: str) -> _Answer:
    # regions count as what they start with, whatever ends them: as if stepped
    _, good, uncertain = _integrate(job, simple=True, stepped=True)
    edges, lengths = job.grid.edges, job.lengths
    over = np.minimum(edges[1:], job.series.times[-1]) - edges[:-1]
    bad = np.maximum(over, 0) - good - uncertain
    value = good if name.endswith("Good") else bad
    value = 100.0 * value / lengths if name.startswith("Percent") else value / NANOSECONDS
    status = np.where(edges[:-1] > job.series.times[-1], _BAD, _GOOD).astype(np.uint8)
    origin = np.full(value.size, _CALCULATED, np.uint8)
    return _Answer(value, status, origin, 100.0 * good / lengths)


class _Summary(NamedTuple):
    """What the usable raw values of each interval are."""

    n_usable: NDArray[np.int64]
    n_uncertain: NDArray[np.int64]
    n_raw: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    mean: Floats
    squares: Floats
    low: Floats
    high: Floats


def _summary(job: _Job) -> _Summary:
    from pharmaq.io.aggregates import _kernels

    n = job.grid.edges.size - 1
    counts, numbers = np.empty((5, n), np.int64), np.empty((4, n))
    _kernels.summarize(job.firsts, _history(job), counts, numbers)
    return _Summary(*counts, *numbers)


def _of_raw(job: _Job, name: str) -> _Answer:
    s = _summary(job)
    with np.errstate(invalid="ignore", divide="ignore"):
        good_share = 100.0 * (s.n_usable - s.n_uncertain) / s.n_raw
        bad_share = 100.0 * (s.n_raw - s.n_usable) / s.n_raw
    if job.raw_status_by_time:
        bad = _of_duration(job, "PercentBad").value
        good_share, bad_share = 100.0 - bad, np.where(s.n_usable, 0.0, bad)
    value, enough = _value_of_raw(job, name, s)
    status = _status(job, good_share, bad_share, enough)
    if name == "Count":
        status = np.zeros(value.size, np.uint8)
    if name == "Sum":
        whole = (s.n_raw == s.n_usable) & (s.n_uncertain == 0)
        status = np.where(whole, _GOOD, _UNCERTAIN).astype(np.uint8)
    if name in ("Start", "End"):
        at = _edge_of_raw(job, name)
        status = np.where(s.n_raw > 0, job.series.states[at], _BAD).astype(np.uint8)
    kind = _RAW if name in ("Start", "End", "Minimum", "Maximum") else _CALCULATED
    return _Answer(value, status, np.full(value.size, kind, np.uint8), good_share)


def _value_of_raw(job: _Job, name: str, s: _Summary) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the aggregate, and where there are enough values for it."""
    some = s.n_usable > 0
    values = job.series.values
    with np.errstate(invalid="ignore", divide="ignore"):
        if name in ("Start", "End"):
            return values[_edge_of_raw(job, name)], s.n_raw > 0
        if name == "StandardDeviationSample":
            return np.sqrt(s.squares / (s.n_usable - 1)), s.n_usable > 1
        if name == "Delta":
            return values[s.last] - values[s.first], some
        plain: dict[str, Floats] = {
            "Average": s.mean,
            "Sum": np.where(some, s.mean * s.n_usable, 0.0),
            "Count": s.n_usable.astype(np.float64),
            "Minimum": s.low,
            "Maximum": s.high,
            "Range": s.high - s.low,
            "StandardDeviationPopulation": np.sqrt(s.squares / s.n_usable),
        }
    return plain[name], some


def _edge_of_raw(job: _Job, name: str) -> NDArray[np.int64]:
    """Return the place of the first or last raw value; any place where there is none."""
    at = job.firsts[:-1] if name == "Start" else job.firsts[1:] - 1
    return np.clip(at, 0, job.series.values.size - 1)


def _status(
    job: _Job, good_share: Floats, bad_share: Floats, enough: NDArray[np.bool_]
) -> Codes:
    """Return the status from shares of good and bad, in percent."""
    status = np.full(good_share.size, _UNCERTAIN, np.uint8)
    status[good_share >= job.percent_good] = _GOOD
    status[(bad_share >= job.percent_bad) | ~enough] = _BAD
    return status
