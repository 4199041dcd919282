"""Copies of a module whose parameters were changed, and what their passes tell.

The same module with random parameters: what holds there too is not the fault of the start.
Attention over one token never moves its queries, recurrence over one step never moves what reads
the state: a batch, or a module, that gives a parameter no gradient gives it none at generic
parameters either (all but a set of measure zero).
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn

from symbreak.modules.cost.parameters import copied

# What a module raises that cannot be copied, or cannot be run with other parameters.
REFUSALS = (RuntimeError, ValueError, TypeError)


def pulled(grad: Tensor | None) -> bool:
    """Tell whether a gradient moves anything."""
    return grad is not None and bool(grad.any())


def with_random_parameters(
    module: nn.Module,
    names: Collection[str] | None = None,
    *,
    scale: float = 1.0,
    seed: int = 0,
) -> nn.Module:
    """Return a copy whose floating parameters are N(0, scale^2 / fan_in).

    Parameters
    ----------
    names : of the parameters that are drawn; None: all, frozen ones too.
    """
    own = copied(module)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in own.named_parameters():
            if parameter.is_floating_point() and (names is None or name in names):
                drawn = torch.randn(parameter.shape, generator=generator, device="cpu")
                fan_in = max(parameter.numel() // max(len(parameter), 1), 1) if drawn.dim() else 1
                parameter.copy_(scale * drawn / fan_in**0.5)
    return own
