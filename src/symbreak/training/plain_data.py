"""A training as plain data: what `--json` writes, and the summary that the model file keeps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from symbreak.gradient_check import GradientReport
from symbreak.training.checks import Symmetry
from symbreak.training.scores import Scores

if TYPE_CHECKING:
    from symbreak.training.data_split import DataSplit
    from symbreak.training.record import Training


def of_training(training: Training) -> dict[str, Any]:
    """Return everything of a training; None for what is not known."""
    outcome, choice = training.outcome, training.choice
    gradient, symmetry, split = training.gradient, training.symmetry, training.split
    return {
        "symbreak": training.provenance.version,
        "settings": dict(training.provenance.settings),
        "search": None if choice is None else choice.as_dict(),
        "data": None if split is None else _data(split, training.provenance.source),
        "network": training.network.to_settings(),
        "n_parameters": training.network.n_parameters,
        "gradient_check": None if gradient is None else _gradient(gradient),
        "symmetry": None if symmetry is None else _symmetry(symmetry),
        "restarts": outcome.restarts.to_dict(),
        "redrawn": training.redrawn,
        "starts": [_start(training, start) for start in range(len(outcome.value))],
        "scores": summary(training),
        "comparison": None if training.comparison is None else training.comparison.as_dict(),
        "confusion": None if training.confusion is None else training.confusion.as_dict(),
        "importance": [one.as_dict() for one in training.importance],
        "advice": [one.as_dict() for one in training.advice],
        "interrupted": training.is_interrupted,
        "seconds": {**training.seconds, "total": sum(training.seconds.values())},
    }


def summary(training: Training) -> dict[str, Any]:
    """Return how the starts were combined and what that scored."""
    found = [scores for scores in training.singles if scores is not None]
    validated = training.cross_validation
    names = found[0].names if found else ()
    numbers = zip(*((scores.score, scores.error) for scores in found), strict=True)
    return {
        "combine": training.combine,
        "kept_starts": list(training.kept),
        "holdout": _scores(training.holdout),
        "cross_validation": None if validated is None else validated.as_dict(),
        "single_start": dict(zip(names, map(spread, numbers), strict=True)),
        "intervals": None if training.intervals is None else training.intervals.as_dict(),
    }


def spread(numbers: Sequence[float]) -> dict[str, float]:
    """Return median, lowest and highest."""
    if not numbers:
        return dict.fromkeys(("median", "lowest", "highest"), math.nan)
    return {
        "median": float(np.median(numbers)),
        "lowest": float(min(numbers)),
        "highest": float(max(numbers)),
    }


def _data(split: DataSplit, source: str) -> dict[str, Any]:
    return {
        "source": source,
        "rows": split.n_rows,
        "columns": split.n_columns,
        "header": not split.n_unnamed,
        "features": len(split.preparation.feature_names),
        "target": split.target.name,
        "task": split.target.task,
        "classes": list(split.target.classes),
        "notes": list(split.preparation.notes),
        "train_rows": split.train.n,
        "validation_rows": split.validation.n,
        "holdout_rows": split.holdout.n,
        "test": None if split.overlap is None else split.overlap.as_dict(),
    }


def _gradient(gradient: GradientReport) -> dict[str, Any]:
    return {
        "verdict": gradient.verdict,
        "relative_error": gradient.relative_error,
        "n_checked": gradient.n_checked,
        "n_parameters": gradient.n_parameters,
    }


def _symmetry(symmetry: Symmetry) -> dict[str, Any]:
    return {
        "hidden_units": list(symmetry.units),
        "least_distinct_units": list(symmetry.least),
        "kinds": [list(kinds) for kinds in symmetry.kinds],
        "update": symmetry.update,
        "starts_with_all_distinct": symmetry.n_broken,
    }


def _start(training: Training, start: int) -> dict[str, Any]:
    outcome, validation, singles = training.outcome, training.validation, training.singles
    return {
        "start": start,
        "J": float(outcome.value[start]),
        "iterations": int(outcome.n_iterations[start]),
        "best_iteration": int(outcome.best_iteration[start]),
        "status": outcome.status[start].word,
        "kept": start in training.kept,
        "validation": _validation(validation[start]) if validation else None,
        "holdout": _scores(singles[start]) if singles else None,
    }


def _validation(scores: Scores | None) -> dict[str, float | None] | None:
    """The score by which starts are chosen."""
    return None if scores is None else {scores.names[0]: scores.as_dict()[scores.names[0]]}


def _scores(scores: Scores | None) -> dict[str, float | None] | None:
    return None if scores is None else scores.as_dict()
