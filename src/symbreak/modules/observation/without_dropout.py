"""Switch the dropout of a module off while it is called, and name the stochastic parts.

A function mode sees every call of torch made by Python, also those that no module hook sees: the
dropout within fused attention and between the layers of a recurrent module.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch.nn.functional as F
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils.hooks import RemovableHandle

from symbreak.modules.hooks import is_scripted
from symbreak.modules.observation.arguments import (
    Arguments,
    arguments_of,
    recurrent_arguments,
    with_argument,
)

_DROPOUTS = {
    "dropout",
    "dropout_",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "alpha_dropout",
    "alpha_dropout_",
    "feature_dropout",
    "feature_alpha_dropout",
}
_DRAWS = {
    "bernoulli",
    "bernoulli_",
    "multinomial",
    "normal",
    "normal_",
    "poisson",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "randperm",
    "rrelu",
    "uniform_",
}
RECURRENT_CALLS = {"gru", "lstm", "rnn_tanh", "rnn_relu"}


def _seen_through(function: Any) -> types.FunctionType:
    """Return the Python function without its own dispatch, so that the mode sees inside it."""
    own = {**function.__globals__, "has_torch_function": lambda _: False}
    seen = types.FunctionType(
        function.__code__, own, function.__name__, function.__defaults__, function.__closure__
    )
    seen.__kwdefaults__ = function.__kwdefaults__
    return seen


_MULTI_HEAD = _seen_through(F.multi_head_attention_forward)


class WithoutDropout(TorchFunctionMode):
    """Calls within it draw nothing for dropout.

    Parameters
    ----------
    module : whose parts are named; see `hooks`.

    Attributes
    ----------
    breakers : names of the stochastic parts that were active, in the order of their calls.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        self.breakers: dict[str, None] = {}
        self._stack: list[str] = []

    @property
    def where(self) -> str:
        """The name of the part that is being called; "" for the whole."""
        return self._stack[-1] if self._stack else ""

    @property
    def depth(self) -> int:
        """How many parts are being called, one within the other; 0 outside of every forward."""
        return len(self._stack)

    def hooks(self) -> Iterator[RemovableHandle]:
        """Register hooks that follow which part of the module is being called."""
        for name, part in self.module.named_modules():
            if is_scripted(part):
                continue

            def enter(_part: nn.Module, _args: Any, name: str = name) -> None:
                self._stack.append(name)

            def leave(_part: nn.Module, _args: Any, _output: Any) -> None:
                self._stack.pop()

            yield part.register_forward_pre_hook(enter, prepend=True)
            yield part.register_forward_hook(leave, always_call=True)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Hand the call to `called`."""
        return self.called(getattr(func, "__name__", ""), func, tuple(args), kwargs or {})

    def called(
        self, name: str, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Call the function, without its dropout."""
        if name in _DROPOUTS:
            return self._without_dropout(name, func, args, kwargs)
        if name == "multi_head_attention_forward":
            with self:
                return _MULTI_HEAD(*args, **kwargs)
        if name == "scaled_dot_product_attention":
            args, kwargs = self._plain_attention(func, args, kwargs)
        elif name in RECURRENT_CALLS:
            return func(*self._plain_recurrence(args, kwargs).values())
        elif name in _DRAWS and (
            name != "rrelu" or arguments_of(func, args, kwargs).get("training", False)
        ):
            self._note(name)
        return func(*args, **kwargs)

    def _note(self, what: str) -> None:
        self.breakers.setdefault(f"{self.where}: {what}" if self.where else what)

    def _without_dropout(
        self, name: str, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        arguments = arguments_of(func, args, kwargs)
        p = arguments.get("p", 0.5)
        training = arguments.get("training", arguments.get("train", "alpha" not in name))
        if not training or p == 0:
            return func(*args, **kwargs)
        self._note(f"{name.rstrip('_')} {p:g}")
        return arguments["input"]

    def _plain_attention(
        self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        p = arguments_of(func, args, kwargs).get("dropout_p", 0.0)
        if p == 0:
            return args, kwargs
        self._note(f"dropout {p:g} of attention")
        return with_argument(func, args, kwargs, "dropout_p", 0.0)

    def _plain_recurrence(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
        arguments = recurrent_arguments(args, kwargs)
        p = arguments["dropout"]
        if p == 0 or not arguments["train"]:
            return arguments
        self._note(f"dropout {p:g} between layers")
        return {**arguments, "dropout": 0.0}
