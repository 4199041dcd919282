"""Where starts stood on the way: a few points of each, on a log scale of updates.

A callback of `minimize`. Kept are the points after 0, 1, 2, 3, 4, 6, 8, 11, 16, ... updates (steps
of sqrt 2, rounded): about 2 log2(updates) points, so that a search ten times as long keeps seven
more. Starts are kept from the first on, as many as the memory allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays import Array, as_numpy
from symbreak.optimize import Outcome, Progress

MOST_BYTES = 64 * 2**20
_EXPECTED_POINTS = 24  # of a search of about 2000 updates


def is_due(updates: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """Return which numbers of updates are points of the log scale."""
    least = np.maximum(updates, 1)
    near = np.round(2.0 * np.log2(least))
    return np.asarray((updates <= 4) | (np.round(2.0 ** (near / 2.0)) == updates))


@dataclass(frozen=True, eq=False)
class Trajectory:
    """theta (points, n) of one start after so many updates, (points,)."""

    start: int
    updates: NDArray[np.int64]
    theta: NDArray[Any]


class Trajectories:
    """Keeps the trajectories of starts; give it to `minimize` as the callback.

    Parameters
    ----------
    theta : (starts, n), the starts.
    most_bytes : how much memory the points may take for a search of about 2000 updates.
    """

    def __init__(self, theta: Array, most_bytes: int = MOST_BYTES) -> None:
        stack = np.atleast_2d(as_numpy(theta))
        one = _EXPECTED_POINTS * stack.shape[1] * stack.itemsize
        self.n_kept = int(np.clip(most_bytes // max(one, 1), 1, len(stack)))
        self.n_starts = len(stack)
        self._last = np.zeros(self.n_kept, dtype=np.int64)
        self._points = [[(0, row.copy())] for row in stack[: self.n_kept]]

    def __call__(self, progress: Progress) -> None:
        """Keep what is due."""
        places = progress.places
        if places is None:
            return
        kept = places.starts < self.n_kept
        starts, updates = places.starts[kept], places.n_iterations[kept]
        due = is_due(updates) & (updates > self._last[starts])
        rows = np.flatnonzero(kept)[due]
        for start, update, row in zip(starts[due], updates[due], rows, strict=True):
            self._points[start].append((int(update), as_numpy(places.theta[row]).copy()))
        self._last[starts[due]] = updates[due]

    def of(self, start: int, outcome: Outcome) -> Trajectory | None:
        """Return the trajectory of a start to the point of the outcome; None where it was not kept.

        Where the search went on from there to worse points, the trajectory ends before them.
        """
        if start >= self.n_kept:
            return None
        end, theta = int(outcome.best_iteration[start]), np.atleast_2d(as_numpy(outcome.theta))
        points = [one for one in self._points[start] if one[0] < max(end, 1)]
        if end > 0:
            points.append((end, theta[start]))
        updates, thetas = zip(*points, strict=True)
        return Trajectory(start, np.array(updates), np.stack(thetas))
