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

import torch
from torch import Tensor

from symbreak.arrays import as_dtype, as_tensor
from symbreak.errors import InvalidInput
from symbreak.network import Network
from symbreak.objectives.stacks import Stacked, as_stack
from symbreak.parameters import Block


@dataclass(frozen=True, eq=False)
class Penalty(Stacked):
    """The penalty as a term of J, and as an objective of its own.

    Attributes
    ----------
    blocks : the parts of theta.
    strength : (n,) or (starts, n), see the head of the module.
    """

    blocks: Sequence[Block]
    strength: Tensor

    @property
    def dtype(self) -> torch.dtype:
        """The dtype that it computes in."""
        return self.strength.dtype

    def add_to(self, stack: Tensor, J: Tensor, gradient: Tensor | None) -> None:
        """Add it to J (starts,), and its part to the gradient (starts, n), in place."""
        slope = stack * self.strength
        J.add_(torch.linalg.vecdot(slope, stack), alpha=0.5)
        if gradient is not None:
            gradient += slope

    def _stack(self, theta: Any) -> Tensor:
        return as_stack(theta, self.blocks, self.dtype, self.strength.device)

    def _evaluate(self, stack: Tensor, gradient: Tensor | None) -> Tensor:
        J = stack.new_zeros(len(stack))
        if gradient is not None:
            gradient.zero_()
        self.add_to(stack, J, gradient)
        return J

    def take(self, starts: Any) -> Penalty:
        """Return that of these starts."""
        one_for_all = self.strength.dim() == 1
        return self if one_for_all else Penalty(self.blocks, self.strength[starts])

    def batch(self, rows: Any) -> Penalty:  # noqa: ARG002 - part of the contract
        """Return the penalty itself, which no example changes."""
        return self

    def to(self, dtype: Any) -> Penalty:
        """Return the same computed in another dtype."""
        return Penalty(self.blocks, self.strength.to(as_dtype(dtype)))


def check_alpha(alpha: Any, network: Network) -> Tensor:
    """Return alpha as a float64 tensor of 0, 1 or 2 dimensions.

    Raises
    ------
    InvalidInput
        Negative or not finite, or of a shape that fits no start or layer.
    """
    tensor = as_tensor(alpha, "alpha").to(torch.float64, copy=True)
    layers = len(network.blocks)
    if tensor.dim() > 2 or (tensor.dim() == 2 and tensor.shape[1] != layers):
        raise InvalidInput(
            f"alpha must be a number, or of shape (starts,) or (starts, {layers}). "
            f"Got shape {tuple(tensor.shape)}."
        )
    if not bool(torch.isfinite(tensor).all()) or bool((tensor < 0).any()):
        raise InvalidInput(f"alpha must be zero or a positive number. Got {alpha!r}.")
    return tensor


def strength(alpha: Tensor, network: Network, total: Tensor) -> Tensor:
    """Return alpha / Σw spread over the entries of theta, 0 on the biases; float64.

    Parameters
    ----------
    total : Σw, () or (starts,).
    """
    per_layer = alpha[..., None] if alpha.dim() < 2 else alpha
    per_layer = (per_layer / (total if total.dim() == 0 else total[:, None])).cpu()
    per_layer = per_layer.expand(*per_layer.shape[:-1], len(network.blocks))
    parts = []
    for layer, block in enumerate(network.blocks):
        is_weight = torch.ones(block.shape, dtype=torch.float64, device="cpu")
        is_weight[:, 0] = 0.0
        parts.append(per_layer[..., layer, None] * is_weight.reshape(-1))
    return torch.cat(parts, dim=-1)
