"""What an aggregate returns."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pandas as pd

from pharmaq.results import Result

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Aggregates"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class Aggregates(Result):
    """One aggregate over a row of intervals.

    Parameters
    ----------
    aggregate : str
        Its name in OPC 10000-13.
    start, end : DatetimeIndex or ndarray, shape (n,)
        Intervals, the start included and the end not; seconds where times were numbers.
    value : ndarray, shape (n,)
        The aggregate; NaN where the status is bad.
    status : ndarray of str, shape (n,)
        ``"good"``, ``"uncertain"`` or ``"bad"``.
    origin : ndarray of str, shape (n,)
        ``"raw"``, ``"interpolated"``, ``"calculated"`` or ``"none"``.
    percent_good : ndarray, shape (n,)
        Share of the interval that is good, in time; of raw values for aggregates of these.
    is_partial : bool
        Whether the last interval was cut short by the end.
    options : dict
        How it was computed.
    n_values : int
        Raw values given.
    n_unused : int
        Raw values not used: bad, missing, or uncertain where that counts as bad.
    n_missing : int
        Raw values said to be usable that are NaN or infinite, and were not used.
    n_sorted : int
        Raw values that came with a time earlier than the one before, and were sorted in.
    n_same_time : int
        Raw values at the same time as the one before; both are kept.
    """

    aggregate: str
    start: Any
    end: Any
    value: NDArray[np.float64]
    status: NDArray[Any]
    origin: NDArray[Any]
    percent_good: NDArray[np.float64]
    is_partial: bool
    options: dict[str, Any]
    n_values: int
    n_unused: int
    n_missing: int
    n_sorted: int
    n_same_time: int

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each interval."""
        columns = ("start", "end", "value", "status", "origin", "percent_good")
        return pd.DataFrame({name: getattr(self, name) for name in columns})
