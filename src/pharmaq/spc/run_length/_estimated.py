"""Run length of charts whose limits were estimated from few data."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy import interpolate, special, stats

from pharmaq._checks import check_choice, check_integer, check_real
from pharmaq.errors import InputError
from pharmaq.results import Result
from pharmaq.spc.constants import c4, d2, d3
from pharmaq.spc.run_length._chain import LEVELS, LONGEST
from pharmaq.spc.run_length._cusum import cusum_mean
from pharmaq.spc.run_length._ewma import ewma_mean, gauss_legendre

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    # shift, standard error of the center, degrees of freedom and bias of the spread
    Estimate = tuple[float, float, float, float]

__all__ = ["EstimatedRunLength", "estimated_limits"]

Estimator = Literal["pooled", "rbar", "sbar", "mr"]

_CENTERS, _SPREADS = 96, 40
# the density of the estimates is negligible this many standard deviations away
_TAILS = 8.0
# estimates with endless runs may be left out of the mean up to this share of it
_NEGLIGIBLE = 1e-6
# quantiles: a grid of so many equally probable estimates each, from so many solved ones
_FINE, _COARSE = 300, 25


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class EstimatedRunLength(Result):
    """Run length of a chart whose center and standard deviation were estimated.

    Parameters
    ----------
    chart : str
        The chart.
    arl : float
        Unconditional average run length: the mean over all estimates; infinite where the mean
        does not exist.
    arl_known : float
        Average run length if center and standard deviation were known.
    conditional : ndarray of shape (5,)
        Quantiles `levels` of the average run length that a chart has, given its estimates.
    levels : tuple of float
        0.05, 0.25, 0.5, 0.75 and 0.95.
    below_known : float
        Probability that a chart has a shorter average run length than with known values.
    m, n : int
        Subgroups of the estimate, and their size.
    degrees : float
        Degrees of freedom of the estimated standard deviation.
    estimator : str
        The estimator.
    method : str
        ``"exact"`` where the estimator is chi distributed; ``"patnaik"`` where it is taken for
        chi distributed with the same mean and variance.
    shift : float
        Shift of the mean in standard deviations of the plotted statistic.
    parameters : dict
        Limits of the chart.
    """

    chart: str
    arl: float
    arl_known: float
    conditional: NDArray[np.float64]
    below_known: float
    m: int
    n: int
    degrees: float
    estimator: str
    method: str
    shift: float
    parameters: dict[str, float]
    levels: tuple[float, ...] = LEVELS

    def to_frame(self) -> pd.DataFrame:
        """Return one row."""
        quantiles = {
            f"q{100 * p:g}": q for p, q in zip(self.levels, self.conditional, strict=True)
        }
        names = ("chart", "m", "n", "estimator", "shift", "arl_known", "arl", "below_known")
        return pd.DataFrame([{name: getattr(self, name) for name in names} | quantiles])


def estimated_limits(
    chart: Literal["shewhart", "ewma", "cusum"] = "shewhart",
    *,
    m: int,
    n: int = 1,
    estimator: Estimator | None = None,
    unbiased: bool = True,
    shift: float = 0.0,
    **parameters: float,
) -> EstimatedRunLength:
    """Return what estimating center and limits from m subgroups does to the run length.

    Parameters
    ----------
    chart : {"shewhart", "ewma", "cusum"}, default "shewhart"
        Two-sided chart of single values or subgroup means.
    m : int
        Number of subgroups of phase 1.
    n : int, default 1
        Size of the subgroups.
    estimator : {"pooled", "rbar", "sbar", "mr"}, optional
        Of the standard deviation: pooled within subgroups, mean range over d2, mean standard
        deviation over c4, mean moving range of two over d2. Pooled by default, for single
        values the moving range; ``"pooled"`` then is the standard deviation of all values.
    unbiased : bool, default True
        Whether a pooled standard deviation is divided by c4.
    shift : float, default 0
        Shift of the mean in standard deviations of the plotted statistic.
    **parameters : float
        ``limit`` (3 by default) of a Shewhart chart; ``lam`` and ``limit``; ``k`` and ``h``.

    Returns
    -------
    EstimatedRunLength
        Unconditional average run length, and quantiles of the conditional one.

    Raises
    ------
    InputError
        If a parameter is out of its range, or the estimator does not fit.

    Notes
    -----
    Given the estimated center, off by Z / sqrt(m) standard deviations of the statistic, and the
    estimated over the true standard deviation W, the chart has a run length as any other; it is
    integrated over the normal Z and the chi distributed W [1]_ [2]_. Ranges, mean standard
    deviations and moving ranges are taken for chi distributed with their exact variance
    (Patnaik), and the moving range for independent of the center. The mean over all estimates
    exists only for more than about L^2 (CUSUM: 4 k h) degrees of freedom; quantiles always do,
    here to three digits.

    References
    ----------
    .. [1] S. Chakraborti, Commun. Stat. Simul. Comput. 29 (2000) 511-532.
    .. [2] L. A. Jones, C. W. Champ, S. E. Rigdon, Technometrics 43 (2001) 156-167.

    Examples
    --------
    >>> found = estimated_limits("ewma", m=20, n=5, lam=0.2, limit=2.636)
    >>> round(found.arl_known, 1), round(found.arl, 1)
    (200.3, 144.5)
    >>> estimated_limits(m=25, n=5).conditional.round(0)
    array([ 104.,  196.,  312.,  509., 1077.])
    """
    check_choice("chart", chart, ("shewhart", "ewma", "cusum"))
    check_integer("m", m, least=2)
    check_integer("n", n, least=1)
    check_real("shift", shift)
    chosen = _estimator(estimator, n)
    degrees, bias = _spread(chosen, m, n, unbiased=unbiased)
    limits = _parameters(chart, parameters)
    mean = _conditional(chart, limits)
    estimate = (shift, 1 / math.sqrt(m), degrees, bias)
    known = float(mean(np.array([shift]), np.ones(1))[0, 0])
    lengths = _equally_probable(mean, estimate, direct=chart == "shewhart")
    return EstimatedRunLength(
        chart=chart,
        arl=_unconditional(mean, estimate, _growth(chart, limits)),
        arl_known=known,
        conditional=np.quantile(lengths, LEVELS),
        below_known=float(np.mean(lengths < known)),
        m=m,
        n=n,
        degrees=degrees,
        estimator=chosen,
        method="exact" if chosen == "pooled" else "patnaik",
        shift=shift,
        parameters=limits,
    )


def _estimator(estimator: Estimator | None, n: int) -> Estimator:
    if estimator is None:
        return "mr" if n == 1 else "pooled"
    check_choice("estimator", estimator, ("pooled", "rbar", "sbar", "mr"))
    fits = n == 1 if estimator == "mr" else n > 1 or estimator == "pooled"
    if not fits:
        msg = f"estimator = {estimator!r} does not go with subgroups of n = {n}"
        raise InputError(msg)
    return estimator


def _spread(estimator: Estimator, m: int, n: int, *, unbiased: bool) -> tuple[float, float]:
    """Return degrees of freedom, and c so that W = sqrt(chi2 / degrees) / c."""
    if estimator == "pooled":
        degrees = m - 1 if n == 1 else m * (n - 1)
        return float(degrees), c4(degrees + 1) if unbiased else 1.0
    variance = {
        "rbar": lambda: (d3(n) / d2(n)) ** 2 / m,
        "sbar": lambda: (1 - c4(n) ** 2) / c4(n) ** 2 / m,
        "mr": lambda: _moving_range_variance(m),
    }[estimator]()
    # chi / c with mean 1 and this variance: c4^2 = 1 / (1 + variance)
    wanted = 0.5 * math.log1p(variance)
    low, high = 0.05, 1e9
    for _ in range(200):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if -_log_c4(middle) > wanted else (low, middle)
    return middle, math.exp(_log_c4(middle))


def _log_c4(degrees: float) -> float:
    ratio = special.gammaln((degrees + 1) / 2) - special.gammaln(degrees / 2)
    return float(0.5 * math.log(2 / degrees) + ratio)


def _moving_range_variance(m: int) -> float:
    """Return the variance of the mean moving range over d2 of m normal values."""
    square, mean = 2.0, 2 / math.sqrt(math.pi)
    # mean product of neighbours: their differences have variance 2 and correlation -1/2
    product = 2 * (2 / math.pi) * (math.sqrt(0.75) + 0.5 * math.asin(0.5))
    pairs = m - 1
    variance = pairs * (square - mean**2) + 2 * (pairs - 1) * (product - mean**2)
    return variance / pairs**2 / mean**2


def _parameters(chart: str, given: dict[str, Any]) -> dict[str, float]:
    names = {"shewhart": ("limit",), "ewma": ("lam", "limit"), "cusum": ("k", "h")}[chart]
    values = {"limit": 3.0} | given if chart == "shewhart" else dict(given)
    if set(values) != set(names):
        msg = f"a {chart} chart has the parameters {', '.join(names)}, got {sorted(given)}"
        raise InputError(msg)
    checked = {name: check_real(name, values[name], above=0) for name in names}
    if checked.get("lam", 0.5) > 1:
        msg = f"lam must lie in (0, 1], got {checked['lam']!r}"
        raise InputError(msg)
    return checked


def _conditional(chart: str, p: dict[str, float]) -> Callable[[Array, Array], Array]:
    """Return a function of shifts and spreads W: run lengths, shape (shifts, spreads)."""
    if chart == "shewhart":

        def shewhart(shifts: Array, spreads: Array) -> Array:
            edge, at = p["limit"] * spreads, shifts[:, None]
            return 1 / (special.ndtr(at - edge) + special.ndtr(-at - edge))

        return shewhart
    mean: Callable[[float, float], float]
    if chart == "ewma":
        mean = lambda s, w: ewma_mean(p["lam"], p["limit"] * w, s)  # noqa: E731
    else:
        mean = lambda s, w: cusum_mean(p["k"] * w, p["h"] * w, s)  # noqa: E731
    return lambda shifts, spreads: np.array([[mean(s, w) for w in spreads] for s in shifts])


def _growth(chart: str, p: dict[str, float]) -> float:
    """Return g of exp(g W^2 / 2), as which the run length grows with the limits."""
    return 4 * p["k"] * p["h"] if chart == "cusum" else p["limit"] ** 2


def _unconditional(
    mean: Callable[[Array, Array], Array], estimate: Estimate, growth: float
) -> float:
    shift, error, degrees, bias = estimate
    left = 1 - growth / (degrees * bias**2)
    if left <= 0:
        return math.inf
    nodes, weights = gauss_legendre(_CENTERS)
    z, dz = _TAILS * nodes, _TAILS * weights
    nodes, weights = gauss_legendre(_SPREADS)
    # run length times chi density has its peak here, and about this width
    low = max(0.0, math.sqrt(degrees) - _TAILS / math.sqrt(2))
    high = math.sqrt(degrees / left) + _TAILS / math.sqrt(2 * left)
    chi, dchi = low + (high - low) / 2 * (nodes + 1), (high - low) / 2 * weights
    grid = mean(shift + error * z, chi / math.sqrt(degrees) / bias)
    weight = np.outer(stats.norm.pdf(z) * dz, stats.chi.pdf(chi, degrees) * dchi)
    endless = grid >= LONGEST
    arl = float(np.sum(weight[~endless] * grid[~endless]))
    return math.inf if LONGEST * float(weight[endless].sum()) > _NEGLIGIBLE * arl else arl


def _equally_probable(
    mean: Callable[[Array, Array], Array], estimate: Estimate, *, direct: bool
) -> Array:
    """Return run lengths for a grid of estimates that are equally probable."""
    shift, error, degrees, bias = estimate
    p = (np.arange(_FINE) + 0.5) / _FINE
    shifts = shift + error * stats.norm.ppf(p)
    spreads = stats.chi.ppf(p, degrees) / math.sqrt(degrees) / bias
    if direct:
        return mean(shifts, spreads)
    rough_shifts = np.linspace(shifts[0], shifts[-1], _COARSE)
    rough_spreads = np.linspace(spreads[0], spreads[-1], _COARSE)
    logs = np.log(mean(rough_shifts, rough_spreads))
    spline = interpolate.RectBivariateSpline(rough_shifts, rough_spreads, logs)
    return np.exp(spline(shifts, spreads))
