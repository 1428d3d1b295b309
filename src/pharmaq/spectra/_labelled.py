"""Labelled spectra: built from any container, converted, cut to ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd
import xarray as xr

from pharmaq._checks import as_float, check_choice, check_finite, check_real
from pharmaq.errors import AxisError, InputError
from pharmaq.spectra._axis import (
    AXIS_UNITS,
    UNIT_SPELLINGS,
    AxisKind,
    check_monotonic,
    header_number,
    positions_of,
    range_mask,
    recognise_axis,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

Quantity = Literal["absorbance", "reflectance", "transmittance", "counts", "unknown"]


def as_spectra(
    data: ArrayLike | pd.DataFrame | xr.DataArray,
    *,
    axis: ArrayLike | None = None,
    kind: AxisKind | None = None,
    quantity: Quantity | None = None,
    coords: Mapping[str, ArrayLike] | None = None,
) -> xr.DataArray:
    """Return spectra in the one form that pharmaq works with.

    Parameters
    ----------
    data : array-like, DataFrame or DataArray, shape (n_samples, n_points)
        One spectrum a row; a single spectrum may be one-dimensional. In a frame, columns whose
        header is a number (``1100`` or ``"1100.5 nm"``) are the axis, all others become sample
        coordinates. A DataArray needs a dimension named as one of the axis kinds; coordinates
        without a dimension become sample coordinates.
    axis : array-like, shape (n_points,), optional
        Position of each point; needed where `data` does not hold it.
    kind : {"wavelength", "wavenumber", "raman_shift"}, optional
        nm, 1/cm and 1/cm. If absent it is recognised as `recognise_axis` does.
    quantity : {"absorbance", "reflectance", "transmittance", "counts", "unknown"}, optional
        What the values are; never guessed. The default keeps what `data` says, or "unknown".
    coords : mapping of str to array-like, optional
        Further sample coordinates, such as ``batch`` or ``time``; each of length n_samples.
        They replace those that `data` holds under the same name.

    Returns
    -------
    xarray.DataArray
        Dimensions ``("sample", kind)``, float64, with ``attrs["units"]`` on values and axis;
        the attribute ``axis_source`` says how the kind of the axis is known.

    Raises
    ------
    InputError
        If values are NaN, infinite or no numbers, or a coordinate has the wrong length.
    AxisError
        If the axis is missing, not numeric, duplicated or not in order.

    Examples
    --------
    >>> spectra = as_spectra([[0.1, 0.2, 0.3]], axis=[1100, 1102, 1104], kind="wavelength")
    >>> spectra.dims, spectra.wavelength.attrs["units"]
    (('sample', 'wavelength'), 'nm')
    """
    if isinstance(data, xr.DataArray):
        values, axis, labels = _from_dataarray(data, axis)
        unit, attrs = None, dict(data.attrs)
    elif isinstance(data, pd.DataFrame) and axis is None:
        values, axis, labels, unit = _from_frame(data)
        attrs = {}
    else:
        values, unit, attrs = as_float("spectra", data), None, {}
        labels = {"sample": data.index} if isinstance(data, pd.DataFrame) else {}
    values = values[None, :] if values.ndim == 1 else values
    positions = _check_axis(axis, values)
    check_finite("spectra", values)
    if isinstance(data, xr.DataArray):
        _check_kind_agrees(kind, axis_kind(data))
        kind = axis_kind(data)  # type: ignore[assignment]
        attrs.setdefault("axis_source", "given")
    else:
        kind, attrs["axis_source"] = recognise_axis(positions, kind=kind, unit=unit)
    return _labelled(
        values, positions, str(kind), quantity, {**labels, **(coords or {})}, attrs
    )


def axis_kind(spectra: xr.DataArray) -> str:
    """Return the name of the spectral dimension.

    Parameters
    ----------
    spectra : DataArray
        With a dimension ``wavelength``, ``wavenumber`` or ``raman_shift``.

    Returns
    -------
    str
        The name of that dimension.

    Raises
    ------
    AxisError
        If there is none, or more than one.
    """
    kinds = [str(dim) for dim in spectra.dims if dim in AXIS_UNITS]
    if len(kinds) != 1:
        msg = (
            f"spectra need one dimension out of {', '.join(AXIS_UNITS)}, got {spectra.dims}; "
            "rename it, or build them with pharmaq.spectra.as_spectra"
        )
        raise AxisError(msg)
    return kinds[0]


def axis_values(spectra: xr.DataArray) -> NDArray[np.float64]:
    """Return the positions along the spectral axis, in nm or 1/cm.

    Parameters
    ----------
    spectra : DataArray
        Labelled spectra.

    Returns
    -------
    ndarray, shape (n_points,)
        The positions.

    Raises
    ------
    AxisError
        If the spectra have no such axis, or it is in other units.
    """
    kind = axis_kind(spectra)
    if kind not in spectra.coords:
        msg = f"spectra lack the coordinate {kind!r}; assign the axis positions to it"
        raise AxisError(msg)
    units = str(spectra[kind].attrs.get("units", AXIS_UNITS[kind]))
    if UNIT_SPELLINGS.get(units) != AXIS_UNITS[kind]:
        msg = (
            f"{kind} must be in {AXIS_UNITS[kind]}, but the units of the axis are {units!r}; "
            "correct them or the positions (convert_axis turns one kind of axis into another)"
        )
        raise AxisError(msg)
    return positions_of("axis", spectra[kind].to_numpy())


def convert_axis(
    spectra: xr.DataArray, to: AxisKind, *, laser: float | None = None
) -> xr.DataArray:
    """Express the spectral axis as wavelength, wavenumber or Raman shift.

    Parameters
    ----------
    spectra : DataArray
        Labelled spectra.
    to : {"wavelength", "wavenumber", "raman_shift"}
        The wanted kind of axis.
    laser : float, optional
        Wavelength of the laser in nm; needed to or from a Raman shift.

    Returns
    -------
    DataArray
        The same values in the same order; the order of nm is the reverse of 1/cm, so that an
        ascending axis becomes a descending one (``sortby`` turns it round). The spacing of an
        even axis is no longer even.

    Raises
    ------
    AxisError
        If a position is zero or negative, or the converted axis is not strictly monotonic.
    InputError
        If `laser` is needed and missing, or not positive.

    Notes
    -----
    Wavenumber (1/cm) = 10^7 / wavelength (nm), both in the same medium; Raman shift =
    10^7 / laser - 10^7 / wavelength.

    Examples
    --------
    >>> spectra = as_spectra([[1.0, 2.0]], axis=[1000.0, 2000.0], kind="wavelength")
    >>> convert_axis(spectra, "wavenumber").wavenumber.values
    array([10000.,  5000.])
    """
    check_choice("to", to, AXIS_UNITS)
    kind = axis_kind(spectra)
    if kind == to:
        return spectra
    wavenumbers = _to_wavenumber(axis_values(spectra), kind, laser)
    converted = _from_wavenumber(wavenumbers, to, laser)
    check_monotonic(converted)
    renamed = spectra.rename({kind: to}).assign_coords({to: converted})
    renamed[to].attrs = {"units": AXIS_UNITS[to]}
    return renamed


def select_range(spectra: xr.DataArray, *ranges: tuple[float, float]) -> xr.DataArray:
    """Keep the points that lie in one of the given ranges.

    Parameters
    ----------
    spectra : DataArray
        Labelled spectra.
    *ranges : tuple of float
        One or more pairs of ends in axis units, in any order, both included.

    Returns
    -------
    DataArray
        The points kept, in their order on the axis.

    Raises
    ------
    AxisError
        If a range holds no point of the axis.
    InputError
        If there is no range, or one is no pair of ends.
    """
    if not ranges:
        msg = "ranges are missing; give one or more pairs of ends, such as (1100, 1300)"
        raise InputError(msg)
    keep = range_mask(axis_values(spectra), ranges)
    return spectra.isel({axis_kind(spectra): np.flatnonzero(keep)})


def _from_dataarray(
    data: xr.DataArray, axis: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], dict[str, Any]]:
    kind = axis_kind(data)
    if axis is not None:
        msg = "axis cannot be given for a DataArray, which has its own; use assign_coords"
        raise InputError(msg)
    others = [dim for dim in data.dims if dim != kind]
    if others not in ([], ["sample"]):
        msg = (
            f"spectra need the dimensions ('sample', {kind!r}), got {data.dims}; rename "
            "or select"
        )
        raise AxisError(msg)
    n_samples = data.sizes.get("sample", 1)
    labels = {
        # what has no dimension holds for every spectrum
        str(name): column if column.dims else np.repeat(column.to_numpy(), n_samples)
        for name, column in data.coords.items()
        if kind not in column.dims
    }
    values = as_float("spectra", data.transpose(*others, kind).to_numpy())
    return values, axis_values(data), labels


def _check_kind_agrees(kind: str | None, own: str) -> None:
    if kind is not None and kind != own:
        msg = f"kind is {kind!r}, but the spectra have a {own!r} axis; use convert_axis"
        raise AxisError(msg)


def _from_frame(
    frame: pd.DataFrame,
) -> tuple[NDArray[np.float64], ArrayLike, dict[str, Any], str | None]:
    read = {column: header_number(column) for column in frame.columns}
    points = [column for column, position in read.items() if position is not None]
    units = {position[1] for position in read.values() if position is not None}
    if not points:
        msg = (
            "spectra need columns headed by their axis position, but no header of the frame is "
            "a number; rename the columns, or give axis"
        )
        raise AxisError(msg)
    if len(units) > 1:
        found = " and ".join(sorted(unit or "no unit" for unit in units))
        msg = f"the headers of the frame mix {found}; write the same unit in all, or in none"
        raise AxisError(msg)
    if frame.columns.has_duplicates:
        twice = frame.columns[frame.columns.duplicated()][0]
        msg = f"column {twice!r} stands twice; remove one of them"
        raise AxisError(msg)
    labels = {str(c): frame[c].to_numpy() for c in frame.columns if read[c] is None}
    labels.setdefault("sample", frame.index.to_numpy())
    positions = [position[0] for position in read.values() if position is not None]
    return as_float("spectra", frame[points].to_numpy()), positions, labels, units.pop()


def _check_axis(axis: ArrayLike | None, values: NDArray[np.float64]) -> NDArray[np.float64]:
    if values.ndim != 2:
        msg = (
            f"spectra must have shape (n_samples, n_points), got {values.shape}; give one "
            "spectrum a row"
        )
        raise InputError(msg)
    if not values.size:
        msg = f"spectra must not be empty, got shape {values.shape}"
        raise InputError(msg)
    if axis is None:
        msg = "axis is missing: give the position of each point, and the kind of the axis"
        raise AxisError(msg)
    positions = positions_of("axis", axis)
    if positions.size != values.shape[1]:
        msg = (
            f"axis has {positions.size} positions, but the spectra have {values.shape[1]} "
            "points; give one position a point"
        )
        raise AxisError(msg)
    check_monotonic(positions)
    return positions


def _labelled(
    values: NDArray[np.float64],
    positions: NDArray[np.float64],
    kind: str,
    quantity: str | None,
    labels: Mapping[str, Any],
    attrs: dict[str, Any],
) -> xr.DataArray:
    for name, column in labels.items():
        if np.shape(column) != (len(values),):
            msg = (
                f"coordinate {name!r} has shape {np.shape(column)}, but there are "
                f"{len(values)} spectra; give one value a spectrum"
            )
            raise InputError(msg)
        if name in AXIS_UNITS:
            msg = (
                f"a sample coordinate cannot be called {name!r}, which is a spectral axis; "
                "rename it"
            )
            raise InputError(msg)
    quantity = attrs.get("quantity", "unknown") if quantity is None else quantity
    check_choice("quantity", quantity, get_args(Quantity))
    columns = {"sample": np.arange(len(values)), **labels}
    coords = {name: ("sample", _plain_column(column)) for name, column in columns.items()}
    return xr.DataArray(
        values,
        dims=("sample", kind),
        coords={**coords, kind: (kind, positions, {"units": AXIS_UNITS[kind]})},
        attrs=attrs | {"quantity": quantity, "units": _units_of(str(quantity), attrs)},
    )


def _plain_column(column: Any) -> NDArray[Any]:
    """Return a coordinate as a numpy array; the zone of a time is kept."""
    return np.asarray(column.to_numpy() if hasattr(column, "to_numpy") else column)


def _units_of(quantity: str, attrs: Mapping[str, Any]) -> Any:
    """Return the units of the values: counts, or what they were, or none."""
    if quantity == "counts":
        return "counts"
    return "1" if attrs.get("units") == "counts" else attrs.get("units", "1")


def _to_wavenumber(
    positions: NDArray[np.float64], kind: str, laser: float | None
) -> NDArray[np.float64]:
    if kind == "raman_shift":
        return 1e7 / _check_laser(laser) - positions
    if positions.min() <= 0:
        msg = f"{kind} must be positive to be converted, got {positions.min():.8g}"
        raise AxisError(msg)
    return positions if kind == "wavenumber" else 1e7 / positions


def _from_wavenumber(
    wavenumbers: NDArray[np.float64], to: str, laser: float | None
) -> NDArray[np.float64]:
    if to == "raman_shift":
        return 1e7 / _check_laser(laser) - wavenumbers
    if wavenumbers.min() <= 0:
        msg = (
            f"raman_shift reaches beyond the laser at {laser} nm and has no {to} there; "
            "correct laser"
        )
        raise AxisError(msg)
    return wavenumbers if to == "wavenumber" else 1e7 / wavenumbers


def _check_laser(laser: float | None) -> float:
    if laser is None:
        msg = "laser is missing: a Raman shift needs the wavelength of the laser in nm"
        raise InputError(msg)
    return check_real("laser", laser, above=0)
