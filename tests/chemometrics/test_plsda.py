from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.cross_decomposition import PLSRegression
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import check_estimator

from pharmaq.chemometrics.plsda import PLSDA
from pharmaq.errors import AxisError, InputError
from pharmaq.spectra import as_spectra

Data = tuple[np.ndarray, np.ndarray]

# one column and one component: membership is a straight line in x, and normals of x stay normal
EQUAL = np.array([-1.0, 0.0, 1.0, 9.0, 10.0, 11.0])[:, None]
UNEQUAL = np.array([-1.0, 0.0, 1.0, 8.0, 10.0, 12.0])[:, None]
TWO = ["a"] * 3 + ["b"] * 3


@pytest.fixture(scope="module")
def mayonnaise(shared: Path) -> pd.DataFrame:
    """NIR of 162 mayonnaises of six oils (Indahl et al. 1999), with a test set."""
    return pd.read_csv(shared / "data" / "nir" / "mayonnaise_oiltype.csv")


@pytest.fixture(scope="module")
def olive_oils(shared: Path) -> Data:
    """FTIR of 60 olive oils of four countries, twice each (Quadram Institute)."""
    frame = pd.read_csv(shared / "data" / "nir" / "olive_oil_ftir.csv")
    return frame.iloc[:, 3:].to_numpy(), frame["Provenance"].to_numpy()


@pytest.fixture
def three_classes() -> Data:
    rng = np.random.default_rng(4)
    centers = 4 * rng.normal(size=(3, 6))
    y = np.repeat(["a", "b", "c"], [10, 14, 18])
    return centers[np.searchsorted(["a", "b", "c"], y)] + rng.normal(size=(42, 6)), y


# by hand: two normals of one spread s = 1 at 0 and 10 cross at 5 + s^2 ln(p_a / p_b) / 10
@pytest.mark.parametrize(
    ("priors", "x"),
    [(None, 5.0), ([0.5, 0.5], 5.0), ([0.9, 0.1], 5.2197225), ([0.1, 0.9], 4.7802775)],
)
def test_the_threshold_is_the_midpoint_shifted_by_the_priors(
    priors: list[float] | None, x: float
) -> None:
    model = PLSDA(1, priors=priors).fit(EQUAL, TWO)
    # slope of membership on x: sum of products 15 over sum of squares 154
    assert model.thresholds_[0] == pytest.approx(0.5 + 15 / 154 * (x - 5), abs=1e-7)
    assert model.predict_proba([[x]])[0] == pytest.approx([0.5, 0.5], abs=1e-6)
    assert model.predict([[x - 0.01], [x + 0.01]]).tolist() == ["a", "b"]


# by hand: spreads 1 and 2 cross at 3 x^2 + 20 x - 100 - 8 ln 2 = 0
def test_the_threshold_of_unequal_spreads_is_the_crossing_of_the_densities() -> None:
    x = (-20 + np.sqrt(400 + 12 * (100 + 8 * np.log(2)))) / 6
    model = PLSDA(1).fit(UNEQUAL, TWO)
    assert model.predict_proba([[x]])[0] == pytest.approx([0.5, 0.5], abs=1e-9)
    assert model.thresholds_[0] == pytest.approx(model.memberships([[x]]).item(), abs=1e-12)


# Bayes' rule written out: densities at x = 3, from spreads 1 and 2
def test_the_probability_is_that_of_bayes_rule() -> None:
    model = PLSDA(1, priors=[0.7, 0.3]).fit(UNEQUAL, TWO)
    a = 0.7 * np.exp(-(3.0**2) / 2)
    b = 0.3 * np.exp(-((7.0 / 2) ** 2) / 2) / 2
    assert model.predict_proba([[3.0]])[0] == pytest.approx([a / (a + b), b / (a + b)])


def test_the_probability_never_falls_as_membership_rises() -> None:
    model = PLSDA(1).fit(UNEQUAL, TWO)
    x = np.linspace(-100, 100, 2001)[:, None]
    probability = model.predict_proba(x)[:, 1]
    assert (np.diff(probability) >= 0).all()
    above = model.memberships(x)[:, 0] > model.thresholds_[0]
    assert (above == (model.predict(x) == "b")).all()


