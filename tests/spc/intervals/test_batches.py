"""Intervals of values in batches against the composite materials handbook and simulation."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive_intervals import generalized_limit
from scipy import stats

from pharmaq.errors import InputError
from pharmaq.spc import (
    batch_prediction_interval,
    batch_tolerance_interval,
    tolerance_factor,
)

# CMH-17-1G, Composite Materials Handbook, 2012, table 8.3.11.1.1(a): strengths of three batches
STRENGTH = {
    1: [99.0239966, 103.341238, 100.30213, 98.4634133, 92.264728, 103.487693, 113.734763],
    2: [108.172659, 108.426732, 116.260375, 121.04961, 111.223082, 104.574843, 103.222552],
    3: [99.3918538, 87.3421658, 102.730741, 96.3694916, 99.5946088, 97.0712407],
}
VALUES = np.concatenate(list(STRENGTH.values()))
BATCHES = np.repeat(list(STRENGTH), [len(one) for one in STRENGTH.values()])

methods = pytest.mark.parametrize("method", ["mls", "generalized", "mee"])


def drawn(rng: np.random.Generator, k: int, n: int, ratio: float) -> tuple[np.ndarray, ...]:
    """Return values of k batches of n whose variance between is ratio times that within."""
    x = math.sqrt(ratio) * rng.standard_normal((k, 1)) + rng.standard_normal((k, n))
    return x.ravel(), np.repeat(np.arange(k), n)


# CMH-17-1G section 8.3.11.2.2, by the program STAT-17: B-basis 63.2 and A-basis 34.6
@pytest.mark.parametrize(("coverage", "printed"), [(0.90, 63.2), (0.99, 34.6)])
def test_vangel_limit_is_the_basis_value_of_the_handbook(coverage, printed) -> None:
    found = batch_tolerance_interval(
        VALUES, BATCHES, coverage=coverage, sides="lower", method="vangel"
    )
    assert found.lower == pytest.approx(printed, abs=0.05)
    assert found.upper is None
    assert found.mean == pytest.approx(VALUES.mean())


@pytest.mark.parametrize("sides", ["two", "lower"])
def test_generalized_limits_equal_naive(sides) -> None:
    found = batch_tolerance_interval(
        VALUES, BATCHES, coverage=0.9, confidence=0.9, sides=sides, method="generalized"
    )
    below, noise = generalized_limit(list(STRENGTH.values()), 0.9, 0.9, sides, draws=400_000)
    assert found.lower == pytest.approx(below, abs=4 * noise)


@pytest.mark.parametrize("sides", ["two", "upper"])
def test_mee_counts_batches_where_they_are_all_that_varies(sides) -> None:
    x = np.repeat([1.0, 4.0, 2.0, 7.0, 5.0], 3) + np.tile([-1e-7, 0.0, 1e-7], 5)
    found = batch_tolerance_interval(
        x, np.repeat(list("abcde"), 3), coverage=0.9, sides=sides, method="mee"
    )
    side = "two" if sides == "two" else "one"
    factor = tolerance_factor(5, coverage=0.9, confidence=0.95, sides=side)
    assert found.factor == pytest.approx(factor, rel=1e-6)


def test_two_sided_mls_limit_follows_its_formula() -> None:
    x = np.array([1.0, 3.0, 4.0, 8.0, 6.0, 8.0])
    found = batch_tolerance_interval(x, [1, 1, 2, 2, 3, 3], coverage=0.95, confidence=0.9)
    # means 2, 6, 7 with variance 7; within 2, 8, 2 with mean 4; h = 1/2
    terms = np.array([7 * 4 / 3, 4 / 2])
    growth = np.array([2, 3]) / stats.chi2.ppf(0.1, [2, 3]) - 1
    variance = terms.sum() + math.sqrt(np.sum((terms * growth) ** 2))
    half = stats.norm.ppf(0.975) * math.sqrt(variance)
    assert (found.lower, found.upper) == pytest.approx((5 - half, 5 + half))
    assert found.sd_between == pytest.approx(math.sqrt(7 - 4 / 2))
    assert found.sd_within == pytest.approx(2)
    assert found.factor == pytest.approx(half / 3)


def test_prediction_follows_satterthwaite() -> None:
    x = np.array([1.0, 3.0, 4.0, 8.0, 6.0, 8.0])
    found = batch_prediction_interval(x, [1, 1, 2, 2, 3, 3], sides="upper", confidence=0.9)
    terms = np.array([7 * 4 / 3, 4 / 2])
    freedom = terms.sum() ** 2 / (terms**2 / [2, 3]).sum()
    assert found.upper == pytest.approx(
        5 + stats.t.ppf(0.9, freedom) * math.sqrt(terms.sum()), rel=1e-9
    )
    assert (found.kind, found.coverage, found.lower) == ("prediction", None, None)


def test_batches_of_different_size_count_by_the_mean_of_their_means() -> None:
    found = batch_tolerance_interval(VALUES, BATCHES)
    means = [np.mean(one) for one in STRENGTH.values()]
    assert found.mean == pytest.approx(np.mean(means))
    part = np.mean([1 / len(one) for one in STRENGTH.values()])
    between = np.var(means, ddof=1) - part * found.sd_within**2
    assert found.sd_between == pytest.approx(math.sqrt(between))
    assert (found.n_batches, found.n_values) == (3, 20)


@methods
@given(seed=st.integers(0, 2**32 - 1), move=st.floats(-100, 100), scale=st.floats(0.01, 100))
def test_limits_follow_shift_and_scale(method, seed, move, scale) -> None:
    x, batch = drawn(np.random.default_rng(seed), 4, 3, 1.0)
    found = batch_tolerance_interval(x, batch, method=method)
    moved = batch_tolerance_interval(x * scale + move, batch, method=method)
    size = 1e-7 * (scale * (found.upper - found.lower) + abs(move))
    assert moved.lower == pytest.approx(found.lower * scale + move, abs=size)
    assert moved.upper == pytest.approx(found.upper * scale + move, abs=size)


@pytest.mark.parametrize("method", ["mls", "generalized"])
@pytest.mark.parametrize("sides", ["two", "lower"])
def test_a_low_confidence_gives_limits_near_the_estimate(method, sides) -> None:
    found = batch_tolerance_interval(
        VALUES, BATCHES, confidence=0.505, sides=sides, method=method
    )
    z = stats.norm.ppf(0.995 if sides == "two" else 0.99)
    assert z < found.factor < 1.7 * z


@methods
def test_one_limit_is_the_mirror_of_the_other(method) -> None:
    below = batch_tolerance_interval(VALUES, BATCHES, sides="lower", method=method)
    above = batch_tolerance_interval(-VALUES, BATCHES, sides="upper", method=method)
    assert below.lower == pytest.approx(-above.upper)


@methods
def test_order_of_values_does_not_matter(method) -> None:
    order = np.random.default_rng(1).permutation(VALUES.size)
    found = batch_tolerance_interval(VALUES, BATCHES, method=method)
    mixed = batch_tolerance_interval(VALUES[order], BATCHES[order], method=method)
    assert mixed.upper == pytest.approx(found.upper)


@methods
@pytest.mark.parametrize("sides", ["two", "lower"])
def test_limits_widen_with_coverage_and_confidence(method, sides) -> None:
    def half(coverage: float, confidence: float) -> float:
        options = {"coverage": coverage, "confidence": confidence, "sides": sides}
        return batch_tolerance_interval(VALUES, BATCHES, method=method, **options).factor

    assert half(0.9, 0.9) < half(0.95, 0.9) < half(0.95, 0.95) < half(0.95, 0.99)


@pytest.mark.slow
@pytest.mark.parametrize("sides", ["two", "upper"])
@pytest.mark.parametrize("ratio", [0.0, 1.0, 5.0])
def test_limits_reach_their_confidence(ratio: float, sides) -> None:
    rng = np.random.default_rng(3)
    runs, coverage = 400, 0.95
    held = dict.fromkeys(("mls", "mee", "generalized"), 0)
    total = math.sqrt(1 + ratio)
    for _ in range(runs):
        x, batch = drawn(rng, 8, 3, ratio)
        for method in held:
            found = batch_tolerance_interval(
                x, batch, coverage=coverage, sides=sides, method=method
            )
            below = 0.0 if sides == "upper" else stats.norm.cdf(found.lower / total)
            held[method] += stats.norm.cdf(found.upper / total) - below >= coverage
    noise = 4 * math.sqrt(0.95 * 0.05 / runs)
    for method, count in held.items():
        assert count / runs > 0.95 - noise, method


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [0.0, 1.0, 5.0])
def test_predictions_hold_the_next_batch(ratio: float) -> None:
    rng = np.random.default_rng(3)
    runs, hits = 2000, 0
    for _ in range(runs):
        x, batch = drawn(rng, 6, 3, ratio)
        found = batch_prediction_interval(x, batch)
        hits += found.lower <= math.sqrt(1 + ratio) * rng.standard_normal() <= found.upper
    # Satterthwaite's degrees of freedom are an approximation
    assert hits / runs == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / runs) + 0.01)


def test_picture_shows_batches_and_limits() -> None:
    found = batch_tolerance_interval(VALUES, BATCHES, units="MPa")
    ax = found.plot()
    at = {round(line.get_ydata()[0], 6) for line in ax.lines}
    assert at == {round(v, 6) for v in (found.mean, found.lower, found.upper)}
    assert [text.get_text() for text in ax.get_xticklabels()] == ["1", "2", "3"]
    assert ax.get_ylabel() == "MPa"
    many = batch_prediction_interval(np.arange(60.0) % 7, np.arange(60) // 2, sides="lower")
    assert len(many.plot(ax=ax).lines) == 5
    plt.close(ax.figure)


def test_frame_has_numbers_and_dictionary_the_data() -> None:
    found = batch_tolerance_interval(VALUES, BATCHES)
    assert found.to_frame().shape[0] == 1
    assert "values" not in found.to_frame()
    assert found.to_dict()["batches"][:2] == [1, 1]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"values": [1.0, np.nan, 2.0], "batches": [1, 1, 2]}, r"values\[1\] is NaN"),
        ({"batches": [1, 2]}, "lengths must agree"),
        ({"batches": np.ones(20)}, "at least 2 batches"),
        ({"batches": np.arange(20)}, "repeat no batch"),
        ({"batches": [None, *"a" * 10, *"b" * 9]}, r"batches\[0\] is missing"),
        ({"values": BATCHES}, "within any batch"),
        ({"coverage": 1.0}, "coverage"),
        ({"confidence": 0.5}, "confidence"),
        ({"confidence": 0.93, "method": "mee"}, r"0\.9, 0\.95 or 0\.99"),
        ({"method": "vangel"}, "'vangel'"),
        ({"method": "howe"}, "method must be one of"),
        ({"sides": "both"}, "sides"),
    ],
)
def test_bad_input_names_the_argument(change, match: str) -> None:
    arguments = {"values": VALUES, "batches": BATCHES} | change
    with pytest.raises(InputError, match=match):
        batch_tolerance_interval(arguments.pop("values"), arguments.pop("batches"), **arguments)
