"""How much memory the graph of a module takes, found out by a forward pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from symbreak.modules.containers import tensors_of


def bytes_of_graph(forward: Callable[[], Any], shared: Callable[[], Sequence[Tensor]]) -> int:
    """Return how many bytes autograd keeps after `forward`, beside the tensors that are `shared`.

    Where the module takes derivatives by `torch.func`, which lets nobody look on, all that is
    computed is counted.
    """
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    try:
        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            forward()
    except RuntimeError:
        with _Computed(note):
            forward()
    for tensor in shared():
        kept.pop(tensor.untyped_storage().data_ptr(), None)
    return sum(kept.values())


class _Computed(TorchDispatchMode):
    """Hands over every tensor that is computed."""

    def __init__(self, note: Callable[[Tensor], Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._note = note

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        for tensor in tensors_of(result):
            self._note(tensor)
        return result
