"""Pictures of gage studies and of tests of data show what the results hold."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from pharmaq import spc


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    mpl.use("Agg")
    yield
    plt.close("all")


def legend(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


RNG = np.random.default_rng(1)
STUDY = pd.DataFrame(
    [
        (p, o, 2.0 * p + 0.3 * (o == "B") + 0.2 * RNG.normal())
        for p in range(6)
        for o in "AB"
        for _ in range(2)
    ],
    columns=["part", "operator", "value"],
)


def test_the_panel_has_six_pictures_of_one_study() -> None:
    study = spc.gage_rr(STUDY, tolerance=10)
    axes = study.plot_panel().axes
    assert len(axes) == 6
    assert legend(axes[0]) == ["contribution", "study variation", "tolerance"]
    assert legend(axes[5]) == ["A", "B"]
    # every measurement is drawn over its part
    drawn = axes[1].collections[0].get_offsets()
    assert sorted(drawn[:, 1]) == pytest.approx(sorted(STUDY.value))
    means = np.concatenate([line.get_ydata() for line in axes[5].lines])
    assert sorted(means) == pytest.approx(sorted(study.cells["mean"]))


def test_bars_are_the_components() -> None:
    study = spc.gage_rr(STUDY)
    ax = study.plot()
    heights = [bar.get_height() for bar in ax.patches]
    rows = study.components.set_index("source")
    names = ["gage_rr", "repeatability", "reproducibility", "part"]
    assert heights[:4] == pytest.approx(rows.percent_contribution[names].to_list())
    assert heights[4:] == pytest.approx(rows.percent_study[names].to_list())
    assert ax.get_title(loc="right") == f"ndc = {study.ndc}"


def test_a_nested_panel_says_that_it_has_no_interaction() -> None:
    axes = spc.gage_rr(STUDY, design="nested").plot_panel(figure=plt.figure()).axes
    assert "nested" in axes[5].texts[0].get_text()
    assert len(axes[1].get_xticks()) == 12


def test_limits_of_the_range_chart_are_those_of_the_result() -> None:
    study = spc.gage_rr(STUDY)
    ax = study.plot_panel().axes[2]
    levels = {
        float(line.get_ydata()[0]) for line in ax.lines if len(set(line.get_ydata())) == 1
    }
    assert levels >= set(study.chart_limits["range"])


def test_gage_pictures_draw_their_results() -> None:
    type1 = spc.gage_type1(10 + 0.1 * RNG.normal(size=30), reference=10, tolerance=3)
    assert any(np.array_equal(line.get_ydata(), type1.values) for line in type1.plot().lines)
    reference = np.repeat([1.0, 2.0, 3.0], 4)
    frame = pd.DataFrame({"reference": reference, "value": reference + RNG.normal(size=12)})
    line = spc.gage_linearity(frame)
    assert "95 % band of the mean" in legend(line.plot())
    rows = [(p, o, p % 2, p % 2) for p in range(8) for o in "AB" for _ in range(2)]
    rated = pd.DataFrame(rows, columns=["part", "operator", "value", "standard"])
    agreement = spc.attribute_agreement(rated, standard="standard")
    assert legend(agreement.plot()) == ["with itself", "with the standard"]


def test_probability_plot_shows_every_value() -> None:
    result = spc.anderson_darling(RNG.normal(size=15))
    ax = result.plot()
    np.testing.assert_allclose(ax.collections[0].get_offsets()[:, 0], result.values)
    assert ax.get_title(loc="left").startswith("A² = ")


def test_outliers_are_marked_with_their_position() -> None:
    values = [*RNG.normal(size=12), 9.0]
    ax = spc.grubbs(values).plot()
    assert [text.get_text() for text in ax.texts] == ["12"]
    bounds = spc.hampel(values).plot()
    assert "median ± 3 scales" in legend(bounds)
    assert spc.grubbs(values[:12]).plot().get_legend() is None


def test_trend_and_change_show_their_levels() -> None:
    values = np.arange(12.0) + RNG.normal(size=12)
    trend = spc.mann_kendall(values)
    slopes = [
        np.diff(line.get_ydata())[0] / np.diff(line.get_xdata())[0]
        for line in trend.plot().lines
    ]
    assert slopes == pytest.approx([trend.slope, trend.slope_lower, trend.slope_upper])
    jump = RNG.normal(size=14) + 4 * (np.arange(14) >= 6)
    change = spc.change_point(jump, n_draws=99, random_state=0)
    ax = change.plot()
    assert len(ax.patches) == len(change.confidence_set)
    assert ax.get_title(loc="left").startswith("change after 6 values")


def test_comparisons_show_their_numbers() -> None:
    before, after = RNG.normal(size=9), RNG.normal(size=8)
    ax = spc.compare_before_after(before, after).plot()
    assert [tick.get_text() for tick in ax.get_xticklabels()] == [
        "before (n = 9)",
        "after (n = 8)",
    ]
    test = spc.equivalence(before, after, margins=(-3.0, 3.0))
    ax = test.plot(ax=plt.subplots()[1])
    assert list(ax.lines[-1].get_xdata()) == [test.lower, test.upper]


def test_pareto_draws_bars_and_the_cumulative_share() -> None:
    found = spc.pareto({"a very long cause of trouble": 5, "another long cause": 3, "short": 1})
    ax = found.plot()
    assert [bar.get_height() for bar in ax.patches] == [5, 3, 1]
    np.testing.assert_allclose(ax.lines[0].get_ydata(), found.cumulative * 9)


def test_components_are_drawn_with_limits() -> None:
    result = spc.variance_components(STUDY, ["part", "operator"])
    ax = result.plot()
    assert [bar.get_width() for bar in ax.patches] == pytest.approx(result.table.sd.to_list())
