"""Distributions of quality data that are not normal: fits, and how well they fit."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

from pharmaq._checks import check_choice, check_vector
from pharmaq.errors import InputError
from pharmaq.results import Result
from pharmaq.spc._columns import check_varies
from pharmaq.spc.inference import anderson_darling
from pharmaq.spc.johnson import fit_johnson, johnson_inverse, johnson_scores

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Vector = NDArray[np.float64]

__all__ = ["DistributionName", "FittedDistribution", "fit_distribution", "normal_scores"]

DistributionName = Literal["normal", "lognormal", "weibull", "gamma", "boxcox", "johnson"]

_LEAST = 8
# M. A. Stephens in R. B. D'Agostino, M. A. Stephens, Goodness-of-Fit Techniques, 1986: upper
# tail percentage points of A^2 with estimated parameters; gamma by the inverse of its shape
_LEVELS = np.array([0.25, 0.10, 0.05, 0.025, 0.01])
_WEIBULL = np.array([0.474, 0.637, 0.757, 0.877, 1.038])
_GAMMA = {
    0.0: (0.470, 0.631, 0.752, 0.873, 1.035),
    0.1: (0.471, 0.633, 0.754, 0.877, 1.040),
    0.25: (0.473, 0.637, 0.759, 0.883, 1.048),
    0.5: (0.477, 0.643, 0.768, 0.894, 1.062),
    1.0: (0.486, 0.657, 0.786, 0.917, 1.092),
}


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class FittedDistribution(Result):
    """A distribution with its parameters, and how well it fits.

    Parameters
    ----------
    name : str
        ``"normal"``, ``"lognormal"``, ``"weibull"``, ``"gamma"``, ``"boxcox"``, ``"johnson"``.
    parameters : dict
        See `fit_distribution`.
    a2, p : float or None
        Anderson-Darling statistic and its p; None below 8 values. p of Weibull and gamma is
        read from a table that ends at 0.01 and 0.25.
    n_values : int
        Number of values.
    method : str
        How the parameters were estimated.
    """

    name: str
    parameters: dict[str, Any]
    a2: float | None
    p: float | None
    n_values: int
    method: str

    def to_frame(self) -> pd.DataFrame:
        """Return one row: name, parameters in words, A^2, p, method."""
        words = ", ".join(
            f"{key}={value}" if isinstance(value, str) else f"{key}={value:.6g}"
            for key, value in self.parameters.items()
        )
        return pd.DataFrame(
            [
                {
                    "distribution": self.name,
                    "parameters": words,
                    "a2": self.a2,
                    "p": self.p,
                    "method": self.method,
                }
            ]
        )

    def cdf(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of a value of `x` or less.

        Parameters
        ----------
        x : array-like
            Values, in the unit of the data.

        Returns
        -------
        ndarray
            Probabilities, of the shape of `x`.
        """
        return special.ndtr(normal_scores(self.name, self.parameters, np.asarray(x, float)))

    def quantile(self, p: ArrayLike) -> NDArray[np.float64]:
        """Return the value below which the share `p` of the distribution lies.

        Parameters
        ----------
        p : array-like
            Probabilities, in (0, 1).

        Returns
        -------
        ndarray
            Values, of the shape of `p`; infinite where a transformation does not reach.
        """
        return self.at_score(special.ndtri(np.asarray(p, float)))

    def at_score(self, z: ArrayLike) -> NDArray[np.float64]:
        """Return the value whose probability is that of the standard normal score `z`.

        Parameters
        ----------
        z : array-like
            Normal scores: -3 and 3 are the percentiles 0.135 and 99.865 %.

        Returns
        -------
        ndarray
            Values, of the shape of `z`.
        """
        return _AT_SCORE[self.name](self.parameters, np.asarray(z, dtype=float))


