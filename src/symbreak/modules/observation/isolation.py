"""Leave no trace: random streams, buffers and switches are as they were before.

What is checkpointed is called once, as it is. Activation checkpointing calls a part again in the
backward pass, where nobody looks: with dropout that was switched off before, on other random
numbers, and in its reentrant form without a graph in the first call. Memory is saved no longer;
values and gradients are the same.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
import torch.utils.checkpoint
from torch import Tensor, nn

from symbreak.modules.cost.state import attributes_kept, plain_attention

_SEED = 0


@contextmanager
def own_randomness() -> Iterator[None]:
    """Draw from streams of our own, started alike each time, and put the user's back."""
    python, numpy, cpu = random.getstate(), _numpy_state(), torch.get_rng_state()
    # Asking an accelerator that was never used would start it.
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    mps = torch.mps.get_rng_state() if torch.backends.mps.is_available() else None
    random.seed(_SEED)
    np.random.seed(_SEED)  # noqa: NPY002 (the stream that user code may draw from)
    torch.default_generator.manual_seed(_SEED)
    if cuda is not None:
        torch.cuda.manual_seed_all(_SEED)
    if mps is not None:
        torch.mps.manual_seed(_SEED)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        torch.set_rng_state(cpu)
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)
        if mps is not None:
            torch.mps.set_rng_state(mps)


def _numpy_state() -> Any:
    return np.random.get_state()  # noqa: NPY002


@contextmanager
def preserved(module: nn.Module) -> Iterator[None]:
    """Give the module its buffers and the attributes of its parts back."""
    values = {name: buffer.detach().clone() for name, buffer in module.named_buffers()}
    try:
        with attributes_kept(module):
            yield
    finally:
        with torch.no_grad():
            for name, buffer in module.named_buffers():
                buffer.copy_(values[name])


@contextmanager
def plain_calls() -> Iterator[None]:
    """Compute by the functions that can be seen, once, not compiled, and build graphs."""
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        stack.enter_context(without_checkpointing())
        if torch.get_default_device().type == "meta":
            stack.enter_context(torch.device("cpu"))
        if "torch._dynamo" in sys.modules:  # else nothing is compiled, and it takes long to import
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        stack.enter_context(plain_attention())
        yield


class _PlainFunction:
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
        "CheckpointFunction": _PlainFunction,
        "_checkpoint_without_reentrant_generator": _no_preparation,
    }
    with ExitStack() as stack:
        for name, other in others.items():
            if hasattr(home, name):
                stack.enter_context(patch.object(home, name, other))
        yield
