"""Temperature excursions in storage and transport, held against a storage rule."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmaq._checks import check_real
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result
from pharmaq.spc.stability.temperature import (
    ACTIVATION_ENERGY,
    ZERO,
    mean_of_rates,
    rates,
    read_record,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from pharmaq.results import Severity

    Floats = NDArray[np.float64]

__all__ = [
    "CONTROLLED_COLD",
    "CONTROLLED_ROOM",
    "ExcursionReport",
    "StorageRule",
    "evaluate_excursions",
]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StorageRule:
    """What a label and the pharmacopoeia allow; degC and hours.

    Parameters
    ----------
    name : str
        For messages.
    low, high : float
        Range on the label.
    allowed_low, allowed_high : float
        Range in which excursions are allowed as long as the mean kinetic temperature is.
    spike, spike_hours : float
        Highest temperature of a transient spike, and the longest time above `allowed_high`.
    mkt_limit, mkt_hours : float
        Limit of the mean kinetic temperature, and the time it is taken over.
    """

    name: str
    low: float
    high: float
    allowed_low: float
    allowed_high: float
    spike: float
    spike_hours: float
    mkt_limit: float
    mkt_hours: float


CONTROLLED_ROOM = StorageRule(
    name="controlled room temperature",
    low=20.0,
    high=25.0,
    allowed_low=15.0,
    allowed_high=30.0,
    spike=40.0,
    spike_hours=24.0,
    mkt_limit=25.0,
    mkt_hours=30 * 24.0,
)
CONTROLLED_COLD = StorageRule(
    name="controlled cold temperature",
    low=2.0,
    high=8.0,
    allowed_low=2.0,
    allowed_high=8.0,
    spike=15.0,
    spike_hours=24.0,
    mkt_limit=8.0,
    mkt_hours=24.0,
)


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class ExcursionReport(Result):
    """Times outside the range on the label, and what they amount to.

    Parameters
    ----------
    rule : StorageRule
        What was held against.
    excursions : DataFrame
        A row each: ``start``, ``end``, ``hours``, ``side``, ``extreme``, ``degree_hours`` (area
        beyond the label), ``ended`` (False if the record ends outside).
    mkt : float
        Highest mean kinetic temperature over the time of the rule, degC.
    mkt_end : float
        Hours after the start at which that time ends.
    hours : ndarray of shape (n,)
        Time of each reading after the first.
    temperature, rolling_mkt : ndarray of shape (n,)
        Readings, and the mean kinetic temperature up to each, degC.
    covered : float
        Hours of record; less than `rule.mkt_hours` is said in a finding.
    findings : tuple of Finding
        Excursions, the gravest severity where no rule allows them.
    """

    rule: StorageRule
    excursions: pd.DataFrame
    mkt: float
    mkt_end: float
    hours: Floats
    temperature: Floats
    rolling_mkt: Floats
    covered: float
    findings: tuple[Finding, ...]

    @property
    def allowed(self) -> bool:
        """Whether no finding asks for action."""
        return all(finding.severity != "action" for finding in self.findings)

    def to_frame(self) -> pd.DataFrame:
        """Return the excursions."""
        return self.excursions.copy()

    def _fields(self) -> dict[str, Any]:
        return Result._fields(self) | {"rule": dataclasses.asdict(self.rule)}

    def plot(self, *, ax: Any = None) -> Any:
        """Draw readings, ranges and the rolling mean kinetic temperature.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.spc.stability import plots

        return plots.plot_excursions(self, ax=ax)


def evaluate_excursions(
    temperature: ArrayLike,
    *,
    time: ArrayLike | None = None,
    rule: StorageRule = CONTROLLED_ROOM,
    activation_energy: float = ACTIVATION_ENERGY,
    units: str = "degC",
    subject: str = "record",
) -> ExcursionReport:
    """Evaluate temperature excursions by label, duration and mean kinetic temperature [1]_.

    Parameters
    ----------
    temperature : array-like, shape (n,)
        Readings; NaN raises. A Series with an index of times brings its times along.
    time : array-like, shape (n,), optional
        Times of the readings, rising: hours or timestamps.
    rule : StorageRule, default CONTROLLED_ROOM
        `CONTROLLED_ROOM`: 20 to 25 degC, 15 to 30 allowed, spikes to 40 for 24 hours, mean
        kinetic temperature of 30 days up to 25. `CONTROLLED_COLD`: 2 to 8 degC, spikes to 15
        for 24 hours, mean kinetic temperature of 24 hours up to 8. Or your own.
    activation_energy : float, default 83.14472
        kJ/mol.
    units : str, default "degC"
        Of the readings.
    subject : str, default "record"
        What findings are about: a shipment, a logger.

    Returns
    -------
    ExcursionReport
        Excursions, worst mean kinetic temperature, findings.

    Raises
    ------
    InputError
        As `mean_kinetic_temperature`, or if there are no times.

    Notes
    -----
    An excursion begins with the first reading outside the label and ends with the first one
    inside again. Rates between readings are linear. The mean kinetic temperature is judged
    from when the record covers the time of the rule; a shorter record is taken as a whole.

    References
    ----------
    .. [1] USP <659>, Packaging and Storage Requirements; <1079.2>.

    Examples
    --------
    >>> report = evaluate_excursions([22, 22, 33, 22, 22], time=[0, 300, 306, 312, 720])
    >>> report.excursions[["start", "hours", "extreme"]]
       start  hours  extreme
    0  306.0    6.0     33.0
    >>> report.allowed
    True
    """
    energy = check_real("activation_energy", activation_energy, above=0)
    T, hours = read_record(temperature, time, units)
    if hours is None:
        msg = "time must be given, or temperature must be a Series with an index of times"
        raise InputError(msg)
    hours = hours - hours[0]
    celsius = T - ZERO
    rolling = _rolling(T, hours, energy, rule.mkt_hours)
    whole = hours >= min(rule.mkt_hours, float(hours[-1]))
    worst = int(np.argmax(np.where(whole, rolling, -math.inf)))
    table = _excursions(celsius, hours, rule)
    return ExcursionReport(
        rule=rule,
        excursions=table,
        mkt=float(rolling[worst]),
        mkt_end=float(hours[worst]),
        hours=hours,
        temperature=celsius,
        rolling_mkt=rolling,
        covered=float(hours[-1]),
        findings=tuple(_findings(table, celsius, hours, float(rolling[worst]), rule, subject)),
    )


