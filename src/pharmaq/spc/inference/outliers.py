"""Outliers of normal samples: Grubbs, Dixon, generalised ESD, and Hampel's rule."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from pharmaq._checks import check_choice, check_integer, check_real, check_vector
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result
from pharmaq.spc._columns import check_varies
from pharmaq.spc.inference._dixon import RATIOS, critical_value, ratio_for, tail_probability

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["OutlierTest", "Side", "dixon", "generalized_esd", "grubbs", "hampel"]

Side = Literal["both", "min", "max"]

_SIDES = ("both", "min", "max")
# makes the median absolute deviation estimate sigma of normal values: 1 / Phi^-1(3/4)
NORMAL_SCALE = 1.482602218505602


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class OutlierTest(Result):
    """Which values a test calls outliers; it removes none.

    Parameters
    ----------
    method : str
        ``"grubbs"``, ``"dixon r10"``, ``"generalized_esd"``, ``"hampel"``.
    side : {"both", "min", "max"}
        Ends that were looked at.
    alpha : float or None
        Level of the test; None for Hampel's rule, which has none.
    table : DataFrame
        A row a value that was looked at: ``position, value, statistic, critical, p, outlier``;
        p is NaN where the method has none.
    outliers : ndarray of int
        Positions from 0 of the outliers, in the order found.
    values : ndarray of shape (n,)
        The data as given.
    lower, upper : float
        Hampel's bounds; NaN for the other methods.
    settings : dict
        What else the method was told, such as ``k`` and ``scale``.
    findings : tuple of Finding
        One an outlier.
    """

    method: str
    side: str
    alpha: float | None
    table: pd.DataFrame
    outliers: NDArray[np.intp]
    values: NDArray[np.float64]
    lower: float
    upper: float
    settings: dict[str, Any]
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the values that were looked at, one row each."""
        return self.table.copy()

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the values in order, outliers marked.

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

        return plots.plot_outliers(self, ax=ax)


def grubbs(values: ArrayLike, *, side: Side = "both", alpha: float = 0.05) -> OutlierTest:
    """Test the value farthest from the mean [1]_.

    Parameters
    ----------
    values : array-like, shape (n,)
        At least three values, not all equal; NaN raises.
    side : {"both", "min", "max"}, default "both"
        Farthest on either side, or on one that was chosen before seeing the data.
    alpha : float, default 0.05
        Level of the test.

    Returns
    -------
    OutlierTest
        One row: G, its critical value, p.

    Raises
    ------
    InputError
        If there are too few values, or all are equal.

    Notes
    -----
    G = abs(x - mean) / s; critical (n - 1) / sqrt(n) sqrt(t^2 / (n - 2 + t^2)) with t the
    upper alpha / (2 n) quantile of Student's t with n - 2 degrees of freedom for both sides,
    alpha / n for one. One outlier only: two of them hide each other; use `generalized_esd`.

    References
    ----------
    .. [1] F. E. Grubbs, Technometrics 11 (1969) 1-21.

    Examples
    --------
    >>> test = grubbs([199.31, 199.53, 200.19, 200.82, 201.92, 201.95, 202.18, 245.57])
    >>> test.table.round(4)
       position   value  statistic  critical    p  outlier
    0         7  245.57     2.4688    2.1266  0.0     True
    """
    x, alpha = _sample(values, alpha, least=3)
    check_choice("side", side, _SIDES)
    n = len(x)
    distance = _signed(x - x.mean(), side) / x.std(ddof=1)
    i = int(np.argmax(distance))
    g, ends = float(distance[i]), 2 if side == "both" else 1
    critical = _grubbs_critical(n, alpha / (ends * n))
    row = (i, x[i], g, critical, min(1.0, ends * n * _grubbs_tail(g, n)), g > critical)
    return _result("grubbs", side, alpha, x, [row], {})


