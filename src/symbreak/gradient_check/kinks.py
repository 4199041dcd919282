"""Kinks at theta itself: does the gradient lie between the two sides?

Along a line that meets one kink at theta, any number between the one-sided derivatives is a
derivative (a subgradient). A line that meets several at once mixes them with each other and with
entries that lie on none, and its two sides say little. So such a line is split: pieces that agree
are done, the others are split again, those first whose derivative lies outside both sides, down to
single entries, which then lie between their own sides or do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from symbreak.gradient_check.directional import FINEST, Comparison, Directional, Mask
from symbreak.gradient_check.lines import Indices, Line, single, spherical
from symbreak.gradient_check.localisation import Entry

MOST_LINES = 64


class Settled(Enum):
    """What the pieces of a line showed."""

    BETWEEN = "between"
    WRONG = "wrong"
    MANY = "many"
    OPEN = "open"


@dataclass(frozen=True)
class Pieces:
    """What they showed, and the single entries that lie outside both their sides.

    Attributes
    ----------
    are_all : whether all pieces were followed down to the entries that are wrong.
    """

    settled: Settled
    wrong: tuple[Entry, ...] = ()
    are_all: bool = False


def settle(directional: Directional, indices: Indices, stream: np.random.Generator) -> Pieces:
    """Return whether every piece agrees or lies between its two sides."""
    ahead, later, wrong, n_lines = [indices], list[Indices](), list[Entry](), 0
    while ahead:
        n_lines += len(ahead)
        if n_lines > MOST_LINES:
            return _ended(wrong, Settled.MANY)
        comparison = directional.compare([_line(piece, stream) for piece in ahead], FINEST)
        outside = comparison.is_wrong | (comparison.at_kink & ~comparison.is_between)
        is_entry = np.array([len(piece) == 1 for piece in ahead])
        if (is_entry & ~comparison.agrees & ~comparison.at_kink & ~outside).any():
            return _ended(wrong, Settled.OPEN)
        wrong += _entries(ahead, comparison, is_entry & outside)
        first = _halves(ahead, ~is_entry & ~comparison.agrees & outside)
        later += _halves(ahead, ~is_entry & ~comparison.agrees & ~outside)
        ahead, later = (first, later) if first else (later, [])
    return _ended(wrong, Settled.BETWEEN)


def _ended(wrong: list[Entry], otherwise: Settled) -> Pieces:
    are_all = otherwise is Settled.BETWEEN
    return Pieces(Settled.WRONG, tuple(wrong), are_all) if wrong else Pieces(otherwise)


def _halves(pieces: Sequence[Indices], which: Mask) -> list[Indices]:
    chosen = (piece for piece, is_one in zip(pieces, which, strict=True) if is_one)
    return [half for piece in chosen for half in np.array_split(piece, 2)]


def _line(piece: Indices, stream: np.random.Generator) -> Line:
    return single(int(piece[0])) if len(piece) == 1 else spherical(piece, stream)


def _entries(pieces: Sequence[Indices], comparison: Comparison, which: Mask) -> list[Entry]:
    """Return single entries, each beside the side that is nearest."""
    return [
        Entry(int(piece[0]), float(analytic), float(nearest), float(bar), is_wrong=True)
        for piece, analytic, nearest, bar, is_one in zip(
            pieces, comparison.analytic, comparison.nearest, comparison.sides, which, strict=True
        )
        if is_one
    ]
