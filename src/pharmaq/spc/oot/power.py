"""How often each method alarms, rightly and wrongly, in the user's own design."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmaq._checks import check_choice, check_integer, check_real, check_vector
from pharmaq.errors import InputError
from pharmaq.results import Result
from pharmaq.spc.oot._check import expect, judge
from pharmaq.spc.oot._core import Rows
from pharmaq.spc.oot._settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from pharmaq.spc.oot._limits import Interval, Per

__all__ = ["OOTPower", "oot_power"]

_METHODS = {
    "regression, pooled": ("regression", "pooled"),
    "regression, parallel": ("regression", "parallel"),
    "regression, own": ("regression", "own"),
    "regression, random": ("regression", "random"),
    "time point": ("time_point", "pooled"),
    "slope": ("slope", "pooled"),
    "ewma, pooled": ("ewma", "pooled"),
    "ewma, parallel": ("ewma", "parallel"),
    "ewma, random": ("ewma", "random"),
}


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class OOTPower(Result):
    """Shares of tested batches with an alarm.

    Parameters
    ----------
    table : DataFrame
        A row a method: ``method``, ``false_alarm`` (batches like the history),
        ``single`` (one aberrant result), ``slope`` (a batch that changes faster), ``level`` (a
        batch that starts elsewhere), and ``error``, the largest standard error of these shares.
    design : dict
        What was simulated.
    n_simulations : int
        Histories drawn, each with one batch of each kind.
    """

    table: pd.DataFrame
    design: dict[str, Any]
    n_simulations: int

    def to_frame(self) -> pd.DataFrame:
        """Return the table."""
        return self.table.copy()

    def plot(self, *, ax: Any = None) -> Any:
        """Draw false alarms and power of each method.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.spc.oot import plots

        return plots.plot_power(self, ax=ax)


def oot_power(  # noqa: PLR0913 - a design and what goes wrong in it
    time: ArrayLike,
    *,
    n_history: int,
    sigma: float = 1.0,
    sigma_level: float = 0.0,
    sigma_slope: float = 0.0,
    shift: float = 4.0,
    shift_at: int | None = None,
    drift: float = 4.0,
    methods: Sequence[str] | None = None,
    alpha: float = 0.05,
    per: Per = "batch",
    interval: Interval = "prediction",
    confidence: float = 0.95,
    weight: float = 0.2,
    n_simulations: int = 1000,
    random_state: int | np.random.Generator | None = None,
) -> OOTPower:
    """Simulate false-alarm rate and power of methods for results out of trend.

    Parameters
    ----------
    time : array-like, shape (n_times,)
        Months of the study, rising; one result each.
    n_history : int
        Batches in the history, with all times, at least 2.
    sigma : float, default 1.0
        Standard deviation of a result about the line of its batch.
    sigma_level, sigma_slope : float, default 0.0
        Standard deviations of levels and of slopes (per month) from batch to batch.
    shift : float, default 4.0
        Deviation of the single aberrant result, and of the level of the batch that starts
        elsewhere, in `sigma`.
    shift_at : int, optional
        Position of the aberrant result, from 0; by default the middle of the study.
    drift : float, default 4.0
        Deviation of the batch that changes faster at the last time, in `sigma`.
    methods : sequence of str, optional
        Some of ``"regression, pooled"``, ``"regression, parallel"``, ``"regression, own"``,
        ``"regression, random"``, ``"time point"``, ``"slope"``, ``"ewma, pooled"``,
        ``"ewma, parallel"``, ``"ewma, random"``; all by default.
    alpha, per, interval, confidence, weight
        As in `check_oot`. The planned number of results is that of the study. Where a method
        has no tolerance interval, the prediction interval is taken.
    n_simulations : int, default 1000
        Histories to draw.
    random_state : int or Generator, optional
        For the same result again.

    Returns
    -------
    OOTPower
        Share of batches with at least one alarm over the whole study.

    Raises
    ------
    InputError
        If the design is not one: times that do not rise, fewer than 2 batches.

    Notes
    -----
    The common line itself plays no part: all methods follow it. A method that cannot judge,
    such as ``"regression, random"`` with two batches, has NaN.

    Examples
    --------
    >>> found = oot_power(
    ...     [0, 3, 6, 9, 12, 18, 24, 36],
    ...     n_history=5,
    ...     methods=["regression, parallel"],
    ...     n_simulations=200,
    ...     random_state=1,
    ... )
    >>> bool(found.table["false_alarm"].iloc[0] < 0.12)
    True
    """
    t = check_vector("time", time, least=3)
    if np.any(np.diff(t) <= 0) or t[0] < 0:
        msg = f"time must rise strictly from 0 or later, got {t.tolist()}"
        raise InputError(msg)
    k = check_integer("n_history", n_history, least=2)
    n = check_integer("n_simulations", n_simulations, least=1)
    names = list(_METHODS) if methods is None else list(methods)
    for name in names:
        check_choice("methods", name, _METHODS)
    at = len(t) // 2 if shift_at is None else check_integer("shift_at", shift_at, least=0)
    if at >= len(t):
        msg = f"shift_at must be below the number of times {len(t)}, got {at}"
        raise InputError(msg)
    spreads = {"sigma": check_real("sigma", sigma, above=0)}
    for word, spread in (("sigma_level", sigma_level), ("sigma_slope", sigma_slope)):
        spreads[word] = check_real(word, spread)
    share = check_real("alpha", alpha, above=0, below=1)
    chosen = {
        name: Settings(
            *_METHODS[name],
            share,
            per,
            len(t),
            _interval(name, interval),
            confidence,
            "two",
            weight,
            1.0,
            None,
            None,
        )
        for name in names
    }
    wrong = _deviations(t, at, float(shift) * sigma, float(drift) * sigma)
    rng = np.random.default_rng(random_state)
    alarms = _alarms(t, k, wrong, spreads, chosen, n, rng)
    design = {"time": t.tolist(), "n_history": k, "alpha": alpha, "per": per, "shift": shift}
    design |= {"shift_at": at, "drift": drift, "interval": interval, **spreads}
    return OOTPower(table=_table(names, alarms, n), design=design, n_simulations=n)


