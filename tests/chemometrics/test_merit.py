from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from pharmaq.chemometrics import figures_of_merit
from pharmaq.errors import InputError

values = arrays(np.float64, 12, elements=st.floats(-100, 100, width=32))


# worked by hand: errors 0.1, -0.1, 0.2, 0.0
def test_figures_match_a_worked_example() -> None:
    merit = figures_of_merit([1.0, 2.0, 3.0, 4.0], [1.1, 1.9, 3.2, 4.0])
    assert merit.rmsep == pytest.approx(np.sqrt(0.06 / 4))
    assert merit.bias == pytest.approx(0.05)
    assert merit.sep == pytest.approx(np.sqrt(0.05 / 3))
    assert merit.bias_t == pytest.approx(0.05 * 2 / np.sqrt(0.05 / 3))
    assert merit.slope == pytest.approx(1.0)
    assert merit.intercept == pytest.approx(0.05)
    assert merit.r2 == pytest.approx(1 - 0.06 / 5)
    assert merit.rpd == pytest.approx(np.sqrt(5 / 3) / np.sqrt(0.05 / 3))
    assert merit.rer == pytest.approx(3 / np.sqrt(0.05 / 3))


@given(values, values)
def test_bias_test_and_line_equal_scipy(y: np.ndarray, noise: np.ndarray) -> None:
    if np.ptp(y) < 1e-3 or np.ptp(noise) < 1e-3:
        return
    z = y + noise
    merit = figures_of_merit(y, z)
    test = stats.ttest_1samp(z - y, 0)
    assert merit.bias_p == pytest.approx(test.pvalue, rel=1e-6, abs=1e-12)
    line = stats.linregress(y, z)
    assert merit.slope == pytest.approx(line.slope, rel=1e-6, abs=1e-9)
    assert merit.intercept == pytest.approx(line.intercept, rel=1e-6, abs=1e-6)
    assert merit.r2_correlation == pytest.approx(line.rvalue**2, rel=1e-6, abs=1e-9)


@given(values, values)
def test_squared_errors_split_into_bias_and_spread(y: np.ndarray, z: np.ndarray) -> None:
    if np.ptp(y) < 1e-3:
        return
    merit = figures_of_merit(y, z)
    n = merit.n
    assert merit.rmse**2 * n == pytest.approx(merit.sep**2 * (n - 1) + n * merit.bias**2)


def test_the_role_names_the_error() -> None:
    y, z = [1.0, 2.0, 3.0, 4.0, 6.0], [1.1, 2.0, 3.2, 4.1, 5.9]
    calibration = figures_of_merit(y, z, role="calibration", n_components=2)
    assert calibration.rmsec == calibration.rmse
    assert calibration.rmsep is None
    assert calibration.rmsecv is None
    # n - A - 1 = 2 degrees of freedom
    assert calibration.sec == pytest.approx(calibration.rmse * np.sqrt(5 / 2))
    crossed = figures_of_merit(y, z, role="cross_validation")
    assert crossed.rmsecv == crossed.rmse
    assert crossed.sec is None
    assert crossed.to_frame()["figure"].tolist()[:2] == ["n", "rmsecv"]


def test_perfect_predictions_have_no_finite_rpd() -> None:
    merit = figures_of_merit([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert merit.rpd == np.inf
    assert merit.bias_t == 0.0
    assert merit.to_dict()["rpd"] is None


def test_a_constant_prediction_explains_nothing() -> None:
    merit = figures_of_merit([1.0, 2.0, 3.0], [2.0, 2.0, 2.0])
    assert merit.r2 == pytest.approx(0.0)
    assert merit.r2_correlation == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0, 2.0], [1.0, 2.0]), "reference must hold at least 3 values, got 2"),
        (([1.0, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0]), "reference has 3, predicted has 4"),
        (([2.0, 2.0, 2.0], [1.0, 2.0, 3.0]), r"reference is constant \(2\)"),
        (([1.0, 2.0, np.nan], [1.0, 2.0, 3.0]), r"reference\[2\] is NaN"),
        (([1.0, 2.0, 3.0], [1.0, np.inf, 3.0]), r"predicted\[1\] is inf"),
        (([[1.0], [2.0], [3.0]], [1.0, 2.0, 3.0]), "reference must be one-dimensional"),
    ],
)
def test_bad_values_are_named(arguments: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        figures_of_merit(*arguments)


def test_too_many_components_leave_no_freedom() -> None:
    with pytest.raises(InputError, match="3 samples leave no degree of freedom with 2"):
        figures_of_merit([1, 2, 3], [1, 2, 4], role="calibration", n_components=2)
