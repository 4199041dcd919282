"""Buffers for a pass over one block of starts and examples, reused from block to block.

Conventions
-----------
s starts, m examples, u units of a layer, v units of the layer below; examples last and contiguous.
theta    : (s, u, 1 + v), a copy of Theta(l); the matrices of all starts lie next to each other
gradient : (s, u, 1 + v), the sum over examples of delta [1; a of the layer below]^T; with
           `by_columns` that of the first layer lies transposed in memory, (1 + v, s * u)
z        : (s, u, m), the weighted input
with_one : (s, 1 + u, m), [1; a]: the bias is the weight of a unit that is always one
delta    : (s, u, m), in the memory of z where the derivative needs a and not z
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from itertools import accumulate, pairwise
from typing import Any

from symbreak.activations import Activation
from symbreak.arrays import Array, empty_like, into, namespace, nbytes
from symbreak.network import Network


class Layer:
    """One matrix Theta(l), the z it makes, and all views of them that a pass needs.

    A view takes as long to make as a small product, so each is made once.
    """

    def __init__(self, theta: Array, gradient: Array, z: Array, delta: Array) -> None:
        self.theta, self.gradient, self.z, self.delta = theta, gradient, z, delta
        self.weights_T = theta[:, :, 1:].mT
        # The first layer of all starts is one product, of these.
        self.theta_flat, self.gradient_flat = _flat(theta), _flat(gradient)
        self.z_flat, self.delta_flat = _flat(z), _flat(delta)


class HiddenLayer(Layer):
    """A layer with an activation: a = g(z)."""

    def __init__(
        self, theta: Array, gradient: Array, z: Array, delta: Array,
        with_one: Array, activation: Activation,
    ) -> None:  # fmt: skip
        super().__init__(theta, gradient, z, delta)
        self.activation = activation
        self.with_one, self.with_one_T = with_one, with_one.mT
        self.one, self.a = with_one[:, :1, :], with_one[:, 1:, :]
        self.saved = z if activation.needs_input else self.a


class Layers:
    """The layers of a network in a workspace; `all` from the first on, raw is `output.z`."""

    def __init__(self, hidden: tuple[HiddenLayer, ...], output: Layer) -> None:
        self.hidden, self.output = hidden, output
        self.all: tuple[Layer, ...] = (*hidden, output)
        self.first = self.all[0]
        stops = list(accumulate(math.prod(layer.theta.shape[1:]) for layer in self.all))
        self._slices = [slice(*ends) for ends in pairwise([0, *stops])]

    def split(self, theta: Array) -> list[Array]:
        """Return the parts of theta (s, n, ...) that belong to each layer, as views."""
        return [theta[:, part, ...] for part in self._slices]

    def load(self, stack: Array) -> None:
        """Copy theta (s, n) into the matrices."""
        for layer, part in zip(self.all, self.split(stack), strict=True):
            layer.theta[...] = _view(part, layer.theta.shape)

    def store_gradient(self, scale: float, out: Array) -> None:
        """Put the gradients times `scale` into `out` (s, n)."""
        multiply = namespace(out).multiply
        for layer, part in zip(self.all, self.split(out), strict=True):
            into(_view(part, layer.gradient.shape), multiply, layer.gradient, scale)


class Workspace:
    """Room for passes over up to `starts` networks and `examples` examples.

    like : an array of the kind, dtype and device to compute in.
    by_columns : the gradient of the first layer lies transposed, for rows that do so too.
    """

    def __init__(
        self,
        network: Network,
        starts: int,
        examples: int,
        like: Array,
        *,
        by_columns: bool = False,
    ) -> None:
        def room(size: int) -> Array:
            return empty_like(like, size)

        pairs = starts * examples
        self._made_of = network, starts, examples, room(0)
        self._network = network
        self._by_columns = by_columns
        self._thetas = [room(starts * block.size) for block in network.blocks]
        self._gradients = [room(starts * block.size) for block in network.blocks]
        self._zs = [room(pairs * units) for units in network.layers[1:]]
        self._with_ones = [room(pairs * (1 + units)) for units in network.layers[1:-1]]
        self._deltas = [
            room(pairs * units) if activation.needs_input else z
            for units, activation, z in zip(
                network.layers[1:-1], network.activations, self._zs, strict=False
            )
        ]
        self._views: dict[tuple[int, int], Layers] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        # Views lie in one another's memory, which pickle would part; and there is nothing to keep.
        return partial(Workspace, by_columns=self._by_columns), self._made_of

    def layers(self, starts: int, examples: int) -> Layers:
        """Return the layers for so many starts and examples; all share the same memory.

        The matrices are the same for every number of examples.
        """
        key = (starts, examples)
        if key not in self._views:
            self._views[key] = self._make(starts, examples)
        return self._views[key]

    def _make(self, starts: int, examples: int) -> Layers:
        def matrix(flat: Array, layer: int) -> Array:
            return _first(flat, (starts, *self._network.blocks[layer].shape))

        def units(flat: Array, count: int) -> Array:
            return _first(flat, (starts, count, examples))

        def parts(layer: int) -> tuple[Array, Array, Array]:
            count = self._network.layers[layer + 1]
            theta = matrix(self._thetas[layer], layer)
            gradient = self._gradient(layer, theta.shape)
            return theta, gradient, units(self._zs[layer], count)

        hidden = []
        for layer, activation in enumerate(self._network.activations):
            count = self._network.layers[layer + 1]
            delta = units(self._deltas[layer], count)
            with_one = units(self._with_ones[layer], 1 + count)
            hidden.append(HiddenLayer(*parts(layer), delta, with_one, activation))
        theta, gradient, raw = parts(len(hidden))
        return Layers(tuple(hidden), Layer(theta, gradient, raw, delta=raw))

    def _gradient(self, layer: int, shape: tuple[int, ...]) -> Array:
        if layer > 0 or not self._by_columns:
            return _first(self._gradients[layer], shape)
        by_columns = _first(self._gradients[layer], (shape[2], *shape[:2]))
        return namespace(by_columns).permute_dims(by_columns, (1, 2, 0))

    @property
    def bytes(self) -> int:
        """The memory that the buffers take."""
        rooms = {id(room): room for room in (*self._thetas, *self._gradients, *self._zs,
                                             *self._with_ones, *self._deltas)}  # fmt: skip
        return sum(nbytes(room) for room in rooms.values())


def _first(flat: Array, shape: Sequence[int]) -> Array:
    return _view(flat[: math.prod(shape)], shape)


def _view(array: Array, shape: Sequence[int]) -> Array:
    """Return the array in another shape, one that needs no copy."""
    return namespace(array).reshape(array, tuple(shape))


def _flat(stack: Array) -> Array:
    """Return (s, u, m) as (s * u, m), a view."""
    return _view(stack, (-1, stack.shape[2]))


def numbers_per_start(network: Network) -> int:
    """Return how many numbers a workspace holds for each start."""
    return 2 * network.n_parameters


def numbers_per_pair(network: Network) -> int:
    """Return how many numbers a workspace holds for each start and example."""
    hidden = zip(network.layers[1:-1], network.activations, strict=True)
    kept = sum(1 + units * (2 + activation.needs_input) for units, activation in hidden)
    return kept + network.n_outputs
