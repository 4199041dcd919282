"""Rows that repeat another one: copies stay together, and what repeats by chance does not."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from symbreak.tables.copies import Copies
from symbreak.tables.row_facts import RowFacts
from symbreak.tables.table import Table
from symbreak.training.cross_validation import cross_validated
from symbreak.training.data_split import DataSplit
from symbreak.training.settings import Settings

RANDOM = np.random.default_rng(0)
NOISE = RANDOM.normal(size=(60, 3))
THRICE = pl.DataFrame(np.tile(NOISE, (3, 1)), schema=["a", "b", "y"])
NOTE = (
    "120 of 180 rows repeat another one in every column: equal rows stay together in hold-out and "
    "folds. Drop mere repeats."
)


def among(frame, facts=None):
    return Copies.among(Table.of(frame, "t.csv"), frame.columns, facts or RowFacts())


def test_copies_are_numbered_by_their_first_row():
    found = among(THRICE)
    assert found.first.tolist() == [row % 60 for row in range(180)]
    assert found.notes == (NOTE,)


def test_a_missing_value_is_equal_to_a_missing_value():
    frame = THRICE.with_columns(c=pl.Series([None, "u", "v"] * 60))
    assert among(frame).notes == (NOTE,)


def test_a_few_copies_change_nothing():
    assert among(pl.concat([THRICE[:60], THRICE[:2]])).notes == ()
    assert among(THRICE[:60]).notes == ()


def test_few_different_rows_repeat_by_chance():
    yes = pl.DataFrame(RANDOM.integers(0, 2, (100, 4)), schema=list("abcy"))
    found = among(yes)
    assert found.first is None
    assert found.notes == ()


def test_where_no_column_tells_the_note_asks():
    found = among(pl.DataFrame(np.tile(RANDOM.integers(0, 9, (60, 6)), (3, 1))))
    assert found.first is None
    assert "rows repeat another one in every column: if they are copies" in found.notes[0]
    assert "--group" in found.notes[0]


def test_groups_say_it_already_and_time_has_its_own_order():
    ones = np.arange(180)
    assert among(THRICE, RowFacts(groups=ones % 60)).notes == ()
    in_time = among(THRICE, RowFacts(time=ones))
    assert in_time.first is None
    assert "the score is too good" in in_time.notes[0]


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_no_copy_is_in_two_parts(task):
    y = pl.col("y") if task == "regression" else pl.when(pl.col("y") > 0).then(1).otherwise(0)
    frame = THRICE.with_columns(y=y, who=pl.int_range(pl.len()).shuffle(seed=0).cast(pl.String))
    split = DataSplit.of(
        Table.of(frame, "t.csv"), "y", task=task, holdout=0.25, validation=0.2, drop=[]
    )
    parts = [set((rows % 60).tolist()) for rows in split.rows]
    assert [len(part) for part in parts] == [36, 9, 15]
    assert len(set.union(*parts)) == 60
    assert split.train.n == 108
    assert NOTE in split.preparation.notes


def test_pure_noise_three_times_over_is_not_learned():
    split = DataSplit.of(Table.of(THRICE, "t.csv"), "y", separate_test=True)
    settings = Settings(hidden=(20,), activation="tanh", alpha=0.003, starts=2, max_iter=300)
    found = cross_validated(split, settings)
    assert found is not None
    assert found.scores is not None
    assert found.scores.score < 0.1
    assert len(np.unique(found.groups)) == 60
