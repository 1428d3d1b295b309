"""Missing values in PCA and PLS: what is allowed, and scores of incomplete samples.

A score estimator is linear in the observed points of a sample, so that each pattern of missing
points has one operator, which all samples with that pattern share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import qr, solve_triangular

from pharmaq._checks import check_choice, check_finite
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]
    Mask = NDArray[np.bool_]

MISSING = ("raise", "nipals", "tsr")
SCORE_METHODS = ("auto", "scp", "pmp", "tsr")

# squared length of a weight that the observed points must keep, for a score to follow from them
LEAST_SHARE = 1e-12
# projection to the model plane is refused beyond this condition number
WORST_CONDITION = 1e8
# trimmed scores that keep less of their variance than this carry nothing but rounding
LEAST_VARIANCE = 1e-10


def check_options(model: Any) -> None:
    """Check the options that say what to do with missing values, and keep the method's name."""
    check_choice("missing", model.missing, MISSING)
    method = check_choice("score_method", model.score_method, SCORE_METHODS)
    algorithm = getattr(model, "algorithm", "nipals")
    if model.missing == "nipals" and algorithm != "nipals":
        msg = (
            f'missing = "nipals" needs algorithm = "nipals", got {algorithm!r}; use '
            'missing = "tsr", which goes with every algorithm'
        )
        raise InputError(msg)
    if model.missing == "raise":
        return
    model.score_method_ = method
    if method == "auto":
        model.score_method_ = {"nipals": "scp", "tsr": "tsr"}[model.missing]
    if model.score_method_ == "scp" and algorithm == "simpls":
        msg = (
            'score_method = "scp" needs the weights of NIPALS, but algorithm = "simpls"; use '
            'score_method = "pmp" or "tsr"'
        )
        raise InputError(msg)


def check_observed(name: str, array: Matrix) -> None:
    """Raise if `array` holds infinity, or a row without any value."""
    missing = np.isnan(array)
    check_finite(name, np.where(missing, 0.0, array))
    empty = np.flatnonzero(missing.all(axis=1))
    if empty.size:
        msg = (
            f"row {empty[0]} of {name} has no observed value ({empty.size} such rows); "
            "nothing can be said about it: remove it"
        )
        raise InputError(msg)


def count_missing(model: Any, values: Matrix) -> bool:
    """Count the missing values of `fit`; tell whether there are any."""
    check_options(model)
    if model.missing == "raise":
        return False
    missing = np.isnan(values)
    model.n_missing_per_column_ = missing.sum(axis=0)
    model.n_missing_ = int(missing.sum())
    model.observed_share_ = 1.0 - missing.mean(axis=1)
    # none, unless an iteration adds to it
    model.convergence_ = np.empty((0, 2))
    empty = np.flatnonzero(missing.all(axis=0))
    if empty.size:
        msg = (
            f"column {empty[0]} of X has no observed value ({empty.size} such columns); "
            "remove it: there is nothing to model"
        )
        raise InputError(msg)
    return model.n_missing_ > 0


def needs_residuals(model: Any) -> bool:
    """Tell whether scores of incomplete samples need the covariance of the residuals."""
    return model.missing != "raise" and model.score_method_ == "tsr"


def residual_factor(residuals: Matrix, freedom: float) -> Matrix:
    """Return F with F F' the residual covariance, as narrow as it can be."""
    n, p = residuals.shape
    factor = residuals if n <= p else qr(residuals, mode="r", check_finite=False)[0][:p]
    return np.ascontiguousarray(factor.T) / np.sqrt(freedom)


def fill_incomplete(model: Any, values: Matrix, scores: Matrix, spe: Matrix) -> None:
    """Write scores and SPE of the rows of `values` with missing points into their places."""
    rows = np.flatnonzero(np.isnan(values).any(axis=1))
    operators: dict[bytes, Matrix] = {}
    for i in rows:
        seen = ~np.isnan(values[i])
        key = seen.tobytes()
        if key not in operators:
            operators[key] = score_operator(model, seen, row=int(i))
        row = ((values[i] - model.x_mean_) / model.x_scale_)[seen]
        scores[i] = row @ operators[key]
        rest = row - model.x_loadings_[seen] @ scores[i]
        spe[i] = rest @ rest


def score_operator(model: Any, seen: Mask, *, row: int = 0) -> Matrix:
    """Return the matrix that turns observed points into scores, (n_observed, n_components)."""
    method = {"scp": _single_components, "pmp": _model_plane, "tsr": _trimmed_scores}
    return np.ascontiguousarray(method[model.score_method_](model, seen, row))


def _single_components(model: Any, seen: Mask, row: int) -> Matrix:
    """Single component projection: one after the other, each from what the last ones left."""
    P = model.x_loadings_[seen]
    W = getattr(model, "x_weights_", model.x_loadings_)[seen]
    shares = np.einsum("ja,ja->a", W, W)
    short = np.flatnonzero(shares < LEAST_SHARE)
    if short.size:
        msg = (
            f"row {row} of X has no observed value where component {short[0] + 1} has weights; "
            'use score_method = "tsr", or remove the row'
        )
        raise InputError(msg)
    # t_a sum(w_a^2) = (x - sum_{b<a} t_b p_b)'w_a
    before = np.triu(P.T @ W, 1) + np.diag(shares)
    return solve_triangular(before, W.T, trans="T", lower=False).T


def _model_plane(model: Any, seen: Mask, row: int) -> Matrix:
    """Projection to the model plane: the sample that the model would fill in agrees with it."""
    R, P = model.x_rotations_[seen], model.x_loadings_[seen]
    plane = P.T @ R
    condition = float(np.linalg.cond(plane))
    if condition > WORST_CONDITION:
        msg = (
            f"row {row} of X has too few observed points for a projection to the model plane: "
            f"{seen.sum()} of {len(seen)}, condition number {condition:.1e}; use "
            'score_method = "tsr", or remove the row'
        )
        raise InputError(msg)
    return np.linalg.solve(plane.T, R.T).T


def _trimmed_scores(model: Any, seen: Mask, _row: int) -> Matrix:
    """Trimmed score regression: scores regressed on what the observed points give of them."""
    R, P, F = (m[seen] for m in (model.x_rotations_, model.x_loadings_, model.residual_factor_))
    deviations = np.sqrt(model.score_variances_)
    # everything in standard deviations of the scores: a complete sample has the unit matrix
    shared = (P * deviations).T @ (R / deviations)
    left = F.T @ (R / deviations)
    inner = shared.T @ shared + left.T @ left
    return (R / deviations) @ bounded_inverse(inner) @ shared.T * deviations


def bounded_inverse(inner: Matrix) -> Matrix:
    """Invert covariances of trimmed scores where they hold more than rounding."""
    values, vectors = np.linalg.eigh(inner)
    kept = values > LEAST_VARIANCE
    inverse = np.where(kept, 1 / np.where(kept, values, 1.0), 0.0)
    return np.einsum("...ia,...a,...ja->...ij", vectors, inverse, vectors)
