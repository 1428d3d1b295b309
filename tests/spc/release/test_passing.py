"""Chances of passing staged tests, their bounds and acceptance limits."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from pharmaq.errors import InputError
from pharmaq.spc import (
    DissolutionTest,
    UniformityTest,
    acceptance_limits,
    content_uniformity,
    dissolution_stage,
    pass_probability,
    probability_of_passing,
)

UNIFORMITY, Q80 = UniformityTest(), DissolutionTest(q=80)


# R. A. Lewis, A. Fan, Stat. Biopharm. Res. 8 (2016) 40-48, figure 1: E2810 with n = 10, mean
# 97, 90 % confidence, 95 % lower bound: s = 2.63
def test_acceptance_limit_is_that_of_e2810() -> None:
    found = acceptance_limits(10, UNIFORMITY, means=[97], confidence=0.9, probability=0.95)
    assert found.to_frame()["sd_limit"].tolist() == [2.63]
    assert found.sd_limit[0] == pytest.approx(2.63, abs=0.0051)


def naive_stage_1(mean: float, sd: float, n: int = 10, k: float = 2.4) -> float:
    error = sd / np.sqrt(n)

    def part(x: float) -> float:
        room = 15 - abs(min(max(x, 98.5), 101.5) - x)
        held = stats.chi2.cdf((n - 1) * (room / (k * sd)) ** 2, n - 1)
        return stats.norm.pdf(x, mean, error) * held

    edges = (83.5, 91, 95, 98.5, 101.5, 105, 116.5)
    return sum(
        integrate.quad(part, a, b, epsabs=1e-14, epsrel=1e-12)[0]
        for a, b in itertools.pairwise(edges)
    )


PARAMETERS = [(100, 4), (100, 5), (100, 6), (97, 5), (95, 5), (103, 4.5)]


@pytest.mark.parametrize(("mean", "sd"), PARAMETERS)
def test_first_stage_of_uniformity_solves_the_integral(mean: float, sd: float) -> None:
    found = pass_probability(mean, sd, UNIFORMITY).stages[0]
    assert float(found) == pytest.approx(naive_stage_1(mean, sd), abs=1e-12)


# derived beforehand; its quadrature went across the kinks of M and is off by up to 1.5e-5, its
# simulation of 400 000 tests has a standard error of at most 8e-4
def test_probabilities_are_those_derived_beforehand(shared: Path) -> None:
    cases = json.loads((shared / "cases" / "spc_mspc" / "cases.json").read_text())
    case = next(c for c in cases if c["id"] == "G21")
    mean, sd = np.array(case["params"]["mu_sigma"]).T
    found = pass_probability(mean, sd, UNIFORMITY)
    np.testing.assert_allclose(found.stages[0], case["expected"]["P_stage1"], atol=2e-5)
    expected = np.array(case["expected"]["P_two_stage_MC"])
    assert np.all(found.probability < expected + 1e-3)
    simulated = pass_probability(
        mean, sd, UNIFORMITY, method="simulation", n_simulations=40_000, random_state=1
    )
    noise = 4 * np.sqrt(expected * (1 - expected) / 40_000) + 8e-4
    assert np.all(np.abs(simulated.probability - expected) < noise)


@pytest.mark.parametrize(
    ("test", "mean", "sd"),
    [
        (UNIFORMITY, 96.0, 6.0),
        (UniformityTest(target=105), 104.0, 6.0),
        (Q80, 84.0, 6.0),
        (Q80, 82.0, 8.0),
    ],
)
def test_bound_is_below_the_simulation_and_not_far(test, mean, sd) -> None:
    options = {"method": "simulation", "n_simulations": 20_000, "random_state": 2}
    bound, share = (pass_probability(mean, sd, test, **o).probability for o in ({}, options))
    assert bound <= share + 4 * 0.0036
    assert bound > share - 0.1


# each stage of dissolution by itself, where it is exact
def test_stages_of_dissolution_agree_with_simulation() -> None:
    options = {"method": "simulation", "n_simulations": 20_000, "random_state": 3}
    exact, found = (pass_probability(86, 1.5, Q80, **o).stages[0] for o in ({}, options))
    assert exact == pytest.approx(found, abs=4 * 0.0035)
    few = pass_probability(95, 18, Q80).stages[2]
    simulated = pass_probability(95, 18, Q80, **options).stages[2]
    assert few == pytest.approx(simulated, abs=4 * 0.0035)


@pytest.mark.parametrize("seed", range(5))
def test_simulated_tests_decide_as_the_tests_themselves(seed: int) -> None:
    rng = np.random.default_rng(seed)
    units = rng.normal(95, 6, (20, 30))
    met = np.any(np.stack(UNIFORMITY.stages_met(units)), axis=0)
    decided = [content_uniformity(row, digits=None).outcome == "pass" for row in units]
    assert met.tolist() == decided
    units = rng.normal(81, 6, (20, 24))
    met = np.any(np.stack(Q80.stages_met(units)), axis=0)
    assert met.tolist() == [dissolution_stage(row, q=80).outcome == "pass" for row in units]


@given(
    st.floats(90, 110),
    st.floats(0.5, 6),
    st.integers(5, 60),
    st.sampled_from([0.5, 0.9, 0.95]),
)
def test_limits_and_bound_say_the_same(mean, sd, n, probability) -> None:
    limits = acceptance_limits(n, UNIFORMITY, means=[mean], probability=probability)
    found = probability_of_passing(mean, sd, n, UNIFORMITY, probability=probability)
    if abs(sd - limits.sd_limit[0]) > 1e-6:
        assert found.demonstrated == (sd <= limits.sd_limit[0])


@given(st.floats(81, 99), st.integers(5, 60), st.sampled_from(["two", "one"]))
def test_limits_of_dissolution_and_bound_say_the_same(mean, n, sides) -> None:
    limit = acceptance_limits(n, Q80, means=[mean], sides=sides).sd_limit[0]
    for factor, expected in ((0.999, True), (1.001, False)):
        found = probability_of_passing(mean, factor * limit, n, Q80, sides=sides)
        assert found.demonstrated is expected


def test_confidence_holds_in_simulation() -> None:
    # true chance at the edge: a bound above it is an error, allowed in 10 of 100
    mean, n = 96.0, 10
    sd = float(acceptance_limits(n, UNIFORMITY, means=[mean]).sd_parameter[0])
    truth = float(pass_probability(mean, sd, UNIFORMITY).probability)
    rng = np.random.default_rng(4)
    x = rng.normal(mean, sd, (400, n))
    wrong = [
        probability_of_passing(
            row.mean(), row.std(ddof=1), n, UNIFORMITY, confidence=0.9
        ).lower_bound
        > truth
        for row in x
    ]
    # three standard errors
    assert np.mean(wrong) < 0.10 + 3 * 0.015


def test_larger_samples_and_less_confidence_allow_more() -> None:
    limits = [
        acceptance_limits(n, UNIFORMITY, means=[98]).sd_limit[0] for n in (10, 30, 100, 10**6)
    ]
    assert limits == sorted(limits)
    known = acceptance_limits(30, UNIFORMITY, means=[98]).sd_parameter[0]
    assert limits[-1] == pytest.approx(known, rel=5e-3)
    less = acceptance_limits(30, UNIFORMITY, means=[98], confidence=0.5).sd_limit[0]
    assert limits[1] < less < known


def test_means_that_cannot_pass_have_no_limit() -> None:
    found = acceptance_limits(30, Q80, means=[79, 80, 90])
    assert np.isnan(found.sd_limit[:2]).all()
    assert found.sd_limit[2] > 5
    assert np.isnan(acceptance_limits(30, Q80, means=[70]).sd_limit).all()


def test_table_runs_over_the_means_of_the_standard() -> None:
    found = acceptance_limits(30, UNIFORMITY, probability=0.5)
    assert found.means[[0, -1]].tolist() == [85.1, 114.9]
    assert found.means.size == 299
    table = found.to_frame()
    assert np.all(table["sd_limit"] <= found.sd_limit)
    assert table["rsd_limit"][149] == pytest.approx(table["sd_limit"][149], abs=0.02)


def test_one_sided_limits_of_the_mean_allow_more() -> None:
    two, one = (probability_of_passing(82, 2.2, 24, Q80, sides=s) for s in ("two", "one"))
    assert one.lower_bound > two.lower_bound
    assert one.mean_upper == np.inf


def test_missing_demonstration_is_a_finding() -> None:
    found = probability_of_passing(96, 5, 10, UNIFORMITY)
    assert not found.demonstrated
    assert found.findings[0].severity == "alert"
    assert "at least" in found.findings[0].message
    assert found.estimate > found.lower_bound
    assert (found.worst_mean, found.worst_sd) == (found.mean_lower, found.sd_upper)
    assert probability_of_passing(100, 2, 30, UNIFORMITY).findings == ()


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda: pass_probability(100, 0, UNIFORMITY), "sd must be above 0"),
        (lambda: pass_probability(np.nan, 1, UNIFORMITY), "mean must be finite"),
        (lambda: pass_probability([1, 2], [1, 2, 3], UNIFORMITY), "fit together"),
        (lambda: pass_probability(100, 1, UNIFORMITY, method="exact"), "method"),
        (
            lambda: pass_probability(100, 1, UNIFORMITY, method="simulation", n_simulations=1),
            "n_simulations",
        ),
        (lambda: probability_of_passing(100, 0, 30, UNIFORMITY), "sd must"),
        (lambda: probability_of_passing(100, 1, 2, UNIFORMITY), "n must be at least 3"),
        (lambda: probability_of_passing(100, 1, 9, UNIFORMITY, sides="three"), "sides"),
        (lambda: probability_of_passing(100, 1, 9, UNIFORMITY, sides="one"), "limits it above"),
        (lambda: probability_of_passing(100, 1, 9, UNIFORMITY, confidence=1), "confidence"),
        (lambda: acceptance_limits(9, UNIFORMITY, probability=0.4), "at least 0.5"),
        (lambda: acceptance_limits(9, UNIFORMITY, means=[-1]), "means must be positive"),
        (lambda: UniformityTest(l1=0), "l1"),
        (lambda: UniformityTest(l2=100), "l2"),
        (lambda: UniformityTest(target=0), "target"),
        (lambda: DissolutionTest(q=0), "q must"),
    ],
)
def test_bad_input_is_named(run, message: str) -> None:
    with pytest.raises(InputError, match=message):
        run()


def test_results_are_frames_json_and_pictures() -> None:
    chances = pass_probability([[96], [100]], [3, 4, 5, 6], UNIFORMITY)
    assert list(chances.to_frame()) == [
        "mean",
        "sd",
        "stage_1",
        "stage_2",
        "probability",
        "standard_error",
    ]
    assert json.loads(json.dumps(chances.to_dict()))["method"] == "bound"
    assert [line.get_label() for line in chances.plot().lines] == ["96", "100"]
    limits = acceptance_limits(30, UNIFORMITY, means=np.arange(86, 115, 2.0))
    assert json.loads(json.dumps(limits.to_dict()))["n"] == 30
    assert {line.get_label() for line in limits.plot().lines} == {
        "known parameters, 95 %",
        "sample of 30",
    }
    for test, sides in ((UNIFORMITY, "two"), (Q80, "one")):
        found = probability_of_passing(97, 3, 30, test, sides=sides)
        assert json.loads(json.dumps(found.to_dict()))["demonstrated"] is True
        assert found.to_frame().shape[0] == 1
        axes = found.plot(limits=limits)
        assert axes.get_title(loc="left").startswith("passes with at least ")
    assert len(found.plot().lines) == 1
