"""Shewhart charts of measurements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pharmaq.errors import InputError, InputTypeError
from pharmaq.spc import c4, d2, d3, individuals_chart, xbar_r_chart, xbar_s_chart

if TYPE_CHECKING:
    from pathlib import Path

NIST = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]

numbers = st.floats(-100, 100).map(lambda x: round(x, 3))
groups = arrays(float, (8, 4), elements=numbers).filter(lambda g: np.ptp(g, axis=1).min() > 0.1)
series = arrays(float, 12, elements=numbers).filter(lambda x: np.abs(np.diff(x)).min() > 0.01)


# NIST/SEMATECH e-Handbook, individuals control charts; the handbook rounds d2 to 1.128,
# which moves a limit by 1.7e-3
def test_individuals_limits_match_the_nist_handbook() -> None:
    chart = individuals_chart(NIST)
    assert chart.center == pytest.approx(50.81, abs=1e-9)
    assert (chart.lower, chart.upper) == pytest.approx((45.8159, 55.8041), abs=2e-3)
    rounded = individuals_chart(NIST, sigma=1.8778 / 1.128)
    assert (rounded.lower, rounded.upper) == pytest.approx((45.8159, 55.8041), abs=1e-4)
    assert chart.companion.statistic.mean() == pytest.approx(1.8778, abs=5e-5)


# Montgomery, Introduction to Statistical Quality Control, piston rings; the printed limits
# use d2 = 2.326, 3e-5 from the exact one
def test_xbar_r_limits_match_montgomery(pistonrings: np.ndarray) -> None:
    chart = xbar_r_chart(pistonrings[:25])
    assert chart.center == pytest.approx(74.00118, abs=5e-6)
    assert chart.parameters["sigma"] == pytest.approx(0.009785039, rel=5e-5)
    assert (chart.lower, chart.upper) == pytest.approx((73.98805, 74.0143), abs=5e-6)
    ranges = chart.companion
    assert (ranges.lower, ranges.center) == pytest.approx((0, 0.02276), abs=1e-9)
    assert ranges.upper == pytest.approx(0.04812533, rel=5e-5)


def test_xbar_s_limits_match_montgomery(pistonrings: np.ndarray) -> None:
    chart = xbar_s_chart(pistonrings[:25])
    assert chart.parameters["sigma"] == pytest.approx(0.009829977, abs=5e-10)
    deviations = chart.companion
    assert deviations.center == pytest.approx(0.009240037, abs=5e-10)
    assert (deviations.lower, deviations.upper) == pytest.approx((0, 0.01930242), abs=5e-9)


def test_three_new_subgroups_signal_as_in_montgomery(pistonrings: np.ndarray) -> None:
    chart = xbar_r_chart(pistonrings[:25]).extend(pistonrings[25:])
    assert (chart.signals + 1).tolist() == [37, 38, 39]
    assert chart.new_signals.tolist() == chart.signals.tolist()


# Montgomery, appendix VI: factors of control limits, for subgroups of 2 to 10
@pytest.mark.parametrize(
    ("n", "A2", "A3", "D3", "D4", "B3", "B4"),
    [
        (2, 1.880, 2.659, 0, 3.267, 0, 3.267),
        (3, 1.023, 1.954, 0, 2.574, 0, 2.568),
        (4, 0.729, 1.628, 0, 2.282, 0, 2.266),
        (5, 0.577, 1.427, 0, 2.114, 0, 2.089),
        (6, 0.483, 1.287, 0, 2.004, 0.030, 1.970),
        (7, 0.419, 1.182, 0.076, 1.924, 0.118, 1.882),
        (8, 0.373, 1.099, 0.136, 1.864, 0.185, 1.815),
        (9, 0.337, 1.032, 0.184, 1.816, 0.239, 1.761),
        (10, 0.308, 0.975, 0.223, 1.777, 0.284, 1.716),
    ],
)
def test_limits_have_the_printed_factors(n, A2, A3, D3, D4, B3, B4) -> None:
    x = np.random.default_rng(n).standard_normal((6, n))
    by_range, by_s = xbar_r_chart(x), xbar_s_chart(x)
    ranges, deviations = by_range.companion, by_s.companion
    found = [
        (by_range.upper - by_range.center) / ranges.center,
        (by_s.upper - by_s.center) / deviations.center,
        ranges.lower / ranges.center,
        ranges.upper / ranges.center,
        deviations.lower / deviations.center,
        deviations.upper / deviations.center,
    ]
    # 2.57459 and 2.114499 are printed cut or rounded from rounded ones
    np.testing.assert_allclose(found, [A2, A3, D3, D4, B3, B4], atol=6e-4)


# Montgomery, example 6.1: flow width of a hard-bake process
def test_flow_width_matches_montgomery(spc_data: Path) -> None:
    frame = pd.read_csv(spc_data / "hardbake_flow_width.csv")
    chart = xbar_r_chart(frame["width"], subgroups=frame["subgroup"])
    assert chart.center == pytest.approx(1.506, abs=5e-4)
    assert (chart.lower, chart.upper) == pytest.approx((1.318, 1.693), abs=5e-4)
    assert chart.companion.center == pytest.approx(0.3252, abs=5e-5)
    assert chart.companion.upper == pytest.approx(0.6875, abs=1.6e-3)
    assert chart.parameters["sigma"] == pytest.approx(0.1398, abs=5e-5)
    assert chart.in_control


@given(series, st.floats(-50, 50), st.floats(0.1, 10))
def test_limits_follow_shift_and_scale(x: np.ndarray, shift: float, scale: float) -> None:
    one, two = individuals_chart(x), individuals_chart(scale * x + shift)
    for name in ("center", "lower", "upper"):
        expected = scale * getattr(one, name) + shift
        assert getattr(two, name) == pytest.approx(expected, rel=1e-9, abs=1e-7)
    assert two.companion.upper == pytest.approx(scale * one.companion.upper, rel=1e-9)


@given(groups, st.randoms(use_true_random=False))
@pytest.mark.parametrize("make", [xbar_r_chart, xbar_s_chart])
def test_order_of_subgroups_leaves_limits_unchanged(make: Any, x: Any, random: Any) -> None:
    order = list(range(len(x)))
    random.shuffle(order)
    one, two = make(x), make(x[order])
    for name in ("center", "lower", "upper"):
        assert getattr(two, name) == pytest.approx(getattr(one, name), rel=1e-12, abs=1e-9)
        ours, theirs = getattr(one.companion, name), getattr(two.companion, name)
        assert theirs == pytest.approx(ours, rel=1e-12, abs=1e-9)


@given(series, series)
def test_new_values_never_move_limits(x: np.ndarray, new: np.ndarray) -> None:
    chart = individuals_chart(x)
    longer = chart.extend(new)
    assert (longer.center, longer.lower, longer.upper) == (
        chart.center,
        chart.lower,
        chart.upper,
    )
    assert longer.parameters == chart.parameters
    assert (longer.n_phase1, longer.n_points) == (12, 24)
    # the first new moving range bridges old and new values
    both = np.concatenate([x, new])
    np.testing.assert_array_equal(longer.companion.statistic, np.abs(np.diff(both)))


def test_unequal_subgroups_have_limits_of_their_own() -> None:
    rows = [[9.9, 10.2, 10.0], [10.1, 9.8], [10.3, 9.9, 10.0, 10.1]]
    chart = xbar_r_chart(rows)
    sizes = np.array([3, 2, 4])
    weights = np.array([(d2(n) / d3(n)) ** 2 for n in sizes])
    ranges = np.array([0.3, 0.3, 0.4])
    sigma = float(np.sum(weights * ranges / [d2(n) for n in sizes]) / weights.sum())
    assert chart.parameters["sigma"] == pytest.approx(sigma, rel=1e-12)
    np.testing.assert_allclose(chart.upper - chart.center, 3 * sigma / np.sqrt(sizes))
    np.testing.assert_allclose(chart.companion.center, [d2(n) * sigma for n in sizes])
    deviations = xbar_s_chart(rows).companion
    factor = np.array([c4(n) for n in sizes])
    np.testing.assert_allclose(
        np.asarray(deviations.upper) / deviations.center,
        1 + 3 * np.sqrt(1 - factor**2) / factor,
    )


def test_measurements_in_one_column_make_the_same_chart() -> None:
    x = np.random.default_rng(1).normal(10, 1, (6, 3))
    by_rows = xbar_s_chart(x)
    by_size = xbar_s_chart(x.ravel(), subgroups=3)
    by_name = xbar_s_chart(x.ravel(), subgroups=np.repeat(list("abcdef"), 3))
    for other in (by_size, by_name):
        np.testing.assert_array_equal(other.statistic, by_rows.statistic)
        assert other.upper == by_rows.upper
    assert by_name.labels.tolist() == list("abcdef")


def test_stages_have_limits_of_their_own() -> None:
    x = np.array([1.0, 2.0, 1.5, 1.2, 11.0, 13.0, 12.0, 12.5])
    chart = individuals_chart(x, stages=["old"] * 4 + ["new"] * 4)
    first, second = individuals_chart(x[:4]), individuals_chart(x[4:])
    np.testing.assert_allclose(chart.center, np.repeat([first.center, second.center], 4))
    np.testing.assert_allclose(chart.upper, np.repeat([first.upper, second.upper], 4))
    # no moving range bridges two stages
    np.testing.assert_allclose(chart.companion.statistic, [1, 0.5, 0.3, 2, 1, 0.5])
    assert chart.companion.stages.tolist() == ["old"] * 3 + ["new"] * 3
    assert chart.extend([12.0]).upper[-1] == second.upper


def test_an_excluded_point_is_kept_on_record_and_out_of_the_limits() -> None:
    x = np.array([10.0, 11.0, 30.0, 10.5, 11.5, 10.2])
    chart = individuals_chart(x, exclude={2: "wrong reagent"})
    assert chart.center == pytest.approx(x[[0, 1, 3, 4, 5]].mean())
    # the ranges on both sides of the point are left out as well
    assert chart.parameters["sigma"] == pytest.approx(np.mean([1, 1, 1.3]) / d2(2))
    assert [(e.position, e.reason) for e in chart.excluded] == [(2, "wrong reagent")]
    assert chart.statistic[2] == 30.0
    assert chart.signals.tolist() == [2]
    grouped = xbar_r_chart(x.reshape(3, 2), exclude={1: "spill"})
    assert grouped.companion.center == pytest.approx((1.0 + 1.3) / 2)


@pytest.mark.parametrize("estimator", ["mr_bar", "mr_median", "mssd", "overall"])
def test_estimators_are_unbiased_and_their_freedom_is_right(estimator: Any) -> None:
    rng = np.random.default_rng(3)
    from pharmaq.spc import sigma_of_individuals

    found = [
        sigma_of_individuals(rng.normal(size=60), estimator=estimator) for _ in range(4000)
    ]
    values = np.array([f.value for f in found])
    # mssd is a root and the median of few ranges is not quite that of many: 1 % at n = 60
    assert values.mean() == pytest.approx(1, abs=0.013)
    freedom = 1 / (2 * (values.std() / values.mean()) ** 2)
    assert found[0].freedom == pytest.approx(freedom, rel=0.08)


@pytest.mark.parametrize("estimator", ["r_bar", "s_bar", "pooled"])
def test_subgroup_estimators_are_unbiased_and_their_freedom_is_right(estimator: Any) -> None:
    from pharmaq.spc import as_subgroups, sigma_of_subgroups

    x = np.random.default_rng(4).normal(size=(4000, 12, 4))
    found = [sigma_of_subgroups(as_subgroups(one), estimator=estimator) for one in x]
    values = np.array([f.value for f in found])
    assert values.mean() == pytest.approx(1, abs=0.01)
    freedom = 1 / (2 * (values.std() / values.mean()) ** 2)
    assert found[0].freedom == pytest.approx(freedom, rel=0.08)


def test_a_given_mean_and_sigma_replace_estimates() -> None:
    chart = individuals_chart([9.0, 10.0, 12.0], center=10.0, sigma=0.5, n_sigma=2)
    assert (chart.lower, chart.center, chart.upper) == (9.0, 10.0, 11.0)
    assert chart.parameters["estimator"] == "given"
    assert chart.signals.tolist() == [2]


def test_a_longer_span_widens_the_window_of_ranges() -> None:
    x = [1.0, 4.0, 2.0, 7.0, 3.0]
    chart = individuals_chart(x, span=3)
    np.testing.assert_array_equal(chart.companion.statistic, [3, 5, 5])
    assert chart.parameters["sigma"] == pytest.approx(13 / 3 / d2(3))
    np.testing.assert_array_equal(chart.extend([9.0]).companion.statistic[-1:], [6])


BAD = {
    "NaN by position": (lambda: individuals_chart([1.0, np.nan, 2.0]), r"values\[1\] is NaN"),
    "one value": (lambda: individuals_chart([1.0]), "at least 2"),
    "constant": (lambda: individuals_chart([2.0, 2.0, 2.0]), "do not vary"),
    "subgroup of one": (lambda: xbar_r_chart([[1, 2], [3]]), "subgroup 2 holds 1"),
    "single values": (lambda: xbar_r_chart([1.0, 2.0]), "subgroup a row"),
    "no subgroups": (lambda: xbar_r_chart([]), "subgroup a row"),
    "nothing within": (lambda: xbar_s_chart([[1, 1], [2, 2]]), "do not vary within"),
    "NaN in a subgroup": (lambda: xbar_r_chart([[1, 2], [3, np.nan]]), r"values\[1\].*NaN"),
    "rest": (lambda: xbar_r_chart([1, 2, 3, 4, 5], subgroups=2), "1 are left over"),
    "label again": (lambda: xbar_r_chart([1, 2, 3], subgroups=[1, 2, 1]), "comes back"),
    "sigma of zero": (lambda: individuals_chart(NIST, sigma=0.0), "sigma must"),
    "limits crossed": (lambda: individuals_chart(NIST, lsl=5, usl=4), "lsl must lie below usl"),
    "infinite limit": (lambda: individuals_chart(NIST, usl=np.inf), "usl must be finite"),
    "all excluded": (lambda: individuals_chart([1, 2], exclude={0: "a", 1: "b"}), "leaves out"),
    "outside": (lambda: individuals_chart([1, 2], exclude={5: "a"}), "exclude must be from 0"),
    "stages": (lambda: individuals_chart([1, 2, 3], stages=["a"]), "stages has shape"),
    "stage again": (lambda: individuals_chart([1, 2, 3], stages=[1, 2, 1]), "comes back"),
    "labels": (lambda: individuals_chart([1, 2], labels=["a"]), "labels has shape"),
    "a short stage": (lambda: individuals_chart([1, 2, 3], stages=[1, 1, 2]), "at least 2"),
    "width": (lambda: individuals_chart(NIST, n_sigma=0), "n_sigma must"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named(case: str) -> None:
    make, message = BAD[case]
    with pytest.raises(InputError, match=message):
        make()


def test_a_reason_is_asked_for_and_an_unknown_option_refused() -> None:
    with pytest.raises(InputTypeError, match="must be the reason in words"):
        individuals_chart(NIST, exclude={1: " "})
    with pytest.raises(InputTypeError, match="exclude must be a dictionary"):
        individuals_chart(NIST, exclude=[1])  # type: ignore[arg-type]
    with pytest.raises(InputTypeError, match="unknown option 'colour'; charts take labels"):
        individuals_chart(NIST, colour="red")  # type: ignore[call-arg]
