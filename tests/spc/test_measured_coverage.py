"""A small version of the study of coverage: intervals hold about what they promise."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from scipy import stats

STUDY = Path(__file__).parents[2] / "docs" / "studies" / "measured_coverage.py"


@pytest.fixture(scope="module")
def study() -> ModuleType:
    """The script behind the page on measured coverage."""
    spec = importlib.util.spec_from_file_location("measured_coverage", STUDY)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def least(runs: int, nominal: float) -> int:
    """Fewest hits that a true coverage gives in all but one of ten thousand studies."""
    return int(stats.binom.ppf(1e-4, runs, nominal))


def most(runs: int, nominal: float) -> int:
    """Most hits, by the same reasoning."""
    return int(stats.binom.ppf(1 - 1e-4, runs, nominal))


def test_limits_of_indices_hold_what_they_promise(study: ModuleType) -> None:
    runs = 40
    rows = study.capability_rows(runs, kinds=("analytic",), settings=study.SINGLE[5:6])
    for row in rows:
        assert row.held >= least(runs, 0.95), row


@pytest.mark.slow
def test_tables_of_indices_agree_with_the_page(study: ModuleType) -> None:
    runs = 200
    for row in study.capability_rows(runs, resamples=400):
        # limits by resampling hold some ten per cent less for few values: see the page
        nominal = {"formula": 0.95, "expanded BCa": 0.89}.get(row.method, 0.84)
        assert row.held >= least(runs, nominal), row
    for row in study.between_rows(runs):
        if row.method == "between_within":
            # Satterthwaite's degrees of freedom are an approximation
            assert least(runs, 0.93) <= row.held <= most(runs, 0.965), row


def test_tolerance_intervals_hold_what_they_promise(study: ModuleType) -> None:
    runs = 100
    for row in study.tolerance_rows(runs, cases=study.CASES[:2]):
        assert least(runs, 0.95) <= row.held <= most(runs, 0.95), row


@pytest.mark.slow
def test_tables_of_tolerance_intervals_agree_with_the_page(study: ModuleType) -> None:
    runs = 300
    for row in study.tolerance_rows(runs):
        if row.setting != "30 exponential values":
            assert row.held >= least(runs, 0.95), row
    for row in study.expectation_rows(1000):
        assert row.held / row.runs == pytest.approx(0.95, abs=0.03), row


def test_tolerance_intervals_of_batches_hold_what_they_promise(study: ModuleType) -> None:
    runs = 80
    held = study.hold_batches((3,) * 10, "two", ("mls", "mee", "pool"), 5.0, 0.95, runs)
    assert min(held["mls"], held["mee"]) >= least(runs, 0.95)
    # taking values in batches for independent ones is what goes wrong
    assert held["pool"] < most(runs, 0.85)


@pytest.mark.slow
def test_tables_of_batches_agree_with_the_page(study: ModuleType) -> None:
    runs = 100
    for row in study.batch_rows(runs):
        if row.method != "pool":
            # Vangel's factors hold a little less for few batches: see the page
            nominal = 0.92 if row.method == "vangel" else 0.95
            assert row.held >= least(runs, nominal), row
    for row in study.batch_prediction_rows(500):
        assert row.held >= least(500, 0.945), row


@pytest.mark.slow
def test_limits_of_gage_studies_hold_what_they_promise(study: ModuleType) -> None:
    runs = 40
    rng = study.random_numbers("test")
    held = study.hold_gage((10, 3, 3), (3.0, 0.5, 0.3, 1.0), None, rng, runs)
    assert set(held) == {*study.SOURCES, "gage_rr / total"}
    assert min(held.values()) >= least(runs, 0.94), held


def test_tables_mark_what_holds_too_little(study: ModuleType, capsys) -> None:
    low = study.Row("ten values", "formula", "cpk", 0.95, 900, 1000)
    good = study.Row("ten values", "formula", "ppk", 0.95, 948, 1000)
    study.print_table([low, good])
    assert "| ten values | formula | **90.0** | 94.8 |" in capsys.readouterr().out
