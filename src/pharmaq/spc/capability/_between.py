"""Short-term variation between and within subgroups together."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pharmaq.errors import InputError
from pharmaq.results import Result
from pharmaq.spc.sigma import MovingRangeEstimator, SigmaEstimate, sigma_of_individuals

if TYPE_CHECKING:
    from pharmaq.spc.subgroups import Subgroups

__all__ = ["BetweenWithin", "between_within"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class BetweenWithin(Result):
    """Standard deviations between and within subgroups, and of both together.

    Parameters
    ----------
    sigma_between, sigma_within : float
        Of what subgroups differ by, and of single values in one subgroup.
    sigma_total : float
        Root of the sum of their squares, which Cp and Cpk are made of.
    sigma_means : SigmaEstimate
        Of means of subgroups, from one to the next.
    freedom : float
        Degrees of freedom of `sigma_total` (Satterthwaite).
    freedom_overall : float
        Those of the standard deviation of all values, which are not independent.
    n_effective : float
        Number of independent values that would give a mean as sure.
    truncated : bool
        Whether means vary by less than what is within subgroups explains, so that
        `sigma_between` is set to 0.
    """

    sigma_between: float
    sigma_within: float
    sigma_total: float
    sigma_means: SigmaEstimate
    freedom: float
    freedom_overall: float
    n_effective: float
    truncated: bool

    def to_frame(self) -> pd.DataFrame:
        """Return one row a source: between, within, both, with its share of the variance."""
        sigma = [self.sigma_between, self.sigma_within, self.sigma_total]
        percent = [100 * (one / self.sigma_total) ** 2 for one in sigma]
        columns = {"sigma": sigma, "percent_of_variance": percent}
        return pd.DataFrame(
            columns, index=pd.Index(["between", "within", "total"], name="source")
        )


def between_within(
    grouped: Subgroups, within: SigmaEstimate, estimator: MovingRangeEstimator
) -> BetweenWithin:
    """Take what is within subgroups from how their means vary, and add both."""
    if grouped.sizes.size < 2:
        msg = (
            "values must hold at least 2 subgroups for variation='between_within', got "
            f"{grouped.sizes.size}"
        )
        raise InputError(msg)
    of_means = sigma_of_individuals(grouped.means, estimator=estimator)
    of_one = float(np.mean(1 / grouped.sizes))
    inside, outside = within.value**2, of_means.value**2
    between = outside - of_one * inside
    truncated = between <= 0
    total = inside if truncated else between + inside
    rest = (1 - of_one) * inside
    freedom = total**2 / (outside**2 / of_means.freedom + rest**2 / within.freedom)
    return BetweenWithin(
        sigma_between=0.0 if truncated else math.sqrt(between),
        sigma_within=within.value,
        sigma_total=math.sqrt(total),
        sigma_means=of_means,
        freedom=within.freedom if truncated else freedom,
        freedom_overall=_overall(grouped),
        n_effective=(
            float(grouped.values.size) if truncated else grouped.sizes.size * total / outside
        ),
        truncated=truncated,
    )


def _overall(grouped: Subgroups) -> float:
    """Return degrees of freedom of the sum of squares within and of that between subgroups."""
    off = grouped.means - grouped.values.mean()
    between = float(grouped.sizes @ off**2)
    within = float((grouped.sizes - 1) @ grouped.deviations**2)
    m, n = grouped.sizes.size, grouped.values.size
    return (between + within) ** 2 / (between**2 / (m - 1) + within**2 / (n - m))
