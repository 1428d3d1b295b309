"""What a chemist knows of concentrations and spectra before they are resolved."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq._checks import as_float, check_finite, check_integer, check_real
from pharmaq.chemometrics.mcr._solve import Limits
from pharmaq.errors import InputError, InputTypeError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "ConcentrationConstraints",
    "SpectrumConstraints",
    "concentration_limits",
    "spectrum_limits",
    "unimodal_components",
]

# known values may exceed a closure by their own rounding
ROUNDING = 1e-9


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class ConcentrationConstraints:
    """What the concentrations of `MCRALS` have to keep to.

    Components are numbered from 0; True stands for all of them, False for none.

    Parameters
    ----------
    nonnegative : bool or sequence of int, default True
        Components that are nowhere negative.
    closure : float, optional
        Sum of the closed components in every sample, above 0; no closure by default.
    closed : bool or sequence of int, default True
        Components that add up to `closure`, where that is given.
    unimodal : bool or sequence of int, default False
        Components that rise to one peak and fall again, along samples in their order.
    known : array-like of shape (n_samples, n_components), optional
        Concentrations that are fixed, NaN where they are not. Zeros say where a component is
        absent (selectivity).

    Examples
    --------
    >>> ConcentrationConstraints(closure=1.0).closure
    1.0
    """

    nonnegative: bool | Sequence[int] = True
    closure: float | None = None
    closed: bool | Sequence[int] = True
    unimodal: bool | Sequence[int] = False
    known: ArrayLike | None = None


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class SpectrumConstraints:
    """What the spectra of `MCRALS` have to keep to.

    Parameters
    ----------
    nonnegative : bool or sequence of int, default True
        Components, from 0, whose spectra are nowhere negative; True stands for all.
    known : array-like or DataArray of shape (n_components, n_points), optional
        Spectra that are fixed, NaN where they are not: whole components, or single points.

    Examples
    --------
    >>> SpectrumConstraints(nonnegative=[0, 2]).nonnegative
    [0, 2]
    """

    nonnegative: bool | Sequence[int] = True
    known: Any = None


def concentration_limits(
    constraints: ConcentrationConstraints, n_samples: int, n_components: int
) -> Limits:
    """Check constraints of concentrations and return them as limits of rows.

    Parameters
    ----------
    constraints : ConcentrationConstraints
        As the user gave them.
    n_samples, n_components : int
        Shape of the concentrations.

    Returns
    -------
    Limits
        Limits for the samples; unimodality is not among them.
    """
    nonnegative = _members("nonnegative", constraints.nonnegative, n_components)
    known = _known(
        "known concentrations", constraints.known, (n_samples, n_components), nonnegative
    )
    closed, total = None, float("nan")
    if constraints.closure is not None:
        total = check_real("closure", constraints.closure, above=0)
        closed = _members("closed", constraints.closed, n_components)
        if not closed.any():
            msg = (
                "closed names no component that closure could hold for; name some, or use True"
            )
            raise InputError(msg)
        _require_room(known, closed, nonnegative, total)
    limits = Limits(nonnegative=nonnegative, known=known, closed=closed, total=total)
    _require_compatible(limits, unimodal_components(constraints, n_components))
    return limits


def unimodal_components(
    constraints: ConcentrationConstraints, n_components: int
) -> NDArray[np.bool_]:
    """Return which components are unimodal.

    Parameters
    ----------
    constraints : ConcentrationConstraints
        As the user gave them.
    n_components : int
        Number of components.

    Returns
    -------
    ndarray of bool, shape (n_components,)
        True for unimodal components.
    """
    return _members("unimodal", constraints.unimodal, n_components)


def spectrum_limits(
    constraints: SpectrumConstraints, known: Any, n_points: int, n_components: int
) -> Limits:
    """Check constraints of spectra and return them as limits of points.

    Parameters
    ----------
    constraints : SpectrumConstraints
        As the user gave them.
    known : array-like, optional
        Known spectra on the axis of the data.
    n_points, n_components : int
        Shape of the spectra.

    Returns
    -------
    Limits
        Limits with a row a point.
    """
    nonnegative = _members("nonnegative", constraints.nonnegative, n_components)
    fixed = _known("known spectra", known, (n_components, n_points), nonnegative[:, None])
    return Limits(
        nonnegative=nonnegative,
        known=None if fixed is None else np.ascontiguousarray(fixed.T),
    )


def _members(name: str, value: Any, n_components: int) -> NDArray[np.bool_]:
    """Return a flag a component from True, False or component numbers."""
    if isinstance(value, bool | np.bool_):
        return np.full(n_components, bool(value))
    if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray):
        msg = f"{name} must be True, False or a list of component numbers, got {value!r}"
        raise InputTypeError(msg)
    members = np.zeros(n_components, dtype=bool)
    for number in value:
        members[check_integer(name, number, least=0, most=n_components - 1)] = True
    return members


def _known(
    name: str, given: Any, shape: tuple[int, int], nonnegative: NDArray[np.bool_]
) -> NDArray[np.float64] | None:
    """Return fixed values, NaN where there are none; None if nothing is fixed."""
    if given is None:
        return None
    values = as_float(name, given)
    if values.shape != shape:
        msg = f"{name} must have shape {shape}, NaN where nothing is known, got {values.shape}"
        raise InputError(msg)
    check_finite(name, np.where(np.isnan(values), 0.0, values))
    wrong = np.argwhere((values < 0) & nonnegative)
    if len(wrong):
        place = tuple(int(i) for i in wrong[0])
        msg = (
            f"{name}[{place[0]}, {place[1]}] is {values[place]:g}, but its component must not "
            "be negative; correct the value, or leave the component out of nonnegative"
        )
        raise InputError(msg)
    return None if np.isnan(values).all() else values


def _require_room(
    known: NDArray[np.float64] | None,
    closed: NDArray[np.bool_],
    nonnegative: NDArray[np.bool_],
    total: float,
) -> None:
    """Raise where known concentrations leave no way to reach the closure."""
    if known is None:
        return
    fixed = known[:, closed]
    taken, free = np.nansum(fixed, axis=1), np.isnan(fixed).any(axis=1)
    over = (taken > total * (1 + ROUNDING)) & nonnegative[closed].all()
    short = ~free & (np.abs(taken - total) > total * ROUNDING)
    wrong = np.flatnonzero(over | short)
    if wrong.size:
        msg = (
            f"the known concentrations of sample {wrong[0]} add up to {taken[wrong[0]]:g}, "
            f"which closure = {total:g} does not allow; correct them, or leave one of them free"
        )
        raise InputError(msg)


def _require_compatible(limits: Limits, unimodal: NDArray[np.bool_]) -> None:
    """Raise where two constraints of a component cannot be held together."""
    both = np.zeros_like(unimodal) if limits.closed is None else unimodal & limits.closed
    if both.any():
        msg = (
            f"component {np.flatnonzero(both)[0]} is both closed and unimodal, which cannot be "
            "held exactly together; leave it out of closed or of unimodal"
        )
        raise InputError(msg)
    if limits.known is not None:
        fixed = ~np.isnan(limits.known)
        signed = unimodal & fixed.any(axis=0) & ~limits.nonnegative
        if signed.any():
            msg = (
                f"component {np.flatnonzero(signed)[0]} is unimodal and has known zeros, so it "
                "has to be among the nonnegative ones too"
            )
            raise InputError(msg)
        nonzero = unimodal & (np.nan_to_num(limits.known) != 0).any(axis=0)
        if nonzero.any():
            msg = (
                f"component {np.flatnonzero(nonzero)[0]} is unimodal and has known "
                "concentrations that are not 0; only zeros can be held together with a peak"
            )
            raise InputError(msg)
