"""J at every accepted point of every start."""

from __future__ import annotations

import numpy as np

from symbreak.optimize.per_start import Floats, Starts


class History:
    """A table (iterations, starts) that grows by doubling; NaN where a start has no entry."""

    def __init__(self, n_starts: int) -> None:
        self._table = np.full((16, n_starts), np.nan)
        self._length = 0

    def record(self, iteration: Starts, start: Starts, value: Floats) -> None:
        """Note J of some starts, each at its own iteration (integer arrays of one length)."""
        if len(iteration) == 0:
            return
        self._length = max(self._length, int(iteration.max()) + 1)
        while self._length > len(self._table):
            self._table = np.concatenate([self._table, np.full_like(self._table, np.nan)])
        self._table[iteration, start] = value

    def copy(self) -> History:
        """Return a history that grows on its own."""
        other = History(0)
        other._table, other._length = self._table.copy(), self._length
        return other

    def table(self) -> Floats:
        """Return (iterations + 1, starts)."""
        return self._table[: self._length].copy()
