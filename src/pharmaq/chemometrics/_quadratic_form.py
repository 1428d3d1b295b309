"""The distribution of a sum of squared normal values with unequal variances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize

if TYPE_CHECKING:
    from numpy.typing import NDArray

# natural logarithm of the relative error that integration may leave
_DIGITS = 37.0


def upper_tail(variances: NDArray[np.float64], value: float) -> float:
    """Return the chance that sum_j variance_j z_j^2 exceeds a value, z_j standard normal.

    Parameters
    ----------
    variances : ndarray of shape (n,)
        Positive.
    value : float
        Positive.

    Returns
    -------
    float
        The chance, to some 14 decimals.

    Notes
    -----
    Imhof [1]_ inverts the characteristic function along the imaginary axis, where the integrand
    oscillates and, with few variances, hardly falls. Here the same integral of
    exp(-s value) / (s prod_j sqrt(1 - 2 variance_j s)) runs through the saddle point and then
    bends away from the pole at 0, around the branch points at 1 / (2 variance_j), as Rice [2]_
    proposes: it falls as a normal density does, and the trapezoidal rule converges
    exponentially.

    References
    ----------
    .. [1] J. P. Imhof, Biometrika 48 (1961) 419-426.
    .. [2] S. O. Rice, SIAM J. Sci. Stat. Comput. 1 (1980) 438-448.
    """
    scaled = variances / variances.max()
    x = value / variances.max()
    saddle = _saddle_point(scaled, x)
    # where s = saddle + t^2 / (4 room) + i t meets pole and branch point, t is that far from
    # real: the nearer of them rules the step
    room = 0.5 - saddle
    nearest = 2 * room * min(1.0, np.sqrt(1 + saddle / room) - 1)
    step = 2 * np.pi * nearest / _DIGITS

    def terms(t: NDArray[np.float64]) -> NDArray[np.complex128]:
        s = saddle + t**2 / (4 * room) + 1j * t
        logs = -0.5 * np.log(1 - 2 * np.multiply.outer(s, scaled)).sum(axis=1)
        return np.exp(logs - s * x) / s * (1j + t / (2 * room))

    # enough for few variances; with many, the factors fall before the exponential does
    count = int(np.sqrt(4 * room * _DIGITS / x) / step) + 2
    start = abs(terms(np.zeros(1))[0])
    while abs(terms(np.array([count * step]))[0]) > np.exp(-_DIGITS) * start:
        count *= 2
    values = terms(step * np.arange(count)).imag
    return float(step / np.pi * (values.sum() - values[0] / 2))


def upper_quantile(variances: NDArray[np.float64], alpha: float) -> float:
    """Return the value that sum_j variance_j z_j^2 exceeds with chance alpha.

    Parameters
    ----------
    variances : ndarray of shape (n,)
        Positive.
    alpha : float
        Between 0 and 1.

    Returns
    -------
    float
        The value, to at least 10 digits where alpha exceeds 1e-6.
    """

    def excess(log_value: float) -> float:
        return float(np.log(upper_tail(variances, np.exp(log_value)) / alpha))

    low = high = float(np.log(variances.sum()))
    while excess(low) < 0:
        low -= 1.0
    while excess(high) > 0:
        high += 1.0
    return float(np.exp(optimize.brentq(excess, low, high, xtol=1e-13)))


def _saddle_point(scaled: NDArray[np.float64], x: float) -> float:
    """Return where the integrand is least on the real axis between pole and branch point."""

    def slope(s: float) -> float:
        return float(np.sum(scaled / (1 - 2 * scaled * s)) - x - 1 / s)

    # the slope rises from minus to plus infinity between the pole at 0 and the branch at 1/2
    low, high = 1e-3 / (x + scaled.sum()), 0.5 * (1 - 1e-3 / (x + scaled.sum() + 10))
    return float(optimize.brentq(slope, low, high))
