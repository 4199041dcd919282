"""Back-propagation to read: every a, z, delta and gradient of the lecture, by name.

The same formulas as `forward` and `backward`, one network at a time and without buffers; it also is
the reference that the fast pass is compared with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symbreak.arrays import Array, as_array, cast, copied, float_word, like, namespace, quiet
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


@quiet
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
    given = as_array(theta, "theta")
    check_size(given, network.blocks)
    stack = cast(given if given.ndim == 2 else given[None, :], float_word(given))
    rows = with_ones(X, network, stack)
    target = prepared_target(y, network, rows, rows.shape[0])
    thetas = network.thetas(stack)
    a, z = _forward(network, thetas, rows)
    raw = copied(z[-1])
    losses = network.loss.value_and_delta_(raw, target)
    delta = _backward(network, thetas, z, raw)
    gradients = [
        d @ _with_one(below).mT / rows.shape[0] for d, below in zip(delta, a, strict=False)
    ]

    def out(parts: list[Array]) -> tuple[Any, ...]:
        return tuple(like(part if given.ndim == 2 else part[0, ...], theta) for part in parts)

    return Trace(
        out(a), out(z), out(delta), out(gradients), out([namespace(losses).mean(losses, axis=1)])[0]
    )


def _forward(
    network: Network, thetas: tuple[Array, ...], rows: Array
) -> tuple[list[Array], list[Array]]:
    X_T = rows[:, 1:].T
    a = [namespace(rows).broadcast_to(X_T, (thetas[0].shape[0], *X_T.shape))]
    z: list[Array] = []
    for theta, activation in zip(thetas, (*network.activations, None), strict=True):
        z.append(theta @ _with_one(a[-1]))
        a.append(activation.value(z[-1]) if activation else network.loss.link(z[-1]))
    return a, z


def _backward(
    network: Network, thetas: tuple[Array, ...], z: list[Array], delta: Array
) -> list[Array]:
    deltas = [delta]
    for layer in range(len(thetas) - 1, 0, -1):
        below = thetas[layer][:, :, 1:].mT @ deltas[0]
        deltas.insert(0, below * network.activations[layer - 1].derivative(z[layer - 1]))
    return deltas


def _with_one(a: Array) -> Array:
    """Put the constant unit on top: (s, u, m) becomes (s, 1 + u, m)."""
    xp = namespace(a)
    return xp.concat([xp.ones_like(a[:, :1, :]), a], axis=1)
