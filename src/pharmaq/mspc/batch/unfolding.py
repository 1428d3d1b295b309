"""Batches as one table, and back: a row a batch, or a row an observation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr

from pharmaq._checks import check_choice
from pharmaq.errors import InputError, InputTypeError
from pharmaq.mspc.batch._data import read_batches

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["fold", "unfold"]

BY = ("batch", "variable")


def unfold(batches: xr.Dataset, *, by: Literal["batch", "variable"] = "batch") -> xr.DataArray:
    """Lay aligned batches out as one table.

    Parameters
    ----------
    batches : Dataset, dims ("batch", "time")
        One variable for each process variable; NaN stays NaN.
    by : {"batch", "variable"}, default "batch"
        ``"batch"``: a row a batch, a column for each variable at each time, so that a model
        sees deviations from the mean trajectory [1]_. ``"variable"``: a row for each batch and
        time, a column a variable, so that a model sees the trajectories themselves [2]_.

    Returns
    -------
    DataArray
        Dims ``("batch", "point")``, I x KJ, with all variables of the first time first; or
        ``("observation", "variable")``, IK x J, with all times of the first batch first.
        Labels are coordinates ``batch``, ``time``, ``variable``, ``units`` and, where known,
        ``phase``.

    Raises
    ------
    InputTypeError
        If `batches` is no Dataset.
    InputError
        If it is not aligned.

    References
    ----------
    .. [1] P. Nomikos, J. F. MacGregor, Technometrics 37 (1995) 41-59.
    .. [2] S. Wold, N. Kettaneh, H. Friden, A. Holmberg, Chemom. Intell. Lab. Syst. 44 (1998)
           331-340.

    Examples
    --------
    >>> batches = xr.Dataset(
    ...     {"pH": (("batch", "time"), [[7.0, 6.9], [7.1, 6.8]])},
    ...     coords={"batch": ["B1", "B2"], "time": [0.0, 1.0]},
    ... )
    >>> unfold(batches).shape
    (2, 2)
    >>> unfold(batches, by="variable").to_numpy().ravel()
    array([7. , 6.9, 7.1, 6.8])
    """
    check_choice("by", by, BY)
    data = read_batches(batches)
    n, K, J = data.values.shape
    times, names, units = data.time, np.array(data.variables), np.array(data.units)
    if by == "batch":
        coords: dict[str, Any] = {
            "batch": data.batch,
            "time": ("point", np.repeat(times, J)),
            "variable": ("point", np.tile(names, K)),
            "units": ("point", np.tile(units, K)),
        }
        if data.phase is not None:
            coords["phase"] = ("point", np.repeat(data.phase, J))
        table = data.values.reshape(n, K * J)
        return xr.DataArray(table, dims=("batch", "point"), coords=coords)
    coords = {
        "batch": ("observation", np.repeat(data.batch, K)),
        "time": ("observation", np.tile(times, n)),
        "variable": names,
        "units": ("variable", units),
    }
    if data.phase is not None:
        coords["phase"] = ("observation", np.tile(data.phase, n))
    table = data.values.reshape(n * K, J)
    return xr.DataArray(table, dims=("observation", "variable"), coords=coords)


def fold(table: xr.DataArray) -> xr.Dataset:
    """Turn a table that `unfold` made back into batches.

    Parameters
    ----------
    table : DataArray
        As from `unfold`, with its coordinates; values may have changed.

    Returns
    -------
    Dataset, dims ("batch", "time")
        One variable for each process variable, with its unit.

    Raises
    ------
    InputError
        If the labels do not make a full set of batches, times and variables.
    """
    if not isinstance(table, xr.DataArray):
        msg = f"table must be a DataArray as from unfold, got {type(table).__name__}"
        raise InputTypeError(msg)
    by_batch = table.dims == ("batch", "point")
    if not by_batch and table.dims != ("observation", "variable"):
        msg = f"table must have the dimensions that unfold gives, got {table.dims}"
        raise InputError(msg)
    missing = [c for c in ("batch", "time", "variable", "units") if c not in table.coords]
    if missing:
        msg = f"table has lost the coordinates {missing}; keep those that unfold gives"
        raise InputError(msg)
    batch, time, variable = (_in_order(table, c) for c in ("batch", "time", "variable"))
    shape = (len(batch), len(time), len(variable))
    if table.size != np.prod(shape):
        msg = (
            f"table holds {table.size} values, but its labels are {shape[0]} batches, "
            f"{shape[1]} times and {shape[2]} variables; keep all rows and columns"
        )
        raise InputError(msg)
    units = table["units"].to_numpy()
    coords: dict[str, Any] = {"batch": batch, "time": time}
    if "phase" in table.coords:
        coords["phase"] = ("time", _phase(table, shape, by_batch=by_batch))
    values = table.to_numpy().reshape(shape)
    variables: dict[str, Any] = {
        str(name): (("batch", "time"), values[:, :, j], {"units": str(units[j])})
        for j, name in enumerate(variable)
    }
    return xr.Dataset(variables, coords=coords)


def _in_order(table: xr.DataArray, name: str) -> NDArray[Any]:
    """Return the different labels in the order in which they come."""
    labels = table[name].to_numpy()
    _, first = np.unique(labels, return_index=True)
    return labels[np.sort(first)]


def _phase(table: xr.DataArray, shape: tuple[int, int, int], *, by_batch: bool) -> NDArray[Any]:
    phase = table["phase"].to_numpy()
    return phase[:: shape[2]] if by_batch else phase[: shape[1]]
