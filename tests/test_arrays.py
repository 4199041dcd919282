"""Arrays at the surface: everything goes in, what came in comes out."""

from __future__ import annotations

import numpy as np
import pytest

from symbreak.arrays import as_array, as_numpy, as_own_kind, float_word, like, sums, word_of
from symbreak.errors import InvalidType
from tests.kinds import EVERY_KIND, NUMPY_AND_TORCH

BOTH = pytest.mark.parametrize("make", NUMPY_AND_TORCH)


class Frame:
    """What pandas and polars frames have in common here."""

    def to_numpy(self):
        return np.eye(2)


@pytest.mark.parametrize(
    "array",
    [
        [[1.0, 0.0], [0.0, 1.0]], np.eye(2), np.eye(2, dtype=">f8"), np.eye(2, dtype=np.longdouble),
        np.eye(2, dtype=int), np.eye(2, dtype=bool), np.eye(2)[::-1, ::-1], Frame(),
        np.eye(2, dtype=np.float32), np.broadcast_to([[1.0, 0.0], [0.0, 1.0]], (2, 2)),
    ],
    ids=lambda array: type(array).__name__,
)  # fmt: skip
def test_arrays_of_every_kind_become_numpys(array):
    found = as_array(array, "X")
    np.testing.assert_array_equal(found, np.eye(2))
    assert found.dtype.isnative
    assert found.dtype.itemsize <= 8


@BOTH
def test_memory_that_can_be_shared_is_not_copied(make):
    array = make(np.eye(3))
    assert np.shares_memory(as_array(array, "X"), as_numpy(array))


@pytest.mark.parametrize(
    "array", [["a"], np.array([1j]), [None], [[1.0], [1.0, 2.0]], np.array(["2020"], "M8[Y]")]
)
def test_what_holds_no_real_numbers_is_refused_by_name(array):
    with pytest.raises(InvalidType, match=r"alpha must be an array of real numbers\. Got"):
        as_array(array, "alpha")


FOLLOWING = pytest.mark.parametrize(
    ("dtype", "word"),
    [("float32", "float32"), ("float64", "float64"), ("int32", "float64"), ("int64", "float64")],
)


@BOTH
@FOLLOWING
def test_the_dtype_follows_floating_data(dtype, word, make):
    data = make(np.zeros(1, dtype))
    assert float_word(data) == word
    assert float_word(data, "float32") == "float32"


@BOTH
def test_half_precision_is_not_followed(make):
    assert float_word(make(np.zeros(1, np.float16))) == "float64"


@BOTH
@pytest.mark.parametrize("make_answer", NUMPY_AND_TORCH)
@FOLLOWING
def test_results_are_of_the_kind_that_was_given(dtype, word, make, make_answer):
    given = make(np.zeros(1, dtype))
    found = like(make_answer(np.ones(1)), given)
    assert type(found) is type(given)
    assert word_of(found.dtype) == word


def test_for_a_list_results_are_numpys():
    found = like(np.ones(1), [0.0])
    assert isinstance(found, np.ndarray)
    assert found.dtype == np.float64


@EVERY_KIND
def test_sums_of_labels(make):
    labels = np.array([2, 0, 2, 3, 2])
    rows = make(np.array([[1.0, 2, 3, 4, 5], [-1, 0.5, 0, 2, 0.25]]))
    found = sums(rows, labels, 4)
    assert type(found) is type(rows)
    assert found.dtype == rows.dtype
    assert as_numpy(found).tolist() == [[2, 0, 9, 4], [0.5, 0, -0.75, 2]]
    assert as_numpy(sums(rows[0, :], labels, 5)).tolist() == [2, 0, 9, 4, 0]


@BOTH
def test_arrays_keep_their_own_kind(make):
    array = make(np.eye(2))
    assert type(as_own_kind(array, "X")) is type(array)
    assert as_own_kind([[1, 2]], "X").tolist() == [[1, 2]]
    with pytest.raises(InvalidType, match="X must be an array of real numbers"):
        as_own_kind(array * 1j, "X")
