"""What a module must be before anything is done with it: a module, its parameters made."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn
from torch.nn.parameter import is_lazy

from symbreak.errors import InvalidInput, InvalidType

FILL = "Call module.to_empty(device=...) and symbreak.initialize_module(module) first."


def check_is_module(module: object) -> nn.Module:
    """Return the module; raise InvalidType if it is none."""
    if not isinstance(module, nn.Module):
        raise InvalidType(f"module must be a torch.nn.Module. Got {type(module).__name__}.")
    return module


def check_shapes(named: Mapping[str, nn.Parameter]) -> None:
    """Raise InvalidInput if a parameter has no shape yet."""
    lazy = next((name for name, parameter in named.items() if is_lazy(parameter)), None)
    if lazy is not None:
        raise InvalidInput(
            f"Parameters of module must have a shape. Got {lazy} without one. Call the module "
            "once first."
        )


def check_memory(named: Mapping[str, nn.Parameter], remedy: str = FILL) -> None:
    """Raise InvalidInput, with what to do, if a parameter has no memory yet."""
    meta = next((name for name, parameter in named.items() if parameter.is_meta), None)
    if meta is not None:
        raise InvalidInput(
            f"Parameters of module must have memory. Got {meta} on the device 'meta'. {remedy}"
        )
