"""Values out of specification per million, observed and expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from pharmaq.spc.distributions import normal_scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pharmaq.spc.capability._formulas import Specification
    from pharmaq.spc.distributions import FittedDistribution

__all__ = ["expected_ppm", "normal_ppm", "observed_ppm"]


def observed_ppm(x: NDArray[np.float64], spec: Specification) -> dict[str, float]:
    """Return how many of the values are below, above and outside."""
    below = 0.0 if spec.lsl is None else float(np.mean(x < spec.lsl))
    above = 0.0 if spec.usl is None else float(np.mean(x > spec.usl))
    return _per_million(below, above)


def normal_ppm(mean: float, sigma: float, spec: Specification) -> dict[str, float]:
    """Return what a normal distribution expects."""
    below = 0.0 if spec.lsl is None else float(special.ndtr((spec.lsl - mean) / sigma))
    above = 0.0 if spec.usl is None else float(special.ndtr((mean - spec.usl) / sigma))
    return _per_million(below, above)


def expected_ppm(fit: FittedDistribution, spec: Specification) -> dict[str, float]:
    """Return what a fitted distribution expects."""
    # both by scores: a probability near 1 has no digits left for its complement
    score = {
        name: float(normal_scores(fit.name, fit.parameters, np.array([limit]))[0])
        for name, limit in (("lsl", spec.lsl), ("usl", spec.usl))
        if limit is not None
    }
    below = float(special.ndtr(score["lsl"])) if "lsl" in score else 0.0
    above = float(special.ndtr(-score["usl"])) if "usl" in score else 0.0
    return _per_million(below, above)


def _per_million(below: float, above: float) -> dict[str, float]:
    return {"below": 1e6 * below, "above": 1e6 * above, "total": 1e6 * (below + above)}
