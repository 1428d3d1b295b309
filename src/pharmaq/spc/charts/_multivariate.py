"""Charts of several variables at once: T2, MEWMA and MCUSUM from frozen parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.linalg import solve_triangular

from pharmaq._checks import as_float, check_finite
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["OF_VECTORS", "Vectors", "mcusum_path", "mewma_path", "read_vectors", "t2_parts"]

OF_VECTORS = {"t2", "mewma", "mcusum"}


class Vectors(NamedTuple):
    """Measurements of several variables, one row or one subgroup a point.

    Parameters
    ----------
    values : ndarray of shape (m, p) or (m, n, p)
        Single rows, or subgroups of n rows.
    names : tuple of str
        The variables.
    labels : ndarray of shape (m,) or None
        Time or name of each point, where the data have one.
    """

    values: Array
    names: tuple[str, ...]
    labels: Any


def read_vectors(
    values: Any,
    *,
    subgroups: ArrayLike | None = None,
    names: tuple[str, ...] | None = None,
    size: int | None = None,
) -> Vectors:
    """Return measurements of several variables, checked.

    Parameters
    ----------
    values : array-like or DataFrame, shape (m, p), or (m, n, p) for subgroups
        A column a variable; NaN raises.
    subgroups : array-like of shape (m,), optional
        Subgroup of each row, all of the same size.
    names : tuple of str, optional
        Variables that are expected; those of a frame are brought into this order.
    size : int, optional
        Size of the subgroups that is expected, 1 for single rows.

    Returns
    -------
    Vectors
        Values, names of the variables and of the points.

    Raises
    ------
    InputError
        If a variable is missing or unknown, or the form is another one than expected.
    """
    found, labels = _names_and_labels(values)
    if found is not None and names is not None:
        values = values.set_axis(list(found), axis=1)[_ordered(found, names)]
    array = as_float("values", values)
    if subgroups is not None:
        array, labels = _grouped(array, np.asarray(subgroups))
    _check_shape(array, names, size)
    check_finite("values", array)
    default = tuple(f"x{k}" for k in range(1, array.shape[-1] + 1))
    return Vectors(array, names or found or default, labels)


def _names_and_labels(values: Any) -> tuple[tuple[str, ...] | None, Any]:
    if not isinstance(values, pd.DataFrame):
        return None, None
    names = tuple(str(name) for name in values.columns)
    if len(set(names)) < len(names):
        msg = f"the columns of values must differ, got {list(names)}"
        raise InputError(msg)
    named = not isinstance(values.index, pd.RangeIndex)
    return names, values.index if named else None


def _ordered(found: tuple[str, ...], names: tuple[str, ...]) -> list[Any]:
    """Return the columns in the order of phase 1."""
    missing = [name for name in names if name not in found]
    unknown = [name for name in found if name not in names]
    if missing or unknown:
        what = f"{missing[0]!r} is missing" if missing else f"{unknown[0]!r} is unknown"
        msg = f"variable {what} in values; the chart has {', '.join(map(repr, names))}"
        raise InputError(msg)
    return list(names)


def _grouped(array: Array, groups: NDArray[Any]) -> tuple[Array, Any]:
    """Return rows as subgroups, in the order in which they come first."""
    if array.ndim != 2 or groups.shape != array.shape[:1]:
        msg = (
            f"subgroups must name the subgroup of each row of values, but have shapes "
            f"{groups.shape} and {array.shape}"
        )
        raise InputError(msg)
    starts = np.concatenate([[0], np.flatnonzero(groups[1:] != groups[:-1]) + 1])
    names = groups[starts]
    sizes = np.diff(np.append(starts, len(groups)))
    if len(set(names.tolist())) < len(names) or np.ptp(sizes):
        msg = (
            "the rows of a subgroup must stand together and all subgroups be of one size, "
            f"got sizes {sorted(set(sizes.tolist()))} of {len(names)} subgroups"
        )
        raise InputError(msg)
    return array.reshape(len(names), int(sizes[0]), -1), names


def _check_shape(array: Array, names: tuple[str, ...] | None, size: int | None) -> None:
    if array.ndim not in (2, 3) or 0 in array.shape:
        msg = (
            "values must have shape (m, p), or (m, n, p) for subgroups of n rows, got "
            f"{array.shape}"
        )
        raise InputError(msg)
    if names is not None and array.shape[-1] != len(names):
        msg = f"values have {array.shape[-1]} variables, but the chart has {len(names)}"
        raise InputError(msg)
    found = array.shape[1] if array.ndim == 3 else 1
    if size is not None and found != size:
        msg = f"values come in subgroups of {found}, but the chart is one of {size}"
        raise InputError(msg)


def t2_parts(
    p: dict[str, Any], values: Array, state: dict[str, Any]
) -> tuple[Array, Array, str]:
    """Return T2, what it falls by without each variable, and the phase."""
    size = values.shape[1] if values.ndim == 3 else 1
    means = values.mean(axis=1) if values.ndim == 3 else values
    factor = np.linalg.cholesky(np.asarray(p["covariance"]))
    white = _whitened(factor, means - np.asarray(p["center"]))
    inverse = _whitened(factor, np.eye(len(factor))).T
    t2 = size * np.einsum("ij,ij->i", white, white)
    # T2 - T2 without variable j = (S^-1 d)_j^2 / (S^-1)_jj
    pulled = white @ inverse
    drop = size * pulled**2 / np.einsum("ij,ij->j", inverse, inverse)
    return t2, drop, "phase2" if state.get("phase") == 2 else "phase1"


def mewma_path(
    p: dict[str, Any], values: Array, state: dict[str, Any]
) -> tuple[Array, dict[str, Any]]:
    """Return the statistic of a MEWMA, and the state that the next point starts from."""
    lam = p["lam"]
    white = _standardised(p, values)
    average = np.asarray(state.get("average", np.zeros(white.shape[1])), dtype=np.float64)
    before = int(state.get("n", 0))
    statistic = np.empty(len(white))
    for i, row in enumerate(white):
        average = lam * row + (1 - lam) * average
        statistic[i] = average @ average
    share = lam / (2 - lam) * np.ones(len(white))
    if p["variance"] == "exact":
        # 1 - (1 - lam)^(2 t), without loss where lam is small
        t = before + np.arange(1, len(white) + 1)
        share *= np.where(lam < 1, -np.expm1(2 * t * np.log1p(-min(lam, 1 - 1e-16))), 1.0)
    return statistic / share, {"average": average, "n": before + len(white)}


def mcusum_path(
    p: dict[str, Any], values: Array, state: dict[str, Any]
) -> tuple[Array, dict[str, Any]]:
    """Return the statistic of a MCUSUM, and the state that the next point starts from."""
    white = _standardised(p, values)
    total = np.asarray(state.get("sum", np.zeros(white.shape[1])), dtype=np.float64)
    length = int(state.get("n", 0))
    k, crosier = p["k"], p["form"] == "crosier"
    statistic = np.empty(len(white))
    for i, row in enumerate(white):
        total = total + row
        size = float(np.sqrt(total @ total))
        if crosier:
            total = total * (1 - k / size) if size > k else np.zeros_like(total)
            statistic[i] = max(0.0, size - k)
        else:
            length += 1
            statistic[i] = max(0.0, size - k * length)
            if statistic[i] == 0:
                total, length = np.zeros_like(total), 0
    return statistic, {"sum": total, "n": length}


def _standardised(p: dict[str, Any], values: Array) -> Array:
    """Return means of points in standard deviations of a point, uncorrelated."""
    size = values.shape[1] if values.ndim == 3 else 1
    means = values.mean(axis=1) if values.ndim == 3 else values
    factor = np.linalg.cholesky(np.asarray(p["covariance"]))
    return np.sqrt(size) * _whitened(factor, means - np.asarray(p["center"]))


def _whitened(factor: Array, deviations: Array) -> Array:
    """Return rows d turned into F^-1 d, with F the Cholesky factor of the covariance."""
    return np.asarray(solve_triangular(factor, deviations.T, lower=True)).T
