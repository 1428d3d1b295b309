"""All tests of all products at once: the same numbers as one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from pharmaq.errors import InputError
from pharmaq.spc import (
    ResultsReview,
    Specification,
    Specifications,
    adjust_p,
    capability,
    check_oot,
    mann_kendall,
    review_results,
)

if TYPE_CHECKING:
    from pathlib import Path

MONTHS = {
    name: i + 1
    for i, name in enumerate(
        ["jan", "feb", "mar", "apr", "maj", "jun", "jul", "avg", "sep", "okt", "nov", "dec"]
    )
}
TABLETS = Specifications(
    [
        # limits are not published; these are assumed
        Specification("dissolution_av", "NLT 80.0 %"),
        Specification("dissolution_min", "NLT 75 %"),
        Specification("impurities_total", "NMT 1.20 %"),
        Specification("batch_yield", "95.0-102.0 %"),
    ]
)


@pytest.fixture(scope="module")
def tablets(shared: Path) -> pd.DataFrame:
    """Release tests of 393 batches of tablets (Zagar and Mihelic, Sci. Data 9:99, 2022)."""
    lab = pd.read_csv(shared / "data" / "pharma_production" / "laboratory_dev.csv")
    lab["time"] = pd.to_datetime(
        [f"20{text[4:]}-{MONTHS[text[:3]]:02d}-01" for text in lab["start"]]
    )
    return lab.melt(
        id_vars=["batch", "code", "time"],
        value_vars=[spec.test for spec in TABLETS],
        var_name="test",
    )


@pytest.fixture(scope="module")
def reviewed(tablets: pd.DataFrame) -> ResultsReview:
    return review_results(tablets, TABLETS, columns={"product": "code"})


def test_tablets_are_reviewed_in_one_call(
    tablets: pd.DataFrame, reviewed: ResultsReview
) -> None:
    table = reviewed.table
    assert len(table) == tablets.groupby(["code", "test"]).ngroups
    assert table["n"].sum() == len(tablets)
    # counted by hand: yields that round below 95.0
    low = tablets.query("test == 'batch_yield' and value < 94.95")
    assert table["n_oos"].sum() == len(low) == 5
    failed = [f for f in reviewed.findings if f.rule == "oos"]
    assert [f.value for f in failed] == low["value"].round(1).tolist()
    # the paper: all results of release are within their limits
    assert table.loc[table["test"] != "batch_yield", "n_oos"].sum() == 0


def test_rows_are_those_of_single_studies(
    tablets: pd.DataFrame, reviewed: ResultsReview
) -> None:
    rows = tablets.query("code == 15 and test == 'dissolution_min'")
    x = rows.sort_values("time", kind="stable")["value"].to_numpy(float)
    row = reviewed.table.query("product == 15 and test == 'dissolution_min'").iloc[0]
    alone, trend = capability(x, lsl=75.0), mann_kendall(x)
    assert (row["ppk"], row["cpk"]) == (alone.ppk, alone.cpk)
    assert (row["ppk_lower"], row["ppk_upper"]) == (
        alone.indices["ppk"].lower,
        alone.indices["ppk"].upper,
    )
    assert (row["tau"], row["trend_p"], row["slope"]) == (trend.tau, trend.p, trend.slope)
    # by the definition of Ppk for one limit
    assert row["ppk"] == pytest.approx((x.mean() - 75) / (3 * x.std(ddof=1)))


def test_trends_are_adjusted_for_their_number(reviewed: ResultsReview) -> None:
    table = reviewed.table
    adjusted = adjust_p(table["trend_p"].to_numpy(float), method="holm")
    assert np.allclose(table["trend_p_adjusted"], adjusted, equal_nan=True)
    found = [f for f in reviewed.findings if f.rule == "trend"]
    assert len(found) == int((adjusted < 0.05).sum())


def test_small_groups_say_why_there_is_no_study(reviewed: ResultsReview) -> None:
    row = reviewed.table.query("product == 8 and test == 'dissolution_av'").iloc[0]
    assert row["why_not"] == "2 results are fewer than 10"
    assert np.isnan(row["ppk"])
    infos = [f for f in reviewed.findings if f.rule == "not_studied"]
    assert "8 / dissolution_av" in {f.subject for f in infos}


def test_keys_lead_to_the_studies(reviewed: ResultsReview) -> None:
    assert reviewed.capabilities[(15, "dissolution_av")].n_values == 64
    assert reviewed.trends[(15, "dissolution_av")].n == 64
    assert "15 / dissolution_av" in reviewed.to_dict()["capabilities"]
    assert "dissolution_av" in reviewed._repr_html_()
    assert len(reviewed.to_frame()) == len(reviewed.table)


def test_the_picture_has_a_line_a_study(reviewed: ResultsReview) -> None:
    ax = reviewed.plot()
    labels = [text.get_text() for text in ax.get_yticklabels()]
    assert len(labels) == int(reviewed.table["ppk"].notna().sum())
    assert "15, dissolution_av" in labels


def test_the_same_table_goes_into_the_search_for_trends(tablets: pd.DataFrame) -> None:
    one = tablets.query("code == 1 and test == 'dissolution_av'")
    one = one.sort_values(["time", "batch"])
    old, new = one[:47], one[47:]
    found = check_oot(new, history=old, method="control_chart", alpha=0.0027, per="result")
    # by hand: mean of the history -+ 3 mean moving ranges / 1.128
    x = old["value"].to_numpy(float)
    wide = 3 * np.abs(np.diff(x)).mean() / 1.128379
    y = new["value"].to_numpy(float)
    outside = new["batch"][np.abs(y - x.mean()) > wide]
    assert set(found.signals["batch"]) == set(outside)


def small(values: Any, **columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"test": "x", "value": values, **columns})


def test_censored_and_missing_results_are_counted() -> None:
    values = ["<0.05", "ND", None, *[f"{v:.2f}" for v in np.linspace(0.06, 0.3, 10)]]
    found = review_results(small(values), Specification("x", "NMT 0.20"), censored="half")
    row = found.table.iloc[0]
    assert row[["n", "n_censored", "n_missing", "n_oos", "n_undecided"]].tolist() == [
        13,
        2,
        1,
        4,
        1,
    ]
    assert row["minimum"] == 0.025
    # ND has no reporting limit: it is no number
    assert found.capabilities[("x",)].n_values == 11


def test_time_orders_the_results() -> None:
    values = np.arange(12.0)
    time = np.arange(12)[::-1]
    found = review_results(small(values, time=time), Specification("x", "NMT 20", digits=1))
    assert found.table.loc[0, "tau"] == -1.0
    assert "fall with time" in next(f for f in found.findings if f.rule == "trend").message
    with pytest.raises(InputError, match="row 3 is empty"):
        review_results(
            small(values, time=[0, 1, 2, None, *range(8)]), Specification("x", "NMT 20")
        )


def test_tests_that_cannot_be_studied() -> None:
    limits = Specification("x", "NMT 20")
    constant = review_results(small([5.0] * 12), limits)
    assert constant.table.loc[0, "why_not"] == "all 12 results are 5"
    one = review_results(small([5.0]), limits)
    assert np.isnan(one.table.loc[0, "sd"])
    without = review_results(small(np.arange(12.0)), Specification("y", "NMT 20"))
    assert without.table.loc[0, "why_not"] == "it has no specification"
    assert review_results(small([None] * 3), limits).table.loc[0, "n_missing"] == 3


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"censored": "interval"}, "censored"),
        ({"least": 3}, "least"),
        ({"least_ppk": 0.0}, "least_ppk"),
        ({"alpha": 1.0}, "alpha"),
        ({"confidence": 0.0}, "confidence"),
        ({"adjustment": "sidak"}, "method"),
    ],
)
def test_bad_options_are_named(options: Any, match: str) -> None:
    with pytest.raises(InputError, match=match):
        review_results(small(np.arange(12.0)), Specification("x", "NMT 20"), **options)
