"""J over updates of many starts, thinned to what a page can show."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.reports.numbers import plain

MOST_CURVES, MOST_POINTS = 50, 150


def curves(
    history: NDArray[np.float64], value: NDArray[np.float64], chosen: int | None
) -> dict[str, Any]:
    """Return the cost curves of some starts: the chosen one, and others spread over the final J.

    Parameters
    ----------
    history : (iterations + 1, starts), NaN after a start has ended.
    value : (starts,), J at the end.
    """
    shown = spread_over(value, MOST_CURVES, chosen)
    lines = []
    for start in shown:
        points = np.flatnonzero(~np.isnan(history[:, start]))
        kept = points[thinned(len(points))]
        line = {"start": start, "updates": kept, "J": history[kept, start]}
        lines.append(plain(line, digits=7))
    return {"of_starts": history.shape[1], "chosen": chosen, "lines": lines}


def spread_over(value: NDArray[np.float64], most: int, chosen: int | None = None) -> list[int]:
    """Return at most so many starts, evenly over the ranks of J, with the chosen one."""
    order = np.argsort(value, kind="stable")
    ranks = np.unique(np.linspace(0, len(order) - 1, min(most, len(order))).round().astype(int))
    starts = [int(start) for start in order[ranks]]
    if chosen is not None and chosen not in starts:
        starts[-1] = chosen
    return sorted(starts)


def thinned(n: int, most: int = MOST_POINTS) -> NDArray[np.int64]:
    """Return indices of n points: all, or `most` that lie denser at the beginning."""
    if n <= most:
        return np.arange(n)
    steps = np.unique(np.round(np.geomspace(1, n, most)).astype(np.int64)) - 1
    return np.asarray(steps)
