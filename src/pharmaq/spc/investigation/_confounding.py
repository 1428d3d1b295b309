"""Factors that vary together, so that their effects cannot be told apart."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["confounded_pairs"]


def confounded_pairs(factors: pd.DataFrame, at: float) -> pd.DataFrame:
    """Return pairs of factors whose association is `at` or more, the strongest first."""
    rows = []
    for first, second in combinations(factors.columns, 2):
        both = factors[[first, second]].dropna()
        if len(both) < 3:
            continue
        value, measure = _association(both[first], both[second])
        if value >= at:
            rows.append((first, second, value, measure))
    table = pd.DataFrame(rows, columns=["first", "second", "association", "measure"])
    return table.sort_values("association", ascending=False, ignore_index=True, kind="stable")


def _association(first: pd.Series, second: pd.Series) -> tuple[float, str]:
    numbers = [column.dtype.kind in "fiu" for column in (first, second)]
    if all(numbers):
        x, y = stats.rankdata(first), stats.rankdata(second)
        return (abs(_correlation(x, y)), "Spearman")
    if any(numbers):
        number, group = (first, second) if numbers[0] else (second, first)
        return _ratio(stats.rankdata(number), pd.factorize(group)[0]), "correlation ratio"
    return _cramer(pd.factorize(first)[0], pd.factorize(second)[0]), "Cramer's V"


def _correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    x, y = x - x.mean(), y - y.mean()
    size = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / size if size > 0 else 0.0


def _ratio(ranks: NDArray[np.float64], codes: NDArray[np.intp]) -> float:
    """Return the root of the share of variance between groups, less what chance gives."""
    n, groups = ranks.size, int(codes.max()) + 1
    total = float(np.sum((ranks - ranks.mean()) ** 2))
    if total == 0 or n <= groups or groups == 1:
        return 0.0
    means = np.bincount(codes, weights=ranks) / np.bincount(codes)
    within = float(np.sum((ranks - means[codes]) ** 2))
    return float(np.sqrt(max(0.0, 1 - within / total * (n - 1) / (n - groups))))


def _cramer(first: NDArray[np.intp], second: NDArray[np.intp]) -> float:
    """Return Cramer's V."""
    rows, columns = int(first.max()) + 1, int(second.max()) + 1
    if min(rows, columns) == 1:
        return 0.0
    counts = np.bincount(first * columns + second, minlength=rows * columns)
    table = counts.reshape(rows, columns).astype(np.float64)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    chi2 = float(np.sum((table - expected) ** 2 / expected))
    return float(np.sqrt(chi2 / (table.sum() * (min(rows, columns) - 1))))
