"""Back-propagation to read: every a, z, delta and gradient of the lecture, by name.

The same formulas as `forward` and `backward`, one network at a time and without buffers; it also is
the reference that the fast pass is compared with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from symbreak.arrays import as_tensor, float_dtype, like
from symbreak.network import Network
from symbreak.parameters import check_size
from symbreak.propagation.inputs import prepared_target, with_ones


@dataclass(frozen=True)
class Trace:
    """One pass of back-propagation, in the lecture's symbols (layers counted from 0 here).

    Attributes
    ----------
    a : activations of every layer, (starts, units, m): a[0] is the input, a[-1] the prediction.
    z : weighted inputs, z[l] belongs to a[l + 1].
    delta : delta[l] = d loss / d z[l], per example (not divided by m).
    gradients : of J = mean loss, gradients[l] shaped as Theta(l + 1).
    value : J, (starts,): the mean over examples, summed over outputs, no penalty.

    For a plain vector theta the first axis is absent.
    """

    a: tuple[Any, ...]
    z: tuple[Any, ...]
    delta: tuple[Any, ...]
    gradients: tuple[Any, ...]
    value: Any


def backpropagate(network: Network, theta: Any, X: Any, y: Any) -> Trace:
    """Return everything that forward and backward propagation compute on the examples.

    Parameters
    ----------
    theta : (starts, n) or (n,).
    X : (m, features).
    y : as for `NetworkCost`.

    Examples
    --------
    >>> import numpy as np
    >>> net = Network((2, 3, 1))
    >>> trace = backpropagate(net, np.zeros(13), [[0.0, 1.0], [1.0, 0.0]], [0, 1])
    >>> trace.delta[-1]
    array([[ 0.5, -0.5]])
    """
    tensor = as_tensor(theta, "theta")
    check_size(tensor, network.blocks)
    stack = torch.atleast_2d(tensor.to(float_dtype(tensor)))
    rows = with_ones(X, network, stack.dtype, stack.device)
    target = prepared_target(y, network, rows)
    thetas = network.thetas(stack)
    a, z = _forward(network, thetas, rows)
    raw = z[-1].clone()
    losses = network.loss.value_and_delta_(raw, target)
    delta = _backward(network, thetas, z, raw)
    gradients = [
        d @ _with_one(below).transpose(1, 2) / len(rows) for d, below in zip(delta, a, strict=False)
    ]

    def out(parts: list[Tensor]) -> tuple[Any, ...]:
        return tuple(like(part if tensor.dim() == 2 else part[0], theta) for part in parts)

    return Trace(out(a), out(z), out(delta), out(gradients), out([losses.mean(1)])[0])


def _forward(
    network: Network, thetas: tuple[Tensor, ...], rows: Tensor
) -> tuple[list[Tensor], list[Tensor]]:
    a = [rows[:, 1:].T.expand(len(thetas[0]), -1, -1)]
    z: list[Tensor] = []
    for theta, activation in zip(thetas, (*network.activations, None), strict=True):
        z.append(theta @ _with_one(a[-1]))
        a.append(activation.value(z[-1]) if activation else network.loss.link(z[-1]))
    return a, z


def _backward(
    network: Network, thetas: tuple[Tensor, ...], z: list[Tensor], delta: Tensor
) -> list[Tensor]:
    deltas = [delta]
    for layer in range(len(thetas) - 1, 0, -1):
        below = thetas[layer][:, :, 1:].transpose(1, 2) @ deltas[0]
        deltas.insert(0, below * network.activations[layer - 1].derivative(z[layer - 1]))
    return deltas


def _with_one(a: Tensor) -> Tensor:
    """Put the constant unit on top: (s, u, m) becomes (s, 1 + u, m)."""
    return torch.cat([torch.ones_like(a[:, :1]), a], dim=1)
