"""Calibration lines against DIN 32645, a textbook and R's chemCal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pharmaq.errors import InputError
from pharmaq.spc import CalibrationLine, calibration_line


def points(shared: Path, name: str) -> tuple[pd.Series, pd.Series]:
    frame = pd.read_csv(shared / "data" / "quality" / f"calibration_{name}.csv")
    return frame["x"], frame["y"]


# DIN 32645:1994, worked by the program Dintest: decision limit 0.0698, half width 0.07434
def test_limits_are_those_of_din_32645(shared: Path, r_results: dict[str, Any]) -> None:
    line = calibration_line(*points(shared, "din32645"), alpha=0.01)
    printed = r_results["calib_din32645_published"]
    assert line.decision_limit == pytest.approx(0.0698, abs=5.1e-5)
    assert line.decision_limit == pytest.approx(printed["decision_limit_alpha0.01"], abs=1e-12)
    half = line.invert(3500, confidence=0.99).half_width
    assert half == pytest.approx(printed["halfwidth_y3500_alpha0.01"], abs=1e-11)
    # R searches these two with a tolerance of 1.2e-4; ours solve the equations, see below
    assert line.detection_limit == pytest.approx(printed["lod_alpha_beta_0.01"], rel=1.2e-4)
    assert line.quantification_limit == pytest.approx(printed["loq_alpha0.01"], rel=1.2e-4)


# R 4.2.2, chemCal 0.2.3
@pytest.mark.parametrize("name", ["din32645", "massart97ex1"])
def test_line_and_inverse_agree_with_chemcal(shared: Path, r_results, name: str) -> None:
    line = calibration_line(*points(shared, name))
    expected = r_results[f"calib_{name}"]
    found = (line.intercept, line.slope, line.intercept_se, line.slope_se)
    assert found == pytest.approx((*expected["coef"], *expected["se"]), rel=1e-11)
    assert line.sigma == pytest.approx(expected["sigma"], rel=1e-10)
    assert line.r2 == pytest.approx(expected["r2"], abs=1e-10)
    for case in expected["inverse"]:
        inverse = line.invert(case["y"])
        numbers = (inverse.amount, inverse.se, inverse.half_width)
        assert numbers == pytest.approx((case["x"], case["se"], case["conf"]), rel=1e-9)
    # R searches these two with a tolerance of 1.2e-4
    assert line.detection_limit == pytest.approx(expected["lod_chemCal_default"][0], rel=1.2e-4)
    assert line.quantification_limit == pytest.approx(
        expected["loq_chemCal_default"][0], rel=1.2e-4
    )


# Massart et al. 1997, p. 200: 6.1 +- 4.9, 43.9 +- 4.9, 43.9 +- 3.2 from five measurements
def test_inverse_predictions_are_those_of_massart(shared: Path) -> None:
    line = calibration_line(*points(shared, "massart97ex1"))
    for responses, amount, half in ((15, 6.1, 4.9), (90, 43.9, 4.9), ([90] * 5, 43.9, 3.2)):
        found = line.invert(responses)
        assert (found.amount, found.half_width) == pytest.approx((amount, half), abs=0.051)


def spread(line: CalibrationLine, x: float) -> float:
    away = (x - line.amounts.mean()) ** 2 / np.sum((line.amounts - line.amounts.mean()) ** 2)
    return line.sigma * np.sqrt(1 / line.replicates + 1 / line.n + away)


@given(st.integers(0, 5000), st.integers(1, 5), st.sampled_from([0.01, 0.05, 0.1]))
def test_limits_solve_their_equations(seed: int, replicates: int, alpha: float) -> None:
    rng = np.random.default_rng(seed)
    x = np.linspace(0.5, 10, 12)
    y = 3 - 2 * x + rng.normal(0, 0.2, 12)
    line = calibration_line(x, y, alpha=alpha, beta=0.2, replicates=replicates)
    t = stats.t(10).isf
    slope = abs(line.slope)
    critical = slope * line.decision_limit
    assert critical == pytest.approx(t(alpha) * spread(line, 0))
    found = line.detection_limit
    assert slope * found == pytest.approx(critical + t(0.2) * spread(line, found), rel=1e-9)
    found = line.quantification_limit
    assert slope * found == pytest.approx(3 * t(alpha / 2) * spread(line, found), rel=1e-9)
    assert line.decision_limit < line.detection_limit < line.quantification_limit
    ratio = line.ich_quantification_limit / line.ich_detection_limit
    assert ratio == pytest.approx(10 / 3.3)


@given(st.floats(0.01, 100), st.floats(-50, 50), st.floats(0.1, 1000), st.integers(0, 1000))
def test_amounts_follow_scale_and_shift_of_responses(factor, shift, unit, seed) -> None:
    rng = np.random.default_rng(seed)
    x = np.repeat([0.0, 1, 2, 4], 2)
    y = 1 + 5 * x + rng.normal(0, 0.3, 8)
    line = calibration_line(x, y)
    moved = calibration_line(x * unit, shift + factor * y)
    assert moved.detection_limit == pytest.approx(unit * line.detection_limit, rel=1e-6)
    assert moved.invert(shift + factor * 9).amount == pytest.approx(
        unit * line.invert(9).amount, rel=1e-6
    )


def test_confidence_of_inverse_predictions_holds() -> None:
    rng = np.random.default_rng(1)
    x = np.repeat(np.linspace(0, 10, 5), 2)
    held = []
    for _ in range(400):
        line = calibration_line(x, 2 + x + rng.normal(0, 0.2, 10))
        found = line.invert(2 + 6 + rng.normal(0, 0.2, 3))
        held.append(found.lower <= 6 <= found.upper)
    # three standard errors
    assert np.mean(held) == pytest.approx(0.95, abs=3 * 0.011)


def test_curved_lines_are_found() -> None:
    x = np.repeat(np.arange(1.0, 7), 2)
    noise = np.tile([0.05, -0.05], 6)
    straight, curved = (
        calibration_line(x, x + c * x**2 + noise + 0.01 * np.cos(x)) for c in (0, 0.05)
    )
    assert straight.findings == ()
    assert {f.rule for f in curved.findings} == {"lack_of_fit", "curvature"}
    assert "not straight" in curved.findings[0].message
    # F tests by nested fits
    full = np.polynomial.polynomial.polyfit(x, curved.responses, 2, full=True)[1][0][0]
    rest = float(np.sum(curved.residuals**2))
    expected = stats.f.sf((rest - full) / (full / 9), 1, 9)
    assert curved.p_curvature == pytest.approx(expected, rel=1e-6)
    assert calibration_line([0, 1, 2, 3], [0, 1, 4, 9]).p_curvature < 1e-6
    single = calibration_line([1, 2, 3, 4], [1.1, 1.9, 3.2, 3.9])
    assert np.isnan(single.p_lack_of_fit)


def test_amounts_outside_the_range_are_marked() -> None:
    line = calibration_line([1, 2, 3, 4], [1.1, 1.9, 3.2, 3.9])
    assert line.invert(3).findings == ()
    for response, limit in ((9, 4), (0, 1)):
        found = line.invert(response).findings[0]
        assert (found.rule, found.limit) == ("extrapolation", limit)


def test_limits_that_do_not_exist_are_infinite() -> None:
    rng = np.random.default_rng(3)
    x = np.linspace(0, 1, 6)
    line = calibration_line(x, 0.01 * x + rng.normal(0, 1, 6))
    assert line.quantification_limit == np.inf


@pytest.mark.parametrize(
    ("x", "y", "options", "message"),
    [
        ([1, 2, 3], [1, 2, 3], {}, "at least 4"),
        ([1, 2, 3, 4], [1, 2, 3], {}, "lengths must agree"),
        ([1, 1, 2, 2], [1, 2, 3, 4], {}, "at least 3 different"),
        ([1, 2, 3, 4], [1, 2, 3, np.nan], {}, "NaN"),
        ([1, 2, 3, 4], [2, 4, 6, 8], {}, "on a line exactly"),
        ([1, 2, 3, 4], [1, 1, 1, 1], {}, "nothing to calibrate by"),
        ([-1, 0, 0, 1], [1, 0, 0, 1], {}, "slope is 0"),
        ([1, 2, 3, 4], [1, 2, 3, 5], {"alpha": 0.5}, "alpha"),
        ([1, 2, 3, 4], [1, 2, 3, 5], {"beta": 0}, "beta"),
        ([1, 2, 3, 4], [1, 2, 3, 5], {"k": 1}, "k must"),
        ([1, 2, 3, 4], [1, 2, 3, 5], {"replicates": 0}, "replicates"),
    ],
)
def test_bad_input_is_named(x, y, options, message: str) -> None:
    with pytest.raises(InputError, match=message):
        calibration_line(x, y, **options)


def test_confidence_of_inverse_is_checked() -> None:
    with pytest.raises(InputError, match="confidence"):
        calibration_line([1, 2, 3, 4], [1, 2, 3, 5]).invert(2, confidence=1)


def test_results_are_frames_json_and_pictures() -> None:
    line = calibration_line([0, 1, 2, 3, 4], [0.1, 1.0, 2.1, 2.9, 4.1])
    assert json.loads(json.dumps(line.to_dict()))["n"] == 5
    frame = line.to_frame()
    np.testing.assert_allclose(frame["fitted"] + frame["residual"], frame["response"])
    assert line.invert(2).to_frame()["replicates"].tolist() == [1]
    axes = line.plot()
    assert len(axes.lines) == 4
    assert axes.lines[1].get_xdata()[0] == line.decision_limit
    rng = np.random.default_rng(3)
    x = np.linspace(0, 1, 6)
    vague = calibration_line(x, 0.01 * x + rng.normal(0, 1, 6))
    assert len(vague.plot().lines) < 4
