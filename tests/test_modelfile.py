"""A model file gives back what was saved, or says that it cannot."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from pharmaq.errors import FileAccessError, FormatError, InputError
from pharmaq.modelfile import load, save, write_atomically

REFUSED = r"is not a pharmaq model file, or it was truncated or changed after it was sealed"

keys = st.text(max_size=5).filter(lambda key: key != "$array")
stored_arrays = st.sampled_from(["<f8", ">f8", "<f4", "<i8", "<u1", "|b1", "<U4"]).flatmap(
    lambda dtype: arrays(dtype, array_shapes(max_dims=3, min_side=0, max_side=4))
)
plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
)
contents = st.dictionaries(
    keys,
    st.recursive(
        plain | stored_arrays,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=4,
)


def same(one: Any, two: Any) -> bool:
    """Tell whether two contents agree in type, shape and value, NaN included."""
    if isinstance(one, dict):
        return isinstance(two, dict) and set(one) == set(two) and all(
            same(one[key], two[key]) for key in one
        )  # fmt: skip
    if isinstance(one, list):
        return len(one) == len(two) and all(map(same, one, two))
    if isinstance(one, np.ndarray):
        alike = isinstance(two, np.ndarray) and one.shape == two.shape
        kind = alike and one.dtype.newbyteorder("=") == two.dtype.newbyteorder("=")
        return kind and np.array_equal(one, two, equal_nan=one.dtype.kind == "f")
    return type(one) is type(two) and one == two


def canonical(value: Any) -> bytes:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode()


def forged(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """Write a file as the documentation of the module describes it, all hashes right."""
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
    seal = hashlib.sha256(canonical(hashes)).hexdigest()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        archive.writestr("seal.json", canonical({"members": hashes, "seal": seal}))
        archive.comment = bytes(64)
    raw = stream.getvalue()[:-64]
    return raw + hashlib.sha256(raw).hexdigest().encode()


def body(content: Any, **changes: Any) -> bytes:
    head = {"format": "pharmaq-model", "version": 1, "kind": "test", "content": content}
    return canonical(head | changes)


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "model.pqm"
    save(path, "test", {"coef": np.linspace(0, 1, 5), "names": np.array(["a", "b"]), "n": 2})
    return path


# --- what is saved comes back --------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents)
def test_any_content_comes_back_as_it_was(tmp_path: Path, content: dict[str, Any]) -> None:
    path = tmp_path / "model.pqm"
    seal = save(path, "test", content)
    back, seal_of_file = load(path, "test")
    assert same(content, back)
    assert seal == seal_of_file


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents)
def test_equal_content_gives_equal_bytes(tmp_path: Path, content: dict[str, Any]) -> None:
    one, two = tmp_path / "one.pqm", tmp_path / "two.pqm"
    backwards = dict(reversed(content.items()))
    assert save(one, "test", content) == save(two, "test", backwards)
    assert one.read_bytes() == two.read_bytes()


def test_other_content_gives_another_seal(tmp_path: Path) -> None:
    contents = [
        {"a": 1}, {"a": 1.0}, {"a": "1"}, {"a": True}, {"b": 1},
        {"a": [1, 2]}, {"a": np.array([1, 2])}, {"a": np.array([1.0, 2.0])},
        {"a": np.array([[1.0, 2.0]])}, {"a": np.array(["1", "2"])},
    ]  # fmt: skip
    seals = {save(tmp_path / "model.pqm", "test", content) for content in contents}
    seals.add(save(tmp_path / "model.pqm", "other", contents[0]))
    assert len(seals) == len(contents) + 1


def test_layout_and_byte_order_of_an_array_do_not_change_the_file(tmp_path: Path) -> None:
    values = np.arange(6.0).reshape(2, 3)
    alike = [values, np.asfortranarray(values), values.astype(">f8"), values[::1, ::1].copy()]
    assert len({save(tmp_path / "model.pqm", "test", {"x": x}) for x in alike}) == 1


def test_arrays_keep_nan_and_other_values_are_plain(tmp_path: Path) -> None:
    content = {
        "array": np.array([1.0, np.nan, -np.inf]),
        "number": np.float64(0.1),
        "whole": np.int64(3),
        "nan": float("nan"),
        "pair": (1, 2),
        "single": np.array(2.5),
        "texts": np.array(["a", "bc"], dtype=object),
        7: "seven",
    }
    save(tmp_path / "model.pqm", "test", content)
    back, _ = load(tmp_path / "model.pqm", "test")
    np.testing.assert_array_equal(back.pop("array"), content["array"])
    assert back.pop("texts").tolist() == ["a", "bc"]
    assert back == {
        "number": 0.1, "whole": 3, "nan": None, "pair": [1, 2], "single": 2.5, "7": "seven",
    }  # fmt: skip


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.0.0", reason="needs numpy 2")
def test_text_of_variable_width_comes_back(tmp_path: Path) -> None:
    texts = ["a", "a text that is too long to be held inside the array"]
    save(tmp_path / "model.pqm", "test", {"x": np.array(texts, dtype="T")})
    assert load(tmp_path / "model.pqm", "test")[0]["x"].tolist() == texts


def test_arrays_that_come_back_can_be_written_to(model: Path) -> None:
    content, _ = load(model, "test")
    content["coef"][0] = 5.0
    assert content["coef"][0] == 5.0


def test_the_content_is_not_changed_by_saving(tmp_path: Path) -> None:
    content = {"x": np.array([1.0, 2.0]), "deep": {"y": [np.array(["a"])]}}
    save(tmp_path / "model.pqm", "test", content)
    assert content["x"].tolist() == [1.0, 2.0]
    assert content["deep"]["y"][0].tolist() == ["a"]


def test_a_model_file_is_a_zip_that_other_tools_open(model: Path) -> None:
    with zipfile.ZipFile(model) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a0.npy", "a1.npy", "model.json", "seal.json"]
        document = json.loads(archive.read("model.json"))
        coef = np.load(io.BytesIO(archive.read("a0.npy")), allow_pickle=False)
    assert document["kind"] == "test"
    assert document["content"]["n"] == 2
    assert coef.tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_the_seal_is_the_hash_over_the_hashes_of_the_members(model: Path) -> None:
    with zipfile.ZipFile(model) as archive:
        names = [name for name in archive.namelist() if name != "seal.json"]
        members = {name: archive.read(name) for name in names}
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
    assert load(model, "test")[1] == hashlib.sha256(canonical(hashes)).hexdigest()


# --- what was changed is refused -----------------------------------------------------------


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_changed_byte_is_noticed(model: Path, tmp_path: Path, data: st.DataObject) -> None:
    raw = bytearray(model.read_bytes())
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    changed = tmp_path / "changed.pqm"
    changed.write_bytes(raw)
    with pytest.raises(FormatError, match=REFUSED):
        load(changed, "test")


def test_any_truncation_is_noticed(model: Path, tmp_path: Path) -> None:
    raw = model.read_bytes()
    short = tmp_path / "short.pqm"
    for length in range(len(raw)):
        short.write_bytes(raw[:length])
        with pytest.raises(FormatError, match=REFUSED):
            load(short, "test")


@pytest.mark.parametrize("extra", [b"\n", b"PK", bytes(64)])
def test_added_bytes_are_noticed(model: Path, tmp_path: Path, extra: bytes) -> None:
    longer = tmp_path / "longer.pqm"
    for raw in (model.read_bytes() + extra, extra + model.read_bytes()):
        longer.write_bytes(raw)
        with pytest.raises(FormatError, match=REFUSED):
            load(longer, "test")


def test_a_member_that_was_exchanged_is_noticed(model: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(model) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["a0.npy"] = npy(np.zeros(5))
    changed = tmp_path / "changed.pqm"
    with zipfile.ZipFile(changed, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(FormatError, match=REFUSED):
        load(changed, "test")


def without_seal(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        archive.comment = bytes(64)
    raw = stream.getvalue()[:-64]
    return raw + hashlib.sha256(raw).hexdigest().encode()


def twice_in_one_place() -> bytes:
    """A zip whose directory lists one large member over and over."""
    raw = forged({"model.json": body({}), "a0.npy": npy(np.zeros(2000))})[:-64]
    stream = io.BytesIO(raw + bytes(64))
    with zipfile.ZipFile(stream, "a") as archive:
        archive.filelist += [archive.getinfo("a0.npy")] * 20
        archive.comment = bytes(63) + b" "
    raw = stream.getvalue()[:-64]
    return raw + hashlib.sha256(raw).hexdigest().encode()


REFERENCE = {"x": {"$array": "a0"}}
OBJECTS = np.array([{"a": 1}, print], dtype=object)
HUGE = b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f8', 'fortran_order': False, 'shape': (%d,), }"
FORGERIES: dict[str, Callable[[], bytes]] = {
    "pickled objects": lambda: forged({"model.json": body(REFERENCE), "a0.npy": npy(OBJECTS)}),
    "bare pickle": lambda: forged({"model.json": body(REFERENCE), "a0.npy": pickle.dumps([1])}),
    "missing array": lambda: forged({"model.json": body(REFERENCE)}),
    "array that is none": lambda: forged({"model.json": body(REFERENCE), "a0.npy": b"1, 2"}),
    "array too large": lambda: forged(
        {"model.json": body(REFERENCE), "a0.npy": (HUGE % 10**17).ljust(127) + b"\n"}
    ),
    "list as reference": lambda: forged({"model.json": body({"x": {"$array": [0]}})}),
    "no model": lambda: forged({"a0.npy": npy(np.zeros(2))}),
    "no content": lambda: forged({"model.json": body(0).replace(b"content", b"con")}),
    "a list": lambda: forged({"model.json": b"[]"}),
    "no json": lambda: forged({"model.json": b"{"}),
    "deep json": lambda: forged({"model.json": b"[" * 100_000}),
    "not utf-8": lambda: forged({"model.json": b"\xff\xfe\xff"}),
    "no seal": lambda: without_seal({"model.json": body({})}),
    "another seal": lambda: without_seal({"model.json": body({}), "seal.json": b"{}"}),
    "a seal that is a list": lambda: without_seal({"model.json": body({}), "seal.json": b"[]"}),
    "compressed": lambda: forged({"model.json": body({})}, zipfile.ZIP_DEFLATED),
    "compressed with bzip2": lambda: forged({"model.json": body({})}, zipfile.ZIP_BZIP2),
    "compressed with lzma": lambda: forged({"model.json": body({})}, zipfile.ZIP_LZMA),
    "members in one place": twice_in_one_place,
    "empty": lambda: b"",
    "text": lambda: b"1100;1102\n0.1;0.2\n",
    "only a digest": lambda: hashlib.sha256(b"").hexdigest().encode(),
    "pickle": lambda: pickle.dumps({"kind": "test"}),
}  # fmt: skip


def test_the_forger_writes_what_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "forged.pqm"
    path.write_bytes(forged({"model.json": body(REFERENCE), "a0.npy": npy(np.arange(3.0))}))
    assert load(path, "test")[0]["x"].tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_file_is_refused(tmp_path: Path, forgery: str) -> None:
    path = tmp_path / "forged.pqm"
    path.write_bytes(FORGERIES[forgery]())
    with pytest.raises(FormatError, match=REFUSED) as caught:
        load(path, "test")
    assert "forged.pqm" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_in_a_forged_file_runs(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, tuple[Path]]:
            return Path.touch, (tmp_path / "exploded",)

    bomb = np.empty(1, dtype=object)
    bomb[0] = Bomb()
    path = tmp_path / "forged.pqm"
    path.write_bytes(forged({"model.json": body(REFERENCE), "a0.npy": npy(bomb)}))
    with pytest.raises(FormatError, match=REFUSED):
        load(path, "test")
    assert not (tmp_path / "exploded").exists()


def test_a_model_of_another_kind_is_refused(model: Path) -> None:
    with pytest.raises(FormatError, match=r"model\.pqm holds a 'test', not a 'calibration'"):
        load(model, "calibration")


@pytest.mark.parametrize("changes", [{"version": 2}, {"version": None}, {"format": "other"}])
def test_another_format_or_version_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = tmp_path / "new.pqm"
    path.write_bytes(forged({"model.json": body({}, **changes)}))
    with pytest.raises(FormatError, match="this pharmaq reads 'pharmaq-model' version 1: use"):
        load(path, "test")


@pytest.mark.parametrize("name", ["missing.pqm", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        FileAccessError, match=r"^cannot read .*: (No such file|Is a directory)"
    ):
        load(tmp_path / name, "test")


# --- what cannot be stored -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"x": object()}, "object has no JSON form"),
        ({"x": {1, 2}}, "set has no JSON form"),
        ({"x": [b"bytes"]}, "bytes has no JSON form"),
        ({"x": 1j}, "complex has no JSON form"),
        ({"x": np.array([1, None])}, "array of objects may hold text only, got 1"),
        ({"x": np.array(["a", None])}, "array of objects may hold text only, got None"),
        ({"x": np.ma.array([1.0, 2.0], mask=[0, 1])}, "masked array has no plain form; fill"),
        ({"x": np.zeros(2, dtype=[("a", object)])}, "[Oo]bject arrays cannot be saved"),
        ({"x": {1: "a", "1": "b"}}, "keys must differ as text"),
        ({"x": {"$array": "a0"}}, r"none be '\$array'"),
        ({"x": "\ud800"}, "surrogates not allowed"),
    ],
)
def test_content_that_cannot_be_stored_is_refused(
    tmp_path: Path, content: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=f"^content cannot be stored: .*{message}"):
        save(tmp_path / "model.pqm", "test", content)
    assert list(tmp_path.iterdir()) == []


def test_content_that_cannot_be_stored_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "model.pqm"
    save(path, "test", {"n": 1})
    with pytest.raises(InputError, match="content cannot be stored"):
        save(path, "test", {"n": object()})
    assert load(path, "test")[0] == {"n": 1}


# --- writing -------------------------------------------------------------------------------


def test_an_older_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    write_atomically(path, "long old text")
    write_atomically(str(path), "µg\n")
    assert path.read_bytes() == "µg\n".encode()
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace", "tempfile.mkstemp"])
def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "out.csv"
    path.write_text("old")
    monkeypatch.setattr(step, full)
    with pytest.raises(FileAccessError, match=r"cannot write .*out\.csv: No space left"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("function", [write_atomically, lambda path, _: save(path, "test", {})])
def test_a_missing_folder_is_named(tmp_path: Path, function: Any) -> None:
    with pytest.raises(FileAccessError, match=r"there is no folder .*nowhere; make it first"):
        function(tmp_path / "nowhere" / "model.pqm", b"")


def test_a_folder_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    with pytest.raises(FileAccessError, match=r"cannot write .*: Is a directory"):
        write_atomically(tmp_path, b"")
    assert tmp_path.is_dir()
    assert list(tmp_path.parent.glob(f".{tmp_path.name}.*")) == []
