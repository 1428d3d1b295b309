"""Accelerated stability: rates at several temperatures and humidities, by Arrhenius."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy import optimize

from pharmaq._checks import check_choice, check_real
from pharmaq.errors import InputError
from pharmaq.spc._columns import check_distinct, take_values
from pharmaq.spc.stability._arrhenius import ArrheniusFit
from pharmaq.spc.stability._scale import forward
from pharmaq.spc.stability.lines import fit_lines
from pharmaq.spc.stability.temperature import GAS_CONSTANT, kelvin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["arrhenius"]

# pictures reach down to the refrigerator
_COLDEST = 5.0


class _Data(NamedTuple):
    """Times and values with their condition; x is 1000 / T about the reference."""

    time: Floats
    value: Floats
    condition: NDArray[np.intp]
    conditions: Floats
    x: Floats
    moist: Floats | None
    reference: tuple[float, float]


def arrhenius(
    frame: pd.DataFrame,
    *,
    temperature: str = "temperature",
    time: str = "time",
    value: str = "value",
    humidity: str | None = None,
    order: Literal["zero", "first"] = "zero",
    method: Literal["one_step", "two_step"] = "one_step",
    confidence: float = 0.95,
) -> ArrheniusFit:
    """Fit rates at several temperatures, and humidities, by the law of Arrhenius [1]_ [2]_.

    Parameters
    ----------
    frame : DataFrame
        Results at three temperatures at least for ``"two_step"``, at two for ``"one_step"``;
        NaN raises.
    temperature, time, value : str
        Columns: degC; time from 0 in any unit; results.
    humidity : str, optional
        Column of relative humidity in %: adds B RH to the logarithm of the rate [3]_.
    order : {"zero", "first"}, default "zero"
        ``"first"`` takes logarithms of the results.
    method : {"one_step", "two_step"}, default "one_step"
        ``"one_step"``: least squares of all results at once, with one value at time 0.
        ``"two_step"``: a line at each condition, then a line of the logarithms of their slopes.
    confidence : float, default 0.95
        Of all limits.

    Returns
    -------
    ArrheniusFit
        Activation energy, rates, and time to a limit at other temperatures.

    Raises
    ------
    InputError
        If there are too few conditions, or values move in different directions.

    Notes
    -----
    value = start + direction k time with
    ln k = ln k_ref - E / R (1 / T - 1 / T_ref) + B (RH - RH_ref). The reference condition is
    the middle of the conditions, which keeps ln k_ref and E nearly uncorrelated. One
    mechanism over all temperatures is an assumption: look at the plot.

    References
    ----------
    .. [1] E. R. Garrett, J. Am. Pharm. Assoc. 45 (1956) 171-178.
    .. [2] S.-Y. P. King, M.-S. Kung, H.-L. Fung, J. Pharm. Sci. 73 (1984) 657-662.
    .. [3] K. C. Waterman, R. C. Adami, Int. J. Pharm. 293 (2005) 101-125.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> weeks = np.array([0, 4, 8, 12.0])
    >>> loss = {50: 0.1, 60: 0.22, 70: 0.46}
    >>> frame = pd.concat(
    ...     pd.DataFrame({"temperature": T, "time": weeks, "value": 100 - k * weeks})
    ...     for T, k in loss.items()
    ... )
    >>> fit = arrhenius(frame)
    >>> print(f"{fit.activation_energy:.0f} kJ/mol")
    70 kJ/mol
    """
    check_choice("order", order, ("zero", "first"))
    check_choice("method", method, ("one_step", "two_step"))
    confidence = check_real("confidence", confidence, above=0, below=1)
    columns = {"temperature": temperature, "time": time, "value": value}
    columns |= {} if humidity is None else {"humidity": humidity}
    check_distinct(**columns)
    data = _take(frame, columns, order)
    slopes, errors = _separate(data)
    direction = 1.0 if float(np.sum(np.sign(slopes))) > 0 else -1.0
    start = _first_guess(data, slopes, direction)
    estimate = _one_step if method == "one_step" else _two_step
    theta, covariance, sse, dof = estimate(data, start, direction)
    if len(theta) == 3:
        theta = np.append(theta, 0.0)
        covariance = np.pad(covariance, (0, 1))
    log = theta[1] - theta[2] * data.x
    if data.moist is not None:
        log = log + theta[3] * data.moist
    fit = ArrheniusFit(
        order=order,
        method=method,
        start=float(theta[0]),
        direction=direction,
        log_rate=float(theta[1]),
        activation_energy=float(theta[2]) * 1000 * GAS_CONSTANT,
        humidity=float(theta[3]),
        covariance=covariance,
        sigma=math.sqrt(sse / dof),
        dof=float(dof),
        reference=data.reference,
        rates=pd.DataFrame(
            {
                "temperature": data.conditions[:, 0],
                "humidity": data.conditions[:, 1],
                "n": np.bincount(data.condition),
                "rate": direction * slopes,
                "error": errors,
                "fitted": np.exp(log),
            }
        ),
        curve=pd.DataFrame(columns=["temperature", "rate", "lower", "upper"], dtype=float),
        confidence=confidence,
    )
    return fit if humidity else dataclasses.replace(fit, curve=_curve(fit))


def _curve(fit: ArrheniusFit) -> pd.DataFrame:
    grid = np.linspace(_COLDEST, float(fit.rates["temperature"].max()), 60)
    band = np.array([fit.rate(float(celsius)) for celsius in grid])
    return pd.DataFrame(band, columns=["rate", "lower", "upper"]).assign(temperature=grid)


def _take(frame: pd.DataFrame, columns: dict[str, str], order: str) -> _Data:
    celsius = take_values(frame, columns["temperature"])
    time = take_values(frame, columns["time"])
    value = take_values(frame, columns["value"])
    value = forward(value, "log" if order == "first" else "none", columns["value"])
    moist = np.full(len(value), math.nan)
    if "humidity" in columns:
        moist = take_values(frame, columns["humidity"])
    pairs = np.column_stack([celsius, np.nan_to_num(moist, nan=-1.0)])
    conditions, condition = np.unique(pairs, axis=0, return_inverse=True)
    if "humidity" not in columns:
        conditions[:, 1] = math.nan
    if len(np.unique(conditions[:, 0])) < 2:
        msg = f"temperatures must differ, got {conditions[0, 0]:g} degC only"
        raise InputError(msg)
    x = 1000 / kelvin(conditions[:, 0], "degC")
    middle = float(x.mean())
    reference = (1000 / middle - 273.15, float(conditions[:, 1].mean()))
    damp = None if "humidity" not in columns else conditions[:, 1] - reference[1]
    design = np.column_stack([np.ones(len(x)), x - middle, *([] if damp is None else [damp])])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        msg = "conditions do not tell temperature and humidity apart; vary them separately"
        raise InputError(msg)
    return _Data(time, value, condition.ravel(), conditions, x - middle, damp, reference)


def _separate(data: _Data) -> tuple[Floats, Floats]:
    """Return slopes of the conditions by lines of their own, and their errors."""
    for i, (celsius, _) in enumerate(data.conditions):
        if np.unique(data.time[data.condition == i]).size < 2:
            msg = f"{celsius:g} degC has results at one time only; a rate needs two"
            raise InputError(msg)
    lines = fit_lines(data.condition, data.time, data.value, model="separate", pooled=False)
    return lines.slope, np.sqrt(lines.mse * lines.v11)


def _first_guess(data: _Data, slopes: Floats, direction: float) -> Floats:
    """Return start, log rate, E and B from lines of the conditions."""
    rates = direction * slopes
    usable = rates > 0
    if np.unique(data.x[usable]).size < 2:
        msg = "values must move in one direction at two temperatures at least"
        raise InputError(msg)
    design = [np.ones(usable.sum()), -data.x[usable]]
    if data.moist is not None:
        design.append(data.moist[usable])
    coefficients = np.linalg.lstsq(np.column_stack(design), np.log(rates[usable]), rcond=None)[
        0
    ]
    early = data.time == data.time.min()
    return np.r_[float(data.value[early].mean()), coefficients]


def _one_step(
    data: _Data, start: Floats, direction: float
) -> tuple[Floats, Floats, float, int]:
    x = data.x[data.condition]
    moist = None if data.moist is None else data.moist[data.condition]

    def change(theta: Floats) -> Floats:
        log = theta[1] - theta[2] * x
        if moist is not None:
            log = log + theta[3] * moist
        return direction * np.exp(np.clip(log, -700, 700)) * data.time

    def residuals(theta: Floats) -> Floats:
        return theta[0] + change(theta) - data.value

    def jacobian(theta: Floats) -> Floats:
        c = change(theta)
        columns = [np.ones(len(c)), c, -c * x] + ([] if moist is None else [c * moist])
        return np.column_stack(columns)

    # two times at each of as many conditions as there are parameters less one leave some
    dof = len(data.value) - len(start)
    found = optimize.least_squares(
        residuals, start, jac=jacobian, method="lm", xtol=1e-14, ftol=1e-14, gtol=1e-14
    )
    sse = float(found.fun @ found.fun)
    R = np.linalg.qr(np.asarray(found.jac, dtype=np.float64), mode="r")
    inverse = np.linalg.solve(R, np.eye(len(start)))
    return found.x, inverse @ inverse.T * (sse / dof), sse, dof


def _two_step(
    data: _Data, start: Floats, direction: float
) -> tuple[Floats, Floats, float, int]:
    lines = fit_lines(data.condition, data.time, data.value, model="separate")
    rates = direction * lines.slope
    if np.any(rates <= 0):
        celsius = data.conditions[int(np.argmin(rates)), 0]
        msg = f'values at {celsius:g} degC move the other way; use method="one_step"'
        raise InputError(msg)
    columns = [np.ones(len(rates)), -data.x] + ([] if data.moist is None else [data.moist])
    design, log = np.column_stack(columns), np.log(rates)
    dof = len(rates) - design.shape[1]
    if dof < 1:
        msg = (
            f'{len(rates)} conditions are too few for method="two_step" with '
            f'{design.shape[1]} parameters; add one or use "one_step"'
        )
        raise InputError(msg)
    coefficients = np.linalg.lstsq(design, log, rcond=None)[0]
    sse = float(np.sum((log - design @ coefficients) ** 2))
    inverse = np.linalg.solve(design.T @ design, np.eye(design.shape[1]))
    covariance = np.zeros((len(start), len(start)))
    covariance[1:, 1:] = inverse * sse / dof
    weight = 1 / lines.v00
    mse = float(lines.mse[0]) if lines.dof[0] > 0 else 0.0
    covariance[0, 0] = mse / weight.sum()
    origin = float(lines.intercept @ weight / weight.sum())
    return np.r_[origin, coefficients], covariance, sse, dof
