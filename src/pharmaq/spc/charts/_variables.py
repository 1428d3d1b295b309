"""Shewhart charts of measurements: single values and subgroups."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Unpack

from pharmaq._checks import check_integer
from pharmaq.spc.charts._build import (
    ChartOptions,
    Frame,
    build,
    check_width,
    given_or,
    of_spread,
    read_options,
    take,
)
from pharmaq.spc.charts._procedures import read_series
from pharmaq.spc.sigma import sigma_of_individuals, sigma_of_subgroups
from pharmaq.spc.subgroups import Subgroups, as_subgroups

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from pharmaq.spc.charts._chart import ControlChart
    from pharmaq.spc.sigma import MovingRangeEstimator, SubgroupEstimator

__all__ = ["individuals_chart", "xbar_r_chart", "xbar_s_chart"]

_SOURCE = "D. C. Montgomery, Introduction to Statistical Quality Control, 8th ed., Wiley"


def individuals_chart(
    values: ArrayLike,
    *,
    estimator: MovingRangeEstimator = "mr_bar",
    span: int = 2,
    center: float | None = None,
    sigma: float | None = None,
    n_sigma: float = 3.0,
    **options: Unpack[ChartOptions],
) -> ControlChart:
    """Make a chart of single measurements, with their moving ranges as companion [1]_.

    Parameters
    ----------
    values : array-like, shape (n,)
        Single measurements in time order, any unit; NaN raises.
    estimator : {"mr_bar", "mr_median", "mssd", "overall"}, default "mr_bar"
        How the short-term standard deviation is estimated, see `sigma_of_individuals`.
    span : int, default 2
        Number of values in a moving range.
    center, sigma : float, optional
        Known mean and standard deviation; by default estimated from `values`.
    n_sigma : float, default 3
        Distance of the limits from the centre, in standard deviations.
    **options : ChartOptions
        ``labels``: time or name of each point, by default the index of a Series;
        ``stages``: period of each point, limits are estimated in each; ``exclude``: dict of
        position (from 0) and reason, points left out of the estimation;
        ``target``, ``lsl``, ``usl``: drawn, never used; ``units``.

    Returns
    -------
    ControlChart
        Limits center -+ n_sigma sigma. `companion` is the chart of moving ranges.

    Raises
    ------
    InputError
        If there are too few values, they do not vary, or one is NaN.

    References
    ----------
    .. [1] NIST/SEMATECH e-Handbook of Statistical Methods, individuals control charts.

    Examples
    --------
    >>> chart = individuals_chart([49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1])
    >>> round(chart.lower, 3), round(chart.center, 3), round(chart.upper, 3)
    (45.817, 50.81, 55.803)
    """
    x, more = read_series(values), read_options(options, values)
    span = check_integer("span", span, least=2)
    width = check_width(n_sigma)

    def estimate(stage: NDArray[np.float64], keep: NDArray[np.bool_]) -> dict[str, Any]:
        spread = given_or(
            "sigma",
            sigma,
            lambda: (
                sigma_of_individuals(stage, estimator=estimator, span=span, keep=keep).value
            ),
            above=0,
        )
        middle = given_or("center", center, lambda: float(stage[keep].mean()))
        return {
            "center": middle,
            "sigma": spread,
            "n_sigma": width,
            "span": span,
            "estimator": "given" if sigma is not None else estimator,
        }

    by = "given sigma" if sigma is not None else f"sigma by {estimator}"
    chart = build(
        "individuals",
        x,
        estimate,
        more,
        title="Individuals",
        method=f"mean -+ {width:g} sigma, {by}",
        source=_SOURCE,
    )
    ranges = build(
        "moving_range",
        x,
        estimate,
        of_spread(more),
        drop=span - 1,
        title="Moving range",
        method=f"(d2({span}) -+ {width:g} d3({span})) sigma, {by}; exact d2 and d3",
        source=_SOURCE,
    )
    return dataclasses.replace(chart, companion=ranges)


def xbar_r_chart(
    values: Any,
    *,
    subgroups: ArrayLike | int | None = None,
    center: float | None = None,
    sigma: float | None = None,
    n_sigma: float = 3.0,
    **options: Unpack[ChartOptions],
) -> ControlChart:
    """Make a chart of subgroup means, with subgroup ranges as companion [1]_.

    Parameters
    ----------
    values : array-like of shape (m, n) or (n_values,), or sequence of m arrays
        Subgroups in time order, of equal or different size; see `as_subgroups`. NaN raises.
    subgroups : array-like of shape (n_values,) or int, optional
        Subgroup of each measurement, where they stand in one column, or their constant size.
    center, sigma : float, optional
        Known mean and standard deviation of a single measurement; by default the mean of all
        measurements and the ranges over d2.
    n_sigma : float, default 3
        Distance of the limits from the centre, in standard deviations of the mean.
    **options : ChartOptions
        As in `individuals_chart`; positions are those of subgroups.

    Returns
    -------
    ControlChart
        Limits center -+ n_sigma sigma / sqrt(n_i). `companion` is the chart of ranges.

    Raises
    ------
    InputError
        If a subgroup holds one measurement, nothing varies, or one is NaN.

    References
    ----------
    .. [1] D. C. Montgomery, Introduction to Statistical Quality Control, 8th ed., Wiley.

    Examples
    --------
    >>> chart = xbar_r_chart([[9.9, 10.1], [10.3, 9.7], [10.0, 10.2]])
    >>> round(chart.center, 4), round(chart.companion.center, 4)
    (10.0333, 0.3333)
    """
    return _subgroup_chart(
        as_subgroups(values, subgroups=subgroups),
        read_options(options),
        known=(center, sigma),
        estimator="r_bar",
        n_sigma=n_sigma,
        spread="range",
    )


def xbar_s_chart(
    values: Any,
    *,
    subgroups: ArrayLike | int | None = None,
    estimator: Literal["s_bar", "pooled"] = "s_bar",
    center: float | None = None,
    sigma: float | None = None,
    n_sigma: float = 3.0,
    **options: Unpack[ChartOptions],
) -> ControlChart:
    """Make a chart of subgroup means, with their standard deviations as companion [1]_.

    Parameters
    ----------
    values : array-like of shape (m, n) or (n_values,), or sequence of m arrays
        Subgroups in time order, of equal or different size; see `as_subgroups`. NaN raises.
    subgroups : array-like of shape (n_values,) or int, optional
        Subgroup of each measurement, where they stand in one column, or their constant size.
    estimator : {"s_bar", "pooled"}, default "s_bar"
        Standard deviations over c4, averaged, or the root of their pooled variance over c4.
    center, sigma : float, optional
        Known mean and standard deviation of a single measurement.
    n_sigma : float, default 3
        Distance of the limits from the centre, in standard deviations of the mean.
    **options : ChartOptions
        As in `individuals_chart`; positions are those of subgroups.

    Returns
    -------
    ControlChart
        Limits center -+ n_sigma sigma / sqrt(n_i). `companion` is the chart of standard
        deviations.

    Raises
    ------
    InputError
        If a subgroup holds one measurement, nothing varies, or one is NaN.

    References
    ----------
    .. [1] D. C. Montgomery, Introduction to Statistical Quality Control, 8th ed., Wiley.

    Examples
    --------
    >>> chart = xbar_s_chart([[9.9, 10.1], [10.3, 9.7], [10.0, 10.2]])
    >>> round(chart.upper, 3)
    10.66...
    """
    return _subgroup_chart(
        as_subgroups(values, subgroups=subgroups),
        read_options(options),
        known=(center, sigma),
        estimator=estimator,
        n_sigma=n_sigma,
        spread="s",
    )


def _subgroup_chart(
    data: Subgroups,
    frame: Frame,
    *,
    known: tuple[float | None, float | None],
    estimator: SubgroupEstimator,
    n_sigma: float,
    spread: str,
) -> ControlChart:
    width = check_width(n_sigma)
    estimate = partial(_estimate_subgroups, known=known, estimator=estimator, width=width)
    by = "given sigma" if known[1] is not None else f"sigma by {estimator}"
    chart = build(
        "xbar",
        data,
        estimate,
        frame,
        title="Mean of subgroups",
        method=f"mean -+ {width:g} sigma / sqrt(n), {by}",
        source=_SOURCE,
    )
    words = {
        "range": ("Range of subgroups", f"(d2(n) -+ {width:g} d3(n)) sigma, {by}"),
        "s": (
            "Standard deviation of subgroups",
            f"(c4(n) -+ {width:g} sqrt(1 - c4(n)^2)) sigma, {by}",
        ),
    }
    title, method = words[spread]
    companion = build(
        spread, data, estimate, of_spread(frame), title=title, method=method, source=_SOURCE
    )
    return dataclasses.replace(chart, companion=companion)


def _estimate_subgroups(
    stage: Subgroups,
    keep: NDArray[np.bool_],
    *,
    known: tuple[float | None, float | None],
    estimator: SubgroupEstimator,
    width: float,
) -> dict[str, Any]:
    counted = take(stage, keep)
    center, sigma = known
    return {
        "center": given_or("center", center, lambda: float(counted.values.mean())),
        "sigma": given_or(
            "sigma",
            sigma,
            lambda: sigma_of_subgroups(counted, estimator=estimator).value,
            above=0,
        ),
        "n_sigma": width,
        "estimator": "given" if sigma is not None else estimator,
    }
