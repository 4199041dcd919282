"""Files with and without names in the first line: no row is lost, and no name becomes a row."""

from __future__ import annotations

import csv
import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symbreak.errors import InvalidInput
from symbreak.tables.header import by_place
from symbreak.tables.read import read_table

per_file = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None
)
word = st.sampled_from(["Iris-setosa", "red", "x y", "true", "no, never", "ß"])


@pytest.fixture
def read(tmp_path):
    def from_text(text, name="data.csv", **how):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return read_table(tmp_path / name, **how)

    return from_text


def lines_of(rows, header=None, separator=","):
    quoted = [['"' + str(cell).replace('"', '""') + '"' if separator in str(cell) else str(cell)
               for cell in row] for row in ([] if header is None else [header]) + rows]  # fmt: skip
    return "\n".join(separator.join(row) for row in quoted) + "\n"


@st.composite
def tables(draw):
    """Rows of numbers, then of words of which each occurs twice."""
    m, n, k = draw(st.integers(12, 25)), draw(st.integers(1, 5)), draw(st.integers(0, 2))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    numbers = random.uniform(-1e3, 1e3, (m, n)).round(draw(st.integers(2, 9))).tolist()
    classes = [draw(st.lists(word, min_size=k, max_size=k)) for _ in range(m)]
    rows = [[*one, *few] for one, few in zip(numbers, classes, strict=True)]
    return [*rows, *([[*numbers[-1], *classes[0]]] if k else [])]


@per_file
@given(tables(), st.booleans(), st.sampled_from(",;\t"))
def test_a_table_comes_back_with_and_without_names(tmp_path, rows, has_names, separator):
    names = [f"c {j}" for j in range(len(rows[0]))] if has_names else None
    (tmp_path / "t.csv").write_text(lines_of(rows, names, separator), encoding="utf-8")
    for how in (None, has_names):
        table = read_table(tmp_path / "t.csv", header=how)
        assert table.columns == (names or by_place(len(rows[0])))
        assert table.is_unnamed is not has_names
        assert bool(table.notes) is (how is None and not has_names)
        assert table.n_rows == len(rows)
        n = sum(isinstance(cell, float) for cell in rows[0])
        np.testing.assert_array_equal(
            table.frame[:, :n].cast(float).to_numpy(), [row[:n] for row in rows]
        )


FIRST_ROWS = {
    "flowers": "5.1,3.5,1.4,0.2,Iris-setosa\n4.9,3.0,1.4,0.2,Iris-setosa\n"
    "6.3,3.3,6,2.5,Iris-virginica\n",
    "one column": "5.1\n4.9\n4.7\n",
    "a counter first": "1,8.5\n2,7.25\n3,9.5\n",
    "whole numbers": "3,1,4\n1,5,9\n2,6,5\n3,5,8\n",
    "pairs that count up": "0,1\n2,3\n4,5\n",
    "few pixels": "0,0,5,13\n0,0,0,12\n0,1,0,4\n",
    "rows that count up": "0,1,2\n3,4,5\n6,7,8\n",
    "one row again and again": "1,2\n1,2\n1,2\n",
    "a missing value": "?,3.5,1.4\n4.9,3.0,1.3\n4.7,,1.2\n",
    "a missing class": "5.1,?\n4.9,a\n4.8,b\n",
    "cars": "vhigh,vhigh,2,2,small,low,unacc\nvhigh,high,2,more,small,med,unacc\n"
    "high,vhigh,3,2,big,low,acc\n",
    "words": "p,x,s\ne,x,s\np,b,y\n",
    "its own name": "Ann,31.5,1\nBob,24.5,0\nEve,28.25,1\n",
    "the class first": "1,14.23,1.71,2.43\n1,13.2,1.78,2.14\n2,12.37,0.94,1.36\n",
    "decimal commas": "1,5;2,25\n3,5;0,75\n2,5;0,5\n",
    "years below too": "1999,2001\n2003,2000\n1998,2010\n",
    "two rows": "5.1,3.5\n4.9,3.0\n",
    "one row": "5.1,3.5\n",
    **{
        f"an odd number, {odd}": f"{odd},3.5,1.4\n4.9,3.0,1.3\n4.7,3.2,1.2\n"
        for odd in ("-", "--", "inf", "-inf", "NAN", "1_000", "$5", "5%", "<0.1", "1e999")
    },
    "an odd number, of two": "-,3.5\n4.9,3.0\n4.7,3.2\n",
}  # fmt: skip


