"""From one kind of array to another, and the kind that comes out where none went in.

Conventions
-----------
Arrays on the CPU share their memory when they change kind, wherever they can: writing into one
writes into the other.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symbreak.arrays.kinds import Array, as_numpy, is_tensor, namespace
from symbreak.arrays.memory import device_of
from symbreak.arrays.tensors import as_device, as_tensor, imported_torch, shared
from symbreak.arrays.words import word_of


def alike(array: Array, other: Array) -> Array:
    """Return the same numbers as the kind and on the device of `other`."""
    if isinstance(other, np.ndarray):
        return array if isinstance(array, np.ndarray) else as_numpy(array)
    if is_tensor(other):
        tensor = array.detach() if is_tensor(array) else shared(as_numpy(array))
        return tensor.to(other.device)
    return array if type(array) is type(other) else namespace(other).asarray(as_numpy(array))


def like(result: Array, given: Any) -> Any:
    """Return `result` as the kind that `given` is: torch of its dtype and device, or NumPy."""
    if is_tensor(given):
        tensor = alike(result, given)
        return tensor.to(given.dtype) if given.is_floating_point() else tensor
    array, dtype = as_numpy(result), getattr(given, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind == "f":
        return array.astype(dtype, copy=False)
    return array


def empty(word: str, device: Any) -> Array:
    """Return an array without numbers: what shows the kind, dtype and device to compute in.

    Parameters
    ----------
    device : as `as_device` takes it; the CPU is NumPy's.
    """
    if _is_numpys(device):
        return np.empty(0, word)
    place = as_device(device)
    torch = imported_torch("device")
    return torch.empty(0, dtype=getattr(torch, word), device=place)


def at_surface(array: Array, *, word: str | None = None, device: Any = None) -> Any:
    """Return an array as it comes out where none went in: NumPy, or a tensor on another device.

    Parameters
    ----------
    word : its dtype; that of `array` if not said. NumPy has no bfloat16, which gives a tensor.
    device : as `as_device` takes it; that of `array` if not said.
    """
    word = word_of(array.dtype) if word is None else word
    place = device_of(array) if device is None else device
    if _is_numpys(place) and word != "bfloat16":
        return as_numpy(array).astype(word, copy=False)
    return tensor_on(array, word, place)


def tensor_on(array: Array, word: str, device: Any) -> Any:
    """Return a tensor of the dtype of that word, on a device as `as_device` takes it."""
    torch = imported_torch(f"{word} on the device {device}")
    return as_tensor(array, "array").to(dtype=getattr(torch, word), device=as_device(device))


def _is_numpys(device: Any) -> bool:
    """Whether what is computed there is NumPy's: nothing said, or the word, of whatever kind."""
    return device is None or str(device) == "cpu"
