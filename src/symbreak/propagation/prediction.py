"""Predictions and hidden activations for people: rows are examples, blocks bound the memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from symbreak.arrays import as_tensor, float_dtype, like
from symbreak.errors import InvalidInput
from symbreak.network import Network
from symbreak.parameters import check_size
from symbreak.propagation.forward import forward_blocks
from symbreak.propagation.inputs import with_ones
from symbreak.propagation.workspace import Layers, Workspace, numbers_per_pair

BLOCK_BYTES = 64 * 2**20


def predict(network: Network, theta: Any, X: Any) -> Any:
    """Return link(raw), (starts, m, outputs), or (m, outputs) for a plain vector."""
    return _collect(network, theta, X, lambda layers: network.loss.link(layers.output.z))


def hidden(network: Network, theta: Any, X: Any, layer: int) -> Any:
    """Return a of hidden layer `layer` (1 is the first), (starts, m, units)."""
    if not 1 <= layer <= network.n_hidden:
        raise InvalidInput(
            f"layer of hidden must be 1..{network.n_hidden}, a hidden layer. Got {layer!r}."
        )
    return _collect(network, theta, X, lambda layers: layers.hidden[layer - 1].a.clone())


def _collect(network: Network, theta: Any, X: Any, pick: Any) -> Any:
    tensor = as_tensor(theta, "theta")
    check_size(tensor, network.blocks)
    dtype = float_dtype(tensor)
    stack = torch.atleast_2d(tensor.to(dtype))
    rows = with_ones(X, network, dtype, stack.device)
    parts = [pick(layers) for layers in _passes(network, stack, rows)]
    out = torch.cat(parts, dim=-1).transpose(-1, -2).contiguous()
    return like(out if tensor.dim() == 2 else out[0], theta)


def _passes(network: Network, stack: Tensor, rows: Tensor) -> Iterator[Layers]:
    per_example = numbers_per_pair(network) * stack.element_size() * len(stack)
    size = max(1, min(len(rows), BLOCK_BYTES // per_example))
    workspace = Workspace(network, len(stack), size, stack.dtype, stack.device)
    return forward_blocks(workspace, stack, (block.T for block in rows.split(size)))
