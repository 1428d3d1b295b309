"""Least squares of every row at once, under the constraints of curve resolution."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq._checks import as_float, check_finite
from pharmaq.chemometrics._base import like_columns
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Limits", "nonnegative_least_squares", "require_nonzero", "solve_rows"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Limits:
    """What the rows of a factor have to keep to.

    Parameters
    ----------
    nonnegative : ndarray of bool, shape (n_components,)
        Components that must not be negative.
    known : ndarray of shape (n_rows, n_components), optional
        Values that are fixed; NaN where they are not.
    closed : ndarray of bool, shape (n_components,), optional
        Components whose sum is `total`.
    total : float
        Sum of the closed components in each row; NaN for no closure.
    """

    nonnegative: NDArray[np.bool_]
    known: NDArray[np.float64] | None = None
    closed: NDArray[np.bool_] | None = None
    total: float = float("nan")


def nonnegative_least_squares(X: Any, spectra: Any) -> Any:
    """Return the non-negative amounts of known spectra that fit each mixture best [1]_ [2]_.

    Parameters
    ----------
    X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
        Spectra of mixtures; NaN raises.
    spectra : array-like, shape (n_components, n_points)
        Spectra of the components, none of them zero, on the axis of `X`; NaN raises.

    Returns
    -------
    array, DataFrame or DataArray, shape (n_samples, n_components)
        Amounts c >= 0 with the least sum of squares of x - c S, in the container of `X`, with
        columns ``component0``, ``component1``, ...

    Raises
    ------
    InputError
        If the numbers of points differ, or a spectrum is zero.

    Notes
    -----
    The active-set method of Lawson and Hanson on normal equations of unit spectra: as in [2]_
    the products with the spectra are formed once for all mixtures, and most mixtures are
    solved by their first trial set. Normal equations square the condition of the spectra:
    amounts are good to about eps cond(S)^2, relative to the largest.

    References
    ----------
    .. [1] R. Bro, S. de Jong, J. Chemom. 11 (1997) 393-401.
    .. [2] M. H. Van Benthem, M. R. Keenan, J. Chemom. 18 (2004) 441-450.

    Examples
    --------
    >>> spectra = [[1.0, 2.0, 0.0], [0.0, 1.0, 1.0]]
    >>> nonnegative_least_squares([[2.0, 5.0, 1.0], [1.0, 1.0, -1.0]], spectra)
    array([[2. , 1. ],
           [0.6, 0. ]])
    """
    values, basis = as_float("X", X), as_float("spectra", spectra)
    if values.ndim != 2 or basis.ndim != 2 or values.shape[1] != basis.shape[1]:
        msg = (
            f"X and spectra must be matrices with the same number of points, got shapes "
            f"{values.shape} and {basis.shape}"
        )
        raise InputError(msg)
    check_finite("X", values)
    check_finite("spectra", basis)
    limits = Limits(nonnegative=np.ones(len(basis), dtype=bool))
    amounts = solve_rows(basis, values, limits, exact=True)
    return like_columns(X, amounts, [f"component{j}" for j in range(len(basis))], "component")


def solve_rows(
    basis: NDArray[np.float64],
    data: NDArray[np.float64],
    limits: Limits,
    *,
    exact: bool = False,
) -> NDArray[np.float64]:
    """Return the rows c that minimise |d - c B|^2 under limits.

    Parameters
    ----------
    basis : ndarray of shape (n_components, n)
        B; no row is zero.
    data : ndarray of shape (n_rows, n)
        A problem d each row.
    limits : Limits
        What c has to keep to.
    exact : bool, default False
        Form the products in a fixed order, so that a row gives the same bits alone and among
        others; slower than the library's matrix product.

    Returns
    -------
    ndarray of shape (n_rows, n_components)
        The solutions.
    """
    from pharmaq.chemometrics.mcr import _kernels

    norms = require_nonzero(basis)
    unit = basis / norms[:, None]
    shape = len(data), len(basis)
    if exact:
        right = np.empty(shape)
        _kernels.products(np.ascontiguousarray(data), unit, right)
    else:
        right = data @ unit.T
    known = np.full(shape, np.nan) if limits.known is None else limits.known * norms
    closed = np.zeros(len(basis))
    if limits.closed is not None:
        closed = limits.closed / norms
    out = np.empty(shape)
    failed = _kernels.solve_rows(
        unit @ unit.T, right, limits.nonnegative, known, closed, limits.total, out
    )
    if failed >= 0:
        msg = (
            "the components depend on each other, so that their amounts cannot be told apart "
            f"(row {failed}); lower n_components, or give another initial estimate"
        )
        raise InputError(msg)
    if limits.known is None:
        return out / norms
    # known values come back as they were given, to the bit
    return np.where(np.isnan(limits.known), out / norms, limits.known)


def require_nonzero(basis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the norms of rows, and raise where one is zero.

    Parameters
    ----------
    basis : ndarray of shape (n_components, n)
        Spectra or concentrations, a component a row.

    Returns
    -------
    ndarray of shape (n_components,)
        Euclidean norms.
    """
    norms = np.sqrt(np.einsum("ij,ij->i", basis, basis))
    zero = np.flatnonzero(norms == 0)
    if zero.size:
        msg = (
            f"component {zero[0]} is zero throughout, and nothing can be fitted by it; lower "
            "n_components, or give another initial estimate"
        )
        raise InputError(msg)
    return norms
