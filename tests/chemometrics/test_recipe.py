from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pharmaq.chemometrics import MSC, SNV, SavitzkyGolay, SelectRange, make_recipe
from pharmaq.errors import InputError, InputTypeError

steps = st.one_of(
    st.sampled_from(["snv", "msc", "msc(median)", "emsc", "emsc(1)", "detrend(2)", "osc(2)"]),
    st.sampled_from(["nw(5,3)", "nw(5,3,2)", "normalize", "normalize(pqn)", "despike(9)"]),
    st.sampled_from(["convert(reflectance,absorbance)", "center", "auto", "pareto"]),
    st.tuples(st.integers(2, 9), st.integers(0, 3), st.integers(0, 3)).map(
        lambda t: f"sg({2 * t[0] + 1},{t[1]},{min(t[1], t[2]) or 1})" if t[1] else "sg(5,2)"
    ),
    st.tuples(st.integers(200, 900), st.integers(901, 2500)).map(
        lambda t: f"range({t[0]}-{t[1]})"
    ),
)


@given(st.lists(steps, min_size=1, max_size=5))
def test_a_recipe_gives_its_text_back(parts: list[str]) -> None:
    text = ", ".join(parts)
    recipe = make_recipe(text)
    assert str(recipe) == text
    assert str(make_recipe(str(recipe))) == text
    assert str(clone(recipe)) == text


def test_steps_get_their_numbers() -> None:
    recipe = make_recipe("SNV, sg( 15, 2, 1 ), range(1100-1300.5, 1500 - 1700)")
    snv, sg, span = (step for _, step in recipe.steps)
    assert isinstance(snv, SNV)
    assert (sg.window_length, sg.polyorder, sg.deriv) == (15, 2, 1)
    assert span.ranges == [(1100.0, 1300.5), (1500.0, 1700.0)]


def test_negative_ends_are_read() -> None:
    assert make_recipe("range(-100--20)").steps[0][1].ranges == [(-100.0, -20.0)]


@pytest.mark.parametrize("nothing", [None, "none", "", [], "none, none"])
def test_no_step_changes_nothing(nothing: Any) -> None:
    X = np.arange(6.0).reshape(2, 3)
    recipe = make_recipe(nothing)
    assert str(recipe) == "none"
    assert recipe.fit_transform(X) is X


def test_transformers_and_pipelines_are_taken_as_they_are() -> None:
    assert str(make_recipe([SNV(), SavitzkyGolay(5, 2)])) == "snv, sg(5,2)"
    assert str(make_recipe(make_pipeline(MSC(reference=[1.0, 2.0])))) == "msc(given)"
    assert str(make_recipe(SelectRange())) == "none"
    assert str(make_recipe([StandardScaler(), SNV()])) == "StandardScaler(), snv"


def test_steps_that_come_twice_have_different_names() -> None:
    assert [name for name, _ in make_recipe("snv, sg(5,2), snv").steps] == [
        "snv1",
        "sg",
        "snv2",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("snw", "recipe step 'snw' is unknown; known steps: none, snv, msc, emsc"),
        ("snv; sg(5,2)", "cannot be read at 'snv; sg"),
        ("snv(3)", r"snv\(3\) is wrong: snv takes no arguments"),
        ("msc(best)", "msc takes mean or median"),
        ("sg", r"sg\(\) is wrong: sg takes an odd window"),
        ("sg(4,2)", "sg takes an odd window"),
        ("sg(5,7)", "polyorder below it"),
        ("sg(5,2,3)", "deriv not above polyorder"),
        ("sg(5,2.5)", "sg takes an odd window"),
        ("nw(5)", "nw takes gap, segment and deriv"),
        ("normalize(sum)", "normalize takes area, max"),
        ("convert(absorbance)", "convert takes two of absorbance"),
        ("despike(a)", "despike takes a threshold"),
        ("auto(1)", "auto takes no arguments"),
        ("range(1100)", "range takes ends"),
        ("range(a-b)", "range takes ends"),
        ("none(1)", "none takes no arguments"),
    ],
)
def test_unreadable_recipes_say_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_recipe(text)


def test_something_else_than_a_transformer_is_refused() -> None:
    with pytest.raises(InputTypeError, match="recipe must hold transformers, got 3"):
        make_recipe([3])
