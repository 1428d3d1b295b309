"""Limits for Hotelling's T2 and for the squared prediction error (SPE, also called Q)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import optimize, stats

from pharmaq._checks import as_float, check_choice, check_finite, check_integer, check_real
from pharmaq.chemometrics._quadratic_form import upper_quantile
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "EigenvalueMethod",
    "SPEMethod",
    "T2Method",
    "spe_limit",
    "spe_limit_from_eigenvalues",
    "spe_limit_from_values",
    "t2_limit",
]

T2Method = Literal["f", "beta", "simca", "chi2"]
SPEMethod = Literal["jackson", "box", "robust", "imhof", "box_eigenvalues"]
EigenvalueMethod = Literal["jackson", "imhof", "box_eigenvalues"]

EIGENVALUE_METHODS = ("jackson", "imhof", "box_eigenvalues")
SPE_METHODS = ("jackson", "box", "robust", "imhof", "box_eigenvalues")


def t2_limit(
    n_samples: int, n_components: int, *, alpha: float = 0.05, method: T2Method = "f"
) -> float:
    """Return the limit of Hotelling's T2.

    Parameters
    ----------
    n_samples : int
        Number N of calibration samples.
    n_components : int
        Number A of components, below N.
    alpha : float, default 0.05
        Share of good samples allowed above the limit.
    method : {"f", "beta", "simca", "chi2"}, default "f"
        ``"f"``: new samples, A (N^2 - 1) / (N (N - A)) F(1 - alpha; A, N - A) [1]_.
        ``"beta"``: the calibration samples themselves,
        (N - 1)^2 / N B(1 - alpha; A / 2, (N - A - 1) / 2) [1]_.
        ``"simca"``: A (N - 1) / (N - A) F(1 - alpha; A, N - A), as several programs print it.
        ``"chi2"``: chi2(1 - alpha; A), for many samples.

    Returns
    -------
    float
        The limit; T2 has no unit.

    Raises
    ------
    InputError
        If there are too few samples for that many components.

    References
    ----------
    .. [1] N. D. Tracy, J. C. Young, R. L. Mason, J. Qual. Technol. 24 (1992) 88-95.

    Examples
    --------
    >>> t2_limit(54, 6, method="simca")
    15.2017...
    """
    check_choice("method", method, ("f", "beta", "simca", "chi2"))
    N = check_integer("n_samples", n_samples, least=2)
    A = check_integer("n_components", n_components, least=1)
    check_real("alpha", alpha, above=0, below=1)
    if N - A - (method == "beta") < 1:
        msg = f"n_samples = {N} is too few for a T2 limit with n_components = {A}"
        raise InputError(msg)
    if method == "beta":
        return float((N - 1) ** 2 / N * stats.beta.isf(alpha, A / 2, (N - A - 1) / 2))
    if method == "chi2":
        return float(stats.chi2.isf(alpha, A))
    factor = (N**2 - 1) / (N * (N - A)) if method == "f" else (N - 1) / (N - A)
    return float(A * factor * stats.f.isf(alpha, A, N - A))


def spe_limit(
    residuals: ArrayLike, *, alpha: float = 0.05, method: SPEMethod = "jackson"
) -> float:
    """Return the limit of the squared prediction error from calibration residuals.

    Parameters
    ----------
    residuals : array-like, shape (n_samples, n_points)
        What the model leaves of the centred (and scaled) calibration samples; NaN raises.
    alpha : float, default 0.05
        Share of good samples allowed above the limit.
    method : {"jackson", "box", "robust", "imhof", "box_eigenvalues"}, default "jackson"
        ``"jackson"``: normal approximation from the eigenvalues of the residual
        covariance [1]_. ``"imhof"``: exact for normal residuals with these eigenvalues [5]_.
        ``"box_eigenvalues"``: g chi2(1 - alpha; h) with g = theta_2 / theta_1 and
        h = theta_1^2 / theta_2 from sums of powers of the eigenvalues [2]_.
        ``"box"``: g chi2(1 - alpha; h) with g = v / (2 m) and h = 2 m^2 / v from mean m and
        variance v of the calibration samples' SPE [2]_ [3]_. ``"robust"``: the same with g and
        h from their median and interquartile range, which single outliers do not move [4]_.

    Returns
    -------
    float
        The limit, in squared units of the residuals.

    References
    ----------
    .. [1] J. E. Jackson, G. S. Mudholkar, Technometrics 21 (1979) 341-349.
    .. [2] G. E. P. Box, Ann. Math. Stat. 25 (1954) 290-302.
    .. [3] P. Nomikos, J. F. MacGregor, Technometrics 37 (1995) 41-59.
    .. [4] A. L. Pomerantsev, O. Ye. Rodionova, J. Chemom. 28 (2014) 429-438.
    .. [5] J. P. Imhof, Biometrika 48 (1961) 419-426.

    Examples
    --------
    >>> spe_limit([[0.1, -0.1], [-0.1, 0.0], [0.0, 0.1]], method="box")
    0.02402...
    """
    matrix = as_float("residuals", residuals)
    if matrix.ndim != 2 or len(matrix) < 2:
        msg = f"residuals must have shape (n_samples >= 2, n_points), got {matrix.shape}"
        raise InputError(msg)
    check_finite("residuals", matrix)
    check_choice("method", method, SPE_METHODS)
    if method in {"box", "robust"}:
        spe = np.sum(matrix**2, axis=1)
        return spe_limit_from_values(spe, alpha=alpha, robust=method == "robust")
    eigenvalues = residual_eigenvalues(matrix)
    return spe_limit_from_eigenvalues(eigenvalues, alpha=alpha, method=method)  # type: ignore[arg-type]


def spe_limit_from_eigenvalues(
    eigenvalues: ArrayLike, *, alpha: float = 0.05, method: EigenvalueMethod = "jackson"
) -> float:
    """Return a limit of SPE that follows from all residual eigenvalues.

    Parameters
    ----------
    eigenvalues : array-like, shape (n,)
        All eigenvalues of the residual covariance (divisor n - 1).
    alpha : float, default 0.05
        Share of good samples allowed above the limit.
    method : {"jackson", "imhof", "box_eigenvalues"}, default "jackson"
        The approximation of Jackson and Mudholkar [1]_, the exact limit for normal residuals
        [2]_, or a scaled chi2 with the same mean and variance [3]_.

    Returns
    -------
    float
        The limit; 0 where nothing is left unexplained.

    Raises
    ------
    InputError
        If the Jackson-Mudholkar approximation has no value that far out in the tail.

    Notes
    -----
    For normal residuals SPE is sum_j lambda_j z_j^2 with z_j standard normal. With theta_i the
    sum of the i-th powers of the eigenvalues:

    - ``"imhof"``: the exact quantile, by integrating the characteristic function.
    - ``"jackson"``: with h0 = 1 - 2 theta_1 theta_3 / (3 theta_2^2) and z the normal quantile,
      theta_1 [1 + z h0 sqrt(2 theta_2) / theta_1 + theta_2 h0 (h0 - 1) / theta_1^2]^(1 / h0).
    - ``"box_eigenvalues"``: theta_2 / theta_1 chi2(1 - alpha; theta_1^2 / theta_2).

    References
    ----------
    .. [1] J. E. Jackson, G. S. Mudholkar, Technometrics 21 (1979) 341-349.
    .. [2] J. P. Imhof, Biometrika 48 (1961) 419-426.
    .. [3] G. E. P. Box, Ann. Math. Stat. 25 (1954) 290-302.
    """
    check_choice("method", method, EIGENVALUE_METHODS)
    check_real("alpha", alpha, above=0, below=1)
    values = np.clip(as_float("eigenvalues", eigenvalues), 0.0, None)
    if not values.any():
        return 0.0
    if method == "imhof":
        # what rounding leaves where the rank ends only slows integration down
        return upper_quantile(values[values > 1e-14 * values.max()], alpha)
    if method == "box_eigenvalues":
        theta1, theta2 = float(values.sum()), float(np.sum(values**2))
        return theta2 / theta1 * float(stats.chi2.isf(alpha, theta1**2 / theta2))
    return _jackson_limit(values, alpha)


def _jackson_limit(values: NDArray[np.float64], alpha: float) -> float:
    theta1, theta2, theta3 = (float(np.sum(values**power)) for power in (1, 2, 3))
    z = float(stats.norm.isf(alpha))
    h0 = 1 - 2 * theta1 * theta3 / (3 * theta2**2)
    if h0 == 0:
        h0 = np.finfo(float).eps
    # h0 keeps its sign: below zero the transform falls with SPE, and the other tail is meant
    inner = 1 + z * h0 * np.sqrt(2 * theta2) / theta1 + theta2 * h0 * (h0 - 1) / theta1**2
    if inner <= 0:
        msg = (
            f"the Jackson-Mudholkar approximation does not reach alpha = {alpha:g} for these "
            f"eigenvalues (h0 = {h0:.3g}): one of them outweighs many small ones, as outliers "
            'make it; use method="imhof" or method="box"'
        )
        raise InputError(msg)
    return float(theta1 * inner ** (1 / h0))


def spe_limit_from_values(
    spe: ArrayLike, *, alpha: float = 0.05, robust: bool = False
) -> float:
    """Return the limit of a scaled chi2 matched to the SPE of the calibration samples.

    Parameters
    ----------
    spe : array-like, shape (n_samples,)
        Squared prediction errors.
    alpha : float, default 0.05
        Share of good samples allowed above the limit.
    robust : bool, default False
        Match median and interquartile range instead of mean and variance.

    Returns
    -------
    float
        g chi2(1 - alpha; h) with g = v / (2 m), h = 2 m^2 / v from mean m and variance v (Box);
        or with h for which the chi2 has the ratio of interquartile range to median that the
        values have, and g from the median (robust). The mean or median where nothing varies.

    Notes
    -----
    P. Nomikos, J. F. MacGregor, Technometrics 37 (1995) 41-59; A. L. Pomerantsev, O. Ye.
    Rodionova, J. Chemom. 28 (2014) 429-438.
    """
    check_real("alpha", alpha, above=0, below=1)
    values = as_float("spe", spe)
    if robust:
        return _robust_limit(values, alpha)
    mean, variance = float(values.mean()), float(values.var(ddof=1))
    if variance == 0:
        return mean
    return variance / (2 * mean) * float(stats.chi2.isf(alpha, 2 * mean**2 / variance))


def _robust_limit(values: NDArray[np.float64], alpha: float) -> float:
    low, median, high = np.percentile(values, [25, 50, 75])
    if high == low:
        return float(median)
    ratio = (high - low) / median

    def excess(log_h: float) -> float:
        quartiles = np.asarray(stats.chi2.ppf([0.25, 0.5, 0.75], np.exp(log_h)))
        return float((quartiles[2] - quartiles[0]) / quartiles[1] - ratio)

    # the ratio falls from above 5 to below 0.02 between these degrees of freedom
    ends = (np.log(0.2), np.log(1e4))
    if excess(ends[0]) < 0 or excess(ends[1]) > 0:
        msg = (
            f"SPE varies too {'much' if ratio > 1 else 'little'} for a scaled chi2 "
            f'(interquartile range {ratio:.3g} of the median); use method="box"'
        )
        raise InputError(msg)
    h = float(np.exp(optimize.brentq(excess, *ends)))
    return float(median / stats.chi2.ppf(0.5, h) * stats.chi2.isf(alpha, h))


def residual_eigenvalues(
    residuals: NDArray[np.float64], divisor: float | None = None
) -> NDArray[np.float64]:
    """Return the eigenvalues of the residual covariance (n - 1 by default), largest first."""
    n, p = residuals.shape
    gram = residuals @ residuals.T if n <= p else residuals.T @ residuals
    return np.linalg.eigvalsh(gram)[::-1].clip(0.0) / (divisor or n - 1)
