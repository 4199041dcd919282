"""Switch the stochastic parts of a module off while it is called, and name them.

A function mode sees every call of torch made by Python, also those that no module hook sees: the
dropout within fused attention and between the layers of a recurrent module.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

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
_ATTENTION_DROPOUT = 4  # place of dropout_p among the arguments of fused attention


def _seen_through(function: Any) -> Any:
    """Return the Python function without its own dispatch, so that the mode sees inside it."""
    own = {**function.__globals__, "has_torch_function": lambda _: False}
    seen = types.FunctionType(
        function.__code__, own, function.__name__, function.__defaults__, function.__closure__
    )
    seen.__kwdefaults__ = function.__kwdefaults__
    return seen


_MULTI_HEAD = _seen_through(F.multi_head_attention_forward)


class Quiet(TorchFunctionMode):
    """Calls within it draw nothing for dropout.

    Parameters
    ----------
    module : whose parts are named; see `following`.

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
    def is_inside(self) -> bool:
        """Whether the forward of a part, or of the whole, is being called."""
        return bool(self._stack)

    @contextmanager
    def following(self) -> Iterator[None]:
        """Follow which part of the module is being called."""
        handles = []
        for name, part in self.module.named_modules():

            def enter(_part: nn.Module, _args: Any, name: str = name) -> None:
                self._stack.append(name)

            def leave(_part: nn.Module, _args: Any, _output: Any) -> None:
                self._stack.pop()

            handles.append(part.register_forward_pre_hook(enter, prepend=True))
            handles.append(part.register_forward_hook(leave, always_call=True))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

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
            args, kwargs = self._plain_attention(args, kwargs)
        elif name in RECURRENT_CALLS:
            args = self._plain_recurrence(args)
        elif name in _DRAWS and (name != "rrelu" or _given(args, kwargs, 3, "training", False)):
            self._note(name)
        return func(*args, **kwargs)

    def _note(self, what: str) -> None:
        self.breakers.setdefault(f"{self.where}: {what}" if self.where else what)

    def _without_dropout(
        self, name: str, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        p = _given(args, kwargs, 1, "p", 0.5)
        training = _given(args, kwargs, 2, "training", kwargs.get("train", True))
        if not training or p == 0:
            return func(*args, **kwargs)
        self._note(f"{name.rstrip('_')} {p:g}")
        return args[0] if args else kwargs["input"]

    def _plain_attention(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        p = _given(args, kwargs, _ATTENTION_DROPOUT, "dropout_p", 0.0)
        if p == 0:
            return args, kwargs
        self._note(f"dropout {p:g} of attention")
        if len(args) > _ATTENTION_DROPOUT:
            return (*args[:_ATTENTION_DROPOUT], 0.0, *args[_ATTENTION_DROPOUT + 1 :]), kwargs
        return args, {**kwargs, "dropout_p": 0.0}

    def _plain_recurrence(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        # (input, hx, weights, bias, layers, dropout, ...), with packed sizes one place later
        place = 6 if is_packed(args) else 5
        p, training = args[place], args[place + 1]
        if p == 0 or not training:
            return args
        self._note(f"dropout {p:g} between layers")
        return (*args[:place], 0.0, *args[place + 1 :])


def is_packed(args: tuple[Any, ...]) -> bool:
    """Tell whether a recurrent call got packed sequences: (data, sizes, hx, weights, ...)."""
    return isinstance(args[3], list | tuple)


def _given(
    args: tuple[Any, ...], kwargs: dict[str, Any], place: int, name: str, default: Any
) -> Any:
    return args[place] if len(args) > place else kwargs.get(name, default)


def tensors_in(values: Any) -> Iterator[Tensor]:
    """Yield the tensors among arguments, also those in lists and tuples."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from tensors_in(value)
