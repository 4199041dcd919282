"""Epochs of mini-batch updates: the stepper of sgd, adam and adamw.

A trial is `epochs` epochs of updates from where a start stands; J over all examples is evaluated at
their end, with its gradient where the search tests for one, and any finite point is accepted. One
tick of the loop is one trial: a limit of time, the callback and the first Ctrl-C take effect at its
end, and it counts as one evaluation, whatever the number of mini-batches inside.

Conventions
-----------
Each epoch runs over all examples once, in the order of `updates.shuffle`, the same for all starts
(so that the first layer stays one product); the last mini-batch may be short and counts like the
others. The mini-batch gradient is that of `batch`, unbiased. All running starts are in the same
epoch, since each trial is accepted or ends its start.

An objective without examples (it has no `n_examples`, as a plain function), and mini-batches no
smaller than all examples, give one update an epoch, with the gradient of J itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays import Array, alike, copied, cuts
from symbreak.objectives.capabilities import HasExamples, HasMiniBatches, offered
from symbreak.objectives.contract import Objective
from symbreak.optimize.per_start import Mask, device_like
from symbreak.optimize.protocols import EndsByItself, Point
from symbreak.optimize.status import Status
from symbreak.optimize.twin import HasTwin, Plan
from symbreak.optimize.updates.rules import Rate, UpdateRule
from symbreak.optimize.updates.schedules import Schedule
from symbreak.optimize.updates.shuffle import order_of_epoch

MOST_INDICES = 2**22  # of examples, that the orders of one burst hold


class MiniBatchStepper(HasTwin, EndsByItself):
    """Epochs of updates by a rule, at the rates of a schedule.

    Parameters
    ----------
    batch_size : examples in a mini-batch; None takes all of them for each update.
    epochs : between one evaluation of J and the next.
    shuffle : whether an epoch has an order of its own.
    seed : of the order of the examples.
    """

    per_start = ("rule", "schedule")
    failure = Status.DIVERGED
    ending = Status.SMALL_RATE
    iteration_is = "epoch"

    def __init__(
        self,
        rule: UpdateRule,
        schedule: Schedule,
        *,
        batch_size: int | None,
        epochs: int,
        shuffle: bool,
        seed: int,
    ) -> None:
        self.rule, self.schedule = rule, schedule
        self.batch_size, self.epochs, self.seed = batch_size, epochs, seed
        self.shuffle = shuffle
        self._after: UpdateRule | None = None

    @property
    def twin(self) -> str | None:
        """That of the rule; the core knows all schedules."""
        return self.rule.twin

    def twin_settings(self) -> Mapping[str, float]:
        """Return the options of the rule, the schedule and the mini-batches."""
        own = {"epochs": self.epochs, "batch_size": self.batch_size or 0}
        return {**self.rule.twin_settings(), **self.schedule.twin_settings(), **own}

    def needs_gradient(self, objective: Objective) -> bool:
        """Only where an epoch is one update: on mini-batches it goes by theirs."""
        return self._examples_of(objective) is None

    def most_ticks(self, steps: int, objective: Objective) -> int:
        """Return as many trials: each is accepted, or ends its start. Their orders take memory."""
        m = self._examples_of(objective) or 1
        return min(steps, max(1, MOST_INDICES // (self.epochs * m)))

    def plan(self, ticks: int, objective: Objective) -> Plan:
        """Return the orders and the factors of the next epochs."""
        epochs = range(self._epoch, self._epoch + ticks * self.epochs)
        m, order = self._examples_of(objective), None
        if m is not None:
            order = np.empty((len(epochs), m), np.int64)
            for row, epoch in zip(order, epochs, strict=True):
                row[:] = self._order(epoch, m)
        factors = np.array([self.schedule.factor(epoch) for epoch in epochs])
        return Plan(order, factors, self.rule.decay_of_each)

    def count(self, ticks: int, objective: Objective) -> None:
        """Take notice of the epochs that the twin has made."""
        m, epochs = self._examples_of(objective), ticks * self.epochs
        self._epoch += epochs
        self.rule.count(epochs * (1 if m is None else -(-m // (self.batch_size or m))))

    def start(self, here: Point, objective: Objective) -> None:
        """Begin the first epoch."""
        self.rule.start(here.theta, objective)
        self.schedule.start(here.value)
        self._epoch = 0

    def trial(self, here: Point, objective: Objective) -> Array:
        """Return theta after the next epochs."""
        theta, rule = copied(here.theta), self.rule.fresh()
        for epoch in range(self._epoch, self._epoch + self.epochs):
            rate = _rate(self.schedule, epoch, theta)
            for gradient in self._gradients(epoch, theta, here, objective):
                rule.update_(theta, gradient, rate)
        # Kept apart until the trial is judged: an interrupted evaluation must not count.
        self._after = rule
        return theta

    def judge(self, here: Point, trial: Point) -> tuple[Mask, Mask]:
        """Accept what is finite."""
        assert self._after is not None
        self.rule, self._after = self._after, None
        self._epoch += self.epochs
        self.schedule.look(trial.value)
        finite = trial.is_finite
        return finite, ~finite

    def ended(self) -> Mask:
        """Return which starts are at the end of their learning rates."""
        return self.schedule.ended()

    def advance(self, active: Mask, before: Point, here: Point, objective: Objective) -> None:
        """Do nothing: an epoch needs only theta."""

    def _gradients(
        self, epoch: int, theta: Array, here: Point, objective: Objective
    ) -> Iterator[Array]:
        """Yield the gradients of an epoch, each at theta as it then is."""
        m = self._examples_of(objective)
        if m is None:
            yield here.gradient if epoch == self._epoch else Point.at(objective, theta).gradient
            return
        assert self.batch_size is not None
        order = alike(self._order(epoch, m), theta)
        yield from _minibatch_gradients(objective, theta, order, self.batch_size)

    def _examples_of(self, objective: Objective) -> int | None:
        """Return the number of examples; None where an epoch is one update on all of them."""
        counted = offered(objective, HasExamples)
        m = None if counted is None else counted.n_examples
        is_cut = m is not None and self.batch_size is not None and self.batch_size < m
        return m if is_cut else None

    def _order(self, epoch: int, m: int) -> NDArray[np.int64]:
        return order_of_epoch(self.seed, epoch, m) if self.shuffle else np.arange(m)


def _minibatch_gradients(
    objective: Objective, theta: Array, order: Array, size: int
) -> Iterator[Array]:
    fast = offered(objective, HasMiniBatches)
    if fast is not None:
        yield from fast.minibatch_gradients(theta, order, size)
        return
    for part in cuts(order.shape[0], size):
        yield alike(objective.batch(order[part])(theta)[1], theta)


def _rate(schedule: Schedule, epoch: int, theta: Array) -> Rate:
    """Return a float where all starts share the rate, which saves a call in every update."""
    rates = schedule.rates(epoch)
    if len(rates) == 1 or np.all(rates == rates[0]):
        return float(rates[0])
    return device_like(rates, theta)[:, None]
