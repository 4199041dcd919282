"""Gradients of J on one mini-batch after another, over buffers that are made once.

Conventions
-----------
m : all examples;  B : a mini-batch of |B| examples
v_i = w_i m / Σw, Σw over all m examples; 1 without weights
J_B = 1/|B| Σ_{i in B} v_i loss_i + penalty;  the penalty is that of J, alpha / (2 Σw) Σ theta²

So Σ_B |B|/m J_B = J for every cut of the examples into mini-batches, a short last one included, and
the gradient of J_B is unbiased for a B drawn at random. (With the Σw of B in the place of Σw |B|/m,
the penalty would be about m/|B| times too strong and weighted losses would be biased.)

Starts are stacked as in a full pass, but no more than the cache holds. One start alone is not
copied: its matrices are views of theta and of the gradient.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from symbreak.arrays import Array, cuts, empty_like, itemsize, quiet, take_into
from symbreak.network import Network
from symbreak.objectives.blocking import plan
from symbreak.objectives.examples import Examples
from symbreak.objectives.per_thread import PerThread
from symbreak.objectives.weighted_pass import weighted_backward
from symbreak.propagation.forward import forward
from symbreak.propagation.workspace import HiddenLayer, Layer, Layers, Workspace

# So many numbers of X are gathered at once, so that small mini-batches share the cost of a call.
GATHERED_NUMBERS = 2**16
# Matrices of a stack beyond this no longer stay in the cache from one mini-batch to the next.
STACKED_NUMBERS = 2**19


def starts_of_block(network: Network, theta: Array, size: int, budget: int) -> int | None:
    """Return how many starts of theta (starts, n) a pass over `size` examples takes at once.

    None where the gathered examples and the buffers would be over the budget, in bytes.
    """
    gathered = max(GATHERED_NUMBERS, size * (1 + network.n_features)) * itemsize(theta)
    if 2 * gathered > budget:
        return None
    most = max(1, STACKED_NUMBERS // network.n_parameters)
    starts, examples = plan(network, theta[: min(most, theta.shape[0]), :], size, budget - gathered)
    return starts if examples >= size else None


class MiniBatches:
    """Mini-batches of up to `size` of these examples, for blocks of so many starts.

    Parameters
    ----------
    whole : (m, Σw), Σw of () or (starts,).
    strength : of the penalty, (n,) or (starts, n); None for no penalty.
    """

    def __init__(
        self,
        network: Network,
        examples: Examples,
        whole: tuple[int, Array],
        strength: Array | None,
        size: int,
        starts: int,
    ) -> None:
        rows = examples.rows
        m, total = whole
        self._examples = examples = examples.normalized(total / m)
        self._network, self._strength = network, strength
        self._size, self._starts = size, starts
        self._chunk = max(1, GATHERED_NUMBERS // (rows.shape[1] * size)) * size
        self._buffer = examples[np.zeros(self._chunk, np.int64)]
        self._views: dict[int, tuple[Examples, tuple[Examples, ...]]] = {}
        self._workspace = Workspace(network, starts, size, rows)

    def gradients(self, theta: Array, order: Array) -> Iterator[Array]:
        """Yield the gradient on each mini-batch of `order`, at theta as it then is.

        Parameters
        ----------
        theta : (starts, n), contiguous; the caller changes it between two gradients.
        order : (k,) indices of examples, cut into mini-batches from the front.

        Yields
        ------
        (starts, n), the same array each time.
        """
        gradient = empty_like(theta)
        starts = cuts(theta.shape[0], self._starts)
        parts = [(theta[some, :], gradient[some, :]) for some in starts]
        layers: dict[int, list[Layers]] = {}
        for chunk in cuts(order.shape[0], self._chunk):
            for batch in self._gathered(order[chunk]):
                size = len(batch)
                if size not in layers:
                    layers[size] = [self._layers(part, out, size) for part, out in parts]
                for number, (part, out) in enumerate(parts):
                    self._pass(batch, layers[size][number], part, out, number * self._starts)
                self._add_penalty(theta, gradient)
                yield gradient

    def _gathered(self, chunk: Array) -> tuple[Examples, ...]:
        """Copy these examples into the buffer and return their mini-batches, as views."""
        count = chunk.shape[0]
        if count not in self._views:
            whole = self._buffer[slice(count)]
            self._views[count] = whole, whole.cut(self._size)
        whole, batches = self._views[count]
        take_into(whole.rows, self._examples.rows, chunk, 0)
        take_into(whole.target, self._examples.target, chunk, 1)
        if self._examples.weights is not None:
            take_into(whole.weights, self._examples.weights, chunk, -1)
        return batches

    def _layers(self, theta: Array, gradient: Array, size: int) -> Layers:
        """Return the layers for `size` examples; over theta itself if it is one start."""
        layers = self._workspace.layers(theta.shape[0], size)
        if theta.shape[0] > 1:
            return layers
        thetas, gradients = self._network.thetas(theta), self._network.thetas(gradient)
        hidden = tuple(
            HiddenLayer(Theta, slope, layer.z, layer.delta, layer.with_one, layer.activation)
            for Theta, slope, layer in zip(thetas, gradients, layers.hidden, strict=False)
        )
        output = layers.output
        return Layers(hidden, Layer(thetas[-1], gradients[-1], output.z, output.delta))

    @quiet
    def _add_penalty(self, theta: Array, gradient: Array) -> None:
        if self._strength is not None:
            gradient += theta * self._strength

    @quiet
    def _pass(
        self, batch: Examples, layers: Layers, theta: Array, gradient: Array, first_start: int
    ) -> None:
        """Write the gradient of J_B without its penalty for one block of starts."""
        starts, scale = theta.shape[0], 1.0 / len(batch)
        if starts > 1:
            layers.load(theta)
        forward(layers, batch.rows_T)
        weights = batch.weights_of(first_start, starts)
        weights = scale if weights is None else weights * scale
        weighted_backward(self._network.loss, layers, batch, weights, accumulate=False)
        if starts > 1:
            layers.store_gradient(1.0, gradient)


class KeptMiniBatches(PerThread):
    """The last mini-batches, for the next epoch, while nobody else goes through them."""

    def __init__(self) -> None:
        self._last: tuple[tuple[int, int], MiniBatches] | None = None

    def taken(self, size: tuple[int, int]) -> MiniBatches | None:
        """Hand those for so many (starts, examples) out, if they are here."""
        last, self._last = self._last, None
        return last[1] if last is not None and last[0] == size else None

    def put_back(self, size: tuple[int, int], batches: MiniBatches) -> None:
        """Keep them."""
        self._last = size, batches
