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
from symbreak.parameters import Block, check_size


def as_stack(
    theta: Any, blocks: Sequence[Block], dtype: torch.dtype, device: torch.device
) -> Tensor:
    """Return theta as (starts, n); it may share memory with what was given.

    Raises
    ------
    InvalidInput
        Another number of parameters.
    """
    tensor = as_tensor(theta, "theta")
    check_size(tensor, blocks)
    stack = tensor.to(dtype=dtype, device=device)
    return stack if stack.dim() == 2 else stack[None]


def room_for(stack: Tensor, out: Tensor | None) -> Tensor:
    """Return where the gradient of a stack is written: `out`, or a fresh tensor.

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
    return out


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
    def _stack(self, theta: Any) -> Tensor:
        """Return theta as a stack."""

    @abstractmethod
    def _evaluate(self, stack: Tensor, gradient: Tensor | None) -> Tensor:
        """Return J (starts,) and write its gradient, if one is wanted."""

    def __call__(self, theta: Any, *, out: Tensor | None = None) -> tuple[Any, Any]:
        """Return J and its gradient.

        Parameters
        ----------
        theta : (starts, n) or (n,).
        out : a tensor (starts, n) of the objective's dtype and device for the gradient; a fresh one
            otherwise.
        """
        stack = self._stack(theta)
        gradient = room_for(stack, out)
        J = self._evaluate(stack, gradient)
        return as_given(J, theta), as_given(gradient, theta) if out is None else out

    def value(self, theta: Any) -> Any:
        """Return J, equal to the first part of a call up to rounding, without the backward pass."""
        return as_given(self._evaluate(self._stack(theta), None), theta)

    def numpy(self, theta: Any) -> tuple[float, Any]:
        """Return J and gradient in float64 for `scipy.optimize.minimize(cost.numpy, x0, jac=True)`.

        Parameters
        ----------
        theta : (n,) NumPy.
        """
        value, gradient = self(as_tensor(theta, "theta").to(torch.float64))
        return float(value), gradient.numpy()
