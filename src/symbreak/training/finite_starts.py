"""Random starts at which J and its gradient are finite.

A start where they are not is drawn again from the same rule, with the next start number that is not
used: of `starts` starts, the k-th redraw (from 0) is start number `starts + k`. Numbers are
counters, so start 7 is the same start whatever else is drawn. After `MOST_REDRAWS` redraws of one
place it stays as it is, and the optimiser says "non-finite start".
"""

from __future__ import annotations

import secrets
from typing import NamedTuple

import numpy as np

from symbreak.arrays import Array, alike
from symbreak.initialization import initialize
from symbreak.initialization.rule import Rule
from symbreak.objectives import NetworkCost
from symbreak.optimize.protocols import Point

MOST_REDRAWS = 10


class Drawn(NamedTuple):
    """theta (starts, n), and how many starts were drawn again."""

    theta: Array
    redrawn: int


def draw_finite_starts(
    cost: NetworkCost, rule: str | Rule, *, starts: int, seed: int | None = 0
) -> Drawn:
    """Draw starts for the network of `cost`; see `symbreak.initialize`."""
    seed = secrets.randbits(64) if seed is None else seed

    def drawn(count: int) -> Array:
        return initialize(cost.network, rule, starts=count, seed=seed, like=cost.prototype)

    theta, redrawn = drawn(starts), 0
    bad = np.flatnonzero(~Point.at(cost, theta).is_finite)
    for _ in range(MOST_REDRAWS):
        if len(bad) == 0:
            break
        first = starts + redrawn
        fresh = drawn(first + len(bad))[first:]
        theta[alike(bad, theta)] = fresh
        redrawn += len(bad)
        bad = bad[~Point.at(cost.take(bad), fresh).is_finite]
    return Drawn(theta, redrawn)
