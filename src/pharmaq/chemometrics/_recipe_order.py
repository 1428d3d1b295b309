"""Orders of preprocessing steps that make no sense, though each step could be done."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from pharmaq.chemometrics.preprocessing import (
    EMSC,
    MSC,
    SNV,
    Baseline,
    Convert,
    Despike,
    Detrend,
    Normalize,
    NorrisWilliams,
    SavitzkyGolay,
    Scale,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SCATTER = (SNV, MSC, EMSC, Normalize)
_ROW_WISE = (*_SCATTER, Baseline, Convert, Despike, Detrend, NorrisWilliams, SavitzkyGolay)


class RecipeOrderWarning(UserWarning):
    """The steps of a recipe stand in an order that makes no sense."""


def warn_of_order(steps: Sequence[Any], texts: Sequence[str]) -> None:
    """Warn once of all pairs of steps that stand the wrong way round."""
    problems = []
    for j, later in enumerate(steps):
        for i, earlier in enumerate(steps[:j]):
            reason = _reason(earlier, later)
            if reason:
                problems.append(f"{texts[j]} after {texts[i]}: {reason}")
    if problems:
        msg = f"the order of the recipe makes no sense: {'; '.join(problems)}"
        warnings.warn(msg, RecipeOrderWarning, stacklevel=3)


def _reason(earlier: Any, later: Any) -> str | None:
    """Return why a step should not come after another; None if it may."""
    return next((text for wrong, text in _RULES if wrong(earlier, later)), None)


def _differentiates(step: Any) -> bool:
    return isinstance(step, SavitzkyGolay | NorrisWilliams) and step.deriv > 0


def _no_quantity(step: Any) -> bool:
    """Tell whether values after a step are no absorbance, reflectance or counts any more."""
    return isinstance(step, (*_SCATTER, Baseline, Detrend, Scale)) or _differentiates(step)


def _scaled_columns(earlier: Any, later: Any) -> bool:
    return isinstance(earlier, Scale) and isinstance(later, _ROW_WISE)


def _late_conversion(earlier: Any, later: Any) -> bool:
    return isinstance(later, Convert) and _no_quantity(earlier)


def _late_baseline(earlier: Any, later: Any) -> bool:
    return isinstance(later, Baseline) and (
        isinstance(earlier, _SCATTER) or _differentiates(earlier)
    )


def _late_despiking(earlier: Any, later: Any) -> bool:
    smooths = isinstance(earlier, SavitzkyGolay | NorrisWilliams | Baseline)
    return isinstance(later, Despike) and (smooths or isinstance(earlier, _SCATTER))


def _no_area(earlier: Any, later: Any) -> bool:
    nothing = isinstance(earlier, SNV) or _differentiates(earlier)
    return isinstance(later, Normalize) and later.method == "area" and nothing


_RULES: tuple[tuple[Callable[[Any, Any], bool], str], ...] = (
    (_scaled_columns, "scaled points have no shape of a spectrum left to treat"),
    (_late_conversion, "the values are no longer the quantity to convert from"),
    (
        _late_baseline,
        "the scatter correction or derivative has changed the baseline already",
    ),
    (_late_despiking, "a spike has spread to its neighbours or to the scale by then"),
    (_no_area, "the area is about zero by then"),
)
