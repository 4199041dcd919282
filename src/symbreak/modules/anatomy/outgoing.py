"""Who reads the units of a layer, where the order of the module tells it.

Known: layers of an `nn.Sequential` with nothing but elementwise functions, dropout, pooling and
flattening between them, and linear1 -> linear2 of PyTorch's transformer layers. A layer reads with
its one weight, of which a role is known; a norm in between takes the size out of a share of what
is read, so it is not passed.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn
from torch.nn.modules import dropout, pooling

from symbreak.modules.anatomy.reads import ELEMENTWISE
from symbreak.modules.anatomy.targets import Target, weight_of

_HOMES = {home.__name__ for home in (dropout, pooling)}
_LETTING_THROUGH = (*ELEMENTWISE, nn.Flatten, nn.Identity)
_ORDERED = (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)


def layer_of(module: nn.Module, where: str) -> str:
    """Return the name of the layer whose units are at a place: the layer, or its weight."""
    home, _, leaf = where.rpartition(".")
    weight = weight_of(module.get_submodule(home)) if leaf else None
    is_its_own = weight is not None and weight.leaf == leaf and not weight.role.is_stack
    return home if is_its_own else where


def reader_of(module: nn.Module, layer: str) -> str | None:
    """Return the name of the layer that alone reads the units of another, or None."""
    home, _, leaf = layer.rpartition(".")
    for name, each in _following(module.get_submodule(home), leaf):
        weight = weight_of(each)
        if weight is not None and _reads_each(weight):
            return f"{home}.{name}" if home else name
        if not _passes(each):
            return None
    return None


def _following(parent: nn.Module, leaf: str) -> Iterator[tuple[str, nn.Module]]:
    """Yield what comes after a layer in the order of its parent."""
    if isinstance(parent, _ORDERED) and leaf == "linear1":
        yield "linear2", parent.linear2
    layers = dict(parent.named_children()) if isinstance(parent, nn.Sequential) else {}
    own = weight_of(layers[leaf]) if leaf in layers else None
    # Who reads the dimensions of a table or experts, its place in the order does not tell.
    if leaf in layers and (own is None or (own.role.kind == "weight" and not own.role.is_stack)):
        yield from list(layers.items())[list(layers).index(leaf) + 1 :]


def _reads_each(weight: Target) -> bool:
    """Tell whether every unit out reads every unit in: one matrix, of no groups."""
    role = weight.role
    return role.kind == "weight" and role.parts == 1 and not role.is_stack


def _passes(layer: nn.Module) -> bool:
    if isinstance(layer, nn.PReLU):
        return layer.num_parameters == 1
    return isinstance(layer, _LETTING_THROUGH) or type(layer).__module__ in _HOMES
