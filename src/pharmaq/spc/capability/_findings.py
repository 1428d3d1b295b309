"""What makes capability indices invalid: an unstable process, a wrong distribution."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from pharmaq.results import Finding
from pharmaq.spc.sigma import moving_ranges, sigma_of_individuals, sigma_of_subgroups

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pharmaq.spc.subgroups import Subgroups

__all__ = ["count_signals", "findings"]

_LEVEL = 0.05
_LEAST_FOR_NORMALITY = 8


def count_signals(x: NDArray[np.float64], grouped: Subgroups | None) -> int:
    """Count points beyond limits that all points of a stable process keep with 95 %."""
    if grouped is None:
        sigma = sigma_of_individuals(x).value
        location = np.abs(x - x.mean()) / sigma
        # a moving range is the size of a normal variable with twice the variance
        jumps = moving_ranges(x) / (math.sqrt(2) * sigma)
        spread = 2 * special.ndtr(-jumps)
    else:
        sigma = sigma_of_subgroups(grouped).value
        root = np.sqrt(grouped.sizes)
        location = np.abs(grouped.means - x.mean()) * root / sigma
        freedom = grouped.sizes.astype(np.float64) - 1
        spread = special.chdtrc(freedom, freedom * (grouped.deviations / sigma) ** 2)
    # half the risk for location, half for spread, shared by all points of each
    per_point = [-math.expm1(math.log1p(-_LEVEL / 2) / p.size) for p in (location, spread)]
    far = 2 * special.ndtr(-location) < per_point[0]
    return int(far.sum() + np.sum(spread < per_point[1]))


def findings(p: float | None, n_signals: int, n: int, name: str) -> tuple[Finding, ...]:
    found = []
    if n_signals:
        message = (
            f"{n_signals} points or spreads are beyond the limits of a stable process: it is "
            "not shown to be stable, and its indices say nothing of what comes next"
        )
        found.append(_alert("stability", message, float(n_signals), 0.0))
    if p is None:
        message = f"{n} values are too few to see whether the distribution is {name}"
        found.append(_alert("sample_size", message, float(n), float(_LEAST_FOR_NORMALITY)))
    elif p < _LEVEL:
        message = f"the values are not {name} (Anderson-Darling, p = {p:.2g})"
        found.append(_alert("distribution", message, p, _LEVEL))
    return tuple(found)


def _alert(rule: str, message: str, value: float, limit: float) -> Finding:
    return Finding(
        rule=rule,
        severity="alert",
        subject="capability",
        message=message,
        value=value,
        limit=limit,
    )
