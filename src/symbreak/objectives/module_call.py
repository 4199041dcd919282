"""J of a module at theta: a functional call, one start at a time or stacked by vmap.

Conventions
-----------
theta : (n,) for `single`, (starts, n) for `stacked`;  J : () or (starts,).
Every call gets its own copies of parameters and buffers, so that nothing of it stays in the module:
what a layer keeps for itself (running statistics, a renormalised embedding) is dropped with them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, vjp, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from symbreak.errors import SymbreakError
from symbreak.objectives.containers import mapped, tensors_of
from symbreak.objectives.module_data import check_scalar
from symbreak.objectives.module_parameters import named_views
from symbreak.parameters import Block

Step = Callable[[nn.Module, Any], Any]
_PREFIX = "module."


class _Stepped(nn.Module):
    """A module whose call is the step: so a functional call replaces the parameters within it."""

    def __init__(self, module: nn.Module, step: Step) -> None:
        super().__init__()
        self.module = module
        # In a tuple, since a step that is a module must not become a part of this one.
        self._step = (step,)

    def forward(self, batch: Any) -> Tensor:
        """Return J."""
        return check_scalar(self._step[0](self.module, batch))


class ModuleCall:
    """Evaluates J and its gradient.

    Parameters
    ----------
    module : is left as it is found.
    step : (module, batch) -> scalar.
    batch : the containers in it are copied for each call; a step may empty them.
    blocks : the parameters that theta holds.
    """

    def __init__(self, module: nn.Module, step: Step, batch: Any, blocks: Sequence[Block]) -> None:
        self.batch = batch
        self._stepped = _Stepped(module, step)
        self._blocks = blocks
        self._buffers = {_PREFIX + name: b for name, b in module.named_buffers()}
        self._needs_graph = False

    def on(self, batch: Any) -> ModuleCall:
        """Return the same on another batch."""
        other = object.__new__(ModuleCall)
        other.__dict__.update(self.__dict__)
        other.batch = batch
        return other

    def single(self, theta: Tensor, gradient: Tensor | None = None) -> Tensor:
        """Return J of one start and write its gradient (n,), if one is wanted."""
        if gradient is None:
            return self._single_value(theta)
        named = {name: p.requires_grad_() for name, p in self._parameters(theta).items()}
        with torch.inference_mode(False), torch.enable_grad():
            J = self._called({**named, **self._own_buffers()})
            parts: Sequence[Tensor | None] = [None] * len(named)
            if J.requires_grad:
                parts = torch.autograd.grad(J, list(named.values()), allow_unused=True)
        for block, part in zip(self._blocks, parts, strict=True):
            dense = part.to_dense() if part is not None and part.is_sparse else part
            gradient[block.slice] = 0.0 if dense is None else dense.reshape(-1)
        return J.detach().to(theta.dtype)

    def stacked(
        self, theta: Tensor, gradient: Tensor | None = None, *, buffers: bool, graph: bool = False
    ) -> Tensor:
        """Return J of all starts by vmap and write their gradients, if they are wanted.

        Parameters
        ----------
        buffers : whether every start gets buffers of its own, which what is written in place needs.
        graph : build the graph where only J is wanted: recurrent layers can be stacked only so.
        """
        named, own = self._parameters(theta), self._own_buffers()
        if buffers:
            own = {name: b.expand(len(theta), *b.shape).clone() for name, b in own.items()}
        in_dims = (0, 0 if buffers else None)

        def cost(parameters: dict[str, Tensor], own: dict[str, Tensor]) -> Tensor:
            return self._called({**parameters, **own})

        def cost_with_graph(parameters: dict[str, Tensor], own: dict[str, Tensor]) -> Tensor:
            J: Tensor = vjp(lambda given: cost(given, own), parameters)[0]
            return J

        with _stackable(), torch.inference_mode(False):
            if gradient is None:
                called = cost_with_graph if graph else cost
                with torch.set_grad_enabled(graph):
                    J: Tensor = vmap(called, in_dims, randomness="different")(named, own)
            else:
                both = vmap(grad_and_value(cost), in_dims, randomness="different")
                with torch.enable_grad():
                    parts, J = both(named, own)
        if gradient is not None:
            for block in self._blocks:
                gradient[:, block.slice] = parts[_PREFIX + block.name].reshape(len(theta), -1)
        return J.detach().to(theta.dtype)

    def bytes_of_graph(self, theta: Tensor) -> int:
        """Return how many bytes autograd keeps for one start, beside parameters and data."""
        kept: dict[int, int] = {}

        def note(tensor: Tensor) -> Tensor:
            storage = tensor.untyped_storage()
            kept[storage.data_ptr()] = storage.nbytes()
            return tensor

        named = {name: p.requires_grad_() for name, p in self._parameters(theta).items()}
        given = {**named, **self._own_buffers()}
        with (
            torch.inference_mode(False),
            torch.enable_grad(),
            torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor),
        ):
            self._called(given)
        frozen = self._stepped.parameters()
        for tensor in (*given.values(), *frozen, *tensors_of(self.batch)):
            kept.pop(tensor.untyped_storage().data_ptr(), None)
        return sum(kept.values())

    def _single_value(self, theta: Tensor) -> Tensor:
        if not self._needs_graph:
            try:
                with torch.no_grad():
                    given = {**self._parameters(theta), **self._own_buffers()}
                    return self._called(given).detach().to(theta.dtype)
            except SymbreakError:
                raise
            except RuntimeError:
                pass  # a step that takes derivatives needs the graph; any other fails again below
        with torch.inference_mode(False), torch.enable_grad():
            named = {name: p.requires_grad_() for name, p in self._parameters(theta).items()}
            J = self._called({**named, **self._own_buffers()}).detach().to(theta.dtype)
        self._needs_graph = True
        return J

    def _called(self, given: dict[str, Tensor]) -> Tensor:
        with _attributes_kept(self._stepped), _plain_attention():
            batch = mapped(self.batch, lambda leaf: leaf)
            J: Tensor = functional_call(self._stepped, given, (batch,))
        return J

    def _parameters(self, theta: Tensor) -> dict[str, Tensor]:
        with torch.inference_mode(False):
            own = theta.detach().clone()
            views = named_views(own, self._blocks)
            return {_PREFIX + name: view.detach() for name, view in views.items()}

    def _own_buffers(self) -> dict[str, Tensor]:
        with torch.inference_mode(False):
            return {name: buffer.clone() for name, buffer in self._buffers.items()}


@contextmanager
def _attributes_kept(module: nn.Module) -> Iterator[None]:
    """Give every part of the module back the attributes that it had."""
    parts = [(part, dict(vars(part))) for part in module.modules()]
    try:
        yield
    finally:
        for part, attributes in parts:
            vars(part).clear()
            vars(part).update(attributes)


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Compute attention alike with and without a graph, so that J is the same in both."""
    was = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(was)


@contextmanager
def _stackable() -> Iterator[None]:
    """Take the kernels that vmap can stack; do without the others silently."""
    with warnings.catch_warnings(), sdpa_kernel(SDPBackend.MATH):
        warnings.filterwarnings("ignore", message="There is a performance drop")
        yield
