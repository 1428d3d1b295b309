"""Sampling plans against books, R and exact twins."""

from __future__ import annotations

import itertools
import json
from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pharmaq.errors import InputError
from pharmaq.spc import attribute_plan, sampling_plan, variables_plan


# R 4.2.2, AcceptanceSampling 1.0.11
def test_plans_agree_with_r(r_results) -> None:
    expected = r_results["acceptance_plan"]
    (aql, _), (ltpd, beta) = expected["PRP"], expected["CRP"]
    plan = sampling_plan(aql, ltpd, beta=beta)
    numbers = (plan.n[0], plan.accept[0], plan.reject[0])
    assert numbers == tuple(expected["binomial"][x] for x in ("n", "c", "r"))
    given_plan = attribute_plan(80, 2)
    np.testing.assert_allclose(
        given_plan.chance(expected["OC_n80_c2_pd"]), expected["OC"], atol=1e-11
    )
    variables = variables_plan(aql, ltpd, beta=beta)
    assert variables.n == expected["normal_unknown"]["n"]
    # R searches k to 1e-4 only; ours solves the equation, as the next test shows
    assert variables.k == pytest.approx(expected["normal_unknown"]["k"], abs=5e-6)


def test_constant_solves_the_equation_of_the_producer() -> None:
    plan = variables_plan(0.01, 0.05)
    root = np.sqrt(plan.n)
    t = stats.nct(plan.n - 1, root * stats.norm.isf(0.01))
    assert t.sf(root * plan.k) == pytest.approx(0.95, abs=1e-9)
    assert plan.producer_risk == pytest.approx(0.05, abs=1e-9)
    assert plan.consumer_risk <= 0.10
    smaller = stats.nct(plan.n - 2, np.sqrt(plan.n - 1) * stats.norm.isf([0.01, 0.05]))
    k = smaller.ppf(0.05)[0]
    assert smaller.sf(k)[1] > 0.10


# mfgQC and R: n = 134, accept up to 3
def test_chances_of_a_known_plan() -> None:
    plan = attribute_plan(134, 3)
    np.testing.assert_allclose(
        plan.chance([0.01, 0.05, 0.02]), [0.9537, 0.0931, 0.7192], atol=6e-5
    )
    lot = attribute_plan(134, 3, distribution="hypergeometric", lot_size=500)
    assert lot.chance(0.02)[0] == pytest.approx(0.7339, abs=6e-5)


# D. C. Montgomery, Introduction to Statistical Quality Control, table 15.2: n = 89, c = 2
def test_operating_characteristic_is_that_of_montgomery() -> None:
    p = [0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09]
    printed = [0.9897, 0.9397, 0.7366, 0.4985, 0.3042, 0.1721, 0.0919, 0.0468, 0.0230, 0.0109]
    np.testing.assert_allclose(attribute_plan(89, 2).chance(p), printed, atol=5e-5)


# ANSI/ASQ Z1.4 table II-A, code letter K: n = 125; lots of the AQL pass with 95 to 99.5 %
@pytest.mark.parametrize(
    ("aql", "accept"),
    [(0.65, 2), (1.0, 3), (1.5, 5), (2.5, 7), (4.0, 10), (6.5, 14), (10.0, 21)],
)
def test_plans_of_the_standard_accept_their_aql(aql: float, accept: int) -> None:
    plan = attribute_plan(125, accept, aql=aql / 100, alpha=0.05)
    assert 0.005 < plan.producer_risk < 0.05
    assert plan.findings == ()


# Wilks 1941: 95 % sure of less than 10, 5, 1 %
@pytest.mark.parametrize(("ltpd", "n"), [(0.10, 29), (0.05, 59), (0.01, 299)])
def test_plans_without_a_nonconforming_unit(ltpd: float, n: int) -> None:
    plan = sampling_plan(None, ltpd, beta=0.05, accept=0)
    assert (plan.n, plan.accept, plan.producer_risk) == ((n,), (0,), None)
    assert plan.consumer_risk <= 0.05
    assert attribute_plan(n - 1, 0, ltpd=ltpd, beta=0.05).findings[0].rule == "consumer_risk"


