"""Kinds of arrays: NumPy, tensors of PyTorch, and any other of the array API."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays.words import FLOATS, dtype_word, word_of
from symbreak.errors import InvalidType

# Of the array API: NumPy's, PyTorch's, or another's.
Array = Any

_NAMESPACES: dict[type, Any] = {}

# Far out numbers overflow to their limits, and what is not finite is found where it is judged.
quiet = np.errstate(all="ignore")


def is_tensor(thing: Any) -> bool:
    """Whether it is a tensor of PyTorch, which is not imported for that."""
    if type(thing) is np.ndarray:  # as in most calls, of which a fit makes many
        return False
    kind = getattr(sys.modules.get("torch"), "Tensor", None)
    return kind is not None and isinstance(thing, kind)


def is_array(thing: Any) -> bool:
    """Whether it is an array of some kind, and no list of numbers."""
    return is_tensor(thing) or hasattr(thing, "__array_namespace__")


def namespace(array: Array) -> Any:
    """Return the functions of the array API for this kind of array."""
    if isinstance(array, np.ndarray):
        return np
    kind = type(array)
    if kind not in _NAMESPACES:  # searches ask several times a tick
        from array_api_compat import array_namespace

        _NAMESPACES[kind] = array_namespace(array)
    return _NAMESPACES[kind]


def as_array(thing: Any, what: str) -> Array:
    """Return the array to compute on: NumPy, or the tensor itself on other devices than the CPU.

    Raises
    ------
    InvalidType
        `what` names the argument whose content is no dense array of real numbers.
    """
    if is_tensor(thing):
        check_real(thing, what)
        return as_numpy(thing) if thing.device.type == "cpu" else thing.detach()
    if hasattr(thing, "to_numpy"):  # pandas and polars
        thing = thing.to_numpy()
    if hasattr(thing, "toarray"):  # sparse, of SciPy
        name = type(thing).__name__
        raise InvalidType(f"{what} must be dense. Got {name}: call its toarray().")
    try:
        array = np.asarray(thing)
    except ValueError as error:  # rows of unequal length
        raise InvalidType(f"{what} must be an array of real numbers. Got {error}") from error
    if array.dtype.kind not in "fiub":
        raise InvalidType(f"{what} must be an array of real numbers. Got {array.dtype}.")
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        return array.astype(np.float64)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def as_own_kind(thing: Any, what: str) -> Array:
    """Return the array of the kind that it is: a tensor where it lies, and all else NumPy.

    Raises
    ------
    InvalidType
        `what` names the argument whose content is no array of real numbers.
    """
    if not is_tensor(thing):
        return as_array(thing, what)
    check_real(thing, what)
    return thing.detach()


def as_numpy(array: Any) -> NDArray[Any]:
    """Return a tensor or an array as NumPy, on the host, its dtype kept where NumPy has it."""
    if not is_tensor(array):
        return np.asarray(array)
    try:
        return np.asarray(array.numpy(force=True))
    except TypeError:  # NumPy has no bfloat16
        # What is neither float32 nor float64 is computed in float64, float16 too.
        return np.asarray(array.double().numpy(force=True))


@quiet
def cast(array: Array, word: str) -> Array:
    """Return the numbers in the dtype of that word; without a copy if they are in it."""
    xp = namespace(array)
    return xp.astype(array, getattr(xp, word), copy=False)


def copied(array: Array) -> Array:
    """Return a copy."""
    return namespace(array).asarray(array, copy=True)


def float_word(array: Array, dtype: Any = None) -> str:
    """Return the dtype to compute in: the one asked for, or that of floating data, or float64."""
    if dtype is not None:
        return dtype_word(dtype)
    word = word_of(array.dtype)
    return word if word in FLOATS else "float64"


def plain_number(array: Array) -> float | int:
    """Return the one number of an array as Python's, an integer if it is one."""
    xp = namespace(array)
    is_whole = xp.isdtype(array.dtype, ("integral", "bool"))
    return int(array) if is_whole else float(array)


def check_real(tensor: Array, what: str) -> None:
    """Refuse complex numbers."""
    if tensor.is_complex():
        raise InvalidType(f"{what} must be an array of real numbers. Got {tensor.dtype}.")
