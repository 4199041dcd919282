"""A few real updates of a copy, by the optimiser that will train the module."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext, suppress
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer

from symbreak.errors import InvalidInput, InvalidType
from symbreak.modules.cost.call import Step
from symbreak.modules.cost.data import as_floating
from symbreak.modules.cost.parameters import copied
from symbreak.modules.hooks import has_scripted_parts
from symbreak.modules.observation.isolation import own_randomness, plain_calls
from symbreak.modules.observation.observe import floating_dtype
from symbreak.modules.observation.observed import MakeOptimizer
from symbreak.modules.observation.reruns import called_step
from symbreak.modules.observation.without_dropout import WithoutDropout


def _of_dense_gradients(kind: Callable[..., Optimizer], **options: Any) -> MakeOptimizer:
    """Return a factory of optimisers that take the sparse gradients of embeddings too."""

    def densify(optimizer: Optimizer, _args: tuple[Any, ...], _kwargs: dict[str, Any]) -> None:
        for parameter in (p for group in optimizer.param_groups for p in group["params"]):
            if parameter.grad is not None and parameter.grad.is_sparse:
                parameter.grad = parameter.grad.to_dense()

    def make(parameters: Iterable[nn.Parameter]) -> Optimizer:
        optimizer = kind(parameters, **options)
        optimizer.register_step_pre_hook(densify)
        return optimizer

    return make


DEFAULT_OPTIMIZERS: dict[str, MakeOptimizer] = {
    "SGD with momentum": _of_dense_gradients(SGD, lr=0.01, momentum=0.9),
    "AdamW": _of_dense_gradients(AdamW, lr=1e-3),
}


def optimizers(optimizer: Any) -> dict[str, MakeOptimizer]:
    """Return factories by name: of a class, a factory or an optimiser; of None the defaults.

    Raises
    ------
    InvalidType
    """
    if optimizer is None:
        return DEFAULT_OPTIMIZERS
    if isinstance(optimizer, Optimizer):
        # An optimiser holds the user's own parameters; its kind and options are what counts.
        return {type(optimizer).__name__: functools.partial(type(optimizer), **optimizer.defaults)}
    if callable(optimizer):
        return {getattr(optimizer, "__name__", "the given optimizer"): optimizer}
    raise InvalidType(
        "optimizer of diagnose must be a class, an optimizer or a function of parameters. Got "
        f"{type(optimizer).__name__}."
    )


def updated(
    module: nn.Module,
    step: Step,
    batch: Any,
    make: MakeOptimizer,
    *,
    n_updates: int,
    dropout: bool,
) -> tuple[nn.Module, Any]:
    """Return a copy after some updates, and its batch: in float64 where the module allows it.

    In float64 rounding tears nothing apart in a few updates that exact arithmetic keeps.

    Parameters
    ----------
    dropout : whether it is on where the module has it on.

    Raises
    ------
    InvalidInput
        The optimiser cannot be made, or cannot update the module.
    """
    for own, own_batch in _precise(module, batch):
        trained = [p for p in own.parameters() if p.requires_grad]
        optimizer = _made(make, trained)
        computed = functools.partial(_computed, own, step, own_batch, trained, dropout)
        try:
            with own_randomness(), plain_calls():
                for _ in range(n_updates):
                    computed()
                    stepped(optimizer, computed)
            return own, own_batch
        except (InvalidInput, RuntimeError):
            if floating_dtype(own) == floating_dtype(module):
                raise
    raise InvalidInput("module must allow an update. Got none.")


def stepped(optimizer: Optimizer, computed: Callable[[], Any]) -> None:
    """Make one step from the gradients that are there; `computed` is for those that ask again.

    Raises
    ------
    InvalidInput
        The optimiser fails.
    """
    closure = inspect.signature(optimizer.step).parameters.get("closure")
    again = closure is not None and closure.default is inspect.Parameter.empty
    try:
        optimizer.step(computed) if again else optimizer.step()
    except RuntimeError as error:
        raise InvalidInput(
            "optimizer of diagnose must be able to update the module. Got "
            f"{type(error).__name__} from {type(optimizer).__name__}: {error}"
        ) from error


def _computed(
    module: nn.Module, step: Step, batch: Any, trained: list[nn.Parameter], dropout: bool
) -> Tensor:
    """Compute J and its gradients anew."""
    with torch.enable_grad(), nullcontext() if dropout else WithoutDropout(module):
        J = called_step(module, step, batch)
    for parameter in trained:
        parameter.grad = None
    torch.autograd.backward(J, inputs=trained)
    return J.detach()


def _precise(module: nn.Module, batch: Any) -> Iterator[tuple[nn.Module, Any]]:
    if not has_scripted_parts(module):
        own = copied(module)
        with suppress(RuntimeError, TypeError):  # a device without float64
            yield own.double(), as_floating(batch, torch.float64)
    yield copied(module), batch


def _made(make: MakeOptimizer, trained: list[nn.Parameter]) -> Optimizer:
    try:
        return make(trained)
    except Exception as error:
        raise InvalidInput(
            f"optimizer of diagnose must take a list of parameters. Got {type(error).__name__}: "
            f"{error}"
        ) from error
