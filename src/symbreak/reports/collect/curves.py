"""J over iterations of many starts, thinned to what a page can show, and scores of validation.

A line is {"start", "iterations", "J"}, or "score" in place of J. "kept" of a line of J is the
iteration after which the returned point was seen, and J of that point.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.optimize import Outcome
from symbreak.reports.numbers import plain

MOST_CURVES, MOST_POINTS, DIGITS = 50, 150, 7


def cost_curves(outcome: Outcome, chosen: int) -> dict[str, Any]:
    """Return the cost curves of some starts: the chosen one, and others spread over the final J."""
    lines = []
    for start in spread_over(outcome.value, MOST_CURVES, chosen):
        kept = [int(outcome.best_iteration[start]), float(outcome.value[start])]
        line = line_of(outcome.history[:, start], start, "J")
        lines.append({**line, "kept": plain(kept, DIGITS)})
    return {"of_starts": len(outcome.value), "chosen": chosen, "lines": lines}


def validation_curves(outcome: Outcome, chosen: int, *, sign: int = 1) -> dict[str, Any] | None:
    """Return the curves of validation of the same starts; None where nothing was validated.

    Parameters
    ----------
    sign : -1 where the score is the negative of what was minimised, so that higher is better.
    """
    if outcome.validation_history is None:
        return None
    scores = sign * outcome.validation_history
    starts = spread_over(outcome.value, MOST_CURVES, chosen)
    return {
        "chosen": chosen,
        "higher_is_better": sign < 0,
        "lines": [line_of(scores[:, start], start, "score") for start in starts],
    }


def line_of(series: NDArray[np.float64], start: int, name: str) -> dict[str, Any]:
    """Return one line; series (updates + 1,) is NaN where there is no point."""
    points = np.flatnonzero(~np.isnan(series))
    shown = points[thinned(len(points))]
    return dict(plain({"start": start, "iterations": shown, name: series[shown]}, DIGITS))


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
