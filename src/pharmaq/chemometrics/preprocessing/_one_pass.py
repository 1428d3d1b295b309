"""Steps that follow each other, done in one pass over the spectra."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn import get_config

from pharmaq.chemometrics._base import like_points, new_matrix
from pharmaq.chemometrics.preprocessing._filters import SavitzkyGolay, folded_filter
from pharmaq.chemometrics.preprocessing._scatter import SNV, judge_spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class FilteredSNV:
    """A fitted `SNV` and the fitted `SavitzkyGolay` that follows it.

    Both are applied to one spectrum after the other while it is in the processor's cache. The
    results are those of the two steps, bit for bit.
    """

    def __init__(self, snv: SNV, savitzky_golay: SavitzkyGolay) -> None:
        self.snv = snv
        self.savitzky_golay = savitzky_golay

    def fit(self, X: Any, y: Any = None) -> FilteredSNV:
        """Fit both steps; neither learns from values, so that the second may see raw ones."""
        self.snv.fit(X, y)
        self.savitzky_golay.fit(X, y)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Fit both steps and return what they make of X."""
        return self.fit(X, y).transform(X)

    def transform(self, X: Any) -> Any:
        """Return the spectra after both steps, in the container of X."""
        new_matrix(self.savitzky_golay, X, finite=False)
        out = self.apply(new_matrix(self.snv, X, finite=False))
        return like_points(X, out, same_quantity=False)

    def apply(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Do what `transform` does on an array that was checked already."""
        from pharmaq.chemometrics.preprocessing import _kernels

        out, spread = np.empty_like(values), np.empty(len(values))
        weights = folded_filter(self.savitzky_golay)
        _kernels.snv_filter_rows(values, *weights, out, spread)
        judge_spread(values, spread)
        return out


def in_one_pass(steps: Sequence[Any]) -> list[Any]:
    """Return the steps, with SNV and a Savitzky-Golay filter after it as one."""
    joined: list[Any] = []
    for step in steps:
        if joined and type(joined[-1]) is SNV and _joins(joined[-1], step):
            joined[-1] = FilteredSNV(joined[-1], step)
        else:
            joined.append(step)
    return joined


def _joins(snv: SNV, step: Any) -> bool:
    """Tell whether a step after SNV is a filter, and neither is asked for frames."""
    if type(step) is not SavitzkyGolay or get_config()["transform_output"] != "default":
        return False
    return not any(hasattr(one, "_sklearn_output_config") for one in (snv, step))
