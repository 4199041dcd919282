"""The parameters of a module, each with its role, its other names and the place it is written to.

A parametrised tensor (`torch.nn.utils.parametrize`) is one parameter under its own name, `weight`,
not under that of the numbers behind it: with or without the parametrisation it gets the same start,
which goes through the parametrisation's inverse.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import ParametrizationList, is_parametrized

from symbreak.errors import InvalidInput
from symbreak.modules.anatomy.checks import check_is_module, check_memory, check_shapes
from symbreak.modules.anatomy.role import Role
from symbreak.modules.anatomy.roles import role_of

FILL_ANYHOW = (
    'Call module.to_empty(device="cpu") first; what is drawn does not depend on the old values.'
)


@dataclass(frozen=True)
class Target:
    """One parameter.

    Attributes
    ----------
    name : its first name in the module.
    owner, leaf : the layer that has it, and its name there.
    role : what it is.
    aliases : its other names, where it is tied.
    trained : whether it requires a gradient.
    parametrized : whether other numbers stand behind it.
    """

    name: str
    owner: nn.Module
    leaf: str
    role: Role
    aliases: tuple[str, ...]
    trained: bool
    parametrized: bool

    @property
    def tensor(self) -> Tensor:
        """The values that it has now."""
        tensor: Tensor = getattr(self.owner, self.leaf).detach()
        return tensor

    @property
    def n_units(self) -> int:
        """How many units out it has, in all its matrices."""
        shape = tuple(self.tensor.shape)
        return self.role.n_parts(shape) * self.role.weight_shape(shape).units_out

    def unit(self, unit: int) -> tuple[Any, ...]:
        """Return the index of the entries that make one unit."""
        return self.role.unit(tuple(self.tensor.shape), unit)

    def write_(self, values: Tensor) -> str:
        """Give a parametrised tensor these values; returns what must be known of it."""
        try:
            with torch.no_grad():
                setattr(self.owner, self.leaf, values)
        except Exception:  # each parametrisation refuses in its own way
            behind: Any = self.owner.parametrizations[self.leaf]  # type: ignore[index]
            if getattr(behind, "original", values[:0]).shape != values.shape:
                return "kept: its parametrisation has no inverse"
            behind.original.detach().copy_(values)
            return "drawn before its parametrisation, which has no inverse"
        return "parametrised"


def targets_of(module: nn.Module) -> tuple[Target, ...]:
    """Return the parameters of a module in the order of its layers, tied ones once."""
    names: dict[int, list[str]] = defaultdict(list)
    for name, parameter in module.named_parameters(remove_duplicate=False):
        names[id(parameter)].append(name)
    by_tensor: dict[int, Target] = {}
    for target, key in _all(module):
        if key not in by_tensor:
            aliases = tuple(name for name in names[key] if name != target.name)
            by_tensor[key] = replace(target, aliases=aliases)
        elif by_tensor[key].role.kind == "embedding" and target.role.is_weight:
            by_tensor[key] = _tied(by_tensor[key], target)
    return tuple(by_tensor.values())


def _all(module: nn.Module) -> Iterator[tuple[Target, int]]:
    for path, owner in module.named_modules():
        if not isinstance(owner, ParametrizationList):
            yield from _own(owner, f"{path}." if path else "")


def own_targets(layer: nn.Module) -> tuple[Target, ...]:
    """Return the parameters that a layer has itself, under the names that they have there."""
    return tuple(target for target, _ in _own(layer))


def _own(owner: nn.Module, prefix: str = "") -> Iterator[tuple[Target, int]]:
    if is_parametrized(owner):
        for leaf, behind in owner.parametrizations.items():  # type: ignore[union-attr,operator]
            shape = tuple(getattr(owner, leaf).shape)
            trained = any(p.requires_grad for p in behind.parameters(recurse=False))
            role = role_of(owner, leaf, shape)
            yield Target(prefix + leaf, owner, leaf, role, (), trained, True), id(behind)
    for leaf, parameter in owner.named_parameters(recurse=False):
        role = role_of(owner, leaf, tuple(parameter.shape))
        trained = parameter.requires_grad
        yield Target(prefix + leaf, owner, leaf, role, (), trained, False), id(parameter)


def _tied(embedding: Target, other: Target) -> Target:
    """Return an embedding that also is the weight of a layer, with the fans of that layer."""
    if other.role.kind == "embedding":
        return embedding
    role = replace(other.role, padding=embedding.role.padding, bias="")
    return replace(embedding, role=role)


def roles_in(module: nn.Module) -> dict[str, Role]:
    """Return the role of each weight that is registered or in a layer of `torch.nn`, by name."""
    return {
        target.name: target.role
        for target in targets_of(module)
        if target.role.is_weight and target.role.kind != "unknown" and not target.parametrized
    }


def weight_of(layer: nn.Module) -> Target | None:
    """Return the one weight of a layer; None where it has several, or none whose role is known.

    Where the old `weight_norm` and `spectral_norm` make `weight` of other numbers, those are none.
    """
    weights = {
        target.leaf: target
        for target in own_targets(layer)
        if target.role.is_weight and target.role.kind != "unknown"
    }
    if isinstance(getattr(layer, "weight", None), Tensor):
        return weights.get("weight")
    return next(iter(weights.values())) if len(weights) == 1 else None


def check_module(module: object) -> nn.Module:
    """Return the module.

    Raises
    ------
    InvalidInput
        It has no parameters, or some without shape or memory.
    InvalidType
        It is no module.
    """
    module = check_is_module(module)
    named = dict(module.named_parameters())
    if not named:
        raise InvalidInput("module of initialize_module must have parameters. Got none.")
    check_shapes(named)
    check_memory(named, FILL_ANYHOW)
    return module
