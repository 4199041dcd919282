"""Permutation importance: which columns matter, held against scikit-learn's own."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression

from symbreak.tables.table import Table
from symbreak.training import Settings, Training, importance, train_split
from symbreak.training.comparison import Rows
from symbreak.training.cross_validation import cross_validated
from symbreak.training.data_split import DataSplit
from symbreak.training.importance import importances
from symbreak.training.table_training import prepared, train_prepared

QUICK = Settings(hidden=(6,), starts=2, alpha=1.0, search=False)


def test_it_is_that_of_scikit_learn():
    random = np.random.default_rng(0)
    X = random.normal(size=(300, 3))
    y = X @ [2.0, -1.0, 0.0] + 0.3 * random.normal(size=300)
    model = LinearRegression().fit(X, y)
    columns = [(name, slice(place, place + 1)) for place, name in enumerate("abc")]
    found = importances(Rows(y, model.predict(X)), X, model.predict, columns)
    theirs = permutation_importance(
        model, X, y, scoring="neg_root_mean_squared_error", n_repeats=200, random_state=0
    )
    assert [one.column for one in found] == ["a", "b", "c"]
    for one, mean, spread in zip(
        found, theirs.importances_mean, theirs.importances_std, strict=True
    ):
        # Of 5 shuffles, where theirs is of 200.
        assert one.rise == pytest.approx(mean, abs=3.0 * spread / np.sqrt(5) + 1e-3)
    assert found[0].rise > 10 * found[0].noise


def table(m: int = 240) -> Table:
    random = np.random.default_rng(1)
    kind = random.choice(["red", "green", "blue"], m)
    size = random.normal(size=m)
    y = 3.0 * (kind == "red") + size + 0.1 * random.normal(size=m)
    frame = {"kind": kind, "size": size, "twin": size, "noise": random.normal(size=m), "y": y}
    return Table.of(pl.DataFrame(frame), "made")


def test_a_column_of_the_table_is_shuffled_as_one():
    training = train_split(DataSplit.of(table(), "y"), QUICK)
    found = training.importance
    assert {one.column for one in found} == {"kind", "size", "twin", "noise"}
    assert found[0].column == "kind"
    by_name = {one.column: one for one in found}
    assert by_name["kind"].rise > 5.0 * by_name["kind"].noise
    assert abs(by_name["noise"].rise) < 0.1 * by_name["kind"].rise
    # What both tell is shared: each is worth less than the one would be alone.
    alone = Table.of(table().frame.drop("twin"), "made")
    single = train_split(DataSplit.of(alone, "y"), QUICK).importance
    assert by_name["size"].rise < next(one.rise for one in single if one.column == "size")


def test_the_same_training_has_the_same_importance():
    first, again = (train_split(DataSplit.of(table(), "y"), QUICK).importance for _ in range(2))
    assert first == again


def test_of_many_rows_and_columns_some_are_looked_at(monkeypatch):
    monkeypatch.setattr("symbreak.training.facts.MOST_ROWS", 20)
    monkeypatch.setattr("symbreak.training.facts.MOST_COLUMNS", 2)
    training = train_split(DataSplit.of(table(), "y"), QUICK)
    assert len(training.importance) == 2
    assert training.importance[0].column == "kind"


def test_predictions_that_are_not_finite_have_no_importance():
    rows = Rows(np.zeros(4), np.ones(4))

    def infinite(X):
        return np.full(len(X), np.inf)

    assert importances(rows, np.ones((4, 1)), infinite, [("a", slice(0, 1))]) == []
    assert importance.REPEATS >= 2


def test_by_cross_validation_all_rows_are_looked_at_by_networks_that_do_not_know_them():
    """Names of rows that only the training rows can tell are of no importance to new ones."""
    split = DataSplit.of(table(90), "y", separate_test=True, validation=0.0)
    found = cross_validated(split, QUICK)
    training = dataclasses.replace(train_split_alone(split), cross_validation=found)
    assert found is not None
    assert training.comparison is not None
    assert training.comparison.rows == 90
    assert training.comparison["holdout"].scores == found.scores
    assert training.comparison.where == "rows out of the folds"
    assert training.comparison["training"].loss < training.comparison["holdout"].loss
    assert training.comparison["constant"].is_worse
    by_name = {one.column: one for one in training.importance}
    assert training.importance[0].column == "kind"
    assert abs(by_name["noise"].rise) < 0.1 * by_name["kind"].rise


def train_split_alone(split: DataSplit) -> Training:
    return train_prepared(prepared(split, QUICK))


def test_the_noise_is_over_groups_where_rows_stand_together():
    """Each row four times over tells no more than once."""
    random = np.random.default_rng(2)
    X = np.repeat(random.normal(size=(60, 2)), 4, axis=0)
    y = X @ [1.0, 0.2] + np.repeat(random.normal(size=60), 4)
    columns = [("a", slice(0, 1)), ("b", slice(1, 2))]

    def predict(X):
        return X @ np.array([1.0, 0.2])

    rows, groups = Rows(y, predict(X)), np.repeat(np.arange(60), 4)
    alone = importances(rows, X, predict, columns)
    together = importances(rows, X, predict, columns, groups)
    assert [one.rise for one in together] == [one.rise for one in alone]
    assert together[0].noise > 1.2 * alone[0].noise


@pytest.mark.parametrize("separate", [False, True])
def test_groups_of_the_table_widen_the_noise(separate):
    frame = pl.concat([table(60).frame] * 4).with_columns(g=pl.Series(np.tile(np.arange(60), 4)))
    # Copies of a row would be a group without being told.
    apart = pl.Series(np.random.default_rng(3).normal(size=len(frame)))
    frame = frame.with_columns(apart=apart)
    found = []
    for group in (None, "g"):
        split = DataSplit.of(
            Table.of(frame, "made"), "y", drop=["g"], group=group, separate_test=separate
        )
        training = train_split_alone(split)
        if separate:
            training = dataclasses.replace(training, cross_validation=cross_validated(split, QUICK))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("symbreak.training.facts.importances", lambda *all: found.append(all[4]))
            _ = training.importance
    assert found[0] is None
    assert len(np.unique(found[1])) == (60 if separate else 12)


def test_groups_of_the_hold_out_widen_what_stands_beside_its_loss():
    frame = pl.concat([table(60).frame] * 4).with_columns(g=pl.Series(np.tile(np.arange(60), 4)))
    training = train_split_alone(DataSplit.of(Table.of(frame, "made"), "y", group="g"))
    assert training.split is not None
    alone = dataclasses.replace(training.split.facts, groups=None)
    split = dataclasses.replace(training.split, facts=alone)
    row_by_row = dataclasses.replace(training, split=split).comparison
    assert training.comparison is not None
    assert row_by_row is not None
    assert training.comparison["constant"].noise > 1.3 * row_by_row["constant"].noise
