"""Limits of a monitor mean what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated_process import process

from pharmaq.errors import InputError
from pharmaq.mspc import ProcessMonitor

FAULTS = range(1, 22)


def missed(monitor: ProcessMonitor, tennessee: Any) -> tuple[np.ndarray, np.ndarray]:
    """Share of faulty rows that T2 and SPE take as normal, by fault."""
    t2, spe = [], []
    for fault in FAULTS:
        # the fault sets in after eight hours
        rows = tennessee(f"d{fault:02d}_te").iloc[160:]
        result = monitor.score(rows, contributions="none")
        t2.append(np.mean(result.t2 <= result.t2_limit))
        spe.append(np.mean(result.spe <= result.spe_limit))
    return np.array(t2), np.array(spe)


# E. L. Russell, L. H. Chiang, R. D. Braatz, Chemom. Intell. Lab. Syst. 51 (2000) 81-93: PCA
# with 11 components, thresholds such that 1 % of the normal test run lies above them
@pytest.mark.slow
def test_missed_detection_of_tennessee_matches_russell(
    tennessee: Any, mspc_cases: dict[str, Any], record_property: Any
) -> None:
    monitor = ProcessMonitor(11, cv=None).fit(tennessee("d00"))
    t2, spe = missed(monitor.recalibrate(tennessee("d00_te")), tennessee)
    case = mspc_cases["H11"]
    for fault, row in enumerate(
        zip(case["expected"]["T2"], t2, case["expected"]["Q"], spe, strict=True), start=1
    ):
        record_property(f"IDV({fault})", [round(float(value), 4) for value in row])
    # the paper does not say how it rounds the rank of the threshold
    np.testing.assert_allclose(t2, case["expected"]["T2"], atol=0.013)
    np.testing.assert_allclose(spe, case["expected"]["Q"], atol=0.013)
    # the same count of another implementation
    np.testing.assert_allclose(t2, case["recomputed"]["T2"], atol=1e-4)
    np.testing.assert_allclose(spe, case["recomputed"]["Q"], atol=1e-4)


# 160 normal rows at the start of each of 21 runs
def test_false_alarms_on_normal_runs_of_tennessee(tennessee: Any) -> None:
    normal = [tennessee(f"d{fault:02d}_te").iloc[:160] for fault in FAULTS]

    def share(name: str, **options: Any) -> float:
        monitor = ProcessMonitor(11, **options).fit(tennessee("d00"))
        results = [monitor.score(rows, contributions="none") for rows in normal]
        limit = getattr(results[0], f"{name}_limit")
        return float(np.mean([getattr(result, name) > limit for result in results]))

    assert share("t2", t2_limit="f") == pytest.approx(0.01, abs=0.005)
    assert share("spe", spe_limit="cross-validated") == pytest.approx(0.01, abs=0.005)
    # from theory SPE alarms five times as often as promised
    assert share("spe", spe_limit="jackson") > 0.04


def test_limits_that_alarm_too_often_are_a_finding(tennessee: Any) -> None:
    monitor = ProcessMonitor(11).fit(tennessee("d00"))
    found = {finding.subject: finding for finding in monitor.findings_}
    assert found["limit of SPE"].severity == "alert"
    assert "use the method 'cross-validated'" in found["limit of SPE"].message
    held = ProcessMonitor(
        11, spe_limit="cross-validated", combined_limit="cross-validated"
    ).fit(tennessee("d00"))
    assert held.findings_ == ()


# a thousand rows each of sixty independent processes: the standard error is 0.1 points
@pytest.mark.slow
@pytest.mark.parametrize("method", ["theory", "cross-validated", "held-out"])
def test_false_alarms_of_new_normal_rows_are_alpha(method: str) -> None:
    theory = method == "theory"
    options: dict[str, Any] = {
        "t2_limit": "f" if theory else "cross-validated",
        "spe_limit": "imhof" if theory else "cross-validated",
        "combined_limit": "imhof" if theory else "cross-validated",
    }
    shares = []
    for seed in range(60):
        monitor = ProcessMonitor(2, **options).fit(process(500, seed))
        if method == "held-out":
            monitor.recalibrate(process(500, seed + 2000))
        result = monitor.score(process(1000, seed + 1000), contributions="none")
        rates = [
            np.mean(getattr(result, name) > getattr(result, f"{name}_limit"))
            for name in ("t2", "spe", "combined")
        ]
        shares.append(rates)
    np.testing.assert_allclose(np.mean(shares, axis=0), 0.01, atol=0.005)


# rows that depend on those before them: blocks are left out, so that the limits hold
@pytest.mark.slow
def test_false_alarms_of_rows_with_memory_are_alpha() -> None:
    shares = []
    limits: Any = dict.fromkeys(("t2_limit", "spe_limit"), "cross-validated")
    for seed in range(60):
        monitor = ProcessMonitor(2, **limits).fit(process(1000, seed, memory=0.8))
        new = process(1000, seed + 1000, memory=0.8)
        result = monitor.score(new, contributions="none")
        shares.append(
            [np.mean(result.t2 > result.t2_limit), np.mean(result.spe > result.spe_limit)]
        )
    np.testing.assert_allclose(np.mean(shares, axis=0), 0.01, atol=0.005)


def test_phase_1_has_limits_of_its_own() -> None:
    X = process(60)
    monitor = ProcessMonitor(3, alpha=0.05).fit(X)
    first, later = monitor.score(X, phase="phase1"), monitor.score(X)
    assert first.limit_methods["t2"] == "beta"
    assert later.limit_methods["t2"] == "f"
    # Tracy, Young & Mason (1992)
    assert first.t2_limit < later.t2_limit
    assert first.t2_chart().n_phase1 == 60
    assert later.t2_chart().n_phase1 == 0
    empirical = ProcessMonitor(3, alpha=0.05, spe_limit="cross-validated").fit(X)
    assert empirical.score(X, phase="phase1").limit_methods["spe"] == "empirical"


@given(st.integers(99, 400), st.floats(0.01, 0.3))
def test_empirical_limits_leave_the_share_they_promise(n: int, alpha: float) -> None:
    X = process(n)
    monitor = ProcessMonitor(2, spe_limit="empirical", alpha=alpha, cv=None).fit(X)
    result = monitor.score(X, phase="phase1")
    k = np.ceil((n + 1) * (1 - alpha) - 1e-9)
    assert np.sum(result.spe > result.spe_limit) == n - k
    limit = next(one for one in monitor.limits_ if one[:2] == ("spe", "phase1"))
    assert limit.false_alarms == pytest.approx((n + 1 - k) / (n + 1))
    assert limit.low < limit.false_alarms < limit.high


def test_all_methods_are_compared() -> None:
    monitor = ProcessMonitor(2, alpha=0.05).fit(process(200))
    table = monitor.compare_limits()
    assert len(table) == 17
    assert table["used"].sum() == 3
    assert table["value"].notna().all()
    small = ProcessMonitor(2, cv=None).fit(process(30)).compare_limits()
    by_method = small.set_index(["statistic", "method"])["value"]
    # 1 % of 30 rows cannot be told
    assert np.isnan(by_method["spe", "empirical"])
    assert np.isnan(by_method["spe", "cross-validated"])


def test_limits_from_held_out_rows_replace_those_of_phase_2() -> None:
    monitor = ProcessMonitor(2, alpha=0.05).fit(process(200))
    before = monitor.score(process(50, 5), phase="phase1").t2_limit
    monitor.recalibrate(process(300, 7))
    result = monitor.score(process(50, 5))
    assert set(result.limit_methods.values()) == {"held-out"}
    assert monitor.score(process(50, 5), phase="phase1").t2_limit == before
    with pytest.raises(InputError, match="at least 19 rows"):
        monitor.recalibrate(process(10, 7))


@pytest.mark.parametrize("method", ["jackson", "imhof"])
def test_a_model_without_residuals_has_no_spe(method: Any) -> None:
    monitor = ProcessMonitor(8, cv=None, spe_limit=method).fit(process(60))
    result = monitor.score(process(5, 1))
    assert result.spe_limit == 0
    np.testing.assert_allclose(result.spe, 0, atol=1e-20)
    np.testing.assert_allclose(result.combined, result.t2 / result.t2_limit)


@pytest.mark.parametrize("method", ["box", "robust", "simca", "chi2"])
def test_other_named_methods_are_used(method: Any) -> None:
    name = "t2" if method in {"simca", "chi2"} else "spe"
    monitor = ProcessMonitor(2, **{f"{name}_limit": method}).fit(process(100))
    result = monitor.score(process(5, 1))
    assert result.limit_methods[name] == method
    assert getattr(result, f"{name}_limit") > 0
