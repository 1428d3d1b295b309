"""What makes capability indices invalid: an unstable process, a wrong distribution."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from pharmaq.results import Finding, Result
from pharmaq.spc.inference import anderson_darling
from pharmaq.spc.sigma import moving_ranges, sigma_of_individuals, sigma_of_subgroups

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pharmaq.spc.capability._between import BetweenWithin
    from pharmaq.spc.distributions import FittedDistribution
    from pharmaq.spc.subgroups import Subgroups

    Vector = NDArray[np.float64]

__all__ = ["LastingShift", "judge"]

_LEVEL = 0.05
# half of the risk for single points, half for lasting shifts
_STABILITY_LEVEL = _LEVEL / 2
_LEAST_FOR_NORMALITY = 8
_LEAST_FOR_SHIFT = 6


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class LastingShift(Result):
    """The most likely single change of the mean, and how likely one so large is by chance.

    Parameters
    ----------
    after : int
        Number of units before the change.
    of : {"values", "subgroups"}
        What the units are.
    statistic : float
        Largest abs(t) between the units before and after, over all splits.
    p : float
        Of one so large where nothing changes.
    mean_before, mean_after : float
        Means of both parts.
    """

    after: int
    of: str
    statistic: float
    p: float
    mean_before: float
    mean_after: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row with a column per field."""
        return pd.DataFrame([self._fields()])


class Verdict(NamedTuple):
    """What was tested before indices may be used."""

    a2: float | None
    p: float | None
    n_signals: int
    shift: LastingShift | None
    findings: tuple[Finding, ...]


def judge(
    x: Vector, grouped: Subgroups | None, both: BetweenWithin | None, fit: FittedDistribution
) -> Verdict:
    """Test values for stability and for the fitted distribution."""
    n_signals = _count_signals(x, grouped, None if both is None else both.sigma_means.value)
    shift = _lasting_shift(x, grouped)
    tested: tuple[float | None, float | None] = fit.a2, fit.p
    n, what = x.size, "values"
    if grouped is not None and both is not None and not both.truncated:
        # values in a subgroup are not independent here, means are
        n, what = grouped.sizes.size, "means of subgroups"
        tested = _normality(grouped.means)
    found = _unstable(n_signals, shift) + _not_fitting(tested[1], n, what, fit.name)
    return Verdict(*tested, n_signals, shift, tuple(found))


def _count_signals(
    x: Vector, grouped: Subgroups | None, sigma_of_means: float | None = None
) -> int:
    """Count points beyond limits that all points of a stable process keep with 97.5 %.

    `sigma_of_means` is the standard deviation of means of subgroups where they may vary by
    more than what is within subgroups.
    """
    if grouped is None:
        sigma = sigma_of_individuals(x).value
        location = np.abs(x - x.mean()) / sigma
        # a moving range is the size of a normal variable with twice the variance
        jumps = moving_ranges(x) / (math.sqrt(2) * sigma)
        spread = 2 * special.ndtr(-jumps)
    else:
        sigma = sigma_of_subgroups(grouped).value
        of_means = sigma / np.sqrt(grouped.sizes) if sigma_of_means is None else sigma_of_means
        location = np.abs(grouped.means - x.mean()) / of_means
        freedom = grouped.sizes.astype(np.float64) - 1
        spread = special.chdtrc(freedom, freedom * (grouped.deviations / sigma) ** 2)
    # half the risk for location, half for spread, shared by all points of each
    risk = math.log1p(-_STABILITY_LEVEL / 2)
    per_point = [-math.expm1(risk / p.size) for p in (location, spread)]
    far = 2 * special.ndtr(-location) < per_point[0]
    return int(far.sum() + np.sum(spread < per_point[1]))


