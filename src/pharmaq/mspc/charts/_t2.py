"""Hotelling's T2 chart of measured variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

from scipy import stats

from pharmaq._checks import check_real
from pharmaq.mspc.charts._reference import estimate, read_chart_data
from pharmaq.spc.charts import build

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from pharmaq.mspc.charts._reference import Reference
    from pharmaq.spc.charts import ChartOptions, ControlChart

__all__ = ["t2_chart"]

_SOURCE = "N. D. Tracy, J. C. Young, R. L. Mason, J. Qual. Technol. 24 (1992) 88-95"


class _Scaled(NamedTuple):
    """A distribution times a factor."""

    factor: float
    distribution: Any

    def upper(self, alpha: float) -> float:
        """Return what a share alpha lies above."""
        return self.factor * float(self.distribution.isf(alpha))


def t2_chart(
    values: Any,
    *,
    alpha: float = 0.0027,
    center: ArrayLike | None = None,
    covariance: ArrayLike | None = None,
    subgroups: ArrayLike | None = None,
    **options: Unpack[ChartOptions],
) -> ControlChart:
    """Make a Hotelling T2 chart of single rows or of subgroups.

    Parameters
    ----------
    values : array-like or DataFrame, shape (m, p), or (m, n, p) for subgroups of n rows
        Measurements of p variables in time order; NaN raises. The index of a frame names the
        points, its columns the variables.
    alpha : float, default 0.0027
        Share of good points allowed above the limit, in both phases.
    center : array-like of shape (p,), optional
        Known mean in control; by default the mean of all rows.
    covariance : array-like of shape (p, p), optional
        Known covariance of single rows in control; by default that of the rows, divisor m - 1,
        or the mean of the covariances within subgroups, divisor n - 1.
    subgroups : array-like of shape (m,), optional
        Subgroup of each row, where subgroups stand below each other; all of one size.
    **options : ChartOptions
        As in `pharmaq.spc.individuals_chart`.

    Returns
    -------
    ControlChart
        Limits of phase 1 hold for the points that mean and covariance were estimated from;
        `extend` judges later points by the limit of phase 2. The centre is the median of the
        distribution. ``components["contribution of X"]`` is what T2 falls by when variable X
        is left out [3]_.

    Raises
    ------
    InputError
        If there are too few points, a variable is constant or follows from the others.

    Notes
    -----
    T2 = n (x - c)' S^-1 (x - c), with x a row (n = 1) or the mean of a subgroup. Limits:

    - single rows, phase 1: (m - 1)^2 / m B(1 - alpha; p / 2, (m - p - 1) / 2) [1]_
    - single rows, phase 2: p (m + 1) (m - 1) / (m (m - p)) F(1 - alpha; p, m - p) [1]_
    - subgroups, phase 1: p (m - 1) (n - 1) / (m n - m - p + 1) F(1 - alpha; p, m n - m - p + 1)
    - subgroups, phase 2: the same with m + 1 in place of m - 1 [2]_
    - covariance known: (1 - 1 / m) chi2(1 - alpha; p) in phase 1, (1 + 1 / m) in phase 2;
      chi2(1 - alpha; p) where the mean is known too
    - mean of single rows known, and S taken about it with divisor m: m B(1 - alpha; p / 2,
      (m - p) / 2) and p m / (m - p + 1) F(1 - alpha; p, m - p + 1); subgroups: the formula
      above with m in place of m - 1, in both phases

    Points that `exclude` names were not used in the estimation, and are drawn against the
    limit of their phase all the same.

    References
    ----------
    .. [1] N. D. Tracy, J. C. Young, R. L. Mason, J. Qual. Technol. 24 (1992) 88-95.
    .. [2] F. B. Alt, in: Encyclopedia of Statistical Sciences 6, Wiley (1985) 110-122.
    .. [3] G. C. Runger, F. B. Alt, D. C. Montgomery, Commun. Stat. Theory Methods 25 (1996)
           2203-2213.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> chart = t2_chart(rng.normal(size=(30, 2)), alpha=0.01)
    >>> later = chart.extend([[0.1, 0.2], [3.0, -3.0]])
    >>> round(chart.upper, 3), round(float(later.upper[-1]), 3), later.new_signals
    (8.102, 11.672, array([31]))
    """
    check_real("alpha", alpha, above=0, below=1)
    data, frame = read_chart_data(values, subgroups, options)

    def parameters(stage: Any, keep: NDArray[np.bool_]) -> dict[str, Any]:
        reference = estimate(stage[keep], data.names, center, covariance)
        phases = {phase: _distribution(reference, phase) for phase in ("phase1", "phase2")}
        return (
            reference.parameters
            | {"alpha": float(alpha), "variables": list(data.names)}
            | {f"limit_{phase}": law.upper(alpha) for phase, law in phases.items()}
            | {f"center_{phase}": law.upper(0.5) for phase, law in phases.items()}
        )

    size = data.values.shape[1] if data.values.ndim == 3 else 1
    what = f"subgroups of {size}" if size > 1 else "single rows"
    return build(
        "t2",
        data.values,
        parameters,
        frame,
        title=f"Hotelling T², {len(data.names)} variables",
        method=f"T2 of {what}, limits for phase 1 and phase 2 at alpha = {alpha:g}",
        source=_SOURCE,
    )


def _distribution(reference: Reference, phase: str) -> _Scaled:
    """Return the distribution of T2 in control."""
    if reference.covariance_known:
        # what the estimated mean adds to a new point, or takes from its own
        away = 0 if reference.center_known else 1 / reference.n_points
        sign = 1 if phase == "phase2" else -1
        return _Scaled(1 + sign * away, stats.chi2(len(reference.center)))
    by_size = _of_rows if reference.subgroup_size == 1 else _of_subgroups
    return by_size(reference, phase)


def _of_rows(reference: Reference, phase: str) -> _Scaled:
    p, m = len(reference.center), reference.n_points
    if reference.center_known:
        if phase == "phase1":
            return _Scaled(m, stats.beta(p / 2, (m - p) / 2))
        return _Scaled(p * m / (m - p + 1), stats.f(p, m - p + 1))
    if phase == "phase1":
        return _Scaled((m - 1) ** 2 / m, stats.beta(p / 2, (m - p - 1) / 2))
    return _Scaled(p * (m + 1) * (m - 1) / (m * (m - p)), stats.f(p, m - p))


def _of_subgroups(reference: Reference, phase: str) -> _Scaled:
    p, m, n = len(reference.center), reference.n_points, reference.subgroup_size
    freedom = m * n - m - p + 1
    points = m if reference.center_known else (m - 1 if phase == "phase1" else m + 1)
    return _Scaled(p * points * (n - 1) / freedom, stats.f(p, freedom))
