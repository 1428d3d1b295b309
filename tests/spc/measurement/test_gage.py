"""Gage studies against the reference manual, R and simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pharmaq.errors import InputError, InputTypeError
from pharmaq.spc import GageRR, gage_rr


@pytest.fixture(scope="module")
def aiag(spc_data) -> pd.DataFrame:
    return pd.read_csv(spc_data / "aiag_grr_10x3x3.csv").rename(columns={"y": "value"})


def simulate(
    rng: np.random.Generator,
    sd: tuple[float, float, float, float] = (1.0, 0.3, 0.2, 0.3),
    size: tuple[int, int, int] = (10, 3, 3),
) -> pd.DataFrame:
    """A crossed study with true sd of part, operator, interaction, repeatability."""
    p, o, r = size
    value = sd[0] * rng.normal(size=(p, 1, 1)) + sd[1] * rng.normal(size=(1, o, 1))
    value = value + sd[2] * rng.normal(size=(p, o, 1)) + sd[3] * rng.normal(size=size)
    index = pd.MultiIndex.from_product(
        [range(p), [f"op{j}" for j in range(o)], range(r)], names=["part", "operator", "trial"]
    )
    return pd.DataFrame({"value": value.ravel()}, index=index).reset_index()


# AIAG, Measurement Systems Analysis, 4th ed., tables III-B 7 to 9
def test_anova_matches_the_reference_manual(aiag: pd.DataFrame) -> None:
    study = gage_rr(aiag, confidence=0.90)
    full = study.anova_full.set_index("source")
    assert full.ss.to_list() == pytest.approx([88.3619, 3.1673, 0.3590, 2.7589], abs=6e-5)
    assert full.ms.to_list() == pytest.approx([9.81799, 1.58363, 0.01994, 0.04598], abs=6e-6)
    assert full.f["part:operator"] == pytest.approx(0.434, abs=6e-4)
    # the manual divides by MS of repeatability, also beside an interaction
    assert full.ms["operator"] / full.ms["repeatability"] == pytest.approx(34.44, abs=6e-3)
    assert full.ms["part"] / full.ms["repeatability"] == pytest.approx(213.52, abs=6e-3)
    assert study.pooled
    rows = study.components.set_index("source")
    names = ["repeatability", "operator", "part"]
    printed = [0.039973, 0.051455, 1.086446]
    # 1.0864466 is printed cut, not rounded
    assert rows.variance[names].to_list() == pytest.approx(printed, abs=1e-6)
    names = ["repeatability", "operator", "gage_rr", "part", "total"]
    printed = [0.199933, 0.226838, 0.302373, 1.042327, 1.085]
    assert rows.sd[names].to_list() == pytest.approx(printed, abs=5e-4)
    assert study.ndc == 4
    # 90 % limits of EV, and the upper one of GRR, as printed
    limits = np.sqrt(rows.loc[["repeatability", "gage_rr"], ["lower", "upper"]].to_numpy())
    assert limits[0] == pytest.approx([0.177, 0.231], abs=6e-4)
    assert limits[1, 1] == pytest.approx(1.033, abs=6e-4)


# the same data, two-way table with interaction, F against the interaction (Minitab)
def test_f_divides_by_the_mean_square_that_the_table_names(aiag: pd.DataFrame) -> None:
    study = gage_rr(aiag)
    full, reduced = (t.set_index("source") for t in (study.anova_full, study.anova))
    assert full.f[["part", "operator"]].to_list() == pytest.approx([492.291, 79.406], abs=6e-4)
    assert list(full.denominator) == ["part:operator", "part:operator", "repeatability", ""]
    found = reduced.f[["part", "operator"]].to_list()
    assert found == pytest.approx([245.614, 39.617], abs=6e-4)
    assert list(reduced.denominator) == ["repeatability", "repeatability", ""]


# AIAG, table III-B 6a: K factors and results of the average and range method
def test_ranges_match_the_reference_manual(aiag: pd.DataFrame) -> None:
    study = gage_rr(aiag, method="range")
    printed = {"K1": 0.5908, "K2": 0.5231, "K3": 0.3146}
    assert study.constants == pytest.approx(printed, abs=6e-5)
    rows = study.components.set_index("source")
    names = ["repeatability", "operator", "gage_rr", "part", "total"]
    # the manual rounds means, ranges and K on the way
    printed_sd = [0.20188, 0.22963, 0.30575, 1.10456, 1.14610]
    assert rows.sd[names].to_list() == pytest.approx(printed_sd, abs=1.1e-4)
    printed_share = [17.62, 20.04, 26.68, 96.38]
    assert rows.percent_study[names[:4]].to_list() == pytest.approx(printed_share, abs=0.011)
    assert study.ndc == 5
    assert rows[["lower", "upper"]].isna().all(axis=None)


# R 4.2.2, SixSigma 0.11.1, ss.rr
@pytest.mark.parametrize(
    ("name", "file", "columns", "tolerance"),
    [
        (
            "gage_rotor_time1_interaction_lsl0.7_usl1.8",
            "rotor",
            "prototype operator time1",
            1.1,
        ),
        ("gage_battery", "battery", "battery voltmeter voltage", 0.2),
    ],
)
def test_anova_matches_r(shared, r_results, name, file, columns, tolerance) -> None:
    frame = pd.read_csv(shared / "data" / "quality" / f"gage_rr_{file}.csv")
    part, operator, value = columns.split()
    study = gage_rr(
        frame,
        part=part,
        operator=operator,
        value=value,
        pooling_alpha=0.05,
        tolerance=tolerance,
    )
    expected = r_results[name]
    for table, key in ((study.anova_full, "anova"), (study.anova, "anova_red")):
        rows = table[["df", "ss", "ms", "f", "p"]].to_numpy()
        printed = np.array(expected[key][: len(rows)], dtype=float)
        np.testing.assert_allclose(rows, printed, rtol=1e-9)
    rows = study.components.set_index("source")
    names = ["gage_rr", "repeatability", "reproducibility", "operator", "part", "total"]
    for row, variance, spread in zip(
        names, expected["varComp"], expected["studyVar"], strict=True
    ):
        found = rows.loc[row]
        assert found.variance == pytest.approx(variance["VarComp"], rel=1e-9)
        assert found.percent_contribution == pytest.approx(variance["%Contrib"], abs=0.0051)
        assert found.sd == pytest.approx(spread["StdDev"], rel=1e-9)
        assert found.study_variation == pytest.approx(spread["StudyVar"], rel=1e-9)
        assert found.percent_study == pytest.approx(spread["%StudyVar"], abs=0.0051)
        assert found.percent_tolerance == pytest.approx(spread["%Tolerance"], abs=0.0051)
    # that program never prints fewer than one category
    assert max(study.ndc, 1) == expected["ncat"]


# J. Lawson, Design and Analysis of Experiments with R, chapter 5: gagerr
def test_an_interaction_that_is_kept_has_a_component_and_a_finding(shared, r_results) -> None:
    frame = pd.read_csv(shared / "data" / "doe" / "daewr_gagerr.csv")
    study = gage_rr(frame, operator="oper", value="y")
    printed = r_results["gage_daewr_anova"]
    np.testing.assert_allclose(study.anova.ss, printed["SS"], rtol=1e-10)
    np.testing.assert_allclose(study.anova.ms, printed["MS"], rtol=1e-10)
    assert not study.pooled
    assert study.truncated == ("operator",)
    assert {f.rule for f in study.findings} >= {"gage_interaction", "gage_negative_component"}
    # (MS of interaction - MS of residuals) / 2 of that table
    both = (printed["MS"][2] - printed["MS"][3]) / 2
    assert study.component("part:operator").variance == pytest.approx(both, rel=1e-9)
    assert study.component("operator").variance == 0


def test_the_level_decides_on_pooling(aiag: pd.DataFrame) -> None:
    assert not gage_rr(aiag, pooling_alpha=None).pooled
    assert not gage_rr(aiag, pooling_alpha=0.98).pooled
    assert gage_rr(aiag, pooling_alpha=0.05).pooled


def test_nested_sums_equal_a_loop() -> None:
    frame = simulate(np.random.default_rng(2), size=(4, 3, 2))
    study = gage_rr(frame, design="nested")
    grand = frame.value.mean()
    operators = frame.groupby("operator").value
    cells = frame.groupby(["operator", "part"]).value
    loop = [
        sum(len(g) * (g.mean() - grand) ** 2 for _, g in operators),
        sum(len(g) * (g.mean() - operators.mean()[key[0]]) ** 2 for key, g in cells),
        sum(((g - g.mean()) ** 2).sum() for _, g in cells),
    ]
    assert study.anova.ss.to_list() == pytest.approx(loop, rel=1e-10)
    assert list(study.anova.df) == [2, 9, 12]
    assert (study.n_parts, study.n_operators, study.n_replicates) == (4, 3, 2)


def test_labels_of_nested_parts_may_repeat_or_not() -> None:
    frame = simulate(np.random.default_rng(2), size=(4, 3, 2))
    named = frame.assign(part=frame.part.astype(str) + frame.operator)
    a, b = (gage_rr(f, design="nested").components for f in (frame, named))
    pd.testing.assert_frame_equal(a, b)


@settings(max_examples=15)
@given(shift=st.floats(-1e3, 1e3), scale=st.floats(0.01, 100), seed=st.integers(0, 50))
def test_shares_do_not_change_with_units(shift: float, scale: float, seed: int) -> None:
    frame = simulate(np.random.default_rng(seed), size=(5, 2, 2))
    a = gage_rr(frame)
    b = gage_rr(frame.assign(value=shift + scale * frame.value))
    pairs = zip(a.components.percent_study, b.components.percent_study, strict=True)
    assert all(x == pytest.approx(y, rel=1e-6, abs=1e-3) for x, y in pairs)
    np.testing.assert_allclose(
        b.components.upper, a.components.upper * scale**2, rtol=1e-5, atol=1e-9 * scale**2
    )


@settings(max_examples=15)
@given(seed=st.integers(0, 200))
def test_order_of_rows_does_not_matter_and_sums_hold(seed: int) -> None:
    frame = simulate(np.random.default_rng(seed), size=(4, 3, 2))
    study = gage_rr(frame)
    mixed = gage_rr(frame.sample(frac=1, random_state=seed))
    assert mixed.component("gage_rr").sd == pytest.approx(study.component("gage_rr").sd)
    rows = study.components.set_index("source")
    parts = rows.variance[["repeatability", "reproducibility", "part"]].sum()
    assert parts == pytest.approx(rows.variance["total"])
    assert (rows.lower <= rows.upper).all()
    assert (study.ratios.lower <= study.ratios.upper).all()


def coverage(sd, size, n_studies: int) -> pd.Series:
    """Share of studies whose 90 % limits hold the true variance, by component."""
    rng = np.random.default_rng(7)
    part, operator, both, error = (value**2 for value in sd)
    truth = {
        "gage_rr": operator + both + error,
        "repeatability": error,
        "reproducibility": operator + both,
        "part": part,
        "total": part + operator + both + error,
    }
    hits = dict.fromkeys([*truth, "percent_study"], 0)
    share = 100 * np.sqrt(truth["gage_rr"] / truth["total"])
    for _ in range(n_studies):
        study = gage_rr(simulate(rng, sd, size), confidence=0.90, pooling_alpha=None)
        rows = study.components.set_index("source")
        for name, value in truth.items():
            hits[name] += rows.lower[name] <= value <= rows.upper[name]
        low, high = study.ratios[["lower", "upper"]].iloc[0]
        hits["percent_study"] += low <= share <= high
    return pd.Series(hits) / n_studies


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sd", "size"),
    [((1.0, 0.3, 0.2, 0.3), (10, 3, 3)), ((1.0, 0.5, 0.5, 0.2), (5, 3, 2))],
)
def test_limits_cover_at_least_what_they_promise(sd, size) -> None:
    found = coverage(sd, size, 400)
    # three standard errors of 400 studies; the method is on the safe side
    assert (found >= 0.90 - 3 * np.sqrt(0.9 * 0.1 / 400)).all(), found


def test_findings_follow_the_guideline(aiag: pd.DataFrame) -> None:
    rules = {f.rule: f for f in gage_rr(aiag, tolerance=5.0).findings}
    assert rules["gage_percent_study"].severity == "alert"
    assert rules["gage_percent_tolerance"].severity == "action"
    assert rules["gage_categories"].value == pytest.approx(4.86, abs=0.005)
    good = aiag.assign(value=aiag.value + 20 * (aiag.part % 5))
    assert not gage_rr(good).findings


def test_result_is_plain_and_complete(aiag: pd.DataFrame) -> None:
    study = gage_rr(aiag, study_multiplier=5.15)
    assert isinstance(study, GageRR)
    assert study.to_dict()["components"][0]["source"] == "gage_rr"
    row = study.component("part")
    assert row.study_variation == pytest.approx(5.15 * row.sd)
    assert np.isnan(row.percent_tolerance)
    with pytest.raises(InputError, match="source must be one of"):
        study.component("operators")


FULL = simulate(np.random.default_rng(0), size=(3, 2, 2))


@pytest.mark.parametrize(
    ("frame", "options", "match"),
    [
        (FULL.drop(columns="part"), {}, "column 'part' is not in the frame"),
        (FULL.replace({"operator": "op1"}, "op0"), {}, "operator must have at least 2"),
        (FULL[FULL.part == 0], {}, "part must have at least 2"),
        (FULL.assign(value=1.0), {}, "12 equal values"),
        (FULL.assign(value=FULL.value.mask(FULL.index == 3)), {}, "row 3 .* is nan"),
        (FULL.assign(part=FULL.part.mask(FULL.index == 5)), {}, "row 5 .* is missing"),
        (FULL.iloc[1:], {}, "must be balanced: part 0 by operator 'op0' has 1"),
        (FULL.iloc[2:], {}, "part 0 by operator 'op0' has no measurement"),
        (FULL[FULL.trial == 0], {}, "at least twice by each operator"),
        (FULL, {"method": "xbar"}, "method must be one of"),
        (FULL, {"design": "mixed"}, "design must be one of"),
        (FULL, {"method": "range", "design": "nested"}, 'needs design="crossed"'),
        (FULL, {"pooling_alpha": 1.5}, "pooling_alpha must lie in"),
        (FULL, {"tolerance": -1.0}, "tolerance must lie in"),
        (FULL, {"confidence": 95}, "confidence must lie in"),
        (FULL, {"operator": "part"}, "a column of its own"),
        (FULL.iloc[1:], {"design": "nested"}, "must be balanced: operators have"),
        (FULL[FULL.trial == 0], {"design": "nested"}, "two measurements, got 3 and 1"),
        (FULL.assign(value=FULL.part.astype(float)), {}, "the gage shows no variation"),
        (pd.concat([FULL, FULL.value], axis=1), {}, "is in the frame 2 times"),
    ],
)
def test_bad_input_is_named(frame, options, match: str) -> None:
    with pytest.raises(InputError, match=match):
        gage_rr(frame, **options)


def test_an_array_is_no_frame() -> None:
    with pytest.raises(InputTypeError, match="must be a pandas DataFrame"):
        gage_rr(FULL.to_numpy())
