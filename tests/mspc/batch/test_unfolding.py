"""Batches as tables, and back."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from naive_batches import dataset, simulate
from pharmaq.chemometrics import PCA
from pharmaq.errors import InputError, InputTypeError
from pharmaq.mspc import fold, unfold


# P. Nomikos, J. F. MacGregor, Technometrics 37 (1995) 41-59: time slices side by side
def test_row_by_batch_holds_time_slices_side_by_side() -> None:
    values = np.arange(12.0).reshape(2, 3, 2)
    table = unfold(dataset(values))
    assert table.dims == ("batch", "point")
    np.testing.assert_array_equal(table, values.reshape(2, 6))
    assert table["variable"].to_numpy().tolist() == ["v0", "v1"] * 3
    assert table["time"].to_numpy().tolist() == [0, 0, 1, 1, 2, 2]


# S. Wold et al., Chemom. Intell. Lab. Syst. 44 (1998) 331-340: batches on top of each other
def test_row_by_observation_holds_batches_on_top_of_each_other() -> None:
    values = np.arange(12.0).reshape(2, 3, 2)
    table = unfold(dataset(values), by="variable")
    assert table.dims == ("observation", "variable")
    np.testing.assert_array_equal(table, values.reshape(6, 2))
    assert table["batch"].to_numpy().tolist() == ["B00"] * 3 + ["B01"] * 3


@given(
    st.integers(1, 4),
    st.integers(1, 5),
    st.integers(1, 3),
    st.sampled_from(["batch", "variable"]),
)
def test_folding_gives_the_batches_back(n: int, K: int, J: int, by: str) -> None:
    batches = dataset(
        simulate(n, K, J), phase=("time", ["a"] * (K // 2) + ["b"] * (K - K // 2))
    )
    xr.testing.assert_identical(fold(unfold(batches, by=by)), batches)  # type: ignore[arg-type]


def test_missing_values_stay_missing() -> None:
    values = simulate(3, 4, 2)
    values[1, 2:] = np.nan
    assert int(np.isnan(unfold(dataset(values))).sum()) == 4


def test_tables_go_into_models() -> None:
    table = unfold(dataset(simulate(10, 5, 2)))
    scores = PCA(2).fit(table).transform(table)
    assert scores.shape == (10, 2)


def test_phase_by_batch_and_time_is_taken_where_batches_agree() -> None:
    batches = dataset(simulate(2, 3, 1))
    phase = xr.DataArray([["a", "a", "b"]] * 2, dims=("batch", "time"))
    table = unfold(batches.assign_coords(phase=phase))
    assert table["phase"].to_numpy().tolist() == ["a", "a", "b"]
    phase[1, 1] = "b"
    with pytest.raises(InputError, match=r"different phases at time 1\.0"):
        unfold(batches.assign_coords(phase=phase))
    with pytest.raises(InputError, match="phase must be a coordinate of 'time'"):
        unfold(batches.assign_coords(phase=("batch", ["a", "b"])))


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        (np.ones((2, 3)), "Dataset"),
        (xr.Dataset(coords={"batch": [1], "time": [0.0]}), "no variable"),
        (dataset(np.ones((2, 3, 1)), time=[0.0, 2.0, 1.0]), r"1\.0 follows 2\.0"),
        (dataset(np.ones((2, 3, 1)), batch=["a", "a"]), "same batch twice"),
        (dataset(np.full((2, 3, 1), np.inf)), "infinite"),
        (dataset(np.ones((2, 0, 1))), "at least one"),
        (
            dataset(np.ones((2, 3, 1))).assign(y=("batch", [1.0, 2.0])),
            "'y' must have dimensions",
        ),
        (dataset(np.full((2, 3, 1), "high")), "numbers only"),
    ],
)
def test_what_is_not_aligned_is_an_error(batches: object, message: str) -> None:
    with pytest.raises((InputError, InputTypeError), match=message):
        unfold(batches)  # type: ignore[arg-type]


def test_unknown_ways_to_unfold_are_errors() -> None:
    with pytest.raises(InputError, match="by must be one of"):
        unfold(dataset(simulate(2, 3, 1)), by="time")  # type: ignore[arg-type]


def test_tables_that_lost_labels_cannot_be_folded() -> None:
    table = unfold(dataset(simulate(3, 4, 2)))
    with pytest.raises(InputError, match=r"lost the coordinates \['units'\]"):
        fold(table.drop_vars("units"))
    with pytest.raises(InputError, match="21 values"):
        fold(table[:, :7].isel(batch=[0, 1, 2]))
    with pytest.raises(InputError, match="dimensions that unfold gives"):
        fold(table.rename(point="column"))
    with pytest.raises(InputTypeError, match="DataArray"):
        fold(table.to_numpy())  # type: ignore[arg-type]
