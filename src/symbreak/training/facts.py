"""The facts of a training that advice is made from, and its losses beside those of the simplest.

A `Training` on a table has all of them; one on arrays has what its record holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays import as_numpy, picked
from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.optimize import Outcome, Status, minimize
from symbreak.propagation.first_layer import is_sparse
from symbreak.training.advised import Facts
from symbreak.training.checks import spread_rows
from symbreak.training.combine import combined_prediction
from symbreak.training.comparison import (
    OUT_OF_FOLDS,
    Comparison,
    Rows,
    best_constant,
    compared,
    learnt_nothing,
    row_losses,
    twice_as_far,
)
from symbreak.training.confusion import Confusion
from symbreak.training.finite_starts import draw_finite_starts
from symbreak.training.importance import MOST_COLUMNS, MOST_ROWS, ColumnImportance, importances
from symbreak.training.linear import linear_model

if TYPE_CHECKING:
    from symbreak.tables.preparation import Preparation
    from symbreak.tables.target import Target
    from symbreak.training.cross_validation import CrossValidation
    from symbreak.training.data_split import DataSplit
    from symbreak.training.record import Training

# Early stopping and patience end a search before J is lowest, and are meant to.
DONE = (Status.CONVERGED, Status.NO_IMPROVEMENT, Status.STALLED, Status.SMALL_RATE)
FOLD_STARTS, FOLD_ITERATIONS = 4, 200
CONSTANT = 1e-4  # the standard deviation over rows of a unit that does not depend on them


def comparison_of(training: Training) -> Comparison | None:
    """Return the four losses of a training on a table; None without rows that chose nothing."""
    split, known = training.split, training.predictions.get("training")
    if split is None or known is None:
        return None
    own = rows_of(split.target, known.y, known.combined(training.predicting), known.weight)
    if training.cross_validation is not None:
        return _by_folds(training, training.cross_validation, split, own)
    if "holdout" not in training.predictions:
        return None
    part = training.predictions["holdout"]
    held = rows_of(split.target, part.y, training.holdout_prediction, part.weight)
    constant, linear = _simplest(training, split)
    groups = split.groups_in("holdout")
    return compared(held, constant=constant, linear=linear, training=own, groups=groups)


def _by_folds(
    training: Training, found: CrossValidation, split: DataSplit, own: Rows
) -> Comparison | None:
    """Return the same of rows out of folds, the simplest by folds as well."""
    from symbreak.training.table_choice import folds_of

    repeats = found.repeats
    weight = None if found.weight is None else np.tile(found.weight, repeats)
    held = rows_of(
        split.target, np.tile(found.y, repeats), np.concatenate(found.predictions), weight
    )
    first = held.prediction[: len(own.y)]
    constant = np.array(np.broadcast_to(_best_constant(split, own), first.shape))
    linear = constant.copy() if training.network.n_hidden else None
    rows = split.rows[0]
    for train, test in folds_of(split, 0):
        part = split.again(rows[train], rows[:0], rows[test])
        constant[test], on_test = _simplest(training, part)
        if linear is not None:
            linear[test] = on_test
    again = (repeats, *[1] * (first.ndim - 1))
    return compared(
        held, constant=np.tile(constant, again), training=own, repeats=repeats,
        linear=None if linear is None else np.tile(linear, again), groups=found.groups,
        where=OUT_OF_FOLDS,
    )  # fmt: skip


def _simplest(training: Training, split: DataSplit) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return what constant and linear model of the training rows predict for the hold-out."""
    target, weight = split.target, split.weights.get("training")
    own = rows_of(target, split.train.y, np.zeros((split.train.n, split.n_outputs)), weight)
    shape = (split.holdout.n, split.n_outputs) if target.classes else (split.holdout.n,)
    constant = np.broadcast_to(_best_constant(split, own), shape)
    if not training.network.n_hidden:
        return constant, None
    network, theta = linear_model(*split.train, split.loss, split.n_outputs, weight=weight)
    prediction = combined_prediction(network, theta, split.holdout.X)
    return constant, rows_of(target, split.holdout.y, prediction).prediction


def _best_constant(split: DataSplit, rows: Rows) -> NDArray[Any]:
    return best_constant(rows.y, rows.weight, len(split.target.classes))


