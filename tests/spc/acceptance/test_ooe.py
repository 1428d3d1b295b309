"""Out of expectation: ranges of the history, ranges of replicates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pharmaq.errors import InputError
from pharmaq.spc import check_ooe, check_replicates, prediction_interval, tolerance_interval

PAST = [99.6, 100.4, 99.9, 101.3, 99.8, 100.2, 100.6, 99.4]
HISTORY = pd.DataFrame({"test": "assay", "value": PAST})


def new(*values: float, **columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"test": "assay", "value": values, **columns})


# t(0.995, 7) = 3.4995 (tables); mean 100.15, s 0.61412
def test_prediction_range_is_that_of_the_tables() -> None:
    row = check_ooe(new(100.0), HISTORY).table.iloc[0]
    wide = 3.4995 * 0.61412 * 1.125**0.5
    assert (row["expected_lower"], row["expected_upper"]) == pytest.approx(
        (100.15 - wide, 100.15 + wide), abs=1e-4
    )


def test_ranges_are_those_of_single_intervals() -> None:
    predicted = prediction_interval(PAST, confidence=0.99)
    tolerated = tolerance_interval(PAST, coverage=0.99, confidence=0.95)
    for method, interval in (("prediction", predicted), ("tolerance", tolerated)):
        row = check_ooe(new(100.0), HISTORY, method=method).table.iloc[0]  # type: ignore[arg-type]
        assert (row["expected_lower"], row["expected_upper"]) == pytest.approx(
            (interval.lower, interval.upper)
        )
    three = check_ooe(new(100.0), HISTORY, method="sigma")
    assert three.alpha == pytest.approx(0.0027, abs=5e-5)


def test_findings_carry_the_result_and_how_many_are_to_be_expected() -> None:
    time = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"])
    found = check_ooe(new(100.0, 97.0, 103.0, batch=list("ABC"), time=time), HISTORY)
    assert found.counts == {"expected": 1, "ooe": 2, "no_history": 0}
    assert [f.limit < f.value for f in found.findings] == [False, True]  # type: ignore[operator]
    assert found.findings[0].subject == "assay of batch B"
    assert found.findings[0].time == time[1]
    assert found.expected_false == pytest.approx(0.03)


def test_products_have_a_history_of_their_own() -> None:
    history = pd.concat([HISTORY.assign(product="A"), HISTORY.assign(product="B")[:5]])
    found = check_ooe(
        pd.concat([new(97.0, product="A"), new(97.0, product="B"), new(97.0, product="C")]),
        history,
    )
    assert found.table["outcome"].tolist() == ["ooe", "no_history", "no_history"]
    assert found.table["n_history"].tolist() == [8, 5, 0]
    assert [f.rule for f in found.findings] == ["ooe", "no_history", "no_history"]
    assert len(found.to_frame()) == 3
    one = check_ooe(new(97.0), HISTORY[:1], least=2)
    assert one.counts["no_history"] == 1


def test_good_results_are_flagged_as_often_as_said() -> None:
    rng = np.random.default_rng(3)
    n = 4000
    tests = np.repeat([f"t{i}" for i in range(n)], 9)
    values = rng.normal(size=9 * n).reshape(n, 9)
    frame = pd.DataFrame({"test": tests, "value": values.ravel()})
    last = np.arange(9 * n) % 9 == 8
    found = check_ooe(frame[last], frame[~last], alpha=0.05)
    # 4 standard errors of a share of 5 % among 4000
    assert found.counts["ooe"] / n == pytest.approx(0.05, abs=4 * (0.05 * 0.95 / n) ** 0.5)


# ISO 5725-6: factors f(n) of the critical range at 95 %
@pytest.mark.parametrize(("n", "factor"), [(2, 2.8), (3, 3.3), (4, 3.6), (5, 3.9), (6, 4.0)])
def test_critical_ranges_are_those_of_iso_5725(n: int, factor: float) -> None:
    found = check_replicates(new(*np.arange(float(n))), 1.0)
    assert found.table.loc[0, "critical"] == pytest.approx(factor, abs=0.05)


def test_replicates_share_everything_but_the_value() -> None:
    data = pd.DataFrame(
        {
            "batch": ["A", "A", "B", "B", "C"],
            "sample": [1, 1, 1, 2, 1],
            "test": "assay",
            "value": [99.0, 100.0, 99.0, 105.0, 99.0],
        }
    )
    found = check_replicates(data, {"assay": 0.3})
    assert found.counts == {"expected": 0, "ooe": 1}
    assert "2 replicates of assay of batch A, sample 1 differ by 1" in found.findings[0].message
    with pytest.raises(InputError, match="repeatability of 'assay' is not given"):
        check_replicates(data, {"water": 0.3})
    with pytest.raises(InputError, match="no replicates"):
        check_replicates(data.iloc[2:], 0.3)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"method": "quantile"}, "method"),
        ({"alpha": 0.0}, "alpha"),
        ({"least": 1}, "least"),
        ({"k": -1.0}, "k must"),
        ({"columns": {"value": "result"}}, "result"),
    ],
)
def test_bad_options_are_named(options: Any, match: str) -> None:
    with pytest.raises(InputError, match=match):
        check_ooe(new(1.0), HISTORY, **options)
    with pytest.raises(InputError, match="must be finite"):
        check_ooe(new(np.nan), HISTORY)


@pytest.mark.slow
def test_a_million_results_take_two_seconds() -> None:
    import time

    n = 1_000_000
    tests = np.resize([f"t{i}" for i in range(20)], n)
    frame = pd.DataFrame({"test": tests, "value": np.random.default_rng(0).normal(size=n)})
    start = time.process_time()
    check_ooe(frame, frame[:2000], alpha=0.001)
    # two seconds on one core; a shared machine gets some room
    assert time.process_time() - start < 4
