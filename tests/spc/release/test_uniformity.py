"""Uniformity of dosage units: every boundary of both stages."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmaq.errors import InputError, InputTypeError
from pharmaq.spc import acceptance_value, content_uniformity


def units(mean: float, sd: float, n: int) -> np.ndarray:
    """Values with exactly this mean and standard deviation (n - 1)."""
    base = np.linspace(-1.0, 1.0, n)
    return mean + sd * base / base.std(ddof=1)


# USP, frequently asked questions on <905>: mean 105.9, s 5.0
def test_acceptance_value_is_that_of_the_usp() -> None:
    value, reference = acceptance_value(105.9, 5.0, 10)
    assert (value, reference) == (pytest.approx(16.4), 101.5)
    found = content_uniformity(units(105.9, 5.0, 10))
    assert (found.outcome, found.acceptance_value, found.n_more) == ("continue", 16.4, 20)
    assert (found.unit_lower, found.unit_upper) == pytest.approx((76.125, 126.875))


# derived from USP <905>, table 2: mean, sd, n, T and AV
@pytest.mark.parametrize(
    ("mean", "sd", "n", "target", "value", "reference"),
    [
        (98.5, 4, 10, 100, 9.6, 98.5),
        (98.4, 4, 10, 100, 9.7, 98.5),
        (101.5, 4, 10, 100, 9.6, 101.5),
        (101.6, 4, 10, 100, 9.7, 101.5),
        (103, 3, 10, 105, 7.2, 103),
        (106, 3, 10, 105, 8.2, 105),
        (97, 3, 30, 100, 7.5, 98.5),
        (101.6, 3, 10, 101.6, 7.2, 101.6),
    ],
)
def test_reference_value_at_its_boundaries(mean, sd, n, target, value, reference) -> None:
    assert acceptance_value(mean, sd, n, target=target) == pytest.approx((value, reference))


# 15.04 is 15.0 and 15.05 is 15.1 to the digits of L1
@pytest.mark.parametrize(
    ("n", "value", "digits", "outcome"),
    [
        (10, 15.0, 1, "pass"),
        (10, 15.04, 1, "pass"),
        (10, 15.05, 1, "continue"),
        (10, 15.04, None, "continue"),
        (10, 15.0, None, "pass"),
        (30, 15.0, 1, "pass"),
        (30, 15.04, 1, "pass"),
        (30, 15.05, 1, "fail"),
    ],
)
def test_acceptance_value_is_rounded_half_up_before_l1(n, value, digits, outcome) -> None:
    x = units(100.0, value / (2.4 if n == 10 else 2.0), n)
    if n == 30:  # the first ten fail, so that the second stage decides
        x = np.r_[x[:5], x[25:], x[5:25]]
    assert content_uniformity(x, digits=digits).outcome == outcome


def second_stage(extreme: float) -> np.ndarray:
    """Thirty units of mean 100 whose first ten fail, one of them extreme."""
    x = np.full(30, 100.0)
    x[:2] = extreme, 200 - extreme
    x[2:8] = 108, 92, 108, 92, 108, 92
    return x


@pytest.mark.parametrize(
    ("extreme", "outcome"),
    [(75.0, "pass"), (74.999, "fail"), (125.0, "pass"), (125.001, "fail")],
)
def test_units_of_the_second_stage_at_l2(extreme: float, outcome: str) -> None:
    found = content_uniformity(second_stage(extreme))
    assert (found.stage, found.outcome, found.n_units) == ("2", outcome, 30)
    assert found.reference_value == pytest.approx(100)
    table = found.to_frame()
    assert list(table.stage) == ["1", "2", "2"]
    assert list(table.held) == [False, True, outcome == "pass"]
    assert [f.severity for f in found.findings] == ([] if outcome == "pass" else ["action"])


def test_limits_of_units_follow_the_reference_value() -> None:
    x = second_stage(76.0) + 3.5
    found = content_uniformity(x)
    assert (found.unit_lower, found.unit_upper) == pytest.approx((76.125, 126.875))
    assert content_uniformity(x, target=103.5).unit_lower == pytest.approx(0.75 * 103.5)


def test_first_stage_that_passes_decides() -> None:
    x = units(100, 2, 30)
    x[20:] = 60
    x[:10] = units(100, 2, 10)
    found = content_uniformity(x)
    assert (found.outcome, found.stage, found.n_units) == ("pass", "1", 10)
    assert "play no part" in found.findings[0].message


def test_a_unit_beyond_all_reference_values_is_named() -> None:
    x = units(100, 9, 10)
    x[3] = 73.8
    found = content_uniformity(x)
    assert [f.severity for f in found.findings] == ["alert", "action"]
    assert "unit 3 with 73.8" in found.findings[1].message
    assert "no later stage" in found.findings[1].message


def test_equal_units_pass_with_an_acceptance_value_of_zero() -> None:
    assert content_uniformity([100.0] * 10).acceptance_value == 0


@given(st.lists(st.floats(60, 140), min_size=10, max_size=10), st.randoms())
def test_order_of_units_within_a_stage_does_not_matter(x: list[float], random) -> None:
    shuffled = list(x)
    random.shuffle(shuffled)
    first, second = content_uniformity(x), content_uniformity(shuffled)
    assert first.outcome == second.outcome
    assert first.reference_value == pytest.approx(second.reference_value)


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ([100.0] * 12, {}, "10 units .stage 1. or 30"),
        ([], {}, "at least 1"),
        ([100.0] * 9 + [np.nan], {}, r"values\[9\] is NaN"),
        ([100.0] * 9 + [-1.0], {}, "zero or more"),
        (np.full((2, 5), 100.0), {}, "one-dimensional"),
        ([100.0] * 10, {"target": 0}, "target"),
        ([100.0] * 10, {"l1": -1}, "l1"),
        ([100.0] * 10, {"l2": 100}, "l2"),
        ([100.0] * 10, {"digits": -1}, "digits"),
    ],
)
def test_bad_input_is_named(values, options, message: str) -> None:
    with pytest.raises(InputError, match=message):
        content_uniformity(values, **options)


def test_acceptance_value_refuses_other_sizes_and_negative_sd() -> None:
    with pytest.raises(InputError, match="n must be 10"):
        acceptance_value(100, 2, 20)
    with pytest.raises(InputError, match="sd must not"):
        acceptance_value(100, -2, 10)
    with pytest.raises(InputTypeError, match="mean"):
        acceptance_value("100", 2, 10)  # type: ignore[arg-type]


def test_result_is_a_frame_json_and_a_picture() -> None:
    found = content_uniformity(pd.Series(second_stage(70.0)))
    assert json.loads(json.dumps(found.to_dict()))["outcome"] == "fail"
    axes = found.plot()
    assert axes.get_title(loc="left").endswith("stage 2: fails")
    drawn = sum(len(c.get_offsets()) for c in axes.collections)
    assert drawn == 30
    lines = [line.get_ydata()[0] for line in axes.lines]
    assert 75.0 in lines
    assert len(content_uniformity([100.0] * 9 + [101.0]).plot().collections) == 1
