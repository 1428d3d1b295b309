"""Run lengths of charts of spread, of two charts together, and under drift."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pharmaq.errors import InputError
from pharmaq.spc import (
    average_run_length,
    cusum_run_length,
    individuals_run_length,
    s2_cusum_run_length,
    s2_ewma_run_length,
    shewhart_run_length,
    xbar_s_run_length,
)


def numbers(text: str) -> np.ndarray:
    return np.array([float(word) for word in text.split()])


def within(runs: np.ndarray, arl: float) -> bool:
    """Tell whether simulated runs have the mean, up to 4 standard errors."""
    return abs(runs.mean() - arl) < 4 * runs.std() / math.sqrt(len(runs))


# S. Knoth, Stat. Comput. 15 (2005) 341, table 1: no barrier, one degree of freedom
def test_ewma_of_variances_matches_knoth() -> None:
    found = s2_ewma_run_length(lam=0.025, limit=1.661865, n=2, reset=False)
    assert found.arl == pytest.approx(249.9997, abs=5e-5)
    assert found.method == "integral equation"


# S. Knoth, Comput. Stat. Data Anal. 51 (2006) 499, tables 4 and 5: set back to 1
def test_ewma_of_variances_with_a_barrier_matches_knoth() -> None:
    scales = [1, 1.01, 1.02, 1.03, 1.04, 1.05, 1.1, 1.2, 1.3, 1.4, 1.5, 2]
    upper = s2_ewma_run_length(lam=0.15, limit=2.4831, n=5, scale=scales)
    expected = numbers("100.0 85.3 73.4 63.5 55.4 48.7 27.9 12.9 7.86 5.57 4.30 2.11")
    # 73.349 is printed as 73.4
    np.testing.assert_allclose(upper.arl[:8], expected[:8], atol=0.052)
    np.testing.assert_allclose(upper.arl[8:], expected[8:], atol=0.005)
    lower = s2_ewma_run_length(
        lam=0.115, limit=2.0613, n=6, scale=[1, 0.9, 0.8, 0.7, 0.6], sides="lower"
    )
    np.testing.assert_allclose(lower.arl, numbers("200.04 38.47 14.63 8.65 6.31"), atol=0.005)


# the same, table 1
def test_cusum_of_variances_matches_knoth() -> None:
    scales = [1, 1.1, 1.2, 1.3, 1.4, 1.5, 2]
    found = s2_cusum_run_length(k=1.46, h=10, n=2, scale=scales).arl
    expected = numbers("260.7369 90.1319 43.6867 26.2916 18.1231 13.6268 5.9904")
    # one entry, 26.29165, lies between two printed numbers
    np.testing.assert_allclose(found, expected, atol=5.2e-5)


# S. Knoth, Sequential Anal. 26 (2007) 251, table 1: 1e9 simulated runs, standard error .0078
def test_ewma_of_means_and_variances_matches_knoth() -> None:
    limit = 0.345476571 * math.sqrt(5) / math.sqrt(0.134 / 1.866)
    s2 = {"lam": 0.1, "limit": 0.477977 / math.sqrt(0.1 / 1.9 * 2 / 4), "reset": False}
    found = xbar_s_run_length(n=5, lam=0.134, limit=limit, s2=s2)
    assert found.arl == pytest.approx(252.307, abs=3 * 0.0078)


# S. V. Crowder, J. Qual. Technol. 19 (1987) 103: limits 2 and 3, by the trapezoid rule, which
# is .08 percent off; the R package spc 0.7.2 has the digits
def test_single_values_with_moving_ranges_match_crowder() -> None:
    found = individuals_run_length(limit=2, range_limit=3, shift=np.arange(9) * 0.25).arl
    trapezoid = "18.2164 16.3541 12.4282 8.7559 6.1071 4.3582 3.2260 2.4878 1.9989"
    np.testing.assert_allclose(found, numbers(trapezoid), rtol=8e-4)
    exact = "18.230858 16.366215 12.435813 8.759948 6.109066 4.359136 3.226379 2.487906 1.99891"
    np.testing.assert_allclose(found, numbers(exact), atol=6e-7)


# F. F. Gan, Statistician 41 (1992) 71, table 1; a drift of .005 is printed as 76.3, which both
# his recursion and the density followed point by point put at 77.17, and is left out
def test_cusum_under_drift_matches_gan() -> None:
    drifts = [0.0001, 0.0005, 0.001, 0.002, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 3]
    options = {"k": 0.25, "h": 8, "sides": "one"}
    found = [cusum_run_length(**options, drift=drift).arl for drift in drifts]
    expected = "475 261 187 129 52.0 35.2 21.4 15.0 6.95 5.16 3.30"
    units = numbers("1 1 1 1 .1 .1 .1 .1 .01 .01 .01")
    np.testing.assert_array_less(abs(found - numbers(expected)), 0.501 * units)


# R package spc 0.7.2, xDcusum.arl, the same table, with more digits
def test_cusum_under_drift_matches_another_program() -> None:
    options = {"k": 0.25, "h": 8, "sides": "one"}
    found = [cusum_run_length(**options, drift=d).arl for d in (0.0001, 0.005, 0.01, 0.1, 0.5)]
    expected = "475.08663 77.17443 51.95803 14.9906 6.95429"
    np.testing.assert_allclose(found, numbers(expected), atol=6e-6)


def variance_runs(
    step, limits: tuple[float, float], start: float, n_runs: int, law: tuple[int, float]
) -> np.ndarray:
    """Return runs of a statistic of variances by a plain loop."""
    degrees, scale = law
    rng = np.random.default_rng(1)
    z = np.full(n_runs, start)
    runs, time = np.zeros(n_runs), 0
    while not runs.all():
        time += 1
        z = step(z, scale**2 * rng.chisquare(degrees, n_runs) / degrees)
        runs[((z < limits[0]) | (z > limits[1])) & (runs == 0)] = time
    return runs


def ewma_limits(lam: float, degrees: int, *distances: float) -> list[float]:
    return [1 + d * math.sqrt(lam / (2 - lam) * 2 / degrees) for d in distances]


def test_ewma_of_variances_equals_simulation() -> None:
    n_runs = 10_000
    plain = lambda z, v: 0.8 * z + 0.2 * v  # noqa: E731
    low, high = ewma_limits(0.2, 1, -1.8, 2.5)
    cases = [
        ({"n": 2, "sides": "two", "lower": 1.8}, plain, (low, high)),
        ({"n": 2, "reset": False}, plain, (0.0, high)),
        ({"n": 2}, lambda z, v: np.maximum(1.0, plain(z, v)), (0.0, high)),
        (
            {"n": 5, "sides": "lower", "lower": 1.5},
            lambda z, v: np.minimum(1.0, plain(z, v)),
            (ewma_limits(0.2, 4, -1.5)[0], 1.0),
        ),
    ]
    for options, step, limits in cases:
        exact = s2_ewma_run_length(lam=0.2, limit=2.5, scale=1.1, **options)
        runs = variance_runs(step, limits, 1.0, n_runs, (options["n"] - 1, 1.1))
        assert within(runs, exact.arl), options
        assert runs.std() == pytest.approx(exact.sdrl, rel=0.03)
        np.testing.assert_allclose(
            np.quantile(runs, exact.levels), exact.quantiles, rtol=0.06, atol=1
        )


@pytest.mark.parametrize("sides", ["upper", "lower"])
def test_cusum_of_variances_equals_simulation(sides: str) -> None:
    sign, k, h, scale = {"upper": (1, 1.2, 4.0, 1.1), "lower": (-1, 0.7, 1.5, 0.8)}[sides]
    for n in (2, 4):
        exact = s2_cusum_run_length(k=k, h=h, n=n, scale=scale, sides=sides, headstart=1.0)
        runs = variance_runs(
            lambda z, v: np.maximum(0, z + sign * (v - k)), (0, h), 1.0, 20_000, (n - 1, scale)
        )
        assert within(runs, exact.arl)
        assert runs.std() == pytest.approx(exact.sdrl, rel=0.03)


def test_means_and_variances_together_equal_simulation() -> None:
    rng = np.random.default_rng(2)
    mean_limit = 2.4 * math.sqrt(0.1 / 1.9)
    low, high = ewma_limits(0.2, 3, -1.9, 2.6)
    x, z = np.zeros(20_000), np.ones(20_000)
    runs, time = np.zeros(20_000), 0
    while not runs.all():
        time += 1
        data = 1.05 * rng.standard_normal((4, 20_000))
        x = 0.9 * x + 0.1 * (2 * data.mean(axis=0) + 0.3)
        z = 0.8 * z + 0.2 * data.var(axis=0, ddof=1)
        runs[((abs(x) > mean_limit) | (z < low) | (z > high)) & (runs == 0)] = time
    s2 = {"lam": 0.2, "limit": 2.6, "lower": 1.9, "sides": "two"}
    exact = xbar_s_run_length(n=4, lam=0.1, limit=2.4, s2=s2, shift=0.3, scale=1.05)
    assert within(runs, exact.arl)
    assert runs.std() == pytest.approx(exact.sdrl, rel=0.03)
    np.testing.assert_allclose(np.quantile(runs, exact.levels), exact.quantiles, rtol=0.05)


@pytest.mark.parametrize("range_limit", [0.7, 3.686])
def test_single_values_with_moving_ranges_equal_simulation(range_limit: float) -> None:
    rng = np.random.default_rng(3)
    before = np.full(20_000, np.nan)
    runs, time = np.zeros(20_000), 0
    while not runs.all():
        time += 1
        x = 0.5 + 1.1 * rng.standard_normal(20_000)
        # no range before the first value: comparisons with NaN are false
        runs[((abs(x) > 3) | (abs(x - before) > range_limit)) & (runs == 0)] = time
        before = x
    exact = individuals_run_length(limit=3, range_limit=range_limit, shift=0.5, scale=1.1)
    assert within(runs, exact.arl)
    assert runs.std() == pytest.approx(exact.sdrl, rel=0.03)


@pytest.mark.parametrize("headstart", [0.0, 2.0, "steady"])
def test_cusum_under_drift_equals_simulation(headstart: float | str) -> None:
    rng = np.random.default_rng(4)
    sums = np.full(20_000, 0.0 if isinstance(headstart, str) else headstart)
    if headstart == "steady":
        # those that signal start again from the sum of another one
        for _ in range(100):
            sums = np.maximum(0, sums + rng.standard_normal(20_000) - 0.5)
            out = sums > 4
            sums[out] = rng.choice(sums[~out], out.sum())
    runs, time = np.zeros(20_000), 0
    while not runs.all():
        x = 0.2 + 0.03 * time + 1.1 * rng.standard_normal(20_000)
        time += 1
        sums = np.maximum(0, sums + x - 0.5)
        runs[(sums > 4) & (runs == 0)] = time
    exact = cusum_run_length(
        k=0.5, h=4, shift=0.2, scale=1.1, sides="one", headstart=headstart, drift=0.03
    )
    assert within(runs, exact.arl)
    assert runs.std() == pytest.approx(exact.sdrl, rel=0.03)
    np.testing.assert_allclose(
        np.quantile(runs, exact.levels), exact.quantiles, rtol=0.05, atol=1
    )


# variances of two degrees of freedom are exponential; for h <= k the equation has the solution
# A - exp(z), from which L(0) = exp(k + h) + (1 - h) exp(h) - 1
@given(k=st.floats(0.5, 3), share=st.floats(0.05, 1))
def test_cusum_of_exponential_variances_has_a_closed_form(k: float, share: float) -> None:
    h = k * share
    found = s2_cusum_run_length(k=k, h=h, n=3)
    expected = math.exp(k + h) + (1 - h) * math.exp(h) - 1
    assert found.arl == pytest.approx(expected, rel=1e-9)


@given(n=st.integers(2, 12), scale=st.floats(0.7, 1.5), limit=st.floats(0.5, 4))
def test_an_ewma_of_variances_of_weight_one_is_their_shewhart_chart(n, scale, limit) -> None:
    edge = 1 + limit * math.sqrt(2 / (n - 1))
    p = stats.chi2.sf(edge * (n - 1) / scale**2, n - 1)
    for reset in (False, True):
        found = s2_ewma_run_length(lam=1.0, limit=limit, n=n, scale=scale, reset=reset)
        assert found.arl == pytest.approx(1 / p, rel=1e-8)
        assert found.sdrl == pytest.approx(math.sqrt(1 - p) / p, rel=1e-6)


def test_two_charts_of_weight_one_are_two_shewhart_charts() -> None:
    p = math.erfc(3 / math.sqrt(2))
    q = stats.chi2.sf(4 * (1 + 2 * math.sqrt(0.5)), 4)
    found = xbar_s_run_length(n=5, lam=1.0, limit=3.0, s2={"lam": 1.0, "limit": 2.0})
    joint = p + q - p * q
    assert found.arl == pytest.approx(1 / joint, rel=1e-8)
    assert found.sdrl == pytest.approx(math.sqrt(1 - joint) / joint, rel=1e-7)


@given(shift=st.floats(0, 3), limit=st.floats(0.5, 4), more=st.floats(0, 2))
def test_ranges_that_never_signal_leave_the_limits(shift, limit, more) -> None:
    joint = individuals_run_length(limit=limit, range_limit=2 * limit + more, shift=shift)
    alone = shewhart_run_length(rules=limit, shift=shift)
    assert joint.arl == pytest.approx(alone.arl, rel=1e-8)
    assert joint.quantiles.tolist() == alone.quantiles.tolist()


@settings(max_examples=25)
@given(shift=st.floats(-1, 1), scale=st.floats(0.6, 2), range_limit=st.floats(0.5, 5))
def test_moving_ranges_have_the_unit_of_the_limits(shift, scale, range_limit) -> None:
    one = individuals_run_length(limit=2, range_limit=range_limit, shift=shift, scale=scale)
    other = individuals_run_length(
        limit=2 / scale, range_limit=range_limit / scale, shift=-shift / scale
    )
    assert one.arl == pytest.approx(other.arl, rel=1e-8)


def test_little_drift_is_no_drift() -> None:
    options = {"k": 0.5, "h": 3, "sides": "one"}
    still = cusum_run_length(**options)
    moving = cusum_run_length(**options, drift=1e-9)
    assert moving.arl == pytest.approx(still.arl, rel=1e-5)
    assert moving.quantiles.tolist() == still.quantiles.tolist()


def test_a_chart_that_is_always_set_back_never_signals() -> None:
    found = s2_ewma_run_length(lam=0.1, limit=2.0, n=5, sides="lower", scale=[1.0, 3.0])
    assert math.isfinite(found.arl[0])
    assert math.isinf(found.arl[1])
    assert np.isinf(found.quantiles[1]).all()


def test_shifts_are_scales_for_charts_of_variances() -> None:
    found = average_run_length("s2 cusum", k=1.46, h=10, n=2, scale=[1.0, 2.0])
    assert found.to_frame()["shift"].tolist() == [1.0, 2.0]
    assert found.parameters["sides"] == "upper"
    single = average_run_length("s2 ewma", lam=0.1, limit=2.5, n=5)
    assert isinstance(single.arl, float)


@pytest.mark.parametrize(
    ("chart", "options", "words"),
    [
        ("s2 ewma", {"lam": 0.0, "limit": 3, "n": 5}, "lam must lie in"),
        ("s2 ewma", {"lam": 1.2, "limit": 3, "n": 5}, "lam must lie in"),
        ("s2 ewma", {"lam": 0.1, "limit": -1, "n": 5}, "limit must lie in"),
        ("s2 ewma", {"lam": 0.1, "limit": 3, "n": 1}, "n must be at least 2"),
        ("s2 ewma", {"lam": 0.1, "limit": 3, "n": 5, "lower": 2.0}, "lower is for sides"),
        ("s2 ewma", {"lam": 0.1, "limit": 3, "n": 5, "sides": "one"}, "sides must be one of"),
        ("s2 ewma", {"lam": 0.5, "limit": 3, "n": 2, "sides": "two"}, "lower must be below"),
        (
            "s2 ewma",
            {"lam": 0.1, "limit": 3, "n": 5, "sides": "lower", "reset": False},
            "reset = False is for",
        ),
        ("s2 ewma", {"lam": 0.1, "limit": 3, "n": 5, "scale": [1, 0]}, "scale must lie in"),
        ("s2 ewma", {"lam": 0.1, "limit": 3, "n": 5, "scale": [1, np.nan]}, r"scale\[1\]"),
        ("s2 cusum", {"k": 0, "h": 10, "n": 2}, "k must lie in"),
        ("s2 cusum", {"k": 1.4, "h": 10, "n": 2, "headstart": 10}, "headstart must lie in"),
        ("s2 cusum", {"k": 1.4, "h": 10, "n": 2, "sides": "two"}, "sides must be one of"),
        ("xbar-s ewma", {"n": 5, "lam": 0.1, "limit": 3}, "missing a required argument: 's2'"),
        ("xbar-s ewma", {"n": 5, "lam": 0.1, "limit": 3, "s2": {"lam": 0.1}}, "s2 must be"),
        (
            "xbar-s ewma",
            {"n": 5, "lam": 0.1, "limit": 3, "s2": {"lam": 0.1, "limit": 3, "n": 5}},
            "s2 must be a dict",
        ),
        ("individuals and moving range", {"range_limit": 0}, "range_limit must lie in"),
        ("individuals and moving range", {"shift": [0, np.inf]}, r"shift\[1\]"),
        ("cusum", {"k": 0.5, "h": 4, "drift": 0.1}, 'goes with sides = "one"'),
        (
            "cusum",
            {"k": 0.5, "h": 4, "drift": -0.1, "sides": "one"},
            "drift must be at least 0",
        ),
    ],
)
def test_a_bad_option_is_named(chart: str, options: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        average_run_length(chart, **options)


@pytest.mark.slow
def test_drift_too_small_to_end_a_run_is_refused() -> None:
    with pytest.raises(InputError, match="leaves runs of more than"):
        cusum_run_length(k=0.5, h=0.5, shift=-8, sides="one", drift=1e-9)
