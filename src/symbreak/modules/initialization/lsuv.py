"""Layer-sequential unit variance: each layer's output on a batch gets variance 1.

    W <- W / sqrt(Var(W x + b)),   layer by layer, in the order in which they are called

(Mishkin and Matas 2016, "All you need is a good init", algorithm 1.) One call of the module does it
for all layers: a layer is rescaled when it is called, and gives the rescaled output to the next.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from symbreak.errors import InvalidInput
from symbreak.modules.hooks import hooked

TOLERANCE = 0.02
MOST_ROUNDS = 20


def rescale_(module: nn.Module, layers: Mapping[nn.Module, str], batch: Any) -> dict[str, float]:
    """Rescale the `weight` of these layers; returns the factor of each, by its name.

    Layers that are not called, or whose output is constant, are left alone. Buffers and random
    states are put back.

    Raises
    ------
    InvalidInput
        The module cannot be called with the batch.
    """
    factors: dict[str, float] = {}
    hooks = (
        layer.register_forward_hook(_hook(name, factors), with_kwargs=True)
        for layer, name in layers.items()
    )
    buffers = {name: buffer.clone() for name, buffer in module.named_buffers()}
    devices = {p.device for p in module.parameters() if p.device.type == "cuda"}
    try:
        random = torch.random.fork_rng([d.index for d in devices])
        with hooked(hooks), torch.no_grad(), random:
            _call(module, batch)
    except Exception as error:
        raise InvalidInput(
            "batch of initialize_module must be one that the module can be called with: a tensor, "
            f"a tuple of arguments or a dictionary of them. Got {type(error).__name__}: {error}"
        ) from error
    finally:
        for name, buffer in module.named_buffers():
            buffer.copy_(buffers[name])
    return factors


def _call(module: nn.Module, batch: Any) -> Any:
    if isinstance(batch, Mapping):
        return module(**batch)
    return module(*batch) if isinstance(batch, Sequence) else module(batch)


def _hook(name: str, factors: dict[str, float]) -> Callable[..., Any]:
    def unit_variance(
        layer: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any], output: Any
    ) -> Any:
        if name in factors or not isinstance(output, Tensor):
            return None
        again = partial(layer.forward, *inputs, **named)
        factor = _rescale_one_(layer, again, output)
        if factor is None:
            return None
        factors[name] = factor
        return again()

    return unit_variance


def _rescale_one_(layer: nn.Module, again: Callable[[], Tensor], output: Tensor) -> float | None:
    weight: Tensor = layer.weight  # type: ignore[assignment]
    factor = 1.0
    for _ in range(MOST_ROUNDS):
        variance = float(output.double().var(correction=0))
        if not 0 < variance < math.inf:
            return None
        if abs(variance - 1) <= TOLERANCE:
            break
        weight.mul_(1 / math.sqrt(variance))
        factor /= math.sqrt(variance)
        output = again()
    return factor
