"""Rules of mini-batch updates: SGD, Adam and AdamW, and what every rule offers.

Conventions
-----------
A rule holds arrays (starts, n) for the running starts. `update_` changes theta and those in place,
since small networks spend their time on calls and not on arithmetic; `fresh` gives the copy that
may be changed, so that a search that was paused can go on twice.
rate : the learning rate, a float, or an array (starts, 1) where the starts differ.

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
from collections.abc import Mapping
from typing import Self

import numpy as np

from symbreak.arrays import (
    Array,
    add_product_,
    add_quotient_,
    add_scaled_,
    alike,
    cast,
    copied,
    namespace,
    quiet,
    word_of,
)
from symbreak.objectives.capabilities import HasWeights, offered
from symbreak.objectives.contract import Objective
from symbreak.optimize.per_start import PerStart

Rate = float | Array


class UpdateRule(PerStart, ABC):
    """One way to step along mini-batch gradients; `per_start` names arrays only.

    twin : the word by which the compiled core knows it, see `HasTwin`; None for no twin.
    """

    twin: str | None = None

    @abstractmethod
    def start(self, theta: Array, objective: Objective) -> None:
        """Make the state of starts at theta (starts, n)."""

    @abstractmethod
    def update_(self, theta: Array, gradient: Array, rate: Rate) -> None:
        """Change theta by one update; the gradient (starts, n) is left as it is."""

    def twin_settings(self) -> Mapping[str, float]:
        """Return its options by the names that the core asks for."""
        return {}

    @property
    def decay_of_each(self) -> Array | None:
        """The weight decay of each parameter, (n,); None for none."""
        return None

    def count(self, updates: int) -> None:
        """Take notice of updates that the twin has made."""

    def fresh(self) -> Self:
        """Return a copy whose state may be changed in place."""
        fresh = copy.copy(self)
        for name in self.per_start:
            held: Array | None = getattr(self, name)
            setattr(fresh, name, None if held is None else copied(held))
        return fresh


class SGD(UpdateRule):
    """Steps along the velocity."""

    per_start = ("_velocity",)
    twin = "sgd"

    def __init__(self, momentum: float, *, nesterov: bool) -> None:
        self.momentum, self.nesterov = momentum, nesterov

    def twin_settings(self) -> Mapping[str, float]:
        """Return the momentum; without one there is no velocity."""
        return {"momentum": self.momentum, "nesterov": self.nesterov, "updates": 0}

    def start(self, theta: Array, objective: Objective) -> None:
        """Begin at rest."""
        self._velocity = namespace(theta).zeros_like(theta) if self.momentum > 0 else None

    @quiet
    def update_(self, theta: Array, gradient: Array, rate: Rate) -> None:
        """Take one step in place."""
        along = gradient
        if self._velocity is not None:
            self._velocity *= self.momentum
            self._velocity += gradient
            along = self._velocity
            if self.nesterov:
                along = gradient + along * self.momentum
        if isinstance(rate, float):
            add_scaled_(theta, along, -rate)
        else:
            theta -= along * rate


class Adam(UpdateRule):
    """Steps along the mean gradient, scaled entry by entry by its root mean square.

    decay : the decoupled weight decay of AdamW; 0 is Adam.
    """

    per_start = ("_mean", "_square")
    twin = "adam"

    def __init__(self, beta1: float, beta2: float, eps: float, decay: float = 0.0) -> None:
        self.beta1, self.beta2, self.eps, self.decay = beta1, beta2, eps, decay

    def twin_settings(self) -> Mapping[str, float]:
        """Return the rates of the means, and how many updates they have seen."""
        return {
            "beta1": self.beta1, "beta2": self.beta2, "adam_eps": self.eps, "updates": self._t,
        }  # fmt: skip

    @property
    def decay_of_each(self) -> Array | None:
        """The weight decay of each parameter, (n,); None for none."""
        return self._decay if self.decay > 0 else None

    def count(self, updates: int) -> None:
        """Take notice of updates that the twin has made."""
        self._t += updates

    def start(self, theta: Array, objective: Objective) -> None:
        """Begin with means of zero."""
        xp = namespace(theta)
        self._mean, self._square = xp.zeros_like(theta), xp.zeros_like(theta)
        self._t = 0
        knowing = offered(objective, HasWeights)
        weights = np.ones(theta.shape[1], np.bool_) if knowing is None else knowing.is_weight
        self._decay = cast(alike(weights, theta), word_of(theta.dtype)) * self.decay

    @quiet
    def update_(self, theta: Array, gradient: Array, rate: Rate) -> None:
        """Take one step in place."""
        self._t += 1
        if self.decay > 0:
            self._shrink_(theta, rate)
        self._mean *= self.beta1
        add_scaled_(self._mean, gradient, 1.0 - self.beta1)
        self._square *= self.beta2
        add_product_(self._square, gradient, gradient, 1.0 - self.beta2)
        root = math.sqrt(1.0 - self.beta2**self._t)
        scale = namespace(theta).sqrt(self._square)
        scale += self.eps * root
        step = root / (1.0 - self.beta1**self._t)
        if not isinstance(rate, float):
            scale /= rate
            rate = 1.0
        add_quotient_(theta, self._mean, scale, -step * rate)

    def _shrink_(self, theta: Array, rate: Rate) -> None:
        theta -= theta * (self._decay * rate)
