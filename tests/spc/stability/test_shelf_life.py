"""Shelf life against published examples, statsmodels and what must hold for all data."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive_stability import anova, bound, crossing, fit
from scipy import stats

from pharmaq.errors import InputError, InputTypeError
from pharmaq.spc import ShelfLife, extrapolation_limit, shelf_life

LEBLOND = {"batch": "Batch", "time": "Month"}
MONTHS = [0.0, 3, 6, 9, 12, 18]


@pytest.fixture(scope="module")
def potency(shared: Path) -> pd.DataFrame:
    return pd.read_csv(shared / "cases/spc_mspc/data/stability_exp1.csv")


def study(
    slopes: tuple[float, ...] = (-0.15, -0.16, -0.14),
    starts: tuple[float, ...] = (100.0, 100.2, 99.9),
    error: float = 0.2,
    seed: int = 1,
) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "batch": np.repeat([f"B{i}" for i in range(len(slopes))], len(MONTHS)),
            "time": MONTHS * len(slopes),
            "value": np.concatenate(
                [
                    a + b * np.array(MONTHS) + error * rng.standard_normal(len(MONTHS))
                    for a, b in zip(starts, slopes, strict=True)
                ]
            ),
        }
    )


def leblond(potency: pd.DataFrame, names: list[str], **options: Any) -> ShelfLife:
    rows = potency[potency["Batch"].isin(names)]
    return shelf_life(rows, **LEBLOND, value="Potency", lsl=95, **options)


# LeBlond, Griffith, Aubuchon, J. Valid. Technol. 17 (2011) 47; F as R's anova of the full
# model; times in R's expirest, whose search is off by up to 3e-5
@pytest.mark.parametrize(
    ("names", "model", "f_intercept", "f_slope", "times"),
    [
        (
            ["b2", "b5", "b7"],
            "common",
            0.435993484727,
            0.228684731019,
            [25.99576, 24.56688, 23.47038, 23.14804],
        ),
        (
            ["b3", "b4", "b5"],
            "common_slope",
            21.7380213596,
            0.183108926252,
            [28.98575, 23.39727, 22.31124, 23.11597],
        ),
        (
            ["b4", "b5", "b8"],
            "separate",
            72.1242158003,
            1.9554194432,
            [27.92498, 22.26672, 15.60610, 15.84487],
        ),
    ],
)
def test_shelf_life_matches_leblond(
    potency: pd.DataFrame,
    names: list[str],
    model: str,
    f_intercept: float,
    f_slope: float,
    times: list[float],
) -> None:
    result = leblond(potency, names)
    assert result.model == model
    f = result.anova["f"]
    assert (f["batch"], f["batch x time"]) == pytest.approx((f_intercept, f_slope), rel=1e-9)
    assert result.alternatives["shelf_life"].tolist() == pytest.approx(times, abs=5e-5)


# JMP prints 15.844877978 for this study
def test_own_error_of_each_batch_matches_jmp(potency: pd.DataFrame) -> None:
    result = leblond(potency, ["b4", "b5", "b8"], mse="individual")
    assert result.shelf_life == pytest.approx(15.844877978, abs=5e-10)
    assert (result.worst_batch, result.limiting, result.months) == ("b8", "lsl", 15)


# LeBlond et al.: 26.22, and 15.72 or 15.96 months, where 94.95 rounds to the limit of 95.0
def test_rounded_limit_matches_leblond(potency: pd.DataFrame) -> None:
    pooled = leblond(potency, ["b2", "b5", "b7"], decimals=1)
    assert round(pooled.shelf_life, 2) == 26.22
    assert round(leblond(potency, ["b4", "b5", "b8"], decimals=1).shelf_life, 2) == 15.72
    own = leblond(potency, ["b4", "b5", "b8"], decimals=1, mse="individual")
    assert round(own.shelf_life, 2) == 15.96


# LeBlond et al., moisture, two-sided bound at the lower limit; expirest 50.7665191694
def test_two_sided_bound_matches_leblond(shared: Path) -> None:
    moisture = pd.read_csv(shared / "cases/spc_mspc/data/stability_exp3.csv")
    result = shelf_life(moisture, **LEBLOND, value="Moisture", lsl=1.5, sides="two")
    assert result.model == "common"
    assert result.shelf_life == pytest.approx(50.7665191694, abs=5e-5)


# R's expirest on related substances with an upper limit
def test_upper_limit_matches_expirest(shared: Path, r_results: dict[str, Any]) -> None:
    related = pd.read_csv(shared / "data/quality/stability_exp2.csv")
    result = shelf_life(related, **LEBLOND, value="Related", usl=0.3)
    expected = list(r_results["stability_exp2_related_upper0.3"]["POI"].values())
    assert result.alternatives["shelf_life"].tolist() == pytest.approx(expected, abs=5e-5)
    assert (result.model, result.limiting) == ("separate", "usl")


@pytest.mark.parametrize("model", ["common", "common_slope", "separate"])
def test_lines_and_crossing_equal_statsmodels(model: Any) -> None:
    frame = study()
    result = shelf_life(frame, lsl=95, model=model)
    name = result.worst_batch or "B0"
    assert result.shelf_life == pytest.approx(crossing(frame, model, name, 95), abs=1e-8)
    fitted = fit(frame, model)
    row = result.curves[result.curves["batch"] == result.worst_batch].iloc[40]
    assert row["lower"] == pytest.approx(bound(fitted, name, row["time"])[0], abs=1e-9)
    slopes = anova(frame)
    names = {"time": "time", "batch": "C(batch)", "batch x time": "time:C(batch)"}
    for ours, theirs in names.items():
        assert result.anova.loc[ours, "ss"] == pytest.approx(slopes.loc[theirs, "sum_sq"])
        assert result.anova.loc[ours, "f"] == pytest.approx(slopes.loc[theirs, "F"])


def test_nested_denominator_tests_intercepts_against_the_common_slope() -> None:
    frame = study()
    result = shelf_life(frame, lsl=95, f_denominator="nested")
    common, slopes = fit(frame, "common"), fit(frame, "common_slope")
    f, p, _ = slopes.compare_f_test(common)
    assert result.anova.loc["batch", ["f", "p"]].tolist() == pytest.approx([f, p])


@given(
    st.floats(-50, 50),
    st.floats(0.1, 10),
    st.sampled_from(["common", "common_slope", "separate"]),
)
def test_shelf_life_follows_shift_and_scale(shift: float, scale: float, model: Any) -> None:
    frame = study()
    moved = frame.assign(value=shift + scale * frame["value"])
    before = shelf_life(frame, lsl=95, model=model)
    after = shelf_life(moved, lsl=shift + scale * 95, model=model)
    assert after.shelf_life == pytest.approx(before.shelf_life, rel=1e-6)
    mirrored = shelf_life(frame.assign(value=-frame["value"]), usl=-95, model=model)
    assert mirrored.shelf_life == pytest.approx(before.shelf_life, rel=1e-9)


@given(st.permutations(range(18)))
def test_order_of_rows_and_names_do_not_matter(order: list[int]) -> None:
    frame = study()
    one, two = (shelf_life(f, lsl=95, model="separate") for f in (frame, frame.iloc[order]))
    assert two.shelf_life == pytest.approx(one.shelf_life, rel=1e-10)
    assert two.worst_batch == one.worst_batch


def test_a_shelf_life_is_shorter_the_more_its_bound_asks() -> None:
    lives = [shelf_life(study(), lsl=95, bound=b) for b in ("mean", "prediction", "tolerance")]
    assert lives[0].shelf_life > lives[1].shelf_life > lives[2].shelf_life > 0
    two = shelf_life(study(), lsl=95, sides="two")
    assert two.shelf_life < lives[0].shelf_life
    assert "tolerance" in lives[2].conventions.values()


def test_tolerance_bound_equals_the_noncentral_t_of_scipy() -> None:
    frame = study()
    result = shelf_life(frame, lsl=95, bound="tolerance", model="common", coverage=0.9)
    fitted = fit(frame, "common")
    z = stats.norm.ppf(0.9)
    for row in result.curves.iloc[::5].itertuples():
        h = (1 / 18) + (row.time - 8) ** 2 / np.sum((frame["time"] - 8) ** 2)
        k = stats.nct.ppf(0.95, 16, z / math.sqrt(h)) * math.sqrt(h)
        mean = fitted.params["Intercept"] + fitted.params["time"] * row.time
        s = math.sqrt(fitted.mse_resid)
        assert row.lower == pytest.approx(mean - k * s, abs=1e-6)
        assert row.upper == pytest.approx(mean + k * s, abs=1e-6)


def test_first_order_loss_is_a_line_of_logarithms() -> None:
    frame = study()
    decay = frame.assign(value=100 * np.exp((frame["value"] - 100) / 100))
    straight = shelf_life(frame.assign(value=np.log(decay["value"])), lsl=math.log(95))
    log = shelf_life(decay, lsl=95, transform="log")
    assert log.shelf_life == pytest.approx(straight.shelf_life, rel=1e-12)
    assert log.curves["lower"].iloc[0] == pytest.approx(
        math.exp(straight.curves["lower"].iloc[0])
    )
    root = shelf_life(frame.assign(value=frame["value"] ** 2), lsl=95**2, transform="sqrt")
    assert root.shelf_life == pytest.approx(shelf_life(frame, lsl=95).shelf_life)


def test_replicates_count_or_are_averaged(potency: pd.DataFrame) -> None:
    each = leblond(potency, ["b2", "b5", "b7"])
    means = leblond(potency, ["b2", "b5", "b7"], replicates="mean")
    assert each.n_replicated == 12
    assert {"replicates"} <= {f.rule for f in each.findings}
    assert means.n_replicated == 0
    assert len(means.data) == len(each.data) - 12


@pytest.mark.parametrize(
    ("rule", "stand_in"), [("limit", 0.05), ("half", 0.025), ("zero", 0.0)]
)
def test_censored_results_enter_by_the_named_rule(rule: Any, stand_in: float) -> None:
    values = ["<0.05", "0.06", "0.08", "0.09", "0.12", "0.15"]
    frame = pd.DataFrame({"batch": "A", "time": MONTHS, "value": values})
    result = shelf_life(frame, usl=0.5, censored=rule)
    assert (result.n_censored, result.data["value"].iloc[0]) == (1, stand_in)
    assert "censored" in {f.rule for f in result.findings}
    for word in ("ND", "n.d.", "<LOQ"):
        other = frame.assign(value=[word, *values[1:]])
        with pytest.raises(InputError, match=r"names no limit in row 0"):
            shelf_life(other, usl=0.5, censored=rule)
    with pytest.raises(InputError, match=r"censored results.*'<0.05'"):
        shelf_life(frame, usl=0.5)


def test_results_out_of_specification_need_action() -> None:
    frame = study()
    frame.loc[3, "value"] = 94.2
    found = [f for f in shelf_life(frame, lsl=95).findings if f.rule == "specification"]
    assert [(f.severity, f.subject, f.value) for f in found] == [("action", "B0", 94.2)]


def test_what_the_reader_must_know_is_found() -> None:
    one = shelf_life(study().iloc[:6], lsl=95)
    assert one.steps[0] == "one batch: nothing to pool"
    assert {"few_batches", "extrapolated"} <= {f.rule for f in one.findings}
    rising = shelf_life(study((0.1, 0.1, 0.1)), lsl=95)
    assert (rising.shelf_life, rising.limiting, rising.worst_batch) == (math.inf, "", "")
    assert "unbounded" in {f.rule for f in rising.findings}
    late = shelf_life(study(starts=(95.0, 95.1, 94.9)), lsl=95)
    assert late.months == 0
    assert "no_shelf_life" in {f.rule for f in late.findings}
    early = shelf_life(study(starts=(96.5, 96.6, 96.4)), lsl=95)
    assert "within_data" in {f.rule for f in early.findings}


def test_proposal_keeps_to_what_may_be_extrapolated() -> None:
    result = shelf_life(study(), lsl=95, extrapolation=extrapolation_limit(12))
    assert result.shelf_life > 24
    assert result.proposed == 24
    assert result.steps[-1] == "extrapolation up to 24: evidence: statistical"
    assert "extrapolation" in {f.rule for f in result.findings}


def test_tolerance_bounds_may_never_meet_a_limit_or_be_beyond_it_at_once() -> None:
    rising = study((0.3, 0.3, 0.3), error=0.01)
    assert shelf_life(rising, lsl=90, bound="tolerance").shelf_life == math.inf
    late = study(starts=(95.0, 95.1, 94.9))
    assert shelf_life(late, lsl=95, bound="tolerance").shelf_life == 0


def test_exact_lines_have_no_error_to_judge_with() -> None:
    level = pd.DataFrame({"batch": list("AABBCC"), "time": [0, 6] * 3, "value": 100.0})
    more = pd.concat([level, level.assign(time=level["time"] + 3)])
    result = shelf_life(more, lsl=95)
    assert (result.model, result.shelf_life) == ("common", math.inf)
    assert "no_error" in {f.rule for f in result.findings}
    apart = more.assign(value=more["value"] + (more["batch"] == "B") * 1.0)
    assert shelf_life(apart, lsl=95).model == "common_slope"


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"value": math.nan}, {}, "value"),
        ({"time": -1.0}, {}, "time must not be negative"),
        ({"batch": None}, {}, "batch"),
        ({}, {"lsl": None}, "lsl or usl"),
        ({}, {"usl": 90.0}, "lsl must be below usl"),
        ({}, {"model": "pooled"}, "model must be one of"),
        ({}, {"confidence": 0.4}, "confidence"),
        ({}, {"decimals": -1}, "decimals"),
        ({}, {"value": "assay"}, "'assay' is not in the frame"),
        ({}, {"transform": "log", "lsl": -1.0}, "lsl must be positive"),
        ({"value": -1.0}, {"transform": "sqrt"}, "value must be not negative"),
    ],
)
def test_bad_input_is_named(change: dict, options: dict, message: str) -> None:
    frame = study()
    for column, content in change.items():
        frame.loc[2, column] = content
    with pytest.raises(InputError, match=message):
        shelf_life(frame, **{"lsl": 95.0, **options})


def test_a_limit_that_is_no_number_is_refused() -> None:
    with pytest.raises(InputTypeError, match="usl must be a real number"):
        shelf_life(study(), lsl=95, usl="105")  # type: ignore[arg-type]


def test_too_little_data_is_refused_with_a_way_out() -> None:
    frame = study()
    with pytest.raises(InputError, match="from one time"):
        shelf_life(frame[frame["time"] == 0], lsl=95)
    few = pd.concat([frame.iloc[:7], frame.iloc[12:]])
    with pytest.raises(InputError, match=r"batch 'B1' has results at one time only.*common"):
        shelf_life(few, lsl=95)
    assert shelf_life(few, lsl=95, model="common_slope").shelf_life > 0
    ends = frame[frame["time"].isin([0, 18])]
    with pytest.raises(InputError, match="no degree of freedom"):
        shelf_life(ends, lsl=95)
    with pytest.raises(InputError, match="no error of its own"):
        shelf_life(pd.concat([frame.iloc[:8]]), lsl=95, model="separate", mse="individual")
    with pytest.raises(InputError, match="at least 3 results"):
        shelf_life(ends.iloc[:2], lsl=95, model="common")
    with pytest.raises(InputError, match="holds no results"):
        shelf_life(frame.iloc[:0], lsl=95)
    with pytest.raises(InputError, match="time must be an array"):
        shelf_life([1.0, 2.0], lsl=0.5)


def test_result_can_be_read_kept_and_drawn() -> None:
    result = shelf_life(study(), lsl=95, usl=105, extrapolation=extrapolation_limit(12))
    assert result.to_frame()["batch"].tolist() == ["B0", "B1", "B2"]
    assert result.to_dict()["anova"][0]["source"] == "time"
    assert "slopes are not shown to differ" in result._repr_html_()
    ax = result.plot()
    texts = [t.get_text() for t in ax.texts]
    assert {"LSL 95", "USL 105", "end of data", "proposed 24"} <= set(texts)
    drawn = ax.collections[0].get_offsets()
    assert drawn[:, 1].tolist() == result.data["value"].tolist()[:6]
    separate = shelf_life(study((-0.1, -0.3, -0.2)), lsl=95)
    assert len(separate.plot().lines) == 6 + 3
    ax.figure.clear()


# ICH Q1E, appendix A
@pytest.mark.parametrize(
    ("options", "months"),
    [
        ({}, 24),
        ({"covered": 9}, 18),
        ({"evidence": "supporting"}, 18),
        ({"covered": 9, "evidence": "supporting"}, 13.5),
        ({"covered": 18}, 30),
        ({"storage": "refrigerated"}, 18),
        ({"storage": "refrigerated", "evidence": "supporting"}, 15),
        ({"storage": "refrigerated", "accelerated": "after_3_months"}, 12),
        ({"storage": "refrigerated", "accelerated": "within_3_months"}, 12),
        ({"storage": "frozen"}, 12),
        ({"accelerated": "after_3_months", "intermediate": "none"}, 18),
        (
            {
                "accelerated": "within_3_months",
                "intermediate": "none",
                "evidence": "supporting",
            },
            15,
        ),
        ({"accelerated": "after_3_months", "intermediate": "significant"}, 12),
        ({"accelerated": "after_3_months"}, 12),
    ],
)
def test_extrapolation_follows_the_tree(options: dict, months: float) -> None:
    options = {"covered": 12, **options}
    limit = extrapolation_limit(options.pop("covered"), **options)
    assert limit.months == months
    assert limit.to_frame()["answer"].iloc[-1] == f"up to {months:g} months"


def test_extrapolation_refuses_unknown_words() -> None:
    with pytest.raises(InputError, match="covered"):
        extrapolation_limit(0)
    with pytest.raises(InputError, match="storage"):
        extrapolation_limit(12, storage="desert")  # type: ignore[arg-type]
