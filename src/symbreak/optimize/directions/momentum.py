"""Steepest descent with a memory of velocity, with or without Nesterov's look ahead.

Conventions
-----------
v = momentum v - learning_rate gradient
Polyak 1964 (heavy ball):  theta = theta + v
Nesterov 1983, in the form of Sutskever et al. 2013 with theta as the point looked ahead to:
                           theta = theta + momentum v - learning_rate gradient
momentum = 0 is plain gradient descent.
"""

from __future__ import annotations

from symbreak.arrays import Array, add_scaled_, quiet
from symbreak.optimize.per_start import Mask, PerStart, where
from symbreak.optimize.protocols import Point


class Momentum(PerStart):
    """The velocity v is the direction, to be taken with step 1."""

    per_start = ("velocity",)
    has_scale = True

    def __init__(self, learning_rate: float, momentum: float, *, nesterov: bool = False) -> None:
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.nesterov = nesterov

    def start(self, here: Point) -> Array:
        """Return the step from rest."""
        self.velocity = here.gradient * -self.learning_rate
        return self._step(here)

    @quiet
    def update(self, active: Mask, before: Point, here: Point) -> Array:
        """Return the step after v = momentum v - learning_rate gradient."""
        velocity = self._advanced(here)
        self.velocity = where(active, velocity, self.velocity)
        return self._step(here)

    def restart(self, active: Mask, here: Point) -> Array:
        """Return the step from rest."""
        self.velocity = where(active, here.gradient * -self.learning_rate, self.velocity)
        return self._step(here)

    @quiet
    def _step(self, here: Point) -> Array:
        if not self.nesterov:
            return self.velocity
        return self._advanced(here)

    def _advanced(self, here: Point) -> Array:
        """Return momentum v - learning_rate gradient."""
        velocity = self.velocity * self.momentum
        add_scaled_(velocity, here.gradient, -self.learning_rate)
        return velocity
