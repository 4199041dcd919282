"""Which parameter a tensor is, also when it was reshaped, cut or cast on the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from symbreak.modules.containers import tensors_in

# Calls that only bring a parameter into another form, or ask for a property of it.
_FORMS = {
    "t", "transpose", "chunk", "view", "unsqueeze", "expand", "expand_as", "reshape", "split",
    "squeeze", "permute", "contiguous", "to", "type_as", "float", "half", "bfloat16", "double",
    "unbind", "flatten", "unflatten", "clone", "movedim", "repeat",
}  # fmt: skip
_QUESTIONS = {
    "__get__", "size", "dim", "stride", "numel", "is_floating_point", "data_ptr", "__len__", "type",
    "register_hook", "is_contiguous", "get_device", "__set__", "dim_order", "is_complex",
    "__hash__",
    "has_names", "__bool__", "nelement", "ndimension", "multi_head_attention_forward",
}  # fmt: skip
_ROLES = {
    "linear": "linear", "bilinear": "linear", "embedding": "embedding",
    "embedding_bag": "embedding",
    "layer_norm": "norm", "batch_norm": "norm", "group_norm": "norm", "rms_norm": "norm",
    "instance_norm": "norm", "matmul": "product", "__matmul__": "product", "bmm": "product",
    "mm": "product", "addmm": "product", "baddbmm": "product", "einsum": "product", "mv": "product",
    "__rmatmul__": "product", "linalg_matmul": "product", "addmv": "product",
    "grouped_mm": "product", "_grouped_mm": "product",
}  # fmt: skip


Axes = tuple[int | None, ...]


class Names:
    """The parameters of a module by the tensors that stand for them."""

    def __init__(self, module: nn.Module) -> None:
        self._known: dict[int, tuple[Tensor, str]] = {
            id(p): (p, name) for name, p in module.named_parameters()
        }
        self._axes: dict[int, Axes] = {id(p): tuple(range(p.dim())) for p in module.parameters()}
        self._n_axes = {name: p.dim() for p, name in self._known.values()}
        self.functions: dict[str, list[str]] = {name: [] for _, name in self._known.values()}

    def of(self, tensor: Any) -> str:
        """Return the name of the parameter; "" for other tensors."""
        if not isinstance(tensor, Tensor):
            return ""
        known = self._known.get(id(tensor))
        if known is None and tensor._base is not None:
            known = self._known.get(id(tensor._base))
        return "" if known is None else known[1]

    def n_axes(self, name: str) -> int:
        """Return how many axes a parameter has."""
        return self._n_axes[name]

    def axes(self, tensor: Tensor) -> Axes:
        """Return which axis of the parameter each axis of a tensor is that stands for it.

        None for an axis that is none of them, () where nothing is known.
        """
        if id(tensor) in self._axes:
            return self._axes[id(tensor)]
        base = tensor._base
        own = self._axes.get(id(base), ())
        if base is None:
            return ()
        strides = {base.stride(k): axis for k, axis in enumerate(own) if base.shape[k] > 1}
        return tuple(
            strides.get(step) if size > 1 else None
            for step, size in zip(tensor.stride(), tensor.shape, strict=True)
        )

    def note(self, function: str, arguments: Sequence[Any], output: Any) -> tuple[str, ...]:
        """Remember a call; return the names of the parameters that it used."""
        if function in _QUESTIONS:
            return ()
        names = tuple(filter(None, map(self.of, tensors_in(arguments))))
        cut = function == "__getitem__" and not is_lookup(arguments)
        if function in _FORMS or cut:
            source = next(filter(self.of, tensors_in(arguments)), None)
            for derived in tensors_in([output]):
                if source is not None:
                    self._stands_for(derived, source)
            return ()
        for name in names:
            if function not in self.functions[name]:
                self.functions[name].append(function)
        return names

    def _stands_for(self, derived: Tensor, source: Tensor) -> None:
        self._known.setdefault(id(derived), (derived, self.of(source)))
        if (
            derived._base is None and derived.shape == source.shape
        ):  # a copy; a view tells its strides
            self._axes.setdefault(id(derived), self.axes(source))

    def role(self, name: str, parameter: Tensor) -> str:
        """Return the role of a parameter in the words of `SeenParameter`."""
        functions = self.functions[name]
        if not functions:
            # What has a gradient was used where calls cannot be seen: scripted, or in C++.
            return "unused" if parameter.grad is None else "register"
        first = functions[0]
        part = "weight" if parameter.dim() > 1 else "bias"
        if first.startswith("conv"):
            return f"conv {part}"
        if first.startswith(("gru", "lstm", "rnn")):
            return "recurrent"
        if first == "__getitem__":
            return "embedding"
        role = _ROLES.get(first, "register")
        return f"linear {part}" if role == "linear" else role


def is_lookup(arguments: Sequence[Any]) -> bool:
    """Tell whether `tensor[index]`, whose arguments these are, takes entries by a tensor."""
    index = arguments[1]
    indices = index if isinstance(index, tuple) else (index,)
    return any(isinstance(each, Tensor) for each in indices)
