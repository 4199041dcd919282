"""iRprop+: a step for every entry of theta, from the signs of its gradient alone.

Conventions (Igel & Hüsken 2003, Neurocomputing 50)
-----------
step_i : the length of the next move of entry i; sign_i : the sign of its last gradient
sign kept:     step_i = min(increase step_i, max_step),  move_i = -sign(g_i) step_i
sign changed:  step_i = max(decrease step_i, min_step),  and then the sign counts as 0;
               if J rose the last move is taken back, else the entry rests
sign 0:        step_i stays,                             move_i = -sign(g_i) step_i

Signs are compared, not the product of gradients, which could underflow. Entries with equal
gradients keep equal steps, so equal units stay equal; a gradient that is exactly zero moves
nothing, but one that is rounding noise moves its entry as far as any other.
"""

from __future__ import annotations

from symbreak.arrays import Array, alike, namespace, quiet
from symbreak.optimize.per_start import Mask, PerStart, where
from symbreak.optimize.protocols import Point


class Rprop(PerStart):
    """The move of iRprop+, to be taken with step 1."""

    per_start = ("_steps", "_signs")
    has_scale = True

    def __init__(
        self,
        *,
        initial_step: float = 0.1,
        min_step: float = 1e-6,
        max_step: float = 50.0,
        increase: float = 1.2,
        decrease: float = 0.5,
    ) -> None:
        self.initial_step, self.min_step, self.max_step = initial_step, min_step, max_step
        self.increase, self.decrease = increase, decrease

    def start(self, here: Point) -> Array:
        """Return the first move, `initial_step` in every entry."""
        xp = namespace(here.gradient)
        self._steps = xp.full_like(here.gradient, self.initial_step)
        self._signs = xp.sign(here.gradient)
        return self._move(self._signs)

    @quiet
    def update(self, active: Mask, before: Point, here: Point) -> Array:
        """Return the next move."""
        xp = namespace(here.gradient)
        signs = xp.sign(here.gradient)
        agreement = signs * self._signs
        kept, changed = agreement > 0.0, agreement < 0.0
        steps = xp.where(kept, self._steps * self.increase, self._steps)
        steps = xp.where(changed, steps * self.decrease, steps)
        self._steps = where(active, xp.clip(steps, self.min_step, self.max_step), self._steps)
        signs[changed] = 0.0
        self._signs = where(active, signs, self._signs)
        rose = alike(here.value > before.value, changed)[:, None]
        return xp.where(changed & rose, before.theta - here.theta, self._move(signs))

    def restart(self, active: Mask, here: Point) -> Array:
        """Return the move from the first step again."""
        xp = namespace(here.gradient)
        self._steps = where(active, xp.full_like(self._steps, self.initial_step), self._steps)
        self._signs = where(active, xp.sign(here.gradient), self._signs)
        return self._move(self._signs)

    def _move(self, signs: Array) -> Array:
        move = signs * self._steps
        move *= -1.0
        return move
