"""The one loop of all methods: many starts, one stacked evaluation a tick.

Every running start is at its own place in its own search. A tick moves each to its own trial point,
evaluates J and the gradient of all trials as one stack, and lets the stepper decide for each start
alone: accept, try another step, or give up. Nobody waits for the slowest, every tick is a place to
stop, to look and to go on from, and starts that have ended leave the stack.
"""

from __future__ import annotations

import copy
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from symbreak.objectives.contract import Objective
from symbreak.optimize.confirm import confirmed_outcome
from symbreak.optimize.history import History
from symbreak.optimize.interrupt import DeferredInterrupt
from symbreak.optimize.outcome import Outcome
from symbreak.optimize.parts import Point, Stepper
from symbreak.optimize.racing import Racing
from symbreak.optimize.rows import Floats, Mask, Starts
from symbreak.optimize.running import Running
from symbreak.optimize.stalling import Stalling
from symbreak.optimize.status import PAUSES, Status
from symbreak.optimize.stopping import GradientTest, Limits
from symbreak.optimize.validation import Validation


class Places(NamedTuple):
    """Where some starts stand: their indices, their accepted steps, theta (starts, n).

    Copy what is to be kept: the search goes on writing here.
    """

    starts: Starts
    n_iterations: Starts
    theta: Tensor


@dataclass(frozen=True)
class Progress:
    """Where the search stands; handed to the callback after every tick.

    Attributes
    ----------
    iteration : accepted steps of the start that is furthest.
    best_value, median_value : of the best J of all starts so far.
    seconds : wall-clock time since the search began.
    places : where the starts stand that are searched from at this time.
    """

    iteration: int
    best_value: float
    median_value: float
    n_running: int
    n_starts: int
    seconds: float
    places: Places | None = field(default=None, repr=False)


