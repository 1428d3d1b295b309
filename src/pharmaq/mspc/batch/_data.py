"""Aligned batches as arrays: what every method here reads from a Dataset, and the checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import xarray as xr

from pharmaq._checks import as_float
from pharmaq.errors import InputError, InputTypeError, UnitsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIMS = ("batch", "time")


class Batches(NamedTuple):
    """Values of n batches at K times of J variables, with their labels."""

    values: NDArray[np.float64]
    batch: NDArray[Any]
    time: NDArray[Any]
    variables: list[str]
    units: list[str]
    phase: NDArray[Any] | None


def read_batches(batches: Any, *, name: str = "batches") -> Batches:
    """Return the arrays of an aligned Dataset; NaN is a value that was not observed."""
    if not isinstance(batches, xr.Dataset):
        msg = (
            f"{name} must be an xarray Dataset with dimensions ('batch', 'time') and one "
            f"variable for each process variable, got {type(batches).__name__}; align the "
            "batches first"
        )
        raise InputTypeError(msg)
    columns = [_column(batches[key], str(key)) for key in batches.data_vars]
    if not columns:
        msg = f"{name} holds no variable with dimensions ('batch', 'time')"
        raise InputError(msg)
    time = batches["time"].to_numpy()
    _check_time(time)
    batch = batches["batch"].to_numpy()
    if len(np.unique(batch.astype(str))) < len(batch):
        msg = f"{name} holds the same batch twice; every batch needs a name of its own"
        raise InputError(msg)
    return Batches(
        values=np.stack(columns, axis=2),
        batch=batch,
        time=time,
        variables=[str(key) for key in batches.data_vars],
        units=[str(v.attrs.get("units", "")) for v in batches.data_vars.values()],
        phase=_phase(batches),
    )


def same_variables(data: Batches, variables: list[str], units: list[str]) -> Batches:
    """Return the batches with the fitted variables in the fitted order; others are an error."""
    missing = [name for name in variables if name not in data.variables]
    extra = [name for name in data.variables if name not in variables]
    if missing or extra:
        parts = [f"lacks {missing}"] * bool(missing) + [f"also holds {extra}"] * bool(extra)
        msg = (
            f"batches {' and '.join(parts)}; the monitor was fitted on {variables}. A sensor "
            "that failed is a variable of NaN; leave out what was not fitted"
        )
        raise InputError(msg)
    order = [data.variables.index(name) for name in variables]
    given = [data.units[j] for j in order]
    for name, unit, fitted in zip(variables, given, units, strict=True):
        if unit != fitted:
            msg = (
                f"{name} is in {unit or 'no unit'!r}, but the monitor was fitted on "
                f"{fitted or 'no unit'!r}; convert it first (pharmaq.units.convert)"
            )
            raise UnitsError(msg)
    return data._replace(values=data.values[:, :, order], variables=variables, units=units)


def same_grid(data: Batches, time: NDArray[Any]) -> None:
    """Raise if the aligned times are not the fitted ones."""
    same = data.time.shape == time.shape and data.time.dtype.kind == time.dtype.kind
    if same and time.dtype.kind in "fiu":
        # a share of a step: alignment computes the same grid with other rounding
        same = bool(np.allclose(data.time, time, rtol=0, atol=1e-6 * _step(time)))
    elif same:
        same = bool((data.time == time).all())
    if not same:
        msg = (
            f"batches have {len(data.time)} times from {data.time[0]} to {data.time[-1]}, but "
            f"the monitor was fitted on {len(time)} from {time[0]} to {time[-1]}; align new "
            "batches with the aligner of the fitted ones"
        )
        raise InputError(msg)


def _step(time: NDArray[Any]) -> float:
    return float(np.diff(time).min()) if len(time) > 1 else 1.0


def _column(variable: xr.DataArray, name: str) -> NDArray[np.float64]:
    if set(variable.dims) != set(DIMS):
        msg = (
            f"variable {name!r} must have dimensions ('batch', 'time'), got {variable.dims}; "
            "drop it, or keep it as a coordinate"
        )
        raise InputError(msg)
    values = as_float(name, variable.transpose(*DIMS).to_numpy())
    if np.isinf(values).any():
        msg = f"variable {name!r} holds infinite values; a value not observed is NaN"
        raise InputError(msg)
    if not values.size:
        msg = f"batches must hold at least one batch and one time, got shape {values.shape}"
        raise InputError(msg)
    return values


def _check_time(time: NDArray[Any]) -> None:
    back = np.flatnonzero(np.diff(time) <= np.zeros((), dtype=np.diff(time).dtype))
    if back.size:
        i = int(back[0])
        msg = (
            f"time must rise from row to row, but {time[i + 1]} follows {time[i]}; sort the "
            "batches by time, and align them"
        )
        raise InputError(msg)


def _phase(batches: xr.Dataset) -> NDArray[Any] | None:
    """Return the phase of each time, which all batches have to share once aligned."""
    if "phase" not in batches.coords:
        return None
    phase = batches["phase"]
    if phase.dims == ("time",):
        return phase.to_numpy().astype(str)
    if set(phase.dims) != set(DIMS):
        msg = f"phase must be a coordinate of 'time', got dimensions {phase.dims}"
        raise InputError(msg)
    table = phase.transpose(*DIMS).to_numpy().astype(str)
    differs = np.flatnonzero((table != table[0]).any(axis=0))
    if differs.size:
        at = batches["time"].to_numpy()[differs[0]]
        msg = f"batches are in different phases at time {at}; align them phase by phase"
        raise InputError(msg)
    return table[0]
