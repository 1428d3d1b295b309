"""T2, SPE and combined index split into what each variable contributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# a variable with less than this of its own cannot be reconstructed from the others
_LEAST = 1e-12


class Parts(NamedTuple):
    """Scores, statistics and contributions of rows; None where they were not asked for."""

    scores: Array
    t2: Array
    spe: Array
    t2_contributions: Array | None
    spe_contributions: Array | None
    combined_contributions: Array | None


class _Pattern(NamedTuple):
    """Rows that have the same variables, as far as a model sees them."""

    scaled: Array
    operator: Array
    loadings: Array


def decompose(model: Any, values: Array, weights: tuple[float, float], kind: str) -> Parts:
    """Return scores, statistics and contributions of rows; those of missing values are NaN.

    `weights` are what T2 and SPE are divided by in the combined index; `kind` is
    ``"complete"``, ``"reconstruction"`` or ``"none"``.
    """
    scores, spe = model.project_array(values)
    t2 = model.t2_of_scores(scores)
    if kind == "none":
        return Parts(scores, t2, spe, None, None, None)
    seen = ~np.isnan(values)
    if kind == "complete" and seen.all():
        return Parts(scores, t2, spe, *_compiled(model, values, scores, weights))
    scaled = (values - model.x_mean_) / model.x_scale_
    split = _complete if kind == "complete" else _reconstruction
    variances = model.score_variances_
    if seen.all():
        whole = _Pattern(scaled, model.x_rotations_, model.x_loadings_)
        return Parts(scores, t2, spe, *split(whole, variances, weights))
    out = [np.full(values.shape, np.nan) for _ in range(3)]
    patterns, which = np.unique(seen, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        rows = np.flatnonzero(which == number)
        place = np.ix_(rows, np.flatnonzero(pattern))
        part = _Pattern(
            scaled[place], model.score_operator(pattern), model.x_loadings_[pattern]
        )
        for array, found in zip(out, split(part, variances, weights), strict=True):
            array[place] = found
    return Parts(scores, t2, spe, *out)


def _compiled(
    model: Any, values: Array, scores: Array, weights: tuple[float, float]
) -> tuple[Array, Array, Array]:
    """Return what `_complete` does, for rows without missing values."""
    from pharmaq.mspc.process import _kernels

    out = np.empty((3, *values.shape))
    per = np.array([1 / weights[0], 1 / weights[1] if weights[1] > 0 else 0.0])
    _kernels.complete_rows(
        values,
        np.stack([model.x_mean_, model.x_scale_]),
        scores,
        np.ascontiguousarray(model.x_rotations_.T),
        np.ascontiguousarray(model.x_loadings_.T),
        np.ascontiguousarray(model.score_variances_),
        per,
        out,
    )
    return out[0], out[1], out[2]


def _complete(
    part: _Pattern, variances: Array, weights: tuple[float, float]
) -> tuple[Array, Array, Array]:
    """Return shares that sum to the statistic; those of SPE have the sign of the residual."""
    scores = part.scaled @ part.operator
    residuals = part.scaled - scores @ part.loadings.T
    t2 = part.scaled * (scores / variances @ part.operator.T)
    squares = residuals**2
    return t2, np.sign(residuals) * squares, t2 / weights[0] + _divided(squares, weights[1])


def _reconstruction(
    part: _Pattern, variances: Array, weights: tuple[float, float]
) -> tuple[Array, Array, Array]:
    """Return what each statistic would fall by if the variable were put where it should be.

    For an index z' M z that is (M z)_k^2 / M_kk.
    """
    Z, R, P = part
    scores = Z @ R
    residuals = Z - scores @ P.T
    pull_t2 = scores / variances @ R.T
    own_t2 = np.sum(R**2 / variances, axis=1)
    # M = C'C with C = I - P R'
    pull_spe = residuals - residuals @ P @ R.T
    own_spe = 1 - 2 * np.sum(P * R, axis=1) + np.einsum("ka,ab,kb->k", R, P.T @ P, R)
    pull = pull_t2 / weights[0] + _divided(pull_spe, weights[1])
    own = own_t2 / weights[0] + _divided(own_spe, weights[1])
    return _ratio(pull_t2, own_t2), _ratio(pull_spe, own_spe), _ratio(pull, own)


def _ratio(pull: Array, own: Array) -> Array:
    safe = own > _LEAST
    return np.where(safe, pull**2 / np.where(safe, own, 1.0), 0.0)


def _divided(values: Array, weight: float) -> Array:
    return values / weight if weight > 0 else 0.0 * values
