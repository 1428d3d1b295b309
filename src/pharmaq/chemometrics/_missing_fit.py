"""PCA and PLS of a matrix with missing values: NIPALS, and trimmed score regression."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.linalg import eigh, solve_triangular
from sklearn.exceptions import ConvergenceWarning

from pharmaq.chemometrics._missing import LEAST_SHARE, bounded_inverse, residual_factor
from pharmaq.chemometrics._pls import EXHAUSTED, Components
from pharmaq.chemometrics.latent import fix_signs
from pharmaq.chemometrics.limits import residual_eigenvalues
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]
    Mask = NDArray[np.bool_]
    Find = Callable[[Matrix], Components]

# change of a loading of length 1, or of filled-in values as a share of the observed ones
TOLERANCE = 1e-10
MOST_STEPS = 5000
# earlier steps that an extrapolation looks at
_MEMORY = 5
# steps of all components together, before each is found by itself
_FIRST_STEPS = 4
# covariances of this many points and more are not kept, but computed where they are needed
_MANY_POINTS = 3000


class Fit(NamedTuple):
    """Components, what they leave, the mean they refer to, and how the iteration went.

    `residuals` are those of the matrix that was modelled: 0 where nothing was filled in.
    `explained` are shares of the sum of squares of the observed values, component by component.
    """

    parts: Components
    mean: Matrix
    residuals: Matrix
    convergence: Matrix
    explained: Matrix


def observed_moments(values: Matrix, *, scale: bool) -> tuple[Matrix, Matrix]:
    """Return the means and scales of the columns, from what is observed."""
    counts = np.sum(~np.isnan(values), axis=0)
    mean = np.nansum(values, axis=0) / counts
    if not scale:
        return mean, np.ones(values.shape[1])
    constant = np.flatnonzero(np.nanmax(values, axis=0) == np.nanmin(values, axis=0))
    if constant.size:
        msg = (
            f"column {constant[0]} of X is constant where it is observed and cannot be scaled "
            f"({constant.size} such columns); remove it, or set scale=False"
        )
        raise InputError(msg)
    return mean, np.sqrt(np.nansum((values - mean) ** 2, axis=0) / (counts - 1))


def fit_incomplete(
    model: Any, values: Matrix, Y: Matrix | None, n_components: int, find: Find
) -> Fit:
    """Fit by the method that the model names, and set what follows from the X side."""
    mean, model.x_scale_ = observed_moments(values, scale=model.scale)
    Z = (values - mean) / model.x_scale_
    if model.missing == "tsr":
        fit = fill_and_find(Z, find)
    elif Y is None:
        fit = nipals_pca(Z, n_components)
    else:
        fit = nipals_pls(Z, Y, n_components)
    signs = fix_signs(fit.parts.x_loadings)
    fit = fit._replace(parts=Components(*(matrix * signs for matrix in fit.parts)))
    model.x_mean_ = mean + fit.mean * model.x_scale_
    model.convergence_ = fit.convergence
    model.n_samples_, model.n_components_ = len(values), n_components
    model.score_variances_ = np.sum(fit.parts.x_scores**2, axis=0) / (len(values) - 1)
    _set_residuals(model, fit, ~np.isnan(values))
    return fit


def nipals_pca(X: Matrix, n_components: int) -> Fit:
    """Fit PCA by NIPALS over the observed values [1]_ [2]_.

    Each half step is a least squares fit to the observed values: scores given loadings, and
    loadings given scores. An extrapolation from the last steps [3]_ is taken where it explains
    no less than the step itself; the points at rest are those of the original.

    .. [1] H. Wold, in Multivariate Analysis, Academic Press, 1966, 391-420.
    .. [2] P. R. C. Nelson, P. A. Taylor, J. F. MacGregor, Chemom. Intell. Lab. Syst. 35 (1996)
           45-65.
    .. [3] D. G. Anderson, J. ACM 12 (1965) 547-560.
    """
    seen = ~np.isnan(X)
    M = seen.astype(np.float64)
    E = np.where(seen, X, 0.0)
    start = float(np.linalg.norm(E))
    n, p = X.shape
    P, T = np.empty((p, n_components)), np.empty((n, n_components))
    squares = [start**2]
    candidates = _starts(E, min(n_components + 2, *X.shape))
    history: list[tuple[int, float]] = []
    for a in range(n_components):
        if squares[-1] <= (EXHAUSTED * start) ** 2:
            msg = f"n_components = {n_components} exceeds the rank {a} of the centred X"
            raise InputError(msg)
        remaining = E @ candidates
        best = int(np.argmax(np.einsum("ij,ij->j", remaining, remaining)))
        loading, score = _rank_one(E, M, candidates[:, best], a + 1, history)
        candidates = np.delete(candidates, best, axis=1)
        P[:, a], T[:, a] = loading, score
        E -= np.outer(score, loading) * M
        squares.append(float(np.vdot(E, E)))
    parts = Components(P, P, np.empty((0, n_components)), _rotations(P, P), T)
    explained = -np.diff(squares) / squares[0]
    return Fit(parts, np.zeros(p), E, np.array(history), explained)


def nipals_pls(X: Matrix, Y: Matrix, n_components: int) -> Fit:
    """Fit PLS by NIPALS over the observed values of X [1]_.

    .. [1] P. R. C. Nelson, P. A. Taylor, J. F. MacGregor, Chemom. Intell. Lab. Syst. 35 (1996)
           45-65.
    """
    seen = ~np.isnan(X)
    M = seen.astype(np.float64)
    E, Y = np.where(seen, X, 0.0), Y.copy()
    start = float(np.linalg.norm(E) * np.linalg.norm(Y))
    (n, p), m = X.shape, Y.shape[1]
    W, P = np.empty((p, n_components)), np.empty((p, n_components))
    Q, T = np.empty((m, n_components)), np.empty((n, n_components))
    squares = [float(np.vdot(E, E))]
    history: list[tuple[int, float]] = []
    for a in range(n_components):
        if float(np.linalg.norm(E.T @ Y)) <= EXHAUSTED * start:
            msg = (
                f"n_components is too many: after {a} components nothing that X and y share "
                f"is left to model; use n_components <= {a}"
            )
            raise InputError(msg)
        w, t = _weight(E, M, Y, a + 1, history)
        square = float(t @ t)
        P[:, a] = (t @ E) / _lengths(M.T @ (t * t), square, "column")
        Q[:, a] = Y.T @ t / square
        W[:, a], T[:, a] = w, t
        E -= np.outer(t, P[:, a]) * M
        Y -= np.outer(t, Q[:, a])
        squares.append(float(np.vdot(E, E)))
    parts = Components(W, P, Q, _rotations(W, P), T)
    explained = -np.diff(squares) / squares[0]
    return Fit(parts, np.zeros(p), E, np.array(history).reshape(-1, 2), explained)


def fill_and_find(X: Matrix, find: Find) -> Fit:
    """Fill in missing values by trimmed score regression, until they stay [1]_ [2]_.

    `find` returns the components of a complete centred matrix. The mean is that of the filled
    matrix, anew in each step. Steps are extrapolated as in `nipals_pca`.

    .. [1] A. Folch-Fortuny, F. Arteaga, A. Ferrer, Chemom. Intell. Lab. Syst. 146 (2015) 77-88.
    .. [2] A. Folch-Fortuny, F. Arteaga, A. Ferrer, J. Chemom. 31 (2017) e2897.
    """
    holes = np.isnan(X)
    filled = np.where(holes, 0.0, X)
    size = float(np.sqrt(np.mean(X[~holes] ** 2)))
    history: list[tuple[int, float]] = []
    points: list[Matrix] = []
    steps: list[Matrix] = []
    for _ in range(MOST_STEPS):
        mean = filled.mean(axis=0)
        plain = _fill(filled - mean, holes, find(filled - mean)) + mean[np.nonzero(holes)[1]]
        step = plain - filled[holes]
        change = float(np.sqrt(np.mean(step**2))) / size
        if history and change > 2 * history[-1][1]:
            # the extrapolation led astray: go on from here without it
            points.clear()
            steps.clear()
        history.append((0, change))
        if change <= TOLERANCE:
            filled[holes] = plain
            break
        points.append(plain)
        steps.append(step)
        filled[holes] = _extrapolated(points, steps)
    else:
        _warn("trimmed score regression", MOST_STEPS, history[-1][1])
    mean = filled.mean(axis=0)
    parts = find(filled - mean)
    residuals = filled - mean - parts.x_scores @ parts.x_loadings.T
    explained = _explained(X - mean, parts)
    return Fit(parts, mean, residuals, np.array(history), explained)


def principal_parts(centered: Matrix, n_components: int) -> Components:
    """Return the leading principal components of a complete matrix in the form of PLS."""
    P = _leading(centered, n_components)
    T = centered @ P
    if np.linalg.norm(T[:, -1]) <= EXHAUSTED * np.linalg.norm(centered):
        rank = np.linalg.matrix_rank(centered)
        msg = f"n_components = {n_components} exceeds the rank {rank} of the centred X"
        raise InputError(msg)
    return Components(P, P, np.empty((0, n_components)), P, T)


def _set_residuals(model: Any, fit: Fit, seen: Mask) -> None:
    """Set SPE over the observed values, and what limits and scores take from residuals."""
    rest = fit.residuals * seen
    model.spe_ = np.einsum("ij,ij->i", rest, rest)
    # columns with missing values get the variance that they would have as a whole
    widened = rest * np.sqrt(len(seen) / seen.sum(axis=0))
    model.residual_eigenvalues_ = residual_eigenvalues(widened, len(seen) - 1)
    if model.score_method_ == "tsr":
        filled = model.missing == "tsr"
        model.residual_factor_ = residual_factor(
            fit.residuals if filled else widened, len(seen) - 1
        )


def _explained(Z: Matrix, parts: Components) -> Matrix:
    """Return the share of the observed sum of squares that each component explains."""
    M = (~np.isnan(Z)).astype(np.float64)
    rest = np.where(np.isnan(Z), 0.0, Z)
    squares = [float(np.vdot(rest, rest))]
    for t, p in zip(parts.x_scores.T, parts.x_loadings.T, strict=True):
        rest -= np.outer(t, p) * M
        squares.append(float(np.vdot(rest, rest)))
    return -np.diff(squares) / squares[0]


def _rank_one(
    E: Matrix, M: Matrix, start: Matrix, number: int, history: list[tuple[int, float]]
) -> tuple[Matrix, Matrix]:
    """Return the loading (length 1) and the score that fit the observed values best."""
    loading, extrapolated, least = start, False, -np.inf
    points: list[Matrix] = []
    steps: list[Matrix] = []
    plain = start
    for _ in range(MOST_STEPS):
        projected, lengths = E @ loading, M @ (loading * loading)
        score = projected / _lengths(lengths, 1.0, "row")
        explained = float(projected @ score)
        if extrapolated and explained < least:
            # worse than where the last step began: take that step as it was
            loading, extrapolated = plain, False
            points.clear()
            steps.clear()
            continue
        least = explained
        plain = (score @ E) / _lengths((score * score) @ M, float(score @ score), "column")
        plain /= np.linalg.norm(plain)
        step = plain - loading
        change = float(np.linalg.norm(step))
        history.append((number, change))
        if change <= TOLERANCE:
            break
        points.append(plain)
        steps.append(step)
        loading, extrapolated = _extrapolated(points, steps), len(points) > 1
        loading = loading / np.linalg.norm(loading)
    else:
        _warn(f"component {number} of NIPALS", MOST_STEPS, history[-1][1])
    return plain, (E @ plain) / _lengths(M @ (plain * plain), 1.0, "row")


def _extrapolated(points: list[Matrix], steps: list[Matrix]) -> Matrix:
    """Return where the last few steps lead to, all of them linear; the last point after one."""
    del points[: -_MEMORY - 1], steps[: -_MEMORY - 1]
    if len(points) < 2:
        return points[-1]
    differences = np.array([steps[-1] - step for step in steps[:-1]]).T
    share = np.linalg.lstsq(differences, steps[-1], rcond=None)[0]
    moved = np.array([points[-1] - point for point in points[:-1]]).T
    return points[-1] - moved @ share


def _weight(
    E: Matrix, M: Matrix, Y: Matrix, number: int, history: list[tuple[int, float]]
) -> tuple[Matrix, Matrix]:
    """Return the weight (length 1) and the score of the next component of PLS."""
    _, vectors = np.linalg.eigh((E.T @ Y).T @ (E.T @ Y))
    u = Y @ vectors[:, -1]
    previous = np.zeros(E.shape[1])
    for _ in range(MOST_STEPS):
        w = (u @ E) / _lengths((u * u) @ M, float(u @ u), "column")
        w /= np.linalg.norm(w)
        t = (E @ w) / _lengths(M @ (w * w), 1.0, "row")
        change = float(np.linalg.norm(w - previous))
        if Y.shape[1] == 1:
            break
        history.append((number, change))
        if change <= TOLERANCE:
            break
        previous = w
        q = Y.T @ t / (t @ t)
        u = Y @ q / (q @ q)
    else:
        _warn(f"component {number} of NIPALS", MOST_STEPS, change)
    return w, t


def _fill(C: Matrix, holes: Mask, parts: Components) -> Matrix:
    """Return what fills the holes of the centred matrix, by regression on trimmed scores."""
    R, P = parts.x_rotations, parts.x_loadings
    deviations = np.linalg.norm(parts.x_scores, axis=0) / np.sqrt(len(C) - 1)
    # in standard deviations of the scores: S R = P, with S the covariance
    R, P = R / deviations, P * deviations
    trimmed = np.where(holes, 0.0, C) @ R
    covariance = _covariance(C)
    out = np.empty_like(C)
    counts = holes.sum(axis=1)
    for count in np.unique(counts[counts > 0]):
        rows = np.flatnonzero(counts == count)
        columns = np.nonzero(holes[rows])[1].reshape(len(rows), count)
        out[rows[:, None], columns] = _estimates(
            covariance(columns), R[columns], P[columns], trimmed[rows]
        )
    return out[holes]


def _estimates(S: Matrix, R: Matrix, P: Matrix, trimmed: Matrix) -> Matrix:
    """Return the missing values of samples that miss equally many, one sample a row.

    With m the missing points, o the others and S R = P for the whole: S_mo R_o = P_m - S_mm R_m
    and R_o' S_oo R_o = I - R_m'P_m - P_m'R_m + R_m'S_mm R_m.
    """
    K = S @ R
    cross = R.transpose(0, 2, 1) @ P
    lost = cross + cross.transpose(0, 2, 1) - R.transpose(0, 2, 1) @ K
    inner = np.eye(lost.shape[1]) - lost
    scores = np.empty_like(trimmed)
    # the smallest eigenvalue is at least 1 less the norm of what was lost
    safe = np.linalg.norm(lost, axis=(1, 2)) < 0.9
    scores[safe] = np.linalg.solve(inner[safe], trimmed[safe][..., None])[..., 0]
    if not safe.all():
        scores[~safe] = np.einsum("nab,nb->na", bounded_inverse(inner[~safe]), trimmed[~safe])
    return np.einsum("nma,na->nm", P - K, scores)


def _covariance(C: Matrix) -> Callable[[NDArray[np.intp]], Matrix]:
    """Return a function that gives the covariances of some columns, for each row of them."""
    n, p = C.shape
    if p <= _MANY_POINTS:
        whole = C.T @ C / (n - 1)
        return lambda columns: whole[columns[:, :, None], columns[:, None, :]]
    return lambda columns: np.stack([C[:, c].T @ C[:, c] for c in columns]) / (n - 1)


def _leading(E: Matrix, count: int) -> Matrix:
    """Return the leading right singular vectors."""
    n, p = E.shape
    small = min(n, p)
    gram = E.T @ E if p <= n else E @ E.T
    vectors = eigh(gram, subset_by_index=(small - count, small - 1))[1][:, ::-1]
    if p <= n:
        return np.ascontiguousarray(vectors)
    vectors = E.T @ vectors
    # beyond the rank there is nothing to bring to length 1
    return vectors / np.linalg.norm(vectors, axis=0).clip(np.finfo(float).tiny)


def _starts(E: Matrix, count: int) -> Matrix:
    """Return starts of the loadings: where a few steps lead from the columns that vary most."""
    gram = E.T @ E if E.shape[1] <= E.shape[0] else E @ E.T
    block = gram[:, np.argsort(-np.diag(gram), kind="stable")[:count]]
    for _ in range(_FIRST_STEPS):
        block = gram @ np.linalg.qr(block)[0]
    basis = np.linalg.qr(block)[0]
    starts = basis @ np.linalg.eigh(basis.T @ gram @ basis)[1]
    if E.shape[1] > E.shape[0]:
        starts = E.T @ starts
    return starts / np.linalg.norm(starts, axis=0).clip(np.finfo(float).tiny)


def _rotations(W: Matrix, P: Matrix) -> Matrix:
    """Return R with T = X R for complete samples, each component after the ones before."""
    before = np.triu(P.T @ W, 1) + np.eye(W.shape[1])
    return np.ascontiguousarray(solve_triangular(before, W.T, trans="T", lower=False).T)


def _lengths(squares: Matrix, whole: float, kind: str) -> Matrix:
    """Return sums of squares over observed values; one that is nothing cannot be divided by."""
    least = int(np.argmin(squares))
    if squares[least] <= LEAST_SHARE * whole:
        msg = (
            f"{kind} {least} of X has no observed value where a component of NIPALS has any "
            f'weight; use missing = "tsr", or remove the {kind}'
        )
        raise InputError(msg)
    return squares


def _warn(what: str, steps: int, change: float) -> None:
    msg = (
        f"{what} has not converged after {steps} steps: the last change was {change:.1e}, "
        f"above {TOLERANCE:g}; use fewer components (convergence_ holds all steps)"
    )
    warnings.warn(msg, ConvergenceWarning, stacklevel=4)