def _rolling(T: Floats, hours: Floats, energy: float, window: float) -> Floats:
    """Return the mean kinetic temperature of the time up to each reading."""
    rate = rates(T, energy)
    if len(T) == 1:
        return T - ZERO
    total = np.r_[0.0, np.cumsum(np.diff(hours) * (rate[1:] + rate[:-1]) / 2)]
    start = np.maximum(hours - window, 0.0)
    # of a piece of an interval, exactly: its rate is linear
    i = np.clip(np.searchsorted(hours, start, side="right") - 1, 0, len(hours) - 2)
    part = start - hours[i]
    slope = (rate[i + 1] - rate[i]) / (hours[i + 1] - hours[i])
    before = total[i] + part * (rate[i] + slope * part / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (total - before) / (hours - start)
    mean[0] = rate[0]
    return np.array([mean_of_rates(float(m), energy) for m in mean])


def _excursions(celsius: Floats, hours: Floats, rule: StorageRule) -> pd.DataFrame:
    side = np.where(celsius > rule.high, 1, np.where(celsius < rule.low, -1, 0))
    edges = np.flatnonzero(np.r_[True, side[1:] != side[:-1]])
    rows = []
    for first, after in zip(edges, np.r_[edges[1:], len(side)], strict=True):
        if side[first] == 0:
            continue
        ended = after < len(side)
        last = after if ended else len(side) - 1
        beyond = np.maximum(celsius - rule.high if side[first] > 0 else rule.low - celsius, 0.0)
        part = slice(first, last + 1)
        extreme = celsius[first:after]
        rows.append(
            {
                "start": float(hours[first]),
                "end": float(hours[last]),
                "hours": float(hours[last] - hours[first]),
                "side": "above" if side[first] > 0 else "below",
                "extreme": float(extreme.max() if side[first] > 0 else extreme.min()),
                "degree_hours": float(np.trapezoid(beyond[part], hours[part])),
                "ended": bool(ended),
            }
        )
    columns = ["start", "end", "hours", "side", "extreme", "degree_hours", "ended"]
    return pd.DataFrame(rows, columns=columns)


def _findings(
    table: pd.DataFrame,
    celsius: Floats,
    hours: Floats,
    mkt: float,
    rule: StorageRule,
    subject: str,
) -> list[Finding]:
    def finding(name: str, severity: Severity, message: str, pair: tuple[float, float]) -> None:
        found.append(
            Finding(
                rule=name,
                severity=severity,
                subject=subject,
                message=message,
                value=pair[0],
                limit=pair[1],
            )
        )

    found: list[Finding] = []
    for _, row in table.iterrows():
        limit = rule.high if row.side == "above" else rule.low
        text = f"{row.extreme:.1f} degC is {row.side} the label for {row.hours:.1f} h"
        finding("excursion", "info", text, (float(row.extreme), limit))
    if celsius.max() > rule.spike:
        text = f"{celsius.max():.1f} degC is above any that is allowed, {rule.spike:g}"
        finding("spike", "action", text, (float(celsius.max()), rule.spike))
    if celsius.min() < rule.allowed_low:
        text = f"{celsius.min():.1f} degC is below any that is allowed, {rule.allowed_low:g}"
        finding("too_cold", "action", text, (float(celsius.min()), rule.allowed_low))
    longest = _longest_above(celsius, hours, rule.allowed_high)
    if longest > rule.spike_hours:
        text = (
            f"above {rule.allowed_high:g} degC for {longest:.1f} h, longer than "
            f"{rule.spike_hours:g} h"
        )
        finding("duration", "action", text, (longest, rule.spike_hours))
    if mkt > rule.mkt_limit:
        text = f"mean kinetic temperature {mkt:.2f} degC is above {rule.mkt_limit:g}"
        finding("mean_kinetic_temperature", "action", text, (mkt, rule.mkt_limit))
    if hours[-1] < rule.mkt_hours:
        text = f"the record covers {hours[-1]:.0f} h of the {rule.mkt_hours:g} h of the rule"
        finding("short_record", "info", text, (float(hours[-1]), rule.mkt_hours))
    return found


def _longest_above(celsius: Floats, hours: Floats, limit: float) -> float:
    above = np.r_[celsius > limit, False]
    starts = np.flatnonzero(above & ~np.r_[False, above[:-1]])
    ends = np.flatnonzero(~above & np.r_[False, above[:-1]])
    ends = np.minimum(ends, len(hours) - 1)
    return float((hours[ends] - hours[starts]).max(initial=0.0))
