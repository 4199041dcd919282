"""Whether J still falls: an ending for searches whose steps may go up as well as down.

Conventions
-----------
A step counts as progress when J <= lowest J before it - tol. After `patience` accepted steps in a
row without progress a start ends, as scikit-learn's neural networks do on their training loss.
"""

from __future__ import annotations

import numpy as np

from symbreak.checks import check_positive_integer
from symbreak.optimize.per_start import Floats, Mask, PerStart


class Stalling(PerStart):
    """How long J of every running start has not fallen by `tol`."""

    per_start = ("_lowest", "_since")

    def __init__(self, patience: int, tol: float, n_starts: int) -> None:
        check_positive_integer("value_patience", patience)
        self.patience, self.tol = patience, tol
        self._lowest: Floats = np.full(n_starts, np.inf)
        self._since = np.zeros(n_starts, dtype=np.int64)

    def look(self, rows: Mask, value: Floats) -> Mask:
        """Take notice of J (rows,) where a step was accepted; return which rows have stalled."""
        fell = rows & (value <= self._lowest - self.tol)
        self._lowest = np.where(rows, np.fmin(self._lowest, value), self._lowest)
        self._since = np.where(fell, 0, self._since + rows)
        return rows & (self._since >= self.patience)
