"""Where a block is wrong: bisection down to single entries, and what their pattern tells.

A line through half of the entries, all weighing alike, disagrees if the half holds a wrong entry
(unless errors cancel along it, which other signs then show). So k entries need about log2 k rounds.
Unless one half of all is seen to be right, some entries are looked at as well. If most of those
that tell something are wrong, the error is spread over the block, and a common ratio or pattern is
looked for (`causes`); if not, the other wrong entries are searched for one by one.

Not seen to be wrong is not seen to be right: kinks close by widen the bar of a line so far that
much is lost in it. Right is what agrees within a bar in which an error as large as those known
would not be lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from symbreak.gradient_check.directional import COARSE, FINE, FINEST, Comparison, Directional, Mask
from symbreak.gradient_check.lines import Array, Indices, Line, signs, single

TRIES = 4  # of other signs, before a round of bisection is given up
SAMPLED = 8  # entries looked at where the error is spread
MOST_FOUND = 4  # entries that are searched for one by one
LOST = 0.01  # of a known error: a bar wider than this may hide another
TELLS = 1e-3  # of an entry: a bar up to this tells a wrong one from a right one


@dataclass(frozen=True)
class Entry:
    """One entry of theta: its index and its two derivatives.

    Attributes
    ----------
    is_wrong : whether the analytic one lies outside all that differences say.
    """

    index: int
    analytic: float
    numerical: float
    bar: float
    is_wrong: bool

    @property
    def error(self) -> float:
        """How far the two are apart."""
        return abs(self.analytic - self.numerical)

    @property
    def tells(self) -> bool:
        """Whether it is wrong, or a mistake in it would have been seen; a zero tells nothing."""
        return self.is_wrong or self.bar <= TELLS * max(abs(self.analytic), abs(self.numerical))

    @property
    def ratio(self) -> float:
        """Analytic / numerical; infinite where the numerical one is zero."""
        return self.analytic / self.numerical if self.numerical else float("inf")


@dataclass(frozen=True)
class Located:
    """What was found, the worst first.

    Attributes
    ----------
    entries : those that were looked at where most of them are wrong, else those that are wrong.
    is_spread : whether more entries are wrong than were found.
    are_all : whether all others were seen to be right.
    """

    entries: tuple[Entry, ...]
    is_spread: bool
    are_all: bool = False

    @property
    def wrong(self) -> tuple[Entry, ...]:
        """Those that are wrong."""
        return tuple(entry for entry in self.entries if entry.is_wrong)


def locate(directional: Directional, indices: Indices, stream: np.random.Generator) -> Located:
    """Return the wrong entries among `indices`, of which one is known to be wrong."""
    wrong_entry, in_one_half = _bisected(directional, indices, stream)
    if not in_one_half:
        looked_at = _sample(directional, indices, wrong_entry, stream)
        told = [entry for entry in looked_at if entry.tells]
        n_wrong = sum(entry.is_wrong for entry in told)
        if n_wrong > max(1.0, len(told) / 2):
            return Located(_worst_first(looked_at), is_spread=True)
    if wrong_entry is None:
        return Located((), is_spread=False)
    return _one_by_one(directional, indices, wrong_entry, stream)


def _worst_first(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda entry: -entry.error))


def entries_of(directional: Directional, indices: Sequence[int]) -> list[Entry]:
    """Return the two derivatives of single entries."""
    lines = [single(int(index)) for index in indices]
    if not lines:
        return []
    comparison = directional.compare(lines, FINE)
    outside = comparison.is_wrong | (comparison.at_kink & ~comparison.is_between)
    return [
        Entry(int(line.indices[0]), float(a), float(n), float(bar), bool(is_wrong))
        for line, a, n, bar, is_wrong in zip(
            lines, comparison.analytic, comparison.numerical, comparison.bar, outside, strict=True
        )
    ]


def _sample(
    directional: Directional,
    indices: Indices,
    wrong_entry: Entry | None,
    stream: np.random.Generator,
) -> list[Entry]:
    """Return the entry that was found, and others drawn at random."""
    known = [] if wrong_entry is None else [wrong_entry]
    left = np.setdiff1d(indices, [entry.index for entry in known])
    drawn = stream.choice(left, size=min(SAMPLED, len(left)), replace=False)
    return known + entries_of(directional, drawn.tolist())


def _bisected(
    directional: Directional, indices: Indices, stream: np.random.Generator
) -> tuple[Entry | None, bool]:
    """Return one wrong entry, and whether one half of all was seen to be right."""
    in_one_half, among = True, indices
    while len(among) > 1:
        halves = np.array_split(among, 2)
        wrong, right, sizes = _judged_halves(
            directional, halves, stream, both=len(among) == len(indices)
        )
        if not wrong.any():
            return None, False
        if len(among) == len(indices):
            in_one_half = bool(right.any())
        among = halves[int(np.argmax(np.where(wrong, sizes, -1.0)))]
    entry = entries_of(directional, [int(among[0])])[0]
    return entry if entry.is_wrong else None, in_one_half


def _judged_halves(
    directional: Directional, halves: Sequence[Indices], stream: np.random.Generator, *, both: bool
) -> tuple[Mask, Mask, Array]:
    """Return which halves are seen to be wrong, which right, and the size of the error in each.

    Finer steps are taken where no half is wrong, or if one is to be known of both.
    """
    wrong, right, sizes = np.zeros(2, dtype=bool), np.zeros(2, dtype=bool), np.zeros(2)
    for _ in range(TRIES):
        lines = [signs(half, stream) for half in halves]
        for level in (COARSE, FINE):
            comparison = directional.compare(lines, level)
            sizes = _errors(comparison, lines)
            wrong, right = comparison.is_wrong, _are_right(comparison, lines, float(sizes.max()))
            if (wrong | right).all() or (wrong.any() and not both):
                break
        if wrong.any():
            break
    return wrong, right, sizes


def _are_right(comparison: Comparison, lines: Sequence[Line], known: float) -> Mask:
    """Return which lines agree so closely that none of their entries is off by `known`."""
    weights = np.array([abs(line.weights[0]) for line in lines])
    return np.asarray(
        comparison.agrees & ~comparison.at_kink & (comparison.bar <= LOST * known * weights)
    )


def _errors(comparison: Comparison, lines: Sequence[Line]) -> Array:
    """Return the error of a single entry that would explain each line."""
    weights = np.array([abs(line.weights[0]) for line in lines])
    errors: Array = np.nan_to_num(np.abs(comparison.analytic - comparison.numerical) / weights)
    return errors


def _one_by_one(
    directional: Directional, indices: Indices, first: Entry, stream: np.random.Generator
) -> Located:
    """Return further wrong entries, searched for among those that are not known."""
    wrong_entries = [first]
    while True:
        left = np.setdiff1d(indices, [entry.index for entry in wrong_entries])
        wrong, right = _judged_rest(directional, left, first, stream)
        if not wrong or len(wrong_entries) == MOST_FOUND:
            return Located(_worst_first(wrong_entries), is_spread=wrong, are_all=right)
        entry, _ = _bisected(directional, left, stream)
        if entry is None:
            return Located(_worst_first(wrong_entries), is_spread=True)
        wrong_entries.append(entry)


def _judged_rest(
    directional: Directional, left: Indices, known: Entry, stream: np.random.Generator
) -> tuple[bool, bool]:
    """Return whether the entries that are left are seen to be wrong, and whether to be right."""
    if not len(left):
        return False, True
    line = [signs(left, stream)]
    wrong, right = False, False
    for level in (COARSE, FINE, FINEST):
        comparison = directional.compare(line, level)
        wrong = bool(comparison.is_wrong[0])
        right = bool(_are_right(comparison, line, known.error)[0])
        if wrong or right:
            break
    return wrong, right
