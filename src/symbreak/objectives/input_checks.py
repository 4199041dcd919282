"""Sample weights and indices as users give them, checked once, at the door."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from symbreak.arrays import as_tensor
from symbreak.errors import InvalidInput


def check_weights(
    sample_weight: Any, n_examples: int, dtype: torch.dtype, device: torch.device
) -> Tensor | None:
    """Return the weights as a tensor (m,) or (starts, m), or None.

    Raises
    ------
    InvalidInput
        Another shape, negative or not finite weights, weights that are all zero.
    """
    if sample_weight is None:
        return None
    weights = as_tensor(sample_weight, "sample_weight").to(dtype=dtype, device=device, copy=True)
    if weights.dim() not in (1, 2) or weights.shape[-1] != n_examples:
        raise InvalidInput(
            f"sample_weight must be of shape ({n_examples},) or (starts, {n_examples}). "
            f"Got {tuple(weights.shape)}."
        )
    if not bool(torch.isfinite(weights).all()) or bool((weights < 0).any()):
        raise InvalidInput("sample_weight must be finite and not negative. Got other values.")
    if bool((weights.sum(-1) == 0).any()):
        raise InvalidInput("sample_weight must not be all zero. Got a sum of 0.")
    return weights


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
