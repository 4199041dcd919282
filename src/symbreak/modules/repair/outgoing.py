"""Where the outgoing weights of a unit lie, where the order of the module tells it.

Known: layers of an `nn.Sequential` with nothing but elementwise functions, dropout, pooling and
flattening between them, and linear1 -> linear2 of PyTorch's transformer layers. A norm in between
takes the size out of a share, so it is not passed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn
from torch.nn.modules import activation, dropout, pooling
from torch.nn.modules.conv import _ConvNd

from symbreak.modules.repair.places import joined, submodule

_MIXING = (nn.MultiheadAttention, nn.Softmax, nn.Softmin, nn.LogSoftmax, nn.Softmax2d, nn.GLU)
_TABLES = (nn.Embedding, nn.EmbeddingBag)
_HOMES = {home.__name__ for home in (activation, dropout, pooling)}


def reader_of(module: nn.Module, where: str) -> str | None:
    """Return the name of the layer that alone reads the units of the layer `where`, or None."""
    home, _, leaf = where.rpartition(".")
    parent = submodule(module, home)
    if isinstance(parent, nn.TransformerEncoderLayer | nn.TransformerDecoderLayer):
        return joined(home, "linear2") if leaf == "linear1" else None
    if not isinstance(parent, nn.Sequential) or isinstance(submodule(module, where), _TABLES):
        return None  # who reads the dimensions of a table, its place in the order does not tell
    for name, layer in _after(parent, leaf):
        if isinstance(layer, nn.Linear) or (isinstance(layer, _ConvNd) and layer.groups == 1):
            return joined(home, name)
        if not _passes(layer):
            return None
    return None


def by_unit(layer: Any, units: int) -> Tensor:
    """Return the weight of a reader as a view (units, weights out of one unit)."""
    weight: Tensor = layer.weight.detach()
    if not (isinstance(layer, _ConvNd) and layer.transposed):
        weight = weight.transpose(0, 1)
    ways: Tensor = weight.unflatten(0, (units, -1))
    return ways


def _after(parent: nn.Sequential, leaf: str) -> Iterator[tuple[str, nn.Module]]:
    children = list(parent.named_children())
    place = [name for name, _ in children].index(leaf)
    yield from children[place + 1 :]


def _passes(layer: nn.Module) -> bool:
    known = type(layer).__module__ in _HOMES or isinstance(layer, nn.Flatten | nn.Identity)
    one_slope = not isinstance(layer, nn.PReLU) or layer.num_parameters == 1
    return known and one_slope and not isinstance(layer, _MIXING)
