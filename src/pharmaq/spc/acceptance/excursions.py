"""Excursions of time series beyond proven or recipe ranges: how long, how far, how much."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd

from pharmaq._checks import as_float, check_choice, check_real
from pharmaq.errors import InputError, InputTypeError
from pharmaq.results import Finding, Result, Severity
from pharmaq.spc.acceptance._table import as_specifications

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from pharmaq.spc.acceptance.specification import Specification
    from pharmaq.spc.acceptance.specifications import Specifications

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = ["ExcursionCheck", "check_excursions"]

Interpolation = Literal["linear", "hold"]
TimeUnit = Literal["s", "min", "h", "d"]

_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_LEVELS: dict[str, Severity] = {"limits": "action", "action": "action", "alert": "alert"}
_COLUMNS = [
    "batch", "phase", "variable", "level", "side", "limit", "start", "end", "duration", "area",
    "peak", "n_points", "tolerated",
]  # fmt: skip


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class ExcursionCheck(Result):
    """Every time that a variable spent outside a range.

    Parameters
    ----------
    table : DataFrame
        A row an excursion: ``batch, phase, variable, level`` (``"limits"``, ``"action"``,
        ``"alert"``), ``side, limit, start, end, duration`` (in `time_unit`), ``area`` (units
        of the variable times `time_unit`), ``peak`` (the value farthest out), ``n_points``,
        ``tolerated`` (shorter than `min_duration`).
    watched : DataFrame
        A row a variable: ``n_points``, ``n_missing``, ``n_gaps``, ``time_watched``, the time
        between points that were compared, and ``time_outside`` the limits of acceptance.
    unchecked : tuple of str
        Specifications whose variable is no column.
    interpolation : {"linear", "hold"}
        Between points.
    min_duration, max_gap : float or None
        As asked for, in `time_unit`.
    time_unit : str
        Of durations; empty for times that are numbers.
    findings : tuple of Finding
        One an excursion, and one a specification that could not be checked.
    """

    table: pd.DataFrame
    watched: pd.DataFrame
    unchecked: tuple[str, ...]
    interpolation: str
    min_duration: float
    max_gap: float | None
    time_unit: str
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return a row an excursion."""
        return self.table.copy()


class _Series(NamedTuple):
    """One variable under one specification: times, values, which neighbours belong together."""

    time: Array
    value: Array
    joined: Mask
    labels: pd.DataFrame
    spec: Specification


def check_excursions(
    data: pd.DataFrame,
    specifications: Specifications | Specification | Iterable[Specification],
    *,
    interpolation: Interpolation = "linear",
    min_duration: float = 0.0,
    max_gap: float | None = None,
    time_unit: TimeUnit = "min",
) -> ExcursionCheck:
    """Find when variables left their ranges, for how long and by how much.

    Parameters
    ----------
    data : DataFrame
        A column a variable, named as in `specifications`; ``time`` as a column or as the index,
        date-times or numbers, rising strictly within a batch; optional ``batch``, ``phase``
        and ``product``. A missing value is a gap and is counted.
    specifications : Specifications, Specification or iterable of Specification
        Ranges by variable (`test`) and `phase`: `limits` for the proven acceptable or
        registered range, `alert` and `action` for the recipe's. Values are not rounded.
    interpolation : {"linear", "hold"}, default "linear"
        Values between points lie on a line, or stay until the next point.
    min_duration : float, default 0
        Shorter excursions are listed as tolerated, with severity ``info``.
    max_gap : float, optional
        Points farther apart do not belong together: the time between is not watched.
    time_unit : {"s", "min", "h", "d"}, default "min"
        Of durations and areas where times are date-times.

    Returns
    -------
    ExcursionCheck
        Excursions, time watched, findings.

    Raises
    ------
    InputError
        If times are missing or do not rise, or no specification names a column.

    Notes
    -----
    With x the value and L the limit, the area is the integral of x - L over the time outside,
    by trapezoids between points and crossings (``"linear"``), or by rectangles (``"hold"``).
    The time between the last point of a phase and the first of the next belongs to neither
    with ``"linear"``, to the first with ``"hold"``. The last point lasts no time.

    Examples
    --------
    >>> import pandas as pd
    >>> from pharmaq.spc import Specification
    >>> data = pd.DataFrame(
    ...     {"time": [0, 10, 20, 30, 40.0], "temperature": [20, 24, 28, 24, 20]}
    ... )
    >>> found = check_excursions(data, Specification("temperature", "NMT 25 degC"))
    >>> found.table[["start", "end", "duration", "area", "peak"]]
       start   end  duration  area  peak
    0   12.5  27.5      15.0  22.5  28.0
    """
    check_choice("interpolation", interpolation, get_args(Interpolation))
    check_choice("time_unit", time_unit, get_args(TimeUnit))
    shortest = check_real("min_duration", min_duration)
    widest = None if max_gap is None else check_real("max_gap", max_gap, above=0)
    frame, time, origin = _read(data, time_unit)
    specs = as_specifications(specifications)
    unchecked = tuple(spec.label for spec in specs if spec.test not in frame)
    variables = list(dict.fromkeys(spec.test for spec in specs if spec.test in frame))
    if not variables:
        msg = f"no specification names a column of data; it has {list(map(str, data.columns))}"
        raise InputError(msg)
    rows: list[dict[str, Any]] = []
    watched = []
    for name in variables:
        value = as_float(name, frame[name])
        seen: dict[str, Any] = {"variable": name, "n_points": int(np.isfinite(value).sum())}
        seen |= {"n_missing": int(np.isnan(value).sum()), "n_gaps": 0}
        seen |= {"time_watched": 0.0, "time_outside": 0.0}
        for series in _series(frame, time, value, specs, name, interpolation, widest):
            steps = np.diff(series.time)
            seen["n_gaps"] += int((~series.joined).sum())
            seen["time_watched"] += float(steps[series.joined].sum())
            for level in _LEVELS:
                found = _excursions(series, level, interpolation)
                rows += found
                if level == "limits":
                    seen["time_outside"] += sum(row["duration"] for row in found)
        watched.append(seen)
    table = _table(rows, shortest, origin, time_unit)
    return ExcursionCheck(
        table=table,
        watched=pd.DataFrame(watched),
        unchecked=unchecked,
        interpolation=interpolation,
        min_duration=shortest,
        max_gap=widest,
        time_unit="" if origin is None else time_unit,
        findings=_findings(table, unchecked, "" if origin is None else time_unit),
    )


