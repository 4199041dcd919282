"""What a stepper says of its twin in the compiled core, which works on the same arrays.

A twin makes the ticks that the stepper would make, up to rounding, and leaves the same state
behind; constants and options are handed over, so that each stands in one place.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from symbreak.objectives.contract import Objective
from symbreak.optimize.per_start import Floats, PerStart

ANY_NUMBER = 2**30


@dataclass(frozen=True)
class Plan:
    """What the ticks of a burst need that Python draws beforehand; nothing, for most.

    Attributes
    ----------
    order : (epochs, m) int64, of the examples.
    factors : (epochs,), what the schedule multiplies the learning rates by.
    decay : (n,), the weight decay of each parameter, in the dtype of theta.
    """

    order: NDArray[Any] | None = None
    factors: Floats | None = None
    decay: NDArray[Any] | None = None


class HasTwin(PerStart, ABC):
    """A stepper that may have a twin in the compiled core."""

    @property
    @abstractmethod
    def twin(self) -> str | None:
        """The word by which the core knows it; None where its parts have no twin."""

    @abstractmethod
    def twin_settings(self) -> Mapping[str, float]:
        """Return its constants and options by the names that the core asks for."""

    def most_ticks(self, steps: int, objective: Objective) -> int:  # noqa: ARG002
        """Return how many trials of a start may be made for so many accepted steps."""
        return ANY_NUMBER

    def plan(self, ticks: int, objective: Objective) -> Plan:  # noqa: ARG002
        """Return what so many ticks from here on need."""
        return Plan()

    def count(self, ticks: int, objective: Objective) -> None:
        """Take notice that so many ticks were made of each start that has not ended before."""
