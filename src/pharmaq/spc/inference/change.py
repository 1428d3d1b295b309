"""When did the mean change? One change point with a confidence set, and Pettitt's test."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from pharmaq._checks import check_choice, check_integer, check_real, check_vector
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result
from pharmaq.spc._columns import check_varies

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["ChangePoint", "change_point"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class ChangePoint(Result):
    """A single change in the mean of a sequence.

    Parameters
    ----------
    method : {"normal", "pettitt"}
        Likelihood of normal values, or ranks.
    position : int
        Number of values before the change: ``values[position]`` is the first after it.
    statistic : float
        Largest abs(t) of all splits, or Pettitt's K.
    p : float
        Of no change; by simulation for ``"normal"``.
    mean_before, mean_after : float
        Means (``"normal"``) or medians (``"pettitt"``) of the two parts.
    positions : ndarray of int
        All splits that were compared.
    profile : ndarray of float
        abs(t) or abs(U) of each of them.
    confidence_set : ndarray of int
        Positions that the data do not rule out; empty for Pettitt's test, which has none.
    values : ndarray of shape (n,)
        The data.
    n_draws : int
        Simulated samples that p and each member of the set rest on; 0 for Pettitt.
    alpha, confidence : float
        Level of the finding, and of the set.
    findings : tuple of Finding
        A change.
    """

    method: str
    position: int
    statistic: float
    p: float
    mean_before: float
    mean_after: float
    positions: NDArray[np.intp]
    profile: NDArray[np.float64]
    confidence_set: NDArray[np.intp]
    values: NDArray[np.float64]
    n_draws: int
    alpha: float
    confidence: float
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a split: position, statistic, whether the set holds it."""
        inside = np.isin(self.positions, self.confidence_set)
        columns = {"position": self.positions, "statistic": self.profile}
        return pd.DataFrame(columns | {"in_confidence_set": inside})

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the values, both levels and the confidence set of the change.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.spc.inference import plots

        return plots.plot_change_point(self, ax=ax)


def change_point(
    values: ArrayLike,
    *,
    method: Literal["normal", "pettitt"] = "normal",
    n_draws: int = 999,
    alpha: float = 0.05,
    confidence: float = 0.95,
    random_state: int | np.random.Generator | None = None,
) -> ChangePoint:
    """Find one change in the mean, its probability and where else it may have been.

    Parameters
    ----------
    values : array-like, shape (n,)
        At least five values in order of time, independent of each other, not all equal; NaN
        raises.
    method : {"normal", "pettitt"}, default "normal"
        Least squares, which is the likelihood of normal values of one spread [1]_ [2]_, or
        ranks [3]_, for any continuous distribution.
    n_draws : int, default 999
        Simulated samples for p and for each position of the set; p is at least
        1 / (n_draws + 1).
    alpha : float, default 0.05
        Level of the finding.
    confidence : float, default 0.95
        Of the confidence set.
    random_state : int or Generator, optional
        Seed of the simulation: give one where the numbers must repeat.

    Returns
    -------
    ChangePoint
        Position, p, levels, confidence set.

    Raises
    ------
    InputError
        If there are too few values, or all are equal.

    Notes
    -----
    ``"normal"`` takes the split with the largest two-sample t. Its distribution without change
    depends on n only and is simulated. A position belongs to the confidence set if, given the
    two means and the spread that go with it, as large a maximum of the likelihood elsewhere is
    not rare: a test that does not depend on the size of the change, exact for normal values but
    for the simulation [2]_. The set need not be one interval. ``"pettitt"`` takes the largest
    abs(U), p = 2 exp(-6 K^2 / (n^3 + n^2)) at most 1.

    A drift, two changes or correlated values are all found as "a change": look at the plot.

    References
    ----------
    .. [1] D. M. Hawkins, J. Am. Stat. Assoc. 72 (1977) 180-186.
    .. [2] K. J. Worsley, Biometrika 73 (1986) 91-104; D. Siegmund, Int. Stat. Rev. 56 (1988)
       31-48.
    .. [3] A. N. Pettitt, Appl. Stat. 28 (1979) 126-135.

    Examples
    --------
    >>> data = [5.1, 4.9, 5.0, 5.2, 4.8, 5.9, 6.1, 6.0, 5.8, 6.2]
    >>> found = change_point(data, random_state=1)
    >>> found.position, found.confidence_set
    (5, array([5]))
    """
    check_choice("method", method, ("normal", "pettitt"))
    y = check_vector("values", values, least=5)
    check_varies("values", y)
    draws = check_integer("n_draws", n_draws, least=99)
    alpha = check_real("alpha", alpha, above=0, below=1)
    confidence = check_real("confidence", confidence, above=0, below=1)
    if method == "pettitt":
        profile, p, members = *_pettitt(y), np.arange(0)
        draws = 0
    else:
        rng = np.random.default_rng(random_state)
        between, total = _between(y - y.mean()), float(np.sum((y - y.mean()) ** 2))
        if total - between.max() <= 1e-12 * total:
            msg = "the two parts of values hold no variation: there is nothing to test"
            raise InputError(msg)
        profile = np.sqrt((len(y) - 2) * between / (total - between))
        p = _simulated_p(between.max() / total, len(y), draws, rng)
        members = _confidence_set(y - y.mean(), between, 1 - confidence, draws, rng)
    middle: Any = np.mean if method == "normal" else np.median
    k = int(np.argmax(profile)) + 1
    before, after = float(middle(y[:k])), float(middle(y[k:]))
    return ChangePoint(
        method=method,
        position=k,
        statistic=float(profile[k - 1]),
        p=p,
        mean_before=before,
        mean_after=after,
        positions=np.arange(1, len(y)),
        profile=profile,
        confidence_set=members,
        values=y,
        n_draws=draws,
        alpha=alpha,
        confidence=confidence,
        findings=_findings(method, p, alpha, k, (before, after)),
    )


