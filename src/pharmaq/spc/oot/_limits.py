"""From what is expected to limits: prediction, tolerance, EWMA, and the risk shared out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from scipy import special, stats

from pharmaq.spc.intervals import tolerance_factor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pharmaq.spc.oot._core import Expected

    Floats = NDArray[np.float64]

__all__ = ["Interval", "Per", "Side", "Verdict", "ewma_verdict", "share_of", "verdict"]

Interval = Literal["prediction", "tolerance"]
Per = Literal["result", "batch", "table"]
Side = Literal["two", "lower", "upper"]


class Verdict(NamedTuple):
    """Limits of each tested result; NaN where it is not judged."""

    statistic: Floats
    center: Floats
    lower: Floats
    upper: Floats
    signal: NDArray[np.bool_]


def share_of(alpha: float, per: Per, n_batch: int, n_table: int) -> float:
    """Return the risk of one result, so that the batch or table has `alpha` if independent."""
    m = {"result": 1, "batch": n_batch, "table": n_table}[per]
    return -math.expm1(math.log1p(-alpha) / max(m, 1))


def verdict(
    expected: Expected, alpha: float, *, side: Side, interval: Interval, confidence: float
) -> Verdict:
    """Return prediction limits, or tolerance limits with content 1 - alpha."""
    tail = alpha / 2 if side == "two" else alpha
    if interval == "prediction":
        q = stats.t.isf(tail, np.where(expected.dof > 0, expected.dof, np.nan))
        half = np.asarray(q, dtype=np.float64) * expected.error
    else:
        half = _tolerance(expected, alpha, side, confidence) * expected.sd
    lower = expected.center - half if side != "upper" else _open(half, -math.inf)
    upper = expected.center + half if side != "lower" else _open(half, math.inf)
    return _judged(expected.statistic, expected.center, lower, upper)


def ewma_verdict(
    expected: Expected,
    batch: NDArray[np.intp],
    time: Floats,
    alpha: float,
    *,
    side: Side,
    weight: float,
) -> Verdict:
    """Return an EWMA of normal scores of the deviations, batch by batch in order of time."""
    judged = expected.reason == 0
    with np.errstate(divide="ignore", invalid="ignore"):
        score = (expected.statistic - expected.center) / expected.error
    z = _normal_score(score, expected.dof)
    order = np.lexsort((time, batch))
    order = order[judged[order] & np.isfinite(z[order])]
    statistic, spread = np.full(len(z), np.nan), np.full(len(z), np.nan)
    b = batch[order]
    starts = np.flatnonzero(np.r_[True, b[1:] != b[:-1]]) if b.size else np.array([], int)
    lengths = np.diff(np.r_[starts, len(b)])
    last = np.zeros(len(starts))
    for k in range(int(lengths.max(initial=0))):
        going = lengths > k
        rows = order[starts[going] + k]
        last[going] += weight * (z[rows] - last[going])
        statistic[rows] = last[going]
        spread[rows] = math.sqrt(weight / (2 - weight) * (1 - (1 - weight) ** (2 * k + 2)))
    half = float(stats.norm.isf(alpha / 2 if side == "two" else alpha)) * spread
    lower = -half if side != "upper" else _open(half, -math.inf)
    upper = half if side != "lower" else _open(half, math.inf)
    return _judged(statistic, np.where(np.isfinite(half), 0.0, np.nan), lower, upper)


def _normal_score(score: Floats, dof: Floats) -> Floats:
    """Return normal scores with the tail probability of t, to both ends."""
    with np.errstate(invalid="ignore"):
        tail = stats.t.sf(np.abs(score), np.where(dof > 0, dof, np.nan))
    return np.sign(score) * -special.ndtri(np.maximum(tail, 1e-300))


def _tolerance(expected: Expected, alpha: float, side: Side, confidence: float) -> Floats:
    """Return factors; results with the same numbers share one."""
    k = np.full(len(expected.n), np.nan)
    usable = np.isfinite(expected.n) & (expected.dof >= 1)
    pairs = np.column_stack([expected.n, expected.dof])[usable]
    unique, place = np.unique(pairs, axis=0, return_inverse=True)
    factors = [
        tolerance_factor(
            # far outside the history a line stands for less than two values
            max(int(n), 2),
            coverage=1 - alpha,
            confidence=confidence,
            sides="two" if side == "two" else "one",
            freedom=float(dof),
        )
        for n, dof in unique
    ]
    k[usable] = np.array(factors)[place.ravel()] if factors else []
    return k


def _open(half: Floats, end: float) -> Floats:
    return np.where(np.isfinite(half), end, np.nan)


def _judged(statistic: Floats, center: Floats, lower: Floats, upper: Floats) -> Verdict:
    with np.errstate(invalid="ignore"):
        signal = (statistic < lower) | (statistic > upper)
    return Verdict(statistic, center, lower, upper, signal)
