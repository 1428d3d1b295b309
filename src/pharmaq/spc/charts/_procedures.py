"""What each kind of chart computes from frozen parameters: statistic, limits, state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import stats

from pharmaq._checks import as_float, check_finite, check_vector
from pharmaq.errors import InputError
from pharmaq.spc.charts._multivariate import (
    OF_VECTORS,
    mcusum_path,
    mewma_path,
    read_vectors,
    t2_parts,
)
from pharmaq.spc.constants import c4, d2, d3
from pharmaq.spc.distributions import normal_scores
from pharmaq.spc.sigma import moving_ranges
from pharmaq.spc.subgroups import Subgroups, as_subgroups
from pharmaq.spc.weighted import cusum, ewma

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from pharmaq.spc.charts._chart import ControlChart

    Vector = NDArray[np.float64]
    Limit = float | Vector


class Points(NamedTuple):
    """Points of a chart with their limits, and the state that the next point starts from."""

    statistic: Vector
    center: Limit
    lower: Limit
    upper: Limit
    sigma: Limit | None
    components: dict[str, Vector]
    state: dict[str, Any]


class Counts(NamedTuple):
    """Counts of nonconforming units or of nonconformities, and what was inspected."""

    counts: Vector
    sizes: Vector


class ShortRun(NamedTuple):
    """Single measurements and the product of each."""

    values: Vector
    parts: NDArray[np.str_]


def evaluate(chart: ControlChart, values: Any, beside: dict[str, ArrayLike | None]) -> Points:
    """Return new points of a chart under its frozen parameters.

    `beside` holds what came with the values: sizes, subgroups, parts, None where nothing did.
    """
    sizes, subgroups, parts = (beside.get(name) for name in ("sizes", "subgroups", "parts"))
    if chart.kind in OF_VECTORS:
        return _evaluate_vectors(chart, values, beside)
    of_subgroups = chart.kind in OF_SUBGROUPS or bool(chart.parameters.get("of_subgroups"))
    needed = "parts" if chart.kind in OF_PARTS else ("sizes" if chart.kind in OF_COUNTS else "")
    needed = "subgroups" if of_subgroups else needed
    for name, given in beside.items():
        if given is not None and name != needed:
            msg = f"{name} has no meaning for a chart of kind {chart.kind!r}; leave it out"
            raise InputError(msg)
    if of_subgroups:
        least = 1 if chart.kind in OF_MEANS else 2
        data: Any = as_subgroups(values, subgroups=subgroups, least=least)
    elif chart.kind in OF_PARTS:
        data = read_short_run(values, parts)
    elif chart.kind in OF_COUNTS:
        inspected = 1.0 if chart.kind == "c" else sizes
        data = read_counts(values, inspected, proportion=chart.kind in OF_PROPORTIONS)
    else:
        data = read_series(values, positive=chart.kind in NOT_NEGATIVE)
    return compute(chart.kind, chart.parameters, data, chart.state)


def _evaluate_vectors(
    chart: ControlChart, values: Any, beside: dict[str, ArrayLike | None]
) -> Points:
    grouped = chart.parameters["subgroup_size"] > 1
    for name, given in beside.items():
        if given is not None and not (name == "subgroups" and grouped):
            msg = f"{name} has no meaning for a chart of kind {chart.kind!r}; leave it out"
            raise InputError(msg)
    data = read_vectors(
        values,
        subgroups=beside.get("subgroups"),
        names=tuple(chart.parameters["variables"]),
        size=chart.parameters["subgroup_size"],
    )
    return compute(chart.kind, chart.parameters, data.values, chart.state)


def compute(
    kind: str, parameters: dict[str, Any], data: Any, state: dict[str, Any] | None = None
) -> Points:
    """Return the points of one stage."""
    return _COMPUTE[kind](parameters, data, state or {})


def read_series(values: ArrayLike, *, positive: bool = False) -> Vector:
    """Return single values, checked."""
    vector = check_vector("values", values)
    if positive:
        _require_each("values", vector, vector < 0, "not be negative")
    return vector


def read_short_run(values: ArrayLike, parts: ArrayLike | None) -> ShortRun:
    """Return single values with the product of each, checked."""
    vector = check_vector("values", values)
    if parts is None:
        msg = "parts is missing: give the product of each value"
        raise InputError(msg)
    names = np.asarray(parts).astype(str)
    if names.shape != vector.shape:
        msg = f"parts has shape {names.shape}, but values have shape {vector.shape}"
        raise InputError(msg)
    return ShortRun(vector, names)


def lagged(x: Vector, p: int) -> Vector:
    """Return the p values before each value from p on, the latest first."""
    return np.column_stack([x[p - lag : x.size - lag] for lag in range(1, p + 1)])


def read_counts(counts: ArrayLike, sizes: ArrayLike | None, *, proportion: bool) -> Counts:
    """Return counts with the size of each sample, checked."""
    found = check_vector("counts", counts)
    if sizes is None:
        msg = "sizes is missing: give how many units were inspected, one number or one a sample"
        raise InputError(msg)
    given = as_float("sizes", sizes)
    if given.ndim and given.shape != found.shape:
        msg = f"sizes has shape {given.shape}, but counts have shape {found.shape}"
        raise InputError(msg)
    check_finite("sizes", given)
    n = np.broadcast_to(given, found.shape).astype(float)
    _require_each("counts", found, (found < 0) | (found % 1 != 0), "be whole and not negative")
    _require_each("sizes", n, n <= 0, "be above 0")
    if proportion:
        _require_each("sizes", n, n % 1 != 0, "be whole numbers of units")
        over = found > n
        _require_each("counts", found, over, "not exceed the number of units inspected")
    return Counts(found, n)


def _require_each(name: str, array: Vector, bad: NDArray[np.bool_], rule: str) -> None:
    if bad.any():
        i = int(np.argmax(bad))
        msg = f"{name} must {rule}, but {name}[{i}] is {array[i]:g} ({int(bad.sum())} in all)"
        raise InputError(msg)


def same(values: ArrayLike) -> Limit:
    """Return one float where all values are the same."""
    level = np.atleast_1d(np.asarray(values, dtype=float))
    return float(level[0]) if level.size and np.all(level == level[0]) else level


def _plain(
    statistic: Vector,
    center: Limit,
    spread: Limit,
    width: float,
    *,
    floor: float = -np.inf,
    ceiling: float = np.inf,
) -> Points:
    """Return limits `width` spreads around the centre, within what the statistic can be."""
    lower = np.maximum(floor, center - width * np.asarray(spread))
    upper = np.minimum(ceiling, center + width * np.asarray(spread))
    return Points(
        statistic,
        center,
        same(lower),
        same(upper),
        spread,
        {},
        {},
    )


def _given(p: dict[str, Any], x: Vector, state: dict[str, Any]) -> Points:  # noqa: ARG001
    lower = p.get("lower", -np.inf)
    return Points(x, p["center"], lower, p["upper"], p.get("sigma"), {}, {})


def _individuals(p: dict[str, Any], x: Any, state: dict[str, Any]) -> Points:  # noqa: ARG001
    return _plain(_values_and_sizes(x)[0], p["center"], p["sigma"], p["n_sigma"])


def _short_run(p: dict[str, Any], x: ShortRun, state: dict[str, Any]) -> Points:
    return _individuals(p, _deviations(p, x), state)


def _short_run_range(p: dict[str, Any], x: ShortRun, state: dict[str, Any]) -> Points:
    return _moving_range(p, _deviations(p, x), state)


def _deviations(p: dict[str, Any], x: ShortRun) -> Vector:
    """Return deviations from nominal, in standard deviations where the chart has them."""
    unknown = sorted(set(x.parts.tolist()) - set(p["nominal"]))
    if unknown:
        msg = (
            f"part {unknown[0]!r} was not there in phase 1; known are {', '.join(p['nominal'])}"
        )
        raise InputError(msg)
    deviations = x.values - np.array([p["nominal"][part] for part in x.parts])
    if p["scale"] is None:
        return deviations
    return deviations / np.array([p["scale"][part] for part in x.parts])


def _transformed(p: dict[str, Any], x: Vector, state: dict[str, Any]) -> Points:
    return _individuals(p, scores_of(p, x), state)


def _transformed_range(p: dict[str, Any], x: Vector, state: dict[str, Any]) -> Points:
    return _moving_range(p, scores_of(p, x), state)


def scores_of(p: dict[str, Any], x: Vector) -> Vector:
    """Return normal scores of values under the frozen distribution of a chart."""
    scores = normal_scores(p["distribution"], p["shape"], x)
    _require_each("values", x, ~np.isfinite(scores), f"be possible for {p['distribution']!r}")
    return scores


def _residual(p: dict[str, Any], x: Vector, state: dict[str, Any]) -> Points:
    coefficients = np.asarray(p["coefficients"])
    order = coefficients.size
    series = np.concatenate([state.get("last", np.empty(0)), x])
    foreseen = p["intercept"] + lagged(series, order) @ coefficients
    points = _plain(series[order:] - foreseen, p["center"], p["sigma"], p["n_sigma"])
    return points._replace(state={"last": series[-order:]})


def _moving_range(p: dict[str, Any], x: Any, state: dict[str, Any]) -> Points:
    span = p["span"]
    series = np.concatenate([state.get("last", np.empty(0)), _values_and_sizes(x)[0]])
    ranges = moving_ranges(series, span) if series.size >= span else np.empty(0)
    points = _plain(
        ranges, d2(span) * p["sigma"], d3(span) * p["sigma"], p["n_sigma"], floor=0.0
    )
    return points._replace(state={"last": series[series.size - span + 1 :]})


def _xbar(p: dict[str, Any], x: Subgroups, state: dict[str, Any]) -> Points:  # noqa: ARG001
    return _plain(x.means, p["center"], same(p["sigma"] / np.sqrt(x.sizes)), p["n_sigma"])


def _range(p: dict[str, Any], x: Subgroups, state: dict[str, Any]) -> Points:  # noqa: ARG001
    center, spread = _by_size(d2, x, p["sigma"]), _by_size(d3, x, p["sigma"])
    return _plain(x.ranges, center, spread, p["n_sigma"], floor=0.0)


def _deviation(p: dict[str, Any], x: Subgroups, state: dict[str, Any]) -> Points:  # noqa: ARG001
    center = _by_size(c4, x, p["sigma"])
    spread = _by_size(lambda n: float(np.sqrt(1 - c4(n) ** 2)), x, p["sigma"])
    return _plain(x.deviations, center, spread, p["n_sigma"], floor=0.0)


def _by_size(constant: Callable[[int], float], x: Subgroups, sigma: float) -> Limit:
    found = {int(n): constant(int(n)) for n in np.unique(x.sizes)}
    return same(sigma * np.array([found[int(n)] for n in x.sizes]))


def _proportion(p: dict[str, Any], x: Counts, state: dict[str, Any]) -> Points:  # noqa: ARG001
    center = p["center"]
    spread = same(np.sqrt(center * (1 - center) / x.sizes) * p.get("sigma_z", 1.0))
    points = _plain(x.counts / x.sizes, center, spread, p["n_sigma"], floor=0.0, ceiling=1.0)
    return points if p["limits"] == "normal" else _exact_binomial(points, p, x, x.sizes)


def _number(p: dict[str, Any], x: Counts, state: dict[str, Any]) -> Points:  # noqa: ARG001
    q = p["center"]
    center, spread = same(q * x.sizes), same(np.sqrt(q * (1 - q) * x.sizes))
    points = _plain(x.counts, center, spread, p["n_sigma"], floor=0.0)
    highest = np.minimum(np.broadcast_to(points.upper, x.sizes.shape), x.sizes)
    points = points._replace(upper=same(highest))
    return points if p["limits"] == "normal" else _exact_binomial(points, p, x, 1.0)


def _exact_binomial(
    points: Points, p: dict[str, Any], x: Counts, divisor: Vector | float
) -> Points:
    tail = float(stats.norm.sf(p["n_sigma"]))
    low = stats.binom.ppf(tail, x.sizes, p["center"]) / divisor
    high = stats.binom.isf(tail, x.sizes, p["center"]) / divisor
    return points._replace(lower=same(low), upper=same(high))


def _rate(p: dict[str, Any], x: Counts, state: dict[str, Any]) -> Points:  # noqa: ARG001
    center = p["center"]
    spread = same(np.sqrt(center / x.sizes) * p.get("sigma_z", 1.0))
    points = _plain(x.counts / x.sizes, center, spread, p["n_sigma"], floor=0.0)
    if p["limits"] == "normal":
        return points
    tail = float(stats.norm.sf(p["n_sigma"]))
    low = stats.poisson.ppf(tail, center * x.sizes) / x.sizes
    high = stats.poisson.isf(tail, center * x.sizes) / x.sizes
    return points._replace(lower=same(low), upper=same(high))


def _between_events(p: dict[str, Any], x: Vector, state: dict[str, Any]) -> Points:  # noqa: ARG001
    center = p["center"]
    spread = float(np.sqrt(center * (center + 1)))
    points = _plain(x, center, spread, p["n_sigma"], floor=0.0)
    if p["limits"] == "normal":
        return points
    # scipy's geometric counts the event itself
    tail, chance = float(stats.norm.sf(p["n_sigma"])), 1 / (center + 1)
    low, high = stats.geom.ppf(tail, chance) - 1, stats.geom.isf(tail, chance) - 1
    return points._replace(lower=float(low), upper=float(high), sigma=None)


def _time_between(p: dict[str, Any], x: Vector, state: dict[str, Any]) -> Points:  # noqa: ARG001
    if p["limits"] == "nelson":
        return _individuals(p, x ** p["power"], {})
    tail = float(stats.norm.sf(p["n_sigma"]))
    low, middle, high = (p["mean"] * stats.expon.ppf(q) for q in (tail, 0.5, 1 - tail))
    return Points(x, float(middle), float(low), float(high), None, {}, {})


def _ewma(p: dict[str, Any], x: Any, state: dict[str, Any]) -> Points:
    values, sizes = _values_and_sizes(x)
    lam, center = p["lam"], p["center"]
    z = ewma(values, lam=lam, start=state.get("ewma", p["start"]))
    before = state.get("variance", 0.0)
    share = _variance_share(lam, sizes, before, exact=p["limits"] == "exact")
    spread = same(p["sigma"] * np.sqrt(share))
    points = _plain(z, center, spread, p["n_sigma"])
    return points._replace(state={"ewma": float(z[-1]), "variance": float(share[-1])})


def _values_and_sizes(x: Any) -> tuple[Vector, Vector]:
    if isinstance(x, Subgroups):
        return x.means, x.sizes.astype(float)
    return x, np.ones(x.size)


def _variance_share(lam: float, sizes: Vector, before: float, *, exact: bool) -> Vector:
    """Return the variance of the average over that of a single value, at each point."""
    if not exact:
        return lam / (2 - lam) / sizes
    if np.all(sizes == sizes[0]):
        # the sum of a geometric series, on top of what came before
        left = (1 - lam) ** (2.0 * np.arange(1, sizes.size + 1))
        return lam / (2 - lam) / sizes[0] * (1 - left) + left * before
    share = np.empty(sizes.size)
    for i, n in enumerate(sizes):
        before = (1 - lam) ** 2 * before + lam**2 / n
        share[i] = before
    return share


def _cusum(p: dict[str, Any], x: Any, state: dict[str, Any]) -> Points:
    values, sizes = _values_and_sizes(x)
    z = (values - p["center"]) / (p["sigma"] / np.sqrt(sizes))
    start = (state.get("upper", p["headstart"]), state.get("lower", p["headstart"]))
    high, low = cusum(z, k=p["k"], start=start)
    unit = p["unit"]
    upper, lower = high * unit, low * unit
    statistic = {"upper": upper, "lower": -lower}.get(p["side"])
    if statistic is None:
        statistic = np.where(upper >= lower, upper, -lower)
    h = p["h"] * unit
    limits = {"upper": (-np.inf, h), "lower": (-h, np.inf)}.get(p["side"], (-h, h))
    return Points(
        statistic,
        0.0,
        limits[0],
        limits[1],
        None,
        {"cusum_upper": upper, "cusum_lower": lower},
        {"upper": float(high[-1]), "lower": float(low[-1])},
    )


def _t2(p: dict[str, Any], x: Any, state: dict[str, Any]) -> Points:
    t2, drop, phase = t2_parts(p, x, state)
    names = [f"contribution of {name}" for name in p["variables"]]
    return Points(
        t2,
        p[f"center_{phase}"],
        -np.inf,
        p[f"limit_{phase}"],
        None,
        dict(zip(names, drop.T, strict=True)),
        {"phase": 2},
    )


def _mewma(p: dict[str, Any], x: Any, state: dict[str, Any]) -> Points:
    statistic, after = mewma_path(p, x, state)
    return Points(statistic, float(len(p["variables"])), -np.inf, p["limit"], None, {}, after)


def _mcusum(p: dict[str, Any], x: Any, state: dict[str, Any]) -> Points:
    statistic, after = mcusum_path(p, x, state)
    return Points(statistic, 0.0, -np.inf, p["h"], None, {}, after)


_COMPUTE: dict[str, Callable[..., Points]] = {
    "given": _given,
    "spe": _given,
    "scores_t2": _given,
    "combined": _given,
    "t2": _t2,
    "mewma": _mewma,
    "mcusum": _mcusum,
    "individuals": _individuals,
    "moving_range": _moving_range,
    "short_run": _short_run,
    "short_run_range": _short_run_range,
    "residual": _residual,
    "quantile": _given,
    "transformed": _transformed,
    "transformed_range": _transformed_range,
    "xbar": _xbar,
    "range": _range,
    "s": _deviation,
    "p": _proportion,
    "laney_p": _proportion,
    "np": _number,
    "u": _rate,
    "c": _rate,
    "laney_u": _rate,
    "g": _between_events,
    "t": _time_between,
    "ewma": _ewma,
    "cusum": _cusum,
}
OF_SUBGROUPS = {"xbar", "range", "s"}
OF_PARTS = {"short_run", "short_run_range"}
OF_MEANS = {"xbar", "ewma", "cusum"}
OF_PROPORTIONS = {"p", "np", "laney_p"}
OF_COUNTS = OF_PROPORTIONS | {"u", "laney_u", "c"}
NOT_NEGATIVE = {"g", "t"}
