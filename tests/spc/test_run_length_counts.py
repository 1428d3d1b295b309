"""Run rules on charts of counts: closed forms, and simulation with the charts themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pharmaq.errors import InputError
from pharmaq.spc import (
    Rule,
    average_run_length,
    c_chart,
    count_run_length,
    false_alarms,
    mark_violations,
    np_chart,
    p_chart,
    run_rules,
    shewhart_run_length,
    u_chart,
)


# W. Feller, An Introduction to Probability Theory and Its Applications I, 3rd ed., sec. XIII.8:
# runs of m successes come after (1 - p^m) / ((1 - p) p^m) trials on average, and the rates of
# runs of two kinds add up; a count on the center line is of neither kind
@pytest.mark.parametrize("center", [0.7, 4.0, 4.3])
def test_runs_on_one_side_have_fellers_waiting_time(center: float) -> None:
    law = stats.poisson(center)
    above, below = law.sf(math.floor(center)), law.cdf(math.ceil(center) - 1)
    waits = [(1 - p**8) / ((1 - p) * p**8) for p in (above, below)]
    rule = Rule(name="run", pattern="beyond", count=8)
    found = count_run_length("c", center=center, rules=rule)
    assert found.arl == pytest.approx(1 / sum(1 / wait for wait in waits), rel=1e-10)
    assert found.method == "markov chain"


@given(center=st.floats(0.3, 30), value=st.floats(0.3, 30), limit=st.floats(1, 4))
def test_the_limit_rule_alone_is_the_chart(center: float, value: float, limit: float) -> None:
    # whatever the distance of the limits, they stand for the rule
    rule = Rule(name="limit", pattern="beyond", zone=3.0)
    options = {"center": center, "value": value, "limit": limit}
    with_rule = count_run_length("c", rules=rule, **options)
    plain = count_run_length("c", **options)
    # a chain adds up probabilities near 1
    assert with_rule.arl == pytest.approx(plain.arl, rel=1e-9 + 1e-15 * plain.arl)
    assert with_rule.quantiles.tolist() == plain.quantiles.tolist()


def first_signals(z: np.ndarray, rules) -> np.ndarray:
    """Return run lengths of rows of standardised points that the rules themselves find."""
    names = np.repeat(np.arange(len(z)), z.shape[1])
    marks = mark_violations(z.ravel(), rules=rules, segments=names).reshape(z.shape) > 0
    assert marks.any(axis=1).all()
    return marks.argmax(axis=1) + 1


# a mean of 4 puts counts on the center line and on the line of 1 sigma
@pytest.mark.parametrize(
    "rules",
    [
        run_rules("western electric", on_line="breaks"),
        run_rules("western electric", on_line="counts"),
        run_rules("nelson", subset=(2,), on_line="skipped"),
        run_rules("nelson", subset=(1, 2, 5, 6, 7, 8)),
        [Rule(name="a", pattern="beyond", count=3, window=4, last_point=False)],
        [Rule(name="a", pattern="beyond", count=5, window=6, on_line="skipped")],
        [Rule(name="a", pattern="beyond", count=5, window=6, on_line="counts")],
        [Rule(name="a", pattern="within", count=4, window=6, zone=1.0, on_line="counts")],
        [Rule(name="a", pattern="outside", count=3, window=5, zone=1.0, on_line="counts")],
    ],
)
def test_rules_on_counts_equal_simulation_with_the_rules_themselves(rules) -> None:
    # a count of 0 would lie on the lower limit of the chart, but not on a line of 3 sigma
    exact = count_run_length("c", center=4.0, value=5.5, lower=-1.0, rules=rules)
    z = (np.random.default_rng(1).poisson(5.5, (4000, 700)) - 4.0) / 2
    runs = first_signals(z, rules)
    assert abs(runs.mean() - exact.arl) < 4 * exact.sdrl / math.sqrt(len(runs))
    assert runs.std() == pytest.approx(exact.sdrl, rel=0.08)
    np.testing.assert_allclose(
        np.quantile(runs, exact.levels), exact.quantiles, rtol=0.12, atol=1
    )


@pytest.mark.parametrize("kind", ["p", "np", "c", "u"])
def test_false_alarms_equal_those_of_the_charts(kind: str) -> None:
    rng, n_points = np.random.default_rng(2), 100_000
    sizes = np.full(n_points, 20)
    if kind in {"p", "np"}:
        options = {"center": 0.1, "n": 20}
        counts = rng.binomial(20, 0.1, n_points)
        chart = {
            "p": lambda: p_chart(counts, sizes, center=0.1),
            "np": lambda: np_chart(counts, 20, center=0.1),
        }[kind]()
    else:
        options = {"center": 2.5} if kind == "c" else {"center": 0.5, "n": 5.0}
        counts = rng.poisson(2.5, n_points)
        chart = {
            "c": lambda: c_chart(counts, center=2.5),
            "u": lambda: u_chart(counts, np.full(n_points, 5.0), center=0.5),
        }[kind]()
    rate = len(set(chart.violations(rules="western electric").positions.tolist())) / n_points
    found = false_alarms("western electric", chart=kind, **options)
    # signals come in clusters, so that their number varies more than that of single ones
    assert found.per_point == pytest.approx(rate, abs=5 * math.sqrt(2 * rate / n_points))
    assert found.arl == count_run_length(kind, rules="western electric", **options).arl


def test_false_alarms_within_so_many_counts_equal_simulation() -> None:
    found = false_alarms("western electric", n_points=25, chart="c", center=2.0)
    z = (np.random.default_rng(3).poisson(2.0, (40_000, 25)) - 2.0) / math.sqrt(2)
    names = np.repeat(np.arange(40_000), 25)
    marks = mark_violations(z.ravel(), rules="western electric", segments=names)
    share = (marks.reshape(z.shape) > 0).any(axis=1).mean()
    assert found.within == pytest.approx(share, abs=4 * math.sqrt(0.2 / 40_000))


def test_many_counts_are_as_good_as_normal_points() -> None:
    many = count_run_length("c", center=1e5, rules="western electric")
    normal = shewhart_run_length(rules="western electric")
    assert many.arl == pytest.approx(normal.arl, rel=0.02)


def test_proportions_and_numbers_are_the_same_chart() -> None:
    options = {"center": 0.15, "n": 40, "value": [0.15, 0.3], "rules": "western electric"}
    share = average_run_length("p", **options)
    number = average_run_length("np", **options)
    assert share.arl.tolist() == number.arl.tolist()
    assert share.parameters["rules"] == "western electric"
    units = average_run_length("u", center=0.5, n=8, rules="western electric")
    counts = average_run_length("c", center=4.0, rules="western electric")
    assert units.arl == pytest.approx(counts.arl, rel=1e-12)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: count_run_length("c", center=4.0, rules="nelson"), "leave them out"),
        (lambda: count_run_length("c", center=4.0, rules="nels"), "nels"),
        (lambda: false_alarms("nelson", chart="c", center=4.0), "no finite automaton"),
        (lambda: false_alarms(3.0, chart="c", center=4.0), "use limit = 3.0"),
        (
            lambda: false_alarms("western electric", chart="c"),
            "options of a c chart are center",
        ),
        (lambda: false_alarms("western electric", chart="c", center=4.0, k=4.0), "unexpected"),
        (lambda: false_alarms("western electric", center=4.0), r"\['center'\] go with"),
        (lambda: false_alarms("western electric", chart="g"), "chart must be one of"),
        (
            lambda: count_run_length("p", n=9, center=0.1, value=2, rules="western electric"),
            "value must lie in",
        ),
    ],
)
def test_what_cannot_be_is_refused(call, words: str) -> None:
    with pytest.raises(InputError, match=words):
        call()
