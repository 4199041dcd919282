"""What a call may change in a module, and how the module gets it back.

Conventions
-----------
trained : the parameters that theta holds, of a module that belongs to the cost alone
Parts of a module are its submodules and itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


@contextmanager
def holding(
    module: nn.Module, trained: Sequence[Tensor], values: Iterable[Tensor]
) -> Iterator[None]:
    """Write values into the trained parameters of the module.

    Buffers are copies meanwhile: what a layer keeps for itself, such as running statistics, is
    dropped with them. The parameters keep theta; all else is as it was afterwards.
    """
    with torch.inference_mode(False), attributes_kept(module):
        for parameter, own in zip(trained, values, strict=True):
            parameter.detach().copy_(own)
            parameter.requires_grad_().grad = None
        _copy_buffers(module)
        try:
            yield
        finally:
            for parameter in trained:
                parameter.grad = None


@contextmanager
def attributes_kept(module: nn.Module) -> Iterator[None]:
    """Give every part of the module back the attributes, parameters and buffers that it had."""
    parts = list(module.modules())
    had = [(dict(vars(part)), _items(part._parameters), _items(part._buffers)) for part in parts]
    try:
        yield
    finally:
        for part, (attributes, parameters, buffers) in zip(parts, had, strict=True):
            vars(part).clear()
            vars(part).update(attributes)
            _put_back(part._parameters, parameters)
            _put_back(part._buffers, buffers)


@contextmanager
def plain_attention() -> Iterator[None]:
    """Compute attention alike with and without a graph, so that J is the same in both."""
    was = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(was)


def forget(trained: Sequence[Tensor]) -> None:
    """Overwrite the trained parameters by NaN: whoever reads them and not theta shows it."""
    with torch.inference_mode(False):
        for parameter in trained:
            parameter.detach().fill_(torch.nan)


def _copy_buffers(module: nn.Module) -> None:
    """Put copies in the place of all buffers; one that has two names stays one."""
    copies: dict[int, Tensor] = {}
    for part in module.modules():
        for name, buffer in _items(part._buffers).items():
            if buffer is not None:
                part._buffers[name] = copies.setdefault(id(buffer), buffer.clone())


def _items(holder: Any) -> dict[str, Any]:
    # What holds the tensors of a scripted module is no dictionary, but has the items of one.
    return dict(holder.items())


def _put_back(holder: MutableMapping[str, Any], had: dict[str, Any]) -> None:
    if isinstance(holder, dict):
        holder.clear()
    for name, tensor in had.items():
        holder[name] = tensor
