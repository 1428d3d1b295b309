"""Charts of rare events: how many cases, or how much time, between them."""

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
)
from pharmaq.spc.charts._procedures import read_series
from pharmaq.spc.sigma import sigma_of_individuals

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from pharmaq.spc.charts._chart import ControlChart

__all__ = ["g_chart", "t_chart"]

_BENNEYAN = "J. C. Benneyan, Qual. Eng. 13 (2001) 373-385"
_NELSON = "L. S. Nelson, J. Qual. Technol. 26 (1994) 239-243"

# turns exponential times into nearly normal values
_NELSON_POWER = 1 / 3.6


def g_chart(
    values: ArrayLike,
    *,
    center: float | None = None,
    n_sigma: float = 3.0,
    limits: Literal["normal", "exact"] = "normal",
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
        read_options(options, values),
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
        read_options(options, values),
        title="Time between events" + (", to the power 1/3.6" if limits == "nelson" else ""),
        method=method[limits],
        source=_NELSON,
    )


def _require_events(mean: float, problem: str) -> None:
    if mean <= 0:
        msg = f"{problem}; events are not rare, use a chart of counts (c_chart, p_chart)"
        raise InputError(msg)