@pytest.mark.parametrize("text", FIRST_ROWS.values(), ids=FIRST_ROWS)
@pytest.mark.parametrize("name", ["data.csv", "data.txt"])
def test_a_first_line_of_values_is_a_row(read, text, name):
    table = read(text, name)
    assert table.n_rows == text.count("\n")
    assert table.columns == by_place(table.frame.width)
    (note,) = table.notes
    assert f"'{name}' was read as values" in note
    assert "--header" in note


HEADERS = {
    "words": ("a,b\n1,2\n", False),
    "words over words": ("color,kind\nred,big\nblue,big\n", False),
    "one column of words": ("a\na\nb\n", False),
    "words over words and numbers": ("name,size\nAnn,1\nBob,2\n", False),
    "the header again": ("color,kind\nred,big\ncolor,kind\nblue,big\n", False),
    "years": ("2001,2002,2003,region\n5,1999,2100,north\n8,2005,1950,south\n", True),
    "years in reverse": ("2020,2010,2005\n5000,1999,150\n2300,2005,2650\n", True),
    "years and a name": ("region,2001,2002\nnorth,2000.5,3\nsouth,9,8\n", True),
    "counted from 0": ("0,1,2,3\n0.5,1.5,0,1\n0.25,0,2.5,3\n", True),
    "counted from 1": ("1,2\n7,9\n2,1\n", True),
    "pixels of a program": ("0,1,2,3,target\n0,5,1,9,a\n0,0,2,3,b\n", True),
    "waves": ("400.5,401,401.5\n0.11,0.12,0.13\n0.2,0.3,0.1\n", True),
    "waves without a step": ("350.25,352,359.5\n0.11,0.12,0.14\n0.2,0.3,0.1\n", True),
    "doses over fractions": (
        "10,25,40.0,100\n" + "".join(f"{j}.5,{7 * j}.25,{9 * j}.1,{12 * j}.7\n" for j in range(9)),
        True,
    ),
    "words and a sign": ("a,%\n1,2.5\n2,3.5\n", False),
    "signs": ("#,%\n1,2.5\n2,3.5\n", False),
    "seasons": ("2019/20,2020/21,2021\n5,6,7\n8,9,9\n", True),
    "a sign and years": ("#,2001,2002\n1,500,2900\n2,700,1500\n", True),
    "a number over words": ("color,2\nred,x\nblue,y\n", True),
}


@pytest.mark.parametrize(("text", "has_numbers"), HEADERS.values(), ids=HEADERS)
def test_a_first_line_of_names_is_none_and_numbers_in_it_are_noted(read, text, has_numbers):
    table = read(text)
    assert table.columns == text.split("\n")[0].split(",")
    assert table.n_rows == text.count("\n") - 1
    assert [("though it holds numbers" in note) for note in table.notes] == [True] * has_numbers


