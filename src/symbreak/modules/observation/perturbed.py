"""The same module on perturbed inputs, and with perturbed derivatives at its end.

Two units that agree on one batch by chance (a feature that is zero in it, a class that is absent
from it) do not agree here; units that compute the same function and are used alike still do.

Inputs are what a part gets that is called by no other part: the whole, or where a step calls parts
of it by itself, each of them. What came out of another part is no input. Rows of tables are mixed.
Where nothing that comes in is a real number, what integers are cast to is perturbed; where a step
calls no part, but uses parameters by itself, the batch is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from symbreak.modules.containers import mapped_tensors, tensors_in, tensors_of
from symbreak.modules.hooks import is_scripted, is_transformed
from symbreak.modules.observation.ends import Node, disturb_ends
from symbreak.modules.observation.names import is_lookup
from symbreak.modules.observation.recorder import LOOKUPS, Recorder, table_in

INPUTS, DERIVATIVES = "inputs", "derivatives"
_SHARE = 0.1  # of the spread of an input
_CASTS = {"to", "type", "type_as", "float", "double", "half", "bfloat16", "div", "__truediv__"}


class PerturbedRecorder(Recorder):
    """Watches a pass whose inputs and last derivatives are noisy; the same noise every time.

    Attributes
    ----------
    missing : which of inputs and derivatives could not be perturbed.
    """

    casts = False  # whether what integers are cast to is perturbed

    def __init__(self, module: nn.Module) -> None:
        super().__init__(module)
        self.missing = {INPUTS, DERIVATIVES}
        self._noise = torch.Generator().manual_seed(0)
        self._blurred: dict[int, tuple[Tensor, Tensor]] = {}  # what came in, and what became of it
        self._given_out: dict[int, Node] = {}
        self._calls_parts = False

    def called(
        self, name: str, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Call the function; lookups in tables get noise."""
        if name in LOOKUPS or (
            name == "__getitem__" and self.names.of(args[0]) and is_lookup(args)
        ):
            func = self._mixed(func)
        output = super().called(name, func, args, kwargs)
        if self.casts and name in _CASTS and isinstance(output, Tensor):
            arguments = list(tensors_in((*args, *kwargs.values())))
            if arguments and not any(t.is_floating_point() for t in arguments):
                return self._blur(output)
        return output

    def before_backward(self, J: Tensor) -> None:
        """Have the derivatives changed that come to the ends of the module."""
        if disturb_ends(J, self.module, lambda node: id(node) in self._given_out, self._disturbed):
            self.missing.discard(DERIVATIVES)

    def hooks(self) -> Iterator[RemovableHandle]:
        """Register hooks that perturb what comes into outermost parts and note what they give."""

        def blur(_part: nn.Module, args: Any, kwargs: Any) -> Any:
            self._calls_parts = True
            if self.depth > 1 or is_transformed():
                return None
            return mapped_tensors(args, self._blur), mapped_tensors(kwargs, self._blur)

        def give_out(_part: nn.Module, _args: Any, output: Any) -> None:
            if self.depth <= 1 and not is_transformed():
                nodes = [t.grad_fn for t in tensors_of(output) if t.grad_fn is not None]
                self._given_out.update({id(node): node for node in nodes})

        parts = [part for part in self.module.modules() if not is_scripted(part)]
        for part in parts:
            yield part.register_forward_hook(give_out)
        yield from super().hooks()
        for part in parts:
            yield part.register_forward_pre_hook(blur, with_kwargs=True)

    def _mixed(self, lookup: Callable[..., Any]) -> Callable[..., Any]:
        """Return a lookup that adds a share of another row; equal columns stay equal."""

        def mixed(*args: Any, **kwargs: Any) -> Any:
            output, table = lookup(*args, **kwargs), table_in((*args, *kwargs.values()))
            if table is None or output.shape[-1:] != table.shape[1:]:
                return output
            self.missing.discard(INPUTS)
            shape = output.shape[:-1]
            rows = torch.randint(len(table), shape, generator=self._noise, device="cpu")
            others = table.detach()[rows.to(table.device)]
            shares = _SHARE * torch.randn(shape, generator=self._noise, device="cpu")
            return output + shares.to(others)[..., None] * others

        return mixed

    def _blur(self, x: Tensor) -> Tensor:
        if not x.is_floating_point() or x.grad_fn is not None or isinstance(x, nn.Parameter):
            return x
        self.missing.discard(INPUTS)
        if id(x) not in self._blurred:
            self._blurred[id(x)] = (x, x + self._like(x) * _SHARE * _spread(x))
        return self._blurred[id(x)][1]

    def _disturbed(self, delta: Tensor) -> Tensor:
        return delta + self._like(delta) * _rms(delta)

    def _like(self, x: Tensor) -> Tensor:
        return torch.randn(x.shape, generator=self._noise, device="cpu").to(x)


class PerturbedCastsRecorder(PerturbedRecorder):
    """Perturbs what integers are cast to as well; it would harm masks where it is not needed."""

    casts = True


class PerturbedBatchRecorder(PerturbedRecorder):
    """Perturbs the batch, for a step that calls no part of the module."""

    def received(self, batch: Any) -> Any:
        """Return the batch, perturbed."""
        return mapped_tensors(batch, self._blur)

    def before_backward(self, J: Tensor) -> None:
        """Have the derivatives changed; where parts are called, a batch may be targets alone."""
        super().before_backward(J)
        if self._calls_parts:
            self.missing.add(INPUTS)


def _spread(x: Tensor) -> Tensor:
    finite = x.detach()[x.detach().isfinite()]
    spread = finite.std(correction=0) if finite.numel() else torch.ones_like(x.detach().sum())
    return torch.where(spread > 0, spread, torch.ones_like(spread))


def _rms(delta: Tensor) -> Tensor:
    rms = delta.square().mean().sqrt()
    return torch.where(rms > 0, rms, torch.ones_like(rms))
