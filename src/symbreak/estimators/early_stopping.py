"""Scoring every start on examples that are not trained on.

score(theta (rows, n)) -> (rows,), lower is better: minus the scorer's number, as `minimize` takes
it. Without a scorer it is accuracy or R², computed from the network alone, without the detour over
the validation of inputs.
"""

from __future__ import annotations

import copy
import inspect
from typing import Any, NamedTuple

import numpy as np
from sklearn.metrics import accuracy_score, get_scorer, r2_score
from sklearn.model_selection import train_test_split

from symbreak.estimators.problem import Array, Problem
from symbreak.estimators.starting import matrices_of


class Examples(NamedTuple):
    """X (m, features), y as the user gave it, and weights (m,) or None."""

    X: Array
    y: Array
    sample_weight: Array | None


def split(examples: Examples, fraction: float, seed: int, stratify: Any) -> list[Examples]:
    """Return training and validation examples.

    Raises
    ------
    ValueError
        Fewer than two validation examples, or a class too small to be in both.
    """
    rows = np.arange(len(examples.X))
    parts = train_test_split(
        rows, random_state=np.random.RandomState(seed), test_size=fraction, stratify=stratify
    )
    if len(parts[1]) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your "
            "dataset."
        )
    return [
        Examples(
            examples.X[part],
            examples.y[part],
            None if examples.sample_weight is None else examples.sample_weight[part],
        )
        for part in parts
    ]


class ValidationScore:
    """Minus the score of each start; NaN where a prediction is not finite."""

    def __init__(self, estimator: Any, problem: Problem, examples: Examples) -> None:
        self._estimator = copy.copy(estimator)
        self._problem, self._examples = problem, examples
        self._scorer = None if estimator.scoring is None else get_scorer(estimator.scoring)
        self._inputs = problem.inputs(examples.X)
        for name in ("feature_names_in_", "outcome_", "_problem"):
            self._estimator.__dict__.pop(name, None)

    def __call__(self, theta: Any) -> Array:
        """Return (rows,) for theta (rows, n), a tensor."""
        one = self._quick if self._scorer is None else self._by_scorer
        return np.array([-one(row) for row in theta])

    def _quick(self, theta: Any) -> float:
        output = self._problem.network.predict(theta, self._inputs).cpu().numpy()
        if not np.isfinite(output).all():
            return float("nan")
        predicted = self._estimator._decoded(output, self._problem)
        judge = accuracy_score if hasattr(self._estimator, "classes_") else r2_score
        y, weight = self._examples.y, self._examples.sample_weight
        return float(judge(y, predicted, sample_weight=weight))

    def _by_scorer(self, theta: Any) -> float:
        view, network = self._estimator, self._problem.network
        array = theta.cpu().numpy()
        view._problem, view.thetas_ = self._problem, array[None]
        view.coefs_, view.intercepts_ = matrices_of(network, array)
        view.n_features_in_, view.n_outputs_ = network.n_features, network.n_outputs
        assert self._scorer is not None
        weight = self._examples.sample_weight
        given = {}
        if weight is not None and _takes_weights(self._scorer):
            given["sample_weight"] = weight
        return float(self._scorer(view, self._examples.X, self._examples.y, **given))


def _takes_weights(scorer: Any) -> bool:
    """Tell whether a scorer takes sample weights; a function of the user's may not."""
    parameters = inspect.signature(scorer).parameters.values()
    return any(p.name == "sample_weight" or p.kind is p.VAR_KEYWORD for p in parameters)
