from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.cross_decomposition import PLSRegression
from sklearn.model_selection import KFold, ShuffleSplit
from sklearn.pipeline import make_pipeline

from pharmaq.chemometrics import MSC, PCA, PLS, SNV
from pharmaq.chemometrics.importance import jackknife, net_analyte_signal, selectivity_ratio
from pharmaq.errors import AxisError, InputError, InputTypeError, PharmaqError
from pharmaq.spectra import as_spectra

Data = tuple[np.ndarray, np.ndarray]


@pytest.fixture
def sizes(people: pd.DataFrame) -> Data:
    return people.drop(columns="Shoesize").to_numpy(), people["Shoesize"].to_numpy()


@pytest.fixture
def mixtures() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Noise-free mixtures: spectra, contents and pure spectra of three components."""
    generator = np.random.default_rng(0)
    pure = generator.uniform(0.1, 1.0, size=(3, 20))
    content = generator.uniform(0.2, 2.0, size=(15, 3))
    return content @ pure, content, pure


# PLS_Toolbox, People data, four components, autoscaled; it adds 0.1% of a point's variance
def test_selectivity_ratio_matches_pls_toolbox(
    sizes: Data, chemometric_cases: dict[str, Any]
) -> None:
    case = chemometric_cases["people_PLS_Toolbox"]
    printed = np.array(case["selectivity_ratio_A4 (PLS_Toolbox, some rounded)"])
    model = PLS(4, scale=True).fit(*sizes)
    # the three largest were rewritten to what the original definition gives
    large = printed >= 10
    plain = selectivity_ratio(model, sizes[0])
    assert plain[large] == pytest.approx(printed[large], abs=0.05)
    finite = selectivity_ratio(model, sizes[0], convention="pls_toolbox")
    assert finite[~large] == pytest.approx(printed[~large], abs=5.1e-5)


def test_selectivity_ratio_is_that_of_a_regression_on_the_predictions(sizes: Data) -> None:
    model = PLS(3, scale=True).fit(*sizes)
    predicted = model.predict(sizes[0])
    r2 = np.array([np.corrcoef(column, predicted)[0, 1] ** 2 for column in sizes[0].T])
    assert selectivity_ratio(model, sizes[0]) == pytest.approx(r2 / (1 - r2), rel=1e-9)


def test_selectivity_ratio_of_several_responses_has_a_row_for_each(sizes: Data) -> None:
    X, y = sizes
    Y = np.column_stack([y, X[:, 1] + y**2])
    model = PLS(2, scale=True).fit(X, Y)
    predicted = model.predict(X)
    r2 = np.corrcoef(np.column_stack([X, predicted]).T)[:-2, -2:].T ** 2
    assert selectivity_ratio(model, X) == pytest.approx(r2 / (1 - r2), rel=1e-8)


def test_points_without_variance_have_0_and_fully_explained_ones_infinity() -> None:
    X = np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0], [4.0, 5.0]])
    model = PLS(1).fit(X, [1.0, 2.0, 3.0, 4.5])
    assert selectivity_ratio(model, X).tolist() == [np.inf, 0.0]
    bounded = selectivity_ratio(model, X, convention="pls_toolbox")
    assert bounded == pytest.approx([1000.0, 0.0])


@given(st.floats(0.1, 10), st.floats(-5, 5))
def test_selectivity_ratio_does_not_know_units(scale: float, offset: float) -> None:
    X = np.random.default_rng(0).normal(size=(12, 5))
    y = X[:, 0] + 0.3 * X[:, 1]
    expected = selectivity_ratio(PLS(2).fit(X, y), X)
    moved = X * scale + offset
    result = selectivity_ratio(PLS(2).fit(moved, 3 * y + 1), moved)
    np.testing.assert_allclose(result, expected, rtol=1e-6)


def test_pipelines_are_judged_on_what_the_model_sees(gasoline: Data) -> None:
    X, y = gasoline
    steps = make_pipeline(SNV(), PLS(3)).fit(X, y)
    alone = PLS(3).fit(SNV().fit_transform(X), y)
    scattered = SNV().fit_transform(X)
    np.testing.assert_array_equal(
        selectivity_ratio(steps, X), selectivity_ratio(alone, scattered)
    )
    one, two = net_analyte_signal(steps, X), net_analyte_signal(alone, scattered)
    np.testing.assert_array_equal(one.net_signal, two.net_signal)


# A. Lorber, Anal. Chem. 58 (1986) 1167: the net analyte signal of a pure spectrum is its part
# orthogonal to the spectra of all other components
def test_sensitivity_is_the_length_of_the_orthogonal_part(
    mixtures: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    X, content, pure = mixtures
    others = pure[1:].T
    net = pure[0] - others @ np.linalg.lstsq(others, pure[0], rcond=None)[0]
    length = np.linalg.norm(net)
    result = net_analyte_signal(PLS(3).fit(X, content[:, 0]), X, noise=0.002, origin="zero")
    assert result.sensitivity == pytest.approx(length, rel=1e-9)
    assert result.net_signal == pytest.approx(content[:, 0] * length, rel=1e-8)
    share = content[:, 0] * length / np.linalg.norm(X, axis=1)
    assert result.selectivity == pytest.approx(share, rel=1e-8)
    assert result.analytical_sensitivity == pytest.approx(length / 0.002, rel=1e-9)
    assert (result.lod, result.loq) == pytest.approx((0.0066 / length, 0.02 / length), rel=1e-9)


def test_net_signals_from_the_mean_are_predictions_in_units_of_signal(gasoline: Data) -> None:
    X, y = gasoline
    model = PLS(3).fit(X, y)
    result = net_analyte_signal(model, X)
    above = model.predict(X) - y.mean()
    assert result.net_signal == pytest.approx(above * result.sensitivity, rel=1e-6, abs=1e-9)
    assert ((result.selectivity >= 0) & (result.selectivity <= 1)).all()
    assert (result.lod, result.basis, result.origin) == (None, None, "mean")


def test_limits_from_sec_need_no_noise(gasoline: Data) -> None:
    result = net_analyte_signal(PLS(2).fit(*gasoline), sec=0.2)
    assert (result.lod, result.loq, result.basis) == (pytest.approx(0.66), 2.0, "sec")
    assert result.analytical_sensitivity is None
    assert result.net_signal is None
    assert result.to_frame()["name"].tolist() == ["sensitivity", "lod", "loq"]
    assert json.loads(json.dumps(result.to_dict()))["basis"] == "sec"


def test_a_spectrum_has_the_same_net_signal_alone_and_among_others(gasoline: Data) -> None:
    X, y = gasoline
    model = PLS(3).fit(X, y)
    together, alone = net_analyte_signal(model, X), net_analyte_signal(model, X[7:8])
    assert alone.net_signal[0] == together.net_signal[7]
    assert alone.selectivity[0] == together.selectivity[7]


def test_a_spectrum_without_signal_has_selectivity_0(gasoline: Data) -> None:
    model = PLS(2).fit(*gasoline)
    result = net_analyte_signal(model, np.zeros((1, 401)), origin="zero")
    assert (result.net_signal[0], result.selectivity[0]) == (0.0, 0.0)


# worked by hand: slopes of straight lines through all points but one
def test_standard_errors_of_a_straight_line_are_those_of_its_slopes() -> None:
    x = np.array([1.0, 2.0, 3.0, 5.0, 8.0])
    y = np.array([1.2, 1.9, 3.3, 4.8, 8.4])
    slopes = np.array([np.polyfit(np.delete(x, i), np.delete(y, i), 1)[0] for i in range(5)])
    slope = np.polyfit(x, y, 1)[0]
    martens = jackknife(PLS(1), x[:, None], y)
    tukey = jackknife(PLS(1), x[:, None], y, method="tukey")
    assert martens.coefficients == pytest.approx([slope])
    error = np.sqrt(4 / 5 * np.sum((slopes - slope) ** 2))
    assert martens.standard_errors == pytest.approx([error])
    assert martens.t == pytest.approx([slope / error])
    assert martens.p == pytest.approx([2 * stats.t.sf(slope / error, 4)])
    expected = np.sqrt(4 / 5 * np.sum((slopes - slopes.mean()) ** 2))
    assert tukey.standard_errors == pytest.approx([expected])
    assert (tukey.method, tukey.cv, tukey.n_segments) == ("tukey", "loo", 5)


def test_the_jackknife_equals_one_with_scikit_learn(sizes: Data) -> None:
    X, y = sizes
    folds = [np.arange(segment, 32, 4) for segment in range(4)]
    models = [
        PLSRegression(3).fit(np.delete(X, fold, axis=0), np.delete(y, fold)) for fold in folds
    ]
    segments = np.array([model.coef_[0] for model in models])
    whole = PLSRegression(3).fit(X, y).coef_[0]
    result = jackknife(PLS(3, scale=True), X, y, cv="venetian(4)")
    expected = np.sqrt(3 / 4 * np.sum((segments - whole) ** 2, axis=0))
    np.testing.assert_allclose(result.coefficients, whole, rtol=1e-7)
    np.testing.assert_allclose(result.standard_errors, expected, rtol=1e-7)


@given(st.integers(0, 1000))
def test_errors_about_the_mean_are_never_the_larger_ones(seed: int) -> None:
    X = np.random.default_rng(seed).normal(size=(8, 3))
    y = X[:, 0] + np.random.default_rng(seed + 1).normal(size=8)
    martens, tukey = (jackknife(PLS(2), X, y, method=m) for m in ("martens", "tukey"))
    assert (tukey.standard_errors <= martens.standard_errors * (1 + 1e-12)).all()


def test_points_that_never_count_have_t_0_and_p_1() -> None:
    x = np.array([1.0, 2.0, 3.0, 5.0])
    result = jackknife(
        PLS(1), np.column_stack([x, np.full(4, 2.0)]), x + np.array([0.1, 0, -0.1, 0.1])
    )
    assert (result.standard_errors[1], result.t[1], result.p[1]) == (0.0, 0.0, 1.0)


def test_batches_are_left_out_where_they_are_known(gasoline: Data) -> None:
    X, y = gasoline
    batch = np.repeat(["a", "b", "c", "d"], 15)
    axis = np.arange(900.0, 1702.0, 2.0)
    labelled = as_spectra(X, axis=axis, coords={"batch": batch})
    result = jackknife(make_pipeline(MSC(), PLS(2)), labelled, y)
    assert (result.cv, result.n_segments) == ("batch", 4)
    assert result.to_frame()["point"].tolist() == axis.tolist()
    given_groups = jackknife(make_pipeline(MSC(), PLS(2)), X, y, groups=batch)
    np.testing.assert_array_equal(given_groups.standard_errors, result.standard_errors)
    assert jackknife(PLS(1), labelled, y, cv="loo").n_segments == 60


def test_frames_and_several_responses_are_fine(sizes: Data) -> None:
    X, y = sizes
    Y = np.column_stack([y, X[:, 0]])
    result = jackknife(PLS(2, scale=True), pd.DataFrame(X[:, 1:]), Y, cv=KFold(4))
    assert result.standard_errors.shape == (2, 10)
    frame = result.to_frame()
    assert frame["response"].tolist() == [0] * 10 + [1] * 10
    assert frame["coefficient"].tolist() == result.coefficients.ravel().tolist()


@pytest.mark.parametrize("function", [selectivity_ratio, net_analyte_signal])
def test_only_fitted_pls_models_are_taken(function: Any) -> None:
    X = np.eye(4)
    with pytest.raises(InputTypeError, match="model must be a PLS or a pipeline"):
        function(PCA(1).fit(X), X)
    with pytest.raises(PharmaqError, match="not fitted"):
        function(PLS(1), X)
    spectra = as_spectra(
        np.random.default_rng(0).normal(size=(5, 4)), axis=[1100.0, 1102, 1104, 1106]
    )
    model = PLS(1).fit(spectra, np.arange(5.0))
    with pytest.raises(AxisError, match="mean shift"):
        function(model, spectra.assign_coords(wavelength=spectra.wavelength + 1.0))
    with pytest.raises(InputError, match=r"X\[0, 1\] is NaN"):
        function(model, [[1.0, np.nan, 2.0, 3.0]])


def test_bad_arguments_are_named(sizes: Data) -> None:
    X, y = sizes
    model = PLS(2).fit(X, y)
    with pytest.raises(InputError, match="convention must be one of"):
        selectivity_ratio(model, X, convention="other")
    with pytest.raises(InputError, match="same prediction for all samples"):
        selectivity_ratio(model, np.tile(model.x_mean_, (3, 1)))
    with pytest.raises(InputError, match="give noise or sec, not both"):
        net_analyte_signal(model, noise=0.1, sec=0.1)
    with pytest.raises(InputError, match="noise must lie in"):
        net_analyte_signal(model, noise=0.0)
    with pytest.raises(InputError, match="sec must lie in"):
        net_analyte_signal(model, sec=-1.0)
    with pytest.raises(InputError, match="origin must be one of"):
        net_analyte_signal(model, X, origin="first")
    with pytest.raises(InputError, match="model has 2 responses"):
        net_analyte_signal(PLS(1).fit(X, np.column_stack([y, X[:, 0]])), X)


def test_bad_arguments_of_the_jackknife_are_named(sizes: Data) -> None:
    X, y = sizes
    with pytest.raises(InputError, match="method must be one of 'martens', 'tukey'"):
        jackknife(PLS(1), X, y, method="efron")
    with pytest.raises(InputError, match="leave out every sample exactly once"):
        jackknife(PLS(1), X, y, cv=ShuffleSplit(3, random_state=0))
    with pytest.raises(InputError, match="X has 32, groups has 20"):
        jackknife(PLS(1), X, y, groups=["a", "b"] * 10)
    with pytest.raises(InputError, match="y is constant"):
        jackknife(PLS(1), X, np.ones(32))
    with pytest.raises(InputError, match=r"X holds 1 sample\(s\)"):
        jackknife(PLS(1), X[:1], y[:1])
    with pytest.raises(InputTypeError, match="model must be a PLS"):
        jackknife(PCA(1), X, y)
