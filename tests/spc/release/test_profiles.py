"""Profiles of dissolution against published numbers, R packages and slow twins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import naive_release
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from pharmaq.errors import InputError
from pharmaq.spc import BootstrapOptions, f1, f2, msd_equivalence

SHAH_TIMES = [30, 60, 90, 180]


def read(folder: Path, name: str, column: str, test: Any, reference: Any):
    frame = pd.read_csv(folder / name)
    times = [c for c in frame if c[2:].isdigit() and c[1] == "."]
    wide = frame[times].rename(columns=lambda c: float(c[2:]))
    return wide[frame[column] == test], wide[frame[column] == reference]


@pytest.fixture
def shah(spc_data: Path) -> Any:
    """Batches of V. P. Shah et al., Pharm. Res. 15 (1998) 889-896, table 4."""

    def batch(name: str) -> Any:
        return read(spc_data, "dissolution_dip2.csv", "batch", name, "b0")

    return batch


# Shah et al. 1998: reference against five batches, all four points
@pytest.mark.parametrize(
    ("name", "printed"),
    [("b1", 60.03), ("b2", 51.08), ("b3", 51.19), ("b4", 50.07), ("b5", 48.05)],
)
@pytest.mark.parametrize("rule", ["all", "fda"])
def test_f2_is_that_of_shah(shah, name: str, printed: float, rule) -> None:
    found = f2(*shah(name), rule=rule)
    assert found.value == pytest.approx(printed, abs=0.0051)
    assert list(found.times[found.used]) == SHAH_TIMES


# R 4.2.2, disprofas 0.2.1, and its help page for all eight points
def test_f1_and_f2_agree_with_disprofas(shared: Path, spc_data, r_results) -> None:
    pair = read(spc_data, "dissolution_dip1.csv", "type", "T", "R")
    expected = r_results["dissolution_dip1"]
    found = f2(*pair)
    assert found.value == pytest.approx(expected["f2_ema_default"], abs=1e-9)
    assert list(found.times[found.used]) == expected["tp_default"]
    assert f1(*pair).value == pytest.approx(expected["f1"], abs=1e-9)
    assert f2(*pair, rule="all").value == pytest.approx(42.11197, abs=6e-6)
    for name in ("dip3", "dip4"):
        frame = pd.read_csv(shared / "data" / "quality" / f"dissolution_{name}.csv")
        wide = frame[[c for c in frame if c.isdigit()]]
        t, r = wide[frame["type"] == "test"], wide[frame["type"] == "ref"]
        expected = r_results[f"dissolution_{name}"]
        assert f2(t, r).value == pytest.approx(expected["f2_noema"], abs=1e-9)
        assert f1(t, r).value == pytest.approx(expected["f1"], abs=1e-9)
        # there, points with a larger CV are left out until too few are left
        assert not f2(t, r).similar
        assert any("CV of test" in finding.message for finding in f2(t, r).findings)


# Hoffelder, Goessl and Wellek 2015, capsules; R packages T2EQ and disprofas
def test_distance_of_capsules_is_hoffelders(spc_data: Path, r_results) -> None:
    pair = read(spc_data, "dissolution_dip3.csv", "type", "test", "ref")
    found = msd_equivalence(*pair)
    printed = {
        "distance": 0.2384023,
        "t2": 0.3410141,
        "scale": 1.818182,
        "statistic": 0.1033376,
        "f_critical": 3.098391,
        "distance_margin": 2.248072,
        "noncentrality": 30.32296,
        "f_equivalence": 4.899274,
    }
    for name, number in printed.items():
        assert getattr(found, name) == pytest.approx(number, rel=3e-7), name
    # printed 2.890827e-08; noncentral F of scipy and R differ in the fifth digit so far out
    assert found.p == pytest.approx(2.890827e-08, rel=1e-4)
    assert (found.equivalent, found.lower) == (True, 0.0)
    assert found.upper == pytest.approx(
        r_results["mimcr_dip3"]["parameters"]["Obs.U"], rel=1e-9
    )


# Tsong et al. 1996, 15 and 90 minutes, 90 % region; R package disprofas
def test_confidence_region_is_that_of_tsong(spc_data: Path) -> None:
    t, r = read(spc_data, "dissolution_dip1.csv", "type", "T", "R")
    found = msd_equivalence(
        t[[15, 90]], r[[15, 90]], rule="all", margin=15, alpha=0.1, method="tsong"
    )
    printed = {
        "distance": 10.44045,
        "t2": 327.0089,
        "scale": 1.35,
        "f_critical": 3.006452,
        "distance_margin": 9.630777,
        "lower": 8.948135,
        "upper": 11.93276,
        "statistic": 147.1540,
        "noncentrality": 278.2556,
        "f_equivalence": 83.57064,
        "p_difference": 1.335407e-07,
        "p": 0.4822832,
    }
    for name, number in printed.items():
        assert getattr(found, name) == pytest.approx(number, rel=6e-7), name
    assert not found.equivalent
    assert "upper limit of the distance 11.93, margin 9.631" in found.findings[0].message


@pytest.mark.parametrize("name", ["dip1", "dip4"])
def test_distance_agrees_with_disprofas(shared: Path, r_results, name: str) -> None:
    frame = pd.read_csv(shared / "data" / "quality" / f"dissolution_{name}.csv")
    wide = frame[[c for c in frame if c.isdigit()]]
    labels = ("T", "R") if name == "dip1" else ("test", "ref")
    expected = r_results[f"mimcr_{name}"]["parameters"]
    found = msd_equivalence(*(wide[frame["type"] == label] for label in labels))
    for ours, theirs in (
        ("distance", "dm"),
        ("t2", "T2"),
        ("statistic", "F"),
        ("f_critical", "F.crit"),
        ("f_equivalence", "F.crit.Hoffelder"),
        ("noncentrality", "ncp.Hoffelder"),
        ("distance_margin", "Sim.Limit"),
        ("lower", "Obs.L"),
        ("upper", "Obs.U"),
        ("n_times", "df1"),
        ("dof", "df2"),
    ):
        assert getattr(found, ours) == pytest.approx(expected[theirs], rel=1e-8), ours
    if name == "dip1":
        assert found.p == pytest.approx(expected["p.F.Hoffelder"], rel=1e-8)


# disprofas: 200 resamples of b4 had bias -0.0255, sd 0.9488, BCa limits 48.88 to 51.95
def test_bootstrap_of_shah_agrees_with_disprofas(shah) -> None:
    options = BootstrapOptions(n_resamples=20_000, random_state=1)
    found = f2(*shah("b4"), rule="all", interval="bca", bootstrap=options)
    # three standard errors of a 5 % quantile of 200 resamples
    noise = 3 * 0.9488 * np.sqrt(0.05 * 0.95 / 200) / stats.norm.pdf(1.645)
    assert (found.lower, found.upper) == pytest.approx((48.87966, 51.95272), abs=noise)
    assert not found.similar
    assert "lower limit of f2" in found.findings[0].message


@pytest.mark.parametrize(("ours", "theirs"), [("percentile", "percentile"), ("bca", "BCa")])
def test_limits_are_those_of_scipy(shah, ours, theirs) -> None:
    t, r = (frame.to_numpy() for frame in shah("b5"))

    def factor(i: np.ndarray, k: np.ndarray, axis: int) -> np.ndarray:
        assert axis == -1
        d = t[i].mean(axis=-2) - r[k].mean(axis=-2)
        return 100 - 25 * np.log10(1 + np.mean(d**2, axis=-1))

    index = np.arange(12)
    scipys = stats.bootstrap(
        (index, index),
        factor,
        n_resamples=20_000,
        confidence_level=0.9,
        method=theirs,
        vectorized=True,
        rng=np.random.default_rng(2),
    ).confidence_interval
    options = BootstrapOptions(n_resamples=20_000, random_state=1)
    found = f2(t, r, rule="all", interval=ours, bootstrap=options)
    assert (found.lower, found.upper) == pytest.approx((scipys.low, scipys.high), abs=0.06)


profile_sets = arrays(np.float64, (5, 4), elements=st.floats(0, 100).map(lambda x: round(x, 2)))


@given(profile_sets, profile_sets, st.sampled_from(["plain", "expected"]))
def test_f2_equals_the_formula_term_by_term(t, r, estimator) -> None:
    found = f2(t, r, rule="all", estimator=estimator)
    assert found.value == pytest.approx(naive_release.f2(t, r, estimator), abs=1e-9)


@given(profile_sets, profile_sets)
def test_f2_is_symmetric_and_at_most_100(t, r) -> None:
    assert f2(t, r, rule="all").value == pytest.approx(f2(r, t, rule="all").value)
    assert f2(t, r, rule="all").value <= 100
    assert f2(t, t, rule="all").value == 100


def test_bias_is_taken_off_or_put_on(shah) -> None:
    t, r = (frame.to_numpy() for frame in shah("b2"))
    values = [
        f2(t, r, rule="all", estimator=e).value for e in ("expected", "plain", "bias_corrected")
    ]
    assert values == sorted(values)
    assert values[2] == pytest.approx(naive_release.f2(t, r, "bias_corrected"))


@given(st.integers(0, 10_000), st.integers(3, 12), st.integers(3, 12), st.integers(1, 3))
def test_distance_equals_the_formula_with_an_inverse(seed, n, m, p) -> None:
    rng = np.random.default_rng(seed)
    t, r = rng.normal(50, 4, (n, p)), rng.normal(52, 6, (m, p))
    found = msd_equivalence(t, r, rule="all")
    expected = naive_release.distance(t, r, 10)
    assert (found.distance, found.distance_margin) == pytest.approx(expected, rel=1e-8)


def test_test_for_equivalence_keeps_its_level() -> None:
    # the true difference is the margin, the covariance known only from the data
    rng = np.random.default_rng(3)
    shown = [
        msd_equivalence(
            rng.normal(40, 8, (12, 2)) + 10, rng.normal(40, 8, (12, 2)), rule="all"
        ).equivalent
        for _ in range(200)
    ]
    # three standard errors; the covariance is estimated
    assert np.mean(shown) < 0.05 + 3 * 0.0154


def test_rules_end_with_the_point_they_name() -> None:
    times = [0, 5, 10, 15, 20, 30, 45, 60]
    # means of Xu's example: EMA takes four points, WHO four, both as written seven
    test = [0, 7, 15, 50, 69, 82, 84, 86]
    reference = [0, 10, 20, 55, 86, 90, 95, 97]
    for rule, last in (("ema", 20), ("who", 20), ("fda", 60), ("all", 60)):
        found = f2(test, reference, times=times, rule=rule)
        assert found.times[found.used][[0, -1]].tolist() == [5, last]
    swapped = f2(reference, test, times=times, rule="who")
    assert swapped.times[swapped.used][-1] == 60


def test_points_may_be_chosen_in_each_resample(shah) -> None:
    # batch b1 passes 85 % at 90 or at 180 minutes
    fixed, chosen = (
        f2(
            *shah("b1"),
            interval="percentile",
            bootstrap=BootstrapOptions(points=points, random_state=1),
        )
        for points in ("fixed", "resampled")
    )
    assert fixed.value == chosen.value
    assert chosen.upper > fixed.upper + 0.5
    # bootf2BCA 1.3, expected f2 of 1000 resamples: 50.027 to 67.044
    expected = f2(
        *shah("b1"),
        estimator="expected",
        interval="percentile",
        bootstrap=BootstrapOptions(points="resampled", random_state=1),
    )
    assert (expected.lower, expected.upper) == pytest.approx((50.027, 67.044), abs=1.0)


def high_variability(rng: np.random.Generator, n: int = 12) -> np.ndarray:
    return rng.normal([20, 45, 70, 82], [8, 9, 8, 4], (n, 4))


def test_conditions_on_variation_are_named_and_dropped_with_an_interval() -> None:
    rng = np.random.default_rng(5)
    t, r = high_variability(rng), high_variability(rng)
    plain = f2(t, r, rule="all")
    assert not plain.similar
    assert not plain.conditions["held"].all()
    assert {f.rule for f in plain.findings} == {"conditions"}
    table = f2(t, r, rule="all", interval="bca").to_frame()
    assert not table["needed"][table["condition"].str.startswith("CV")].any()


@pytest.mark.parametrize(("rule", "early"), [("ema", 1), ("fda", 3), ("who", 2), ("all", 1)])
def test_early_points_are_those_of_the_rule(rule, early: int) -> None:
    times = [5.0, 10.0, 15.0, 30.0]
    rng = np.random.default_rng(1)
    t = rng.normal(50, 0.1, (12, 4))
    t[:, early - 1] = 50 + 16 * (np.arange(12) % 2)
    held = f2(t, t, times=times, rule=rule).conditions.set_index("condition")["held"]
    assert held["CV of test, early points / %"]
    assert held["CV of test, later points / %"]
    if early < 4:
        t[:, early] = t[:, early - 1]
        held = f2(t, t, times=times, rule=rule).conditions.set_index("condition")["held"]
        assert not held["CV of test, later points / %"]


def test_very_rapid_dissolution_needs_no_f2() -> None:
    fast = np.tile([60.0, 90.0, 95.0], (12, 1)) + np.arange(12)[:, None] / 10
    found = f2(fast, fast, times=[5, 15, 30])
    assert [f.severity for f in found.findings if f.rule == "very_rapid"] == ["info"]
    assert not any(f.rule == "very_rapid" for f in f2(fast, fast).findings)
    late = f2(fast, fast, times=[20, 30, 45])
    assert not any(f.rule == "very_rapid" for f in late.findings)


def test_means_alone_leave_conditions_open() -> None:
    found = f2([20, 50, 70], [21, 52, 71])
    assert not found.similar
    assert found.value > 80
    assert any("units of test: not known" in f.message for f in found.findings)
    assert not f1([20, 50, 70], [41, 92, 91], rule="all").similar


def test_zero_means_cannot_keep_a_condition_on_cv() -> None:
    t = np.tile([0.0, 50, 70], (12, 1)) + np.arange(12)[:, None] * [0, 1, 1] / 20
    found = f2(t, t)
    assert found.conditions["value"].max() == np.inf


def test_resamples_without_a_corrected_f2_are_counted() -> None:
    rng = np.random.default_rng(5)
    t, r = rng.normal(50, 15, (12, 3)), rng.normal(58, 15, (12, 3))
    options = BootstrapOptions(n_resamples=2000, random_state=2)
    found = f2(
        t, r, rule="all", estimator="bias_corrected", interval="percentile", bootstrap=options
    )
    assert found.n_undefined > 0
    assert found.findings[-1].rule == "undefined"
    assert np.isfinite(found.upper)


def test_seed_makes_limits_repeatable(shah) -> None:
    first, second = (
        f2(*shah("b3"), interval="bca", bootstrap=BootstrapOptions(random_state=7))
        for _ in range(2)
    )
    assert (first.lower, first.upper) == (second.lower, second.upper)


GOOD = np.array([[20.0, 50, 70], [22, 55, 73], [18, 49, 74], [21, 54, 70]])


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ((GOOD, GOOD[:, :2]), {}, "same times"),
        ((GOOD, [[1.0, np.nan, 3]]), {}, r"reference\[0, 1\] is NaN"),
        ((np.zeros((2, 2, 2)), GOOD), {}, "row a unit"),
        ((GOOD, GOOD), {"times": [5, 3, 9]}, "times must rise"),
        ((GOOD, GOOD), {"times": [-1, 3, 9]}, "times must rise"),
        ((GOOD, GOOD), {"times": [1, 2]}, "one a column"),
        ((GOOD[:, :1], GOOD[:, :1]), {"times": [0]}, "after 0"),
        ((GOOD, GOOD), {"rule": "fda"}, "times .minutes. are needed"),
        ((GOOD, GOOD), {"rule": "usp"}, "rule must be one of"),
        ((GOOD, GOOD), {"estimator": "best"}, "estimator must be one of"),
        ((GOOD, GOOD), {"interval": "normal"}, "interval must be one of"),
        ((GOOD.mean(axis=0), GOOD), {"interval": "bca"}, "means alone"),
        ((GOOD, GOOD), {"estimator": "bias_corrected"}, "does not exist here"),
        (
            (pd.DataFrame(GOOD, columns=[1, 2, 3]), pd.DataFrame(GOOD, columns=[1, 2, 4])),
            {},
            "columns of test and reference differ",
        ),
    ],
)
def test_bad_profiles_are_named(values, options, message: str) -> None:
    with pytest.raises(InputError, match=message):
        f2(*values, **options)


def test_bca_needs_resamples_on_both_sides() -> None:
    same = np.random.default_rng(1).normal(50, 5, (12, 4))
    with pytest.raises(InputError, match="resamples on both sides"):
        f2(same, same, interval="bca", bootstrap=BootstrapOptions(random_state=1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_resamples": 10}, "n_resamples"),
        ({"confidence": 1}, "confidence"),
        ({"points": "some"}, "points"),
    ],
)
def test_bad_bootstrap_options_are_named(options, message: str) -> None:
    with pytest.raises(InputError, match=message):
        BootstrapOptions(**options)


def test_reference_that_does_not_dissolve_has_no_f1() -> None:
    with pytest.raises(InputError, match="must dissolve"):
        f1(GOOD, np.zeros((4, 3)))


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ((GOOD[:2], GOOD[:2]), {}, "more units than times"),
        ((GOOD[0], GOOD), {}, "2 each"),
        ((np.tile(GOOD[:1], (4, 1)), np.tile(GOOD[:1], (4, 1))), {}, "column 0 .* not vary"),
        ((GOOD[:, [0, 1, 1]], GOOD[:, [0, 1, 1]]), {}, "depend on each other"),
        ((GOOD, GOOD), {"margin": 0}, "margin"),
        ((GOOD, GOOD), {"alpha": 0.5}, "alpha"),
        ((GOOD, GOOD), {"method": "f2"}, "method must be one of"),
    ],
)
def test_bad_input_of_a_distance_is_named(values, options, message: str) -> None:
    with pytest.raises(InputError, match=message):
        msd_equivalence(*values, **options)


def test_results_are_json_and_pictures(shah) -> None:
    found = f2(*shah("b1"), interval="percentile", bootstrap=BootstrapOptions(random_state=1))
    assert json.loads(json.dumps(found.to_dict()))["factor"] == "f2"
    axes = found.plot()
    assert "90 %: " in axes.get_title(loc="left")
    labels = {line.get_label() for line in axes.lines}
    assert {"reference", "test", "85 %"} <= labels
    assert f1([20, 50], [21, 52]).plot().get_title(loc="left").startswith("f1 = ")
    far = msd_equivalence(*shah("b1"))
    assert json.loads(json.dumps(far.to_dict()))["method"] == "hoffelder"
    assert far.to_frame().shape[0] == 1
    assert far.plot().get_xlabel().startswith("distance")
