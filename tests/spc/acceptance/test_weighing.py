"""Required amounts, weighings, yield and mass balance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmaq.errors import InputError
from pharmaq.spc import Specification, check_weighing, mass_balance, required_amount


# by hand: 50 x 100 / 98.5 x 100 / 98.8 = 51.37796
def test_a_lot_is_corrected_for_content_and_water() -> None:
    need = required_amount(50.0, content=98.5, loss_on_drying=1.2, bag=20.0)
    assert need.amount == pytest.approx(51.37796, abs=5e-6)
    assert (need.full_bags, need.remainder) == (2, pytest.approx(11.37796, abs=5e-6))
    assert need.compensation == pytest.approx(1.37796, abs=5e-6)
    wet = required_amount(50.0, content=97.318, loss_on_drying=1.2, basis="as_is")
    # 98.5 % of the dried substance are 97.318 % of the substance as it is
    assert wet.amount == pytest.approx(need.amount)
    assert len(wet.to_frame()) == 1


@given(st.floats(0.1, 1e4), st.floats(0.05, 50))
def test_bags_and_remainder_make_up_the_amount(pure: float, bag: float) -> None:
    need = required_amount(pure, bag=bag)
    assert need.full_bags * bag + need.remainder == pytest.approx(pure, rel=1e-8)
    assert 0 <= need.remainder < bag * (1 + 1e-8)


def test_a_full_bag_is_not_opened_for_nothing() -> None:
    assert required_amount(0.6, bag=0.2).full_bags == 3
    assert required_amount(0.6, bag=0.2).remainder == pytest.approx(0, abs=1e-9)


# slow twin: the spread of many simulated lots
def test_uncertainty_is_that_of_simulated_lots() -> None:
    rng = np.random.default_rng(0)
    content, loss = rng.normal(98.5, 0.4, 200_000), rng.normal(2.0, 0.1, 200_000)
    simulated = np.std(50 * 100 / content * 100 / (100 - loss))
    need = required_amount(
        50.0, content=98.5, loss_on_drying=2.0, u_content=0.4, u_loss_on_drying=0.1
    )
    assert need.uncertainty == pytest.approx(simulated, rel=0.01)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"content": 0.0}, "content"),
        ({"loss_on_drying": 100.0}, "loss_on_drying"),
        ({"basis": "wet"}, "basis"),
        ({"bag": 0.0}, "bag"),
        ({"u_content": -1.0}, "negative"),
    ],
)
def test_bad_lots_are_named(options: Any, match: str) -> None:
    with pytest.raises(InputError, match=match):
        required_amount(50.0, **options)


WEIGHED = pd.DataFrame(
    {
        "batch": "B1",
        "material": ["API", "API", "lactose", "lactose"],
        "amount": [10.05, 10.06, 99.5, 99.4],
        "target": [10.0, 10.0, 100.0, 100.0],
        "time": pd.date_range("2024-01-01", periods=4),
    },
    index=[4, 5, 6, 7],
)


def test_weighings_at_the_tolerance_pass() -> None:
    found = check_weighing(WEIGHED, tolerance=0.5)
    assert found.table["outcome"].tolist() == ["pass", "out", "pass", "out"]
    assert found.table["deviation"].tolist() == [0.05, 0.06, -0.5, -0.6]
    assert [f.limit for f in found.findings] == [10.05, 99.5]
    assert found.findings[0].subject == "API of batch B1"
    assert found.findings[1].time == pd.Timestamp("2024-01-04")
    assert found.to_frame().index.tolist() == [4, 5, 6, 7]
    assert check_weighing(WEIGHED, tolerance=0.6, relative=False).n_out == 0


def test_bad_weighings_are_named() -> None:
    with pytest.raises(InputError, match="above zero"):
        check_weighing(WEIGHED.assign(target=0.0), tolerance=1.0)
    with pytest.raises(InputError, match="'amount' must be finite"):
        check_weighing(WEIGHED.assign(amount=np.nan), tolerance=1.0)
    with pytest.raises(InputError, match="'material'"):
        check_weighing(WEIGHED.drop(columns="material"), tolerance=1.0)


INPUTS = {"granules": (100.0, 0.05), "lubricant": (1.0, 0.002)}
OTHERS = {"samples": (0.9, 0.002), "dust": (1.2, 0.02)}


# slow twin: the spread of many simulated weighings
def test_balance_uncertainty_is_that_of_simulated_weighings() -> None:
    rng = np.random.default_rng(1)
    drawn = {k: rng.normal(m, u, 200_000) for k, (m, u) in {**INPUTS, **OTHERS}.items()}
    product = rng.normal(98.4, 0.05, 200_000)
    given = drawn["granules"] + drawn["lubricant"]
    out = product + drawn["samples"] + drawn["dust"]
    found = mass_balance(INPUTS, (98.4, 0.05), others=OTHERS)
    assert found.u_yield == pytest.approx(np.std(100 * product / given), rel=0.01)
    assert found.u_balance == pytest.approx(np.std(100 * out / given), rel=0.01)
    assert found.u_lost == pytest.approx(np.std(given - out), rel=0.01)
    # by hand: 98.4 / 101, 100.5 / 101
    assert (found.yield_percent, found.balance_percent) == pytest.approx(
        (97.42574, 99.50495), abs=1e-5
    )


def test_balance_is_held_against_its_limits() -> None:
    found = mass_balance(
        INPUTS,
        (98.4, 0.05),
        others=OTHERS,
        yield_specification=Specification("granulation", "NLT 98.0 %"),
        balance_specification=Specification("granulation", "99.0-100.5 %"),
    )
    assert found.outcomes == {"yield": "oos", "balance": "pass"}
    assert found.findings[0].rule == "oos"
    assert found.to_frame()["outcome"].tolist() == ["oos", "pass"]
    assert found.to_dict()["outcomes"]["yield"] == "oos"


def test_a_gain_that_weighing_does_not_explain_is_found() -> None:
    assert mass_balance({"a": (100.0, 0.1)}, (100.1, 0.1)).findings == ()
    found = mass_balance({"a": (100.0, 0.1)}, (100.5, 0.1))
    assert "more came out than went in" in found.findings[0].message
    assert found.z == pytest.approx(-0.5 / 0.1 / 2**0.5)
    assert mass_balance({"a": (100.0, 0.0)}, (100.5, 0.0)).z == -np.inf
    assert mass_balance({"a": (100.0, 0.0)}, (100.0, 0.0)).z == 0.0


@pytest.mark.parametrize(
    ("inputs", "product", "match"),
    [
        ({"a": (0.0, 0.0)}, (1.0, 0.1), "more than zero"),
        ({"a": (-1.0, 0.1)}, (1.0, 0.1), "zero or more"),
        ({"a": (1.0, 0.1, 2.0)}, (1.0, 0.1), "an amount and its standard uncertainty"),
        ({"a": (1.0, np.nan)}, (1.0, 0.1), "finite"),
        ({"a": (1.0, 0.1)}, (1.0,), "at least 2"),
    ],
)
def test_bad_balances_are_named(inputs: Any, product: Any, match: str) -> None:
    with pytest.raises(InputError, match=match):
        mass_balance(inputs, product)
