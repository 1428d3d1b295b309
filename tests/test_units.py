"""Conversions of units against values from textbooks and pharmacopoeias."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmaq.errors import InputError, InputTypeError, UnitsError
from pharmaq.units import convert, registry


# BIPM, The International System of Units, 9th ed.; NIST SP 811, appendix B: exact factors
@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (25.0, "degC", "kelvin", 298.15),
        (212.0, "degF", "degC", 100.0),
        (1.0, "delta_degC", "delta_degF", 1.8),
        (1.0, "atm", "Pa", 101325.0),
        (1.0, "bar", "Pa", 1e5),
        (1.0, "inch", "mm", 25.4),
        (1.0, "lb", "g", 453.59237),
        (1.0, "cal", "J", 4.184),
        (1.0, "L/min", "mL/s", 1000.0 / 60.0),
        (250.0, "mg", "g", 0.25),
        (1.0, "1/cm", "1/m", 100.0),
        (1.0, "cm^-1", "cm⁻¹", 1.0),
        (1.0, "um", "nm", 1000.0),
        (1.0, "ppm", "1", 1e-6),
    ],
)
def test_conversion_matches_the_tables(
    value: float, source: str, target: str, expected: float
) -> None:
    assert convert(value, source, target) == pytest.approx(expected, rel=1e-12)


# USP <1151> and general notices: percent weight in volume is g in 100 mL; isotonic saline is
# 0.9 %w/v = 9 mg/mL
@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (0.9, "%w/v", "mg/mL", 9.0),
        (0.9, "% (w/v)", "g/L", 9.0),
        (9.0, "mg/mL", "%w/v", 0.9),
        (1.0, "%w/w", "mg/g", 10.0),
        (70.0, "% v/v", "mL/L", 700.0),
        (98.0, "%", "1", 0.98),
        (5.0, "%/h", "1/h", 0.05),
    ],
)
def test_percentages_are_those_of_the_pharmacopoeias(
    value: float, source: str, target: str, expected: float
) -> None:
    assert convert(value, source, target) == pytest.approx(expected, rel=1e-12)


def test_shape_is_kept_and_nan_stays_nan() -> None:
    out = convert([[1.0, math.nan], [2.0, 3.0]], "g", "mg")
    np.testing.assert_array_equal(out, [[1000.0, math.nan], [2000.0, 3000.0]])


@pytest.mark.parametrize("target", ["mg", "g"])
def test_the_result_is_a_new_array(target: str) -> None:
    values = np.array([1.0, 2.0])
    convert(values, "mg", target)[:] = 0.0
    assert values.tolist() == [1.0, 2.0]


@given(
    st.floats(-1e6, 1e6),
    st.sampled_from(
        [("degC", "degF"), ("psi", "kPa"), ("%w/v", "ug/mL"), ("rpm", "Hz"), ("kcal", "kWh")]
    ),
)
def test_there_and_back_is_where_it_began(value: float, units: tuple[str, str]) -> None:
    source, target = units
    back = convert(convert(value, source, target), target, source)
    assert back == pytest.approx(value, rel=1e-12, abs=1e-9)


@pytest.mark.parametrize(
    "text",
    ["foo", "mg/", "(mg", "mg**", "5 mg", "$", "mg^^2", "m**m", "1/0 mg", "IU/mL", "(" * 5],
)
@pytest.mark.parametrize("argument", ["source", "target"])
def test_text_that_is_no_unit_is_refused_by_name(argument: str, text: str) -> None:
    units = {"source": "mg", "target": "mg"} | {argument: text}
    with pytest.raises(UnitsError) as caught:
        convert(1.0, **units)
    assert str(caught.value) == (
        f"{argument} {text!r} is no unit; use a name that pint knows, such as 'mg' or '1/cm'"
    )


@pytest.mark.parametrize(
    ("source", "target"), [("mg", "mL"), ("nm", "1/cm"), ("degC", "bar"), ("%w/v", "%w/w")]
)
def test_units_of_different_things_are_refused(source: str, target: str) -> None:
    message = f"^source '{source}' cannot be converted into target '{target}': .* different"
    with pytest.raises(UnitsError, match=message):
        convert(1.0, source, target)


@pytest.mark.parametrize("unit", [None, 3, ["mg"]])
def test_a_unit_that_is_no_text_is_a_type_error(unit: Any) -> None:
    with pytest.raises(InputTypeError, match=r"^source must be the name of a unit, .*got "):
        convert(1.0, unit, "mg")
    with pytest.raises(InputTypeError, match=r"^target must be the name of a unit, .*got "):
        convert(1.0, "mg", unit)


def test_values_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(InputError, match=r"^values must hold numbers only: .*'low'"):
        convert(["low"], "mg", "g")


def test_there_is_one_registry() -> None:
    assert registry() is registry()
    assert registry().Quantity(1, "g") + registry().Quantity(1, "kg") == registry()("1001 g")