def _interval(name: str, interval: str) -> str:
    fits = name in {"regression, pooled", "regression, random", "time point", "slope"}
    return interval if fits else "prediction"


def _deviations(
    t: NDArray[np.float64], at: int, shift: float, drift: float
) -> NDArray[np.float64]:
    """Return what is added to each tested batch: nothing, one result, a slope, a level."""
    wrong = np.zeros((4, len(t)))
    wrong[1, at] = shift
    wrong[2] = drift * (t - t[0]) / (t[-1] - t[0])
    wrong[3] = shift
    return wrong


def _alarms(
    t: NDArray[np.float64],
    k: int,
    wrong: NDArray[np.float64],
    spreads: dict[str, float],
    chosen: dict[str, Settings],
    n: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return shares of alarms; shape (n_methods, 4)."""
    m = len(t)
    past = Rows(np.repeat(np.arange(k), m), np.tile(t, k), np.empty(k * m))
    new = Rows(np.repeat(np.arange(4), m), np.tile(t, 4), np.empty(4 * m))
    counts = np.zeros((len(chosen), 4))
    for _ in range(n):
        level = spreads["sigma_level"] * rng.standard_normal((k + 4, 1))
        slope = spreads["sigma_slope"] * rng.standard_normal((k + 4, 1))
        y = level + slope * t + spreads["sigma"] * rng.standard_normal((k + 4, m))
        history = past._replace(value=y[:k].ravel())
        tested = new._replace(value=(y[k:] + wrong).ravel())
        for i, settings in enumerate(chosen.values()):
            expected = expect(history, tested, settings)
            if not (expected.reason == 0).any():
                counts[i] = math.nan
                continue
            verdict = judge(expected, tested, settings, 4 * m)
            counts[i] += verdict.signal.reshape(4, m).any(axis=1)
    return counts / n


def _table(names: list[str], share: NDArray[np.float64], n: int) -> pd.DataFrame:
    frame = pd.DataFrame(share, columns=["false_alarm", "single", "slope", "level"])
    frame.insert(0, "method", names)
    error = np.sqrt(share * (1 - share) / n).max(axis=1)
    return frame.assign(error=error)
