"""The gradient of J by the parameters of a module, as a training step would find it.

`torch.autograd.grad` walks only to the tensors that it is asked for. Functions written in Python
may do more on their way back: call the module again and accumulate into its parameters (reversible
layers), or refuse this way altogether (reentrant checkpoints). Where the graph of J has any, J goes
backward as in a training step, and what that leaves in tensors of others is taken away again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction


def gradients(J: Tensor, parameters: Sequence[Tensor]) -> Sequence[Tensor | None]:
    """Return dJ / dp for parameters that hold no gradient; None for one that J does not use."""
    if not J.requires_grad:
        return [None] * len(parameters)
    if not any(isinstance(node, BackwardCFunction) for node in _nodes(J)):
        return torch.autograd.grad(J, parameters, allow_unused=True)
    own = {id(parameter) for parameter in parameters}
    with _gradients_kept([leaf for leaf in leaves(J) if id(leaf) not in own]):
        J.backward()
        return [parameter.grad for parameter in parameters]


def leaves(J: Tensor) -> Iterator[Tensor]:
    """Yield the tensors that a backward pass accumulates into, as far as the graph shows them."""
    for node in _nodes(J):
        if type(node).__name__ == "AccumulateGrad":
            yield node.variable


def _nodes(J: Tensor) -> Iterator[Any]:
    """Yield the nodes of the graph of J."""
    waiting: list[Any] = [] if J.grad_fn is None else [J.grad_fn]
    seen = set(waiting)
    while waiting:
        node = waiting.pop()
        yield node
        for following, _ in node.next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                waiting.append(following)


@contextmanager
def _gradients_kept(tensors: Sequence[Tensor]) -> Iterator[None]:
    """Give the tensors back the gradients that they had."""
    had = [tensor.grad for tensor in tensors]
    for tensor in tensors:
        tensor.grad = None
    try:
        yield
    finally:
        for tensor, gradient in zip(tensors, had, strict=True):
            tensor.grad = gradient
