"""Work in given room, which the array API leaves out: each kind of array has a way of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays.crossing import alike
from symbreak.arrays.kinds import Array, as_numpy, cast, is_tensor, namespace
from symbreak.arrays.words import word_of


def into(out: Array, function: Callable[..., Array], *arrays: Any) -> Array:
    """Put `function` of the arrays, one of the array API, into `out` and return it."""
    if isinstance(out, np.ndarray) or is_tensor(out):
        return function(*arrays, out=out)
    out[...] = function(*arrays)
    return out


def take_into(out: Array, array: Array, index: Array, axis: int) -> None:
    """Put the entries of `array` at `index` along `axis` into `out`."""
    if isinstance(out, np.ndarray):
        np.take(array, index, axis, out=out, mode="wrap")  # NumPy would buffer `out` to check
    else:
        into(out, partial(namespace(out).take, axis=axis), array, index)


def cuts(total: int, size: int) -> Iterator[slice]:
    """Yield slices of `size`, the last one of what is left."""
    return (slice(first, min(first + size, total)) for first in range(0, total, size))


def picked(array: Array, index: Any, axis: int) -> Array:
    """Return the entries at `index` along `axis`: views for a slice, else copies."""
    if isinstance(index, slice):
        return array[(slice(None),) * (axis % array.ndim) + (index, ...)]
    at = alike(index, array)
    if is_tensor(array):
        return array.index_select(axis, at)
    return namespace(array).take(array, at, axis=axis)


def gather(array: Array, index: Array) -> Array:
    """Return the entry of each start and example at its index: (s, 1, m) of (s, k, m).

    Parameters
    ----------
    index : (1, m), or (s, 1, m).
    """
    if isinstance(array, np.ndarray) and index.shape[0] == 1 and index.ndim == 2:
        return array[:, index[0], np.arange(array.shape[2])][:, None]
    xp = namespace(array)
    at = xp.broadcast_to(index, (array.shape[0], 1, array.shape[2]))
    return array.gather(1, at) if is_tensor(array) else xp.take_along_axis(array, at, axis=1)


def scatter_(array: Array, index: Array, values: Any) -> None:
    """Put `values`, (s, 1, m) or one for all, where `gather` takes them from; index (1, m)."""
    if isinstance(array, np.ndarray):
        array[:, index[0], np.arange(array.shape[2])] = values[:, 0] if np.ndim(values) else values
        return
    if is_tensor(array):
        array.scatter_(1, index.expand(array.shape[0], 1, -1), values)
        return
    xp = namespace(array)
    outputs = xp.arange(array.shape[1], dtype=index.dtype, device=array.device)
    array[...] = xp.where(outputs[:, None] == index, values, array)


def sums(values: Array, labels: NDArray[np.int64], count: int) -> Array:
    """Return the sums of the entries of each label along the last axis, (..., count) of (..., k).

    Parameters
    ----------
    labels : (k,), from 0 to count - 1, of NumPy whatever the kind of `values`.
    """
    shape = (*values.shape[:-1], count)
    if is_tensor(values):
        room = namespace(values).zeros(shape, dtype=values.dtype, device=values.device)
        return room.index_add_(-1, alike(labels, values), values)
    rows = as_numpy(values).reshape(-1, labels.size)
    places = labels + count * np.arange(len(rows))[:, None]
    found = np.bincount(places.ravel(), rows.ravel(), count * len(rows))
    return cast(alike(found.reshape(shape), values), word_of(values.dtype))
