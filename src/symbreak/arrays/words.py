"""The words for dtypes: "float64" is that of NumPy, of PyTorch and of any other kind of array."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np

from symbreak.errors import InvalidInput

FLOATS = ("float32", "float64")


def word_of(dtype: Any) -> str:
    """Return the word of a dtype of any kind of array, such as "float64"."""
    is_numpys = isinstance(dtype, (np.dtype, type))  # np.float64 is a type
    return _numpys_word(dtype) if is_numpys else str(dtype).rpartition(".")[2]


@cache
def _numpys_word(dtype: Any) -> str:
    return np.dtype(dtype).name  # which NumPy puts together each time


def dtype_word(dtype: Any, known: Iterable[str] = FLOATS) -> str:
    """Return the word of a word, a NumPy or a torch dtype; one of `known`.

    Raises
    ------
    InvalidInput
        Another dtype, or none at all.
    """
    try:
        word = np.dtype(dtype).name
    except TypeError:
        word = word_of(dtype) if isinstance(dtype, str) or is_torchs(dtype) else repr(dtype)
    if word not in known:
        raise InvalidInput(f"dtype must be {' or '.join(known)}. Got {dtype!r}.")
    return word


def is_torchs(dtype: Any) -> bool:
    """Whether a dtype, or its word, is one of PyTorch."""
    return type(dtype).__module__ == "torch" or str(dtype).startswith("torch.")