@pytest.mark.parametrize("text", [*FIRST_ROWS.values(), *(text for text, _ in HEADERS.values())])
def test_what_is_said_is_done(read, text):
    values = read(text, header=False)
    assert values.n_rows == text.count("\n")
    assert (values.is_unnamed, values.notes) == (True, ())
    line = text.split("\n")[0]
    if "vhigh" in line or "0,0" in line:
        with pytest.raises(InvalidInput, match=r"different names.*or say --no-header if the first"):
            read(text, header=True)
    elif text.count("\n") > 1:
        names = read(text, header=True)
        assert names.n_rows == text.count("\n") - 1
        assert (names.is_unnamed, names.notes) == (False, ())


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("1,5;2,25\n3,5;0,75\n2,5;0,5\n", 2),
        ("1,5;rot;2,25\n3,5;blau;0,75\n", 3),
        ("size, in cm;kind, of old\n1;a\n2;b\n", 2),
        ("a;b,c\n1;2,3\n4;5,6\n", 2),
        ("tags,n\ng;h,1\ng;i,2\n", 2),
        ("g;h,1.5\ng;h,2.5\n", 2),
    ],
)
def test_of_two_separators_the_one_that_fits_the_rows_is_taken(read, text, width):
    assert read(text).frame.width == width


def test_a_name_that_is_missing_is_still_asked_for(read):
    with pytest.raises(InvalidInput, match=r"Column 1 of 'data.csv' must have a name.*--no-header"):
        read(",b\n1,2\n")


def test_rows_of_values_are_counted_from_the_first_line(read):
    with pytest.raises(
        InvalidInput, match=r"Row 3 of 'data.csv' \(line 4\) must have 2 values.*Got 1"
    ):
        read("1.5,2.5\n\n3.5,4\n5\n")


def test_an_unknown_name_of_a_table_without_names_is_told_why(read):
    with pytest.raises(
        InvalidInput, match=r"'y' must be .* no names in its first line: 'column_1'"
    ):
        read("1.5,2.5\n3.5,4.25\n").column("y")


WIDE = 10_000


@pytest.mark.parametrize("separator", ",;\t")
def test_a_header_may_be_of_any_length(read, separator):
    names = [f"the name of measurement {j}" for j in range(WIDE)]
    table = read(separator.join(names) + "\n" + separator.join(map(str, range(WIDE))) + "\n")
    assert table.columns == names
    assert table.frame.row(0) == tuple(range(WIDE))


@pytest.mark.parametrize("quote", ['"', ' "'])
@pytest.mark.parametrize("inside", [" ", "\n", ",", ";"])
def test_a_cell_may_be_of_any_length(read, quote, inside):
    long = ("long" + inside) * 50_000 + "end"
    table = read(f'a,b\n1,{quote}{long}"\n\n2,{quote}short"\n3,\n')
    assert table.frame.rows() == [(1, long), (2, "short"), (3, None)]


def test_a_name_may_be_of_any_length(read):
    name = "n" * 200_000
    assert read(f"{name},b\n1,2\n").columns == [name, "b"]


def test_a_long_row_of_values_is_read_without_names(read):
    row = ",".join(f"{j}.25" for j in range(20_000))
    assert len(row) > 131_072
    assert read(f"{row}\n{row}\n").frame.shape == (2, 20_000)


def test_the_limit_of_the_csv_module_stays_that_of_the_program(read):
    before = csv.field_size_limit(1000)
    try:
        threads = [
            threading.Thread(target=read, args=("n" * 200_000 + f",b\n{j},2\n", f"t{j}.csv"))
            for j in range(8)
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        with pytest.raises(InvalidInput):
            read("a,b\n1\n")
        assert csv.field_size_limit() == 1000
    finally:
        csv.field_size_limit(before)


def test_a_column_is_found_without_a_list_of_all_names(read, monkeypatch):
    table = read(",".join(f"c{j}" for j in range(300)) + "\n" + ",".join("1" * 300) + "\n")
    listed = []
    monkeypatch.setattr(type(table), "columns", property(lambda _: listed.append(1) or []))
    assert [table.column(f"c{j}")[0] for j in range(300)] == [1] * 300
    assert not listed


def test_a_word_of_the_first_line_that_stands_below_too_is_told(read):
    table = read("red,small\nblue,big\nred,big\n")
    assert table.columns == ["red", "small"]
    (note,) = table.notes
    assert "names of the columns, though 'red' stands below it too. If they are values" in note
    assert "--no-header" in note
