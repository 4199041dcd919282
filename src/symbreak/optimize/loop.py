"""The one loop of all methods: many starts, one stacked evaluation a tick.

Every running start is at its own place in its own line search. A tick moves each to its own trial
point, evaluates J and the gradient of all trials as one stack, and lets the step rule decide for
each start alone: accept, try another step, or give up. Nobody waits for the slowest, every tick is
a place to stop, and starts that have ended leave the stack.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from symbreak.objectives.contract import Objective
from symbreak.optimize.best import BestPoints
from symbreak.optimize.history import History
from symbreak.optimize.methods import Method
from symbreak.optimize.outcome import Outcome
from symbreak.optimize.parts import Floats, Mask, Starts
from symbreak.optimize.status import Status
from symbreak.optimize.stopping import GradientTest


@dataclass(frozen=True)
class Progress:
    """Where the search stands; handed to the callback after every tick.

    Attributes
    ----------
    iteration : accepted steps of the start that is furthest.
    best_value, median_value : of the best J of all starts so far.
    seconds : wall-clock time since the search began.
    """

    iteration: int
    best_value: float
    median_value: float
    n_running: int
    n_starts: int
    seconds: float


class Loop:
    """A search from many starts, advanced by `tick`.

    Parameters
    ----------
    objective : the objective of all starts.
    theta : (starts, n), in the dtype and on the device of the objective.

    Attributes
    ----------
    theta, gradient, direction : (running, n), the accepted points of the running starts.
    running : (running,), their indices among all starts.
    """

    def __init__(
        self, objective: Objective, theta: Tensor, method: Method, test: GradientTest, max_iter: int
    ) -> None:
        self._all = objective
        self._objective = objective
        self._method = method
        self._test = test
        self._max_iter = max_iter
        self._began = time.perf_counter()
        n = len(theta)
        self.theta = theta.clone()
        self.running = np.arange(n)
        self._final_theta = theta.clone()
        self._final_value: Floats = np.full(n, np.inf)
        self.status = [Status.RUNNING] * n
        self.n_iterations = np.zeros(n, dtype=np.int64)
        self.n_evaluations = np.zeros(n, dtype=np.int64)
        self._start_norm: Floats = np.full(n, np.nan)
        self._start_value: Floats = np.full(n, np.nan)
        self._history = History(n)
        self._best = BestPoints(theta)
        self._is_started = False

    def tick(self) -> bool:
        """Evaluate one trial of every running start; return whether any still runs."""
        if not self._is_started:
            self._start()
        elif len(self.running):
            self._advance()
        return len(self.running) > 0

    def run(self, callback: Callable[[Progress], Any] | None = None) -> None:
        """Tick until all starts have ended, the callback says stop, or Ctrl-C."""
        try:
            while self.tick():
                if callback is not None and callback(self.progress()):
                    self._end(np.ones(len(self.running), dtype=bool), Status.STOPPED)
        except KeyboardInterrupt:
            self._end(np.ones(len(self.running), dtype=bool), Status.INTERRUPTED)

    def progress(self) -> Progress:
        """Return where the search stands."""
        values = self._final_value.copy()
        values[self.running] = self._best.value
        return Progress(
            iteration=int(self.n_iterations.max(initial=0)),
            best_value=float(values.min()),
            median_value=float(np.median(values)),
            n_running=len(self.running),
            n_starts=len(values),
            seconds=time.perf_counter() - self._began,
        )

    def outcome(self) -> Outcome:
        """Return the best points; J, gradient and convergence are evaluated there once more."""
        value, gradient = self._all(self._final_theta)
        norm = _host(gradient.abs().amax(1))
        value = _host(value)
        usable = np.isfinite(value) & np.isfinite(norm)
        arrived = usable & self._arrived(norm, value, np.arange(len(value)))
        return Outcome(
            theta=self._final_theta,
            value=np.where(usable, value, np.inf),
            gradient_norm=np.where(usable, norm, np.inf),
            status=tuple(map(_confirmed, self.status, arrived)),
            n_iterations=self.n_iterations,
            n_evaluations=self.n_evaluations,
            history=self._history.table(),
            seconds=time.perf_counter() - self._began,
        )

    def _start(self) -> None:
        """Evaluate the starts and begin the first searches."""
        self._is_started = True
        self.value, self.gradient, norm = self._evaluate(self.theta)
        self._start_norm[:], self._start_value[:] = norm, self.value
        self._history.record(self.n_iterations, self.running, self.value)
        finite = np.isfinite(self.value) & np.isfinite(norm)
        self.direction = self._method.direction.start(self.gradient)
        self._is_steepest = np.ones(len(self.running), dtype=bool)
        self._method.rule.start(len(self.running), self._test.eps)
        slope = self._slope(self.gradient)
        stationary = finite & (norm <= self._test.floor(self.value))
        arrived = finite & ~stationary & self._test.holds(norm, self.value, np.zeros_like(norm))
        live = finite & ~stationary & ~arrived
        self._method.rule.begin(live, self.value, np.where(live, slope, -1.0), self._is_steepest)
        if self._max_iter == 0:
            self._endings((live, Status.MAX_ITERATIONS), (stationary, Status.STATIONARY_START))
            return
        self._endings(
            (~finite, Status.NON_FINITE_START),
            (stationary, Status.STATIONARY_START),
            (arrived, Status.CONVERGED),
        )

    def _advance(self) -> None:
        steps = self._tensor(self._method.rule.steps)
        trial = torch.addcmul(self.theta, self.direction, steps[:, None])
        value, gradient, norm = self._evaluate(trial)
        accepted, failed = self._method.rule.judge(value, self._slope(gradient))
        self._accept(accepted, trial, value, gradient)
        lost = failed & ~self._retry(failed)
        arrived = accepted & self._arrived(norm, value, self.running)
        spent = accepted & ~arrived & (self.n_iterations[self.running] >= self._max_iter)
        why = Status.PRECISION_LIMIT if self._method.can_restart else Status.DIVERGED
        self._begin((accepted | failed) & ~(arrived | spent | lost))
        self._endings(
            (lost, why), (arrived, Status.CONVERGED), (spent, Status.MAX_ITERATIONS)
        )  # fmt: skip

    def _arrived(self, norm: Floats, value: Floats, starts: Starts) -> Mask:
        # A diverged J must not raise the floor of rounding above its gradient.
        scale = np.minimum(np.abs(value), np.abs(self._start_value[starts]))
        return self._test.holds(norm, scale, self._start_norm[starts])

    def _evaluate(self, theta: Tensor) -> tuple[Floats, Tensor, Floats]:
        value, gradient = self._objective(theta)
        norm = _host(gradient.abs().amax(1))
        values = _host(value)
        self.n_evaluations[self.running] += 1
        self._best.offer(theta, values, norm)
        return values, gradient, norm

    def _accept(self, accepted: Mask, trial: Tensor, value: Floats, gradient: Tensor) -> None:
        """Move the accepted starts and give them new directions."""
        if not accepted.any():
            return
        move, change = trial - self.theta, gradient - self.gradient
        direction = self._method.direction.update(accepted, move, change, gradient)
        self.theta = self._where(accepted, trial, self.theta)
        self.gradient = self._where(accepted, gradient, self.gradient)
        self.direction = self._where(accepted, direction, self.direction)
        self.value = np.where(accepted, value, self.value)
        self._is_steepest &= ~accepted
        starts = self.running[accepted]
        self.n_iterations[starts] += 1
        self._history.record(self.n_iterations[starts], starts, value[accepted])

    def _retry(self, failed: Mask) -> Mask:
        """Send failed starts along steepest descent, unless that is what failed."""
        again = failed & ~self._is_steepest & self._method.can_restart
        if again.any():
            self._steepest(again)
        return again

    def _steepest(self, rows: Mask) -> None:
        steepest = self._method.direction.restart(rows, self.gradient)
        self.direction = self._where(rows, steepest, self.direction)
        self._is_steepest |= rows

    def _begin(self, rows: Mask) -> None:
        """Begin new line searches on `rows`, along directions that lead down."""
        if not rows.any():
            return
        slope = self._slope(self.gradient)
        uphill = rows & ~(slope < 0.0) & self._method.can_restart
        if uphill.any():
            self._steepest(uphill)
            slope = self._slope(self.gradient)
        safe = np.where(rows, slope, -1.0)
        self._method.rule.begin(rows, self.value, safe, self._is_steepest)

    def _endings(self, *endings: tuple[Mask, Status]) -> None:
        ended = np.zeros(len(self.running), dtype=bool)
        for rows, status in endings:
            for start in self.running[rows & ~ended]:
                self.status[start] = status
            ended |= rows
        if ended.any():
            self._retire(ended)

    def _end(self, rows: Mask, status: Status) -> None:
        self._endings((rows, status))

    def _retire(self, ended: Mask) -> None:
        """Copy ended starts out and compress them away."""
        starts = self.running[ended]
        rows = torch.from_numpy(ended).to(self.theta.device)
        self._final_theta[torch.from_numpy(starts).to(self.theta.device)] = self._best.theta[rows]
        self._final_value[starts] = self._best.value[ended]
        keep = ~ended
        self.running = self.running[keep]
        self._best.keep(keep)
        if not self._is_started or not keep.any():
            return
        kept = ~rows
        self.theta, self.gradient = self.theta[kept], self.gradient[kept]
        self.direction = self.direction[kept]
        self.value, self._is_steepest = self.value[keep], self._is_steepest[keep]
        self._method.direction.keep(keep)
        self._method.rule.keep(keep)
        self._objective = self._all.take(self.running)

    def _slope(self, gradient: Tensor) -> Floats:
        return _host(torch.linalg.vecdot(gradient, self.direction))

    def _where(self, rows: Mask, new: Tensor, old: Tensor) -> Tensor:
        if rows.all():
            return new
        return torch.where(torch.from_numpy(rows).to(new.device)[:, None], new, old)

    def _tensor(self, numbers: Floats) -> Tensor:
        return torch.from_numpy(numbers).to(dtype=self.theta.dtype, device=self.theta.device)


def _host(tensor: Tensor) -> Floats:
    return np.asarray(tensor.detach().double().cpu().numpy())


def _confirmed(status: Status, arrived: bool) -> Status:
    """Say "converged" exactly where the test holds at the returned point."""
    if status in (Status.STATIONARY_START, Status.NON_FINITE_START):
        return status
    if arrived:
        return Status.CONVERGED
    return Status.PRECISION_LIMIT if status is Status.CONVERGED else status
