"""Kinds of arrays for tests: NumPy, PyTorch, and the array API held to its letter."""

from __future__ import annotations

import array_api_strict
import numpy as np
import pytest
import torch

KINDS = {
    "numpy": np.array,
    "torch": lambda array: torch.from_numpy(np.array(array)),
    "strict": lambda array: array_api_strict.asarray(np.array(array)),
}
EVERY_KIND = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
OTHER_KINDS = pytest.mark.parametrize(
    "make", [KINDS["torch"], KINDS["strict"]], ids=["torch", "strict"]
)
