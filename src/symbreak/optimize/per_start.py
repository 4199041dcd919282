"""State that has one row for each running start: drop rows, copy some of them out, put them back.

Starts end at different times and leave the stack; a search that was stopped is continued later. So
every part of the search names the attributes whose first axis (or, for a part of a part, whose own
state) runs over the starts.
"""

from __future__ import annotations

import copy
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Starts = NDArray[np.integer[Any]]  # indices


class PerStart:
    """A part of the search with one row for each running start.

    per_start : the names of its attributes that are torch tensors or NumPy arrays with the starts
        on the first axis, or `PerStart` themselves. An attribute that is None is passed over.
    """

    per_start: ClassVar[tuple[str, ...]] = ()

    def pick(self, rows: Mask | Starts) -> Self:
        """Return a copy that holds only `rows`, a mask or indices."""
        picked = copy.copy(self)
        picked.keep(rows)
        return picked

    def keep(self, rows: Mask | Starts) -> None:
        """Drop all but `rows`, a mask or indices."""
        for name in self.per_start:
            setattr(self, name, _picked(getattr(self, name), rows))

    def join(self, other: Self) -> Self:
        """Return a copy that holds the rows of `other` behind its own."""
        joined = copy.copy(self)
        for name in self.per_start:
            setattr(joined, name, _joined(getattr(self, name), getattr(other, name)))
        return joined


def _picked(held: Any, rows: Mask | Starts) -> Any:
    if held is None:
        return None
    if isinstance(held, PerStart):
        return held.pick(rows)
    return held[torch.from_numpy(rows).to(held.device)] if isinstance(held, Tensor) else held[rows]


def _joined(first: Any, second: Any) -> Any:
    if first is None:
        return None
    if isinstance(first, PerStart):
        return first.join(second)
    if isinstance(first, Tensor):
        return torch.cat([first, second])
    return np.concatenate([first, second])


def where(rows: Mask, new: Tensor, old: Tensor) -> Tensor:
    """Return `new` in these rows and `old` in the others, (rows, n)."""
    if rows.all():
        return new
    return torch.where(torch.from_numpy(rows).to(new.device)[:, None], new, old)


def host(tensor: Tensor) -> Floats:
    """Return the numbers as a float64 NumPy array, where decisions are made."""
    return np.asarray(tensor.detach().double().cpu().numpy())


def device_like(numbers: Floats, like: Tensor) -> Tensor:
    """Return host numbers in the dtype and on the device of `like`."""
    return torch.from_numpy(numbers).to(dtype=like.dtype, device=like.device)
