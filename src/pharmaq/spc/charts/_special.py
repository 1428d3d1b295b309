"""Charts for special structures: batches within batches, short runs, autocorrelation."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal, Unpack

import numpy as np

from pharmaq._checks import check_choice, check_integer, check_real
from pharmaq.errors import InputError
from pharmaq.spc.charts._build import (
    ChartOptions,
    build,
    check_width,
    of_spread,
    read_options,
    take,
)
from pharmaq.spc.charts._procedures import ShortRun, lagged, read_series, read_short_run
from pharmaq.spc.sigma import moving_ranges, sigma_of_individuals, sigma_of_subgroups
from pharmaq.spc.subgroups import as_subgroups

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from pharmaq.spc.charts._chart import ControlChart
    from pharmaq.spc.subgroups import Subgroups

__all__ = ["residual_chart", "short_run_chart", "three_way_chart"]

_WHEELER = "D. J. Wheeler, D. S. Chambers, Understanding Statistical Process Control, SPC Press"
_SHORT_RUN = "G. K. Griffith, Statistical Process Control Methods for Long and Short Runs, ASQ"
_RESIDUALS = "L. C. Alwan, H. V. Roberts, J. Bus. Econ. Stat. 6 (1988) 87-95"


def three_way_chart(
    values: Any,
    *,
    subgroups: ArrayLike | int | None = None,
    spread: Literal["range", "s"] = "range",
    n_sigma: float = 3.0,
    **options: Unpack[ChartOptions],
) -> ControlChart:
    """Make a chart of batch means whose limits allow for spread between batches [1]_.

    Samples of one batch are alike; batches differ. Limits from the spread within batches, as in
    `xbar_r_chart`, would then signal all the time.

    Parameters
    ----------
    values : array-like of shape (m, n) or (n_values,), or sequence of m arrays
        Batches in time order, see `as_subgroups`. NaN raises.
    subgroups : array-like of shape (n_values,) or int, optional
        Batch of each measurement, where they stand in one column.
    spread : {"range", "s"}, default "range"
        The chart of spread within batches.
    n_sigma : float, default 3
        Distance of the limits from the centre, in standard deviations.
    **options : ChartOptions
        As in `individuals_chart`; positions are those of batches.

    Returns
    -------
    ControlChart
        Means of batches, with limits from their moving ranges. Its `companion` is the chart of
        these moving ranges, and that one's companion the chart of spread within batches.
        ``parameters`` holds ``sigma_means``, ``sigma_within`` and ``sigma_between``, the root
        of sigma_means^2 - sigma_within^2 / n, 0 where that is negative.

    References
    ----------
    .. [1] D. J. Wheeler, D. S. Chambers, Understanding Statistical Process Control, SPC Press.

    Examples
    --------
    >>> chart = three_way_chart([[9.9, 10.1], [12.0, 12.2], [10.9, 11.1], [12.6, 12.4]])
    >>> round(chart.parameters["sigma_between"], 2), chart.companion.companion.kind
    (1.38, 'range')
    """
    check_choice("spread", spread, ("range", "s"))
    data, frame, width = (
        as_subgroups(values, subgroups=subgroups),
        read_options(options),
        n_sigma,
    )
    check_width(width)
    estimator: Any = "r_bar" if spread == "range" else "s_bar"

    def estimate(stage: Subgroups, keep: NDArray[np.bool_]) -> dict[str, Any]:
        means = sigma_of_individuals(stage.means, keep=keep).value
        within = sigma_of_subgroups(take(stage, keep), estimator=estimator).value
        harmonic = float(np.mean(1 / stage.sizes[keep]))
        return {
            "center": float(stage.means[keep].mean()),
            "sigma": means,
            "sigma_means": means,
            "sigma_within": within,
            "sigma_between": float(np.sqrt(max(0.0, means**2 - within**2 * harmonic))),
            "n_sigma": width,
            "span": 2,
            "of_subgroups": True,
        }

    def within_only(stage: Subgroups, keep: NDArray[np.bool_]) -> dict[str, Any]:
        found = estimate(stage, keep)
        return found | {"sigma": found["sigma_within"]}

    chart = build(
        "individuals",
        data,
        estimate,
        frame,
        title="Batch means",
        method=f"mean -+ {width:g} sigma of means, by their moving ranges",
        source=_WHEELER,
    )
    between = build(
        "moving_range",
        data,
        estimate,
        of_spread(frame),
        drop=1,
        title="Moving range of batch means",
        method=f"(d2(2) -+ {width:g} d3(2)) sigma of means",
        source=_WHEELER,
    )
    within = build(
        spread,
        data,
        within_only,
        of_spread(frame),
        title="Spread within batches",
        method=f"{width:g} sigma limits from the spread within batches",
        source=_WHEELER,
    )
    return dataclasses.replace(chart, companion=dataclasses.replace(between, companion=within))


def short_run_chart(
    values: ArrayLike,
    parts: ArrayLike,
    *,
    nominal: Mapping[Any, float] | None = None,
    method: Literal["deviation", "z"] = "deviation",
    pooling: Literal["all", "part"] = "part",
    n_sigma: float = 3.0,
    **options: Unpack[ChartOptions],
) -> ControlChart:
    """Make one chart of many products that are each made in short runs [1]_.

    Parameters
    ----------
    values : array-like, shape (n,)
        Single measurements in time order; NaN raises.
    parts : array-like, shape (n,)
        Product of each measurement.
    nominal : mapping of part to float, optional
        Target of each product; by default its mean.
    method : {"deviation", "z"}, default "deviation"
        ``"deviation"``: deviations from nominal, for products of equal spread. ``"z"``:
        deviations over the standard deviation of the product (Z-MR), in standard deviations.
    pooling : {"part", "all"}, default "part"
        For ``"z"``: the standard deviation of each product, from moving ranges among its
        own measurements over d2, or one for all products.
    n_sigma : float, default 3
        Distance of the limits, in standard deviations.
    **options : ChartOptions
        As in `individuals_chart`.

    Returns
    -------
    ControlChart
        `companion` is the chart of moving ranges. New values need ``parts`` in `extend`; a
        product that phase 1 did not know is refused.

    Raises
    ------
    InputError
        If a product has no two measurements from which its spread could be estimated.

    References
    ----------
    .. [1] G. K. Griffith, Statistical Process Control Methods for Long and Short Runs, 2nd
       ed., ASQ Quality Press.

    Examples
    --------
    >>> chart = short_run_chart(
    ...     [10.1, 9.9, 50.2, 49.9, 10.0], list("AABBA"), nominal={"A": 10.0, "B": 50.0}
    ... )
    >>> chart.statistic.round(2)
    array([ 0.1, -0.1,  0.2, -0.1,  0. ])
    """
    check_choice("method", method, ("deviation", "z"))
    check_choice("pooling", pooling, ("part", "all"))
    width = check_width(n_sigma)
    data, frame = read_short_run(values, parts), read_options(options, values)

    def estimate(stage: ShortRun, keep: NDArray[np.bool_]) -> dict[str, Any]:
        middle = _nominals(stage, keep, nominal)
        deviations = stage.values - np.array([middle[part] for part in stage.parts])
        common = {"nominal": middle, "n_sigma": width, "span": 2}
        if method == "deviation":
            sigma = sigma_of_individuals(deviations, keep=keep).value
            center = float(deviations[keep].mean()) if nominal is not None else 0.0
            return common | {"center": center, "sigma": sigma, "scale": None}
        scale = _scales(stage, deviations, keep, pooling)
        return common | {"center": 0.0, "sigma": 1.0, "scale": scale}

    unit = "deviation from nominal" if method == "deviation" else "Z"
    chart = build(
        "short_run",
        data,
        estimate,
        frame,
        title=f"Short runs: {unit}",
        method=f"{unit}, mean -+ {width:g} sigma by moving ranges",
        source=_SHORT_RUN,
    )
    ranges = build(
        "short_run_range",
        data,
        estimate,
        of_spread(frame),
        drop=1,
        title=f"Moving range of {unit}",
        method=f"(d2(2) -+ {width:g} d3(2)) sigma",
        source=_SHORT_RUN,
    )
    return dataclasses.replace(chart, companion=ranges)


def residual_chart(
    values: ArrayLike,
    *,
    order: int = 1,
    n_sigma: float = 3.0,
    **options: Unpack[ChartOptions],
) -> ControlChart:
    """Make a chart of what an autoregressive model does not foresee [1]_.

    Neighbouring values of a fast process are alike; limits from moving ranges are then far too
    narrow. The residuals of a model of that likeness are independent.

    Parameters
    ----------
    values : array-like, shape (n,)
        Single measurements at equal intervals; NaN raises.
    order : int, default 1
        Number p of earlier values in the model AR(p).
    n_sigma : float, default 3
        Distance of the limits, in standard deviations of the residuals.
    **options : ChartOptions
        As in `individuals_chart`. `exclude` is not possible: a model needs every value.

    Returns
    -------
    ControlChart
        Residuals from point p + 1 on; ``parameters`` holds ``intercept`` and
        ``coefficients``, frozen for `extend`.

    Raises
    ------
    InputError
        If there are too few values, or the fitted model is not stationary.

    Notes
    -----
    x_t = c + a_1 x_(t-1) + ... + a_p x_(t-p) + e_t by conditional least squares; sigma^2 is the
    residual sum of squares over n - 2 p - 1. A shift of the mean by d shows in residuals as d
    once and as d (1 - sum a) afterwards: residual charts see it late.

    References
    ----------
    .. [1] L. C. Alwan, H. V. Roberts, J. Bus. Econ. Stat. 6 (1988) 87-95.

    Examples
    --------
    >>> chart = residual_chart([1.0, 2.0, 1.5, 2.2, 1.4, 2.1, 1.6, 1.9])
    >>> chart.parameters["coefficients"].round(2)
    array([-0.61])
    """
    x, frame = read_series(values), read_options(options, values)
    p, width = check_integer("order", order, least=1), check_width(n_sigma)
    if frame.exclude:
        msg = "exclude is not possible for residuals of a model, which needs every value"
        raise InputError(msg)

    def estimate(stage: NDArray[np.float64], _: NDArray[np.bool_]) -> dict[str, Any]:
        intercept, coefficients, sigma = _fit_autoregression(stage, p)
        return {
            "intercept": intercept,
            "coefficients": coefficients,
            "center": 0.0,
            "sigma": sigma,
            "n_sigma": width,
        }

    return build(
        "residual",
        x,
        estimate,
        frame,
        drop=p,
        title=f"Residuals of AR({p})",
        method=f"0 -+ {width:g} sigma, AR({p}) by conditional least squares",
        source=_RESIDUALS,
    )


def _nominals(
    stage: ShortRun, keep: NDArray[np.bool_], nominal: Mapping[Any, float] | None
) -> dict[str, float]:
    given = {str(part): value for part, value in (nominal or {}).items()}
    found = {}
    for part in np.unique(stage.parts):
        name = str(part)
        own = stage.values[keep & (stage.parts == part)]
        if nominal is None and own.size:
            found[name] = float(own.mean())
        elif name in given:
            found[name] = check_real(f"nominal[{name!r}]", given[name])
        else:
            msg = f"nominal holds no target for part {name!r}; add it"
            raise InputError(msg)
    return found


def _scales(
    stage: ShortRun,
    deviations: NDArray[np.float64],
    keep: NDArray[np.bool_],
    pooling: str,
) -> dict[str, float]:
    """Return the standard deviation of each part, from ranges among its own measurements."""
    own = {str(p): deviations[keep & (stage.parts == p)] for p in np.unique(stage.parts)}
    if pooling == "all":
        ranges = np.concatenate([moving_ranges(x) for x in own.values()])
        pairs = np.column_stack([np.zeros(ranges.size), ranges])
        sigma = sigma_of_subgroups(as_subgroups(pairs), estimator="r_bar").value
        return dict.fromkeys(own, sigma)
    for part, x in own.items():
        if x.size < 2 or not np.ptp(x) > 0:
            msg = (
                f"part {part!r} has no two measurements that differ, so that its spread is not "
                'known; use pooling="all" or method="deviation"'
            )
            raise InputError(msg)
    return {part: sigma_of_individuals(x).value for part, x in own.items()}


def _fit_autoregression(
    x: NDArray[np.float64], p: int
) -> tuple[float, NDArray[np.float64], float]:
    freedom = x.size - 2 * p - 1
    if freedom < 1:
        msg = f"values must hold at least {2 * p + 2} for a model of order {p}, got {x.size}"
        raise InputError(msg)
    if not np.ptp(x) > 0:
        msg = "values do not vary; nothing can be modelled"
        raise InputError(msg)
    design = np.column_stack([np.ones(x.size - p), lagged(x, p)])
    solution = np.asarray(np.linalg.lstsq(design, x[p:], rcond=None)[0], dtype=np.float64)
    residuals = x[p:] - design @ solution
    roots = np.roots(np.concatenate([[1.0], -solution[1:]]))
    if np.abs(roots).max() >= 1:
        msg = (
            f"the fitted AR({p}) is not stationary (root {np.abs(roots).max():.3g}): the "
            "series drifts; look at it, or chart its differences"
        )
        raise InputError(msg)
    sigma = float(np.sqrt(residuals @ residuals / freedom))
    return float(solution[0]), solution[1:], sigma
