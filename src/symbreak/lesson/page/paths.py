"""Training from several starts at once, with the points at a few updates kept.

Runs from equal units minimise J(P theta), see `symbreak.lesson.runs`; their points are P theta.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symbreak.arrays import as_numpy
from symbreak.lesson.runs import Floats, loop_of
from symbreak.objectives import NetworkCost, Objective
from symbreak.optimize.outcome import Outcome
from symbreak.symmetry.projection import SymmetricCost, one_unit_per_layer, project


@dataclass(frozen=True, eq=False)
class Path:
    """Where one run stood.

    Attributes
    ----------
    updates : the updates of the points, rising from 0.
    points : (points, n). The last one of a run that ended by itself is its best, where it was seen.
    made : the updates that were made, more than the last of `updates` where a run went on from its
        best point to worse ones.
    ending : the sentence of how it ended; "" if it made all updates.
    exact : whether the gradient was averaged over equal units.
    """

    updates: tuple[int, ...]
    points: Floats
    made: int
    ending: str
    exact: bool


def marks(updates: int) -> list[int]:
    """Return 0, 1, 2, 5, 10, 20, 50, ... and `updates`."""
    series = (digit * 10**power for power in range(len(str(updates))) for digit in (1, 2, 5))
    return [0, *(mark for mark in series if mark < updates), updates]


def train(
    cost: NetworkCost, theta: Floats, method: str, updates: int, *, exact: bool
) -> list[Path]:
    """Train from theta (starts, n) and return the path of each start."""
    labels = one_unit_per_layer(cost.network)
    objective = SymmetricCost(cost, labels) if exact else cost
    seen, outcome = _run(objective, theta, method, updates, marks(updates))
    paths = []
    for start, points in enumerate(seen):
        ended, best = int(outcome.n_iterations[start]), int(outcome.best_iteration[start])
        early = ended <= updates
        if early:
            points = {n: point for n, point in points.items() if n < best}
            points[best] = as_numpy(outcome.theta[start])
        stack = np.stack(list(points.values()))
        if exact:
            stack = project(cost.network, stack, labels)
        ending = str(outcome.status[start]) if early else ""
        paths.append(Path(tuple(points), stack, min(ended, updates), ending, exact))
    return paths


def _run(
    objective: Objective, theta: Floats, method: str, updates: int, kept: list[int]
) -> tuple[list[dict[int, Floats]], Outcome]:
    """Return for each start its points by update, and the outcome one update later.

    The loop hands out accepted points of starts that still run, so the last update that is kept
    must not be the last one made.
    """
    loop = loop_of(objective, theta, method, updates + 1)
    seen: list[dict[int, Floats]] = [{0: row.copy()} for row in theta]
    while loop.tick():
        for row, start in enumerate(loop.running.starts):
            made = int(loop.n_iterations[start])
            if made in kept and made not in seen[start]:
                seen[start][made] = as_numpy(loop.theta[row]).copy()
    return seen, loop.outcome()
