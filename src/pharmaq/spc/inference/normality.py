"""Are these values normal? Anderson-Darling and Shapiro-Wilk."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special, stats

from pharmaq._checks import check_real, check_vector
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result
from pharmaq.spc._columns import check_varies

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["NormalityTest", "anderson_darling", "shapiro_wilk"]

# below this the table of D'Agostino and Stephens does not reach
_LEAST_ANDERSON = 8
# the approximation of Royston that scipy uses ends here
_MOST_SHAPIRO = 5000


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class NormalityTest(Result):
    """A test of normality with mean and standard deviation from the data.

    Parameters
    ----------
    method : {"anderson_darling", "shapiro_wilk"}
        Which test.
    statistic : float
        A^2, or W.
    adjusted : float
        A^2 (1 + 0.75 / n + 2.25 / n^2), which p is read from; W itself.
    p : float
        Probability of such a statistic if the values are normal.
    n : int
        Number of values.
    mean, sd : float
        Mean and standard deviation (n - 1).
    alpha : float
        Level of the finding.
    values, scores : ndarray of shape (n,)
        Sorted values, and their normal scores (Blom's (i - 3/8) / (n + 1/4)).
    order : ndarray of int
        Position of each sorted value in the data.
    findings : tuple of Finding
        That normality is rejected.
    """

    method: str
    statistic: float
    adjusted: float
    p: float
    n: int
    mean: float
    sd: float
    alpha: float
    values: NDArray[np.float64]
    scores: NDArray[np.float64]
    order: NDArray[np.intp]
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the numbers as one row."""
        names = ("method", "statistic", "adjusted", "p", "n", "mean", "sd", "alpha")
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the normal probability plot.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.spc.inference import plots

        return plots.plot_probability(self, ax=ax)


def anderson_darling(values: ArrayLike, *, alpha: float = 0.05) -> NormalityTest:
    """Test normality by the Anderson-Darling statistic [1]_.

    Parameters
    ----------
    values : array-like, shape (n,)
        At least eight values, not all equal; NaN raises.
    alpha : float, default 0.05
        Level of the finding.

    Returns
    -------
    NormalityTest
        A^2, its adjusted form, p.

    Raises
    ------
    InputError
        If there are too few values, or all are equal.

    Notes
    -----
    A^2 = -n - sum((2 i - 1) (ln F(z_i) + ln(1 - F(z_{n + 1 - i})))) / n with z from mean and
    standard deviation of the data; p from the adjusted form by the four formulas of table 4.9
    in [1]_. Sensitive in the tails. A test tells little of a handful of values, and finds
    every rounding in thousands: look at the plot.

    References
    ----------
    .. [1] R. B. D'Agostino, M. A. Stephens, Goodness-of-Fit Techniques, Dekker, 1986.

    Examples
    --------
    >>> result = anderson_darling([9.8, 10.1, 10.0, 9.9, 10.2, 9.7, 10.0, 10.3, 9.9, 10.1])
    >>> print(f"{result.statistic:.3f}, p = {result.p:.2f}")
    0.149, p = 0.94
    """
    x, order, alpha = _sorted(values, alpha, least=_LEAST_ANDERSON)
    n = len(x)
    z = (x - x.mean()) / x.std(ddof=1)
    i = np.arange(1, n + 1)
    # log of the distribution function itself: far tails must not become log(0)
    logs = special.log_ndtr(z) + special.log_ndtr(-z[::-1])
    statistic = float(-n - np.sum((2 * i - 1) * logs) / n)
    adjusted = statistic * (1 + 0.75 / n + 2.25 / n**2)
    return _result(
        "anderson_darling", (statistic, adjusted), _anderson_p(adjusted), x, order, alpha
    )


def shapiro_wilk(values: ArrayLike, *, alpha: float = 0.05) -> NormalityTest:
    """Test normality by the Shapiro-Wilk statistic [1]_.

    Parameters
    ----------
    values : array-like, shape (n,)
        3 to 5000 values, not all equal; NaN raises.
    alpha : float, default 0.05
        Level of the finding.

    Returns
    -------
    NormalityTest
        W and p, by Royston's algorithm [2]_ as scipy has it.

    Raises
    ------
    InputError
        If there are too few or too many values, or all are equal.

    References
    ----------
    .. [1] S. S. Shapiro, M. B. Wilk, Biometrika 52 (1965) 591-611.
    .. [2] P. Royston, Appl. Stat. 44 (1995) 547-551.

    Examples
    --------
    >>> result = shapiro_wilk([148, 154, 158, 160, 161, 162, 166, 170, 182, 195, 236])
    >>> print(f"{result.statistic:.4f}, p = {result.p:.4f}")
    0.7888, p = 0.0067
    """
    x, order, alpha = _sorted(values, alpha, least=3)
    if len(x) > _MOST_SHAPIRO:
        msg = f"values must hold at most {_MOST_SHAPIRO}, got {len(x)}; use anderson_darling"
        raise InputError(msg)
    w, p = stats.shapiro((x - x.mean()) / x.std(ddof=1))
    return _result("shapiro_wilk", (float(w), float(w)), float(p), x, order, alpha)


def _sorted(
    values: ArrayLike, alpha: float, *, least: int
) -> tuple[NDArray[np.float64], NDArray[np.intp], float]:
    x = check_vector("values", values, least=least)
    check_varies("values", x)
    order = np.argsort(x, kind="stable")
    return x[order], order, check_real("alpha", alpha, above=0, below=1)


def _anderson_p(a: float) -> float:
    """Return p of the adjusted statistic (table 4.9 of D'Agostino and Stephens)."""
    # the parabola of the last formula turns at 153; the tail is nothing long before
    a = min(a, 150.0)
    if a < 0.2:
        p = -math.expm1(-13.436 + 101.14 * a - 223.73 * a**2)
    elif a < 0.34:
        p = -math.expm1(-8.318 + 42.796 * a - 59.938 * a**2)
    elif a < 0.6:
        p = math.exp(0.9177 - 4.279 * a - 1.38 * a**2)
    else:
        p = math.exp(1.2937 - 5.709 * a + 0.0186 * a**2)
    return p


def _result(
    method: str,
    statistics: tuple[float, float],
    p: float,
    x: NDArray[np.float64],
    order: NDArray[np.intp],
    alpha: float,
) -> NormalityTest:
    n = len(x)
    findings: tuple[Finding, ...] = ()
    if p < alpha:
        message = f"the {n} values are not normal: limits that assume it do not hold"
        findings = (
            Finding(
                rule=method,
                severity="alert",
                subject="values",
                message=message,
                value=p,
                limit=alpha,
            ),
        )
    return NormalityTest(
        method=method,
        statistic=statistics[0],
        adjusted=statistics[1],
        p=p,
        n=n,
        mean=float(x.mean()),
        sd=float(x.std(ddof=1)),
        alpha=alpha,
        values=x,
        scores=special.ndtri((np.arange(1, n + 1) - 0.375) / (n + 0.25)),
        order=order,
        findings=findings,
    )
