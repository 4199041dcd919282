"""The score of a whole training by cross-validation, for tables that are too small for a hold-out.

    rows -> folds -> on each: choice, starts, training without its rows -> predictions of its rows

What predicts a row has been chosen, scaled and trained without it. With groups no group stands on
both sides.

Conventions
-----------
score : of all predictions together; of several repeats their mean, and the root of the mean of
squares for the RMSE.
standard error : of that mean over the rows (over groups, where there are some), each with the mean
of its repeats: sqrt(n / (n - 1) Σ (w (e - mean e))²) / Σ w. It tells of other rows, not of other
trainings.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays import as_numpy
from symbreak.optimize import Progress, minimize
from symbreak.optimize.search import Watch
from symbreak.tables.target import Target
from symbreak.training.choosing import Choice
from symbreak.training.data_split import DataSplit
from symbreak.training.folds import FOLDS
from symbreak.training.record import Training
from symbreak.training.scores import Scores, target_scores
from symbreak.training.settings import Settings
from symbreak.training.table_choice import LEAST_ROWS, folds_of, in_scale_of
from symbreak.training.table_training import chosen_for, prepared, without_symmetry_warning
from symbreak.training.uncertainty import FoldPrediction

Array = NDArray[Any]
# A fifth of fewer rows says little of a score: at 200 rows an accuracy of 90 % is known to 2 %.
FEW_ROWS = 1000
# Four fifths of them are as many as a choice needs: each fold trains as all rows do.
LEAST_SCORED = LEAST_ROWS * FOLDS // (FOLDS - 1)
# Each further repeat takes as long as the first; on so few rows one split of them still matters.
REPEATED_BELOW = 100
# Numbers of X beyond which the choice in every fold takes longer than a person waits.
MOST_NUMBERS = 50_000


@dataclass(frozen=True, eq=False, kw_only=True)
class CrossValidation:
    """Predictions of rows by trainings that knew nothing of them.

    Attributes
    ----------
    target : the column, in whose scale y and predictions are.
    y : (m,), the targets of all rows.
    predictions : (repeats, m, outputs), after the link.
    weight, groups : (m,), of the rows; None where they weigh the same, or stand by themselves.
    folds : how many.
    choices : of each fold, None where nothing was chosen.
    chooses : whether each fold had something to choose.
    of_starts : for numbers, what the single starts of each fold predict for its rows.
    """

    target: Target
    y: Array
    predictions: Array
    weight: Array | None
    groups: Array | None
    folds: int
    choices: tuple[Choice | None, ...]
    chooses: bool = False
    of_starts: tuple[FoldPrediction, ...] = ()

    @property
    def repeats(self) -> int:
        """How many times the rows were split."""
        return len(self.predictions)

    @property
    def words(self) -> str:
        """What it is called: "5-fold cross-validation, twice"."""
        times = {1: "", 2: ", twice"}.get(self.repeats, f", {self.repeats} times")
        n, of = self.n_unchosen, len(self.choices)
        usual = f", of the usual network in {n} of {of} folds, which could not choose one"
        return f"{self.folds}-fold cross-validation{times}{usual if n else ''}"

    @property
    def n_unchosen(self) -> int:
        """How many folds could not choose: too few rows, groups or seconds."""
        return self.choices.count(None) if self.chooses else 0

    @cached_property
    def scores(self) -> Scores | None:
        """The scores of the rows; None where a prediction is not finite."""
        y = np.tile(self.y, self.repeats)
        weight = None if self.weight is None else np.tile(self.weight, self.repeats)
        return target_scores(self.target, y, np.concatenate(self.predictions), weight)

    @cached_property
    def standard_errors(self) -> tuple[float, float]:
        """Those of the two numbers of `scores`; NaN where there are none."""
        if self.scores is None:
            return math.nan, math.nan
        if self.target.classes:
            rows = np.arange(len(self.y))
            right = self.predictions.argmax(axis=2) == self.y
            shares = self.predictions / self.predictions.sum(axis=2, keepdims=True)
            tiny = np.finfo(np.float64).eps
            loss = -np.log(np.clip(shares[:, rows, self.y], tiny, 1.0 - tiny))
            return self._error_of(right.mean(axis=0)), self._error_of(loss.mean(axis=0))
        squares = np.square((self.predictions[:, :, 0] - self.y) * self.target.std).mean(axis=0)
        error = self._error_of(squares)
        known = self.target.unscale(self.y)
        mean = np.average(known, weights=self.weight)
        variance = np.average((known - mean) ** 2, weights=self.weight)
        rmse = self.scores.error
        return error / variance, error / (2.0 * rmse) if rmse > 0.0 else 0.0

    def _error_of(self, rows: Array) -> float:
        weight = np.ones(len(rows)) if self.weight is None else self.weight
        apart = weight * (rows - np.average(rows, weights=weight))
        if self.groups is not None:
            apart = np.bincount(self.groups, weights=apart)
        n = len(apart)
        return float(math.sqrt(n / (n - 1) * np.sum(apart**2)) / weight.sum())

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        names = ("", "") if self.scores is None else self.scores.names
        return {
            "folds": self.folds,
            "repeats": self.repeats,
            "scores": None if self.scores is None else self.scores.as_dict(),
            "standard_error": dict(zip(names, self.standard_errors, strict=True)),
            "unchosen_folds": self.n_unchosen,
            "chosen": [None if one is None else _chosen(one) for one in self.choices],
        }


def _chosen(choice: Choice) -> dict[str, Any]:
    hidden, activation = choice.best.network
    return {"hidden": list(hidden), "activation": activation, "alpha": choice.best.alpha}


def repeats_for(n_rows: int, n_features: int) -> int:
    """Return how many times rows are split where they are few; 0 for a hold-out."""
    if not LEAST_SCORED <= n_rows < FEW_ROWS or n_rows * n_features > MOST_NUMBERS:
        return 0
    return 2 if n_rows < REPEATED_BELOW else 1


def cross_validated(
    split: DataSplit,
    settings: Settings,
    *,
    repeats: int = 1,
    look: Callable[[Progress], Any] | None = None,
) -> CrossValidation | None:
    """Return predictions of the training rows by cross-validation of the whole training.

    Parameters
    ----------
    split : its training rows are predicted, and trained on.
    settings : as of the training on all rows; each fold may choose another network.
    look : called with the progress of a training; anything true stops that training.

    Returns
    -------
    None where the rows or groups are too few for folds.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C: what was cut has no score.
    """
    rows = split.rows[0]
    y = split.train.y
    # Rows that no fold scores, as they weigh nothing, are predicted without knowledge.
    predictions = np.full((repeats, len(rows), split.n_outputs), 1.0 / split.n_outputs)
    choices: list[Choice | None] = []
    of_starts: list[FoldPrediction] = []
    n_folds = 0
    for repeat, prediction in enumerate(predictions):
        folds = folds_of(split, settings.seed + repeat)
        n_folds = len(folds)
        for train, test in folds:
            part = split.again(rows[train], rows[:0], rows[test])
            choice, trained = _trained(part, settings, look)
            choices.append(choice)
            predicted = trained.predict(part.holdout.X)
            if split.target.classes:
                prediction[test] = predicted
                continue
            prediction[test] = in_scale_of(split.target, part.target, predicted)
            outputs = as_numpy(trained.network.predict(trained.theta, part.holdout.X))
            outputs = in_scale_of(split.target, part.target, outputs)
            of_starts.append(FoldPrediction(test, outputs))
    if not n_folds:
        return None
    return CrossValidation(
        target=split.target, y=y, predictions=predictions, weight=split.weights.get("training"),
        groups=split.groups_in("training"), folds=n_folds, choices=tuple(choices),
        chooses=settings.chooses, of_starts=tuple(of_starts),
    )  # fmt: skip


def _trained(
    part: DataSplit, settings: Settings, look: Callable[[Progress], Any] | None
) -> tuple[Choice | None, Training]:
    """Return what was chosen on the training rows, and what became of it there."""
    choice = chosen_for(part, settings, look)
    ready = prepared(part, settings, choice)
    with without_symmetry_warning():
        outcome = minimize(
            ready.cost, ready.theta0, method=settings.method, max_iter=settings.max_iter,
            callback=None if look is None else Watch(look), **settings.method_options,
        )  # fmt: skip
    if outcome.is_interrupted:
        raise KeyboardInterrupt
    return choice, Training.of(ready.network, outcome, settings.combine)
