"""Starts of a stack theta for the parameters of any module: which blocks a rule draws.

Roles, fans and streams are those of `modules.initialization`, so `ModuleCost.initialize` and
`initialize_module` draw the same numbers by the same rule. Here weights and the biases of their
layers are drawn; norms and whatever else is no weight keep the values of the module, and so does
the padding row of an embedding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from symbreak.initialization import Rule
from symbreak.initialization.streams import Floats
from symbreak.initialization.warning import warn_symmetric
from symbreak.modules.anatomy.roles import role_of
from symbreak.modules.initialization.draw import Weight
from symbreak.parameters import Block


@dataclass(frozen=True)
class PlacedWeight:
    """A weight, its place in theta, and that of the bias of its layer, if theta has one."""

    weight: Weight
    block: Block
    bias: Block | None


def weights_of(module: nn.Module, blocks: Sequence[Block]) -> tuple[PlacedWeight, ...]:
    """Return the parameters of theta that a rule draws."""
    by_name = {block.name: block for block in blocks}
    layers = dict(module.named_modules(remove_duplicate=False))
    found = (_placed(layers, block, by_name) for block in blocks)
    return tuple(weight for weight in found if weight is not None)


def draw_into(
    theta: Floats, weights: Sequence[PlacedWeight], rule: Rule, seed: int, starts: Sequence[int]
) -> None:
    """Overwrite what the rule draws in theta (starts, n), which holds the module's own values."""
    for placed in weights:
        padding = placed.weight.role.padding
        values = _view(theta, placed.block)
        kept = None if padding is None else values[:, padding].clone()
        bias = None if placed.bias is None else _view(theta, placed.bias)
        placed.weight.draw_(values, bias, rule, seed, starts)
        if kept is not None:
            values[:, padding] = kept


def warn_of_symmetry(rule: Rule, weights: Sequence[PlacedWeight]) -> None:
    """Warn when the rule starts all units of several layers equal."""
    if rule.symmetric and len(weights) > 1:
        warn_symmetric(
            f"Rule {rule.name!r} starts all units of a layer equal, in {len(weights)} weights "
            f"from {weights[0].block.name} to {weights[-1].block.name}. Use a random rule such as "
            "'glorot_uniform'."
        )


def _view(theta: Floats, block: Block) -> Tensor:
    part: Tensor = torch.from_numpy(theta)[:, block.slice]
    return part.view(len(theta), *block.shape)


def _placed(
    layers: dict[str, nn.Module], block: Block, by_name: dict[str, Block]
) -> PlacedWeight | None:
    path, _, leaf = block.name.rpartition(".")
    role = role_of(layers[path], leaf, block.shape)
    if not role.is_weight:
        return None
    weight = Weight(block.name, block.shape, role)
    bias = by_name.get(f"{path}.{role.bias}" if path else role.bias) if role.bias else None
    is_its_own = bias is not None and weight.has_bias(bias.shape)
    return PlacedWeight(weight, block, bias if is_its_own else None)
