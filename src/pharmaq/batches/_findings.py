"""What is unusual in batch data, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pharmaq.results import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from pharmaq.batches._time import Repaired

# shares of the median: a batch that ends or starts there is told apart from the others
_SHORT, _LATE = 0.5, 0.1


def repair_findings(repaired: Repaired) -> Iterator[Finding]:
    """Say how many rows were put into another place, and how many were merged."""
    if repaired.n_sorted:
        yield Finding(
            rule="sorted_times",
            severity="alert",
            subject="time",
            value=float(repaired.n_sorted),
            message=f"time went backwards {repaired.n_sorted} times; rows were sorted",
        )
    if repaired.n_merged:
        yield Finding(
            rule="repeated_times",
            severity="info",
            subject="time",
            value=float(repaired.n_merged),
            message=(
                f"{repaired.n_merged} rows repeat the time of another; of these the "
                f"{repaired.kept} was kept"
            ),
        )


def batch_findings(frame: pd.DataFrame, variables: list[str]) -> Iterator[Finding]:
    """Say what is missing or constant, and which batches are short or start late."""
    for name in variables:
        yield from _missing(frame, name)
        yield from _constant(frame, name)
    yield from _extents(frame)


def _missing(frame: pd.DataFrame, name: str) -> Iterator[Finding]:
    missing = frame[name].isna()
    count = int(missing.sum())
    if count:
        yield Finding(
            rule="missing_values",
            severity="info",
            subject=name,
            value=float(count),
            message=f"{name}: {count} of {len(frame)} values are missing",
        )
    never = missing.groupby(frame["batch"], sort=False).all()
    for batch in never.index[never.to_numpy()]:
        yield Finding(
            rule="no_values",
            severity="alert",
            subject=str(batch),
            message=f"batch {batch} has no value of {name}",
        )


def _constant(frame: pd.DataFrame, name: str) -> Iterator[Finding]:
    values = frame[name].to_numpy()
    if np.nanmin(values) == np.nanmax(values):
        yield Finding(
            rule="constant",
            severity="alert",
            subject=name,
            value=float(np.nanmin(values)),
            message=f"{name} has the same value in all batches; it says nothing about them",
        )


def _extents(frame: pd.DataFrame) -> Iterator[Finding]:
    extent = frame.groupby("batch", sort=False)["time"].agg(["first", "last", "size"])
    length = (extent["last"] - extent["first"]).to_numpy()
    first, rows = extent["first"].to_numpy(), extent["size"].to_numpy()
    short, late = _SHORT * np.median(length), np.median(first) + _LATE * np.median(length)
    for i, batch in enumerate(extent.index.astype(str)):
        if rows[i] == 1:
            message = f"batch {batch} has a single row"
            yield _alert("single_row", batch, 1.0, None, message)
        elif length[i] < short:
            message = f"batch {batch} lasts {length[i]:g}, less than half of the median"
            yield _alert("short_batch", batch, float(length[i]), float(short), message)
        if first[i] > late:
            message = f"data of batch {batch} start late, at {first[i]:g}"
            yield _alert("late_start", batch, float(first[i]), float(late), message)


def _alert(rule: str, subject: str, value: float, limit: float | None, message: str) -> Finding:
    return Finding(
        rule=rule, severity="alert", subject=subject, value=value, limit=limit, message=message
    )