def _read(data: Any, unit: str) -> tuple[pd.DataFrame, Array, pd.Timestamp | None]:
    """Return the frame, times as numbers in `unit`, and the time that is zero."""
    if not isinstance(data, pd.DataFrame):
        msg = f"data must be a pandas DataFrame, got {type(data).__name__}"
        raise InputTypeError(msg)
    times = data["time"] if "time" in data else data.index.to_series()
    if not len(times) or times.isna().any():
        msg = f"time must be known for every row, but {int(times.isna().sum())} are missing"
        raise InputError(msg)
    origin = None
    if times.dtype.kind == "M":
        origin = times.iloc[0]
        time = (times - origin).dt.total_seconds().to_numpy(np.float64) / _SECONDS[unit]
    else:
        time = as_float("time", times)
    frame = data.reset_index(drop=True)
    batch = frame["batch"] if "batch" in frame else pd.Series(0, index=frame.index)
    back = np.flatnonzero(
        (np.diff(time) <= 0) & (batch.to_numpy()[1:] == batch.to_numpy()[:-1])
    )
    if back.size:
        i = int(back[0]) + 1
        msg = (
            f"time must rise strictly within a batch, but row {data.index[i]!r} "
            f"({times.iloc[i]}) follows {times.iloc[i - 1]}; sort the rows and keep one a time"
        )
        raise InputError(msg)
    return frame, time, origin


def _series(
    frame: pd.DataFrame,
    time: Array,
    value: Array,
    specs: Specifications,
    name: str,
    interpolation: str,
    widest: float | None,
) -> Iterator[_Series]:
    """Return the rows of each product and phase with the specification that holds there."""
    keys = [key for key in ("product", "phase") if key in frame]
    labels = frame[keys].astype(object).where(frame[keys].notna(), "").astype(str)
    groups = labels.groupby(keys, sort=False).indices if keys else {(): np.arange(len(frame))}
    belongs = [key for key in ("batch", "phase") if key in frame]
    marks = frame[belongs].astype(str)
    for key, rows in groups.items():
        words = key if isinstance(key, tuple) else (key,)
        spec = specs.find(name, **dict(zip(keys, map(str, words), strict=True)))
        if spec is None:
            continue
        here, after = rows, np.asarray(rows)
        if interpolation == "hold":
            # the value holds until the next point, whatever phase that is in
            after = np.union1d(rows, np.minimum(np.asarray(rows) + 1, len(frame) - 1))
            here = after
        inside = np.isin(here, rows)
        same = (np.diff(here) == 1) & inside[:-1]
        whole = ["batch"] if interpolation == "hold" else belongs
        whole = [mark for mark in whole if mark in belongs]
        if whole:
            text = marks[whole].to_numpy()[here]
            same &= (text[1:] == text[:-1]).all(axis=1)
        x = np.where(inside, value[here], np.nan)
        known = np.isfinite(x[:-1])
        if interpolation == "linear":
            known &= np.isfinite(x[1:])
        same &= known
        if widest is not None:
            same &= np.diff(time[here]) <= widest
        yield _Series(time[here], x, same, frame.iloc[here], spec)


def _excursions(series: _Series, level: str, interpolation: str) -> list[dict[str, Any]]:
    limits = getattr(series.spec, level)
    if limits is None:
        return []
    found = []
    for side, limit, included in (
        ("lower", limits.lsl, limits.lsl_included),
        ("upper", limits.usl, limits.usl_included),
    ):
        if limit is not None:
            sign = 1.0 if side == "upper" else -1.0
            beyond = sign * (series.value - limit)
            outside = (beyond > 0) | ((beyond == 0) & (not included))
            runs = _runs(series, beyond, outside, interpolation)
            found += [
                _labelled(series, run, level=level, side=side, limit=limit) for run in runs
            ]
    return found


