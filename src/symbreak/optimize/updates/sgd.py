"""Stochastic gradient descent with a memory of velocity (Robbins & Monro 1951; Polyak 1964).

Conventions
-----------
v = momentum v + gradient,  v = 0 at first
theta = theta - rate v                          heavy ball
theta = theta - rate (gradient + momentum v)    Nesterov 1983, as Sutskever et al. 2013 write it
The rate stands outside v, so that a schedule acts on the whole step at once, as in PyTorch.
momentum = 0 is plain gradient descent.
"""

from __future__ import annotations

import torch
from torch import Tensor

from symbreak.objectives.contract import Objective
from symbreak.optimize.updates.rule import Rate, UpdateRule


class SGD(UpdateRule):
    """Steps along the velocity."""

    per_start = ("_velocity",)

    def __init__(self, momentum: float, *, nesterov: bool) -> None:
        self.momentum, self.nesterov = momentum, nesterov

    def start(self, theta: Tensor, objective: Objective) -> None:
        """Begin at rest."""
        self._velocity = torch.zeros_like(theta) if self.momentum > 0 else None
        self._kept = theta.new_tensor(self.momentum)

    def update_(self, theta: Tensor, gradient: Tensor, rate: Rate) -> None:
        """Take one step in place."""
        along = gradient
        if self._velocity is not None:
            along = self._velocity.mul_(self._kept).add_(gradient)
            if self.nesterov:
                along = gradient.add(along, alpha=self.momentum)
        if isinstance(rate, Tensor):
            theta.addcmul_(along, rate, value=-1.0)
        else:
            theta.add_(along, alpha=-rate)
