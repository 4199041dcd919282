"""The losses by name: each is one record, an output link and all that is said of its loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbreak.errors import choose
from symbreak.losses.loss import Loss, LossByOutputs
from symbreak.losses.of_classes import BinaryCrossEntropy, CrossEntropy
from symbreak.losses.of_numbers import (
    AbsoluteError,
    Huber,
    LossOfNumbers,
    Poisson,
    Quantile,
    SquaredError,
)

__all__ = [
    "LOSSES",
    "AbsoluteError",
    "BinaryCrossEntropy",
    "CrossEntropy",
    "Huber",
    "Loss",
    "LossByOutputs",
    "LossOfNumbers",
    "Poisson",
    "Quantile",
    "SquaredError",
    "loss_from_settings",
    "loss_of",
    "loss_with_link",
]

LOSSES: dict[str, type[Loss]] = {
    loss.name: loss
    for loss in (
        CrossEntropy,
        BinaryCrossEntropy,
        SquaredError,
        Poisson,
        AbsoluteError,
        Huber,
        Quantile,
    )
}


def loss_of(word: object) -> Loss:
    """Return the loss that `word` names, with its default parameters, or `word` if it is one."""
    if isinstance(word, Loss):
        return word
    return LOSSES[choose("loss of Network", word, LOSSES)]()


def loss_from_settings(settings: Mapping[str, Any]) -> Loss:
    """Return the loss that `Loss.to_settings` described."""
    parameters = {key: value for key, value in settings.items() if key != "name"}
    return LOSSES[choose("loss of Network", settings["name"], LOSSES)](**parameters)


def loss_with_link(sklearn_link: str) -> Loss:
    """Return the first loss whose link scikit-learn calls so, with its default parameters.

    Raises
    ------
    InvalidInput
        No loss has it.
    """
    by_link = {loss.sklearn_link: loss for loss in reversed(LOSSES.values())}
    return by_link[choose("out_activation_ of the estimator", sklearn_link, by_link)]()


def __dir__() -> list[str]:
    return sorted(__all__)
