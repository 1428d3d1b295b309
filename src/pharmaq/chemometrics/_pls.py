"""The algorithms behind `PLS`: NIPALS, SIMPLS and improved kernel PLS on centred matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, overload

import numpy as np
from scipy.linalg import solve_triangular

from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

# below this share of its start nothing but rounding is left to model
EXHAUSTED = 1e-13

# cross-products are given up where the length of a score is not known to this share
_LOST_DIGITS = 1e-11


class Components(NamedTuple):
    """Weights, loadings, rotations and scores of a PLS model, one column a component."""

    x_weights: Matrix
    x_loadings: Matrix
    y_loadings: Matrix
    x_rotations: Matrix
    x_scores: Matrix


def nipals(X: Matrix, Y: Matrix, n_components: int) -> Components:
    """Fit PLS by NIPALS [1]_, with each inner iteration at its limit.

    The weight is the dominant left singular vector of X'Y, to which the power iteration of the
    original converges. X is deflated by each component.

    .. [1] S. Wold, M. Sjostrom, L. Eriksson, Chemom. Intell. Lab. Syst. 58 (2001) 109-130.
    """
    X, Y = X.copy(), Y.copy()
    n, p = X.shape
    W, P = np.empty((p, n_components)), np.empty((p, n_components))
    Q, T = np.empty((Y.shape[1], n_components)), np.empty((n, n_components))
    start = float(np.linalg.norm(X) * np.linalg.norm(Y))
    for a in range(n_components):
        w = _dominant(X.T @ Y)
        size = float(np.linalg.norm(w))
        _require_something_left(size, start, a)
        w = w / size
        t = X @ w
        square = float(t @ t)
        P[:, a], Q[:, a] = X.T @ t / square, Y.T @ t / square
        W[:, a], T[:, a] = w, t
        X -= np.outer(t, P[:, a])
        Y -= np.outer(t, Q[:, a])
    # P'W is upper triangular with a unit diagonal
    R = solve_triangular(P.T @ W, W.T, trans="T", lower=False).T
    return Components(W, P, Q, np.ascontiguousarray(R), T)


def simpls(X: Matrix, Y: Matrix, n_components: int) -> Components:
    """Fit PLS by SIMPLS [1]_, with weights of unit length.

    The original scales scores to unit length; here the weights are, so that scores have the
    size of those of NIPALS. Predictions, T2 and SPE do not depend on it.

    .. [1] S. de Jong, Chemom. Intell. Lab. Syst. 18 (1993) 251-263.
    """
    n, p = X.shape
    R, P = np.empty((p, n_components)), np.empty((p, n_components))
    Q, T = np.empty((Y.shape[1], n_components)), np.empty((n, n_components))
    basis = np.empty((p, n_components))
    S = X.T @ Y
    start = float(np.linalg.norm(X) * np.linalg.norm(Y))
    for a in range(n_components):
        r = _dominant(S)
        size = float(np.linalg.norm(r))
        _require_something_left(size, start, a)
        r = r / size
        t = X @ r
        square = float(t @ t)
        P[:, a], Q[:, a] = X.T @ t / square, Y.T @ t / square
        R[:, a], T[:, a] = r, t
        v = P[:, a].copy()
        # twice, for once is not enough in finite precision
        for _ in range(2):
            v -= basis[:, :a] @ (basis[:, :a].T @ v)
        basis[:, a] = v / np.linalg.norm(v)
        used = basis[:, : a + 1]
        S -= used @ (used.T @ S)
    return Components(R.copy(), P, Q, R, T)


def improved_kernel(X: Matrix, Y: Matrix, n_components: int) -> tuple[Components, str]:
    """Fit PLS by the improved kernel algorithm [1]_ 1 or 2; returns its name too.

    The components are those of NIPALS, but only X'Y is deflated. Algorithm 1 takes scores from
    X; algorithm 2 takes all from X'X, which pays where there are many more samples than points
    and many components. X'X squares the condition of X: where that costs digits, algorithm 1
    steps in.

    .. [1] B. S. Dayal, J. F. MacGregor, J. Chemom. 11 (1997) 73-85.
    """
    n, p = X.shape
    if n >= 10 * p and p <= 10 * n_components:
        parts = _kernel_components(X, Y, n_components, X.T @ X)
        if parts is not None:
            return parts, "improved kernel 2"
    return _kernel_components(X, Y, n_components, None), "improved kernel 1"


@overload
def _kernel_components(X: Matrix, Y: Matrix, n_components: int, gram: None) -> Components: ...
@overload
def _kernel_components(
    X: Matrix, Y: Matrix, n_components: int, gram: Matrix
) -> Components | None: ...
def _kernel_components(
    X: Matrix, Y: Matrix, n_components: int, gram: Matrix | None
) -> Components | None:
    """Return the components; None where cross-products would lose digits."""
    n, p = X.shape
    W, P = np.empty((p, n_components)), np.empty((p, n_components))
    Q, T = np.empty((Y.shape[1], n_components)), np.empty((n, n_components))
    R = np.empty((p, n_components))
    S = X.T @ Y
    start = float(np.linalg.norm(X) * np.linalg.norm(Y))
    rounding = 0.0 if gram is None else np.finfo(float).eps * float(np.linalg.norm(gram))
    for a in range(n_components):
        w = _dominant(S)
        size = float(np.linalg.norm(w))
        _require_something_left(size, start, a)
        w = w / size
        # orthogonal in theory: this keeps the digits that deflation of X would keep
        w -= W[:, :a] @ (W[:, :a].T @ w)
        w /= np.linalg.norm(w)
        r = w - R[:, :a] @ (P[:, :a].T @ w)
        if gram is None:
            T[:, a] = X @ r
            onto, square = X.T @ T[:, a], float(T[:, a] @ T[:, a])
        else:
            onto = gram @ r
            square = float(r @ onto)
            if rounding * float(r @ r) > _LOST_DIGITS * square:
                return None
        P[:, a], Q[:, a] = onto / square, S.T @ r / square
        S = S - np.outer(onto, Q[:, a])
        W[:, a], R[:, a] = w, r
    return Components(W, P, Q, R, T if gram is None else X @ R)


def coefficient_path(parts: Components) -> NDArray[np.float64]:
    """Return the coefficients for 1 to A components, shape (A, n_responses, n_points)."""
    steps = np.einsum("ma,pa->amp", parts.y_loadings, parts.x_rotations)
    return np.cumsum(steps, axis=0)


def _dominant(S: Matrix) -> NDArray[np.float64]:
    """Return the dominant left singular vector of S times its singular value."""
    if S.shape[1] == 1:
        return S[:, 0].copy()
    _, vectors = np.linalg.eigh(S.T @ S)
    return S @ vectors[:, -1]


def _require_something_left(size: float, start: float, fitted: int) -> None:
    if size <= EXHAUSTED * start:
        msg = (
            f"n_components is too many: after {fitted} components nothing that X and y share "
            f"is left to model; use n_components <= {fitted}"
        )
        raise InputError(msg)
