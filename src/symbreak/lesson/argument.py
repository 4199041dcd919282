"""The lecture's argument, run: zeros, constants and small random numbers, all else equal.

    a(1) = x,  a(2) = g(Theta1 [1; a(1)]),  delta(2) = Theta2^T delta(3) * g'(z(2)),
    dJ/dTheta(l) = mean of delta(l+1) [1; a(l)]^T

Units with equal weights in and out get equal a, equal delta, equal derivatives and equal updates.
"""

from __future__ import annotations

import numbers
import operator
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays import as_array, as_numpy
from symbreak.errors import InvalidInput, SymmetryWarning
from symbreak.initialization import initialize, rules
from symbreak.initialization.rule import Rule
from symbreak.lesson.facts import Lesson, StartResult
from symbreak.lesson.runs import METHODS, Experiment, Floats
from symbreak.lesson.side_by_side import pairs, two_units
from symbreak.network import Network
from symbreak.objectives import NetworkCost

ACTIVATION = "sigmoid"
LOSS = "binary_cross_entropy"  # the lecture's J: one sigmoid for each class
SHOWN_EXAMPLES = 4


def run_lesson(
    X: Any,
    y: Any,
    classes: Sequence[object],
    *,
    hidden: int | Sequence[int] = 25,
    epsilon: float = 0.12,
    updates: int = 100,
    seed: int = 0,
) -> Lesson:
    """Train from zeros, from a constant and from small random numbers, and compare.

    Parameters
    ----------
    X : (m, features), scaled so that the columns have sizes near 1.
    y : (m,), class indices 0 .. K-1.
    classes : the K labels.
    hidden : units of the hidden layers, at least 2 each.
    epsilon : the uniform start is drawn from [-epsilon, epsilon); the constant start is epsilon.
    updates : updates of each run, at least 1.
    seed : of the uniform start.

    Returns
    -------
    Lesson
        Plain data; every number was computed here, in float64.

    Raises
    ------
    InvalidInput
        Data that do not fit, a hidden layer of fewer than 2 units, numbers out of range.
    """
    X, y = as_numpy(as_array(X, "X")).astype(np.float64), as_numpy(as_array(y, "y"))
    sizes = _hidden_sizes(hidden)
    updates = _at_least_one(updates)
    uniform = rules.Uniform(epsilon=epsilon)
    chosen = (rules.Zeros(), rules.Constant(value=epsilon), uniform)
    network = Network((X.shape[-1], *sizes, len(classes)), ACTIVATION, LOSS)
    experiment = _experiment(network, X, y)
    logistic = _experiment(Network((X.shape[-1], len(classes)), loss=LOSS), X, y)
    zeros = as_numpy(initialize(logistic.network, "zeros", seed=seed))
    return Lesson(
        layers=network.layers,
        activation=ACTIVATION,
        loss=LOSS,
        n_examples=len(X),
        classes=tuple(map(str, classes)),
        class_counts=tuple(np.bincount(y.astype(np.int64), minlength=len(classes)).tolist()),
        epsilon=float(epsilon),
        updates=updates,
        seed=seed,
        logistic_regression=tuple(
            logistic.run(zeros, method, updates, exact=False)[0] for method in METHODS
        ),
        starts=tuple(_start(experiment, rule, updates, seed) for rule in chosen),
    )


def _experiment(network: Network, X: Floats, y: NDArray[Any]) -> Experiment:
    is_class = y.astype(np.int64)[:, None] == np.arange(network.n_outputs)
    return Experiment(NetworkCost(network, X, is_class), X, is_class)


def _start(experiment: Experiment, rule: Rule, updates: int, seed: int) -> StartResult:
    """Show one start and train from it with every method."""
    network = experiment.network
    theta, warning = _drawn(network, rule, seed)
    trained = [experiment.run(theta, method, updates, exact=rule.symmetric) for method in METHODS]
    shown = np.unique(experiment.classes, return_index=True)[1][:SHOWN_EXAMPLES]
    gradient = experiment.cost(theta)[1]
    return StartResult(
        rule=rule.name,
        value=float(getattr(rule, "epsilon", getattr(rule, "value", 0.0))),
        warning=warning,
        largest_derivative=float(np.abs(gradient).max()),
        units_before=two_units(experiment, theta, shown),
        units_after=two_units(experiment, trained[-1][1], shown),
        pairs=pairs(experiment, gradient),
        runs=tuple(run for run, _ in trained),
        drifts=tuple(experiment.drift(theta, method, updates) for method in METHODS)
        if rule.symmetric
        else (),
    )


def _drawn(network: Network, rule: Rule, seed: int) -> tuple[Floats, str | None]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SymmetryWarning)
        theta = as_numpy(initialize(network, rule, seed=seed))
    return theta, str(caught[0].message) if caught else None


def _hidden_sizes(hidden: int | Sequence[int]) -> tuple[int, ...]:
    sizes = tuple(hidden) if isinstance(hidden, Sequence) else (hidden,)
    if not sizes or any(isinstance(size, numbers.Integral) and size < 2 for size in sizes):
        raise InvalidInput(
            f"hidden of the lesson must be one or more layers of at least 2 units, to put two "
            f"units side by side. Got {hidden!r}."
        )
    return sizes


def _at_least_one(updates: object) -> int:
    try:
        count = operator.index(updates)  # type: ignore[arg-type]
    except TypeError:
        count = 0
    if count < 1:
        raise InvalidInput(f"updates of the lesson must be 1 or more. Got {updates!r}.")
    return count
