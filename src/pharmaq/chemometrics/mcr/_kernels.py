"""Compiled loops of curve resolution: arrays in, arrays out, nothing is checked here.

Each row is a problem of its own and solved in a fixed order of operations, so that a spectrum
gives the same bits alone and among thousands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from pharmaq.chemometrics._kernels import dot

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# states of a component while one row is solved
AT_ZERO, FREE, KNOWN, BARRED = 0, 1, 2, 3

# lines of the working matrix of a row, one column a component: signs and weights, which are the
# same for all rows; A'b without the known part; state, position and trial of each component;
# two right-hand sides and the free components
BOUNDED, CLOSED, LINEAR, STATE, X, Z, U, V, INDEX, LINES = range(10)

# columns have unit length: a pivot this small is one that depends on the others
SINGULAR = 1e-13


@njit(cache=True, nogil=True)
def products(rows: Array, basis: Array, out: Array) -> None:
    """Write the scalar product of every row with every basis vector."""
    for i in range(len(rows)):
        for j in range(len(basis)):
            out[i, j] = dot(rows[i], basis[j])


@njit(cache=True, nogil=True)
def solve_rows(
    gram: Array,
    right: Array,
    nonnegative: NDArray[np.bool_],
    known: Array,
    closed: Array,
    total: float,
    out: Array,
) -> int:
    """Minimise |b - A x|^2 for every row by an active set; returns the first row that fails.

    `gram` is A'A for columns of unit length, `right` holds A'b, `known` the fixed values and
    NaN elsewhere, `closed` the weights of the closed components and 0 elsewhere, `total` their
    sum or NaN. -1 is returned if no row fails.
    """
    n, k = right.shape
    work, factor = np.zeros((LINES, k)), np.empty((k, k))
    for j in range(k):
        work[BOUNDED, j], work[CLOSED, j] = nonnegative[j], closed[j]
    for i in range(n):
        left = fix_known(gram, work, right[i], known[i], total)
        if not active_set(gram, work, factor, left):
            return i
        for j in range(k):
            out[i, j] = work[X, j]
    return -1


@njit(cache=True, nogil=True)
def fix_known(gram: Array, work: Array, right: Array, known: Array, total: float) -> float:
    """Set up a row with its known values; returns what the others have to add up to."""
    k, left = right.size, total
    for j in range(k):
        work[LINEAR, j] = right[j]
        work[STATE, j], work[X, j] = AT_ZERO, 0.0
        if not np.isnan(known[j]):
            work[STATE, j], work[X, j] = KNOWN, known[j]
    for j in range(k):
        if work[STATE, j] == KNOWN:
            left -= work[CLOSED, j] * work[X, j]
            for m in range(k):
                work[LINEAR, m] -= gram[m, j] * work[X, j]
    # what rounding leaves of a row that is known as a whole
    return 0.0 if left <= 1e-14 * total else left


@njit(cache=True, nogil=True)
def active_set(gram: Array, work: Array, factor: Array, left: float) -> bool:
    """Solve a row whose known values are set; `left` is NaN where there is no closure."""
    closing = close(work, left)
    # most rows are solved by all components together
    for j in range(work.shape[1]):
        if work[STATE, j] == AT_ZERO:
            work[STATE, j] = FREE
    solved, multiplier = passive(gram, work, factor, left, closing)
    if solved and feasible(work):
        take(work)
        return True
    if not start(gram, work, left, closing):
        return False
    solved, multiplier = passive(gram, work, factor, left, closing)
    if not solved:
        return False
    take(work)
    return descend(gram, work, factor, left, closing, multiplier)


@njit(cache=True, nogil=True)
def close(work: Array, left: float) -> bool:
    """Tell whether a sum is to be kept; components that have nothing left become zero."""
    closing, bounded = False, True
    if np.isnan(left):
        return False
    for j in range(work.shape[1]):
        if work[STATE, j] == AT_ZERO and work[CLOSED, j] > 0.0:
            closing, bounded = True, bounded and work[BOUNDED, j]
    if left > 0.0 or not bounded:
        return closing
    for j in range(work.shape[1]):
        if work[STATE, j] == AT_ZERO and work[CLOSED, j] > 0.0:
            work[STATE, j] = KNOWN
    return False


@njit(cache=True, nogil=True)
def start(gram: Array, work: Array, left: float, closing: bool) -> bool:
    """Free the unbounded components, and one closed component that can take all there is."""
    least, chosen, carried = np.inf, -1, False
    for j in range(work.shape[1]):
        if work[STATE, j] == FREE and work[BOUNDED, j]:
            work[STATE, j], work[X, j] = AT_ZERO, 0.0
            cost = cost_alone(gram, work, left, j)
            if cost < least:
                least, chosen = cost, j
        elif work[STATE, j] == FREE:
            carried = carried or work[CLOSED, j] > 0.0
    if closing and not carried:
        if chosen < 0:
            return False
        work[STATE, chosen] = FREE
    return True


@njit(cache=True, nogil=True)
def cost_alone(gram: Array, work: Array, left: float, j: int) -> float:
    """Return half the squared error of a closed component that takes all there is."""
    if work[CLOSED, j] <= 0.0:
        return np.inf
    amount = left / work[CLOSED, j]
    return (0.5 * gram[j, j] * amount - work[LINEAR, j]) * amount


@njit(cache=True, nogil=True)
def descend(
    gram: Array, work: Array, factor: Array, left: float, closing: bool, multiplier: float
) -> bool:
    """Free one component after another, until none would lower the error."""
    least = 1e-14 * work.shape[1] * np.abs(work[LINEAR]).max()
    for _ in range(30 * work.shape[1]):
        candidate = steepest(gram, work, multiplier, least)
        if candidate < 0:
            return True
        work[STATE, candidate] = FREE
        solved, trial = passive(gram, work, factor, left, closing)
        # what depends on the others, or would leave at once by rounding, has nothing to add
        if not solved or work[Z, candidate] <= 0.0:
            work[STATE, candidate] = BARRED
            continue
        while not feasible(work):
            step_back(work)
            solved, trial = passive(gram, work, factor, left, closing)
            if not solved:
                return False
        multiplier = trial
        take(work)
        for j in range(work.shape[1]):
            if work[STATE, j] == BARRED:
                work[STATE, j] = AT_ZERO
    return False


@njit(cache=True, nogil=True)
def steepest(gram: Array, work: Array, multiplier: float, least: float) -> int:
    """Return the component at zero that lowers the error fastest, or -1."""
    candidate = -1
    for j in range(work.shape[1]):
        if work[STATE, j] == AT_ZERO:
            slope = work[LINEAR, j] - multiplier * work[CLOSED, j]
            for m in range(work.shape[1]):
                if work[STATE, m] == FREE:
                    slope -= gram[j, m] * work[X, m]
            if slope > least:
                least, candidate = slope, j
    return candidate


@njit(cache=True, nogil=True)
def passive(
    gram: Array, work: Array, factor: Array, left: float, closing: bool
) -> tuple[bool, float]:
    """Solve for the free components; returns success and the multiplier of the sum."""
    m = factorise(gram, work, factor)
    if m < 0:
        return False, 0.0
    for a in range(m):
        j = int(work[INDEX, a])
        work[U, a], work[V, a] = work[LINEAR, j], work[CLOSED, j]
    back_substitute(factor, m, work[U])
    multiplier = 0.0
    if closing:
        back_substitute(factor, m, work[V])
        reached, weight = 0.0, 0.0
        for a in range(m):
            share = work[CLOSED, int(work[INDEX, a])]
            reached += share * work[U, a]
            weight += share * work[V, a]
        if weight <= 0.0:
            return False, 0.0
        multiplier = (reached - left) / weight
    for a in range(m):
        work[Z, int(work[INDEX, a])] = work[U, a] - multiplier * work[V, a]
    return True, multiplier


@njit(cache=True, nogil=True)
def factorise(gram: Array, work: Array, factor: Array) -> int:
    """Write the Cholesky factor of the free components; returns their number or -1."""
    m = 0
    for j in range(work.shape[1]):
        if work[STATE, j] == FREE:
            work[INDEX, m] = j
            m += 1
    for a in range(m):
        for b in range(a + 1):
            value = gram[int(work[INDEX, a]), int(work[INDEX, b])]
            for c in range(b):
                value -= factor[a, c] * factor[b, c]
            if a > b:
                factor[a, b] = value / factor[b, b]
            elif value <= SINGULAR:
                return -1
            else:
                factor[a, a] = np.sqrt(value)
    return m


@njit(cache=True, nogil=True)
def back_substitute(factor: Array, m: int, vector: Array) -> None:
    """Solve L L' y = vector in place."""
    for a in range(m):
        for c in range(a):
            vector[a] -= factor[a, c] * vector[c]
        vector[a] /= factor[a, a]
    for a in range(m - 1, -1, -1):
        for c in range(a + 1, m):
            vector[a] -= factor[c, a] * vector[c]
        vector[a] /= factor[a, a]


