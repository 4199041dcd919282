"""Steepest descent with a memory of velocity (Polyak 1964, heavy ball).

v = momentum v - learning_rate gradient;  theta = theta + v.
momentum = 0 is plain gradient descent.
"""

from __future__ import annotations

import torch
from torch import Tensor

from symbreak.optimize.parts import Mask


class Momentum:
    """The velocity v is the direction, to be taken with step 1."""

    def __init__(self, learning_rate: float, momentum: float) -> None:
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.velocity = torch.empty(0)

    def start(self, gradient: Tensor) -> Tensor:
        """Return -learning_rate gradient."""
        self.velocity = gradient * -self.learning_rate
        return self.velocity

    def update(
        self,
        accepted: Mask,  # noqa: ARG002 - a fixed step is accepted in every row or the row ends
        move: Tensor,  # noqa: ARG002
        change: Tensor,  # noqa: ARG002
        gradient: Tensor,
    ) -> Tensor:
        """Return momentum v - learning_rate gradient."""
        self.velocity = self.velocity.mul(self.momentum).sub_(gradient, alpha=self.learning_rate)
        return self.velocity

    def restart(self, rows: Mask, gradient: Tensor) -> Tensor:  # noqa: ARG002 - all rows alike
        """Return -learning_rate gradient."""
        return self.start(gradient)

    def keep(self, rows: Mask) -> None:
        """Drop all but `rows`."""
        self.velocity = self.velocity[torch.from_numpy(rows).to(self.velocity.device)]
