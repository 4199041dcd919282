from __future__ import annotations

import datetime
import os
import subprocess
import sys
import tracemalloc
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.io import savemat

from symbreak.errors import InvalidInput
from symbreak.tables import read_arrays, read_text
from symbreak.tables.read import read_table
from symbreak.tables.table import MISSING

per_file = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)


@pytest.fixture
def written(tmp_path):
    def write(content: str | bytes, name: str = "data.csv") -> Path:
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return write


def test_quoted_headers_and_every_kind_of_column(written):
    text = 'a,"b, c",d e,f,g\n1,x,1.5,true,01\n,"y ""z"", w",2,False,2x\n-3, x ,1e-3,TRUE,\n'
    table = read_table(written(text))
    assert table.frame.to_dict(as_series=False) == {
        "a": [1, None, -3],
        "b, c": ["x", 'y "z", w', "x"],
        "d e": [1.5, 2.0, 0.001],
        "f": [True, False, True],
        "g": ["01", "2x", None],
    }
    assert table.source == "data.csv"


@pytest.mark.parametrize("word", MISSING)
def test_missing_words_in_numbers_and_text(written, word):
    frame = read_table(written(f"a,b\n{word},x\n1.5,{word}\n2,y\n")).frame
    assert frame["a"].to_list() == [None, 1.5, 2.0]
    assert frame["b"].to_list() == ["x", None, "y"]


@pytest.mark.parametrize("last", ["1.5", "x", "true"])
def test_a_column_may_change_its_kind_in_the_last_row(written, last):
    column = read_table(written("a\n" + "1\n" * 5000 + last + "\n")).column("a")
    kind = {"1.5": pl.Float64}.get(last, pl.String)
    assert column.dtype == kind
    assert str(column[-1]) == last
    assert len(column) == 5001


@per_file
@given(st.lists(st.floats(allow_nan=False) | st.none(), min_size=1, max_size=5))
def test_floats_come_back_bit_by_bit(tmp_path, values):
    cells = ["NA" if value is None else repr(value) for value in values]
    (tmp_path / "f.csv").write_text("\n".join(["x,y", *(f"{cell},0.5" for cell in cells)]))
    found = read_table(tmp_path / "f.csv").column("x").to_list()
    assert [None if one is None else float(one).hex() for one in found] == [
        None if one is None else one.hex() for one in values
    ]


@pytest.mark.parametrize(
    ("name", "separator"), [("a.tsv", "\t"), ("a.txt", "\t"), ("a.txt", ","), ("a.csv", ";")]
)
def test_the_separator_is_found_in_the_header(written, name, separator):
    text = f'a{separator}"b,\t;"\n1{separator}x\n'
    assert read_table(written(text, name)).frame.rows() == [(1, "x")]


@pytest.mark.parametrize(
    "text",
    ["\ufeffa,b\n1,2\n3,4", "a,b\r\n1,2\r\n3,4\r\n", "a,b\r1,2\r3,4", "\na,b\n\n1,2\n\n3,4\n\n"],
)
def test_marks_line_endings_and_blank_lines_do_not_matter(written, text):
    assert read_table(written(text)).frame.to_dict(as_series=False) == {"a": [1, 3], "b": [2, 4]}


def test_a_row_of_missing_values_is_a_row(written):
    assert read_table(written("a,b\n1,2\n,\n\n3,4\n")).frame.rows() == [
        (1, 2),
        (None, None),
        (3, 4),
    ]


@pytest.mark.parametrize("name", ["^a.*$", "*", "a\nb", "a'b", "c0"])
def test_odd_column_names_are_only_names(written, name):
    table = read_table(written(f'x,"{name}"\n1,2\n'))
    assert table.column(name).to_list() == [2]


