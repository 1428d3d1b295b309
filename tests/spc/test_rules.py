"""Run rules: published vectors, twins, conventions and properties."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import naive_rules
from pharmaq.errors import InputError, InputTypeError
from pharmaq.spc import (
    AIAG,
    MINITAB,
    MONTGOMERY,
    NELSON,
    WESTERN_ELECTRIC,
    WESTGARD,
    Rule,
    RuleSet,
    applicable_rules,
    find_violations,
    mark_violations,
    run_rules,
    runs_analysis,
)

SETS = (NELSON, WESTERN_ELECTRIC, AIAG, MONTGOMERY, WESTGARD, MINITAB)
# halves, so that points fall onto lines and ties are ties
grids = arrays(np.float64, st.integers(1, 80), elements=st.integers(-7, 7).map(lambda k: k / 2))
smooth = arrays(np.float64, st.integers(1, 80), elements=st.floats(-3.5, 3.5))

# Nelson, J. Qual. Technol. 16 (1984) 237; Western Electric, Statistical Quality Control
# Handbook, 1956: vectors made for each rule, points counted from 1
VECTORS = {
    "western electric 1": ([0, 3.2, -3.5, 2.9], [2, 3]),
    "western electric 2": ([0, 2.5, 1.0, 2.6, 0], [4]),
    "western electric 3": ([0, 1.2, 1.3, 0.2, 1.4, 1.5], [6]),
    "western electric 4": ([-1] * 8 + [1], [8]),
    "nelson 1": ([0, 3.2, -3.4, 3], [2, 3]),
    "nelson 2": ([0.5] * 10 + [-0.5] * 10, [9, 10, 19, 20]),
    "nelson 3": ([1, 2, 3, 4, 5, 6, 7, 7, 6, 5, 4, 3, 2, 1], [6, 7, 13, 14]),
    "nelson 4": ([1, 3, 2, 4, 3, 5, 4, 6, 5, 7, 6, 8, 7, 9, 8], [14, 15]),
    "nelson 5": ([0, 2.3, 0.4, 2.2, -2.4, -0.2, -2.5], [4, 7]),
    "nelson 6": ([1.2, 1.3, 0.2, 1.4, 1.5, -1.2, -1.3, -0.1, -1.4, -1.5], [5, 10]),
    "nelson 7": ([0.3] * 16 + [1.2], [15, 16]),
    "nelson 8": ([1.2, -1.3, 1.1, -1.4, 1.5, -1.2, 1.3, -1.1, 0.2], [8]),
}


@pytest.mark.parametrize("name", VECTORS)
def test_each_rule_signals_where_its_definition_says(name: str) -> None:
    z, expected = VECTORS[name]
    found = find_violations(z, rules=name[:-2])
    assert (found.of(name) + 1).tolist() == expected


def test_the_eighth_test_needs_both_sides_except_in_minitab() -> None:
    z = [1.2] * 8
    assert find_violations(z).of("nelson 8").size == 0
    assert find_violations(z, rules="minitab").of("minitab 8").tolist() == [7]


# R package qcc, tests of its rules
def test_vectors_equal_those_of_the_reference_data(shared: Path) -> None:
    path = shared / "cases" / "spc_mspc" / "data" / "run_rules_deterministic.json"
    for key, case in json.loads(path.read_text()).items():
        rules = WESTERN_ELECTRIC if key.startswith("WE") else NELSON
        number = int("".join(c for c in key if c.isdigit()))
        found = find_violations(case["z"], rules=rules).of(f"{rules.name} {number}")
        assert (found + 1).tolist() == case["signal_points_1based"], key


# M. S. Berends, R package certestats, table of lengths: Nelson 9, AIAG 7, Montgomery 8, ...
def test_sets_differ_in_the_lengths_that_their_sources_print() -> None:
    lengths = {
        s.name: [r.window for r in s if r.pattern == "beyond" and not r.zone] for s in SETS
    }
    assert lengths["nelson"] == lengths["minitab"] == [9]
    assert lengths["aiag"] == [7]
    assert lengths["western electric"] == lengths["montgomery"] == [8]
    assert lengths["westgard"] == [10]


@pytest.mark.parametrize("rules", SETS, ids=lambda s: s.name)
@given(z=grids)
def test_marks_equal_those_of_plain_functions(rules: RuleSet, z: np.ndarray) -> None:
    words = mark_violations(z, rules=rules)
    for number, rule in enumerate(rules):
        found = np.flatnonzero(words >> number & 1).tolist()
        assert found == naive_rules.signals(z, rule), rule.name


@pytest.mark.parametrize("rules", SETS, ids=lambda s: s.name)
@given(z=grids)
def test_both_compiled_passes_agree(rules: RuleSet, z: np.ndarray) -> None:
    # three more rules, so that the general pass has to be taken
    extra = [
        Rule(name=f"extra {k}", pattern="beyond", count=2, window=3, zone=k) for k in (1, 2)
    ]
    extra.append(Rule(name="extra 3", pattern="beyond", count=2, window=20, zone=2.5))
    general = mark_violations(z, rules=[*rules, *extra])
    usual = (1 << len(rules)) - 1
    np.testing.assert_array_equal(general & usual, mark_violations(z, rules=rules))


@pytest.mark.parametrize("n", [2047, 2048, 2049, 9000])
def test_both_compiled_passes_agree_over_long_series(n: int) -> None:
    rng = np.random.default_rng(n)
    # drifting and alternating by turns, so that windows of 40 to 64 points do occur
    z = np.cumsum(rng.choice([0.0, 0.5, -0.5], n)) % 4 - 2 + np.tile([0.0, 0.25], n)[:n]
    z[n // 2 : n // 2 + 70] = np.tile([-1.5, 1.5], 35)
    z[n // 3 : n // 3 + 70] = np.linspace(-0.5, 0.5, 70)
    rules = list(run_rules(lengths={2: 64, 3: 64, 4: 64, 7: 64, 8: 40}))
    other = Rule(name="other", pattern="beyond", count=2, window=20, zone=2.5)
    fast = mark_violations(z, rules=rules)
    np.testing.assert_array_equal(fast, mark_violations(z, rules=[*rules, other]) & 255)
    assert set(np.flatnonzero(np.bitwise_or.reduce(fast) >> np.arange(8) & 1)) >= {2, 3, 6, 7}


@given(z=smooth)
def test_signals_change_sides_with_the_sign(z: np.ndarray) -> None:
    found, mirrored = find_violations(z), find_violations(-z)
    other = {"above": "below", "below": "above"}
    assert found.positions.tolist() == mirrored.positions.tolist()
    assert found.rule_numbers.tolist() == mirrored.rule_numbers.tolist()
    assert [other.get(s, s) for s in found.sides] == mirrored.sides.tolist()


@given(values=arrays(np.int64, 60, elements=st.integers(-9, 9)), shift=st.integers(-99, 99))
def test_signals_do_not_depend_on_origin_and_unit(values: np.ndarray, shift: int) -> None:
    moved = (4 * (values + shift) - 4 * shift) / (4 * 2)
    np.testing.assert_array_equal(mark_violations(values / 2), mark_violations(moved))


@given(z=grids, cuts=st.lists(st.integers(1, 79), max_size=4), rules=st.sampled_from(SETS))
def test_segments_equal_separate_series(z: np.ndarray, cuts: list[int], rules: RuleSet) -> None:
    cuts = sorted({cut for cut in cuts if cut < len(z)})
    parts = np.split(z, cuts)
    names = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    expected = np.concatenate([mark_violations(part, rules=rules) for part in parts])
    np.testing.assert_array_equal(mark_violations(z, rules=rules, segments=names), expected)


@given(z=grids, gaps=st.lists(st.integers(0, 79), min_size=1, max_size=4))
def test_no_run_crosses_a_gap(z: np.ndarray, gaps: list[int]) -> None:
    z = z.copy()
    gaps = sorted({gap for gap in gaps if gap < len(z)})
    z[gaps] = np.nan
    expected = np.zeros(len(z), np.uint8)
    begin = 0
    for end in [*gaps, len(z)]:
        if end > begin:
            expected[begin:end] = mark_violations(z[begin:end])
        begin = end + 1
    np.testing.assert_array_equal(mark_violations(z), expected)
    assert find_violations(z).n_gaps == len(gaps)


@given(z=grids, rules=st.sampled_from(SETS))
def test_a_window_alone_signals_too(z: np.ndarray, rules: RuleSet) -> None:
    found = find_violations(z, rules=rules)
    for violation in (found[i] for i in range(len(found))):
        points = z[list(violation.points)]
        again = find_violations(points, rules=violation.rule)
        assert again.positions[-1] == len(points) - 1
        assert again.sides[-1] == violation.side


def rule(**options) -> Rule:
    return Rule(name="ours", **options)


def found_by(z: list[float], **options) -> list[int]:
    return find_violations(z, rules=rule(**options)).positions.tolist()


def test_a_point_on_the_line_does_what_the_convention_says() -> None:
    z = [1, 1, 0, 1, 1]
    assert found_by(z, pattern="beyond", count=4) == []
    assert found_by(z, pattern="beyond", count=4, on_line="counts") == [3, 4]
    assert found_by(z, pattern="beyond", count=4, on_line="skipped") == [4]
    assert found_by([3.0], pattern="beyond", zone=3.0) == []
    assert found_by([3.0], pattern="beyond", zone=3.0, on_line="counts") == [0]
    assert found_by([1.0, 0.5], pattern="within", zone=1.0, count=2) == []
    assert found_by([1.0, 0.5], pattern="within", zone=1.0, count=2, on_line="counts") == [1]


def test_a_skipped_point_lies_in_the_window() -> None:
    ours = rule(pattern="beyond", count=3, on_line="skipped")
    violation = find_violations([1, -1, -1, 0, -1], rules=ours)[0]
    assert (violation.points, violation.side) == ((1, 2, 3, 4), "below")


def test_ties_do_what_the_convention_says() -> None:
    z = [1, 2, 2, 3, 4]
    assert found_by(z, pattern="trend", window=4) == []
    assert found_by(z, pattern="trend", window=4, ties="counts") == [3, 4]
    assert found_by(z, pattern="trend", window=4, ties="skipped") == [4]
    assert found_by([1, 2, 1, 1, 2], pattern="alternating", window=4) == []
    assert found_by([1, 2, 1, 1, 2], pattern="alternating", window=4, ties="skipped") == [4]


def test_equal_points_are_a_trend_both_ways_where_ties_count() -> None:
    ours = rule(pattern="trend", window=3, ties="counts")
    assert find_violations([1, 1, 1], rules=ours).sides.tolist() == ["both"]


def test_the_last_point_need_not_be_outside() -> None:
    z = [2.5, 2.5, 0.0, 0.0]
    two_of_three = {"pattern": "beyond", "count": 2, "window": 3, "zone": 2.0}
    assert found_by(z, **two_of_three) == [1]
    assert found_by(z, **two_of_three, last_point=False) == [1, 2]


def test_a_rule_that_restarts_signals_once_a_pattern() -> None:
    assert found_by([1] * 7, pattern="beyond", count=3) == [2, 3, 4, 5, 6]
    assert found_by([1] * 7, pattern="beyond", count=3, restart=True) == [2, 5]
    rising = list(range(8))
    assert found_by(rising, pattern="trend", window=4, restart=True) == [3, 7]
    ours = rule(pattern="beyond", count=2, window=3, zone=1, restart=True)
    found = find_violations([2, 2, 2, 0, 2], rules=ours)
    assert [found[i].points for i in range(2)] == [(0, 1), (2, 3, 4)]


def test_one_sided_rules_see_one_side() -> None:
    assert found_by([4, -4], pattern="beyond", zone=3, sides="above") == [0]
    assert found_by([4, -4], pattern="beyond", zone=3, sides="below") == [1]
    assert found_by([1, 2, 3, 2, 1], pattern="trend", window=3, sides="below") == [4]


def test_runs_may_be_longer_than_a_word_has_bits() -> None:
    assert found_by([1] * 101, pattern="beyond", count=100) == [99, 100]
    assert found_by(list(range(101)), pattern="trend", window=100) == [99, 100]


def test_points_of_a_window_that_holds_others_may_be_within_or_outside() -> None:
    z = [0.1, 3.0, 0.1, 0.1]
    assert found_by(z, pattern="within", count=3, window=4, zone=1) == [3]
    mixed = [2, 0, -2, 2]
    assert found_by(mixed, pattern="outside", count=3, window=4, zone=1) == [3]


def test_rules_are_chosen_and_changed_by_number() -> None:
    chosen = run_rules("nelson", subset=(1, 2, 5), lengths={2: 8}, sides={1: "above"})
    assert [r.name for r in chosen] == ["nelson 1 (changed)", "nelson 2 (changed)", "nelson 5"]
    assert chosen["nelson 2 (changed)"].window == 8
    assert run_rules("aiag") is AIAG
    skipped = run_rules("nelson", on_line="skipped", ties="skipped", restart=True)
    assert [r.on_line for r in skipped][:2] == ["breaks", "skipped"]
    assert [r.ties for r in skipped][2:4] == ["skipped", "skipped"]
    assert all(r.restart for r in skipped)
    assert run_rules(last_point=False)["nelson 5 (changed)"].last_point is False


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "nelsen"}, "name must be one of 'nelson'"),
        ({"subset": (1, 9)}, "subset must be from 1 to 8"),
        ({"subset": ()}, "subset must hold different numbers"),
        ({"subset": (1, 1)}, "subset must hold different numbers"),
        ({"subset": (1,), "lengths": {2: 8}}, "lengths must name rules of the set"),
        ({"lengths": {5: 3}}, "lengths is for rules of points in a row"),
    ],
)
def test_a_bad_choice_of_rules_is_named(options: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        run_rules(**options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"pattern": "upwards"}, "pattern must be one of"),
        ({"pattern": "trend", "window": 1}, "window must be at least 2"),
        ({"pattern": "beyond", "count": 3, "window": 2}, "count must be from 1 to 2"),
        ({"pattern": "beyond", "zone": -1.0}, "zone must be at least 0"),
        ({"pattern": "within"}, "zone must be above 0"),
        ({"pattern": "beyond", "count": 2, "window": 65}, "window must be at most 64"),
        ({"pattern": "beyond", "sides": "both"}, "is for the pattern 'outside'|\"outside\""),
        ({"pattern": "within", "zone": 1.0, "sides": "above"}, "sides = 'above'"),
        ({"pattern": "beyond", "zone": 1.0, "on_line": "skipped"}, "on_line"),
        ({"pattern": "alternating", "window": 4, "ties": "counts"}, "ties"),
        ({"pattern": "beyond", "severity": "high"}, "severity"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(options: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        rule(**options)


def test_wrong_types_are_named() -> None:
    with pytest.raises(InputTypeError, match="restart must be True or False"):
        rule(pattern="beyond", restart=1)
    with pytest.raises(InputTypeError, match="rules must hold Rule objects, got int"):
        find_violations([1.0], rules=[1])
    with pytest.raises(InputTypeError, match="rules must be a name, a Rule"):
        find_violations([1.0], rules=3)
    with pytest.raises(InputError, match="name must be a text"):
        Rule(name="", pattern="beyond")


def test_a_set_needs_rules_with_names_of_their_own() -> None:
    one = NELSON.rules[0]
    for rules in ((), (one, one)):
        with pytest.raises(InputError, match="at least one, with names of their own"):
            RuleSet(name="x", rules=rules)
    many = tuple(dataclasses.replace(one, name=str(k)) for k in range(65))
    with pytest.raises(InputError, match="at most 64"):
        RuleSet(name="x", rules=many)


def test_bad_points_are_named() -> None:
    with pytest.raises(InputError, match=r"z\[1\] is infinite"):
        find_violations([0.0, np.inf])
    with pytest.raises(InputError, match="one-dimensional"):
        find_violations([[0.0]])
    with pytest.raises(InputError, match="at least 1"):
        find_violations([])
    with pytest.raises(InputError, match="segments must have one entry a point"):
        find_violations([0.0, 1.0], segments=[1])
    with pytest.raises(InputError, match="rules must be one of"):
        find_violations([0.0], rules="nelsen")


def test_one_point_and_nothing_but_gaps_have_no_runs() -> None:
    assert len(find_violations([0.5])) == 0
    empty = find_violations([np.nan, np.nan])
    assert (len(empty), empty.n_gaps, empty.n_segments) == (0, 2, 0)
    assert empty.to_frame().empty


def test_times_of_a_series_name_the_points() -> None:
    times = pd.date_range("2026-01-01", periods=3, freq="h", tz="UTC")
    found = find_violations(pd.Series([0.0, 3.5, 0.0], index=times))
    finding = found.findings[0]
    assert finding.time == times[1].to_pydatetime()
    assert (finding.rule, finding.severity, finding.value) == ("nelson 1", "action", 3.5)
    assert finding.message == "1 point beyond 3 sigma, above (nelson 1)"
    assert found.to_frame().label.iloc[0] == times[1]


def test_a_falling_trend_is_called_so() -> None:
    message = find_violations([3, 2, 1, 0, -1, -2])[0].message
    assert message == "6 points in a row steadily rising or falling, falling (nelson 3)"


def test_violations_are_plain_for_json() -> None:
    found = find_violations([0.0, 3.5, 3.5])
    plain = json.loads(json.dumps(found.to_dict()))
    assert plain["positions"] == [1, 2, 2]
    assert plain["rules"]["rules"][0]["zone"] == 3.0
    assert found.signals.tolist() == [1, 2]
    assert "Violations" in repr(found)


def test_rules_have_a_table() -> None:
    frame = WESTGARD.to_frame()
    assert frame.loc["westgard R-4s", "description"] == (
        "2 points in a row outside 2 sigma, on both sides"
    )


def test_descriptions_say_which_side() -> None:
    assert rule(pattern="beyond", zone=3, sides="above").description == "1 point above 3 sigma"
    low = rule(pattern="beyond", count=8, sides="below")
    assert low.description == "8 points in a row below the center line"
    assert rule(pattern="trend", window=6, sides="above").description.endswith("rising")


@pytest.mark.parametrize("kind", ["moving range", "r", "s", "ewma", "cusum", "t2", "MR"])
def test_charts_of_dependent_points_allow_limits_only(kind: str) -> None:
    answer = applicable_rules("nelson", kind=kind)
    assert [r.name for r in answer.rules] == ["nelson 1"]
    assert list(answer.refused) == [r.name for r in NELSON.rules[1:]]
    assert all(answer.refused.values())


def test_charts_of_independent_points_allow_all_rules() -> None:
    for kind in ("individuals", "xbar", "p", "laney_p", "short_run"):
        assert applicable_rules(NELSON, kind=kind).rules == NELSON.rules
    with pytest.raises(InputError, match="kind must be one of"):
        applicable_rules(NELSON, kind="pareto")


# J. Anhoej, A. V. Olesen, PLoS ONE 9 (2014) e113825: 24 points allow a run of 8 and ask for
# 8 crossings
def test_limits_of_run_length_and_crossings_match_the_published_ones() -> None:
    found = runs_analysis(np.tile([1.0, 2.0], 12))
    assert (found.longest_run_limit, found.crossings_limit) == (8, 8)
    assert (found.longest_run, found.crossings, found.signal) == (1, 23, False)


def test_points_on_the_median_do_not_count() -> None:
    found = runs_analysis([1, 0, 1, 0, -1, 0, -1], center=0.0)
    assert (found.n_useful, found.n_on_line) == (4, 3)
    assert (found.longest_run, found.crossings) == (2, 1)


def test_a_shift_is_found_by_both_tests() -> None:
    found = runs_analysis([1, 2] * 6 + [5, 6] * 6)
    assert [f.rule for f in found.findings] == ["anhoej longest run", "anhoej crossings"]
    assert found.to_frame().signal.all()


def test_a_constant_series_has_no_runs() -> None:
    with pytest.raises(InputError, match="at least 2 points off the center line"):
        runs_analysis([1.0, 1.0, 1.0])
    with pytest.raises(InputError, match="center must be one of 'median'"):
        runs_analysis([1.0, 2.0], center="mean")
