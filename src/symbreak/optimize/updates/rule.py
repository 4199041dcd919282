"""What a rule of mini-batch updates must offer.

Conventions
-----------
A rule holds tensors (rows, n) for the running starts. `update_` changes theta and those in place,
since small networks spend their time on calls and not on arithmetic; `fresh` gives the copy that
may be changed, so that a search that was paused can go on twice.
rate : the learning rate, a float, or a tensor (rows, 1) where the starts differ.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import Self

from torch import Tensor

from symbreak.objectives.contract import Objective
from symbreak.optimize.per_start import PerStart

Rate = float | Tensor


class UpdateRule(PerStart, ABC):
    """One way to step along mini-batch gradients; `per_start` names tensors only."""

    @abstractmethod
    def start(self, theta: Tensor, objective: Objective) -> None:
        """Make the state of starts at theta (rows, n)."""

    @abstractmethod
    def update_(self, theta: Tensor, gradient: Tensor, rate: Rate) -> None:
        """Change theta by one update; the gradient (rows, n) is left as it is."""

    def fresh(self) -> Self:
        """Return a copy whose state may be changed in place."""
        copied = copy.copy(self)
        for name in self.per_start:
            held: Tensor | None = getattr(self, name)
            setattr(copied, name, None if held is None else held.clone())
        return copied
