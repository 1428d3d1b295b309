"""Before and after, equivalence and Pareto against published numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pharmaq.errors import InputError
from pharmaq.spc import compare_before_after, equivalence, pareto


def of_moments(mean: float, sd: float, n: int) -> np.ndarray:
    shape = stats.norm.ppf((np.arange(n) + 0.5) / n)
    return mean + sd * (shape - shape.mean()) / shape.std(ddof=1)


# NIST/SEMATECH e-Handbook 1.3.5.3: US and Japanese cars, unequal variances
def test_welch_matches_the_handbook(shared) -> None:
    path = shared / "data" / "quality" / "nist_handbook" / "AUTO83B.DAT"
    data = np.loadtxt(path, skiprows=25)
    us, japan = data[:, 0], data[data[:, 1] > 0, 1]
    found = compare_before_after(us, japan)
    assert (found.n_before, found.n_after) == (249, 79)
    means = [found.mean_before, found.mean_after]
    assert means == pytest.approx([20.14458, 30.48101], abs=5e-6)
    assert [found.sd_before, found.sd_after] == pytest.approx([6.41470, 6.10771], abs=5e-6)
    assert found.t == pytest.approx(12.946, abs=5e-4)
    assert found.dof == pytest.approx(136.8750, abs=5e-5)


# M. Borenstein et al., Introduction to Meta-Analysis, 2009, chapter 4: d = 0.5970, g = 0.5924
def test_hedges_g_matches_the_book() -> None:
    found = compare_before_after(of_moments(100, 4.5, 50), of_moments(103, 5.5, 50))
    # the book rounds the correction to 0.9923
    assert found.effect == pytest.approx(0.5924, abs=1e-4)


def test_limits_of_the_effect_cover_their_level() -> None:
    rng = np.random.default_rng(1)
    hits = shifts = ratios = 0
    for _ in range(500):
        x, y = rng.normal(size=8), 0.8 + rng.normal(size=12)
        found = compare_before_after(x, y, confidence=0.9)
        # g estimates delta, its limits are those of delta times the correction
        hits += found.effect_lower <= 0.8 * 0.9573 <= found.effect_upper
        shifts += found.shift_lower <= 0.8 <= found.shift_upper
        ratios += found.sd_ratio_lower <= 1 <= found.sd_ratio_upper
    error = 3 * np.sqrt(0.09 / 500)
    assert hits / 500 == pytest.approx(0.9, abs=error)
    assert shifts / 500 >= 0.9 - error
    assert ratios / 500 == pytest.approx(0.9, abs=error)


def test_effect_limits_survive_a_very_large_effect() -> None:
    found = compare_before_after([1.0, 1.001, 1.002, 0.999], [9.0, 9.001, 9.002, 8.999])
    assert np.isfinite([found.effect_lower, found.effect_upper]).all()
    assert found.effect_lower < found.effect < found.effect_upper


def test_shift_equals_all_differences() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=9), rng.normal(size=11)
    found = compare_before_after(x, y)
    assert found.shift == pytest.approx(np.median([b - a for a in x for b in y]))
    assert found.rank_p == pytest.approx(stats.mannwhitneyu(x, y).pvalue)


def test_findings_say_what_changed_and_in_which_direction() -> None:
    found = compare_before_after(of_moments(5, 2, 40), of_moments(3, 0.4, 40))
    assert [f.message for f in found.findings] == ["the level fell", "the spread shrank"]
    same = compare_before_after(of_moments(5, 1, 20), of_moments(5, 1, 20))
    assert same.findings == ()


# SAS/STAT, PROC TTEST, AUC of two formulations: lognormal paired TOST within 0.8 and 1.25
TEST = [103.4, 59.92, 68.17, 94.54, 69.48, 72.17, 74.37, 84.44, 96.74, 94.26, 48.52, 95.68]
REFERENCE = [90.11, 77.71, 77.71, 97.51, 58.21, 101.3, 79.84, 96.06, 89.30, 97.22, 61.62, 85.80]


def test_equivalence_of_a_ratio_matches_sas() -> None:
    found = equivalence(TEST, REFERENCE, margins=(0.8, 1.25), scale="ratio", design="paired")
    assert found.estimate == pytest.approx(0.9412, abs=5e-5)
    assert [found.lower, found.upper] == pytest.approx([0.8634, 1.0260], abs=6e-5)
    assert [found.t_lower, found.t_upper] == pytest.approx([3.38, -5.90], abs=5e-3)
    assert found.p == pytest.approx(0.0031, abs=5e-5)
    assert found.equivalent


@given(
    x=st.lists(st.floats(-5, 5), min_size=3, max_size=12, unique=True),
    shift=st.floats(-3, 3),
    design=st.sampled_from(["welch", "pooled"]),
)
def test_both_tests_equal_those_of_statsmodels_and_the_interval(x, shift, design) -> None:
    from statsmodels.stats.weightstats import ttost_ind

    rng = np.random.default_rng(len(x))
    y = shift + rng.normal(size=7)
    found = equivalence(x, y, margins=(-1.0, 1.5), design=design)
    usevar = "unequal" if design == "welch" else "pooled"
    p, low, high = ttost_ind(np.array(x), y, -1.0, 1.5, usevar=usevar)
    assert found.p == pytest.approx(p, rel=1e-8, abs=1e-12)
    assert [found.t_lower, found.t_upper] == pytest.approx([low[0], high[0]], rel=1e-8)
    assert found.equivalent == (found.lower > -1.0 and found.upper < 1.5)


def test_no_difference_is_not_equivalence() -> None:
    rng = np.random.default_rng(0)
    found = equivalence(rng.normal(size=4), rng.normal(size=4), margins=(-0.1, 0.1))
    assert not found.equivalent
    assert found.findings[0].severity == "action"
    assert "is not shown" in found.findings[0].message


def test_pareto_orders_and_counts() -> None:
    found = pareto({"film": 22, "jam": 31, "printer": 14, "camera": 3})
    assert found.causes == ("jam", "film", "printer", "camera")
    np.testing.assert_allclose(found.cumulative, [31 / 70, 53 / 70, 67 / 70, 1])
    assert found.vital == 3
    events = pareto(["a", "b", "b"], weights=[5.0, 1.0, 1.5])
    assert events.to_frame().weight.to_list() == [5.0, 2.5]


def test_a_share_that_is_just_reached_is_reached() -> None:
    assert pareto({"a": 7, "b": 1, "c": 1, "d": 1}, level=0.8).vital == 2


@given(st.dictionaries(st.text(min_size=1, max_size=3), st.integers(1, 50), min_size=1))
def test_pareto_keeps_every_event(counts) -> None:
    found = pareto([name for name, n in counts.items() for _ in range(n)])
    assert dict(zip(found.causes, found.weight, strict=True)) == counts
    assert np.all(np.diff(found.weight) <= 0)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: compare_before_after([1.0], [1.0, 2.0]), "before must hold at least 2"),
        (lambda: compare_before_after([1.0, 1.0], [1.0, 2.0]), "before holds 2 equal"),
        (lambda: compare_before_after([1.0, 2.0], [1.0, np.inf]), r"after\[1\] is inf"),
        (lambda: equivalence([1, 2], [1, 2], margins=(1, -1)), "margins must rise"),
        (lambda: equivalence([1, 2], [1, 0], margins=(0.8, 1.25), scale="ratio"), "is 0"),
        (lambda: equivalence([1, 2], [1, 2, 3], margins=(-1, 1), design="paired"), "agree"),
        (lambda: equivalence([1, 1], [2, 2], margins=(-1, 1)), "no variation"),
        (
            lambda: equivalence([1, 2], [1, 3], margins=(-1, 1), design="crossover"),
            "design must",
        ),
        (lambda: pareto([]), "weights must hold at least 1"),
        (lambda: pareto(["a", None]), r"causes\[1\] is"),
        (lambda: pareto(["a", "b"], weights=[1.0, -1.0]), r"weights\[1\] is -1"),
        (lambda: pareto({"a": 1}, weights=[1.0]), "left out where causes is a mapping"),
        (lambda: pareto({"a": 0}), "no event"),
    ],
)
def test_bad_input_is_named(call, match: str) -> None:
    with pytest.raises(InputError, match=match):
        call()
