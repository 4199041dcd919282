"""Columns that name their row are left out or named."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from symbreak.errors import InvalidInput
from symbreak.tables.identifiers import Identifiers
from symbreak.tables.table import Table
from symbreak.training.data_split import DataSplit

N = 60
RANDOM = np.random.default_rng(0)
SHUFFLED = RANDOM.permutation(N * 10)[:N]


def among(keep=(), **columns):
    table = Table.of(pl.DataFrame(columns, strict=False), "t.csv")
    return Identifiers.among(table, table.columns, keep)


@pytest.mark.parametrize(
    "name", ["id", "customer_id", "PassengerId", "index", "", "Unnamed: 0", "row"]
)
def test_numbers_of_their_own_with_the_name_of_an_identifier_are_left_out(name):
    found = among(**{name: SHUFFLED})
    assert found.left_out == (name,)
    assert f"Left out '{name}', an identifier by its name" in found.notes[0]
    assert among(keep=[name], **{name: SHUFFLED}) == Identifiers()


@pytest.mark.parametrize("name", ["paid", "humidity", "sodium", "width", "brow", "grid"])
def test_words_that_only_end_alike_are_no_identifiers(name):
    assert among(**{name: SHUFFLED}) == Identifiers()


def test_text_of_which_every_row_has_its_own_is_left_out():
    assert among(who=[f"name {row}" for row in range(N)]).left_out == ("who",)
    assert among(who=[f"name {row // 2}" for row in range(N)]) == Identifiers()
    assert (
        among(day=[f"2024-{1 + row // 28:02}-{1 + row % 28:02}" for row in range(N)]).left_out == ()
    )
    assert among(size=[f"{row},5" for row in range(N)]).left_out == ()


def test_what_may_be_meant_is_named_alone():
    for name, values, words in (
        ("time", np.arange(N), "rises from row to row"),
        ("patient_id", np.arange(N) // 3, "--group"),
        ("patient_id", [f"p{row // 3:02}" for row in range(N)], "--group"),
        ("zip", RANDOM.integers(10_000, 99_999, N), "looks like a zip code"),
        ("Postal Code", np.arange(N) % 7, "looks like a zip code"),
    ):
        found = among(**{name: values})
        assert found.left_out == ()
        assert words in found.notes[0]
        assert "--drop" in found.notes[0]
    assert "(z02139)" in among(zip=np.arange(N) + 2139).notes[0]
    assert among(x=np.sort(RANDOM.normal(size=N)), n=SHUFFLED) == Identifiers()


def test_a_split_leaves_them_out_and_says_so():
    y = RANDOM.normal(size=N)
    table = Table.of(pl.DataFrame({"id": SHUFFLED, "x": y, "y": y}), "t.csv")
    split = DataSplit.of(table, "y")
    assert split.preparation.feature_names == ("x",)
    assert split.n_columns == 1
    assert any("Left out 'id'" in note for note in split.preparation.notes)
    kept = DataSplit.of(table, "y", keep=["id"])
    assert kept.preparation.feature_names == ("id", "x")
    with pytest.raises(InvalidInput, match="Column 'idd' must be a column"):
        DataSplit.of(table, "y", keep=["idd"])
