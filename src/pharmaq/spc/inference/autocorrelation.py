"""Are neighbouring values alike? Autocorrelation, on which the limits of most charts depend."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from pharmaq._checks import check_integer, check_real, check_vector
from pharmaq.results import Finding, Result
from pharmaq.spc._columns import check_varies

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Autocorrelation", "autocorrelation"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class Autocorrelation(Result):
    """Autocorrelation coefficients of a series, and whether they are more than chance.

    Parameters
    ----------
    coefficients : ndarray of shape (n_lags,)
        Of lags 1 to n_lags.
    limit : float
        Independent values have each coefficient within -+ this with probability 1 - alpha.
    q, p : float
        Ljung-Box statistic of all lags together, and its probability for independent values.
    mean, sd : float
        Of all values; divisor n - 1.
    n : int
        Number of values.
    alpha : float
        Level of limit and finding.
    findings : tuple of Finding
        An alert where p is below `alpha`: limits from moving ranges do not hold.
    """

    coefficients: NDArray[np.float64]
    limit: float
    q: float
    p: float
    mean: float
    sd: float
    n: int
    alpha: float
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a lag: coefficient, limit, whether it is beyond."""
        lags = np.arange(1, len(self.coefficients) + 1)
        beyond = np.abs(self.coefficients) > self.limit
        return pd.DataFrame(
            {
                "lag": lags,
                "coefficient": self.coefficients,
                "limit": self.limit,
                "beyond": beyond,
            }
        )

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the coefficients by lag, with limits.

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

        return plots.plot_autocorrelation(self, ax=ax)


def autocorrelation(
    values: ArrayLike, *, n_lags: int | None = None, alpha: float = 0.05
) -> Autocorrelation:
    """Estimate how much neighbouring values of a series are alike [1]_.

    Parameters
    ----------
    values : array-like, shape (n,)
        Single values at equal intervals; NaN raises.
    n_lags : int, optional
        Largest lag; by default 10, or n - 1 where there are fewer values.
    alpha : float, default 0.05
        Level of the limit and of the Ljung-Box test.

    Returns
    -------
    Autocorrelation
        Coefficients, limit, and the test of all lags together.

    Raises
    ------
    InputError
        If there are fewer than three values, or they do not vary.

    Notes
    -----
    r_k = sum (x_t - m)(x_(t+k) - m) / sum (x_t - m)^2, limit z / sqrt(n), and the test of Ljung
    and Box, Q = n (n + 2) sum r_k^2 / (n - k), chi2 with n_lags degrees of freedom [2]_.

    References
    ----------
    .. [1] NIST/SEMATECH e-Handbook of Statistical Methods, autocorrelation.
    .. [2] G. M. Ljung, G. E. P. Box, Biometrika 65 (1978) 297-303.

    Examples
    --------
    >>> autocorrelation([1.0, 2.0, 1.0, 2.0, 1.0, 2.0], n_lags=2).coefficients
    array([-0.83333333,  0.66666667])
    """
    x = check_vector("values", values, least=3)
    check_varies("values", x)
    check_real("alpha", alpha, above=0, below=1)
    n = len(x)
    lags = min(10, n - 1) if n_lags is None else n_lags
    lags = check_integer("n_lags", lags, least=1, most=n - 1)
    mean = float(x.mean())
    # deviations first: a sum of squares would lose the digits of a small spread
    deviations = x - mean
    square = float(deviations @ deviations)
    products = [float(deviations[:-k] @ deviations[k:]) for k in range(1, lags + 1)]
    r = np.array(products) / square
    q = n * (n + 2) * float(np.sum(r**2 / (n - np.arange(1, lags + 1))))
    p = float(stats.chi2.sf(q, lags))
    return Autocorrelation(
        coefficients=r,
        limit=float(stats.norm.isf(alpha / 2) / np.sqrt(n)),
        q=q,
        p=p,
        mean=mean,
        sd=float(np.sqrt(square / (n - 1))),
        n=n,
        alpha=alpha,
        findings=_findings(r, p, alpha),
    )


def _findings(r: NDArray[np.float64], p: float, alpha: float) -> tuple[Finding, ...]:
    if p >= alpha:
        return ()
    text = (
        f"values are not independent (lag 1: {r[0]:.2f}, Ljung-Box p = {p:.2g}): limits from "
        "moving ranges do not hold; chart residuals, or take values farther apart"
    )
    finding = Finding(
        rule="autocorrelation",
        severity="alert",
        subject="values",
        message=text,
        value=p,
        limit=alpha,
    )
    return (finding,)
