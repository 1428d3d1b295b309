"""Spectra as labelled arrays: one spectrum a row, a strictly monotonic axis with units."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd
import xarray as xr

from pharmaq._checks import as_float, check_choice, check_finite, check_real
from pharmaq.errors import AxisError, InputError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "AXIS_UNITS",
    "AxisKind",
    "Quantity",
    "as_spectra",
    "axis_difference",
    "axis_kind",
    "axis_values",
    "convert_axis",
    "header_number",
    "range_mask",
    "recognise_axis",
    "same_axis",
    "select_range",
]

AxisKind = Literal["wavelength", "wavenumber", "raman_shift"]
Quantity = Literal["absorbance", "reflectance", "transmittance", "counts", "unknown"]

AXIS_UNITS: dict[str, str] = {"wavelength": "nm", "wavenumber": "1/cm", "raman_shift": "1/cm"}

_HEADER = re.compile(
    r"\s*(?P<number>[-+]?\d+(?:[.,]\d*)?(?:[eE][-+]?\d+)?)\s*"
    r"(?P<unit>nm|cm-1|cm\^-1|cm⁻¹|1/cm)?\s*"
)


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
        coordinates. A DataArray needs a dimension named as one of the axis kinds.
    axis : array-like, shape (n_points,), optional
        Position of each point; needed where `data` does not hold it.
    kind : {"wavelength", "wavenumber", "raman_shift"}, optional
        nm, 1/cm and 1/cm. If absent it is recognised as `recognise_axis` does.
    quantity : {"absorbance", "reflectance", "transmittance", "counts", "unknown"}, optional
        What the values are; never guessed. The default keeps what `data` says, or "unknown".
    coords : mapping of str to array-like, optional
        Further sample coordinates, such as ``batch`` or ``time``; each of length n_samples.

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
        values, labels, unit, attrs = as_float("spectra", data), {}, None, {}
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
    """Return the positions along the spectral axis, in its own units."""
    return np.asarray(spectra[axis_kind(spectra)].values, dtype=np.float64)


def recognise_axis(
    positions: ArrayLike, *, kind: str | None = None, unit: str | None = None
) -> tuple[AxisKind, str]:
    """Tell which kind of axis these positions are, and how that is known.

    Parameters
    ----------
    positions : array-like
        Axis values.
    kind : str, optional
        The kind as the user gave it; then nothing is recognised.
    unit : str, optional
        Unit from a file or header: ``"nm"`` or a spelling of ``"1/cm"``.

    Returns
    -------
    kind : str
        ``"wavelength"``, ``"wavenumber"`` or ``"raman_shift"``.
    source : str
        A sentence for the reader: given, from the unit, or recognised from the range.

    Raises
    ------
    AxisError
        If neither unit nor range settles it.

    Notes
    -----
    Without a unit, positions within 190 to 2700 are read as nm, and positions that reach beyond
    3300 as 1/cm: near-infrared instruments cover about 700 to 2500 nm or 4000 to 14000 1/cm.
    A Raman shift cannot be told from its range and has to be named.
    """
    if kind is not None:
        check_choice("kind", kind, AXIS_UNITS)
        return kind, "given"  # type: ignore[return-value]
    if unit is not None:
        found: AxisKind = "wavelength" if unit == "nm" else "wavenumber"
        return found, f"unit {unit} in the header"
    points = np.asarray(positions, dtype=np.float64)
    low, high = points.min(), points.max()
    if low >= 190 and high <= 2700:
        found = "wavelength"
    elif low > 0 and 3300 < high <= 16000:
        found = "wavenumber"
    else:
        msg = (
            f"the kind of an axis from {low:g} to {high:g} cannot be recognised; "
            f"give kind as one of {', '.join(AXIS_UNITS)}"
        )
        raise AxisError(msg)
    return found, f"recognised from its range {low:g} to {high:g} as {AXIS_UNITS[found]}"


def header_number(header: Hashable) -> tuple[float, str | None] | None:
    """Read a column header as an axis position and its unit; None if it is none.

    Parameters
    ----------
    header : object
        A number, or text such as ``"1100"``, ``"1100,5"`` or ``"7398.3 cm-1"``.

    Returns
    -------
    tuple of float and (str or None), or None
        Position, and ``"nm"``, ``"1/cm"`` or None where no unit stands.

    Examples
    --------
    >>> header_number("1100.5 nm"), header_number("batch")
    ((1100.5, 'nm'), None)
    """
    if isinstance(header, int | float | np.number) and not isinstance(header, bool):
        return float(header), None
    match = _HEADER.fullmatch(str(header))
    if match is None:
        return None
    unit = match["unit"]
    return float(match["number"].replace(",", ".")), "1/cm" if unit not in {
        None,
        "nm",
    } else unit


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
        If `laser` is needed and missing.

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
    _check_monotonic(converted)
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
        Pairs of ends in axis units, in any order, both included.

    Returns
    -------
    DataArray
        The points kept, in their order on the axis.

    Raises
    ------
    AxisError
        If a range holds no point of the axis.
    """
    keep = range_mask(axis_values(spectra), ranges)
    return spectra.isel({axis_kind(spectra): np.flatnonzero(keep)})


