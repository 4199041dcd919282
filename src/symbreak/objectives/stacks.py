"""theta as objectives take it, and their answers as callers want them.

Conventions
-----------
theta : (starts, n) or (n,), of any kind, dtype and device
stack : (starts, n), of the dtype and on the device of the objective
answer : J (starts,) or the gradient (starts, n); for the caller of the kind of theta, and without
the first axis where theta has none
"""

from __future__ import annotations

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
