"""Where the axis of J ends. Searches that diverge reach J beyond all measure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np


def ceiling(lines: Iterable[Sequence[float]], *, log: bool) -> float:
    """Return the largest J to show: 100 times the highest start, or twice the fall above it.

    Parameters
    ----------
    lines : J of each start, the finite ones, in their order; at least one has any.
    log : whether the axis is logarithmic.
    """
    given = [np.asarray(line, dtype=np.float64) for line in lines if len(line)]
    top = max(float(line[0]) for line in given)
    if log:
        return min(100.0 * top, float(np.finfo(np.float64).max))
    fall = top / 2.0 - min(float(line.min()) for line in given) / 2.0
    return min(top + 4.0 * fall if fall else math.inf, float(np.finfo(np.float64).max))
