"""Arrays at the surface: what users hold goes in, what came in comes out.

NumPy arrays, torch tensors, pandas and polars frames and lists are accepted; inside, everything is
a torch tensor. The dtype follows the data: floating arrays keep theirs, all else becomes float64.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symbreak.errors import InvalidInput, InvalidType

FLOATS = {"float32": torch.float32, "float64": torch.float64}


def as_dtype(dtype: Any, known: Mapping[str, torch.dtype] = FLOATS) -> torch.dtype:
    """Return the torch dtype of a word, a NumPy or a torch dtype; one of `known`."""
    name = str(dtype).removeprefix("torch.") if isinstance(dtype, torch.dtype | str) else ""
    if not name:
        try:
            name = np.dtype(dtype).name
        except TypeError:
            name = repr(dtype)
    if name not in known:
        raise InvalidInput(f"dtype must be {' or '.join(known)}. Got {dtype!r}.")
    return known[name]


def as_device(device: Any) -> torch.device:
    """Return the torch device of a name such as "cpu" or "cuda:0"."""
    try:
        found = torch.device("cpu" if device is None else device)
        # Read back, since a device such as "meta" takes numbers and keeps none.
        torch.zeros(1, device=found).item()
    except (RuntimeError, TypeError, AssertionError, NotImplementedError) as error:
        raise InvalidInput(
            f"device must be one that PyTorch can use here, such as 'cpu'. Got {device!r}."
        ) from error
    return found


def as_tensor(array: Any, what: str) -> Tensor:
    """Return a torch tensor of numbers, without a copy where that is possible.

    Raises
    ------
    InvalidType
        `what` names the argument whose content is no array of real numbers.
    """
    if isinstance(array, Tensor):
        tensor = array.detach() if array.requires_grad else array
    else:
        if hasattr(array, "to_numpy"):  # pandas and polars
            array = array.to_numpy()
        try:
            array = np.asarray(array)
        except ValueError as error:  # rows of unequal length
            raise InvalidType(f"{what} must be an array of real numbers. Got {error}") from error
        if array.dtype.kind not in "fiub":
            raise InvalidType(f"{what} must be an array of real numbers. Got {array.dtype}.")
        array = _torch_readable(array)
        tensor = torch.from_numpy(array)
    if tensor.is_complex():
        raise InvalidType(f"{what} must be an array of real numbers. Got {tensor.dtype}.")
    return tensor


def _torch_readable(array: Any) -> Any:
    """Return a copy where torch cannot share the memory: byte order, size, strides, flags."""
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        return array.astype(np.float64)
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    shared = native.flags.writeable and min(native.strides, default=0) >= 0
    return native if shared else native.copy()


def float_dtype(tensor: Tensor, dtype: Any = None) -> torch.dtype:
    """Return the dtype to compute in: the one asked for, or that of floating data, or float64."""
    if dtype is not None:
        return as_dtype(dtype)
    return tensor.dtype if tensor.dtype in FLOATS.values() else torch.float64


def like(result: Tensor, given: Any) -> Any:
    """Return `result` as the kind that `given` is: torch of its dtype and device, or NumPy."""
    if isinstance(given, Tensor):
        dtype = given.dtype if given.is_floating_point() else result.dtype
        return result.to(dtype=dtype, device=given.device)
    array = result.cpu().numpy()
    dtype_of = getattr(given, "dtype", None)
    if isinstance(dtype_of, np.dtype) and dtype_of.kind == "f":
        return array.astype(dtype_of, copy=False)
    return array


def as_numpy(array: Any) -> NDArray[Any]:
    """Return a tensor or an array as NumPy, on the host, its dtype kept."""
    return np.asarray(torch.as_tensor(array).detach().cpu().numpy())
