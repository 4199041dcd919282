"""State that has one row for each running start: drop some, copy some of them out, put them back.

Starts end at different times and leave the stack; a search that was stopped is continued later. So
every part of the search names the attributes whose first axis (or, for a part of a part, whose own
state) runs over the starts.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays import FLOATS, Array, alike, as_numpy, cast, chosen, namespace, picked, word_of

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Starts = NDArray[np.integer[Any]]  # indices


class PerStart:
    """A part of the search with one row for each running start.

    per_start : the names of its attributes that are arrays with the starts on the first axis, or
        `PerStart` themselves. An attribute that is None is passed over.
    """

    per_start: ClassVar[tuple[str, ...]] = ()

    def pick(self, which: Mask | Starts) -> Self:
        """Return a copy that holds only `which`, a mask or indices."""
        picked = self._copy()
        picked.keep(which)
        return picked

    def keep(self, which: Mask | Starts) -> None:
        """Drop all but `which`, a mask or indices."""
        for name in self.per_start:
            held = getattr(self, name)
            is_plain = type(held) is np.ndarray  # most are, and searches ask often
            setattr(self, name, held[which] if is_plain else _picked(held, which))

    def arrays(self, name: str = "") -> dict[str, Array]:
        """Return its arrays, and those of its parts, by their names joined with dots."""
        found: dict[str, Array] = {}
        for own in self.per_start:
            held = getattr(self, own)
            if isinstance(held, PerStart):
                found.update(held.arrays(f"{name}{own}."))
            elif held is not None:
                found[name + own] = held
        return found

    def join(self, other: Self) -> Self:
        """Return a copy that holds the starts of `other` behind its own."""
        joined = self._copy()
        for name in self.per_start:
            setattr(joined, name, _joined(getattr(self, name), getattr(other, name)))
        return joined

    def _copy(self) -> Self:
        # `copy.copy` asks many questions first, and there are many parts.
        copied = object.__new__(type(self))
        copied.__dict__.update(self.__dict__)
        return copied


def _picked(held: Any, which: Mask | Starts) -> Any:
    if held is None:
        return None
    if isinstance(held, PerStart):
        return held.pick(which)
    return rows(held, which)


def _joined(first: Any, second: Any) -> Any:
    if first is None:
        return None
    if isinstance(first, PerStart):
        return first.join(second)
    return namespace(first).concat([first, alike(second, first)])


def where(active: Mask, new: Array, old: Array) -> Array:
    """Return `new` in the active starts and `old` in the others, (starts, n)."""
    if active.all():
        return new
    return chosen(alike(active, new)[:, None], new, old)


def rows(array: Array, which: Mask | Starts) -> Array:
    """Return a copy of the rows `which`, a mask or indices."""
    if isinstance(array, np.ndarray):
        return array[which]
    return picked(array, np.flatnonzero(which) if which.dtype == np.bool_ else which, 0)


def put_rows(array: Array, which: Mask | Starts, values: Array | float) -> None:
    """Write `values` into the rows `which`, a mask or indices."""
    array[alike(which, array)] = values


def largest(array: Array) -> Array:
    """Return the largest |entry| of each row, (starts,)."""
    xp = namespace(array)
    return xp.max(xp.abs(array), axis=1)


def limits_of(array: Array) -> Any:
    """Return what the dtype of an array can hold: its eps, smallest_normal and max."""
    return namespace(array).finfo(array.dtype)


def host(array: Array) -> Floats:
    """Return the numbers as a float64 NumPy array, where decisions are made."""
    return as_numpy(array).astype(np.float64, copy=False)


def device_like(numbers: Floats, other: Array) -> Array:
    """Return host numbers of the kind, in the dtype and on the device of `other`."""
    if isinstance(other, np.ndarray):
        return numbers.astype(other.dtype, copy=False)
    word = word_of(other.dtype)
    # Cast before they move: not every device has float64.
    moved = alike(numbers if word == "float64" else numbers.astype(np.float32), other)
    return moved if word in FLOATS else cast(moved, word)
