"""Counts of environmental monitoring against published fits, statsmodels and simulation."""

from __future__ import annotations

import json
import math
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.discrete.count_model import ZeroInflatedNegativeBinomialP

from pharmaq.errors import InputError
from pharmaq.spc import alert_action_levels

# red mites on apple leaves; C. I. Bliss, R. A. Fisher, Biometrics 9 (1953) 176-200
MITES = [0] * 70 + [1] * 38 + [2] * 17 + [3] * 10 + [4] * 9 + [5] * 3 + [6] * 2 + [7]


def row(found: Any, model: str) -> pd.Series:
    return found.to_frame().set_index("model").loc[model]


# Bliss and Fisher 1953: mean 1.14667, k = 1.02459, expected 69.49, 37.60, 20.10, ...
def test_negative_binomial_is_that_of_bliss_and_fisher() -> None:
    found = alert_action_levels(MITES)
    assert (found.model, found.chosen_by) == ("negative_binomial", "bic")
    assert found.mean == pytest.approx(1.14667, abs=6e-6)
    assert found.size == pytest.approx(1.02459, abs=6e-6)
    printed = [69.49, 37.60, 20.10, 10.70]
    np.testing.assert_allclose(found.expected[:4], printed, atol=0.0051)
    # the Poisson distribution is no description of them
    assert row(found, "poisson")["p_fit"] < 1e-5
    assert row(found, "negative_binomial")["p_fit"] > 0.3


def mixture(rng: np.random.Generator, n: int = 400) -> np.ndarray:
    counts = rng.negative_binomial(1.5, 1.5 / 4.5, n)
    return np.where(rng.random(n) < 0.5, 0, counts)


# statsmodels 0.14: maximum likelihood with constants only
def test_fits_with_extra_zeros_agree_with_statsmodels() -> None:
    x = mixture(np.random.default_rng(1))
    one = np.ones((x.size, 1))
    found = alert_action_levels(x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        poisson = sm.ZeroInflatedPoisson(x, one, exog_infl=one).fit(disp=0, maxiter=500)
        full = ZeroInflatedNegativeBinomialP(x, one, exog_infl=one).fit(disp=0, maxiter=2000)
    ours = row(found, "zero_inflated_poisson")
    assert ours["log_likelihood"] == pytest.approx(poisson.llf, abs=1e-7)
    assert ours["mean"] == pytest.approx(np.exp(poisson.params[1]), rel=1e-5)
    assert ours["zeros"] == pytest.approx(1 / (1 + np.exp(-poisson.params[0])), rel=1e-5)
    ours = row(found, "zero_inflated_nb")
    assert ours["log_likelihood"] == pytest.approx(full.llf, abs=1e-6)
    assert ours["mean"] == pytest.approx(np.exp(full.params[1]), rel=1e-4)
    assert ours["size"] == pytest.approx(1 / full.params[2], rel=1e-3)
    assert found.model == "zero_inflated_nb"


@settings(max_examples=20)
@given(st.lists(st.integers(0, 30), min_size=5, max_size=60))
def test_levels_are_quantiles_of_every_model(counts: list[int]) -> None:
    found = alert_action_levels(counts)
    for fit in found.to_frame().itertuples(index=False):
        if math.isinf(fit.size):
            inner = stats.poisson(fit.mean)
        else:
            inner = stats.nbinom(fit.size, fit.size / (fit.size + fit.mean))
        for chance, level in ((0.95, fit.alert_level), (0.99, fit.action_level)):
            held = fit.zeros + (1 - fit.zeros) * inner.cdf([level, level - 1])
            assert held[0] >= chance - 1e-9
            assert level == 0 or held[1] < chance + 1e-9
    assert found.action_level >= found.alert_level


@settings(max_examples=15)
@given(st.lists(st.integers(0, 20), min_size=5, max_size=40), st.randoms())
def test_order_does_not_matter(counts: list[int], random) -> None:
    shuffled = list(counts)
    random.shuffle(shuffled)
    first, second = alert_action_levels(counts), alert_action_levels(shuffled)
    pd.testing.assert_frame_equal(first.to_frame(), second.to_frame())


def test_levels_keep_their_share_of_new_counts() -> None:
    rng = np.random.default_rng(2)
    found = alert_action_levels(mixture(rng, 2000), model="zero_inflated_nb")
    new = mixture(rng, 100_000)
    for level, chance in ((found.alert_level, 0.95), (found.action_level, 0.99)):
        assert np.mean(new <= level) >= chance - 0.012
        assert np.mean(new <= level - 2) < chance + 0.012


@pytest.mark.parametrize("model", ["negative_binomial", "quantile"])
def test_limits_hold_the_true_level(model) -> None:
    rng = np.random.default_rng(3)
    truth = stats.nbinom(1.2, 1.2 / 3.2).ppf(0.95)
    held = []
    for _ in range(60):
        found = alert_action_levels(rng.negative_binomial(1.2, 1.2 / 3.2, 200), model=model)
        held.append(found.alert_lower <= truth <= found.alert_upper)
    # 95 % nominal, more for counts; three standard errors
    assert np.mean(held) > 0.95 - 3 * 0.028


def test_score_test_of_zeros_keeps_its_level() -> None:
    rng = np.random.default_rng(4)
    p = [
        alert_action_levels(rng.poisson(1.0, 80), model="quantile").p_zeros for _ in range(200)
    ]
    # three standard errors
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=3 * 0.0154)


