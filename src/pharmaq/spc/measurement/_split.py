"""Variance components of a gage study: crossed, nested, or by ranges."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pharmaq.spc.constants import d2, d3
from pharmaq.spc.inference.mls import mls_limits, mls_ratio_limits
from pharmaq.spc.measurement._study import anova_table, crossed_sums, nested_sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pharmaq.spc.measurement._study import Study

_COLUMNS = ["source", "variance", "lower", "upper", "sd"]


@dataclasses.dataclass(frozen=True)
class Split:
    """What the three methods have in common."""

    components: pd.DataFrame
    ratio_limits: tuple[float, float]
    anova: pd.DataFrame
    anova_full: pd.DataFrame
    pooled: bool = False
    truncated: tuple[str, ...] = ()
    constants: dict[str, float] = dataclasses.field(default_factory=dict)


def crossed(study: Study, pooling_alpha: float | None, confidence: float) -> Split:
    """Return components of parts that every operator measures."""
    p, o, r = study.values.shape
    sums = crossed_sums(study.values)
    full = anova_table(
        [
            ("part", *sums["part"], "part:operator"),
            ("operator", *sums["operator"], "part:operator"),
            ("part:operator", *sums["part:operator"], "repeatability"),
            ("repeatability", *sums["repeatability"], ""),
        ]
    )
    pooled = pooling_alpha is not None and bool(full.p[2] > pooling_alpha)
    if not pooled:
        weights = {
            "repeatability": np.array([0, 0, 0, 1.0]),
            "operator": np.array([0, 1.0, -1.0, 0]) / (p * r),
            "part:operator": np.array([0, 0, 1.0, -1.0]) / r,
            "part": np.array([1.0, 0, -1.0, 0]) / (o * r),
        }
        return _from_mean_squares(full, full, weights, confidence)
    error = tuple(a + b for a, b in zip(*list(sums.values())[2:], strict=True))
    reduced = anova_table(
        [
            ("part", *sums["part"], "repeatability"),
            ("operator", *sums["operator"], "repeatability"),
            ("repeatability", int(error[0]), error[1], ""),
        ]
    )
    weights = {
        "repeatability": np.array([0, 0, 1.0]),
        "operator": np.array([0, 1.0, -1.0]) / (p * r),
        "part": np.array([1.0, 0, -1.0]) / (o * r),
    }
    return _from_mean_squares(reduced, full, weights, confidence)


def nested(study: Study, confidence: float) -> Split:
    """Return components of parts that one operator each measures."""
    _, p, r = study.values.shape
    sums = nested_sums(study.values)
    table = anova_table(
        [
            ("operator", *sums["operator"], "part(operator)"),
            ("part(operator)", *sums["part(operator)"], "repeatability"),
            ("repeatability", *sums["repeatability"], ""),
        ]
    )
    weights = {
        "repeatability": np.array([0, 0, 1.0]),
        "operator": np.array([1.0, -1.0, 0]) / (p * r),
        "part": np.array([0, 1.0, -1.0]) / r,
    }
    return _from_mean_squares(table, table, weights, confidence)


def _from_mean_squares(
    anova: pd.DataFrame,
    full: pd.DataFrame,
    weights: dict[str, NDArray[np.float64]],
    confidence: float,
) -> Split:
    """Return components, their sums and all limits from a table and weights of mean squares."""
    ms, dof = anova.ms.to_numpy(), anova.df.to_numpy(dtype=float)
    raw = {source: float(w @ ms) for source, w in weights.items()}
    found = {source: max(variance, 0.0) for source, variance in raw.items()}
    by_operator = [source for source in found if "operator" in source]
    gage = ["repeatability", *by_operator]
    sums = {"gage_rr": gage, "repeatability": ["repeatability"], "reproducibility": by_operator}
    sums |= {source: [source] for source in by_operator}
    sums |= {"part": ["part"], "total": list(found)}
    rows = []
    for source, terms in sums.items():
        together = np.sum([weights[term] for term in terms], axis=0)
        lower, upper = mls_limits(together, ms, dof, confidence=confidence)
        variance = sum(found[term] for term in terms)
        rows.append((source, variance, max(lower, 0.0), max(upper, 0.0), math.sqrt(variance)))
    gage_weights = np.sum([weights[term] for term in gage], axis=0)
    limits = mls_ratio_limits(weights["part"], gage_weights, ms, dof, confidence=confidence)
    return Split(
        components=pd.DataFrame(rows, columns=_COLUMNS),
        ratio_limits=limits,
        anova=anova,
        anova_full=full,
        pooled=len(anova) < len(full),
        truncated=tuple(source for source, variance in raw.items() if variance < 0),
    )


def by_ranges(study: Study) -> Split:
    """Return components by average and range."""
    p, o, r = study.values.shape
    constants = {"K1": 1 / d2(r), "K2": 1 / _d2_star(o), "K3": 1 / _d2_star(p)}
    repeatability = float(np.ptp(study.values, axis=2).mean()) * constants["K1"]
    means = study.values.mean(axis=2)
    spread = float(np.ptp(means.mean(axis=0))) * constants["K2"]
    between = spread**2 - repeatability**2 / (p * r)
    of_operator, of_part = (
        max(between, 0.0),
        (np.ptp(means.mean(axis=1)) * constants["K3"]) ** 2,
    )
    gage = repeatability**2 + of_operator
    variances = {
        "gage_rr": gage,
        "repeatability": repeatability**2,
        "reproducibility": of_operator,
        "operator": of_operator,
        "part": float(of_part),
        "total": gage + float(of_part),
    }
    rows = [(name, v, np.nan, np.nan, math.sqrt(v)) for name, v in variances.items()]
    nothing = anova_table([])
    return Split(
        components=pd.DataFrame(rows, columns=_COLUMNS),
        ratio_limits=(math.nan, math.nan),
        anova=nothing,
        anova_full=nothing,
        truncated=("operator",) if between < 0 else (),
        constants=constants,
    )


def _d2_star(n: int) -> float:
    """Return d2* of one range of n values: the root of its mean square."""
    return math.hypot(d2(n), d3(n))
