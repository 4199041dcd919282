"""The table of the starts and what they show together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symbreak.network import Network
from symbreak.optimize import Outcome
from symbreak.reports.numbers import plain
from symbreak.training.minima import distinct_minima
from symbreak.training.scores import Scores

MOST_ROWS = 2000
MOST_COMPARED, MOST_PREDICTED = 64, 256


def table_of_starts(
    outcome: Outcome,
    *,
    kept: Sequence[int] | None = None,
    validation: Sequence[Scores | None] = (),
    holdout: Sequence[Scores | None] = (),
) -> list[dict[str, Any]]:
    """Return one row for each start, lowest J first; of very many, the lowest.

    Parameters
    ----------
    kept : the starts whose mean is the prediction; None where nothing was chosen.
    validation, holdout : the scores of each start; empty where there are none.
    """
    order = np.argsort(outcome.value, kind="stable")[:MOST_ROWS]
    chosen = None if kept is None else set(kept)
    return [
        plain({
            "start": int(start),
            "J": float(outcome.value[start]),
            "gradient_norm": float(outcome.gradient_norm[start]),
            "iterations": int(outcome.n_iterations[start]),
            "best_iteration": int(outcome.best_iteration[start]),
            "evaluations": int(outcome.n_evaluations[start]),
            "status": outcome.status[start].word,
            "status_text": str(outcome.status[start]),
            "used": None if chosen is None else int(start) in chosen,
            "validation": _score(validation, start),
            "holdout": _score(holdout, start),
        })
        for start in order
    ]  # fmt: skip


def restart_summary(outcome: Outcome) -> dict[str, Any]:
    """Return how many starts reached the lowest J, and the distinct minima."""
    found: Any = plain(outcome.restarts.to_dict())
    found["text"] = str(outcome.restarts)
    minima = found["minima"]
    found["n_minima"] = len(minima)
    found["minima"] = [
        {"J": one["J"], "count": len(one["starts"]), "starts": one["starts"][:MOST_ROWS]}
        for one in minima[:MOST_ROWS]
    ]
    return dict(found)


def minima_words(network: Network, outcome: Outcome, X: Any = None) -> str:
    """Return how many minima there are beyond equal J; "" where that takes too long to tell.

    Parameters
    ----------
    X : (m, features), for the predictions; the first rows are used.
    """
    converged = int(outcome.converged.sum())
    if not 0 < converged <= MOST_COMPARED:
        return ""
    rows = None if X is None else X[:MOST_PREDICTED]
    return str(distinct_minima(network, outcome, rows))


def _score(scores: Sequence[Scores | None], start: int) -> float | None:
    one = scores[start] if len(scores) else None
    return None if one is None else one.as_dict()[one.names[0]]
