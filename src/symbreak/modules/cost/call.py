"""J of a module at theta: one start as in a training step, or a stack of them by vmap.

Conventions
-----------
theta : (n,) for `single`, (starts, n) for `stacked`;  J : () or (starts,).
One start is written into the module, which belongs to the cost alone, and J goes backward while it
is there: so a backward pass that calls the module again (checkpoints, adjoints, reversible layers)
or asks it for its parameters meets theta. A stack stands in for the parameters in a functional
call, and is gone when that returns; meanwhile the module itself holds NaN.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, vjp, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from symbreak.errors import InvalidInput, SymbreakError
from symbreak.modules.containers import mapped, tensors_of
from symbreak.modules.cost.backward import gradients, leaves
from symbreak.modules.cost.data import as_leaves, check_scalar
from symbreak.modules.cost.frozen import Frozen
from symbreak.modules.cost.memory import bytes_of_graph
from symbreak.modules.cost.parameters import named_views
from symbreak.modules.cost.state import attributes_kept, forget, holding, plain_attention
from symbreak.modules.hooks import has_scripted_parts
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
        return check_scalar(self._step[0](self.module, mapped(batch, lambda leaf: leaf)))


class ModuleCall:
    """Evaluates J and its gradient.

    Parameters
    ----------
    module : gets theta written into it; all else is left as it is found.
    original : what it is a copy of, which J must not depend on in its place.
    step : (module, batch) -> scalar.
    batch : the containers in it are copied for each call; a step may empty them.
    blocks : the parameters that theta holds.
    """

    def __init__(
        self,
        module: nn.Module,
        original: nn.Module,
        step: Step,
        batch: Any,
        blocks: Sequence[Block],
    ) -> None:
        self.batch = as_leaves(batch)
        self._original = original
        self._stepped = _Stepped(module, step)
        self._blocks = blocks
        named = dict(module.named_parameters())
        self._trained = [named[block.name] for block in blocks]
        self._frozen = Frozen(module, blocks)
        self._needs_graph = False
        self._is_own = False

    def on(self, batch: Any) -> ModuleCall:
        """Return the same on another batch."""
        other = copy.copy(self)
        other.batch = as_leaves(batch)
        return other

    @property
    def can_be_stacked(self) -> bool:
        """Whether vmap may be tried.

        The code of scripted modules is out of its reach, and frozen parameters that are written
        could keep what they got in it.
        """
        return not has_scripted_parts(self._stepped) and not self._frozen.are_written

    def single(self, theta: Tensor, gradient: Tensor | None = None) -> Tensor:
        """Return J of one start and write its gradient (n,), if one is wanted."""
        if gradient is None:
            return self._single_value(theta)
        with self._holding(theta), torch.enable_grad():
            J: Tensor = self._stepped(self.batch)
            parts = gradients(J, self._trained)
        self._check_own(J, parts)
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
        named, own = self._parameters(theta), self._own_buffers(len(theta) if buffers else None)
        in_dims = (0, 0 if buffers else None)
        forget(self._trained)

        def cost(parameters: dict[str, Tensor], own: dict[str, Tensor]) -> Tensor:
            with attributes_kept(self._stepped):
                J: Tensor = functional_call(self._stepped, {**parameters, **own}, (self.batch,))
            return J

        def cost_with_graph(parameters: dict[str, Tensor], own: dict[str, Tensor]) -> Tensor:
            J: Tensor = vjp(lambda given: cost(given, own), parameters)[0]
            return J

        kept = self._frozen.kept(theta[0])
        with kept, _stackable(), plain_attention(), torch.inference_mode(False):
            if gradient is None:
                called = cost_with_graph if graph else cost
                with torch.set_grad_enabled(graph):
                    J: Tensor = vmap(called, in_dims, randomness="different")(named, own)
            else:
                both = vmap(grad_and_value(cost), in_dims, randomness="different")
                with torch.enable_grad():
                    parts, J = both(named, own)
        if gradient is not None:
            rows = [parts[_PREFIX + block.name].reshape(len(theta), -1) for block in self._blocks]
            torch.cat(rows, dim=1, out=gradient)
        return J.detach().to(theta.dtype)

    def bytes_of_graph(self, theta: Tensor) -> int:
        """Return how many bytes autograd keeps for one start, beside parameters and data."""
        module = self._stepped
        with self._holding(theta), torch.enable_grad():
            return bytes_of_graph(
                lambda: module(self.batch),
                lambda: [*module.parameters(), *module.buffers(), *tensors_of(self.batch)],
            )

    def _check_own(self, J: Tensor, parts: Sequence[Tensor | None]) -> None:
        """Refuse, in the first call, a J that depends on the original and not on the copy."""
        if self._is_own:
            return
        used = {id(leaf) for leaf in leaves(J)}
        named = dict(self._original.named_parameters())
        for block, part in zip(self._blocks, parts, strict=True):
            if part is None and id(named[block.name]) in used:
                raise InvalidInput(
                    "module and step of ModuleCost must use the module that they are called with, "
                    f"which is a copy. Got a J that depends on {block.name} of the original. What "
                    "holds the original, such as a lambda, must be a method or functools.partial."
                )
        self._is_own = True

    def _single_value(self, theta: Tensor) -> Tensor:
        if not self._needs_graph:
            try:
                with self._holding(theta), torch.no_grad():
                    return self._J().to(theta.dtype)
            except SymbreakError:
                raise
            except (RuntimeError, UserWarning):
                # A step that takes derivatives needs the graph, and reentrant checkpoints warn
                # without; whatever else it is comes again below.
                pass
        with self._holding(theta), torch.enable_grad():
            J = self._J().to(theta.dtype)
        self._needs_graph = True
        return J

    def _J(self) -> Tensor:
        J: Tensor = self._stepped(self.batch)
        return J.detach()

    @contextmanager
    def _holding(self, theta: Tensor) -> Iterator[None]:
        values = named_views(theta, self._blocks).values()
        held = holding(self._stepped.module, self._trained, values)
        with self._frozen.kept(theta), held, plain_attention():
            yield

    def _parameters(self, theta: Tensor) -> dict[str, Tensor]:
        with torch.inference_mode(False):
            own = theta.detach().clone()
            views = named_views(own, self._blocks)
            return {_PREFIX + name: view.detach() for name, view in views.items()}

    def _own_buffers(self, starts: int | None) -> dict[str, Tensor]:
        """Return copies of the buffers, one for all starts or one for each."""
        lead = () if starts is None else (starts,)
        named = self._stepped.named_buffers()
        with torch.inference_mode(False):
            return {name: b.expand(*lead, *b.shape).clone() for name, b in named}


@contextmanager
def _stackable() -> Iterator[None]:
    """Take the kernels that vmap can stack; do without the others silently."""
    with warnings.catch_warnings(), sdpa_kernel(SDPBackend.MATH):
        warnings.filterwarnings("ignore", message="There is a performance drop")
        yield
