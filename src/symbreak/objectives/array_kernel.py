"""The kernel in Python: J and its gradient over all examples, pass after pass over blocks.

Conventions
-----------
J = scale Σ w loss + ½ Σ strength theta², (starts,);  gradient : (starts, n)
The blocks of starts and examples, and the buffers for them, are kept from one call to the next, for
each thread its own.
"""

from __future__ import annotations

from typing import NamedTuple

from symbreak.arrays import Array, cuts, namespace, nbytes, quiet
from symbreak.objectives.blocking import by_columns, plan
from symbreak.objectives.examples import Examples
from symbreak.objectives.kernel_task import KernelTask
from symbreak.objectives.penalty import add_penalty
from symbreak.objectives.per_thread import PerThread
from symbreak.objectives.weighted_pass import weighted_backward, weighted_sum
from symbreak.propagation.first_layer import is_sparse
from symbreak.propagation.forward import forward_blocks
from symbreak.propagation.workspace import Workspace


class Blocks(NamedTuple):
    """How a pass is cut: starts of a block, blocks of examples, and the buffers for them."""

    starts: int
    examples: tuple[Examples, ...]
    workspace: Workspace


class Workspaces(PerThread):
    """Buffers by size of a block, (starts, examples)."""

    def __init__(self) -> None:
        self.by_size: dict[tuple[int, int], Workspace] = {}


class _Last(PerThread):
    """How the last pass was cut: its number of starts and its blocks; its cut of the examples."""

    def __init__(self) -> None:
        self.blocks: tuple[int, Blocks] | None = None
        self.cut: tuple[tuple[int, bool], tuple[Examples, ...]] | None = None


class ArrayKernel:
    """Passes over the examples of a task, in buffers shared with kernels of its kind."""

    def __init__(self, task: KernelTask, workspaces: Workspaces) -> None:
        self._network, self._examples = task.network, task.examples
        self._scale, self._strength = task.scale, task.strength
        self._memory_budget, self._workspaces = task.memory_budget, workspaces
        self._last = _Last()

    @quiet
    def evaluate(self, stack: Array, gradient: Array | None) -> Array:
        """Return J (starts,) and write its gradient, if one is wanted."""
        blocks = self._blocks_for(stack)
        if stack.shape[0] <= blocks.starts:
            J = self._pass(blocks, stack, gradient, 0)
        else:
            J = self._by_blocks(blocks, stack, gradient)
        if self._strength is not None:
            add_penalty(self._strength, stack, J, gradient)
        return J

    def _by_blocks(self, blocks: Blocks, stack: Array, gradient: Array | None) -> Array:
        values = []
        for here in cuts(stack.shape[0], blocks.starts):
            part = None if gradient is None else gradient[here, :]
            values.append(self._pass(blocks, stack[here, :], part, here.start))
        return namespace(stack).concat(values)

    def _blocks_for(self, stack: Array) -> Blocks:
        """Return the blocks of a pass over so many starts; those of the last call are kept."""
        last = self._last.blocks
        if last is None or last[0] != stack.shape[0]:
            size = plan(self._network, stack, len(self._examples), self._memory_budget)
            workspaces = self._workspaces.by_size
            if size not in workspaces:
                workspaces.clear()
                workspaces[size] = Workspace(
                    self._network,
                    *size,
                    self._examples.prototype,
                    by_columns=by_columns(*size) and not is_sparse(self._examples.rows),
                )
            workspace = workspaces[size]
            examples = self._cut_for(size, self._memory_budget - workspace.bytes)
            last = self._last.blocks = stack.shape[0], Blocks(size[0], examples, workspace)
        return last[1]

    def _cut_for(self, size: tuple[int, int], spare: int) -> tuple[Examples, ...]:
        """Return blocks of examples, transposed if that helps and the copies fit in `spare` bytes.

        Those of the last call are kept: while starts end one by one, their cut often stays.
        """
        is_dense = not is_sparse(self._examples.rows)
        columns = is_dense and by_columns(*size) and nbytes(self._examples.rows) <= spare
        last = self._last.cut
        if last is None or last[0] != (size[1], columns):
            blocks = self._examples.cut(size[1], by_columns=columns)
            last = self._last.cut = (size[1], columns), blocks
        return last[1]

    def _pass(
        self, blocks: Blocks, stack: Array, gradient: Array | None, first_start: int
    ) -> Array:
        """Return J without penalty for one block of starts, and write its gradient."""
        loss = self._network.loss
        total: Array | None = None
        rows = (examples.rows_T for examples in blocks.examples)
        passes = forward_blocks(blocks.workspace, stack, rows)
        for examples, layers in zip(blocks.examples, passes, strict=True):
            weights = examples.weights_of(first_start, stack.shape[0])
            if gradient is None:
                losses = loss.value(layers.output.z, examples.target)
            else:
                losses = weighted_backward(
                    loss, layers, examples, weights, accumulate=total is not None
                )
            value = weighted_sum(losses, weights)
            total = value if total is None else total + value
        assert total is not None
        if gradient is not None:
            layers.store_gradient(self._scale, gradient)
        return total * self._scale
