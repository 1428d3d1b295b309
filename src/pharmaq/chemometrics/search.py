"""Search over preprocessing recipes and components, with an error free of selection bias."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline
from tqdm import tqdm

from pharmaq._checks import check_integer
from pharmaq.chemometrics.double_cv import (
    inner_validation,
    outer_folds,
    predicted_with,
    prepared,
)
from pharmaq.chemometrics.merit import FiguresOfMerit, figures_of_merit
from pharmaq.chemometrics.pls import PLS
from pharmaq.chemometrics.recipe import make_recipe
from pharmaq.errors import InputError
from pharmaq.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from pharmaq.chemometrics.crossval import CrossValidation
    from pharmaq.chemometrics.splitters import RandomSubsets

__all__ = ["STANDARD_RECIPES", "RecipeSearch", "search_recipes"]

_SCATTER = ("", "snv", "msc")
_FILTERS = ("", "sg(7,2)", "sg(15,2)", "sg(7,2,1)", "sg(15,2,1)", "sg(25,2,1)", "sg(15,2,2)")

STANDARD_RECIPES = tuple(
    ", ".join(part for part in (scatter, smooth) if part) or "none"
    for scatter in _SCATTER
    for smooth in _FILTERS
)
"""Scatter correction or none, with smoothing, a first or a second derivative or neither."""


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True, repr=False)
class RecipeSearch(Result):
    """What a search over recipes found, and what it is worth on samples it did not see.

    Parameters
    ----------
    recipe : str
        The simplest recipe among those that are as good as the best.
    n_components : int
        Its number of components.
    rmsep_outer : float
        Root mean square error over the outer loop, in which the whole search was repeated
        without the samples predicted: free of the optimism of choosing.
    rmsecv_chosen : float
        RMSECV of the chosen model on all samples: too small, because it was chosen by it.
    table : DataFrame
        A row a recipe: ``recipe, n_components, rmsecv, standard_error, equivalent, wins``;
        ``wins`` counts the outer segments in which the search chose that recipe.
    rmsecv : ndarray of shape (n_recipes, A + 1)
        RMSECV of each recipe of `table` with 0 to A components; NaN where the folds carry fewer
        components.
    threshold : float
        Largest RMSECV that is as good as the best: within one standard error.
    predictions : ndarray of shape (n_repeats, n_samples)
        Outer predictions.
    reference : ndarray of shape (n_samples,)
        Reference values.
    merit : FiguresOfMerit
        Of the outer predictions, all repeats together.
    """

    recipe: str
    n_components: int
    rmsep_outer: float
    rmsecv_chosen: float
    table: pd.DataFrame
    rmsecv: NDArray[np.float64]
    threshold: float
    predictions: NDArray[np.float64]
    reference: NDArray[np.float64]
    merit: FiguresOfMerit

    def to_frame(self) -> pd.DataFrame:
        """Return the table of recipes, the best first."""
        return self.table.sort_values("rmsecv", kind="stable", ignore_index=True)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain Python that `json` can write."""
        plain = super(RecipeSearch, dataclasses.replace(self, table=None)).to_dict()  # type: ignore[arg-type]
        return plain | {"table": self.to_frame().to_dict("records")}

    def plot(self, *, ax: Any = None) -> Any:
        """Draw RMSECV of every recipe and number of components.

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

        return plots.plot_recipe_search(self, ax=ax)


def search_recipes(
    X: Any,
    y: ArrayLike,
    recipes: Sequence[Any] = STANDARD_RECIPES,
    *,
    model: PLS | None = None,
    outer: RandomSubsets | str = "random(5,1)",
    cv: Any = None,
    groups: ArrayLike | None = None,
    progress: bool = False,
) -> RecipeSearch:
    """Choose a recipe and its number of components, and tell what the choice is worth.

    Parameters
    ----------
    X : array-like, DataFrame or DataArray, shape (n_samples, n_points)
        Spectra; NaN raises.
    y : array-like, shape (n_samples,)
        Reference values of one response; NaN raises.
    recipes : sequence, default STANDARD_RECIPES
        Recipes as `make_recipe` takes them; a range of the axis is a step like any other.
    model : PLS, optional
        Its `n_components` is the largest number tried; 15 by default.
    outer : RandomSubsets or str, default "random(5,1)"
        Segments and repeats of the outer loop; whole batches are left out where they are
        known.
    cv : cross-validator, str or int, optional
        Inner splitter, as in `cross_validate`.
    groups : array-like, shape (n_samples,), optional
        Batch of each sample; by default the coordinate ``batch`` of `X`.
    progress : bool, default False
        Show a progress bar on a terminal.

    Returns
    -------
    RecipeSearch
        The choice, the table of all recipes, and the error of the outer loop.

    Raises
    ------
    InputError
        If there is no recipe, one cannot be applied, or nothing beats the mean.

    Notes
    -----
    Each recipe is cross-validated at every number of components. Models whose mean squared
    error is within one standard error of the smallest of all are equivalent; among them the one
    with the fewest components is chosen, then the one with the fewest steps, then the better
    one. In the outer loop all of this is repeated without the segment that is predicted.

    Examples
    --------
    >>> import pharmaq
    >>> spectra = pharmaq.datasets.tablets(n_batches=10, random_state=1).spectra
    >>> recipes = ["none", "snv", "snv, sg(15,2,1)"]
    >>> result = search_recipes(spectra, spectra.api, recipes)
    >>> result.recipe
    'snv, sg(15,2,1)'
    """
    model = PLS(15) if model is None else model
    check_integer("n_components", model.n_components, least=1)
    texts = [str(make_recipe(recipe)) for recipe in recipes]
    if not texts:
        msg = "recipes is empty; name at least one"
        raise InputError(msg)
    ready = [
        prepared(make_pipeline(make_recipe(recipe), model), X, y, groups) for recipe in recipes
    ]
    response, batches = ready[0][3], ready[0][4]
    folds = [fold for part in outer_folds(outer, len(response), batches) for fold in part]
    everything = np.arange(len(response))
    shown = None if progress else True
    wins = np.zeros(len(texts), dtype=int)
    predictions: list[NDArray[np.float64]] = []
    total = len(texts) * (len(folds) + 1)
    with tqdm(total=total, desc="recipe search", unit="model", disable=shown) as bar:
        for train, test in folds:
            winner, count, *_ = _choose(ready, texts, train, cv, bar)
            wins[winner] += 1
            steps, sized, values, *_ = ready[winner]
            predictions.append(
                predicted_with(count, steps, sized, values, response, train, test)
            )
        winner, count, table, surface = _choose(ready, texts, everything, cv, bar)
    if count == 0:
        msg = "no recipe predicts better than the mean of y; look at the data"
        raise InputError(msg)
    by_repeat, merit = _outer(folds, predictions, response)
    return RecipeSearch(
        recipe=texts[winner],
        n_components=count,
        rmsep_outer=merit.rmse,
        rmsecv_chosen=float(table["rmsecv"].iloc[winner]),
        table=table.assign(wins=wins),
        predictions=by_repeat,
        reference=response,
        merit=merit,
        **surface,
    )


def _choose(
    ready: list[Any], texts: list[str], train: NDArray[np.intp], cv: Any, bar: Any
) -> tuple[int, int, pd.DataFrame, dict[str, Any]]:
    """Return the place of the winner, its components, the table and the surface of errors."""
    rows, curves = [], []
    for text, (steps, model, X, y, batches) in zip(texts, ready, strict=True):
        result = inner_validation(steps, model, X, y, batches, train, cv)
        curves.append(np.concatenate([[result.rmsecv_null**2], result.rmsecv**2]))
        rows.append((text, _standard_error(result, curves[-1])))
        bar.update()
    best = int(np.argmin([curve.min() for curve in curves]))
    threshold = float(curves[best].min() + rows[best][1])
    # a recipe that reaches the threshold nowhere is shown at its own best
    counts = [int(np.flatnonzero(curve <= max(threshold, curve.min()))[0]) for curve in curves]
    errors = np.array([curve[a] for curve, a in zip(curves, counts, strict=True)])
    equivalent = errors <= threshold
    order = sorted(
        np.flatnonzero(equivalent),
        key=lambda i: (counts[i], _n_steps(texts[i]), errors[i]),
    )
    table = pd.DataFrame(
        {
            "recipe": texts,
            "n_components": counts,
            "rmsecv": np.sqrt(errors),
            "standard_error": [error for _, error in rows],
            "equivalent": equivalent,
        }
    )
    surface = np.full((len(curves), max(map(len, curves))), np.nan)
    for row, curve in zip(surface, curves, strict=True):
        row[: len(curve)] = np.sqrt(curve)
    found = {"rmsecv": surface, "threshold": float(np.sqrt(threshold))}
    return int(order[0]), counts[order[0]], table, found


def _standard_error(result: CrossValidation, curve: NDArray[np.float64]) -> float:
    """Return the standard error of the mean squared error at its minimum, from the folds."""
    best = int(curve.argmin())
    if best == 0:
        return 0.0
    folds = result.fold_mse[:, best - 1]
    return float(folds.std(ddof=1) / np.sqrt(len(folds)))


def _n_steps(text: str) -> int:
    return 0 if text == "none" else len(make_recipe(text).steps)


def _outer(
    folds: list[Any], predictions: list[NDArray[np.float64]], response: NDArray[np.float64]
) -> tuple[NDArray[np.float64], FiguresOfMerit]:
    """Return the outer predictions by repeat, and their merit all together."""
    tests = np.concatenate([test for _, test in folds])
    values = np.concatenate(predictions)
    repeats = len(tests) // len(response)
    by_repeat = np.empty((repeats, len(response)))
    for repeat, part in enumerate(np.split(np.arange(len(tests)), repeats)):
        by_repeat[repeat, tests[part]] = values[part]
    return by_repeat, figures_of_merit(response[tests], values)