def dixon(
    values: ArrayLike,
    *,
    side: Side = "both",
    ratio: Literal["auto", "r10", "r11", "r21", "r22"] = "auto",
    alpha: float = 0.05,
) -> OutlierTest:
    """Test the gap of an end value by Dixon's ratio, with exact critical values [1]_ [2]_.

    Parameters
    ----------
    values : array-like, shape (n,)
        3 to 30 values, not all equal; NaN raises.
    side : {"both", "min", "max"}, default "both"
        Either end, or one that was chosen before seeing the data.
    ratio : {"auto", "r10", "r11", "r21", "r22"}, default "auto"
        By sample size as Dixon recommends: r10 to 7, r11 to 10, r21 to 13, r22 above.
    alpha : float, default 0.05
        Level of the test.

    Returns
    -------
    OutlierTest
        One row an end: ratio, critical value, p.

    Raises
    ------
    InputError
        If there are too few or too many values, all are equal, or the ratio does not suit n.

    Notes
    -----
    For the largest of n sorted values r_jk = (x_n - x_{n - j}) / (x_n - x_{k + 1}), mirrored
    for the smallest. Critical values are roots of the exact distribution for normal values,
    by quadrature. With both ends each has alpha / 2; published tables that head a column "95 %"
    may mean either one end or both.

    References
    ----------
    .. [1] W. J. Dixon, Ann. Math. Stat. 22 (1951) 68-78.
    .. [2] G. C. McBane, J. Stat. Softw. 16 (2006) 3; D. B. Rorabacher, Anal. Chem. 63 (1991)
       139-146.

    Examples
    --------
    >>> dixon([0.189, 0.167, 0.187, 0.183, 0.186, 0.182, 0.181], side="min").table.round(3)
       position  value  statistic  critical      p  outlier
    0         1  0.167      0.636     0.507  0.011     True
    """
    x, alpha = _sample(values, alpha, least=3)
    check_choice("side", side, _SIDES)
    check_choice("ratio", ratio, ("auto", *RATIOS))
    n = check_integer("the number of values", len(x), least=3, most=30)
    chosen = ratio_for(n) if ratio == "auto" else ratio
    j, k = RATIOS[chosen]
    if n < j + k + 2:
        msg = f"ratio {chosen!r} needs at least {j + k + 2} values, got {n}"
        raise InputError(msg)
    ends = ("min", "max") if side == "both" else (side,)
    critical = critical_value(chosen, n, alpha / len(ends))
    rows = []
    for end in ends:
        signed = x if end == "max" else -x
        order = np.argsort(signed, kind="stable")
        top, near, far = signed[order[-1]], signed[order[-1 - j]], signed[order[k]]
        # the values that the ratio compares may be equal though not all are
        r = float((top - near) / (top - far)) if top > far else 0.0
        p = min(1.0, len(ends) * tail_probability(chosen, n, r))
        i = int(order[-1])
        rows.append((i, x[i], r, critical, p, r > critical))
    return _result(f"dixon {chosen}", side, alpha, x, rows, {"ratio": chosen})


def generalized_esd(values: ArrayLike, *, n_outliers: int, alpha: float = 0.05) -> OutlierTest:
    """Find up to so many outliers on both sides by the generalised ESD procedure [1]_.

    Parameters
    ----------
    values : array-like, shape (n,)
        At least `n_outliers` + 3 values, not all equal; 25 or more for exact levels. NaN
        raises.
    n_outliers : int
        Largest number of outliers looked for, chosen before seeing the data.
    alpha : float, default 0.05
        Level of the whole procedure.

    Returns
    -------
    OutlierTest
        A row a step, in order of removal.

    Raises
    ------
    InputError
        If there are too few values, or all are equal.

    Notes
    -----
    Step i takes the value farthest from the mean of those left, R_i = abs(x - mean) / s, and
    removes it. The number of outliers is the **largest** i with R_i above its critical value:
    outliers that mask each other in the first steps are found all the same.

    References
    ----------
    .. [1] B. Rosner, Technometrics 25 (1983) 165-172.

    Examples
    --------
    >>> data = [2.1, 2.6, 2.4, 2.5, 2.3, 2.1, 2.3, 2.6, 8.2, 8.3]
    >>> generalized_esd(data, n_outliers=3).outliers
    array([9, 8])
    """
    most = check_integer("n_outliers", n_outliers, least=1)
    x, alpha = _sample(values, alpha, least=most + 3)
    left = np.arange(len(x))
    rows, last = [], 0
    for step in range(1, most + 1):
        m = len(left)
        sd = float(x[left].std(ddof=1))
        distance = np.abs(x[left] - x[left].mean())
        far = int(np.argmax(distance))
        statistic = float(distance[far]) / sd if sd > 0 else 0.0
        critical = _grubbs_critical(m, alpha / (2 * m))
        p = min(1.0, 2 * m * _grubbs_tail(statistic, m))
        rows.append((int(left[far]), x[left[far]], statistic, critical, p))
        last = step if statistic > critical else last
        left = np.delete(left, far)
    marked = [(*row, step <= last) for step, row in enumerate(rows, start=1)]
    return _result("generalized_esd", "both", alpha, x, marked, {"n_outliers": most})


