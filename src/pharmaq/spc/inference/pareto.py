"""Causes of trouble in the order of their weight."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmaq._checks import check_real, check_same_length, check_vector
from pharmaq.errors import InputError
from pharmaq.results import Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import ArrayLike, NDArray

__all__ = ["Pareto", "pareto"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class Pareto(Result):
    """Causes in order of their weight.

    Parameters
    ----------
    causes : tuple
        Names, the heaviest first; equal ones in the order they first appear.
    weight : ndarray of float
        Counts, or sums of the weights given.
    share, cumulative : ndarray of float
        Parts of the total, and their running sum.
    vital : int
        How many causes it takes to reach `level`.
    level : float
        The share that "most" means.
    total : float
        Sum of all weights.
    """

    causes: tuple[Any, ...]
    weight: NDArray[np.float64]
    share: NDArray[np.float64]
    cumulative: NDArray[np.float64]
    vital: int
    level: float
    total: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row a cause, the heaviest first."""
        columns = {"cause": list(self.causes), "weight": self.weight, "share": self.share}
        vital = np.arange(len(self.causes)) < self.vital
        return pd.DataFrame(columns | {"cumulative": self.cumulative, "vital": vital})

    def plot(self, *, ax: Any = None) -> Any:
        """Draw bars in order and the cumulative share.

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

        return plots.plot_pareto(self, ax=ax)


def pareto(
    causes: Iterable[Any] | Mapping[Any, float],
    *,
    weights: ArrayLike | None = None,
    level: float = 0.8,
) -> Pareto:
    """Order causes by count, cost or time lost.

    Parameters
    ----------
    causes : iterable or mapping
        One cause an event, or counts by cause; a missing cause raises.
    weights : array-like, shape (n,), optional
        What each event weighs, 0 or more; 1 by default. Not with a mapping.
    level : float, default 0.8
        Share that the vital causes have to reach.

    Returns
    -------
    Pareto
        Causes, weights, shares; nothing is put together under "other".

    Raises
    ------
    InputError
        If there is no event, a cause is missing, or a weight is negative.

    Examples
    --------
    >>> found = pareto(["jam", "film", "jam", "jam", "print", "film"])
    >>> found.causes, found.vital
    (('jam', 'film', 'print'), 2)
    """
    level = check_real("level", level, above=0, below=1)
    names, sizes = _events(causes, weights)
    codes, levels = pd.factorize(pd.Series(names, dtype=object))
    missing = np.flatnonzero(codes < 0)
    if missing.size:
        msg = (
            f"causes must not be missing, but causes[{missing[0]}] is; name it, even 'unknown'"
        )
        raise InputError(msg)
    negative = np.flatnonzero(sizes < 0)
    if negative.size:
        i = int(negative[0])
        msg = f"weights must not be negative, but weights[{i}] is {sizes[i]:g}"
        raise InputError(msg)
    weight = np.bincount(codes, sizes, minlength=len(levels)).astype(np.float64)
    total = float(weight.sum())
    if total <= 0:
        msg = "causes hold no event: there is nothing to order"
        raise InputError(msg)
    order = np.argsort(-weight, kind="stable")
    cumulative = np.cumsum(weight[order]) / total
    return Pareto(
        causes=tuple(levels[i] for i in order),
        weight=weight[order],
        share=weight[order] / total,
        cumulative=cumulative,
        # 0.8 of ten events is eight of them, whatever the last bit says
        vital=int(np.searchsorted(cumulative, level - 1e-12)) + 1,
        level=level,
        total=total,
    )


def _events(
    causes: Iterable[Any] | Mapping[Any, float], weights: ArrayLike | None
) -> tuple[list[Any], NDArray[np.float64]]:
    if hasattr(causes, "items"):
        if weights is not None:
            msg = "weights must be left out where causes is a mapping, which has them already"
            raise InputError(msg)
        pairs = list(causes.items())
        names, weights = [name for name, _ in pairs], [weight for _, weight in pairs]
    else:
        names = list(causes)
    sizes = check_vector("weights", np.ones(len(names)) if weights is None else weights)
    check_same_length(causes=names, weights=sizes)
    return names, sizes
