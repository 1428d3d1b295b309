"""Release results against the history of their product and test, a million at a time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pharmaq.spc.constants import d2
from pharmaq.spc.oot._core import Expected

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["History", "capability_limits", "expected_of_groups", "summarise"]

_TOO_LITTLE = 2


class History(NamedTuple):
    """Number, mean and spreads of the history of each group."""

    n: Floats
    mean: Floats
    sd: Floats
    sigma_within: Floats


def summarise(group: NDArray[np.intp], value: Floats, n_groups: int) -> History:
    """Return the history of each group; values of a group are in order of time."""
    n = np.bincount(group, minlength=n_groups).astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.bincount(group, value, n_groups) / n
        squares = np.bincount(group, (value - mean[group]) ** 2, n_groups)
        sd = np.sqrt(squares / (n - 1))
        order = np.argsort(group, kind="stable")
        g, v = group[order], value[order]
        same = g[1:] == g[:-1]
        ranges = np.bincount(g[1:][same], np.abs(np.diff(v))[same], n_groups)
        sigma = ranges / (n - 1) / d2(2)
    few = n < 2
    sd[few], sigma[few] = np.nan, np.nan
    return History(n, mean, sd, sigma)


def expected_of_groups(
    history: History, group: NDArray[np.intp], value: Floats, *, within: bool
) -> Expected:
    """Return the expectation of each result from the history of its group."""
    n = history.n[group]
    sd = (history.sigma_within if within else history.sd)[group]
    with np.errstate(divide="ignore", invalid="ignore"):
        error = sd * np.sqrt(1 + 1 / n)
    reason = np.where(n >= 2, 0, _TOO_LITTLE).astype(np.intp)
    # degrees of freedom of a mean moving range: 0.62 (n - 1), Wheeler
    dof = 0.62 * (n - 1) if within else n - 1
    return Expected(value, history.mean[group], sd, error, dof, n, reason)


def capability_limits(
    expected: Expected, lsl: float | None, usl: float | None, index: float
) -> tuple[Floats, Floats]:
    """Return the levels at which a process as variable as the history has `index`."""
    reach = 3 * index * expected.sd
    low = np.where(np.isfinite(reach), -math.inf, np.nan)
    lower = low if lsl is None else lsl + reach
    upper = -low if usl is None else usl - reach
    return lower, upper
