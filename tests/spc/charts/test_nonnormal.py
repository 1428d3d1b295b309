"""Charts of values that are not normal."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pharmaq.errors import InputError
from pharmaq.spc import ControlChart, individuals_chart, nonnormal_chart

X = np.random.default_rng(12).weibull(1.5, 60) * 20


def test_quantile_limits_are_those_of_scipy() -> None:
    shape, _, scale = stats.weibull_min.fit(X, floc=0)
    chart = nonnormal_chart(X, method="quantile", distribution="weibull")
    expected = stats.weibull_min(shape, scale=scale).ppf(stats.norm.cdf([-3, 0, 3]))
    np.testing.assert_allclose([chart.lower, chart.center, chart.upper], expected, rtol=2e-4)
    np.testing.assert_array_equal(chart.statistic, X)


def test_boxcox_chart_is_the_chart_of_scipys_transformation() -> None:
    y, _ = stats.boxcox(X)
    expected = individuals_chart((y - y.mean()) / y.std(ddof=1))
    chart = nonnormal_chart(X)
    np.testing.assert_allclose(chart.statistic, expected.statistic, atol=1e-5)
    assert chart.upper == pytest.approx(expected.upper, abs=1e-5)
    assert chart.companion.upper == pytest.approx(expected.companion.upper, abs=1e-5)


@pytest.mark.parametrize(
    "how",
    [
        {"method": "boxcox"},
        {"method": "johnson"},
        {"method": "quantile", "distribution": "gamma"},
    ],
    ids=lambda how: how["method"],
)
def test_saved_chart_extends_by_its_frozen_transformation(how, tmp_path) -> None:
    chart = nonnormal_chart(X, **how)
    chart.save(tmp_path / "chart.pqm")
    again = ControlChart.load(tmp_path / "chart.pqm")
    new = np.array([X[4], X[9], np.sort(X)[-2]])
    longer = again.extend(new)
    assert (longer.upper, longer.lower) == (chart.upper, chart.lower)
    # the same values stand at the same height, whatever else came
    np.testing.assert_allclose(longer.statistic[60:62], chart.statistic[[4, 9]], rtol=1e-12)
    if longer.companion is not None:
        assert longer.companion.n_points == 62
    axes = longer.plot()
    assert axes.get_title(loc="left") == chart.title


def test_run_rules_judge_scores_and_only_single_points_of_quantile_charts() -> None:
    chart = nonnormal_chart(X).extend(np.full(9, np.median(X) * 1.3))
    assert "nelson 2" in set(chart.violations().to_frame()["rule"])
    ranges = chart.companion.violations("western electric").to_frame()
    assert set(ranges["rule"]) <= {"western electric 1"}
    plain = nonnormal_chart(X, method="quantile", distribution="weibull")
    assert "no zones" in plain.violations().not_applied["nelson 2"]
    far = plain.extend([500.0]).violations().to_frame()
    assert far["rule"].tolist()[-1] == "nelson 1"


def test_skewed_values_alarm_less_than_on_a_plain_chart() -> None:
    x = np.random.default_rng(5).exponential(size=2000)
    plain = individuals_chart(x).signals.size
    assert nonnormal_chart(x, method="quantile", distribution="weibull").signals.size < 10
    assert plain > 20


def test_stages_have_their_own_distribution() -> None:
    x = np.concatenate([X, 3 * X])
    chart = nonnormal_chart(
        x, method="quantile", distribution="gamma", stages=["a"] * 60 + ["b"] * 60
    )
    assert chart.upper[60] == pytest.approx(3 * chart.upper[0])


@pytest.mark.parametrize(
    ("how", "match"),
    [
        ({"method": "log"}, "method must be one of"),
        ({"method": "quantile"}, "distribution must be one of"),
        ({"method": "boxcox", "distribution": "gamma"}, "no meaning"),
        ({"values": [1.0, -1.0, 2.0]}, r"values\[1\] is -1"),
    ],
)
def test_bad_input_names_the_argument(how, match: str) -> None:
    arguments = {"values": X} | how
    with pytest.raises(InputError, match=match):
        nonnormal_chart(arguments.pop("values"), **arguments)


def test_impossible_new_value_is_named() -> None:
    with pytest.raises(InputError, match=r"possible for 'boxcox', but values\[1\] is -3"):
        nonnormal_chart(X).extend([5.0, -3.0])
