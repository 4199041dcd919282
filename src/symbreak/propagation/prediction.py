"""Predictions and hidden activations for people: rows are examples, blocks bound the memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from symbreak.arrays import as_tensor, float_dtype, like
from symbreak.errors import InvalidInput
from symbreak.native import load, n_threads
from symbreak.native.twins import native_network
from symbreak.network import Network
from symbreak.parameters import check_size
from symbreak.propagation.forward import forward_blocks
from symbreak.propagation.inputs import with_ones
from symbreak.propagation.workspace import Layers, Workspace, numbers_per_pair

BLOCK_BYTES = 64 * 2**20


def predict(network: Network, theta: Any, X: Any) -> Any:
    """Return link(raw), (starts, m, outputs), or (m, outputs) for a plain vector."""
    return _answer(network, theta, X, _predictions)


def hidden(network: Network, theta: Any, X: Any, layer: int) -> Any:
    """Return a of hidden layer `layer` (1 is the first), (starts, m, units)."""
    if not 1 <= layer <= network.n_hidden:
        raise InvalidInput(
            f"layer of hidden must be 1..{network.n_hidden}, a hidden layer. Got {layer!r}."
        )

    def activations(network: Network, stack: Tensor, rows: Tensor) -> Tensor:
        return _collect(network, stack, rows, lambda layers: layers.hidden[layer - 1].a.clone())

    return _answer(network, theta, X, activations)


def _answer(
    network: Network, theta: Any, X: Any, compute: Callable[[Network, Tensor, Tensor], Tensor]
) -> Any:
    """Return what `compute` makes of theta as a stack and X behind ones, of the kind of theta."""
    tensor = as_tensor(theta, "theta")
    check_size(tensor, network.blocks)
    dtype = float_dtype(tensor)
    stack = torch.atleast_2d(tensor.to(dtype))
    out = compute(network, stack, with_ones(X, network, dtype, stack.device))
    return like(out if tensor.dim() == 2 else out[0], theta)


def _predictions(network: Network, stack: Tensor, rows: Tensor) -> Tensor:
    core = load() if stack.device.type == "cpu" else None
    known = native_network(network)
    if core is None or known is None:
        return _collect(network, stack, rows, lambda layers: network.loss.link(layers.output.z))
    out = stack.new_empty(len(stack), len(rows), network.n_outputs)
    core.predict(known, rows.numpy(), stack.contiguous().numpy(), out.numpy(), n_threads())
    return out


def _collect(
    network: Network, stack: Tensor, rows: Tensor, pick: Callable[[Layers], Tensor]
) -> Tensor:
    """Return what `pick` takes of each block (starts, k, m), as (starts, m, k)."""
    parts = [pick(layers) for layers in _passes(network, stack, rows)]
    return torch.cat(parts, dim=-1).transpose(-1, -2).contiguous()


def _passes(network: Network, stack: Tensor, rows: Tensor) -> Iterator[Layers]:
    per_example = numbers_per_pair(network) * stack.element_size() * len(stack)
    size = max(1, min(len(rows), BLOCK_BYTES // per_example))
    workspace = Workspace(network, len(stack), size, stack.dtype, stack.device)
    return forward_blocks(workspace, stack, (block.T for block in rows.split(size)))
