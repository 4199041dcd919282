"""Call what is checkpointed once, as it is.

Activation checkpointing calls a part again in the backward pass, where nobody looks: with dropout
that was switched off before, on other random numbers, and in its reentrant form without a graph in
the first call. Memory is saved no longer; values and gradients are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import torch
import torch.utils.checkpoint
from torch import Tensor


class _Plain:
    """Stands for the autograd function of the reentrant form."""

    @staticmethod
    def apply(function: Callable[..., Any], _preserve: bool, *args: Any) -> Any:
        """Call; as in that form, no parameter gets a gradient where no argument asks for one."""
        asked = any(isinstance(each, Tensor) and each.requires_grad for each in args)
        with torch.set_grad_enabled(asked and torch.is_grad_enabled()):
            return function(*args)


def _no_preparation(*_args: Any, **_kwargs: Any) -> Iterator[None]:
    """Stand for what the other form does before and after the call."""
    yield


@contextmanager
def without_checkpointing() -> Iterator[None]:
    """Let `torch.utils.checkpoint.checkpoint` just call."""
    home = torch.utils.checkpoint
    others = {
        "CheckpointFunction": _Plain,
        "_checkpoint_without_reentrant_generator": _no_preparation,
    }
    with ExitStack() as stack:
        for name, other in others.items():
            if hasattr(home, name):
                stack.enter_context(patch.object(home, name, other))
        yield
