"""Splitting rows into training, validation and test parts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from symbreak.errors import InvalidInput, choose
from symbreak.tables.row_facts import RowFacts
from symbreak.tables.task import TASKS
from symbreak.tables.tied_split import split_groups, split_times

Rows = npt.NDArray[np.int64]


def split_rows(
    y: npt.ArrayLike,
    fractions: Sequence[float],
    task: str,
    seed: int,
    facts: RowFacts | None = None,
) -> tuple[Rows, ...]:
    """Split the rows 0 .. m-1 at random into parts, the first of which is for training.

    For classification every class keeps one row in training, and the other parts have the classes
    in the proportions of the whole as far as their sizes allow.

    Parameters
    ----------
    y
        The target, shape (m,).
    fractions
        The share of each part, together 1; a part with share 0 is empty, every other part has at
        least one row.
    task
        "classification" or "regression".
    seed
        At least 0; the same seed gives the same parts.
    facts
        Which rows belong together, or come after others; see `symbreak.tables.tied_split`.

    Returns
    -------
    tuple of arrays
        One sorted array of row indices for each fraction; in the order of time where there is one.

    Raises
    ------
    InvalidInput
        The fractions are not shares of a whole, or there are too few rows.
    """
    choose("The task", task, TASKS)
    labels = np.asarray(y)
    sizes = _sizes(fractions, len(labels))
    if facts is not None and facts.time is not None:
        return split_times(facts.time, sizes)
    if facts is not None and facts.groups is not None:
        return split_groups(facts.groups, labels if task == "classification" else None, sizes, seed)
    random = np.random.default_rng(seed)
    reserved = _one_of_each(labels, random) if task == "classification" else np.empty(0, np.int64)
    rest = np.setdiff1d(np.arange(len(labels)), reserved)
    if len(rest) < sum(sizes) or len(labels) <= sum(sizes):
        # Every part has a row, however small its share.
        least = max(len(reserved), 1) + np.count_nonzero(sizes)
        advice = "give more rows" if len(labels) < least else "choose smaller shares"
        raise InvalidInput(
            f"The table must have enough rows for a training row of every class and "
            f"{sum(sizes)} rows for the other parts. Got {len(labels)} rows; {advice}."
        )
    strata = labels if task == "classification" else np.zeros(len(labels))
    parts = []
    for size in sizes:
        part = _draw(rest, strata, size, random)
        rest = np.setdiff1d(rest, part)
        parts.append(part)
    return np.sort(np.concatenate([reserved, rest])), *parts


def _sizes(fractions: Sequence[float], m: int) -> list[int]:
    shares = [float(share) for share in fractions]
    if not shares or min(shares) < 0 or shares[0] <= 0 or not math.isclose(sum(shares), 1):
        raise InvalidInput(
            "The fractions of the parts must be shares of 1, that of training above 0. "
            f"Got {shares}."
        )
    return [max(1, round(share * m)) if share else 0 for share in shares[1:]]


def _one_of_each(labels: npt.NDArray[Any], random: np.random.Generator) -> Rows:
    order = random.permutation(len(labels))
    _, first = np.unique(labels[order], return_index=True)
    return order[first]


def _draw(rest: Rows, labels: npt.NDArray[Any], size: int, random: np.random.Generator) -> Rows:
    """Draw `size` of the rows `rest`, stratified where every class has rows enough for it."""
    from sklearn.model_selection import train_test_split

    if size in (0, len(rest)):
        return rest[:size]
    _, place, count = np.unique(labels[rest], return_inverse=True, return_counts=True)
    candidates = rest[count[place] > 1]
    n_classes = int(np.sum(count > 1))
    stratified = size >= n_classes and len(candidates) - size >= n_classes > 0
    if not stratified:
        candidates = rest
    drawn = train_test_split(
        candidates,
        test_size=size,
        stratify=labels[candidates] if stratified else None,
        random_state=int(random.integers(2**32)),
    )[1]
    return np.sort(drawn)
