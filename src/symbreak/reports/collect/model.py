"""A saved model: what its file holds. The trajectories of the starts are not in it."""

from __future__ import annotations

from typing import Any

import numpy as np

from symbreak.reports.collect.data import columns_and_target
from symbreak.reports.collect.document import finished
from symbreak.reports.collect.network import network_over_updates
from symbreak.reports.collect.predictions import scored, with_intervals
from symbreak.reports.collect.training import INTERRUPTED, network_name, network_words
from symbreak.reports.numbers import plain, short
from symbreak.tables.table import Table
from symbreak.training.combine import combined_prediction, combined_words
from symbreak.training.model import Model
from symbreak.training.scores import target_scores
from symbreak.training.table_errors import Intervals, half_width, share_in
from symbreak.training.trajectory import Trajectory
from symbreak.training.uncertainty import COVERAGE

NOTE = (
    "A saved model holds its kept starts, its columns and its score. Curves, gradient check and "
    "the other starts are in the report that the training itself writes, with --report."
)


def of_model(model: Model, table: Table | None = None) -> dict[str, Any]:
    """Return the document of a saved model.

    Parameters
    ----------
    table : other rows, with the target, for scores of this time; None shows the score that was
        noted at the training.
    """
    target, network = model.target, model.network
    labels = tuple(map(str, target.classes)) or (target.name,)
    kept = _kept(model)
    trajectory = Trajectory(kept[0], np.zeros(1, dtype=np.int64), model.theta[:1])
    return finished(
        f"{target.task.capitalize()} of {short(target.name, 60)}",
        network_name(network),
        {
            "what": f"{network_words(network)}; a saved model, "
            f"{combined_words(model.combine, kept)}; "
            f"trained on {short(model.summary.get('source', 'a table'), 60)}",
            "note": f"{INTERRUPTED} {NOTE}" if model.summary.get("interrupted") else NOTE,
            "then": "Predict with it: symbreak predict MODEL DATA",
            "scores": None if table is None else _scores(model, table),
            "at_training": plain(model.summary) or None,
            "network": {
                **network_over_updates(
                    network, trajectory, inputs=model.preparation.feature_names, outputs=labels
                ),
                "when": "As it was trained",
            },
            "data": columns_and_target(model.preparation, target),
        },
    )


def _intervals(model: Model, X: Any, y: Any) -> Intervals | None:
    """Return what intervals are like on rows that are new; None where these may have made them.

    A model tells its training rows from others, but not the rows that it was held against.
    """
    noted = model.summary.get("intervals")
    made_by = noted.get("errors_of") if isinstance(noted, dict) else None
    if model.held_out is None or made_by != ["training"] or not model.held_out.allows(COVERAGE):
        return None
    ends = model.held_out.interval(model.network, model.theta, X, COVERAGE)[:, :, 0]
    return Intervals(
        coverage=COVERAGE, half_width=half_width(ends) * model.target.std,
        covered=share_in(ends, y), rows=len(y), errors_of=("training",),
    )  # fmt: skip


def _scores(model: Model, table: Table) -> dict[str, Any]:
    X = model.preparation.transform(table)
    prediction = combined_prediction(model.network, model.theta, X)
    y = model.target.encode(table)
    found = scored(model.target, y, prediction, target_scores(model.target, y, prediction))
    seen = model.seen_in(table)
    known = {"rows": seen.n, "sentence": seen.sentence if seen else ""}
    if not seen:
        found = with_intervals(found, _intervals(model, X, y))
    return {**found, "where": f"of {short(table.source, 60)}", "seen": known}


def _kept(model: Model) -> list[int]:
    """Return the numbers of the starts in the file; 0, 1, ... where it does not tell."""
    kept, n = model.summary.get("kept_starts"), len(model.theta)
    if isinstance(kept, list) and len(kept) == n and all(type(one) is int for one in kept):
        return kept
    return [*range(n)]
