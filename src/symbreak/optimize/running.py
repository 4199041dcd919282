"""What the loop knows of the starts that are still running, one row for each."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from symbreak.optimize.best import BestPoints
from symbreak.optimize.per_start import Mask, PerStart, Starts
from symbreak.optimize.protocols import Point, Stepper
from symbreak.optimize.stalling import Stalling
from symbreak.optimize.validation import Validation


class Running(PerStart):
    """The running starts.

    Attributes
    ----------
    starts : (rows,), their indices among all starts.
    here, before : the last accepted point, and the one that it was reached from.
    is_new : (rows,), whether the stepper has not yet been told of `here`.
    start_norm, start_value : (rows,), the largest |entry| of the gradient and J at the start.
    best, validation : the best point evaluated; the best point validated, or None.
    stalling : how long J has not fallen, or None.
    """

    per_start = (
        "starts", "here", "before", "is_new", "start_norm", "start_value",
        "best", "validation", "stalling", "stepper",
    )  # fmt: skip

    def __init__(
        self,
        starts: Starts,
        here: Point,
        stepper: Stepper,
        validation: Validation | None,
        stalling: Stalling | None = None,
    ) -> None:
        self.starts = starts
        self.here = self.before = here
        self.is_new: Mask = np.zeros(len(starts), dtype=bool)
        self.start_norm, self.start_value = here.norm, here.value
        self.best = BestPoints(here.theta)
        self.validation, self.stalling = validation, stalling
        self.stepper = stepper

    def __len__(self) -> int:
        return len(self.starts)

    def move(self, accepted: Mask, trial: Point) -> None:
        """Take the accepted trials as the points that the next step begins from."""
        self.before, self.here = self.here, self.here.moved(accepted, trial)
        self.is_new = accepted

    @property
    def kept_theta(self) -> Tensor:
        """The points to return, (rows, n)."""
        return self.best.theta if self.validation is None else self.validation.theta

    @property
    def kept_iteration(self) -> Starts:
        """The steps in which the points to return were seen, (rows,)."""
        return self.best.iteration if self.validation is None else self.validation.iteration
