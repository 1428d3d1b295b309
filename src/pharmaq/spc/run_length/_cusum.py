"""Run length of CUSUM charts: integral equation for normal points, Markov chain for counts."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import special, stats

from pharmaq._checks import check_choice, check_real
from pharmaq.errors import InputError
from pharmaq.spc.run_length._chain import LEVELS, Chain, quantiles, sdrl
from pharmaq.spc.run_length._ewma import gauss_legendre, normal_density, stationary
from pharmaq.spc.run_length._result import RunLength, from_answers, from_chains

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]
    Answer = tuple[float, float, float, Array]

__all__ = ["cusum_run_length", "poisson_cusum_run_length"]

_LUCAS_CROSIER = "J. M. Lucas, R. B. Crosier, Technometrics 24 (1982) 199-205"
_GAN = "F. F. Gan, Statistician 41 (1992) 71-84"
_LARGEST_DENOMINATOR = 1000
_NEVER = 1e9
# under drift: runs are followed until so few are left, for so many points at most
_NONE_LEFT = 1e-15
_MOST_POINTS = 100_000


def cusum_run_length(
    *,
    k: float,
    h: float,
    shift: ArrayLike = 0.0,
    scale: float = 1.0,
    sides: Literal["two", "one"] = "two",
    headstart: float | Literal["steady"] = 0.0,
    drift: float = 0.0,
) -> RunLength:
    """Return the run length of a CUSUM chart.

    Parameters
    ----------
    k, h : float
        Reference value and decision interval in standard deviations of a point; a signal is a
        sum above h.
    shift : float or array-like of shape (n_shifts,), default 0
        Shift of the mean from the first point on, in standard deviations of a point.
    scale : float, default 1
        True standard deviation of a point over that of k and h.
    sides : {"two", "one"}, default "two"
        ``"one"``: the upper sum alone.
    headstart : float or "steady", default 0
        Both sums before the first point, in standard deviations: h / 2 is the fast initial
        response [1]_. ``"steady"``, for one side: what the sum is after long running in control
        without a signal.
    drift : float, default 0
        What the mean rises by from point to point, in standard deviations, for one side: at
        point t it is shift + (t - 1) drift [2]_.

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
    The equation of one side, L(u) = 1 + L(0) F(k - u) + integral over (0, h) of L(x) f(x + k -
    u) dx, is solved on Gauss-Legendre nodes. Two sides whose headstarts sum to at most h + 2 k
    never signal together, and one is at 0 when the other signals; so the generating function of
    the two-sided run length follows from those of the sides, and with it
    ARL = (a B + b A - A B) / (A + B), where A, B are the ARL of upper and lower side from 0 and
    a, b those from the headstart [1]_, its variance and its quantiles. Under drift the density
    of the sum is followed point by point on the same nodes until no run is left.

    References
    ----------
    .. [1] J. M. Lucas, R. B. Crosier, Technometrics 24 (1982) 199-205.
    .. [2] F. F. Gan, Statistician 41 (1992) 71-84.

    Examples
    --------
    >>> cusum_run_length(k=0.5, h=5, shift=[0, 1]).arl.round(2)
    array([465.44,  10.38])
    >>> cusum_run_length(k=0.5, h=5, shift=[0, 1], headstart=2.5).arl.round(2)
    array([430.39,   6.35])
    """
    _check(k, h, scale, sides)
    _check_start(headstart, k, h, sides)
    if check_real("drift", drift) and (sides == "two" or drift < 0):
        msg = f'drift must be at least 0, and goes with sides = "one", got {drift!r}'
        raise InputError(msg)

    def one(value: float, start: float | str) -> Chain:
        return _chain(k, h, start, (value, scale))

    fields = {
        "chart": "cusum",
        "method": "integral equation",
        "size": _n_nodes(h, scale),
        "parameters": {
            "k": k,
            "h": h,
            "scale": scale,
            "sides": sides,
            "headstart": headstart,
            "drift": drift,
        },
        "source": _GAN if drift else _LUCAS_CROSIER,
    }
    if drift:
        return from_answers(
            lambda value: _under_drift((k, h, value, scale), headstart, drift),
            shift,
            **fields,
        )
    if sides == "one":
        return from_chains(lambda value: one(value, headstart), shift, **fields)

    def both(value: float) -> Answer:
        chains = [one(s, start) for start in (0.0, headstart) for s in (value, -value)]
        moments = [chain.moments() for chain in chains]
        for side in (0, 1):
            # the other side signals so late that it makes no difference
            if moments[1 - side][0] > _NEVER * moments[side][0]:
                mean, factorial = moments[2 + side]
                survivals = chains[2 + side].survivals()
                break
        else:
            mean, factorial = _two_sided_moments(moments)
            survivals = _two_sided_survivals(*(chain.survivals() for chain in chains))
        table = quantiles(survivals, n_states=len(chains[0].start))
        return mean, sdrl(mean, factorial), 0.0, table

    return from_answers(both, shift, **fields)


def poisson_cusum_run_length(
    *, k: float, h: float, mean: ArrayLike, headstart: float = 0.0
) -> RunLength:
    """Return the run length of an upper CUSUM of counts, which signals at h or above [1]_.

    Parameters
    ----------
    k, h : float
        Reference value and decision interval, in counts.
    mean : float or array-like of shape (n_means,)
        True mean count.
    headstart : float, default 0
        The sum before the first count.

    Returns
    -------
    RunLength
        Exact, ``method="markov chain"``: the sum takes multiples of the common denominator of
        k and the headstart. ``shift`` holds the mean counts.

    Raises
    ------
    InputError
        If k or headstart have no common denominator up to 1000.

    References
    ----------
    .. [1] J. M. Lucas, Technometrics 27 (1985) 129-144.

    Examples
    --------
    >>> poisson_cusum_run_length(k=0.25, h=10, mean=0.25).arl
    438.12...
    """
    check_real("k", k, above=0)
    check_real("h", h, above=0)
    _check_headstart(headstart, k, h, "one")
    step = _common_step(k, headstart)
    n_states = int(np.ceil(h / step - 1e-9))
    reference, begin = round(k / step), round(headstart / step)
    per_count = round(1 / step)

    def make(value: float) -> Chain:
        check_real("mean", value, above=0)
        states = np.arange(n_states)
        counts, odd = np.divmod(states - states[:, None] + reference, per_count)
        moves = np.where(odd == 0, stats.poisson.pmf(counts, value), 0.0)
        moves[:, 0] = stats.poisson.cdf((reference - states) // per_count, value)
        return Chain(moves=moves, start=np.eye(n_states)[begin])

    return from_chains(
        make,
        mean,
        chart="poisson cusum",
        method="markov chain",
        size=n_states,
        parameters={"k": k, "h": h, "headstart": headstart},
        source="J. M. Lucas, Technometrics 27 (1985) 129-144",
    )


def cusum_mean(k: float, h: float, shift: float, *, sides: str = "two") -> float:
    """Return the average run length from 0, unchecked."""
    upper = _chain(k, h, 0.0, (shift, 1.0)).mean()
    if sides == "one":
        return upper
    lower = _chain(k, h, 0.0, (-shift, 1.0)).mean()
    late = max(upper, lower)
    return min(upper, lower) if math.isinf(late) else upper * lower / (upper + lower)


def _chain(k: float, h: float, start: float | str, normal: tuple[float, float]) -> Chain:
    """Return states start, zero and nodes of one side; the start is never come back to."""
    if isinstance(start, str):
        n = _n_nodes(h, min(normal[1], 1.0))
        moves, quiet = (_moves(k, h, 0.0, n, law)[1:, 1:] for law in (normal, (0.0, 1.0)))
        return Chain(moves=moves, start=stationary(quiet))
    n = _n_nodes(h, normal[1])
    first = np.zeros(n + 2)
    first[0] = 1.0
    return Chain(moves=_moves(k, h, start, n, normal), start=first)


def _moves(k: float, h: float, start: float, n: int, normal: tuple[float, float]) -> Array:
    """Return the weighted kernel on start, zero and nodes."""
    shift, scale = normal
    nodes, weights = gauss_legendre(n)
    points = h * (nodes + 1) / 2
    centers = np.concatenate([[start, 0.0], points]) + shift - k
    moves = np.zeros((n + 2, n + 2))
    z = (points - centers[:, None]) / scale
    moves[:, 2:] = normal_density(z) * (h / 2 / scale * weights)
    moves[:, 1] = special.ndtr(-centers / scale)
    return moves


def _under_drift(
    process: tuple[float, float, float, float], headstart: float | str, drift: float
) -> Answer:
    """Follow the sum point by point while the mean goes on rising."""
    k, h, shift, scale = process
    first = _chain(k, h, headstart, (shift, scale))
    # a sum that is anywhere at first has no state for its start
    skipped = int(isinstance(headstart, str))
    n = len(first.start) - 2 + skipped
    state, quiet = first.start, [1.0]
    while quiet[-1] > _NONE_LEFT:
        law = (shift + (len(quiet) - 1) * drift, scale)
        if len(quiet) == 1:
            moves = first.moves
        else:
            moves = _moves(k, h, 0.0, n, law)[skipped:, skipped:]
        state = moves.T @ state
        quiet.append(float(state.sum()))
        if len(quiet) > _MOST_POINTS:
            msg = (
                f"drift = {drift!r} leaves runs of more than {_MOST_POINTS} points; set it to 0"
            )
            raise InputError(msg)
    survivals = np.array(quiet)
    mean = float(survivals.sum())
    factorial = float(2 * np.arange(len(survivals)) @ survivals)
    reached = [np.argmax(survivals <= 1 - level) for level in LEVELS]
    return mean, sdrl(mean, factorial), 0.0, np.array(reached, dtype=float)


def _two_sided_moments(moments: list[tuple[float, float]]) -> tuple[float, float]:
    """Combine moments of upper and lower side from 0, and from the headstart.

    With X, Y the series of (1 - G(s)) / (1 - s) of the sides from 0 and P, R those from the
    headstart, G = 1 - (1 - s) (P Y + R X - X Y) / (X + Y - (1 - s) X Y).
    """
    (a, b), (c, d), (e, f), (g, i) = ((mean, factorial / 2) for mean, factorial in moments)
    mean = (e * c + g * a - a * c) / (a + c)
    above = a * d + b * c - e * d - f * c - g * b - i * a
    below = -(b + d) - a * c
    return mean, -2 * (above - mean * below) / (a + c)


def _two_sided_survivals(*survivals: Iterator[float]) -> Iterator[float]:
    """Combine survivals of upper and lower side from 0, and from the headstart, point by point.

    The upper side from the headstart signals first, or the lower one does and the upper starts
    from 0: G_h+ = U + D G_0+, and the same for the lower side.
    """
    size = 256
    mass = np.zeros((4, size))  # P(T = t) of the four, then of signals above and below
    first = np.zeros((2, size))
    before = [next(s) for s in survivals]
    left = 1.0
    yield left
    time = 0
    while True:
        time += 1
        if time == size:
            mass, first = (np.pad(m, ((0, 0), (0, size))) for m in (mass, first))
            size *= 2
        now = [next(s) for s in survivals]
        mass[:, time] = np.array(before) - np.array(now)
        before = now
        # P(T = time - j) meets P(first = j)
        upper, lower = (
            mass[side, time - 1 : 0 : -1] @ first[1 - side, 1:time] for side in (0, 1)
        )
        first[:, time] = mass[2, time] - upper, mass[3, time] - lower
        left -= first[0, time] + first[1, time]
        yield left


def _n_nodes(h: float, scale: float) -> int:
    """Return enough nodes for nine digits."""
    return max(24, 2 * int(np.ceil(0.85 * h / scale + 8)))


def _check(k: float, h: float, scale: float, sides: str) -> None:
    check_real("k", k)
    check_real("h", h, above=0)
    check_real("scale", scale, above=0)
    check_choice("sides", sides, ("two", "one"))


def _check_start(headstart: float | str, k: float, h: float, sides: str) -> None:
    if not isinstance(headstart, str):
        _check_headstart(headstart, k, h, sides)
        return
    check_choice("headstart", headstart, ("steady",))
    if sides == "two":
        msg = 'headstart = "steady" goes with sides = "one": two sums depend on each other'
        raise InputError(msg)


def _check_headstart(headstart: float, k: float, h: float, sides: str) -> None:
    value = check_real("headstart", headstart, above=-1e-300, below=h)
    if sides == "two" and 2 * value > h + 2 * k:
        msg = (
            f"headstart must be at most (h + 2 k) / 2 = {h / 2 + k:g} for two sides, got "
            f"{value:g}: beyond that both sides may signal together"
        )
        raise InputError(msg)


def _common_step(k: float, headstart: float) -> float:
    parts = [
        Fraction(value).limit_denominator(_LARGEST_DENOMINATOR) for value in (k, headstart)
    ]
    common = np.lcm(parts[0].denominator, parts[1].denominator)
    exact = all(abs(float(p) - v) < 1e-12 for p, v in zip(parts, (k, headstart), strict=True))
    if not exact or common > _LARGEST_DENOMINATOR:
        msg = (
            f"k and headstart must be fractions with a common denominator of at most "
            f"{_LARGEST_DENOMINATOR}, got k = {k!r} and headstart = {headstart!r}"
        )
        raise InputError(msg)
    return 1 / int(common)
