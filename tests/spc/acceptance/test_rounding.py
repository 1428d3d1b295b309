"""Rounding before a limit: the table of the USP, exact decimal arithmetic, both readings."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmaq.errors import InputError
from pharmaq.spc import Specification, check_oos, round_half_up, round_significant

# USP General Notices 7.20, illustration of rounding numerical values: requirement, unrounded,
# rounded, conforms
USP_ILLUSTRATION = [
    (">= 98.0 %", 97.96, 98.0, True),
    (">= 98.0 %", 97.92, 97.9, False),
    (">= 98.0 %", 97.95, 98.0, True),
    ("<= 101.5 %", 101.55, 101.6, False),
    ("<= 101.5 %", 101.46, 101.5, True),
    ("<= 101.5 %", 101.45, 101.5, True),
    ("<= 0.02 %", 0.025, 0.03, False),
    ("<= 0.02 %", 0.015, 0.02, True),
    ("<= 0.02 %", 0.027, 0.03, False),
    ("<= 0.0003 %", 0.00035, 0.0004, False),
    ("<= 0.0003 %", 0.00025, 0.0003, True),
    ("<= 0.0003 %", 0.00028, 0.0003, True),
]


@pytest.mark.parametrize(("limit", "value", "rounded", "conforms"), USP_ILLUSTRATION)
def test_results_round_and_conform_as_the_usp_illustrates(limit, value, rounded, conforms):
    import pandas as pd

    found = check_oos(
        pd.DataFrame({"test": ["x"], "value": [value]}), Specification("x", limit)
    )
    assert found.table["reported"].tolist() == [rounded]
    assert found.accepted is conforms


# Ph. Eur. General Notices: limits 100.0 to 102.0 have four significant figures
def test_significant_figures_read_the_european_text_literally() -> None:
    assert round_significant([98.28568, 101.2345, 0.0012345, -5.5555], 4).tolist() == [
        98.29,
        101.2,
        0.001235,
        -5.556,
    ]


def test_a_rounded_result_equals_the_limit_read_from_text() -> None:
    values = np.arange(0, 100_000) / 1000 + 0.0004
    texts = [f"{v:.3f}" for v in np.arange(0, 100_000) / 1000]
    assert np.array_equal(round_half_up(values, 3), np.array(texts, dtype=float))


# slow twin: decimal arithmetic, a number at a time
@given(st.integers(-(10**9), 10**9), st.integers(0, 7), st.integers(-2, 6))
def test_rounding_equals_decimal_arithmetic(whole: int, places: int, digits: int) -> None:
    written = Decimal(whole).scaleb(-places)
    wanted = written.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    assert round_half_up([float(written)], digits)[0] == float(wanted)


@pytest.mark.parametrize(
    ("value", "digits", "rounded"),
    [
        (0.145, 2, 0.15),
        (2.675, 2, 2.68),
        (1.005, 2, 1.01),
        (-1.005, 2, -1.01),
        # the last bits of a mean of tenths are no digits of a result
        (0.1 + 0.2, 15, 0.3),
        ((0.1 + 0.2) / 2, 1, 0.2),
        (1e20, 3, 1e20),
        (1250.0, -2, 1300.0),
    ],
)
def test_ties_are_those_of_the_decimals(value: float, digits: int, rounded: float) -> None:
    assert round_half_up(value, digits) == rounded


def test_what_is_no_number_stays() -> None:
    assert np.isnan(round_half_up([np.nan], 1)[0])
    assert round_half_up([np.inf], 1)[0] == np.inf
    assert round_significant([0.0, 1e-7, 999.96], 4).tolist() == [0.0, 1e-7, 1000.0]


def test_bad_digits_are_named() -> None:
    with pytest.raises(InputError, match="digits"):
        round_half_up([1.0], 30)
    with pytest.raises(InputError, match="figures"):
        round_significant([1.0], 0)
