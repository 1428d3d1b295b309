"""Labels of control charts, as drawn, do not cover each other."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

from pharmaq.spc import ControlChart, individuals_chart

if TYPE_CHECKING:
    from collections.abc import Iterator

RNG = np.random.default_rng(1)
QUIET = RNG.normal(10, 0.8, 20)
HIGH = [16.0, 15.9, 9.5, 15.2]


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    plt.close("all")


def boxes(ax: Any, names: set[str]) -> dict[str, Any]:
    ax.figure.canvas.draw()
    return {t.get_text(): t.get_window_extent() for t in ax.texts if t.get_text() in names}


def meeting(ax: Any, names: set[str]) -> list[tuple[str, str]]:
    found = boxes(ax, names)
    assert set(found) == names
    return [
        (one, other)
        for one, other in itertools.combinations(found, 2)
        if found[one].overlaps(found[other])
    ]


def chart_of(values: Any = QUIET, **options: Any) -> ControlChart:
    return individuals_chart(values, center=10, sigma=0.8, **options)


def test_phase_2_stands_above_the_signals_behind_its_border() -> None:
    ax = chart_of().extend(HIGH).plot()
    assert meeting(ax, {"phase 2", "21", "22", "24"}) == []
    below = ax.figure.axes[1]
    assert meeting(below, {"phase 2", "21", "23", "24"}) == []


def test_names_of_stages_stand_above_signals() -> None:
    stages = ["before"] * 20 + ["after"] * 4
    ax = chart_of([16.0, *QUIET[1:], *HIGH], stages=stages).plot()
    assert meeting(ax, {"before", "after", "1", "21", "22", "24"}) == []


@pytest.mark.parametrize("place", [0, 19], ids=["first", "last"])
@pytest.mark.parametrize("shift", [-0.3, 0.0, 0.3])
def test_target_gives_way_to_a_signal(place: int, shift: float) -> None:
    values = QUIET.copy()
    values[place] = 15.5
    ax = chart_of(values, target=15.7 + shift, usl=19).plot()
    assert meeting(ax, {str(place + 1), f"Target {15.7 + shift:g}", "USL 19"}) == []


def test_target_and_specification_close_to_each_other_stand_apart() -> None:
    ax = chart_of(target=15.0, usl=15.1, lsl=3).plot()
    assert meeting(ax, {"Target 15", "USL 15.1", "LSL 3"}) == []


def test_target_stays_at_the_left_where_nothing_is_in_its_way() -> None:
    ax = chart_of(target=14.0).plot()
    box = boxes(ax, {"Target 14"})["Target 14"]
    assert ax.bbox.x0 <= box.x0 < ax.bbox.x0 + 0.02 * ax.bbox.width
    line = ax.transData.transform((1, 14.0))[1]
    assert line <= box.y0 < line + 10


def test_no_room_is_made_where_none_is_needed() -> None:
    plain = chart_of().extend([10.0, 10.1]).plot().get_ylim()
    again = chart_of(np.append(QUIET, [10.0, 10.1])).plot().get_ylim()
    assert plain == again


def test_names_of_rules_stay_below_phase_2() -> None:
    chart = chart_of().extend([16.0, 15.9])
    ax = chart.plot(rules="nelson")
    ax.figure.canvas.draw()
    head = next(t for t in ax.texts if t.get_text() == "phase 2").get_window_extent()
    for text in ax.texts:
        if text.get_text().startswith("1") and "\n" not in text.get_text():
            assert not text.get_window_extent().overlaps(head)


def test_small_given_axes_keep_the_labels_apart() -> None:
    _, ax = plt.subplots(figsize=(4, 2.2))
    chart_of(target=12.0).extend([10.1, 16.0]).plot(ax=ax)
    assert meeting(ax, {"phase 2", "22", "Target 12"}) == []
