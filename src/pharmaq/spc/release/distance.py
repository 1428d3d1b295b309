"""Equivalence of dissolution profiles by the multivariate statistical distance."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import linalg, stats

from pharmaq._checks import check_choice, check_real
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result
from pharmaq.spc.release._profiles import take_profiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

__all__ = ["DistanceEquivalence", "msd_equivalence"]

_METHODS = ("hoffelder", "tsong")
# below this share of the largest pivot a covariance counts as singular
_SINGULAR = 1e-12


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class DistanceEquivalence(Result):
    """Equivalence of profiles by their Mahalanobis distance.

    Parameters
    ----------
    equivalent : bool
        Decision by `method`.
    method : {"hoffelder", "tsong"}
        T2 test for equivalence, or confidence region within the margin.
    distance : float
        Mahalanobis distance of the means (multivariate statistical distance).
    lower, upper : float
        Its smallest and largest value in the confidence region, along the difference of means;
        lower is 0 if the region holds no difference.
    distance_margin : float
        Distance of profiles that differ by `margin` at every time.
    margin : float
        Difference that does not matter, % of label claim.
    alpha : float
        Level of the test; 1 - alpha is the confidence of the region.
    t2, statistic : float
        Hotelling's T2, and its F.
    scale : float
        K: F = K distance^2.
    f_critical : float
        1 - alpha quantile of F, of the region.
    noncentrality : float
        Of F at the margin.
    f_equivalence : float
        alpha quantile of noncentral F: equivalent below it.
    p, p_difference : float
        p-values of the test for equivalence, and of the plain test of a difference.
    n_test, n_reference, n_times, dof : int
        Units, times, and degrees of freedom of the denominator.
    rule : str
        Which points entered.
    times : ndarray
        Times that entered.
    difference : ndarray
        Means of test - reference at those times.
    findings : tuple of Finding
        That equivalence was not shown.
    """

    equivalent: bool
    method: str
    distance: float
    lower: float
    upper: float
    distance_margin: float
    margin: float
    alpha: float
    t2: float
    statistic: float
    scale: float
    f_critical: float
    noncentrality: float
    f_equivalence: float
    p: float
    p_difference: float
    n_test: int
    n_reference: int
    n_times: int
    dof: int
    rule: str
    times: NDArray[np.float64]
    difference: NDArray[np.float64]
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the numbers as one row."""
        import pandas as pd

        arrays = {"times", "difference", "findings"}
        names = [f.name for f in dataclasses.fields(self) if f.name not in arrays]
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the distance with its limits against the margin.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.spc.release import plots

        return plots.plot_distance(self, ax=ax)


