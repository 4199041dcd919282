"""Sample weights: checked once, at the door."""

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
