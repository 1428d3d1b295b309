"""Capability indices against textbooks, manuals and simulation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pharmaq.errors import InputError
from pharmaq.spc import capability, d2

if TYPE_CHECKING:
    from pathlib import Path

SPEC: dict[str, Any] = {"lsl": -4.0, "usl": 5.0}


def standardized(n: int) -> np.ndarray:
    """Return n values with mean 0 and standard deviation 1 exactly, in no order."""
    x = stats.norm.ppf((np.arange(n) + 0.5) / n)[np.random.default_rng(7).permutation(n)]
    return (x - x.mean()) / x.std(ddof=1)


# D. C. Montgomery, Introduction to Statistical Quality Control, sec. 8.3.5: n = 20, index 1.33
def test_limits_of_overall_indices_are_the_printed_ones() -> None:
    found = capability(standardized(20), lsl=-3.99, usl=3.99)
    assert found.pp == pytest.approx(1.33, abs=1e-12)
    pp, ppk = found.indices["pp"], found.indices["ppk"]
    assert (pp.lower, pp.upper) == pytest.approx((0.911, 1.749), abs=6e-4)
    # the book rounds the standard error to 0.45 first
    assert (ppk.lower, ppk.upper) == pytest.approx((0.88, 1.78), abs=6e-3)


# D. C. Montgomery, Introduction to Statistical Quality Control, example 6.1: hard bake
def test_flow_width_of_hard_bake_is_as_printed(spc_data: Path) -> None:
    table = pd.read_csv(spc_data / "hardbake_flow_width.csv")
    x = table["width"].to_numpy().reshape(25, 5)
    found = capability(x, lsl=1.0, usl=2.0, estimator="r_bar")
    assert found.cp == pytest.approx(1.192, abs=6e-4)
    # the book rounds the mean to 1.5056 and sigma to 0.1398
    assert found.cpk == pytest.approx(1.179, abs=1e-3)
    assert found.cpl == pytest.approx(1.205, abs=1e-3)
    assert found.valid


# JASP's test of a process capability study, verified with Minitab by its authors
def test_diameters_are_as_in_minitab(spc_data: Path) -> None:
    x = pd.read_csv(spc_data / "jasp_capability_diameter.csv")["Diameter"].to_numpy()
    found = capability(
        x, subgroups=5, lsl=0, usl=12, estimator="r_bar", confidence=0.9, units="mm"
    )
    names = ("pp", "ppk", "ppl", "ppu", "cp", "cpk", "cpl", "cpu")
    printed = (1.08, 0.88, 1.27, 0.88, 1.13, 0.93, 1.34, 0.93)
    values = [found.indices[name].value for name in names]
    np.testing.assert_allclose(values, printed, atol=5.1e-3)
    pp, ppk = found.indices["pp"], found.indices["ppk"]
    assert (pp.lower, pp.upper) == pytest.approx((0.95, 1.20), abs=5.1e-3)
    assert (ppk.lower, ppk.upper) == pytest.approx((0.77, 1.00), abs=5.1e-3)
    assert found.ppm["observed"] == {"below": 0.0, "above": 10_000.0, "total": 10_000.0}
    assert found.ppm["overall"]["below"] == pytest.approx(68.39, abs=6e-3)
    assert found.ppm["overall"]["above"] == pytest.approx(4020.39, abs=6e-3)
    assert found.normality_a2 == pytest.approx(0.43, abs=5e-3)
    assert (found.mean, found.sd) == pytest.approx((7.08, 1.85635681000733), abs=1e-12)
    # printed with d2 rounded to 2.326
    rounded = found.within.value * d2(5) / 2.326
    assert rounded == pytest.approx(1.76268271711092, rel=1e-12)
    assert found.ppm["within"]["below"] == pytest.approx(29.52, abs=0.05)
    assert found.ppm["within"]["above"] == pytest.approx(2625.65, abs=0.7)


def test_ranges_have_their_own_degrees_of_freedom(spc_data: Path) -> None:
    # m d2^2 / (2 d3^2): not n - 1 = 99, and not 85.5 with size and number of subgroups swapped
    x = pd.read_csv(spc_data / "jasp_capability_diameter.csv")["Diameter"].to_numpy()
    found = capability(x, subgroups=5, lsl=0, usl=12, estimator="r_bar", confidence=0.9)
    freedom = 20 * 2.326**2 / (2 * 0.864**2)
    assert found.indices["cp"].freedom == pytest.approx(freedom, rel=1e-3)
    assert found.indices["cpk"].freedom == pytest.approx(freedom, rel=1e-3)


# qcc 3.0, three subgroups of four
def test_three_subgroups_agree_with_qcc_but_for_its_degrees_of_freedom(spc_data: Path) -> None:
    x = pd.read_csv(spc_data / "qcc_capability_3x4.csv")
    found = capability(x, lsl=9.9, usl=10.1, target=10.0, estimator="r_bar")
    overall = [found.indices[name].value for name in ("pp", "ppl", "ppu", "ppk", "cpm")]
    np.testing.assert_allclose(
        overall, [1.612598, 1.693228, 1.531968, 1.531968, 1.567395], atol=1e-6
    )
    pp, ppk = found.indices["pp"], found.indices["ppk"]
    assert (pp.lower, pp.upper) == pytest.approx((0.949773, 2.27641), abs=2e-6)
    assert (ppk.lower, ppk.upper) == pytest.approx((0.864608, 2.199329), abs=2e-6)
    # qcc takes d2 = 2.059, and 11 degrees of freedom where ranges of these have 8.2
    assert found.cp == pytest.approx(1.372667, abs=2e-4)
    cp, cpk = found.indices["cp"], found.indices["cpk"]
    assert cp.freedom == pytest.approx(8.21, abs=0.01)
    assert cp.upper - cp.lower > 1.937713 - 0.80846 + 0.1
    assert cpk.upper - cpk.lower > 1.880659 - 0.727408 + 0.1


# R 4.2.2, package qcc, on the cans of the SAS/QC manual
def test_cans_agree_with_r(spc_data: Path, r_results: dict[str, Any]) -> None:
    cans = pd.read_csv(spc_data / "sas_cans.csv")["weight"]
    found = capability(cans, lsl=11.85, usl=12.15, target=12.0)
    rows = r_results["capability_cans_summary"]["indices"]
    for name, row in zip(("pp", "ppl", "ppu", "ppk", "cpm"), rows, strict=True):
        assert found.indices[name].value == pytest.approx(row[0], abs=1e-9)
    for name, row in (("pp", rows[0]), ("ppk", rows[3])):
        index = found.indices[name]
        assert (index.lower, index.upper) == pytest.approx(row[1:], abs=1e-9)


# R 4.2.2, package qcc, on the piston rings of Montgomery
def test_piston_rings_differ_from_r_for_three_reasons(
    pistonrings: np.ndarray, r_results: dict[str, Any]
) -> None:
    rows = np.array(r_results["spc_pistonrings_capability_73.95_74.05"]["indices"])
    x = pistonrings[:25]
    found = capability(x, lsl=73.95, usl=74.05, target=74.0, estimator="r_bar")
    ours = [found.indices[name].value for name in ("cp", "cpl", "cpu", "cpk")]
    # d2 rounded to 2.326, where it is 2.32593 (H. L. Harter, Order Statistics, 1970)
    rounded = np.array(ours) * 2.326 / d2(5)
    np.testing.assert_allclose(rounded, rows[:4, 0], rtol=2e-10)
    assert np.all(np.abs(ours / rows[:4, 0] - 1) < 4e-5)
    # limits with the 124 degrees of freedom of all values, where ranges have 90.6
    cp = rows[0, 0] * np.sqrt(stats.chi2.ppf([0.025, 0.975], 124) / 124)
    np.testing.assert_allclose(cp, rows[0, 1:], rtol=1e-9)
    assert found.indices["cp"].freedom == pytest.approx(90.6, abs=0.05)
    # Cpm with sigma by ranges, where the spread about a target is that of all values
    sigma = 0.1 / (6 * rows[0, 0])
    off = x.mean() - 74.0
    assert 0.1 / (6 * math.hypot(sigma, off)) == pytest.approx(rows[4, 0], rel=1e-9)
    assert found.cpm == pytest.approx(0.1 / (6 * math.hypot(x.std(ddof=1), off)))


# JASP's test, verified with Minitab: 0.93, limits 0.83 and 1.04
def test_cpm_of_diameters_is_printed_with_divisor_n(spc_data: Path) -> None:
    x = pd.read_csv(spc_data / "jasp_capability_diameter.csv")["Diameter"].to_numpy()
    found = capability(x, lsl=0, usl=12, target=6, confidence=0.9)
    by_n = 12 / (6 * math.sqrt(np.mean((x - 6) ** 2) * x.size / (x.size - 1)))
    assert by_n == pytest.approx(0.93, abs=5.1e-3)
    # both divisors print as 0.93: they differ by a factor of at most root (1 - 1 / n)
    assert found.cpm == pytest.approx(0.93, abs=5.1e-3)
    assert by_n < found.cpm < by_n * math.sqrt(x.size / (x.size - 1))
    cpm = found.indices["cpm"]
    assert (cpm.lower, cpm.upper) == pytest.approx((0.83, 1.04), abs=5.1e-3)


def test_cpm_has_the_degrees_of_freedom_of_boyles() -> None:
    x = standardized(50)
    found = capability(x, lsl=-4, usl=4, target=1.0)
    # a = -1: 50 * 4 / 3
    assert found.indices["cpm"].freedom == pytest.approx(200 / 3)
    assert found.cpm == pytest.approx(8 / (6 * math.sqrt(2)))


def test_one_sided_limit_inverts_the_noncentral_t() -> None:
    found = capability(standardized(25), usl=3.0)
    ppu = found.indices["ppu"]
    t = 3 * 5 * ppu.value
    assert stats.nct.sf(t, 24, 15 * ppu.lower) == pytest.approx(0.025, abs=1e-8)
    assert stats.nct.cdf(t, 24, 15 * ppu.upper) == pytest.approx(0.025, abs=1e-8)
    assert found.pp is None
    assert found.cp is None
    assert found.ppl is None
    assert (found.indices["ppk"].lower, found.indices["ppk"].method) == (
        ppu.lower,
        "noncentral t",
    )


def test_percentile_indices_of_a_lognormal_follow_its_quantiles() -> None:
    x = np.exp(0.2 * standardized(60) + 1.0)
    found = capability(x, lsl=1.0, usl=6.0, distribution="lognormal")
    fit = stats.lognorm(0.2, scale=math.e)
    low, middle, high = fit.ppf([stats.norm.cdf(-3), 0.5, stats.norm.cdf(3)])
    assert found.pp == pytest.approx(5 / (high - low))
    assert found.ppk == pytest.approx(
        min((6 - middle) / (high - middle), (middle - 1) / (middle - low))
    )
    assert found.ppm["overall"]["above"] == pytest.approx(1e6 * fit.sf(6.0), rel=1e-9)
    assert found.cpk is None


def test_a_drift_marks_the_indices() -> None:
    x = standardized(40) + np.repeat([0.0, 8.0], 20)
    found = capability(x, lsl=-20, usl=30)
    assert not found.valid
    assert [finding.rule for finding in found.findings][:2] == ["stability", "shift"]
    assert {finding.severity for finding in found.findings} == {"alert"}


def test_skewed_values_mark_the_indices() -> None:
    x = np.random.default_rng(1).exponential(size=80)
    found = capability(x, lsl=-20, usl=30)
    assert "distribution" in [finding.rule for finding in found.findings]


def test_few_values_mark_the_indices() -> None:
    found = capability([1.0, 2.0, 1.5, 1.7], lsl=0, usl=3)
    assert [finding.rule for finding in found.findings] == ["sample_size"]
    assert found.normality_p is None


@given(st.integers(0, 2**32 - 1), st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
def test_indices_do_not_depend_on_the_unit(seed: int, shift: float, scale: float) -> None:
    x = np.random.default_rng(seed).standard_normal(12)
    found = capability(x, target=0.0, **SPEC).to_frame()
    moved = capability(
        x * scale + shift, lsl=-4 * scale + shift, usl=5 * scale + shift, target=shift
    ).to_frame()
    tolerance = 1e-9 * (1 + abs(shift) / scale)
    for column in ("value", "lower", "upper"):
        np.testing.assert_allclose(moved[column], found[column], rtol=tolerance)


@given(st.integers(0, 2**32 - 1), st.floats(0.5, 0.95))
def test_limits_widen_with_confidence(seed: int, confidence: float) -> None:
    x = np.random.default_rng(seed).standard_normal(12)
    narrow = capability(x, target=0.0, confidence=confidence, **SPEC).to_frame()
    wide = capability(x, target=0.0, confidence=confidence + 0.04, **SPEC).to_frame()
    assert (wide["lower"] < narrow["lower"]).all()
    assert (wide["upper"] > narrow["upper"]).all()


@pytest.mark.slow
@pytest.mark.parametrize("estimator", ["r_bar", "s_bar", "pooled", "mr_bar", "mssd"])
def test_limits_reach_their_confidence(estimator: str) -> None:
    rng = np.random.default_rng(11)
    shape: tuple[int, ...] = (30,) if estimator in {"mr_bar", "mssd"} else (10, 4)
    runs = 1500
    true = {"cp": 1.5, "cpu": 5 / 3, "cpk": 4 / 3, "pp": 1.5, "ppu": 5 / 3, "ppk": 4 / 3}
    true["cpm"] = 1.5 / math.sqrt(1.25)
    held = dict.fromkeys(true, 0)
    for _ in range(runs):
        x = rng.standard_normal(shape)
        found = capability(x, target=0.5, estimator=estimator, **SPEC)  # type: ignore[arg-type]
        for name, value in true.items():
            index = found.indices[name]
            held[name] += index.lower <= value <= index.upper
    noise = 4 * math.sqrt(0.95 * 0.05 / runs)
    for name in ("cp", "cpu", "pp", "ppu"):
        assert held[name] / runs == pytest.approx(0.95, abs=noise), name
    # Bissell's and Boyles' limits are approximate
    for name in ("cpk", "ppk", "cpm"):
        assert held[name] / runs == pytest.approx(0.95, abs=noise + 0.01), name


def test_a_wild_subgroup_marks_the_indices() -> None:
    x = standardized(100).reshape(20, 5).copy()
    x[7] *= 6
    found = capability(x, lsl=-20, usl=20)
    assert "stability" in [finding.rule for finding in found.findings]


def test_picture_shows_specification_and_verdict() -> None:
    found = capability(standardized(40), lsl=-4, usl=4, target=0.5, units="%")
    ax = found.plot()
    at = {line.get_xdata()[0] for line in ax.lines}
    assert {-4.0, 4.0, 0.5} <= at
    assert "Ppk 1.33" in ax.get_title(loc="left")
    plt.close(ax.figure)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"values": [1.0, float("nan"), 2.0]}, r"values\[1\] is NaN"),
        ({"values": [1.0]}, "at least 2"),
        ({"values": [2.0, 2.0, 2.0]}, "must vary"),
        ({"lsl": 5.0, "usl": 1.0}, "lsl must lie below usl"),
        ({"usl": float("inf")}, "usl"),
        ({"lsl": None, "usl": None}, "lsl or usl"),
        ({"target": 9.0}, "target"),
        ({"confidence": 95}, "confidence"),
        ({"distribution": "cauchy"}, "distribution"),
        ({"distribution": "lognormal", "values": [1.0, -1.0, 2.0]}, r"values\[1\] is -1"),
        ({"estimator": "guess"}, "estimator"),
    ],
)
def test_bad_input_names_the_argument(change: dict[str, Any], match: str) -> None:
    arguments: dict[str, Any] = {"values": [1.0, 2.0, 4.0], "lsl": 0.0, "usl": 5.0} | change
    with pytest.raises(InputError, match=match):
        capability(arguments.pop("values"), **arguments)
