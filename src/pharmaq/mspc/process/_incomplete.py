"""Limits of rows with missing values: what is not observed cannot add to a statistic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq.chemometrics.limits import spe_limit_from_eigenvalues

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_NAMES = ("t2", "spe", "combined")


def limit_factors(
    model: Any, values: Array, weights: tuple[float, float], alpha: float
) -> dict[str, Array]:
    """Return what the limits of each row are multiplied with: 1 where nothing is missing.

    T2, SPE and combined index are quadratic forms of the observed values. The factor is the
    limit of that form over the limit of a complete row, both by a scaled chi2 with the mean and
    variance of the form.
    """
    out = {name: np.ones(len(values)) for name in _NAMES}
    seen = ~np.isnan(values)
    patterns, which = np.unique(seen, axis=0, return_inverse=True)
    whole = _whole(model, weights)
    for number, pattern in enumerate(patterns):
        if pattern.all():
            continue
        rows = which == number
        for name, form in _forms(model, pattern, weights).items():
            limits = [
                spe_limit_from_eigenvalues(eigenvalues, alpha=alpha, method="box_eigenvalues")
                for eigenvalues in (form, whole[name])
            ]
            out[name][rows] = limits[0] / limits[1] if limits[1] > 0 else 1.0
    return out


def _whole(model: Any, weights: tuple[float, float]) -> dict[str, Array]:
    """Return the eigenvalues of the forms of a complete row."""
    ones = np.ones(model.n_components_)
    residual = np.asarray(model.residual_eigenvalues_)
    shares = [ones / weights[0], residual / weights[1] if weights[1] > 0 else residual[:0]]
    return {"t2": ones, "spe": residual, "combined": np.concatenate(shares)}


def _forms(
    model: Any, seen: NDArray[np.bool_], weights: tuple[float, float]
) -> dict[str, Array]:
    """Return the eigenvalues of the forms of a row with these values, under the model."""
    operator, loadings = model.score_operator(seen), model.x_loadings_[seen]
    variances = model.score_variances_
    # rows of the factors are what a row of independent values is turned into
    factor = np.hstack([loadings * np.sqrt(variances), model.residual_factor_[seen]])
    scores = (operator / np.sqrt(variances)).T @ factor
    residuals = factor - loadings @ (operator.T @ factor)
    stacked = [scores / np.sqrt(weights[0])]
    if weights[1] > 0:
        stacked.append(residuals / np.sqrt(weights[1]))
    return {
        "t2": _squares(scores),
        "spe": _squares(residuals),
        "combined": _squares(np.vstack(stacked)),
    }


def _squares(matrix: Array) -> Array:
    return np.asarray(np.linalg.svd(matrix, compute_uv=False) ** 2, dtype=np.float64)