def _lasting_shift(x: Vector, grouped: Subgroups | None) -> LastingShift | None:
    """Return the split into two parts with the largest abs(t); None below six units.

    Means of subgroups count by their sizes, and are compared with how they vary themselves.
    """
    units = x if grouped is None else grouped.means
    sizes = np.ones(x.size) if grouped is None else grouped.sizes.astype(np.float64)
    m = units.size
    if m < _LEAST_FOR_SHIFT:
        return None
    share = np.cumsum(sizes)[:-1] / sizes.sum()
    off = sizes * (units - np.average(units, weights=sizes))
    total = float(off @ (off / sizes))
    sums = np.cumsum(off)[:-1]
    between = sums**2 / (sizes.sum() * share * (1 - share))
    after = int(np.argmax(between)) + 1
    largest = min(float(between[after - 1]) / total, 1.0) if total > 0 else 0.0
    return LastingShift(
        after=after,
        of="values" if grouped is None else "subgroups",
        statistic=math.inf if largest == 1 else math.sqrt((m - 2) * largest / (1 - largest)),
        p=_shift_p(largest, share, m),
        mean_before=float(np.average(units[:after], weights=sizes[:after])),
        mean_after=float(np.average(units[after:], weights=sizes[after:])),
    )


def _normality(x: Vector) -> tuple[float | None, float | None]:
    if x.size < _LEAST_FOR_NORMALITY:
        return None, None
    tested = anderson_darling(x)
    return tested.statistic, tested.p


def _unstable(n_signals: int, shift: LastingShift | None) -> list[Finding]:
    found = []
    if n_signals:
        message = (
            f"{n_signals} points or spreads are beyond the limits of a stable process: it is "
            "not shown to be stable, and its indices say nothing of what comes next"
        )
        found.append(_alert("stability", message, float(n_signals), 0.0))
    if shift is not None and shift.p < _STABILITY_LEVEL:
        message = (
            f"the mean is {shift.mean_before:.5g} in the first {shift.after} {shift.of} and "
            f"{shift.mean_after:.5g} after (p = {shift.p:.2g}): a lasting shift or a drift, "
            "and indices of both parts together describe neither"
        )
        found.append(_alert("shift", message, shift.p, _STABILITY_LEVEL))
    return found


def _not_fitting(p: float | None, n: int, what: str, name: str) -> list[Finding]:
    if p is None:
        message = f"{n} {what} are too few to see whether the distribution is {name}"
        return [_alert("sample_size", message, float(n), float(_LEAST_FOR_NORMALITY))]
    if p < _LEVEL:
        message = f"the {what} are not {name} (Anderson-Darling, p = {p:.2g})"
        return [_alert("distribution", message, p, _LEVEL)]
    return []


def _shift_p(largest: float, share: Vector, m: int) -> float:
    """Return the probability of a largest share of the sum of squares between two parts.

    `share` is how much lies before each split. Deviations from the mean point anywhere on a
    sphere of m - 1 dimensions. As seen from one split to the next their direction is a process
    that moves by ln(share / (1 - share)): exceedances come in clusters, whose number is
    Poisson's (James, James and Siegmund, Biometrika 74 (1987) 71-83).
    """
    if largest >= 1:
        return 0.0
    cosine = math.sqrt(largest)
    steps = np.diff(np.log(share / (1 - share)))
    t = cosine * math.sqrt((m - 2) / (1 - largest))
    log_norm = special.gammaln((m - 1) / 2) - special.gammaln((m - 2) / 2)
    density = math.exp(float(log_norm)) / math.sqrt(math.pi) * (1 - largest) ** ((m - 4) / 2)
    first = float(special.betainc((m - 2) / 2, 0.5, 1 - largest))
    later = cosine * density * float(np.sum(steps * _overshoot(t * np.sqrt(steps))))
    return -math.expm1(-first - later)


def _overshoot(x: Vector) -> Vector:
    """Return how much rarer steps of size x pass a boundary than a path without steps does.

    D. Siegmund, B. Yakir, The Statistics of Gene Mapping, Springer, 2007, p. 112.
    """
    half = np.maximum(x, 1e-12) / 2
    below = special.ndtr(half)
    bell = np.exp(-(half**2) / 2) / math.sqrt(2 * math.pi)
    return (below - 0.5) / half / (half * below + bell)


def _alert(rule: str, message: str, value: float, limit: float) -> Finding:
    return Finding(
        rule=rule,
        severity="alert",
        subject="capability",
        message=message,
        value=value,
        limit=limit,
    )
