from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmaq.chemometrics import (
    ContiguousBlocks,
    LeaveBatchOut,
    RandomSubsets,
    VenetianBlinds,
    make_splitter,
)
from pharmaq.chemometrics.splitters import splitter_text
from pharmaq.errors import InputError


def parts(splitter: Any, n: int, groups: Any = None) -> list[list[int]]:
    return [test.tolist() for _, test in splitter.split(np.zeros((n, 1)), groups=groups)]


# PLS_Toolbox: venetian blinds take every s-th object, contiguous blocks neighbours
def test_segments_are_those_of_the_textbook() -> None:
    assert parts(VenetianBlinds(3), 7) == [[0, 3, 6], [1, 4], [2, 5]]
    assert parts(ContiguousBlocks(3), 7) == [[0, 1, 2], [3, 4], [5, 6]]
    assert parts(LeaveBatchOut(), 5, ["b", "b", "a", "c", "a"]) == [[0, 1], [2, 4], [3]]


@given(st.integers(2, 30), st.integers(2, 30), st.integers(1, 3))
def test_every_sample_is_left_out_once_a_round(n: int, k: int, repeats: int) -> None:
    k = min(k, n)
    for splitter in (
        VenetianBlinds(k),
        ContiguousBlocks(k),
        RandomSubsets(k, n_repeats=repeats),
    ):
        folds = list(splitter.split(np.zeros((n, 1))))
        assert len(folds) == splitter.get_n_splits()
        rounds = splitter.get_n_splits() // k
        left_out = np.concatenate([test for _, test in folds])
        assert sorted(left_out.tolist()) == sorted(list(range(n)) * rounds)
        for train, test in folds:
            assert sorted([*train, *test]) == list(range(n))


def test_random_subsets_depend_on_their_seed_only() -> None:
    one, two = RandomSubsets(4, random_state=1), RandomSubsets(4, random_state=1)
    assert parts(one, 20) == parts(two, 20)
    assert parts(one, 20) != parts(RandomSubsets(4, random_state=2), 20)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("batch", "LeaveBatchOut()"),
        ("loo", "LeaveOneOut()"),
        ("venetian(7)", "VenetianBlinds(n_splits=7)"),
        ("venetian", "VenetianBlinds(n_splits=10)"),
        (" Contiguous( 5 ) ", "ContiguousBlocks(n_splits=5)"),
        ("random(6)", "RandomSubsets(n_repeats=1, n_splits=6, random_state=0)"),
        ("random(6, 4)", "RandomSubsets(n_repeats=4, n_splits=6, random_state=0)"),
    ],
)
def test_short_names_are_read(text: str, expected: str) -> None:
    assert repr(make_splitter(text)) == expected


@pytest.mark.parametrize("text", ["batch", "loo", "venetian(7)", "contiguous(3)"])
def test_short_names_are_written_back(text: str) -> None:
    assert splitter_text(make_splitter(text)) == text


@pytest.mark.parametrize("text", ["kfold(5)", "", "loo(3)", "venetian(3,2)", "venetian(x)"])
def test_unknown_short_names_list_the_known_ones(text: str) -> None:
    with pytest.raises(InputError, match=r"is unknown; use batch, loo, venetian\(10\)"):
        make_splitter(text)


@pytest.mark.parametrize(
    ("splitter", "groups", "message"),
    [
        (VenetianBlinds(9), None, "n_splits = 9 is more than the 4 samples"),
        (ContiguousBlocks(9), None, "n_splits = 9 is more than the 4 samples"),
        (RandomSubsets(9), None, "n_splits = 9 is more than the 4 samples"),
        (VenetianBlinds(1), None, "n_splits must be at least 2, got 1"),
        (RandomSubsets(2, n_repeats=0), None, "n_repeats must be at least 1, got 0"),
        (LeaveBatchOut(), None, "groups is missing"),
        (LeaveBatchOut(), ["a"] * 4, "groups must hold at least two batches, got 1"),
    ],
)
def test_impossible_splits_are_refused(splitter: Any, groups: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parts(splitter, 4, groups)
