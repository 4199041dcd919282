"""Epochs of a stochastic method on examples that change from one epoch to the next.

`minimize` compares values of one J; where the data come in parts there is none. Here each call is
one epoch on the objective it is given, the state of the method (moments, velocity, rate, number of
the epoch) is kept between calls, and the point after the epoch is returned, not the best one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from symbreak.arrays import Array
from symbreak.errors import InvalidInput
from symbreak.objectives.contract import Objective
from symbreak.optimize.bursts import burst, problems_of, settings_of
from symbreak.optimize.methods import METHODS, method_of
from symbreak.optimize.outcome import Outcome
from symbreak.optimize.per_start import Mask, limits_of
from symbreak.optimize.protocols import Point
from symbreak.optimize.running import Running
from symbreak.optimize.status import Status
from symbreak.optimize.steppers.minibatch import MiniBatchStepper
from symbreak.optimize.stopping import GradientTest, Limits


class Epochs:
    """One search, fed objective by objective.

    Parameters
    ----------
    method, options : as `minimize` takes them; a method on mini-batches.

    Raises
    ------
    InvalidInput
        Another method.
    """

    def __init__(self, method: str, options: Mapping[str, Any]) -> None:
        stepper = method_of(method, options)
        if not isinstance(stepper, MiniBatchStepper):
            known = [word for word, one in METHODS.items() if one.is_on_minibatches]
            raise InvalidInput(
                f"method of Epochs must be one of {', '.join(known)}. Got {method!r}."
            )
        self._stepper = stepper
        self._has_begun = False

    def run(self, objective: Objective, theta: Array) -> Outcome:
        """Train for an epoch from theta (starts, n) and return where it ended.

        A start that would become non-finite stays where it was and is called DIVERGED.
        """
        began = time.perf_counter()
        here = Point.at(objective, theta)
        if not self._has_begun:
            self._stepper.start(here, objective)
            self._has_begun = True
        end, accepted = self._burst(objective, here) or self._tick(objective, here)
        ones = np.ones(len(theta), dtype=np.int64)
        return Outcome(
            theta=end.theta,
            value=np.where(end.is_finite, end.value, np.inf),
            gradient_norm=end.norm,
            status=tuple(Status.RUNNING if fine else Status.DIVERGED for fine in accepted),
            n_iterations=ones,
            n_evaluations=2 * ones,
            best_iteration=accepted.astype(np.int64),
            history=np.stack([here.value, end.value]),
            seconds=time.perf_counter() - began,
            iteration_is="epoch",
        )

    def _tick(self, objective: Objective, here: Point) -> tuple[Point, Mask]:
        """Return where an epoch from `here` ends, and which starts it was accepted for."""
        there = Point.at(objective, self._stepper.trial(here, objective))
        accepted, _ = self._stepper.judge(here, there)
        return here.moved(accepted, there), accepted

    def _burst(self, objective: Objective, here: Point) -> tuple[Point, Mask] | None:
        """Return the same by the compiled core; None where it cannot."""
        run = Running(np.arange(len(here.value)), here, self._stepper, None)
        problems = problems_of(run, objective)
        if problems is None:
            return None
        run.own_memory()
        none = np.zeros(len(run), dtype=np.int64)
        test = GradientTest(0.0, 0.0, float(limits_of(here.theta).eps))
        settings = settings_of(run, test, Limits(), with_gradient=True)
        made = burst(problems, run, objective, settings, (none, none), steps=0)
        if made.is_interrupted:
            raise KeyboardInterrupt
        assert isinstance(run.stepper, MiniBatchStepper)
        self._stepper = run.stepper
        return run.here, made.accepted
