"""Scoring every start on examples that are not trained on.

score(theta (rows, n)) -> (rows, 2), lower is better: minus the scorer's number and the loss, as
`minimize` takes them. Without a scorer it is accuracy or R², computed from the network alone,
without the detour over the validation of inputs. The loss, that of training without the penalty,
moves where the score stands still: it decides between equal scores, and its fall is an improvement.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import train_test_split

from symbreak.arrays import as_numpy
from symbreak.errors import InvalidInput
from symbreak.estimators import outputs
from symbreak.estimators.interruption import warn_at_caller
from symbreak.estimators.outputs import Inputs
from symbreak.estimators.problem import Array, Problem
from symbreak.estimators.scorers import scorer_of, takes_weights
from symbreak.native import interface
from symbreak.objectives import NetworkCost
from symbreak.objectives.capabilities import HasNativeProblem, ScoreWord, offered
from symbreak.training.combine import NonFinitePrediction, combined_prediction

SPREAD = 1e-3  # of the targets: what predictions that are told apart have at least


class Examples(NamedTuple):
    """X (m, features), y as the user gave it, and weights (m,) or None."""

    X: Array
    y: Array
    sample_weight: Array | None

    def take(self, rows: Array) -> Examples:
        """Return those of these rows."""
        weight = self.sample_weight
        return Examples(self.X[rows], self.y[rows], None if weight is None else weight[rows])


def split(examples: Examples, fraction: float, seed: int, stratify: Any) -> list[Examples]:
    """Return training and validation examples.

    Raises
    ------
    ValueError
        Fewer than two validation examples, or a class too small to be in both.
    """
    rows = np.arange(len(examples.y))
    parts = train_test_split(
        rows, random_state=np.random.RandomState(seed), test_size=fraction, stratify=stratify
    )
    if len(parts[1]) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your "
            "dataset."
        )
    return [examples.take(part) for part in parts]


class ValidationScore:
    """Minus the score of each start, NaN where a prediction is not finite, and the loss."""

    def __init__(self, estimator: Any, problem: Problem, examples: Examples) -> None:
        self._view = estimator._view(problem)
        self._network, self._examples = problem.network, examples
        self._scorer = None if estimator.scoring is None else scorer_of(estimator.scoring)
        self._inputs = Inputs(examples.X, problem.scaling, problem.device)
        self._loss = _loss_on(estimator, problem, examples)

    def __call__(self, theta: Any) -> Array:
        """Return (rows, 2) for theta (rows, n)."""
        one = self._quick if self._scorer is None else self._by_scorer
        score = [-one(row) for row in theta]
        loss = np.inf if self._loss is None else as_numpy(self._loss.value(theta))
        return np.column_stack(np.broadcast_arrays(score, loss))

    @property
    def native_score(self) -> tuple[ScoreWord, interface.Problem] | None:
        """The same in the compiled core, for accuracy or R² of rows that all count alike."""
        known = offered(self._loss, HasNativeProblem)
        found = None if known is None else known.native_problem
        if found is None or self._scorer is not None or self._examples.sample_weight is not None:
            return None
        if hasattr(self._view, "classes_"):
            all_known = self._loss is not None and self._loss.n_examples == len(self._examples.y)
            return ("accuracy", found) if all_known else None
        return ("r2", found) if (np.ptp(self._examples.y, axis=0) > 0).all() else None

    def _quick(self, theta: Any) -> float:
        output = combined_prediction(self._network, theta[None], self._inputs)
        if not np.isfinite(output).all():
            return float("nan")
        predicted = self._view._decoded(output)
        judge = accuracy_score if hasattr(self._view, "classes_") else r2_score
        y, weight = self._examples.y, self._examples.sample_weight
        return float(judge(y, predicted, sample_weight=weight))

    def _by_scorer(self, theta: Any) -> float:
        self._view._set_weights(as_numpy(theta)[None])
        assert self._scorer is not None
        weight = self._examples.sample_weight
        given = {}
        if weight is not None and takes_weights(self._scorer):
            given["sample_weight"] = weight
        try:
            return float(self._scorer(self._view, self._examples.X, self._examples.y, **given))
        except NonFinitePrediction:
            return float("nan")


def check_labels(classes: Array, y_val: Array) -> None:
    """Check that validation labels are classes of the training; warn where some are not.

    Raises
    ------
    InvalidInput
        None of them is.
    """
    known = set(classes.tolist())
    unknown = [label for label in y_val.tolist() if label not in known]
    if len(unknown) == len(y_val):
        raise InvalidInput(
            f"y_val of fit must hold classes of y, which are {classes}. Got only others, such as "
            f"{unknown[0]!r}; spell them as in y."
        )
    if unknown:
        warn_at_caller(
            f"{len(unknown)} of {len(y_val)} labels in y_val are no classes of y, such as "
            f"{unknown[0]!r}: they count as errors in the validation score.",
            UserWarning,
        )


def warn_if_undefined(estimator: Any) -> None:
    """Warn where the validation score of a fit is not a number, and say what stood in for it."""
    outcome, lead = estimator.outcome_, estimator.training_.lead
    if np.isfinite(outcome.validation[lead]) or not outcome.n_iterations[lead]:
        return
    instead = (
        "the validation loss was used in its place"
        if np.isfinite(outcome.validation_loss[lead])
        else "there is no finite validation loss either, so the weights at the start were kept"
    )
    warnings.warn(
        f"The validation score ({estimator.scoring or _default_score(estimator)}) is not a number "
        f"for these validation rows; {instead}. Validate on more rows, of every class, or choose "
        "another scoring.",
        ConvergenceWarning,
        stacklevel=4,
    )


def _default_score(estimator: Any) -> str:
    return "accuracy" if hasattr(estimator, "classes_") else "R²"


def warn_if_constant(estimator: Any, examples: Examples) -> None:
    """Warn where a fitted estimator predicts one and the same for validation rows that differ."""
    output = estimator._predicted(examples.X)
    predicted, y = (
        outputs.dense(rows).reshape(len(output), -1)
        for rows in (estimator._decoded(output), examples.y)
    )
    if hasattr(estimator, "classes_"):
        is_constant = bool((predicted == predicted[0]).all() and not (y == y[0]).all())
        what = f"class {predicted[0, 0]}" if predicted.shape[1] == 1 else "the same labels"
    else:
        spread = y.std(axis=0)
        is_constant = bool(((np.ptp(predicted, axis=0) <= SPREAD * spread) & (spread > 0.0)).any())
        what = "the same number"
    if is_constant:
        warnings.warn(
            f"Early stopping kept weights that predict {what} for all {len(y)} validation rows, "
            f"whose y differ; {_remedies(estimator)}.",
            ConvergenceWarning,
            stacklevel=4,
        )


def _remedies(estimator: Any) -> str:
    """Return what may help a fit that tells no rows apart, as far as it is not done yet."""
    is_unweighted = getattr(estimator, "class_weight", "none") is None
    could = [
        (not estimator.standardize, "standardise X (standardize=True)"),
        (is_unweighted, "weigh the classes (class_weight='balanced')"),
        (True, "raise n_iter_no_change"),
    ]
    return ", ".join(words for may_help, words in could if may_help) + " or lower alpha"


def _loss_on(estimator: Any, problem: Problem, examples: Examples) -> NetworkCost | None:
    """Return the loss on those examples whose classes are known; None where it says nothing."""
    X, y, weight = examples
    if problem.network.loss.is_classification and np.ndim(y) == 1:
        if len(estimator.classes_) == 1:  # right from the first, and ever more certain
            return None
        known = np.isin(y, estimator.classes_)
        X, y, weight = X[known], y[known], None if weight is None else weight[known]
    if not len(y) or (weight is not None and not weight.sum() > 0):
        return None
    return problem.loss_on(X, estimator._encoded(y), weight)
