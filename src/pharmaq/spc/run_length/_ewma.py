"""Run length of EWMA charts by the integral equation."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import special

from pharmaq._checks import check_choice, check_real
from pharmaq.errors import InputError
from pharmaq.spc.run_length._chain import Chain
from pharmaq.spc.run_length._result import RunLength, from_chains

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["ewma_arl", "ewma_run_length"]

Sides = Literal["two", "one"]
EwmaLimits = Literal["asymptotic", "exact"]
Headstart = float | Literal["steady"]

_SOURCES = {
    "asymptotic": "S. V. Crowder, Technometrics 29 (1987) 401-407",
    "exact": "S. H. Steiner, J. Qual. Technol. 31 (1999) 75-86",
}
# limits that change less than this are those of the long run
_SETTLED = 1e-12


def ewma_run_length(
    *,
    lam: float,
    limit: float,
    shift: ArrayLike = 0.0,
    scale: float = 1.0,
    sides: Sides = "two",
    limits: EwmaLimits = "asymptotic",
    headstart: Headstart = 0.0,
) -> RunLength:
    """Return the run length of an EWMA chart.

    Parameters
    ----------
    lam : float
        Weight of the newest point, in (0, 1].
    limit : float
        Distance L of the limits in standard deviations of the EWMA.
    shift : float or array-like of shape (n_shifts,), default 0
        Shift of the mean from the first point on, in standard deviations of a point.
    scale : float, default 1
        True standard deviation of a point over that of the limits.
    sides : {"two", "one"}, default "two"
        ``"one"``: an upper limit, and an EWMA that is set back to the center line whenever it
        falls below.
    limits : {"asymptotic", "exact"}, default "asymptotic"
        From the variance in the long run, lam / (2 - lam), or from that at point t,
        lam / (2 - lam) [1 - (1 - lam)^(2 t)].
    headstart : float or "steady", default 0
        EWMA before the first point, as a share of the distance to the limit of the long run;
        ``"steady"``: what it is after long running in control without a signal.

    Returns
    -------
    RunLength
        By the integral equation, ``method="integral equation"``.

    Raises
    ------
    InputError
        If a parameter is out of its range, or a combination has no meaning.

    Notes
    -----
    For limits that do not change, L(u) = 1 + (1 / lam) integral L(x) f((x - (1 - lam) u) / lam)
    dx [1]_ is solved on Gauss-Legendre nodes (Nystroem), as many as nine digits need. Limits
    that change are followed point by point until they have settled [2]_.

    References
    ----------
    .. [1] S. V. Crowder, Technometrics 29 (1987) 401-407.
    .. [2] S. H. Steiner, J. Qual. Technol. 31 (1999) 75-86.

    Examples
    --------
    >>> ewma_run_length(lam=0.1, limit=2.7, shift=[0, 0.5, 1]).arl.round(2)
    array([368.99,  28.19,   9.73])
    """
    check_ewma(lam, limit, scale)
    check_choice("sides", sides, ("two", "one"))
    check_choice("limits", limits, ("asymptotic", "exact"))
    start = _check_headstart(headstart)
    if limits == "exact" and (sides == "one" or start is None):
        msg = 'limits = "exact" goes with sides = "two" and a headstart that is a number'
        raise InputError(msg)

    def make(value: float) -> Chain:
        if limits == "exact":
            return _exact_chain((lam, limit, value, scale), start or 0.0)
        return ewma_chain((lam, limit, value, scale), sides, start)

    return from_chains(
        make,
        shift,
        chart="ewma",
        method="integral equation",
        size=_n_nodes(lam, limit, scale),
        parameters={
            "lam": lam,
            "limit": limit,
            "scale": scale,
            "sides": sides,
            "limits": limits,
            "headstart": headstart,
        },
        source=_SOURCES[limits],
    )


def ewma_arl(lam: float, limit: float, shift: float = 0.0) -> float:
    """Return the average run length of a two-sided EWMA chart, and nothing else, in no time.

    Parameters
    ----------
    lam, limit : float
        Weight of the newest point and distance of the limits, as in `ewma_run_length`.
    shift : float, default 0
        Shift of the mean in standard deviations of a point.

    Returns
    -------
    float
        As ``ewma_run_length(...).arl``.

    Examples
    --------
    >>> ewma_arl(0.25, 3.0, 1.0)
    11.154267016...
    """
    check_ewma(lam, limit, 1.0)
    return ewma_mean(lam, limit, check_real("shift", shift))


def ewma_mean(lam: float, limit: float, shift: float, *, sides: Sides = "two") -> float:
    """Return the average run length from the center, unchecked."""
    return ewma_chain((lam, limit, shift, 1.0), sides, 0.0).mean()


@lru_cache(maxsize=64)
def gauss_legendre(n: int) -> tuple[Array, Array]:
    """Return nodes and weights on (-1, 1)."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return nodes, weights


