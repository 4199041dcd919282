"""How good predictions are: one score that ranks (higher is better) and one error beside it.

    classification   accuracy   log-loss  -mean log p_y
    everything else  R²         RMSE      sqrt(mean (y - prediction)²)

Conventions
-----------
Every score that is shown comes from here, and both are defined as scikit-learn defines them: a
float64 probability counts as at least 2.2e-16 and at most 1 less that, so one row costs at most
36.04; R² of equal targets is 1 where the prediction is exact and else 0; R² of one row is not
defined.
A loss of classes whose target is no index, as `binary_cross_entropy`, is scored over all its
yes-or-no answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symbreak.losses import Loss, loss_of

if TYPE_CHECKING:  # needs polars; scores do not
    from symbreak.tables.target import Target

Floats = NDArray[np.float64]
LOW_R2 = 0.5
_CLASSES = ("accuracy", "log_loss")
_NUMBERS = ("r2", "rmse")
NO_R2 = "not defined for one row"


@dataclass(frozen=True)
class Scores:
    """What one set of predictions scored on one set of examples.

    Attributes
    ----------
    names : of the two numbers, ("accuracy", "log_loss") or ("r2", "rmse").
    score : higher is better; NaN where it is not defined (R² of one example).
    error : lower is better.
    """

    names: tuple[str, str]
    score: float
    error: float

    @property
    def rank(self) -> tuple[float, float]:
        """Sorts better scores higher; equal scores by the smaller error."""
        return (-math.inf if math.isnan(self.score) else self.score), -self.error

    def as_dict(self) -> dict[str, float | None]:
        """Return both numbers by name; None for one that is not defined."""
        numbers = (None if math.isnan(one) else one for one in (self.score, self.error))
        return dict(zip(self.names, numbers, strict=True))


def most_frequent_share(index: Any) -> float:
    """Return the accuracy of always naming the most frequent class of class indices (m,)."""
    return largest_share(np.bincount(index))


def largest_share(counts: Any) -> float:
    """Return that accuracy from how often each class occurs, (classes,)."""
    return float(max(counts) / sum(counts))


def low_words(score: float, most_frequent: float | None) -> str:
    """Return in what way a score is low, "" where it is not.

    Parameters
    ----------
    score : accuracy, or R².
    most_frequent : the share of the most frequent class among the rows; None for R².
    """
    if most_frequent is None:
        if not score < LOW_R2:
            return ""
        return "low" if score > 0.0 else "no better than always predicting the mean"
    if score > most_frequent or score == 1.0:
        return ""
    return "no better than always naming the most frequent class"


def target_scores(
    target: Target, y: Any, prediction: NDArray[Any], weight: Floats | None = None
) -> Scores | None:
    """Return the scores of a prediction of a table's target, those of numbers in its unit.

    Parameters
    ----------
    target : the column that is predicted.
    y : (m,), as `Target.encode` gives it.
    prediction : (m, outputs), after the link.
    weight : (m,) or None.

    Returns
    -------
    None when a prediction is not finite.
    """
    if target.classes:
        return scores_of("cross_entropy", y, prediction, weight)
    known, predicted = target.unscale(y), target.unscale(prediction[:, 0])
    return scores_of("squared_error", known, predicted, weight)


def scores_of(
    loss: str | Loss, y: Any, prediction: Any, weight: Floats | None = None
) -> Scores | None:
    """Return the scores of predictions, or None when a prediction is not finite.

    Parameters
    ----------
    loss : the network's loss or its name, which tells what its predictions are.
    y : the targets as `NetworkCost` takes them: (m,) or (m, outputs).
    prediction : (m, outputs), after the link.
    weight : (m,), one of 2 counts as the example twice; None for all alike.
    """
    predicted = np.asarray(prediction, dtype=np.float64)
    if not np.isfinite(predicted).all():
        return None
    known, loss = np.asarray(y), loss_of(loss)
    if loss.target_is_index:
        index = known.argmax(axis=1) if known.shape == predicted.shape else known.reshape(-1)
        return class_scores(index, predicted, weight)
    if loss.is_classification:
        yes = predicted.reshape(-1)
        each = None if weight is None else np.repeat(weight, predicted.shape[1])
        return class_scores(known.reshape(-1), np.column_stack([1.0 - yes, yes]), each)
    return number_scores(known.reshape(predicted.shape), predicted, weight)


def class_scores(index: Any, probabilities: Floats, weight: Floats | None = None) -> Scores:
    """Return accuracy and log-loss.

    Parameters
    ----------
    index : (m,) class indices 0 .. K-1.
    probabilities : (m, K); the first of equal ones counts as predicted.
    weight : (m,) or None.
    """
    from sklearn.metrics import log_loss

    # In float32 they sum to 1 up to rounding only, which scikit-learn warns about.
    shares = probabilities / probabilities.sum(axis=1, keepdims=True)
    classes = np.arange(shares.shape[1])
    # As labels are predicted, before the division: that may make two of them equal.
    accuracy = np.average(probabilities.argmax(axis=1) == index, weights=weight)
    loss = log_loss(index, shares, labels=classes, sample_weight=weight)
    return Scores(_CLASSES, float(accuracy), float(loss))


def number_scores(y: Any, prediction: Floats, weight: Floats | None = None) -> Scores:
    """Return R² and RMSE, averaged over outputs; y and prediction (m,) or (m, outputs)."""
    known = np.asarray(y, dtype=np.float64)

    def mean(rows: Any) -> Any:
        return np.average(rows, axis=0, weights=weight)

    # Squares of absurd predictions may overflow: the scores are then -inf and inf.
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        squares = mean((known - prediction) ** 2)
        around_mean = mean((known - mean(known)) ** 2)
        # The mean of equal numbers may be rounded: they are told by their range.
        differ = (np.ptp(known, axis=0) > 0.0) & (around_mean > 0.0)
        r2 = np.where(differ, 1.0 - squares / around_mean, squares == 0.0)
        rmse = np.sqrt(squares)
    return Scores(_NUMBERS, float(r2.mean()) if len(known) > 1 else math.nan, float(rmse.mean()))
