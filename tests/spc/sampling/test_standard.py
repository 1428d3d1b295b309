"""Single plans of MIL-STD-105E."""

from __future__ import annotations

from itertools import product

import pytest

from pharmaq.errors import InputError
from pharmaq.spc import standard_plan

AQLS = (0.01, 0.015, 0.025, 0.04, 0.065, 0.1, 0.15, 0.25, 0.4, 0.65, 1, 1.5, 2.5, 4, 6.5, 10)
LOTS = (8, 15, 25, 50, 90, 150, 280, 500, 1200, 3200, 10000, 35000, 150000, 500000, 500001)


# ANSI/ASQ Z1.4, table II-A, level II, lot of 1201 to 3200: code letter K
@pytest.mark.parametrize("lot", [1201, 3200])
@pytest.mark.parametrize(
    ("aql", "accept"),
    [(0.65, 2), (1.0, 3), (1.5, 5), (2.5, 7), (4.0, 10), (6.5, 14), (10.0, 21)],
)
def test_row_of_letter_k_is_that_of_the_standard(lot: int, aql: float, accept: int) -> None:
    found = standard_plan(lot, aql)
    assert (found.code_letter, found.plan_letter, found.n) == ("K", "K", 125)
    assert (found.accept, found.reject) == (accept, accept + 1)


# MIL-STD-105E, tables I, II-A, II-B
@pytest.mark.parametrize(
    ("lot", "aql", "level", "inspection", "expected"),
    [
        (500, 1.0, "II", "normal", ("H", "H", 50, 1)),
        (500, 2.5, "II", "normal", ("H", "H", 50, 3)),
        (1200, 4.0, "II", "normal", ("J", "J", 80, 7)),
        (10000, 2.5, "II", "normal", ("L", "L", 200, 10)),
        (280, 1.0, "III", "normal", ("H", "H", 50, 1)),
        (3200, 1.0, "I", "normal", ("H", "H", 50, 1)),
        (50, 2.5, "II", "normal", ("D", "C", 5, 0)),
        (90, 2.5, "II", "normal", ("E", "F", 20, 1)),
        (15, 1.0, "II", "normal", ("B", "E", 13, 0)),
        (10000, 10, "II", "normal", ("L", "K", 125, 21)),
        (1200, 2.5, "II", "tightened", ("J", "J", 80, 3)),
        (3200, 4.0, "II", "tightened", ("K", "K", 125, 8)),
        (90, 2.5, "II", "tightened", ("E", "G", 32, 1)),
        (50, 2.5, "S-4", "normal", ("C", "C", 5, 0)),
    ],
)
def test_cells_and_arrows_are_those_of_the_standard(lot, aql, level, inspection, expected):
    found = standard_plan(lot, aql, level=level, inspection=inspection)
    assert (found.code_letter, found.plan_letter, found.n, found.accept) == expected
    assert not found.inspect_all


def test_lots_of_the_aql_pass() -> None:
    for lot, aql in product(LOTS, AQLS):
        try:
            found = standard_plan(lot, aql)
        except InputError:
            continue
        if not found.inspect_all:
            assert 0.87 < found.plan.chance(aql / 100)[0] < 0.9999


def test_tightened_inspection_passes_less() -> None:
    for lot, aql in product(LOTS[4:], AQLS[8:]):
        normal, tight = standard_plan(lot, aql), standard_plan(lot, aql, inspection="tightened")
        if not tight.inspect_all:
            at = aql / 100
            assert tight.plan.chance(at)[0] < normal.plan.chance(at)[0]


def test_a_sample_as_large_as_the_lot_takes_all_units() -> None:
    found = standard_plan(10, 1.0)
    assert (found.n, found.inspect_all, found.accept) == (10, True, 0)
    assert found.to_frame()["acceptance"].iloc[0] == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"aql": 3.0}, "nearest is 2.5"),
        ({"aql": 0.0}, "aql"),
        ({"lot_size": 1}, "lot_size"),
        ({"level": "IV"}, "level"),
        ({"inspection": "reduced"}, "inspection"),
        ({"lot_size": 10**6, "aql": 0.015, "level": "III"}, "no normal plan"),
    ],
)
def test_bad_input_says_what_to_do(change, message) -> None:
    with pytest.raises(InputError, match=message):
        standard_plan(**({"lot_size": 500, "aql": 1.0} | change))
