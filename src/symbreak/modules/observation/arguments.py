"""The arguments of a call of torch under their names, whether they came by place or by name.

A function of Python tells its names itself. One that was made in C does not; for those whose
arguments are read, the table below stands for its signature. The first argument of all others is
called `input`, and so is the tensor that a method belongs to.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from types import FunctionType
from typing import Any

Arguments = dict[str, Any]

_CONVOLUTION = "input weight bias stride padding dilation groups"
_TRANSPOSED = "input weight bias stride padding output_padding groups dilation"
_CELL = "input hx w_ih w_hh b_ih b_hh"
_PRODUCT = "input other"
_BUILT_IN = {
    "linear": "input weight bias",
    "bilinear": "input1 input2 weight bias",
    "prelu": "input weight",
    "embedding": "weight indices",
    "embedding_bag": "weight indices offsets",
    "scaled_dot_product_attention": "query key value attn_mask dropout_p",
    "dropout": "input p train",
    "rrelu": "input lower upper training",
    "mm": "input mat2",
    "bmm": "input mat2",
    "mv": "input vec",
    "addmm": "input mat1 mat2",
    "addmv": "input mat vec",
    "baddbmm": "input batch1 batch2",
    "_grouped_mm": "mat_a mat_b",
    "__getitem__": "input index",
    **dict.fromkeys(("matmul", "linalg_matmul", "__matmul__"), _PRODUCT),
    **{f"conv{n}d": _CONVOLUTION for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": _TRANSPOSED for n in (1, 2, 3)},
    **dict.fromkeys(("gru_cell", "lstm_cell", "rnn_tanh_cell", "rnn_relu_cell"), _CELL),
}
_NUMPY_NAMES = {"x": "input", "a": "input", "x1": "input", "x2": "other", "self": "input"}
_LAYERS = "params has_biases num_layers dropout train bidirectional"
_RECURRENT_FORMS = (  # one with examples of one length, one with packed sequences
    tuple(f"input hx {_LAYERS} batch_first".split()),
    tuple(f"data batch_sizes hx {_LAYERS}".split()),
)


def arguments_of(
    func: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]
) -> Arguments:
    """Return the arguments by name, in the order of the signature.

    What comes by place beyond the known names is called by its place: "1", "2", ...
    """
    return _bound(_parameters(func), args, kwargs)


def with_argument(
    func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], name: str, value: Any
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of a call with another value of one of them."""
    names = _parameters(func)
    place = names.index(name) if name in names else len(args)
    if place < len(args):
        return (*args[:place], value, *args[place + 1 :]), kwargs
    called = next((key for key in kwargs if _NUMPY_NAMES.get(key, key) == name), name)
    return args, {**kwargs, called: value}


def recurrent_arguments(args: Sequence[Any], kwargs: dict[str, Any]) -> Arguments:
    """Return the arguments of a recurrent call; `batch_sizes` is among them for packed sequences.

    By place the two forms differ in where the list of weights stands.
    """
    plain, packed = (_bound(names, args, kwargs) for names in _RECURRENT_FORMS)
    whole = {"data", "batch_sizes", "hx", "params"} <= packed.keys()
    return packed if whole and isinstance(packed["params"], list | tuple) else plain


def _bound(names: Sequence[str], args: Sequence[Any], kwargs: dict[str, Any]) -> Arguments:
    by_place = {names[k] if k < len(names) else str(k): value for k, value in enumerate(args)}
    by_name = {key if key in names else _NUMPY_NAMES.get(key, key): kwargs[key] for key in kwargs}
    merged = {**by_place, **by_name}
    return {**{name: merged[name] for name in names if name in merged}, **merged}


@lru_cache(maxsize=1024)
def _parameters(func: Callable[..., Any]) -> tuple[str, ...]:
    names = tuple(_BUILT_IN.get(getattr(func, "__name__", ""), "input").split())
    if isinstance(func, FunctionType):
        with suppress(ValueError):  # it wraps one that was made in C
            parameters = inspect.signature(func).parameters.values()
            names = tuple(
                p.name for p in parameters if p.kind is not inspect.Parameter.VAR_POSITIONAL
            )
    return tuple("input" if name == "self" else name for name in names)