def range_mask(
    positions: NDArray[np.float64], ranges: Iterable[Sequence[float]]
) -> NDArray[np.bool_]:
    """Return which positions lie in one of the ranges; a range without any is an error."""
    keep = np.zeros(positions.shape, dtype=bool)
    for ends in ranges:
        if len(ends) != 2:
            msg = f"a range is a pair of ends, got {ends!r}"
            raise InputError(msg)
        low, high = sorted(check_real("range", end) for end in ends)
        inside = (positions >= low) & (positions <= high)
        if not inside.any():
            msg = (
                f"range {low:g} to {high:g} holds no point of the axis, which runs from "
                f"{positions.min():g} to {positions.max():g}"
            )
            raise AxisError(msg)
        keep |= inside
    return keep


def same_axis(first: ArrayLike, second: ArrayLike, *, tolerance: float = 0.01) -> bool:
    """Tell whether two axes are the same within rounding.

    Parameters
    ----------
    first, second : array-like
        Axis positions in the same units.
    tolerance : float, default 0.01
        Largest difference, as a share of the smallest spacing of `first`: enough for positions
        that a file rounded, far below the shift of an instrument by one point.

    Returns
    -------
    bool
        True if they have the same length and agree everywhere.
    """
    return not axis_difference(first, second, tolerance=tolerance)


def axis_difference(first: ArrayLike, second: ArrayLike, *, tolerance: float = 0.01) -> str:
    """Describe how `second` differs from `first`; empty text if they are the same.

    Parameters
    ----------
    first, second : array-like
        Axis positions in the same units.
    tolerance : float, default 0.01
        As in `same_axis`.

    Returns
    -------
    str
        The difference in words.
    """
    one, two = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if one.shape != two.shape:
        return (
            f"{two.size} points from {two[0]:g} to {two[-1]:g} instead of {one.size} points "
            f"from {one[0]:g} to {one[-1]:g}"
        )
    gap = np.abs(two - one)
    spacing = float(np.abs(np.diff(one)).min()) if one.size > 1 else 1.0
    if gap.max() <= tolerance * spacing:
        return ""
    if np.allclose(two[::-1], one, rtol=0, atol=tolerance * spacing):
        return "the same points in reverse order"
    place = int(gap.argmax())
    return (
        f"{two[place]:g} instead of {one[place]:g} at point {place} (mean shift "
        f"{np.mean(two - one):+.4g}, spacing {spacing:g})"
    )


