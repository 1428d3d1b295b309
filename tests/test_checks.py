"""Arguments that break a rule are refused by name; all others pass unchanged."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from pharmaq._checks import (
    as_float,
    check_choice,
    check_finite,
    check_integer,
    check_real,
    check_same_length,
    check_vector,
)
from pharmaq.errors import InputError, InputTypeError

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(finite)
def test_any_finite_number_is_real(value: float) -> None:
    assert check_real("alpha", value) == value


@pytest.mark.parametrize("value", [1, np.int64(1), np.float32(1), Fraction(1)])
def test_a_real_number_of_any_type_becomes_a_float(value: Any) -> None:
    assert type(check_real("alpha", value, above=0, below=2)) is float


@pytest.mark.parametrize("value", [0, 1, -0.1, 2, math.nan, math.inf, -math.inf, 10**400])
def test_a_number_outside_its_bounds_is_refused(value: float) -> None:
    with pytest.raises(InputError, match=r"^alpha must lie in \(0, 1\), got "):
        check_real("alpha", value, above=0, below=1)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400])
def test_a_number_without_bounds_must_be_finite(value: float) -> None:
    with pytest.raises(InputError, match=r"^shift must be finite, got "):
        check_real("shift", value)


def test_one_bound_leaves_the_other_side_open() -> None:
    assert check_real("laser", 1e300, above=0) == 1e300
    assert check_real("laser", -1e300, below=0) == -1e300
    with pytest.raises(InputError, match=r"^laser must lie in \(0, inf\), got -1$"):
        check_real("laser", -1, above=0)


@pytest.mark.parametrize("value", ["1", None, True, np.bool_(1), 1j, [1.0], np.array([1.0])])
def test_what_is_no_real_number_is_a_type_error(value: Any) -> None:
    with pytest.raises(InputTypeError, match=r"^alpha must be a real number, got "):
        check_real("alpha", value)


@given(st.integers(1, 9))
def test_an_integer_between_its_ends_passes(value: int) -> None:
    assert check_integer("n", np.int16(value), least=1, most=9) == value


@pytest.mark.parametrize(
    ("value", "most", "rule"),
    [(0, None, "at least 1"), (0, 5, "from 1 to 5"), (6, 5, "from 1")],
)
def test_an_integer_outside_its_ends_is_refused(
    value: int, most: int | None, rule: str
) -> None:
    with pytest.raises(InputError, match=f"^n must be {rule}.*, got {value}$"):
        check_integer("n", value, least=1, most=most)


@pytest.mark.parametrize("value", [2.0, "2", None, True, np.True_, math.nan])
def test_what_is_no_integer_is_a_type_error(value: Any) -> None:
    with pytest.raises(InputTypeError, match=r"^n must be a whole number, got "):
        check_integer("n", value, least=1)


def test_a_choice_is_returned() -> None:
    assert check_choice("method", "box", ["box", "chi2"]) == "box"


@pytest.mark.parametrize("value", ["Box", None, 1, ["box"], np.array(["box", "box"])])
def test_another_choice_is_refused_with_all_that_are_allowed(value: Any) -> None:
    with pytest.raises(InputError, match=r"^method must be one of 'box', 'chi2', got "):
        check_choice("method", value, (name for name in ("box", "chi2")))


@given(arrays(np.float64, array_shapes(max_dims=3), elements=finite))
def test_arrays_and_nested_lists_of_numbers_are_the_same(values: np.ndarray) -> None:
    assert as_float("X", values) is values
    np.testing.assert_array_equal(as_float("X", values.tolist()), values)


@pytest.mark.parametrize(
    "values",
    [
        [1.0, None],
        ["1", "nan"],
        pd.Series([1, None], dtype="Int64"),
        pd.DataFrame({"a": [1, None]})["a"],
        np.ma.array([1.0, 7.0], mask=[False, True]),
        np.ma.array([1, 7], mask=[False, True]),
    ],
)
def test_what_is_missing_becomes_nan(values: Any) -> None:
    np.testing.assert_array_equal(as_float("X", values), [1.0, math.nan])


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (["1", "high"], "'high'"),
        ([1, [2, 3]], "inhomogeneous"),
        ({"a": 1}, "dict"),
        ([10**400], "too large"),
        (np.array([1 + 2j]), "got complex128"),
        ([1 + 2j], "complex"),
        (np.ma.array([1 + 2j], mask=[False]), "complex"),
        (np.array(["2026-01-02"], dtype="datetime64[D]"), r"got datetime64\[D\]"),
        (pd.to_datetime(pd.Series(["2026-01-02"])), "got datetime64"),
        (np.array([5], dtype="timedelta64[s]"), r"got timedelta64\[s\]"),
    ],
)
def test_what_holds_no_numbers_is_refused_in_one_line(values: Any, problem: str) -> None:
    with pytest.raises(InputError, match=f"^X must hold numbers only: [^\n]*{problem}[^\n]*$"):
        as_float("X", values)


def test_a_vector_has_one_dimension_and_enough_values() -> None:
    assert check_vector("y", (1, 2, 3), least=3).tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[1.0, 2.0]], r"y must be one-dimensional, got shape \(1, 2\)"),
        (1.0, r"y must be one-dimensional, got shape \(\)"),
        ([], "y must hold at least 2 values, got 0"),
        ([1.0], "y must hold at least 2 values, got 1"),
        ([1.0, math.nan], r"y\[1\] is NaN \(1 of 2 values"),
        (["a", "b"], "y must hold numbers only"),
    ],
)
def test_a_vector_that_breaks_a_rule_is_refused(values: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_vector("y", values, least=2)


def test_finite_values_whose_sum_overflows_are_finite() -> None:
    check_finite("X", np.array([1.7e308, 1.7e308]))


@given(
    arrays(np.float64, (3, 4), elements=finite),
    st.integers(0, 2),
    st.integers(0, 3),
    st.sampled_from([(math.nan, "NaN"), (math.inf, "inf"), (-math.inf, "-inf")]),
)
def test_the_place_of_a_value_that_is_not_finite_is_named(
    X: np.ndarray, row: int, column: int, bad: tuple[float, str]
) -> None:
    X[row, column] = bad[0]
    message = rf"^X must be finite, but X\[{row}, {column}\] is {bad[1]} \(1 of 12 values"
    with pytest.raises(InputError, match=message):
        check_finite("X", X)


def test_the_first_of_several_bad_values_is_named_and_all_are_counted() -> None:
    with pytest.raises(
        InputError, match=r"X\[1\] is inf \(2 of 3 values .*; remove or replace"
    ):
        check_finite("X", np.array([1.0, math.inf, math.nan]))


def test_a_single_number_that_is_not_finite_has_no_place() -> None:
    with pytest.raises(InputError, match=r"^X must be finite, but X is NaN"):
        check_finite("X", np.array(math.nan))


def test_the_same_length_is_returned() -> None:
    assert check_same_length(X=[1, 2], y=np.zeros(2)) == 2


def test_different_lengths_are_named() -> None:
    with pytest.raises(InputError, match=r"^lengths must agree, but X has 2, y has 3$"):
        check_same_length(X=[1, 2], y=np.zeros(3))
