"""J and its gradient over all examples, without penalty: pass after pass over blocks.

Conventions
-----------
J = scale Σ w loss, (starts,);  gradient : (starts, n)
The blocks of starts and examples, and the buffers for them, are kept from one call to the next, for
each thread its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from symbreak.network import Network
from symbreak.objectives.blocking import by_columns, plan
from symbreak.objectives.examples import Examples
from symbreak.objectives.per_thread import PerThread
from symbreak.propagation.backward import backward
from symbreak.propagation.forward import forward
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


class Passes:
    """Passes over these examples.

    Parameters
    ----------
    examples : with normalised weights, or none.
    scale : what sums over examples are multiplied by: 1 / m, or 1 with weights.
    memory_budget : bytes.
    workspaces : shared with the costs of other starts or examples.
    """

    def __init__(
        self,
        network: Network,
        examples: Examples,
        scale: Tensor,
        memory_budget: int,
        workspaces: Workspaces,
    ) -> None:
        self._network, self._examples = network, examples
        self._scale, self._memory_budget = scale, memory_budget
        self._workspaces = workspaces
        self._last = _Last()

    def evaluate(self, stack: Tensor, gradient: Tensor | None) -> Tensor:
        """Return J (starts,) and write its gradient, if one is wanted."""
        blocks = self._blocks_for(stack)
        size = blocks.starts
        parts = _split(stack, size)
        gradients = [None] * len(parts) if gradient is None else _split(gradient, size)
        values = [
            self._pass(blocks, part, part_gradient, number * size)
            for number, (part, part_gradient) in enumerate(zip(parts, gradients, strict=True))
        ]
        return values[0] if len(values) == 1 else torch.cat(values)

    def _blocks_for(self, stack: Tensor) -> Blocks:
        """Return the blocks of a pass over so many starts; those of the last call are kept."""
        last = self._last.blocks
        if last is None or last[0] != len(stack):
            size = plan(self._network, stack, len(self._examples), self._memory_budget)
            workspaces = self._workspaces.by_size
            if size not in workspaces:
                workspaces.clear()
                workspaces[size] = Workspace(
                    self._network,
                    *size,
                    self._scale.dtype,
                    self._scale.device,
                    by_columns=by_columns(*size),
                )
            workspace = workspaces[size]
            examples = self._cut_for(size, self._memory_budget - workspace.bytes)
            last = self._last.blocks = len(stack), Blocks(size[0], examples, workspace)
        return last[1]

    def _cut_for(self, size: tuple[int, int], spare: int) -> tuple[Examples, ...]:
        """Return blocks of examples, transposed if that helps and the copies fit in `spare` bytes.

        Those of the last call are kept: while starts end one by one, their cut often stays.
        """
        columns = by_columns(*size) and self._examples.rows.nbytes <= spare
        last = self._last.cut
        if last is None or last[0] != (size[1], columns):
            blocks = self._examples.cut(size[1], by_columns=columns)
            last = self._last.cut = (size[1], columns), blocks
        return last[1]

    def _pass(
        self, blocks: Blocks, stack: Tensor, gradient: Tensor | None, first_start: int
    ) -> Tensor:
        """Return J without penalty for one block of starts, and write its gradient."""
        workspace, count = blocks.workspace, len(stack)
        total: Tensor | None = None
        for examples in blocks.examples:
            layers = workspace.layers(count, len(examples))
            if total is None:
                layers.load(stack)
            forward(layers, examples.rows_T)
            weights = examples.weights
            if weights is not None and weights.dim() == 2:
                weights = weights[first_start : first_start + count]
            value = self._losses(layers.output.z, examples.target, weights, gradient is not None)
            if gradient is not None:
                backward(layers, examples.rows, accumulate=total is not None)
            total = value if total is None else total + value
        assert total is not None
        if gradient is not None:
            layers.store_gradient(self._scale, gradient)
        return total.mul_(self._scale)

    def _losses(
        self, raw: Tensor, target: Tensor, weights: Tensor | None, backward_too: bool
    ) -> Tensor:
        """Return Σ w loss (starts,); turn raw into w delta if `backward_too`."""
        loss = self._network.loss
        losses = loss.value_and_delta_(raw, target) if backward_too else loss.value(raw, target)
        if weights is None:
            return losses.sum(1)
        if backward_too:
            raw.mul_(weights if weights.dim() == 1 else weights[:, None, :])
        return (losses * weights).sum(1)


def _split(stack: Tensor, size: int) -> Sequence[Tensor]:
    return stack.split(size) if len(stack) > size else (stack,)