def naive_double(n, accept, reject, p: Fraction) -> Fraction:
    """Chance of acceptance by going through all pairs of counts, in whole numbers."""

    def pmf(k: int, size: int) -> Fraction:
        return comb(size, k) * p**k * (1 - p) ** (size - k)

    total = sum(pmf(k, n[0]) for k in range(accept[0] + 1))
    for first, second in itertools.product(range(accept[0] + 1, reject[0]), range(n[1] + 1)):
        if first + second <= accept[1]:
            total += pmf(first, n[0]) * pmf(second, n[1])
    return total


@given(
    st.integers(1, 12),
    st.integers(1, 12),
    st.integers(0, 3),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(0, 20),
)
def test_double_plans_equal_the_sum_over_all_pairs(n1, n2, c1, gap, more, twentieths) -> None:
    c2 = c1 + more
    reject = (min(c1 + gap + 1, c2 + 1), c2 + 1)
    plan = attribute_plan([n1, n2], [c1, c2], list(reject))
    exact = naive_double((n1, n2), (c1, c2), reject, Fraction(twentieths, 20))
    assert plan.chance(twentieths / 20)[0] == pytest.approx(float(exact), abs=1e-12)


def test_double_plan_of_a_lot_equals_simulation() -> None:
    plan = attribute_plan([20, 20], [0, 3], distribution="hypergeometric", lot_size=100)
    rng = np.random.default_rng(1)
    lot = np.arange(100) < 8
    drawn = np.array([rng.permutation(lot)[:40] for _ in range(20_000)])
    first, both = drawn[:, :20].sum(axis=1), drawn.sum(axis=1)
    share = np.mean((first <= 0) | ((first < 4) & (both <= 3)))
    assert plan.chance(0.08)[0] == pytest.approx(share, abs=4 * 0.0036)


def test_average_sample_number_is_between_the_samples() -> None:
    plan = attribute_plan([50, 50], [1, 4])
    assert np.all((plan.sample_number >= 50) & (plan.sample_number <= 100))
    assert plan.sample_number[0] == 50
    p = plan.fractions[20]
    goes_on = stats.binom.cdf(4, 50, p) - stats.binom.cdf(1, 50, p)
    assert plan.sample_number[20] == pytest.approx(50 + 50 * goes_on)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"distribution": "poisson"},
        {"distribution": "hypergeometric", "lot_size": 500},
        {"stages": "double"},
        {"stages": "double", "distribution": "hypergeometric", "lot_size": 500},
    ],
)
def test_plans_keep_both_risks_and_smaller_ones_do_not(options) -> None:
    plan = sampling_plan(0.01, 0.06, **options)
    assert plan.producer_risk <= 0.05
    assert plan.consumer_risk <= 0.10
    assert plan.findings == ()
    lot = {k: v for k, v in options.items() if k != "stages"}
    smaller = attribute_plan(
        [n - 1 for n in plan.n],
        list(plan.accept),
        list(plan.reject),
        ltpd=0.06,
        **lot,
    )
    assert smaller.consumer_risk > 0.10


def test_double_plans_inspect_less_at_the_aql() -> None:
    single, double = (sampling_plan(0.01, 0.05, stages=s) for s in ("single", "double"))
    at_aql = np.interp(0.01, double.fractions, double.sample_number)
    assert at_aql < single.n[0]


# Montgomery, section 15.2.4: n = 89, c = 2, N = 10 000, incoming 0.01: AOQ 0.0093
def test_outgoing_quality_is_that_of_montgomery() -> None:
    plan = attribute_plan(89, 2, lot_size=10_000)
    at = np.interp(0.01, plan.fractions, plan.outgoing)
    assert at == pytest.approx(0.0093, abs=6e-5)
    assert plan.outgoing_limit == plan.outgoing.max()
    assert 0.015 < plan.outgoing_limit < 0.0155


