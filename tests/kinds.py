"""Kinds of arrays for tests: NumPy, PyTorch, and the array API held to its letter."""

from __future__ import annotations

from typing import Any

import array_api_strict
import numpy as np
import pytest


def tensor(array: Any) -> Any:
    """Return a tensor of an array."""
    import torch

    return torch.from_numpy(np.array(array))


KINDS: dict[str, Any] = {
    "numpy": np.array,
    "torch": tensor,
    "strict": lambda array: array_api_strict.asarray(np.array(array)),
}
TENSORS = pytest.param(tensor, marks=pytest.mark.needs_torch, id="torch")
NUMPY_AND_TORCH = [pytest.param(np.array, id="numpy"), TENSORS]
OTHER_KINDS = pytest.mark.parametrize("make", [TENSORS, pytest.param(KINDS["strict"], id="strict")])
EVERY_KIND = pytest.mark.parametrize("make", [*NUMPY_AND_TORCH, *OTHER_KINDS.args[1][1:]])