@njit(cache=True, nogil=True)
def falls(work: Array, j: int) -> bool:
    """Tell whether a free, bounded component would be negative or zero."""
    return work[STATE, j] == FREE and work[BOUNDED, j] and work[Z, j] <= 0.0


@njit(cache=True, nogil=True)
def feasible(work: Array) -> bool:
    """Tell whether no bounded component would be negative or zero."""
    count = 0
    for j in range(work.shape[1]):
        count += falls(work, j)
    return count == 0


@njit(cache=True, nogil=True)
def take(work: Array) -> None:
    """Move to the solution for the free components."""
    for j in range(work.shape[1]):
        if work[STATE, j] == FREE:
            work[X, j] = work[Z, j]


@njit(cache=True, nogil=True)
def step_back(work: Array) -> None:
    """Go towards z until the first component reaches zero, and leave it there."""
    step, first = 1.0, -1
    for j in range(work.shape[1]):
        if falls(work, j):
            share = work[X, j] / (work[X, j] - work[Z, j]) if work[X, j] > 0.0 else 0.0
            if first < 0 or share < step:
                step, first = share, j
    for j in range(work.shape[1]):
        if work[STATE, j] == FREE:
            work[X, j] += step * (work[Z, j] - work[X, j])
    for j in range(work.shape[1]):
        if falls(work, j) and (j == first or work[X, j] <= 0.0):
            work[STATE, j], work[X, j] = AT_ZERO, 0.0


