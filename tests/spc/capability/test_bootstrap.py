"""Bootstrap limits against scipy, slow twins and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from naive_capability import resampled_moments, resampled_sums, splitmix
from scipy import stats

from pharmaq.errors import InputError
from pharmaq.spc import capability
from pharmaq.spc.capability import _kernels

SPEC = {"lsl": -4.0, "usl": 5.0}


def skewed(n: int) -> np.ndarray:
    """Return n values of a skewed population, sd near 1."""
    return np.random.default_rng(4).gamma(4.0, 0.5, n) - 2.0


# G. L. Steele, D. Lea, C. H. Flood, OOPSLA 2014; first outputs of its C code for 1234567
def test_numbers_are_those_of_splitmix64() -> None:
    numbers = splitmix(1234567)
    assert [next(numbers) for _ in range(3)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]


@pytest.mark.parametrize("n", [2, 7, 50])
def test_kernel_of_moments_equals_naive(n: int) -> None:
    x, out = skewed(n), np.empty((40, 2))
    _kernels.moments(x, np.uint64(2**63 + 11), out)
    np.testing.assert_allclose(out, resampled_moments(x, 2**63 + 11, 40), rtol=1e-12)


def test_kernel_of_sums_equals_naive() -> None:
    units, out = skewed(60).reshape(20, 3), np.empty((40, 3))
    _kernels.sums(units, 13, np.uint64(5), out)
    np.testing.assert_allclose(out, resampled_sums(units, 13, 5, 40), rtol=1e-12, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(("limits", "method"), [("bootstrap", "percentile"), ("bca", "BCa")])
@pytest.mark.parametrize("n", [25, 200])
def test_limits_of_single_values_agree_with_scipy(limits, method: str, n: int) -> None:
    x = skewed(n)

    def ppk(x: np.ndarray, axis: int) -> np.ndarray:
        mean = x.mean(axis=axis)
        return np.minimum(mean + 4, 5 - mean) / (3 * x.std(axis=axis, ddof=1))

    rng = np.random.default_rng(3)
    theirs = stats.bootstrap((x,), ppk, n_resamples=20_000, method=method, rng=rng)
    found = capability(x, **SPEC, limits=limits, n_resamples=20_000, random_state=3)
    index, wide = found.indices["ppk"], theirs.confidence_interval
    # quantiles of 20 000 resamples are known to some hundredths of a standard error
    noise = 0.08 * theirs.standard_error
    assert (index.lower, index.upper) == pytest.approx((wide.low, wide.high), abs=noise)
    assert index.value == capability(x, **SPEC).ppk


@pytest.mark.slow
@pytest.mark.parametrize("estimator", ["pooled", "r_bar", "s_bar"])
def test_limits_of_subgroups_agree_with_whole_studies_of_resamples(estimator) -> None:
    x = np.random.default_rng(8).standard_normal((30, 4))

    rng = np.random.default_rng(1)
    drawn = [
        capability(x[rng.integers(0, 30, 30)], **SPEC, estimator=estimator).cpk
        for _ in range(400)
    ]
    found = capability(x, **SPEC, estimator=estimator, limits="bootstrap", random_state=2)
    cpk_index = found.indices["cpk"]
    noise = 0.3 * np.std(drawn)
    expected = np.quantile(drawn, [0.025, 0.975])
    assert (cpk_index.lower, cpk_index.upper) == pytest.approx(expected, abs=noise)


@pytest.mark.parametrize("estimator", ["mr_bar", "mssd"])
def test_blocks_keep_what_neighbouring_ranges_share(estimator) -> None:
    rng, ratios = np.random.default_rng(6), []
    for _ in range(16):
        x = rng.standard_normal(2000)
        widths = []
        for limits in ("analytic", "bootstrap"):
            study = capability(x, **SPEC, estimator=estimator, limits=limits, random_state=rng)
            cp = study.indices["cp"]
            widths.append(cp.upper - cp.lower)
        ratios.append(widths[1] / widths[0])
    # the mean has a standard error of 0.015; single ranges, drawn without their neighbours,
    # would give 0.83 (mr_bar) and 0.82 (mssd)
    assert np.mean(ratios) == pytest.approx(1, abs=0.06)


def test_overall_estimator_resamples_like_the_overall_index() -> None:
    x = skewed(40)
    found = capability(x, **SPEC, estimator="overall", limits="bca", random_state=1).indices
    ratio = found["cpk"].value / found["ppk"].value
    assert found["cpk"].lower == pytest.approx(ratio * found["ppk"].lower)


# T. C. Hesterberg, Am. Stat. 69 (2015) 371-386: levels by t and sqrt(n / (n - 1))
@pytest.mark.parametrize("units", ["values", "subgroups"])
def test_expanded_limits_are_those_of_a_higher_confidence(units: str) -> None:
    x, n = (skewed(20), 20) if units == "values" else (skewed(36).reshape(12, 3), 12)
    t = stats.t.ppf(0.975, n - 1) * math.sqrt(n / (n - 1))
    expanded, bca = (
        capability(x, **SPEC, limits=limits, confidence=level, random_state=1).indices["ppk"]
        for limits, level in (("expanded", 0.95), ("bca", 2 * stats.norm.cdf(t) - 1))
    )
    assert (expanded.lower, expanded.upper) == pytest.approx((bca.lower, bca.upper), abs=1e-9)
    assert expanded.method == f"expanded BCa of 10000 resamples of {units}"


@pytest.mark.parametrize(("lsl", "upper"), [(-1.0, math.inf), (0.0, 0.4)])
def test_resamples_that_do_not_vary_have_infinite_room_or_none(lsl, upper: float) -> None:
    x = [0.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    found = capability(x, lsl=lsl, estimator="overall", limits="bootstrap", random_state=7)
    assert found.indices["ppl"].upper == pytest.approx(upper, abs=0.1)


def test_lognormal_indices_have_bootstrap_limits() -> None:
    x = np.exp(0.2 * np.random.default_rng(2).standard_normal(120))
    spec = {"lsl": 0.3, "usl": 2.5, "distribution": "lognormal"}
    found = capability(x, **spec, limits="bca", random_state=1).indices
    assert found["ppk"].lower < found["ppk"].value < found["ppk"].upper
    assert capability(x, **spec).indices["ppk"].lower is None


def test_a_seed_repeats_the_limits() -> None:
    x = skewed(30)
    once, again, other = (
        capability(x, **SPEC, limits="bootstrap", random_state=seed).indices["cpk"].lower
        for seed in (1, 1, 2)
    )
    assert once == again != other


@pytest.mark.slow
def test_bca_limits_hold_for_skewed_values_where_normal_ones_do_not() -> None:
    rng, runs, n = np.random.default_rng(5), 400, 100
    true = 2.5 / 3
    held = dict.fromkeys(("analytic", "bca"), 0)
    for _ in range(runs):
        x = rng.exponential(size=n)
        for limits in held:
            study = capability(
                x,
                usl=3.5,
                estimator="overall",
                limits=limits,
                n_resamples=2000,
                random_state=rng,
            )
            index = study.indices["ppu"]
            held[limits] += index.lower <= true <= index.upper
    assert held["analytic"] / runs < 0.85
    assert held["bca"] / runs > 0.95 - 0.05 - 4 * math.sqrt(0.05 * 0.95 / runs)
    assert held["bca"] > held["analytic"]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"limits": "exact"}, "limits must be one of"),
        ({"n_resamples": 10}, "n_resamples"),
        ({"values": [1.0, 2.0, 1.5]}, "at least 5 values"),
        ({"estimator": "mr_median"}, "mr_median|median moving range"),
        ({"values": np.arange(12.0).reshape(4, 3)}, "at least 5 subgroups"),
        ({"values": np.arange(8.0) % 3}, "at least 5 blocks"),
    ],
)
def test_bad_input_names_the_argument(change, match: str) -> None:
    arguments = {"values": skewed(40), "limits": "bootstrap", **SPEC} | change
    with pytest.raises(InputError, match=match):
        capability(arguments.pop("values"), **arguments)
