"""Where a block is wrong: bisection down to single entries, and what their pattern tells.

A line through half of the entries, all weighing alike, disagrees if the half holds a wrong entry
(unless errors cancel along it, which other signs then show). So k entries need about log2 k rounds.
Where both halves are wrong at once, some entries are looked at as well. If most of them are wrong,
the error is spread over the block, and a common ratio or pattern is looked for (`causes`); if not,
the other wrong entries are searched for one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from symbreak.gradient_check.directional import COARSE, FINE, Comparison, Directional, Mask
from symbreak.gradient_check.lines import Array, Indices, Line, signs, single

TRIES = 4  # of other signs, before a round of bisection is given up
SAMPLED = 8  # entries looked at where the error is spread
MOST_FOUND = 4  # entries that are searched for one by one


@dataclass(frozen=True)
class Entry:
    """One entry of theta: its index and its two derivatives."""

    index: int
    analytic: float
    numerical: float
    bar: float

    @property
    def is_wrong(self) -> bool:
        """Whether the two differ by more than the bar."""
        return abs(self.analytic - self.numerical) > self.bar

    @property
    def ratio(self) -> float:
        """Analytic / numerical; infinite where the numerical one is zero."""
        return self.analytic / self.numerical if self.numerical else float("inf")


@dataclass(frozen=True)
class Located:
    """Entries that were looked at, the worst first, and whether the error is spread."""

    entries: tuple[Entry, ...]
    is_spread: bool

    @property
    def wrong(self) -> tuple[Entry, ...]:
        """Those that are wrong."""
        return tuple(entry for entry in self.entries if entry.is_wrong)


def locate(directional: Directional, indices: Indices, stream: np.random.Generator) -> Located:
    """Return the wrong entries among `indices`, of which one is known to be wrong."""
    found, are_both = _bisected(directional, indices, stream)
    entries = [found] if found is not None else []
    sample = _sample(directional, indices, entries, stream) if are_both else []
    is_spread = sum(entry.is_wrong for entry in sample) > len(sample) / 2
    entries += sample if is_spread else _others(directional, indices, entries, stream)
    entries.sort(key=lambda entry: -abs(entry.analytic - entry.numerical))
    return Located(tuple(entries), is_spread)


def entries_of(directional: Directional, indices: Sequence[int]) -> list[Entry]:
    """Return the two derivatives of single entries."""
    lines = [single(int(index)) for index in indices]
    if not lines:
        return []
    seen = directional.compare(lines, FINE)
    return [
        Entry(int(line.indices[0]), float(a), float(n), float(bar))
        for line, a, n, bar in zip(lines, seen.analytic, seen.numerical, seen.bar, strict=True)
    ]


def _sample(
    directional: Directional, indices: Indices, known: list[Entry], stream: np.random.Generator
) -> list[Entry]:
    left = np.setdiff1d(indices, [entry.index for entry in known])
    return entries_of(
        directional, stream.choice(left, size=min(SAMPLED, len(left)), replace=False).tolist()
    )


def _bisected(
    directional: Directional, indices: Indices, stream: np.random.Generator
) -> tuple[Entry | None, bool]:
    """Return one wrong entry, and whether both halves of all were wrong."""
    is_spread, among = False, indices
    while len(among) > 1:
        halves = np.array_split(among, 2)
        wrong, sizes = _wrong_halves(directional, halves, stream)
        if not wrong.any():
            return None, is_spread
        if len(among) == len(indices):
            is_spread = bool(wrong.all())
        among = halves[int(np.argmax(np.where(wrong, sizes, -1.0)))]
    return entries_of(directional, [int(among[0])])[0], is_spread


def _wrong_halves(
    directional: Directional, halves: Sequence[Indices], stream: np.random.Generator
) -> tuple[Mask, Array]:
    """Return which halves are seen to be wrong, and the size of the error in each."""
    wrong, sizes = np.zeros(2, dtype=bool), np.zeros(2)
    for attempt in range(TRIES):
        lines = [signs(half, stream) for half in halves]
        seen = directional.compare(lines, FINE if attempt else COARSE)
        wrong, sizes = seen.is_wrong, _errors(seen, lines)
        if wrong.any():
            break
    return wrong, sizes


def _errors(seen: Comparison, lines: Sequence[Line]) -> Array:
    """Return the error of a single entry that would explain each line."""
    weights = np.array([abs(line.weights[0]) for line in lines])
    errors: Array = np.nan_to_num(np.abs(seen.analytic - seen.numerical) / weights)
    return errors


def _others(
    directional: Directional, indices: Indices, known: list[Entry], stream: np.random.Generator
) -> list[Entry]:
    """Return further wrong entries, searched for among those that are not known."""
    found: list[Entry] = []
    while known and len(found) + 1 < MOST_FOUND:
        left = np.setdiff1d(indices, [entry.index for entry in (*known, *found)])
        if not len(left) or not directional.compare([signs(left, stream)]).is_wrong.any():
            break
        entry, _ = _bisected(directional, left, stream)
        if entry is None:
            break
        found.append(entry)
    return found
