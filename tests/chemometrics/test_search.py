from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from pharmaq import datasets
from pharmaq.chemometrics import PLS, RandomSubsets, cross_validate, make_recipe
from pharmaq.chemometrics.search import STANDARD_RECIPES, search_recipes
from pharmaq.errors import AxisError, InputError
from pharmaq.spectra import as_spectra

RECIPES = ["none", "snv", "snv, sg(15,2,1)", "range(1500-2200), msc"]


@pytest.fixture(scope="module")
def spectra() -> Any:
    return datasets.tablets(n_batches=10, tablets_per_batch=5, random_state=1).spectra


def by_hand(X: Any, y: np.ndarray, batch: np.ndarray, most: int) -> tuple[str, int]:
    """Cross-validate every recipe with public functions and choose as the rule says."""
    found = {
        text: cross_validate(make_pipeline(make_recipe(text), PLS(most)), X, y, groups=batch)
        for text in RECIPES
    }
    best = min(found, key=lambda text: found[text].rmsecv.min())
    at = int(found[best].rmsecv.argmin())
    folds = found[best].fold_mse[:, at]
    threshold = found[best].rmsecv[at] ** 2 + folds.std(ddof=1) / np.sqrt(len(folds))
    options = [
        (a + 1, 0 if text == "none" else len(make_recipe(text).steps), mse, text)
        for text, result in found.items()
        for a, mse in enumerate(result.rmsecv**2)
        if mse <= threshold
    ]
    count, _, _, text = min(options)
    return text, count


def test_the_choice_is_the_simplest_within_one_standard_error(spectra: Any) -> None:
    y, batch = spectra.api.values, spectra.batch.values
    result = search_recipes(spectra, y, RECIPES, model=PLS(8))
    assert (result.recipe, result.n_components) == by_hand(spectra, y, batch, 8)
    row = result.table.set_index("recipe").loc[result.recipe]
    assert row["equivalent"]
    assert row["rmsecv"] == pytest.approx(result.rmsecv_chosen)


def test_the_outer_loop_repeats_the_whole_search(spectra: Any) -> None:
    y, batch = spectra.api.values, spectra.batch.values
    outer = RandomSubsets(5, random_state=2)
    result = search_recipes(spectra, y, RECIPES, model=PLS(8), outer=outer)
    names = np.unique(batch)
    train_names, test_names = next(iter(outer.split(np.empty((10, 1)))))
    train = np.flatnonzero(np.isin(batch, names[train_names]))
    test = np.flatnonzero(np.isin(batch, names[test_names]))
    text, count = by_hand(spectra[train], y[train], batch[train], 8)
    recipe = make_recipe(text).fit(spectra[train], y[train])
    model = PLS(count).fit(recipe.transform(spectra[train]), y[train])
    expected = model.predict(recipe.transform(spectra[test])).values
    np.testing.assert_allclose(result.predictions[0, test], expected, rtol=1e-8)
    assert int(result.table["wins"].sum()) == 5
    error = result.predictions - y
    assert result.rmsep_outer == pytest.approx(np.sqrt(np.mean(error**2)))


def test_choosing_among_many_recipes_flatters() -> None:
    rng = np.random.default_rng(3)
    X = as_spectra(5 + rng.normal(size=(30, 80)).cumsum(axis=1), axis=np.arange(1100.0, 1180.0))
    y = X.values[:, 10] + 3 * rng.normal(size=30)
    recipes = [f"sg({w},2,{d})" for w in (5, 7, 9, 11, 15) for d in (0, 1, 2)]
    result = search_recipes(X, y, recipes, model=PLS(6), outer="random(6,2)")
    assert result.rmsep_outer > result.rmsecv_chosen


def test_nothing_better_than_the_mean_is_refused() -> None:
    rng = np.random.default_rng(4)
    X = as_spectra(rng.normal(size=(30, 40)), axis=np.arange(1100.0, 1140.0))
    with pytest.raises(InputError, match="no recipe predicts better than the mean"):
        search_recipes(X, rng.normal(size=30), ["none", "sg(5,2)"], model=PLS(4))


def test_the_result_is_a_sorted_frame_and_json(spectra: Any) -> None:
    result = search_recipes(spectra, spectra.api, RECIPES[:2], model=PLS(5))
    frame = result.to_frame()
    assert frame["rmsecv"].is_monotonic_increasing
    plain = json.loads(json.dumps(result.to_dict()))
    assert pd.DataFrame(plain["table"])["recipe"].tolist() == frame["recipe"].tolist()
    assert plain["recipe"] == result.recipe


@pytest.mark.slow
def test_corn_and_tablets_are_searched(corn: pd.DataFrame, dyrby: Any) -> None:
    result = search_recipes(corn.iloc[:, 5:].to_numpy(), corn["Moisture"], STANDARD_RECIPES[:7])
    # published RMSECV of moisture with 10 components of raw spectra: 0.0183
    assert result.rmsep_outer < 0.0183
    X, y = dyrby
    tablets = search_recipes(
        X, y, ["snv", "snv, sg(15,2,1)"], groups=np.arange(310) // 10, cv="batch"
    )
    # published, leave-batch-out with SNV: 0.3426 at its best
    assert tablets.rmsep_outer == pytest.approx(0.3426, rel=0.08)


def test_standard_recipes_can_all_be_read() -> None:
    assert [str(make_recipe(text)) for text in STANDARD_RECIPES] == list(STANDARD_RECIPES)


@pytest.mark.parametrize(
    ("recipes", "error", "message"),
    [
        ([], InputError, "recipes is empty"),
        (["snv", "smooth"], InputError, "recipe step 'smooth' is unknown"),
        (["range(3000-4000)"], AxisError, "holds no point"),
    ],
)
def test_bad_recipes_are_named(spectra: Any, recipes: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        search_recipes(spectra, spectra.api, recipes)
