"""Kappas and agreement of attributes against published tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmaq.errors import InputError
from pharmaq.spc import attribute_agreement, cohen_kappa, fleiss_kappa

# J. L. Fleiss, Psychol. Bull. 76 (1971) 378-382: 30 patients, 6 raters, 5 categories
DIAGNOSES = """
444444 222555 233335 555555 222444 113333 333355 113334 114444 555555 144444 124444
222333 144444 224445 333335 111455 111112 224444 133555 555555 244444 224555 114444 144445
222224 111155 224444 133333 555555"""


def diagnoses() -> np.ndarray:
    rows = [[int(rating) for rating in row] for row in DIAGNOSES.split()]
    return np.array([[row.count(k) for k in range(1, 6)] for row in rows])


def pairs(table: list[list[int]]) -> tuple[list[int], list[int]]:
    cells = [(i, j) for i in (0, 1) for j in (0, 1) for _ in range(table[i][j])]
    return [i for i, _ in cells], [j for _, j in cells]


def test_fleiss_kappa_matches_the_paper() -> None:
    kappa = fleiss_kappa(diagnoses())
    assert kappa.kappa == pytest.approx(0.430, abs=5e-4)
    # R, irr: z = 17.7
    assert kappa.z == pytest.approx(17.7, abs=0.051)


# AIAG, Measurement Systems Analysis, 4th ed., chapter III-C: A, B, C and the reference
@pytest.mark.parametrize(
    ("table", "printed"),
    [
        ([[44, 6], [3, 97]], 0.86),
        ([[42, 5], [9, 94]], 0.79),
        ([[43, 7], [8, 92]], 0.78),
        ([[45, 5], [3, 97]], 0.88),
        ([[45, 2], [3, 100]], 0.92),
        ([[42, 9], [6, 93]], 0.77),
    ],
)
def test_cohen_kappa_matches_the_reference_manual(table, printed: float) -> None:
    assert cohen_kappa(*pairs(table)).kappa == pytest.approx(printed, abs=5.1e-3)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=5, max_size=60))
def test_cohen_kappa_equals_statsmodels(ratings) -> None:
    from statsmodels.stats.inter_rater import cohens_kappa

    a, b = zip(*ratings, strict=True)
    found = cohen_kappa(a, b)
    if np.isnan(found.kappa):
        assert len(set(a) | set(b)) == 1
        return
    n = 1 + max(*a, *b)
    table = np.zeros((n, n))
    np.add.at(table, (list(a), list(b)), 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = cohens_kappa(table)
    assert found.kappa == pytest.approx(expected.kappa, abs=1e-12)
    # the root magnifies the rounding of a variance of zero
    assert found.standard_error**2 == pytest.approx(expected.var_kappa, abs=1e-12)
    if expected.std_kappa0 > 1e-6:
        expected_z = expected.kappa / expected.std_kappa0
        assert found.z == pytest.approx(expected_z, rel=1e-6, abs=1e-9)


def test_two_raters_with_equal_margins_have_one_kappa() -> None:
    first, second = pairs([[40, 5], [5, 50]])
    both = list(zip(first, second, strict=True))
    counts = np.array([[pair.count(k) for k in (0, 1)] for pair in both])
    a, b = cohen_kappa(first, second), fleiss_kappa(counts)
    assert a.kappa == pytest.approx(b.kappa, abs=1e-12)
    # both are large-sample errors of the same number
    assert b.standard_error == pytest.approx(a.standard_error, rel=0.02)


def test_error_of_fleiss_kappa_equals_the_jackknife() -> None:
    counts = diagnoses()
    n = len(counts)
    left = [fleiss_kappa(np.delete(counts, i, axis=0)).kappa for i in range(n)]
    jackknife = np.sqrt((n - 1) / n * np.sum((left - np.mean(left)) ** 2))
    assert fleiss_kappa(counts).standard_error == pytest.approx(jackknife, rel=0.05)


def study(rows: list[tuple]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["part", "operator", "value", "standard"])


# AIAG: 50 parts, effectiveness 42, 45 and 40 of 50, with exact limits
@pytest.mark.parametrize(("matched", "low", "high"), [(42, 71, 93), (45, 78, 97), (40, 66, 90)])
def test_effectiveness_limits_match_the_reference_manual(matched, low, high) -> None:
    rows = [
        (part, "A", "good" if part < matched or trial else "bad", "good")
        for part in range(50)
        for trial in range(3)
    ]
    found = attribute_agreement(study(rows), standard="standard").versus_standard.iloc[0]
    assert found.matched == matched
    assert [100 * found.lower, 100 * found.upper] == pytest.approx([low, high], abs=0.51)


# AIAG: miss rate 6.3 %, false alarm rate 4.9 % of appraiser A
def test_misses_and_false_alarms_match_the_reference_manual() -> None:
    rated, true = pairs([[45, 5], [3, 97]])
    both = list(enumerate(zip(rated, true, strict=True)))
    rows = [(i, name, r, t) for name in "AB" for i, (r, t) in both]
    found = attribute_agreement(study(rows), standard="standard", reject=0)
    row = found.versus_standard.iloc[0]
    assert 100 * row.miss_rate == pytest.approx(6.3, abs=0.06)
    assert 100 * row.false_alarm_rate == pytest.approx(4.9, abs=0.06)
    by_rule = {f.rule: f for f in found.findings}
    assert by_rule["attribute_miss_rate"].severity == "action"
    assert "attribute_false_alarm_rate" not in by_rule


def test_agreement_is_counted_part_by_part() -> None:
    rng = np.random.default_rng(4)
    rows = [
        (p, o, "ab"[(p % 2) ^ int(rng.random() < 0.15)], "ab"[p % 2])
        for p in range(20)
        for o in "XYZ"
        for _ in range(2)
    ]
    frame = study(rows)
    found = attribute_agreement(frame, standard="standard")
    for row in found.within.itertuples():
        mine = frame[frame.operator == row.operator].groupby("part").value
        assert row.matched == (mine.agg(lambda v: len(set(v))) == 1).sum()
    for row in found.versus_standard.itertuples():
        mine = frame[frame.operator == row.operator]
        assert row.matched == (mine.value == mine.standard).groupby(mine.part).all().sum()
    everyone = (frame.groupby("part").value.agg(lambda v: len(set(v))) == 1).sum()
    assert found.system.matched.iloc[0] == everyone
    x, y = (frame[frame.operator == o].value.to_list() for o in "XY")
    assert found.between.kappa.iloc[0] == pytest.approx(cohen_kappa(x, y).kappa)
    assert found.to_frame().equals(found.versus_standard)


def test_ratings_that_are_all_the_same_have_no_kappa() -> None:
    rows = [(p, o, "good", "good") for p in range(5) for o in "AB"]
    found = attribute_agreement(study(rows))
    assert np.isnan(found.overall.kappa)
    assert [f.severity for f in found.findings] == ["info"]


GOOD = study([(p, o, v, "x") for p, v in enumerate("xyx") for o in "AB"])


@pytest.mark.parametrize(
    ("frame", "options", "match"),
    [
        (GOOD.iloc[1:], {}, "same number of times"),
        (GOOD[GOOD.operator == "A"], {}, "alone with one trial"),
        (GOOD[GOOD.part == 0], {}, "at least 2 levels"),
        (
            GOOD.assign(standard=list("xyxxxx")),
            {"standard": "standard"},
            "must have one standard",
        ),
        (GOOD, {"standard": "standard", "reject": "z"}, "reject must be one of"),
        (GOOD, {"reject": "x"}, "needs standard"),
        (GOOD.assign(value=GOOD.value.mask(GOOD.index == 2)), {}, "row 2 .* is missing"),
    ],
)
def test_bad_studies_are_named(frame, options, match: str) -> None:
    with pytest.raises(InputError, match=match):
        attribute_agreement(frame, **options)


def test_bad_ratings_are_named() -> None:
    with pytest.raises(InputError, match="first has 3, second has 2"):
        cohen_kappa("abc", "ab")
    with pytest.raises(InputError, match=r"second\[1\] is"):
        cohen_kappa(["a", "b"], ["a", None])
    with pytest.raises(InputError, match="at least 2 ratings"):
        cohen_kappa(["a"], ["a"])
    with pytest.raises(InputError, match="row 1 holds 2"):
        fleiss_kappa([[3, 0], [1, 1]])
    with pytest.raises(InputError, match="whole numbers"):
        fleiss_kappa([[1.5, 0.5], [1, 1]])
    with pytest.raises(InputError, match="got shape"):
        fleiss_kappa([[3, 0]])
