"""Charts with a memory, which see small shifts: EWMA and tabular CUSUM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Unpack

import numpy as np

from pharmaq._checks import check_choice, check_real
from pharmaq.errors import InputError
from pharmaq.spc.charts._build import (
    ChartOptions,
    build,
    check_width,
    given_or,
    read_options,
    take,
)
from pharmaq.spc.charts._procedures import read_series
from pharmaq.spc.sigma import sigma_of_individuals, sigma_of_subgroups
from pharmaq.spc.subgroups import Subgroups, as_subgroups, holds_rows
from pharmaq.spc.weighted import check_lambda

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from pharmaq.spc.charts._chart import ControlChart

__all__ = ["cusum_chart", "ewma_chart"]

_EWMA = "J. M. Lucas, M. S. Saccucci, Technometrics 32 (1990) 1-12"
_CUSUM = "D. M. Hawkins, D. H. Olwell, Cumulative Sum Charts, Springer (1998)"


def ewma_chart(
    values: Any,
    *,
    lam: float = 0.2,
    n_sigma: float = 3.0,
    limits: Literal["exact", "asymptotic"] = "exact",
    center: float | None = None,
    sigma: float | None = None,
    start: float | None = None,
    subgroups: ArrayLike | int | None = None,
    **options: Unpack[ChartOptions],
) -> ControlChart:
    """Make a chart of the exponentially weighted moving average [1]_.

    Parameters
    ----------
    values : array-like of shape (n,), or subgroups as in `xbar_r_chart`
        Single measurements, or subgroups whose means are averaged; NaN raises.
    lam : float, default 0.2
        Weight of the latest value, in (0, 1]; small weights see small shifts.
    n_sigma : float, default 3
        Distance L of the limits, in standard deviations of the average.
    limits : {"exact", "asymptotic"}, default "exact"
        ``"exact"``: variance lam / (2 - lam) [1 - (1 - lam)^(2 t)] sigma^2, which starts
        narrow. ``"asymptotic"``: lam / (2 - lam) sigma^2 from the first point, as some
        textbooks and programs draw it.
    center, sigma : float, optional
        Known mean and standard deviation of a single measurement; by default the mean, and
        sigma from moving ranges, or pooled within subgroups.
    start : float, optional
        The average before the first value; by default the centre.
    subgroups : array-like or int, optional
        As in `xbar_r_chart`, for measurements in one column.
    **options : ChartOptions
        As in `individuals_chart`.

    Returns
    -------
    ControlChart
        `extend` goes on from the last average.

    References
    ----------
    .. [1] J. M. Lucas, M. S. Saccucci, Technometrics 32 (1990) 1-12.

    Examples
    --------
    >>> chart = ewma_chart([52.0, 47.0, 53.0], lam=0.3, center=50.0, sigma=2.0)
    >>> chart.statistic
    array([50.6  , 49.52 , 50.564])
    """
    check_lambda(lam)
    width = check_width(n_sigma)
    check_choice("limits", limits, ("exact", "asymptotic"))
    data = _read(values, subgroups)

    def estimate(stage: Any, keep: NDArray[np.bool_]) -> dict[str, Any]:
        known = _location_and_spread(stage, keep, center, sigma)
        first = known["center"] if start is None else check_real("start", start)
        return known | {"lam": float(lam), "n_sigma": width, "limits": limits, "start": first}

    return build(
        "ewma",
        data,
        estimate,
        read_options(options, values if subgroups is None else None),
        title=f"EWMA, lambda = {lam:g}",
        method=f"mean -+ {width:g} sigma of the average, {limits} variance",
        source=_EWMA,
    )


def cusum_chart(  # noqa: PLR0913 - the parameters of a CUSUM
    values: Any,
    *,
    k: float = 0.5,
    h: float = 5.0,
    headstart: float | Literal["half"] = 0.0,
    side: Literal["both", "upper", "lower"] = "both",
    scale: Literal["sigma", "units"] = "sigma",
    center: float | None = None,
    sigma: float | None = None,
    subgroups: ArrayLike | int | None = None,
    **options: Unpack[ChartOptions],
) -> ControlChart:
    """Make a tabular CUSUM chart [1]_.

    Parameters
    ----------
    values : array-like of shape (n,), or subgroups as in `xbar_r_chart`
        Single measurements, or subgroups whose means are summed; NaN raises.
    k : float, default 0.5
        Slack in standard deviations of a point: half the shift to be seen.
    h : float, default 5
        Decision interval in standard deviations of a point; a sum above it is a signal.
    headstart : float or "half", default 0
        Value both sums start from, in standard deviations; ``"half"`` is h / 2, the fast
        initial response [2]_.
    side : {"both", "upper", "lower"}, default "both"
        Which sums are judged.
    scale : {"sigma", "units"}, default "sigma"
        Unit of the chart: standard deviations of a point, or that of the measurements.
    center, sigma : float, optional
        Target and standard deviation of a single measurement; by default estimated as in
        `ewma_chart`.
    subgroups : array-like or int, optional
        As in `xbar_r_chart`, for measurements in one column.
    **options : ChartOptions
        As in `individuals_chart`.

    Returns
    -------
    ControlChart
        `components` holds both sums, ``cusum_upper`` and ``cusum_lower``, as positive numbers.
        The statistic is the larger one, that of the lower side with a minus, so that it is
        beyond a limit exactly when one of the sums is above h.

    References
    ----------
    .. [1] D. C. Montgomery, Introduction to Statistical Quality Control, 8th ed., Wiley.
    .. [2] J. M. Lucas, R. B. Crosier, Technometrics 24 (1982) 199-205.

    Examples
    --------
    >>> chart = cusum_chart([9.0, 12.0, 12.5], center=10.0, sigma=1.0)
    >>> chart.components["cusum_upper"]
    array([0. , 1.5, 3.5])
    """
    check_choice("side", side, ("both", "upper", "lower"))
    check_choice("scale", scale, ("sigma", "units"))
    numbers = _check_cusum(k, h, headstart)
    data = _read(values, subgroups)
    _require_equal_sizes(data, scale)

    def estimate(stage: Any, keep: NDArray[np.bool_]) -> dict[str, Any]:
        known = _location_and_spread(stage, keep, center, sigma)
        size = stage.sizes[0] if isinstance(stage, Subgroups) else 1
        unit = 1.0 if scale == "sigma" else known["sigma"] / float(np.sqrt(size))
        return known | numbers | {"side": side, "unit": float(unit)}

    start = f", headstart {numbers['headstart']:g}" if numbers["headstart"] else ""
    return build(
        "cusum",
        data,
        estimate,
        read_options(options, values if subgroups is None else None),
        title=f"CUSUM, k = {k:g}, h = {h:g}",
        method=f"tabular CUSUM, k = {k:g}, h = {h:g} sigma of a point{start}, signal above h",
        source=_CUSUM,
    )


def _read(values: Any, subgroups: ArrayLike | int | None) -> Any:
    """Return single values, or subgroups where there are any."""
    if subgroups is None and not holds_rows(values):
        return read_series(values)
    return as_subgroups(values, subgroups=subgroups, least=1)


def _location_and_spread(
    stage: Any, keep: NDArray[np.bool_], center: float | None, sigma: float | None
) -> dict[str, Any]:
    counted = take(stage, keep)
    grouped = isinstance(stage, Subgroups)

    def spread() -> float:
        if grouped:
            return sigma_of_subgroups(counted).value
        return sigma_of_individuals(stage, keep=keep).value

    values = counted.values if grouped else counted
    return {
        "center": given_or("center", center, lambda: float(values.mean())),
        "sigma": given_or("sigma", sigma, spread, above=0),
        "estimator": "given" if sigma is not None else ("pooled" if grouped else "mr_bar"),
        "of_subgroups": grouped,
    }


def _check_cusum(k: float, h: float, headstart: float | str) -> dict[str, float]:
    if check_real("k", k) < 0:
        msg = f"k must not be negative, got {k!r}"
        raise InputError(msg)
    check_real("h", h, above=0)
    if isinstance(headstart, str):
        check_choice("headstart", headstart, ("half",))
        first = h / 2
    else:
        first = check_real("headstart", headstart)
    if not 0 <= first < h:
        msg = f"headstart must lie in [0, h = {h:g}), got {headstart!r}"
        raise InputError(msg)
    return {"k": float(k), "h": float(h), "headstart": float(first)}


def _require_equal_sizes(data: Any, scale: str) -> None:
    if scale == "units" and isinstance(data, Subgroups) and np.ptp(data.sizes):
        msg = (
            "subgroups differ in size, so that a sum in the unit of measurements has no one h; "
            'use scale="sigma"'
        )
        raise InputError(msg)
