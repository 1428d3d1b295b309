"""MEWMA and MCUSUM charts, and how long they run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import naive_charts_of_vectors as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmaq.errors import InputError
from pharmaq.mspc import (
    mcusum_chart,
    mcusum_limit,
    mcusum_run_length,
    mewma_chart,
    mewma_limit,
    mewma_run_length,
    t2_chart,
)
from pharmaq.spc import ControlChart

if TYPE_CHECKING:
    from pathlib import Path

S = np.array([[1.0, 0.5, 0.2], [0.5, 2.0, 0.1], [0.2, 0.1, 0.5]])
CENTER = np.array([1.0, -2.0, 0.5])


def draw(n: int, seed: int = 0, shift: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.multivariate_normal(CENTER + shift, S, size=n)


# S. E. Rigdon (1995), G. C. Runger & S. S. Prabhu (1996), S. Knoth (2017) table 2
def test_mewma_run_lengths_match_the_literature(mspc_cases: dict[str, Any]) -> None:
    case = mspc_cases["H06"]
    p = case["params"]
    found = [
        mewma_run_length(n, lam=lam, limit=h).arl
        for n, lam, h in zip(p["p"], p["lam"], p["h4"], strict=True)
    ]
    assert found == pytest.approx(case["expected"]["ARL0"], rel=0.006)
    assert found == pytest.approx(case["recomputed"]["ARL0"], rel=1e-9)


# the same tables read the other way: limits as printed, which lead to 0.3 % of their ARL
@pytest.mark.parametrize(
    ("p", "lam", "arl0", "h"),
    [(2, 0.1, 200, 8.63), (4, 0.1, 200, 12.73), (4, 0.25, 500, 16.38), (3, 0.25, 1000, 15.82)],
)
def test_mewma_limits_match_the_literature(p: int, lam: float, arl0: float, h: float) -> None:
    assert mewma_limit(p, lam=lam, arl0=arl0) == pytest.approx(h, abs=1e-2)


# W. G. Molnau et al. (2001), Markov chain with 25 by 25 states: good to a third of a percent
@pytest.mark.slow
def test_mewma_run_lengths_after_a_shift_match_molnau() -> None:
    found = mewma_run_length(4, lam=0.1, limit=12.73, shift=[0, 0.5, 1, 1.5, 2, 3]).arl
    assert found == pytest.approx([199.78, 35.05, 12.17, 7.22, 5.19, 3.42], rel=4e-3)


# Montgomery, Introduction to Statistical Quality Control, section 11.4: all of six variables
# with this correlation shifted by one standard deviation; noncentrality 1.86
def test_shift_is_the_length_in_the_metric_of_the_covariance() -> None:
    upper = [0.7, 0.9, 0.3, 0.2, 0.3, 0.8, 0.1, 0.4, 0.2, 0.1, 0.2, 0.1, 0.2, 0.1, 0.1]
    R = np.eye(6)
    R[np.triu_indices(6, 1)] = upper
    R = np.maximum(R, R.T)
    chart = t2_chart(np.ones((1, 6)), center=np.zeros(6), covariance=R)
    assert np.sqrt(chart.statistic[0]) == pytest.approx(1.86, abs=5e-3)


def test_mewma_run_length_matches_the_markov_chain() -> None:
    coarse, fine = (naive.mewma_markov_arl(3, 0.2, 12.0, states) for states in (100, 200))
    # its error falls with the square of the width of the rings
    limit = fine + (fine - coarse) / 3
    assert mewma_run_length(3, lam=0.2, limit=12.0).arl == pytest.approx(limit, rel=1e-6)


def test_mewma_without_memory_is_the_chi_square_chart() -> None:
    found = mewma_run_length(2, lam=1.0, limit=2 * np.log(200), shift=[0, 1])
    # chi-square with 2 degrees of freedom is above x with probability exp(-x / 2)
    assert found.arl[0] == pytest.approx(200)
    assert found.sdrl[0] == pytest.approx(np.sqrt(200 * 199))
    assert found.arl[1] < found.arl[0]
    assert mewma_limit(2, lam=1.0, arl0=200) == pytest.approx(10.597, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("variance", ["exact", "asymptotic"])
def test_run_length_of_mewma_is_that_of_charts(variance: Any) -> None:
    limit = mewma_limit(2, lam=0.2, arl0=50, variance=variance)
    exact = mewma_run_length(2, lam=0.2, limit=limit, shift=[0, 1], variance=variance)
    assert exact.arl[0] == pytest.approx(50)
    rng = np.random.default_rng(1)
    for shift, arl, sdrl in zip((0, 1), exact.arl, exact.sdrl, strict=True):
        lengths = []
        for _ in range(600):
            x = rng.normal(size=(600, 2)) + np.array([shift, 0])
            known = {"center": [0, 0], "covariance": np.eye(2)}
            chart = mewma_chart(x, lam=0.2, limit=limit, variance=variance, **known)
            lengths.append(chart.signals[0] + 1)
        assert np.mean(lengths) == pytest.approx(arl, abs=4 * sdrl / np.sqrt(600))


@given(st.integers(0, 100), st.floats(0.05, 1), st.booleans())
def test_mewma_equals_its_definition(seed: int, lam: float, exact: bool) -> None:
    x, variance = draw(8, seed), "exact" if exact else "asymptotic"
    chart = mewma_chart(x, lam=lam, limit=9, variance=variance, center=CENTER, covariance=S)
    slow = naive.mewma(x, CENTER, S, lam, exact)
    np.testing.assert_allclose(chart.statistic, slow, rtol=1e-6)


@given(st.integers(0, 100), st.floats(0.1, 1.5), st.booleans())
def test_mcusum_equals_its_definition(seed: int, k: float, crosier: bool) -> None:
    x = draw(15, seed, shift=0.3)
    form = "crosier" if crosier else "pignatiello-runger"
    chart = mcusum_chart(x, k=k, h=5, form=form, center=CENTER, covariance=S)
    slow = (naive.crosier if crosier else naive.pignatiello_runger)(x, CENTER, S, k)
    np.testing.assert_allclose(chart.statistic, slow, atol=1e-9)


# every chart goes on where it stood, also from a file
@pytest.mark.parametrize(
    ("make", "options"),
    [
        (mewma_chart, {"lam": 0.2, "limit": 9.0}),
        (mewma_chart, {"lam": 0.2, "limit": 9.0, "variance": "asymptotic"}),
        (mcusum_chart, {}),
        (mcusum_chart, {"form": "pignatiello-runger", "h": 5.0}),
    ],
)
def test_extending_is_the_same_as_one_run(make: Any, options: Any, tmp_path: Path) -> None:
    x = draw(40, shift=0.2)
    known = {"center": CENTER, "covariance": S}
    whole = make(x, **known, **options)
    part = make(x[:15], **known, **options)
    part.save(tmp_path / "chart.pqm")
    back = ControlChart.load(tmp_path / "chart.pqm").extend(x[15:])
    np.testing.assert_allclose(back.statistic, whole.statistic, rtol=1e-12)
    assert back.upper == whole.upper


def test_subgroups_count_as_their_means() -> None:
    x = draw(40).reshape(10, 4, 3)
    chart = mewma_chart(x, limit=9, center=CENTER, covariance=S)
    means = mewma_chart(x.mean(axis=1), limit=9, center=CENTER, covariance=S / 4)
    np.testing.assert_allclose(chart.statistic, means.statistic)


def test_limits_default_to_the_wanted_run_length() -> None:
    x = draw(60)
    chart = mewma_chart(x, lam=0.1, arl0=300)
    assert chart.upper == mewma_limit(3, lam=0.1, arl0=300, variance="exact")
    assert "300" in chart.method
    assert mcusum_chart(x, arl0=300).upper == mcusum_limit(3, arl0=300)
    assert mcusum_run_length(3, h=mcusum_limit(3, arl0=300)).arl == pytest.approx(300)


# R. B. Crosier (1988) chose h = 5.50 for two and 14.9 for ten variables, k = 0.5, to have an
# average run length of about 200
def test_mcusum_run_lengths_match_crosier() -> None:
    assert mcusum_run_length(2, h=5.5).arl == pytest.approx(200, rel=0.02)
    assert mcusum_run_length(10, h=14.9).arl == pytest.approx(200, rel=0.02)


# J. J. Pignatiello & G. C. Runger (1990): h = 4.75 for two variables, k = 0.5; simulated there
# and here
@pytest.mark.slow
def test_mcusum_run_lengths_match_pignatiello_and_runger() -> None:
    found = mcusum_run_length(2, h=4.75, shift=[0, 1], form="pignatiello-runger")
    assert found.method == "simulation"
    assert found.arl[0] == pytest.approx(203, abs=4 * found.standard_error[0])
    assert found.arl[1] == pytest.approx(9.28, abs=4 * found.standard_error[1])


def test_run_length_of_mcusum_is_that_of_charts() -> None:
    exact = mcusum_run_length(2, h=3.0, shift=[0, 1])
    rng = np.random.default_rng(2)
    for shift, arl, sdrl in zip((0, 1), exact.arl, exact.sdrl, strict=True):
        lengths = []
        for _ in range(300):
            x = rng.normal(size=(400, 2)) + np.array([shift, 0])
            chart = mcusum_chart(x, h=3.0, center=[0, 0], covariance=np.eye(2))
            lengths.append(chart.signals[0] + 1)
        assert np.mean(lengths) == pytest.approx(arl, abs=4 * sdrl / np.sqrt(300))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mewma_chart(draw(30), lam=0), "lam must"),
        (lambda: mewma_chart(draw(30), lam=1.2), r"lam must lie in \(0, 1\]"),
        (lambda: mewma_chart(draw(30), limit=-1), "limit must"),
        (lambda: mewma_chart(draw(30), variance="all"), "variance must"),
        (lambda: mewma_chart(draw(30)[:, :1]), "one variable"),
        (lambda: mcusum_chart(draw(30), k=0), "k must"),
        (lambda: mcusum_chart(draw(30), h=0), "h must"),
        (lambda: mcusum_chart(draw(30), form="mc1"), "form must"),
        (lambda: mcusum_chart(draw(30), form="pignatiello-runger"), "needs h"),
        (lambda: mewma_run_length(1, lam=0.1, limit=8), "n_variables must"),
        (lambda: mewma_run_length(2, lam=0.1, limit=8, shift=-1), "shift must not be negative"),
        (lambda: mcusum_run_length(2, h=5, shift=[0, -1]), "got -1; it is a length"),
        (lambda: mcusum_limit(2, k=2, arl0=5), "too short"),
    ],
)
def test_bad_input_says_what_is_wrong(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


@pytest.mark.slow
def test_runs_that_are_too_long_are_not_simulated() -> None:
    with pytest.raises(InputError, match="too long to be simulated"):
        mcusum_run_length(2, h=40, form="pignatiello-runger")
