"""What a training came to: scores on the hold-out part, and plain data about everything."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from symbreak import __version__
from symbreak.cli.checks import Symmetry
from symbreak.cli.outputs import beside
from symbreak.cli.train_options import TrainOptions
from symbreak.gradient_check import GradientReport
from symbreak.optimize import Status
from symbreak.training import Trained
from symbreak.training.choosing import Choice
from symbreak.training.many_starts import scores_of_starts
from symbreak.training.parts import Parts
from symbreak.training.path import Path
from symbreak.training.scores import Scores, target_scores
from symbreak.words import counted


class Files(NamedTuple):
    """Where a result is written to; None for what nobody asked for."""

    model: FilePath | None = None
    json: FilePath | None = None
    report: FilePath | None = None

    @classmethod
    def of(cls, options: TrainOptions, *, is_interrupted: bool) -> Files:
        """Return what was asked for; of an interrupted training other names where files are."""
        asked = cls(options.model, options.json, options.report)
        return cls(*map(beside, asked)) if is_interrupted else asked


@dataclass(frozen=True, eq=False)
class Result:
    """Everything that is printed and written after a training.

    Attributes
    ----------
    holdout : the scores of the combined prediction on the hold-out part; None if not finite.
    singles : the same of every start by itself; None for one that is not usable.
    seconds : wall-clock time by stage.
    choice : what --search found of the penalties.
    theta : (starts, n), the starts.
    path : where they stood on the way; None where nobody asked.
    files : where it is written to.
    """

    options: TrainOptions
    source: str
    parts: Parts
    alpha: float
    gradient: GradientReport
    symmetry: Symmetry
    trained: Trained
    holdout: Scores | None
    singles: tuple[Scores | None, ...]
    seconds: dict[str, float]
    theta: Tensor
    path: Path | None = None
    choice: Choice | None = None
    files: Files = field(default_factory=Files)

    @property
    def is_interrupted(self) -> bool:
        """Whether Ctrl-C ended the training."""
        return self.trained.outcome.is_interrupted

    @property
    def best_first(self) -> list[int]:
        """The starts, lowest J first."""
        J = self.trained.outcome.value
        return sorted(range(len(J)), key=lambda start: (float(J[start]), start))

    @property
    def score_name(self) -> str:
        """ "accuracy" or "R2"."""
        return "accuracy" if self.parts.target.classes else "R2"


def single_scores(parts: Parts, trained: Trained) -> tuple[Scores | None, ...]:
    """Return the hold-out scores of every start by itself."""
    return scores_of_starts(
        trained.network,
        trained.outcome.theta,
        trained.usable,
        parts.holdout.X,
        lambda prediction: target_scores(parts.target, parts.holdout.y, prediction),
    )


def spread(numbers: Sequence[float]) -> dict[str, float]:
    """Return median, lowest and highest."""
    if not numbers:
        return dict.fromkeys(("median", "lowest", "highest"), math.nan)
    return {
        "median": float(np.median(numbers)),
        "lowest": float(min(numbers)),
        "highest": float(max(numbers)),
    }


def restart_lines(result: Result) -> list[str]:
    """Return what the starts show together, and how many were drawn again."""
    lines = str(result.trained.outcome.restarts).splitlines()
    if redrawn := result.trained.redrawn:
        times = counted(redrawn, "time")
        lines.append(f"A start was drawn again {times}, as J or its gradient was not finite there.")
    return lines


def record(result: Result) -> dict[str, Any]:
    """Return the whole result as plain data."""
    gradient, symmetry, outcome = result.gradient, result.symmetry, result.trained.outcome
    return {
        "symbreak": __version__,
        "settings": {**result.options.as_dict(), "alpha": result.alpha},
        "search": None if result.choice is None else result.choice.as_dict(),
        "data": _data(result),
        "network": result.trained.network.to_settings(),
        "n_parameters": result.trained.network.n_parameters,
        "gradient_check": {
            "verdict": gradient.verdict,
            "relative_error": gradient.relative_error,
            "n_checked": gradient.n_checked,
            "n_parameters": gradient.n_parameters,
        },
        "symmetry": {
            "hidden_units": list(symmetry.units),
            "least_distinct_units": list(symmetry.least),
            "kinds": [list(kinds) for kinds in symmetry.kinds],
            "update": symmetry.update,
            "starts_with_all_distinct": symmetry.n_broken,
        },
        "restarts": outcome.restarts.to_dict(),
        "redrawn": result.trained.redrawn,
        "starts": [_start(result, start) for start in range(len(outcome.value))],
        "scores": summary(result),
        "interrupted": result.is_interrupted,
        "seconds": result.seconds,
    }


def summary(result: Result) -> dict[str, Any]:
    """Return how the starts were combined and what that scored."""
    found = [scores for scores in result.singles if scores is not None]
    names = found[0].names if found else ()
    numbers = zip(*((scores.score, scores.error) for scores in found), strict=True)
    return {
        "combine": result.trained.combine,
        "kept_starts": list(result.trained.kept),
        "holdout": _scores(result.holdout),
        "single_start": dict(zip(names, map(spread, numbers), strict=True)),
    }


def _data(result: Result) -> dict[str, Any]:
    parts = result.parts
    return {
        "source": result.source,
        "rows": parts.n_rows,
        "columns": parts.n_columns,
        "header": not parts.n_unnamed,
        "features": len(parts.preparation.feature_names),
        "target": parts.target.name,
        "task": parts.target.task,
        "classes": list(parts.target.classes),
        "notes": list(parts.preparation.notes),
        "train_rows": parts.train.n,
        "validation_rows": parts.validation.n,
        "holdout_rows": parts.holdout.n,
    }


def _start(result: Result, start: int) -> dict[str, Any]:
    outcome, validation = result.trained.outcome, result.trained.validation
    return {
        "start": start,
        "J": float(outcome.value[start]),
        "iterations": int(outcome.n_iterations[start]),
        "best_iteration": int(outcome.best_iteration[start]),
        "status": status_word(outcome.status[start]),
        "kept": start in result.trained.kept,
        "validation": _validation(validation[start]) if validation else None,
        "holdout": _scores(result.singles[start]),
    }


def _validation(scores: Scores | None) -> dict[str, float | None] | None:
    """The score by which starts are chosen: an RMSE here would be in units of the scaled target."""
    return None if scores is None else {scores.names[0]: scores.as_dict()[scores.names[0]]}


def _scores(scores: Scores | None) -> dict[str, float | None] | None:
    return None if scores is None else scores.as_dict()


def status_word(status: Status) -> str:
    """Return the short name of a status."""
    return status.name.lower().replace("_", " ")
