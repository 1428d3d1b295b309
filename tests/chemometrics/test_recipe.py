from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pharmaq.chemometrics import (
    MSC,
    PLS,
    SNV,
    Baseline,
    Calibration,
    RecipeOrderWarning,
    SavitzkyGolay,
    SelectRange,
    cross_validate,
    make_recipe,
)
from pharmaq.errors import AxisError, InputError, InputTypeError
from pharmaq.spectra import as_spectra

steps = st.one_of(
    st.sampled_from(["snv", "msc", "msc(median)", "emsc", "emsc(1)", "detrend(2)", "osc(2)"]),
    st.sampled_from(["asls", "asls(1e5,0.001)", "arpls(1e5)", "airpls(2.5e7)", "poly(3)"]),
    st.sampled_from(["nw(5,3)", "nw(5,3,2)", "normalize", "normalize(pqn)", "despike(9)"]),
    st.sampled_from(["convert(reflectance,absorbance)", "center", "auto", "pareto"]),
    st.tuples(st.integers(2, 9), st.integers(0, 3), st.integers(0, 3)).map(
        lambda t: f"sg({2 * t[0] + 1},{t[1]},{min(t[1], t[2]) or 1})" if t[1] else "sg(5,2)"
    ),
    st.tuples(st.integers(200, 900), st.integers(901, 2500)).map(
        lambda t: f"range({t[0]}-{t[1]})"
    ),
)


@pytest.mark.filterwarnings("ignore::pharmaq.chemometrics.RecipeOrderWarning")
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
        ("asls(0)", "asls takes lam above 0 and p between 0 and 1"),
        ("asls(1e5,2)", "asls takes lam above 0 and p between 0 and 1"),
        ("arpls(-1)", "arpls takes lam above 0"),
        ("airpls(1,2)", "airpls takes lam above 0"),
        ("poly(2.5)", "poly takes a degree"),
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


def test_a_step_that_text_cannot_say_keeps_its_repr() -> None:
    assert str(make_recipe(Baseline(p=0.02))) == "Baseline(p=0.02)"
    assert str(make_recipe(Baseline("arpls", lam=1e5, tol=1e-4))).startswith("Baseline(")


@pytest.mark.parametrize("number", ["1e5", "123456.7", "2.5e7", "1e-4", "0.001", "99999"])
def test_numbers_come_back_as_they_are(number: str) -> None:
    recipe = make_recipe(f"arpls({number})")
    assert str(recipe) == f"arpls({number})"
    assert recipe.steps[0][1].lam == float(number)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("snv, arpls(1e5)", r"arpls\(1e5\) after snv: the scatter correction or"),
        ("msc, asls", "asls after msc"),
        ("emsc(1), poly(2)", r"poly\(2\) after emsc\(1\)"),
        ("sg(15,2,1), airpls", r"airpls after sg\(15,2,1\)"),
        ("nw(5,3), asls", r"asls after nw\(5,3\)"),
        ("snv, convert(reflectance,absorbance)", "no longer the quantity to convert from"),
        ("sg(15,2,1), convert(reflectance,absorbance)", "no longer the quantity"),
        ("arpls(1e5), convert(reflectance,absorbance)", "no longer the quantity"),
        ("center, convert(reflectance,absorbance)", "scaled points have no shape"),
        ("sg(15,2), despike(7)", "a spike has spread"),
        ("snv, despike(7)", "a spike has spread"),
        ("auto, snv", "scaled points have no shape"),
        ("snv, normalize(area)", "the area is about zero"),
    ],
)
def test_a_senseless_order_is_allowed_but_warned_of(text: str, message: str) -> None:
    with pytest.warns(RecipeOrderWarning, match=message):
        recipe = make_recipe(text)
    assert len(recipe.steps) == 2


