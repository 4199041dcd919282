from __future__ import annotations

import json
import math
import os
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import save_file

from symbreak.errors import InvalidInput, InvalidType
from symbreak.model_file import content_of, is_model_file, load_model, save_model

SETTINGS = {"layers": [2, 3], "std": 0.1, "words": ["é", ""], "none": None, "yes": True}
ARRAYS = {"theta": np.arange(6.0).reshape(2, 3), "mask": np.array([True, False])}
per_file = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None
)
names = st.text("abcé_ .0", min_size=1, max_size=5)
kinds = st.sampled_from(["f2", "f4", "f8", ">f8", "i1", "i8", "u2", "?"])
arrays = kinds.flatmap(
    lambda kind: hnp.arrays(kind, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@per_file
@given(st.dictionaries(names, arrays, max_size=3), st.dictionaries(st.text(), json_values))
def test_what_is_saved_is_loaded_bit_by_bit(tmp_path: Path, stored, plain):
    save_model(tmp_path / "m", stored, plain)
    loaded, found = load_model(tmp_path / "m")
    assert found == plain
    assert json.dumps(found, sort_keys=True) == json.dumps(plain, sort_keys=True)
    assert loaded.keys() == stored.keys()
    for name, array in stored.items():
        assert loaded[name].dtype == array.dtype.newbyteorder("=")
        assert loaded[name].shape == array.shape
        assert loaded[name].tobytes() == array.astype(loaded[name].dtype).tobytes()


def test_columns_first_and_strided_arrays_keep_their_order(tmp_path):
    array = np.arange(24.0).reshape(4, 6)
    save_model(tmp_path / "m", {"f": np.asfortranarray(array), "s": array[::2, ::-1]}, {})
    loaded, _ = load_model(tmp_path / "m")
    np.testing.assert_array_equal(loaded["f"], array)
    np.testing.assert_array_equal(loaded["s"], array[::2, ::-1])
    assert loaded["f"].flags.writeable


def test_settings_keep_nan_and_turn_keys_and_tuples_into_json(tmp_path):
    save_model(tmp_path / "m", {}, {"J": math.nan, "by": {10: 1, 9: (1, 2)}})
    _, found = load_model(tmp_path / "m")
    assert math.isnan(found["J"])
    assert found["by"] == {"10": 1, "9": [1, 2]}


def test_a_file_cut_anywhere_is_refused(tmp_path):
    save_model(tmp_path / "m", ARRAYS, SETTINGS)
    content = (tmp_path / "m").read_bytes()
    for length in range(len(content)):
        (tmp_path / "cut").write_bytes(content[:length])
        with pytest.raises(InvalidInput, match="must be a whole symbreak model file"):
            load_model(tmp_path / "cut")


def test_a_flipped_bit_is_refused_or_changes_nothing(tmp_path):
    save_model(tmp_path / "m", ARRAYS, SETTINGS)
    content = (tmp_path / "m").read_bytes()
    refused = 0
    for place in range(len(content)):
        for bit in (0, 5):
            altered = bytearray(content)
            altered[place] ^= 1 << bit
            (tmp_path / "altered").write_bytes(altered)
            try:
                loaded, found = load_model(tmp_path / "altered")
            except InvalidInput:
                refused += 1
                continue
            assert found == SETTINGS
            assert all(np.array_equal(loaded[name], ARRAYS[name]) for name in ARRAYS)
    assert refused > 1.7 * len(content)


def _header(**changes: object) -> dict[str, str]:
    header = {"format": 1, "checksum": "0", "settings": {}} | changes
    return {"symbreak": json.dumps(header)}


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        (None, "without symbreak's settings"),
        ({"other": "1"}, "without symbreak's settings"),
        ({"symbreak": "{"}, "settings that cannot be read"),
        ({"symbreak": "[" * 100_000}, "settings that cannot be read"),
        ({"symbreak": "[]"}, "settings of another form"),
        (_header(format=2), "must be of format version 1. Got 2"),
        (_header(format=True), "must be of format version 1. Got True"),
        (_header(settings=[]), "settings of another form"),
        (_header(checksum=None), "does not match its checksum"),
        (_header(), "does not match its checksum"),
    ],
)
def test_other_safetensors_files_are_refused(tmp_path, metadata, words):
    save_file({"theta": np.zeros(2)}, tmp_path / "m", metadata=metadata)
    with pytest.raises(InvalidInput, match=words):
        load_model(tmp_path / "m")


@pytest.mark.parametrize(
    "content",
    [b"", b"junk", b"\x80\x04}.", b"\xff" * 64, (10**6).to_bytes(8, "little") + b"{}"],
)
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(InvalidInput, match="must be a whole symbreak model file") as caught:
        load_model(tmp_path / "m")
    assert "\n" not in str(caught.value)


