"""Three-way, short-run and residual charts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from statsmodels.tsa.ar_model import AutoReg

from pharmaq.errors import InputError
from pharmaq.spc import (
    d2,
    d3,
    individuals_chart,
    residual_chart,
    short_run_chart,
    three_way_chart,
    xbar_r_chart,
)

BATCHES = np.array(
    [[9.9, 10.1, 10.0], [12.0, 12.2, 12.4], [10.9, 11.1, 10.7], [12.6, 12.4, 12.5]]
)


def test_three_way_limits_are_those_of_means_and_of_ranges() -> None:
    chart = three_way_chart(BATCHES)
    means = individuals_chart(BATCHES.mean(axis=1))
    assert (chart.lower, chart.center, chart.upper) == pytest.approx(
        (means.lower, means.center, means.upper)
    )
    assert chart.companion.upper == pytest.approx(means.companion.upper)
    within = xbar_r_chart(BATCHES).companion
    assert chart.companion.companion.upper == pytest.approx(within.upper)
    sigma = chart.parameters
    expected = sigma["sigma_means"] ** 2 - sigma["sigma_within"] ** 2 / 3
    assert sigma["sigma_between"] == pytest.approx(np.sqrt(expected))


def test_batches_that_differ_do_not_signal_in_a_three_way_chart() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(0, 2, (40, 1)) + rng.normal(0, 0.5, (40, 4))
    assert len(xbar_r_chart(x).signals) > 15
    assert len(three_way_chart(x).signals) <= 1
    longer = three_way_chart(x).extend(x[:3])
    assert longer.n_points == 43
    assert longer.companion.n_points == 42
    assert longer.companion.companion.n_points == 43
    assert len(longer.plot().figure.axes) == 3


def test_short_runs_are_charted_as_deviations() -> None:
    values, parts = [10.1, 9.9, 50.4, 49.9, 10.0], list("AABBA")
    chart = short_run_chart(values, parts, nominal={"A": 10.0, "B": 50.0})
    deviations = [0.1, -0.1, 0.4, -0.1, 0.0]
    same = individuals_chart(deviations)
    np.testing.assert_allclose(chart.statistic, deviations, atol=1e-12)
    assert (chart.lower, chart.upper) == pytest.approx((same.lower, same.upper))
    assert chart.companion.upper == pytest.approx(same.companion.upper)


# limits of moving ranges of Z are those of sigma = 1: 3.686 in textbooks
def test_z_charts_have_limits_at_three() -> None:
    rng = np.random.default_rng(2)
    parts = np.array(["A"] * 10 + ["B"] * 10 + ["A"] * 5)
    values = np.where(parts == "A", rng.normal(10, 0.1, 25), rng.normal(50, 2, 25))
    chart = short_run_chart(values, parts, method="z")
    assert (chart.lower, chart.center, chart.upper) == (-3.0, 0.0, 3.0)
    assert chart.companion.upper == pytest.approx(3.686, abs=1e-3)
    own = values[parts == "A"]
    sigma = np.abs(np.diff(own)).mean() / d2(2)
    np.testing.assert_allclose(chart.statistic[:10], (own[:10] - own.mean()) / sigma)
    pooled = short_run_chart(values, parts, method="z", pooling="all")
    assert len(set(pooled.parameters["scale"].values())) == 1
    new = chart.extend([10.9, 50.0], parts=["A", "B"])
    assert new.new_signals.tolist() == [25]
    assert new.companion.statistic[-1] == pytest.approx(
        abs(new.statistic[-2] - new.statistic[-1])
    )


def test_residuals_equal_those_of_statsmodels() -> None:
    x = np.random.default_rng(3).normal(size=60).cumsum() * 0.1
    x += np.random.default_rng(4).normal(size=60)
    for order in (1, 3):
        peer = AutoReg(x, lags=order).fit()
        chart = residual_chart(x, order=order)
        np.testing.assert_allclose(chart.statistic, peer.resid, atol=1e-10)
        np.testing.assert_allclose(
            chart.parameters["coefficients"], peer.params[1:], atol=1e-10
        )
        assert chart.labels[0] == order + 1
        assert chart.upper == pytest.approx(
            3 * np.sqrt(peer.resid @ peer.resid / (59 - 2 * order))
        )


def test_residuals_of_new_values_use_the_frozen_model() -> None:
    x = np.random.default_rng(5).normal(size=50)
    chart = residual_chart(x[:40], order=2)
    a = chart.parameters["coefficients"]
    longer = chart.extend(x[40:])
    expected = [
        x[t] - chart.parameters["intercept"] - a[0] * x[t - 1] - a[1] * x[t - 2]
        for t in range(40, 50)
    ]
    np.testing.assert_allclose(longer.statistic[38:], expected)
    assert longer.upper == chart.upper


def test_residual_limits_hold_where_moving_ranges_fail() -> None:
    rng = np.random.default_rng(6)
    x = np.zeros(3000)
    for t in range(1, 3000):
        x[t] = 0.8 * x[t - 1] + rng.normal()
    assert len(individuals_chart(x).signals) > 200
    # three standard errors about 0.27 % of 3000
    assert abs(len(residual_chart(x).signals) - 8) <= 9


BAD: dict[str, tuple[Any, str]] = {
    "unknown part": (
        lambda: short_run_chart([1, 2, 3, 5], list("AABB")).extend([1], parts=["C"]),
        "part 'C' was not there in phase 1",
    ),
    "no parts": (lambda: short_run_chart([1, 2], list("AA")).extend([1]), "parts is missing"),
    "shape": (lambda: short_run_chart([1, 2, 3], list("AA")), "parts has shape"),
    "one of a part": (
        lambda: short_run_chart([1, 2, 3], list("AAB"), method="z"),
        "part 'B' has no two",
    ),
    "no target": (
        lambda: short_run_chart([1, 2, 3], list("AAB"), nominal={"A": 1}),
        "no target for part 'B'",
    ),
    "few values": (lambda: residual_chart([1, 2, 3]), "at least 4"),
    "drift": (lambda: residual_chart(2.0 ** np.arange(12)), "not stationary"),
    "constant": (lambda: residual_chart(np.ones(9)), "do not vary"),
    "exclude": (
        lambda: residual_chart(np.arange(9) % 4, exclude={1: "x"}),
        "needs every value",
    ),
    "batch of one": (lambda: three_way_chart([[1, 2], [3]]), "subgroup 2 holds 1"),
    "parts of none": (
        lambda: individuals_chart([1, 2, 3]).extend([1], parts=["A"]),
        "parts has no meaning",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named(case: str) -> None:
    make, message = BAD[case]
    with pytest.raises(InputError, match=message):
        make()


def test_constants_of_a_moving_range_chart() -> None:
    assert d2(2) + 3 * d3(2) == pytest.approx(3.686, abs=5e-4)
