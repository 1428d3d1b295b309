from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from pharmaq.chemometrics import PLS
from pharmaq.chemometrics.preprocessing import learns_from_samples
from pharmaq.chemometrics.preprocessing._scale import Scale
from pharmaq.errors import AxisError, InputError
from pharmaq.spectra import as_spectra

tables = arrays(
    np.float64, st.tuples(st.integers(2, 6), st.just(4)), elements=st.floats(-9, 9, width=32)
).filter(lambda X: bool((X.std(axis=0) > 1e-2).all()))


def slow_scale(X: np.ndarray, method: str) -> np.ndarray:
    out = np.empty_like(X)
    for j, column in enumerate(X.T):
        centered = [x - sum(column) / len(column) for x in column]
        s = (sum(c * c for c in centered) / (len(column) - 1)) ** 0.5
        divisor = {"center": 1.0, "auto": s, "pareto": s**0.5}[method]
        out[:, j] = [c / divisor for c in centered]
    return out


# process-improve 2.2.0, center_and_scale: height, weight and income of the first person
@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("auto", [2.4733782291544957, 1.8123132166744824, 1.9667716139761504]),
        ("pareto", [7.84380541894163, 7.063656860760533, 185.85323906366588]),
    ],
)
def test_people_agree_with_another_program(
    method: str, expected: list[float], people: pd.DataFrame
) -> None:
    out = Scale(method).fit_transform(people)
    assert list(out.columns) == list(people.columns)
    np.testing.assert_allclose(out.iloc[0, [0, 1, 5]], expected, rtol=1e-12)


# by hand: mean 8 and s = 4; van den Berg et al., BMC Genomics 7 (2006) 142, divide by sqrt(s)
def test_each_method_by_hand() -> None:
    X = [[4.0], [8.0], [12.0]]
    assert Scale().fit_transform(X).ravel().tolist() == [-4, 0, 4]
    assert Scale("auto").fit_transform(X).ravel().tolist() == [-1, 0, 1]
    assert Scale("pareto").fit_transform(X).ravel().tolist() == [-2, 0, 2]


# by hand: variances 1 and 3 in the first block, 16 in the second
def test_blocks_by_hand() -> None:
    X = [[-1.0, -(3**0.5), -4.0], [0.0, 0.0, 0.0], [1.0, 3**0.5, 4.0]]
    step = Scale("block", blocks=[(0, 1), (2, 2)]).fit(X)
    np.testing.assert_allclose(step.scale_, [2, 2, 4], rtol=1e-15)


@pytest.mark.parametrize("method", ["center", "auto", "pareto"])
@given(X=tables)
def test_scaling_equals_its_slow_twin(method: str, X: np.ndarray) -> None:
    out = Scale(method).fit_transform(X)
    np.testing.assert_allclose(out, slow_scale(X, method), atol=1e-9)


def test_autoscaling_differs_from_scikit_learn_by_the_divisor() -> None:
    X = np.random.default_rng(0).normal(size=(10, 5))
    expected = StandardScaler().fit_transform(X) * np.sqrt(9 / 10)
    np.testing.assert_allclose(Scale("auto").fit_transform(X), expected, atol=1e-12)


@given(tables, st.floats(0.01, 100), st.floats(-5, 5))
def test_autoscaling_takes_off_units(X: np.ndarray, scale: float, offset: float) -> None:
    moved = Scale("auto").fit_transform(X * scale + offset)
    np.testing.assert_allclose(moved, Scale("auto").fit_transform(X), atol=1e-6)


@given(tables)
def test_blocks_have_equal_total_variance(X: np.ndarray) -> None:
    out = Scale("block", blocks=[(0, 2), (3, 3)]).fit_transform(X)
    assert out[:, :3].var(axis=0, ddof=1).sum() == pytest.approx(1)
    assert out[:, 3].var(ddof=1) == pytest.approx(1)


@pytest.mark.parametrize("method", ["center", "auto", "pareto"])
@given(X=tables)
def test_the_way_back_gives_the_same_spectra(method: str, X: np.ndarray) -> None:
    step = Scale(method)
    np.testing.assert_allclose(step.inverse_transform(step.fit_transform(X)), X, atol=1e-12)


def test_autoscaling_before_pls_equals_its_own_scaling(people: pd.DataFrame) -> None:
    X, y = people.drop(columns="Shoesize"), people["Shoesize"]
    outside = (
        PLS(3).fit(Scale("auto").fit_transform(X), y).predict(Scale("auto").fit_transform(X))
    )
    inside = PLS(3, scale=True).fit(X, y).predict(X)
    np.testing.assert_allclose(outside, inside, atol=1e-10)


