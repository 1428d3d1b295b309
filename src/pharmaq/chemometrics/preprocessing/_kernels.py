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

# spectra that the solver of baselines works on side by side, two registers of eight
WIDE = 16
# numbers of each that a row of the solver holds
FIELDS = 4
# ln 2 in two parts, the first with zeros at its end, so that multiples of it are exact
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
LOG2_E = 1.4426950408889634
# the least spread of residuals, for a division by it
SMALLEST = float(np.finfo(np.float64).eps)
# the exponent of airPLS grows with the number of fits up to here
STEEPEST = 50.0

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


@njit(cache=True, nogil=True)
def second_difference_bands(n: int) -> Array:
    """Return the diagonal of D'D and the two beside it, D taking second differences."""
    bands = np.zeros((3, n))
    for i in range(n - 2):
        bands[0, i] += 1.0
        bands[0, i + 1] += 4.0
        bands[0, i + 2] += 1.0
        bands[1, i] -= 2.0
        bands[1, i + 1] -= 2.0
        bands[2, i] += 1.0
    return bands


@njit(cache=True, nogil=True, error_model="numpy")
def solve_bands(bands: Array, weights: Array, y: Array, work: Array) -> None:
    """Solve (W + P) z = W y for `WIDE` spectra side by side, one a lane, by L D L'.

    `bands` holds the diagonal of P and the two beside it; `weights` and `y` have shape (points,
    WIDE). `work` has a row for each point and two more on either side, which hold zeros; a row
    is `FIELDS` times WIDE long: the two entries of L, that of L D, and z.
    """
    (n, lanes), row = y.shape, FIELDS * WIDE
    for i in range(n):
        main, beside, far = bands[0, i], bands[1, i], bands[2, i]
        earlier = bands[2, i - 2] if i > 1 else 0.0
        w, values = weights[i], y[i]
        # one slice for three rows: the compiler then sees what overlaps and uses wide registers
        near = work[i * row : (i + 3) * row]
        for k in range(lanes):
            cross = near[row + 2 * WIDE + k]
            pivot = (w[k] + main) - near[row + k] * cross - near[WIDE + k] * earlier
            inverse = 1.0 / pivot
            across = beside - near[row + WIDE + k] * cross
            right = w[k] * values[k] - cross * near[row + 3 * WIDE + k]
            near[2 * row + k] = across * inverse
            near[2 * row + WIDE + k] = far * inverse
            near[2 * row + 2 * WIDE + k] = across
            near[2 * row + 3 * WIDE + k] = (right - earlier * near[3 * WIDE + k]) * inverse
    for i in range(n + 1, 1, -1):
        near = work[i * row : (i + 3) * row]
        for k in range(lanes):
            next1, next2 = near[row + 3 * WIDE + k], near[2 * row + 3 * WIDE + k]
            near[3 * WIDE + k] -= near[k] * next1 + near[WIDE + k] * next2


@njit(cache=True, nogil=True)
def reweighted_baselines(
    X: Array,
    method: int,
    lam: float,
    p: float,
    tol: float,
    baselines: Array,
    history: Array,
) -> NDArray[np.int64]:
    """Fit penalised baselines, weights and fit in turn; returns the number of fits of each.

    `method` is 0 for AsLS, 1 for arPLS, 2 for airPLS. `history` takes the change after each fit
    and has as many columns as there may be fits. Spectra wait for a lane to become free: no
    lane knows of the others, so that a baseline has the same bits whatever stands beside it.
    """
    n, points = X.shape
    bands = lam * second_difference_bands(points)
    y, w = np.zeros((points, WIDE)), np.ones((points, WIDE))
    work = np.zeros((points + 4) * FIELDS * WIDE)
    scratch = np.empty((2, points, WIDE))
    spectrum, fits = np.full(WIDE, -1), np.zeros(n, dtype=np.int64)
    # of each lane: number of its fit, and sum of the absolute values of its spectrum
    state, change = np.ones((2, WIDE)), np.empty(WIDE)
    waiting = min(n, WIDE)
    for k in range(waiting):
        spectrum[k] = k
        state[1, k] = enter(X[k], y, w, k)
    while spectrum.max() >= 0:
        solve_bands(bands, w, y, work)
        reweigh(method, y, w, work, p, scratch, state, change)
        state[0] += 1.0
        for k in range(WIDE):
            i = spectrum[k]
            if i < 0 or goes_on(change[k], tol, history[i], fits, i):
                continue
            leave(work, k, baselines[i])
            spectrum[k], state[0, k] = -1, 1.0
            if waiting < n:
                spectrum[k] = waiting
                state[1, k] = enter(X[waiting], y, w, k)
                waiting += 1
    return fits


@njit(cache=True, nogil=True)
def enter(row: Array, y: Array, w: Array, lane: int) -> float:
    """Put a spectrum into a lane, with unit weights; returns the sum of its absolute values."""
    size = 0.0
    for j in range(row.size):
        y[j, lane] = row[j]
        w[j, lane] = 1.0
        size += abs(row[j])
    return size


@njit(cache=True, nogil=True)
def goes_on(
    change: float, tol: float, history: Array, fits: NDArray[np.int64], spectrum: int
) -> bool:
    """Note a change, and tell whether one more fit is due."""
    history[fits[spectrum]] = change
    fits[spectrum] += 1
    # a change that is no number ends it too: too few points lie below the baseline
    return change >= tol and fits[spectrum] < history.size


@njit(cache=True, nogil=True)
def leave(work: Array, lane: int, baseline: Array) -> None:
    """Copy the solution of one lane."""
    for j in range(baseline.size):
        baseline[j] = solution(work, j)[lane]


