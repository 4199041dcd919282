"""The parameters of a module as theta.

Conventions
-----------
theta : (n,) or (starts, n), the trainable parameters one after the other, row-major, in the order
of `module.named_parameters()`. A parameter that is used in several places (tied) stands in theta
once, under its first name. Frozen ones (requires_grad=False) stand not in theta.
"""

from __future__ import annotations

import copy
import io
import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from symbreak.errors import InvalidInput
from symbreak.modules.anatomy.checks import check_is_module, check_memory, check_shapes
from symbreak.modules.hooks import is_scripted
from symbreak.parameters import Block


def trainable(module: nn.Module) -> dict[str, nn.Parameter]:
    """Return the parameters that theta holds, by name.

    Raises
    ------
    InvalidInput
        None, some that have no shape or no memory yet, or of several dtypes or devices.
    InvalidType
        No module.
    """
    module = check_is_module(module)
    trained = {name: p for name, p in module.named_parameters() if p.requires_grad}
    if not trained:
        raise InvalidInput(
            "module must have at least one parameter that is trained (requires_grad=True). "
            "Got none."
        )
    check_shapes(trained)
    for what in ("dtype", "device"):
        kinds = {str(getattr(parameter, what)): name for name, parameter in trained.items()}
        if len(kinds) > 1:
            named = ", ".join(f"{kind} ({name})" for kind, name in kinds.items())
            raise InvalidInput(
                f"Parameters of module that are trained must be of one {what}. Got {named}. "
                "Convert them, or freeze those that are not to be trained: requires_grad_(False)."
            )
    check_memory(trained)
    first = next(iter(trained.values()))
    if not first.is_floating_point():
        raise InvalidInput(f"Parameters of module must be real numbers. Got {first.dtype}.")
    return trained


def blocks_of_module(module: nn.Module) -> tuple[Block, ...]:
    """Return one block for each trained parameter, under its name."""
    blocks = []
    start = 0
    for name, parameter in trainable(module).items():
        block = Block(name, start, tuple(parameter.shape))
        blocks.append(block)
        start = block.stop
    return tuple(blocks)


def padding_of(module: nn.Module, blocks: Sequence[Block]) -> Tensor:
    """Return which entries of theta belong to padding rows of embeddings, (n,) bool.

    PyTorch leaves them out of the gradient, whatever J does with them.
    """
    mask = torch.zeros(blocks[-1].stop, dtype=torch.bool, device="cpu")
    named = dict(module.named_parameters())
    by_parameter = {id(named[block.name]): block for block in blocks}
    for part in module.modules():
        row = getattr(part, "padding_idx", None)
        if _is_embedding(part) and row is not None:
            block = by_parameter.get(id(part.weight))
            if block is not None:
                mask[block.slice].view(block.shape)[row] = True
    return mask


def _is_embedding(part: nn.Module) -> bool:
    # A scripted layer is of no class of its own, and keeps the name of the one it had.
    name = getattr(part, "original_name", "")
    return isinstance(part, nn.Embedding | nn.EmbeddingBag) or name in ("Embedding", "EmbeddingBag")


def flat(module: nn.Module, blocks: Sequence[Block]) -> Tensor:
    """Return the parameters of the module as a fresh vector (n,)."""
    named = dict(module.named_parameters())
    return torch.cat([named[block.name].detach().reshape(-1) for block in blocks])


def named_views(theta: Tensor, blocks: Sequence[Block]) -> dict[str, Tensor]:
    """Return views of theta (n,) or (starts, n) in the shapes of the parameters, by name."""
    lead = tuple(theta.shape[:-1])
    parts = theta.split([block.size for block in blocks], dim=-1)
    return {
        block.name: part.reshape((*lead, *block.shape))
        for block, part in zip(blocks, parts, strict=True)
    }


def load_(module: nn.Module, theta: Tensor, blocks: Sequence[Block]) -> None:
    """Write theta (n,) into the parameters of the module."""
    named = dict(module.named_parameters())
    with torch.no_grad():
        for name, values in named_views(theta, blocks).items():
            named[name].copy_(values)


def copied(module: nn.Module, *, recompiled: bool = False) -> nn.Module:
    """Return a copy that shares nothing with the module.

    Parameters
    ----------
    recompiled : whether scripted parts are compiled anew. Other copies share the compiled code, and
        that which has run in one dtype computes derivatives no better in another.

    Raises
    ------
    InvalidInput
        It cannot be copied.
    """
    # Tensors of a graph that a module keeps from its last call cannot be copied; a copy needs none.
    memo: dict[int, Any] = {
        id(kept): kept.detach().clone()
        for part in module.modules()
        for kept in vars(part).values()
        if isinstance(kept, Tensor) and kept.grad_fn is not None
    }
    if recompiled:
        scripted = filter(is_scripted, module.modules())
        memo.update({id(part): _recompiled(part) for part in scripted})
    try:
        # What is made in inference mode could not be given a gradient.
        with torch.inference_mode(False):
            own = copy.deepcopy(module, memo)
    except Exception as error:
        raise InvalidInput(
            f"module must be one that copy.deepcopy can copy. Got {type(error).__name__}: {error}"
        ) from error
    for given, parameter in zip(module.parameters(), own.parameters(), strict=True):
        if given.is_leaf and not parameter.is_leaf:  # scripted parts copy by a call with a graph
            parameter.detach_().requires_grad_(given.requires_grad)
    return own


def _recompiled(part: nn.Module) -> Any:
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            torch.jit.save(part, file)
        except RuntimeError:  # it calls functions of Python, which no file holds
            return copy.deepcopy(part)
        file.seek(0)
        return torch.jit.load(file)
