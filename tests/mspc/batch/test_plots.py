"""Pictures of batches show what the result holds."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba

from naive_batches import dataset, simulate
from pharmaq import _style
from pharmaq.errors import InputError
from pharmaq.mspc import BatchLimits, BatchMonitor, BatchScores

PHASE = ("time", ["heat"] * 4 + ["hold"] * 6)


@pytest.fixture(autouse=True)
def _closed() -> Any:
    yield
    plt.close("all")


def scored(size: float = 6.0, **options: Any) -> BatchScores:
    limits = BatchLimits(values="training")
    monitor = BatchMonitor(2, limits=limits, **options)
    monitor.fit(dataset(simulate(20, 10, 4), phase=PHASE))
    values = simulate(3, 10, 4, seed=5)
    values[1, 6:, 2] += size
    return monitor.score(dataset(values))


def lines(ax: Any) -> dict[str, Any]:
    return {line.get_label(): line for line in ax.get_lines()}


@pytest.mark.parametrize("statistic", ["t2", "spe", "spe_cumulative", "spe_hindsight"])
def test_trajectory_has_limits_and_the_worst_batch_in_focus(statistic: Any) -> None:
    result = scored()
    ax = result.plot(statistic=statistic, batch="B01")
    drawn = lines(ax)
    np.testing.assert_array_equal(drawn["batch B01"].get_ydata(), getattr(result, statistic)[1])
    for label, limit in zip(
        ("95 %", "99 %"), getattr(result, f"{statistic}_limit"), strict=True
    ):
        np.testing.assert_array_equal(drawn[f"{label} limit"].get_ydata(), limit)
    assert len(ax.get_lines()) >= 5


def test_times_above_the_limit_are_marked() -> None:
    result = scored()
    ax = result.plot()
    marks = ax.collections[0]
    above = np.flatnonzero(result.spe[1] > result.spe_limit[-1])
    np.testing.assert_array_equal(marks.get_offsets()[:, 0], result.time[above])
    assert tuple(marks.get_facecolor()[0]) == to_rgba(_style.ACTION)


def test_far_values_do_not_hide_the_limits() -> None:
    assert scored(0.0).plot().get_yscale() == "linear"
    assert scored(60.0).plot().get_yscale() == "log"


def test_phases_are_named() -> None:
    ax = scored(phases="each").plot()
    assert [text.get_text() for text in ax.texts] == ["hold"]


@pytest.mark.parametrize("unfolding", ["batch", "variable"])
def test_ellipse_is_where_t2_of_two_scores_is_the_limit(unfolding: Any) -> None:
    from pharmaq.chemometrics import t2_limit

    result = scored(unfolding=unfolding)
    ax = result.plot(kind="scores")
    points = np.column_stack(lines(ax)["99 % of good batches"].get_data())
    apart = points - result.score_center[-1]
    inverse = np.linalg.inv(result.score_covariance[-1])
    t2 = np.einsum("na,ab,nb->n", apart, inverse, apart)
    np.testing.assert_allclose(t2, t2_limit(20, 2, alpha=0.01), rtol=1e-9)
    np.testing.assert_allclose(ax.collections[0].get_offsets(), result.scores[:, -1])
    assert {t.get_text() for t in ax.texts} == {"B00", "B01", "B02"}
    with pytest.raises(InputError, match="components"):
        result.plot(kind="scores", components=(1, 3))


def test_contributions_are_bars_of_the_largest_first() -> None:
    result = scored()
    ax = result.plot(kind="contributions", batch="B01")
    widths = [bar.get_width() for bar in ax.patches][::-1]
    frame = result.contributions("B01")
    np.testing.assert_allclose(widths, frame["contribution"])
    assert [t.get_text() for t in ax.get_yticklabels()][-1] == frame["variable"][0] == "v2"


def test_heat_maps_hold_variables_or_batches_by_time() -> None:
    result = scored()
    mesh = result.plot(kind="heat_map", batch="B01", statistic="t2").collections[0]
    np.testing.assert_allclose(mesh.get_array(), result.t2_contributions[1].T)
    ax = result.plot(kind="batches")
    expected = result.spe / result.spe_limit[-1]
    np.testing.assert_allclose(ax.collections[0].get_array(), expected)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["B00", "B01", "B02"]


def test_pictures_go_where_they_are_told() -> None:
    ax = plt.subplots()[1]
    assert scored().plot(ax=ax) is ax
    with pytest.raises(InputError, match="kind"):
        scored().plot(kind="pie")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="statistic"):
        scored().plot(kind="heat_map", statistic="spe_hindsight")
