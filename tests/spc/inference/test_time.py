"""Trend and change against published numbers, slow twins and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_inference import hamed_rao, largest_t
from naive_inference import pettitt as naive_pettitt
from scipy import stats

from pharmaq.errors import InputError
from pharmaq.spc import change_point, mann_kendall

# M. Hollander, D. A. Wolfe, Nonparametric Statistical Methods: lightness and quality of tuna
LIGHTNESS = [44.4, 45.9, 41.9, 53.3, 44.7, 44.1, 50.7, 45.2, 60.1]
QUALITY = np.array([2.6, 3.1, 2.5, 5.0, 3.6, 4.0, 5.2, 2.8, 3.8])


# Hollander and Wolfe, example 8.1; R cor.test: tau = 0.4444, exact p = 0.1194
def test_exact_test_matches_the_book() -> None:
    test = mann_kendall(QUALITY[np.argsort(LIGHTNESS)])
    assert test.method == "exact"
    assert (test.s, test.tau) == (16, pytest.approx(0.4444, abs=5e-5))
    assert test.p == pytest.approx(0.1194, abs=5e-5)


# Hollander and Wolfe, example 9.1 (cloud seeding): C = -6, one-sided p = 0.117, slope -0.056
def test_slope_matches_the_book() -> None:
    test = mann_kendall([1.26, 1.27, 1.12, 1.16, 1.03], alternative="decreasing")
    assert (test.s, test.p) == (-6, pytest.approx(0.117, abs=5e-4))
    assert test.slope == pytest.approx(-0.056, abs=5e-4)
    # five values are too few for limits at 95 %
    assert test.slope_lower == -np.inf


@given(st.lists(st.integers(-8, 8), min_size=4, max_size=30))
def test_tau_and_variance_of_ties_equal_scipy(values: list[int]) -> None:
    if len(set(values)) == 1:
        return
    test = mann_kendall(values, method="normal")
    expected = stats.kendalltau(np.arange(len(values)), values, method="asymptotic")
    assert test.tau == pytest.approx(expected.statistic, abs=1e-12)
    # scipy has no continuity correction
    z = test.s / np.sqrt(test.variance)
    assert 2 * stats.norm.sf(abs(z)) == pytest.approx(expected.pvalue, abs=1e-9)
    assert test.slope == pytest.approx(stats.theilslopes(values).slope)


@given(st.permutations(list(range(12))))
def test_exact_p_equals_scipy(values: list[int]) -> None:
    expected = stats.kendalltau(np.arange(12), values, method="exact").pvalue
    assert mann_kendall(values).p == pytest.approx(expected, abs=1e-12)
    up = mann_kendall(values, alternative="increasing").p
    down = mann_kendall(values[::-1], alternative="decreasing").p
    assert up == pytest.approx(down)


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_correction_for_autocorrelation_equals_a_loop(seed: int) -> None:
    values = np.cumsum(np.random.default_rng(seed).normal(size=25))
    test = mann_kendall(values, method="hamed_rao")
    expected = hamed_rao(list(values), test.slope)
    assert test.correction == pytest.approx(max(expected, 1 / 25))


def test_autocorrelated_values_alarm_too_often_without_correction() -> None:
    rng = np.random.default_rng(3)
    plain = corrected = 0
    for _ in range(300):
        noise = rng.normal(size=60)
        values = np.zeros(60)
        for i in range(1, 60):
            values[i] = 0.5 * values[i - 1] + noise[i]
        plain += mann_kendall(values, method="normal").p < 0.05
        corrected += mann_kendall(values, method="hamed_rao").p < 0.05
    assert plain / 300 > 0.15
    assert corrected < 0.7 * plain


def test_limits_of_the_slope_cover_their_level() -> None:
    rng = np.random.default_rng(4)
    hits = 0
    for _ in range(400):
        test = mann_kendall(0.3 * np.arange(20) + rng.normal(size=20), confidence=0.9)
        hits += test.slope_lower <= 0.3 <= test.slope_upper
    # rounded outwards: at least the level, three standard errors
    assert hits / 400 >= 0.9 - 3 * 0.015


def test_times_give_the_slope_its_unit() -> None:
    values = QUALITY[np.argsort(LIGHTNESS)]
    days, hours = np.arange(9.0), 24 * np.arange(9.0)
    a, b = mann_kendall(values, time=days), mann_kendall(values, time=hours)
    assert a.slope == pytest.approx(24 * b.slope)
    assert a.p == b.p


def test_a_trend_is_a_finding() -> None:
    found = mann_kendall(np.arange(10.0))
    assert (found.findings[0].rule, found.findings[0].severity) == ("mann_kendall", "alert")
    assert "rise with time" in found.findings[0].message


# G. W. Cobb, Biometrika 65 (1978) 243-251: the Nile fell after 1898, the 28th year
@pytest.mark.parametrize("method", ["normal", "pettitt"])
def test_the_nile_changed_after_28_years(method: str) -> None:
    from statsmodels.datasets import nile

    flow = nile.load_pandas().data["volume"].to_numpy(dtype=float)
    found = change_point(flow, method=method, n_draws=199, random_state=1)
    assert found.position == 28
    assert found.findings[0].rule == f"change_point_{method}"
    if method == "normal":
        assert (found.mean_before, found.mean_after) == (
            pytest.approx(1097.75),
            pytest.approx(849.97, abs=5e-3),
        )
        assert 28 in found.confidence_set
        assert len(found.confidence_set) < 8


@settings(max_examples=25)
@given(st.lists(st.integers(-50, 50), min_size=5, max_size=20), st.integers(0, 10_000))
def test_splits_equal_a_loop(values: list[int], seed: int) -> None:
    y = np.array(values) + np.random.default_rng(seed).normal(size=len(values))
    k, t = largest_t(list(y))
    found = change_point(y, n_draws=99, random_state=0)
    assert (found.position, found.statistic) == (k, pytest.approx(t))
    k, u = naive_pettitt(list(y))
    found = change_point(y, method="pettitt")
    assert found.statistic == pytest.approx(u)
    assert found.profile[k - 1] == pytest.approx(u)


def test_level_of_the_test_and_of_the_set_hold() -> None:
    rng = np.random.default_rng(8)
    alarms = hits = 0
    for _ in range(250):
        noise = rng.normal(size=16)
        quiet = change_point(noise, n_draws=99, alpha=0.1, random_state=rng)
        alarms += quiet.p < 0.1
        jump = noise + np.where(np.arange(16) < 6, 0.0, 1.2)
        found = change_point(jump, n_draws=99, confidence=0.9, random_state=rng)
        hits += 6 in found.confidence_set
    # three standard errors; p of 99 draws is below 0.1 with probability 0.09
    assert alarms / 250 == pytest.approx(0.09, abs=3 * 0.0181)
    assert hits / 250 == pytest.approx(0.9, abs=3 * 0.019)


def test_a_seed_repeats_the_numbers() -> None:
    y = np.random.default_rng(0).normal(size=12)
    a, b = (change_point(y, n_draws=99, random_state=5) for _ in range(2))
    assert a.p == b.p
    np.testing.assert_array_equal(a.confidence_set, b.confidence_set)
    assert a.to_frame().in_confidence_set.sum() == len(a.confidence_set)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: mann_kendall([1.0, 2.0, 3.0]), "at least 4"),
        (lambda: mann_kendall([1.0] * 5), "5 equal values"),
        (lambda: mann_kendall([1, 2, np.nan, 4]), r"values\[2\] is NaN"),
        (lambda: mann_kendall([1, 2, 2, 4], method="exact"), "without ties"),
        (lambda: mann_kendall([1, 2, 3, 4], time=[0, 1, 1, 2]), r"time\[2\] = 1 follows 1"),
        (lambda: mann_kendall([1, 2, 3, 4], time=[0, 1, 2]), "lengths must agree"),
        (lambda: mann_kendall([1, 2, 3, 4], alternative="up"), "alternative must be one of"),
        (lambda: change_point([1.0, 2.0, 3.0]), "at least 5"),
        (lambda: change_point([1.0] * 6), "6 equal values"),
        (lambda: change_point([1.0, 1.0, 1.0, 2.0, 2.0, 2.0]), "no variation"),
        (lambda: change_point(np.arange(6.0), n_draws=10), "n_draws must be at least 99"),
        (lambda: change_point(np.arange(6.0), method="cusum"), "method must be one of"),
    ],
)
def test_bad_input_is_named(call, match: str) -> None:
    with pytest.raises(InputError, match=match):
        call()