def test_columns_can_stay_as_they_were_written(written):
    path = written("code,n\n01,1\n02,?\n")
    assert read_table(path).column("code").to_list() == [1, 2]
    assert read_table(path, text=["code"]).column("code").to_list() == ["01", "02"]
    assert read_table(path, text=["n", "absent"]).column("n").to_list() == ["1", None]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "empty file"),
        ("\n\n", "only blank lines"),
        ("a,b\n", "at least one row"),
        ("a,b,a\n1,2,3\n", "different names. Got 'a' more than once"),
        (",b\n1,2\n", "Column 1 of 'data.csv' must have a name"),
        ("a,b\n1,2\n\n3\n", r"Row 2 of 'data.csv' \(line 4\) must have 2 values.*Got 1"),
        ("a,b\n1\n2,3\n", r"Row 1 of 'data.csv' \(line 2\) must have 2 values.*Got 1"),
        ("a,b\n1,2,3\n2,3\n", r"Row 1 of 'data.csv' \(line 2\) must have 2 values.*Got 3"),
        ("a,b\n1,2\n3,4,5\n", r"Row 2 of 'data.csv' \(line 3\) must have 2 values.*Got 3"),
        ('a,b\n"1\n1",2\n\n1,"2\n', r"Row 2 of 'data.csv' \(line 5\) must have quotes .*: 1,\"2$"),
        ('a,b\n1,"2"3\n', r"Row 1 of 'data.csv' \(line 2\) must have quotes .*: 1,\"2\"3$"),
        ('\na,b\n1,2\n1,5" x\n', r"Row 2 of 'data.csv' \(line 4\) must have quotes"),
        ('a,b\n1, "2\n', r"Row 1 of 'data.csv' \(line 2\) must have quotes"),
        ('a,b,c\n1,2,3\n1,"2\n1,2,3\n', r"Row 2 of 'data.csv' \(line 3\) must have quotes"),
        ('a,"b\n1,2\n3,4\n', "The first line of 'data.csv' must have quotes"),
        ('a,b\n1,2\n3,"4",', r"Row 2 of 'data.csv' \(line 3\) must have 2 values.*Got 3"),
        (b"a,b\n1,\xff\n", "text in UTF-8"),
        (bytes(range(256)), "text in UTF-8"),
        ("a,b\n1,2\n".encode("utf-16"), "text in UTF-8"),
    ],
)
def test_bad_text_gets_one_sentence(written, content, words):
    with pytest.raises(InvalidInput, match=words) as caught:
        read_table(written(content))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", ["parquet", "npz", "mat", "xlsx"])
@pytest.mark.parametrize("content", [b"junk", b"\x80\x04]." * 50, b"PK\x03\x04" + b"\0" * 40])
def test_bad_files_of_other_kinds_get_one_sentence(written, ending, content):
    with pytest.raises(InvalidInput) as caught:
        read_table(written(content, f"data.{ending}"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["none.csv", "a\0.csv", "x" * 5000, "folder.csv"])
def test_what_is_no_file_is_refused(tmp_path, name):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InvalidInput, match=r"must be (a|an existing) file"):
        read_table(tmp_path / name)


@per_file
@given(st.binary(max_size=60) | st.text("ab1,;\t\n\r\"' .?", max_size=40).map(str.encode))
def test_any_bytes_are_a_table_or_one_sentence(tmp_path, content):
    (tmp_path / "any.csv").write_bytes(content)
    with suppress(InvalidInput):
        assert read_table(tmp_path / "any.csv").n_rows > 0


def test_parquet_kinds_become_the_normal_form(tmp_path):
    pl.DataFrame(
        {
            "n": pl.Series([1, 2, None], dtype=pl.UInt8),
            "x": [1.5, float("nan"), None],
            "d": pl.Series(["1.25", "2", None]).cast(pl.Decimal(10, 2)),
            "c": pl.Series(["u", " NA", "u "], dtype=pl.Categorical),
            "e": pl.Series(["u", None, "v"], dtype=pl.Enum(["u", "v"])),
            "o": pl.Series([None, None, None]),
            "t": [datetime.date(2020, 1, 1)] * 3,
        }
    ).write_parquet(tmp_path / "a.parquet")
    assert read_table(tmp_path / "a.parquet").frame.to_dict(as_series=False) == {
        "n": [1, 2, None],
        "x": [1.5, None, None],
        "d": [1.25, 2.0, None],
        "c": ["u", None, "u"],
        "e": ["u", None, "v"],
        "o": [None, None, None],
        "t": [datetime.date(2020, 1, 1)] * 3,
    }


