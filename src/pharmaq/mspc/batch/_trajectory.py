"""Scores, T2 and SPE of batches over time, as a live session would see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pharmaq.mspc.batch._infill import (
    Operators,
    inverse_covariance,
    score_maps,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pharmaq.mspc.batch._model import PhaseModel, ScoreModel

    Array = NDArray[np.float64]


class Trajectories(NamedTuple):
    """Of n batches at K times; NaN where a batch has no value at that time."""

    scores: Array  # (n, K, A)
    t2: Array  # (n, K)
    spe: Array  # (n, K): of this time, with the scores of this time
    spe_cumulative: Array  # (n, K): of all times so far, with the scores of this time
    spe_hindsight: Array  # (n, K): of this time, with the scores of the last time


class Pattern(NamedTuple):
    """Operators for one batch with missing values."""

    maps: Array
    inverse: Array
    gram: Array


def trajectories(
    model: ScoreModel, operators: Operators, weights: Array, values: Array
) -> Trajectories:
    """Follow batches of shape (n, K, J); `weights` is the expected square of each residual."""
    scaled = (values - model.mean) / model.scale
    whole = ~np.isnan(scaled).any(axis=(1, 2))
    n, K, A = len(values), *model.loadings.shape[::2]
    out = Trajectories(np.full((n, K, A), np.nan), *np.full((4, n, K), np.nan))
    rows = np.flatnonzero(whole)
    if rows.size:
        _put(out, rows, _complete(model, operators, scaled[rows]))
    for i in np.flatnonzero(~whole):
        if not np.isnan(scaled[i]).all():
            _put(out, np.array([i]), _incomplete(model, operators, weights, scaled[i]))
    return out


def residual_weights(model: PhaseModel, operators: Operators) -> Array:
    """Return the mean square of each residual of the training batches, followed live."""
    scores, _ = _scores_and_sums(operators, model.train)
    return np.mean(_residuals(model, model.train, scores) ** 2, axis=0)


def filled_deviations(scaled: Array) -> Array:
    """Carry the last known deviation of each variable on; zero before the first."""
    known = np.where(np.isnan(scaled), 0, np.arange(1, len(scaled) + 1)[:, None])
    last = np.maximum.accumulate(known, axis=0)
    padded = np.vstack([np.zeros(scaled.shape[1]), np.nan_to_num(scaled)])
    return np.take_along_axis(padded, last, axis=0)


def pattern_operators(
    model: ScoreModel, operators: Operators, seen: NDArray[np.bool_]
) -> Pattern:
    """Return operators of all times for values observed where `seen`, shape (K, J)."""
    base = operators.base * seen[:, :, None]
    sums = np.cumsum(model.products(base), axis=0)
    gram = np.cumsum(np.swapaxes(model.loadings, 1, 2) @ base, axis=0)
    maps = score_maps(model, operators.method, operators.noise, sums, gram)
    inverse, _ = inverse_covariance(sums @ maps, model)
    return Pattern(maps, inverse, gram)


def cumulative(values: Array, base: Array) -> Array:
    """Return the sums over times so far of values times `base`, shape (K, n, A)."""
    return np.cumsum(np.swapaxes(values, 0, 1) @ base, axis=0)


def _complete(model: ScoreModel, operators: Operators, scaled: Array) -> Trajectories:
    scores, _ = _scores_and_sums(operators, scaled)
    t2 = _t2(scores, operators.inverse)
    live = np.einsum("nkj,nkj->nk", *[_residuals(model, scaled, scores)] * 2)
    last = np.broadcast_to(scores[:, -1:], scores.shape)
    hindsight = np.einsum("nkj,nkj->nk", *[_residuals(model, scaled, last)] * 2)
    return Trajectories(scores, t2, live, _cumulative_spe(model, scaled, scores), hindsight)


def _incomplete(
    model: ScoreModel, operators: Operators, weights: Array, scaled: Array
) -> Trajectories:
    seen = ~np.isnan(scaled)
    observed = np.where(seen, scaled, 0.0)[None]
    inverse = operators.inverse
    if operators.method == "current":
        scores, _ = _scores_and_sums(operators, filled_deviations(scaled)[None])
    else:
        pattern = pattern_operators(model, operators, seen)
        scores = np.swapaxes(cumulative(observed, operators.base) @ pattern.maps, 0, 1)
        inverse = pattern.inverse
    empty = ~seen.any(axis=1)
    end = int(np.flatnonzero(~empty)[-1])
    last = np.broadcast_to(scores[:, end : end + 1], scores.shape)
    # brought to what a complete observation is expected to have
    part, whole = (weights * seen).sum(axis=1), weights.sum(axis=1)
    now, so_far = _ratio(whole, part), _ratio(np.cumsum(whole), np.cumsum(part))
    live, hindsight = (
        np.sum((_residuals(model, observed, t) * seen) ** 2, axis=2) * now
        for t in (scores, last)
    )
    summed = _cumulative_spe(model, observed, scores, seen) * so_far
    found = Trajectories(scores.copy(), _t2(scores, inverse), live, summed, hindsight)
    for array in found:
        array[:, empty] = np.nan
    return found


def _scores_and_sums(operators: Operators, scaled: Array) -> tuple[Array, Array]:
    sums = cumulative(scaled, operators.base)
    scores = sums @ operators.maps
    if operators.ahead is not None:
        scores = scores + np.swapaxes(scaled, 0, 1) @ operators.ahead
    return np.swapaxes(scores, 0, 1), sums


def _t2(scores: Array, inverse: Array) -> Array:
    return np.einsum("nka,nka->nk", np.einsum("nka,kab->nkb", scores, inverse), scores)


def _residuals(model: ScoreModel, scaled: Array, scores: Array) -> Array:
    modelled = np.swapaxes(scores, 0, 1) @ np.swapaxes(model.loadings, 1, 2)
    return scaled - np.swapaxes(modelled, 0, 1)


def _cumulative_spe(
    model: ScoreModel, scaled: Array, scores: Array, seen: NDArray[np.bool_] | None = None
) -> Array:
    """Return sum |z - P t|^2 over all times so far, with t the scores of each time."""
    P = model.loadings if seen is None else model.loadings * seen[:, :, None]
    gram = np.cumsum(np.swapaxes(P, 1, 2) @ P, axis=0)
    onto = np.swapaxes(cumulative(scaled, P), 0, 1)
    squares = np.cumsum(np.einsum("nkj,nkj->nk", scaled, scaled), axis=1)
    cross = np.einsum("nka,nka->nk", scores, onto)
    square = np.einsum("nka,kab,nkb->nk", scores, gram, scores)
    return np.maximum(squares - 2 * cross + square, 0.0)


def _ratio(whole: Array, part: Array) -> Array:
    return np.divide(whole, part, out=np.full_like(whole, np.nan), where=part > 0)


def _put(out: Trajectories, rows: NDArray[np.intp], found: Trajectories) -> None:
    for target, source in zip(out, found, strict=True):
        target[rows] = source


def t2_contributions(
    model: ScoreModel, operators: Operators, scores: Array, values: Array
) -> Array:
    """Split T2 of one batch at its last observed time by time and variable, shape (K, J)."""
    scaled = (values - model.mean) / model.scale
    seen = ~np.isnan(scaled)
    end = int(np.flatnonzero(seen.any(axis=1))[-1])
    seen[end + 1 :] = False
    if operators.ahead is not None:
        filled = filled_deviations(scaled)
        # what is carried on counts where it is carried to
        effect = operators.inverse[end] @ scores[end]
        shares = filled * (operators.base @ effect)
        shares[end + 1 :] = 0.0
        shares[end] += filled[end] * (operators.ahead[end] @ effect)
        return shares
    maps, inverse = operators.maps[end], operators.inverse[end]
    if not seen[: end + 1].all():
        pattern = pattern_operators(model, operators, seen)
        maps, inverse = pattern.maps[end], pattern.inverse[end]
    effect = maps @ (inverse @ scores[end])
    return np.where(seen, np.nan_to_num(scaled) * (operators.base @ effect), 0.0)


def spe_contributions(model: ScoreModel, scores: Array, values: Array) -> Array:
    """Return signed squares of the residuals of one batch at its last scores, shape (K, J)."""
    scaled = (values - model.mean) / model.scale
    end = int(np.flatnonzero(~np.isnan(scaled).all(axis=1))[-1])
    rest = np.nan_to_num(scaled - model.loadings @ scores[end])
    return np.sign(rest) * rest**2
