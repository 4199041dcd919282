"""Splitting rows that do not stand by themselves: groups that stay whole, and an order in time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from symbreak.errors import InvalidInput

Rows = npt.NDArray[np.int64]


def split_groups(
    groups: Rows, labels: npt.NDArray[Any] | None, sizes: Sequence[int], seed: int
) -> tuple[Rows, ...]:
    """Split rows so that no group is in two parts, the first of which is for training.

    Every class keeps a row in training. The parts have about as many rows as is asked for, as
    groups are whole.

    Parameters
    ----------
    groups
        (m,) the group of each row.
    labels
        (m,) the classes; None for numbers.
    sizes
        How many rows the other parts have.
    seed
        At least 0; the same seed gives the same parts.

    Raises
    ------
    InvalidInput
        There are too few groups.
    """
    random = np.random.default_rng(seed)
    left = np.arange(len(groups))
    parts = []
    for size in sizes:
        part = _draw(left, groups, labels, size, random)
        left = np.setdiff1d(left, part)
        parts.append(part)
    return left, *parts


def split_times(time: Rows, sizes: Sequence[int]) -> tuple[Rows, ...]:
    """Split rows by time: the first part, for training, is the earliest, the last one the latest.

    Rows of one time are never in two parts. All parts are in the order of time.

    Parameters
    ----------
    time
        (m,) rising with time.
    sizes
        How many rows the later parts have, more where rows of one time would be torn apart.

    Raises
    ------
    InvalidInput
        There are too few different times.
    """
    order = np.argsort(time, kind="stable")
    risen = time[order]
    parts, end = [], len(order)
    for size in reversed(sizes):
        begin = int(np.searchsorted(risen, risen[max(end - size, 0)])) if size else end
        parts.append(order[begin:end])
        end = begin
    if not end:
        raise InvalidInput(
            f"A split by time must have different times for {len(sizes)} later parts and the "
            f"training. Got {len(np.unique(time))}; choose smaller shares, or another column."
        )
    return order[:end], *reversed(parts)


def _draw(
    left: Rows, groups: Rows, labels: npt.NDArray[Any] | None, size: int, random: Any
) -> Rows:
    """Return rows of whole groups, as near to `size` as the order of the draw allows."""
    if not size:
        return left[:0]
    members = {group: left[groups[left] == group] for group in np.unique(groups[left])}
    taken: list[Rows] = []
    n = 0
    # A group that is larger than twice what is wanted is taken where there is no other.
    for is_any in (False, True):
        for group in random.permutation(list(members)).tolist():
            rows = members[group]
            is_nearer = abs(n + len(rows) - size) < abs(n - size)
            if (is_nearer or (is_any and not taken)) and _leaves(
                left, np.concatenate([*taken, rows]), labels
            ):
                taken.append(members.pop(group))
                n += len(rows)
        if taken:
            return np.sort(np.concatenate(taken))
    raise InvalidInput(
        "A split by groups must have groups enough for each part, and rows of every class in the "
        f"training. Got {len(np.unique(groups))} groups; give more, or choose smaller shares."
    )


def _leaves(left: Rows, taken: Rows, labels: npt.NDArray[Any] | None) -> bool:
    """Tell whether there are rows left, of every class."""
    rest = np.setdiff1d(left, taken)
    if labels is None:
        return bool(len(rest))
    return len(np.unique(labels[rest])) == len(np.unique(labels[left]))
