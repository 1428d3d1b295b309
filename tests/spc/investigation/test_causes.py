"""Assignable causes: exact tests, effects, multiplicity, confounding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from naive_investigation import freeman_halton
from scipy.stats import nchypergeom_fisher

from pharmaq.errors import InputError, InputTypeError
from pharmaq.spc import adjust_p, find_causes


def table_of(failed: list[int], sizes: list[int]) -> tuple[pd.DataFrame, np.ndarray]:
    """A factor with so many failed batches of so many at each level."""
    levels = np.repeat([f"L{i}" for i in range(len(sizes))], sizes)
    bad = np.concatenate([np.arange(n) < k for k, n in zip(failed, sizes, strict=True)])
    return pd.DataFrame({"lot": levels}), bad


# R, help page of fisher.test: convictions of like-sex twins (Agresti): two-sided p 0.0005367;
# conditional odds ratio 0.04693661 with limits 0.003325764 and 0.363182271
def test_two_levels_are_fishers_test() -> None:
    row = find_causes(*table_of([2, 10], [17, 13])).table.iloc[0]
    assert row["p"] == pytest.approx(0.0005367, abs=5e-8)
    assert row["worst_level"] == "L1"
    assert row["method"] == "Fisher, exact"
    # R finds these numbers to 1.2e-4 (uniroot); those here meet their definitions exactly
    assert 1 / row["effect"] == pytest.approx(0.04693661, abs=1e-7)
    assert nchypergeom_fisher.mean(30, 13, 12, row["effect"]) == pytest.approx(10, rel=1e-9)
    limits = row[["effect_upper", "effect_lower"]].to_numpy(float)
    assert 1 / limits == pytest.approx([0.003325764, 0.363182271], abs=1.2e-4)
    tails = [
        nchypergeom_fisher.cdf(10, 30, 13, 12, limits[0]),
        nchypergeom_fisher.sf(9, 30, 13, 12, limits[1]),
    ]
    assert tails == pytest.approx([0.025, 0.025], rel=1e-6)


# R, help page of fisher.test: the lady tasting tea, two-sided p 0.4857
def test_tea() -> None:
    row = find_causes(*table_of([3, 1], [4, 4])).table.iloc[0]
    assert row["p"] == pytest.approx(0.4857, abs=5e-5)
    assert row["p_smallest"] == pytest.approx(2 / 70)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=4))
def test_exact_probability_equals_all_tables_in_fractions(counts: Any) -> None:
    counts = [(k, k + rest) for k, rest in counts if k + rest]
    failed, sizes = [k for k, _ in counts], [n for _, n in counts]
    assume(len(sizes) > 1 and 0 < sum(failed) < sum(sizes))
    row = find_causes(*table_of(failed, sizes)).table.iloc[0]
    assert (row["p"], row["p_smallest"]) == pytest.approx(freeman_halton(failed, sizes))


def test_random_tables_agree_with_the_exact_test() -> None:
    # too many tables to go through: the twin of fewer batches of each level has p by all
    failed, sizes = np.tile([9, 3, 7, 4, 8, 2], 20), np.tile([30, 31, 29, 37, 41, 23], 20)
    frame, bad = table_of(list(failed), list(sizes))
    row = find_causes(frame, bad, n_draws=999).table.iloc[0]
    assert row["method"] == "Freeman-Halton, permutation"
    assert 1 / 1000 <= row["p"] <= 1
    again = find_causes(frame, bad, n_draws=999).table.iloc[0]
    assert row["p"] == again["p"]


def test_numbers_are_compared_by_ranks() -> None:
    frame = pd.DataFrame({"water": [1.0, 1.1, 1.2, 2.0, 2.1, 2.2]})
    bad = np.array([False] * 3 + [True] * 3)
    row = find_causes(frame, bad).table.iloc[0]
    # all three above all three: 2 of 20 arrangements
    assert (row["p"], row["p_smallest"]) == pytest.approx((0.1, 0.1))
    assert (row["effect"], row["effect_upper"]) == (1.0, 1.0)
    assert row["method"] == "Mann-Whitney, exact"
    tied = find_causes(pd.DataFrame({"water": [1, 1, 1, 2, 2, 2]}), bad).table.iloc[0]
    assert tied["method"] == "Mann-Whitney, asymptotic"


@pytest.fixture
def genealogy() -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(5)
    n = 60
    lot = np.repeat(list("ABCDEF"), 10)
    frame = pd.DataFrame(
        {
            "api_lot": lot,
            "supplier": np.where(np.isin(lot, ["A", "B", "C"]), "X", "Y"),
            "press": rng.choice(["1", "2"], n),
            "analyst": rng.choice(["K", "L", "M"], n),
            "water": rng.normal(1, 0.1, n),
            "same": "s",
            "constant": 1.0,
        }
    )
    return frame, (lot == "C") & (rng.random(n) < 0.9)


def test_the_cause_stands_out_and_its_twins_are_named(genealogy: Any) -> None:
    found = find_causes(*genealogy)
    top = found.table.iloc[0]
    assert (top["factor"], top["worst_level"]) == ("api_lot", "C")
    assert top["confounded_with"] == "supplier"
    assert found.confounded[["first", "second"]].to_numpy().tolist() == [
        ["api_lot", "supplier"]
    ]
    message = found.findings[0].message
    assert "'C' failed, 0 % elsewhere" in message
    assert "cannot be told apart from supplier" in message
    assert found.findings[0].severity == "alert"


def test_probabilities_are_adjusted_for_the_factors(genealogy: Any) -> None:
    for method in ("holm", "bh"):
        table = find_causes(*genealogy, adjustment=method).table
        wanted = adjust_p(table["p"].to_numpy(float), method=method)
        assert np.allclose(table["p_adjusted"], wanted, equal_nan=True)


def test_factors_without_variation_say_so(genealogy: Any) -> None:
    table = find_causes(*genealogy).table.set_index("factor")
    assert table.loc["same", "method"] == "all batches have the same level"
    assert table.loc["constant", "method"] == "all batches have the same value"
    assert np.isnan(table.loc["same", "p_adjusted"])


def test_a_factor_that_cannot_show_is_named() -> None:
    found = find_causes(*table_of([1, 0], [3, 3]))
    assert found.table.loc[0, "p_smallest"] == pytest.approx(1)
    assert found.findings[0].rule == "no_power"


def test_missing_cells_are_counted() -> None:
    frame = pd.DataFrame({"lot": ["A", "A", None, "B", "B"], "rpm": [1.0, None, 2.0, 3.0, 4.0]})
    table = find_causes(frame, np.array([True, False, False, False, True])).table
    assert table.set_index("factor")["n_missing"].to_dict() == {"lot": 1, "rpm": 1}
    only = pd.DataFrame({"lot": ["A", "B", None]})
    row = find_causes(only, np.array([False, False, True])).table.iloc[0]
    assert row["method"] == "no failed or no other batch is known"


def test_larger_and_smaller_values_are_told_apart() -> None:
    bad = np.arange(20) < 8
    for sign, word in ((1, "smaller"), (-1, "larger")):
        frame = pd.DataFrame({"water": sign * np.arange(20.0), "copy": sign * np.arange(20.0)})
        found = find_causes(frame, bad)
        assert f"go with {word} values" in found.findings[0].message
        assert found.confounded.loc[0, "measure"] == "Spearman"


def test_numbers_and_groups_can_be_confounded() -> None:
    frame = pd.DataFrame(
        {"machine": list("AABBCC") * 3, "speed": [1.0, 1.1, 5, 5.1, 9, 9.1] * 3}
    )
    found = find_causes(frame, np.arange(18) % 5 == 0)
    assert found.confounded.loc[0, "measure"] == "correlation ratio"
    flat = find_causes(frame.assign(speed=1.0), np.arange(18) % 5 == 0)
    assert flat.confounded.empty


def test_failures_may_be_a_column(genealogy: Any) -> None:
    frame, bad = genealogy
    found = find_causes(frame.assign(failed=bad), "failed")
    assert "failed" not in set(found.table["factor"])
    assert found.n_failed == int(bad.sum())
    assert len(found.to_frame()) == frame.shape[1]
    assert find_causes(frame, bad, factors=["press"]).table["factor"].tolist() == ["press"]


def test_the_picture_shows_what_could_be_found(genealogy: Any) -> None:
    ax = find_causes(*genealogy).plot()
    assert [text.get_text() for text in ax.get_yticklabels()][-1] == "api_lot"
    assert ax.get_xscale() == "log"


@pytest.mark.parametrize(
    ("failed", "options", "match"),
    [
        ([False] * 3, {}, "some batches must have failed"),
        ([True] * 3, {}, "some batches must have failed"),
        ([True, False], {}, "failed must be True or False"),
        ([1, 0, 1], {}, "failed must be True or False"),
        ("nothing", {}, "not in genealogy"),
        ([True, False, True], {"factors": ["x"]}, "not in genealogy"),
        ([True, False, True], {"factors": []}, "no factor"),
        ([True, False, True], {"adjustment": "?"}, "method"),
        ([True, False, True], {"confidence": 1.0}, "confidence"),
        ([True, False, True], {"confounded_at": 2.0}, "confounded_at"),
        ([True, False, True], {"n_draws": 5}, "n_draws"),
    ],
)
def test_bad_input_is_named(failed: Any, options: Any, match: str) -> None:
    with pytest.raises(InputError, match=match):
        find_causes(pd.DataFrame({"lot": ["A", "B", "B"]}), failed, **options)
    with pytest.raises(InputTypeError, match="DataFrame"):
        find_causes([1], [True])  # type: ignore[arg-type]