def _runs(
    series: _Series, beyond: Array, outside: Mask, interpolation: str
) -> list[dict[str, Any]]:
    """Return each run of points outside with its crossings, time and area."""
    if not outside.any():
        return []
    t, joined = series.time, series.joined
    points = np.flatnonzero(outside)
    linked = np.append(False, outside[:-1] & outside[1:] & joined)
    run = np.cumsum(outside & ~linked) - 1
    n = int(run[points[-1]]) + 1
    leaving = joined & outside[:-1] & ~outside[1:]
    both = joined & outside[:-1] & outside[1:]
    line = interpolation == "linear"
    # a value that holds is not outside before its own time
    entering = joined & ~outside[:-1] & outside[1:] & line
    step = np.diff(t)
    share, area = _shares(step, beyond, (leaving, entering, both), line)
    owner = np.where(entering, run[1:], run[:-1])
    counted = both | leaving | entering
    total = np.bincount(owner[counted], weights=area[counted], minlength=n)
    first = points[np.flatnonzero(np.diff(run[points], prepend=-1))]
    last = points[np.append(np.flatnonzero(np.diff(run[points])), points.size - 1)]
    start, end = t[first].copy(), t[last].copy()
    before, after = first > 0, last < step.size
    start[before] -= (share * step * entering)[first[before] - 1]
    end[after] += (share * step * leaving)[last[after]]
    peak = np.maximum.reduceat(beyond[points], np.searchsorted(run[points], np.arange(n)))
    sizes = np.bincount(run[points], minlength=n)
    return [
        {
            "at": int(first[i]),
            "start": float(start[i]),
            "end": float(end[i]),
            "duration": float(end[i] - start[i]),
            "area": float(total[i]),
            "beyond": float(peak[i]),
            "n_points": int(sizes[i]),
        }
        for i in range(n)
    ]


def _shares(
    step: Array, beyond: Array, kinds: tuple[Mask, Mask, Mask], line: bool
) -> tuple[Array, Array]:
    """Return the share of each step outside where it crosses the limit, and its area."""
    leaving, entering, both = kinds
    a, b = beyond[:-1], beyond[1:]
    if not line:
        return np.where(leaving, 1.0, 0.0), np.where(both | leaving, a * step, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(leaving, a / (a - b), np.where(entering, b / (b - a), 0.0))
    area = np.where(both, (a + b) / 2 * step, 0.0)
    area = np.where(leaving, a * share * step / 2, area)
    return share, np.where(entering, b * share * step / 2, area)


def _labelled(series: _Series, run: dict[str, Any], **where: Any) -> dict[str, Any]:
    labels = series.labels.iloc[run.pop("at")]
    sign = 1.0 if where["side"] == "upper" else -1.0
    names = {name: labels.get(name, "") for name in ("batch", "phase")}
    peak = where["limit"] + sign * run.pop("beyond")
    return {**names, "variable": series.spec.test, **where, **run, "peak": peak}


def _table(
    rows: list[dict[str, Any]], shortest: float, origin: pd.Timestamp | None, unit: str
) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=_COLUMNS)
    table["tolerated"] = table["duration"].astype(float) < shortest
    table = table.sort_values(["variable", "start"], kind="stable", ignore_index=True)
    if origin is not None:
        for name in ("start", "end"):
            seconds = (table[name].astype(float) * _SECONDS[unit]).round(3)
            table[name] = origin + pd.to_timedelta(seconds, unit="s")
    return table


def _findings(
    table: pd.DataFrame, unchecked: tuple[str, ...], unit: str
) -> tuple[Finding, ...]:
    found = []
    for row in table.to_dict("records"):
        words = [f"{name} {row[name]}" for name in ("batch", "phase") if row[name] != ""]
        subject = ", ".join([str(row["variable"]), *words])
        way = "above" if row["side"] == "upper" else "below"
        length = f"{row['duration']:.4g} {unit}".rstrip()
        level: str = str(row["level"])
        kind = "limits of acceptance" if level == "limits" else f"{level} limits"
        start = row["start"]
        found.append(
            Finding(
                rule="excursion" if level == "limits" else f"excursion_{level}",
                severity="info" if row["tolerated"] else _LEVELS[level],
                subject=subject,
                message=(
                    f"{subject} was {way} {row['limit']:g} ({kind}) for {length}, up to "
                    f"{row['peak']:.5g}"
                ),
                value=float(row["peak"]),
                limit=float(row["limit"]),
                time=start if isinstance(start, pd.Timestamp) else None,
            )
        )
    found += [
        Finding(
            rule="not_recorded",
            severity="alert",
            subject=label,
            message=f"{label} has limits, but data has no such column",
        )
        for label in unchecked
    ]
    return tuple(found)