def test_lots_are_decided_stage_by_stage() -> None:
    plan = attribute_plan([50, 50], [1, 4], [4, 5])
    decisions = [plan.decide(found) for found in ([1], [2], [4], [3, 1], [2, 3])]
    assert decisions == ["accept", "continue", "reject", "accept", "reject"]
    with pytest.raises(InputError, match="sample 2 was not needed"):
        plan.decide([1, 0])
    with pytest.raises(InputError, match="1 to 2 counts"):
        plan.decide([])
    with pytest.raises(InputError, match=r"nonconforming\[0\]"):
        plan.decide([51])
    assert attribute_plan(5, 8, distribution="poisson").decide([7]) == "accept"


# known sigma: n = ((z_alpha + z_beta) / (z_1 - z_2))^2
def test_known_sigma_needs_fewer_units() -> None:
    known, unknown = (variables_plan(0.01, 0.05, sigma=s) for s in ("known", "unknown"))
    z = stats.norm.isf([0.05, 0.10, 0.01, 0.05])
    assert known.n == np.ceil(((z[0] + z[1]) / (z[2] - z[3])) ** 2)
    assert known.n < unknown.n < sampling_plan(0.01, 0.05).n[0]
    assert known.k == pytest.approx(z[2] - z[0] / np.sqrt(known.n))
    assert known.chance(0.01)[0] == pytest.approx(0.95)
    assert known.consumer_risk <= 0.10


@given(st.integers(0, 10_000), st.sampled_from(["known", "unknown"]))
def test_one_limit_decides_as_the_constant_does(seed: int, sigma) -> None:
    plan = variables_plan(0.02, 0.15, sigma=sigma)
    x = np.random.default_rng(seed).normal(98.3, 1, plan.n)
    known = {"sigma": 1.0} if sigma == "known" else {}
    spread = 1.0 if sigma == "known" else x.std(ddof=1)
    for limits, distance in (({"usl": 100}, 100 - x.mean()), ({"lsl": 96.6}, x.mean() - 96.6)):
        found = plan.decide(x, **limits, **known)
        assert found.accepted == (distance / spread >= plan.k)
        assert (found.findings == ()) == found.accepted


@pytest.mark.parametrize("sigma", ["known", "unknown"])
def test_estimated_fraction_is_unbiased(sigma) -> None:
    plan = variables_plan(0.02, 0.2, sigma=sigma)
    rng = np.random.default_rng(2)
    known = {"sigma": 1.0} if sigma == "known" else {}
    fractions = [
        plan.decide(rng.normal(0, 1, plan.n), usl=1.5, lsl=-2.0, **known).fraction
        for _ in range(2000)
    ]
    truth = stats.norm.sf(1.5) + stats.norm.cdf(-2.0)
    noise = 4 * np.std(fractions) / np.sqrt(2000)
    assert np.mean(fractions) == pytest.approx(truth, abs=noise)


def test_two_limits_count_both_sides() -> None:
    plan = variables_plan(0.01, 0.05)
    x = np.linspace(-1, 1, plan.n)
    found = plan.decide(x, lsl=-1.5, usl=1.5)
    assert found.fraction == pytest.approx(found.fraction_below + found.fraction_above)
    assert found.fraction_below == pytest.approx(found.fraction_above)
    assert not plan.decide(x, lsl=-1, usl=1).accepted
    assert "not accepted" in plan.decide(x, lsl=-1, usl=1).findings[0].message


