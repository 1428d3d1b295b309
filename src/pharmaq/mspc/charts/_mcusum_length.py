"""Run length of MCUSUM charts: Crosier's by the integral equation, the other simulated."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import optimize, stats

from pharmaq._checks import check_choice, check_integer, check_real
from pharmaq.errors import InputError
from pharmaq.mspc.charts._densities import interval, length_density
from pharmaq.spc.run_length import Chain, RunLength, from_answers, from_chains, normal_density

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["Form", "check_mcusum", "mcusum_limit", "mcusum_run_length"]

Form = Literal["crosier", "pignatiello-runger"]

_SOURCES = {
    "crosier": "R. B. Crosier, Technometrics 30 (1988) 291-303",
    "pignatiello-runger": (
        "J. J. Pignatiello, G. C. Runger, J. Qual. Technol. 22 (1990) 173-186"
    ),
}
# in each of two directions
_MOST_NODES = 60
# more points of runs than this are not simulated
_MOST_POINTS = 50_000_000


def mcusum_run_length(
    n_variables: int,
    *,
    k: float = 0.5,
    h: float,
    shift: ArrayLike = 0.0,
    form: Form = "crosier",
    n_runs: int = 10_000,
    random_state: int = 0,
) -> RunLength:
    """Return the run length of a MCUSUM chart.

    Parameters
    ----------
    n_variables : int
        Number p of variables, at least 2.
    k : float, default 0.5
        What the sum shrinks by at each point, in standard deviations: half the shift to be
        found.
    h : float
        Limit of the statistic.
    shift : float or array-like of shape (n_shifts,), default 0
        Shift of the mean from the first point on: the square root of d' S^-1 d, with d the
        shift and S the covariance of a point. Its direction makes no difference.
    form : {"crosier", "pignatiello-runger"}, default "crosier"
        As in `mcusum_chart`.
    n_runs, random_state : int
        Number of simulated runs and their seed, for ``"pignatiello-runger"`` only.

    Returns
    -------
    RunLength
        ``"crosier"``: all digits, ``method="integral equation"``; ``"pignatiello-runger"``:
        ``method="simulation"``, with its standard error.

    Raises
    ------
    InputError
        If a parameter is out of its range, or runs are too long to be simulated.

    Notes
    -----
    Crosier's sum in standard deviations of a point keeps its direction and loses k of its
    length; in control its length s is all that matters [1]_. With f the density of the length
    of a normal vector with mean length s and F its distribution,

    L(s) = 1 + L(0) F(k; s) + integral_0^h L(x) f(x + k; s) dx.

    After a shift the angle between sum and shift matters too, and the integral is taken over
    length and angle. The sum of Pignatiello and Runger [2]_ remembers how many points it holds;
    its run lengths are simulated, as theirs were.

    References
    ----------
    .. [1] R. B. Crosier, Technometrics 30 (1988) 291-303.
    .. [2] J. J. Pignatiello, G. C. Runger, J. Qual. Technol. 22 (1990) 173-186.

    Examples
    --------
    >>> mcusum_run_length(2, k=0.5, h=5.5, shift=[0, 1, 2]).arl.round(2)
    array([201.5 ,   9.87,   4.13])
    """
    p = check_mcusum(n_variables, k)
    check_real("h", h, above=0)
    check_choice("form", form, _SOURCES)
    words: dict[str, Any] = {
        "chart": "mcusum",
        "parameters": {"n_variables": p, "k": k, "h": h, "form": form},
        "source": _SOURCES[form],
    }
    if form == "pignatiello-runger":
        n = check_integer("n_runs", n_runs, least=100, most=1_000_000)
        words["method"], words["size"] = "simulation", n
        return from_answers(
            lambda value: _simulated((p, k, h, _length(value)), n, random_state), shift, **words
        )
    words["method"], words["size"] = "integral equation", _n_nodes(h, 0.0)
    return from_chains(lambda value: _chain(p, k, h, _length(value)), shift, **words)


def mcusum_limit(n_variables: int, *, k: float = 0.5, arl0: float = 200.0) -> float:
    """Return the limit of Crosier's MCUSUM that has a wanted average run length in control.

    Parameters
    ----------
    n_variables : int
        Number of variables, at least 2.
    k : float, default 0.5
        As in `mcusum_run_length`.
    arl0 : float, default 200
        Wanted average run length in control, above 1.

    Returns
    -------
    float
        The limit h.

    Examples
    --------
    >>> round(mcusum_limit(2, k=0.5, arl0=200), 3)
    5.491
    """
    p = check_mcusum(n_variables, k)
    check_real("arl0", arl0, above=1, below=1e7)

    def excess(h: float) -> float:
        return math.log(_chain(p, k, h, 0.0).mean() / arl0)

    low, high = 1e-3, 4.0
    if excess(low) > 0:
        msg = f"arl0 = {arl0:g} is too short for k = {k:g}: no limit above 0 has it"
        raise InputError(msg)
    while excess(high) < 0:
        low, high = high, 1.5 * high
    return float(optimize.brentq(excess, low, high, xtol=1e-10))


def check_mcusum(n_variables: int, k: float) -> int:
    """Return the number of variables, checked, and check k."""
    check_real("k", k, above=0)
    return check_integer("n_variables", n_variables, least=2, most=100)


def _length(shift: float) -> float:
    if shift < 0:
        msg = f"shift must not be negative, got {shift:g}; it is a length"
        raise InputError(msg)
    return shift


def _chain(p: int, k: float, h: float, shift: float) -> Chain:
    moves = _in_control(p, k, h) if shift == 0 else _shifted(p, k, h, shift)
    first = np.zeros(len(moves))
    first[0] = 1.0
    return Chain(moves=moves, start=first)


def _in_control(p: int, k: float, h: float) -> Array:
    """Return the weighted kernel on lengths of the sum, with an atom at zero first."""
    nodes, weights = interval(_n_nodes(h, 0.0), h)
    lengths = np.append(0.0, nodes)
    moves = np.empty((len(lengths),) * 2)
    moves[:, 0] = stats.ncx2.cdf(k**2, p, lengths**2)
    moves[0, 0] = stats.chi2.cdf(k**2, p)
    moves[:, 1:] = length_density(nodes + k, lengths[:, None], p) * weights
    return moves


def _shifted(p: int, k: float, h: float, shift: float) -> Array:
    """Return the weighted kernel on length and angle of the sum, with an atom at zero first."""
    n = _n_nodes(h, shift)
    length, w_length = interval(n, h)
    angle, w_angle = interval(n, math.pi)
    # before it shrinks by k
    full = length[:, None] + k
    along, rest = (full * np.cos(angle)).ravel(), (full * np.sin(angle)).ravel()
    weights = (w_length[:, None] * full * w_angle).ravel()
    share = np.repeat(length / (length + k), n)
    start_along = np.append(0.0, share * along) + shift
    start_rest = np.append(0.0, share * rest)
    moves = np.empty((n * n + 1,) * 2)
    moves[:, 0] = stats.ncx2.cdf(k**2, p, start_along**2 + start_rest**2)
    moves[:, 1:] = length_density(rest, start_rest[:, None], p - 1)
    moves[:, 1:] *= normal_density(along - start_along[:, None]) * weights
    return moves


def _n_nodes(h: float, shift: float) -> int:
    if not shift:
        return max(24, 2 * math.ceil(h + 8))
    return min(_MOST_NODES, 2 * math.ceil(1.5 * h + 6))


def _simulated(
    process: tuple[int, float, float, float], n_runs: int, random_state: int
) -> tuple[float, float, float, Array]:
    """Return mean, standard deviation, standard error and quantiles of simulated runs."""
    p, k, h, shift = process
    rng = np.random.default_rng(random_state)
    lengths = np.zeros(n_runs)
    running = np.arange(n_runs)
    total, count, time, points = np.zeros((n_runs, p)), np.zeros(n_runs), 0, 0
    while running.size:
        time += 1
        points += running.size
        if points > _MOST_POINTS:
            msg = (
                f"runs with h = {h:g} are too long to be simulated: {running.size} of {n_runs} "
                f"still go on after {time} points; use a smaller h or n_runs"
            )
            raise InputError(msg)
        total += rng.standard_normal(total.shape)
        total[:, 0] += shift
        count += 1
        statistic = np.sqrt(np.einsum("ij,ij->i", total, total)) - k * count
        lengths[running[statistic > h]] = time
        on = statistic <= h
        running, total, count, statistic = running[on], total[on], count[on], statistic[on]
        total[statistic <= 0], count[statistic <= 0] = 0.0, 0.0
    spread = float(lengths.std(ddof=1))
    levels = np.quantile(lengths, (0.05, 0.25, 0.5, 0.75, 0.95), method="inverted_cdf")
    return float(lengths.mean()), spread, spread / math.sqrt(n_runs), levels
