"""Exact test of a table of two columns: failures and the others, a row a level."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Counts = NDArray[np.int64]

__all__ = ["ExactTest", "freeman_halton"]

# tables with probabilities that agree to this share count as equally likely
_SAME = 1e-7
_MOST_STATES = 400_000


class ExactTest(NamedTuple):
    """Probability, the smallest that the margins allow, and how they were found."""

    p: float
    p_smallest: float
    method: str


def freeman_halton(
    failed: Counts, sizes: Counts, draws: int, rng: np.random.Generator
) -> ExactTest:
    """Return the probability of all tables that are no more likely than this one."""
    observed = float(_log_ways(failed, sizes).sum())
    total = (
        float(special.gammaln(sizes.sum() + 1))
        - _gammaln(failed.sum())
        - _gammaln((sizes - failed).sum())
    )
    logs = _all_tables(int(failed.sum()), sizes)
    if logs is None:
        return _drawn(failed, sizes, observed, draws, rng)
    values, weights = logs
    share = weights * np.exp(values - total)
    least = float(values.min())
    p = float(share[values <= observed + _SAME].sum())
    smallest = float(share[values <= least + _SAME].sum())
    return ExactTest(min(p, 1.0), min(smallest, 1.0), "exact")


def _log_ways(failed: Counts, sizes: Counts) -> Array:
    return (
        special.gammaln(sizes + 1.0)
        - special.gammaln(failed + 1.0)
        - special.gammaln(sizes - failed + 1.0)
    )


def _gammaln(n: int) -> float:
    return float(special.gammaln(n + 1.0))


def _all_tables(n_failed: int, sizes: Counts) -> tuple[Array, Array] | None:
    """Return the logarithm of the ways to make each table, and how many have it.

    Levels are added one by one; ways to the same number of failures and the same likelihood
    become one state. None if there are too many.
    """
    used: Counts = np.zeros(1, dtype=np.int64)
    logs: Array = np.zeros(1)
    counts: Array = np.ones(1)
    left = int(sizes.sum())
    for size in sizes:
        left -= int(size)
        new = np.arange(size + 1)
        if used.size * new.size > _MOST_STATES:
            return None
        total = (used[:, None] + new).ravel()
        ways = (logs[:, None] + _log_ways(new, np.full(new.size, size))).ravel()
        many = np.repeat(counts, new.size)
        possible = (total <= n_failed) & (total + left >= n_failed)
        total, ways, many = total[possible], ways[possible], many[possible]
        key = np.stack([total, np.round(ways / _SAME).astype(np.int64)])
        _, first, back = np.unique(key, axis=1, return_index=True, return_inverse=True)
        counts = np.bincount(back.ravel(), weights=many).astype(np.float64)
        used, logs = total[first], ways[first]
    return logs, counts


def _drawn(
    failed: Counts, sizes: Counts, observed: float, draws: int, rng: np.random.Generator
) -> ExactTest:
    """Return the share of random tables that are no more likely, this one among them."""
    tables = rng.multivariate_hypergeometric(sizes, int(failed.sum()), size=draws)
    logs = _log_ways(tables, sizes).sum(axis=1)
    p = (1 + int(np.sum(logs <= observed + _SAME))) / (draws + 1)
    return ExactTest(p, 1 / (draws + 1), "permutation")
