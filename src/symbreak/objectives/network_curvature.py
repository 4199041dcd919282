"""Curvature of a `NetworkCost`: Hessian and Gauss-Newton products, matrices, residuals.

Conventions (those of `network_cost`)
-----------
theta, v : (s, n);  H v : (s, n);  Gauss-Newton matrix G : (s, n, n)
G = scale Σ w Jᵀ C J, and the penalty alpha / Σw on the diagonal of the weights;
J = d raw / d theta, C = Rᵀ R = d delta / d raw, so Jᵀ C J is a product of rows of R J.
Residuals (squared error only): sqrt(scale w) (raw - y), output by output, and after them
sqrt(alpha / Σw) theta over the penalised weights: the cost is half the sum of their squares.
Everything is worked off in blocks of starts and examples; what a block holds, temporaries
included, stays within the memory budget.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from symbreak.arrays import Array, alike, as_numpy, cuts, empty_like, itemsize, namespace, quiet
from symbreak.errors import InvalidInput, InvalidType
from symbreak.losses import SquaredError
from symbreak.network import Network
from symbreak.objectives.blocking import plan
from symbreak.objectives.examples import Examples
from symbreak.objectives.kernel_task import KernelTask
from symbreak.objectives.penalty import add_penalty
from symbreak.objectives.weighted_pass import losses_and_deltas_, weighted_backward, weighted_sum
from symbreak.propagation.curvature import (
    gauss_newton_gradient,
    hessian_gradient,
    jacobian,
    tangent,
)
from symbreak.propagation.forward import forward_blocks
from symbreak.propagation.workspace import (
    Layers,
    Workspace,
    numbers_per_pair,
    numbers_per_start,
)

# Strips of rows of a Gauss-Newton matrix: half of it need not be computed, and
# little is held beside it.
STRIPS = 4


class Piece(NamedTuple):
    """A block of starts and examples after its forward pass.

    Attributes
    ----------
    starts, place : which starts, and where the examples stand among all.
    weights : None, (m,) or (s, m).
    """

    starts: slice
    place: slice
    layers: Layers
    examples: Examples
    weights: Array | None

    @property
    def raw(self) -> Array:
        """The output before the link, (s, outputs, m)."""
        return self.layers.output.z

    def weighted(self, delta: Array) -> Array:
        """Return w delta, for delta (s, outputs, m)."""
        return delta if self.weights is None else delta * _per_output(self.weights)


class Curvature:
    """Second derivatives of the cost of a network."""

    def __init__(self, task: KernelTask) -> None:
        self.network, self.examples = task.network, task.examples
        self.scale, self.strength = task.scale, task.strength
        self.memory_budget = task.memory_budget

    @quiet
    def hessian_product(self, theta: Array, v: Array) -> Array:
        """Return H v, (s, n)."""
        loss = self.network.loss

        def block(piece: Piece, V: tuple[Array, ...]) -> list[Array]:
            layers, raw, (rows, target, _) = piece.layers, piece.raw, piece.examples.parts
            Rz = tangent(layers, V, rows.T)
            Rdelta = piece.weighted(loss.curvature_product(raw, target, Rz[-1]))
            losses_and_deltas_(loss, raw, target, piece.weights)
            return hessian_gradient(layers, V, Rz, raw, Rdelta, rows)

        return self._product(theta, v, block)

    @quiet
    def gauss_newton_product(self, theta: Array, v: Array) -> Array:
        """Return G v, (s, n)."""
        loss = self.network.loss

        def block(piece: Piece, V: tuple[Array, ...]) -> list[Array]:
            rows, target, _ = piece.examples.parts
            Rraw = tangent(piece.layers, V, rows.T)[-1]
            Rdelta = piece.weighted(loss.curvature_product(piece.raw, target, Rraw))
            return gauss_newton_gradient(piece.layers, Rdelta, rows)

        return self._product(theta, v, block)

    @quiet
    def gauss_newton(self, theta: Array) -> tuple[Array, Array, Array]:
        """Return J, its gradient and G."""
        (s, n), xp = theta.shape, namespace(theta)
        kept = s * n * (n + 1) + n * _strip_rows(n)
        size = self._plan(theta, kept, f"the Gauss-Newton matrices of {s} starts")
        value, gradient = xp.zeros_like(theta[:, 0]), xp.zeros_like(theta)
        G = _zeros(theta, (s, n, n))
        room = empty_like(theta, size[0] * size[1] * n * self.network.n_outputs)
        for piece in self._pieces(theta, *size):
            RJ = self._jacobian(piece, room)
            RJ = xp.reshape(RJ, (*RJ.shape[:2], -1))
            _add_products(G[piece.starts, ...], RJ)
            self._add_gradient(piece, value[piece.starts], gradient[piece.starts, :])
        _mirror(G)
        G *= self.scale
        if self.strength is not None:
            diagonal = xp.reshape(G, (s, n * n))[:, :: n + 1]
            diagonal += self.strength
        value *= self.scale
        gradient *= self.scale
        if self.strength is not None:
            add_penalty(self.strength, theta, value, gradient)
        return value, gradient, G

    @quiet
    def residuals(self, theta: Array) -> Array:
        """Return r, (s, m * outputs and one for each penalised weight)."""
        self._check_squared_error("residuals")
        s, count, xp = theta.shape[0], self._n_residuals, namespace(theta)
        size = self._plan(theta, s * count, f"the {count} residuals of {s} starts")
        residuals = empty_like(theta, (s, count))
        of_outputs = self._of_outputs(residuals)
        for piece in self._pieces(theta, *size):
            apart = (piece.raw - piece.examples.target) * self._root_of_weights(piece)
            of_outputs[piece.starts, :, piece.place] = apart
        if self.strength is not None:
            at = self._penalised
            of_penalty = theta * xp.sqrt(self.strength)
            residuals[:, -at.shape[0] :] = xp.take(of_penalty, at, axis=1)
        return residuals

    @quiet
    def jacobian(self, theta: Array) -> Array:
        """Return d r / d theta, (s, residuals, n)."""
        self._check_squared_error("jacobian")
        (s, n), count, xp = theta.shape, self._n_residuals, namespace(theta)
        size = self._plan(theta, s * count * n, f"the Jacobians, {count} x {n}, of {s} starts")
        jacobians = empty_like(theta, (s, count, n))
        of_outputs = self._of_outputs(jacobians)
        room = empty_like(theta, size[0] * size[1] * n * self.network.n_outputs)
        for piece in self._pieces(theta, *size):
            found = self._jacobian(piece, room)
            found *= math.sqrt(self.scale)
            of_outputs[piece.starts, :, piece.place, :] = xp.permute_dims(found, (0, 2, 3, 1))
        if self.strength is not None:
            at = self._penalised
            jacobians[:, -at.shape[0] :, :] = 0.0
            first = count - at.shape[0]
            for place, entry in enumerate(as_numpy(at).tolist(), start=first):
                jacobians[:, place, entry] = xp.sqrt(self.strength[..., entry])
        return jacobians

    def _product(
        self, theta: Array, v: Array, block: Callable[[Piece, tuple[Array, ...]], list[Array]]
    ) -> Array:
        """Return the sum of `block` over all pieces, and the penalty's part."""
        xp, network = namespace(theta), self.network
        product = xp.zeros_like(theta)
        # Beside the workspace: v, and the parts of a product before they are one vector.
        size = plan(
            network, theta, len(self.examples), self.memory_budget,
            more_per_start=2 * network.n_parameters, more_per_pair=_temporaries(network),
        )  # fmt: skip
        for piece in self._pieces(theta, *size):
            matrices = block(piece, network.thetas(v[piece.starts, :]))
            product[piece.starts, :] += _unrolled(matrices)
        product *= self.scale
        if self.strength is not None:
            product += v * self.strength
        return product

    def _pieces(self, theta: Array, starts: int, examples: int) -> Iterator[Piece]:
        workspace = Workspace(self.network, starts, examples, theta)
        for here in cuts(theta.shape[0], starts):
            stack = theta[here, :]
            parts = self.examples.cut(examples)
            passes = forward_blocks(workspace, stack, (part.rows_T for part in parts))
            first = 0
            for part, layers in zip(parts, passes, strict=True):
                weights = part.weights_of(here.start, stack.shape[0])
                yield Piece(here, slice(first, first + len(part)), layers, part, weights)
                first += len(part)

    def _jacobian(self, piece: Piece, room: Array) -> Array:
        """Return d (sqrt(w) R raw) / d theta, (s, n, outputs, m), in `room`."""
        root = self.network.loss.curvature_root(piece.raw, piece.examples.target)
        if piece.weights is not None:
            of_weights = namespace(root).sqrt(piece.weights)
            root *= of_weights if of_weights.ndim == 1 else of_weights[:, None, None, :]
        s, r, _, m = root.shape
        n = self.network.n_parameters
        out = namespace(room).reshape(room[: s * n * r * m], (s, n, r, m))
        jacobian(piece.layers, root, piece.examples.rows_T, out)
        return out

    def _add_gradient(self, piece: Piece, value: Array, gradient: Array) -> None:
        """Add Σ w loss and its gradient; uses up what the forward pass left."""
        losses = weighted_backward(
            self.network.loss, piece.layers, piece.examples, piece.weights, accumulate=False
        )
        value += weighted_sum(losses, piece.weights)
        gradient += _unrolled([layer.gradient for layer in piece.layers.all])

    def _root_of_weights(self, piece: Piece) -> Array | float:
        scale = math.sqrt(self.scale)
        if piece.weights is None:
            return scale
        return scale * _per_output(namespace(piece.weights).sqrt(piece.weights))

    @property
    def _n_residuals(self) -> int:
        penalised = 0 if self.strength is None else self._penalised.shape[0]
        return len(self.examples) * self.network.n_outputs + penalised

    @property
    def _penalised(self) -> Array:
        """The indices of theta that the penalty of any start is on."""
        assert self.strength is not None
        is_any = (as_numpy(self.strength) > 0).reshape(-1, self.network.n_parameters).any(0)
        return alike(np.flatnonzero(is_any), self.examples.target)

    def _of_outputs(self, residuals: Array) -> Array:
        """Return the part of (s, residuals, ...) that no penalty makes as (s, outputs, m, ...)."""
        m, outputs = len(self.examples), self.network.n_outputs
        s, _, *rest = residuals.shape
        part = residuals[:, : outputs * m, ...]
        return namespace(residuals).reshape(part, (s, outputs, m, *rest))

    def _plan(self, theta: Array, kept: int, what: str) -> tuple[int, int]:
        """Return (starts, examples) of a block of Jacobians beside so many numbers kept.

        Raises
        ------
        InvalidInput
            These numbers and a block of one start and one example are over the budget.
        """
        network = self.network
        wide = max(network.layers[1:])
        # The rows themselves, their deltas in two layers, and slopes; a gradient of the block.
        more_per_pair = network.n_outputs * (network.n_parameters + 2 * wide) + 2 * wide
        size = itemsize(theta)
        more_per_start = network.n_parameters
        block = numbers_per_start(network) + more_per_start + numbers_per_pair(network)
        block += more_per_pair
        needed = size * (kept + block)
        if needed > self.memory_budget:
            raise InvalidInput(
                f"memory_budget of NetworkCost must be at least {needed} bytes for {what}. "
                f"Got {self.memory_budget}. Raise it, take fewer starts at a time, or use a method "
                f"without matrices, such as 'l-bfgs' or 'newton-cg'."
            )
        spare = self.memory_budget - size * kept
        return plan(
            network, theta, len(self.examples), spare,
            more_per_start=more_per_start, more_per_pair=more_per_pair,
        )  # fmt: skip

    def _check_squared_error(self, what: str) -> None:
        if not isinstance(self.network.loss, SquaredError):
            raise InvalidType(
                f"{what} of NetworkCost needs the loss 'squared_error'. "
                f"Got {self.network.loss.name!r}. Use gauss_newton(theta)."
            )


