"""How soon rounding leads out of the symmetric set: some updates on a copy.

In exact arithmetic a symmetric theta stays symmetric. Floating point sums equal terms in different
orders, and the set is a saddle of J: a difference of one rounding grows like exp(rate * updates).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from symbreak.checks import check_positive, check_positive_integer
from symbreak.errors import InvalidType
from symbreak.symmetry.classes import Floats, Integers

MakeOptimizer = Callable[[list[Tensor]], torch.optim.Optimizer]


@dataclass(frozen=True)
class Escape:
    """How many updates the groups of each start lasted.

    Attributes
    ----------
    updates : (starts,), the first update after which the distance was above the threshold; -1
        where it never was.
    distance : (starts,), max |theta - P theta| / max |theta| after the last update.
    max_updates : how many updates were made.
    threshold : the distance that counts as torn.
    """

    updates: Integers
    distance: Floats
    max_updates: int
    threshold: float

    def __str__(self) -> str:
        lines = []
        for start, (torn, distance) in enumerate(zip(self.updates, self.distance, strict=True)):
            said = (
                f"torn after {torn} updates" if torn >= 0 else f"holds {self.max_updates} updates"
            )
            lines.append(f"start {start}: {said}, distance at the end {distance:.1e}")
        return "\n".join(lines)


def escape(
    cost: Any,
    theta: Tensor,
    distance: Callable[[Tensor], Floats],
    *,
    optimizer: MakeOptimizer | None = None,
    max_updates: int = 1000,
    threshold: float = 1e-3,
) -> Escape:
    """Make updates from a symmetric theta and see when its groups are torn.

    Parameters
    ----------
    cost : an objective, such as `NetworkCost`.
    theta : (starts, n), symmetric, of the dtype of the cost; it is not changed.
    distance : theta -> (starts,), how far theta is from the set, relative.
    optimizer : makes a `torch.optim` optimiser of a list of tensors; SGD with learning rate 0.1
        and momentum 0.9 when not given. It must treat entries alike, so that starts do not see
        each other.
    """
    for what, given in (("cost", cost), ("optimizer", optimizer or torch.optim.SGD)):
        if not callable(given):
            raise InvalidType(f"{what} of escape must be a function. Got {given!r}.")
    check_positive_integer("max_updates of escape", max_updates)
    check_positive("threshold of escape", threshold)
    moving = theta.clone()
    make = optimizer or (lambda tensors: torch.optim.SGD(tensors, lr=0.1, momentum=0.9))
    updates = make([moving])
    torn: Integers = np.full(len(theta), -1, dtype=np.int64)
    away = distance(moving)
    for number in range(1, max_updates + 1):
        moving.grad = cost(moving)[1]
        updates.step()
        away = distance(moving)
        # Also torn where theta is no longer finite: nothing is left to compare.
        torn[(torn < 0) & ~(away <= threshold)] = number
    return Escape(torn, away, max_updates, threshold)
