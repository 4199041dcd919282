"""What several detectors ask about units: which are constant, and at which level a share stands."""

from __future__ import annotations

import torch
from torch import Tensor

WHOLE_LAYER = 0.5  # SageMaker Debugger: a layer is dead or saturated when half of its units are
ROUNDINGS = 16  # a sum that should be equal for two samples differs by a few roundings


def indices(mask: Tensor) -> tuple[int, ...]:
    """Return the indices at which a vector of booleans is true."""
    return tuple(int(i) for i in mask.nonzero().flatten())


def level_of(share: float, stuck: bool) -> str:
    """Return "error" if the whole layer is `stuck`, "warning" from half of it on, else "note"."""
    if stuck and share == 1:
        return "error"
    return "warning" if share >= WHOLE_LAYER else "note"


def variation(values: Tensor) -> Tensor:
    """Return the standard deviation over samples of every unit; values is (units, samples)."""
    return values.double().std(dim=1, correction=0)


def unchanging(values: Tensor) -> Tensor:
    """Return which units are the same for all samples, up to rounding; values (units, samples)."""
    wide = values.double()
    rounding = ROUNDINGS * torch.finfo(values.dtype).eps
    return (wide.amax(1) - wide.amin(1)) <= rounding * wide.abs().amax(1)
