"""Aligned batches as arrays, with the checks that all of this package needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import xarray as xr

from pharmaq._checks import as_float
from pharmaq.errors import InputError, InputTypeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIMS = ("batch", "time")


class Aligned(NamedTuple):
    """Values of n batches at K times of J variables, with their labels."""

    values: NDArray[np.float64]
    batch: NDArray[Any]
    time: NDArray[np.float64]
    variables: list[str]
    units: list[str]
    time_units: str


def read_aligned(batches: Any, *, name: str = "batches") -> Aligned:
    """Return the arrays of an aligned Dataset; NaN is a value that was not measured."""
    if not isinstance(batches, xr.Dataset) or set(batches.sizes) != set(DIMS):
        got = dict(batches.sizes) if isinstance(batches, xr.Dataset) else type(batches).__name__
        msg = (
            f"{name} must be a Dataset with the dimensions 'batch' and 'time', got {got}; "
            "align the batches first (pharmaq.mspc.align)"
        )
        raise InputTypeError(msg)
    columns = []
    for key, column in batches.data_vars.items():
        if set(column.dims) != set(DIMS):
            msg = f"variable {key!r} of {name} must have dimensions {DIMS}, got {column.dims}"
            raise InputError(msg)
        columns.append(as_float(str(key), column.transpose(*DIMS).to_numpy()))
    if not columns or not columns[0].size:
        msg = f"{name} must hold at least one variable, batch and time"
        raise InputError(msg)
    values = np.stack(columns, axis=2)
    if np.isinf(values).any():
        msg = f"{name} hold infinite values; a value not measured is NaN"
        raise InputError(msg)
    return Aligned(
        values=values,
        batch=batches["batch"].to_numpy(),
        time=as_float("time", batches["time"].to_numpy()),
        variables=[str(key) for key in batches.data_vars],
        units=[str(column.attrs.get("units", "")) for column in batches.data_vars.values()],
        time_units=str(batches["time"].attrs.get("units", "")),
    )