def fit_distribution(values: ArrayLike, name: DistributionName) -> FittedDistribution:
    """Fit a distribution to single values.

    Parameters
    ----------
    values : array-like, shape (n,)
        At least two values (eight for ``"johnson"``), not all equal, any unit; NaN raises.
        Above 0 for all but ``"normal"`` and ``"johnson"``.
    name : str
        ``"normal"``: ``mean``, ``sd`` (divisor n - 1). ``"lognormal"``: the same of
        logarithms. ``"weibull"``: ``shape``, ``scale``; ``"gamma"``: ``shape``, ``scale``,
        both of maximum likelihood, from 0 on. ``"boxcox"``: ``power`` of maximum likelihood
        [1]_, ``mean`` and ``sd`` of (x^power - 1) / power. ``"johnson"``: ``family`` SU, SB or
        SL with ``gamma``, ``eta``, ``epsilon``, ``lambda`` by four quantiles [2]_, at the
        spacing between 0.25 and 1.25 that gives the smallest A^2 (the search of [3]_).

    Returns
    -------
    FittedDistribution
        Parameters, distribution function, quantiles, Anderson-Darling test.

    Raises
    ------
    InputError
        If values are too few, equal, or not positive, or no member of the family fits.

    Notes
    -----
    p of ``"boxcox"`` and ``"johnson"`` is that of normal values with estimated mean and
    standard deviation. The transformation was chosen by the same values, so that p is too
    large: it is a warning when small, and no proof when large.

    References
    ----------
    .. [1] G. E. P. Box, D. R. Cox, J. R. Stat. Soc. B 26 (1964) 211-252.
    .. [2] J. F. Slifker, S. S. Shapiro, Technometrics 22 (1980) 239-246.
    .. [3] Y.-M. Chou, A. M. Polansky, R. L. Mason, J. Qual. Technol. 30 (1998) 133-141.

    Examples
    --------
    >>> fitted = fit_distribution([1.2, 3.4, 2.2, 0.7, 5.1, 2.6, 1.9, 4.0], "weibull")
    >>> round(fitted.parameters["shape"], 2), round(fitted.parameters["scale"], 2)
    (2.04, 2.98)
    """
    check_choice("name", name, get_args(DistributionName))
    x = check_vector("values", values, least=_LEAST if name == "johnson" else 2)
    check_varies("values", x)
    if name not in {"normal", "johnson"}:
        _require_positive(x, name)
    parameters, method = _FITS[name](x)
    a2, p = _goodness(name, parameters, x) if x.size >= _LEAST else (None, None)
    return FittedDistribution(
        name=name, parameters=parameters, a2=a2, p=p, n_values=x.size, method=method
    )


def normal_scores(name: str, parameters: dict[str, Any], x: Vector) -> Vector:
    """Return standard normal scores of values under a fitted distribution.

    Parameters
    ----------
    name : str
        Name of the distribution.
    parameters : dict
        Its parameters.
    x : ndarray
        Values; those the distribution cannot have are at -inf or inf.

    Returns
    -------
    ndarray
        Scores: normal with mean 0 and standard deviation 1 if the distribution is right.
    """
    return _SCORES[name](parameters, x)


def _require_positive(x: Vector, name: str) -> None:
    bad = np.flatnonzero(x <= 0)
    if bad.size:
        i = int(bad[0])
        msg = f"values must be above 0 for {name!r}, but values[{i}] is {x[i]:g}"
        raise InputError(msg)


def _moments(x: Vector) -> dict[str, float]:
    return {"mean": float(x.mean()), "sd": float(x.std(ddof=1))}


def _fit_normal(x: Vector) -> tuple[dict[str, Any], str]:
    return _moments(x), "mean and s"


def _fit_lognormal(x: Vector) -> tuple[dict[str, Any], str]:
    return _moments(np.log(x)), "mean and s of logarithms"


def _fit_weibull(x: Vector) -> tuple[dict[str, Any], str]:
    logs = np.log(x)
    # scaled by the largest value: powers of it stay within the range of a number
    off = logs - logs.max()

    def slope(log_shape: float) -> float:
        k = math.exp(log_shape)
        weight = np.exp(k * off)
        return float(weight @ off / weight.sum() - off.mean()) - 1 / k

    # the shape of the extreme values that logarithms are
    guess = math.log(math.pi / math.sqrt(6) / float(logs.std()))
    shape = math.exp(_root(slope, guess))
    scale = math.exp(logs.max() + math.log(float(np.mean(np.exp(shape * off)))) / shape)
    return {"shape": shape, "scale": scale}, "maximum likelihood"


def _fit_gamma(x: Vector) -> tuple[dict[str, Any], str]:
    gap = math.log(float(x.mean())) - float(np.log(x).mean())

    def slope(log_shape: float) -> float:
        k = math.exp(log_shape)
        return gap - (log_shape - float(special.digamma(k)))

    shape = math.exp(_root(slope, -math.log(2 * gap)))
    return {"shape": shape, "scale": float(x.mean()) / shape}, "maximum likelihood"


def _root(rising: Callable[[float], float], guess: float) -> float:
    low, high = guess - 1, guess + 1
    while rising(low) > 0:
        low -= 1
    while rising(high) < 0:
        high += 1
    return float(optimize.brentq(rising, low, high, xtol=1e-13))


def _fit_boxcox(x: Vector) -> tuple[dict[str, Any], str]:
    unit = x / _geometric_mean(x)
    found = optimize.minimize_scalar(
        lambda power: -float(stats.boxcox_llf(power, unit)), bracket=(-1.0, 1.0), tol=1e-10
    )
    power = float(found.x)
    scaled = np.asarray(special.boxcox(x, power), dtype=np.float64)
    return {"power": power} | _moments(scaled), "power of maximum likelihood"


