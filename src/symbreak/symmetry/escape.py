"""How soon rounding leads out of the symmetric set: some updates on a copy.

In exact arithmetic a symmetric theta stays symmetric. Floating point sums equal terms in different
orders, and the set is a saddle of J: a difference of one rounding grows like exp(rate * updates).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from symbreak.arrays import Array, alike, as_tensor, copied, namespace, quiet
from symbreak.checks import check_positive, check_positive_integer
from symbreak.errors import InvalidType
from symbreak.symmetry.classes import Floats, Integers

if TYPE_CHECKING:
    import torch

MakeOptimizer = Callable[[list["torch.Tensor"]], "torch.optim.Optimizer"]
LEARNING_RATE, MOMENTUM = 0.1, 0.9


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
    theta: Array,
    distance: Callable[[Array], Floats],
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
        and momentum 0.9 when not given, which needs no PyTorch. It must treat entries alike, so
        that starts do not see each other.
    """
    for what, given in (("cost", cost), ("optimizer", optimizer or _Descent)):
        if not callable(given):
            raise InvalidType(f"{what} of escape must be a function. Got {given!r}.")
    check_positive_integer("max_updates of escape", max_updates)
    check_positive("threshold of escape", threshold)
    updates = _Descent(theta) if optimizer is None else _ByOptimizer(theta, optimizer)
    torn: Integers = np.full(len(theta), -1, dtype=np.int64)
    away = distance(updates.theta)
    for number in range(1, max_updates + 1):
        updates.step(cost(updates.theta)[1])
        away = distance(updates.theta)
        # Also torn where theta is no longer finite: nothing is left to compare.
        torn[(torn < 0) & ~(away <= threshold)] = number
    return Escape(torn, away, max_updates, threshold)


class _Descent:
    """Gradient descent with momentum on a copy of theta."""

    def __init__(self, theta: Array) -> None:
        self.theta = copied(theta)
        self._velocity = namespace(theta).zeros_like(theta)

    @quiet
    def step(self, gradient: Array) -> None:
        """Make one update."""
        self._velocity *= MOMENTUM
        self._velocity += alike(gradient, self.theta)
        self.theta -= LEARNING_RATE * self._velocity


class _ByOptimizer:
    """An optimiser of PyTorch on a copy of theta."""

    def __init__(self, theta: Array, make: MakeOptimizer) -> None:
        self.theta = as_tensor(copied(theta), "theta")
        self._optimizer = make([self.theta])

    def step(self, gradient: Array) -> None:
        """Make one update."""
        self.theta.grad = alike(gradient, self.theta)
        self._optimizer.step()
