"""EWMA and CUSUM charts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import naive_charts
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pharmaq.errors import InputError
from pharmaq.spc import cusum, cusum_chart, ewma, ewma_chart

if TYPE_CHECKING:
    from pathlib import Path

series = arrays(float, st.integers(2, 40), elements=st.floats(-5, 5))
NIST = [52.0, 47.0, 53.0, 49.3, 50.1, 47.0, 51.0, 50.1, 51.2, 50.5]
NIST += [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]


# NIST/SEMATECH e-Handbook, EWMA control charts; the handbook draws asymptotic limits
def test_ewma_matches_the_nist_handbook() -> None:
    chart = ewma_chart(NIST, lam=0.3, center=50, sigma=2.0539, limits="asymptotic")
    printed = [50.60, 49.52, 50.56, 50.18, 50.16, 49.21, 49.75, 49.85, 50.26, 50.33]
    printed += [50.11, 49.36, 49.52, 50.05, 49.38, 49.92, 50.73, 51.23, 51.94, 51.99]
    np.testing.assert_allclose(chart.statistic, printed, atol=5.5e-3)
    assert (chart.lower, chart.upper) == pytest.approx((47.4115, 52.5884), abs=1e-4)
    assert chart.in_control


# Montgomery, Introduction to Statistical Quality Control, example 9.2
def test_exact_ewma_limits_match_montgomery(spc_data: Path) -> None:
    x = pd.read_csv(spc_data / "montgomery_table9_1.csv")["x"]
    chart = ewma_chart(x, lam=0.1, n_sigma=2.7, center=10, sigma=1)
    np.testing.assert_allclose(chart.statistic[:3], [9.945, 9.7495, 9.70355], atol=1e-9)
    np.testing.assert_allclose(chart.statistic[28:30], [10.6468, 10.6341], atol=5e-5)
    assert chart.upper[0] == pytest.approx(10.27, abs=1e-9)
    # the source rounds the variance of the average on the way
    assert (chart.lower[-1], chart.upper[-1]) == pytest.approx((9.3811, 10.6189), abs=2e-3)
    assert (chart.signals + 1).tolist() == [29, 30]


# Montgomery, Introduction to Statistical Quality Control, tables 9.1 and 9.2
def test_cusum_matches_montgomery(spc_data: Path) -> None:
    x = pd.read_csv(spc_data / "montgomery_table9_1.csv")["x"]
    chart = cusum_chart(x, center=10, sigma=1, k=0.5, h=5)
    printed = [0, 0, 0, 1.16, 2.82, 2.5, 0.04, 1.0, 0, 0, 0, 0.97, 0.98, 0, 0, 0, 0.12, 0]
    printed += [0, 0.34, 0.74, 0, 1.79, 2.79, 2.89, 3.47, 3.35, 4.47, 5.28]
    np.testing.assert_allclose(chart.components["cusum_upper"][:29], printed, atol=5.5e-3)
    assert chart.signals[0] + 1 == 29
    # the sum left zero after point 22, seven points ago; what it gained gives the new mean
    first = np.flatnonzero(chart.components["cusum_upper"][:29] == 0)[-1] + 1
    assert (first + 1, 29 - first) == (23, 7)
    assert 10 + 0.5 + chart.components["cusum_upper"][28] / 7 == pytest.approx(11.25, abs=6e-3)


# NIST/SEMATECH e-Handbook, CUSUM control charts: K = 0.3175 and H = 4.1959 in units of data
def test_cusum_signals_match_the_nist_handbook(spc_data: Path) -> None:
    x = pd.read_csv(spc_data / "nist_cusum.csv")["x"]
    chart = cusum_chart(x, center=325, sigma=1, k=0.3175, h=4.1959, scale="units")
    assert (chart.signals + 1).tolist() == [14, 15, 16, 17, 18, 19, 20]


def test_ewma_of_subgroups_matches_qcc(
    pistonrings: np.ndarray, r_results: dict[str, Any]
) -> None:
    expected = r_results["spc_pistonrings_ewma_l0.2"]
    chart = ewma_chart(pistonrings[:25], lam=0.2, sigma=0.009785038693).extend(pistonrings[25:])
    np.testing.assert_allclose(chart.statistic, expected["y"], atol=5e-10)
    limits = np.array(expected["limits"])
    np.testing.assert_allclose(chart.lower, limits[:, 0], atol=5e-10)
    np.testing.assert_allclose(chart.upper, limits[:, 1], atol=5e-10)
    assert (chart.signals + 1).tolist() == expected["violations"]


def test_cusum_of_subgroups_matches_qcc(
    pistonrings: np.ndarray, r_results: dict[str, Any]
) -> None:
    expected = r_results["spc_pistonrings_cusum"]
    chart = cusum_chart(pistonrings[:25], sigma=0.009785038693).extend(pistonrings[25:])
    np.testing.assert_allclose(chart.components["cusum_upper"], expected["pos"], atol=1e-7)
    np.testing.assert_allclose(-chart.components["cusum_lower"], expected["neg"], atol=1e-7)


@given(series, st.floats(0.05, 1.0), st.floats(-2, 2))
def test_ewma_equals_the_weighted_sum(x: np.ndarray, lam: float, start: float) -> None:
    found = ewma(x, lam=lam, start=start)
    np.testing.assert_allclose(found, naive_charts.ewma(x, lam, start), atol=1e-12)


@given(series, st.floats(0, 2))
def test_cusum_equals_the_largest_sum_of_latest_deviations(x: np.ndarray, k: float) -> None:
    upper, lower = cusum(x, k=k)
    expected = naive_charts.cusum(x, k)
    np.testing.assert_allclose(upper, expected[0], atol=1e-12)
    np.testing.assert_allclose(lower, expected[1], atol=1e-12)


@pytest.mark.parametrize("make", [ewma_chart, cusum_chart])
@given(x=arrays(float, 20, elements=st.floats(-5, 5)), cut=st.integers(1, 19))
def test_extending_equals_one_long_chart(make: Any, x: np.ndarray, cut: int) -> None:
    known = {"center": 0.3, "sigma": 1.1}
    whole, parts = make(x, **known), make(x[:cut], **known).extend(x[cut:])
    np.testing.assert_allclose(parts.statistic, whole.statistic, atol=1e-12)
    np.testing.assert_allclose(
        np.broadcast_to(parts.upper, 20), np.broadcast_to(whole.upper, 20), atol=1e-12
    )


@given(series.filter(lambda x: np.ptp(x) > 0.1))
def test_a_mirrored_series_has_a_mirrored_cusum(x: np.ndarray) -> None:
    one = cusum_chart(x, center=0.0, sigma=1.0)
    two = cusum_chart(-x, center=0.0, sigma=1.0)
    np.testing.assert_array_equal(one.components["cusum_upper"], two.components["cusum_lower"])
    assert one.signals.tolist() == two.signals.tolist()
    beyond = np.maximum(one.components["cusum_upper"], one.components["cusum_lower"]) > 5
    assert one.signals.tolist() == np.flatnonzero(beyond).tolist()


# Lucas and Crosier (1982): a headstart of half the decision interval
def test_a_headstart_begins_in_the_middle() -> None:
    chart = cusum_chart([10.0], center=10, sigma=1, headstart="half")
    assert chart.components["cusum_upper"][0] == pytest.approx(2.0)
    assert chart.components["cusum_lower"][0] == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("side", "expected"), [("upper", [2, 3]), ("lower", [5]), ("both", [2, 3, 5])]
)
def test_a_side_is_judged_alone(side: Any, expected: list[int]) -> None:
    x = np.array([0.0, 3.0, 3.5, 1.0, -4.0, -5.0])
    chart = cusum_chart(x, center=0, sigma=1, side=side)
    assert chart.signals.tolist() == expected


def test_averages_of_unequal_subgroups_have_their_exact_variance() -> None:
    rows = [[1.0, 2.0], [1.5, 1.0, 2.5], [2.0, 0.5]]
    chart = ewma_chart(rows, lam=0.4, center=1.5, sigma=1.0, n_sigma=1)
    v1 = 0.16 / 2
    v2 = 0.36 * v1 + 0.16 / 3
    v3 = 0.36 * v2 + 0.16 / 2
    np.testing.assert_allclose(np.asarray(chart.upper) - 1.5, np.sqrt([v1, v2, v3]))


def test_results_can_be_written_into_given_arrays() -> None:
    x = np.random.default_rng(7).normal(size=11)
    one, two = np.empty(11), np.empty((2, 11))
    assert ewma(x, lam=0.3, start=0.0, out=one) is one
    np.testing.assert_array_equal(one, ewma(x, lam=0.3, start=0.0))
    cusum(x, k=0.5, out=two)
    np.testing.assert_array_equal(two, cusum(x, k=0.5))
    with pytest.raises(InputError, match=r"out must be .* shape \(2, 11\)"):
        cusum(x, k=0.5, out=one)


BAD = {
    "lam": (lambda: ewma_chart(NIST, lam=0), r"lam must lie in \(0, 1\]"),
    "k": (lambda: cusum_chart(NIST, k=-1), "k must not be negative"),
    "h": (lambda: cusum_chart(NIST, h=0), "h must"),
    "headstart": (lambda: cusum_chart(NIST, headstart=6), "headstart must lie"),
    "word": (lambda: cusum_chart(NIST, headstart="full"), "headstart must be one of"),
    "side": (lambda: cusum_chart(NIST, side="left"), "side must be one of"),
    "NaN": (lambda: ewma_chart([1, np.nan]), r"values\[1\] is NaN"),
    "empty": (lambda: ewma_chart([]), "at least 1"),
    "one number": (lambda: cusum_chart(3.0), "one-dimensional"),
    "constant": (lambda: ewma_chart([1.0, 1.0, 1.0]), "do not vary"),
    "unequal": (
        lambda: cusum_chart([[1, 2], [1, 2, 3]], scale="units"),
        "subgroups differ in size",
    ),
    "start": (lambda: cusum([1.0], k=0.5, start=(-1, 0)), "start must not be negative"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named(case: str) -> None:
    make, message = BAD[case]
    with pytest.raises(InputError, match=message):
        make()
