"""The L2 penalty: alpha / (2 Σw) Σ theta², biases excluded.

Conventions
-----------
alpha : a number; (starts,) one for each start; (starts, layers) one for each start and matrix.
`strength` : (n,) or (starts, n), alpha on every weight and 0 on every bias, divided by Σw; then
penalty = ½ Σ strength theta² and its gradient = strength theta.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays import (
    Array,
    as_array,
    as_numpy,
    cast,
    dots,
    dtype_word,
    namespace,
    picked,
    quiet,
)
from symbreak.errors import InvalidInput
from symbreak.network import Network
from symbreak.objectives.input_checks import check_indices
from symbreak.objectives.stacks import Stacked, as_kind, as_stack
from symbreak.parameters import Block

Floats = NDArray[np.float64]


def add_penalty(strength: Array, stack: Array, J: Array, gradient: Array | None) -> None:
    """Add the penalty to J (starts,), and its part to the gradient (starts, n), in place."""
    slope = stack * strength
    J += 0.5 * dots(slope, stack)
    if gradient is not None:
        gradient += slope


@dataclass(frozen=True, eq=False)
class Penalty(Stacked):
    """The penalty as a term of J, and as an objective of its own.

    Attributes
    ----------
    blocks : the parts of theta.
    strength : (n,) or (starts, n), see the head of the module.
    """

    blocks: Sequence[Block]
    strength: Array

    @property
    def dtype(self) -> Any:
        """The dtype that it computes in."""
        return self.strength.dtype

    def stack(self, theta: Any) -> Array:
        """Return theta as a stack, checked."""
        return as_stack(theta, self.blocks, self.strength)

    def evaluate(self, stack: Array, gradient: Array | None) -> Array:
        """Return J (starts,) of a stack and write its gradient, if one is wanted."""
        return as_kind(self.strength, self._evaluate, stack, gradient)

    @quiet
    def _evaluate(self, stack: Array, gradient: Array | None) -> Array:
        J = namespace(stack).zeros_like(stack[:, 0])
        if gradient is not None:
            gradient[...] = 0.0
        add_penalty(self.strength, stack, J, gradient)
        return J

    def take(self, starts: Any) -> Penalty:
        """Return that of these starts."""
        one_for_all = self.strength.ndim == 1
        if one_for_all:
            return self
        index = check_indices(starts, self.strength.shape[0], "starts of take", "start")
        return Penalty(self.blocks, picked(self.strength, index, 0))

    def batch(self, rows: Any) -> Penalty:  # noqa: ARG002 - part of the contract
        """Return the penalty itself, which no example changes."""
        return self

    def to(self, dtype: Any) -> Penalty:
        """Return the same computed in another dtype."""
        return Penalty(self.blocks, cast(self.strength, dtype_word(dtype)))


def check_alpha(alpha: Any, network: Network) -> Floats:
    """Return alpha in float64 of NumPy, of 0, 1 or 2 dimensions.

    Raises
    ------
    InvalidInput
        Negative or not finite, or of a shape that fits no start or layer.
    """
    array = as_numpy(as_array(alpha, "alpha")).astype(np.float64)
    layers = len(network.blocks)
    if array.ndim > 2 or (array.ndim == 2 and array.shape[1] != layers):
        raise InvalidInput(
            f"alpha must be a number, or of shape (starts,) or (starts, {layers}). "
            f"Got shape {array.shape}."
        )
    if not (np.isfinite(array) & (array >= 0)).all():
        raise InvalidInput(f"alpha must be zero or a positive number. Got {alpha!r}.")
    return array


def strength(alpha: Floats, network: Network, total: Floats) -> Floats:
    """Return alpha / Σw spread over the entries of theta, 0 on the biases; float64.

    Parameters
    ----------
    total : Σw, () or (starts,).
    """
    per_layer = (alpha if alpha.ndim == 2 else alpha[..., None]) / total[..., None]
    lead = per_layer.shape[:-1]
    per_layer = np.broadcast_to(per_layer, (*lead, len(network.blocks)))
    spread = np.zeros((*lead, network.n_parameters))
    for layer, block in enumerate(network.blocks):
        of_layer = spread[..., block.slice].reshape(*lead, *block.shape)
        of_layer[..., 1:] = per_layer[..., layer, None, None]
    return spread
