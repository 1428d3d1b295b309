"""Type 1 study, bias and linearity against published numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pharmaq.errors import InputError
from pharmaq.spc import gage_bias, gage_linearity, gage_type1


# JASP, "verified with Minitab": reference -4, tolerance 15, share 20 %, 6 s
def test_type1_study_matches_published_output(spc_data) -> None:
    values = pd.read_csv(spc_data / "type1_gauge.csv")["dm"]
    study = gage_type1(values, reference=-4, tolerance=15)
    found = [study.cg, study.cgk, study.percent_repeatability, study.percent_repeatability_bias]
    # printed with two digits
    assert found == pytest.approx([1.19, 1.15, 16.8, 17.43], abs=6e-3)
    bias = study.bias
    found = [bias.mean, bias.sd, bias.bias]
    assert found == pytest.approx([-3.946, 0.420014577006512, 0.054], abs=1e-12)
    printed = [0.909105737620188, 0.367744349288335]
    assert [bias.t, bias.p] == pytest.approx(printed, rel=1e-11)
    printed = [-0.0653668220476197, 0.17336682204762]
    assert [bias.lower, bias.upper] == pytest.approx(printed, abs=1e-12)
    assert [f.rule for f in study.findings] == ["gage_cg", "gage_cgk"]


# AIAG, Measurement Systems Analysis, 4th ed., table III-B 3: summary of 100 measurements
def test_bias_matches_the_reference_manual() -> None:
    shape = stats.norm.ppf((np.arange(100) + 0.5) / 100)
    values = 6.021 + 0.2048 * shape / shape.std(ddof=1)
    study = gage_bias(values, reference=6.01)
    assert study.bias == pytest.approx(0.011, abs=1e-9)
    assert study.t == pytest.approx(0.5371, abs=6e-5)
    # the manual takes fewer degrees of freedom, from ranges
    assert [study.lower, study.upper] == pytest.approx([-0.0299, 0.0519], abs=4e-4)
    assert study.findings == ()


# AIAG, table III-B 4; 12 digits from JASP
def test_linearity_matches_the_reference_manual(spc_data) -> None:
    frame = pd.read_csv(spc_data / "aiag_linearity.csv")
    study = gage_linearity(frame, value="measurement")
    found = [study.slope, study.intercept, study.slope_error, study.intercept_error]
    found += [study.slope_t, study.intercept_t, study.r2, study.residual_sd]
    expected = [-0.131666666666667, 0.736666666666666, 0.0109334454718107, 0.0725242725916125]
    expected += [-12.0425594114992, 10.1575188601321, 0.714318415932242, 0.239539788646537]
    assert found == pytest.approx(expected, rel=1e-11)
    bias = [0.491666666666667, 0.125, 0.025, -0.291666666666667, -0.616666666666667]
    assert study.levels.bias.to_list() == pytest.approx(bias, abs=1e-12)
    assert {f.rule for f in study.findings} >= {"gage_linearity", "gage_band"}


def test_lack_of_fit_and_band_equal_those_of_statsmodels(spc_data) -> None:
    import statsmodels.formula.api as smf
    from statsmodels.stats.anova import anova_lm

    frame = pd.read_csv(spc_data / "aiag_linearity.csv")
    frame["bias"] = frame.measurement - frame.reference
    line = smf.ols("bias ~ reference", frame).fit()
    table = anova_lm(line, smf.ols("bias ~ C(reference)", frame).fit())
    study = gage_linearity(frame, value="measurement")
    assert study.lack_of_fit_f == pytest.approx(table.F.iloc[1], rel=1e-9)
    assert study.lack_of_fit_p == pytest.approx(table["Pr(>F)"].iloc[1], rel=1e-9)
    band = line.get_prediction(pd.DataFrame({"reference": [2.0, 10.0]})).summary_frame()
    ends = study.band.iloc[[0, -1]]
    np.testing.assert_allclose(ends.lower, band.mean_ci_lower, rtol=1e-9)
    np.testing.assert_allclose(ends.upper, band.mean_ci_upper, rtol=1e-9)


def test_a_gage_without_bias_has_no_finding() -> None:
    rng = np.random.default_rng(3)
    reference = np.repeat([1.0, 2.0, 3.0, 4.0], 10)
    value = reference + 0.01 * rng.normal(size=40)
    assert gage_linearity(pd.DataFrame({"reference": reference, "value": value})).findings == ()
    good = gage_type1(10 + 0.01 * rng.normal(size=50), reference=10, tolerance=1.0)
    assert good.findings == ()


def test_single_replicates_leave_their_columns_empty() -> None:
    frame = pd.DataFrame({"reference": [1.0, 2.0, 3.0], "value": [1.1, 2.0, 3.05]})
    study = gage_linearity(frame)
    assert np.isnan(study.lack_of_fit_f)
    assert study.levels.p.isna().all()


def test_limits_of_cg_cover_their_level() -> None:
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(1000):
        study = gage_type1(rng.normal(size=25), reference=0, tolerance=50, confidence=0.9)
        hits += study.cg_lower <= 0.2 * 50 / 6 <= study.cg_upper
    # three standard errors
    assert hits / 1000 == pytest.approx(0.9, abs=3 * 0.0095)


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ([1.0], "at least 2"),
        ([1.0, 1.0], "2 equal values"),
        ([1.0, np.nan], r"values\[1\] is NaN"),
    ],
)
def test_bad_values_are_named(values, match: str) -> None:
    with pytest.raises(InputError, match=match):
        gage_type1(values, reference=1.0, tolerance=1.0)


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ([(1, 1.0), (1, 1.1), (1, 1.2)], "at least 2 levels"),
        ([(1, 1.0), (2, 2.1)], "at least 3 levels"),
        ([(1, 1.5), (2, 2.5), (3, 3.5)], "3 equal values"),
    ],
)
def test_bad_linearity_studies_are_named(rows, match: str) -> None:
    with pytest.raises(InputError, match=match):
        gage_linearity(pd.DataFrame(rows, columns=["reference", "value"]))
