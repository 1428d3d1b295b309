"""Choice of the number of components from a cross-validation."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd
from scipy import stats

from pharmaq._checks import check_choice, check_integer, check_real
from pharmaq.chemometrics.crossval import CrossValidation
from pharmaq.errors import InputTypeError
from pharmaq.results import Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["ComponentChoice", "ComponentRule", "select_n_components"]

ComponentRule = Literal["min", "1se", "wold_r", "press_f", "randomization"]

# error rates that the sources of the two tests propose
_ALPHA = {"press_f": 0.25, "randomization": 0.01}


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

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the error over the number of components with what the rule accepts.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.chemometrics import plots

        return plots.plot_component_choice(self, ax=ax)


def select_n_components(
    result: CrossValidation,
    *,
    rule: ComponentRule = "1se",
    alpha: float | None = None,
    threshold: float = 0.95,
    n_permutations: int = 999,
    random_state: int = 0,
) -> ComponentChoice:
    """Choose the number of components.

    Parameters
    ----------
    result : CrossValidation
        From `cross_validate`.
    rule : {"min", "1se", "wold_r", "press_f", "randomization"}, default "1se"
        ``"min"``: the smallest error. ``"1se"``: the fewest components whose mean squared error
        is within one standard error of the smallest [1]_; the standard error is that of the
        folds' mean squared errors at the minimum, s / sqrt(number of folds). ``"wold_r"``: the
        fewest after which one more component does not bring the error below `threshold` times
        what it was [2]_. ``"press_f"``: the fewest whose error is not above the smallest by an
        F test with n and n degrees of freedom [3]_. ``"randomization"``: the fewest whose
        squared errors are not above those at the minimum when the signs of their differences
        are drawn at random [4]_.
    alpha : float, optional
        Error rate of the two tests; 0.25 for ``"press_f"`` and 0.01 for ``"randomization"``.
    threshold : float, default 0.95
        Ratio of successive mean squared errors for ``"wold_r"``.
    n_permutations : int, default 999
        Number of draws of signs.
    random_state : int, default 0
        Seed of the draws.

    Returns
    -------
    ComponentChoice
        The number, which may be 0, with the rule and the reason.

    References
    ----------
    .. [1] T. Hastie, R. Tibshirani, J. Friedman, The Elements of Statistical Learning, 2nd ed.,
       Springer, 2009, chapter 7.
    .. [2] S. Wold, Technometrics 20 (1978) 397-405.
    .. [3] D. M. Haaland, E. V. Thomas, Anal. Chem. 60 (1988) 1193-1202.
    .. [4] H. van der Voet, Chemom. Intell. Lab. Syst. 25 (1994) 313-323.
    """
    check_choice("rule", rule, get_args(ComponentRule))
    if not isinstance(result, CrossValidation):
        msg = f"result must be a CrossValidation, got {type(result).__name__}"
        raise InputTypeError(msg)
    level = check_real(
        "alpha", _ALPHA.get(rule, 0.5) if alpha is None else alpha, above=0, below=1
    )
    check_real("threshold", threshold, above=0)
    draws = check_integer("n_permutations", n_permutations, least=19)
    generator = np.random.default_rng(check_integer("random_state", random_state, least=0))
    mse, fold_mse = _pooled(result)
    best = int(mse.argmin())
    if rule == "min" or best == 0:
        reason = f"smallest RMSECV of 0 to {len(mse) - 1} components"
        return _choice(best, rule, reason, mse, float(mse[best]))
    choose: dict[str, Callable[[], ComponentChoice]] = {
        "1se": lambda: _one_standard_error(mse, fold_mse, best),
        "wold_r": lambda: _wold_r(mse, threshold),
        "press_f": lambda: _press_f(mse, best, len(result.reference), level),
        "randomization": lambda: _randomization(
            _squares(result), mse, best, level, draws, generator
        ),
    }
    return choose[rule]()


def _one_standard_error(
    mse: NDArray[np.float64], fold_mse: NDArray[np.float64], best: int
) -> ComponentChoice:
    n_folds = len(fold_mse)
    error = float(fold_mse[:, best - 1].std(ddof=1) / np.sqrt(n_folds))
    threshold = float(mse[best]) + error
    reason = (
        f"fewest components with a mean squared error within one standard error "
        f"({error:.4g}, from {n_folds} folds) of the smallest ({mse[best]:.4g} at {best})"
    )
    chosen = int(np.flatnonzero(mse <= threshold)[0])
    return _choice(chosen, "1se", reason, mse, threshold)


def _wold_r(mse: NDArray[np.float64], threshold: float) -> ComponentChoice:
    ratios = mse[1:] / mse[:-1]
    weak = np.flatnonzero(ratios > threshold)
    chosen = int(weak[0]) if weak.size else len(mse) - 1
    after = f"{ratios[chosen]:.3f}" if chosen < len(ratios) else "not tried"
    reason = (
        f"fewest components after which one more leaves the mean squared error above "
        f"{threshold:g} times what it was (ratio {after})"
    )
    return _choice(chosen, "wold_r", reason, mse, float(mse[chosen]))


def _press_f(
    mse: NDArray[np.float64], best: int, n_samples: int, alpha: float
) -> ComponentChoice:
    ratio = float(stats.f.isf(alpha, n_samples, n_samples))
    chosen = int(np.flatnonzero(mse <= ratio * mse[best])[0])
    reason = (
        f"fewest components with a mean squared error below {ratio:.4g} times the smallest "
        f"({mse[best]:.4g} at {best}): F test, alpha = {alpha:g}, {n_samples} samples"
    )
    return _choice(chosen, "press_f", reason, mse, ratio * float(mse[best]))


def _randomization(
    squares: NDArray[np.float64],
    mse: NDArray[np.float64],
    best: int,
    alpha: float,
    draws: int,
    generator: np.random.Generator,
) -> ComponentChoice:
    signs = generator.choice([-1.0, 1.0], size=(draws, squares.shape[1]))
    for count in range(best + 1):
        difference = squares[count] - squares[best]
        drawn = signs @ difference
        p = (1 + int(np.sum(drawn >= difference.sum()))) / (draws + 1)
        if p > alpha:
            break
    reason = (
        f"fewest components whose squared errors are not above those at the minimum ({best}): "
        f"randomization test, p = {p:.3g}, alpha = {alpha:g}, {draws} draws"
    )
    return _choice(count, "randomization", reason, mse, float(mse[count]))


def _squares(result: CrossValidation) -> NDArray[np.float64]:
    """Return squared errors with 0 to A components of each sample that was left out."""
    predicted = np.concatenate([result.predictions_null[None], result.predictions.to_numpy()])
    squares = (predicted - result.reference) ** 2
    if squares.ndim == 3:
        squares = (squares / result.rmsecv_null**2).mean(axis=2)
    return squares[:, result.n_predictions > 0]


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
