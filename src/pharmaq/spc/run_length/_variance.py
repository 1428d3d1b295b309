"""Run length of EWMA and CUSUM charts of variances of subgroups."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import special

from pharmaq._checks import check_choice, check_integer, check_real, check_vector
from pharmaq.errors import InputError
from pharmaq.spc.run_length._chain import Chain
from pharmaq.spc.run_length._collocation import Pieces, pieces
from pharmaq.spc.run_length._result import RunLength, from_chains

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["s2_cusum_run_length", "s2_ewma_run_length"]

_KNOTH_EWMA = "S. Knoth, Stat. Comput. 15 (2005) 341-352"
_KNOTH_CUSUM = "S. Knoth, Comput. Stat. Data Anal. 51 (2006) 499-512"

# the chi density is negligible this far from the square root of its degrees of freedom
_TAILS = 9.0
# the k-th kink is one of the derivative of order k df / 2; those of this order do not matter
_SMOOTH = 12
# pieces of this many standard deviations of one step
_WIDEST = 3.0


def s2_ewma_run_length(
    *,
    lam: float,
    limit: float,
    n: int,
    scale: ArrayLike = 1.0,
    sides: Literal["two", "upper", "lower"] = "upper",
    lower: float | None = None,
    reset: bool = True,
) -> RunLength:
    """Return the run length of an EWMA chart of variances of subgroups.

    Parameters
    ----------
    lam : float
        Weight of the newest variance, in (0, 1].
    limit : float
        Distance L of the limit from the variance in control, in standard deviations of the
        EWMA: 1 + L sqrt(lam / (2 - lam)) sqrt(2 / (n - 1)) times that variance.
    n : int
        Size of the subgroups, at least 2.
    scale : float or array-like of shape (n_scales,), default 1
        True standard deviation over that in control, from the first subgroup on.
    sides : {"two", "upper", "lower"}, default "upper"
        Which limits there are.
    lower : float, optional
        Distance of the lower limit; `limit` if not given.
    reset : bool, default True
        Whether an EWMA of one side is set back to the variance in control whenever it is
        beyond it on the other side; False for ``"upper"`` alone. Two sides have no barrier.

    Returns
    -------
    RunLength
        By the integral equation, ``method="integral equation"``. ``shift`` holds the scales.

    Raises
    ------
    InputError
        If a parameter is out of its range, or the lower limit is not above 0.

    Notes
    -----
    Z_t = (1 - lam) Z_{t-1} + lam S_t^2, Z_0 = 1. As Z never falls by more than lam Z, the run
    length as a function of Z has kinks at the lower end over (1 - lam)^j; it is a polynomial on
    each piece between them, found by collocation [1]_, to nine digits.

    References
    ----------
    .. [1] S. Knoth, Stat. Comput. 15 (2005) 341-352.

    Examples
    --------
    >>> s2_ewma_run_length(lam=0.15, limit=2.4831, n=5, scale=[1, 1.1, 1.5]).arl.round(2)
    array([100.  ,  27.89,   4.3 ])
    """
    options: dict[str, Any] = {"lam": lam, "limit": limit, "sides": sides, "reset": reset}
    options["lower"] = check_s2_ewma(lam, limit, sides, lower)
    degrees = check_integer("n", n, least=2) - 1
    chart = ewma_of_variances(degrees=degrees, smallest=_smallest(scale), **options)
    return from_chains(
        chart.chain,
        scale,
        chart="s2 ewma",
        method="integral equation",
        size=len(chart.pieces.points),
        parameters=options | {"n": n},
        source=_KNOTH_EWMA,
    )


def s2_cusum_run_length(
    *,
    k: float,
    h: float,
    n: int,
    scale: ArrayLike = 1.0,
    sides: Literal["upper", "lower"] = "upper",
    headstart: float = 0.0,
) -> RunLength:
    """Return the run length of a CUSUM chart of variances of subgroups.

    Parameters
    ----------
    k, h : float
        Reference value and decision interval as shares of the variance in control; a signal is
        a sum above h.
    n : int
        Size of the subgroups, at least 2.
    scale : float or array-like of shape (n_scales,), default 1
        True standard deviation over that in control, from the first subgroup on.
    sides : {"upper", "lower"}, default "upper"
        Sum of S^2 - k for an increase, of k - S^2 for a decrease.
    headstart : float, default 0
        The sum before the first subgroup.

    Returns
    -------
    RunLength
        By the integral equation, ``method="integral equation"``. ``shift`` holds the scales.

    Raises
    ------
    InputError
        If a parameter is out of its range.

    Notes
    -----
    The run length as a function of the sum has kinks at multiples of k above 0 (below h for a
    decrease); it is a polynomial on each piece between them, found by collocation [1]_. With
    sigma_1 to be found, k = 2 log(sigma_1) / (1 - 1 / sigma_1^2) is best.

    References
    ----------
    .. [1] S. Knoth, Comput. Stat. Data Anal. 51 (2006) 499-512.

    Examples
    --------
    >>> s2_cusum_run_length(k=1.46, h=10, n=2, scale=[1, 1.5, 2]).arl.round(2)
    array([260.74,  13.63,   5.99])
    """
    check_real("k", k, above=0)
    check_real("h", h, above=0)
    check_choice("sides", sides, ("upper", "lower"))
    check_real("headstart", headstart, above=-1e-300, below=h)
    degrees = check_integer("n", n, least=2) - 1
    sign = 1.0 if sides == "upper" else -1.0
    step = math.sqrt(2 / degrees) * _smallest(scale) ** 2
    kinks = k * np.arange(1.0, _n_kinks(degrees) + 1)
    if sides == "lower":
        kinks = h - kinks
    root = int(sign) * (degrees % 2)
    chart = VarianceChart(
        degrees=degrees,
        recursion=(1.0, -sign * k, sign),
        pieces=pieces(0.0, h, kinks, _WIDEST * step, root=root),
        start=headstart,
        barrier=0.0,
    )
    return from_chains(
        chart.chain,
        scale,
        chart="s2 cusum",
        method="integral equation",
        size=len(chart.pieces.points),
        parameters={"k": k, "h": h, "n": n, "sides": sides, "headstart": headstart},
        source=_KNOTH_CUSUM,
    )


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class VarianceChart:
    """A statistic that follows z -> a z + b + c S^2.

    Parameters
    ----------
    degrees : int
        Degrees of freedom of the variances.
    recursion : tuple of float
        a, b and c.
    pieces : Pieces
        Values without a signal.
    start : float
        Value before the first variance.
    barrier : float, optional
        End of the pieces to which the statistic is set back instead of signalling.
    """

    degrees: int
    recursion: tuple[float, float, float]
    pieces: Pieces
    start: float
    barrier: float | None

    def chain(self, scale: float) -> Chain:
        """Return states start, barrier and collocation points; no start is come back to."""
        keep, shift, weight = self.recursion
        points = self.pieces.points
        barrier = self.start if self.barrier is None else self.barrier
        origins = keep * np.concatenate([[self.start, barrier], points])[:, None] + shift
        unit = check_real("scale", scale, above=0) / math.sqrt(self.degrees)
        middle = math.sqrt(self.degrees)
        tails = unit * max(middle - _TAILS, 0.0), unit * (middle + _TAILS)

        # the noise is S, not S^2, whose density has a pole for one degree of freedom
        def to_noise(z: float) -> Array:
            return np.clip(np.sqrt(np.maximum((z - origins) / weight, 0.0)), *tails)

        moves = np.zeros((len(points) + 2, len(points) + 2))
        moves[:, 2:] = self.pieces.integrals(
            to_noise,
            lambda s: origins + weight * s**2,
            lambda s: chi_density(s / unit, self.degrees) / unit,
        )
        if self.barrier is not None:
            beyond = np.maximum((barrier - origins[:, 0]) / weight, 0.0) / unit**2 / 2
            below = (barrier == self.pieces.edges[0]) == (weight > 0)
            share = special.gammainc if below else special.gammaincc
            moves[:, 1] = share(self.degrees / 2, beyond)
        first = np.zeros(len(moves))
        first[0] = 1.0
        return Chain(moves=moves, start=first)


def ewma_of_variances(
    *,
    lam: float,
    limit: float,
    degrees: int,
    sides: str,
    lower: float | None,
    reset: bool,
    smallest: float,
) -> VarianceChart:
    """Return an EWMA chart of variances, fine enough for scales down to the smallest."""
    sigma = math.sqrt(2 / degrees)
    width = math.sqrt(lam / (2 - lam)) * sigma
    below = limit if lower is None else lower
    low, high = 1 - below * width, 1 + limit * width
    if sides == "lower" and not reset:
        msg = 'reset = False is for sides = "upper": without a barrier Z has no upper end'
        raise InputError(msg)
    if sides != "upper" and low <= 0:
        msg = (
            f"lower must be below {1 / width:g}, got {below:g}: the lower limit would not be "
            f'above 0; use sides = "upper"'
        )
        raise InputError(msg)
    if sides == "upper":
        low = 1.0 if reset else 0.0
    elif sides == "lower":
        high = 1.0
    barrier = {"upper": low, "lower": high}.get(sides) if reset else None
    kinks: Array = np.empty(0)
    if lam < 1 and low > 0:
        kinks = low / (1 - lam) ** np.arange(1.0, _n_kinks(degrees) + 1)
    widest = _WIDEST * lam * sigma * smallest**2
    return VarianceChart(
        degrees=degrees,
        recursion=(1 - lam, 0.0, lam),
        pieces=pieces(low, high, kinks, widest, root=degrees % 2 if len(kinks) else 0),
        start=1.0,
        barrier=barrier,
    )


def check_s2_ewma(lam: float, limit: float, sides: str, lower: float | None) -> float | None:
    """Return the distance of the lower limit, if there is one."""
    check_real("lam", lam, above=0)
    if lam > 1:
        msg = f"lam must lie in (0, 1], got {lam!r}"
        raise InputError(msg)
    check_real("limit", limit, above=0)
    if check_choice("sides", sides, ("two", "upper", "lower")) != "upper":
        return limit if lower is None else check_real("lower", lower, above=0)
    if lower is not None:
        msg = f'lower is for sides = "two" or "lower", got {lower!r}'
        raise InputError(msg)
    return None


def chi_density(x: Array, degrees: int) -> Array:
    """Return the density of the root of a chi square."""
    constant = (degrees / 2 - 1) * math.log(2) + math.lgamma(degrees / 2)
    power = x ** (degrees - 1)
    return power * np.exp(-0.5 * x**2 - constant)


def _n_kinks(degrees: int) -> int:
    return math.ceil(2 * _SMOOTH / degrees)


def _smallest(scale: ArrayLike) -> float:
    """Return the smallest scale, at most 1, on which the width of the pieces depends."""
    values = check_vector("scale", np.atleast_1d(np.asarray(scale, dtype=object)))
    return min(1.0, *(check_real("scale", float(value), above=0) for value in values))
