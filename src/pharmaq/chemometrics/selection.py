"""Choice of the number of components from a cross-validation."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from pharmaq._checks import check_choice
from pharmaq.chemometrics.crossval import CrossValidation
from pharmaq.errors import InputTypeError
from pharmaq.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ComponentChoice", "ComponentRule", "select_n_components"]

ComponentRule = Literal["min", "1se"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class ComponentChoice(Result):
    """The number of components that a rule chose, and why.

    Parameters
    ----------
    n_components : int
        The choice; 0 means that the mean of the reference values predicts as well.
    rule : str
        The rule.
    reason : str
        The rule applied to these numbers, in one sentence.
    mse : ndarray of shape (A + 1,)
        Mean squared error of cross-validation with 0 to A components; for several responses the
        mean of their errors, each divided by that of its null model.
    threshold : float
        The largest mean squared error that the rule accepts.
    """

    n_components: int
    rule: str
    reason: str
    mse: NDArray[np.float64]
    threshold: float

    def __int__(self) -> int:
        return self.n_components

    def to_frame(self) -> pd.DataFrame:
        """Return one row a number of components, with what the rule accepts and chose."""
        counts = np.arange(len(self.mse))
        return pd.DataFrame(
            {
                "n_components": counts,
                "mse": self.mse,
                "accepted": self.mse <= self.threshold,
                "chosen": counts == self.n_components,
            }
        )


def select_n_components(
    result: CrossValidation, *, rule: ComponentRule = "1se"
) -> ComponentChoice:
    """Choose the number of components.

    Parameters
    ----------
    result : CrossValidation
        From `cross_validate`.
    rule : {"min", "1se"}, default "1se"
        ``"min"``: the smallest error. ``"1se"``: the fewest components whose mean squared error
        is within one standard error of the smallest [1]_; the standard error is that of the
        folds' mean squared errors at the minimum, s / sqrt(number of folds).

    Returns
    -------
    ComponentChoice
        The number, which may be 0, with the rule and the reason.

    References
    ----------
    .. [1] T. Hastie, R. Tibshirani, J. Friedman, The Elements of Statistical Learning, 2nd ed.,
       Springer, 2009, chapter 7.
    """
    check_choice("rule", rule, ("min", "1se"))
    if not isinstance(result, CrossValidation):
        msg = f"result must be a CrossValidation, got {type(result).__name__}"
        raise InputTypeError(msg)
    mse, fold_mse = _pooled(result)
    best = int(mse.argmin())
    if rule == "min" or best == 0:
        reason = f"smallest RMSECV of 0 to {len(mse) - 1} components"
        return _choice(best, rule, reason, mse, float(mse[best]))
    n_folds = len(fold_mse)
    error = float(fold_mse[:, best - 1].std(ddof=1) / np.sqrt(n_folds))
    threshold = float(mse[best]) + error
    chosen = int(np.flatnonzero(mse <= threshold)[0])
    reason = (
        f"fewest components with a mean squared error within one standard error "
        f"({error:.4g}, from {n_folds} folds) of the smallest ({mse[best]:.4g} at {best})"
    )
    return _choice(chosen, rule, reason, mse, threshold)


def _pooled(result: CrossValidation) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return errors of 0 to A components and of the folds, over all responses."""
    null = result.rmsecv_null**2
    mse = np.concatenate([null[None], result.rmsecv**2])
    if mse.ndim == 1:
        return mse, result.fold_mse
    return (mse / null).mean(axis=1), (result.fold_mse / null).mean(axis=2)


def _choice(
    count: int, rule: str, reason: str, mse: NDArray[np.float64], threshold: float
) -> ComponentChoice:
    return ComponentChoice(
        n_components=count, rule=rule, reason=reason, mse=mse, threshold=threshold
    )
