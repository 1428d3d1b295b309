from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pharmaq.chemometrics.sampling import duplex, kennard_stone, spxy
from pharmaq.errors import InputError, InputTypeError
from pharmaq.spectra import as_spectra

Data = tuple[np.ndarray, np.ndarray]

# whole numbers, so that distances are exact and ties really are ties
grids = arrays(
    np.float64, st.tuples(st.integers(4, 12), st.integers(1, 3)), elements=st.integers(-5, 5)
).filter(lambda X: bool(np.ptp(X, axis=0).any()))


def distance_matrix(X: np.ndarray) -> np.ndarray:
    return np.sqrt(np.sum((X[:, None, :] - X[None, :, :]) ** 2, axis=2))


def farthest(D: np.ndarray, rows: list[int]) -> list[int]:
    pairs = [(i, j) for i in rows for j in rows if i < j]
    i, j = max(pairs, key=lambda pair: (D[pair], -pair[0], -pair[1]))
    return [j, i]


def spread(D: np.ndarray, selected: list[int], n_samples: int) -> list[int]:
    selected = list(selected)
    while len(selected) < n_samples:
        others = [i for i in range(len(D)) if i not in selected]
        selected.append(max(others, key=lambda i: (min(D[i, j] for j in selected), -i)))
    return selected


# R package prospectr, kenStone(X, k = 50, metric = "mahal", pc = 3), on its soil spectra
def test_kennard_stone_selects_the_rows_that_prospectr_does(
    shared: Path, chemometric_cases: dict[str, Any]
) -> None:
    expected = chemometric_cases["prospectr_kenStone_NIRsoil_k50_mahal_pc3_1based"]
    frame = pd.read_parquet(shared / "data" / "nir" / "soil_nir.parquet").iloc[:, 4:]
    result = kennard_stone(frame, 50, metric="mahalanobis", n_components=3)
    assert (result.selected + 1).tolist() == expected
    assert sorted([*result.selected, *result.remaining]) == list(range(825))


# astartes 1.3.3, KennardStone; which of the farthest pair comes first is arbitrary
def test_kennard_stone_selects_the_rows_that_astartes_does(gasoline: Data) -> None:
    expected = [56, 15, 3, 45, 19, 52, 54, 4, 13, 47, 53, 1, 17, 34, 44, 59, 37, 21]
    assert kennard_stone(gasoline[0], 20).selected.tolist() == [40, 14, *expected]


# astartes 1.3.3, SPXY
def test_spxy_selects_the_rows_that_astartes_does(gasoline: Data) -> None:
    expected = [14, 30, 38, 53, 1, 51, 56, 6, 40, 55, 21, 45, 13, 5, 50, 31, 4, 47]
    assert spxy(*gasoline, 20).selected.tolist() == [58, 3, *expected]


# R. D. Snee, Technometrics 19 (1977) 415, worked by hand on a line: 10 and 0 to calibration,
# 9 and 1 to test, then 4 (four from 0) to calibration and 6 (three from 9) to test
def test_duplex_deals_pairs_and_then_takes_turns() -> None:
    split = duplex([[0.0], [1.0], [4.0], [6.0], [9.0], [10.0]], 3)
    assert split.calibration.tolist() == [5, 0, 2]
    assert split.test.tolist() == [4, 1, 3]
    assert split.remaining.tolist() == []


def test_a_start_at_the_center_takes_the_middle_first() -> None:
    result = kennard_stone([[0.0], [4.0], [5.0], [11.0]], 3, start="center")
    assert result.selected.tolist() == [2, 3, 0]
    np.testing.assert_array_equal(result.distance, [np.nan, 6.0, 5.0])


def test_distances_tell_how_far_each_sample_was() -> None:
    assert kennard_stone([[0.0], [1.0], [5.0], [9.0]], 4).distance.tolist() == [9, 9, 4, 1]


@given(grids)
def test_kennard_stone_equals_its_slow_twin(X: np.ndarray) -> None:
    D = distance_matrix(X)
    expected = spread(D, farthest(D, list(range(len(X)))), len(X))
    assert kennard_stone(X, len(X)).selected.tolist() == expected


@given(grids, st.data())
def test_spxy_equals_its_slow_twin(X: np.ndarray, data: st.DataObject) -> None:
    y = data.draw(arrays(np.float64, len(X), elements=st.integers(-3, 3)).filter(np.ptp))
    Dx, Dy = distance_matrix(X), distance_matrix(y[:, None])
    D = Dx / Dx.max() + Dy / Dy.max()
    expected = spread(D, farthest(D, list(range(len(X)))), len(X))
    assert spxy(X, y, len(X)).selected.tolist() == expected


@given(grids)
def test_duplex_equals_its_slow_twin(X: np.ndarray) -> None:
    D, n = distance_matrix(X), len(X)
    first = farthest(D, list(range(n)))
    sets = [first, farthest(D, [i for i in range(n) if i not in first])]
    sizes = (n - 2, 2)
    for turn in range(2 * n):
        own, other = sets[turn % 2], sets[1 - turn % 2]
        left = [i for i in range(n) if i not in own and i not in other]
        if len(own) < sizes[turn % 2]:
            own.append(max(left, key=lambda i: (min(D[i, j] for j in own), -i)))
    split = duplex(X, n - 2, n_test=2)
    assert [split.calibration.tolist(), split.test.tolist()] == sets


