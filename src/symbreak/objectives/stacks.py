"""theta as objectives take it, their answers as callers want them, and what stands between.

Conventions
-----------
theta : (starts, n) or (n,), of any kind, dtype and device
stack : (starts, n), of the dtype and on the device of the objective
answer : J (starts,) or the gradient (starts, n); for the caller of the kind of theta, and without
the first axis where theta has none
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from symbreak.arrays import as_tensor, like
from symbreak.errors import InvalidInput
from symbreak.objectives.contract import Objective
from symbreak.parameters import Block, check_size


def as_stack(
    theta: Any, blocks: Sequence[Block], dtype: torch.dtype, device: torch.device
) -> Tensor:
    """Return theta as (starts, n), contiguous; it may share memory with what was given.

    Raises
    ------
    InvalidInput
        Another number of parameters.
    """
    tensor = as_tensor(theta, "theta")
    check_size(tensor, blocks)
    stack = tensor.to(dtype=dtype, device=device)
    return (stack if stack.dim() == 2 else stack[None]).contiguous()


def room_for(stack: Tensor, out: Tensor | None) -> Tensor:
    """Return where the gradient of a stack is written: `out` if it is contiguous, or fresh room.

    Raises
    ------
    InvalidInput
        `out` is of another shape, dtype or device.
    """
    if out is None:
        return torch.empty_like(stack)
    if out.shape != stack.shape or out.dtype != stack.dtype or out.device != stack.device:
        raise InvalidInput(
            f"out must be of shape {tuple(stack.shape)} and {stack.dtype} on {stack.device}. "
            f"Got shape {tuple(out.shape)} and {out.dtype} on {out.device}."
        )
    return out if out.is_contiguous() else torch.empty_like(stack)


def as_given(answer: Tensor, theta: Any) -> Any:
    """Return `answer` of the kind of theta, without its first axis where theta has none."""
    if answer.dtype.itemsize < torch.float32.itemsize:
        answer = answer.float()  # NumPy has no bfloat16
    return like(answer if np.ndim(theta) == 2 else answer[0], theta)


class Stacked(ABC):
    """An objective that computes on stacks, for callers with a theta of any kind.

    A subclass says how a theta becomes its stack, and how J and gradient of a stack are computed.
    """

    @abstractmethod
    def stack(self, theta: Any) -> Tensor:
        """Return theta as a stack, checked; it may share memory with what was given."""

    @abstractmethod
    def evaluate(self, stack: Tensor, gradient: Tensor | None) -> Tensor:
        """Return J (starts,) of a stack and write its gradient, if one is wanted; checks nothing.

        Parameters
        ----------
        stack : (starts, n), contiguous, in the dtype and on the device of the objective.
        gradient : likewise; None for J alone, which is cheaper.
        """

    def __call__(self, theta: Any, *, out: Tensor | None = None) -> tuple[Any, Any]:
        """Return J and its gradient.

        Parameters
        ----------
        theta : (starts, n) or (n,).
        out : a tensor (starts, n) of the objective's dtype and device for the gradient; a fresh one
            otherwise.
        """
        stack = self.stack(theta)
        gradient = room_for(stack, out)
        J = self.evaluate(stack, gradient)
        if out is None:
            return as_given(J, theta), as_given(gradient, theta)
        return as_given(J, theta), out if out is gradient else out.copy_(gradient)

    def value(self, theta: Any) -> Any:
        """Return J, equal to the first part of a call up to rounding, without the backward pass."""
        return as_given(self.evaluate(self.stack(theta), None), theta)

    def numpy(self, theta: Any) -> tuple[float, Any]:
        """Return J and gradient in float64 for `scipy.optimize.minimize(cost.numpy, x0, jac=True)`.

        Parameters
        ----------
        theta : (n,) NumPy.
        """
        value, gradient = self(as_tensor(theta, "theta").to(torch.float64))
        return float(value), gradient.numpy()


def evaluate(objective: Objective, stack: Tensor, gradient: Tensor) -> Tensor:
    """Return J (starts,) of a stack and write its gradient, for callers who made the stack.

    What a caller of an objective may do wrong is not looked for. An objective of another kind, or
    one whose call is its own (a subclass that counts, say), is called as by anyone.
    """
    if isinstance(objective, Stacked):
        kind: type[Stacked] = type(objective)
        if kind.__call__ is Stacked.__call__:
            return objective.evaluate(stack, gradient)
    J, found = objective(stack)
    gradient.copy_(found.detach())
    value: Tensor = J.detach()
    return value
