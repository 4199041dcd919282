"""The one loop of all methods: many starts, one stacked evaluation a tick, or a burst of the core.

Every running start is at its own place in its own search. A tick moves each to its own trial point,
evaluates J and the gradient of all trials as one stack, and lets the stepper decide for each start
alone: accept, try another step, or give up. Nobody waits for the slowest, every tick is a place to
stop, to look and to go on from, and starts that have ended leave the stack.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from symbreak.arrays import Array, copied
from symbreak.native.turns import let_go
from symbreak.objectives.contract import Objective
from symbreak.optimize.bursts import (
    GROWTH,
    MOST_STEPS,
    Burst,
    Pace,
    burst,
    problems_of,
    settings_of,
)
from symbreak.optimize.early_stopping import Stalling, Validation
from symbreak.optimize.interrupt import DeferredInterrupt
from symbreak.optimize.outcome import Outcome
from symbreak.optimize.per_start import Floats, Mask, Starts, put_rows, rows
from symbreak.optimize.protocols import EndsByItself, Point, Stepper
from symbreak.optimize.running import Running
from symbreak.optimize.search import Clock, Places, Progress, Watch
from symbreak.optimize.search_options import SearchOptions
from symbreak.optimize.start_records import StartRecords
from symbreak.optimize.status import PAUSES, Status
from symbreak.optimize.stopping import GradientTest, Limits
from symbreak.optimize.successive_halving import Racing


@dataclass(frozen=True)
class Paused:
    """A search that has ended or was stopped, and what it goes on from; it holds no objective.

    Attributes
    ----------
    records : of all starts.
    rest, parts : the starts that still ran at the end (none, or None before the first tick), and
        those that a limit, the callback or Ctrl-C has stopped.
    began_with : the options that it keeps for good.
    """

    records: StartRecords
    rest: Running | None
    parts: tuple[Running, ...]
    n_ticks: int
    stepper: Stepper
    test: GradientTest
    validation: Validation | None
    racing: Racing | None
    stalling: Stalling | None
    began_with: SearchOptions | None

    @property
    def theta(self) -> Array:
        """The best point of every start, of the kind that is computed on, (starts, n)."""
        return self.records.theta


class Loop:
    """A search from many starts, advanced by `tick`.

    Parameters
    ----------
    objective : the objective of all starts.
    theta : (starts, n), in the dtype and on the device of the objective.
    validation, racing : see `early_stopping` and `successive_halving`; None for neither.
    """

    def __init__(
        self,
        objective: Objective,
        theta: Array,
        stepper: Stepper,
        test: GradientTest,
        limits: Limits,
        *,
        validation: Validation | None = None,
        racing: Racing | None = None,
        stalling: Stalling | None = None,
        began_with: SearchOptions | None = None,
    ) -> None:
        self._all = self._objective = objective
        self._stepper, self._validation, self._stalling = stepper, validation, stalling
        self._test, self.limits, self._racing = test, limits, racing
        self._began_with, self._clock = began_with, Clock(limits.max_seconds)
        self._running: Running | None = None
        self._paused: list[Running] = []
        self._n_ticks = 0
        self._pace = Pace()
        self.records = StartRecords(theta)

    @classmethod
    def resumed(cls, paused: Paused, objective: Objective, limits: Limits) -> Self:
        """Return a search that goes on from where the stopped starts of another one stand."""
        loop = cls(
            objective, paused.records.theta, paused.stepper, paused.test, limits,
            validation=paused.validation, racing=paused.racing, stalling=paused.stalling,
            began_with=paused.began_with,
        )  # fmt: skip
        loop.records, loop._n_ticks = paused.records.copy(), paused.n_ticks
        loop._running, loop._paused = paused.rest, list(paused.parts)
        loop._unpause()
        return loop

    @property
    def status(self) -> list[Status]:
        """How each start stands, (starts,)."""
        return self.records.status

    @property
    def n_iterations(self) -> Starts:
        """The accepted steps of each start, (starts,)."""
        return self.records.n_iterations

    @property
    def theta(self) -> Array:
        """The accepted points of the running starts, (running, n)."""
        return self.records.theta if self._running is None else self._running.here.theta

    @property
    def running(self) -> Running:
        """The running starts, after the first tick."""
        assert self._running is not None
        return self._running

    def tick(self) -> bool:
        """Evaluate one trial of every running start; return whether any still runs."""
        return self._go_on(by_ticks=True)

    def run(self, callback: Callable[[Progress], Any] | None = None) -> None:
        """Go on until all starts have ended, the callback says stop, or Ctrl-C.

        Parameters
        ----------
        callback : called after every tick, or after a tenth of a second where it is a `Watch`.

        Raises
        ------
        KeyboardInterrupt
            Ctrl-C was pressed again before the first one had ended the search.
        """
        why, interrupt = Status.INTERRUPTED, DeferredInterrupt()
        # Starts race on equal numbers of evaluations.
        by_ticks = self._racing is not None or not (callback is None or isinstance(callback, Watch))
        try:
            with interrupt:
                while self._go_on(by_ticks=by_ticks):
                    if interrupt.is_requested:
                        break
                    if callback is not None and _answer(callback, self.progress()):
                        why = Status.STOPPED
                        break
        except KeyboardInterrupt:
            if interrupt.is_repeated:
                raise
            why = Status.INTERRUPTED
        self._stop(why)

    def progress(self) -> Progress:
        """Return where the search stands."""
        records, run = self.records, self.running
        places = Places(run.starts, records.n_iterations[run.starts], run.here.theta)
        return records.progress(self._best_values(), places, self._clock, len(run))

    def outcome(self) -> Outcome:
        """Return the best points; J, gradient and convergence are evaluated there once more."""
        records, scored = self.records, self._validation is not None
        return records.outcome(
            self._all,
            self._test,
            self._clock,
            validation=records.score if scored else None,
            validation_history=records.scores.table() if scored else None,
            validation_loss=records.score_loss if scored else None,
            search=self._as_paused(),
            iteration_is=self._stepper.iteration_is,
        )

    def _as_paused(self) -> Paused:
        return Paused(
            self.records, self._running, tuple(self._paused), self._n_ticks, self._stepper,
            self._test, self._validation, self._racing, self._stalling, self._began_with,
        )  # fmt: skip

    def _unpause(self) -> None:
        if not self._paused:
            return
        paused = functools.reduce(Running.join, self._paused)
        spent = self.n_iterations[paused.starts] >= self.limits.max_iter
        # Not an empty part: joined first, it would lend the others its count of updates.
        self._paused = [paused.pick(spent)] if spent.any() else []
        self._running = paused.pick(~spent)
        for start in self._running.starts:
            self.records.status[start] = Status.RUNNING
        if len(self._running):
            self._objective = self._all.take(self._running.starts)

    def _start(self) -> None:
        """Evaluate the starts and begin the first searches."""
        n = len(self.records.theta)
        # A copy: what is returned is written into `records` while others still run.
        here = self._evaluate(copied(self.records.theta), np.arange(n))
        self._running = run = Running(
            np.arange(n), here, self._stepper, self._validation, self._stalling
        )
        run.best.offer(here, self.n_iterations)
        endings = self.records.begin(here, self._test, self.limits)
        run.stepper.start(here, self._objective)
        self._end(*endings, *self._spent(np.zeros(n, dtype=bool)))
        if len(run) and problems_of(run, self._objective) is not None:
            run.own_memory()

    def _go_on(self, *, by_ticks: bool) -> bool:
        """Make a burst, or a tick where there is none; return whether any start still runs."""
        if self._running is None:
            began = self._clock.seconds
            self._start()
            # An update is an evaluation of all, too; an epoch may take longer.
            growth = MOST_STEPS if self._stepper.iteration_is == "update" else GROWTH
            self._pace.took(self._clock.seconds - began, self._clock.rest, growth)
        elif len(self._running):
            self._advance(self._running, by_ticks=by_ticks)
        return len(self.running) > 0

    def _advance(self, run: Running, *, by_ticks: bool) -> None:
        made = self._burst(run, by_ticks=by_ticks)
        if made is None:
            with let_go():
                accepted, failed = self._tick(run)
        else:
            accepted, failed = made.accepted, made.failed
        here = run.here
        arrived = accepted & self._test.holds_later(
            here.norm, here.value, run.start_norm, run.start_value
        )
        self._end(
            (failed, run.stepper.failure), (arrived, Status.CONVERGED), *self._spent(accepted)
        )
        if made is not None and made.is_interrupted:
            raise KeyboardInterrupt

    def _burst(self, run: Running, *, by_ticks: bool) -> Burst | None:
        """Let the core take steps of all starts and book them; return None without it."""
        records, began = self.records, self._clock.seconds
        problems = problems_of(run, self._objective)
        if problems is None:
            return None
        counts = records.n_iterations[run.starts], records.n_evaluations[run.starts]
        settings = settings_of(run, self._test, self.limits, with_gradient=self._needs_gradient)
        most = 0 if by_ticks else self._pace.steps
        made = burst(problems, run, self._objective, settings, counts, steps=most)
        self._n_ticks += 1
        self._pace.took(self._clock.seconds - began, self._clock.rest)
        records.n_iterations[run.starts] = made.iterations
        records.n_evaluations[run.starts] = made.evaluations
        rows, columns = made.steps
        moved, steps = run.starts[rows], made.before[rows] + columns + 1
        records.history.record(steps, moved, made.values[rows, columns])
        if run.validation is not None:
            records.scores.record(steps, moved, made.scores[rows, columns])
        return made

    def _tick(self, run: Running) -> tuple[Mask, Mask]:
        """Evaluate one trial of each start; return which were accepted, and which starts failed."""
        if run.is_new.any():
            run.stepper.advance(run.is_new, run.before, run.here, self._objective)
            run.is_new = np.zeros(len(run), dtype=bool)
        trial = self._evaluate(run.stepper.trial(run.here, self._objective), run.starts)
        run.best.offer(trial, self.n_iterations[run.starts] + 1)
        accepted, failed = run.stepper.judge(run.here, trial)
        run.move(accepted, trial)
        moved = run.starts[accepted]
        self.records.n_iterations[moved] += 1
        made = self.records.n_iterations[run.starts]
        self.records.history.record(made[accepted], moved, trial.value[accepted])
        if run.validation is not None and accepted.any():
            run.validation.look(accepted, run.here.theta, run.starts, made)
            latest = run.validation.latest[accepted]
            self.records.scores.record(made[accepted], moved, latest)
        if run.stalling is not None:
            run.stalling.look(accepted, run.here.value)
        return accepted, failed

    def _spent(self, accepted: Mask) -> list[tuple[Mask, Status]]:
        """Return which running starts have had enough, and why."""
        run = self.running
        endings = self.limits.endings(
            accepted, run.before, run.here,
            self.n_iterations[run.starts], self.records.n_evaluations[run.starts],
        )  # fmt: skip
        if run.validation is not None:
            endings.append((run.validation.ended(accepted), Status.NO_IMPROVEMENT))
        if run.stalling is not None:
            endings.append((run.stalling.ended(accepted), Status.STALLED))
        if isinstance(run.stepper, EndsByItself):
            endings.append((accepted & run.stepper.ended(), run.stepper.ending))
        if self._racing is not None and self._racing.is_rung(self._n_ticks):
            endings.append((self._dropped(), Status.DROPPED))
        if self._clock.is_over:
            endings.append((np.full(len(run), True), Status.MAX_SECONDS))
        return endings

    def _dropped(self) -> Mask:
        in_race = np.array([status is not Status.DROPPED for status in self.records.status])
        score = self._best_values() if self._validation is None else self._ranks()
        assert self._racing is not None
        return self._racing.losers(score, in_race)[self.running.starts]

    def _evaluate(self, theta: Array, starts: Starts) -> Point:
        point = Point.at(self._objective, theta, with_gradient=self._needs_gradient)
        self.records.n_evaluations[starts] += 1
        self._n_ticks += 1
        return point

    @property
    def _needs_gradient(self) -> bool:
        """Whether anyone goes by the gradient at the next trials, or at the starts."""
        run = self._running
        return run is None or self._test.is_asked or run.stepper.needs_gradient(self._objective)

    def _best_values(self) -> Floats:
        values = self.records.value.copy()
        values[self.running.starts] = self.running.best.value
        return values

    def _ranks(self) -> Floats:
        """Return the places of all starts by their best scores, and among equals by the losses."""
        records, run = self.records, self.running
        scores, losses = records.score.copy(), records.score_loss.copy()
        if run.validation is not None:
            scores[run.starts], losses[run.starts] = run.validation.score, run.validation.loss
        ranks = np.empty(len(scores))
        ranks[np.lexsort((losses, scores))] = np.arange(len(scores))
        return ranks

    def _stop(self, why: Status) -> None:
        """End all that still run; before the first tick nothing is known of any start."""
        if self._running is None:
            self.records.status = [why] * len(self.records.status)
        else:
            self._end((np.full(len(self._running), True), why))

    def _end(self, *endings: tuple[Mask, Status]) -> None:
        """End starts, each for the first reason that holds; copy them out and compress the rest."""
        if not any(ending.any() for ending, _ in endings):
            return
        run = self.running
        ended = np.zeros(len(run), dtype=bool)
        for ending, status in endings:
            these = ending & ~ended
            if these.any():
                self._record(run, these, status)
            ended |= these
        run.keep(~ended)
        if len(run):
            self._objective = self._all.take(run.starts)

    def _record(self, run: Running, ended: Mask, status: Status) -> None:
        records, starts = self.records, run.starts[ended]
        for start in starts:
            records.status[start] = status
        put_rows(records.theta, starts, rows(run.kept_theta, ended))
        records.value[starts] = run.best.value[ended]
        made = records.n_iterations[starts]
        records.best_iteration[starts] = np.minimum(run.kept_iteration[ended], made)
        if run.validation is not None:
            records.score[starts] = run.validation.score[ended]
            records.score_loss[starts] = run.validation.loss[ended]
        if status in PAUSES:
            self._paused.append(run.pick(ended))


def _answer(callback: Callable[[Progress], Any], progress: Progress) -> Any:
    """Ask a callback, which may take long or wait for what another thread does."""
    with let_go():
        return callback(progress)
