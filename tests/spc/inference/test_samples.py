"""Normality and outliers against published numbers, slow twins and simulation."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive_inference import anderson_darling as naive_anderson
from naive_inference import dixon as naive_dixon
from scipy import stats

from pharmaq.errors import InputError
from pharmaq.spc import anderson_darling, dixon, generalized_esd, grubbs, hampel, shapiro_wilk

# weights of 20 chicks, g (Bliss); in R. B. D'Agostino, M. A. Stephens 1986, chapter 4
CHICKS = [156, 162, 168, 182, 186, 190, 190, 196, 202, 210]
CHICKS += [214, 220, 226, 230, 230, 236, 236, 242, 246, 270]


# D'Agostino and Stephens: A^2 = 0.214, A* = 0.223
def test_anderson_darling_matches_the_book() -> None:
    test = anderson_darling(CHICKS)
    assert test.statistic == pytest.approx(0.214, abs=6e-4)
    assert test.adjusted == pytest.approx(0.223, abs=6e-4)
    assert (test.mean, test.sd) == (pytest.approx(209.6), pytest.approx(30.65, abs=0.0051))
    assert test.findings == ()


# D'Agostino and Stephens, table 4.7, case 3: upper tail points of A*
@pytest.mark.parametrize(
    ("point", "p"), [(0.631, 0.10), (0.752, 0.05), (0.873, 0.025), (1.035, 0.01)]
)
def test_p_agrees_with_the_table_of_points(point: float, p: float) -> None:
    base = np.asarray(CHICKS, dtype=float)

    def stretched(power: float) -> float:
        return anderson_darling(base**power).adjusted

    low, high = 1.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if stretched(middle) < point else (low, middle)
    # the formulas follow the points to about 3 %
    assert anderson_darling(base**low).p == pytest.approx(p, rel=0.04)


@given(st.lists(st.floats(-1e3, 1e3), min_size=8, max_size=30, unique=True))
def test_anderson_darling_equals_the_plain_formula(values: list[float]) -> None:
    if np.std(values) < 1e-6:
        return
    found = anderson_darling(values).statistic
    assert found == pytest.approx(naive_anderson(values), rel=1e-7, abs=1e-9)


# S. S. Shapiro, M. B. Wilk 1965, example 3: W = 0.79, p about 0.01; R: 0.78881, 0.006704
def test_shapiro_wilk_matches_the_paper() -> None:
    test = shapiro_wilk([148, 154, 158, 160, 161, 162, 166, 170, 182, 195, 236])
    assert test.statistic == pytest.approx(0.79, abs=5e-3)
    assert test.p == pytest.approx(0.006704, abs=1e-4)
    assert test.findings[0].severity == "alert"


# NIST/SEMATECH e-Handbook: heat flow meter, normal by every test
def test_normal_measurements_are_not_suspected(shared) -> None:
    path = shared / "data" / "quality" / "nist_handbook" / "ZARR13.DAT"
    values = np.loadtxt(path, skiprows=25)
    assert anderson_darling(values).p > 0.5
    assert shapiro_wilk(values).p > 0.5


def test_level_of_anderson_darling_holds() -> None:
    rng = np.random.default_rng(2)
    p = [anderson_darling(rng.normal(size=20)).p for _ in range(2000)]
    # three standard errors
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=3 * 0.0049)


# NIST/SEMATECH e-Handbook 1.3.5.17.1: G = 2.4687, one-sided critical value 2.032
def test_grubbs_matches_the_handbook(spc_data) -> None:
    values = pd.read_csv(spc_data / "nist_grubbs.csv").x
    for side, critical in (("max", 2.0317), ("both", 2.1266)):
        row = grubbs(values, side=side).table.iloc[0]
        # the handbook cuts 2.46876
        assert row.statistic == pytest.approx(2.4687, abs=1e-4)
        assert row.critical == pytest.approx(critical, abs=5e-4)
        assert (row.position, row.outlier) == (7, True)
    assert len(grubbs(values, side="min").outliers) == 0


@given(st.lists(st.floats(-100, 100), min_size=3, max_size=25, unique=True))
def test_grubbs_p_is_below_alpha_where_g_is_above_its_critical_value(values) -> None:
    if np.std(values) < 1e-6:
        return
    row = grubbs(values, alpha=0.2).table.iloc[0]
    assert row.outlier == (row.p < 0.2) or abs(row.p - 0.2) < 1e-6


# NIST/SEMATECH e-Handbook 1.3.5.17.3 (Rosner 1983)
def test_generalized_esd_matches_the_handbook(spc_data) -> None:
    test = generalized_esd(pd.read_csv(spc_data / "nist_rosner.csv").x, n_outliers=7)
    r = [3.118, 2.942, 3.179, 2.810, 2.815, 2.848, 2.279]
    critical = [3.158, 3.151, 3.143, 3.136, 3.128, 3.120, 3.111]
    # three digits, cut
    assert test.table.statistic.to_list() == pytest.approx(r, abs=1.01e-3)
    assert test.table.critical.to_list() == pytest.approx(critical, abs=1.01e-3)
    # R_1 and R_2 are below their critical values: the largest i decides
    assert list(test.outliers) == [53, 52, 51]
    assert len(test.findings) == 3


# W. J. Dixon 1953 and D. B. Rorabacher 1991, one end at alpha: 3 to 7 r10, r11, r21, r22
@pytest.mark.parametrize(
    ("n", "printed"),
    [
        *[(3, 0.941), (4, 0.765), (5, 0.642), (7, 0.507), (8, 0.554), (10, 0.477)],
        *[(11, 0.575), (13, 0.521), (14, 0.546), (20, 0.450), (25, 0.406)],
    ],
)
def test_critical_values_of_dixon_match_the_tables(n: int, printed: float) -> None:
    values = np.arange(n) + np.r_[np.zeros(n - 1), 0.5]
    row = dixon(values, side="max", alpha=0.05).table.iloc[0]
    # the old tables are off by one in the third digit here and there
    assert row.critical == pytest.approx(printed, abs=1.01e-3)


def test_three_values_have_a_closed_form() -> None:
    for r in (0.2, 0.7, 0.97):
        # the density of r10 is 3 sqrt(3) / (2 pi (r^2 - r + 1))
        exact = 1 - 3 / math.pi * (math.atan((2 * r - 1) / 3**0.5) + math.pi / 6)
        found = dixon([0.0, 1 - r, 1.0], side="max").table.p.iloc[0]
        assert found == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize(("n", "j", "k"), [(6, 1, 0), (9, 1, 1), (12, 2, 1), (18, 2, 2)])
def test_dixon_tail_equals_simulation(n: int, j: int, k: int) -> None:
    rng = np.random.default_rng(n)
    x = np.sort(rng.normal(size=(60_000, n)), axis=1)
    ratios = (x[:, -1] - x[:, -1 - j]) / (x[:, -1] - x[:, k])
    values = rng.normal(size=n)
    row = dixon(values, side="max", ratio=f"r{j}{k}").table.iloc[0]
    assert row.statistic == pytest.approx(naive_dixon(list(values), j, k))
    share = np.mean(ratios > row.statistic)
    assert row.p == pytest.approx(share, abs=4 * math.sqrt(0.25 / 60_000))
    mirrored = dixon(-values, side="min", ratio=f"r{j}{k}").table.iloc[0]
    assert mirrored.statistic == pytest.approx(row.statistic)


def test_hampel_names_its_bounds_and_scale() -> None:
    values = [10.1, 9.9, 10.0, 10.2, 9.8, 12.5]
    median, mad = 10.05, 0.15
    test = hampel(values, k=3.5)
    assert test.upper == pytest.approx(median + 3.5 * mad / stats.norm.ppf(0.75))
    assert list(test.outliers) == [5]
    raw = hampel(values, k=2.0, scale="none")
    assert (raw.lower, raw.upper) == pytest.approx((median - 2 * mad, median + 2 * mad))


@pytest.mark.parametrize("method", [grubbs, dixon, hampel, anderson_darling, shapiro_wilk])
def test_bad_values_are_named(method) -> None:
    good = list(np.random.default_rng(0).normal(size=10))
    with pytest.raises(InputError, match=r"values\[3\] is NaN"):
        method([*good[:3], np.nan, *good[4:]])
    with pytest.raises(InputError, match="equal"):
        method([2.0] * 10)
    with pytest.raises(InputError, match="at least"):
        method(good[:2])


def test_bad_options_are_named() -> None:
    good = np.random.default_rng(0).normal(size=31)
    with pytest.raises(InputError, match="number of values must be from 3 to 30"):
        dixon(good)
    with pytest.raises(InputError, match="'r22' needs at least 6"):
        dixon(good[:4], ratio="r22")
    with pytest.raises(InputError, match="side must be one of"):
        grubbs(good, side="left")
    with pytest.raises(InputError, match="at least 8 values"):
        generalized_esd(good[:6], n_outliers=5)
    with pytest.raises(InputError, match="at most 5000"):
        shapiro_wilk(np.arange(5001.0))
    with pytest.raises(InputError, match="more than half"):
        hampel([1.0, 1.0, 1.0, 2.0])
