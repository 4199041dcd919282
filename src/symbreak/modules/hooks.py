"""Hooks on the parts of a module, their end, and where none can look.

A hook is a plain function, never a method: a module that copies itself in its forward copies what
a method belongs to as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle


@contextmanager
def hooked(handles: Iterable[RemovableHandle]) -> Iterator[None]:
    """Take hooks out again at the end.

    Parameters
    ----------
    handles : of the hooks; an iterator that registers them one by one does so at the beginning.
    """
    with ExitStack() as stack:
        for handle in handles:
            stack.callback(handle.remove)
        yield


def is_scripted(part: nn.Module) -> bool:
    """Tell whether a part was scripted or traced: it takes no hooks, nothing in it can be seen."""
    return isinstance(part, torch.jit.ScriptModule)


def is_transformed() -> bool:
    """Tell whether a transform of torch.func (vmap, grad) is on: its tensors are not to be kept."""
    return torch._C._functorch.maybe_current_level() is not None


def has_scripted_parts(module: nn.Module) -> bool:
    """Tell whether a part was scripted or traced: its copies cannot change their dtype."""
    return any(map(is_scripted, module.modules()))
