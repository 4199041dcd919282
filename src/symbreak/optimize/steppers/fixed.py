"""A direction that carries its own length: the full step, accepted wherever J is finite."""

from __future__ import annotations

from symbreak.arrays import Array, quiet
from symbreak.objectives.contract import Objective
from symbreak.optimize.per_start import Mask, PerStart, where
from symbreak.optimize.protocols import Direction, Point
from symbreak.optimize.status import Status


class FixedStepper(PerStart):
    """Steps theta + direction; a J or a gradient that is not finite ends the start."""

    per_start = ("direction", "along")
    failure = Status.DIVERGED
    iteration_is = "update"

    def __init__(self, direction: Direction) -> None:
        self.direction = direction

    def needs_gradient(self, objective: Objective) -> bool:
        """It goes by the gradient at every trial."""
        return True

    def start(self, here: Point, objective: Objective) -> None:
        """Take the first direction."""
        self.along = self.direction.start(here)

    @quiet
    def trial(self, here: Point, objective: Objective) -> Array:
        """Return theta + direction."""
        return here.theta + self.along

    def judge(self, here: Point, trial: Point) -> tuple[Mask, Mask]:
        """Accept what is finite."""
        return trial.is_finite, ~trial.is_finite

    def advance(self, active: Mask, before: Point, here: Point, objective: Objective) -> None:
        """Turn `active` into their next direction."""
        self.along = where(active, self.direction.update(active, before, here), self.along)
