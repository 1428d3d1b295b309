"""Limits for a wanted run length in control, and the best weight for a shift."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
from scipy import optimize, stats

from pharmaq._checks import check_choice, check_real
from pharmaq.errors import InputError
from pharmaq.results import Result
from pharmaq.spc.run_length._cusum import cusum_mean
from pharmaq.spc.run_length._ewma import ewma_mean

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ChartDesign", "design_chart"]

Sides = Literal["two", "one"]

_SMALLEST_WEIGHT = 0.01
_WIDEST_LIMIT = 8.0
_WIDEST_INTERVAL = 200.0


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class ChartDesign(Result):
    """Parameters of a chart that has a wanted run length in control.

    Parameters
    ----------
    chart : str
        The chart.
    parameters : dict of str to float
        ``limit``; ``lam`` and ``limit``; or ``k`` and ``h``; to be handed to
        `average_run_length`.
    arl0 : float
        Average run length in control with them.
    shift : float or None
        The shift that was asked for.
    arl1 : float or None
        Average run length at that shift.
    sides : str
        One or two.
    optimal : bool
        Whether ``lam`` or ``k`` was chosen for the smallest `arl1`.
    """

    chart: str
    parameters: dict[str, float]
    arl0: float
    shift: float | None
    arl1: float | None
    sides: str
    optimal: bool

    def to_frame(self) -> pd.DataFrame:
        """Return one row."""
        fields = self._fields()
        parameters = fields.pop("parameters")
        return pd.DataFrame([{"chart": fields.pop("chart"), **parameters, **fields}])


def design_chart(
    chart: Literal["shewhart", "ewma", "cusum"],
    *,
    arl0: float,
    lam: float | None = None,
    k: float | None = None,
    shift: float | None = None,
    sides: Sides = "two",
) -> ChartDesign:
    """Return the limit that gives a wanted average run length in control.

    Parameters
    ----------
    chart : {"shewhart", "ewma", "cusum"}
        The chart; an EWMA with the limits of the long run.
    arl0 : float
        Wanted average run length in control, at least 10.
    lam : float, optional
        Weight of an EWMA; the best for `shift` by default.
    k : float, optional
        Reference value of a CUSUM in standard deviations of a point; the best for `shift` by
        default.
    shift : float, optional
        Shift to be found, in standard deviations of a point, above 0.
    sides : {"two", "one"}, default "two"
        As in `ewma_run_length` and `cusum_run_length`.

    Returns
    -------
    ChartDesign
        The parameters, and the average run length at `shift`.

    Raises
    ------
    InputError
        If neither the parameter nor a shift is given, or `arl0` cannot be reached.

    References
    ----------
    .. [1] S. V. Crowder, J. Qual. Technol. 21 (1989) 155-162.

    Examples
    --------
    >>> design_chart("ewma", arl0=250, lam=0.1).parameters
    {'lam': 0.1, 'limit': 2.54618...}
    >>> best = design_chart("cusum", arl0=500, shift=1)
    >>> round(best.parameters["k"], 2), round(best.parameters["h"], 2), round(best.arl1, 2)
    (0.5, 5.07, 10.52)
    """
    check_choice("chart", chart, ("shewhart", "ewma", "cusum"))
    check_choice("sides", sides, ("two", "one"))
    check_real("arl0", arl0, above=10 - 1e-9)
    if shift is not None:
        check_real("shift", shift, above=0)
    strange = {"lam": lam if chart != "ewma" else None, "k": k if chart != "cusum" else None}
    for name, value in strange.items():
        if value is not None:
            msg = f"{name} is no parameter of a {chart} chart, got {value!r}"
            raise InputError(msg)
    if chart == "shewhart":
        return _shewhart(arl0, shift, sides)
    if chart == "ewma":
        weights = (_SMALLEST_WEIGHT, 1.0)
        wanted = (arl0, _WIDEST_LIMIT, weights)
        return _designed(("lam", "limit"), ewma_mean, wanted, lam, shift, sides)
    wanted = (arl0, _WIDEST_INTERVAL, (_SMALLEST_WEIGHT, max(2.0, shift or 0.0)))
    return _designed(("k", "h"), cusum_mean, wanted, k, shift, sides)


def _designed(
    names: tuple[str, str],
    mean: Callable[..., float],
    wanted: tuple[float, float, tuple[float, float]],
    given: float | None,
    shift: float | None,
    sides: Sides,
) -> ChartDesign:
    arl0, widest, bounds = wanted
    chart = "ewma" if names[0] == "lam" else "cusum"
    if given is not None:
        check_real(names[0], given, above=0)
        if chart == "ewma" and given > 1:
            msg = f"lam must lie in (0, 1], got {given!r}"
            raise InputError(msg)
        weight = given
    elif shift is None:
        msg = f"give {names[0]}, or the shift that it is to be the best for"
        raise InputError(msg)
    else:
        at: Any = shift

        def slowness(log_weight: float) -> float:
            weight = math.exp(log_weight)
            return mean(weight, _limit(mean, weight, arl0, widest, sides), at, sides=sides)

        ends = (math.log(bounds[0]), math.log(bounds[1]))
        best = optimize.minimize_scalar(slowness, bounds=ends, method="bounded")
        weight = math.exp(float(best.x))
    limit = _limit(mean, weight, arl0, widest, sides)
    return ChartDesign(
        chart=chart,
        parameters={names[0]: float(weight), names[1]: limit},
        arl0=mean(weight, limit, 0.0, sides=sides),
        shift=shift,
        arl1=None if shift is None else mean(weight, limit, shift, sides=sides),
        sides=sides,
        optimal=given is None,
    )


def _limit(
    mean: Callable[..., float], weight: float, arl0: float, widest: float, sides: Sides
) -> float:
    """Return the limit with that run length in control; the run length grows with it."""

    def excess(limit: float) -> float:
        return math.log(mean(weight, limit, 0.0, sides=sides) / arl0)

    high = 0.5
    while excess(high) < 0:
        high *= 1.5
        if high > widest:
            msg = f"arl0 = {arl0:g} asks for a limit beyond {widest:g}; use a smaller one"
            raise InputError(msg)
    low = high / 1.5
    while excess(low) > 0:
        low /= 2
        if low < 1e-6:
            msg = f"arl0 = {arl0:g} is too small for {weight:g}: even a limit of 0 runs longer"
            raise InputError(msg)
    return float(optimize.brentq(excess, low, high, xtol=1e-12, rtol=1e-12))


def _shewhart(arl0: float, shift: float | None, sides: Sides) -> ChartDesign:
    n_sides = 2 if sides == "two" else 1
    limit = float(stats.norm.isf(1 / (n_sides * arl0)))
    arl1 = None
    if shift is not None:
        beyond = stats.norm.sf(limit - shift) + (n_sides - 1) * stats.norm.cdf(-limit - shift)
        arl1 = float(1 / beyond)
    return ChartDesign(
        chart="shewhart",
        parameters={"limit": limit},
        arl0=arl0,
        shift=shift,
        arl1=arl1,
        sides=sides,
        optimal=False,
    )
