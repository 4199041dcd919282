"""What the parts of a method must offer: steppers, directions and line searches.

Conventions
-----------
starts : the running ones, in the loop's order; masks are boolean arrays over them.
active : a mask of the starts that a call is about.
Vectors (theta, gradient, direction) are arrays (starts, n) of the objective's kind and device;
decisions are made on the host in float64 NumPy arrays (starts,): J, the slope (gradient ·
direction) and step sizes.

A *stepper* says where to evaluate next and whether to accept. Two general ones put a method
together: a direction with a line search (`steppers.line_search`), and a direction that carries its
own length (`steppers.fixed`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol, Self

import numpy as np

from symbreak.arrays import Array, empty_like, namespace
from symbreak.objectives.contract import Objective
from symbreak.objectives.stacks import evaluate
from symbreak.optimize.per_start import Floats, Mask, PerStart, Starts, host, largest, where
from symbreak.optimize.status import Status

__all__ = [
    "Direction",
    "EndsByItself",
    "Floats",
    "LineSearch",
    "LooksAtCurvature",
    "Mask",
    "PerStart",
    "Point",
    "Starts",
    "Stepper",
]


# The largest |entry| of a gradient that nobody asked for: finite, and above any limit.
NOT_ASKED = float(np.finfo(np.float64).max)


class Point(PerStart):
    """Where each running start stands: theta, J, its gradient, and the largest |entry| of that.

    Where the gradient was not asked for it is zero, and its largest |entry| is `NOT_ASKED`.
    """

    per_start = ("theta", "value", "gradient", "norm")

    def __init__(self, theta: Array, value: Floats, gradient: Array, norm: Floats) -> None:
        self.theta, self.value, self.gradient, self.norm = theta, value, gradient, norm

    @classmethod
    def at(cls, objective: Objective, theta: Array, *, with_gradient: bool = True) -> Self:
        """Evaluate J, and its gradient, at theta (starts, n), a stack of the objective."""
        if not with_gradient:
            value = host(evaluate(objective, theta, None))
            nothing = namespace(theta).zeros_like(theta)
            return cls(theta, value, nothing, np.full(len(theta), NOT_ASKED))
        gradient = empty_like(theta)
        value = evaluate(objective, theta, gradient)
        return cls(theta, host(value), gradient, host(largest(gradient)))

    def moved(self, active: Mask, to: Point) -> Point:
        """Return the point that is `to` in the active starts and this one in the others."""
        if active.all():
            return to
        return Point(
            where(active, to.theta, self.theta),
            np.where(active, to.value, self.value),
            where(active, to.gradient, self.gradient),
            np.where(active, to.norm, self.norm),
        )

    @property
    def is_finite(self) -> Mask:
        """Whether J and the whole gradient are finite, (starts,)."""
        return np.isfinite(self.value) & np.isfinite(self.norm)


class _PerStartState(Protocol):
    """What `PerStart` gives to each part."""

    def keep(self, which: Mask | Starts) -> None: ...

    def pick(self, which: Mask | Starts) -> Self: ...

    def join(self, other: Self) -> Self: ...


class Stepper(_PerStartState, Protocol):
    """One method: proposes a trial point for every running start and judges it."""

    @property
    def failure(self) -> Status:
        """The status of a start whose step has failed for good."""

    @property
    def iteration_is(self) -> str:
        """What an accepted step is: "update" or "epoch"."""

    def needs_gradient(self, objective: Objective) -> bool:
        """Whether it goes by the gradient at its trials."""

    def start(self, here: Point, objective: Objective) -> None:
        """Begin at `here`; starts whose J or gradient is not finite will be dropped."""

    def trial(self, here: Point, objective: Objective) -> Array:
        """Return the next point to evaluate, (starts, n)."""

    def judge(self, here: Point, trial: Point) -> tuple[Mask, Mask]:
        """Return which trials are accepted and which starts have failed; the rest try again."""

    def advance(self, active: Mask, before: Point, here: Point, objective: Objective) -> None:
        """Prepare the next step of `active`, which moved from `before` to `here`."""


class Direction(_PerStartState, Protocol):
    """Where to: a direction for every running start."""

    @property
    def has_scale(self) -> bool:
        """Whether step 1 is a good first trial, as for quasi-Newton directions."""

    def start(self, here: Point) -> Array:
        """Return the first directions, (starts, n)."""

    def update(self, active: Mask, before: Point, here: Point) -> Array:
        """Return directions (starts, n); only `active`, moved from `before` to `here`, count."""

    def restart(self, active: Mask, here: Point) -> Array:
        """Forget the past of `active` and return their steepest descent; others do not count."""


class EndsByItself(PerStart, ABC):
    """A stepper that has an ending of its own.

    Attributes
    ----------
    ending : the status of a start that has ended so.
    """

    ending: Status

    @abstractmethod
    def ended(self) -> Mask:
        """Return which starts have come to it with the step just judged, (starts,)."""


class LooksAtCurvature(PerStart, ABC):
    """A direction that asks the objective for more than J and its gradient."""

    @abstractmethod
    def look(self, active: Mask, here: Point, objective: Objective) -> None:
        """Take in the curvature at `active`, before `start` or `update` is asked for directions."""


class LineSearch(_PerStartState, Protocol):
    """How far along a direction: one trial step for every running start at a time."""

    step_sizes: Floats

    def start(self, n_running: int, eps: float) -> None:
        """Make room for `n_running` searches; `eps` is the rounding unit of the values."""

    def begin(self, active: Mask, value: Floats, slope: Floats, first: Floats) -> None:
        """Begin new searches on `active` from J = value, with the trial step `first`."""

    def judge(self, value: Floats, slope: Floats) -> tuple[Mask, Mask]:
        """Take the trial's J and slope; return which are accepted and which have failed.

        For the rest, `step_sizes` holds the next trial.
        """
