"""What a search chose from: its candidates, best first, and their scores over the folds."""

from __future__ import annotations

from typing import Any

import numpy as np

from symbreak.reports.numbers import plain, short
from symbreak.training.choosing import Choice
from symbreak.training.selection import name_of

MOST_CANDIDATES = 100


def of_choice(choice: Choice) -> dict[str, Any]:
    """Return the networks and penalties that cross-validation compared; a lower score is better."""
    order = sorted(
        range(len(choice.candidates)),
        key=lambda place: (-choice.candidates[place].mean, -choice.candidates[place].alpha),
    )
    rows = []
    for rank, place in enumerate(order, start=1):
        one = choice.candidates[place]
        settings = {"network": name_of(*one.network), "alpha": one.alpha}
        spread = one.scores.std() if np.isfinite(one.scores).all() else np.nan
        rows.append(_row(rank, settings, -one.mean, spread, taken=place == choice.taken))
    return _section(choice.score_words, choice.folds, rows, lower_is_better=True)


def of_search(search: Any) -> dict[str, Any] | None:
    """Return the candidates of a fitted search in scikit-learn's habit; None for anything else."""
    results = getattr(search, "cv_results_", None)
    if results is None:
        return None
    # Of several scores the one that chose is named by refit.
    name = "score" if "mean_test_score" in results else str(search.refit)
    columns = (
        results[key]
        for key in (f"rank_test_{name}", "params", f"mean_test_{name}", f"std_test_{name}")
    )
    rows = [
        _row(int(rank), *rest, taken=place == search.best_index_)
        for place, (rank, *rest) in enumerate(zip(*columns, strict=True))
    ]
    rows.sort(key=lambda row: (row["rank"], not row["taken"]))
    scoring = getattr(search, "scoring", None)
    told = scoring if isinstance(scoring, str) else name
    return _section(short(told, 60), int(search.n_splits_), rows, lower_is_better=False)


def _row(
    rank: int, settings: dict[str, Any], mean: float, spread: float | None, *, taken: bool
) -> dict[str, Any]:
    return {
        "rank": rank,
        "taken": bool(taken),
        "settings": {short(name, 60): _setting(value) for name, value in settings.items()},
        "mean": float(mean),
        "spread": None if spread is None else float(spread),
    }


def _setting(value: Any) -> Any:
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return plain(value) if is_number else short(value)


def _section(
    score: str, folds: int, rows: list[dict[str, Any]], *, lower_is_better: bool
) -> dict[str, Any]:
    return {
        "score": score,
        "lower_is_better": lower_is_better,
        "folds": folds,
        "of_candidates": len(rows),
        "candidates": plain(rows[:MOST_CANDIDATES]),
    }
