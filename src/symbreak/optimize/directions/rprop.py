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

import torch
from torch import Tensor

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

    def start(self, here: Point) -> Tensor:
        """Return the first move, `initial_step` in every entry."""
        self._steps = torch.full_like(here.gradient, self.initial_step)
        self._signs = here.gradient.sign()
        return self._move(self._signs)

    def update(self, active: Mask, before: Point, here: Point) -> Tensor:
        """Return the next move."""
        signs = here.gradient.sign()
        agreement = signs * self._signs
        kept, changed = agreement > 0.0, agreement < 0.0
        steps = torch.where(kept, self._steps * self.increase, self._steps)
        steps = torch.where(changed, self._steps * self.decrease, steps)
        self._steps = where(active, steps.clamp_(self.min_step, self.max_step), self._steps)
        signs = torch.where(changed, 0.0, signs)
        self._signs = where(active, signs, self._signs)
        rose = torch.from_numpy(here.value > before.value).to(changed.device)[:, None]
        return torch.where(changed & rose, before.theta - here.theta, self._move(signs))

    def restart(self, active: Mask, here: Point) -> Tensor:
        """Return the move from the first step again."""
        self._steps = where(active, torch.full_like(self._steps, self.initial_step), self._steps)
        self._signs = where(active, here.gradient.sign(), self._signs)
        return self._move(self._signs)

    def _move(self, signs: Tensor) -> Tensor:
        return (signs * self._steps).neg_()
