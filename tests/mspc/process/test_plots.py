"""Pictures of process scores draw what the result holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from simulated_process import process

from pharmaq.errors import InputError
from pharmaq.mspc import ProcessMonitor
from pharmaq.spc import ControlChart

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pharmaq.mspc import ProcessScores


@pytest.fixture(autouse=True)
def close() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture
def result() -> ProcessScores:
    index = pd.date_range("2026-01-01", periods=40, freq="1min")
    new = pd.DataFrame(process(40, seed=1), index=index, columns=list("abcdefgh"))
    new.iloc[30:, 3] += 5
    reference = pd.DataFrame(process(200), columns=list("abcdefgh"))
    return ProcessMonitor(2).fit(reference).score(new)


@pytest.mark.parametrize("name", ["t2", "spe", "combined"])
def test_charts_hold_the_statistic_and_its_limit(
    result: ProcessScores, name: str, tmp_path: Path
) -> None:
    chart: ControlChart = getattr(result, f"{name}_chart")()
    np.testing.assert_array_equal(chart.statistic, getattr(result, name))
    assert chart.upper == getattr(result, f"{name}_limit")
    assert set(chart.signals) == set(np.flatnonzero(chart.statistic > chart.upper))
    assert chart.labels[0] == np.datetime64("2026-01-01")
    chart.save(tmp_path / "chart.pqm")
    day = np.array(["2026-01-02"], dtype="datetime64[ns]")
    longer = ControlChart.load(tmp_path / "chart.pqm").extend([1e6], labels=day)
    assert longer.signals[-1] == 40
    refused = chart.violations("nelson").not_applied
    assert "nelson 2" in refused


def test_both_charts_are_drawn_below_each_other(result: ProcessScores) -> None:
    ax = result.plot()
    figure = ax.figure
    assert [one.get_ylabel() for one in figure.axes] == ["T²", "SPE"]
    assert result.plot(ax=plt.subplots()[1]).get_ylabel() == "T²"


def test_scores_are_drawn_with_the_ellipse(result: ProcessScores) -> None:
    ax = result.plot_scores()
    drawn = np.vstack([points.get_offsets() for points in ax.collections])
    assert len(drawn) == 40
    ellipse = next(line for line in ax.get_lines() if len(line.get_xdata()) == 200)
    x, y = np.asarray(ellipse.get_xdata()), np.asarray(ellipse.get_ydata())
    s = result.score_variances
    np.testing.assert_allclose(x**2 / s[0] + y**2 / s[1], result.ellipse_limit)
    with pytest.raises(InputError, match="two different"):
        result.plot_scores(components=(1, 1))
    with pytest.raises(InputError, match="components must be"):
        result.plot_scores(components=(1, 3))


@pytest.mark.parametrize("statistic", ["t2", "spe", "combined"])
def test_contributions_are_drawn_as_bars(result: ProcessScores, statistic: Any) -> None:
    ax = result.plot_contributions("2026-01-01 00:35", statistic=statistic, top=5)
    widths = [bar.get_width() for bar in ax.patches]
    table = result.contributions("2026-01-01 00:35", statistic=statistic, top=5)
    assert widths == table["contribution"].tolist()
    assert "2026-01-01 00:35:00" in ax.get_title(loc="left")
    assert "3 smaller ones" in ax.get_xlabel()
    given = plt.subplots()[1]
    assert result.plot_contributions(statistic=statistic, ax=given) is given


def test_the_choice_of_components_is_drawn_with_its_threshold() -> None:
    choice = ProcessMonitor(cv=None).fit(process(100)).component_choice_
    ax = choice.plot()
    drawn = [np.asarray(line.get_ydata()).tolist() for line in ax.get_lines()]
    assert choice.values.tolist() in drawn
    assert choice.threshold.tolist() in drawn
    assert "chosen: 2" in [text.get_text() for text in ax.get_legend().get_texts()]
    by_errors = ProcessMonitor("cross-validation", cv=5).fit(process(100)).component_choice_
    assert len(by_errors.plot().get_lines()) == 2
    with pytest.raises(InputError, match="was given"):
        ProcessMonitor(2, cv=None).fit(process(100)).component_choice_.plot()


def test_an_update_is_drawn_over_its_limits() -> None:
    rows = process(30, 1)
    rows[20:] += 5
    update = ProcessMonitor(2, cv=None).fit(process(100)).update(rows)
    ax = update.plot()
    drawn = [np.asarray(line.get_ydata()).tolist() for line in ax.get_lines()]
    assert (update.spe / update.spe_limit).tolist() in drawn
    marked = sum(len(points.get_offsets()) for points in ax.collections)
    above = (update.t2 > update.t2_limit).sum() + (update.spe > update.spe_limit).sum()
    assert marked == above
    assert ax.get_title(loc="left") == f"{(~update.learned).sum()} of 30 rows not learned"


def test_rows_without_a_time_are_named_by_number() -> None:
    result = ProcessMonitor(2).fit(process(100)).score(process(5, 1))
    assert result.plot_contributions(3).get_title(loc="left").startswith("row 3: SPE")
