"""J of a module on the same batch once more, forward and backward, on copies of it.

What detectors ask of a copy whose parameters are as they were is one thing for all of them: it is
run as often as the one that asks for most passes needs, and the others read what it showed.

The same module with random parameters: what holds there too is not the fault of the start.
Attention over one token never moves its queries, recurrence over one step never moves what reads
the state: a batch, or a module, that gives a parameter no gradient gives it none at generic
parameters either (all but a set of measure zero).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from symbreak.errors import InvalidInput
from symbreak.modules.containers import mapped_tensors, tensors_of
from symbreak.modules.cost.call import Step
from symbreak.modules.cost.data import check_scalar
from symbreak.modules.cost.parameters import copied
from symbreak.modules.hooks import hooked, is_scripted, is_transformed
from symbreak.modules.observation.isolation import own_randomness, plain_calls

# What a module raises that cannot be copied, or cannot be run with other parameters.
REFUSALS = (RuntimeError, ValueError, TypeError)


def called_step(module: nn.Module, step: Step, batch: Any) -> Tensor:
    """Return J, with its graph; the batch is handed over as a copy.

    Raises
    ------
    InvalidInput, InvalidType
    """
    own = mapped_tensors(batch, lambda tensor: tensor.detach().clone())
    try:
        value = step(module, own)
    except Exception as error:
        raise InvalidInput(
            f"The step of diagnose must run on the batch. Got {type(error).__name__}: {error}"
        ) from error
    J = check_scalar(value, "diagnose")
    if not J.requires_grad:
        raise InvalidInput(
            "The loss of diagnose must depend differentiably on a parameter that is trained. Got "
            "a constant. Look for detach(), argmax, no_grad or frozen parameters on its way."
        )
    return J


@dataclass(frozen=True, eq=False)
class Pass:
    """One pass of a copy.

    Parameters
    ----------
    module : the copy, with what the pass left in it.
    J : its value.
    gradients : those that autograd gave, by the name of the parameter.
    """

    module: nn.Module
    J: float
    gradients: dict[str, Tensor]

    def moved(self, names: Collection[str]) -> set[str]:
        """Return which of some parameters their gradients move."""
        return {name for name in names if moves(self.gradients.get(name))}


class Reruns:
    """Passes with the same random draws every time.

    Of passes on copies whose parameters are as they were, J and the slopes are kept; copies and
    gradients, which are as large as the module, belong to who asked.
    """

    def __init__(self, module: nn.Module, step: Step, batch: Any) -> None:
        self._module, self._step, self._batch = module, step, batch
        self._values: list[float] = []
        self._has_outputs = self._has_slope = False

    def of(self, own: nn.Module) -> Pass:
        """Run a copy, whatever was changed in it."""
        own.zero_grad(set_to_none=True)
        with own_randomness(), plain_calls():
            J = called_step(own, self._step, self._batch)
            J.backward()
        gradients = {n: p.grad for n, p in own.named_parameters() if p.grad is not None}
        return Pass(own, float(J.detach()), gradients)

    def unchanged(self) -> Pass:
        """Run a fresh copy of the module as it is."""
        own = copied(self._module)
        with hooked(self._outputs_noted(own)):
            shown = self.of(own)
        self._values.append(shown.J)
        return shown

    def values(self, count: int) -> list[float]:
        """Return J of so many passes on fresh copies; equal ones unless J is random or stateful."""
        while len(self._values) < count:
            self.unchanged()
        return self._values[:count]

    def is_flat(self) -> bool:
        """Tell whether J has no slope at anything that the module, or a part of it, gives out.

        A loss that the module returns itself, one number, is no such output.
        """
        self.values(1)
        return self._has_outputs and not self._has_slope

    def _outputs_noted(self, own: nn.Module) -> Iterator[RemovableHandle]:
        def arrived(delta: Tensor) -> None:
            self._has_slope = self._has_slope or bool(delta.any())

        def returned(_part: nn.Module, _args: Any, output: Any) -> None:
            for tensor in tensors_of(output):
                if tensor.requires_grad and tensor.dim() and not is_transformed():
                    self._has_outputs = True
                    tensor.register_hook(arrived)

        for part in own.modules():
            if not is_scripted(part):
                yield part.register_forward_hook(returned)


def moves(grad: Tensor | None) -> bool:
    """Tell whether a gradient moves anything."""
    return grad is not None and bool(grad.any())


def with_random_parameters(
    module: nn.Module,
    names: Collection[str] | None = None,
    *,
    scale: float = 1.0,
    seed: int = 0,
) -> nn.Module:
    """Return a copy whose floating parameters are N(0, scale^2 / fan_in).

    Parameters
    ----------
    names : of the parameters that are drawn; None: all, frozen ones too.
    """
    own = copied(module)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in own.named_parameters():
            if parameter.is_floating_point() and (names is None or name in names):
                drawn = torch.randn(parameter.shape, generator=generator, device="cpu")
                fan_in = max(parameter.numel() // max(len(parameter), 1), 1) if drawn.dim() else 1
                parameter.copy_(scale * drawn / fan_in**0.5)
    return own
