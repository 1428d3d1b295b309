"""Charts of counts: proportions, numbers and rates, and Laney's with more spread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Unpack

import numpy as np

from pharmaq._checks import check_choice
from pharmaq.errors import InputError
from pharmaq.spc.charts._build import (
    ChartOptions,
    Frame,
    build,
    check_width,
    given_or,
    read_options,
    take,
)
from pharmaq.spc.charts._procedures import Counts, read_counts
from pharmaq.spc.sigma import sigma_of_individuals

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from pharmaq.spc.charts._chart import ControlChart

    CountLimits = Literal["normal", "exact"]

__all__ = [
    "c_chart",
    "laney_p_chart",
    "laney_u_chart",
    "np_chart",
    "p_chart",
    "u_chart",
]

_MONTGOMERY = "D. C. Montgomery, Introduction to Statistical Quality Control, 8th ed., Wiley"
_LANEY = "D. B. Laney, Qual. Eng. 14 (2002) 531-537"


def p_chart(
    counts: ArrayLike,
    sizes: ArrayLike,
    *,
    center: float | None = None,
    n_sigma: float = 3.0,
    limits: CountLimits = "normal",
    **options: Unpack[ChartOptions],
) -> ControlChart:
    """Make a chart of the proportion of nonconforming units [1]_.

    Parameters
    ----------
    counts : array-like, shape (n,)
        Nonconforming units in each sample; whole, not negative, NaN raises.
    sizes : array-like of shape (n,) or int
        Units inspected in each sample.
    center : float, optional
        Known proportion p; by default all nonconforming over all inspected units.
    n_sigma : float, default 3
        Distance of the limits from the centre, in standard deviations.
    limits : {"normal", "exact"}, default "normal"
        ``"normal"``: p -+ n_sigma sqrt(p (1 - p) / n), within 0 and 1. ``"exact"``: binomial
        quantiles with the tail probability of n_sigma on each side.
    **options : ChartOptions
        ``labels``, ``stages``, ``exclude``, ``target``, ``lsl``, ``usl``, ``units``: see
        `individuals_chart`.

    Returns
    -------
    ControlChart
        Limits vary with the sizes of samples.

    Raises
    ------
    InputError
        If a count is negative or larger than its sample.

    References
    ----------
    .. [1] D. C. Montgomery, Introduction to Statistical Quality Control, 8th ed., Wiley.

    Examples
    --------
    >>> chart = p_chart([12, 15, 8, 10], 50)
    >>> round(chart.center, 3), round(chart.upper, 3)
    (0.225, 0.402)
    """
    words = ("Proportion nonconforming", "p -+ {k} sqrt(p (1 - p) / n)", "binomial quantiles")
    return _of_units("p", words, counts, sizes, center, (n_sigma, limits), options)


def np_chart(
    counts: ArrayLike,
    sizes: ArrayLike,
    *,
    center: float | None = None,
    n_sigma: float = 3.0,
    limits: CountLimits = "normal",
    **options: Unpack[ChartOptions],
) -> ControlChart:
    """Make a chart of the number of nonconforming units in samples [1]_.

    Parameters
    ----------
    counts : array-like, shape (n,)
        Nonconforming units in each sample; whole, not negative, NaN raises.
    sizes : array-like of shape (n,) or int
        Units inspected in each sample; the centre line varies with them.
    center : float, optional
        Known proportion p of nonconforming units (not their number).
    n_sigma, limits, **options
        As in `p_chart`; limits n p -+ n_sigma sqrt(n p (1 - p)).

    Returns
    -------
    ControlChart
        In numbers of units.

    References
    ----------
    .. [1] D. C. Montgomery, Introduction to Statistical Quality Control, 8th ed., Wiley.

    Examples
    --------
    >>> round(np_chart([12, 15, 8, 10], 50).center, 2)
    11.25
    """
    words = (
        "Number nonconforming",
        "n p -+ {k} sqrt(n p (1 - p))",
        "binomial quantiles",
    )
    return _of_units("np", words, counts, sizes, center, (n_sigma, limits), options)


def c_chart(
    counts: ArrayLike,
    *,
    center: float | None = None,
    n_sigma: float = 3.0,
    limits: CountLimits = "normal",
    **options: Unpack[ChartOptions],
) -> ControlChart:
    """Make a chart of the number of nonconformities in equal inspection units [1]_.

    Parameters
    ----------
    counts : array-like, shape (n,)
        Nonconformities in each unit; whole, not negative, NaN raises.
    center : float, optional
        Known mean c; by default the mean of the counts.
    n_sigma, limits, **options
        As in `p_chart`; limits c -+ n_sigma sqrt(c), or Poisson quantiles.

    Returns
    -------
    ControlChart
        In numbers of nonconformities.

    References
    ----------
    .. [1] NIST/SEMATECH e-Handbook of Statistical Methods, counts control charts.

    Examples
    --------
    >>> chart = c_chart([16, 14, 28, 16, 12, 20])
    >>> round(chart.center, 3), round(chart.upper, 3)
    (17.667, 30.276)
    """
    words = ("Number of nonconformities", "c -+ {k} sqrt(c)", "Poisson quantiles")
    return _of_rates("c", words, counts, 1.0, center, (n_sigma, limits), options)


def u_chart(
    counts: ArrayLike,
    sizes: ArrayLike,
    *,
    center: float | None = None,
    n_sigma: float = 3.0,
    limits: CountLimits = "normal",
    **options: Unpack[ChartOptions],
) -> ControlChart:
    """Make a chart of nonconformities per unit of inspection [1]_.

    Parameters
    ----------
    counts : array-like, shape (n,)
        Nonconformities in each sample; whole, not negative, NaN raises.
    sizes : array-like of shape (n,) or float
        Units of inspection (area, length, time) in each sample; above 0.
    center : float, optional
        Known rate u; by default all nonconformities over all units.
    n_sigma, limits, **options
        As in `p_chart`; limits u -+ n_sigma sqrt(u / n), or Poisson quantiles.

    Returns
    -------
    ControlChart
        Limits vary with the sizes of samples.

    References
    ----------
    .. [1] D. C. Montgomery, Introduction to Statistical Quality Control, 8th ed., Wiley.

    Examples
    --------
    >>> round(u_chart([10, 12, 8, 14], 5).center, 2)
    2.2
    """
    words = ("Nonconformities per unit", "u -+ {k} sqrt(u / n)", "Poisson quantiles")
    return _of_rates("u", words, counts, sizes, center, (n_sigma, limits), options)


def laney_p_chart(
    counts: ArrayLike,
    sizes: ArrayLike,
    *,
    n_sigma: float = 3.0,
    **options: Unpack[ChartOptions],
) -> ControlChart:
    """Make a p' chart: proportions whose spread between samples is not only binomial [1]_.

    Parameters
    ----------
    counts, sizes, n_sigma, **options
        As in `p_chart`.

    Returns
    -------
    ControlChart
        Limits p -+ n_sigma sigma_z sqrt(p (1 - p) / n); ``parameters["sigma_z"]`` is the
        short-term standard deviation of standardised proportions, from their mean moving
        range. 1 means binomial.

    References
    ----------
    .. [1] D. B. Laney, Qual. Eng. 14 (2002) 531-537.

    Examples
    --------
    >>> chart = laney_p_chart([120, 150, 80, 100], 5000)
    >>> round(chart.parameters["sigma_z"], 2)
    3.38
    """
    words = ("Proportion nonconforming, Laney p'", "p -+ {k} sigma_z sqrt(p (1 - p) / n)", "")
    data = read_counts(counts, sizes, proportion=True)
    return _laney("laney_p", words, data, n_sigma, read_options(options, counts))


def laney_u_chart(
    counts: ArrayLike,
    sizes: ArrayLike,
    *,
    n_sigma: float = 3.0,
    **options: Unpack[ChartOptions],
) -> ControlChart:
    """Make a u' chart: rates whose spread between samples is not only Poisson [1]_.

    Parameters
    ----------
    counts, sizes, n_sigma, **options
        As in `u_chart`.

    Returns
    -------
    ControlChart
        Limits u -+ n_sigma sigma_z sqrt(u / n), with sigma_z as in `laney_p_chart`.

    References
    ----------
    .. [1] D. B. Laney, Qual. Eng. 14 (2002) 531-537.

    Examples
    --------
    >>> round(laney_u_chart([100, 120, 80, 140], 5).center, 2)
    22.0
    """
    words = ("Nonconformities per unit, Laney u'", "u -+ {k} sigma_z sqrt(u / n)", "")
    data = read_counts(counts, sizes, proportion=False)
    return _laney("laney_u", words, data, n_sigma, read_options(options, counts))


def _of_units(
    kind: str,
    words: tuple[str, str, str],
    counts: ArrayLike,
    sizes: ArrayLike,
    center: float | None,
    how: tuple[float, CountLimits],
    options: ChartOptions,
) -> ControlChart:
    data = read_counts(counts, sizes, proportion=True)
    if center is not None and not 0 < center < 1:
        msg = f"center must be a proportion in (0, 1), got {center!r}"
        raise InputError(msg)
    return _of_counts(kind, words, data, center, how, read_options(options, counts))


def _of_rates(
    kind: str,
    words: tuple[str, str, str],
    counts: ArrayLike,
    sizes: ArrayLike,
    center: float | None,
    how: tuple[float, CountLimits],
    options: ChartOptions,
) -> ControlChart:
    data = read_counts(counts, sizes, proportion=False)
    return _of_counts(kind, words, data, center, how, read_options(options, counts))


def _of_counts(
    kind: str,
    words: tuple[str, str, str],
    data: Counts,
    center: float | None,
    how: tuple[float, CountLimits],
    frame: Frame,
) -> ControlChart:
    width, limits = check_width(how[0]), how[1]
    check_choice("limits", limits, ("normal", "exact"))

    def estimate(stage: Counts, keep: NDArray[np.bool_]) -> dict[str, Any]:
        middle = given_or("center", center, lambda: _pooled(take(stage, keep)), above=0)
        _require_spread(middle, kind)
        return {"center": middle, "n_sigma": width, "limits": limits}

    title, normal, exact = words
    method = normal.format(k=f"{width:g}") if limits == "normal" else exact
    return build(
        kind,
        data,
        estimate,
        frame,
        title=title,
        method=method,
        source=_MONTGOMERY,
    )


def _laney(
    kind: str, words: tuple[str, str, str], data: Counts, n_sigma: float, frame: Frame
) -> ControlChart:
    width = check_width(n_sigma)

    def estimate(stage: Counts, keep: NDArray[np.bool_]) -> dict[str, Any]:
        middle = _pooled(take(stage, keep))
        _require_spread(middle, kind)
        variance = middle * (1 - middle) if kind == "laney_p" else middle
        z = (stage.counts / stage.sizes - middle) / np.sqrt(variance / stage.sizes)
        return {
            "center": middle,
            "n_sigma": width,
            "limits": "normal",
            "sigma_z": sigma_of_individuals(z, keep=keep).value,
        }

    return build(
        kind,
        data,
        estimate,
        frame,
        title=words[0],
        method=words[1].format(k=f"{width:g}"),
        source=_LANEY,
    )


def _pooled(counted: Counts) -> float:
    return float(counted.counts.sum() / counted.sizes.sum())


def _require_spread(center: float, kind: str) -> None:
    if center <= 0 or (kind in {"p", "np", "laney_p"} and center >= 1):
        what = "none" if center <= 0 else "all"
        msg = (
            f"{what} of the inspected is nonconforming, so that limits have no width; inspect "
            "more, give center=, or count cases between events (g_chart)"
        )
        raise InputError(msg)
