"""Capability of each period, and the six pictures of a study."""

from __future__ import annotations

import json

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pharmaq.errors import InputError
from pharmaq.spc import capability, capability_by_stage, individuals_chart, xbar_r_chart

SPEC = {"lsl": -5.0, "usl": 6.0}


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def three_periods() -> tuple[np.ndarray, np.ndarray]:
    """Return 60 single values, the second twenty higher and wider."""
    x = np.random.default_rng(5).standard_normal(60)
    x[20:40] = 1.0 + 1.5 * x[20:40]
    return x, np.repeat(["before", "trial", "after"], 20)


def test_each_stage_is_the_study_of_its_values() -> None:
    x, stages = three_periods()
    found = capability_by_stage(x, stages, target=0.0, **SPEC)
    assert list(found.stages) == ["before", "trial", "after"]
    alone = capability(x[20:40], target=0.0, **SPEC)
    assert found.stages["trial"].to_dict() == alone.to_dict()
    row = found.to_frame().loc["trial"]
    assert (row["n"], row["cpk"], row["cpk_lower"]) == (
        20,
        alone.cpk,
        alone.indices["cpk"].lower,
    )
    assert row["sigma_short"] == alone.within.value
    assert row["ppm_within"] == alone.ppm["within"]["total"]


@pytest.mark.parametrize("stages_of", ["subgroups", "values"])
def test_subgroups_keep_their_stage(stages_of: str) -> None:
    x = np.random.default_rng(5).standard_normal((12, 3))
    stages = np.repeat([1, 2], 6 if stages_of == "subgroups" else 18)
    found = capability_by_stage(x, stages, variation="between_within", **SPEC)
    alone = capability(x[6:], variation="between_within", **SPEC)
    assert found.stages["2"].cpk == alone.cpk
    assert found.stages["2"].subgroup_labels.tolist() == [7, 8, 9, 10, 11, 12]
    assert found.to_frame().loc["2", "sigma_short"] == alone.between.sigma_total
    column = capability_by_stage(
        x.ravel(), stages, subgroups=3, variation="between_within", **SPEC
    )
    assert column.stages["2"].cpk == alone.cpk


def test_subgroups_of_different_size_are_rows_of_their_own() -> None:
    rows = [[1.0, 2.0], [2.0, 3.0, 4.0], [1.0, 2.5], [5.0, 6.0]]
    found = capability_by_stage(rows, ["a", "a", "b", "b"], lsl=-9)
    assert found.to_frame()["n"].tolist() == [5, 4]
    assert found.stages["a"].cpk == capability(rows[:2], lsl=-9).cpk


def test_findings_name_their_stage() -> None:
    x, stages = three_periods()
    x[45] = 40.0
    found = capability_by_stage(x, stages, **SPEC)
    assert not found.valid
    assert {one.subject for one in found.findings} == {"after"}
    assert found.to_frame().loc["before", "findings"] == ""
    assert json.dumps(found.to_dict())


def test_other_distributions_have_fewer_columns() -> None:
    x, stages = three_periods()
    found = capability_by_stage(np.exp(0.1 * x), stages, usl=2.5, distribution="lognormal")
    assert "sigma_short" not in found.to_frame()
    assert len(found.plot().collections) == 3


@given(st.integers(0, 2**32 - 1), st.integers(8, 22))
def test_cutting_does_not_change_what_is_in_a_stage(seed: int, border: int) -> None:
    x = np.random.default_rng(seed).standard_normal(30)
    stages = np.where(np.arange(30) < border, "a", "b")
    found = capability_by_stage(x, stages, **SPEC).to_frame()
    assert found["n"].tolist() == [border, 30 - border]
    assert found["mean"] @ found["n"] == pytest.approx(x.sum(), abs=1e-9)


def test_picture_of_stages_opens_marks_that_are_not_valid() -> None:
    x, stages = three_periods()
    x[45] = 40.0
    ax = capability_by_stage(x, stages, **SPEC).plot()
    assert [text.get_text() for text in ax.get_xticklabels()] == ["before", "trial", "after"]
    assert ax.get_title(loc="right") == "open: not valid"
    faces = [
        tuple(dots.get_facecolor()[0]) == tuple(dots.get_edgecolor()[0])
        for dots in ax.collections
        if len(dots.get_offsets()) == 1 and hasattr(dots, "get_sizes")
    ]
    assert faces == [True, True, False] * 2


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"stages": ["a", "b"] * 10}, "comes back after another"),
        ({"stages": ["a"] * 5}, "there are 20 points"),
        ({"stages": ["a"] * 19 + ["b"]}, "stage 'b': values must hold at least 2"),
        (
            {"values": [1.0] * 10 + [1.0, 2.0] * 5, "stages": list("aaaaabbbbb") * 2},
            "again|back",
        ),
        ({"values": [1.0] * 10 + [1.0, 2.0] * 5}, "stage 'a': values must vary"),
        ({"subgroups": 4}, "subgroup 3 lies in two"),
        ({"stages": ["a"] * 10 + [None] * 10}, r"stages\[10\] is missing"),
        ({"values": 7.0}, "values must be one-dimensional"),
        ({"values": [1.0, np.nan] * 10}, r"values\[1\] is NaN"),
        ({"lsl": 9.0}, "lsl must lie below usl"),
    ],
)
def test_bad_input_names_stage_and_argument(change, match: str) -> None:
    arguments = {
        "values": np.random.default_rng(1).standard_normal(20),
        "stages": ["a"] * 10 + ["b"] * 10,
        **SPEC,
    } | change
    with pytest.raises(InputError, match=match):
        capability_by_stage(arguments.pop("values"), arguments.pop("stages"), **arguments)


