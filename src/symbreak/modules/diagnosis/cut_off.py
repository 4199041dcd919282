"""Parameters that J depends on and that get no gradient: something cuts them off.

A parameter is drawn anew, at several sizes, and all others stay.

    J stays the same                     the loss uses nothing that comes of it
    J changes, there is a gradient       it rests at a flat place: a dead unit, a satisfied margin
    J changes, never a gradient          it is cut off: by detach, no_grad, .data, .item(), integers
                                         (autograd gives none), by rounding or sign (exactly zero)

Many are asked at once, and halved while J changes. What is left together after `MOST` questions is
taken for cut off together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from symbreak.modules.observation.observed import Observed
from symbreak.modules.observation.reruns import REFUSALS, with_random_parameters

SIZES = (1e-2, 1.0, 1e2)  # a threshold may be crossed by large numbers, or by small ones
MOST = 32


def cut_off(observed: Observed, names: Sequence[str]) -> set[str] | None:
    """Return which of the parameters are cut off; None where J cannot be compared."""
    if observed.step is None:
        return None
    try:
        before, again = observed.reruns.values(2)
        return set(_searched(names, _Question(observed, before))) if before == again else None
    except REFUSALS:
        return None


class _Question:
    """Which of some parameters may be cut off."""

    def __init__(self, observed: Observed, before: float) -> None:
        self._observed, self._before, self.left = observed, before, MOST
        self._without = {p.name for p in observed.parameters if p.grad is None}

    def __call__(self, names: Sequence[str]) -> list[str]:
        """Return those without a gradient wherever J changed, none if it never did."""
        self.left -= 1
        changes, alive = False, set()
        for size in SIZES:
            own = with_random_parameters(self._observed.module, names, scale=size)
            shown = self._observed.reruns.of(own)
            if math.isfinite(shown.J) and self._before != shown.J:
                changes = True
                alive |= shown.moved(names)
            if changes and self._without.issuperset(names):
                break  # no size gives a gradient where autograd has no way to it
        return [name for name in names if name not in alive] if changes else []


def _searched(names: Sequence[str], ask: _Question) -> list[str]:
    """Return the parameters that are cut off, by halves."""
    left = ask(names) if names else []
    if len(left) < 2 or ask.left <= 0:
        return left
    middle = len(left) // 2
    return [*_searched(left[:middle], ask), *_searched(left[middle:], ask)]