def test_a_threshold_is_infinite_where_one_side_always_wins() -> None:
    X = np.array([-4.0, 0.0, 4.0, 0.9, 1.0, 1.1])[:, None]
    new = np.linspace(-9, 9, 50)[:, None]
    model = PLSDA(1, priors=[0.999, 0.001]).fit(X, TWO)
    assert model.thresholds_.tolist() == [np.inf]
    assert set(model.predict(new)) == {"a"}
    model = PLSDA(1, priors=[0.001, 0.999]).fit(-X, ["b"] * 3 + ["a"] * 3)
    assert model.thresholds_.tolist() == [-np.inf]
    assert set(model.predict(new)) == {"b"}


def test_a_class_in_the_middle_of_a_line_is_refused() -> None:
    X = np.array([-1.1, -1.0, -0.9, -0.1, 0.0, 0.1, 0.9, 1.0, 1.1])[:, None]
    with pytest.raises(InputError, match="n_components = 1 tell nothing of class 'b'"):
        PLSDA(1).fit(X, np.repeat(["a", "b", "c"], 3))


def _slow(X: np.ndarray, y: np.ndarray, new: np.ndarray, count: int) -> np.ndarray:
    """Probabilities by scikit-learn's PLS2 and scipy's normal densities."""
    classes = np.unique(y)
    dummies = (y[:, None] == classes).astype(float)
    pls = PLSRegression(count, scale=False, tol=1e-14, max_iter=10000).fit(X, dummies)
    known, fitted = pls.predict(X), pls.predict(new)
    p = np.empty_like(fitted)
    for k, label in enumerate(classes):
        inside, outside = known[y == label, k], known[y != label, k]
        one = stats.norm.pdf(fitted[:, k], inside.mean(), inside.std(ddof=1))
        zero = stats.norm.pdf(fitted[:, k], outside.mean(), outside.std(ddof=1))
        p[:, k] = one / (one + zero)
    return p / p.sum(axis=1, keepdims=True)


def test_probabilities_equal_their_slow_twin(three_classes: Data) -> None:
    X, y = three_classes
    out = PLSDA(3).fit(X, y).predict_proba(X)
    # where a membership lies beyond the turn of unequal spreads ours is held constant
    np.testing.assert_allclose(out, _slow(X, y, X, 3), atol=2e-3)
    assert out.argmax(axis=1).tolist() == _slow(X, y, X, 3).argmax(axis=1).tolist()


def test_the_oil_of_mayonnaises_is_told(mayonnaise: pd.DataFrame) -> None:
    train = mayonnaise["train"].to_numpy(dtype=bool)
    X = mayonnaise.iloc[:, :351].to_numpy()
    y = mayonnaise["oil.type"].to_numpy()
    model = PLSDA(16).fit(X[train], y[train])
    assert model.score(X[~train], y[~train]) > 0.95


def test_the_provenance_of_olive_oils_is_told(olive_oils: Data) -> None:
    X, y = olive_oils
    # samples are measured twice in a row: pairs stay together
    test = np.arange(len(y)) // 2 % 3 == 0
    model = PLSDA(12).fit(X[~test], y[~test])
    assert model.score(X[test], y[test]) > 0.95
    assert model.classes_.tolist() == ["Greece", "Italy", "Portugal", "Spain"]


@given(st.integers(0, 10**6), st.floats(0.01, 100), st.floats(-10, 10))
def test_probabilities_sum_to_one_and_follow_shift_and_scale(
    seed: int, scale: float, shift: float
) -> None:
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(24, 5)), np.arange(24) % 3
    new = 10 * rng.normal(size=(9, 5))
    out = PLSDA().fit(X, y).predict_proba(new)
    assert out.sum(axis=1) == pytest.approx(np.ones(9), abs=1e-12)
    moved = PLSDA().fit(scale * X + shift, y).predict_proba(scale * new + shift)
    np.testing.assert_allclose(moved, out, atol=1e-6)


def test_probabilities_far_from_all_classes_are_no_nan(three_classes: Data) -> None:
    X, y = three_classes
    out = PLSDA().fit(X, y).predict_proba(1e6 * X)
    assert np.isfinite(out).all()
    assert out.sum(axis=1) == pytest.approx(np.ones(len(X)))


def test_the_names_of_two_classes_do_not_matter(three_classes: Data) -> None:
    X, y = three_classes[0], np.where(three_classes[1] == "a", "x", "y")
    renamed = np.where(y == "x", "z", "y")
    p = PLSDA(2, priors=[0.2, 0.8]).fit(X, y).predict_proba(X)
    swapped = PLSDA(2, priors=[0.8, 0.2]).fit(X, renamed).predict_proba(X)
    np.testing.assert_allclose(p, swapped[:, ::-1], atol=1e-10)


