"""Tolerance and prediction intervals against printed tables and manuals."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from pharmaq.errors import InputError
from pharmaq.spc import (
    prediction_interval,
    tolerance_factor,
    tolerance_interval,
    tolerance_sample_size,
)

if TYPE_CHECKING:
    from pathlib import Path


# R. E. Odeh, D. B. Owen, Tables for Normal Tolerance Limits, 1980, table 3.4.1
@pytest.mark.parametrize(
    ("n", "printed"),
    [
        (2, 36.519),
        (3, 9.789),
        (4, 6.341),
        (5, 5.077),
        (6, 4.422),
        (7, 4.020),
        (8, 3.746),
        (9, 3.546),
        (10, 3.393),
    ],
)
def test_exact_two_sided_factors_are_the_printed_ones(n: int, printed: float) -> None:
    found = tolerance_factor(n, coverage=0.95, confidence=0.95)
    assert found == pytest.approx(printed, abs=6e-4)


# NIST/SEMATECH e-Handbook, 7.2.6.3; its k of Howe and Natrella, the others as known since
@pytest.mark.parametrize(
    ("sides", "method", "printed"),
    [
        ("two", "howe", 2.2173),
        ("two", "guenther", 2.2220),
        ("two", "exact", 2.2228),
        ("one", "natrella", 1.8752),
        ("one", "exact", 1.8740),
    ],
)
def test_factors_are_those_of_the_nist_handbook(sides, method, printed: float) -> None:
    k = tolerance_factor(43, coverage=0.9, confidence=0.99, sides=sides, method=method)
    assert k == pytest.approx(printed, abs=6e-5)


# the same page: mean 97.07 and s 0.0268 of 43 resistivities
def test_limits_are_those_of_the_nist_handbook() -> None:
    options = {"coverage": 0.9, "confidence": 0.99}
    two = tolerance_factor(43, method="howe", **options) * 0.0268
    assert (97.07 - two, 97.07 + two) == pytest.approx((97.010576, 97.12942), abs=5e-6)
    one = tolerance_factor(43, sides="one", method="natrella", **options) * 0.0268
    assert 97.07 + one == pytest.approx(97.120255, abs=1e-6)


# D. C. Montgomery, G. C. Runger, Applied Statistics and Probability for Engineers, table XII
def test_one_sided_factors_are_the_printed_ones(spc_data: Path) -> None:
    table = json.loads((spc_data / "tolerance_k1_one_sided.json").read_text())
    for n, row in zip(table["n"], table["K"], strict=True):
        for coverage, confidence, printed in zip(table["P"], table["conf"], row, strict=True):
            found = tolerance_factor(n, coverage=coverage, confidence=confidence, sides="one")
            assert found == pytest.approx(printed, abs=6e-4), (n, coverage, confidence)


# R 4.2.2, package tolerance; its two-sided factor of n = 20 is off in the fifth digit
def test_factors_agree_with_r(r_results: dict[str, Any]) -> None:
    table = r_results["k_factors_two_sided_95_99_exact"]
    for n, two, one in zip(table["n"], table["k"], table["k1"], strict=True):
        found = tolerance_factor(n, coverage=0.99, confidence=0.95)
        assert found == pytest.approx(two, rel=1e-8 if n != 20 else 1e-4)
        found = tolerance_factor(n, coverage=0.99, confidence=0.95, sides="one")
        assert found == pytest.approx(one, rel=1e-9)


@pytest.mark.parametrize("n", [3, 20, 400])
def test_two_sided_factor_solves_the_integral(n: int) -> None:
    k = tolerance_factor(n, coverage=0.99, confidence=0.95)

    def density(z: float) -> float:
        def held(r: float) -> float:
            return stats.norm.cdf(z + r) - stats.norm.cdf(z - r) - 0.99

        r = optimize.brentq(held, 0, 20, xtol=1e-13)
        tail = stats.chi2.sf((n - 1) * (r / k) ** 2, n - 1)
        return 2 * tail * stats.norm.pdf(z, scale=1 / math.sqrt(n))

    confidence, _ = integrate.quad(density, 0, 9 / math.sqrt(n), epsabs=1e-11)
    assert confidence == pytest.approx(0.95, abs=1e-9)


# S. S. Wilks, Ann. Math. Stat. 12 (1941) 91-96
@pytest.mark.parametrize(
    ("sides", "coverage", "n"),
    [
        ("one", 0.90, 29),
        ("one", 0.95, 59),
        ("one", 0.99, 299),
        ("two", 0.90, 46),
        ("two", 0.95, 93),
        ("two", 0.99, 473),
    ],
)
def test_nonparametric_sample_sizes_are_those_of_wilks(sides, coverage, n: int) -> None:
    found = tolerance_sample_size(coverage=coverage, confidence=0.95, sides=sides)
    assert found == n


@pytest.mark.parametrize("sides", ["one", "two"])
def test_normal_sample_size_bounds_the_excess(sides) -> None:
    n = tolerance_sample_size(coverage=0.9, confidence=0.95, sides=sides, method="normal")
    rng = np.random.default_rng(5)

    def beyond(size: int) -> float:
        k = tolerance_factor(size, coverage=0.9, confidence=0.95, sides=sides)
        mean = rng.standard_normal(100_000) / math.sqrt(size)
        sd = np.sqrt(rng.chisquare(size - 1, 100_000) / (size - 1))
        below = stats.norm.cdf(mean - k * sd) if sides == "two" else 0
        return float(np.mean(stats.norm.cdf(mean + k * sd) - below > 0.95))

    # four standard errors of 100 000 samples
    assert beyond(n) == pytest.approx(0.05, abs=0.003 + 4 * 0.0007)
    assert beyond(n // 2) > 0.1


# R 4.2.2, package tolerance, on the cans of the SAS/QC manual
def test_interval_of_cans_agrees_with_r(spc_data: Path, r_results: dict[str, Any]) -> None:
    cans = pd.read_csv(spc_data / "sas_cans.csv")["weight"]
    found = tolerance_interval(cans)
    expected = r_results["tolerance_cans_95_99"]
    assert found.lower == pytest.approx(expected["2-sided.lower"], abs=2e-9)
    assert found.upper == pytest.approx(expected["2-sided.upper"], abs=2e-9)


# SAS/QC 13.1 User's Guide, the CAPABILITY procedure: two-sided limits of 100 cans
@pytest.mark.parametrize(
    ("confidence", "coverage", "printed"),
    [
        (0.99, 0.90, (11.92, 12.10)),
        (0.99, 0.95, (11.90, 12.12)),
        (0.99, 0.99, (11.86, 12.15)),
        (0.95, 0.90, (11.92, 12.10)),
        (0.95, 0.95, (11.90, 12.11)),
        (0.95, 0.99, (11.87, 12.15)),
        (0.90, 0.90, (11.92, 12.09)),
        (0.90, 0.95, (11.91, 12.11)),
        (0.90, 0.99, (11.88, 12.14)),
    ],
)
def test_intervals_of_cans_are_the_printed_ones(
    spc_data, confidence, coverage, printed
) -> None:
    cans = pd.read_csv(spc_data / "sas_cans.csv")["weight"]
    found = tolerance_interval(cans, coverage=coverage, confidence=confidence)
    assert (found.lower, found.upper) == pytest.approx(printed, abs=0.006)


def test_nonparametric_interval_of_93_values_is_their_range() -> None:
    x = np.random.default_rng(2).exponential(size=93)
    found = tolerance_interval(x, coverage=0.95, method="nonparametric")
    assert (found.lower, found.upper) == (x.min(), x.max())
    assert found.achieved_confidence == pytest.approx(1 - 0.95**93 - 93 * 0.05 * 0.95**92)
    with pytest.raises(InputError, match="at least 93"):
        tolerance_interval(x[:92], coverage=0.95, method="nonparametric")


# MIL-HDBK-17-1F, Composite Materials Handbook, 2002, section 8.5: small samples
@pytest.mark.parametrize(
    ("coverage", "n", "printed"),
    [
        (0.90, 2, 35.177),
        (0.90, 3, 7.859),
        (0.90, 4, 4.505),
        (0.99, 4, 9.49579),
        (0.99, 5, 6.89049),
        (0.99, 6, 5.57681),
        (0.99, 10, 3.57267),
    ],
)
def test_factors_of_hanson_and_koopmans_are_the_printed_ones(coverage, n, printed) -> None:
    x = np.arange(n) / (n - 1)
    found = tolerance_interval(x, coverage=coverage, method="hanson_koopmans", sides="lower")
    assert found.factor == pytest.approx(printed, abs=6e-4 if coverage == 0.9 else 6e-6)
    assert found.lower == pytest.approx(1 - found.factor)
    mirrored = tolerance_interval(
        -x, coverage=coverage, method="hanson_koopmans", sides="upper"
    )
    assert mirrored.upper == pytest.approx(-found.lower)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("draw", "sides", "held"),
    [
        # the worst case of a log-concave tail: exactly the confidence
        (lambda rng: -rng.exponential(size=6), "lower", lambda low, _: np.exp(low) < 0.1),
        (
            lambda rng: rng.standard_normal(6),
            "two",
            lambda low, high: stats.norm.cdf(high) - stats.norm.cdf(low) > 0.9,
        ),
    ],
    ids=["worst", "normal"],
)
def test_hanson_and_koopmans_reach_their_confidence(draw, sides, held) -> None:
    rng, runs = np.random.default_rng(7), 2000
    hits = 0
    for _ in range(runs):
        found = tolerance_interval(
            draw(rng), coverage=0.9, method="hanson_koopmans", sides=sides
        )
        hits += bool(held(found.lower, found.upper))
    noise = 4 * math.sqrt(0.95 * 0.05 / runs)
    assert hits / runs > 0.95 - noise
    assert sides == "two" or hits / runs < 0.95 + noise


def test_expectation_interval_is_the_prediction_interval() -> None:
    x = [99.1, 100.2, 99.8, 100.9, 100.0]
    found = tolerance_interval(x, coverage=0.95, method="beta_expectation")
    # t of 4 degrees of freedom at 0.975, any table: 2.776
    assert found.factor == pytest.approx(2.776 * math.sqrt(1.2), rel=3e-4)
    after = prediction_interval(x, confidence=0.95)
    assert (found.lower, found.upper) == pytest.approx((after.lower, after.upper))
    # what it reaches is the confidence whose exact factor it is
    same = tolerance_factor(5, coverage=0.95, confidence=found.achieved_confidence)
    assert same == pytest.approx(found.factor, rel=1e-9)


def test_prediction_interval_of_one_value_follows_student() -> None:
    x = [99.1, 100.2, 99.8, 100.9, 100.0]
    found = prediction_interval(x)
    # t of 4 degrees of freedom at 0.975, any table: 2.776
    assert found.factor == pytest.approx(2.776 * math.sqrt(1.2), rel=3e-4)
    mean = prediction_interval(x, m=5, of="mean")
    assert mean.factor == pytest.approx(2.776 * math.sqrt(0.4), rel=3e-4)
    assert prediction_interval(x, m=3).factor > found.factor


shares = st.floats(0.05, 0.98)
samples = st.lists(st.floats(-100, 100), min_size=3, max_size=30).filter(
    lambda x: np.std(x) > 1e-3
)


@given(samples, st.floats(-1e3, 1e3), st.floats(0.01, 100))
def test_interval_follows_shift_and_scale(x, shift: float, scale: float) -> None:
    found = tolerance_interval(x)
    moved = tolerance_interval(np.array(x) * scale + shift)
    size = scale * (found.upper - found.lower) + abs(shift) + 100 * scale
    assert moved.lower == pytest.approx(found.lower * scale + shift, abs=1e-10 * size)
    assert moved.upper == pytest.approx(found.upper * scale + shift, abs=1e-10 * size)


@given(st.integers(2, 2000), shares, shares, st.sampled_from(["two", "one"]))
def test_factor_grows_with_coverage_and_confidence(n, coverage, confidence, sides) -> None:
    k = tolerance_factor(n, coverage=coverage, confidence=confidence, sides=sides)
    more = tolerance_factor(n, coverage=coverage + 0.01, confidence=confidence, sides=sides)
    surer = tolerance_factor(n, coverage=coverage, confidence=confidence + 0.01, sides=sides)
    assert k < more
    assert k < surer


@pytest.mark.slow
@pytest.mark.parametrize("sides", ["two", "upper"])
def test_intervals_reach_their_confidence(sides) -> None:
    rng = np.random.default_rng(3)
    runs = 4000
    held = 0
    for x in rng.standard_normal((runs, 12)):
        found = tolerance_interval(x, coverage=0.9, confidence=0.9, sides=sides)
        below = 0.0 if found.lower is None else stats.norm.cdf(found.lower)
        held += stats.norm.cdf(found.upper) - below >= 0.9
    # four standard errors
    assert held / runs == pytest.approx(0.9, abs=4 * math.sqrt(0.09 / runs))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"values": [1.0, float("nan"), 2.0]}, r"values\[1\] is NaN"),
        ({"values": [1.0]}, "at least 2"),
        ({"values": [2.0, 2.0, 2.0]}, "must vary"),
        ({"coverage": 1.0}, "coverage"),
        ({"confidence": 0.0}, "confidence"),
        ({"sides": "both"}, "sides"),
        ({"method": "gumbel"}, "method"),
        ({"method": "lognormal", "values": [1.0, 0.0]}, r"values\[1\] is 0"),
    ],
)
def test_bad_input_names_the_argument(change: dict[str, Any], match: str) -> None:
    arguments: dict[str, Any] = {"values": [1.0, 2.0, 4.0]} | change
    with pytest.raises(InputError, match=match):
        tolerance_interval(arguments.pop("values"), **arguments)


def test_method_must_belong_to_sides() -> None:
    with pytest.raises(InputError, match="method"):
        tolerance_factor(9, coverage=0.9, confidence=0.9, sides="one", method="howe")
