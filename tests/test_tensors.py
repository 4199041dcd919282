"""Words and arrays of every kind as those of PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from symbreak.arrays import as_device, as_dtype, as_own_kind, as_tensor
from symbreak.errors import InvalidInput, InvalidType

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


def test_tensors_keep_their_own_kind():
    tensor = torch.eye(2, dtype=torch.bfloat16, requires_grad=True)
    kept = as_own_kind(tensor, "X")
    assert (kept.dtype, kept.requires_grad) == (torch.bfloat16, False)
    with pytest.raises(InvalidType, match="X must be an array of real numbers"):
        as_own_kind(torch.eye(2) * 1j, "X")