def _between(centered: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of squares between both parts for every split; rows sum to zero."""
    n = centered.shape[-1]
    k = np.arange(1, n)
    sums = np.cumsum(centered, axis=-1)[..., :-1]
    return sums**2 * (n / (k * (n - k)))


def _simulated_p(share: float, n: int, draws: int, rng: np.random.Generator) -> float:
    noise = rng.standard_normal((draws, n))
    noise -= noise.mean(axis=1, keepdims=True)
    largest = _between(noise).max(axis=1) / np.sum(noise**2, axis=1)
    return (1 + int(np.sum(largest >= share))) / (draws + 1)


def _confidence_set(
    centered: NDArray[np.float64],
    between: NDArray[np.float64],
    alpha: float,
    draws: int,
    rng: np.random.Generator,
) -> NDArray[np.intp]:
    """Return splits k at which the largest likelihood is no surprise, given means and spread.

    Under a change at k both means and the pooled spread are sufficient: residuals are uniform
    on the sphere that they leave, whatever the size of the change.
    """
    n = len(centered)
    total, most = float(centered @ centered), float(between.max())
    members = []
    for k in range(1, n):
        noise = rng.standard_normal((draws, n))
        noise[:, :k] -= noise[:, :k].mean(axis=1, keepdims=True)
        noise[:, k:] -= noise[:, k:].mean(axis=1, keepdims=True)
        within = total - between[k - 1]
        noise *= np.sqrt(within / np.sum(noise**2, axis=1, keepdims=True))
        noise[:, :k] += centered[:k].mean()
        noise[:, k:] += centered[k:].mean()
        # rounding must not make the observed split beat itself
        largest = _between(noise).max(axis=1)
        if (1 + np.sum(largest >= most * (1 - 1e-12))) / (draws + 1) > alpha:
            members.append(k)
    return np.array(members, dtype=np.intp)


def _pettitt(y: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    n = len(y)
    ranks = stats.rankdata(y)
    k = np.arange(1, n)
    profile = np.abs(2 * np.cumsum(ranks)[:-1] - k * (n + 1.0))
    p = 2 * math.exp(-6 * float(profile.max()) ** 2 / (n**3 + n**2))
    return profile, min(1.0, p)


def _findings(
    method: str, p: float, alpha: float, k: int, levels: tuple[float, float]
) -> tuple[Finding, ...]:
    if p >= alpha:
        return ()
    message = f"the level changes from {levels[0]:.5g} to {levels[1]:.5g} after {k} values"
    return (
        Finding(
            rule=f"change_point_{method}",
            severity="alert",
            subject=f"value {k}",
            message=message,
            value=p,
            limit=alpha,
        ),
    )
