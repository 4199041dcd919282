"""The kernel in C++; the conventions are those of `kernel_task`.

Every start is evaluated alone, in the cache, so that nothing depends on how many are stacked, and
the buffers are small whatever the stack.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from symbreak.arrays import cuts
from symbreak.native import load, n_threads
from symbreak.native.interface import Floats, PackedExamples, Problem
from symbreak.native.turns import let_go_for
from symbreak.native.twins import native_network
from symbreak.objectives.blocking import check_budget
from symbreak.objectives.kernel_task import KernelTask
from symbreak.propagation.workspace import numbers_per_pair, numbers_per_start


class NativeKernel:
    """J and its gradient by the compiled core, for a network that it knows on the CPU.

    Attributes
    ----------
    problem : the same as the core knows it.

    Raises
    ------
    InvalidInput
        The memory budget is too small for one start and one example.
    """

    def __init__(self, task: KernelTask) -> None:
        core, examples, network = load(), task.examples, task.network
        assert core is not None
        numbers = numbers_per_start(network) + numbers_per_pair(network)
        check_budget(numbers, examples.rows.itemsize, task.memory_budget)
        self._task, self._core = task, core
        self._network = native_network(network)
        self._examples = examples.packed.of(core, examples.rows, examples.target)
        self._word = f"{8 * examples.rows.itemsize}"
        self.problem = self._problem(self._examples, task.scale, examples.weights)

    def _problem(self, examples: PackedExamples, scale: float, weights: Floats | None) -> Problem:
        make = getattr(self._core, f"Problem{self._word}")
        strength, memory = self._task.strength, float(self._task.memory_budget)
        problem: Problem = make(self._network, examples, scale, weights, strength, memory)
        return problem

    def __reduce__(self) -> tuple[Any, ...]:
        return NativeKernel, (self._task,)

    def evaluate(self, stack: Floats, gradient: Floats | None) -> Floats:
        """Return J (starts,) and write its gradient, if one is wanted."""
        J = np.empty(len(stack), stack.dtype)
        with let_go_for(stack.size * len(self._examples)):
            self.problem.evaluate(stack, J, gradient, n_threads())
        return J

    def minibatch_gradients(self, theta: Floats, order: Floats, size: int) -> Iterator[Floats]:
        """Yield the gradient on every `size` examples of `order`, see `minibatches`."""
        examples = self._task.examples
        made = getattr(self._core, f"Examples{self._word}")
        batch = made(examples.rows.shape[1], examples.target.shape[0])
        J, gradient = np.empty(len(theta), theta.dtype), np.empty_like(theta)
        for part in cuts(len(order), size):
            indices = order[part]
            batch.pick(self._examples, indices)
            weights = None if examples.weights is None else np.take(examples.weights, indices, -1)
            # The task's sums are over all its examples: so many of them have this share.
            scale = self._task.scale * len(examples) / len(indices)
            problem = self._problem(batch, scale, weights)
            problem.evaluate(theta, J, gradient, n_threads())
            yield gradient
