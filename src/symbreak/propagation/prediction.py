"""Predictions and hidden activations for people: rows are examples, blocks bound the memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from symbreak.arrays import (
    Array,
    as_array,
    cast,
    contiguous,
    copied,
    cuts,
    empty_like,
    float_word,
    itemsize,
    like,
    namespace,
    quiet,
)
from symbreak.errors import InvalidInput
from symbreak.native import load, n_threads
from symbreak.native.turns import let_go_for
from symbreak.native.twins import native_network
from symbreak.network import Network
from symbreak.parameters import check_size
from symbreak.propagation.first_layer import is_sparse
from symbreak.propagation.forward import forward_blocks
from symbreak.propagation.inputs import sparse_with_ones, with_ones
from symbreak.propagation.workspace import Layers, Workspace, numbers_per_pair

BLOCK_BYTES = 64 * 2**20


def predict(network: Network, theta: Any, X: Any) -> Any:
    """Return link(raw), (starts, m, outputs), or (m, outputs) for a plain vector."""
    return _answer(network, theta, X, _predictions)


def raw(network: Network, theta: Any, X: Any) -> Any:
    """Return the output layer before its link, (starts, m, outputs)."""

    def outputs(network: Network, stack: Array, rows: Array) -> Array:
        return _collect(network, stack, rows, lambda layers: copied(layers.output.z))

    return _answer(network, theta, X, outputs)


def hidden(network: Network, theta: Any, X: Any, layer: int) -> Any:
    """Return a of hidden layer `layer` (1 is the first), (starts, m, units)."""
    if not 1 <= layer <= network.n_hidden:
        raise InvalidInput(
            f"layer of hidden must be 1..{network.n_hidden}, a hidden layer. Got {layer!r}."
        )

    def activations(network: Network, stack: Array, rows: Array) -> Array:
        return _collect(network, stack, rows, lambda layers: copied(layers.hidden[layer - 1].a))

    return _answer(network, theta, X, activations)


def _answer(
    network: Network, theta: Any, X: Any, compute: Callable[[Network, Array, Array], Array]
) -> Any:
    """Return what `compute` makes of theta as a stack and X behind ones, of the kind of theta."""
    given = as_array(theta, "theta")
    check_size(given, network.blocks)
    stack = cast(given if given.ndim == 2 else given[None, :], float_word(given))
    if is_sparse(X):
        rows = sparse_with_ones(X, network, float_word(stack))
    else:
        rows = with_ones(X, network, stack)
    out = compute(network, stack, rows)
    return like(out if given.ndim == 2 else out[0, ...], theta)


def _predictions(network: Network, stack: Array, rows: Array) -> Array:
    core = load() if isinstance(rows, np.ndarray) else None
    known = native_network(network)
    if core is None or known is None:
        return _collect(network, stack, rows, lambda layers: network.loss.link(layers.output.z))
    out = empty_like(stack, (len(stack), len(rows), network.n_outputs))
    with let_go_for(stack.size * len(rows)):
        core.predict(known, rows, contiguous(stack), out, n_threads())
    return out


@quiet
def _collect(network: Network, stack: Array, rows: Array, pick: Callable[[Layers], Array]) -> Array:
    """Return what `pick` takes of each block (starts, k, m), as (starts, m, k)."""
    parts = [pick(layers) for layers in _passes(network, stack, rows)]
    return contiguous(namespace(stack).concat(parts, axis=-1).mT)


def _passes(network: Network, stack: Array, rows: Array) -> Iterator[Layers]:
    s, m = stack.shape[0], rows.shape[0]
    per_example = numbers_per_pair(network) * itemsize(stack) * s
    size = max(1, min(m, BLOCK_BYTES // per_example))
    workspace = Workspace(network, s, size, stack)
    blocks = (rows[part, :].T for part in cuts(m, size))
    return forward_blocks(workspace, stack, blocks)
