"""Charts of several variables with a memory, which see small shifts: MEWMA and MCUSUM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from pharmaq._checks import check_choice, check_real
from pharmaq.errors import InputError
from pharmaq.mspc.charts._mcusum_length import Form, check_mcusum, mcusum_limit
from pharmaq.mspc.charts._mewma_length import Variance, check_mewma, mewma_limit
from pharmaq.mspc.charts._reference import estimate, read_chart_data
from pharmaq.spc.charts import build

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from pharmaq.spc.charts import ChartOptions, ControlChart, Vectors

__all__ = ["mcusum_chart", "mewma_chart"]

_MEWMA = "C. A. Lowry, W. H. Woodall, C. W. Champ, S. E. Rigdon, Technometrics 34 (1992) 46-53"
_MCUSUM = {
    "crosier": "R. B. Crosier, Technometrics 30 (1988) 291-303",
    "pignatiello-runger": (
        "J. J. Pignatiello, G. C. Runger, J. Qual. Technol. 22 (1990) 173-186"
    ),
}


def mewma_chart(
    values: Any,
    *,
    lam: float = 0.1,
    arl0: float = 200.0,
    limit: float | None = None,
    variance: Variance = "exact",
    center: ArrayLike | None = None,
    covariance: ArrayLike | None = None,
    subgroups: ArrayLike | None = None,
    **options: Unpack[ChartOptions],
) -> ControlChart:
    """Make a chart of the multivariate exponentially weighted moving average [1]_.

    Parameters
    ----------
    values : array-like or DataFrame, shape (m, p), or (m, n, p) for subgroups of n rows
        Measurements of p variables in time order; NaN raises.
    lam : float, default 0.1
        Weight of the newest point, in (0, 1]; small weights see small shifts.
    arl0 : float, default 200
        Wanted average run length in control, where `limit` is not given.
    limit : float, optional
        Limit of the statistic; by default the one for `arl0`, by `mewma_limit` with the
        covariance that `variance` names.
    variance : {"exact", "asymptotic"}, default "exact"
        Covariance of the average: lam / (2 - lam) [1 - (1 - lam)^(2 t)] S at point t, or that
        of the long run, lam / (2 - lam) S.
    center, covariance, subgroups : optional
        As in `t2_chart`.
    **options : ChartOptions
        As in `pharmaq.spc.individuals_chart`.

    Returns
    -------
    ControlChart
        `extend` goes on from the last average. The centre is p, the mean of the statistic.

    Raises
    ------
    InputError
        If there are too few points, a variable is constant or follows from the others.

    Notes
    -----
    z_t = lam (x_t - c) + (1 - lam) z_(t - 1) from z_0 = 0, and the statistic is
    z_t' S_z^-1 z_t. Run lengths hold for a mean and covariance that are known; estimated from
    few points they are shorter in control.

    References
    ----------
    .. [1] C. A. Lowry, W. H. Woodall, C. W. Champ, S. E. Rigdon, Technometrics 34 (1992) 46-53.

    Examples
    --------
    >>> import numpy as np
    >>> x = [[0.5, -0.2], [1.5, 1.2], [1.4, 1.6]]
    >>> chart = mewma_chart(x, center=[0, 0], covariance=np.eye(2), limit=8.8)
    >>> chart.statistic.round(3)
    array([0.29 , 2.676, 6.607])
    """
    data, frame = read_chart_data(values, subgroups, options)
    p = check_mewma(_several(data), lam)
    check_choice("variance", variance, ("exact", "asymptotic"))
    if limit is None:
        limit = mewma_limit(p, lam=lam, arl0=arl0, variance=variance)
        origin = f"for an average run length in control of {arl0:g}"
    else:
        check_real("limit", limit, above=0)
        origin = "given"
    fixed = {"lam": float(lam), "limit": float(limit), "variance": variance}
    return build(
        "mewma",
        data.values,
        _parameters(data, fixed, center, covariance),
        frame,
        title=f"MEWMA, {p} variables, lambda = {lam:g}",
        method=f"MEWMA, {variance} covariance, limit {limit:.5g} {origin}",
        source=_MEWMA,
    )


def mcusum_chart(
    values: Any,
    *,
    k: float = 0.5,
    arl0: float = 200.0,
    h: float | None = None,
    form: Form = "crosier",
    center: ArrayLike | None = None,
    covariance: ArrayLike | None = None,
    subgroups: ArrayLike | None = None,
    **options: Unpack[ChartOptions],
) -> ControlChart:
    """Make a multivariate CUSUM chart.

    Parameters
    ----------
    values : array-like or DataFrame, shape (m, p), or (m, n, p) for subgroups of n rows
        Measurements of p variables in time order; NaN raises.
    k : float, default 0.5
        What the sum shrinks by at each point, in standard deviations of a point: half the
        shift to be found.
    arl0 : float, default 200
        Wanted average run length in control, where `h` is not given.
    h : float, optional
        Limit; by default the one for `arl0`, by `mcusum_limit`. It must be given for
        ``form="pignatiello-runger"``, whose run lengths are known from simulation only.
    form : {"crosier", "pignatiello-runger"}, default "crosier"
        ``"crosier"``: the sum s of deviations is shortened by k at each point, and the
        statistic is its length [1]_. ``"pignatiello-runger"``: the length of the sum of the n
        deviations since it was last zero, less n k [2]_.
    center, covariance, subgroups : optional
        As in `t2_chart`.
    **options : ChartOptions
        As in `pharmaq.spc.individuals_chart`.

    Returns
    -------
    ControlChart
        `extend` goes on from the last sum.

    Raises
    ------
    InputError
        If there are too few points, a variable is constant or follows from the others.

    Notes
    -----
    In standard deviations of a point, y = n^(1/2) F^-1 (x - c) with F F' = S:

    - Crosier: with C the length of s + y, s becomes 0 where C <= k, and (s + y) (1 - k / C)
      otherwise; the statistic is the length of s.
    - Pignatiello and Runger (MC1): the length of the sum of the last n y, less n k, or 0 where
      that is negative; n starts again after a zero.

    References
    ----------
    .. [1] R. B. Crosier, Technometrics 30 (1988) 291-303.
    .. [2] J. J. Pignatiello, G. C. Runger, J. Qual. Technol. 22 (1990) 173-186.

    Examples
    --------
    >>> import numpy as np
    >>> chart = mcusum_chart([[0.5, -0.2], [1.5, 1.2]], center=[0, 0], covariance=np.eye(2))
    >>> chart.statistic.round(3), round(chart.upper, 3)
    (array([0.039, 1.44 ]), 5.491)
    """
    data, frame = read_chart_data(values, subgroups, options)
    p = check_mcusum(_several(data), k)
    check_choice("form", form, _MCUSUM)
    origin = "given"
    if h is not None:
        check_real("h", h, above=0)
    elif form == "crosier":
        h = mcusum_limit(p, k=k, arl0=arl0)
        origin = f"for an average run length in control of {arl0:g}"
    else:
        msg = f"form = {form!r} needs h; mcusum_run_length tells what an h leads to"
        raise InputError(msg)
    fixed = {"k": float(k), "h": float(h), "form": form}
    return build(
        "mcusum",
        data.values,
        _parameters(data, fixed, center, covariance),
        frame,
        title=f"MCUSUM, {p} variables, k = {k:g}",
        method=f"MCUSUM by {form}, k = {k:g}, limit {h:.5g} {origin}",
        source=_MCUSUM[form],
    )


def _several(data: Vectors) -> int:
    """Return the number of variables; one alone has charts of its own."""
    p = len(data.names)
    if p < 2:
        msg = "values hold one variable; use ewma_chart or cusum_chart for it"
        raise InputError(msg)
    return p


def _parameters(
    data: Vectors,
    fixed: dict[str, Any],
    center: ArrayLike | None,
    covariance: ArrayLike | None,
) -> Any:
    def parameters(stage: Any, keep: NDArray[np.bool_]) -> dict[str, Any]:
        reference = estimate(stage[keep], data.names, center, covariance)
        return reference.parameters | fixed | {"variables": list(data.names)}

    return parameters
