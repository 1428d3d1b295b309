"""T2 of several tests against the library's own definition, simulation and bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pharmaq.errors import InputError
from pharmaq.spc import check_oot_multivariate

TESTS = ["assay", "water", "hardness"]


def batches(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 3)) @ np.array([[1.0, 0.8, 0.1], [0, 0.5, 0.2], [0, 0, 4]])
    return pd.DataFrame(X + np.array([100, 2, 90]), columns=TESTS)


def test_t2_is_the_squared_distance_and_its_parts_sum_to_it() -> None:
    old, new = batches(25, 1), batches(8, 2)
    found = check_oot_multivariate(new, history=old, tests=TESTS)
    d = new.to_numpy() - old.to_numpy().mean(axis=0)
    expected = np.einsum("ij,jk,ik->i", d, np.linalg.inv(np.cov(old.T)), d)
    assert found.table["statistic"].to_numpy() == pytest.approx(expected)
    assert found.contributions is not None
    assert found.contributions.sum(axis=1).to_numpy() == pytest.approx(expected)


# Tracy, Young and Mason (1992): N = 15, p = 2, limit of a new batch; F(0.05; 2, 13) = 3.806
def test_limit_is_that_of_a_new_batch() -> None:
    found = check_oot_multivariate(
        batches(3, 2), history=batches(15, 1), tests=TESTS[:2], alpha=0.05
    )
    assert found.table["upper"].iloc[0] == pytest.approx(
        2 * 16 * 14 / (15 * 13) * 3.806, abs=2e-3
    )


def test_false_alarms_have_the_rate_asked_for() -> None:
    rng = np.random.default_rng(11)
    alarms = 0
    for _ in range(300):
        X = pd.DataFrame(rng.standard_normal((22, 3)), columns=TESTS)
        found = check_oot_multivariate(X.iloc[12:], history=X.iloc[:12], tests=TESTS, alpha=0.1)
        alarms += int(found.table["signal"].sum())
    assert abs(alarms - 300) < 5 * np.sqrt(stats.binom.var(3000, 0.1) * 3)


def test_a_broken_relation_is_found_and_named() -> None:
    old = batches(30, 1).assign(batch=[f"H{i}" for i in range(30)])
    new = batches(2, 2).assign(batch=["N1", "N2"])
    new.loc[1, ["assay", "water"]] = [101.5, 0.5]
    found = check_oot_multivariate(new, history=old, tests=TESTS, per="table")
    assert [(f.rule, f.subject) for f in found.findings] == [("oot_t2", "N2")]
    assert found.alpha_result == pytest.approx(1 - 0.95**0.5)
    assert found.plot().get_ylabel() == "T²"


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"tests": ["assay"]}, "two columns"),
        ({}, {"tests": ["assay", "assay"]}, "column of its own"),
        ({"water": 2.0}, {}, "does not vary"),
        ({"water": "twice"}, {}, "depend on each other"),
        ({}, {"alpha": 1.0}, "alpha"),
    ],
)
def test_bad_input_is_named(change: dict, options: dict, message: str) -> None:
    old = batches(10, 1)
    for column, value in change.items():
        old[column] = 2 * old["assay"] if value == "twice" else value
    with pytest.raises(InputError, match=message):
        check_oot_multivariate(batches(2, 2), **{"history": old, "tests": TESTS, **options})


def test_a_batch_is_no_history_of_its_own_and_few_are_too_few() -> None:
    old = batches(10, 1).assign(batch=range(10))
    with pytest.raises(InputError, match="in results and history"):
        check_oot_multivariate(old.iloc[:2], history=old, tests=TESTS)
    with pytest.raises(InputError, match="at least for 3 tests"):
        check_oot_multivariate(batches(2, 2), history=old.iloc[:4], tests=TESTS)
