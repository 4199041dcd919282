"""Curvature of a `NetworkCost`: Hessian and Gauss-Newton products, matrices, residuals.

Conventions (those of `network_cost`)
-----------
theta, v : (starts, n);  H v : (starts, n);  Gauss-Newton matrix : (starts, n, n)
G = Σ w Jᵀ C J, and the penalty alpha / Σw on the diagonal of the weights;
J = d raw / d theta, C = d delta / d raw.
Residuals (squared error only): sqrt(w) (raw - y) and sqrt(alpha / Σw) theta over the weights, with
Σ w = 1, so that the cost is half the sum of their squares.
Everything is summed over blocks of examples, which are cut so that the temporaries of a block stay
within the memory budget.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from symbreak.errors import InvalidInput, InvalidType
from symbreak.losses import SquaredError
from symbreak.network import Network
from symbreak.objectives.blocking import plan
from symbreak.objectives.examples import Examples
from symbreak.propagation.backward import backward
from symbreak.propagation.curvature import (
    gauss_newton_gradient,
    hessian_gradient,
    jacobian,
    tangent,
)
from symbreak.propagation.forward import forward
from symbreak.propagation.workspace import Layers, Workspace, numbers_per_pair

TEMPORARIES = 4  # a product holds about so many times the numbers of a gradient
CACHE_NUMBERS = 2**19  # entries of a block of the Jacobian; half and twice are alike


@dataclass(frozen=True)
class Curvature:
    """Second derivatives of the cost of a network.

    Attributes
    ----------
    examples : with weights that sum to 1, or none.
    scale : what sums over examples are multiplied by: 1 / m, or 1 with weights.
    strength : alpha / Σw for each entry of theta, (n,) or (starts, n); None without penalty.
    memory_budget : bytes.
    """

    network: Network
    examples: Examples
    scale: Tensor
    strength: Tensor | None
    memory_budget: int

    def hessian_product(self, theta: Tensor, v: Tensor) -> Tensor:
        """Return H v, (starts, n)."""
        loss = self.network.loss

        def block(
            layers: Layers, V: tuple[Tensor, ...], part: Examples, w: Tensor | None
        ) -> list[Tensor]:
            Rz = tangent(layers, V, part.rows_T)
            raw = layers.output.z
            delta = raw.clone()
            loss.value_and_delta_(delta, part.target)
            Rdelta = loss.curvature_product(raw, part.target, Rz[-1])
            if w is not None:
                delta, Rdelta = delta * w, Rdelta * w
            return hessian_gradient(layers, V, Rz, delta, Rdelta, part.rows)

        return self._product(theta, v, block)

    def gauss_newton_product(self, theta: Tensor, v: Tensor) -> Tensor:
        """Return G v, (starts, n)."""
        loss = self.network.loss

        def block(
            layers: Layers, V: tuple[Tensor, ...], part: Examples, w: Tensor | None
        ) -> list[Tensor]:
            Rraw = tangent(layers, V, part.rows_T)[-1]
            Rdelta = loss.curvature_product(layers.output.z, part.target, Rraw)
            return gauss_newton_gradient(layers, Rdelta if w is None else Rdelta * w, part.rows)

        return self._product(theta, v, block)

    def gauss_newton(self, theta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return J without penalty, its gradient and G with penalty, each as a sum over blocks."""
        s, n = theta.shape
        self._check_room(s * n * n, f"the Gauss-Newton matrices of {s} starts of {n} parameters")
        G = theta.new_zeros(s, n, n)
        gradient = torch.zeros_like(theta)
        value = theta.new_zeros(s)
        for starts, layers, part, w in self._blocks(theta, self._jacobian_examples(theta)):
            raw = layers.output.z
            root = self.network.loss.curvature_root(raw, part.target)
            if w is not None:
                root *= w.sqrt()[:, None] if w.dim() == 3 else w.sqrt()
            rows = jacobian(layers, root, part.rows)
            G[starts].baddbmm_(rows, rows.transpose(1, 2))
            losses = self.network.loss.value_and_delta_(raw, part.target)
            if w is not None:
                raw *= w
                losses = losses * (w[:, 0] if w.dim() == 3 else w)
            value[starts] += losses.sum(1)
            backward(layers, part.rows, accumulate=False)
            gradient[starts] += torch.cat([g.gradient.flatten(1) for g in layers.all], dim=1)
        G *= self.scale
        if self.strength is not None:
            torch.diagonal(G, dim1=1, dim2=2).add_(self.strength)
        return value * self.scale, gradient * self.scale, G

    def residuals(self, theta: Tensor) -> Tensor:
        """Return r (starts, m * outputs, and n with a penalty): the cost is ½ Σ r²."""
        self._check_squared_error("residuals")
        found = []
        for _, layers, part, w in self._blocks(theta, len(self.examples)):
            apart = layers.output.z - part.target
            found.append(apart.flatten(1) if w is None else (apart * w.sqrt()).flatten(1))
        residuals = torch.cat(found) * self.scale.sqrt()
        if self.strength is None:
            return residuals
        return torch.cat([residuals, theta * self.strength.sqrt()], dim=1)

    def jacobian(self, theta: Tensor) -> Tensor:
        """Return d r / d theta, (starts, residuals, n)."""
        self._check_squared_error("jacobian")
        s, n = theta.shape
        count = len(self.examples) * self.network.n_outputs
        self._check_room(s * n * count, f"the Jacobians of {s} starts, {count} x {n} each")
        found = []
        for _, layers, part, w in self._blocks(theta, len(self.examples)):
            root = self.network.loss.curvature_root(layers.output.z, part.target)
            if w is not None:
                root *= w.sqrt()[:, None] if w.dim() == 3 else w.sqrt()
            found.append(jacobian(layers, root, part.rows))
        rows = torch.cat(found).transpose(1, 2) * self.scale.sqrt()
        if self.strength is None:
            return rows
        penalty = torch.diag_embed(self.strength.sqrt().expand(s, n))
        return torch.cat([rows, penalty], dim=1)

    def _product(
        self,
        theta: Tensor,
        v: Tensor,
        block: Callable[[Layers, tuple[Tensor, ...], Examples, Tensor | None], list[Tensor]],
    ) -> Tensor:
        """Return the sum of `block` over all starts and examples, and the penalty's part."""
        product = torch.zeros_like(theta)
        size = plan(self.network, theta, len(self.examples), self.memory_budget // TEMPORARIES)
        for starts, layers, part, w in self._blocks(theta, size[1], size[0]):
            matrices = block(layers, self.network.thetas(v[starts]), part, w)
            product[starts] += torch.cat([matrix.flatten(1) for matrix in matrices], dim=1)
        product *= self.scale
        return product if self.strength is None else product.addcmul_(v, self.strength)

    def _blocks(
        self, theta: Tensor, examples: int, starts: int | None = None
    ) -> Iterator[tuple[slice, Layers, Examples, Tensor | None]]:
        """Yield layers after a forward pass: blocks of starts, and of examples within them.

        The weights are given as (m,), or (starts, 1, m) where each start has its own.
        """
        starts = len(theta) if starts is None else starts
        examples = min(examples, len(self.examples))
        workspace = Workspace(self.network, starts, examples, theta.dtype, theta.device)
        for begin in range(0, len(theta), starts):
            of_starts = slice(begin, min(begin + starts, len(theta)))
            stack = theta[of_starts]
            for part in self.examples.cut(examples):
                layers = workspace.layers(len(stack), len(part))
                layers.load(stack)
                forward(layers, part.rows_T)
                w = part.weights
                yield (
                    of_starts,
                    layers,
                    part,
                    w[of_starts, None] if w is not None and w.dim() == 2 else w,
                )

    def _jacobian_examples(self, theta: Tensor) -> int:
        """Return how many examples a block of the Jacobian has, to fit cache and budget."""
        s, n = theta.shape
        per_example = s * (n + numbers_per_pair(self.network)) * self.network.n_outputs
        spare = self.memory_budget // theta.element_size() - s * n * n
        return max(1, min(max(CACHE_NUMBERS, 16 * per_example), spare) // per_example)

    def _check_room(self, numbers: int, what: str) -> None:
        needed = numbers * self.scale.element_size()
        if needed > self.memory_budget:
            raise InvalidInput(
                f"memory_budget must be at least {needed} bytes for {what}. "
                f"Got {self.memory_budget}. Take fewer starts at a time, or a method that needs "
                f"no matrices, such as 'l-bfgs'."
            )

    def _check_squared_error(self, what: str) -> None:
        if not isinstance(self.network.loss, SquaredError):
            raise InvalidType(
                f"{what} of NetworkCost needs the loss 'squared_error'. "
                f"Got {self.network.loss.name!r}. Use gauss_newton(theta)."
            )
