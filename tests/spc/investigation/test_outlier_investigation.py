"""Outlier tests of <1010> side by side, and retests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.power import TTestPower

from pharmaq.errors import InputError
from pharmaq.spc import (
    Specification,
    evaluate_retests,
    investigate_outliers,
    retest_plan,
)

if TYPE_CHECKING:
    from pathlib import Path

# NIST/SEMATECH e-Handbook 1.3.5.17.1: mass spectrometer
NIST_GRUBBS = [199.31, 199.53, 200.19, 200.82, 201.92, 201.95, 202.18, 245.57]


# NIST/SEMATECH e-Handbook 1.3.5.17.1: G = 2.4687; two-sided critical value 2.1266
def test_grubbs_is_that_of_the_nist_handbook() -> None:
    found = investigate_outliers(NIST_GRUBBS)
    row = found.table.set_index("method").loc["grubbs"]
    assert (row["statistic"], row["critical"]) == pytest.approx((2.4687, 2.1266), abs=2e-4)
    assert found.suspects.tolist() == [7]


# NIST/SEMATECH e-Handbook 1.3.5.17.3 (Rosner): three outliers of 54
def test_masked_outliers_are_found_by_generalized_esd(spc_data: Path) -> None:
    values = pd.read_csv(spc_data / "nist_rosner.csv").iloc[:, -1].to_numpy(float)
    found = investigate_outliers(values, n_outliers=7)
    assert found.tests["generalized_esd"].outliers.tolist() == [53, 52, 51]
    assert found.not_made["dixon"].startswith("54 values")
    assert set(found.suspects) >= {51, 52, 53}


def test_the_rule_says_that_a_test_alone_invalidates_nothing() -> None:
    found = investigate_outliers(NIST_GRUBBS)
    assert "does not invalidate a chemical result" in found.findings[0].message
    assert found.values.size == 8
    assert (found.with_all["n"], found.without["n"]) == (8, 7)
    assert found.without["sd"] < found.with_all["sd"]
    biological = investigate_outliers(NIST_GRUBBS, assay="biological")
    assert "said so beforehand" in biological.findings[0].message


def test_calm_values_have_no_suspects() -> None:
    found = investigate_outliers([10.1, 9.9, 10.0, 10.2, 9.8, 10.05])
    assert (found.suspects.size, found.findings) == (0, ())
    assert not found.table["found"].any()
    assert len(found.to_frame()) == 4


def test_hampel_is_left_out_where_most_values_are_equal() -> None:
    found = investigate_outliers([5.0, 5.0, 5.0, 5.0, 5.3])
    assert "more than half" in found.not_made["hampel"]


def test_the_picture_counts_the_tests() -> None:
    ax = investigate_outliers(NIST_GRUBBS).plot()
    assert [text.get_text() for text in ax.texts] == ["4 of 4 tests"]


@pytest.mark.parametrize(
    ("values", "options", "match"),
    [
        ([1.0, 2.0], {}, "at least 5"),
        ([1.0] * 6, {}, "equal values"),
        ([1.0, 2, 3, 4, np.nan], {}, "finite"),
        (NIST_GRUBBS, {"n_outliers": 6}, "n_outliers"),
        (NIST_GRUBBS, {"assay": "physical"}, "assay"),
        (NIST_GRUBBS, {"k": 0.0}, "k must"),
    ],
)
def test_bad_values_are_named(values: Any, options: Any, match: str) -> None:
    with pytest.raises(InputError, match=match):
        investigate_outliers(values, **options)


# another implementation: statsmodels, power of the one-sample t test
@pytest.mark.parametrize("distance", [0.5, 1.0, 2.0, 3.0])
def test_plan_has_the_power_of_a_t_test(distance: float) -> None:
    plan = retest_plan(sd=1.0, expected=distance, limit=0.0, power=0.9)
    power = [
        TTestPower().power(distance, n, 0.05, alternative="larger")
        for n in (plan.n - 1, plan.n)
    ]
    assert plan.power == pytest.approx(power[1], rel=1e-8)
    assert power[0] < 0.9 <= power[1] or plan.n == 2


def test_a_plan_that_cannot_work_says_so() -> None:
    plan = retest_plan(sd=10.0, expected=99.0, limit=98.0, most=20)
    assert (plan.n, len(plan.curve), len(plan.to_frame())) == (20, 19, 19)
    assert "too imprecise" in plan.findings[0].message
    with pytest.raises(InputError, match="differ from limit"):
        retest_plan(sd=1.0, expected=98.0, limit=98.0)


ASSAY = Specification("assay", "98.0-102.0 %", product="A", stage="release")


# t(0.975, 4) = 2.776 (tables): 99.64 -+ 2.776 x 0.2074 x sqrt(1.2)
def test_retests_that_meet_the_limits_do_not_confirm() -> None:
    found = evaluate_retests(96.1, [99.4, 99.9, 99.6, 99.8, 99.5], ASSAY)
    assert found.outcome == "not confirmed"
    assert (found.expected_lower, found.expected_upper) == pytest.approx(
        (99.64 - 2.776 * 0.20736 * 1.2**0.5, 99.64 + 2.776 * 0.20736 * 1.2**0.5), abs=2e-4
    )
    assert found.p_first < 0.001
    assert [f.rule for f in found.findings] == ["no_averaging"]
    assert found.to_dict()["specification"].startswith("A / assay")
    assert len(found.to_frame()) == 1


def test_a_retest_out_of_specification_confirms() -> None:
    found = evaluate_retests(97.5, [97.9, 98.4, 98.1], ASSAY)
    assert (found.outcome, found.n_out) == ("confirmed", 1)
    assert found.findings[0].severity == "action"


@pytest.mark.parametrize(
    ("first", "retests"), [(97.5, [98.0, 98.6, 98.3]), (97.9, [98.2, 99.9, 101.4, 98.9])]
)
def test_retests_near_the_limit_do_not_tell(first: float, retests: list[float]) -> None:
    found = evaluate_retests(first, retests, ASSAY)
    assert found.outcome == "undecided"
    assert "do not tell" in found.findings[0].message


# chi2(0.95, 4) = 9.488 (tables): s^2 / sigma^2 just above 9.488 / 4 is significant
@pytest.mark.parametrize(("factor", "n_findings"), [(1.001, 2), (0.999, 1)])
def test_spread_is_held_against_the_repeatability(factor: float, n_findings: int) -> None:
    retests = np.array([99.4, 99.9, 99.6, 99.8, 99.5])
    sigma = retests.std(ddof=1) / np.sqrt(9.4877 / 4) / factor
    found = evaluate_retests(96.1, retests, ASSAY, repeatability=sigma)
    assert len(found.findings) == n_findings
    assert found.p_sd == pytest.approx(0.05, abs=1e-3)
    assert found.sd_upper > found.sd


def test_retests_have_to_vary_and_to_be_two() -> None:
    with pytest.raises(InputError, match="retests must vary"):
        evaluate_retests(96.1, [99.0, 99.0], ASSAY)
    with pytest.raises(InputError, match="at least 2"):
        evaluate_retests(96.1, [99.0], ASSAY)
