"""Fitted estimators: whatever fitted attributes they have is shown; nothing else is asked.

An estimator of this package has `outcome_`, and `kept_` of the starts that predict, the one that
leads first; those of scikit-learn have `loss_curve_`. Both have `coefs_` and `intercepts_`. Of a
pipeline the last step is shown, of a search its best estimator.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.activations import Activation, sklearn_words
from symbreak.losses import Loss, loss_with_link
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
from symbreak.training.trajectory import Trajectory

LAST_CALL = (
    "Starts and curves are those of the last call of partial_fit; the network counts all of them."
)


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
    fit = _fit_of(estimator)
    network, theta = network_of(estimator)
    trajectory = Trajectory(fit.start, np.array([fit.iteration]), theta[None])
    picture = network_over_updates(network, trajectory, fit.J, **_names(estimator))
    settings = {name: short(value) for name, value in estimator.get_params().items()}
    return finished(
        type(estimator).__name__,
        network_name(network),
        {
            "what": f"{network_words(network)}; fitted",
            "then": "It is fitted; predict with it.",
            "search": search,
            **fit.sections,
            "network": picture | fit.made,
            "scores": None if X is None else scores_of(estimator, X, y),
            "reproduce": {"python": short(repr(estimator), 4000), "settings": plain(settings)},
        },
    )


@dataclass(frozen=True)
class _Fit:
    """What is known of a fit: whose weights they are, and after which iteration they were seen.

    J : (1,), at the weights, None where it is not known; made : how far the search went, if known.
    """

    sections: dict[str, Any]
    start: int
    iteration: int
    J: Any = None
    made: dict[str, int] = field(default_factory=dict)


def _fit_of(estimator: Any) -> _Fit:
    outcome = getattr(estimator, "outcome_", None)
    if isinstance(outcome, Outcome):
        return _of_outcome(estimator, outcome)
    return _of_losses(estimator)


def _of_outcome(estimator: Any, outcome: Outcome) -> _Fit:
    kept = [int(one) for one in getattr(estimator, "kept_", [outcome.best])]
    start = kept[0]
    sections = sections_of_outcome(outcome, start, kept=kept, sign=-1)
    made = int(outcome.n_iterations[start])
    # partial_fit: the outcome is of the last call alone.
    before = max(len(getattr(estimator, "loss_curve_", ())) - made, 0)
    if before:
        sections["note"] = LAST_CALL
    at = before + int(outcome.best_iteration[start])
    return _Fit(sections, start, at, outcome.value[[start]], {"iterations_made": before + made})


def _of_losses(estimator: Any) -> _Fit:
    """Return what scikit-learn's own keep; with early stopping the weights are the best ones."""
    losses = getattr(estimator, "loss_curve_", ())
    scores = getattr(estimator, "validation_scores_", None)
    made = len(losses) or int(np.max(estimator.n_iter_))
    sections = {}
    if len(losses):
        sections = {"curves": _loss_curve(losses), "iteration": ITERATION["epoch"]}
    return _Fit(sections, 0, made if scores is None else int(np.argmax(scores)) + 1)


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
    words = [given] * (len(sizes) - 2) if isinstance(given, str | Activation) else list(given)
    ours = sklearn_words()
    activations = [ours.get(word, word) if isinstance(word, str) else word for word in words]
    network = Network(sizes, activations, _loss_of(estimator))
    thetas = [
        np.column_stack([intercept, coef.T])
        for coef, intercept in zip(coefs, intercepts, strict=True)
    ]
    return network, np.concatenate([Theta.reshape(-1) for Theta in thetas]).astype(np.float64)


def _loss_of(estimator: Any) -> Loss:
    """Return the loss of one of ours, or one whose link is that of scikit-learn's estimator."""
    problem = getattr(estimator, "_problem", None)
    if problem is not None:
        loss: Loss = problem.network.loss
        return loss
    return loss_with_link(getattr(estimator, "out_activation_", "identity"))


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
