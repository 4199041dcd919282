"""State that has one row for each running start: drop some, copy some of them out, put them back.

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

    def pick(self, which: Mask | Starts) -> Self:
        """Return a copy that holds only `which`, a mask or indices."""
        picked = copy.copy(self)
        picked.keep(which)
        return picked

    def keep(self, which: Mask | Starts) -> None:
        """Drop all but `which`, a mask or indices."""
        for name in self.per_start:
            setattr(self, name, _picked(getattr(self, name), which))

    def join(self, other: Self) -> Self:
        """Return a copy that holds the starts of `other` behind its own."""
        joined = copy.copy(self)
        for name in self.per_start:
            setattr(joined, name, _joined(getattr(self, name), getattr(other, name)))
        return joined


def _picked(held: Any, which: Mask | Starts) -> Any:
    if held is None:
        return None
    if isinstance(held, PerStart):
        return held.pick(which)
    if isinstance(held, Tensor):
        return held[torch.from_numpy(which).to(held.device)]
    return held[which]


def _joined(first: Any, second: Any) -> Any:
    if first is None:
        return None
    if isinstance(first, PerStart):
        return first.join(second)
    if isinstance(first, Tensor):
        return torch.cat([first, second])
    return np.concatenate([first, second])


def where(active: Mask, new: Tensor, old: Tensor) -> Tensor:
    """Return `new` in the active starts and `old` in the others, (starts, n)."""
    if active.all():
        return new
    return torch.where(torch.from_numpy(active).to(new.device)[:, None], new, old)


def host(tensor: Tensor) -> Floats:
    """Return the numbers as a float64 NumPy array, where decisions are made."""
    return np.asarray(tensor.detach().double().cpu().numpy())


def device_like(numbers: Floats, like: Tensor) -> Tensor:
    """Return host numbers in the dtype and on the device of `like`."""
    return torch.from_numpy(numbers).to(dtype=like.dtype, device=like.device)
