"""Indices of examples or starts, as users give them: numbers or a mask, checked once."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from symbreak.arrays import as_tensor
from symbreak.errors import InvalidInput


def check_indices(
    indices: Any, n: int, what: str, one: str, device: torch.device | None = None
) -> Tensor:
    """Return the indices as a tensor (k,); a mask (n,) means where it is true.

    Parameters
    ----------
    n : how many there are to pick from; -1 is the last, as in NumPy.
    what, one : the argument and what it picks, for messages.

    Raises
    ------
    InvalidInput
        None, one out of range, numbers that are not whole, or another shape.
    """
    tensor = as_tensor(indices, what).to(device=device)
    if tensor.numel() == 0:
        raise InvalidInput(f"{what} must hold at least one {one}. Got none.")
    if tensor.is_floating_point() or tensor.dim() != 1:
        raise InvalidInput(
            f"{what} must be a vector of indices or a mask. "
            f"Got {tensor.dtype} of shape {tuple(tensor.shape)}."
        )
    if tensor.dtype == torch.bool:
        if len(tensor) != n:
            raise InvalidInput(f"{what} must be a mask of {n} values. Got {len(tensor)}.")
        return check_indices(tensor.nonzero()[:, 0], n, what, one)
    wrong = (tensor < -n) | (tensor >= n)
    if bool(wrong.any()):
        raise InvalidInput(
            f"{what} must be indices from 0 to {n - 1}. Got {int(tensor[wrong][0])}."
        )
    return tensor.long()
