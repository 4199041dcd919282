"""Rules of mini-batch updates: SGD, Adam and AdamW, and what every rule offers.

Conventions
-----------
A rule holds tensors (starts, n) for the running starts. `update_` changes theta and those in place,
since small networks spend their time on calls and not on arithmetic; `fresh` gives the copy that
may be changed, so that a search that was paused can go on twice.
rate : the learning rate, a float, or a tensor (starts, 1) where the starts differ.

SGD (Robbins & Monro 1951; Polyak 1964)
v = momentum v + gradient,  v = 0 at first
theta = theta - rate v                          heavy ball
theta = theta - rate (gradient + momentum v)    Nesterov 1983, as Sutskever et al. 2013 write it
The rate stands outside v, so that a schedule acts on the whole step at once, as in PyTorch.
momentum = 0 is plain gradient descent.

Adam (Kingma & Ba 2015, algorithm 1) and AdamW (Loshchilov & Hutter 2019, algorithm 2)
t = 1, 2, ... the number of the update;  m, s : `_mean`, `_square`
m = beta1 m + (1 - beta1) gradient              s = beta2 s + (1 - beta2) gradient²
theta = theta - rate (m / c1) / (sqrt(s / c2) + eps),    c1 = 1 - beta1^t,  c2 = 1 - beta2^t
      = theta - rate sqrt(c2) / c1 · m / (sqrt(s) + eps sqrt(c2))
AdamW: before that, theta = theta - rate weight_decay theta. The decay is not scaled by s, which is
the difference to an L2 penalty in J. Biases do not decay where the objective says which entries are
weights (`is_weight`, (n,), as `NetworkCost` does, whose penalty counts the same); else all decay.
"""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from typing import Self

import torch
from torch import Tensor

from symbreak.objectives.capabilities import HasWeights, offered
from symbreak.objectives.contract import Objective
from symbreak.optimize.per_start import PerStart

Rate = float | Tensor


class UpdateRule(PerStart, ABC):
    """One way to step along mini-batch gradients; `per_start` names tensors only."""

    @abstractmethod
    def start(self, theta: Tensor, objective: Objective) -> None:
        """Make the state of starts at theta (starts, n)."""

    @abstractmethod
    def update_(self, theta: Tensor, gradient: Tensor, rate: Rate) -> None:
        """Change theta by one update; the gradient (starts, n) is left as it is."""

    def fresh(self) -> Self:
        """Return a copy whose state may be changed in place."""
        copied = copy.copy(self)
        for name in self.per_start:
            held: Tensor | None = getattr(self, name)
            setattr(copied, name, None if held is None else held.clone())
        return copied


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


class Adam(UpdateRule):
    """Steps along the mean gradient, scaled entry by entry by its root mean square.

    decay : the decoupled weight decay of AdamW; 0 is Adam.
    """

    per_start = ("_mean", "_square")

    def __init__(self, beta1: float, beta2: float, eps: float, decay: float = 0.0) -> None:
        self.beta1, self.beta2, self.eps, self.decay = beta1, beta2, eps, decay

    def start(self, theta: Tensor, objective: Objective) -> None:
        """Begin with means of zero."""
        self._mean, self._square = torch.zeros_like(theta), torch.zeros_like(theta)
        self._t = 0
        self._beta2, self._one = theta.new_tensor(self.beta2), theta.new_ones(())
        knowing = offered(objective, HasWeights)
        self._decay = self._one * self.decay
        if knowing is not None:
            self._decay = knowing.is_weight.to(theta) * self.decay

    def update_(self, theta: Tensor, gradient: Tensor, rate: Rate) -> None:
        """Take one step in place."""
        self._t += 1
        if self.decay > 0:
            self._shrink_(theta, rate)
        self._mean.lerp_(gradient, 1.0 - self.beta1)
        self._square.mul_(self._beta2).addcmul_(gradient, gradient, value=1.0 - self.beta2)
        root = math.sqrt(1.0 - self.beta2**self._t)
        scale = self._square.sqrt().add_(self._one, alpha=self.eps * root)
        step = root / (1.0 - self.beta1**self._t)
        if isinstance(rate, Tensor):
            theta.addcdiv_(self._mean, scale.div_(rate), value=-step)
        else:
            theta.addcdiv_(self._mean, scale, value=-step * rate)

    def _shrink_(self, theta: Tensor, rate: Rate) -> None:
        if isinstance(rate, Tensor):
            theta.addcmul_(theta, self._decay * rate, value=-1.0)
        else:
            theta.addcmul_(theta, self._decay, value=-rate)
