"""Run rules on control charts."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pharmaq.errors import InputError, InputTypeError
from pharmaq.spc import (
    NELSON,
    ControlChart,
    Rule,
    c_chart,
    cusum_chart,
    ewma_chart,
    find_violations,
    g_chart,
    individuals_chart,
    p_chart,
    run_rules,
    t_chart,
    u_chart,
    xbar_r_chart,
    xbar_s_chart,
)

if TYPE_CHECKING:
    from pathlib import Path

values = arrays(float, 40, elements=st.integers(-14, 14).map(lambda k: k / 4))


# Nelson, J. Qual. Technol. 16 (1984) 237; Western Electric, Statistical Quality Control
# Handbook, 1956: the vectors of the tests of R's qcc
def test_charts_signal_where_the_definitions_say(spc_data: Path) -> None:
    cases = json.loads((spc_data / "run_rules_deterministic.json").read_text())
    assert len(cases) == 13
    for key, case in cases.items():
        rules = "western electric" if key.startswith("WE") else "nelson"
        number = int("".join(c for c in key if c.isdigit()))
        found = individuals_chart(case["z"], center=0, sigma=1).violations(rules=rules)
        assert (found.of(f"{rules} {number}") + 1).tolist() == case["signal_points_1based"], key


# qcc on Montgomery's piston rings: points 37 to 39 beyond limits, a run of seven ends at 40
def test_piston_rings_of_phase_2_have_the_run_of_qcc(pistonrings: np.ndarray) -> None:
    chart = xbar_r_chart(pistonrings[:25]).extend(pistonrings[25:])
    found = chart.violations(rules=run_rules("aiag", subset=(1, 2)))
    assert (found.of("aiag 1") + 1).tolist() == [37, 38, 39]
    assert (found.of("aiag 2") + 1).tolist() == [40]
    run = found[len(found) - 1]
    assert [point + 1 for point in run.points] == list(range(34, 41))
    assert (run.side, run.label) == ("above", 40)


# Montgomery, example 6.1: no sign that the process is out of control
def test_flow_width_has_no_violations(spc_data: Path) -> None:
    frame = pd.read_csv(spc_data / "hardbake_flow_width.csv")
    chart = xbar_r_chart(frame["width"], subgroups=frame["subgroup"])
    assert len(chart.violations(rules="nelson")) == 0
    assert len(chart.companion.violations(rules="nelson")) == 0


@given(values)
def test_a_standardised_chart_equals_its_points(z: np.ndarray) -> None:
    found = individuals_chart(z, center=0, sigma=1).violations()
    expected = find_violations(z)
    for name in ("rule_numbers", "positions", "first", "sides", "z"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


@given(values, st.integers(1, 39))
def test_stages_are_judged_apart(z: np.ndarray, cut: int) -> None:
    stages = np.where(np.arange(40) < cut, "old", "new")
    found = individuals_chart(z, center=0, sigma=1, stages=stages).violations()
    parts = [individuals_chart(part, center=0, sigma=1) for part in np.split(z, [cut])]
    expected = [part.violations().positions for part in parts]
    assert found.positions.tolist() == [*expected[0], *(cut + expected[1])]
    assert found.n_segments == 2


@given(values)
def test_limits_of_the_chart_are_those_of_its_signals(x: np.ndarray) -> None:
    chart = individuals_chart(x, center=0, sigma=1, n_sigma=2.5)
    np.testing.assert_array_equal(chart.violations().of("nelson 1"), chart.signals)


def test_each_point_has_zones_of_its_own() -> None:
    sizes = [100, 400, 100, 400]
    # .13 is 1 standard deviation above .1 where 100 are inspected, and 2 where 400 are
    chart = p_chart([14, 53, 14, 53], sizes, center=0.1)
    found = chart.violations(rules=["nelson 5"])
    assert found.positions.tolist() == [3]
    assert found.z.tolist() == pytest.approx([(53 / 400 - 0.1) / np.sqrt(0.09 / 400)])


def test_no_run_crosses_an_excluded_point_which_is_judged_itself() -> None:
    x = [1.0] * 5 + [9.0] + [1.0] * 8
    found = individuals_chart(x, center=0, sigma=1, exclude={5: "spill"}).violations()
    assert found.to_frame()[["position", "rule"]].to_numpy().tolist() == [[5, "nelson 1"]]
    assert (found.n_gaps, found.n_segments) == (1, 2)
    whole = individuals_chart(x, center=0, sigma=1).violations()
    assert whole.of("nelson 2").tolist() == [8, 9, 10, 11, 12, 13]


def test_runs_go_on_into_phase_2() -> None:
    chart = individuals_chart([0.5] * 5 + [-0.5], center=0, sigma=1, labels=list("abcdef"))
    later = individuals_chart([-0.5, 0.5], center=0, sigma=1).extend([0.5] * 8)
    assert len(chart.violations()) == 0
    violation = next(iter(later.violations()))
    assert violation.points == tuple(range(1, 10))
    assert violation.label == 10


def test_violations_carry_labels_and_words() -> None:
    chart = individuals_chart([0.0, 3.5], center=0, sigma=1, labels=["B1", "B2"])
    (finding,) = chart.violations().findings
    assert finding.subject == "point B2"
    assert finding.message == "1 point beyond a control limit, above (nelson 1)"
    assert (finding.value, finding.severity) == (3.5, "action")


X = np.random.default_rng(2).normal(10, 1, 30)
LIMIT_ONLY = {
    "moving range": lambda: individuals_chart(X).companion,
    "range": lambda: xbar_r_chart(X, subgroups=5).companion,
    "s": lambda: xbar_s_chart(X, subgroups=5).companion,
    "ewma": lambda: ewma_chart(X),
    "cusum": lambda: cusum_chart(X),
    "g": lambda: g_chart([3, 5, 1, 8, 2]),
    "exponential times": lambda: t_chart([3.0, 5.0, 1.0, 8.0], limits="exponential"),
}


@pytest.mark.parametrize("kind", LIMIT_ONLY)
def test_rules_without_a_meaning_are_named_with_the_reason(kind: str) -> None:
    chart = LIMIT_ONLY[kind]()
    found = chart.violations(rules="nelson")
    assert list(found.not_applied) == [rule.name for rule in NELSON.rules[1:]]
    assert all(found.not_applied.values())
    np.testing.assert_array_equal(found.of("nelson 1"), chart.signals)
    assert "nelson 8" in repr(found)
    assert "Not applied: nelson 2, " in found._repr_html_()
    assert json.loads(json.dumps(found.to_dict()))["not_applied"] == found.not_applied
    with pytest.raises(InputError, match="'nelson 2' is a rule that was not applied"):
        found.of("nelson 2")


ALL_RULES = {
    "xbar": lambda: xbar_s_chart(X, subgroups=5),
    "c": lambda: c_chart([3, 4, 5, 9]),
    "u": lambda: u_chart([3, 4, 5], [1, 2, 1]),
    "p, exact": lambda: p_chart([3, 4, 5], 50, limits="exact"),
    "transformed times": lambda: t_chart([3.0, 5.0, 1.0, 8.0]),
}


@pytest.mark.parametrize("kind", ALL_RULES)
def test_other_charts_take_every_rule(kind: str) -> None:
    chart: ControlChart = ALL_RULES[kind]()
    found = chart.violations()
    assert not found.not_applied
    np.testing.assert_array_equal(found.of("nelson 1"), chart.signals)


def test_a_chart_without_sigma_has_limits_only() -> None:
    chart = individuals_chart([0.0, 0.1, 5.0], center=0, sigma=1)
    bare = dataclasses.replace(chart, sigma=None)
    warning = Rule(name="warning", pattern="beyond", zone=2.0)
    found = bare.violations(rules=[*NELSON, warning])
    assert found.of("nelson 1").tolist() == [2]
    assert "no standard deviation" in found.not_applied["warning"]
    assert found.findings[0].value is None
    assert chart.violations(rules=warning).positions.tolist() == [2]
    nothing = dataclasses.replace(chart, sigma=np.zeros(3)).violations()
    assert "standard deviation of some points is 0" in nothing.not_applied["nelson 2"]


def test_one_sided_rules_see_one_limit() -> None:
    chart = individuals_chart([4.0, -4.0, 3.0], center=0, sigma=1)
    for sides, expected in (("above", [0]), ("below", [1])):
        rule = Rule(name="ours", pattern="beyond", zone=3.0, sides=sides)
        assert chart.violations(rules=rule).positions.tolist() == expected
    on = Rule(name="ours", pattern="beyond", zone=3.0, on_line="counts")
    assert chart.violations(rules=on).positions.tolist() == [0, 1, 2]


def test_some_rules_may_be_named() -> None:
    x = [0.5] * 9
    chart = individuals_chart(x, center=0, sigma=1)
    found = chart.violations(rules=["nelson 1", "nelson 2"])
    assert found.rules.rules == NELSON.rules[:2]
    assert found.positions.tolist() == [8]
    with pytest.raises(InputError, match="rules must be one of 'nelson'"):
        chart.violations(rules="nelsen")
    with pytest.raises(InputError, match="rules must be one of 'nelson 1'"):
        chart.violations(rules=["nelson 9"])
    with pytest.raises(InputTypeError, match="rules must hold Rule objects"):
        chart.violations(rules=[1, 2])


def drawn(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_violations_are_drawn_with_the_numbers_of_their_rules() -> None:
    import matplotlib.pyplot as plt

    x = [0.5] * 10 + [-4.0, -2.5]
    chart = individuals_chart(x, center=0, sigma=1)
    ax = chart.plot(rules="nelson")
    limits, runs = (c.get_offsets().tolist() for c in ax.collections)
    assert limits == [[11.0, -4.0]]
    assert runs == [[9.0, 0.5], [10.0, 0.5], [12.0, -2.5]]
    texts = drawn(ax)
    assert {"1", "2", "5"} <= set(texts)
    assert "2: 9 points in a row on the same side of the center line" in "\n".join(texts)
    assert any("not applied: 2, 3, 4" in text for text in drawn(ax.figure.axes[1]))
    plt.close("all")


def test_a_subset_keeps_the_numbers_of_its_source() -> None:
    import matplotlib.pyplot as plt

    chart = individuals_chart([2.5, 2.5, 0.0], center=0, sigma=1)
    _, ax = plt.subplots()
    assert chart.plot(ax=ax, rules=["nelson 1", "nelson 5"]) is ax
    assert "5" in drawn(ax)
    other = individuals_chart([0.0, 0.1, 0.2], center=0, sigma=1)
    assert any(
        "no signal of the rules westgard" in t for t in drawn(other.plot(rules="westgard"))
    )
    plt.close("all")


def test_rules_of_two_sources_are_counted_in_pictures() -> None:
    mixed = individuals_chart(X).violations(["nelson 2", "western electric 2"]).rules
    assert mixed.marks == ("1", "2")
    assert run_rules("nelson", subset=(1, 2), lengths={2: 8}).marks == ("1", "2")
