"""Variance components and their limits against certified values, R and simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_inference import mean_square_coefficients
from scipy import stats

from pharmaq.errors import InputError
from pharmaq.spc import (
    mls_limits,
    mls_ratio_limits,
    satterthwaite_limits,
    variance_components,
    wald_limits,
)


# NIST StRD, analysis of variance: certified sums of squares, F and residual sd
@pytest.mark.parametrize(
    ("name", "certified", "rel"),
    [
        (
            "atmwtag",
            # values of seven equal digits: their double precision form keeps ten
            [
                3.63834187500000e-09,
                1.04951729166667e-08,
                1.59467335677930e01,
                1.51048314446410e-05,
            ],
            2e-10,
        ),
        (
            "sirstv",
            [
                5.11462616000000e-02,
                2.16636560000000e-01,
                1.18046237440255e00,
                1.04076068334656e-01,
            ],
            1e-12,
        ),
    ],
)
def test_one_way_analysis_matches_certified_values(spc_data, name, certified, rel) -> None:
    frame = pd.read_csv(spc_data / f"nist_{name}.csv")
    table = variance_components(frame, "instrument", value="y").table
    found = [table.ss[0], table.ss[1], table.f[0], table.sd[1]]
    np.testing.assert_allclose(found, certified, rtol=rel)
    if name == "sirstv":
        # (0.0127865654 - 0.010831828) / 5 by its certified mean squares
        assert table.variance[0] == pytest.approx(0.00039094748, rel=1e-8)


# R 4.2.2, VCA 1.5.2: anovaVCA and VCAinference (total and error chi-square, others normal)
@pytest.mark.parametrize(
    ("name", "file", "factors", "value"),
    [
        ("vca_dataEP05A2_1", "dataEP05A2_1", ["day", "run"], "y"),
        ("vca_dataEP05A2_2", "dataEP05A2_2", ["day", "run"], "y"),
        ("vca_Glucose", "Glucose", ["day", "run"], "result"),
        ("vca_EP05A3_MS_1", "dataEP05A3_MS_1", ["site", "day"], "y"),
    ],
)
def test_nested_analysis_matches_r(shared, r_results, name, file, factors, value) -> None:
    frame = pd.read_csv(shared / "data" / "quality" / f"precision_{file}.csv")
    result = variance_components(frame, factors, value=value, intervals="wald")
    expected = r_results[name]
    assert (result.n, result.mean) == (expected["n"], pytest.approx(expected["mean"]))
    rows = result.table.set_index("source")
    columns = {"DF": "df", "SS": "ss", "MS": "ms", "VC": "variance", "%Total": "percent"}
    columns |= {"SD": "sd", "CV[%]": "cv"}
    for printed in expected["table"]:
        for key, column in columns.items():
            if printed[key] is not None:
                found = rows.loc[printed["_row"], column]
                assert found == pytest.approx(printed[key], rel=1e-8)
    for printed in expected["CI_two_sided_VC"]:
        found = rows.loc[printed["_row"], ["lower", "upper"]].to_list()
        assert found == pytest.approx([printed["LCL"], printed["UCL"]], rel=1e-8)


# C. M. Borror, D. C. Montgomery, R. K. Burdick: exact where one mean square is alone
def test_limits_of_one_mean_square_are_those_of_chi_square() -> None:
    exact = [60 * 0.04 / stats.chi2.isf(q, 60) for q in (0.025, 0.975)]
    assert mls_limits([1.0], [0.04], [60]) == pytest.approx(exact)
    assert satterthwaite_limits([1.0], [0.04], [60])[:2] == pytest.approx(exact)


def test_limits_of_a_ratio_of_two_mean_squares_are_those_of_f() -> None:
    exact = [4 / stats.f.isf(q, 9, 20) for q in (0.025, 0.975)]
    assert mls_ratio_limits([1, 0], [0, 1], [4.0, 1.0], [9, 20]) == pytest.approx(exact)


# S. R. Searle et al. 1992: F of the test of zero is where the lower limit leaves zero
@given(f=st.floats(0.5, 20), n=st.integers(2, 40), m=st.integers(2, 40))
def test_the_limit_of_a_difference_is_zero_where_f_is_just_significant(f, n, m) -> None:
    critical = stats.f.isf(0.025, n, m)
    assert mls_limits([1, -1], [critical, 1.0], [n, m])[0] == pytest.approx(0, abs=1e-6)
    low = mls_limits([1, -1], [f, 1.0], [n, m])[0]
    assert np.sign(low) == np.sign(f - critical) or abs(f - critical) < 1e-6


def test_limits_of_a_sum_cover_their_level() -> None:
    rng = np.random.default_rng(1)
    truth, dof, c = np.array([5.0, 2.0, 1.0]), np.array([6.0, 8.0, 20.0]), [0.2, 0.3, 0.5]
    hits = 0
    for _ in range(1500):
        ms = truth * rng.chisquare(dof) / dof
        low, high = mls_limits(c, ms, dof, confidence=0.9)
        hits += low <= truth @ c <= high
    # three standard errors
    assert hits / 1500 >= 0.9 - 3 * np.sqrt(0.09 / 1500)


@settings(max_examples=20)
@given(seed=st.integers(0, 1000))
def test_unequal_groups_have_the_expected_mean_squares_of_projections(seed: int) -> None:
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(4), rng.integers(3, 6, size=4))
    run = rng.integers(0, 2, size=len(day))
    # two runs a day, two values in one of them at least
    first = np.searchsorted(day, np.arange(4))
    run[first], run[first + 1], run[first + 2] = 0, 1, 1
    frame = pd.DataFrame({"day": day, "run": run, "value": rng.normal(size=len(day))})
    result = variance_components(frame, ["day", "run"])
    expected = mean_square_coefficients([list(day), list(10 * day + run)])
    ss = result.table.ss.to_numpy()[:-1]
    variance = np.linalg.solve(expected, ss)
    np.testing.assert_allclose(
        result.table.variance[:-1], np.maximum(variance, 0), rtol=1e-8, atol=1e-12
    )
    negative = [s for s, v in zip(result.table.source, variance, strict=False) if v < 0]
    assert list(result.truncated) == negative
    assert result.balanced == any(f.rule == "unbalanced" for f in result.findings) ^ True


def test_a_component_below_zero_is_set_to_zero_and_said() -> None:
    frame = pd.DataFrame({"batch": list("aabb"), "value": [1.0, 3.0, 1.1, 2.9]})
    result = variance_components(frame, "batch")
    assert result.truncated == ("batch",)
    assert result.table.variance[0] == 0
    assert [f.rule for f in result.findings] == ["negative_component"]


@pytest.mark.parametrize("more", [1e-1, 1e-2, 1e-4, 1e-9])
def test_a_component_next_to_zero_has_no_lower_satterthwaite_limit(more: float) -> None:
    low, high, freedom = satterthwaite_limits([1.0, -1.0], [1.0 + more, 1.0], [5, 12])
    assert 0 <= low < more < high
    assert freedom < 0.1


def test_a_component_that_is_zero_has_no_satterthwaite_limits() -> None:
    frame = pd.DataFrame({"batch": list("aabb"), "value": [1.0, 3.0, 1.1, 2.9]})
    table = variance_components(frame, "batch", intervals="satterthwaite").table
    assert table.lower[0] == 0
    assert np.isnan(table.upper[0])


def test_normal_limits_have_the_large_sample_error() -> None:
    low, high = wald_limits([1.0, -1.0], [3.0, 1.0], [10, 40], confidence=0.95)
    error = np.sqrt(2 * (9 / 10 + 1 / 40))
    assert (high - low) / 2 == pytest.approx(1.959963984540054 * error)


BASE = pd.DataFrame({"day": [1, 1, 2, 2], "run": [1, 2, 1, 2], "value": [1.0, 2.0, 3.0, 5.0]})


@pytest.mark.parametrize(
    ("frame", "factors", "match"),
    [
        (BASE, ["day", "run"], "values repeat no group"),
        (BASE.assign(run=1), ["day", "run"], "'day:run' splits no group"),
        (BASE.assign(day=1), "day", "at least 2 levels"),
        (BASE, [], "at least one column"),
        (BASE, ["day", "day"], "a column of its own"),
        (BASE, "batch", "column 'batch' is not in the frame"),
        (BASE.assign(value=2.0), "day", "4 equal values"),
        (BASE.assign(value=BASE.value.mask(BASE.index == 2)), "day", "row 2 .* is nan"),
    ],
)
def test_bad_studies_are_named(frame, factors, match: str) -> None:
    with pytest.raises(InputError, match=match):
        variance_components(frame, factors)


def test_bad_combinations_are_named() -> None:
    with pytest.raises(InputError, match="must not all be zero"):
        mls_limits([0.0], [1.0], [3])
    with pytest.raises(InputError, match="must be positive"):
        mls_limits([1.0], [-1.0], [3])
    with pytest.raises(InputError, match="lengths must agree"):
        mls_limits([1.0, 2.0], [1.0], [3])