def _per_output(weights: Array) -> Array:
    """Return weights (m,) or (s, m) so that they multiply (s, outputs, m)."""
    return weights if weights.ndim == 1 else weights[:, None, :]


def _unrolled(matrices: Sequence[Array]) -> Array:
    """Return matrices (s, u, 1 + v), one after the other, as (s, n)."""
    xp, s = namespace(matrices[0]), matrices[0].shape[0]
    return xp.concat([xp.reshape(matrix, (s, -1)) for matrix in matrices], axis=1)


def _add_products(G: Array, RJ: Array) -> None:
    """Add RJ RJ^T to G (s, n, n), left of its diagonal and on it; the rest is its mirror."""
    for strip, left in _strips(G.shape[1]):
        for G_of_start, RJ_of_start in zip(_each(G), _each(RJ), strict=True):
            block = G_of_start[strip, left]
            block += RJ_of_start[strip, :] @ RJ_of_start[left, :].mT


def _mirror(G: Array) -> None:
    """Copy what is left of the diagonal of G to the right of it, start by start, strip by strip."""
    for G_of_start in _each(G):
        for strip, _ in _strips(G.shape[1]):
            above = slice(0, strip.start)
            G_of_start[above, strip] = G_of_start[strip, above].mT


def _zeros(theta: Array, shape: tuple[int, ...]) -> Array:
    room = empty_like(theta, shape)
    room[...] = 0.0
    return room


def _each(stack: Array) -> Iterator[Array]:
    return (stack[start, ...] for start in range(stack.shape[0]))


def _strip_rows(n: int) -> int:
    return -(-n // STRIPS)


def _strips(n: int) -> list[tuple[slice, slice]]:
    """Return (rows, columns) of strips that cover a symmetric matrix up to its diagonal."""
    size = _strip_rows(n)
    return [
        (slice(first, min(first + size, n)), slice(0, min(first + size, n)))
        for first in range(0, n, size)
    ]


def _temporaries(network: Network) -> int:
    """Return how many numbers a product holds for each start and example beside its workspace."""
    units, wide = sum(network.layers[1:]), max(network.layers[1:])
    return 2 * units + 8 * wide  # R{z}; then slope, bend, deltas and their derivatives of one layer