@njit(cache=True, nogil=True)
def isotonic_errors(values: Array, floor: float, errors: Array, fit: Array) -> int:
    """Write the squared error of the best increasing fit to every beginning of `values`.

    Nothing fitted lies below `floor`. The fit to all of them is written to `fit`.
    """
    n = values.size
    mean, size = np.empty(n), np.empty(n, np.int64)
    own, upto = np.empty(n), np.empty(n)
    blocks = 0
    for i in range(n):
        mean[blocks], size[blocks], own[blocks] = values[i], 1, 0.0
        # neighbours in the wrong order become one block at their mean
        while blocks > 0 and mean[blocks - 1] >= mean[blocks]:
            a, b = size[blocks - 1], size[blocks]
            gap = mean[blocks] - mean[blocks - 1]
            own[blocks - 1] += own[blocks] + gap * gap * (a * b / (a + b))
            mean[blocks - 1] += gap * (b / (a + b))
            size[blocks - 1] = a + b
            blocks -= 1
        below = min(mean[blocks] - floor, 0.0)
        error = own[blocks] + size[blocks] * below * below
        upto[blocks] = error if blocks == 0 else upto[blocks - 1] + error
        errors[i] = upto[blocks]
        blocks += 1
    position = 0
    for block in range(blocks):
        level = max(mean[block], floor)
        for _ in range(size[block]):
            fit[position] = level
            position += 1
    return blocks


@njit(cache=True, nogil=True)
def unimodal(values: Array, floor: float, out: Array) -> float:
    """Write the best fit that rises and then falls; returns its squared error."""
    n = values.size
    rising, falling, fit = np.empty(n), np.empty(n), np.empty(n)
    backwards = values[::-1].copy()
    isotonic_errors(values, floor, rising, fit)
    isotonic_errors(backwards, floor, falling, fit)
    best, peak = np.inf, 0
    for m in range(n):
        # rise over the first m + 1 values, fall over the rest
        error = rising[m] + (falling[n - m - 2] if m < n - 1 else 0.0)
        if error < best:
            best, peak = error, m
    isotonic_errors(values[: peak + 1], floor, rising, out[: peak + 1])
    if peak < n - 1:
        isotonic_errors(backwards[: n - peak - 1], floor, falling, fit)
        out[peak + 1 :] = fit[: n - peak - 1][::-1]
    return best
