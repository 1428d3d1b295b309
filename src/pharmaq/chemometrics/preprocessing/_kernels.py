"""Compiled loops of preprocessing: arrays in, arrays out, nothing is checked here.

A row is read into the processor's cache once and finished there. Each is worked on by itself
and in a fixed order of operations, so that a spectrum gives the same bits alone and among
thousands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from pharmaq.chemometrics._kernels import LANES, dot, flat, folded, total

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Weights = tuple[float, ...]


@njit(cache=True, nogil=True)
def mean_of(row: Array) -> float:
    """Return the mean; of equal values the value itself, which a sum would miss by rounding."""
    return row[0] if flat(row) else total(row) / row.size


@njit(cache=True, nogil=True)
def squares(row: Array, mean: float) -> float:
    """Sum the squared deviations from `mean`, in lanes as `total`."""
    lanes = np.zeros(LANES)
    n = row.size
    whole = n - n % (4 * LANES)
    for start in range(0, whole, 4 * LANES):
        block = row[start : start + 4 * LANES]
        for lane in range(LANES):
            a = block[lane] - mean
            b = block[lane + LANES] - mean
            c = block[lane + 2 * LANES] - mean
            d = block[lane + 3 * LANES] - mean
            lanes[lane] += (a * a + b * b) + (c * c + d * d)
    for start in range(whole, n, LANES):
        block = row[start : start + LANES]
        for lane in range(block.size):
            a = block[lane] - mean
            lanes[lane] += a * a
    return folded(lanes)


@njit(cache=True, nogil=True)
def snv_row(row: Array, out: Array) -> float:
    """Centre and scale one row; returns its standard deviation (n - 1)."""
    mean = mean_of(row)
    spread = np.sqrt(squares(row, mean) / (row.size - 1))
    factor = 1.0 / spread if spread > 0.0 else 1.0
    for j in range(row.size):
        out[j] = (row[j] - mean) * factor
    return spread


@njit(cache=True, nogil=True)
def snv(X: Array, out: Array, spread: Array) -> None:
    """Centre and scale each row by its own mean and standard deviation (n - 1)."""
    for i in range(len(X)):
        spread[i] = snv_row(X[i], out[i])


@njit(cache=True, nogil=True)
def msc(X: Array, reference: Array, out: Array, slope: Array) -> None:
    """Regress each row on the reference, then take off the offset and divide by the slope."""
    p = X.shape[1]
    center = total(reference) / p
    centered = reference - center
    square = dot(centered, centered)
    work = np.empty(p)
    for i in range(len(X)):
        row, target = X[i], out[i]
        mean = mean_of(row)
        for j in range(p):
            work[j] = row[j] - mean
        along = dot(work, centered)
        # what rounding leaves of a row that has nothing in common with the reference
        if along * along <= 1e-24 * square * dot(work, work):
            slope[i] = 0.0
            target[:] = work
        else:
            slope[i] = along / square
            factor = 1.0 / slope[i]
            for j in range(p):
                target[j] = work[j] * factor + center


@njit(cache=True, nogil=True)
def emsc(
    X: Array,
    weights: Array,
    design: Array,
    least: float,
    out: Array,
    degenerate: NDArray[np.bool_],
) -> None:
    """Take the terms after the first off each row, and divide by the coefficient of the first.

    That is left out, and told, where the coefficient is not above `least` times the row's norm.
    """
    p = X.shape[1]
    work = np.empty(p)
    for i in range(len(X)):
        row = X[i]
        work[:] = row
        for k in range(1, len(weights)):
            coefficient = dot(row, weights[k])
            term = design[k]
            for j in range(p):
                work[j] -= coefficient * term[j]
        slope = dot(row, weights[0])
        degenerate[i] = abs(slope) <= least * np.sqrt(dot(row, row))
        factor = 1.0 if degenerate[i] else 1.0 / slope
        target = out[i]
        for j in range(p):
            target[j] = work[j] * factor


@njit(cache=True, nogil=True)
def filter_row(
    row: Array, middle: Weights, outer: Array, sign: float, filters: Array, out: Array
) -> None:
    """Convolve one row with weights that are the same, or opposite, on both sides.

    `middle` holds the weight of the centre and of the points to its right, `outer` those of
    the points beyond; `filters` the weights for each position in the window, one a row, of
    which the ends of a row need all but the middle one.
    """
    # a tuple, for the compiler then knows the number of weights and unrolls their loop
    near = len(middle)
    half = near - 1 + outer.size
    p = row.size
    target = out[half : p - half]
    # slices, for an index that could be negative keeps loops from being vectorised
    inner = row[outer.size :]
    for j in range(p - 2 * half):
        value = middle[0] * inner[near - 1 + j]
        for k in range(1, near):
            value += middle[k] * (inner[near - 1 + j + k] + sign * inner[near - 1 + j - k])
        target[j] = value
    for k in range(outer.size):
        weight = outer[k]
        right = row[half + near + k :]
        left = row[outer.size - 1 - k :]
        for j in range(p - 2 * half):
            target[j] += weight * (right[j] + sign * left[j])
    last = row[p - 2 * half - 1 :]
    for j in range(half):
        out[j] = short_dot(filters[j], row)
        out[p - half + j] = short_dot(filters[half + 1 + j], last)


@njit(cache=True, nogil=True)
def short_dot(weights: Array, row: Array) -> float:
    """Scalar product of a few weights with the start of a row."""
    value = 0.0
    for k in range(weights.size):
        value += weights[k] * row[k]
    return value


@njit(cache=True, nogil=True)
def filter_rows(
    X: Array,
    middle: Weights,
    outer: Array,
    sign: float,
    filters: Array,
    out: Array,
    sums: Array,
) -> None:
    """Convolve each row, see `filter_row`, and sum it, which shows NaN and infinity."""
    for i in range(len(X)):
        filter_row(X[i], middle, outer, sign, filters, out[i])
        sums[i] = total(out[i])


@njit(cache=True, nogil=True)
def snv_filter_rows(
    X: Array,
    middle: Weights,
    outer: Array,
    sign: float,
    filters: Array,
    out: Array,
    spread: Array,
) -> None:
    """Do `snv`, then `filter_rows`, with the same bits, in one pass over memory."""
    scaled = np.empty(X.shape[1])
    for i in range(len(X)):
        spread[i] = snv_row(X[i], scaled)
        filter_row(scaled, middle, outer, sign, filters, out[i])
