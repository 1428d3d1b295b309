"""Capability with variation between and within subgroups."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmaq.errors import InputError
from pharmaq.spc import c4, capability, d2

BOTH = {"variation": "between_within"}
MINITAB = {"mean": 49.8829, "between": 0.685488, "within": 0.40608, "total": 0.79674}


def coatings() -> np.ndarray:
    """Return 25 rolls of 3 with the mean and the standard deviations that Minitab prints."""
    of_means = math.sqrt(MINITAB["between"] ** 2 + MINITAB["within"] ** 2 / 3)
    step = of_means * d2(2) * np.where(np.arange(25) % 2, 0.5, -0.5)
    inside = MINITAB["within"] * c4(51) * np.array([-1.0, 0.0, 1.0])
    return MINITAB["mean"] + (step - step.mean())[:, None] + inside


# Minitab help, example of between/within capability: film thickness 50 +- 3 of 25 rolls
def test_coating_of_rolls_is_as_printed() -> None:
    found = capability(coatings(), lsl=47, usl=53, target=50, **BOTH)
    both = found.between
    assert both.sigma_within == pytest.approx(MINITAB["within"], abs=1e-9)
    assert both.sigma_between == pytest.approx(MINITAB["between"], abs=1e-9)
    assert both.sigma_total == pytest.approx(MINITAB["total"], abs=6e-6)
    assert found.cp == pytest.approx(1.26, abs=6e-3)
    assert found.cpk == pytest.approx((MINITAB["mean"] - 47) / (3 * MINITAB["total"]), rel=1e-5)
    assert found.within.value == both.sigma_within
    assert set(found.ppm) == {"observed", "between_within", "overall"}


def test_sources_are_a_table_of_shares() -> None:
    frame = capability(coatings(), lsl=47, usl=53, **BOTH).between.to_frame()
    assert list(frame.index) == ["between", "within", "total"]
    assert frame["percent_of_variance"].iloc[:2].sum() == pytest.approx(100)


def test_means_that_differ_are_no_sign_of_instability_here() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(100, 2.0, (25, 1)) + rng.normal(0, 0.3, (25, 4))
    within, both = capability(x, lsl=90, usl=110), capability(x, lsl=90, usl=110, **BOTH)
    assert "stability" in [one.rule for one in within.findings]
    assert both.valid
    assert both.cp < within.cp / 3
    wild = x.copy()
    wild[9] += 12
    assert not capability(wild, lsl=90, usl=110, **BOTH).valid


# values that share a subgroup are not independent: a test of all of them rejects too often
@pytest.mark.slow
def test_normal_processes_are_seldom_called_something_else() -> None:
    rng = np.random.default_rng(6)
    runs, wrong = 300, 0
    for _ in range(runs):
        x = rng.normal(0, 2.0, (20, 1)) + rng.normal(0, 1.0, (20, 5))
        wrong += capability(x, lsl=-9, **BOTH).normality_p < 0.05
    assert wrong / runs < 0.05 + 4 * math.sqrt(0.05 * 0.95 / runs)


def test_few_or_skewed_means_mark_the_indices() -> None:
    x = np.random.default_rng(6).exponential(size=(40, 1)) ** 2 + coatings()[:1]
    found = capability(x, lsl=0, **BOTH)
    assert "means of subgroups are not normal" in found.findings[-1].message
    few = capability(coatings()[:7], lsl=40, **BOTH)
    assert "7 means of subgroups are too few" in few.findings[-1].message


def test_means_closer_than_chance_leave_nothing_between() -> None:
    x = np.array([[1.0, -1.0], [-1.1, 1.1], [0.9, -0.91], [-1.0, 1.02]] * 3)
    found = capability(x, lsl=-5, usl=5, **BOTH)
    plain = capability(x, lsl=-5, usl=5)
    assert found.between.truncated
    assert (found.between.sigma_between, found.cp) == (0.0, plain.cp)
    assert found.between.n_effective == 24
    assert found.indices["cp"].freedom == plain.indices["cp"].freedom


@pytest.mark.parametrize("estimator", ["mr_bar", "mr_median", "mssd", "overall"])
def test_between_estimator_is_that_of_individuals(estimator) -> None:
    x = np.random.default_rng(2).normal(100, 2.0, (25, 1)) + coatings()
    found = capability(x, lsl=90, **BOTH, between_estimator=estimator)
    assert found.between.sigma_means.estimator == estimator
    assert found.between.sigma_total**2 == pytest.approx(
        found.between.sigma_means.value**2 + found.within.value**2 * 2 / 3
    )


@given(st.integers(0, 2**32 - 1), st.floats(-1e3, 1e3), st.floats(1e-2, 1e2))
def test_sources_follow_shift_and_scale(seed: int, move: float, scale: float) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (8, 1)) + rng.normal(0, 1, (8, 3))
    one, two = (capability(v, lsl=-1e9, **BOTH).between for v in (x, x * scale + move))
    assert two.sigma_total == pytest.approx(scale * one.sigma_total, rel=1e-6)
    assert two.freedom == pytest.approx(one.freedom, rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [0.3, 1.0, 3.0])
def test_limits_reach_their_confidence(ratio: float) -> None:
    rng = np.random.default_rng(11)
    runs, names = 1000, ("cp", "cpu", "cpk", "pp", "ppk", "cpm")
    limit = 4.5 * math.hypot(1, ratio)
    held = dict.fromkeys(names, 0)
    for _ in range(runs):
        x = ratio * rng.standard_normal((25, 1)) + rng.standard_normal((25, 3))
        found = capability(x, lsl=-limit, usl=limit, target=0.0, **BOTH)
        for name in names:
            held[name] += found.indices[name].lower <= 1.5 <= found.indices[name].upper
    noise = 4 * math.sqrt(0.95 * 0.05 / runs)
    for name in names:
        assert held[name] / runs == pytest.approx(0.95, abs=noise + 0.01), name


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"values": np.arange(9.0)}, "single ones"),
        ({"distribution": "lognormal"}, "'lognormal'"),
        ({"limits": "bca"}, "limits is 'bca'"),
        ({"variation": "both"}, "variation must be one of"),
        ({"between_estimator": "range"}, "estimator"),
        ({"values": [[1.0, 2.0, 4.0]]}, "at least 2 subgroups"),
    ],
)
def test_bad_input_names_the_argument(change, match: str) -> None:
    arguments = {"values": np.abs(coatings()), "usl": 60.0, **BOTH} | change
    with pytest.raises(InputError, match=match):
        capability(arguments.pop("values"), **arguments)