@pytest.mark.parametrize(
    "text",
    [
        "despike(7), arpls(1e5), snv, sg(15,2,1), range(1100-2200)",
        "convert(reflectance,absorbance), sg(15,2), snv, detrend(2)",
        "sg(9,2), arpls(1e5), msc, auto",
        "snv, normalize(l2), center",
    ],
)
def test_a_sensible_order_is_not_warned_of(text: str) -> None:
    assert str(make_recipe(text)).count(",") == text.count(",")


def test_the_order_is_warned_of_once() -> None:
    with pytest.warns(RecipeOrderWarning) as caught:
        recipe = make_recipe("snv, asls, poly(2)")
    assert len(caught) == 1
    assert "asls after snv" in str(caught[0].message)
    assert "poly(2) after snv" in str(caught[0].message)
    assert str(make_recipe(recipe)) == str(recipe)


def test_the_log_of_a_dark_reflectance_names_the_spectrum() -> None:
    X = np.full((3, 4), 0.5)
    X[1, 2] = 0.0
    recipe = make_recipe("convert(reflectance,absorbance), snv").fit(np.full((3, 4), 0.5))
    with pytest.raises(InputError, match="spectrum 1 at point 2 must be above 0"):
        recipe.transform(X)


def walks(n: int, p: int = 60) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, p)).cumsum(axis=1)


@pytest.mark.parametrize("window", [3, 15, 33, 35, 51])
@pytest.mark.parametrize("deriv", [0, 1, 2])
def test_snv_and_a_filter_in_one_pass_give_the_bits_of_both(window: int, deriv: int) -> None:
    X = walks(20)
    recipe = make_recipe([SNV(), SavitzkyGolay(window, 2, deriv)]).fit(X)
    snv, filter_ = (step for _, step in recipe.steps)
    expected = filter_.transform(snv.transform(X))
    np.testing.assert_array_equal(recipe.transform(X), expected)
    np.testing.assert_array_equal(recipe.transform(X[7:8])[0], expected[7])


def test_one_pass_keeps_labels_warnings_and_refusals() -> None:
    axis = np.arange(1100.0, 1340.0, 4.0)
    spectra = as_spectra(walks(5), axis=axis, kind="wavelength", quantity="absorbance")
    recipe = make_recipe("snv, sg(15,2,1)").fit(spectra)
    out = recipe.transform(spectra)
    assert out.attrs["quantity"] == "unknown"
    assert out.wavelength.values.tolist() == axis.tolist()
    flat = spectra.copy(data=np.vstack([spectra.values[:4], np.ones((1, 60))]))
    with pytest.warns(UserWarning, match=r"spectrum 4 .*no scale for SNV"):
        recipe.transform(flat)
    broken = spectra.copy()
    broken[2, 3] = np.nan
    with pytest.raises(InputError, match=r"X\[2, 3\] is NaN"):
        recipe.transform(broken)
    with pytest.raises(AxisError, match="another axis"):
        recipe.transform(spectra.assign_coords(wavelength=axis + 3))


def test_one_pass_leaves_frames_to_scikit_learn() -> None:
    X = walks(5)
    recipe = make_recipe("snv, sg(5,2)").set_output(transform="pandas").fit(X)
    out = recipe.transform(X)
    assert list(out.columns[:2]) == ["x0", "x1"]
    expected = make_recipe("snv, sg(5,2)").fit(X).transform(X)
    np.testing.assert_array_equal(out.to_numpy(), expected)


def test_calibration_and_cross_validation_use_the_one_pass_with_the_same_numbers() -> None:
    X = walks(30)
    y = X[:, 20] - X[:, 40]
    recipe = make_recipe("snv, sg(15,2,1)")
    treated = SavitzkyGolay(15, 2, 1).fit_transform(SNV().fit_transform(X))
    fitted = Calibration(recipe, n_components=2).fit(X, y)
    np.testing.assert_array_equal(
        fitted.predict(X).value, PLS(2).fit(treated, y).predict(treated)
    )
    whole = cross_validate(make_pipeline(recipe, PLS(2)), X, y, cv=5).rmsecv
    np.testing.assert_array_equal(whole, cross_validate(PLS(2), treated, y, cv=5).rmsecv)
