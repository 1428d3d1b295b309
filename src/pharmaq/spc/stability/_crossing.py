"""Where a bound of a line first meets a limit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from scipy import optimize, stats

from pharmaq.spc.noncentral import noncentral_t

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pharmaq.spc.stability.lines import Lines

__all__ = ["Bound", "BoundRule", "bound_values", "first_crossing"]

Bound = Literal["mean", "prediction", "tolerance"]

# a bound that has not met the limit within this many times the study is said never to
_HORIZON = 100.0
_STEPS = 400


class BoundRule(NamedTuple):
    """Which bound: of what, how sure, for which share of results."""

    kind: Bound
    level: float
    coverage: float


def first_crossing(
    lines: Lines, i: int, limit: float, side: float, rule: BoundRule, span: float
) -> float:
    """Return the time after 0 from which on the bound of line `i` is beyond `limit`.

    `side` is 1 for a lower limit and -1 for an upper one. 0 if it is so at the start, infinite
    if it never is.
    """
    A, b = side * (lines.intercept[i] - limit), side * lines.slope[i]
    if rule.kind == "tolerance":
        return _by_search(lines, i, (A, b), rule, span)
    extra = 1.0 if rule.kind == "prediction" else 0.0
    K = float(stats.t.ppf(rule.level, lines.dof[i])) ** 2 * lines.mse[i]
    # the bound meets the limit where (A + b t)^2 = K v(t) with A + b t >= 0
    quadratic = (
        b * b - K * lines.v11[i],
        2 * (A * b - K * lines.v01[i]),
        A * A - K * (lines.v00[i] + extra),
    )
    if A <= 0 or quadratic[2] <= 0:
        return 0.0
    roots = [t for t in _real_roots(*quadratic) if t > 0 and A + b * t >= -1e-12 * A]
    return min(roots, default=math.inf)


def bound_values(
    lines: Lines, time: NDArray[np.float64], rule: BoundRule
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return lower and upper bounds of all lines at times; shape (n_batches, n_times)."""
    mean, v, root = lines.mean(time), lines.variance(time), np.sqrt(lines.mse)[:, None]
    if rule.kind == "tolerance":
        k = np.array(
            [[_tolerance(h, f, rule) for h in row] for row, f in zip(v, lines.dof, strict=True)]
        )
        return mean - k * root, mean + k * root
    extra = 1.0 if rule.kind == "prediction" else 0.0
    half = np.asarray(stats.t.ppf(rule.level, lines.dof))[:, None] * root * np.sqrt(v + extra)
    return mean - half, mean + half


def _real_roots(a: float, b: float, c: float) -> list[float]:
    if a == 0:
        return [] if b == 0 else [-c / b]
    inside = b * b - 4 * a * c
    if inside < 0:
        return []
    # the form without cancellation
    q = -0.5 * (b + math.copysign(math.sqrt(inside), b))
    return [q / a] + ([c / q] if q else [])


def _tolerance(h: float, freedom: float, rule: BoundRule) -> float:
    """Return k of the one-sided tolerance bound at a point with leverage h."""
    delta = float(stats.norm.ppf(rule.coverage)) / math.sqrt(h)
    root = math.sqrt(h)
    high = max(2.0, 2 * delta)
    while noncentral_t(high, freedom, delta) < rule.level:
        high *= 2
    t = optimize.brentq(
        lambda x: noncentral_t(x, freedom, delta) - rule.level, 0.0, high, xtol=1e-10
    )
    return float(t) * root


def _by_search(
    lines: Lines, i: int, line: tuple[float, float], rule: BoundRule, span: float
) -> float:
    A, b = line
    s = math.sqrt(lines.mse[i])

    def room(t: float) -> float:
        v = float(lines.v00[i] + 2 * lines.v01[i] * t + lines.v11[i] * t * t)
        return A + b * t - s * _tolerance(v, float(lines.dof[i]), rule)

    if room(0.0) <= 0:
        return 0.0
    before = 0.0
    for t in np.geomspace(span / 50, span * _HORIZON, _STEPS):
        if room(float(t)) <= 0:
            return float(optimize.brentq(room, before, float(t), xtol=1e-9))
        before = float(t)
    return math.inf
