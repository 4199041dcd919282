"""How good a network is beside the simplest there is: four losses in the same words and units.

    training    the network on the rows that it was trained on
    holdout     the network on rows that chose nothing: held out, or out of the folds
    constant    those rows by the best constant: the class shares, or the mean, of the training rows
    linear      those rows by the same data without a hidden layer

Conventions
-----------
loss      log-loss of classes, RMSE of numbers in the unit of the table; lower is better
behind    the loss of an entry minus that of the network on the held-out rows
noise     the standard error of `behind`. Both predict the same rows, so it is that of the mean of
          the differences row by row; of the training rows, which are others, that of two means.
          RMSE = sqrt(mean e²) is no mean: to first order a row moves it by (e² - mean e²) / 2 RMSE
          (delta method).
Differences below `SURE` noises are not told apart from none.
A network is no better than the best constant where its gain is tiny, and is not told apart from
none; or it is shrunk towards the constant: predictions twice as far away gain half as much again,
or more. Those that say rightly how little they know lose by that (of squares, a
prediction k times as far away gains 2k c - k² v; where it is right, c = v).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from symbreak.training.scores import Scores, class_scores, number_scores
from symbreak.training.uncertainty.conformal import effective_rows

Floats = NDArray[np.float64]
SURE = 2.0
HELD_OUT, OUT_OF_FOLDS = "held-out rows", "rows out of the folds"
TINY, SHRUNK = 0.05, 1.5  # gain over the constant's loss; gain twice as far away over it
_EPS = float(np.finfo(np.float64).eps)


class Rows(NamedTuple):
    """What is known of some rows and what is predicted there.

    Of several repeats all rows stand one below the other, repeat by repeat.

    y : (m,) class indices, or numbers in the unit of the table.
    prediction : (m, classes) probabilities, or (m,) numbers in that unit.
    weight : (m,), or None for all alike.
    """

    y: NDArray[Any]
    prediction: Floats
    weight: Floats | None = None


@dataclass(frozen=True)
class Entry:
    """One of the four losses; see the module.

    Attributes
    ----------
    what : "training", "holdout", "constant" or "linear".
    scores : score and loss.
    behind, noise : beside the network on the held-out rows; both 0 for itself.
    """

    what: str
    scores: Scores
    behind: float = 0.0
    noise: float = 0.0

    @property
    def loss(self) -> float:
        """Log-loss or RMSE."""
        return self.scores.error

    @property
    def is_worse(self) -> bool:
        """Whether it is surely worse than the network on the held-out rows."""
        return self.behind > SURE * self.noise

    @property
    def is_better(self) -> bool:
        """Whether it surely is better."""
        return -self.behind > SURE * self.noise

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {"what": self.what, **self.scores.as_dict(), "behind": self.behind,
                "noise": self.noise}  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """The losses that there are, the network's own on held-out rows among them.

    Attributes
    ----------
    rows : how many held-out rows.
    entries : by their words, in the order of the module.
    where : what the held-out rows are, for people.
    evenness : how many rows of equal weight tell as much as these, over their number; 1 at most.
    """

    rows: int
    entries: dict[str, Entry]
    where: str = HELD_OUT
    evenness: float = 1.0

    def __getitem__(self, what: str) -> Entry:
        return self.entries[what]

    def get(self, what: str) -> Entry | None:
        """Return an entry, None where there is none."""
        return self.entries.get(what)

    @property
    def is_by_folds(self) -> bool:
        """Whether cross-validation gave the held-out rows."""
        return self.where == OUT_OF_FOLDS

    @property
    def effective_rows(self) -> float:
        """How many rows of equal weight tell as much as the held-out rows."""
        return self.rows * self.evenness

    @property
    def is_classification(self) -> bool:
        """Whether the loss is the log-loss."""
        return self["holdout"].scores.names[1] == "log_loss"

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        entries = [one.as_dict() for one in self.entries.values()]
        return {"rows": self.rows, "where": self.where, "entries": entries}


def compared(
    held: Rows, *, constant: Floats, linear: Floats | None = None, training: Rows | None = None,
    repeats: int = 1, groups: NDArray[Any] | None = None, where: str = HELD_OUT,
) -> Comparison | None:  # fmt: skip
    """Return the losses beside each other; None where a prediction of the network is not finite.

    Parameters
    ----------
    held : the network on rows that chose nothing.
    constant, linear : predictions of the same rows, of the shape of the network's.
    training : the network on the rows that it was trained on.
    repeats : how many times each of the held-out rows was predicted.
    groups : (m,) indices from 0 of rows that tell the same; None where each tells its own.
    where : what the held-out rows are, for people.
    """

    weight = None if held.weight is None else held.weight[: len(held.y) // repeats]

    def noise_of(moves: Floats) -> float:
        return standard_error(moves.reshape(repeats, -1).mean(axis=0), weight, groups)

    if not np.isfinite(held.prediction).all():
        return None
    mine = influences(held)
    found = {"holdout": Entry("holdout", scores_of_rows(held))}
    if training is not None and np.isfinite(training.prediction).all():
        scores = scores_of_rows(training)
        apart = standard_error(influences(training), training.weight), noise_of(mine)
        behind = scores.error - found["holdout"].loss
        found = {"training": Entry("training", scores, behind, math.hypot(*apart)), **found}
    for what, prediction in (("constant", constant), ("linear", linear)):
        if prediction is not None and np.isfinite(prediction).all():
            rows = held._replace(prediction=prediction)
            scores = scores_of_rows(rows)
            noise = noise_of(influences(rows) - mine)
            found[what] = Entry(what, scores, scores.error - found["holdout"].loss, noise)
    n = len(held.y) // repeats
    evenness = 1.0 if weight is None else effective_rows(weight) / n
    return Comparison(n, found, where, evenness)


def best_constant(y: NDArray[Any], weight: Floats | None, n_classes: int) -> Floats:
    """Return the class shares (classes,), or the mean (), of the training rows.

    Parameters
    ----------
    y, weight : (m,) of the training rows.
    n_classes : 0 for numbers.
    """
    if not n_classes:
        return np.asarray(np.average(y, weights=weight))
    counts = np.bincount(y, weights=weight, minlength=n_classes)
    return np.asarray(counts / counts.sum())


def scores_of_rows(rows: Rows) -> Scores:
    """Return the scores of finite predictions."""
    scored = class_scores if rows.prediction.ndim == 2 else number_scores
    return scored(*rows)


def row_losses(rows: Rows) -> Floats:
    """Return the log-loss, or the squared error, of each row, (m,)."""
    y, prediction, _ = rows
    if prediction.ndim == 1:
        with np.errstate(over="ignore"):
            return np.asarray((y - prediction) ** 2)
    known = prediction[np.arange(len(y)), y] / prediction.sum(axis=1)
    return np.asarray(-np.log(np.clip(known, _EPS, 1.0 - _EPS)))


def learnt_nothing(
    constant: Floats, own: Floats, doubled: Floats, weight: Floats | None = None
) -> bool:
    """Tell whether a network is no better than the best constant; see the module.

    Parameters
    ----------
    constant, own : (m,) losses of the training rows.
    doubled : those where outputs are twice as far from the constant's.
    """
    gain = constant - own
    mean = np.average(gain, weights=weight)
    if mean > TINY * abs(np.average(constant, weights=weight)):
        return False
    further = np.average(constant - doubled, weights=weight)
    return bool(mean <= SURE * standard_error(gain, weight) or further >= SHRUNK * mean)


def twice_as_far(prediction: Floats, constant: Floats) -> Floats:
    """Return predictions whose outputs, before the link, are twice as far from the constant's.

    Parameters
    ----------
    prediction : as in `Rows`.
    constant : as `best_constant` gives it.
    """
    if prediction.ndim == 1:
        return np.asarray(2.0 * prediction - constant)
    far = prediction**2 / np.maximum(constant, _EPS)
    return np.asarray(far / far.sum(axis=1, keepdims=True))


def influences(rows: Rows) -> Floats:
    """Return how far each row moves the loss to first order, (m,); see the module."""
    losses = row_losses(rows)
    if rows.prediction.ndim == 2:
        return losses
    mean = np.average(losses, weights=rows.weight)
    with np.errstate(over="ignore", invalid="ignore"):
        return (losses - mean) / (2.0 * math.sqrt(mean)) if mean > 0.0 else np.zeros_like(losses)


def standard_error(
    values: Floats, weight: Floats | None = None, groups: NDArray[Any] | None = None
) -> float:
    """Return the standard error of the mean of values (m,); infinite for a single one.

    Parameters
    ----------
    groups : (m,) indices from 0 of values that stand or fall together.
    """
    w = np.ones(len(values)) if weight is None else weight
    apart = w * (values - np.average(values, weights=w))
    if groups is not None:
        apart = np.asarray(np.bincount(groups, weights=apart), dtype=np.float64)
    n = len(apart)
    if n < 2:
        return math.inf
    return math.sqrt(float(np.sum(apart**2)) * n / (n - 1)) / float(w.sum())
