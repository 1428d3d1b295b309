"""Charts of counts: proportions, numbers, rates, and rare events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Unpack

import numpy as np

from pharmaq._checks import check_choice
from pharmaq.errors import InputError
from pharmaq.spc.charts._build import (
    ChartOptions,
    build,
    check_width,
    given_or,
    read_options,
    take,
)
from pharmaq.spc.charts._procedures import Counts, read_counts, read_series
from pharmaq.spc.sigma import sigma_of_individuals

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from pharmaq.spc.charts._chart import ControlChart

    CountLimits = Literal["normal", "exact"]

__all__ = [
    "c_chart",
    "g_chart",
    "laney_p_chart",
    "laney_u_chart",
    "np_chart",
    "p_chart",
    "t_chart",
    "u_chart",
]

_MONTGOMERY = "D. C. Montgomery, Introduction to Statistical Quality Control, 8th ed., Wiley"
_LANEY = "D. B. Laney, Qual. Eng. 14 (2002) 531-537"
_BENNEYAN = "J. C. Benneyan, Qual. Eng. 13 (2001) 373-385"
_NELSON = "L. S. Nelson, J. Qual. Technol. 26 (1994) 239-243"

# turns exponential times into nearly normal values
_NELSON_POWER = 1 / 3.6


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
    return _laney("laney_p", words, data, n_sigma, options)


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
    return _laney("laney_u", words, data, n_sigma, options)


def g_chart(
    values: ArrayLike,
    *,
    center: float | None = None,
    n_sigma: float = 3.0,
    limits: CountLimits = "normal",
    **options: Unpack[ChartOptions],
) -> ControlChart:
    """Make a chart of the number of good cases between rare events [1]_.

    Parameters
    ----------
    values : array-like, shape (n,)
        Cases between one event and the next, 0 if they follow each other; NaN raises.
    center : float, optional
        Known mean; by default that of the values.
    n_sigma, **options
        As in `p_chart`.
    limits : {"normal", "exact"}, default "normal"
        ``"normal"``: g -+ n_sigma sqrt(g (g + 1)), not below 0. ``"exact"``: quantiles of the
        geometric distribution.

    Returns
    -------
    ControlChart
        A point above the upper limit means that events have become rarer; rules on zones
        assume symmetry, which a geometric distribution does not have.

    References
    ----------
    .. [1] J. C. Benneyan, Qual. Eng. 13 (2001) 373-385.

    Examples
    --------
    >>> chart = g_chart([12, 30, 7, 45, 22])
    >>> round(chart.center, 2), round(chart.upper, 2)
    (23.2, 94.28)
    """
    check_choice("limits", limits, ("normal", "exact"))
    width, x = check_width(n_sigma), read_series(values, positive=True)
    if np.any(x % 1):
        i = int(np.argmax(x % 1 != 0))
        msg = f"values must be whole numbers of cases, but values[{i}] is {x[i]:g}"
        raise InputError(msg)

    def estimate(stage: NDArray[np.float64], keep: NDArray[np.bool_]) -> dict[str, Any]:
        mean = given_or("center", center, lambda: float(stage[keep].mean()), above=0)
        _require_events(mean, "cases between events are all 0")
        return {"center": mean, "n_sigma": width, "limits": limits}

    formula = f"g -+ {width:g} sqrt(g (g + 1))" if limits == "normal" else "geometric quantiles"
    return build(
        "g",
        x,
        estimate,
        read_options(options),
        title="Cases between events",
        method=formula,
        source=_BENNEYAN,
    )


def t_chart(
    values: ArrayLike,
    *,
    limits: Literal["nelson", "exponential"] = "nelson",
    n_sigma: float = 3.0,
    **options: Unpack[ChartOptions],
) -> ControlChart:
    """Make a chart of the time between rare events [1]_.

    Parameters
    ----------
    values : array-like, shape (n,)
        Time from one event to the next, any unit, not negative; NaN raises.
    limits : {"nelson", "exponential"}, default "nelson"
        ``"nelson"``: an individuals chart of time^(1 / 3.6), which makes exponential times
        nearly normal; the statistic is the transformed time. ``"exponential"``: the time
        itself, with quantiles of an exponential distribution of the same mean and its median
        as centre.
    n_sigma : float, default 3
        Distance of the limits, or the tail probability that belongs to it.
    **options : ChartOptions
        As in `individuals_chart`.

    Returns
    -------
    ControlChart
        A point above the upper limit means that events have become rarer.

    References
    ----------
    .. [1] L. S. Nelson, J. Qual. Technol. 26 (1994) 239-243.

    Examples
    --------
    >>> t_chart([286.0, 948.0, 536.0, 124.0]).statistic.round(3)
    array([4.812, 6.713, 5.729, 3.815])
    """
    check_choice("limits", limits, ("nelson", "exponential"))
    width, x = check_width(n_sigma), read_series(values, positive=True)

    def estimate(stage: NDArray[np.float64], keep: NDArray[np.bool_]) -> dict[str, Any]:
        mean = float(stage[keep].mean())
        _require_events(mean, "times between events are all 0")
        common = {"n_sigma": width, "limits": limits, "mean": mean}
        if limits == "exponential":
            return common
        y = stage**_NELSON_POWER
        sigma = sigma_of_individuals(y, keep=keep).value
        return common | {
            "power": _NELSON_POWER,
            "center": float(y[keep].mean()),
            "sigma": sigma,
        }

    method = {
        "nelson": f"time^(1/3.6): mean -+ {width:g} sigma, sigma by mr_bar",
        "exponential": "quantiles of an exponential distribution",
    }
    return build(
        "t",
        x,
        estimate,
        read_options(options),
        title="Time between events" + (", to the power 1/3.6" if limits == "nelson" else ""),
        method=method[limits],
        source=_NELSON,
    )


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
    return _of_counts(kind, words, data, center, how, options)


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
    return _of_counts(kind, words, data, center, how, options)


def _of_counts(
    kind: str,
    words: tuple[str, str, str],
    data: Counts,
    center: float | None,
    how: tuple[float, CountLimits],
    options: ChartOptions,
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
        read_options(options),
        title=title,
        method=method,
        source=_MONTGOMERY,
    )


def _laney(
    kind: str, words: tuple[str, str, str], data: Counts, n_sigma: float, options: ChartOptions
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
        read_options(options),
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


def _require_events(mean: float, problem: str) -> None:
    if mean <= 0:
        msg = f"{problem}; events are not rare, use a chart of counts (c_chart, p_chart)"
        raise InputError(msg)
