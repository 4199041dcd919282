"""How good predictions are: one score that ranks (higher is better) and one error beside it.

    classification   accuracy   log-loss  -mean log p_y
    everything else  R²         RMSE      sqrt(mean (y - prediction)²)

A `binary_cross_entropy` network with several outputs is scored over all its yes-or-no answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LOW_R2 = 0.5
_CLASSES = ("accuracy", "log_loss")
_NUMBERS = ("r2", "rmse")


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

    def as_dict(self) -> dict[str, float]:
        """Return both numbers by name."""
        return dict(zip(self.names, (self.score, self.error), strict=True))


def most_frequent_share(index: Any) -> float:
    """Return the accuracy of always naming the most frequent class of class indices (m,)."""
    return float(np.bincount(index).max() / len(index))


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


def scores_of(loss: str, y: Any, prediction: Any) -> Scores | None:
    """Return the scores of predictions, or None when a prediction is not finite.

    Parameters
    ----------
    loss : name of the network's loss, which tells what its predictions are.
    y : the targets as `NetworkCost` takes them: (m,) or (m, outputs).
    prediction : (m, outputs), after the link.
    """
    predicted = np.asarray(prediction, dtype=np.float64)
    if not np.isfinite(predicted).all():
        return None
    known = np.asarray(y)
    if loss == "cross_entropy":
        index = known.argmax(axis=1) if known.shape == predicted.shape else known.reshape(-1)
        return class_scores(index, predicted)
    if loss == "binary_cross_entropy":
        yes = predicted.reshape(-1)
        return class_scores(known.reshape(-1), np.column_stack([1.0 - yes, yes]))
    return number_scores(known.reshape(predicted.shape), predicted)


def class_scores(index: Any, probabilities: Floats) -> Scores:
    """Return accuracy and log-loss.

    Parameters
    ----------
    index : (m,) class indices 0 .. K-1.
    probabilities : (m, K); the first of equal ones counts as predicted.
    """
    from sklearn.metrics import accuracy_score, log_loss

    # In float32 they sum to 1 up to rounding only, which scikit-learn warns about.
    shares = probabilities / probabilities.sum(axis=1, keepdims=True)
    classes = np.arange(shares.shape[1])
    accuracy = accuracy_score(index, shares.argmax(axis=1))
    return Scores(_CLASSES, float(accuracy), float(log_loss(index, shares, labels=classes)))


def number_scores(y: Any, prediction: Floats) -> Scores:
    """Return R² (averaged over outputs) and RMSE, both (m,) or (m, outputs)."""
    from sklearn.metrics import r2_score, root_mean_squared_error

    # Squares of absurd predictions may overflow: the scores are then -inf and inf.
    with np.errstate(over="ignore"):
        r2 = float(r2_score(y, prediction)) if len(prediction) > 1 else math.nan
        return Scores(_NUMBERS, r2, float(root_mean_squared_error(y, prediction)))
