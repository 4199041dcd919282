"""Fitted estimators: whatever fitted attributes they have is shown; nothing else is asked.

An estimator of this package has `outcome_`, and `kept_` of the starts that predict, the one that
leads first; those of scikit-learn have `loss_curve_`. Both have `coefs_` and `intercepts_`. Of a
pipeline the last step is shown, of a search its best estimator.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.network import Network
from symbreak.optimize import Outcome
from symbreak.reports.collect.curves import line_of
from symbreak.reports.collect.document import finished
from symbreak.reports.collect.network import network_over_updates
from symbreak.reports.collect.predictions import of_classes, of_numbers
from symbreak.reports.collect.training import (
    ITERATION,
    network_name,
    network_words,
    sections_of_outcome,
)
from symbreak.reports.numbers import plain, short
from symbreak.training.path import PathOfStart

# scikit-learn's words for activations and for what comes out, and ours.
ACTIVATIONS = {"logistic": "sigmoid"}
LAST_CALL = (
    "Starts and curves are those of the last call of partial_fit; the network counts all of them."
)
LOSSES = {"softmax": "cross_entropy", "logistic": "binary_cross_entropy", "exp": "poisson"}


def inner(thing: Any) -> Any:
    """Return the last step of a pipeline, the best estimator of a search, or else the thing."""
    if hasattr(thing, "best_estimator_"):
        return inner(thing.best_estimator_)
    steps = getattr(thing, "steps", None)
    return inner(steps[-1][1]) if steps else thing


def is_estimator(thing: Any) -> bool:
    """Tell whether something looks like a fitted multi-layer estimator."""
    return hasattr(thing, "get_params") and hasattr(thing, "coefs_")


def of_estimator(
    estimator: Any, X: Any = None, y: Any = None, *, search: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the document of a fitted estimator.

    Parameters
    ----------
    X, y : examples that it was not fitted on, for the scores; None for none.
    search : the section of the search that it is the best of, if there was one.
    """
    outcome, start = getattr(estimator, "outcome_", None), 0
    sections: dict[str, Any] = {}
    if isinstance(outcome, Outcome):
        kept = [int(one) for one in getattr(estimator, "kept_", [outcome.best])]
        start = kept[0]
        sections = sections_of_outcome(outcome, start, kept=kept, sign=-1)
    elif hasattr(estimator, "loss_curve_"):
        sections = {"curves": _loss_curve(estimator.loss_curve_), "iteration": ITERATION["epoch"]}
    network, theta = network_of(estimator)
    before = _made_before(estimator, start)
    path = PathOfStart(start, np.array([_seen_at(estimator, start)]), theta[None])
    J = outcome.value[[start]] if isinstance(outcome, Outcome) else None
    picture = network_over_updates(network, path, J, **_names(estimator))
    if isinstance(outcome, Outcome):
        picture["iterations_made"] = before + int(outcome.n_iterations[start])
    settings = {name: short(value) for name, value in estimator.get_params().items()}
    return finished(
        type(estimator).__name__,
        network_name(network),
        {
            "what": f"{network_words(network)}; fitted",
            "then": "It is fitted; predict with it.",
            "search": search,
            **sections,
            "note": LAST_CALL if before else None,
            "network": picture,
            "scores": None if X is None else scores_of(estimator, X, y),
            "reproduce": {"python": short(repr(estimator), 4000), "settings": plain(settings)},
        },
    )


def _seen_at(estimator: Any, start: int) -> int:
    """Return after which iteration the weights were seen: the best one, with early stopping."""
    outcome = getattr(estimator, "outcome_", None)
    if isinstance(outcome, Outcome):
        return _made_before(estimator, start) + int(outcome.best_iteration[start])
    scores = getattr(estimator, "validation_scores_", None)
    made = len(getattr(estimator, "loss_curve_", ())) or int(np.max(estimator.n_iter_))
    return made if scores is None else int(np.argmax(scores)) + 1


def _made_before(estimator: Any, start: int) -> int:
    """Return the iterations of earlier calls of partial_fit: the outcome is of the last alone."""
    outcome = getattr(estimator, "outcome_", None)
    if not isinstance(outcome, Outcome):
        return 0
    made = len(getattr(estimator, "loss_curve_", ()))
    return max(made - int(outcome.n_iterations[start]), 0)


def scores_of(estimator: Any, X: Any, y: Any) -> dict[str, Any]:
    """Return the scores of an estimator on examples."""
    if hasattr(estimator, "predict_proba"):
        places = {label: place for place, label in enumerate(estimator.classes_)}
        index = np.array([places[label] for label in np.asarray(y)])
        found = of_classes(index, estimator.predict_proba(X), list(estimator.classes_))
    else:
        found = of_numbers(np.asarray(y, dtype=np.float64), estimator.predict(X))
    return {**found, "where": "given to the report", "given": True}


def network_of(estimator: Any) -> tuple[Network, NDArray[np.float64]]:
    """Return the network and theta (n,) that `coefs_` and `intercepts_` stand for."""
    coefs, intercepts = estimator.coefs_, estimator.intercepts_
    sizes = [coef.shape[0] for coef in coefs] + [coefs[-1].shape[1]]
    given = estimator.get_params().get("activation", "relu")
    words = [given] * (len(sizes) - 2) if isinstance(given, str) else list(given)
    loss = LOSSES.get(getattr(estimator, "out_activation_", ""), "squared_error")
    network = Network(sizes, [ACTIVATIONS.get(word, word) for word in words], loss)
    thetas = [
        np.column_stack([intercept, coef.T])
        for coef, intercept in zip(coefs, intercepts, strict=True)
    ]
    return network, np.concatenate([Theta.reshape(-1) for Theta in thetas]).astype(np.float64)


def _names(estimator: Any) -> dict[str, tuple[str, ...]]:
    labels = getattr(estimator, "classes_", ())
    return {
        "inputs": tuple(map(str, getattr(estimator, "feature_names_in_", ()))),
        "outputs": tuple(map(str, labels)) if len(labels) > 2 else (),
    }


def _loss_curve(losses: Any) -> dict[str, Any]:
    # There is no J before the first epoch in it.
    J = np.concatenate([[np.nan], np.asarray(losses, dtype=np.float64)])
    return {"of_starts": 1, "chosen": 0, "lines": [line_of(J, 0, "J")]}