def test_the_lectures_mat_file(tmp_path):
    X = np.arange(15.0).reshape(5, 3)
    content = {"X": X, "y": np.arange(5)[:, None], "s": np.array(list("abcde"), dtype=object)}
    savemat(tmp_path / "a.mat", content | {"c": np.array(["k", "ll", "m", "n", "o"])})
    frame = read_table(tmp_path / "a.mat").frame
    assert frame.columns == ["X[0]", "X[1]", "X[2]", "y", "s", "c"]
    np.testing.assert_array_equal(frame.select("X[0]", "X[1]", "X[2]").to_numpy(), X)
    assert frame["s"].to_list() == list("abcde")
    assert frame["c"].to_list() == ["k", "ll", "m", "n", "o"]


@per_file
@given(
    hnp.arrays(
        st.sampled_from(["f8", ">f8", "f4", "f2", "i8", ">i2", "u1", "?"]),
        st.tuples(st.integers(2, 5), st.integers(2, 4)),
    )
)
def test_npz_arrays_come_back(tmp_path, X):
    m = len(X)
    np.savez(tmp_path / "a.npz", X=X, row=X[:, :1].T, column=X[:, 1:2], word=np.array(["ß"] * m))
    frame = read_table(tmp_path / "a.npz").frame
    n = X.shape[1]
    assert frame.columns == [f"X[{j}]" for j in range(n)] + ["row", "column", "word"]
    for name, wanted in [
        *((f"X[{j}]", X[:, j]) for j in range(n)),
        ("row", X[:, 0]),
        ("column", X[:, 1]),
    ]:
        found = frame[name].cast(pl.Float64).to_numpy()
        np.testing.assert_array_equal(found, wanted.astype(np.float64))


def test_one_example_of_X_is_one_row(tmp_path):
    np.savez(tmp_path / "a.npz", X=np.arange(3.0)[None, :], y=1)
    assert read_table(tmp_path / "a.npz").frame.rows() == [(0.0, 1.0, 2.0, 1)]


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"X": np.zeros((4, 2)), "lam": np.zeros(3)}, "Array 'lam' .* must have 4 rows"),
        ({"X": np.zeros((4, 2, 2)), "y": np.zeros(4)}, "Array 'X' .* two dimensions"),
        ({"X": np.zeros((4, 2), complex)}, "Array 'X' .* real numbers"),
        ({"X": np.zeros((4, 2)), "X[0]": np.zeros(4)}, r"Got 'X\[0\]' more than once"),
        ({"X": np.array([{}, {}], dtype=object)}, "allow_pickle"),
        ({"X": np.zeros((0, 2))}, "at least one row"),
        ({}, "must hold arrays"),
    ],
)
def test_arrays_that_are_no_columns_are_refused_by_name(tmp_path, arrays, words):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(InvalidInput, match=words):
        read_table(tmp_path / "a.npz")


@pytest.mark.parametrize("front", [b"", b"MATLAB 7.3 MAT-file".ljust(512)])
def test_mat_files_of_version_7_3_are_refused(written, front):
    content = front + b"\x89HDF\r\n\x1a\n" + b"\0" * 600
    with pytest.raises(InvalidInput, match=r"version 7.3 .*'-v7'"):
        read_table(written(content, "a.mat"))


