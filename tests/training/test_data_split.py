from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from symbreak.errors import InvalidInput
from symbreak.tables.table import Table
from symbreak.tables.target import Target
from symbreak.training.data_split import DataSplit

ROWS = 200
random = np.random.default_rng(0)
NUMBERS = random.normal(size=ROWS) * 5 + 3
TABLE = Table.of(
    pl.DataFrame(
        {
            "id": np.arange(ROWS),
            "x": NUMBERS,
            "color": random.choice(["red", "green"], ROWS),
            "kind": np.repeat(["a", "b"], [160, 40]),
            "size": NUMBERS * 2 + 1,
        }
    ),
    "shop.csv",
)


def test_sizes_are_shares_of_the_whole_and_of_the_rest():
    split = DataSplit.of(TABLE, "kind", holdout=0.2, validation=0.25)
    assert (split.train.n, split.validation.n, split.holdout.n) == (120, 40, 40)
    assert split.loss == "cross_entropy"
    assert (split.n_outputs, split.n_rows, split.n_columns) == (2, 200, 3)
    for part in (split.train, split.validation, split.holdout):
        assert np.mean(part.y) == 0.2


def test_no_row_is_in_two_parts():
    split = DataSplit.of(TABLE, "size", drop=["x", "color", "kind"], validation=0.25, keep=["id"])
    column = np.concatenate(
        [part.X[:, 0] for part in (split.train, split.validation, split.holdout)]
    )
    assert len(np.unique(column)) == ROWS


def test_scales_are_those_of_the_training_rows_alone():
    split = DataSplit.of(TABLE, "size", drop=["id"])
    for values in (split.train.X[:, 0], split.train.y):
        np.testing.assert_allclose([values.mean() + 1, values.std()], [1, 1], rtol=1e-12)
    assert abs(split.holdout.y.std() - 1) > 1e-6
    assert (split.loss, split.n_outputs, split.target.task) == ("squared_error", 1, "regression")


def test_a_separate_test_table_is_the_hold_out():
    split = DataSplit.of(TABLE, "kind", separate_test=True, validation=0.0)
    assert (split.train.n, split.validation.n, split.holdout.n) == (200, 0, 0)
    tested = split.with_test(Table.of(TABLE.frame.head(7), "new.csv"))
    assert tested.holdout.n == 7
    np.testing.assert_array_equal(tested.holdout.X, split.preparation.transform(TABLE)[:7])


def test_the_seed_decides_the_split():
    first, again, other = (DataSplit.of(TABLE, "kind", seed=seed).holdout.X for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 1.5, float("nan")])
def test_hold_out_shares_out_of_range_are_refused(share):
    with pytest.raises(InvalidInput, match="holdout must be a share, above 0 and below 1"):
        DataSplit.of(TABLE, "kind", holdout=share)


@pytest.mark.parametrize("share", [1.0, -0.1, float("nan"), float("inf")])
def test_validation_shares_out_of_range_are_refused(share):
    with pytest.raises(InvalidInput, match="validation must be a share, 0 or above and below 1"):
        DataSplit.of(TABLE, "kind", validation=share)


@pytest.mark.parametrize("target", ["kind", "size"])
def test_a_target_is_fitted_and_encoded_once(monkeypatch, target):
    """`encode` of the test table comes on top."""
    seen = []
    for name in ("fit", "encode"):
        function = getattr(Target, name)

        def counting(*args, name=name, function=function, **options):
            seen.append(name)
            return function(*args, **options)

        monkeypatch.setattr(Target, name, counting)
    split = DataSplit.of(TABLE, target, separate_test=True)
    assert seen == ["fit", "encode"]
    split.with_test(TABLE)
    assert seen == ["fit", "encode", "encode"]