def normal_density(x: Array) -> Array:
    """Return the standard normal density."""
    return np.exp(-0.5 * x**2) * (1 / math.sqrt(2 * math.pi))


def stationary(moves: Array) -> Array:
    """Return the distribution over states after long running without a signal."""
    values, vectors = np.linalg.eig(moves.T)
    state = np.abs(np.real(vectors[:, np.argmax(np.real(values))]))
    return state / state.sum()


Process = tuple[float, float, float, float]


def ewma_chain(process: Process, sides: Sides, start: float | None) -> Chain:
    lam, limit, _, scale = process
    edge = limit * math.sqrt(lam / (2 - lam))
    if start is None:
        in_control = _moves(
            (lam, limit, 0.0, 1.0), sides, _n_nodes(lam, limit, min(scale, 1.0))
        )
        shifted = _moves(process, sides, _n_nodes(lam, limit, min(scale, 1.0)))
        # the first state of `_moves` is a start that is never come back to
        return Chain(moves=shifted[1:, 1:], start=stationary(in_control[1:, 1:]))
    moves = _moves(process, sides, _n_nodes(lam, limit, scale), start * edge)
    first = np.zeros(len(moves))
    first[0] = 1.0
    return Chain(moves=moves, start=first)


def _moves(process: Process, sides: Sides, n: int, start: float = 0.0) -> Array:
    """Return the weighted kernel on start and nodes; one-sided with an atom at the center."""
    lam, limit, shift, scale = process
    edge = limit * math.sqrt(lam / (2 - lam))
    nodes, weights = gauss_legendre(n)
    moves = np.zeros((n + 2, n + 2)) if sides == "one" else np.zeros((n + 1, n + 1))
    first = len(moves) - n
    if sides == "one":
        nodes, weights = (nodes + 1) / 2, weights / 2
    points = edge * nodes
    origins = np.zeros(len(moves))
    origins[0], origins[first:] = start, points
    width = lam * scale
    centers = (1 - lam) * origins + lam * shift
    z = (points - centers[:, None]) / width
    moves[:, first:] = normal_density(z) * (edge / width * weights)
    if sides == "one":
        moves[:, 1] = special.ndtr(-centers / width)
    return moves


def _exact_chain(process: Process, start: float) -> Chain:
    lam, limit, shift, scale = process
    settled = math.sqrt(lam / (2 - lam))
    n = _n_nodes(lam, limit, scale)
    nodes, weights = gauss_legendre(n)
    origins, state = np.array([start * limit * settled]), np.ones(1)
    prefix = [1.0]
    width, rest = lam * scale, 1.0
    while rest > _SETTLED:
        rest *= (1 - lam) ** 2
        edge = limit * settled * math.sqrt(1 - rest)
        points = edge * nodes
        z = (points - ((1 - lam) * origins + lam * shift)[:, None]) / width
        state = state @ normal_density(z) * (edge / width * weights)
        origins = points
        prefix.append(float(state.sum()))
    moves = _moves(process, "two", n)[1:, 1:]
    return Chain(moves=moves, start=state, prefix=np.array(prefix[:-1]))


def _n_nodes(lam: float, limit: float, scale: float) -> int:
    """Return enough nodes for nine digits: more the narrower the kernel is."""
    widths = 2 * limit / (scale * math.sqrt(lam * (2 - lam)))
    return max(24, 2 * math.ceil(0.85 * widths + 8))


def check_ewma(lam: float, limit: float, scale: float) -> None:
    check_real("lam", lam, above=0)
    if lam > 1:
        msg = f"lam must lie in (0, 1], got {lam!r}"
        raise InputError(msg)
    check_real("limit", limit, above=0)
    check_real("scale", scale, above=0)


def _check_headstart(headstart: Headstart) -> float | None:
    if isinstance(headstart, str):
        check_choice("headstart", headstart, ("steady",))
        return None
    return check_real("headstart", headstart, above=-1, below=1)