def test_structures_in_mat_files_are_refused_by_name(tmp_path):
    savemat(tmp_path / "a.mat", {"X": np.zeros((4, 2)), "st": {"a": 1}})
    with pytest.raises(InvalidInput, match=r"Array 'st' of 'a.mat'"):
        read_table(tmp_path / "a.mat")


def test_an_unknown_column_gets_the_nearest_and_a_short_list(written):
    header = ",".join(f"column{j}" for j in range(30))
    table = read_table(written(f"{header}\n{','.join('1' * 30)}\n"))
    with pytest.raises(InvalidInput, match=r"and 22 more\. Did you mean 'column7'"):
        table.column("colum7")


def test_the_room_does_not_import_torch():
    modules = "read, preparation, target, split, write, datasets"
    program = f"import sys; from symbreak.tables import {modules}; print('torch' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, env=os.environ, text=True
    )
    assert found.stdout.strip() == "False"


@pytest.mark.parametrize("name", ["data.csv", "data.tsv"])
def test_a_space_may_stand_before_a_quote_in_every_line(written, name):
    separator = "\t" if name.endswith("tsv") else ","
    rows = [["n", ' "text"', " k"], ["1", ' "a, ""b"""', " p"], ["", "", ""], ["2", ' ""', "q"]]
    text = "\n".join(separator.join(row) for row in rows)
    frame = read_table(written(text.replace("q", "q\n\n"), name)).frame
    assert frame.rows() == [(1, 'a, "b"', "p"), (None, None, None), (2, None, "q")]


def test_a_space_and_a_quote_within_quotes_stay(written):
    text = 'a,b\n"x, ""y""",1\n'
    assert read_table(written(text)).frame.rows() == [('x, "y"', 1)]


def test_a_file_is_read_by_polars_and_only_a_bad_one_row_by_row(written, monkeypatch):
    def read_by_row(*_):
        raise AssertionError

    monkeypatch.setattr(read_text, "blank_rows", read_by_row)
    text = 'a,b,c\n1,"x,y",\n\n2,,3\n'
    for content in [text.replace("\n\n", "\n"), text.replace('"x,y"', "z") + "\n\n", "a\n1\n\n2\n"]:
        assert read_table(written(content)).n_rows == 2
    for content in [text, "a,b,c\n1,2\n", "a,b\n1,2,"]:
        with pytest.raises(InvalidInput, match="readable"):
            read_table(written(content))


def test_the_peak_of_reading_numbers_is_a_few_times_their_file(written):
    rows = "\n".join(f"{row}.25,{row},{row}.5" for row in range(100_000))
    path = written(f"a,b,c\n{rows}\n")
    tracemalloc.start()
    read_table(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * path.stat().st_size


@pytest.mark.parametrize("cell", ["x", '"x"'])
def test_blank_lines_go_also_where_the_file_ends_in_a_separator(written, cell):
    frame = read_table(written(f"a,b\n\n1,2\n\n{cell},3\n\n4,")).frame
    assert frame.rows() == [("1", 2), ("x", 3), ("4", None)]


@pytest.mark.parametrize("shape", [(1 << 40,), (1 << 20, 1 << 15)])
def test_an_npz_that_asks_for_far_more_than_it_holds_is_refused_unread(tmp_path, shape):
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive, archive.open("X.npy", "w") as file:
        np.lib.format.write_array_header_1_0(file, header)
    with pytest.raises(InvalidInput, match=r"more than 100 times its size. Got array 'X' of"):
        read_table(tmp_path / "a.npz")


def test_an_npz_that_unpacks_too_far_is_refused_unread(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "a.npz", X=np.zeros((1000, 50)), y=np.zeros(1000))
    assert read_table(tmp_path / "a.npz").n_rows == 1000
    monkeypatch.setattr(read_arrays, "_UNPACKED", 1000)
    with pytest.raises(InvalidInput, match=r"Got array 'X' of 0.0004 GB; write it with"):
        read_table(tmp_path / "a.npz")
