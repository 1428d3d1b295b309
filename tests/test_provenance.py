"""A record of where a result comes from: equal inputs have equal hashes, others do not."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import platform
import struct
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import pharmaq
from pharmaq import provenance
from pharmaq.errors import FileAccessError, InputError, InputTypeError
from pharmaq.provenance import hash_array, hash_file, record_provenance

dtypes = st.sampled_from(["<f8", "<f4", "<i8", "<i4", "<u2", "|b1", "<U3", "<M8[s]"])
shapes = array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
any_array = dtypes.flatmap(lambda dtype: arrays(dtype, shapes))


# FIPS 180-4 with the example "abc" of NIST
def test_hash_of_a_file_is_sha_256_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    assert hash_file(path) == hash_file(str(path))
    assert hash_file(path) == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_hash_of_an_array_is_sha_256_of_type_shape_and_values() -> None:
    values = struct.pack("<4d", 1.0, -2.5, 3.0, 0.0)
    expected = hashlib.sha256(b"<f8 (2, 2)" + values).hexdigest()
    assert hash_array([[1.0, -2.5], [3.0, 0.0]]) == expected


@given(any_array)
def test_the_hash_does_not_depend_on_layout_and_byte_order(array: np.ndarray) -> None:
    spread = np.repeat(array, 2, axis=0)[::2] if array.ndim else array
    alike = [
        np.array(array, order="F"),
        array.astype(array.dtype.newbyteorder(">")),
        spread,
        array.copy(),
    ]
    assert {hash_array(other) for other in alike} == {hash_array(array)}


@given(any_array, any_array)
def test_arrays_that_differ_have_different_hashes(one: np.ndarray, two: np.ndarray) -> None:
    alike = one.shape == two.shape and one.dtype == two.dtype
    assume(not (alike and one.tobytes() == two.tobytes()))
    assert hash_array(one) != hash_array(two)


@given(any_array, st.data())
def test_one_changed_value_changes_the_hash(array: np.ndarray, data: st.DataObject) -> None:
    assume(array.size)
    place = data.draw(st.integers(0, array.size - 1))
    value = data.draw(arrays(array.dtype, ()))
    changed = array.copy()
    changed.flat[place] = value
    assume(changed.tobytes() != array.tobytes())
    assert hash_array(changed) != hash_array(array)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (5.0, [5.0]),
        ([1.0, 2.0], [[1.0, 2.0]]),
        ([1, 2], [1.0, 2.0]),
        ([1.0], np.array([1.0], dtype=np.float32)),
        ([0, 1], [False, True]),
        ([[]], []),
        (["1"], [1]),
    ],
)
def test_another_shape_or_type_is_another_hash(one: Any, two: Any) -> None:
    assert hash_array(one) != hash_array(two)


def test_text_has_the_same_hash_in_every_container() -> None:
    texts = ["A", "Bc"]
    alike = [texts, np.array(texts, dtype=object), pd.Series(texts), pd.Index(texts)]
    assert {hash_array(text) for text in alike} == {hash_array(np.array(texts))}


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.0.0", reason="needs numpy 2")
def test_text_of_variable_width_is_hashed_by_its_letters() -> None:
    text = np.array(["a", "a text that is too long to be held inside the array"], dtype="T")
    assert hash_array(text) == hash_array(np.array(text.tolist()))


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        FileAccessError, match=r"^cannot read .*: (No such file|Is a directory)"
    ):
        hash_file(tmp_path / name)


def test_a_record_holds_what_a_result_depends_on(tmp_path: Path) -> None:
    path = tmp_path / "spectra.csv"
    path.write_bytes(b"1100;1102\n")
    record = record_provenance(
        parameters={"alpha": np.float64(0.05), "window": (1, 2), "limit": np.nan},
        arrays={"y": [1.0, 2.0]},
        files={"spectra": path},
    )
    assert record.parameters == {"alpha": 0.05, "window": [1, 2], "limit": None}
    assert record.inputs == {
        "y": {
            "sha256": hashlib.sha256(b"<f8 (2,)" + struct.pack("<2d", 1, 2)).hexdigest(),
            "shape": [2],
            "dtype": "float64",
        },
        "spectra": {
            "file": "spectra.csv",
            "sha256": hashlib.sha256(b"1100;1102\n").hexdigest(),
            "bytes": 10,
        },
    }


def test_a_record_names_versions_and_the_time_in_utc() -> None:
    before = dt.datetime.now(dt.UTC).replace(microsecond=0)
    record = record_provenance()
    assert before <= dt.datetime.fromisoformat(record.created) <= dt.datetime.now(dt.UTC)
    assert record.created.endswith("+00:00")
    assert record.versions["pharmaq"] == pharmaq.__version__
    assert record.versions["python"] == platform.python_version()
    assert record.versions["numpy"] == np.__version__
    assert (record.parameters, record.inputs) == ({}, {})


def test_a_package_that_is_missing_is_recorded_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_there(package: str) -> str:
        raise PackageNotFoundError(package)

    monkeypatch.setattr(provenance, "version", not_there)
    assert record_provenance().versions["numba"] == "not installed"


def test_a_record_is_json_and_a_frame() -> None:
    record = record_provenance(parameters={"alpha": 0.05}, arrays={"y": np.zeros((2, 3))})
    assert json.loads(json.dumps(record.to_dict()))["inputs"]["y"]["shape"] == [2, 3]
    frame = record.to_frame()
    assert frame.columns.tolist() == ["section", "name", "value"]
    rows = frame.set_index(["section", "name"])["value"]
    assert rows["created", "time (UTC)"] == record.created
    assert rows["parameter", "alpha"] == "0.05"
    assert rows["input", "y: shape"] == "[2, 3]"
    assert rows["version", "numpy"] == np.__version__


def test_what_is_hashed_and_recorded_is_not_changed() -> None:
    values = np.array([3.0, 1.0], dtype=">f8")
    parameters = {"ranges": [[1, 2]]}
    record = record_provenance(parameters=parameters, arrays={"x": values})
    record.parameters["ranges"][0][0] = 9
    assert parameters == {"ranges": [[1, 2]]}
    assert values.dtype.str == ">f8"
    assert values.tolist() == [3.0, 1.0]


def test_an_array_and_a_file_need_different_names(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"arrays and files must have different names.*'x'"):
        record_provenance(arrays={"x": [1.0]}, files={"x": tmp_path})


def test_an_input_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileAccessError, match=r"cannot read .*no\.csv"):
        record_provenance(files={"spectra": tmp_path / "no.csv"})


def test_a_parameter_without_plain_form_is_a_type_error() -> None:
    with pytest.raises(InputTypeError, match="object has no JSON form"):
        record_provenance(parameters={"model": object()})
