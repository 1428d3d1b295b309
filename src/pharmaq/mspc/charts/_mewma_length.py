"""Run length of MEWMA charts by the integral equation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import optimize, stats

from pharmaq._checks import check_choice, check_integer, check_real
from pharmaq.errors import InputError
from pharmaq.mspc.charts._densities import half_disc, interval, rest_density
from pharmaq.spc.run_length import Chain, RunLength, from_chains, normal_density

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["Variance", "check_mewma", "mewma_limit", "mewma_run_length"]

Variance = Literal["exact", "asymptotic"]

_SOURCE = "S. E. Rigdon, J. Stat. Comput. Simul. 52 (1995) 351-365"
# limits that change less than this are those of the long run
_SETTLED = 1e-12
# in each of two directions; a thousand million bytes are enough
_MOST_NODES = 60


def mewma_run_length(
    n_variables: int,
    *,
    lam: float,
    limit: float,
    shift: ArrayLike = 0.0,
    variance: Variance = "asymptotic",
) -> RunLength:
    """Return the run length of a MEWMA chart.

    Parameters
    ----------
    n_variables : int
        Number p of variables, at least 2.
    lam : float
        Weight of the newest point, in (0, 1].
    limit : float
        Limit h of the statistic, called h4 in some tables.
    shift : float or array-like of shape (n_shifts,), default 0
        Shift of the mean from the first point on: the square root of d' S^-1 d, with d the
        shift and S the covariance of a point. Its direction makes no difference.
    variance : {"asymptotic", "exact"}, default "asymptotic"
        Covariance of the average in the long run, or at each point, as in `mewma_chart`.

    Returns
    -------
    RunLength
        By the integral equation, ``method="integral equation"``.

    Raises
    ------
    InputError
        If a parameter is out of its range.

    Notes
    -----
    In control only the length r of the average matters: with r the length in standard
    deviations of a point, R = sqrt(h lam / (2 - lam)) and f_p(x; m) the density of the length
    of a normal vector whose mean has length m,

    L(r) = 1 + (1 / lam) integral_0^R L(x) f_p(x / lam; (1 - lam) r / lam) dx [1]_.

    After a shift two numbers matter, the part of the average along the shift and the length of
    the rest; the integral over both [2]_ is taken in polar angles, where it has no edge. Limits
    that change from point to point are followed until they have settled.

    References
    ----------
    .. [1] S. E. Rigdon, J. Stat. Comput. Simul. 52 (1995) 351-365.
    .. [2] S. E. Rigdon, Stoch. Process. Appl. 57 (1995) 45-58, with the states of G. C. Runger,
           S. S. Prabhu, J. Am. Stat. Assoc. 91 (1996) 1701-1706.

    Examples
    --------
    >>> mewma_run_length(2, lam=0.1, limit=8.63, shift=[0, 1]).arl.round(1)
    array([199.7,  10.1])
    """
    p = check_mewma(n_variables, lam)
    check_real("limit", limit, above=0)
    check_choice("variance", variance, ("asymptotic", "exact"))

    def make(value: float) -> Chain:
        if value < 0:
            msg = f"shift must not be negative, got {value:g}; it is a length"
            raise InputError(msg)
        return _chain(p, lam, limit, value, variance)

    return from_chains(
        make,
        shift,
        chart="mewma",
        method="integral equation",
        size=_n_nodes(lam, limit, 0.0),
        parameters={"n_variables": p, "lam": lam, "limit": limit, "variance": variance},
        source=_SOURCE,
    )


def mewma_limit(
    n_variables: int, *, lam: float, arl0: float = 200.0, variance: Variance = "asymptotic"
) -> float:
    """Return the limit of a MEWMA chart that has a wanted average run length in control.

    Parameters
    ----------
    n_variables : int
        Number of variables, at least 2.
    lam : float
        Weight of the newest point, in (0, 1].
    arl0 : float, default 200
        Wanted average run length in control, above 1.
    variance : {"asymptotic", "exact"}, default "asymptotic"
        As in `mewma_run_length`.

    Returns
    -------
    float
        The limit h.

    Examples
    --------
    >>> round(mewma_limit(4, lam=0.1, arl0=200), 2)
    12.73
    """
    p = check_mewma(n_variables, lam)
    check_real("arl0", arl0, above=1, below=1e7)
    check_choice("variance", variance, ("asymptotic", "exact"))

    def excess(limit: float) -> float:
        return math.log(_chain(p, lam, limit, 0.0, variance).mean() / arl0)

    # without memory the chart signals sooner than with it, at the same limit
    most = 2 * float(stats.chi2.isf(min(0.5, 1 / arl0), p)) + 10
    return float(optimize.brentq(excess, 1e-3, most, xtol=1e-10))


def check_mewma(n_variables: int, lam: float) -> int:
    """Return the number of variables, checked, and check the weight."""
    check_real("lam", lam, above=0)
    if lam > 1:
        msg = f"lam must lie in (0, 1], got {lam!r}"
        raise InputError(msg)
    return check_integer("n_variables", n_variables, least=2, most=100)


def _chain(p: int, lam: float, limit: float, shift: float, variance: str) -> Chain:
    if lam == 1:
        return _without_memory(p, limit, shift)
    if variance == "exact":
        return _exact(p, lam, limit, shift)
    edge = math.sqrt(limit * lam / (2 - lam))
    origin = _Points.origin(shift)
    points = _Points.of(_n_nodes(lam, limit, shift), edge, shift)
    moves = np.zeros((len(points.weights) + 1,) * 2)
    moves[0, 1:] = points.reached_from(origin, p, lam, shift)[0]
    moves[1:, 1:] = points.reached_from(points, p, lam, shift)
    first = np.zeros(len(moves))
    first[0] = 1.0
    return Chain(moves=moves, start=first)


def _without_memory(p: int, limit: float, shift: float) -> Chain:
    inside = stats.chi2.cdf(limit, p) if shift == 0 else stats.ncx2.cdf(limit, p, shift**2)
    return Chain(moves=np.array([[float(inside)]]), start=np.ones(1))


def _exact(p: int, lam: float, limit: float, shift: float) -> Chain:
    """Follow limits that change until they have settled."""
    points, state, prefix, rest = _Points.origin(shift), np.ones(1), [1.0], 1.0
    n = _n_nodes(lam, limit, shift)
    while rest > _SETTLED:
        rest *= (1 - lam) ** 2
        edge = math.sqrt(limit * lam / (2 - lam) * (1 - rest))
        new = _Points.of(n, edge, shift)
        state = state @ new.reached_from(points, p, lam, shift)
        points = new
        prefix.append(float(state.sum()))
    moves = points.reached_from(points, p, lam, shift)
    return Chain(moves=moves, start=state, prefix=np.array(prefix[:-1]))


class _Points:
    """Places of the average: its length, or after a shift the part along it and the rest."""

    def __init__(self, along: Array | None, rest: Array, weights: Array) -> None:
        self.along, self.rest, self.weights = along, rest, weights

    @classmethod
    def origin(cls, shift: float) -> _Points:
        zero = np.zeros(1)
        return cls(zero if shift else None, zero, np.ones(1))

    @classmethod
    def of(cls, n: int, edge: float, shift: float) -> _Points:
        if not shift:
            return cls(None, *interval(n, edge))
        return cls(*half_disc(n, edge))

    def reached_from(self, origin: _Points, p: int, lam: float, shift: float) -> Array:
        """Return the weighted density of these places from each place of the origin."""
        mean = (1 - lam) / lam * origin.rest
        if self.along is None or origin.along is None:
            return rest_density(self.rest / lam, mean, p) / lam * self.weights
        density = rest_density(self.rest / lam, mean, p - 1) / lam
        step = (self.along - (1 - lam) * origin.along[:, None]) / lam - shift
        density *= normal_density(step) * (self.weights / lam)
        return density


def _n_nodes(lam: float, limit: float, shift: float) -> int:
    """Return enough nodes, in each direction: more the narrower the steps are."""
    widths = math.sqrt(limit / (lam * (2 - lam)))
    if not shift:
        return max(24, 2 * math.ceil(1.2 * widths + 8))
    return min(_MOST_NODES, 2 * math.ceil(1.8 * widths + 4))