def rows_of(target: Target, y: NDArray[Any], prediction: NDArray[Any], weight: Any = None) -> Rows:
    """Return what is known and predicted in the unit of the table.

    Parameters
    ----------
    y : (m,), as `Target.encode` gives it.
    prediction : (m, outputs), after the link.
    weight : (m,) or None.
    """
    prediction = np.asarray(prediction, dtype=np.float64)
    if target.classes:
        return Rows(y, prediction, weight)
    return Rows(target.unscale(y), target.unscale(prediction[:, 0]), weight)


def facts_of(training: Training) -> Facts:
    """Return the facts of a training."""
    network, choice = training.network, training.choice
    trivial = training.trivial or _trivial(training)
    constant, hidden = trivial or (0, 0)
    return Facts(
        **_of_search(training.outcome),
        comparison=training.comparison,
        is_constant=trivial is not None,
        constant_units=constant,
        hidden_units=hidden,
        penalty_share=penalty_share(training),
        penalty_is_chosen=choice is not None and len(choice.path) > 1,
        choice_is_cut=choice is not None and choice.is_cut,
        linear_was_compared=choice is not None and any(not one[0] for one in choice.networks),
        spread_of_inputs=training.spread_of_inputs,
        is_linear=not network.n_hidden,
    )


def facts_of_search(outcome: Outcome) -> Facts:
    """Return what an outcome alone tells, whatever was minimised."""
    return Facts(**_of_search(outcome))


def _of_search(outcome: Outcome) -> dict[str, Any]:
    restarts, ended = outcome.restarts, outcome.status
    diverged = np.array([one is Status.DIVERGED for one in ended])
    made, best = outcome.n_iterations, outcome.best_iteration
    lowest = restarts.lowest_status
    impatient = all(one is Status.NO_IMPROVEMENT for one in ended) and best.max() < 2
    return {
        "n_starts": restarts.n_starts,
        "n_lowest": restarts.n_lowest,
        "is_converged": None if lowest is None else lowest in DONE,
        "lowest_ended": "" if lowest is None else lowest.word,
        "needs_more_starts": restarts.needs_more_starts,
        "n_diverged": int(diverged.sum()),
        "n_never_began": ended.count(Status.NON_FINITE_START),
        "has_moved": bool(best[diverged].any()),
        "is_never_lower": bool((made > 0).all() and (best == 0).all()),
        "is_impatient": bool(impatient),
    }


def importance_of(training: Training) -> list[ColumnImportance]:
    """Return what the columns of the table matter, the largest first.

    On held-out rows; by cross-validation on rows out of folds, whose networks are trained for this
    with the hidden layers and the penalty of the training.
    """
    split = training.split
    if split is None:
        return []
    if training.cross_validation is not None:
        X, y, weight = *split.train, split.weights.get("training")
        groups = training.cross_validation.groups
        raw = _folds_predict(training, split)
        base = raw(X)
    elif training.holdout is not None:
        part = training.predictions["holdout"]
        some = spread_rows(part.n, MOST_ROWS)
        X, y = np.asarray(part.X)[some], part.y[some]
        groups = split.groups_in("holdout", some)
        weight, raw = None if part.weight is None else part.weight[some], training.predict
        base = training.holdout_prediction[some]
    else:
        return []

    def predict(other: NDArray[Any]) -> NDArray[Any]:
        return rows_of(split.target, y[:0], raw(other)).prediction

    rows = rows_of(split.target, y, base, weight)
    if not np.isfinite(rows.prediction).all():
        return []
    return importances(rows, X, predict, _columns(training, split.preparation), groups)


def _folds_predict(training: Training, split: DataSplit) -> Callable[[Any], NDArray[Any]]:
    """Return what predicts the training rows, one or more times over, without knowing them."""
    from symbreak.training.table_choice import folds_of

    network, (X, y), weight = training.network, split.train, split.weights.get("training")
    alpha = 0.0 if training.cost is None else float(training.cost.alpha)
    folds = []
    for train, test in folds_of(split, 0):
        some = None if weight is None else weight[train]
        cost = NetworkCost(network, X[train], y[train], alpha=alpha, sample_weight=some)
        theta = draw_finite_starts(cost, "glorot_uniform", starts=FOLD_STARTS).theta
        theta = minimize(cost, theta, max_iter=FOLD_ITERATIONS).theta
        folds.append((as_numpy(theta), test))

    def predict(other: Any) -> NDArray[Any]:
        # Rows that no fold has are predicted without knowledge.
        out = np.full((len(other), network.n_outputs), 1.0 / network.n_outputs)
        for theta, test in folds:
            rows = (test + np.arange(0, len(other), len(y))[:, None]).reshape(-1)
            out[rows] = combined_prediction(network, theta, other[rows])
        return out

    return predict


