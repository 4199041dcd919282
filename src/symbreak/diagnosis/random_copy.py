"""The same module with random parameters: what holds there too is not the fault of the start.

Attention over one token never moves its queries, recurrence over one step never moves what reads
the state: a batch, or a module, that gives a parameter no gradient gives it none at generic
parameters either (all but a set of measure zero).
"""

from __future__ import annotations

import torch
from torch import nn

from symbreak.objectives.module_parameters import copied

_SEED = 0


def with_random_parameters(module: nn.Module) -> nn.Module:
    """Return a copy whose floating parameters, frozen ones too, are N(0, 1 / fan_in)."""
    own = copied(module)
    generator = torch.Generator().manual_seed(_SEED)
    with torch.no_grad():
        for parameter in own.parameters():
            if parameter.is_floating_point():
                drawn = torch.randn(parameter.shape, generator=generator, device="cpu")
                fan_in = max(parameter.numel() // max(len(parameter), 1), 1) if drawn.dim() else 1
                parameter.copy_(drawn / fan_in**0.5)
    return own
