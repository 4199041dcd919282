"""Adam (Kingma & Ba 2015, algorithm 1) and AdamW (Loshchilov & Hutter 2019, algorithm 2).

Conventions
-----------
t = 1, 2, ... the number of the update;  m, s : `_mean`, `_square`
m = beta1 m + (1 - beta1) gradient              s = beta2 s + (1 - beta2) gradient²
theta = theta - rate (m / c1) / (sqrt(s / c2) + eps),    c1 = 1 - beta1^t,  c2 = 1 - beta2^t
      = theta - rate sqrt(c2) / c1 · m / (sqrt(s) + eps sqrt(c2))
AdamW: before that, theta = theta - rate weight_decay theta. The decay is not scaled by s, which is
the difference to an L2 penalty in J. Biases do not decay where the objective says which entries are
weights (`is_weight`, (n,), as `NetworkCost` does, whose penalty counts the same); else all decay.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from symbreak.objectives.capabilities import HasWeights, offered
from symbreak.objectives.contract import Objective
from symbreak.optimize.updates.rule import Rate, UpdateRule


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
