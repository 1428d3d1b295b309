"""How long a chart runs until it signals."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmaq._checks import check_vector
from pharmaq.results import Result
from pharmaq.spc.run_length._chain import LEVELS, quantiles, sdrl

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from pharmaq.spc.run_length._chain import Chain

    Number = float | NDArray[np.float64]

__all__ = ["RunLength"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class RunLength(Result):
    """Distribution of the number of points until the first signal.

    Parameters
    ----------
    chart : str
        The chart.
    method : str
        ``"markov chain"``, ``"integral equation"`` and ``"exact"`` give all digits;
        ``"simulation"`` has the standard error `standard_error`.
    shift : float or ndarray of shape (n_shifts,)
        What the process is at: a shift in standard deviations of the statistic, a true
        proportion or mean count, or for charts of variances a true standard deviation over that
        in control. The other numbers have its shape.
    arl : float or ndarray
        Average run length; infinite above 1e12, which double precision cannot tell.
    sdrl : float or ndarray
        Standard deviation of the run length.
    standard_error : float or ndarray
        Standard error of `arl`; 0 where it was not simulated.
    quantiles : ndarray of shape (5,) or (n_shifts, 5)
        Smallest run lengths that are reached with the probabilities `levels`.
    levels : tuple of float
        0.05, 0.25, 0.5, 0.75 and 0.95.
    size : int
        Number of states, of quadrature nodes, or of simulated runs.
    parameters : dict
        Everything else the run length follows from.
    source : str
        Where the method stands.
    """

    chart: str
    method: str
    shift: Number
    arl: Number
    sdrl: Number
    standard_error: Number
    quantiles: NDArray[np.float64]
    size: int
    parameters: dict[str, Any]
    source: str
    levels: tuple[float, ...] = LEVELS

    @property
    def median(self) -> Number:
        """Median run length."""
        middle = self.quantiles[..., self.levels.index(0.5)]
        return float(middle) if np.ndim(self.shift) == 0 else middle

    def to_frame(self) -> pd.DataFrame:
        """Return one row a shift."""
        columns = {
            name: np.atleast_1d(getattr(self, name))
            for name in ("shift", "arl", "sdrl", "standard_error")
        }
        table = np.atleast_2d(self.quantiles)
        columns |= {f"q{100 * p:g}": table[:, i] for i, p in enumerate(self.levels)}
        return pd.DataFrame(columns)


def from_chains(make: Callable[[float], Chain], shift: ArrayLike, **fields: Any) -> RunLength:
    """Return the run length of the chain that `make` gives for each shift."""

    def answer(value: float) -> tuple[float, float, float, NDArray[np.float64]]:
        chain = make(value)
        mean, factorial = chain.moments()
        if math.isinf(mean):
            return mean, mean, 0.0, np.full(len(LEVELS), mean)
        return (
            mean,
            sdrl(mean, factorial),
            0.0,
            quantiles(chain.survivals(), n_states=len(chain.start)),
        )

    return from_answers(answer, shift, **fields)


def from_answers(
    answer: Callable[[float], tuple[float, float, float, NDArray[np.float64]]],
    shift: ArrayLike,
    **fields: Any,
) -> RunLength:
    """Return ARL, SDRL, standard error and quantiles for each shift in the shape of `shift`."""
    values = check_vector("shift", np.atleast_1d(np.asarray(shift, dtype=object)))
    rows = [answer(float(value)) for value in values]
    mean, deviation, error, table = (np.array(column) for column in zip(*rows, strict=True))
    if np.ndim(shift) == 0:
        single = {"shift": values, "arl": mean, "sdrl": deviation, "standard_error": error}
        fields |= {name: float(column[0]) for name, column in single.items()}
        return RunLength(quantiles=table[0], **fields)
    return RunLength(
        shift=values, arl=mean, sdrl=deviation, standard_error=error, quantiles=table, **fields
    )
