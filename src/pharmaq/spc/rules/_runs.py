"""Analysis of runs about the median: longest run and number of crossings."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from pharmaq._checks import check_choice, check_real, check_vector
from pharmaq.errors import InputError
from pharmaq.results import Finding, Result

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["RunsAnalysis", "runs_analysis"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class RunsAnalysis(Result):
    """Longest run and number of crossings of a series, with their limits.

    Parameters
    ----------
    longest_run : int
        Points in the longest run on one side of the center line.
    longest_run_limit : int
        Largest length that is no signal: round(log2 n) + 3.
    crossings : int
        How often the series crosses the center line.
    crossings_limit : int
        Smallest number that is no signal: the `alpha` quantile of a binomial of n - 1 and 1/2.
    n_useful, n_on_line : int
        Points off the center line, which count, and points on it, which do not.
    center : float
        The center line, unit of the values.
    alpha : float
        Level of the test of crossings.
    method : str
        Source of the two tests.
    """

    longest_run: int
    longest_run_limit: int
    crossings: int
    crossings_limit: int
    n_useful: int
    n_on_line: int
    center: float
    alpha: float
    method: str

    @property
    def signal(self) -> bool:
        """Whether the run is too long or the crossings are too few."""
        return bool(self.findings)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """A finding for a run too long, and one for too few crossings."""
        found = []
        if self.longest_run > self.longest_run_limit:
            text = f"a run of {self.longest_run} points on one side of the center line"
            found.append(self._finding("longest run", text, "longest_run"))
        if self.crossings < self.crossings_limit:
            text = f"only {self.crossings} crossings of the center line"
            found.append(self._finding("crossings", text, "crossings"))
        return tuple(found)

    def _finding(self, rule: str, text: str, name: str) -> Finding:
        return Finding(
            rule=f"anhoej {rule}",
            severity="alert",
            subject=f"series of {self.n_useful} points",
            message=f"{text}, {self.n_useful} points off the line",
            value=float(getattr(self, name)),
            limit=float(getattr(self, f"{name}_limit")),
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row a test."""
        rows = [
            ("longest run", self.longest_run, self.longest_run_limit),
            ("crossings", self.crossings, self.crossings_limit),
        ]
        frame = pd.DataFrame(rows, columns=["test", "found", "limit"])
        frame["signal"] = [
            self.longest_run > self.longest_run_limit,
            self.crossings < self.crossings_limit,
        ]
        return frame


def runs_analysis(
    values: ArrayLike, *, center: float | str = "median", alpha: float = 0.05
) -> RunsAnalysis:
    """Test a series for shifts by its longest run and its crossings of the median [1]_.

    Parameters
    ----------
    values : array-like, shape (n,)
        Measurements in time order, any unit; NaN raises.
    center : float or "median", default "median"
        Center line; points on it are left out of the count.
    alpha : float, default 0.05
        Level of the test of crossings.

    Returns
    -------
    RunsAnalysis
        Both tests with their limits.

    Raises
    ------
    InputError
        If fewer than two points lie off the center line.

    Notes
    -----
    Both limits grow with n, so that a long series does not signal merely for its length. They
    need neither a standard deviation nor a normal distribution.

    References
    ----------
    .. [1] J. Anhoej, A. V. Olesen, PLoS ONE 9 (2014) e113825.

    Examples
    --------
    >>> found = runs_analysis([1, 2, 1, 2, 1, 2, 1, 2, 5, 6, 5, 6, 5, 6, 5, 6])
    >>> found.longest_run, found.longest_run_limit, found.crossings, found.crossings_limit
    (8, 7, 1, 4)
    """
    series = check_vector("values", values, least=2)
    check_real("alpha", alpha, above=0, below=1)
    if isinstance(center, str):
        check_choice("center", center, ("median",))
        line = float(np.median(series))
    else:
        line = check_real("center", center)
    side = np.sign(series - line)
    useful = side[side != 0]
    n = len(useful)
    if n < 2:
        msg = f"values must have at least 2 points off the center line {line:g}, got {n}"
        raise InputError(msg)
    changes = np.flatnonzero(np.diff(useful))
    edges = np.concatenate([[-1], changes, [n - 1]])
    return RunsAnalysis(
        longest_run=int(np.diff(edges).max()),
        longest_run_limit=round(float(np.log2(n))) + 3,
        crossings=len(changes),
        crossings_limit=int(stats.binom.ppf(alpha, n - 1, 0.5)),
        n_useful=n,
        n_on_line=len(series) - n,
        center=line,
        alpha=alpha,
        method="Anhoej and Olesen 2014",
    )