def test_small_plans_are_found() -> None:
    plan = variables_plan(0.001, 0.45, alpha=0.2, beta=0.2)
    assert plan.n == 3
    assert variables_plan(0.001, 0.45, alpha=0.2, beta=0.2, sigma="known").n == 2


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda: sampling_plan(0.05, 0.01), "ltpd must be larger"),
        (lambda: sampling_plan(0.0, 0.01), "aql"),
        (lambda: sampling_plan(0.01, 1.5), "ltpd"),
        (lambda: sampling_plan(None, 0.05), "aql is needed"),
        (lambda: sampling_plan(0.01, 0.05, alpha=1), "alpha"),
        (lambda: sampling_plan(0.01, 0.05, stages="triple"), "stages"),
        (lambda: sampling_plan(0.01, 0.05, distribution="normal"), "distribution"),
        (lambda: sampling_plan(0.01, 0.05, distribution="hypergeometric"), "lot_size"),
        (lambda: sampling_plan(None, 0.05, accept=0, stages="double"), "accept has no"),
        (lambda: sampling_plan(0.0499, 0.05), "keeps both risks"),
        (lambda: sampling_plan(None, 1e-9, accept=0), "no sample of up to"),
        (
            lambda: sampling_plan(0.001, 0.002, distribution="hypergeometric", lot_size=100),
            "both stand for",
        ),
        (lambda: attribute_plan(10, 1, 1), "below reject"),
        (lambda: attribute_plan(10, 1, 3), "last stage must decide"),
        (lambda: attribute_plan([10, 10], 1), "one number a stage"),
        (lambda: attribute_plan([10, 10], [2, 1]), "both rising"),
        (lambda: attribute_plan(200, 1, lot_size=100), "at least the 200 units"),
        (lambda: attribute_plan(0, 1), "n must"),
        (lambda: attribute_plan(10, 1).chance(1.5), "fractions must lie"),
        (lambda: variables_plan(0.05, 0.01), "larger than aql"),
        (lambda: variables_plan(0.01, 0.6), "0.6"),
        (lambda: variables_plan(0.01, 0.0101), "so close"),
        (lambda: variables_plan(0.01, 0.05, sigma="half"), "sigma must be one of"),
        (lambda: variables_plan(0.01, 0.05).chance(0), "between 0 and 1"),
        (lambda: variables_plan(0.01, 0.05).decide([1.0, 2.0], usl=3), "the 55 units"),
        (lambda: variables_plan(0.01, 0.05).decide([1.0] * 55, usl=3), "no spread"),
        (lambda: variables_plan(0.01, 0.05).decide(range(55)), "lsl or usl"),
        (lambda: variables_plan(0.01, 0.05).decide(range(55), usl=1, lsl=2), "larger than lsl"),
        (lambda: variables_plan(0.01, 0.05).decide(range(55), usl=1, sigma=2), "leave it out"),
        (
            lambda: variables_plan(0.01, 0.05, sigma="known").decide(range(19), usl=1),
            "needs sigma",
        ),
    ],
)
def test_bad_input_is_named(run, message: str) -> None:
    with pytest.raises(InputError, match=message):
        run()


def test_no_double_plan_of_equal_samples_is_an_error() -> None:
    with pytest.raises(InputError, match="no double plan"):
        sampling_plan(0.05, 0.3, stages="double", distribution="hypergeometric", lot_size=8)


def test_results_are_frames_json_and_pictures() -> None:
    for plan in (
        sampling_plan(0.01, 0.05),
        attribute_plan(20, 2, distribution="poisson"),
        attribute_plan(20, 1, distribution="hypergeometric", lot_size=50, ltpd=0.1),
        variables_plan(0.01, 0.05),
        variables_plan(0.01, 0.05, sigma="known"),
    ):
        assert json.loads(json.dumps(plan.to_dict()))["n"]
        assert np.all(np.diff(plan.to_frame()["acceptance"]) <= 1e-12)
        axes = plan.plot()
        line = axes.lines[0]
        np.testing.assert_array_equal(line.get_ydata(), plan.acceptance)
    decision = variables_plan(0.01, 0.05).decide(range(55), usl=100)
    assert decision.to_frame().shape == (1, 9)
    worse = attribute_plan(20, 2, aql=0.1, alpha=0.05)
    assert "rejects lots" in worse.findings[0].message