def test_kinds_that_numpy_does_not_know_are_refused(tmp_path):
    header = json.dumps(
        {
            "__metadata__": _header(),
            "t": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]},
        }
    ).encode()
    (tmp_path / "m").write_bytes(len(header).to_bytes(8, "little") + header + b"\0\0")
    with pytest.raises(InvalidInput):
        load_model(tmp_path / "m")


@pytest.mark.parametrize("name", ["none", "a\0b", "x" * 5000])
def test_a_missing_file_is_refused(tmp_path, name):
    with pytest.raises(InvalidInput, match="must be an existing file"):
        load_model(tmp_path / name)


def test_a_folder_is_no_model(tmp_path):
    with pytest.raises(InvalidInput, match=r"must be a file\. Got a folder"):
        load_model(tmp_path)


@pytest.mark.parametrize("kind", [object, complex, "U3", "M8[s]"])
def test_arrays_of_other_kinds_are_not_saved(tmp_path, kind):
    with pytest.raises(InvalidType, match="real numbers or booleans"):
        save_model(tmp_path / "m", {"a": np.zeros(2).astype(kind)}, {})
    assert not list(tmp_path.iterdir())


def test_settings_that_are_not_plain_are_not_saved(tmp_path):
    with pytest.raises(InvalidType, match="must be plain JSON data"):
        save_model(tmp_path / "m", {}, {"f": print})


@pytest.mark.parametrize("name", ["__metadata__", "a\n", "\ud800"])
def test_names_that_cannot_be_stored_are_refused(tmp_path, name):
    with pytest.raises(InvalidInput, match="name of an array"):
        save_model(tmp_path / "m", {name: np.zeros(2)}, {})


def test_an_older_model_survives_a_failed_save(tmp_path, monkeypatch):
    save_model(tmp_path / "m", ARRAYS, SETTINGS)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InvalidInput, match="No space left on device"):
        save_model(tmp_path / "m", {}, {})
    assert load_model(tmp_path / "m")[1] == SETTINGS
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


_heard: list[str] | None = None


def _listen(event: str, _: tuple[object, ...]) -> None:
    if _heard is not None:
        _heard.append(event)


def test_loading_executes_nothing(tmp_path):
    global _heard
    save_model(tmp_path / "m", ARRAYS, SETTINGS)
    load_model(tmp_path / "m")
    sys.addaudithook(_listen)
    _heard = []
    load_model(tmp_path / "m")
    events, _heard = _heard, None
    unwanted = ("exec", "compile", "import", "subprocess.", "os.system", "os.exec", "pickle.")
    assert not [event for event in events if event.startswith(unwanted)]
    _heard = []
    exec("")
    events, _heard = _heard, None
    assert "exec" in events, "the hook must hear what it listens for"


def test_a_model_file_is_known_by_its_settings(tmp_path):
    save_model(tmp_path / "m.safetensors", ARRAYS, SETTINGS)
    assert is_model_file(tmp_path / "m.safetensors") is True
    save_file(ARRAYS, tmp_path / "w")
    assert is_model_file(tmp_path / "w") is False
    save_file(ARRAYS, tmp_path / "w", metadata={"format": "pt"})
    assert is_model_file(tmp_path / "w") is False
    (tmp_path / "w").write_bytes((tmp_path / "m.safetensors").read_bytes()[:-1])
    for name in ("w", "missing", "."):
        assert is_model_file(tmp_path / name) is None


@pytest.mark.parametrize("place", range(len("symbreak")))
def test_a_model_file_whose_key_is_damaged_is_still_known_for_one(tmp_path, place):
    save_model(tmp_path / "m", ARRAYS, SETTINGS)
    damaged = "symbreak"[:place] + "_" + "symbreak"[place + 1 :]
    content = (tmp_path / "m").read_bytes().replace(b'"symbreak"', f'"{damaged}"'.encode())
    (tmp_path / "m").write_bytes(content)
    assert is_model_file(tmp_path / "m") is True
    with pytest.raises(InvalidInput, match="without symbreak's settings"):
        load_model(tmp_path / "m")


def test_a_large_foreign_file_is_refused_before_it_is_read(tmp_path):
    save_file({"w": np.zeros(1_000_000)}, tmp_path / "w", metadata={"format": "pt"})
    tracemalloc.start()
    with pytest.raises(InvalidInput, match="without symbreak's settings"):
        load_model(tmp_path / "w")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


def test_what_a_file_says_wrongly_is_one_sentence_that_names_it():
    with (
        pytest.raises(InvalidInput, match=r"Model 'm' must .* content that does not fit"),
        content_of("m"),
    ):
        int("x")
    with pytest.raises(InvalidType, match="as it is"), content_of("m"):
        raise InvalidType("as it is")