def test_blocks_are_ranges_of_the_axis_and_labels_survive() -> None:
    values = np.random.default_rng(1).normal(size=(5, 4)) * [1, 1, 10, 10]
    axis = [1100, 1110, 1500, 1510]
    spectra = as_spectra(values, axis=axis, quantity="absorbance")
    out = Scale("block", blocks=[(1600, 1450), (1000, 1200)]).fit_transform(spectra)
    assert isinstance(out, xr.DataArray)
    assert out.attrs["quantity"] == "unknown"
    assert out.wavelength.values.tolist() == axis
    plain = Scale("block", blocks=[(0, 1), (2, 3)]).fit_transform(values)
    np.testing.assert_array_equal(out.values, plain)


@pytest.mark.parametrize("method", ["auto", "pareto"])
def test_a_constant_column_is_named(method: str) -> None:
    X = np.random.default_rng(2).normal(size=(7, 3))
    # 0.1 has no exact mean: its standard deviation comes out as rounding, not as 0
    X[:, 1] = 0.1
    with pytest.raises(InputError, match=r"column 1 is constant and cannot be scaled \(1 such"):
        Scale(method).fit(X)
    with pytest.raises(InputError, match=r"column 1 \(at 1110\) is constant"):
        Scale(method).fit(as_spectra(X, axis=[1100, 1110, 1120]))
    with pytest.raises(InputError, match=r"column 1 \(dose\) is constant"):
        Scale(method).fit(pd.DataFrame(X, columns=["a", "dose", "c"]))
    assert np.allclose(Scale().fit_transform(X)[:, 1], 0)


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([(0, 1)], r"column 2 is in 0 blocks \(2 columns"),
        ([(0, 2), (2, 3)], "column 2 is in 2 blocks"),
        ([(0, 2), (3, 3)], r"all columns of block \(3, 3\) are constant"),
        ([0, 1], "a range must be a pair"),
        ([], "column 0 is in 0 blocks"),
    ],
)
def test_bad_blocks_are_refused(blocks: list[tuple[float, float]], message: str) -> None:
    X = np.random.default_rng(3).normal(size=(5, 4))
    X[:, 3] = 2.0
    with pytest.raises(InputError, match=message):
        Scale("block", blocks=blocks).fit(X)


def test_a_block_without_points_is_refused() -> None:
    with pytest.raises(AxisError, match="range 7 to 9 holds no point"):
        Scale("block", blocks=[(7, 9)]).fit(np.eye(3))


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Scale("range"), "method must be one of 'center', 'auto', 'pareto', 'block'"),
        (Scale("block"), "method 'block' needs blocks, got blocks = None"),
        (Scale("auto", blocks=[(0, 1)]), "method 'auto' takes no blocks"),
    ],
)
def test_bad_settings_are_refused(step: Scale, message: str) -> None:
    with pytest.raises(InputError, match=message):
        step.fit(np.eye(3))


def test_one_sample_can_be_centred_but_not_scaled() -> None:
    assert Scale().fit_transform([[1.0, 2.0]]).tolist() == [[0.0, 0.0]]
    with pytest.raises(InputError, match="Scale needs at least 2"):
        Scale("auto").fit([[1.0, 2.0]])


def test_nan_and_a_shifted_axis_are_refused() -> None:
    with pytest.raises(InputError, match=r"X\[0, 1\] is NaN"):
        Scale().fit([[0.1, np.nan]])
    spectra = as_spectra(np.eye(2), axis=[1100, 1110])
    shifted = spectra.assign_coords(wavelength=spectra.wavelength + 5.0)
    with pytest.raises(AxisError, match="mean shift"):
        Scale().fit(spectra).transform(shifted)


def test_a_spectrum_gets_the_same_bits_alone_and_among_others() -> None:
    X = np.random.default_rng(4).normal(size=(60, 77))
    step = Scale("auto").fit(X)
    alone = np.concatenate([step.transform(row[None]) for row in X])
    assert np.array_equal(step.transform(X), alone)


def test_scaling_learns_from_samples() -> None:
    assert learns_from_samples(Scale())


@pytest.mark.slow
@pytest.mark.parametrize("method", ["center", "auto", "pareto"])
def test_scikit_learn_accepts_scaling(method: str) -> None:
    check_estimator(Scale(method), on_skip=None)
