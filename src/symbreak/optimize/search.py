"""What every search has in common, whoever decides where to evaluate."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from symbreak.arrays import Array
from symbreak.optimize.outcome import Outcome
from symbreak.optimize.per_start import Starts


class Places(NamedTuple):
    """Where some starts stand: their indices, their accepted steps, theta (starts, n).

    Copy what is to be kept: the search goes on writing here.
    """

    starts: Starts
    n_iterations: Starts
    theta: Array


@dataclass(frozen=True)
class Progress:
    """Where the search stands; handed to the callback after every tick.

    Attributes
    ----------
    iteration : accepted steps of the start that is furthest.
    best_value, median_value : of the best J of all starts so far.
    seconds : wall-clock time since the search began.
    places : where the starts stand that are searched from at this time.
    lead_value, lead_score : J, and the validation score (lower is better, NaN without one), of the
        start with the lowest best J as it stands now, which may be above that best.
    """

    iteration: int
    best_value: float
    median_value: float
    n_running: int
    n_starts: int
    seconds: float
    places: Places | None = field(default=None, repr=False)
    lead_value: float = math.nan
    lead_score: float = math.nan


@dataclass(frozen=True)
class Watch:
    """A callback that is content to be called about ten times a second, not after every tick."""

    look: Callable[[Progress], Any]

    def __call__(self, progress: Progress) -> Any:
        """Look at where the search stands; anything true stops it."""
        return self.look(progress)


class Search(Protocol):
    """A search from many starts."""

    def run(self, callback: Callable[[Progress], Any] | None = None) -> None:
        """Search until all starts have ended, the callback says stop, or Ctrl-C.

        Raises
        ------
        KeyboardInterrupt
            Ctrl-C was pressed again before the first one had ended the search.
        """

    def outcome(self) -> Outcome:
        """Return the best points; J, gradient and convergence are evaluated there once more."""


class Clock:
    """The wall-clock time of one call of `minimize`.

    most : seconds that it may take, None for any.
    """

    def __init__(self, most: float | None) -> None:
        self._most, self._began = most, time.perf_counter()

    @property
    def seconds(self) -> float:
        """The time since it began."""
        return time.perf_counter() - self._began

    @property
    def rest(self) -> float:
        """The seconds that are left; infinite without a limit."""
        return math.inf if self._most is None else self._most - self.seconds

    @property
    def is_over(self) -> bool:
        """Whether the time is over."""
        return self._most is not None and self.seconds >= self._most