def _columns(training: Training, preparation: Preparation) -> list[tuple[str, slice]]:
    """Return the columns with the largest weights, and where their features stand."""
    Theta = training.network.thetas(as_numpy(training.outcome.theta)[training.lead])[0]
    size, places, start = np.abs(Theta[:, 1:]).max(axis=0), [], 0
    for column in preparation.columns:
        stop = start + len(column.feature_names)
        places.append((column.name, slice(start, stop)))
        start = stop
    return sorted(places, key=lambda one: -float(size[one[1]].max()))[:MOST_COLUMNS]


def confusion_of(training: Training) -> Confusion | None:
    """Return which classes are taken for which, on rows that chose nothing; None for numbers."""
    split, found = training.split, training.cross_validation
    if split is None or not split.target.classes:
        return None
    if found is not None and found.scores is not None:
        return Confusion.of(found.y, found.predictions[0].argmax(axis=1), split.target.classes)
    if training.holdout is None:
        return None
    guess = training.holdout_prediction.argmax(axis=1)
    return Confusion.of(training.predictions["holdout"].y, guess, split.target.classes)


def constant_units(network: Network, theta: Any, X: Any) -> tuple[int, int]:
    """Return how many hidden units do not depend on the rows, and how many there are.

    Parameters
    ----------
    theta : (1, n).
    X : (m, features).
    """
    constant = 0
    for layer in range(1, network.n_hidden + 1):
        a = as_numpy(network.hidden(theta, X, layer))[0]
        spread, size = a.std(axis=0), 1.0 + np.abs(a).mean(axis=0)
        constant += int((spread <= CONSTANT * size).sum())
    return constant, sum(network.layers[1:-1])


def penalty_share(training: Training) -> float:
    """Return the penalty's share of J at the start that leads, 0 where it is not known."""
    if training.cost is None:
        return 0.0
    cost = training.cost.take(np.array([training.lead]))
    theta = picked(training.outcome.theta, np.array([training.lead]), 0)
    J, data = (float(one.value(theta)[0]) for one in (cost, cost.with_alpha(0.0)))
    return (J - data) / J if J > 0.0 and np.isfinite(J) else 0.0


def spread_of(X: Any) -> float:
    """Return how far columns of X (m, features), dense or in CSR, lie from one scale around 0.

    The largest standard deviation over the smallest, either over 1, or the largest |mean| over
    standard deviation, and 1 at least; columns that do not vary are left out.
    """
    mean = np.asarray(X.mean(axis=0, dtype=np.float64)).ravel()
    if is_sparse(X):
        squares = np.asarray(X.multiply(X).mean(axis=0, dtype=np.float64)).ravel()
        std = np.sqrt(np.maximum(squares - mean**2, 0.0))
    else:
        std = X.std(axis=0, dtype=np.float64)
    mean = np.abs(mean)
    varies = std > 0.0
    if not varies.any():
        return 1.0
    std, mean = std[varies], mean[varies]
    high, low = float(std.max()), float(std.min())
    return max(1.0, high / low, high, 1.0 / low, float((mean / std).max()))


def _trivial(training: Training) -> tuple[int, int] | None:
    """Return how many hidden units are constant where the network is no better than a constant."""
    split, network = training.split, training.network
    if split is None or "training" not in training.predictions:
        return None
    part = training.predictions["training"]
    rows = rows_of(split.target, part.y, part.combined(training.predicting), part.weight)
    if not is_constant(rows, len(split.target.classes)):
        return None
    theta = picked(training.outcome.theta, np.array([training.lead]), 0)
    return constant_units(network, theta, part.X)


def is_constant(rows: Rows, n_classes: int) -> bool:
    """Tell whether predictions of the training rows are no better than the best constant.

    Parameters
    ----------
    n_classes : 0 for numbers.
    """
    constant = best_constant(rows.y, rows.weight, n_classes)
    flat = np.broadcast_to(constant, rows.prediction.shape)
    doubled = twice_as_far(rows.prediction, constant)
    base, own, far = (
        row_losses(rows._replace(prediction=one)) for one in (flat, rows.prediction, doubled)
    )
    return learnt_nothing(base, own, far, rows.weight)
