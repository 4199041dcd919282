from __future__ import annotations

import os

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from symbreak.errors import InvalidInput
from symbreak.tables.datasets import DATASETS, load_dataset
from symbreak.tables.preparation import Preparation
from symbreak.tables.read import read_table
from symbreak.tables.split import split_rows
from symbreak.tables.target import Target
from symbreak.tables.task import infer_task
from symbreak.tables.write import check_writable, write_predictions

labels = hnp.arrays(np.int64, st.integers(1, 60), elements=st.integers(0, 6))
shares = st.sampled_from([(0.6, 0.2, 0.2), (0.8, 0.2), (0.5, 0.5), (1.0,), (0.7, 0.3, 0.0)])
many = settings(max_examples=150, deadline=None)


@many
@given(labels, shares, st.integers(0, 2**70), st.sampled_from(["classification", "regression"]))
def test_parts_are_a_partition_and_training_knows_every_class(y, fractions, seed, task):
    n_others = sum(max(1, round(share * len(y))) for share in fractions[1:] if share)
    n_needed = n_others + (len(np.unique(y)) if task == "classification" else 1)
    if len(y) < n_needed:
        with pytest.raises(InvalidInput, match="enough rows"):
            split_rows(y, fractions, task, seed)
        return
    parts = split_rows(y, fractions, task, seed)
    assert len(parts) == len(fractions)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(len(y)))
    for part, share in zip(parts[1:], fractions[1:], strict=True):
        assert len(part) == (max(1, round(share * len(y))) if share else 0)
    if task == "classification":
        assert set(y[parts[0]]) == set(y)
    again = split_rows(y, fractions, task, seed)
    assert all(np.array_equal(a, b) for a, b in zip(parts, again, strict=True))


def test_classes_keep_their_proportions():
    y = np.repeat([0, 1, 2], [300, 60, 40])
    for part in split_rows(y, (0.5, 0.25, 0.25), "classification", 0)[1:]:
        np.testing.assert_allclose(np.bincount(y[part]), [75, 15, 10], atol=1)


def test_another_seed_gives_another_split():
    one, other = (split_rows(np.arange(50.0), (0.8, 0.2), "regression", seed)[1] for seed in (0, 1))
    assert not np.array_equal(one, other)


def test_text_labels_and_lone_members_split():
    y = np.array(["u"] * 20 + ["v"] * 20 + ["lone"])
    train, test = split_rows(y, (0.8, 0.2), "classification", 3)
    assert 40 in train
    assert set(y[test]) == {"u", "v"}


@pytest.mark.parametrize("fractions", [(), (0.5, 0.6), (1.2, -0.2), (0.0, 1.0), (float("nan"), 1)])
def test_fractions_must_be_shares(fractions):
    with pytest.raises(InvalidInput, match="shares of 1"):
        split_rows(np.arange(10), fractions, "regression", 0)


@pytest.mark.parametrize("name", DATASETS)
def test_the_bundled_data_sets_are_ready(name):
    data, task = load_dataset(name)
    target = Target.fit(data, "target")
    assert infer_task(data.column("target")) == task == target.task
    X = Preparation.fit(data, target="target").transform(data)
    assert X.shape[0] == data.n_rows == len(target.encode(data))


def test_the_kinds_of_the_bundled_targets():
    assert Target.fit(load_dataset("iris")[0], "target").classes == (
        "setosa",
        "versicolor",
        "virginica",
    )
    assert Target.fit(load_dataset("digits")[0], "target").classes == tuple(range(10))
    assert load_dataset("diabetes")[0].column("target").dtype == pl.Float64
    with pytest.raises(InvalidInput, match="Did you mean 'digits'"):
        load_dataset("digit")


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=hnp.arrays(np.float64, 3, elements=st.floats(allow_nan=False)))
def test_predictions_come_back_bit_by_bit(tmp_path, ending, values):
    path = tmp_path / f"p.{ending}"
    words = np.array(['a,"b"\t', "x\ny", "é"])
    write_predictions(path, {"label, of": words, "p": values})
    table = read_table(path)
    assert table.columns == ["label, of", "p"]
    assert table.column("label, of").to_list() == [word.strip() for word in words]
    assert [float(one).hex() for one in table.column("p")] == [one.hex() for one in values.tolist()]
    assert os.listdir(tmp_path) == [path.name]


def test_predictions_that_are_no_columns_are_refused(tmp_path):
    check_writable(tmp_path / "p.csv")
    for columns in ({"a": [1, 2], "b": [1]}, {"a": [[1, 2]]}, {}):
        with pytest.raises(InvalidInput, match="vectors of one length"):
            write_predictions(tmp_path / "p.csv", columns)
    with pytest.raises(InvalidInput, match="must exist"):
        write_predictions(tmp_path / "none" / "p.csv", {"a": [1]})
    assert not os.listdir(tmp_path)


def test_too_few_rows_get_advice_that_helps():
    with pytest.raises(InvalidInput, match="Got 3 rows; give more rows"):
        split_rows([0, 1, 1], (0.6, 0.2, 0.2), "classification", 0)
    with pytest.raises(InvalidInput, match="Got 10 rows; choose smaller shares"):
        split_rows(np.arange(10) % 2, (0.02, 0.98), "classification", 0)
