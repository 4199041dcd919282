"""Rows that a model was trained on are known again, and no others."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from symbreak.model_file import load_model, save_model
from symbreak.tables.table import Table
from symbreak.training import Settings, seen_rows, train_split
from symbreak.training.data_split import DataSplit
from symbreak.training.model import Model
from symbreak.training.seen_rows import Seen, SeenRows

random = np.random.default_rng(0)
X = random.normal(size=(100, 4))
FRAME = pl.DataFrame({
    "a": X[:, 0], "b": [None if row % 9 == 0 else row for row in range(100)],
    "c": random.choice(["x", "y"], 100), "kind": np.where(X[:, 0] > 0, "up", "down"),
})  # fmt: skip


@pytest.fixture(scope="module")
def model():
    settings = Settings(hidden=(), starts=1, search=False)
    split = DataSplit.of(Table.of(FRAME, "t"), "kind", holdout=0.2, validation=0.0)
    return train_split(split, settings).model()


def test_rows_of_the_training_are_known_in_any_order_and_form(model, tmp_path):
    shuffled = FRAME.select(["c", "b", "a"]).sample(fraction=1.0, shuffle=True, seed=1)
    assert model.seen_in(Table.of(shuffled, "t")).n == 80
    shuffled.write_csv(tmp_path / "t.csv")
    again = pl.read_csv(tmp_path / "t.csv")
    path = tmp_path / "m"
    model.save(path)
    seen = Model.load(path).seen_in(Table.of(again, "t"))
    assert (seen.n, seen.rows) == (80, 100)
    assert seen.sentence == "80 of 100 rows were trained on: this score is too good for new data."


def test_other_rows_are_not(model):
    other = FRAME.with_columns(pl.col("a") + 1e-9)
    seen = model.seen_in(Table.of(other, "t"))
    assert seen.n == 0
    assert not seen


def test_all_rows_say_nothing():
    assert Seen(1797, 1797).sentence == (
        "1,797 of 1,797 rows were trained on: this score says nothing about new data."
    )
    assert Seen(80, 100).of("t.csv") == "80 of 100 rows of 't.csv' trained this model"
    assert Seen(1, 1).sentence.startswith("1 of 1 row was trained on: ")


def test_rows_that_are_equal_by_chance_are_no_training_rows():
    """Of two columns of three words each there are nine rows: new ones equal old ones."""
    few = random.integers(0, 3, size=(200, 2)).astype(float)
    kept = SeenRows.of(few[:100])
    assert kept.repeated > 0.9
    known = Seen(60, 100, kept.repeated)
    assert not known
    assert SeenRows.of(X[:50]).among(X[40:])
    assert not SeenRows.of(X[:50]).among(X[50:])


def test_where_every_row_is_known_it_is_said_whatever_chance_explains():
    few = random.integers(0, 3, size=(200, 2)).astype(float)
    seen = SeenRows.of(few[:100]).among(few[100:])
    assert seen.n == 100
    assert seen
    assert seen.share == "100 of 100 rows"
    assert seen.sentence == (
        "100 of 100 rows equal rows of the training: this score says nothing about other rows."
    )
    assert seen.of("t.csv") == "100 of 100 rows of 't.csv' equal rows that trained this model"
    assert not SeenRows.of(few).among(few[:0])


def test_copies_are_not_taken_for_chance():
    thrice = np.tile(X[:60], (3, 1))
    kept = SeenRows.of(thrice, np.tile(np.arange(60), 3))
    assert kept.repeated == 0.0
    half = kept.among(X[30:90])
    assert half
    assert half.sentence.startswith("30 of 60 rows were trained on")


def test_a_model_of_copies_knows_them(tmp_path):
    frame = pl.concat([FRAME] * 3)
    split = DataSplit.of(Table.of(frame, "t"), "kind", separate_test=True)
    model = train_split(split, Settings(hidden=(), starts=1, search=False)).model()
    assert model.seen.repeated == 0.0
    half = pl.concat([FRAME[:50], FRAME[50:].with_columns(pl.col("a") + 1e-9)])
    assert model.seen_in(Table.of(half, "t"))


def test_zeros_of_both_signs_are_one_number():
    assert SeenRows.of(np.zeros((1, 2))).among(np.array([[-0.0, 0.0]])).n == 1


def test_of_very_many_rows_some_are_kept(monkeypatch):
    monkeypatch.setattr(seen_rows, "MOST", 30)
    kept = SeenRows.of(X)
    assert len(kept.digests) == 30
    assert kept.digests.nbytes == 8 * 30
    assert kept.among(X).n == 30


def test_a_model_of_before_knows_no_rows(model, tmp_path):
    path = tmp_path / "m"
    model.save(path)
    arrays, settings = load_model(path)
    del arrays["seen_rows"], settings["repeated_rows"]
    save_model(path, arrays, settings)
    assert not Model.load(path).seen_in(Table.of(FRAME, "t"))
