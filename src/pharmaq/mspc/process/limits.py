"""Limits of a monitor, by named methods, and how often they alarm on normal rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from scipy import stats

from pharmaq._checks import check_choice
from pharmaq.chemometrics import t2_limit
from pharmaq.chemometrics.limits import spe_limit_from_eigenvalues, spe_limit_from_values
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["MonitorLimit", "Statistics"]

T2Limit = Literal["f", "beta", "simca", "chi2", "empirical", "cross-validated"]
SPELimit = Literal[
    "jackson", "box", "box_eigenvalues", "imhof", "robust", "empirical", "cross-validated"
]
CombinedLimit = Literal["box_eigenvalues", "imhof", "empirical", "cross-validated"]

FROM_VALUES = ("empirical", "cross-validated")
METHODS: dict[str, tuple[str, ...]] = {
    "t2": ("f", "beta", "simca", "chi2", *FROM_VALUES),
    "spe": ("jackson", "box", "box_eigenvalues", "imhof", "robust", *FROM_VALUES),
    "combined": ("box_eigenvalues", "imhof", *FROM_VALUES),
}
# limits that follow from eigenvalues and the number of rows alone
WITHOUT_ROWS = ("f", "beta", "simca", "chi2", "jackson", "imhof", "box_eigenvalues")
PHASES = ("phase1", "phase2")


class MonitorLimit(NamedTuple):
    """One limit of one statistic, and the false alarms it leads to.

    Parameters
    ----------
    statistic : str
        ``"t2"``, ``"spe"`` or ``"combined"``.
    phase : str
        ``"phase1"`` for the rows the model was fitted to, ``"phase2"`` for later ones.
    method : str
        How the limit was found.
    alpha : float
        Share of normal rows that was to lie above it.
    value : float
        The limit; NaN where the method has none for these data.
    false_alarms, low, high : float
        Share of normal rows above it and its 95 % interval; NaN where nothing tells.
    """

    statistic: str
    phase: str
    method: str
    alpha: float
    value: float
    false_alarms: float = math.nan
    low: float = math.nan
    high: float = math.nan


class Statistics(NamedTuple):
    """What limits follow from.

    Parameters
    ----------
    n_samples : float
        Number of rows; a weighted one after updates.
    variances : ndarray of shape (A,)
        Variances of the scores.
    residual_eigenvalues : ndarray of shape (r,)
        Eigenvalues of the residual covariance.
    fitted, left_out : dict of str to ndarray, or None
        T2 and SPE of the rows of the fit, by the model itself and by models of other rows.
    whole_spe : ndarray of shape (n,) or None
        SPE of the rows of the fit, scaled up where values are missing.
    """

    n_samples: float
    variances: Array
    residual_eigenvalues: Array
    fitted: dict[str, Array] | None
    left_out: dict[str, Array] | None
    whole_spe: Array | None = None

    def with_combined(self, t2_limit: float, spe_limit: float) -> Statistics:
        """Return the same with the combined index of the rows."""

        def added(rows: dict[str, Array] | None) -> dict[str, Array] | None:
            if rows is None:
                return None
            return rows | {
                "combined": combined_index(rows["t2"], rows["spe"], t2_limit, spe_limit)
            }

        return self._replace(fitted=added(self.fitted), left_out=added(self.left_out))


def combined_index(t2: Array, spe: Array, t2_limit: float, spe_limit: float) -> Array:
    """Return T2 and SPE in one number, each in units of its limit (Yue and Qin 2001)."""
    return t2 / t2_limit + (spe / spe_limit if spe_limit > 0 else 0.0 * spe)


def make_limits(
    statistics: Statistics, methods: dict[str, str], alpha: float
) -> tuple[MonitorLimit, ...]:
    """Return the limits of T2, SPE and combined index in both phases."""
    for name, method in methods.items():
        check_choice(f"{name}_limit", method, METHODS[name])
    found: list[MonitorLimit] = []
    for name in ("t2", "spe"):
        found += [one_limit(statistics, name, phase, methods[name], alpha) for phase in PHASES]
    both = [limit.value for limit in found if limit.phase == "phase2"]
    weights = (both[0], both[1])
    statistics = statistics.with_combined(*weights)
    found += [
        one_limit(statistics, "combined", phase, methods["combined"], alpha, weights)
        for phase in PHASES
    ]
    return tuple(found)


def one_limit(
    statistics: Statistics,
    name: str,
    phase: str,
    method: str,
    alpha: float,
    weights: tuple[float, float] | None = None,
) -> MonitorLimit:
    """Return a limit with the false alarms that left-out rows show.

    In phase 1 ``"f"`` gives way to ``"beta"`` and ``"cross-validated"`` to ``"empirical"``:
    the rows themselves helped to make the model.
    """
    if phase == "phase1":
        method = {"f": "beta", "cross-validated": "empirical"}.get(method, method)
    known = statistics.left_out if phase == "phase2" else statistics.fitted
    if method in FROM_VALUES:
        rows = statistics.fitted if method == "empirical" else statistics.left_out
        if rows is None:
            needs = "the rows of the fit" if method == "empirical" else "a number of blocks, cv"
            msg = f"{name}_limit = {method!r} needs {needs}; use another method"
            raise InputError(msg)
        found = limit_from_values(rows[name], alpha, f"{name}_limit = {method!r}")
        if rows is known:
            return MonitorLimit(name, phase, method, alpha, *found)
        value = found[0]
    else:
        value = _from_theory(statistics, name, method, alpha, weights)
    rates = (math.nan,) * 3 if known is None else false_alarm_rate(known[name], value)
    return MonitorLimit(name, phase, method, alpha, value, *rates)


def limit_from_values(
    values: Array, alpha: float, name: str = "the limit"
) -> tuple[float, float, float, float]:
    """Return the smallest of the values that leaves a share alpha of new ones above it.

    With n exchangeable values a new one is above the k-th smallest with probability
    (n + 1 - k) / (n + 1) on average; over data sets that share is Beta(n + 1 - k, k).
    """
    n = len(values)
    k = math.ceil((n + 1) * (1 - alpha) - 1e-9)
    if k > n:
        msg = (
            f"{name} needs at least {math.ceil(1 / alpha - 1e-9) - 1} rows at alpha = "
            f"{alpha:g}, got {n}; use more rows, a larger alpha or a method from theory"
        )
        raise InputError(msg)
    low, high = (float(stats.beta.ppf(p, n + 1 - k, k)) for p in (0.025, 0.975))
    return float(np.sort(values)[k - 1]), (n + 1 - k) / (n + 1), low, high


def false_alarm_rate(values: Array, limit: float) -> tuple[float, float, float]:
    """Return the share of values above a limit, and its Clopper-Pearson interval."""
    if math.isnan(limit):
        return (math.nan,) * 3
    n, above = len(values), int(np.sum(values > limit))
    low = float(stats.beta.ppf(0.025, above, n - above + 1)) if above else 0.0
    high = float(stats.beta.ppf(0.975, above + 1, n - above)) if above < n else 1.0
    return above / n, low, high


def _from_theory(
    statistics: Statistics,
    name: str,
    method: Any,
    alpha: float,
    weights: tuple[float, float] | None,
) -> float:
    A, residual = len(statistics.variances), statistics.residual_eigenvalues
    if name == "t2":
        return t2_limit(int(statistics.n_samples), A, alpha=alpha, method=method)
    if name == "spe" and method in {"box", "robust"}:
        return _from_moments(statistics.whole_spe, method, alpha)
    if name == "spe":
        return spe_limit_from_eigenvalues(residual, alpha=alpha, method=method)
    t2_weight, spe_weight = weights or (1.0, 1.0)
    shares = [np.full(A, 1 / t2_weight)]
    if spe_weight > 0:
        shares.append(residual / spe_weight)
    return spe_limit_from_eigenvalues(np.concatenate(shares), alpha=alpha, method=method)


def _from_moments(spe: Array | None, method: str, alpha: float) -> float:
    """Return the limit of a scaled chi2 that fits the SPE of the rows of the fit."""
    if spe is None:
        msg = f"spe_limit = {method!r} needs the SPE of the rows of the fit"
        raise InputError(msg)
    if not spe.any():
        return 0.0
    return spe_limit_from_values(spe, alpha=alpha, robust=method == "robust")