def test_the_farthest_pair_is_found_without_all_distances() -> None:
    X = np.random.default_rng(3).normal(size=(700, 3))
    D = distance_matrix(X)
    assert kennard_stone(X, 2).selected.tolist() == farthest(D, list(range(700)))


@given(st.integers(0, 1000), st.floats(0.1, 10), st.floats(-10, 10))
def test_order_of_rows_scale_and_offset_do_not_matter(
    seed: int, scale: float, offset: float
) -> None:
    generator = np.random.default_rng(seed)
    X, order = generator.normal(size=(15, 3)), generator.permutation(15)
    expected = kennard_stone(X, 6).selected
    moved = order[kennard_stone(X[order] * scale + offset, 6).selected]
    assert moved.tolist()[2:] == expected.tolist()[2:]
    assert set(moved[:2]) == set(expected[:2])


def test_mahalanobis_distances_do_not_know_units() -> None:
    X = np.random.default_rng(0).normal(size=(20, 3))
    plain = kennard_stone(X, 8, metric="mahalanobis").selected
    mixed = kennard_stone(X * [1.0, 1000.0, 0.01], 8, metric="mahalanobis").selected
    assert plain.tolist() == mixed.tolist()


def test_all_components_are_the_same_as_all_points() -> None:
    X = np.random.default_rng(0).normal(size=(20, 3))
    on_scores = kennard_stone(X, 8, n_components=3).selected
    assert on_scores.tolist() == kennard_stone(X, 8).selected.tolist()


def test_labelled_spectra_give_the_same_rows(gasoline: Data) -> None:
    X = gasoline[0]
    labelled = as_spectra(X, axis=np.arange(900.0, 1702.0, 2.0))
    assert kennard_stone(labelled, 5).selected.tolist() == kennard_stone(X, 5).selected.tolist()


def test_identical_samples_are_chosen_last() -> None:
    result = kennard_stone([[0.0], [0.0], [1.0], [3.0]], 4)
    assert result.selected.tolist() == [3, 0, 2, 1]
    assert result.distance[-1] == 0


def test_what_duplex_does_not_need_remains() -> None:
    split = duplex(np.arange(10.0)[:, None], 3, n_test=2)
    sets = [split.calibration, split.test, split.remaining]
    assert [len(rows) for rows in sets] == [3, 2, 5]
    assert sorted(np.concatenate(sets).tolist()) == list(range(10))


def test_results_name_their_method_and_become_frames() -> None:
    X = [[0.0], [1.0], [5.0], [9.0]]
    result = spxy(X, [1.0, 2.0, 3.0, 5.0], 3)
    assert (result.method, result.metric, result.start) == ("spxy", "euclidean", "farthest")
    assert result.to_frame()["row"].tolist() == result.selected.tolist()
    assert json.loads(json.dumps(result.to_dict()))["n_components"] is None
    frame = duplex(X, 2).to_frame()
    assert frame["set"].tolist() == ["calibration"] * 2 + ["test"] * 2
    assert frame["row"].tolist() == [3, 0, 2, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_samples": 1}, "n_samples must be from 2 to 4, got 1"),
        ({"n_samples": 5}, "n_samples must be from 2 to 4, got 5"),
        ({"metric": "cosine"}, "metric must be one of 'euclidean', 'mahalanobis'"),
        ({"start": "edge"}, "start must be one of 'farthest', 'center'"),
        ({"n_components": 7}, "n_components = 7 is too many"),
        ({"metric": "mahalanobis"}, "n_components is missing: on all 3 components"),
        ({"X": np.ones((4, 3))}, "all 4 samples of X are the same"),
        ({"X": np.ones((1, 3))}, r"X holds 1 sample\(s\)"),
        ({"X": [[1.0], [np.nan]]}, r"X\[1, 0\] is NaN"),
    ],
)
def test_a_bad_argument_of_kennard_stone_is_named(
    arguments: dict[str, Any], message: str
) -> None:
    X = np.random.default_rng(0).normal(size=(4, 6))
    with pytest.raises(InputError, match=message):
        kennard_stone(**({"X": X, "n_samples": 2} | arguments))


def test_a_bad_argument_of_the_others_is_named() -> None:
    X = np.arange(5.0)[:, None]
    with pytest.raises(InputError, match="n_test must be from 2 to 2, got 3"):
        duplex(X, 3, n_test=3)
    with pytest.raises(InputError, match="n_samples must be from 2 to 3, got 4"):
        duplex(X, 4)
    with pytest.raises(InputTypeError, match="n_samples must be a whole number"):
        duplex(X, 2.0)
    with pytest.raises(InputError, match="y is constant"):
        spxy(X, np.ones(5), 2)
    with pytest.raises(InputError, match=r"y must have shape \(5,\)"):
        spxy(X, np.ones(4), 2)
