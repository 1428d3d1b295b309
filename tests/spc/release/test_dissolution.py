"""Dissolution: the acceptance tables at every boundary."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmaq.errors import InputError, InputTypeError
from pharmaq.spc import dissolution_stage

Q = 80.0


def immediate(n: int, good: float, *odd: float) -> list[float]:
    """`n` units of one value, the first of them odd."""
    return [*odd, *[good] * (n - len(odd))]


# derived from USP <711>, acceptance table 1
def test_truth_table_of_immediate_release(spc_data: Path) -> None:
    words = {"pass": "pass", "go": "continue", "fail": "fail"}
    cases = json.loads((spc_data / "usp711_stages.json").read_text())
    for case in cases:
        found = dissolution_stage(case["x"], q=case["Q"])
        assert found.outcome == words[case["result"].split()[0]], case
        assert found.stage == f"S{case['stage']}"
    assert len(cases) == 7


# USP <711>, acceptance table 1: each unit >= Q + 5; mean of 12 >= Q, none < Q - 15; mean of 24
# >= Q, at most 2 < Q - 15, none < Q - 25
IMMEDIATE = [
    (immediate(6, 85), "S1", "pass"),
    (immediate(6, 99, 85), "S1", "pass"),
    (immediate(6, 99, 84.999), "S1", "continue"),
    (immediate(12, 80), "S2", "pass"),
    (immediate(12, 80, 79.99), "S2", "continue"),
    (immediate(12, 90, 65), "S2", "pass"),
    (immediate(12, 90, 64.999), "S2", "continue"),
    (immediate(24, 80), "S2", "pass"),
    (immediate(24, 80, 79.99), "S3", "fail"),
    (immediate(24, 82, 64.9, 64.9), "S3", "pass"),
    (immediate(24, 90, 64.9, 64.9, 64.9), "S3", "fail"),
    (immediate(24, 90, 65, 65, 64.9, 64.9), "S3", "pass"),
    (immediate(24, 90, 55), "S3", "pass"),
    (immediate(24, 90, 54.999), "S3", "fail"),
]


@pytest.mark.parametrize(("values", "stage", "outcome"), IMMEDIATE)
def test_immediate_release_at_every_boundary(values, stage: str, outcome: str) -> None:
    found = dissolution_stage(values, q=Q)
    assert (found.stage, found.outcome) == (stage, outcome)
    more = {"S1": 6, "S2": 12}.get(stage, 0) if outcome == "continue" else 0
    assert found.n_more == more


# USP <711>, pooled sample: mean >= Q + 10 of 6, Q + 5 of 12, Q of 24 units
@pytest.mark.parametrize(
    ("pools", "stage", "outcome"),
    [
        ([90], "S1", "pass"),
        ([89.9], "S1", "continue"),
        ([80, 90], "S2", "pass"),
        ([80, 89.9], "S2", "continue"),
        ([70, 70, 90], "S3", "pass"),
        ([70, 70, 89.9], "S3", "fail"),
    ],
)
def test_pooled_samples_at_every_boundary(pools, stage: str, outcome: str) -> None:
    found = dissolution_stage(pools, q=Q, release="pooled")
    assert (found.stage, found.outcome) == (stage, outcome)


def extended(n: int, *odd: tuple[float, float, float]) -> np.ndarray:
    return np.array([*odd, *[(30.0, 55.0, 90.0)] * (n - len(odd))])


RANGES = [(20, 40), (45, 65), (80, None)]
# USP <711>, acceptance table 2: none outside; mean within, none more than 10 outside; mean
# within, at most 2 of 24 more than 10 outside, none more than 20
EXTENDED = [
    (extended(6, (20, 45, 80)), "L1", "pass"),
    (extended(6, (40, 65, 200)), "L1", "pass"),
    (extended(6, (19.9, 55, 90)), "L1", "continue"),
    (extended(6, (40.1, 55, 90)), "L1", "continue"),
    (extended(6, (30, 55, 79.9)), "L1", "continue"),
    (extended(12, (10, 55, 90)), "L2", "pass"),
    (extended(12, (9.9, 55, 90)), "L2", "continue"),
    (extended(12, (30, 75, 90)), "L2", "pass"),
    (extended(12, (30, 75.1, 90)), "L2", "continue"),
    (extended(12, (30, 55, 70)), "L2", "pass"),
    (extended(12, (30, 55, 69.9)), "L2", "continue"),
    (extended(12, (30, 44.9, 90), *[(30, 45, 90)] * 11), "L2", "continue"),
    (extended(12, (40.1, 55, 90), *[(40, 55, 90)] * 11), "L2", "continue"),
    (extended(12, (30, 55, 79.9), *[(30, 55, 80)] * 11), "L2", "continue"),
    (extended(24, (9.9, 55, 90), (9.9, 55, 90)), "L3", "pass"),
    (extended(24, (9.9, 55, 90), (50.1, 55, 90)), "L3", "pass"),
    (extended(24, (9.9, 55, 90), (9.9, 55, 90), (50.1, 55, 90)), "L3", "fail"),
    (extended(24, (9.9, 55, 90), (9.9, 55, 90), (30, 55, 69.9)), "L3", "pass"),
    (extended(24, *[(30, 55, 69.9)] * 3), "L3", "fail"),
    (extended(24, (0, 55, 90)), "L3", "pass"),
    (extended(24, (60, 55, 90)), "L3", "pass"),
    (extended(24, (60.1, 55, 90)), "L3", "fail"),
    (extended(24, (30, 55, 60)), "L3", "pass"),
    (extended(24, (30, 55, 59.9)), "L3", "fail"),
    (extended(24, (30, 44.9, 90), *[(30, 45, 90)] * 23), "L3", "fail"),
]


@pytest.mark.parametrize(("values", "stage", "outcome"), EXTENDED)
def test_extended_release_at_every_boundary(values, stage: str, outcome: str) -> None:
    found = dissolution_stage(values, release="extended", ranges=RANGES, times=[1, 4, 8])
    assert (found.stage, found.outcome) == (stage, outcome)
    assert set(found.criteria.time) == {1, 4, 8}


# USP <711>, acceptance tables 3 and 4: none above 10 in acid; mean of 12 and of 24 at most 10
# and none above 25; the buffer stage as immediate release, both at one level
DELAYED = [
    (immediate(6, 10), immediate(6, 85), "A1/B1", "pass"),
    (immediate(6, 1, 10.1), immediate(6, 85), "A1/B1", "continue"),
    (immediate(6, 10), immediate(6, 90, 84.9), "A1/B1", "continue"),
    (immediate(12, 9, 20), immediate(12, 80), "A2/B2", "pass"),
    (immediate(12, 10, 10.1, 9.9), immediate(12, 80), "A2/B2", "pass"),
    (immediate(12, 10, 10.1), immediate(12, 80), "A2/B2", "continue"),
    (immediate(12, 1, 25), immediate(12, 80), "A2/B2", "pass"),
    (immediate(12, 1, 25.1), immediate(12, 80), "A2/B2", "continue"),
    (immediate(12, 1), immediate(12, 90, 64.9), "A2/B2", "continue"),
    (immediate(24, 9, 24), immediate(24, 82, 64.9, 64.9), "A3/B3", "pass"),
    (immediate(24, 10, 10.1), immediate(24, 82, 64.9, 64.9), "A3/B3", "fail"),
    (immediate(24, 1, 25.1), immediate(24, 82, 64.9, 64.9), "A3/B3", "fail"),
    (immediate(24, 1), immediate(24, 82, 54.9), "A3/B3", "fail"),
]


@pytest.mark.parametrize(("acid", "buffer", "stage", "outcome"), DELAYED)
def test_delayed_release_at_every_boundary(acid, buffer, stage: str, outcome: str) -> None:
    found = dissolution_stage(buffer, acid=acid, q=Q, release="delayed")
    assert (found.stage, found.outcome) == (stage, outcome)


@pytest.mark.parametrize(
    ("options", "values", "hopeless"),
    [
        ({"q": Q}, immediate(6, 99, 54.9), True),
        ({"q": Q}, immediate(6, 99, 55), False),
        ({"q": Q}, immediate(12, 99, 60, 60, 60), True),
        ({"q": Q, "release": "delayed", "acid": immediate(6, 1, 26)}, immediate(6, 99), True),
        ({"release": "extended", "ranges": RANGES}, extended(6, (61, 55, 90)), True),
        ({"release": "extended", "ranges": RANGES}, extended(6, (30, 55, 59)), True),
        ({"release": "extended", "ranges": RANGES}, extended(6, (59, 55, 90)), False),
    ],
)
def test_units_that_no_stage_forgives_are_named_at_once(options, values, hopeless) -> None:
    found = dissolution_stage(values, **options)
    assert found.outcome == "continue"
    assert [f.severity for f in found.findings] == ["alert"] + ["action"] * hopeless


def test_first_stage_that_passes_decides() -> None:
    found = dissolution_stage([*[86.0] * 6, *[40.0] * 6], q=Q)
    assert (found.outcome, found.stage, found.n_units) == ("pass", "S1", 6)
    assert "other 6 play no part" in found.findings[0].message


def test_rounding_is_half_up_and_only_when_asked() -> None:
    values = immediate(6, 90, 84.5)
    assert dissolution_stage(values, q=Q).outcome == "continue"
    assert dissolution_stage(values, q=Q, digits=0).outcome == "pass"
    assert dissolution_stage(immediate(6, 90, 84.4999), q=Q, digits=0).outcome == "continue"


@pytest.mark.parametrize("q", [70.1, 80.1, 75.3])
def test_boundaries_do_not_depend_on_binary_numbers(q: float) -> None:
    assert dissolution_stage([round(q + 5, 1)] * 6, q=q).outcome == "pass"
    assert dissolution_stage(immediate(12, q, round(q - 15, 1), q + 15), q=q).outcome == "pass"


@given(st.lists(st.floats(50, 110), min_size=24, max_size=24), st.floats(0, 20))
def test_more_dissolved_is_never_worse(values: list[float], more: float) -> None:
    rank = {"fail": 0, "pass": 1}
    before = dissolution_stage(values, q=Q)
    after = dissolution_stage([x + more for x in values], q=Q)
    assert rank[after.outcome] >= rank[before.outcome]


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ([90.0] * 7, {"q": Q}, "6, 12 or 24"),
        ([90.0] * 5 + [np.nan], {"q": Q}, "NaN"),
        ([90.0] * 5 + [-1], {"q": Q}, "zero or more"),
        ([90.0] * 6, {}, "q is needed"),
        ([90.0] * 6, {"q": 0}, "q must"),
        ([90.0] * 6, {"q": Q, "acid": [1.0] * 6}, "acid has no meaning"),
        ([90.0] * 6, {"q": Q, "release": "slow"}, "release must be one of"),
        ([90.0] * 6, {"q": Q, "digits": 9}, "digits"),
        ([90.0] * 6, {"q": Q, "release": "delayed"}, "acid is needed"),
        ([90.0] * 6, {"q": Q, "release": "delayed", "acid": [1.0] * 12}, "same units"),
        ([90.0] * 4, {"q": Q, "release": "pooled"}, "one result a pool"),
        ([-1.0], {"q": Q, "release": "pooled"}, "zero or more"),
        ([90.0] * 6, {"release": "extended", "ranges": RANGES}, "column a test time"),
        (extended(6), {"release": "extended", "ranges": RANGES[:2]}, "one range a test time"),
        (extended(6), {"release": "extended", "ranges": [(1, 0)] * 3}, "rise"),
        (extended(6), {"release": "extended", "ranges": [(None, None)] * 3}, "lower or an"),
        (extended(6), {"release": "extended", "ranges": [(1, 2, 3)] * 3}, "pair"),
        (extended(7), {"release": "extended", "ranges": RANGES}, "6, 12 or 24"),
        (extended(6), {"release": "extended", "ranges": RANGES, "times": [1, 3, 2]}, "rise"),
    ],
)
def test_bad_input_is_named(values, options, message: str) -> None:
    with pytest.raises(InputError, match=message):
        dissolution_stage(values, **options)


def test_limits_in_acid_are_checked() -> None:
    options = {"q": Q, "release": "delayed", "acid": [1.0] * 6}
    with pytest.raises(InputError, match="acid_limits must rise"):
        dissolution_stage([90.0] * 6, acid_limits=(25, 10), **options)
    with pytest.raises(InputTypeError, match="acid_limits"):
        dissolution_stage([90.0] * 6, acid_limits=("a", 10), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "values", "points"),
    [
        ({"q": Q}, immediate(12, 80), 12),
        ({"q": Q, "release": "pooled"}, [92.0], 1),
        ({"q": Q, "release": "delayed", "acid": [1.0] * 6}, immediate(6, 80), 12),
        ({"release": "extended", "ranges": RANGES}, extended(6), 5),
        ({"release": "extended", "ranges": [(20, None)] * 3}, extended(6), 3),
    ],
)
def test_result_is_json_and_a_picture(options, values, points: int) -> None:
    found = dissolution_stage(values, **options)
    assert json.loads(json.dumps(found.to_dict()))["release"] == found.release
    assert not found.to_frame().empty
    axes = found.plot()
    assert sum(len(c.get_offsets()) for c in axes.collections) == points
    assert axes.get_ylabel() == "dissolved / % of label claim"
