"""Results out of trend against derived numbers, slow twins and other parts of the library."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import naive_oot
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pharmaq.errors import InputError, InputTypeError
from pharmaq.spc import (
    check_oot,
    individuals_chart,
    oot_power,
    prediction_interval,
    tolerance_interval,
)

MONTHS = [0.0, 3, 6, 9, 12, 18, 24, 36]
PUBLISHED = {"batch": "Batch", "time": "Month", "value": "Potency"}


def study(names: str, seed: int = 0, **change: Any) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = [
        (name, t, 100 + level - 0.1 * t + 0.3 * rng.standard_normal())
        for name, level in zip(names, rng.standard_normal(len(names)), strict=True)
        for t in MONTHS
    ]
    return pd.DataFrame(rows, columns=["batch", "time", "value"]).assign(**change)


# batch b8 of LeBlond et al. (2011) against five others; limits by R's predict and statsmodels
def test_regression_chart_has_the_limits_of_the_pooled_line(
    shared: Path, spc_data: Path
) -> None:
    del shared
    data = pd.read_csv(spc_data / "stability_exp1.csv")
    old, new = data[data["Batch"] != "b8"], data[data["Batch"] == "b8"]
    check = check_oot(new, history=old, basis="pooled", per="result", **PUBLISHED)
    lower = [98.026517659409, 97.487758761541, 96.940617167106] + 2 * [95.820823487368]
    upper = [104.679158016267, 104.095754751972, 103.520734184245] + 2 * [102.396203539659]
    assert check.table["lower"].tolist() == pytest.approx(lower, abs=1e-8)
    assert check.table["upper"].tolist() == pytest.approx(upper, abs=1e-8)
    assert (len(check.signals), check.n_judged, check.alpha_result) == (0, 5, 0.05)


@pytest.mark.parametrize("basis", ["pooled", "own", "parallel"])
def test_limits_of_lines_equal_slow_twins(basis: Any) -> None:
    old, new = study("ABCDE"), study("XY", seed=5)
    table = check_oot(new, history=old, basis=basis, per="result", alpha=0.02).table
    judged = table[table["reason"] == ""]
    assert len(judged) == 2 * {"pooled": 8, "own": 5, "parallel": 7}[basis]
    for row in judged.itertuples():
        batch = new[new["batch"] == row.batch]
        twin = {
            "pooled": lambda t: naive_oot.pooled(old, t, 0.02),
            "own": lambda t, batch=batch: naive_oot.own(batch, t, 0.02),
            "parallel": lambda t, batch=batch: naive_oot.parallel(old, batch, t, 0.02),
        }[basis]
        assert (row.lower, row.upper) == pytest.approx(twin(row.time), abs=1e-9)


def test_random_lines_have_centre_and_variance_of_the_twin() -> None:
    old, new = study("ABCDE"), study("X", seed=5)
    check = check_oot(new, history=old, basis="random", per="result")
    for row in check.table.itertuples():
        center, variance = naive_oot.random(old, row.time)
        assert row.center == pytest.approx(center)
        # degrees of freedom lie between those of batches and those of all results
        half = row.upper - row.center
        low, high = (stats.t.isf(0.025, dof) for dof in (5 - 1 + 30, 1))
        assert low - 1e-9 <= half / math.sqrt(variance) <= high


def test_time_points_and_slopes_equal_slow_twins() -> None:
    old, new = study("ABCDE"), study("X", seed=5)
    table = check_oot(new, history=old, method="time_point", per="result").table
    for row in table.itertuples():
        there = prediction_interval(old.loc[old["time"] == row.time, "value"])
        assert (row.lower, row.upper) == pytest.approx((there.lower, there.upper))
    table = check_oot(new, history=old, method="slope", per="result").table
    assert table["reason"].tolist()[0] == "first results of the batch"
    for row in table.iloc[1:].itertuples():
        past = list(naive_oot.slopes(old, row.time).values())
        there = prediction_interval(past)
        assert row.statistic == pytest.approx(naive_oot.slopes(new, row.time)["X"])
        assert (row.lower, row.upper) == pytest.approx((there.lower, there.upper))


def test_tolerance_limits_are_those_of_the_values() -> None:
    old, new = study("ABCDEFG"), study("X", seed=5)
    check = check_oot(
        new, history=old, method="time_point", interval="tolerance", per="result", alpha=0.1
    )
    for row in check.table.itertuples():
        there = tolerance_interval(
            old.loc[old["time"] == row.time, "value"], coverage=0.9, confidence=0.95
        )
        assert (row.lower, row.upper) == pytest.approx((there.lower, there.upper))


def test_tolerance_limits_of_lines_go_beyond_the_history() -> None:
    old, new = study("ABCDEFG"), study("X", seed=5)
    far = new.assign(time=new["time"] + 200)
    wide = {"history": old, "interval": "tolerance", "per": "result"}
    for basis in ("pooled", "random"):
        near = check_oot(new, basis=basis, **wide).table
        beyond = check_oot(far, basis=basis, **wide).table
        width = beyond["upper"] - beyond["lower"]
        assert (width.to_numpy() >= (near["upper"] - near["lower"]).to_numpy()).all()


def test_ewma_follows_the_scores_of_the_regression_chart() -> None:
    old, new = study("ABCDE"), study("XY", seed=5)
    level = check_oot(new, history=old, per="result").table
    found = check_oot(new, history=old, method="ewma", weight=0.3, per="result").table
    for name in ("X", "Y"):
        rows = (found["batch"] == name) & (found["reason"] == "")
        half = (level["upper"] - level["center"])[rows]
        t = (level["value"] - level["center"])[rows] / half * stats.t.isf(0.025, 40 - 6)
        z = stats.norm.ppf(stats.t.cdf(t, 40 - 6))
        assert found["statistic"][rows].tolist() == pytest.approx(naive_oot.ewma(list(z), 0.3))
    last = found["upper"].iloc[-1]
    assert last == pytest.approx(1.959964 * math.sqrt(0.3 / 1.7 * (1 - 0.7**14)))


@given(st.floats(-20, 20), st.floats(0.1, 5), st.sampled_from(["parallel", "own", "random"]))
def test_limits_follow_shift_and_scale(shift: float, scale: float, basis: Any) -> None:
    old, new = study("ABCDE"), study("XY", seed=5)
    before = check_oot(new, history=old, basis=basis).table
    moved = [f.assign(value=shift + scale * f["value"]) for f in (new, old)]
    after = check_oot(moved[0], history=moved[1], basis=basis).table
    expected = (shift + scale * before["lower"]).to_numpy()
    assert after["lower"].to_numpy() == pytest.approx(expected, rel=1e-6, nan_ok=True)
    assert after["signal"].tolist() == before["signal"].tolist()


@pytest.mark.parametrize("method", ["regression", "time_point", "slope", "ewma"])
def test_groups_and_order_of_rows_do_not_matter(method: Any) -> None:
    old = pd.concat([study("ABCD", product="P"), study("ABCD", seed=3, product="Q")])
    new = pd.concat([study("X", seed=5, product="P"), study("X", seed=6, product="Q")])
    both = check_oot(new.reset_index(drop=True), history=old, method=method, by="product")
    alone = [
        check_oot(new[new["product"] == p], history=old[old["product"] == p], method=method)
        for p in "PQ"
    ]
    limits = pd.concat([one.table["lower"] for one in alone]).to_numpy()
    assert both.table["lower"].to_numpy() == pytest.approx(limits, nan_ok=True)
    mixed = new.reset_index(drop=True).sample(frac=1, random_state=1)
    again = check_oot(
        mixed, history=old.sample(frac=1, random_state=2), method=method, by="product"
    )
    assert again.table.index.tolist() == mixed.index.tolist()
    lower = again.table["lower"].sort_index().to_numpy()
    assert lower == pytest.approx(limits, rel=1e-9, nan_ok=True)


def test_others_hold_each_batch_against_the_rest() -> None:
    data = study("ABCD")
    found = check_oot(data, history="others", basis="pooled").table
    rest = data[data["batch"] != "C"]
    one = check_oot(data[data["batch"] == "C"], history=rest, basis="pooled").table
    assert found.loc[one.index, "lower"].tolist() == pytest.approx(one["lower"].tolist())


def test_a_wrong_result_is_found_and_named() -> None:
    old, new = study("ABCDE"), study("X", seed=5)
    new.loc[4, "value"] -= 3
    check = check_oot(new, history=old)
    assert check.signals["time"].tolist() == [12.0]
    (finding,) = check.findings
    assert (finding.rule, finding.severity, finding.subject) == ("oot_regression", "alert", "X")
    assert "at 12 is below the limit" in finding.message
    up = check_oot(new, history=old, side="upper")
    assert 12.0 not in set(up.signals["time"])
    assert up.table["lower"].iloc[1] == -math.inf
    assert check_oot(new, history=old, side="lower", method="ewma").table["upper"].iloc[-1] > 9


def test_risk_is_shared_by_the_results_judged() -> None:
    old, new = study("ABCDE"), study("XY", seed=5)
    per = {word: check_oot(new, history=old, per=word) for word in ("result", "batch", "table")}
    assert per["result"].alpha_result == 0.05
    assert per["batch"].alpha_result == pytest.approx(1 - 0.95 ** (1 / 7))
    assert per["table"].alpha_result == pytest.approx(1 - 0.95 ** (1 / 14))
    assert per["batch"].expected_false_alarms == pytest.approx(14 * (1 - 0.95 ** (1 / 7)))
    assert (per["batch"].n_judged, per["batch"].n_unjudged) == (14, 2)
    planned = check_oot(new, history=old, planned=10)
    assert planned.alpha_result == pytest.approx(1 - 0.95**0.1)


def test_what_cannot_be_judged_is_marked() -> None:
    old, new = study("A"), study("X", seed=5)
    random = check_oot(new, history=old, basis="random")
    assert set(random.table["reason"]) == {"too little history"}
    assert not random.signals.size
    late = new.assign(time=new["time"] + 1)
    point = check_oot(late, history=study("ABC"), method="time_point")
    assert set(point.table["reason"]) == {"too little history at this time"}
    for basis in ("pooled", "parallel"):
        few = check_oot(new, history=old.iloc[:2], basis=basis)
        assert few.n_judged == 0
    level = old.assign(time=0.0)
    assert check_oot(new, history=level, basis="parallel").n_judged == 0
    starts = study("ABC")
    once = pd.concat([starts, study("D").iloc[:1]])
    twice = pd.concat([once, study("D").iloc[:1]])
    assert check_oot(new, history=twice, basis="random").n_judged == 0


# the chart of single values and intervals of the library, each with its own references
def test_release_limits_equal_chart_and_intervals() -> None:
    rng = np.random.default_rng(2)
    old = pd.DataFrame({"test": list("pq") * 20, "value": rng.standard_normal(40)})
    new = pd.DataFrame({"test": ["p", "q"], "value": [4.0, 0.1]}, index=["L1", "L2"])
    for test in "pq":
        values = old.loc[old["test"] == test, "value"].to_numpy()
        row = {"method": "control_chart", "by": "test"}
        table = check_oot(new, history=old, **row).table.set_index("test")
        chart = individuals_chart(values)
        assert table.loc[test, ["lower", "upper"]].tolist() == pytest.approx(
            [chart.lower, chart.upper]
        )
        found = check_oot(new, history=old, method="historical", by="test", per="result")
        there = prediction_interval(values)
        row = found.table.set_index("test").loc[test]
        assert (row["lower"], row["upper"]) == pytest.approx((there.lower, there.upper))
    check = check_oot(new, history=old, method="control_chart", by="test")
    assert [(f.subject, f.rule) for f in check.findings] == [("p L1", "oot_control_chart")]
    assert math.isnan(check.alpha_result)


def test_capability_limits_keep_the_index() -> None:
    old = pd.DataFrame({"value": [99.0, 100, 101, 100, 99, 101]})
    new = pd.DataFrame({"value": [97.0, 100.0, 103.5]})
    s = old["value"].std()
    check = check_oot(new, history=old, method="capability", lsl=95, usl=105, index=1.33)
    assert check.table["lower"].iloc[0] == pytest.approx(95 + 3.99 * s)
    assert check.table["signal"].tolist() == [True, False, True]
    one = check_oot(new, history=old, method="capability", lsl=95, index=1.33)
    assert one.table["upper"].tolist() == [math.inf] * 3
    upper = check_oot(
        new, history=old, method="capability", lsl=95, usl=105, index=1.33, side="upper"
    )
    assert upper.table["signal"].tolist() == [False, False, True]


def test_history_of_release_is_in_order_of_time_or_the_results_themselves() -> None:
    values = [1.0, 2.0, 1.5, 3.0, 2.2, 1.1]
    frame = pd.DataFrame({"time": pd.date_range("2025-01-01", periods=6), "value": values})
    same = check_oot(frame, history="same", method="control_chart")
    mixed = check_oot(frame, history=frame.iloc[::-1], method="control_chart")
    assert mixed.table["lower"].tolist() == pytest.approx(same.table["lower"].tolist())
    assert same.history.empty
    alone = check_oot(frame, history=frame.iloc[:1], method="historical")
    assert set(alone.table["reason"]) == {"too little history"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "cusum"}, "method must be one of"),
        ({"history": "same"}, "history must be a DataFrame or 'others'"),
        ({"history": None}, "history must be"),
        ({"method": "capability"}, "needs lsl or usl"),
        ({"interval": "tolerance"}, "interval"),
        ({"alpha": 0.0}, "alpha"),
        ({"planned": 0}, "planned"),
        ({"time": "month"}, "'month' is not in the frame"),
        ({"by": "product"}, "'product' is not in the frame"),
    ],
)
def test_bad_options_are_named(options: dict, message: str) -> None:
    given = {"history": study("ABC"), **options}
    with pytest.raises(InputError, match=message):
        check_oot(study("X"), **given)


def test_bad_data_are_named() -> None:
    old, new = study("ABC"), study("X")
    with pytest.raises(InputError, match=r"batch 'A' is in results and history"):
        check_oot(old[old["batch"] == "A"], history=old)
    with pytest.raises(InputError, match="value"):
        check_oot(new.assign(value=math.nan), history=old)
    with pytest.raises(InputError, match="must not be negative"):
        check_oot(new.assign(time=-1.0), history=old)
    with pytest.raises(InputTypeError, match="results must be a pandas DataFrame"):
        check_oot(new["value"], history=old)
    # the same name in another group is another batch
    p, q = old.assign(product="P"), old[old["batch"] == "A"].assign(product="Q")
    check_oot(q, history=p, by="product")


def test_pictures_show_limits_and_signals() -> None:
    old, new = study("ABCDE"), study("XY", seed=5)
    new.loc[4, "value"] -= 3
    check = check_oot(new, history=old, units="%")
    ax = check.plot()
    labels = ax.get_legend_handles_labels()[1]
    assert labels == ["history, 5 batches", "X", "limits", "Y", "out of trend"]
    assert ax.collections[-1].get_offsets()[0].tolist() == [12.0, new.loc[4, "value"]]
    slope = check_oot(new, history=old, method="slope").plot()
    assert slope.get_ylabel() == "slope"
    two = check_oot(new.assign(p="P"), history=old.assign(p="P"), by="p")
    assert two.plot().get_title(loc="left").startswith("P: regression")
    both = pd.concat([new.assign(p="P"), new.assign(p="Q")])
    many = check_oot(both, history=old.assign(p="P"), by="p")
    with pytest.raises(InputError, match=r"group must be one of 'P', 'Q'; got None"):
        many.plot()
    assert many.plot(group="Q").get_title(loc="left").startswith("Q")
    release = check_oot(old, history="same", method="control_chart")
    assert release.plot().get_xlabel() == "result"
    assert len(check.plot(ax=ax).figure.axes) == 1
    quiet = check_oot(old, history="others", alpha=1e-9)
    assert "out of trend" not in quiet.plot().get_legend_handles_labels()[1]
    empty = check_oot(old.iloc[:0], history=old)
    assert (empty.n_judged, len(empty.findings)) == (0, 0)
    assert check.to_dict()["conventions"]["basis"] == "parallel"
    assert "center" in check.to_frame()


def test_power_is_what_simulation_of_single_checks_finds() -> None:
    found = oot_power(MONTHS, n_history=4, n_simulations=300, random_state=1, sigma_level=1.0)
    table = found.table.set_index("method")
    # a pooled line mistakes levels of batches for errors; its own level does not
    assert table.loc["regression, parallel", "false_alarm"] < 0.09
    assert table.loc["ewma, pooled", "false_alarm"] > 0.15
    assert table.loc["regression, parallel", "single"] > 0.5
    assert (table["error"] <= 0.5 / math.sqrt(300) + 1e-12).all()
    rng = np.random.default_rng(7)
    alarms = 0
    for _ in range(200):
        y = rng.standard_normal((5, 1)) + rng.standard_normal((5, 8))
        frame = pd.DataFrame(
            {
                "batch": np.repeat(list("ABCDX"), 8),
                "time": MONTHS * 5,
                "value": y.ravel(),
            }
        )
        new = frame["batch"] == "X"
        check = check_oot(frame[new], history=frame[~new], planned=8)
        alarms += bool(check.signals.size)
    difference = alarms / 200 - table.loc["regression, parallel", "false_alarm"]
    assert abs(difference) < 4 * math.sqrt(0.05 * (1 / 200 + 1 / 300))


def test_power_draws_and_refuses() -> None:
    found = oot_power(
        [0, 3, 6],
        n_history=2,
        methods=["time point", "regression, random"],
        n_simulations=5,
        random_state=0,
        interval="tolerance",
        shift_at=1,
    )
    assert found.table["false_alarm"].isna().tolist() == [False, True]
    assert found.to_frame().equals(found.table)
    ax = found.plot()
    assert [t.get_text() for t in ax.get_yticklabels()] == ["time point", "regression, random"]
    with pytest.raises(InputError, match="time must rise"):
        oot_power([0, 3, 3], n_history=3)
    with pytest.raises(InputError, match="shift_at"):
        oot_power([0, 3, 6], n_history=3, shift_at=3)
    with pytest.raises(InputError, match="methods"):
        oot_power([0, 3, 6], n_history=3, methods=["cusum"])
