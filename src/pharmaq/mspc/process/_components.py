"""How many components a monitor keeps."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from pharmaq._checks import check_integer, check_real
from pharmaq.chemometrics import PCA, PLS, ContiguousBlocks, cross_validate
from pharmaq.errors import InputError
from pharmaq.mspc.process._left_out import blocks
from pharmaq.results import Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["ComponentChoice", "choose_components"]

Rule = Literal["parallel analysis", "cross-validation", "explained variance"]
RULES = ("parallel analysis", "cross-validation", "explained variance")

# simulated tables of independent values, and the quantile of their eigenvalues
_SIMULATIONS = 100
_QUANTILE = 0.95
_MOST_COMPONENTS = 60


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class ComponentChoice(Result):
    """How the number of components was chosen.

    Parameters
    ----------
    n_components : int
        The number.
    rule : str
        How it was chosen; ``"given"`` where it was not.
    criterion : str
        What `values` are.
    values : ndarray of shape (n,)
        The criterion with 1, 2, ... components; empty where the number was given.
    threshold : ndarray of shape (n,)
        What `values` are held against; NaN where the rule has no threshold.
    """

    n_components: int
    rule: str
    criterion: str
    values: NDArray[np.float64]
    threshold: NDArray[np.float64]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a number of components."""
        numbers = np.arange(1, len(self.values) + 1)
        return pd.DataFrame(
            {
                "n_components": numbers,
                self.criterion: self.values,
                "threshold": self.threshold,
                "chosen": numbers == self.n_components,
            }
        )

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the criterion over the number of components, and the number that was chosen.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib Axes
            The picture.
        """
        from pharmaq.mspc.process import plots

        if not len(self.values):
            msg = "the number of components was given: there is no criterion to draw"
            raise InputError(msg)
        return plots.plot_choice(self, ax=ax)


def choose_components(
    n_components: int | str,
    scaled: Array,
    y: Array | None,
    *,
    explained: float,
    cv: int,
    random_state: int,
) -> ComponentChoice:
    """Return the number of components for scaled data, by a named rule or as given."""
    if not isinstance(n_components, str):
        none = np.empty(0)
        count = check_integer("n_components", n_components, least=1)
        return ComponentChoice(
            n_components=count, rule="given", criterion="", values=none, threshold=none
        )
    if n_components not in RULES:
        msg = f"n_components must be a number or one of {RULES}, got {n_components!r}"
        raise InputError(msg)
    if np.isnan(scaled).any():
        msg = (
            f"n_components = {n_components!r} needs complete data, but X has "
            f"{int(np.isnan(scaled).sum())} missing values; give a number"
        )
        raise InputError(msg)
    if y is not None:
        return _by_prediction(n_components, scaled, y, cv)
    share = check_real("explained", explained, above=0, below=1)
    by_rule: dict[str, Callable[[], ComponentChoice]] = {
        "explained variance": lambda: _by_variance(scaled, share),
        "parallel analysis": lambda: _by_parallel_analysis(scaled, random_state),
        "cross-validation": lambda: _by_cross_validation(scaled, cv),
    }
    return by_rule[n_components]()


def _eigenvalues(scaled: Array) -> Array:
    centered = scaled - scaled.mean(axis=0)
    return np.linalg.svd(centered, compute_uv=False) ** 2 / (len(scaled) - 1)


def _by_variance(scaled: Array, explained: float) -> ComponentChoice:
    values = _eigenvalues(scaled)
    share = np.cumsum(values) / values.sum()
    return ComponentChoice(
        n_components=int(np.argmax(share >= explained)) + 1,
        rule="explained variance",
        criterion="explained",
        values=share,
        threshold=np.full(len(share), explained),
    )


def _by_parallel_analysis(scaled: Array, random_state: int) -> ComponentChoice:
    """Keep components whose eigenvalue is above that of independent values (Horn 1965)."""
    values = _eigenvalues(scaled)
    rng = np.random.default_rng(random_state)
    spread = scaled.std(axis=0, ddof=1)
    draw = _wishart_eigenvalues if len(scaled) > len(spread) else _table_eigenvalues
    chance = [draw(rng, len(scaled), spread) for _ in range(_SIMULATIONS)]
    threshold = np.quantile(chance, _QUANTILE, axis=0)
    beaten = np.flatnonzero(values <= threshold)
    count = int(beaten[0]) if beaten.size else len(values)
    if count == 0:
        msg = (
            "n_components = 'parallel analysis' finds no component above chance: the variables "
            "do not move together; give a number, or chart each variable"
        )
        raise InputError(msg)
    return ComponentChoice(
        n_components=count,
        rule="parallel analysis",
        criterion="eigenvalue",
        values=values,
        threshold=threshold,
    )


def _wishart_eigenvalues(rng: np.random.Generator, n: int, spread: Array) -> Array:
    """Return eigenvalues as n rows of independent values have, without drawing the rows.

    Their scatter is A A' with A lower triangular: normal values below the diagonal, and on it
    roots of chi2 with n - 1, n - 2, ... degrees of freedom (M. S. Bartlett 1933).
    """
    p = len(spread)
    A = np.tril(rng.standard_normal((p, p)), -1)
    A[np.diag_indices(p)] = np.sqrt(rng.chisquare(n - 1.0 - np.arange(p)))
    # each variable with the spread that it has
    A *= (spread / np.linalg.norm(A, axis=1))[:, None]
    return np.asarray(np.linalg.eigvalsh(A @ A.T)[::-1], dtype=np.float64)


def _table_eigenvalues(rng: np.random.Generator, n: int, spread: Array) -> Array:
    table = rng.standard_normal((n, len(spread)))
    table -= table.mean(axis=0)
    return _eigenvalues(table * (spread / table.std(axis=0, ddof=1)))


def _by_cross_validation(scaled: Array, cv: int) -> ComponentChoice:
    """Take the smallest error of values that a model foretells from all other variables.

    The rows of a block are left out, and each of their values is estimated from the others by
    least squares on the loadings: its error is the residual over 1 minus the diagonal of P P'.
    """
    n, p = scaled.shape
    most = min(_MOST_COMPONENTS, p - 1, n - len(blocks(n, cv)[0]) - 1)
    if most < 1:
        msg = f"X has too few rows or variables to choose components: {n} and {p}"
        raise InputError(msg)
    errors = np.zeros(most)
    for rows in blocks(n, cv):
        kept = np.delete(scaled, rows, axis=0)
        loadings = PCA(most).fit(kept).x_loadings_
        left = scaled[rows] - kept.mean(axis=0)
        own = np.ones(p)
        for a, loading in enumerate(loadings.T):
            left = left - np.outer(left @ loading, loading)
            own = own - loading**2
            # a variable that lies in the plane altogether is not foretold by it
            safe = np.maximum(own, 1e-12)
            errors[a] += np.sum((left / safe) ** 2)
    return ComponentChoice(
        n_components=int(np.argmin(errors)) + 1,
        rule="cross-validation",
        criterion="mean squared error",
        values=errors / (n * p),
        threshold=np.full(most, np.nan),
    )


def _by_prediction(rule: str, scaled: Array, y: Array, cv: int) -> ComponentChoice:
    """Take the smallest error of y in cross-validation."""
    if rule != "cross-validation":
        msg = (
            f"n_components = {rule!r} goes with method='pca'; with 'pls' use 'cross-validation'"
        )
        raise InputError(msg)
    n, p = scaled.shape
    most = min(_MOST_COMPONENTS, p, n - len(blocks(n, cv)[0]) - 1)
    found: Any = cross_validate(
        PLS(most), scaled, y, cv=ContiguousBlocks(min(cv, n)), excess="trim"
    )
    spread = np.atleast_2d(y.T).std(axis=1)
    errors = np.asarray(found.rmsecv).reshape(found.size, -1) / spread
    total = np.sqrt(np.mean(errors**2, axis=1))
    return ComponentChoice(
        n_components=int(np.argmin(total)) + 1,
        rule="cross-validation",
        criterion="relative error of y",
        values=total,
        threshold=np.full(found.size, np.nan),
    )
