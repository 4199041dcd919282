"""What a module is evaluated on: pairs (X, y), in one dtype, and the step that takes them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from symbreak.arrays import as_tensor
from symbreak.errors import InvalidInput, InvalidType
from symbreak.modules.containers import mapped, mapped_tensors, tensors_of

_ARRAYS = (Tensor, np.ndarray)


class LossStep:
    """The step (module, (X, y)) -> loss(output, y).

    A tuple X is handed over as positional arguments, a mapping X by name.
    """

    def __init__(self, loss: Callable[[Any, Any], Any]) -> None:
        self.loss = loss

    def __call__(self, module: nn.Module, batch: tuple[Any, Any]) -> Any:
        """Return the loss of the module's output."""
        X, y = batch
        if isinstance(X, Mapping):
            return self.loss(module(**X), y)
        return self.loss(module(*X) if isinstance(X, tuple) else module(X), y)


def as_floating(data: Any, dtype: torch.dtype) -> Any:
    """Return the data with its floating tensors in another dtype; nothing else changes."""
    return mapped_tensors(data, lambda t: t.to(dtype) if t.is_floating_point() else t)


def as_leaves(data: Any) -> Any:
    """Return the data without graphs, which one way back frees, and without inference tensors.

    What had a graph still asks for a gradient: reentrant checkpoints compute none without.
    """

    def leaf(tensor: Tensor) -> Tensor:
        if tensor.is_inference():
            return tensor.clone()
        return tensor if tensor.grad_fn is None else tensor.detach().requires_grad_()

    with torch.inference_mode(False):
        return mapped_tensors(data, leaf)


def prepared_pair(
    data: Any, dtype: torch.dtype, device: torch.device, what: str = "data of ModuleCost"
) -> tuple[Any, Any]:
    """Return (X, y) as tensors of our own, floating ones in `dtype`; `what` names them in errors.

    Raises
    ------
    InvalidType
        No pair, or something in it is no array of real numbers.
    """
    if not isinstance(data, tuple | list) or len(data) != 2:
        got = f"{len(data)} parts" if isinstance(data, tuple | list) else type(data).__name__
        raise InvalidType(
            f"{what} must be a pair (X, y). Got {got}. For other data pass step= and batch=."
        )
    X, y = data
    return _prepared(X, "X", dtype, device), _prepared(y, "y", dtype, device)


def _prepared(part: Any, what: str, dtype: torch.dtype, device: torch.device) -> Any:
    if type(part) in (dict, OrderedDict):
        # Switches of the module are handed over as they are.
        return {
            k: v
            if v is None or isinstance(v, bool | str)
            else _prepared(v, f"{what}[{k!r}]", dtype, device)
            for k, v in part.items()
        }
    if type(part) is tuple:
        parts = enumerate(part)
        return tuple(_prepared(value, f"{what}[{k}]", dtype, device) for k, value in parts)

    def own(array: Any) -> Tensor:
        tensor = as_tensor(array, what)
        kind = dtype if tensor.is_floating_point() else tensor.dtype
        return tensor.to(device=device, dtype=kind, copy=True)

    if not isinstance(part, Tensor | list) and next(tensors_of(part), None) is not None:
        return mapped(part, lambda leaf: own(leaf) if isinstance(leaf, _ARRAYS) else leaf)
    return own(part)


def count_examples(pair: tuple[Any, Any]) -> int | None:
    """Return the length of the first axis that all tensors share; None when they share none."""
    lengths = {len(tensor) if tensor.dim() > 0 else None for tensor in tensors_of(pair)}
    return lengths.pop() if len(lengths) == 1 else None


def check_dtypes(
    module: nn.Module, batch: Any, dtype: torch.dtype, given_dtype: torch.dtype, error: Exception
) -> None:
    """Say in a sentence that an error comes where dtypes meet, if they do.

    Parameters
    ----------
    dtype, given_dtype : what the cost computes in; what the module was given in.

    Raises
    ------
    InvalidInput
        Tensors of several floating dtypes meet, or the cost was converted.
    """
    named = [*module.named_parameters(), *module.named_buffers()]
    named += [("the batch", tensor) for tensor in tensors_of(batch)]
    others = [f"{name} of {t.dtype}" for name, t in named if t.is_floating_point()
              and t.dtype != dtype]  # fmt: skip
    first_line = next(iter(str(error).strip().splitlines()), "").rstrip(".")
    what = f"{type(error).__name__}: {first_line}"
    if others:
        raise InvalidInput(
            f"Parameters, buffers and batch of ModuleCost must be of dtypes that go together. Got "
            f"parameters of {dtype}, {others[0]} and {what}. Bring them to one dtype."
        ) from error
    if dtype != given_dtype:
        word = str(dtype).removeprefix("torch.")
        raise InvalidInput(
            f"Module and loss of ModuleCost must compute in {word} after to({word!r}). Got {what}. "
            "Make tensors in forward in the dtype of its input, and call no kernel that lacks it."
        ) from error


def check_scalar(J: Any, caller: str = "ModuleCost") -> Tensor:
    """Return what the loss or the step gave back, if it is a scalar that J can be.

    Parameters
    ----------
    caller : what was called, for the sentence.

    Raises
    ------
    InvalidType, InvalidInput
    """
    if not isinstance(J, Tensor):
        raise InvalidType(
            f"The loss of {caller} must be a scalar tensor. Got {type(J).__name__}. Return the "
            "tensor itself, without .item() or float()."
        )
    if J.dim() != 0 or not J.is_floating_point():
        raise InvalidInput(
            f"The loss of {caller} must be one real number. Got {J.dtype} of shape "
            f"{tuple(J.shape)}. Take its mean over the examples."
        )
    return J
