"""Raw values of a historian in the form that the compiled loops work on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from pharmaq._checks import as_float, check_finite, check_same_length
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["QUALITIES", "Clock", "RawSeries", "read_series", "read_times"]

QUALITIES = ("good", "uncertain", "bad")
NANOSECONDS = 1_000_000_000
# seconds that fit into whole nanoseconds
_LARGEST = 9.2e9


class Clock(NamedTuple):
    """What times are: instants of a time zone, or seconds of a run."""

    zone: Any

    @property
    def is_elapsed(self) -> bool:
        """Tell whether times are plain numbers, in seconds."""
        return self.zone is None

    def nanoseconds(self, name: str, times: Any, *, zone: str | None = None) -> NDArray[Any]:
        """Return times as whole nanoseconds, UTC for instants."""
        if self.is_elapsed:
            seconds = np.atleast_1d(as_float(name, times))
            check_finite(name, seconds)
            if seconds.size and np.abs(seconds).max() > _LARGEST:
                msg = f"{name} in seconds must lie within {_LARGEST:g}, got {times!r}"
                raise InputError(msg)
            return np.rint(seconds * NANOSECONDS).astype(np.int64)
        stamps = as_stamps(name, times, zone)
        return stamps.as_unit("ns").asi8

    def back(self, nanoseconds: NDArray[np.int64]) -> Any:
        """Return times in the form they came in."""
        if self.is_elapsed:
            return nanoseconds / NANOSECONDS
        return pd.DatetimeIndex(nanoseconds.view("M8[ns]"), tz="UTC").tz_convert(self.zone)


class RawSeries(NamedTuple):
    """Values in time order with their states, and what had to be said of them."""

    clock: Clock
    times: NDArray[np.int64]
    values: NDArray[np.float64]
    states: NDArray[np.uint8]
    n_unused: int
    n_missing: int
    n_sorted: int
    n_same_time: int


def read_series(
    times: Any,
    values: ArrayLike,
    quality: Any,
    *,
    zone: str | None,
    uncertain_unused: bool,
) -> RawSeries:
    """Check raw values, sort them by time where needed, and judge which are usable."""
    from pharmaq.io.aggregates import _kernels

    clock, when = read_times("times", times, zone)
    numbers = np.ascontiguousarray(as_float("values", values))
    if when.ndim != 1 or numbers.ndim != 1:
        msg = f"times and values must be one-dimensional, got {when.shape} and {numbers.shape}"
        raise InputError(msg)
    codes = read_quality(quality, numbers.size)
    check_same_length(times=when, values=numbers, quality=codes)
    if not when.size:
        msg = "values are empty: there is nothing to aggregate"
        raise InputError(msg)
    n_back, n_same = _kernels.count_disorder(when)
    if n_back:
        # stable: of two values at one time the one that arrived later stays the later
        order = np.argsort(when, kind="stable")
        when, numbers, codes = when[order], numbers[order], codes[order]
        _, n_same = _kernels.count_disorder(when)
    states = np.empty(when.size, np.uint8)
    n_unused, n_missing = _kernels.read_states(numbers, codes, uncertain_unused, states)
    return RawSeries(clock, when, numbers, states, n_unused, n_missing, n_back, n_same)


def read_times(name: str, times: Any, zone: str | None) -> tuple[Clock, NDArray[np.int64]]:
    """Tell instants from seconds, and return them as whole nanoseconds."""
    kind = getattr(times, "dtype", None) or np.asarray(times).dtype
    if getattr(kind, "kind", "") in "iuf":
        if zone is not None:
            msg = f"tz is for instants, but {name} are numbers, which are seconds"
            raise InputError(msg)
        clock = Clock(None)
        return clock, clock.nanoseconds(name, times)
    stamps = as_stamps(name, times, zone)
    return Clock(stamps.tz), np.ascontiguousarray(stamps.as_unit("ns").asi8)


def as_stamps(name: str, times: Any, zone: str | None) -> pd.DatetimeIndex:
    """Return instants with a time zone."""
    try:
        stamps = pd.DatetimeIndex(
            np.atleast_1d(times) if np.isscalar(times) else _listed(times)
        )
    except (TypeError, ValueError) as error:
        msg = f"{name} must be numbers (seconds) or instants: {error}"
        raise InputError(msg) from None
    if stamps.hasnans:
        place = int(np.flatnonzero(stamps.isna())[0])
        msg = f"{name}[{place}] is missing; every value needs its time"
        raise InputError(msg)
    if stamps.tz is not None:
        return stamps if zone is None else stamps.tz_convert(zone)
    if zone is None:
        msg = (
            f"{name} have no time zone, and an hour may be wrong for half of the year: give "
            'tz="UTC", or the zone of the clock that wrote them, such as tz="Europe/Berlin"'
        )
        raise InputError(msg)
    try:
        return stamps.tz_localize(zone)
    except Exception as error:  # noqa: BLE001 - pandas' errors of zones have no common base
        msg = f"{name} cannot be read as clock times of {zone}: {error}; give them in UTC"
        raise InputError(msg) from None


def _listed(times: Any) -> Any:
    return [times] if isinstance(times, pd.Timestamp) else times


def read_quality(quality: Any, n: int) -> NDArray[np.uint8]:
    """Return qualities as codes, 0 good, 1 uncertain, 2 bad."""
    if quality is None:
        return np.zeros(n, np.uint8)
    given = np.asarray(quality)
    if given.dtype == np.uint8 and given.ndim == 1:
        largest = int(given.max()) if given.size else 0
        if largest < len(QUALITIES):
            return np.ascontiguousarray(given)
        msg = f"quality codes must be 0 (good), 1 (uncertain) or 2 (bad), got {largest}"
        raise InputError(msg)
    codes = pd.Index(QUALITIES).get_indexer(pd.Index(given)) if given.ndim == 1 else given
    if given.ndim != 1 or (codes < 0).any():
        unknown = given[codes < 0][0] if given.ndim == 1 else given.shape
        msg = f"quality must be {', '.join(map(repr, QUALITIES))}, got {unknown!r}"
        raise InputError(msg)
    return codes.astype(np.uint8)
