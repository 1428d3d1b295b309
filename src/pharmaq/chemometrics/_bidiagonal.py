"""Orthogonal reduction of a matrix to two diagonals, by LAPACK.

It is the first part of a singular value decomposition, and takes less than half its time.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

_INTEGER = ctypes.POINTER(ctypes.c_int)
_NUMBERS = ctypes.POINTER(ctypes.c_double)


def bidiagonal(tall: Matrix) -> tuple[Matrix, NDArray[np.float64], NDArray[np.float64]]:
    """Return P', diagonal and upper diagonal of A = Q B P', which is overwritten.

    Parameters
    ----------
    tall : ndarray of shape (m, n)
        A in Fortran order, of no more columns than rows.

    Returns
    -------
    p : ndarray of shape (n, n)
        P', the first rows of where A was.
    diagonal, beside : ndarray of shape (n,)
        The last of `beside` is 0.
    """
    from pharmaq.chemometrics._kernels import lapack_address

    i, d = _INTEGER, _NUMBERS
    reduce = ctypes.CFUNCTYPE(None, i, i, d, i, d, d, d, d, d, i, i)(lapack_address("dgebrd"))
    expand = ctypes.CFUNCTYPE(None, ctypes.c_char_p, i, i, i, d, i, d, d, i, i)(
        lapack_address("dorgbr")
    )
    m, n = tall.shape
    factors = np.zeros((4, n))
    diagonal, beside, left, right = (_pointer(row) for row in factors)
    work = np.empty(64 * (m + n))
    rows, columns, room = ctypes.c_int(m), ctypes.c_int(n), ctypes.c_int(work.size)
    matrix, space, info = _pointer(tall), _pointer(work), ctypes.c_int()
    reduce(rows, columns, matrix, rows, diagonal, beside, left, right, space, room, info)
    _require_success("dgebrd", info)
    expand(b"P", columns, columns, rows, matrix, rows, right, space, room, info)
    _require_success("dorgbr", info)
    return tall[:n], factors[0], factors[1]


def _require_success(routine: str, info: ctypes.c_int) -> None:
    """Raise if LAPACK refused an argument: a defect here, not of the data."""
    if info.value:
        msg = f"LAPACK's {routine} refused its argument {-info.value}"
        raise RuntimeError(msg)


def _pointer(numbers: Matrix) -> ctypes._Pointer[ctypes.c_double]:
    return numbers.ctypes.data_as(_NUMBERS)
