"""Where an array lies: its device, its memory, and room like it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from symbreak.arrays.kinds import Array, is_tensor, namespace
from symbreak.arrays.words import word_of


def device_of(array: Array) -> Any:
    """Return the device: that of PyTorch for a tensor, else "cpu"."""
    return array.device if is_tensor(array) else "cpu"


def is_on_host(array: Array) -> bool:
    """Whether it lies in the memory of the processor."""
    return not is_tensor(array) or array.device.type == "cpu"


def has_float64(array: Array) -> bool:
    """Whether its device computes in float64, as all but Apple's do."""
    return is_on_host(array) or array.device.type != "mps"


def itemsize(array: Array) -> int:
    """Return the bytes of one number."""
    return int(np.dtype(word_of(array.dtype)).itemsize)


def nbytes(array: Array) -> int:
    """Return the bytes of all its numbers."""
    return math.prod(array.shape) * itemsize(array)


def empty_like(array: Array, shape: Sequence[int] | int | None = None) -> Array:
    """Return contiguous room of the kind, dtype and device of `array`, of its shape if not said."""
    shape = tuple(array.shape) if shape is None else shape
    if isinstance(array, np.ndarray):
        return np.empty(shape, array.dtype)
    return namespace(array).empty(shape, dtype=array.dtype, device=array.device)


def is_contiguous(array: Array) -> bool:
    """Whether its numbers lie row after row without a gap."""
    if isinstance(array, np.ndarray):
        return array.flags.c_contiguous
    return not is_tensor(array) or bool(array.is_contiguous())


def contiguous(array: Array) -> Array:
    """Return the same numbers row after row, without a copy where they already are."""
    if is_contiguous(array):
        return array
    return array.contiguous() if is_tensor(array) else np.ascontiguousarray(array)