def titles(figure) -> list[str]:
    return [ax.get_title(loc="left") for ax in figure.axes]


def test_sixpack_of_single_values_shows_what_the_study_holds() -> None:
    x, _ = three_periods()
    found = capability(x, target=0.0, units="mg", **SPEC)
    figure = found.plot_sixpack()
    chart, histogram, spread, plot, last, summary = figure.axes
    limits = individuals_chart(x)
    drawn = {round(float(line.get_data().values[-1]), 9) for line in chart.patches}
    assert {round(v, 9) for v in (limits.lower, limits.upper)} <= drawn
    assert titles(figure)[2] == "Moving range"
    assert titles(figure)[4] == "Last 25 values"
    np.testing.assert_array_equal(last.collections[0].get_offsets()[:, 1], x[-25:])
    assert {-5.0, 6.0, 0.0} <= {line.get_xdata()[0] for line in histogram.lines}
    np.testing.assert_allclose(plot.collections[1].get_offsets()[:, 0], np.sort(x))
    bars = summary.lines[0].get_xdata()
    np.testing.assert_allclose(bars, found.mean + 3 * found.within.value * np.array([-1, 1]))
    text = " ".join(one.get_text() for one in summary.texts)
    assert f"Cpk {found.cpk:.2f}" in text
    assert spread.get_ylabel() == "mg"


def test_sixpack_curves_are_the_densities_of_both_fits() -> None:
    x, _ = three_periods()
    found = capability(x, **SPEC)
    short, overall = found.plot_sixpack().axes[1].lines[:2]
    z = short.get_xdata()
    np.testing.assert_allclose(
        short.get_ydata(), stats.norm(found.mean, found.within.value).pdf(z), atol=1e-12
    )
    # by differences of the distribution function
    np.testing.assert_allclose(
        overall.get_ydata(), stats.norm(found.mean, found.sd).pdf(z), atol=2e-4
    )


def test_sixpack_band_holds_ordered_values_of_the_fit() -> None:
    x, _ = three_periods()
    found = capability(x, **SPEC)
    band = found.plot_sixpack().axes[3].collections[0].get_paths()[0].vertices
    fit = stats.norm(found.mean, found.sd)
    i = np.arange(1, 61)
    lowest = fit.ppf(stats.beta.ppf(0.025, i, 61 - i))
    assert band[:, 0].min() == pytest.approx(lowest[0])
    assert np.isin(np.round(lowest, 9), np.round(band[:, 0], 9)).all()


@pytest.mark.parametrize(("size", "title"), [(5, "Range"), (9, "Standard deviation")])
def test_sixpack_of_subgroups_has_ranges_or_standard_deviations(size: int, title: str) -> None:
    x = np.random.default_rng(3).standard_normal((30, size))
    figure = capability(x, **SPEC).plot_sixpack()
    assert titles(figure)[2].startswith(title)
    assert titles(figure)[4] == "Last 25 subgroups"
    assert figure.axes[4].collections[0].get_offsets()[0, 0] == 6
    if size == 5:
        limits = xbar_r_chart(x)
        drawn = {round(float(one.get_data().values[-1]), 9) for one in figure.axes[0].patches}
        assert round(limits.upper, 9) in drawn


def test_sixpack_between_and_within_has_three_charts() -> None:
    x = np.random.default_rng(3).standard_normal((20, 3))
    x += np.random.default_rng(4).standard_normal((20, 1))
    figure = capability(x, variation="between_within", **SPEC).plot_sixpack()
    assert titles(figure)[::2] == [
        "Batch means",
        "Moving range of batch means",
        "Spread within batches",
    ]
    assert "A² of means" in titles(figure)[3]


def test_sixpack_of_another_distribution_has_its_limits_and_no_short_term() -> None:
    x = np.random.default_rng(3).weibull(1.6, 80) * 10
    found = capability(x, usl=45.0, distribution="weibull")
    figure = found.plot_sixpack(figure=plt.figure())
    assert "Weibull" in titles(figure)[0]
    assert "weibull" in titles(figure)[3]
    names = [text.get_text() for text in figure.axes[5].get_yticklabels()]
    assert names == ["overall", "specification"]
    assert figure.axes[5].lines[0].get_xdata()[1] == pytest.approx(found.fit.at_score(3.0))


def test_sixpack_says_why_a_study_is_not_valid() -> None:
    x = pd.Series(np.repeat([1.0, 4.0], 10) + np.random.default_rng(1).standard_normal(20))
    figure = capability(x, lsl=-9).plot_sixpack()
    assert "not valid: stability, shift" in figure.get_suptitle()
    few = capability([1.0, 2.0, 1.5, 1.7], lsl=0).plot_sixpack()
    assert titles(few)[3] == "Probability plot, normal"
