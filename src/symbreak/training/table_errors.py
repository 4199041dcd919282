"""How large the errors of a training on a table of numbers are, on rows that made no part of it.

    score by cross-validation -> what it has predicted anyway, each fold chosen for without it
    choice on folds           -> what the other folds choose, trained on the rows of each once more
    neither                   -> the hold-out, and validation rows where they choose no start

The record of them (`symbreak.training.uncertainty.HeldOut`) is what intervals are made of. Rows
that made it say nothing of how often these cover; those of the hold-out do in the second case.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays import as_numpy, picked
from symbreak.optimize import Outcome, Progress
from symbreak.training.checks import spread_rows
from symbreak.training.choosing import Choice
from symbreak.training.combine import kept_starts, usable_starts
from symbreak.training.fold_fits import on_fold
from symbreak.training.folds import FOLDS
from symbreak.training.seeds import seeds_of
from symbreak.training.selection import chosen_by
from symbreak.training.settings import Settings
from symbreak.training.uncertainty import COVERAGE, FoldPrediction, HeldOut, apart

if TYPE_CHECKING:
    from symbreak.training.data_split import DataSplit
    from symbreak.training.record import Training

Look = Callable[[Progress], Any]
Parts = tuple[str, ...]
# Of each fold, spread evenly: more rows tell quantiles no better, and would fill the model file.
MOST_ROWS = 20_000


@dataclass(frozen=True, kw_only=True)
class Intervals:
    """What the intervals of a model of numbers are like on some rows.

    Attributes
    ----------
    coverage : the chance that a new number lies in its interval.
    half_width : the median over the rows, in the unit of the table.
    covered : the share of the rows that lies in its intervals; None where these rows say nothing of
        it, as they made the network or the intervals.
    rows : how many; those of the hold-out, without one those of the training.
    errors_of : the parts of the data whose errors the intervals are made of.
    """

    coverage: float
    half_width: float
    covered: float | None
    rows: int
    errors_of: Parts = ()

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {**asdict(self), "errors_of": list(self.errors_of)}


def with_errors(training: Training, settings: Settings, look: Look | None = None) -> Training:
    """Return a training on numbers with its record of errors, where there are rows to tell them.

    Parameters
    ----------
    look : called with the progress of a training; anything true stops that training.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C while networks are trained on folds.
    """
    split = training.split
    if split is None or split.target.classes:
        return training
    folds, parts = _predicted(training, split, settings, look)
    if not folds or not all(np.isfinite(fold.outputs).all() for fold in folds):
        return training
    named = {"training": split.train, "validation": split.validation, "holdout": split.holdout}
    X, y = (np.concatenate([getattr(named[part], name) for part in parts]) for name in "Xy")
    weight = np.concatenate([split.weights[part] for part in parts]) if split.weights else None
    if weight is not None and not weight.any():
        return training
    record = HeldOut.of(folds, X, y[:, None], weight)
    return replace(training, held_out=record, errors_of=parts)


def _predicted(
    training: Training, split: DataSplit, settings: Settings, look: Look | None
) -> tuple[Sequence[FoldPrediction], Parts]:
    """Return what was predicted for rows that made no part of it, and of which parts they are."""
    if training.cross_validation is not None:
        return training.cross_validation.of_starts, ("training",)
    if training.choice is not None and not training.is_interrupted:
        return _by_folds(training.choice, split, settings, look), ("training",)
    return _by_parts(training)


def _by_folds(
    choice: Choice, split: DataSplit, settings: Settings, look: Look | None
) -> Sequence[FoldPrediction]:
    """Return what the candidates that the other folds choose predict for each fold.

    They are trained from the same starts as in the choice.
    """
    from symbreak.training.table_choice import arguments_of, fold_of, folds_of, in_scale_of

    rows, seeds = split.rows[0], seeds_of(settings.seed)
    folds = folds_of(split, seeds.split)
    arguments = arguments_of(settings, look)
    found = []
    for place, (train, test) in enumerate(folds):
        one = chosen_by(choice.candidates, apart([held for _, held in folds], place))
        some = test[spread_rows(len(test), MOST_ROWS)]
        part = split.again(rows[train], rows[:0], rows[some])
        fold = fold_of(split, part, settings, seeds, *one.network)
        (outcome,) = on_fold(fold, [one.alpha], arguments)
        theta = _kept(outcome, settings.combine)
        if theta is None:
            return []
        outputs = as_numpy(fold.cost.network.predict(theta, part.holdout.X))
        found.append(FoldPrediction(some, in_scale_of(split.target, part.target, outputs)))
    return found


def _kept(outcome: Outcome, combine: str) -> Any:
    """Return the starts whose mean predicts a fold, None where none is usable.

    No rows choose the best start of a fold: that with the lowest J stands for it.
    """
    J = as_numpy(outcome.value)
    usable = usable_starts(J, as_numpy(outcome.theta))
    if not usable.any():
        return None
    kept = kept_starts("average" if combine == "average" else "lowest-cost", J, usable)
    return picked(outcome.theta, np.array(kept), 0)


def _by_parts(training: Training) -> tuple[Sequence[FoldPrediction], Parts]:
    """Return what the training predicts for rows that chose nothing, and which parts they are of.

    They are told apart as folds, so that no size of an error is fitted to the row that it judges.
    """
    names = ("holdout",) if training.combine == "best" else ("validation", "holdout")
    parts = tuple(name for name in names if name in training.predictions)
    if not parts:
        return [], ()
    X = np.concatenate([training.predictions[part].X for part in parts])
    rows = spread_rows(len(X), FOLDS * MOST_ROWS)
    outputs = as_numpy(training.network.predict(training.theta, X[rows]))
    folds = [np.arange(first, len(rows), FOLDS) for first in range(min(FOLDS, len(rows)))]
    return [FoldPrediction(rows[some], outputs[:, some]) for some in folds], parts


def intervals_of(training: Training) -> Intervals | None:
    """Return what the usual intervals are like; None where there are none."""
    split, record = training.split, training.held_out
    if split is None or record is None or not record.allows(COVERAGE):
        return None
    name = "holdout" if "holdout" in training.predictions else "training"
    part = training.predictions[name]
    ends = record.interval(training.network, training.theta, part.X, COVERAGE)[:, :, 0]
    is_fresh = name == "holdout" and name not in training.errors_of
    return Intervals(
        coverage=COVERAGE,
        half_width=half_width(ends) * split.target.std,
        covered=share_in(ends, part.y, part.weight) if is_fresh else None,
        rows=part.n,
        errors_of=training.errors_of,
    )


def half_width(ends: NDArray[Any]) -> float:
    """Return the median of half the widths of intervals (m, 2)."""
    return float(np.median(np.diff(ends, axis=1))) / 2.0


def share_in(ends: NDArray[Any], y: NDArray[Any], weight: NDArray[Any] | None = None) -> float:
    """Return the share of numbers (m,) between their ends (m, 2)."""
    return float(np.average((ends[:, 0] <= y) & (y <= ends[:, 1]), weights=weight))
