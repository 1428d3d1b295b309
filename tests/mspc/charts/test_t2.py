"""Hotelling's T2 chart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmaq.errors import InputError, InputTypeError
from pharmaq.mspc import t2_chart
from pharmaq.spc import ControlChart

if TYPE_CHECKING:
    from pathlib import Path

# confidence 0.9973 of each of two variables
ALPHA = 1 - 0.99460729


def normal(n: int = 30, p: int = 3, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mixing = np.eye(p) + 0.4
    return rng.normal(size=(n, p)) @ mixing + np.arange(p)


# T. P. Ryan, Statistical Methods for Quality Improvement, table 9.2; limit as R's qcc prints it
def test_limits_of_subgroups_match_ryan(mspc_data: Path, mspc_cases: dict[str, Any]) -> None:
    frame = pd.read_csv(mspc_data / "ryan_multivar.csv")
    expected = mspc_cases["H01"]["expected"]
    chart = t2_chart(frame[["X1", "X2"]], subgroups=frame["subgroup"], alpha=ALPHA)
    assert chart.upper == pytest.approx(expected["UCL_phase1"], abs=1e-5)
    later = chart.extend(frame[["X1", "X2"]], subgroups=frame["subgroup"])
    assert later.upper[-1] == pytest.approx(expected["UCL_phase2"], abs=2e-5)
    # Ryan prints both signals
    assert (chart.signals + 1).tolist() == [10, 20]
    assert chart.statistic[[9, 19]] == pytest.approx([63.76, 13.04], abs=5e-3)


# D. C. Montgomery, Introduction to Statistical Quality Control, table 11.1, as JASP prints it
def test_limit_of_single_rows_matches_jasp(mspc_data: Path, mspc_cases: dict[str, Any]) -> None:
    frame, expected = pd.read_csv(mspc_data / "montgomery_t2_ex1.csv"), mspc_cases["H02"]
    chart = t2_chart(frame, alpha=ALPHA)
    assert chart.upper == pytest.approx(expected["expected"]["UCL"], abs=1e-8)
    assert chart.parameters["center"] == pytest.approx(expected["expected"]["center"], abs=1e-9)
    S = chart.parameters["covariance"]
    assert [S[0, 0], S[0, 1], S[1, 1]] == pytest.approx(expected["expected"]["cov"], rel=1e-9)
    assert np.linalg.det(S) == pytest.approx(expected["expected"]["det"], rel=1e-9)
    assert chart.in_control


# Tracy, Young & Mason (1992), limits of both phases as JASP prints them
def test_limits_of_both_phases_match_jasp(mspc_data: Path, mspc_cases: dict[str, Any]) -> None:
    frame, expected = pd.read_csv(mspc_data / "t2_phased.csv"), mspc_cases["H04"]["expected"]
    first = frame["Phase"] == "Training"
    chart = t2_chart(frame.loc[first, ["Strength", "Diameter"]].to_numpy(), alpha=ALPHA)
    later = chart.extend(frame.loc[~first, ["Strength", "Diameter"]].to_numpy())
    assert later.upper[0] == pytest.approx(expected["UCL1"], abs=1e-8)
    assert later.upper[-1] == pytest.approx(expected["UCL2"], abs=1e-8)
    assert later.n_phase1 == int(first.sum())


# R's qcc, mqcc(type = "T2.single") on the boiler data, 25 rows of 8 variables
def test_limits_of_the_boiler_match_qcc(r_results: dict[str, Any]) -> None:
    expected = r_results["spc_boiler_T2_single"]
    chart = t2_chart(normal(25, 8), alpha=1 - expected["confidence"])
    assert chart.upper == pytest.approx(expected["limits"][0][1], abs=1e-9)
    later = chart.extend(normal(1, 8))
    assert later.upper[-1] == pytest.approx(expected["pred.limits"][0][1], abs=1e-9)


def test_known_reference_gives_the_chi_square_limit() -> None:
    chart = t2_chart(normal(5, 2), center=[0, 1], covariance=np.eye(2), alpha=0.05)
    # Pearson & Hartley, Biometrika tables: upper 5 % of chi-square with 2 degrees of freedom
    assert chart.upper == pytest.approx(5.991, abs=5e-4)
    assert chart.extend(normal(2, 2)).upper == chart.upper


@given(st.integers(0, 1000), st.floats(0.1, 10), st.floats(-5, 5))
def test_t2_does_not_depend_on_units(seed: int, scale: float, shift: float) -> None:
    X = normal(20, 3, seed)
    turned = X @ np.diag([scale, 1.0, 3.0]) + shift
    one, other = t2_chart(X), t2_chart(turned)
    np.testing.assert_allclose(one.statistic, other.statistic, rtol=1e-6)
    # T2 of phase 1 sums to p (m - 1)
    assert one.statistic.sum() == pytest.approx(3 * 19)


def test_contribution_is_what_t2_falls_by_without_the_variable() -> None:
    X = normal(20, 3)
    chart = t2_chart(X, center=[0, 0, 0], covariance=np.cov(X.T))
    without = t2_chart(X[:, 1:], center=[0, 0], covariance=np.cov(X[:, 1:].T))
    drop = chart.components["contribution of x1"]
    np.testing.assert_allclose(drop, chart.statistic - without.statistic, rtol=1e-9)


def test_false_alarms_of_both_phases_are_alpha() -> None:
    rng = np.random.default_rng(3)
    first, second = [], []
    for _ in range(400):
        chart = t2_chart(rng.normal(size=(20, 2)), alpha=0.05)
        later = chart.extend(rng.normal(size=(20, 2)))
        first.append(len(chart.signals))
        second.append(len(later.new_signals))
    # of 8000 points each, which share their estimates
    assert np.mean(first) / 20 == pytest.approx(0.05, abs=0.006)
    assert np.mean(second) / 20 == pytest.approx(0.05, abs=0.012)


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize("known", [("center",), ("covariance",), ("center", "covariance")])
def test_false_alarms_are_alpha_whatever_is_known(size: int, known: tuple[str, ...]) -> None:
    truth = {"center": [0.0, 0.0], "covariance": np.eye(2)}
    given = {name: truth[name] for name in known}
    rng = np.random.default_rng(4)
    shape = (15, 2) if size == 1 else (15, size, 2)
    first, second = [], []
    for _ in range(500):
        chart = t2_chart(rng.normal(size=shape), alpha=0.05, **given)
        first.append(len(chart.signals))
        second.append(len(chart.extend(rng.normal(size=shape)).new_signals))
    assert np.mean(first) / 15 == pytest.approx(0.05, abs=0.007)
    assert np.mean(second) / 15 == pytest.approx(0.05, abs=0.009)


def test_names_of_points_and_variables_are_kept() -> None:
    days = pd.date_range("2026-01-01", periods=30, freq="D", tz="UTC")
    frame = pd.DataFrame(normal(), index=days, columns=["flow", "pH", "power"])
    chart = t2_chart(frame)
    assert chart.labels[0] == np.datetime64("2026-01-01")
    assert "contribution of pH" in chart.to_frame()
    turned = frame[["power", "flow", "pH"]]
    later = chart.extend(turned, labels=days + pd.Timedelta("30D"))
    np.testing.assert_allclose(later.statistic[30:], chart.statistic)


def test_excluded_points_do_not_count(tmp_path: Path) -> None:
    X = normal()
    X[4] += 50
    chart = t2_chart(X, exclude={4: "sensor was cleaned"})
    others = t2_chart(np.delete(X, 4, axis=0))
    np.testing.assert_allclose(chart.parameters["center"], others.parameters["center"])
    assert chart.upper == others.upper
    assert chart.signals.tolist() == [4]
    chart.save(tmp_path / "chart.pqm")
    back = ControlChart.load(tmp_path / "chart.pqm")
    one, other = back.extend(X[:2]), chart.extend(X[:2])
    np.testing.assert_array_equal(one.statistic, other.statistic)


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (normal(4, 3), {}, "too few rows"),
        (np.ones((10, 2)), {}, "'x1' does not vary"),
        (np.column_stack([normal(), normal() @ [1, 2, 3]]), {}, "determine each other"),
        (np.full((10, 2), np.nan), {}, "must be finite"),
        (np.arange(10.0), {}, "shape"),
        (normal(), {"alpha": 0}, "alpha must"),
        (normal(), {"center": [1]}, "center must have shape"),
        (normal(), {"covariance": np.triu(np.ones((3, 3)))}, "symmetric"),
        (normal(), {"subgroups": [1] * 10}, "subgroup of each row"),
        (normal(), {"subgroups": [1, 2] * 15}, "stand together"),
        (normal(), {"exclude": dict.fromkeys(range(30), "bad")}, "leaves out"),
        (pd.DataFrame(normal(), columns=["a", "a", "b"]), {}, "columns of values must differ"),
    ],
)
def test_bad_input_says_what_is_wrong(values: Any, options: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        t2_chart(values, **options)


def test_other_data_than_in_phase_1_are_refused() -> None:
    frame = pd.DataFrame(normal(), columns=["a", "b", "c"])
    chart = t2_chart(frame)
    with pytest.raises(InputError, match="'c' is missing"):
        chart.extend(frame[["a", "b"]])
    with pytest.raises(InputError, match="'d' is unknown"):
        chart.extend(frame.assign(d=1.0))
    with pytest.raises(InputError, match="have 2 variables"):
        chart.extend(normal(3, 2))
    with pytest.raises(InputError, match="subgroups of 3, but the chart is one of 1"):
        chart.extend(normal(6, 3).reshape(2, 3, 3))
    with pytest.raises(InputError, match="sizes has no meaning"):
        chart.extend(frame, sizes=[1])
    with pytest.raises(InputTypeError, match="unknown option"):
        t2_chart(frame, colour="red")


def test_picture_shows_the_statistic_and_no_lower_limit() -> None:
    chart = t2_chart(normal()).extend(normal(4, seed=1) + 5)
    ax = chart.plot()
    drawn = [np.asarray(line.get_ydata()) for line in ax.get_lines()]
    assert any(np.array_equal(y, chart.statistic) for y in drawn)
    assert not [text for text in ax.texts if text.get_text().startswith("LCL")]