def test_score_test_is_van_den_broeks() -> None:
    # n0 - n p0 over its standard deviation n p0 (1 - p0 - mean p0)
    x = np.array([0] * 81 + [1] * 9 + [2] * 7 + [3])
    p0 = math.exp(-x.mean())
    score = (81 - 98 * p0) ** 2 / (98 * p0 * (1 - p0) - 98 * x.mean() * p0**2)
    found = alert_action_levels(x)
    assert found.p_zeros == pytest.approx(stats.norm.sf(math.sqrt(score)))
    assert "zero_inflated_poisson" in set(found.fits["model"])


def test_quantiles_are_order_statistics() -> None:
    x = np.arange(1, 101)
    found = alert_action_levels(x, model="quantile")
    assert (found.alert_level, found.action_level) == (95, 99)
    assert (found.alert_lower, found.alert_upper) == (90, 100)
    assert found.action_upper == math.inf
    assert math.isnan(found.mean)
    assert found.expected.size == 0


# exact: 0 of n gives 1 - 0.025^(1/n)
def test_recovery_rate_has_exact_limits() -> None:
    found = alert_action_levels([0] * 100)
    assert (found.recovery_rate, found.recovery_lower) == (0, 0)
    assert found.recovery_upper == pytest.approx(1 - 0.025 ** (1 / 100))
    found = alert_action_levels([0] * 90 + [1] * 10)
    assert (found.recovery_lower, found.recovery_upper) == pytest.approx(
        stats.binomtest(10, 100).proportion_ci(), rel=1e-9
    )
    assert alert_action_levels([1, 2, 3, 1, 1]).recovery_upper == 1


def test_no_growth_has_a_level_of_zero_with_an_upper_limit() -> None:
    found = alert_action_levels([0] * 60)
    assert (found.model, found.alert_level, found.action_level) == ("poisson", 0, 0)
    assert found.alert_lower == 0
    assert found.action_upper >= 1
    assert [f.rule for f in found.findings] == ["no_growth"]
    assert math.isnan(found.p_dispersion)


def test_counts_above_the_levels_are_findings_with_their_names() -> None:
    x = pd.Series([*MITES, 12], index=[f"room {i}" for i in range(151)])
    found = alert_action_levels(x)
    worst = [f for f in found.findings if f.severity == "action"]
    assert [f.subject for f in worst] == ["room 150"]
    assert worst[0].message == f"count 12 is above the action level of {found.action_level}"
    assert all(f.value > f.limit for f in found.findings if f.rule.endswith("_level"))


def test_doubts_about_a_model_are_findings() -> None:
    rules = {f.rule for f in alert_action_levels(MITES, model="poisson").findings}
    assert {"dispersion", "distribution"} <= rules
    assert "sample_size" in {f.rule for f in alert_action_levels([0, 1, 0, 2, 0]).findings}


def test_criteria_are_those_of_their_definitions() -> None:
    table = alert_action_levels(MITES, criterion="aic").to_frame()
    expected = 2 * table["n_parameters"] - 2 * table["log_likelihood"]
    np.testing.assert_allclose(table["aic"], expected)
    change = (math.log(150) - 2) * table["n_parameters"]
    np.testing.assert_allclose(table["bic"] - table["aic"], change)


@pytest.mark.parametrize(
    ("counts", "options", "message"),
    [
        ([1, 2, 3], {}, "at least 5"),
        ([1, 2, 3, 4, 2.5], {}, r"counts\[4\] is 2.5"),
        ([1, 2, 3, 4, -1], {}, "whole numbers from 0"),
        ([1, 2, 3, 4, np.nan], {}, "NaN"),
        (["TNTC", 2, 3, 4, 1], {}, "numbers only"),
        (MITES, {"alert": 0.99, "action": 0.95}, "larger than alert"),
        (MITES, {"alert": 0}, "alert"),
        (MITES, {"model": "normal"}, "model must be one of"),
        (MITES, {"criterion": "r2"}, "criterion"),
        (MITES, {"confidence": 1}, "confidence"),
        ([5] * 20, {"model": "negative_binomial"}, "these can: poisson"),
        ([0] * 20, {"model": "zero_inflated_poisson"}, "cannot be fitted"),
    ],
)
def test_bad_input_is_named(counts, options, message: str) -> None:
    with pytest.raises(InputError, match=message):
        alert_action_levels(counts, **options)


@pytest.mark.parametrize(
    "counts",
    [
        [5] * 10,
        [0] * 5 + [1] * 5,
        [0, 0, 0, 1, 0, 0],
        [0] * 90 + [20] * 4,
        [0, 1, 2, 0, 0, 1, 9, 0, 0, 0, 0, 3],
        [0, 0, 2, 2, 2, 3, 2, 2],
        [0] * 200 + [1] * 3 + [400],
    ],
)
def test_odd_counts_have_levels(counts) -> None:
    found = alert_action_levels(counts)
    assert 0 <= found.alert_level <= found.action_level
    assert not found.alert_lower > found.alert_level


def test_counts_that_are_hardly_more_than_poisson() -> None:
    # the size is large and known to no digit: a level, but no limits
    found = alert_action_levels([90, 110] * 180 + [89, 111], model="negative_binomial")
    assert found.size > 50_000
    assert math.isnan(found.alert_lower)
    with pytest.raises(InputError, match="cannot be fitted"):
        alert_action_levels([90, 110] * 1000 + [89, 111], model="negative_binomial")


def test_result_is_json_and_a_picture() -> None:
    found = alert_action_levels(MITES)
    assert json.loads(json.dumps(found.to_dict()))["alert_level"] == 4
    axes = found.plot()
    assert sum(bar.get_height() for bar in axes.patches) == 150
    np.testing.assert_allclose(axes.lines[0].get_ydata(), found.expected)
    assert [line.get_xdata()[0] for line in axes.lines[1:]] == [4.5, 7.5]
    assert len(alert_action_levels(MITES, model="quantile").plot().lines) == 2
