"""Groups, times and weights of rows, and the splits that keep to them."""

from __future__ import annotations

import datetime

import numpy as np
import polars as pl
import pytest

from symbreak.errors import InvalidInput
from symbreak.tables.row_facts import RowFacts
from symbreak.tables.table import Table
from symbreak.tables.tied_split import split_groups, split_times

RANDOM = np.random.default_rng(0)


def facts(values, **roles):
    return RowFacts.of(Table.of(pl.DataFrame({"c": values}), "t.csv"), **roles)


@pytest.mark.parametrize(
    ("values", "role", "sentence"),
    [
        ([1.0, -2.0], "weight", "must be 0 or above. Got -2 in row 2."),
        ([0.0, 0.0], "weight", "must be above 0 in some row."),
        (
            [1.0, None],
            "weight",
            "must be there in every row. Got 1 row without, the first",
        ),
        (["a", "b"], "weight", "must hold numbers"),
        ([3, 3], "group", "must be at least two"),
        ([3, None], "group", "must be there in every row"),
        (["5/1/2020", "6/1/2020"], "time", "must be numbers or dates such as 2024-05-31"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(values, role, sentence):
    with pytest.raises(InvalidInput) as error:
        facts(values, **{role: "c"})
    assert sentence in str(error.value)
    with pytest.raises(InvalidInput, match="Column 'd' must be a column"):
        facts(values, **{role: "d"})


def test_groups_and_time_are_refused_together():
    with pytest.raises(InvalidInput, match="by groups or by time"):
        facts([1, 2], group="c", time="c")


@pytest.mark.parametrize(
    "values",
    [[3.0, 1.0, 2.0, 1.0], ["2024-03-01", "2024-01-05", "2024-02-01", "2024-01-05"],
     [datetime.date(2024, 3, 1), datetime.date(2024, 1, 1), datetime.date(2024, 2, 1),
      datetime.date(2024, 1, 1)]],
)  # fmt: skip
def test_times_are_ranks(values):
    assert facts(values, time="c").time.tolist() == [3, 1, 2, 1]


@pytest.mark.parametrize("seed", range(5))
def test_groups_are_in_one_part_each_and_every_class_in_training(seed):
    random = np.random.default_rng(seed)
    groups = random.integers(0, 15, 120)
    labels = (groups % 3 == 0).astype(int)
    parts = split_groups(groups, labels, (20, 30), seed)
    assert sorted(np.concatenate(parts)) == [*range(120)]
    owners = [set(groups[part]) for part in parts]
    assert sum(map(len, owners)) == len(set(groups))
    assert set(labels[parts[0]]) == {0, 1}
    assert abs(len(parts[1]) - 20) < 10
    assert abs(len(parts[2]) - 30) < 10
    again = split_groups(groups, labels, (20, 30), seed)
    assert all(np.array_equal(one, other) for one, other in zip(parts, again, strict=True))


@pytest.mark.parametrize("seed", range(5))
def test_the_only_group_of_a_class_trains(seed):
    groups = np.repeat(np.arange(6), 10)
    train, _ = split_groups(groups, (groups == 0).astype(int), (30,), seed)
    assert 0 in groups[train]


def test_too_few_groups_are_refused():
    with pytest.raises(InvalidInput, match="groups enough for each part"):
        split_groups(np.repeat([0, 1], 5), None, (2, 2), 0)


def test_the_latest_rows_come_last_and_no_time_is_torn_apart():
    time = RANDOM.permutation(np.repeat(np.arange(10), 4))
    train, validation, holdout = split_times(time, (6, 10))
    assert sorted(np.concatenate([train, validation, holdout])) == [*range(40)]
    assert time[train].max() < time[validation].min()
    assert time[validation].max() < time[holdout].min()
    assert (len(validation), len(holdout)) == (8, 12)
    with pytest.raises(InvalidInput, match="different times"):
        split_times(np.zeros(10, dtype=int), (0, 2))
