"""Sample sizes of intervals against those that other programs and tables print."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from pharmaq.errors import InputError
from pharmaq.spc import (
    batch_tolerance_interval,
    batch_tolerance_sample_size,
    prediction_sample_size,
    tolerance_factor,
    tolerance_interval,
    tolerance_sample_size,
)


# printed in the manual of R's package EnvStats, predIntNormN
@pytest.mark.parametrize(
    ("options", "n"),
    [
        *(({"factor": 3, "m": m}, n) for m, n in enumerate((6, 9, 11, 14, 18), 1)),
        *(({"factor": k}, n) for k, n in ((2, 86), (3, 6), (4, 4), (5, 3))),
        *(
            ({"factor": 2, "confidence": c}, n)
            for c, n in ((0.5, 2), (0.6, 2), (0.7, 3), (0.8, 4), (0.9, 9))
        ),
        *(
            ({"factor": k, "m": 4, "confidence": 0.9}, n)
            for k, n in ((2.25, 526), (2.5, 20), (3, 9))
        ),
    ],
)
def test_sizes_of_prediction_intervals_are_the_printed_ones(options, n: int) -> None:
    assert prediction_sample_size(**options) == n


# the same manual, tolIntNormN; by approximate factors, which give the same numbers here
@pytest.mark.parametrize("method", ["normal", "lognormal"])
@pytest.mark.parametrize(
    ("coverage", "confidence", "factor", "n"),
    [
        *((c, 0.95, 3, n) for c, n in ((0.5, 4), (0.6, 4), (0.7, 5), (0.8, 6), (0.9, 9))),
        *((0.95, 0.95, k, n) for k, n in ((3, 15), (4, 8), (5, 6), (6, 5), (2, 3437))),
        *((0.95, c, 3, n) for c, n in ((0.5, 3), (0.6, 4), (0.7, 5), (0.8, 7), (0.9, 11))),
    ],
)
def test_sizes_by_the_factor_are_the_printed_ones(
    method, coverage, confidence, factor, n: int
) -> None:
    found = tolerance_sample_size(
        coverage=coverage, confidence=confidence, method=method, factor=factor
    )
    assert found == n


# MIL-HDBK-17-1F, tables 8.5.14 and 8.5.15: factors of n values, 1 from 29 and 299 on
@pytest.mark.parametrize(
    ("coverage", "factor", "n"),
    [(0.9, 1, 29), (0.99, 1, 299), (0.99, 3.57268, 10), (0.99, 3.57266, 11)],
)
def test_sizes_of_hanson_and_koopmans_are_those_of_the_table(coverage, factor, n) -> None:
    found = tolerance_sample_size(
        coverage=coverage,
        confidence=0.95,
        sides="one",
        method="hanson_koopmans",
        factor=factor,
    )
    assert found == n


@settings(max_examples=20)
@given(st.floats(0.5, 0.99), st.floats(0.5, 0.99))
def test_extremes_as_two_limits_need_what_each_side_needs(coverage, confidence) -> None:
    options = {"method": "hanson_koopmans", "factor": 1}
    two = tolerance_sample_size(coverage=coverage, confidence=confidence, **options)
    half = {"coverage": (1 + coverage) / 2, "confidence": (1 + confidence) / 2}
    # Wilks for one side: 1 - coverage^n
    exact = math.log1p(-half["confidence"]) / math.log(half["coverage"])
    assert two in {max(2, math.ceil(exact - 1e-6)), max(2, math.ceil(exact + 1e-6))}


def test_many_values_bring_hanson_and_koopmans_inside_the_extremes() -> None:
    options = {"coverage": 0.99, "confidence": 0.95, "sides": "one"}
    n = tolerance_sample_size(**options, method="hanson_koopmans", factor=0.5)
    # in the worst case the smallest of n lies about ln(n) below, the quantile ln(100)
    rng = np.random.default_rng(4)
    largest = rng.exponential(size=40_000) / n
    smallest = largest - np.log1p(-(rng.uniform(size=40_000) ** (1 / (n - 1))))
    held = np.mean(largest + 0.5 * (smallest - largest) >= -math.log1p(-0.99))
    assert held == pytest.approx(0.95, abs=4 * 0.0011)


@pytest.mark.parametrize("n", [2, 300, 5000, 20_000])
def test_factor_of_hanson_and_koopmans_holds_the_confidence_for_any_number(n: int) -> None:
    found = tolerance_interval(
        np.linspace(0, 1, n), coverage=0.99, method="hanson_koopmans", sides="lower"
    )
    reach = -math.log1p(-0.99)

    # -ln of the largest of n uniform values is u / n, u exponential
    def missed(u: float) -> float:
        short = -math.expm1(-(reach - u / n) / found.factor)
        return math.exp(-u) * short ** (n - 1)

    share, _ = integrate.quad(missed, 0, min(40.0, n * reach), epsabs=1e-12, limit=200)
    assert 1 - share == pytest.approx(0.95, abs=1e-9)


@pytest.mark.parametrize("sides", ["one", "two"])
def test_expectation_intervals_hold_nearly_their_coverage(sides) -> None:
    options = {"coverage": 0.9, "confidence": 0.95, "sides": sides}
    n = tolerance_sample_size(**options, method="beta_expectation", excess=0.04)
    assert n == tolerance_sample_size(
        **options, method="beta_expectation", excess=0.04, risk=0.5
    )
    rng, runs = np.random.default_rng(6), 200_000

    def near(size: int) -> float:
        k = stats.t.ppf(0.9 if sides == "one" else 0.95, size - 1) * math.sqrt(1 + 1 / size)
        mean = rng.standard_normal(runs) / math.sqrt(size)
        sd = np.sqrt(rng.chisquare(size - 1, runs) / (size - 1))
        below = stats.norm.cdf(mean - k * sd) if sides == "two" else 0
        return float(np.mean(np.abs(stats.norm.cdf(mean + k * sd) - below - 0.9) <= 0.04))

    # four standard errors
    assert near(n) == pytest.approx(0.95, abs=0.001 + 4 * 0.0005)
    assert near(n // 2) < 0.9


def test_expectation_interval_by_its_factor_is_the_prediction_interval() -> None:
    options = {"coverage": 0.95, "confidence": 0.5, "method": "beta_expectation"}
    # the manual of predIntNormN again
    assert [tolerance_sample_size(**options, factor=k) for k in (2, 3, 4, 5)] == [86, 6, 4, 3]


@pytest.mark.parametrize("sides", ["one", "two"])
def test_margin_bounds_the_expected_half_width(sides) -> None:
    level = 0.975 if sides == "two" else 0.95
    n = prediction_sample_size(margin=0.05, sides=sides)

    def width(size: int) -> float:
        c4 = stats.chi.mean(size - 1) / math.sqrt(size - 1)
        return float(c4 * stats.t.ppf(level, size - 1) * math.sqrt(1 + 1 / size))

    limit = 1.05 * stats.norm.ppf(level)
    assert width(n) <= limit < width(n - 1)


def test_limits_of_a_mean_need_more_values_than_the_mean_has() -> None:
    sizes = [prediction_sample_size(margin=0.1, m=m, of="mean") for m in (1, 5, 20)]
    assert sizes == sorted(sizes)
    # sqrt(1 / m + 1 / n) alone is more than a tenth above sqrt(1 / m) below m / 0.21
    assert sizes[-1] > 20 / 0.21


# batches without scatter inside them are single values, and modified large-sample limits then
# Howe's, which are near exact ones
@pytest.mark.parametrize(("sides", "rel"), [("two", 0.01), ("one", 0.05)])
def test_batches_without_scatter_inside_count_like_values(sides, rel) -> None:
    options = {"coverage": 0.9, "confidence": 0.95, "sides": sides}
    values = tolerance_sample_size(**options, method="normal")
    batches = batch_tolerance_sample_size(3, ratio=1e8, **options)
    assert batches == pytest.approx(values, rel=rel)


@pytest.mark.parametrize("sides", ["one", "two"])
def test_number_of_batches_bounds_the_excess(sides) -> None:
    n, ratio, coverage = 3, 0.5, 0.8
    k = batch_tolerance_sample_size(
        n, ratio=ratio, coverage=coverage, confidence=0.9, sides=sides, risk=0.1
    )
    rng, runs = np.random.default_rng(8), 1500
    within, between = math.sqrt(1 / (1 + ratio)), math.sqrt(ratio / (1 + ratio))
    names = np.repeat(np.arange(k), n)
    over = 0
    for _ in range(runs):
        x = within * rng.standard_normal(k * n) + between * rng.standard_normal(k)[names]
        found = batch_tolerance_interval(
            x,
            names,
            coverage=coverage,
            confidence=0.9,
            sides="two" if sides == "two" else "upper",
        )
        below = 0 if found.lower is None else stats.norm.cdf(found.lower)
        over += bool(stats.norm.cdf(found.upper) - below > 0.9)
    # four standard errors
    assert over / runs == pytest.approx(0.1, abs=4 * math.sqrt(0.09 / runs) + 0.005)


def test_more_values_of_each_batch_need_fewer_batches() -> None:
    sizes = [
        batch_tolerance_sample_size(n, ratio=0.5, coverage=0.9, confidence=0.95)
        for n in (2, 4, 8)
    ]
    assert sizes[0] > sizes[1] > sizes[2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "hanson_koopmans"}, "factor must be given"),
        ({"method": "hanson_koopmans", "factor": 0}, "factor must be above 0"),
        ({"method": "normal", "factor": 1.9}, "factor must be above 1.95996"),
        ({"method": "beta_expectation", "factor": 1.9}, "factor must be above 1.95996"),
        ({"method": "normal", "factor": math.nan}, "factor"),
        ({"method": "normal", "factor": 3, "excess": 0.01}, "either excess or factor"),
        ({"method": "nonparametric", "factor": 3}, "factor does not belong"),
        ({"method": "nonparametric", "excess": 0.01}, "excess does not belong"),
        ({"method": "beta_expectation", "excess": 0.05}, "excess"),
        ({"method": "normal", "factor": 1.95997}, "more than 10,000,000 values"),
        ({"method": "weibull"}, "method"),
    ],
)
def test_unreachable_or_foreign_criteria_are_named(options, message) -> None:
    with pytest.raises(InputError, match=message):
        tolerance_sample_size(coverage=0.95, confidence=0.95, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "either margin or factor"),
        ({"margin": 0.1, "factor": 3}, "either margin or factor"),
        ({"margin": 0}, "margin"),
        ({"factor": 1.9}, "factor must be above 1.95996"),
        ({"margin": 0.1, "confidence": 0.4, "sides": "one"}, "confidence"),
        ({"margin": 0.1, "m": 0}, "m must"),
        ({"margin": 0.1, "of": "median"}, "of must"),
    ],
)
def test_bad_criteria_of_prediction_intervals_are_named(options, message) -> None:
    with pytest.raises(InputError, match=message):
        prediction_sample_size(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 1}, "n must"),
        ({"ratio": 0}, "ratio"),
        ({"ratio": math.nan}, "ratio"),
        ({"confidence": 0.4}, "confidence"),
        ({"excess": 0.1}, "excess"),
        ({"excess": 1e-6}, "more than 100,000 batches"),
    ],
)
def test_bad_designs_of_batches_are_named(options, message) -> None:
    given = {"n": 3, "ratio": 1.0, "coverage": 0.9, "confidence": 0.95} | options
    with pytest.raises(InputError, match=message):
        batch_tolerance_sample_size(given.pop("n"), **given)


@given(st.integers(2, 200), st.floats(0.6, 0.99))
def test_size_by_its_own_factor_is_the_size(n: int, coverage: float) -> None:
    k = tolerance_factor(n, coverage=coverage, confidence=0.9)
    found = tolerance_sample_size(
        coverage=coverage, confidence=0.9, method="normal", factor=k * (1 + 1e-9)
    )
    assert found == n