def _geometric_mean(x: Vector) -> float:
    """Return the geometric mean, which takes the unit out of a Box-Cox transformation."""
    return math.exp(float(np.log(x).mean()))


def _fit_johnson(x: Vector) -> tuple[dict[str, Any], str]:
    parameters, spacing = fit_johnson(x)
    return parameters, f"four quantiles at z = {spacing:.2f} (Slifker and Shapiro 1980)"


def _goodness(name: str, parameters: dict[str, Any], x: Vector) -> tuple[float, float]:
    if name in {"normal", "lognormal", "boxcox", "johnson"}:
        scores = normal_scores(name, parameters, x)
        tested = anderson_darling(scores)
        return tested.statistic, tested.p
    z = np.sort(normal_scores(name, parameters, x))
    i = np.arange(1, x.size + 1)
    logs = special.log_ndtr(z) + special.log_ndtr(-z[::-1])
    a2 = float(-x.size - np.sum((2 * i - 1) * logs) / x.size)
    if name == "weibull":
        return a2, _p_of_table(a2 * (1 + 0.2 / math.sqrt(x.size)), _WEIBULL)
    inverse = min(1 / parameters["shape"], 1.0)
    rows = np.array(list(_GAMMA.values()))
    points = np.array([np.interp(inverse, list(_GAMMA), column) for column in rows.T])
    return a2, _p_of_table(a2, points)


def _p_of_table(a2: float, points: Vector) -> float:
    """Return p between the levels of a table, linear in its logarithm, and not beyond."""
    return math.exp(float(np.interp(a2, points, np.log(_LEVELS))))


def _standard(z: Vector, p: dict[str, Any]) -> Vector:
    return (z - p["mean"]) / p["sd"]


def _from_tails(below: Vector, above: Vector) -> Vector:
    """Return scores by the smaller of both tails, which keeps its digits."""
    return np.where(below < above, special.ndtri(below), -special.ndtri(above))


def _positive(x: Vector, scores: Callable[[Vector], Vector]) -> Vector:
    """Return scores of positive values, and -inf for the others."""
    found = np.full(np.shape(x), -np.inf)
    inside = x > 0
    found[inside] = scores(x[inside])
    return found


def _weibull_scores(p: dict[str, Any], x: Vector) -> Vector:
    def scores(x: Vector) -> Vector:
        power = (x / p["scale"]) ** p["shape"]
        return _from_tails(-np.expm1(-power), np.exp(-power))

    return _positive(x, scores)


def _gamma_scores(p: dict[str, Any], x: Vector) -> Vector:
    k, scale = p["shape"], p["scale"]
    return _positive(
        x,
        lambda x: _from_tails(special.gammainc(k, x / scale), special.gammaincc(k, x / scale)),
    )


def _at_weibull(p: dict[str, Any], z: Vector) -> Vector:
    return np.asarray(p["scale"] * (-special.log_ndtr(-z)) ** (1 / p["shape"]))


def _at_gamma(p: dict[str, Any], z: Vector) -> Vector:
    low = special.gammaincinv(p["shape"], special.ndtr(z))
    high = special.gammainccinv(p["shape"], special.ndtr(-z))
    return p["scale"] * np.where(z < 0, low, high)


def _at_boxcox(p: dict[str, Any], z: Vector) -> Vector:
    y = p["mean"] + z * p["sd"]
    beyond = p["power"] * y + 1 <= 0
    found = special.inv_boxcox(np.where(beyond, 0.0, y), p["power"])
    # a positive power does not reach below 0, a negative one stays below its bound
    return np.where(beyond, 0.0 if p["power"] > 0 else np.inf, found)


_FITS: dict[str, Callable[[Vector], tuple[dict[str, Any], str]]] = {
    "normal": _fit_normal,
    "lognormal": _fit_lognormal,
    "weibull": _fit_weibull,
    "gamma": _fit_gamma,
    "boxcox": _fit_boxcox,
    "johnson": _fit_johnson,
}
_SCORES: dict[str, Callable[[dict[str, Any], Vector], Vector]] = {
    "normal": lambda p, x: _standard(x, p),
    "lognormal": lambda p, x: _positive(x, lambda x: _standard(np.log(x), p)),
    "weibull": _weibull_scores,
    "gamma": _gamma_scores,
    "boxcox": lambda p, x: _positive(
        x, lambda x: _standard(np.asarray(special.boxcox(x, p["power"])), p)
    ),
    "johnson": johnson_scores,
}
_AT_SCORE: dict[str, Callable[[dict[str, Any], Vector], Vector]] = {
    "normal": lambda p, z: p["mean"] + z * p["sd"],
    "lognormal": lambda p, z: np.exp(p["mean"] + z * p["sd"]),
    "weibull": _at_weibull,
    "gamma": _at_gamma,
    "boxcox": _at_boxcox,
    "johnson": johnson_inverse,
}
