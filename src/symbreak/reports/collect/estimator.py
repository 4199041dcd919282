"""Fitted estimators: whatever fitted attributes they have is shown; nothing else is asked.

An estimator of this package has `training_`, the record of its fit; those of scikit-learn have
`loss_curve_`. Both have `coefs_` and `intercepts_`. Of a pipeline the last step is shown, of a
search its best estimator.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.activations import sklearn_words
from symbreak.losses import loss_with_link
from symbreak.network import Network
from symbreak.reports.collect.comparison import advised
from symbreak.reports.collect.curves import line_of
from symbreak.reports.collect.document import finished
from symbreak.reports.collect.network import network_over_updates
from symbreak.reports.collect.training import (
    ITERATION,
    network_name,
    network_words,
    sections_of_outcome,
)
from symbreak.reports.numbers import plain, short
from symbreak.training import Training
from symbreak.training.remedies import ESTIMATOR
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


def of_estimator(estimator: Any, search: dict[str, Any] | None) -> dict[str, Any]:
    """Return the document of a fitted estimator.

    Parameters
    ----------
    search : the section of the search that it is the best of, None where there was none.
    """
    training = getattr(estimator, "training_", None)
    settings = {name: short(value) for name, value in estimator.get_params().items()}
    network, _ = network_of(estimator)
    return finished(
        type(estimator).__name__,
        network_name(network),
        {
            "what": f"{network_words(network)}; fitted",
            "then": "It is fitted; predict with it.",
            "search": search,
            **(_of_losses(estimator) if training is None else _of_record(estimator, training)),
            "reproduce": {"python": short(repr(estimator), 4000), "settings": plain(settings)},
        },
    )


def _of_record(estimator: Any, training: Training) -> dict[str, Any]:
    """Return the sections on the starts and on the weights, which are those of the lead."""
    outcome, lead = training.outcome, training.lead
    made = int(outcome.n_iterations[lead])
    # partial_fit: the outcome is of the last call alone.
    before = max(len(getattr(estimator, "loss_curve_", ())) - made, 0)
    at = before + int(outcome.best_iteration[lead])
    picture = _picture(estimator, lead, at, outcome.value[[lead]])
    sections = {
        "advice": advised(training.advice, ESTIMATOR),
        **sections_of_outcome(outcome, training),
    }
    if before:
        sections["note"] = LAST_CALL
    return {**sections, "network": {**picture, "iterations_made": before + made}}


def _of_losses(estimator: Any) -> dict[str, Any]:
    """Return the same of scikit-learn's own; with early stopping the weights are the best ones."""
    losses = getattr(estimator, "loss_curve_", ())
    scores = getattr(estimator, "validation_scores_", None)
    made = len(losses) or int(np.max(estimator.n_iter_))
    at = made if scores is None else int(np.argmax(scores)) + 1
    sections = {"network": _picture(estimator, 0, at)}
    if not len(losses):
        return sections
    return {**sections, "curves": _loss_curve(losses), "iteration": ITERATION["epoch"]}


def _picture(estimator: Any, start: int, at: int, J: Any = None) -> dict[str, Any]:
    """Return the network with the weights of an estimator, seen after iteration `at`."""
    network, theta = network_of(estimator)
    path = Trajectory(start, np.array([at]), theta[None])
    return network_over_updates(network, path, J, **_names(estimator))


def network_of(estimator: Any) -> tuple[Network, NDArray[np.float64]]:
    """Return the network and theta (n,) that `coefs_` and `intercepts_` stand for."""
    from symbreak.estimators.starting import theta_of  # loads scikit-learn

    coefs = estimator.coefs_
    theta = theta_of(coefs, estimator.intercepts_).astype(np.float64)
    training = getattr(estimator, "training_", None)
    if training is not None:
        return training.network, theta
    sizes = [coef.shape[0] for coef in coefs] + [coefs[-1].shape[1]]
    given = estimator.get_params().get("activation", "relu")
    words = [given] * (len(sizes) - 2) if isinstance(given, str) else list(given)
    ours = sklearn_words()
    loss = loss_with_link(getattr(estimator, "out_activation_", "identity"))
    return Network(sizes, [ours.get(word, word) for word in words], loss), theta


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
