"""What is known of every start of a search, running or ended, and the outcome that it makes."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from symbreak.arrays import Array, copied
from symbreak.objectives.contract import Objective
from symbreak.optimize.box import Box
from symbreak.optimize.outcome import Outcome
from symbreak.optimize.per_start import Floats, Mask
from symbreak.optimize.protocols import Point
from symbreak.optimize.running import History
from symbreak.optimize.search import Clock, Places, Progress
from symbreak.optimize.status import Status
from symbreak.optimize.stopping import GradientTest, Limits


class StartRecords:
    """What is known of each start.

    Attributes
    ----------
    theta, value : (starts, n) and (starts,), the point to return of a start, J there.
    score, score_loss : (starts,), the best validation score, and the loss beside it.
    start_norm, start_value : (starts,), the largest |entry| of the gradient and J at the start.
    status, messages : of each start, the second what a foreign method said.
    n_iterations, n_evaluations, best_iteration : (starts,), see `Outcome`.
    history, scores : J, and the score, of every accepted point.
    """

    def __init__(self, theta: Array) -> None:
        n = len(theta)
        self.theta = copied(theta)
        self.value: Floats = np.full(n, np.inf)
        self.score: Floats = np.full(n, np.inf)
        self.score_loss: Floats = np.full(n, np.inf)
        self.start_norm: Floats = np.full(n, np.nan)
        self.start_value: Floats = np.full(n, np.nan)
        self.status = [Status.RUNNING] * n
        self.messages = [""] * n
        self.n_iterations = np.zeros(n, dtype=np.int64)
        self.n_evaluations = np.zeros(n, dtype=np.int64)
        self.best_iteration = np.zeros(n, dtype=np.int64)
        self.history, self.scores = History(n), History(n)

    def __len__(self) -> int:
        return len(self.status)

    def copy(self) -> Self:
        """Return records that are written on their own."""
        return copy.deepcopy(self)

    def begin(self, here: Point, test: GradientTest, limits: Limits) -> list[tuple[Mask, Status]]:
        """Note where all starts begin; return which of them end there, the first that holds."""
        self.start_norm, self.start_value = here.norm, here.value
        self.history.record(self.n_iterations, np.arange(len(self)), here.value)
        finite = here.is_finite
        arrived = finite & test.holds(here.norm, here.value, here.norm)
        return [
            (~finite, Status.NON_FINITE_START),
            (finite & (here.norm <= test.floor(here.value)), Status.STATIONARY_START),
            (arrived & (limits.max_iter > 0), Status.CONVERGED),
        ]

    def progress(self, values: Floats, places: Places, clock: Clock, n_running: int) -> Progress:
        """Return where the search stands.

        Parameters
        ----------
        values : (starts,), the best J of each start so far.
        """
        lead = int(values.argmin())
        place = int(self.n_iterations[lead]), lead
        return Progress(
            iteration=int(self.n_iterations.max(initial=0)),
            best_value=float(values.min()),
            median_value=float(np.median(values)),
            n_running=n_running,
            n_starts=len(self),
            seconds=clock.seconds,
            places=places,
            lead_value=self.history.at(*place),
            lead_score=self.scores.at(*place),
        )

    def outcome(
        self,
        objective: Objective,
        test: GradientTest,
        clock: Clock,
        box: Box | None = None,
        **known: Any,
    ) -> Outcome:
        """Return the outcome, evaluated once more; `known` are further attributes of it."""
        return confirmed_outcome(
            objective,
            self.theta,
            test,
            self.status,
            box=box,
            start_norm=self.start_norm,
            start_value=self.start_value,
            n_iterations=self.n_iterations,
            n_evaluations=self.n_evaluations,
            best_iteration=self.best_iteration,
            history=self.history.table(),
            seconds=clock.seconds,
            **known,
        )


def confirmed_outcome(
    objective: Objective,
    theta: Array,
    test: GradientTest,
    status: Sequence[Status],
    *,
    start_norm: Floats,
    start_value: Floats,
    box: Box | None = None,
    **known: Any,
) -> Outcome:
    """Return the outcome at theta (starts, n), "converged" only where the test holds there.

    Parameters
    ----------
    status : how each search ended.
    start_norm, start_value : (starts,), the largest |entry| of the gradient and J at the starts.
    box : the bounds of theta, None where there are none.
    **known : the other attributes of the outcome.
    """
    there = Point.at(objective, theta)
    there = there if box is None else box.seen(there)
    arrived = test.holds_later(there.norm, there.value, start_norm, start_value)
    return Outcome(
        theta=copied(theta),  # what is written into it must not change how the search goes on
        value=np.where(there.is_finite, there.value, np.inf),
        gradient_norm=np.where(there.is_finite, there.norm, np.inf),
        status=tuple(map(_confirmed, status, arrived)),
        **known,
    )


def _confirmed(status: Status, arrived: bool) -> Status:
    """Say "converged" exactly where the test holds at the returned point."""
    if status in (Status.STATIONARY_START, Status.NON_FINITE_START):
        return status
    if arrived:
        return Status.CONVERGED
    return Status.PRECISION_LIMIT if status is Status.CONVERGED else status