def hampel(
    values: ArrayLike,
    *,
    k: float = 3.0,
    scale: Literal["normal", "none"] = "normal",
) -> OutlierTest:
    """Call values outliers that lie more than k deviations from the median [1]_.

    Parameters
    ----------
    values : array-like, shape (n,)
        At least three values, more than half of them not equal; NaN raises.
    k : float, default 3.0
        Factor; 3 and 3.5 are in use.
    scale : {"normal", "none"}, default "normal"
        Multiply the median absolute deviation by 1.4826, which makes it sigma of normal values,
        or take it as it is.

    Returns
    -------
    OutlierTest
        A row an outlier, and the bounds.

    Raises
    ------
    InputError
        If there are too few values, or more than half are equal.

    Notes
    -----
    Bounds are median -+ k scale median(abs(x - median)). A rule without a level: among n normal
    values it calls 0.3 % and more outliers with k = 3, the more the fewer there are.

    References
    ----------
    .. [1] F. R. Hampel, Technometrics 27 (1985) 95-107; L. Davies, U. Gather, J. Am. Stat.
       Assoc. 88 (1993) 782-792.

    Examples
    --------
    >>> test = hampel([10.1, 9.9, 10.0, 10.2, 9.8, 12.5])
    >>> test.outliers, round(test.upper, 3)
    (array([5]), 10.717)
    """
    x = check_vector("values", values, least=3)
    k = check_real("k", k, above=0)
    factor = (
        NORMAL_SCALE if check_choice("scale", scale, ("normal", "none")) == "normal" else 1.0
    )
    median = float(np.median(x))
    spread = factor * float(np.median(np.abs(x - median)))
    if spread == 0:
        msg = (
            f"more than half of the {len(x)} values equal {median:g}: the median absolute "
            "deviation is zero and every other value would be an outlier"
        )
        raise InputError(msg)
    distance = np.abs(x - median) / spread
    rows = [
        (int(i), x[i], float(distance[i]), k, math.nan, True)
        for i in np.flatnonzero(distance > k)
    ]
    bounds = (median - k * spread, median + k * spread)
    settings = {"k": k, "scale": scale, "median": median, "deviation": spread}
    return _result("hampel", "both", None, x, rows, settings, bounds)


def _sample(
    values: ArrayLike, alpha: float, *, least: int
) -> tuple[NDArray[np.float64], float]:
    x = check_vector("values", values, least=least)
    check_varies("values", x)
    return x, check_real("alpha", alpha, above=0, below=1)


def _signed(deviations: NDArray[np.float64], side: str) -> NDArray[np.float64]:
    if side == "both":
        return np.abs(deviations)
    return deviations if side == "max" else -deviations


def _grubbs_critical(n: int, tail: float) -> float:
    t = float(stats.t.isf(tail, n - 2))
    return (n - 1) / math.sqrt(n) * math.sqrt(t**2 / (n - 2 + t**2))


def _grubbs_tail(g: float, n: int) -> float:
    """Return the probability that one given value of n lies so far out."""
    left = (n - 1) ** 2 - n * g**2
    if left <= 0:
        return 0.0
    return float(stats.t.sf(g * math.sqrt(n * (n - 2) / left), n - 2))


def _result(
    method: str,
    side: str,
    alpha: float | None,
    x: NDArray[np.float64],
    rows: list[tuple[int, float, float, float, float, bool]],
    settings: dict[str, Any],
    bounds: tuple[float, float] = (math.nan, math.nan),
) -> OutlierTest:
    columns = ["position", "value", "statistic", "critical", "p", "outlier"]
    table = pd.DataFrame(rows, columns=columns)
    found = [row for row in rows if row[5]]
    findings = tuple(
        Finding(
            rule=method.partition(" ")[0],
            severity="alert",
            subject=f"value {position}",
            message=(
                f"{value:g} at position {position} lies apart from the others ({method}): find "
                "the cause before anything is left out"
            ),
            value=float(statistic),
            limit=float(critical),
        )
        for position, value, statistic, critical, _, _ in found
    )
    return OutlierTest(
        method=method,
        side=side,
        alpha=alpha,
        table=table,
        outliers=np.array([row[0] for row in found], dtype=np.intp),
        values=x,
        lower=bounds[0],
        upper=bounds[1],
        settings=settings,
        findings=findings,
    )
