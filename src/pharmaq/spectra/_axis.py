"""Positions along a spectral axis: their kind, their order, how they differ."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import numpy as np

from pharmaq._checks import as_float, check_choice, check_real
from pharmaq.errors import AxisError, InputError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

AxisKind = Literal["wavelength", "wavenumber", "raman_shift"]

AXIS_UNITS: dict[str, str] = {"wavelength": "nm", "wavenumber": "1/cm", "raman_shift": "1/cm"}

UNIT_SPELLINGS = {"nm": "nm", "nanometer": "nm", "nanometre": "nm"} | dict.fromkeys(
    ("1/cm", "cm-1", "cm^-1", "cm**-1", "cm⁻¹", "1 / centimeter"), "1/cm"
)

_HEADER = re.compile(
    r"\s*(?P<number>[-+]?\d+(?:[.,]\d*)?(?:[eE][-+]?\d+)?)\s*"
    r"(?P<unit>nm|cm-1|cm\^-1|cm⁻¹|1/cm)?\s*"
)


def recognise_axis(
    positions: ArrayLike, *, kind: str | None = None, unit: str | None = None
) -> tuple[AxisKind, str]:
    """Tell which kind of axis these positions are, and how that is known.

    Parameters
    ----------
    positions : array-like
        Axis values.
    kind : str, optional
        The kind as the user gave it; then nothing is recognised, but a unit must agree.
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
        If neither unit nor range settles it, or `unit` contradicts `kind`.

    Notes
    -----
    Without a unit, positions within 190 to 2700 are read as nm, and positive positions that end
    between 3300 and 16000 as 1/cm: near-infrared instruments cover about 700 to 2500 nm or 4000
    to 14000 1/cm. A Raman shift cannot be told from its range and has to be named.
    """
    read = UNIT_SPELLINGS.get(unit) if unit is not None else None
    if unit is not None and read is None:
        msg = f"unit {unit!r} is none of a spectral axis; use 'nm' or '1/cm'"
        raise AxisError(msg)
    if kind is not None:
        check_choice("kind", kind, AXIS_UNITS)
        if read not in {None, AXIS_UNITS[kind]}:
            msg = (
                f"kind is {kind!r}, which is in {AXIS_UNITS[kind]}, but the unit of the axis "
                f"is {unit}; correct kind or the unit"
            )
            raise AxisError(msg)
        return kind, "given"  # type: ignore[return-value]
    found: AxisKind = "wavelength" if read == "nm" else "wavenumber"
    if read is not None:
        return found, f"unit {unit} in the header"
    return _recognised_from_range(positions_of("axis", positions))


def _recognised_from_range(points: NDArray[np.float64]) -> tuple[AxisKind, str]:
    low, high = points.min(), points.max()
    if low >= 190 and high <= 2700:
        found: AxisKind = "wavelength"
    elif low > 0 and 3300 < high <= 16000:
        found = "wavenumber"
    else:
        msg = (
            f"the kind of an axis from {low:.8g} to {high:.8g} cannot be recognised; "
            f"give kind as one of {', '.join(AXIS_UNITS)}"
        )
        raise AxisError(msg)
    unit = AXIS_UNITS[found]
    return found, f"recognised from its range {low:.8g} to {high:.8g} as {unit}"


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
    number = float(match["number"].replace(",", "."))
    return number, UNIT_SPELLINGS.get(match["unit"])


def range_mask(
    positions: NDArray[np.float64], ranges: Iterable[Sequence[float]]
) -> NDArray[np.bool_]:
    """Return which positions lie in one of the ranges; a range without any is an error."""
    keep = np.zeros(positions.shape, dtype=bool)
    for ends in ranges:
        if np.shape(ends) != (2,):
            msg = f"a range must be a pair of ends, such as (1100, 1300), got {ends!r}"
            raise InputError(msg)
        low, high = sorted(check_real("range", end) for end in ends)
        inside = (positions >= low) & (positions <= high)
        if not inside.any():
            msg = (
                f"range {low:.8g} to {high:.8g} holds no point of the axis, which runs from "
                f"{positions.min():.8g} to {positions.max():.8g}; correct the range"
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

    Raises
    ------
    AxisError
        If one of them is no one-dimensional axis of numbers.
    InputError
        If `tolerance` is negative.
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

    Raises
    ------
    AxisError, InputError
        As in `same_axis`.
    """
    one, two = positions_of("first", first), positions_of("second", second)
    if check_real("tolerance", tolerance) < 0:
        msg = f"tolerance must not be negative, got {tolerance!r}"
        raise InputError(msg)
    if one.size != two.size:
        return (
            f"{two.size} points from {two[0]:.8g} to {two[-1]:.8g} instead of {one.size} "
            f"points from {one[0]:.8g} to {one[-1]:.8g}"
        )
    gap = np.abs(two - one)
    spacing = float(np.abs(np.diff(one)).min()) if one.size > 1 else 1.0
    if gap.max() <= tolerance * spacing:
        return ""
    if np.allclose(two[::-1], one, rtol=0, atol=tolerance * spacing):
        return "the same points in reverse order"
    place = int(gap.argmax())
    return (
        f"{two[place]:.8g} instead of {one[place]:.8g} at point {place} (mean shift "
        f"{np.mean(two - one):+.4g}, spacing {spacing:.4g})"
    )


def positions_of(name: str, axis: ArrayLike) -> NDArray[np.float64]:
    """Return an axis as a one-dimensional float array that is not empty."""
    try:
        positions = as_float(name, axis)
    except InputError as error:
        raise AxisError(str(error)) from None
    if positions.ndim != 1 or not positions.size:
        msg = f"{name} must be one-dimensional and not empty, got shape {positions.shape}"
        raise AxisError(msg)
    return positions


def check_monotonic(positions: NDArray[np.float64]) -> None:
    if not np.isfinite(positions).all():
        place = int(np.flatnonzero(~np.isfinite(positions))[0])
        msg = f"axis must be finite, but axis[{place}] is {positions[place]}; correct it"
        raise AxisError(msg)
    steps = np.diff(positions)
    # the direction of most steps: what breaks it is the place to name
    upwards = 2 * np.count_nonzero(steps > 0) >= steps.size
    wrong = np.flatnonzero(steps <= 0 if upwards else steps >= 0)
    if not wrong.size:
        return
    place = int(wrong[0])
    if len(np.unique(positions)) < positions.size:
        values, counts = np.unique(positions, return_counts=True)
        msg = f"axis position {values[counts.argmax()]:.8g} is duplicated; keep each point once"
    else:
        msg = (
            f"axis is not in order: {positions[place + 1]:.8g} follows "
            f"{positions[place]:.8g} at point {place + 1}; sort the points, strictly up or "
            "strictly down"
        )
    raise AxisError(msg)
