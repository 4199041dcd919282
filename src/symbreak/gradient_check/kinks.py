"""Kinks at theta itself: does the gradient lie between the two sides?

Along a line that meets one kink at theta, any number between the one-sided derivatives is a
derivative (a subgradient). A line that meets several at once mixes them, and the two sides say
nothing about their mean. So such a line is split until each piece meets one kink, or none.
"""

from __future__ import annotations

from enum import Enum

import numpy as np

from symbreak.gradient_check.directional import FINEST, Directional
from symbreak.gradient_check.lines import Indices, signs

MOST_LINES = 64


class Settled(Enum):
    """What the pieces of a line showed."""

    BETWEEN = "between"
    WRONG = "wrong"
    OPEN = "open"


def settle(directional: Directional, indices: Indices, stream: np.random.Generator) -> Settled:
    """Return whether every piece agrees or lies between its two sides."""
    left, looked_at = [indices], 0
    while left:
        looked_at += len(left)
        if looked_at > MOST_LINES:
            return Settled.OPEN
        seen = directional.compare([signs(piece, stream) for piece in left], FINEST)
        if seen.is_wrong.any():
            return Settled.WRONG
        is_fine = seen.agrees | (seen.at_kink & seen.is_between)
        mixed = [piece for piece, fine in zip(left, is_fine, strict=True) if not fine]
        if any(len(piece) == 1 for piece in mixed):
            return Settled.OPEN
        left = [half for piece in mixed for half in np.array_split(piece, 2)]
    return Settled.BETWEEN
