"""Kinks at theta itself: does the gradient lie between the two sides?

Along a line that meets one kink at theta, any number between the one-sided derivatives is a
derivative (a subgradient). A line that meets several at once mixes them with each other and with
entries that lie on none, and its two sides say little. So such a line is split: pieces that agree
are done, the others are split again, down to single entries, which then lie between their own sides
or do not. Where that takes too many lines, pieces that lie between their two sides are believed.
"""

from __future__ import annotations

from enum import Enum

import numpy as np

from symbreak.gradient_check.directional import FINEST, Directional
from symbreak.gradient_check.lines import Indices, spherical

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
        seen = directional.compare([spherical(piece, stream) for piece in left], FINEST)
        if seen.is_wrong.any():
            return Settled.WRONG
        is_between = seen.agrees | (seen.at_kink & seen.is_between)
        is_last = looked_at + 2 * len(left) > MOST_LINES
        if any(
            not between and (len(piece) == 1 or is_last)
            for piece, between in zip(left, is_between, strict=True)
        ):
            return Settled.OPEN
        if is_last:
            return Settled.BETWEEN
        mixed = [
            piece
            for piece, agrees in zip(left, seen.agrees, strict=True)
            if not agrees and len(piece) > 1
        ]
        left = [half for piece in mixed for half in np.array_split(piece, 2)]
    return Settled.BETWEEN
