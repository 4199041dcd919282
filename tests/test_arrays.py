"""Arrays at the surface: everything goes in, what came in comes out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from symbreak.arrays import (
    as_device,
    as_dtype,
    as_numpy,
    as_own_kind,
    as_tensor,
    float_word,
    like,
    sums,
)
from symbreak.errors import InvalidInput, InvalidType
from tests.kinds import EVERY_KIND

pytestmark = pytest.mark.needs_torch

F32, F64 = torch.float32, torch.float64


class Frame:
    """What pandas and polars frames have in common here."""

    def to_numpy(self):
        return np.eye(2)


@pytest.mark.parametrize("word", ["float32", np.float32, np.dtype("float32"), F32, "torch.float32"])
def test_dtypes_have_many_names(word):
    assert as_dtype(word) == F32


@pytest.mark.parametrize("word", ["float16", int, torch.int64, "fast", 3, object()])
def test_other_dtypes_are_refused(word):
    with pytest.raises(InvalidInput, match=r"dtype must be float32 or float64\. Got"):
        as_dtype(word)


def test_devices():
    assert as_device(None) == as_device("cpu") == torch.device("cpu")
    for wrong in ("gpu", "cuda:99", "meta", 1.5):
        with pytest.raises(InvalidInput, match="device must be one that PyTorch can use here"):
            as_device(wrong)


@pytest.mark.parametrize(
    "array",
    [
        [[1.0, 0.0], [0.0, 1.0]], np.eye(2), np.eye(2, dtype=">f8"), np.eye(2, dtype=np.longdouble),
        np.eye(2, dtype=int), np.eye(2, dtype=bool), np.eye(2)[::-1, ::-1], Frame(), torch.eye(2),
        np.eye(2, dtype=np.float32), np.broadcast_to([[1.0, 0.0], [0.0, 1.0]], (2, 2)),
    ],
    ids=lambda array: type(array).__name__,
)  # fmt: skip
def test_arrays_of_every_kind_become_tensors(array):
    assert torch.equal(as_tensor(array, "X").to(F64), torch.eye(2, dtype=F64))


def test_arrays_that_torch_can_share_are_not_copied():
    array, tensor = np.eye(3), torch.eye(3)
    assert np.shares_memory(as_tensor(array, "X").numpy(), array)
    assert as_tensor(tensor, "X").data_ptr() == tensor.data_ptr()


def test_a_tensor_of_a_graph_is_taken_out_of_it():
    assert not as_tensor(torch.eye(2, requires_grad=True), "X").requires_grad


def test_an_array_that_may_not_be_written_stays_as_it_is():
    array = np.eye(2)
    array.flags.writeable = False
    as_tensor(array, "X").fill_(7.0)
    np.testing.assert_array_equal(array, np.eye(2))


@pytest.mark.parametrize(
    "array", [["a"], np.array([1j]), torch.tensor([1j]), [None], np.array(["2020"], "M8[Y]")]
)
def test_what_holds_no_real_numbers_is_refused_by_name(array):
    with pytest.raises(InvalidType, match=r"alpha must be an array of real numbers\. Got"):
        as_tensor(array, "alpha")


def test_the_dtype_follows_floating_data():
    assert float_word(torch.zeros(1, dtype=F32)) == "float32"
    assert float_word(torch.zeros(1, dtype=F64)) == "float64"
    assert float_word(torch.zeros(1, dtype=torch.int32)) == "float64"
    assert float_word(torch.zeros(1, dtype=torch.float16)) == "float64"
    assert float_word(torch.zeros(1, dtype=F64), "float32") == "float32"


@pytest.mark.parametrize(
    ("given", "kind", "dtype"),
    [
        (np.zeros(1), np.ndarray, np.float64), (np.zeros(1, np.float32), np.ndarray, np.float32),
        (np.zeros(1, int), np.ndarray, np.float64), ([0.0], np.ndarray, np.float64),
        (torch.zeros(1), torch.Tensor, F32), (torch.zeros(1, dtype=F64), torch.Tensor, F64),
        (torch.zeros(1, dtype=torch.int64), torch.Tensor, F64),
    ],
    ids=repr,
)  # fmt: skip
def test_results_are_of_the_kind_that_was_given(given, kind, dtype):
    found = like(torch.ones(1, dtype=F64), given)
    assert isinstance(found, kind)
    assert found.dtype == dtype


@EVERY_KIND
def test_sums_of_labels(make):
    labels = np.array([2, 0, 2, 3, 2])
    rows = make(np.array([[1.0, 2, 3, 4, 5], [-1, 0.5, 0, 2, 0.25]]))
    found = sums(rows, labels, 4)
    assert type(found) is type(rows)
    assert found.dtype == rows.dtype
    assert as_numpy(found).tolist() == [[2, 0, 9, 4], [0.5, 0, -0.75, 2]]
    assert as_numpy(sums(rows[0, :], labels, 5)).tolist() == [2, 0, 9, 4, 0]


def test_arrays_keep_their_own_kind():
    tensor = torch.eye(2, dtype=torch.bfloat16, requires_grad=True)
    kept = as_own_kind(tensor, "X")
    assert (kept.dtype, kept.requires_grad) == (torch.bfloat16, False)
    assert as_own_kind([[1, 2]], "X").tolist() == [[1, 2]]
    for wrong in (torch.eye(2) * 1j, np.eye(2) * 1j):
        with pytest.raises(InvalidType, match="X must be an array of real numbers"):
            as_own_kind(wrong, "X")
