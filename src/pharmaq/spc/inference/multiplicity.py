"""Many tests at once: probabilities adjusted so that the level holds for all together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from pharmaq._checks import as_float, check_choice
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Adjustment", "adjust_p"]

Adjustment = Literal["holm", "bh", "by", "bonferroni", "none"]


def adjust_p(p: ArrayLike, *, method: Adjustment = "holm") -> NDArray[np.float64]:
    """Adjust probabilities of several tests for their number.

    Parameters
    ----------
    p : array-like, shape (n,)
        Probabilities; NaN, a test that could not be made, stays and does not count.
    method : {"holm", "bh", "by", "bonferroni", "none"}, default "holm"
        ``"holm"`` [1]_ and ``"bonferroni"`` hold the chance of a single false finding;
        ``"bh"`` [2]_ the share of false ones among the findings, for tests that do not depend
        on each other or do so positively, ``"by"`` [3]_ for any.

    Returns
    -------
    ndarray of shape (n,)
        Compare these with the level of a single test.

    Raises
    ------
    InputError
        If a probability lies outside 0 to 1.

    Notes
    -----
    With the sorted p_(i), i = 1 ... n: Holm max over j <= i of (n - j + 1) p_(j);
    Benjamini-Hochberg min over j >= i of n p_(j) / j; Benjamini-Yekutieli that times
    1 + 1/2 + ... + 1/n. All at most 1.

    References
    ----------
    .. [1] S. Holm, Scand. J. Stat. 6 (1979) 65-70.
    .. [2] Y. Benjamini, Y. Hochberg, J. R. Stat. Soc. B 57 (1995) 289-300.
    .. [3] Y. Benjamini, D. Yekutieli, Ann. Stat. 29 (2001) 1165-1188.

    Examples
    --------
    >>> adjust_p([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    check_choice("method", method, get_args(Adjustment))
    given = as_float("p", p)
    if given.ndim != 1:
        msg = f"p must be one-dimensional, got shape {given.shape}"
        raise InputError(msg)
    bad = np.flatnonzero((given < 0) | (given > 1))
    if bad.size:
        msg = f"p must lie in [0, 1], but p[{bad[0]}] is {given[bad[0]]:g}"
        raise InputError(msg)
    adjusted = given.copy()
    known = np.flatnonzero(~np.isnan(given))
    order = known[np.argsort(given[known], kind="stable")]
    adjusted[order] = np.minimum(1, _adjusted(given[order], method))
    return adjusted


def _adjusted(p: NDArray[np.float64], method: str) -> NDArray[np.float64]:
    """Adjust sorted probabilities."""
    n = len(p)
    rank = np.arange(1, n + 1)
    if method == "none":
        return p
    if method == "bonferroni":
        return n * p
    if method == "holm":
        return np.maximum.accumulate((n - rank + 1) * p)
    factor = float(np.sum(1 / rank)) if method == "by" else 1.0
    return np.minimum.accumulate((factor * n * p / rank)[::-1])[::-1]