@pytest.mark.parametrize("classes", [2, 3])
def test_a_sample_gets_the_same_bits_alone_and_among_others(
    three_classes: Data, classes: int
) -> None:
    X = np.tile(three_classes[0], (20, 1))
    y = np.arange(42) % classes
    model = PLSDA(2).fit(three_classes[0], y)
    alone = np.vstack([model.predict_proba(row[None]) for row in X])
    np.testing.assert_array_equal(model.predict_proba(X), alone)


def test_an_exact_fit_keeps_its_threshold_in_the_middle() -> None:
    model = PLSDA(1).fit([[0.0], [0.0], [2.0], [2.0]], [0, 0, 1, 1])
    assert model.thresholds_[0] == pytest.approx(0.5)
    assert model.predict([[0.1], [1.9]]).tolist() == [0, 1]


def test_fewer_components_are_used_and_told_where_no_more_exist() -> None:
    # mirror images: the classes differ along the diagonal, and nothing else tells of them
    X = np.array([[2, 0], [0, 2], [1, 1], [4, 2], [2, 4], [4, 4]])
    with pytest.warns(ConvergenceWarning, match=r"n_components = 2 is more .* model has 1"):
        model = PLSDA(2).fit(X, [1, 1, 1, 2, 2, 2])
    assert model.n_components_ == 1


def test_labels_survive() -> None:
    axis = np.arange(1100.0, 1140.0, 5.0)
    values = np.random.default_rng(0).normal(size=(12, 8))
    spectra = as_spectra(values, axis=axis, coords={"batch": np.repeat(["u", "v", "w"], 4)})
    model = PLSDA().fit(spectra, spectra.batch)
    for out in (model.predict(spectra), model.predict_proba(spectra), model.t2(spectra)):
        assert isinstance(out, xr.DataArray)
        assert out.batch.values.tolist() == spectra.batch.values.tolist()
    assert model.predict_proba(spectra)["class"].values.tolist() == ["u", "v", "w"]
    frame = pd.DataFrame(values, index=list("abcdefghijkl"), columns=axis)
    assert list(model.memberships(frame).columns) == ["u", "v", "w"]
    assert list(model.predict(frame).index) == list("abcdefghijkl")
    with pytest.raises(AxisError, match="mean shift"):
        model.predict(spectra.assign_coords(wavelength=spectra.wavelength + 5.0))


@pytest.mark.parametrize(
    ("priors", "message"),
    [
        ([0.5, 0.5], r"priors must have shape \(3,\), one a class, got \(2,\)"),
        ([0.5, 0.5, 0.5], "priors must be above 0 and sum to 1"),
        ([0.0, 0.5, 0.5], "priors must be above 0 and sum to 1"),
        ([np.nan, 0.5, 0.5], r"priors\[0\] is NaN"),
        (["x", "y", "z"], "priors must hold numbers"),
    ],
)
def test_bad_priors_are_refused(priors: list[Any], message: str, three_classes: Data) -> None:
    with pytest.raises(InputError, match=message):
        PLSDA(priors=priors).fit(*three_classes)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a"] * 6, "y holds one class only, 'a'"),
        (["a"] * 5 + ["b"], "class 'b' has one member"),
        (TWO[:5], "y must have one label for each of the 6 rows of X, got 5"),
        ([0.0, 1.0, np.nan, 1.0, 0.0, 1.0], "NaN"),
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], "continuous"),
        (None, "y is missing"),
    ],
)
def test_bad_labels_are_refused(y: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        PLSDA(1).fit(EQUAL, y)


def test_one_sample_is_refused() -> None:
    with pytest.raises(InputError, match=r"X holds 1 sample\(s\), but PLSDA needs at least 2"):
        PLSDA(1).fit([[1.0, 2.0]], ["a"])


def test_constant_data_are_refused() -> None:
    with pytest.raises(InputError, match="nothing that X and y share"):
        PLSDA(1).fit(np.ones((6, 3)), TWO)


def test_too_many_components_are_refused() -> None:
    with pytest.raises(InputError, match="n_components = 2 is too many: at most 1"):
        PLSDA(2).fit(EQUAL, TWO)


@pytest.mark.slow
@pytest.mark.parametrize("estimator", [PLSDA(), PLSDA(scale=True)], ids=repr)
def test_scikit_learn_accepts_the_estimator(estimator: PLSDA) -> None:
    with warnings.catch_warnings():
        # the classes of one check differ along one component only, and two are the default
        warnings.simplefilter("ignore", ConvergenceWarning)
        check_estimator(estimator, on_skip=None)
