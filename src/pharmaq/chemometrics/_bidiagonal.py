"""Orthogonal reduction of a square matrix to two diagonals, by LAPACK.

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


def bidiagonal(square: Matrix) -> tuple[Matrix, NDArray[np.float64], NDArray[np.float64]]:
    """Return Q, diagonal and upper diagonal of A = Q B P', which is overwritten.

    Parameters
    ----------
    square : ndarray of shape (n, n)
        A in Fortran order.

    Returns
    -------
    q : ndarray of shape (n, n)
        In Fortran order, where A was.
    diagonal, beside : ndarray of shape (n,)
        The last of `beside` is 0.
    """
    from pharmaq.chemometrics._kernels import lapack_address

    i, d = _INTEGER, _NUMBERS
    reduce = ctypes.CFUNCTYPE(None, i, i, d, i, d, d, d, d, d, i, i)(lapack_address("dgebrd"))
    expand = ctypes.CFUNCTYPE(None, ctypes.c_char_p, i, i, i, d, i, d, d, i, i)(
        lapack_address("dorgbr")
    )
    n = len(square)
    diagonal, beside, left, right = np.zeros((4, n))
    work = np.empty(2 * 64 * n)
    size, room, info = ctypes.c_int(n), ctypes.c_int(work.size), ctypes.c_int()
    matrix = _pointer(square)
    reduce(
        size,
        size,
        matrix,
        size,
        _pointer(diagonal),
        _pointer(beside),
        _pointer(left),
        _pointer(right),
        _pointer(work),
        room,
        info,
    )
    expand(b"Q", size, size, size, matrix, size, _pointer(left), _pointer(work), room, info)
    return square, diagonal, beside


def _pointer(numbers: Matrix) -> ctypes._Pointer[ctypes.c_double]:
    return numbers.ctypes.data_as(_NUMBERS)
