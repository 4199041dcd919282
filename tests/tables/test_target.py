from __future__ import annotations

import datetime
import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbreak.errors import InvalidInput
from symbreak.tables.table import Table
from symbreak.tables.target import Target
from symbreak.tables.task import infer_task


def table(values: object, source: str = "data.csv") -> Table:
    return Table.of(pl.DataFrame({"y": values, "other": 1}), source)


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["u", "v"], "classification"),
        ([True, False], "classification"),
        (list(range(20)), "classification"),
        (list(range(21)), "regression"),
        ([0.0, 1.0, None], "classification"),
        ([0.0, 1.5], "regression"),
        ([0.0, float("inf")], "regression"),
    ],
)
def test_the_task_is_inferred_by_the_stated_rule(values, task):
    assert infer_task(pl.Series("y", values)) == task
    if None not in values and float("inf") not in values:
        assert Target.fit(table(values), "y").task == task


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["v", "u", "v"], ("u", "v")),
        ([10, 9, 10], (9, 10)),
        ([2.0, 1.0, 2.0], (1, 2)),
        ([True, False, True], (False, True)),
    ],
)
def test_labels_become_indices_and_keep_their_kind(values, classes):
    target = Target.fit(table(values), "y", "classification")
    assert target.classes == classes
    assert [type(one) for one in target.classes] == [type(one) for one in classes]
    y = target.encode(table(values))
    assert y.dtype == np.int64
    np.testing.assert_array_equal(y, [1, 0, 1])
    np.testing.assert_array_equal(target.labels(y), np.array(values))
    assert Target.from_settings(json.loads(json.dumps(target.to_settings()))) == target
    assert target.text_columns == (("y",) if isinstance(classes[0], str) else ())


def test_text_labels_are_compared_as_text():
    target = Target.fit(table(["1", "x"]), "y")
    np.testing.assert_array_equal(target.encode(table([1, 1])), [0, 0])


whole = st.lists(st.integers(-(10**6), 10**6), min_size=3, unique=True)


@settings(max_examples=60, deadline=None)
@given(whole, st.sampled_from([1.0, 0.1, 1e-290, 1e140]))
def test_regression_is_standardised_and_comes_back(steps, size):
    values = [step * size for step in steps]
    target = Target.fit(table(values), "y", "regression", rows=np.array([0, 1]))
    y = target.encode(table(values))
    np.testing.assert_allclose(np.sort(y[:2]), [-1, 1], rtol=1e-9)
    largest = np.abs(values).max()
    np.testing.assert_allclose(target.unscale(y), values, rtol=1e-12, atol=1e-12 * largest)
    again = Target.from_settings(json.loads(json.dumps(target.to_settings())))
    assert again == target
    assert target.mean == pytest.approx((values[0] + values[1]) / 2, rel=1e-12)


@pytest.mark.parametrize(
    ("values", "task", "words"),
    [
        (["u", "u"], None, "at least two classes. Got only 'u'"),
        ([3, 3], None, "at least two classes. Got only 3"),
        (["u", None, "v", None], None, "Got 2 rows without one, the first is row 2"),
        ([0.5, float("nan")], "regression", "Got 1 row without one, the first is row 2"),
        ([0.5, float("inf")], "regression", "finite.* in row 2"),
        ([0.0, float("inf")], "classification", "finite.* in row 2"),
        (["1", "u"], "regression", "Column 'y'.* must hold numbers. Got 'u' in row 2"),
        ([0.1, 0.1, 0.1], "regression", "must have different values. Got 0.1"),
        ([0.5, 1.0], "classification", "whole numbers.* Got 0.5; choose the task regression"),
        ([1, 2], "clasification", "Did you mean 'classification'"),
        ([datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)], None, "dates"),
        ([f"name {j}" for j in range(60)], None, "60 different texts"),
    ],
)
def test_bad_targets_get_one_sentence(values, task, words):
    with pytest.raises(InvalidInput, match=words):
        Target.fit(table(values), "y", task)


def test_values_beyond_the_scale_of_training_are_refused():
    target = Target.fit(table([0.0, 1e-300]), "y", "regression")
    with pytest.raises(InvalidInput, match=r"Column 'y'.*size seen in training.* in row 2"):
        target.encode(table([0.0, 1e100]))


def test_an_unknown_target_gets_the_nearest_name():
    data = Table.of(pl.DataFrame({"species": ["u", "v"], "b": [1, 2]}), "data.csv")
    with pytest.raises(InvalidInput, match=r"'species', 'b'.* Did you mean 'species'"):
        Target.fit(data, "specis")


def test_labels_that_training_did_not_know_are_refused():
    target = Target.fit(table(["u", "v"]), "y")
    with pytest.raises(InvalidInput, match=r"'test.csv' .*, 'u', 'v'. Got 'w' in row 2"):
        target.encode(table(["u", "w"], "test.csv"))
    with pytest.raises(InvalidInput, match="Got 1 row without one"):
        target.encode(table(["u", None], "test.csv"))


@pytest.mark.parametrize(
    "change",
    [
        {"task": "other"},
        {"name": 1},
        {"classes": []},
        {"classes": ["u"]},
        {"classes": ["u", "u"]},
        {"classes": ["u", 1]},
        {"classes": [2, True]},
        {"classes": [[1], [2]]},
        {"classes": None},
        {"task": "regression"},
        {"std": 0.0},
        {"mean": "0"},
    ],
)
def test_settings_of_another_form_are_refused(change):
    good = Target.fit(table(["u", "v"]), "y").to_settings()
    assert Target.from_settings(good).classes == ("u", "v")
    with pytest.raises(InvalidInput):
        Target.from_settings(good | change)
