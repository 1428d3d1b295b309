"""Run length of two charts kept together: mean and variance, value and moving range."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pharmaq._checks import check_integer, check_real
from pharmaq.errors import InputError
from pharmaq.spc.run_length._chain import LEVELS, LONGEST, Chain, quantiles, sdrl
from pharmaq.spc.run_length._collocation import pieces
from pharmaq.spc.run_length._ewma import check_ewma, ewma_chain, normal_density
from pharmaq.spc.run_length._result import RunLength, from_answers, from_chains
from pharmaq.spc.run_length._variance import check_s2_ewma, ewma_of_variances

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["individuals_run_length", "xbar_s_run_length"]

_CROWDER = "S. V. Crowder, J. Qual. Technol. 19 (1987) 98-102"
_KNOTH = "S. Knoth, Sequential Anal. 26 (2007) 251-264"

# pieces of this many standard deviations of a point
_WIDEST = 3.0
_SMOOTH = 12
# powers of two: longer runs than 2^64 points are endless
_DOUBLINGS = 64


def individuals_run_length(
    *,
    limit: float = 3.0,
    range_limit: float = 5.2,
    shift: ArrayLike = 0.0,
    scale: float = 1.0,
) -> RunLength:
    """Return the run length of charts of single values and of their moving ranges together.

    Parameters
    ----------
    limit : float, default 3
        Distance of the limits of single values from the center line, in standard deviations.
    range_limit : float, default 5.2
        Upper limit of the moving range of two, in standard deviations: not of the range, but of
        a point. ``d2(2) + 3 * d3(2)`` = 3.686 is the usual one, and has many false alarms.
    shift : float or array-like of shape (n_shifts,), default 0
        Shift of the mean from the first point on, in standard deviations.
    scale : float, default 1
        True standard deviation over that of the limits.

    Returns
    -------
    RunLength
        Points until one of both charts signals, by the integral equation,
        ``method="integral equation"``.

    Raises
    ------
    InputError
        If a parameter is out of its range.

    Notes
    -----
    With x the point before, limits M and R, and y from max(-M, x - R) to min(M, x + R):
    L(x) = 1 + integral of L(y) f(y) dy [1]_; the first point has no range. L has kinks at
    j R - M and M - j R, j = 1, 2, ..., and is a polynomial on each piece between them, found by
    collocation, to nine digits.

    References
    ----------
    .. [1] S. V. Crowder, J. Qual. Technol. 19 (1987) 98-102.

    Examples
    --------
    >>> individuals_run_length(limit=3, range_limit=3.686, shift=[0, 1, 2]).arl.round(2)
    array([105.35,  37.47,   6.28])
    """
    check_real("limit", limit, above=0)
    check_real("range_limit", range_limit, above=0)
    check_real("scale", scale, above=0)
    # the j-th kink is one of the j-th derivative
    n_kinks = min(_SMOOTH, int(2 * limit / range_limit))
    steps = range_limit * np.arange(1, n_kinks + 1)
    kinks = np.concatenate([steps - limit, limit - steps])
    grid = pieces(-limit, limit, kinks, _WIDEST * min(scale, 1.0))
    points = grid.points
    # before the first point no range is too large
    low = np.concatenate([[-limit], np.maximum(-limit, points - range_limit)])[:, None]
    high = np.concatenate([[limit], np.minimum(limit, points + range_limit)])[:, None]
    first = np.eye(len(low))[0]

    def make(value: float) -> Chain:
        moves = np.zeros((len(low), len(low)))
        moves[:, 1:] = grid.integrals(
            lambda z: np.clip(z, low, high),
            lambda noise: noise,
            lambda noise: normal_density((noise - value) / scale) / scale,
        )
        return Chain(moves=moves, start=first)

    return from_chains(
        make,
        shift,
        chart="individuals and moving range",
        method="integral equation",
        size=len(points),
        parameters={"limit": limit, "range_limit": range_limit, "scale": scale},
        source=_CROWDER,
    )


def xbar_s_run_length(
    *,
    n: int,
    lam: float,
    limit: float,
    s2: Mapping[str, Any],
    shift: ArrayLike = 0.0,
    scale: float = 1.0,
) -> RunLength:
    """Return the run length of EWMA charts of means and of variances of subgroups together.

    Parameters
    ----------
    n : int
        Size of the subgroups, at least 2.
    lam, limit : float
        Weight and two-sided limit of the EWMA of means, as in `ewma_run_length`.
    s2 : dict
        The EWMA of variances: ``lam``, ``limit`` and, if wanted, ``sides``, ``lower`` and
        ``reset`` of `s2_ewma_run_length`.
    shift : float or array-like of shape (n_shifts,), default 0
        Shift of the mean from the first subgroup on, in standard deviations of a mean.
    scale : float, default 1
        True standard deviation over that in control.

    Returns
    -------
    RunLength
        Subgroups until one of both charts signals, ``method="integral equation"``.

    Raises
    ------
    InputError
        If a parameter is out of its range.

    Notes
    -----
    Mean and variance of a normal subgroup are independent, and so are the run lengths of both
    charts: P(T > t) is the product of theirs, and ARL = sum of u A^t 1 1' B'^t v over t with
    the integral operators A and B of both. The sum, a solution of L = 1 1' + A L B' [1]_, is
    taken in doubled steps.

    References
    ----------
    .. [1] S. Knoth, Sequential Anal. 26 (2007) 251-264.

    Examples
    --------
    >>> variances = {"lam": 0.1, "limit": 2.9464, "reset": False}
    >>> xbar_s_run_length(n=5, lam=0.134, limit=2.88275, s2=variances, shift=[0, 1]).arl.round(
    ...     1
    ... )
    array([252.3,  10.1])
    """
    degrees = check_integer("n", n, least=2) - 1
    check_ewma(lam, limit, scale)
    options = _check_s2(s2)
    chart = ewma_of_variances(degrees=degrees, smallest=min(scale, 1.0), **options)
    variances = chart.chain(scale)

    def answer(value: float) -> tuple[float, float, float, Array]:
        means = ewma_chain((lam, limit, value, scale), "two", 0.0)
        mean, factorial = _joint_moments(means, variances)
        if math.isinf(mean):
            return mean, mean, 0.0, np.full(len(LEVELS), mean)
        survivals = (
            a * b for a, b in zip(means.survivals(), variances.survivals(), strict=True)
        )
        n_states = max(len(means.start), len(variances.start))
        return mean, sdrl(mean, factorial), 0.0, quantiles(survivals, n_states=n_states)

    return from_answers(
        answer,
        shift,
        chart="xbar-s ewma",
        method="integral equation",
        size=len(chart.pieces.points),
        parameters={
            "n": n,
            "lam": lam,
            "limit": limit,
            "s2": options,
            "scale": scale,
        },
        source=_KNOTH,
    )


def _check_s2(s2: Mapping[str, Any]) -> dict[str, Any]:
    names = ("lam", "limit", "sides", "lower", "reset")
    if not isinstance(s2, Mapping) or not {"lam", "limit"} <= set(s2) <= set(names):
        msg = (
            f"s2 must be a dict with lam and limit, and at most {', '.join(names)}, got {s2!r}"
        )
        raise InputError(msg)
    options = {"sides": "upper", "lower": None, "reset": True} | dict(s2)
    options["lower"] = check_s2_ewma(*(options[name] for name in names[:4]))
    return options


def _joint_moments(one: Chain, other: Chain) -> tuple[float, float]:
    """Return mean and second factorial moment of the time to the first of two signals."""
    total = _stein(one.moves, other.moves, np.ones((len(one.start), len(other.start))))
    mean = float(one.start @ total @ other.start)
    if not 0 < mean < LONGEST:
        return math.inf, math.inf
    # E[T (T - 1)] = 2 sum of t P(T > t), and summing twice weighs with t + 1
    twice = _stein(one.moves, other.moves, total)
    return mean, 2 * (float(one.start @ twice @ other.start) - mean)


def _stein(a: Array, b: Array, c: Array) -> Array:
    """Return the sum of A^t C B'^t over t = 0, 1, 2, ..."""
    total = c
    for _ in range(_DOUBLINGS):
        more = a @ total @ b.T
        total = total + more
        if np.abs(more).max() <= np.finfo(float).eps * np.abs(total).max():
            break
        a, b = a @ a, b @ b
    return total
