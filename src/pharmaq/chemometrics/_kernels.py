"""Compiled loops over spectra: arrays in, arrays out, nothing is checked here.

Each row is worked on by itself and in a fixed order of operations, so that a spectrum gives
the same bits alone and among thousands; matrix products of a BLAS library do not promise that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit
from numba.extending import get_cython_function_address

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# partial sums that are kept side by side: four registers of eight numbers
LANES = 32


def lapack_address(name: str) -> int:
    """Find a routine of SciPy's LAPACK, which offers all of them to compiled code."""
    return int(get_cython_function_address("scipy.linalg.cython_lapack", name))


@njit(cache=True, nogil=True)
def total(row: Array) -> float:
    """Sum a row in lanes: the order is fixed, and the compiler can use wide registers."""
    lanes = np.zeros(LANES)
    n = row.size
    whole = n - n % (4 * LANES)
    for start in range(0, whole, 4 * LANES):
        block = row[start : start + 4 * LANES]
        for lane in range(LANES):
            lanes[lane] += (block[lane] + block[lane + LANES]) + (
                block[lane + 2 * LANES] + block[lane + 3 * LANES]
            )
    for start in range(whole, n, LANES):
        block = row[start : start + LANES]
        for lane in range(block.size):
            lanes[lane] += block[lane]
    return folded(lanes)


@njit(cache=True, nogil=True)
def dot(a: Array, b: Array) -> float:
    """Scalar product of two rows, in lanes as `total`."""
    lanes = np.zeros(LANES)
    n = a.size
    whole = n - n % (4 * LANES)
    for start in range(0, whole, 4 * LANES):
        x = a[start : start + 4 * LANES]
        y = b[start : start + 4 * LANES]
        for lane in range(LANES):
            lanes[lane] += (x[lane] * y[lane] + x[lane + LANES] * y[lane + LANES]) + (
                x[lane + 2 * LANES] * y[lane + 2 * LANES]
                + x[lane + 3 * LANES] * y[lane + 3 * LANES]
            )
    for start in range(whole, n, LANES):
        x = a[start : start + LANES]
        y = b[start : start + LANES]
        for lane in range(x.size):
            lanes[lane] += x[lane] * y[lane]
    return folded(lanes)