def _from_dataarray(
    data: xr.DataArray, axis: ArrayLike | None
) -> tuple[NDArray[np.float64], ArrayLike, dict[str, Any]]:
    kind = axis_kind(data)
    if axis is not None:
        msg = "axis cannot be given for a DataArray, which has its own; use assign_coords"
        raise InputError(msg)
    others = [dim for dim in data.dims if dim != kind]
    if others not in ([], ["sample"]):
        msg = f"spectra need the dimensions ('sample', {kind!r}), got {data.dims}"
        raise AxisError(msg)
    if kind not in data.coords:
        msg = f"spectra lack the coordinate {kind!r}: assign the axis positions to it"
        raise AxisError(msg)
    data = data.transpose(*others, kind)
    labels = {str(k): c for k, c in data.coords.items() if c.dims == ("sample",)}
    return as_float("spectra", data.to_numpy()), data[kind].to_numpy(), labels


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
    if not points or len(units) > 1:
        problem = f"mixes units {units}" if points else "has no column with a number as header"
        msg = f"the frame {problem}; spectral columns are headed by their axis position"
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
        msg = f"spectra must have shape (n_samples, n_points), got {values.shape}"
        raise InputError(msg)
    if axis is None:
        msg = "axis is missing: give the position of each point, and the kind of the axis"
        raise AxisError(msg)
    try:
        positions = np.asarray(axis, dtype=np.float64)
    except (TypeError, ValueError):
        msg = f"axis must hold numbers, got {axis!r}"
        raise AxisError(msg) from None
    if positions.shape != values.shape[1:]:
        msg = f"axis has shape {positions.shape}, but the spectra have {values.shape[1]} points"
        raise AxisError(msg)
    if not positions.size or not len(values):
        msg = f"spectra must not be empty, got shape {values.shape}"
        raise InputError(msg)
    _check_monotonic(positions)
    return positions


def _check_monotonic(positions: NDArray[np.float64]) -> None:
    if not np.isfinite(positions).all():
        msg = "axis must be finite; it holds NaN or infinity"
        raise AxisError(msg)
    steps = np.diff(positions)
    direction = np.sign(positions[-1] - positions[0])
    wrong = np.flatnonzero(np.sign(steps) != direction)
    if not wrong.size:
        return
    place = int(wrong[0])
    if len(np.unique(positions)) < positions.size:
        values, counts = np.unique(positions, return_counts=True)
        msg = f"axis position {values[counts.argmax()]:g} is duplicated; keep each point once"
    else:
        msg = (
            f"axis is not in order: {positions[place + 1]:g} follows {positions[place]:g} at "
            f"point {place + 1}; sort the points, strictly up or strictly down"
        )
    raise AxisError(msg)


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
                f"{len(values)} spectra"
            )
            raise InputError(msg)
        if name in AXIS_UNITS:
            msg = f"a sample coordinate cannot be called {name!r}: that is a spectral axis"
            raise InputError(msg)
    quantity = quantity or attrs.get("quantity", "unknown")
    check_choice("quantity", quantity, get_args(Quantity))
    attrs = attrs | {"quantity": quantity, "units": "counts" if quantity == "counts" else "1"}
    columns = {"sample": np.arange(len(values)), **labels}
    coords = {
        name: ("sample", getattr(column, "values", column)) for name, column in columns.items()
    }
    return xr.DataArray(
        values,
        dims=("sample", kind),
        coords={**coords, kind: (kind, positions, {"units": AXIS_UNITS[kind]})},
        attrs=attrs,
    )


def _to_wavenumber(
    positions: NDArray[np.float64], kind: str, laser: float | None
) -> NDArray[np.float64]:
    if kind == "raman_shift":
        return 1e7 / _check_laser(laser) - positions
    if positions.min() <= 0:
        msg = f"{kind} must be positive to be converted, got {positions.min():g}"
        raise AxisError(msg)
    return positions if kind == "wavenumber" else 1e7 / positions


def _from_wavenumber(
    wavenumbers: NDArray[np.float64], to: str, laser: float | None
) -> NDArray[np.float64]:
    if to == "raman_shift":
        return 1e7 / _check_laser(laser) - wavenumbers
    if wavenumbers.min() <= 0:
        msg = f"a Raman shift beyond the laser's own wavenumber has no {to}"
        raise AxisError(msg)
    return wavenumbers if to == "wavenumber" else 1e7 / wavenumbers


def _check_laser(laser: float | None) -> float:
    if laser is None:
        msg = "laser is missing: a Raman shift needs the wavelength of the laser in nm"
        raise InputError(msg)
    return check_real("laser", laser, above=0)
