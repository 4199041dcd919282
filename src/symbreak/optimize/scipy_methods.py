"""The methods of `scipy.optimize.minimize`, start by start, with the promises of `minimize`.

scipy decides where to evaluate; this module keeps the best point, counts, looks at the limits, and
applies symbreak's own test of the gradient at every point that scipy accepts. So "converged" means
the same as for every other method. When scipy ends by itself, its sentence is kept in
`Outcome.messages`.

An iteration is what scipy calls one (it calls back after each); a trust-region step that is refused
counts too. An evaluation always is J with its gradient, also for methods that look at J alone: the
best point and the convergence test need both.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from torch import Tensor

from symbreak.objectives.contract import Objective
from symbreak.optimize.best import BestPoints
from symbreak.optimize.confirm import confirmed_outcome
from symbreak.optimize.history import History
from symbreak.optimize.interrupt import DeferredInterrupt
from symbreak.optimize.loop import Places, Progress
from symbreak.optimize.outcome import Outcome
from symbreak.optimize.parts import Point
from symbreak.optimize.rows import Floats, host
from symbreak.optimize.scipy_options import check, method_named
from symbreak.optimize.scipy_start import Ended, OneStart
from symbreak.optimize.status import Status
from symbreak.optimize.stopping import GradientTest, Limits

ENDS_ALL = (Status.MAX_SECONDS, Status.STOPPED, Status.INTERRUPTED)


class ScipySearch:
    """A search by one of scipy's methods, one start after the other.

    Parameters
    ----------
    method : "scipy:" and the name of a method, in large or small letters.
    objective, theta, test, limits : as for `Loop`.
    options : scipy's options of the method.

    Raises
    ------
    InvalidInput, InvalidType
        Unknown method; an option that `minimize` has a word for; no Hessian where one is needed.
    """

    def __init__(
        self,
        method: str,
        objective: Objective,
        theta: Tensor,
        test: GradientTest,
        limits: Limits,
        options: Mapping[str, Any],
    ) -> None:
        self.method = method_named(method)
        check(self.method, objective, options)
        self.objective, self.test, self.limits, self.options = objective, test, limits, options
        self.began = time.perf_counter()
        n = len(theta)
        self.history = History(n)
        self.interrupt = DeferredInterrupt()
        self.callback: Callable[[Progress], Any] | None = None
        self.n_iterations = np.zeros(n, dtype=np.int64)
        self.n_evaluations = np.zeros(n, dtype=np.int64)
        self.best = BestPoints(theta)
        self._theta = theta
        self._start_norm: Floats = np.full(n, np.nan)
        self._start_value: Floats = np.full(n, np.nan)
        self.status = [Status.RUNNING] * n
        self.messages = [""] * n

    def run(self, callback: Callable[[Progress], Any] | None = None) -> None:
        """Search from every start in turn, until the callback says stop or Ctrl-C.

        Raises
        ------
        KeyboardInterrupt
            Ctrl-C was pressed again before the first one had ended the search.
        """
        self.callback = callback
        why = Status.INTERRUPTED
        try:
            with self.interrupt:
                here = self._begin()
                for start, status in enumerate(self.status):
                    if status is Status.RUNNING:
                        self._search(start, here.pick(np.array([start])))
        except Ended as ended:
            why = ended.status
        except KeyboardInterrupt:
            if self.interrupt.is_repeated:
                raise
        self.status = [why if one is Status.RUNNING else one for one in self.status]

    def outcome(self) -> Outcome:
        """Return the best points; J, gradient and convergence are evaluated there once more."""
        return confirmed_outcome(
            self.objective,
            self.best.theta,
            self.test,
            self.status,
            start_norm=self._start_norm,
            start_value=self._start_value,
            n_iterations=self.n_iterations,
            n_evaluations=self.n_evaluations,
            best_iteration=np.minimum(self.best.iteration, self.n_iterations),
            history=self.history.table(),
            seconds=time.perf_counter() - self.began,
            messages=tuple(self.messages),
        )

    def look_at_the_clock(self) -> None:
        """End everything when the time is over or Ctrl-C was pressed."""
        if self.interrupt.is_requested:
            raise Ended(Status.INTERRUPTED)
        seconds = self.limits.max_seconds
        if seconds is not None and time.perf_counter() - self.began >= seconds:
            raise Ended(Status.MAX_SECONDS)

    def tell(self, start: int, here: Point) -> None:
        """Call the callback with where a start stands, and end everything when it says stop."""
        if self.callback is None:
            return
        progress = Progress(
            iteration=int(self.n_iterations.max()),
            best_value=float(self.best.value.min()),
            median_value=float(np.median(self.best.value)),
            n_running=self.status.count(Status.RUNNING),
            n_starts=len(self.status),
            seconds=time.perf_counter() - self.began,
            places=Places(np.array([start]), self.n_iterations[[start]], here.theta),
        )
        if self.callback(progress):
            raise Ended(Status.STOPPED)

    def _begin(self) -> Point:
        """Evaluate all starts as one stack; end those that are not finite or are done."""
        n = len(self._theta)
        value, gradient = self.objective(self._theta)
        here = Point(self._theta, host(value), gradient, host(gradient.abs().amax(1)))
        self.n_evaluations += 1
        self.best.offer(here, self.n_iterations)
        self.best.theta = self.best.theta.clone()  # its rows are written one by one
        self._start_norm, self._start_value = here.norm, here.value
        self.history.record(self.n_iterations, np.arange(n), here.value)
        stationary = here.is_finite & (here.norm <= self.test.floor(here.value))
        arrived = here.is_finite & self.test.holds(here.norm, here.value, here.norm)
        endings = [
            (~here.is_finite, Status.NON_FINITE_START),
            (stationary, Status.STATIONARY_START),
            (arrived & (self.limits.max_iter > 0), Status.CONVERGED),
            *self.limits.endings(
                np.zeros(n, dtype=bool), here, here, self.n_iterations, self.n_evaluations
            ),
        ]
        for rows, status in reversed(endings):  # the first that holds has the last word
            for start in np.flatnonzero(rows):
                self.status[start] = status
        self.look_at_the_clock()
        return here

    def _search(self, start: int, here: Point) -> None:
        one = OneStart(self, start, here)
        try:
            self.status[start], self.messages[start] = one.run()
        except Ended as ended:
            self.status[start] = ended.status
            if ended.status in ENDS_ALL:
                raise