@njit(cache=True, nogil=True)
def folded(lanes: Array) -> float:
    """Add the lanes up, halves upon halves."""
    for lane in range(LANES // 2):
        lanes[lane] += lanes[lane + LANES // 2]
    for lane in range(LANES // 4):
        lanes[lane] += lanes[lane + LANES // 4]
    return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + (
        (lanes[2] + lanes[6]) + (lanes[3] + lanes[7])
    )


@njit(cache=True, nogil=True)
def flat(row: Array) -> bool:
    """Tell whether all values are the same; the mean of such a row is not exact."""
    for j in range(1, row.size):  # noqa: SIM110 - a generator is not compiled
        if row[j] != row[0]:
            return False
    return True


@njit(cache=True, nogil=True)
def project(
    X: Array,
    mean: Array,
    scale: Array,
    rotations: Array,
    loadings: Array,
    scores: Array,
    spe: Array,
) -> None:
    """Scores of each row, and the sum of squares of what they leave unexplained.

    `rotations` and `loadings` hold one component a row.
    """
    n, p = X.shape
    row = np.empty(p)
    for i in range(n):
        source = X[i]
        for j in range(p):
            row[j] = (source[j] - mean[j]) / scale[j]
        for a in range(len(rotations)):
            scores[i, a] = dot(row, rotations[a])
        for a in range(len(rotations)):
            score = scores[i, a]
            loading = loadings[a]
            for j in range(p):
                row[j] -= score * loading[j]
        spe[i] = dot(row, row)


@njit(cache=True, nogil=True)
def leave_one_out_path(
    left: Array, diagonal: Array, beside: Array, y: Array, y_mean: float, out: Array
) -> NDArray[np.int64]:
    """Predict each left-out sample with 1 to n components of PLS1; returns usable counts.

    Centred X is U B V' with `left` U. B is diagonal, where `beside` is empty, or has that as
    its lower diagonal, with a 0 at the end. In the basis V, leaving sample i out makes the
    cross-product B' (I - g u u') B with g = n / (n - 1) and u = row i of U, whose factor is
    (I - c u u') B. Golub-Kahan bidiagonalisation of that factor, with weights kept orthogonal,
    is PLS1. `out` takes one sample a row.
    """
    n, r = left.shape
    n_components = out.shape[1]
    g = n / (n - 1.0)
    fitted = np.dot(y, left)
    weights, work = np.empty((n_components + 1, r)), np.empty((3, r))
    along = np.empty(n_components + 1)
    usable = np.full(n, n_components)
    for i in range(n):
        for j in range(r):
            work[0, j] = fitted[j] - g * y[i] * left[i, j]
        transposed_product(diagonal, beside, work[0], weights[0])
        out[i] = y_mean - y[i] / (n - 1.0)
        usable[i] = one_left_out(left[i], diagonal, beside, g, weights, along, work, out[i])
    return usable


@njit(cache=True, nogil=True)
def shrinkage(g: float, uu: float) -> float:
    """Return c for which (I - c u u')^2 = I - g u u'."""
    return (1.0 - np.sqrt(max(0.0, 1.0 - g * uu))) / uu if uu > 0.0 else 0.0


@njit(cache=True, nogil=True)
def transposed_product(diagonal: Array, beside: Array, vector: Array, out: Array) -> None:
    """Multiply a vector by B'."""
    for j in range(len(vector)):
        out[j] = diagonal[j] * vector[j]
    following = vector[1:]
    for j in range(len(beside) - 1):
        out[j] += beside[j] * following[j]


@njit(cache=True, nogil=True)
def one_left_out(
    u: Array,
    diagonal: Array,
    beside: Array,
    g: float,
    weights: Array,
    along: Array,
    work: Array,
    prediction: Array,
) -> int:
    """Add the components of one left-out sample to its prediction; returns their number.

    `prediction` holds the mean of the other samples, `weights[0]` the start X'y. `along` takes
    a number for each weight, and `work` three vectors.
    """
    n_components, r = len(prediction), len(u)
    shrink = shrinkage(g, np.dot(u, u))
    theta = np.sqrt(np.dot(weights[0], weights[0]))
    score, across = work[0], work[1]
    score[:] = 0.0
    transposed_product(diagonal, beside, u, across)
    held, q, largest, carried = 0.0, -1.0, 0.0, 0.0
    for a in range(n_components):
        if theta <= 1e-13 * largest or theta == 0.0:
            return a
        v = weights[a]
        share = 1.0 / theta
        onto = np.dot(across, v) * share
        taken = shrink * onto
        for j in range(r):
            unit = v[j] * share
            v[j] = unit
            score[j] = (diagonal[j] * unit - taken * u[j]) - carried * score[j]
        below = score[1:]
        for j in range(len(beside) - 1):
            below[j] += beside[j] * v[j]
        alpha = np.sqrt(np.dot(score, score))
        largest = max(largest, alpha)
        if alpha <= 1e-13 * largest:
            return a
        held = (g * onto - carried * held) / alpha
        q = -theta * q / alpha
        prediction[a:] += held * q
        if a + 1 < n_components:
            taken = shrink / alpha * np.dot(u, score)
            next_weight(work, v, diagonal, beside, u, taken, alpha, weights[a + 1])
            theta = orthogonalise(weights[a + 1], weights, a + 1, along)
            carried = theta
    return n_components


@njit(cache=True, nogil=True)
def next_weight(
    work: Array,
    v: Array,
    diagonal: Array,
    beside: Array,
    u: Array,
    taken: float,
    alpha: float,
    following: Array,
) -> None:
    """Give the score length 1, and write the next weight, still to be made orthogonal.

    `work` holds the score, of length `alpha`, in its first row; its last one is written over.
    """
    score, spare, share = work[0], work[2], 1.0 / alpha
    for j in range(len(u)):
        unit = score[j] * share
        score[j] = unit
        rest = unit - taken * u[j]
        spare[j] = rest
        following[j] = diagonal[j] * rest - alpha * v[j]
    right = spare[1:]
    for j in range(len(beside) - 1):
        following[j] += beside[j] * right[j]


@njit(cache=True, nogil=True)
def orthogonalise(vector: Array, basis: Array, count: int, along: Array) -> float:
    """Make a vector orthogonal to the first rows of an orthonormal basis; returns its length.

    Once leaves rounding errors of the size of what was taken off: where that was more than what
    stayed, it is done twice. `along` takes a number for each row.
    """
    square = np.dot(vector, vector)
    taken = take_off(vector, basis, count, along, square)
    square = np.dot(vector, vector)
    if square < taken:
        take_off(vector, basis, count, along, square)
        square = np.dot(vector, vector)
    return np.sqrt(square)


@njit(cache=True, nogil=True)
def take_off(vector: Array, basis: Array, count: int, along: Array, square: float) -> float:
    """Take off what a vector has along the first rows of a basis; returns its square.

    Four rows at a time, for the vector then goes through memory once for all. They are passed
    over where they hold no more than rounding leaves: some 5 eps of the vector's length, of
    which `square` is the square. Later rows rarely hold more.
    """
    np.dot(basis[:count], vector, along[:count])
    least, total_taken = 1e-30 * square, 0.0
    whole = count - count % 4
    for k in range(0, whole, 4):
        a, b, c, d = along[k], along[k + 1], along[k + 2], along[k + 3]
        taken = (a * a + b * b) + (c * c + d * d)
        total_taken += taken
        if taken > least:
            first, second, third, fourth = basis[k], basis[k + 1], basis[k + 2], basis[k + 3]
            for j in range(vector.size):
                vector[j] -= (a * first[j] + b * second[j]) + (c * third[j] + d * fourth[j])
    for k in range(whole, count):
        a = along[k]
        total_taken += a * a
        if a * a > least:
            row = basis[k]
            for j in range(vector.size):
                vector[j] -= a * row[j]
    return total_taken


@njit(cache=True, nogil=True)
def gram_components(
    gram: Array, mean: Array, count: int, start: Array, rotations: Array, steps: Array
) -> float:
    """Write rotations and y steps of PLS1 from X'X and X'y; returns the worst loss of digits.

    `gram` is the cross-product of `count` samples whose mean is `mean`, still to be taken off;
    `start` is that of centred data. `rotations` holds one component a row, scaled to scores of
    unit length; `steps` what each score adds to y. The loss is eps |X'X| |z|^2 / z'X'Xz, the
    relative rounding error of the length of a score; 1 where data carry fewer components.
    """
    n_components, p = rotations.shape
    weights = np.empty((n_components + 1, p))
    weights[0] = start
    theta = np.sqrt(np.dot(start, start))
    size = np.sqrt(np.dot(gram.ravel(), gram.ravel()))
    carried, q, worst, largest = 0.0, -1.0, 0.0, 0.0
    previous, along = np.zeros(p), np.empty(n_components + 1)
    for a in range(n_components):
        # a fold that carries fewer components is for the form that counts them
        if theta <= 1e-13 * largest or theta == 0.0:
            return 1.0
        v = weights[a]
        v /= theta
        z = v - carried * previous
        product = np.dot(gram, z) - (count * np.dot(mean, z)) * mean
        square = np.dot(z, product)
        loss = 2.2e-16 * size * np.dot(z, z)
        if square <= loss:
            return 1.0
        worst = max(worst, loss / square)
        alpha = np.sqrt(square)
        largest = max(largest, alpha)
        previous = z / alpha
        q = -theta * q / alpha
        rotations[a], steps[a] = previous, q
        weights[a + 1] = product / alpha - alpha * v
        theta = orthogonalise(weights[a + 1], weights, a + 1, along)
        carried = theta
    return worst
