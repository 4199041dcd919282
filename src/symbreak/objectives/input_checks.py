"""Sample weights and indices as users give them, checked once, at the door."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays import (
    Array,
    alike,
    as_array,
    as_numpy,
    cast,
    copied,
    namespace,
    quiet,
    word_of,
)
from symbreak.errors import InvalidInput


@quiet
def check_weights(sample_weight: Any, like: Array, m: int) -> Array | None:
    """Return the weights of m rows as an array like the rows, (m,) or (starts, m), or None.

    Raises
    ------
    InvalidInput
        Another shape, negative or not finite weights, weights that are all zero.
    """
    if sample_weight is None:
        return None
    given = copied(alike(as_array(sample_weight, "sample_weight"), like))
    weights, xp = cast(given, word_of(like.dtype)), namespace(like)
    if weights.ndim not in (1, 2) or weights.shape[-1] != m:
        raise InvalidInput(
            f"sample_weight must be of shape ({m},) or (starts, {m}). Got {tuple(weights.shape)}."
        )
    if not bool(xp.all(xp.isfinite(weights) & (weights >= 0.0))):
        raise InvalidInput("sample_weight must be finite and not negative. Got other values.")
    if bool(xp.any(xp.sum(weights, axis=-1) == 0.0)):
        raise InvalidInput("sample_weight must not be all zero. Got a sum of 0.")
    return weights


def check_indices(indices: Any, n: int, what: str, one: str) -> NDArray[np.int64]:
    """Return the indices (k,) as NumPy's; a mask (n,) means where it is true.

    Parameters
    ----------
    n : how many there are to pick from; -1 is the last, as in NumPy.
    what, one : the argument and what it picks, for messages.

    Raises
    ------
    InvalidInput
        None, one out of range, numbers that are not whole, or another shape.
    """
    index = as_numpy(as_array(indices, what))
    if index.size == 0:
        raise InvalidInput(f"{what} must hold at least one {one}. Got none.")
    if index.dtype.kind == "f" or index.ndim != 1:
        raise InvalidInput(
            f"{what} must be a vector of indices or a mask. "
            f"Got {index.dtype} of shape {index.shape}."
        )
    if index.dtype == np.bool_:
        if len(index) != n:
            raise InvalidInput(f"{what} must be a mask of {n} values. Got {len(index)}.")
        return check_indices(np.flatnonzero(index), n, what, one)
    wrong = (index < -n) | (index >= n)
    if wrong.any():
        raise InvalidInput(f"{what} must be indices from 0 to {n - 1}. Got {int(index[wrong][0])}.")
    return index.astype(np.int64) % n
