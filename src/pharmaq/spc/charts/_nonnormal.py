"""Charts of single values that are not normal: transformed, or with limits at quantiles."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal, Unpack, get_args

from scipy import special

from pharmaq._checks import check_choice
from pharmaq.errors import InputError
from pharmaq.spc.charts._build import (
    ChartOptions,
    build,
    check_width,
    of_spread,
    read_options,
)
from pharmaq.spc.charts._procedures import read_series, scores_of
from pharmaq.spc.distributions import DistributionName, fit_distribution
from pharmaq.spc.sigma import sigma_of_individuals

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from pharmaq.spc.charts._chart import ControlChart

__all__ = ["nonnormal_chart"]

_SOURCE = "D. C. Montgomery, Introduction to Statistical Quality Control, Wiley, sec. 6.4"
_WORDS = {"boxcox": "Box-Cox", "johnson": "Johnson", "weibull": "Weibull"}


def nonnormal_chart(
    values: ArrayLike,
    *,
    method: Literal["boxcox", "johnson", "quantile"] = "boxcox",
    distribution: DistributionName | None = None,
    n_sigma: float = 3.0,
    **options: Unpack[ChartOptions],
) -> ControlChart:
    """Make a chart of single values that are skewed or heavy-tailed by nature [1]_.

    Parameters
    ----------
    values : array-like, shape (n,)
        Single measurements in time order, any unit; NaN raises. Above 0 for Box-Cox.
    method : {"boxcox", "johnson", "quantile"}, default "boxcox"
        ``"boxcox"``, ``"johnson"``: a chart of normal scores, the values transformed as
        `fit_distribution` does, with their moving ranges below. ``"quantile"``: the values
        themselves, with limits at quantiles of `distribution` and the median as centre line.
    distribution : str, optional
        For ``"quantile"``, required: see `fit_distribution`.
    n_sigma : float, default 3
        Distance of the limits in standard deviations; a quantile limit has the same tail.
    **options : ChartOptions
        As in `individuals_chart`. Target and specification are drawn for ``"quantile"`` only.

    Returns
    -------
    ControlChart
        `extend` transforms later values as those of phase 1, by parameters that do not change.

    Raises
    ------
    InputError
        If the distribution cannot be fitted, `distribution` is missing or has no meaning, or a
        later value cannot occur under the distribution: it is outside its bounds, and a signal.

    Notes
    -----
    A distribution that is fitted to values of an unstable process makes its wild points look
    ordinary. Transform for a reason in the measurement, not to make signals go away.

    References
    ----------
    .. [1] D. C. Montgomery, Introduction to Statistical Quality Control, 8th ed., Wiley,
       sec. 6.4.

    Examples
    --------
    >>> counts = [12.0, 31.0, 8.0, 19.0, 55.0, 23.0, 14.0, 10.0, 37.0, 21.0]
    >>> chart = nonnormal_chart(counts, method="quantile", distribution="lognormal")
    >>> round(chart.lower, 2), round(chart.center, 2), round(chart.upper, 2)
    (3.15, 19.46, 120.31)
    """
    check_choice("method", method, ("boxcox", "johnson", "quantile"))
    x, frame, width = read_series(values), read_options(options, values), check_width(n_sigma)
    if method == "quantile":
        name = check_choice("distribution", distribution, get_args(DistributionName))
    elif distribution is not None:
        msg = f"distribution has no meaning for method={method!r}; leave it out"
        raise InputError(msg)
    else:
        name = method
    word = _WORDS.get(name, name)

    def estimate(stage: NDArray[np.float64], keep: NDArray[np.bool_]) -> dict[str, Any]:
        fit = fit_distribution(stage[keep], name)  # type: ignore[arg-type]
        found = {"distribution": fit.name, "shape": fit.parameters, "n_sigma": width}
        if method == "quantile":
            lower, center, upper = fit.at_score([-width, 0.0, width]).tolist()
            return found | {"lower": lower, "center": center, "upper": upper}
        scores = scores_of(found, stage)
        sigma = sigma_of_individuals(scores, keep=keep).value
        return found | {"center": float(scores[keep].mean()), "sigma": sigma, "span": 2}

    if method == "quantile":
        tail = float(special.ndtr(-width))
        return build(
            "quantile",
            x,
            estimate,
            frame,
            title=f"Individuals, {word} limits",
            method=f"quantiles {100 * tail:.3g} %, 50 %, {100 * (1 - tail):.5g} % of {word}",
            source=_SOURCE,
        )
    plain = of_spread(frame)._replace(units="normal score")
    chart = build(
        "transformed",
        x,
        estimate,
        plain,
        title=f"Individuals, {word} scores",
        method=f"mean -+ {width:g} sigma of {word} scores, sigma by moving ranges",
        source=_SOURCE,
    )
    ranges = build(
        "transformed_range",
        x,
        estimate,
        plain,
        drop=1,
        title=f"Moving range of {word} scores",
        method=f"(d2(2) -+ {width:g} d3(2)) sigma",
        source=_SOURCE,
    )
    return dataclasses.replace(chart, companion=ranges)