def msd_equivalence(
    test: ArrayLike,
    reference: ArrayLike,
    *,
    margin: float = 10.0,
    times: Sequence[float] | None = None,
    rule: Literal["ema", "fda", "who", "all"] = "ema",
    method: Literal["hoffelder", "tsong"] = "hoffelder",
    alpha: float = 0.05,
) -> DistanceEquivalence:
    """Show that profiles differ by less than a margin, whatever their variability [1]_ [2]_.

    Parameters
    ----------
    test, reference : array-like, shape (n_units, n_times)
        Amounts dissolved, % of label claim. Columns of frames that are numbers name the times.
        NaN raises.
    margin : float, default 10
        Difference at every time that does not matter, % of label claim.
    times : sequence of float, optional
        Times; a point at 0 never enters.
    rule : {"ema", "fda", "who", "all"}, default "ema"
        Which points enter; see `f2`.
    method : {"hoffelder", "tsong"}, default "hoffelder"
        What decides: the T2 test for equivalence [2]_, or the upper limit of the confidence
        region against the margin [1]_ (there with ``alpha=0.1``).
    alpha : float, default 0.05
        Level of the test; 1 - alpha is the confidence of the region.

    Returns
    -------
    DistanceEquivalence
        Distance, both decisions' numbers, decision.

    Raises
    ------
    InputError
        If there are too few units for the times, or times whose values depend on each other.

    Notes
    -----
    With d the difference of mean profiles and S the pooled covariance, D = sqrt(d' S^-1 d),
    K = n_T n_R (n_T + n_R - p - 1) / ((n_T + n_R) (n_T + n_R - 2) p) and F = K D^2, which has p
    and n_T + n_R - p - 1 degrees of freedom. Limits are D -+ sqrt(F_critical / K). Hoffelder's
    test rejects a difference of the margin if F lies below the alpha quantile of noncentral F.

    References
    ----------
    .. [1] Y. Tsong, T. Hammerstrom, P. Sathe, V. P. Shah, Drug Inf. J. 30 (1996) 1105-1112.
    .. [2] T. Hoffelder, R. Goessl, S. Wellek, J. Biopharm. Stat. 25 (2015) 417-437.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> mean, sd = [30, 60, 80], [8, 6, 4]
    >>> found = msd_equivalence(rng.normal(mean, sd, (12, 3)), rng.normal(mean, sd, (12, 3)))
    >>> found.equivalent
    True
    """
    check_choice("method", method, _METHODS)
    margin = check_real("margin", margin, above=0)
    alpha = check_real("alpha", alpha, above=0, below=0.5)
    profiles = take_profiles(test, reference, times, rule)
    t, r = profiles.chosen()
    n, m, p = len(t), len(r), t.shape[1]
    dof = n + m - p - 1
    if min(n, m) < 2 or dof < 1:
        msg = (
            f"test and reference must have more units than times: {p} times need at least "
            f"{p + 2} units together and 2 each, got {n} and {m}"
        )
        raise InputError(msg)
    difference = t.mean(axis=0) - r.mean(axis=0)
    distance, distance_margin = _distances(t, r, difference, margin)
    per_unit = n * m / (n + m)
    scale = per_unit * dof / ((n + m - 2) * p)
    statistic = scale * distance**2
    f_critical = float(stats.f.isf(alpha, p, dof))
    noncentrality = per_unit * distance_margin**2
    reach = math.sqrt(f_critical / scale)
    p_value = float(stats.ncf.cdf(statistic, p, dof, noncentrality))
    upper = distance + reach
    equivalent = p_value < alpha if method == "hoffelder" else upper <= distance_margin
    numbers = {
        "distance": distance,
        "lower": max(distance - reach, 0.0),
        "upper": upper,
        "distance_margin": distance_margin,
        "t2": per_unit * distance**2,
        "statistic": statistic,
        "scale": scale,
        "f_critical": f_critical,
        "noncentrality": noncentrality,
        "f_equivalence": float(stats.ncf.ppf(alpha, p, dof, noncentrality)),
        "p": p_value,
        "p_difference": float(stats.f.sf(statistic, p, dof)),
    }
    return DistanceEquivalence(
        **numbers,
        equivalent=equivalent,
        method=method,
        margin=margin,
        alpha=alpha,
        n_test=n,
        n_reference=m,
        n_times=p,
        dof=dof,
        rule=rule,
        times=profiles.times[profiles.used],
        difference=difference,
        findings=() if equivalent else (_finding(method, numbers, alpha),),
    )


def _distances(
    t: NDArray[np.float64],
    r: NDArray[np.float64],
    difference: NDArray[np.float64],
    margin: float,
) -> tuple[float, float]:
    """Return the distance of the means, and that of a difference of the margin everywhere."""
    moved = np.vstack([t - t.mean(axis=0), r - r.mean(axis=0)])
    scale = np.sqrt(np.sum(moved**2, axis=0))
    if np.any(scale == 0):
        msg = f"column {int(np.argmin(scale))} of both products does not vary; leave it out"
        raise InputError(msg)
    # the triangle of all deviations stands for their covariance, which is never formed
    triangle = linalg.qr(moved / scale, mode="r")[0][: len(difference)]
    pivots = np.abs(np.diag(triangle))
    if pivots.min() <= _SINGULAR * pivots.max():
        msg = "times depend on each other (the covariance is singular); leave one of them out"
        raise InputError(msg)
    both = np.column_stack([difference, np.full(len(difference), margin)]) / scale[:, None]
    solved = linalg.solve_triangular(triangle, both, trans="T")
    lengths = np.sqrt((len(moved) - 2) * np.sum(solved**2, axis=0))
    return float(lengths[0]), float(lengths[1])


def _finding(method: str, numbers: dict[str, float], alpha: float) -> Finding:
    if method == "tsong":
        value, limit = numbers["upper"], numbers["distance_margin"]
        reason = f"upper limit of the distance {value:.4g}, margin {limit:.4g}"
    else:
        value, limit = numbers["p"], alpha
        reason = f"p = {value:.3g}, alpha = {limit:g}"
    return Finding(
        rule="msd_equivalence",
        severity="action",
        subject="dissolution profiles",
        message=f"equivalence is not shown: {reason}",
        value=value,
        limit=limit,
    )
