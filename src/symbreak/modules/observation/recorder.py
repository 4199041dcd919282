"""Record what the units of a module give out, at every call of torch within it.

Conventions
-----------
A call is known by its name; a site by the parameter that makes its units, or by the module that
is being called. Axes: features of a linear layer and dimensions of an embedding last, channels
before the axes of space, heads third from the end (examples, heads, positions, size).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from symbreak.modules.anatomy.role import Role
from symbreak.modules.containers import tensors_in, tensors_of
from symbreak.modules.hooks import is_transformed
from symbreak.modules.observation.arguments import Arguments, arguments_of
from symbreak.modules.observation.names import Names
from symbreak.modules.observation.observed import (
    CONV,
    DIMENSIONS,
    EXPERTS,
    HEADS,
    LINEAR,
    RECURRENT,
    NonlinearCall,
)
from symbreak.modules.observation.products import PRODUCTS, factors, product_axes, reading
from symbreak.modules.observation.readers import Readers
from symbreak.modules.observation.records import Records, along
from symbreak.modules.observation.recurrence import unrolled
from symbreak.modules.observation.without_dropout import RECURRENT_CALLS, WithoutDropout

NONLINEAR = {
    "relu", "relu_", "relu6", "leaky_relu", "tanh", "sigmoid", "gelu", "silu", "elu", "selu",
    "softplus", "hardtanh", "hardsigmoid", "hardswish", "mish", "celu", "logsigmoid", "tanh_",
    "sigmoid_", "prelu",
}  # fmt: skip
_NORMS = {"layer_norm", "batch_norm", "group_norm", "rms_norm", "instance_norm"}
_CONVOLUTIONS = {f"conv{kind}{n}d" for kind in ("", "_transpose") for n in (1, 2, 3)}
LOOKUPS = {"embedding", "embedding_bag"}
_CELLS = {"gru_cell", "lstm_cell", "rnn_tanh_cell", "rnn_relu_cell"}


class Recorder(WithoutDropout):
    """Records sites and nonlinear calls of one pass.

    Attributes
    ----------
    names : which tensors are which parameters, and what used them.
    records : the sites.
    readings : by parameter, what it is for the first function that multiplied with it.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__(module)
        self.names = Names(module)
        self.records = Records()
        self._calls: list[NonlinearCall] = []
        # Tensors are held, so that no other can get their identity.
        self._axes: dict[int, tuple[Tensor, str, int]] = {}
        self._attention: dict[int, Tensor] = {}
        self._head_counts: list[int] = []
        self._readers = Readers()
        self.readings: dict[str, Role] = {}

    @property
    def calls(self) -> tuple[NonlinearCall, ...]:
        """The nonlinear calls so far, and whether what came of them was read so far."""
        met = self._readers.met
        return tuple(replace(call, read=k in met) for k, call in enumerate(self._calls))

    def called(
        self, name: str, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Call the function and record its units; within a transform of torch.func nothing is."""
        if is_transformed():
            return super().called(name, func, args, kwargs)
        if name in NONLINEAR:
            return self._nonlinear(name, func, args, kwargs)
        if name in RECURRENT_CALLS:
            arguments = self._plain_recurrence(args, kwargs)
            values = list(arguments.values())
            self._readers.follow(values, None, self.names.note(name, values, None))
            return unrolled(name, arguments, self._hidden)
        arguments = arguments_of(func, args, kwargs)
        if name == "multi_head_attention_forward":
            self._head_counts.append(arguments["num_heads"])
        try:
            output = super().called(name, func, args, kwargs)
        finally:
            if name == "multi_head_attention_forward":
                self._head_counts.pop()
        values = list(arguments.values())
        used = self.names.note(name, values, output)
        if used:
            self.readings = {**reading(name, arguments, self.names), **self.readings}
        self._record(name, arguments, output, used)
        self._readers.follow(values, output, used)
        return output

    def received(self, batch: Any) -> Any:
        """Return what the step gets for the batch."""
        return batch

    def before_backward(self, J: Tensor) -> None:
        """Do what is to be done between the call and the backward pass."""

    def _record(self, name: str, arguments: Arguments, output: Any, used: tuple[str, ...]) -> None:
        if name == "linear":
            if arguments["weight"].dim() > 1:  # a vector is summed over whole: no axis of units
                self._units(self._name(arguments["weight"]), LINEAR, output, output.dim() - 1, used)
        elif name in _CONVOLUTIONS:
            axis = output.dim() - 1 - int(name[-2])
            self._units(self._name(arguments["weight"]), CONV, output, axis, used)
        elif name == "scaled_dot_product_attention" and output.dim() >= 4:
            self.records.add(self.where, HEADS, output, along(output.dim() - 3))
        elif name in _CELLS:
            h = output[0] if isinstance(output, tuple) else output
            self._hidden(h, arguments["w_ih"])
        elif name in PRODUCTS:
            self._product(name, arguments, output, used)
        elif name in LOOKUPS or name == "__getitem__":
            self._dimensions(list(arguments.values()), output, used)
        elif name == "softmax":
            self._attention[id(output)] = output
        elif "dropout" in name or name in _NORMS:
            self._inherit(arguments.get("input"), output)

    def _units(
        self, name: str, kind: str, output: Tensor, axis: int, used: tuple[str, ...]
    ) -> None:
        self.records.add(name, kind, output, along(axis), used)
        self._axes[id(output)] = (output, name, axis)

    def _hidden(self, h: Tensor, weight: Tensor) -> None:
        name = self.names.of(weight)
        # One site for each layer and direction: "rnn.l0", "rnn.l1_reverse".
        short = name.replace("weight_ih_", "").removesuffix("weight_ih").rstrip(".")
        self.records.add(short or self.where, RECURRENT, h, along(h.dim() - 1), (name,))

    def _dimensions(self, arguments: Iterable[Any], output: Tensor, used: tuple[str, ...]) -> None:
        """Record what a table gave out for given rows; its columns are the units."""
        table = table_in(arguments)
        if used and table is not None and output.shape[-1:] == table.shape[1:]:
            name = self.names.of(table).removesuffix(".weight")
            self.records.add(name, DIMENSIONS, output, along(output.dim() - 1), used)

    def _product(
        self, name: str, arguments: Arguments, output: Tensor, used: tuple[str, ...]
    ) -> None:
        if not used:
            self._weighted_values(name, arguments, output)
            return
        feature, expert = product_axes(name, arguments, self.names, output)
        site = used[-1]
        if expert is not None:
            self.records.add(site, EXPERTS, output, along(expert), used)
        elif feature is not None:
            self._units(site.removesuffix(".weight"), LINEAR, output, feature, used)

    def _weighted_values(self, name: str, arguments: Arguments, output: Tensor) -> None:
        if name == "einsum" or id(factors(name, arguments)[0]) not in self._attention:
            return
        if output.dim() == 4:
            self.records.add(self.where, HEADS, output, along(1))
        elif output.dim() == 3 and self._head_counts:
            heads = self._head_counts[-1]
            self.records.add(
                self.where, HEADS, output, lambda t: along(1)(t.unflatten(0, (-1, heads)))
            )

    def _nonlinear(
        self, name: str, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        arguments = arguments_of(func, args, kwargs)
        z = arguments["input"]
        before = z.detach().clone()
        output = super().called(name, func, args, kwargs)
        values = list(arguments.values())
        self._readers.follow(values, output, self.names.note(name, values, output))
        if self.depth:  # what is called outside of every forward is the loss, without units
            self._units_of_call(name, z, before, output)
        return output

    def _units_of_call(self, name: str, z: Tensor, before: Tensor, output: Tensor) -> None:
        _, site, axis = self._axes.get(id(z), (z, "", 1 if z.dim() >= 4 else z.dim() - 1))
        by_units = along(axis) if z.dim() else (lambda t: t.reshape(1, 1))
        after = by_units(output.detach()).clone()
        self._readers.start(len(self._calls), output)
        self._calls.append(
            NonlinearCall(self.where, name.rstrip("_"), by_units(before), after, site)
        )

    def _inherit(self, source: Any, output: Any) -> None:
        if id(source) in self._axes and isinstance(output, Tensor):
            self._axes[id(output)] = (output, *self._axes[id(source)][1:])
        if id(source) in self._attention:
            self._attention[id(output)] = output

    def _name(self, weight: Tensor) -> str:
        name = self.names.of(weight)
        if not name:
            return self.where
        if weight._base is not None and weight.dim() == weight._base.dim():
            first = weight.storage_offset() // max(weight._base.stride(0), 1)
            if len(weight) < len(weight._base):
                return f"{name}[{first}:{first + len(weight)}]"
        return name.removesuffix(".weight") if name != "weight" else ""


def table_in(arguments: Iterable[Any]) -> Tensor | None:
    """Return the table among the arguments of a lookup, whatever their order."""
    tensors = tensors_in(arguments)
    return next((t for t in tensors if t.is_floating_point() and t.dim() == 2), None)


def first_tensor(output: Any) -> Tensor | None:
    """Return the tensor that a part gave out, the first one of several."""
    return next(tensors_of(output), None)
