"""Charts of counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pharmaq.errors import InputError
from pharmaq.spc import (
    c_chart,
    d2,
    g_chart,
    laney_p_chart,
    laney_u_chart,
    np_chart,
    p_chart,
    t_chart,
    u_chart,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def juice(spc_data: Path) -> pd.DataFrame:
    """Nonconforming orange juice cans in samples of 50 (Montgomery, example 7.1)."""
    frame = pd.read_csv(spc_data / "orangejuice.csv")
    return frame[frame["trial"]]


# Montgomery, Introduction to Statistical Quality Control, example 7.1
def test_p_limits_match_montgomery(juice: pd.DataFrame) -> None:
    chart = p_chart(juice["D"], juice["size"])
    assert (chart.center, chart.lower, chart.upper) == pytest.approx(
        (0.2313, 0.0524, 0.4102), abs=6e-5
    )
    assert (chart.signals + 1).tolist() == [15, 23]


# the limits after both samples were explained and left out
def test_revised_p_limits_match_montgomery(juice: pd.DataFrame) -> None:
    reasons = {14: "new batch of board", 22: "untrained operator"}
    chart = p_chart(juice["D"], juice["size"], exclude=reasons)
    assert (chart.center, chart.lower, chart.upper) == pytest.approx(
        (0.2150, 0.0407, 0.3893), abs=6e-5
    )


def test_np_limits_match_qcc(juice: pd.DataFrame, r_results: dict[str, Any]) -> None:
    expected = r_results["spc_orangejuice_np_trial"]
    chart = np_chart(juice["D"], 50)
    assert chart.center == pytest.approx(expected["center"], abs=1e-9)
    assert [chart.lower, chart.upper] == pytest.approx(expected["limits"][0], abs=1e-9)


# Montgomery, personal computers: nonconformities in inspection units of 5
def test_u_limits_match_montgomery(spc_data: Path) -> None:
    frame = pd.read_csv(spc_data / "pcmanufact_u_chart.csv")
    chart = u_chart(frame["x"], frame["size"])
    assert (chart.center, chart.lower, chart.upper) == pytest.approx(
        (1.93, 0.07, 3.79), abs=6e-3
    )


# NIST/SEMATECH e-Handbook, counts control charts: 400 defects on 25 wafers
def test_c_limits_match_the_nist_handbook() -> None:
    wafers = [16, 14, 28, 16, 12, 20, 10, 12, 10, 17, 19, 17, 14]
    wafers += [16, 15, 13, 14, 16, 11, 20, 11, 19, 16, 31, 13]
    assert (sum(wafers), len(wafers)) == (400, 25)
    chart = c_chart(wafers)
    assert (chart.center, chart.lower, chart.upper) == pytest.approx((16, 4, 28), abs=1e-12)


@pytest.mark.parametrize("name", ["dyedcloth_u", "circuit_u_trial", "circuit_c_trial"])
def test_rates_match_qcc(name: str, shared: Path, r_results: dict[str, Any]) -> None:
    expected = r_results[f"spc_{name}"]
    frame = pd.read_csv(shared / "data" / "quality" / f"qcc_{name.split('_')[0]}.csv")
    if "trial" in frame:
        frame = frame[frame["trial"]]
    chart = c_chart(frame["x"]) if "_c_" in name else u_chart(frame["x"], frame["size"])
    limits = np.array(expected["limits"])
    assert chart.center == pytest.approx(expected["center"], abs=1e-9)
    np.testing.assert_allclose(chart.lower, np.squeeze(limits[:, 0]), atol=1e-9)
    np.testing.assert_allclose(chart.upper, np.squeeze(limits[:, 1]), atol=1e-9)
    assert sorted((chart.signals + 1).tolist()) == sorted(expected["violations_beyond"])


def test_exact_limits_are_quantiles() -> None:
    sizes = np.array([50, 80, 50])
    chart = p_chart([5, 9, 6], sizes, limits="exact", center=0.1)
    tail = stats.norm.sf(3)
    inside = stats.binom.cdf(chart.upper * sizes, sizes, 0.1) - stats.binom.cdf(
        chart.lower * sizes - 1, sizes, 0.1
    )
    # no more than the tail lies beyond each limit, and one unit tighter would break that
    assert (1 - inside <= 2 * tail).all()
    assert (stats.binom.sf(chart.upper * sizes - 1, sizes, 0.1) > tail).all()
    counts = c_chart([4, 5, 6], limits="exact", center=5.0)
    assert stats.poisson.sf(counts.upper, 5.0) <= tail < stats.poisson.sf(counts.upper - 1, 5.0)


@given(st.lists(st.integers(0, 40), min_size=4, max_size=15).filter(lambda x: sum(x) > 0))
def test_np_and_p_charts_agree(counts: list[int]) -> None:
    numbers, shares = np_chart(counts, 50), p_chart(counts, 50)
    assert numbers.upper == pytest.approx(50 * shares.upper)
    assert numbers.signals.tolist() == shares.signals.tolist()
    assert u_chart(counts, 1.0).upper == pytest.approx(c_chart(counts).upper)


# Laney (2002): with binomial spread sigma_z is 1, with more it is larger
def test_laney_limits_follow_the_spread_between_samples() -> None:
    rng = np.random.default_rng(2)
    binomial = rng.binomial(20_000, 0.1, 400)
    assert laney_p_chart(binomial, 20_000).parameters["sigma_z"] == pytest.approx(1, abs=0.1)
    p = np.clip(rng.normal(0.1, 0.01, 400), 0, 1)
    chart = laney_p_chart(rng.binomial(20_000, p), 20_000)
    assert chart.parameters["sigma_z"] == pytest.approx(0.01 / np.sqrt(0.09 / 20_000), rel=0.15)
    assert len(chart.signals) < 8 < len(p_chart(rng.binomial(20_000, p), 20_000).signals)


def test_laney_sigma_is_the_moving_range_of_standardised_rates() -> None:
    counts, sizes = np.array([10.0, 30.0, 20.0, 25.0]), np.array([5.0, 10.0, 8.0, 9.0])
    mean = counts.sum() / sizes.sum()
    z = (counts / sizes - mean) / np.sqrt(mean / sizes)
    sigma = np.abs(np.diff(z)).mean() / d2(2)
    chart = laney_u_chart(counts, sizes)
    np.testing.assert_allclose(chart.upper, mean + 3 * sigma * np.sqrt(mean / sizes))


def test_g_limits_are_those_of_a_geometric_count() -> None:
    chart = g_chart([12, 30, 7, 45, 22])
    assert chart.upper == pytest.approx(23.2 + 3 * np.sqrt(23.2 * 24.2))
    assert chart.lower == 0
    exact = g_chart([12, 30, 7, 45, 22], limits="exact")
    # P(more than x good cases) = (1 - p)^(x + 1)
    q = 23.2 / 24.2
    assert q ** (exact.upper + 1) <= stats.norm.sf(3) < q**exact.upper


# Montgomery, Introduction to Statistical Quality Control: days between failures of a valve,
# and the first of them to the power 0.2777
def test_times_between_events_are_transformed_as_in_montgomery() -> None:
    days = [286, 948, 536, 124, 816, 729, 4, 143, 431, 8]
    chart = t_chart(days)
    printed = [4.81, 6.71, 5.73, 3.81, 6.44, 6.24, 1.47, 3.97, 5.39, 1.78]
    np.testing.assert_allclose(chart.statistic, printed, atol=0.006)
    assert chart.lower < chart.statistic.min()


def test_exponential_limits_are_quantiles_of_time() -> None:
    chart = t_chart([100.0, 300.0, 200.0], limits="exponential")
    mean = 200.0
    assert np.exp(-chart.upper / mean) == pytest.approx(stats.norm.sf(3))
    assert 1 - np.exp(-chart.lower / mean) == pytest.approx(stats.norm.sf(3))
    assert chart.center == pytest.approx(mean * np.log(2))


def test_new_samples_are_judged_against_old_limits() -> None:
    chart = p_chart([5, 6, 4, 5], 50).extend([20, 5], sizes=[50, 100])
    assert chart.new_signals.tolist() == [4]
    assert np.asarray(chart.upper)[5] < np.asarray(chart.upper)[4] == np.asarray(chart.upper)[0]
    assert c_chart([5, 6, 4]).extend([20]).new_signals.tolist() == [3]
    assert g_chart([5, 6, 4]).extend([100]).new_signals.tolist() == [3]


BAD = {
    "negative": (lambda: c_chart([3, -1, 2]), r"counts\[1\] is -1"),
    "more than inspected": (lambda: p_chart([3, 60], 50), r"counts\[1\] is 60"),
    "a part of a unit": (lambda: np_chart([3, 2.5], 50), r"counts\[1\] is 2.5"),
    "nothing inspected": (lambda: u_chart([3, 2], [5, 0]), r"sizes\[1\] is 0"),
    "no size": (lambda: p_chart([3], None), "sizes is missing"),
    "sizes": (lambda: p_chart([3, 4], [50, 50, 50]), "sizes has shape"),
    "none": (lambda: p_chart([0, 0, 0], 50), "none of the inspected"),
    "all": (lambda: np_chart([50, 50], 50), "all of the inspected"),
    "NaN": (lambda: c_chart([3, np.nan]), r"counts\[1\] is NaN"),
    "p above 1": (lambda: p_chart([3, 4], 50, center=1.2), r"proportion in \(0, 1\)"),
    "limits": (lambda: p_chart([3, 4], 50, limits="wald"), "limits must be one of"),
    "time": (lambda: t_chart([3.0, -1.0]), r"values\[1\] is -1"),
    "events": (lambda: g_chart([0, 0, 0]), "not rare"),
    "part": (lambda: g_chart([1, 0.5]), "whole numbers of cases"),
    "extended": (lambda: p_chart([3, 4], 50).extend([3]), "sizes is missing"),
    "sizes of c": (lambda: g_chart([3, 4]).extend([3], sizes=4), "sizes has no meaning"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_counts_are_named(case: str) -> None:
    make, message = BAD[case]
    with pytest.raises(InputError, match=message):
        make()
