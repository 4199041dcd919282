"""What the folds of a choice tell of errors to come, each by a network that it did not choose.

    scores of all candidates on folds without a row of this one -> the one that they would choose
    -> trained on their rows from the same starts as in the choice -> errors on the fold

The rows of a fold have then chosen neither the network nor the penalty whose errors they show,
which costs one more training for each fold instead of a choice for each. Where there is no such
fold, all choose. Source: Tsamardinos, Greasidou, Borboudakis 2018, who choose by some
rows and judge by others among the predictions that a cross-validation has made anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symbreak.estimators.early_stopping import Examples
from symbreak.estimators.problem import Array, Scaling
from symbreak.training.uncertainty import FoldPrediction, HeldOut


def held_out(
    views: Sequence[Any], folds: Sequence[tuple[Array, Array]], examples: Examples, scaling: Scaling
) -> HeldOut:
    """Return the record of fitted estimators that each have not seen the rows of a fold.

    Parameters
    ----------
    views : one for each fold.
    scaling : of all rows, in whose units the record is.
    """
    X, y, weight = examples
    predictions = [
        FoldPrediction(rows, scaling.y(view.predict_starts(X[rows])))
        for view, (_, rows) in zip(views, folds, strict=True)
    ]
    return HeldOut.of(predictions, scaling.x(X), scaling.y(views[0]._encoded(y)), weight)