class Loop:
    """A search from many starts, advanced by `tick`.

    Parameters
    ----------
    objective : the objective of all starts.
    theta : (starts, n), in the dtype and on the device of the objective.
    validation, racing : see the modules of these names; None for neither.
    """

    def __init__(
        self,
        objective: Objective,
        theta: Tensor,
        stepper: Stepper,
        test: GradientTest,
        limits: Limits,
        *,
        validation: Validation | None = None,
        racing: Racing | None = None,
        stalling: Stalling | None = None,
    ) -> None:
        self._all = self._objective = objective
        self._stepper, self._validation, self._stalling = stepper, validation, stalling
        self._test, self.limits, self._racing = test, limits, racing
        self._began = time.perf_counter()
        n = len(theta)
        self._running: Running | None = None
        self._paused: list[Running] = []
        self._n_ticks = 0
        self._theta = theta.clone()
        self._value: Floats = np.full(n, np.inf)
        self._score: Floats = np.full(n, np.inf)
        self._score_loss: Floats = np.full(n, np.inf)
        self._start_norm: Floats = np.full(n, np.nan)
        self._start_value: Floats = np.full(n, np.nan)
        self.status = [Status.RUNNING] * n
        self.n_iterations = np.zeros(n, dtype=np.int64)
        self.n_evaluations = np.zeros(n, dtype=np.int64)
        self._best_iteration = np.zeros(n, dtype=np.int64)
        self._history, self._scores = History(n), History(n)

    @property
    def theta(self) -> Tensor:
        """The accepted points of the running starts, (running, n)."""
        return self._theta if self._running is None else self._running.here.theta

    @property
    def running(self) -> Running:
        """The running starts, after the first tick."""
        assert self._running is not None
        return self._running

    def tick(self) -> bool:
        """Evaluate one trial of every running start; return whether any still runs."""
        if self._running is None:
            self._start()
        elif len(self._running):
            self._advance(self._running)
        return len(self.running) > 0

    def run(self, callback: Callable[[Progress], Any] | None = None) -> None:
        """Tick until all starts have ended, the callback says stop, or Ctrl-C.

        Raises
        ------
        KeyboardInterrupt
            Ctrl-C was pressed again before the first one had ended the search.
        """
        why, interrupt = Status.INTERRUPTED, DeferredInterrupt()
        try:
            with interrupt:
                while self.tick():
                    if interrupt.is_requested:
                        break
                    if callback is not None and callback(self.progress()):
                        why = Status.STOPPED
                        break
        except KeyboardInterrupt:
            if interrupt.is_repeated:
                raise
            why = Status.INTERRUPTED
        self._stop(why)

    def progress(self) -> Progress:
        """Return where the search stands."""
        values, run = self._best_values(), self.running
        return Progress(
            iteration=int(self.n_iterations.max(initial=0)),
            best_value=float(values.min()),
            median_value=float(np.median(values)),
            n_running=len(run),
            n_starts=len(values),
            seconds=time.perf_counter() - self._began,
            places=Places(run.starts, self.n_iterations[run.starts], run.here.theta),
        )

    def outcome(self) -> Outcome:
        """Return the best points; J, gradient and convergence are evaluated there once more."""
        return confirmed_outcome(
            self._all,
            self._theta,
            self._test,
            self.status,
            start_norm=self._start_norm,
            start_value=self._start_value,
            n_iterations=self.n_iterations,
            n_evaluations=self.n_evaluations,
            best_iteration=self._best_iteration,
            history=self._history.table(),
            seconds=time.perf_counter() - self._began,
            validation=None if self._validation is None else self._score,
            validation_history=None if self._validation is None else self._scores.table(),
            validation_loss=None if self._validation is None else self._score_loss,
            search=self._without_objective(),
            iteration_is=self._stepper.iteration_is,
        )

    @property
    def began_with(self) -> dict[str, Any]:
        """The arguments of `minimize` that a search keeps for good."""
        validation = self._validation
        return {
            "gradient_rtol": self._test.rtol,
            "gradient_atol": self._test.atol,
            "validation": None if validation is None else validation.of,
            "patience": None if validation is None else validation.patience,
            "value_patience": None if self._stalling is None else self._stalling.patience,
            "patience_tol": self._patience_tol,
            "racing": self._racing,
        }

    @property
    def _patience_tol(self) -> float:
        looking = self._stalling or self._validation
        return 0.0 if looking is None else looking.tol

    def resumed(self, objective: Objective, limits: Limits) -> Loop:
        """Return a search that goes on from where the paused starts of this one stand."""
        again = self._without_objective()
        again._all, again.limits = objective, limits
        again._began = time.perf_counter()
        again._theta, again._value = self._theta.clone(), self._value.copy()
        again._score, again._score_loss = self._score.copy(), self._score_loss.copy()
        again.status = list(self.status)
        again.n_iterations, again.n_evaluations = (
            self.n_iterations.copy(), self.n_evaluations.copy(),
        )  # fmt: skip
        again._best_iteration = self._best_iteration.copy()
        again._history, again._scores = self._history.copy(), self._scores.copy()
        again._unpause()
        return again

    def _without_objective(self) -> Self:
        frozen = copy.copy(self)
        frozen.__dict__.update(_all=None, _objective=None)
        return frozen

    def _unpause(self) -> None:
        if not self._paused:
            return
        rows = functools.reduce(Running.join, self._paused)
        spent = self.n_iterations[rows.starts] >= self.limits.max_iter
        # Not an empty part: joined first, it would lend the others its count of updates.
        self._paused = [rows.pick(spent)] if spent.any() else []
        self._running = rows.pick(~spent)
        for start in self._running.starts:
            self.status[start] = Status.RUNNING
        self._objective = self._all.take(self._running.starts)

    def _start(self) -> None:
        """Evaluate the starts and begin the first searches."""
        n = len(self._theta)
        # A copy: what is returned is written into `_theta` while others still run.
        here = self._evaluate(self._theta.clone(), np.arange(n))
        self._running = run = Running(
            np.arange(n), here, self._stepper, self._validation, self._stalling
        )
        run.best.offer(here, self.n_iterations)
        self._start_norm, self._start_value = here.norm, here.value
        self._history.record(self.n_iterations, run.starts, here.value)
        finite = here.is_finite
        stationary = finite & (here.norm <= self._test.floor(here.value))
        arrived = finite & ~stationary & self._test.holds(here.norm, here.value, here.norm)
        if self.limits.max_iter == 0:
            arrived = np.zeros(n, dtype=bool)
        run.stepper.start(here, self._objective)
        self._end(
            (~finite, Status.NON_FINITE_START),
            (stationary, Status.STATIONARY_START),
            (arrived, Status.CONVERGED),
            *self._spent(np.zeros(n, dtype=bool)),
        )

    def _advance(self, run: Running) -> None:
        if run.is_new.any():
            run.stepper.advance(run.is_new, run.before, run.here, self._objective)
            run.is_new = np.zeros(len(run), dtype=bool)
        trial = self._evaluate(run.stepper.trial(run.here, self._objective), run.starts)
        run.best.offer(trial, self.n_iterations[run.starts] + 1)
        accepted, failed = run.stepper.judge(run.here, trial)
        run.move(accepted, trial)
        moved = run.starts[accepted]
        self.n_iterations[moved] += 1
        self._history.record(self.n_iterations[moved], moved, trial.value[accepted])
        arrived = accepted & self._test.holds_later(
            trial.norm, trial.value, run.start_norm, run.start_value
        )
        self._end(
            (failed, run.stepper.failure), (arrived, Status.CONVERGED), *self._spent(accepted)
        )

    def _spent(self, accepted: Mask) -> list[tuple[Mask, Status]]:
        """Return which running starts have had enough, and why."""
        run = self.running
        endings = self.limits.endings(
            accepted, run.before, run.here,
            self.n_iterations[run.starts], self.n_evaluations[run.starts],
        )  # fmt: skip
        if run.validation is not None and accepted.any():
            made = self.n_iterations[run.starts]
            stale = run.validation.look(accepted, run.here.theta, run.starts, made)
            moved = run.starts[accepted]
            self._scores.record(self.n_iterations[moved], moved, run.validation.latest[accepted])
            endings.append((stale, Status.NO_IMPROVEMENT))
        if run.stalling is not None:
            endings.append((run.stalling.look(accepted, run.here.value), Status.STALLED))
        if self._racing is not None and self._racing.is_rung(self._n_ticks):
            endings.append((self._dropped(), Status.DROPPED))
        seconds = self.limits.max_seconds
        if seconds is not None and time.perf_counter() - self._began >= seconds:
            endings.append((np.full(len(run), True), Status.MAX_SECONDS))
        return endings

    def _dropped(self) -> Mask:
        in_race = np.array([status is not Status.DROPPED for status in self.status])
        score = self._best_values() if self._validation is None else self._ranks()
        assert self._racing is not None
        return self._racing.losers(score, in_race)[self.running.starts]

    def _evaluate(self, theta: Tensor, starts: Starts) -> Point:
        point = Point.at(self._objective, theta)
        self.n_evaluations[starts] += 1
        self._n_ticks += 1
        return point

    def _best_values(self) -> Floats:
        values = self._value.copy()
        values[self.running.starts] = self.running.best.value
        return values

    def _ranks(self) -> Floats:
        """Return the places of all starts by their best scores, and among equals by the losses."""
        scores, losses, run = self._score.copy(), self._score_loss.copy(), self.running
        if run.validation is not None:
            scores[run.starts], losses[run.starts] = run.validation.score, run.validation.loss
        ranks = np.empty(len(scores))
        ranks[np.lexsort((losses, scores))] = np.arange(len(scores))
        return ranks

    def _stop(self, why: Status) -> None:
        """End all that still run; before the first tick nothing is known of any start."""
        if self._running is None:
            self.status = [why] * len(self.status)
        else:
            self._end((np.full(len(self._running), True), why))

    def _end(self, *endings: tuple[Mask, Status]) -> None:
        """End starts, each for the first reason that holds; copy them out and compress the rest."""
        if not any(rows.any() for rows, _ in endings):
            return
        run = self.running
        ended = np.zeros(len(run), dtype=bool)
        for rows, status in endings:
            these = rows & ~ended
            if these.any():
                self._record(run, these, status)
            ended |= these
        run.keep(~ended)
        if len(run):
            self._objective = self._all.take(run.starts)

    def _record(self, run: Running, rows: Mask, status: Status) -> None:
        starts = run.starts[rows]
        for start in starts:
            self.status[start] = status
        places = torch.from_numpy(starts).to(self._theta.device)
        self._theta[places] = run.kept_theta[torch.from_numpy(rows).to(self._theta.device)]
        self._value[starts] = run.best.value[rows]
        self._best_iteration[starts] = np.minimum(
            run.kept_iteration[rows], self.n_iterations[starts]
        )
        if run.validation is not None:
            self._score[starts] = run.validation.score[rows]
            self._score_loss[starts] = run.validation.loss[rows]
        if status in PAUSES:
            self._paused.append(run.pick(rows))