@njit(cache=True, nogil=True)
def solution(work: Array, j: int) -> Array:
    """Return z of all lanes at one point."""
    start = ((j + 2) * FIELDS + 3) * WIDE
    return work[start : start + WIDE]


@njit(cache=True, nogil=True)
def reweigh(
    method: int,
    y: Array,
    w: Array,
    work: Array,
    p: float,
    scratch: Array,
    state: Array,
    change: Array,
) -> None:
    """Replace the weights by those for the next fit, and tell how much changed in each lane."""
    if method == 0:
        reweigh_asls(y, w, work, p, change)
        return
    residual, factors = scratch[0], scratch[1]
    count, sums = below(y, work, residual)
    if method == 1:
        reweigh_arpls(w, residual, factors, count, sums, change)
    else:
        reweigh_airpls(w, residual, factors, count, sums, state[0])
        change[:] = -sums / state[1]
    for k in range(WIDE):
        if count[k] < 2.0:
            change[k] = np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def reweigh_asls(y: Array, w: Array, work: Array, p: float, change: Array) -> None:
    """Give points above the baseline the weight p, others 1 - p."""
    (n, lanes), moved, size = y.shape, np.zeros(WIDE), np.zeros(WIDE)
    for j in range(n):
        values, weights, z = y[j], w[j], solution(work, j)
        for k in range(lanes):
            old = weights[k]
            new = p if values[k] > z[k] else 1.0 - p
            moved[k] += (new - old) * (new - old)
            size[k] += old * old
            weights[k] = new
    change[:] = np.sqrt(moved) / np.sqrt(size)


@njit(cache=True, nogil=True)
def below(y: Array, work: Array, residual: Array) -> tuple[Array, Array]:
    """Write residuals; returns number and sum of the negative ones of each lane."""
    (n, lanes), count, sums = y.shape, np.zeros(WIDE), np.zeros(WIDE)
    for j in range(n):
        values, r, z = y[j], residual[j], solution(work, j)
        for k in range(lanes):
            r[k] = values[k] - z[k]
            count[k] += 1.0 if r[k] < 0.0 else 0.0
            sums[k] += min(r[k], 0.0)
    return count, sums


@njit(cache=True, nogil=True, error_model="numpy")
def reweigh_arpls(
    w: Array, residual: Array, factors: Array, count: Array, sums: Array, change: Array
) -> None:
    """Weigh by a logistic curve that mean and spread of the negative residuals place."""
    (n, lanes), moved, size = w.shape, np.zeros(WIDE), np.zeros(WIDE)
    mean = sums / np.maximum(count, 1.0)
    spread = spread_below(residual, mean, count)
    for j in range(n):
        r = residual[j]
        for k in range(lanes):
            r[k] = 2.0 * (r[k] - (2.0 * spread[k] - mean[k])) / spread[k]
    exponentials(residual, factors)
    for j in range(n):
        weights, r = w[j], residual[j]
        for k in range(lanes):
            old = weights[k]
            new = 1.0 / (1.0 + r[k])
            moved[k] += (new - old) * (new - old)
            size[k] += old * old
            weights[k] = new
    change[:] = np.sqrt(moved) / np.sqrt(size)


@njit(cache=True, nogil=True)
def spread_below(residual: Array, mean: Array, count: Array) -> Array:
    """Return the standard deviation (n - 1) of the negative residuals of each lane."""
    (n, lanes), squared = residual.shape, np.zeros(WIDE)
    for j in range(n):
        r = residual[j]
        for k in range(lanes):
            away = r[k] - mean[k] if r[k] < 0.0 else 0.0
            squared[k] += away * away
    return np.maximum(np.sqrt(squared / np.maximum(count - 1.0, 1.0)), SMALLEST)


@njit(cache=True, nogil=True, error_model="numpy")
def reweigh_airpls(
    w: Array, residual: Array, factors: Array, count: Array, sums: Array, step: Array
) -> None:
    """Weigh points below the baseline by the exponential of their share, others by 0."""
    n, lanes = w.shape
    # a lane without points below keeps its weights finite
    steepness = np.minimum(step, STEEPEST) / np.where(count > 0.0, sums, -1.0)
    for j in range(n):
        weights, r = w[j], residual[j]
        for k in range(lanes):
            weights[k] = 1.0 if r[k] < 0.0 else 0.0
            r[k] = min(r[k], 0.0) * steepness[k]
    exponentials(residual, factors)
    for j in range(n):
        weights, r = w[j], residual[j]
        for k in range(lanes):
            weights[k] *= r[k]


@njit(cache=True, nogil=True, error_model="numpy")
def exponentials(values: Array, factors: Array) -> None:
    """Replace values by their exponentials; from -700 to 700, and to two units of rounding.

    The library's function is called for one value at a time, and differs between machines.
    """
    n, lanes = values.shape
    powers = factors.view(np.int64)
    for j in range(n):
        v, power = values[j], powers[j]
        for k in range(lanes):
            x = min(max(v[k], -700.0), 700.0)
            whole = np.floor(x * LOG2_E + 0.5)
            r = (x - whole * LN2_HIGH) - whole * LN2_LOW
            # Taylor's series to the 13th power, enough for |r| <= ln 2 / 2
            value = 1.0 + r / 13.0
            for m in range(12, 0, -1):
                value = 1.0 + value * r / m
            v[k] = value
            # the bits of 2 to the power of `whole`
            power[k] = (np.int64(whole) + 1023) << 52
    for j in range(n):
        v, f = values[j], factors[j]
        for k in range(lanes):
            v[k] *= f[k]
